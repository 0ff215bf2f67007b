// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices by their own character device, bound to an iommufd context. Headers of older
 * systems don't know any of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ferrytest.h"

struct bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
	__u64 token_ptr;
};

struct ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define BIND		_IO(VFIO_TYPE, VFIO_BASE + 18)
#define BIND_TOKEN	1U
#define IOAS_ALLOC	_IO(';', 0x81)
/* Without a token its argument is the one of older kernels. */
#define BIND_SHORT	16

int iommufd_open(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The number of a new address space. */
int iommufd_ioas(int iommufd, __u32 *id)
{
	struct ioas_alloc alloc = { .size = sizeof(alloc) };
	int ret = fd_ioctl(iommufd, IOAS_ALLOC, &alloc);

	*id = alloc.out_ioas_id;
	return ret;
}

/* The file of a device, "" if it has none. */
void cdev_path(const char *bus, const char *name, char *path, size_t size)
{
	glob_t found;

	snprintf(path, size, "/sys/bus/%s/devices/%s/vfio-dev/vfio*", bus,
		 name);
	if (glob(path, 0, NULL, &found)) {
		*path = '\0';
		return;
	}
	snprintf(path, size, "/dev/vfio/devices/%s",
		 strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
}

int cdev_open_on(const char *bus, const char *name)
{
	char path[256];
	int fd;

	cdev_path(bus, name, path, sizeof(path));
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int cdev_open(const char *bdf)
{
	return cdev_open_on("pci", bdf);
}

/* @token and @devid may be NULL; the latter is the number that the context gives it. */
int cdev_bind(int fd, int iommufd, const void *token, __u32 *devid)
{
	struct bind_iommufd bind = {
		.argsz = token ? sizeof(bind) : BIND_SHORT,
		.flags = token ? BIND_TOKEN : 0,
		.iommufd = iommufd,
		.token_ptr = (uintptr_t)token,
	};
	int ret = fd_ioctl(fd, BIND, &bind);

	if (!ret && devid)
		*devid = bind.out_devid;
	return ret;
}

/* Opens a device and binds it; the descriptor, or what binding said. */
int cdev_get(const char *bdf, int iommufd, const void *token)
{
	int fd = cdev_open(bdf), ret;

	if (fd < 0)
		return fd;
	ret = cdev_bind(fd, iommufd, token, NULL);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}
