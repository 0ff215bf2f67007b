// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs do with the Bochs graphics adapter.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bochs.h"

__u16 dispi_read(const struct vdev *v, unsigned int reg)
{
	return region_r16(v, MMIO, DISPI(reg));
}

void dispi_write(const struct vdev *v, unsigned int reg, __u16 val)
{
	region_w16(v, MMIO, DISPI(reg), val);
}

/* As drivers do it. */
void bochs_mode(const struct vdev *v, __u16 width, __u16 height)
{
	dispi_write(v, ENABLE, 0);
	dispi_write(v, BPP, 32);
	dispi_write(v, XRES, width);
	dispi_write(v, YRES, height);
	dispi_write(v, BANK, 0);
	dispi_write(v, VIRT_WIDTH, width);
	dispi_write(v, VIRT_HEIGHT, height);
	dispi_write(v, X_OFFSET, 0);
	dispi_write(v, Y_OFFSET, 0);
	dispi_write(v, ENABLE, 0x41);
}

int plane_query(const struct vdev *v, __u32 flags,
		struct vfio_device_gfx_plane_info *plane)
{
	memset(plane, 0, sizeof(*plane));
	plane->argsz = sizeof(*plane);
	plane->flags = flags;
	return fd_ioctl(v->fd, VFIO_DEVICE_QUERY_GFX_PLANE, plane);
}

/* Returns a file descriptor or a negative errno. */
int plane_dmabuf(const struct vdev *v, __u32 id)
{
	int fd = ioctl(v->fd, VFIO_DEVICE_GET_GFX_DMABUF, &id);

	return fd < 0 ? -errno : fd;
}

static void attr_path(const struct vdev *v, const char *attr, char *path,
		      size_t size)
{
	snprintf(path, size, "/sys/bus/mdev/devices/%s/%s", v->name, attr);
}

int display_attr_read(const struct vdev *v, const char *attr)
{
	char path[256], text[FERRY_TEXT_MAX];
	int ret;

	attr_path(v, attr, path, sizeof(path));
	ret = text_read(path, text, sizeof(text));
	return ret < 0 ? ret : atoi(text);
}

int display_attr_write(const struct vdev *v, const char *attr, const char *val)
{
	char path[256];

	attr_path(v, attr, path, sizeof(path));
	return text_write(path, val);
}
