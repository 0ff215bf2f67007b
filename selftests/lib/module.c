// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel modules: out of the folder that FERRY_BUILD names, or installed.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ferrytest.h"

static char wanted[FERRY_NAME_MAX];
static char found[PATH_MAX];

static int on_file(const char *path, const struct stat *st, int type,
		   struct FTW *ftw)
{
	(void)st;
	if (type != FTW_F || strcmp(path + ftw->base, wanted))
		return 0;
	snprintf(found, sizeof(found), "%s", path);
	return 1;
}

int module_load(const char *name, const char *params)
{
	const char *build = getenv("FERRY_BUILD");
	char command[512];
	int fd, ret;

	if (!build) {
		snprintf(command, sizeof(command), "modprobe %s %s", name,
			 params);
		return system(command) ? -ENOENT : 0;
	}
	snprintf(wanted, sizeof(wanted), "%s.ko", name);
	if (nftw(build, on_file, 16, 0) != 1)
		return -ENOENT;
	fd = open(found, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return ret;
}

int module_unload(const char *name)
{
	char module[FERRY_NAME_MAX], *c;

	snprintf(module, sizeof(module), "%s", name);
	for (c = module; *c; c++)
		if (*c == '-')
			*c = '_';
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}
