// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open VFIO device: its group in a type1 container of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ferrytest.h"

#define NOIOMMU_GROUP	"/dev/vfio/noiommu-"

int fd_ioctl(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

int vdev_group_number(const char *bus, const char *name)
{
	char path[256], group[FERRY_NAME_MAX];
	int ret;

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/iommu_group",
		 bus, name);
	ret = link_name(path, group, sizeof(group));
	return ret ? ret : atoi(group);
}

/* The file of a group; that of a device without an IOMMU has another name. */
int vdev_group_path(const char *bus, const char *name, char *path, size_t size)
{
	int ret = vdev_group_number(bus, name);

	if (ret < 0)
		return ret;
	snprintf(path, size, NOIOMMU_GROUP "%d", ret);
	if (!path_exists(path))
		snprintf(path, size, "/dev/vfio/%d", ret);
	return 0;
}

static int group_open(struct vdev *v)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[256];
	int ret;

	ret = vdev_group_path(v->bus, v->name, path, sizeof(path));
	if (ret)
		return ret;
	v->noiommu = !strncmp(path, NOIOMMU_GROUP, strlen(NOIOMMU_GROUP));
	v->group = open(path, O_RDWR | O_CLOEXEC);
	if (v->group < 0)
		return -errno;
	ret = fd_ioctl(v->group, VFIO_GROUP_GET_STATUS, &status);
	if (ret)
		return ret;
	return status.flags & VFIO_GROUP_FLAGS_VIABLE ? 0 : -EPERM;
}

static int container_open(struct vdev *v)
{
	int ret;

	v->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (v->container < 0)
		return -errno;
	if (ioctl(v->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
		return -EPROTO;
	ret = fd_ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container);
	if (ret)
		return ret;
	return fd_ioctl(v->container, VFIO_SET_IOMMU,
			v->noiommu ? (void *)VFIO_NOIOMMU_IOMMU :
				     (void *)VFIO_TYPE1v2_IOMMU);
}

/*
 * A descriptor of a device whose group is open, by its name and what stands @behind
 * that, such as a token. Opening resets the device, which fails with EAGAIN while
 * somebody else holds its lock.
 */
int vdev_open_named(const struct vdev *v, const char *behind)
{
	int ret, tries = 1000;
	char name[256];

	snprintf(name, sizeof(name), "%s%s", v->name, behind);
	do {
		ret = fd_ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, name);
		if (ret != -EAGAIN)
			break;
		sched_yield();
	} while (--tries);
	return ret;
}

/* Another descriptor of a device whose group is open. */
int vdev_open_again(const struct vdev *v)
{
	return vdev_open_named(v, "");
}

/* Everything but the device: its group in a container. */
int vdev_prepare(struct vdev *v, const char *bus, const char *name)
{
	int ret;

	v->container = -1;
	v->group = -1;
	v->fd = -1;
	v->ioas = 0;
	snprintf(v->bus, sizeof(v->bus), "%s", bus);
	snprintf(v->name, sizeof(v->name), "%s", name);
	ret = group_open(v);
	if (!ret)
		ret = container_open(v);
	if (ret)
		vdev_close(v);
	return ret;
}

/* The device in a group that is open, into @v; all of @v is closed if that fails. */
int vdev_open_behind(struct vdev *v, const char *behind)
{
	int ret = vdev_open_named(v, behind);

	if (ret < 0) {
		vdev_close(v);
		return ret;
	}
	v->fd = ret;
	return 0;
}

int vdev_open_with(struct vdev *v, const char *bus, const char *name,
		   const char *behind)
{
	int ret = vdev_prepare(v, bus, name);

	return ret ? ret : vdev_open_behind(v, behind);
}

int vdev_open(struct vdev *v, const char *bus, const char *name)
{
	return vdev_open_with(v, bus, name, "");
}

static int open_mdev(struct vdev *v, const char *device)
{
	char type[512], uuid[FERRY_NAME_MAX];
	int ret;

	mdev_remove_ours();
	mdev_uuid(0, uuid);
	ret = mdev_type_find(device, type, sizeof(type));
	if (!ret)
		ret = mdev_create(type, uuid);
	return ret ? ret : vdev_open(v, "mdev", uuid);
}

static int open_pci(struct vdev *v, const char *device)
{
	const char *bdf = device_bdf(device);
	int ret;

	ret = pci_bind(bdf, driver_name());
	return ret ? ret : vdev_open(v, "pci", bdf);
}

/*
 * Opens the device that the tests call @device: binds the PCI device that
 * the environment names, or creates a mediated one.
 */
int vdev_open_device(struct vdev *v, const char *device)
{
	int ret;

	if (device_is_mdev(device))
		ret = open_mdev(v, device);
	else
		ret = open_pci(v, device);
	if (ret)
		fprintf(stderr, "# cannot open %s: %s\n", device,
			strerror(-ret));
	return ret;
}

void vdev_close(struct vdev *v)
{
	if (v->fd >= 0)
		close(v->fd);
	if (v->group >= 0)
		close(v->group);
	if (v->container >= 0)
		close(v->container);
	v->container = -1;
	v->group = -1;
	v->fd = -1;
}

int vdev_reset(const struct vdev *v)
{
	int ret, tries = 1000;

	do {
		ret = fd_ioctl(v->fd, VFIO_DEVICE_RESET, NULL);
		if (ret != -EAGAIN)
			break;
		sched_yield();
	} while (--tries);
	return ret;
}

int vdev_info(const struct vdev *v, struct vfio_device_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	return fd_ioctl(v->fd, VFIO_DEVICE_GET_INFO, info);
}

int region_info(const struct vdev *v, __u32 index,
		struct vfio_region_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return fd_ioctl(v->fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

int irq_info(const struct vdev *v, __u32 index, struct vfio_irq_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return fd_ioctl(v->fd, VFIO_DEVICE_GET_IRQ_INFO, info);
}
