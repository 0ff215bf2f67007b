// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices through sysfs.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "ferrytest.h"

/* The folder of the first type whose name ends in @suffix. */
int mdev_type_find(const char *suffix, char *path, size_t size)
{
	char pattern[256];
	int ret = -ENOENT;
	glob_t found;

	snprintf(pattern, sizeof(pattern),
		 "/sys/class/mdev_bus/*/mdev_supported_types/*%s", suffix);
	if (glob(pattern, 0, NULL, &found))
		return -ENOENT;
	if (found.gl_pathc) {
		snprintf(path, size, "%s", found.gl_pathv[0]);
		ret = 0;
	}
	globfree(&found);
	return ret;
}

int mdev_type_attr(const char *type, const char *attr, char *buf, size_t size)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", type, attr);
	return text_read(path, buf, size);
}

int mdev_create(const char *type, const char *uuid)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/create", type);
	return text_write(path, uuid);
}

int mdev_remove(const char *uuid)
{
	char path[512];

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/remove", uuid);
	return text_write(path, "1");
}

/* UUIDs that are ours to create and to remove. */
#define OUR_UUIDS	"fe44d0f0-6e5f-4a7e-8d51-"

void mdev_uuid(unsigned int n, char *uuid)
{
	snprintf(uuid, FERRY_NAME_MAX, OUR_UUIDS "%012x", n);
}

/* Removes what tests, of this run or another, did not get to remove. */
void mdev_remove_ours(void)
{
	glob_t found;
	size_t i;

	if (glob("/sys/bus/mdev/devices/" OUR_UUIDS "*", 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++)
		mdev_remove(strrchr(found.gl_pathv[i], '/') + 1);
	globfree(&found);
}
