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

/* Where a module is out of a build folder; NULL when it is installed. */
static const char *module_file(const char *name)
{
	const char *build = getenv("FERRY_BUILD");

	snprintf(wanted, sizeof(wanted), "%s.ko", name);
	return build && nftw(build, on_file, 16, 0) == 1 ? found : NULL;
}

bool module_exists(const char *name)
{
	char command[256];

	if (module_file(name))
		return true;
	snprintf(command, sizeof(command),
		 "modinfo %s >/dev/null 2>/dev/null", name);
	return !system(command);
}

int module_load(const char *name, const char *params)
{
	const char *path = module_file(name);
	char command[512];
	int fd, ret;

	if (!path) {
		snprintf(command, sizeof(command), "modprobe %s %s", name,
			 params);
		return system(command) ? -ENOENT : 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return ret;
}

/* The name that the kernel has for it. */
static void module_name(const char *name, char *module, size_t size)
{
	char *c;

	snprintf(module, size, "%s", name);
	for (c = module; *c; c++)
		if (*c == '-')
			*c = '_';
}

int module_unload(const char *name)
{
	char module[FERRY_NAME_MAX];

	module_name(name, module, sizeof(module));
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

static void param_path(const char *name, const char *param, char *path,
		       size_t size)
{
	char module[FERRY_NAME_MAX];

	module_name(name, module, sizeof(module));
	snprintf(path, size, "/sys/module/%s/parameters/%s", module, param);
}

int module_param_read(const char *name, const char *param, char *buf,
		      size_t size)
{
	char path[PATH_MAX];

	param_path(name, param, path, sizeof(path));
	return text_read(path, buf, size);
}

int module_param_write(const char *name, const char *param, const char *val)
{
	char path[PATH_MAX];

	param_path(name, param, path, sizeof(path));
	return text_write(path, val);
}
