// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a device may access: mappings of a type1 container, or of an address
 * space of iommufd, whichever the device was opened with.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ferrytest.h"

/* Headers of older systems don't know iommufd. */
struct ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 reserved;
	__u64 user_va;
	__u64 length;
	__u64 iova;
};

struct ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__u64 iova;
	__u64 length;
};

struct attach {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

#define IOAS_MAP		_IO(';', 0x85)
#define IOAS_MAP_FIXED_IOVA	1U
#define IOAS_MAP_WRITEABLE	2U
#define IOAS_MAP_READABLE	4U
#define IOAS_UNMAP		_IO(';', 0x86)
#define ATTACH			_IO(VFIO_TYPE, VFIO_BASE + 19)

/* @prot: VFIO_DMA_MAP_FLAG_READ, VFIO_DMA_MAP_FLAG_WRITE */
int dma_map(const struct vdev *v, __u64 iova, void *memory, __u64 len,
	    __u32 prot)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = prot,
		.vaddr = (uintptr_t)memory,
		.iova = iova,
		.size = len,
	};
	struct ioas_map ioas = {
		.size = sizeof(ioas),
		.flags = IOAS_MAP_FIXED_IOVA,
		.ioas_id = v->ioas,
		.user_va = (uintptr_t)memory,
		.length = len,
		.iova = iova,
	};

	if (!v->ioas)
		return fd_ioctl(v->container, VFIO_IOMMU_MAP_DMA, &map);
	if (prot & VFIO_DMA_MAP_FLAG_READ)
		ioas.flags |= IOAS_MAP_READABLE;
	if (prot & VFIO_DMA_MAP_FLAG_WRITE)
		ioas.flags |= IOAS_MAP_WRITEABLE;
	return fd_ioctl(v->container, IOAS_MAP, &ioas);
}

int dma_unmap(const struct vdev *v, __u64 iova, __u64 len)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = len,
	};
	struct ioas_unmap ioas = {
		.size = sizeof(ioas),
		.ioas_id = v->ioas,
		.iova = iova,
		.length = len,
	};

	if (!v->ioas)
		return fd_ioctl(v->container, VFIO_IOMMU_UNMAP_DMA, &unmap);
	return fd_ioctl(v->container, IOAS_UNMAP, &ioas);
}

/*
 * A device by its own file, in an address space of its own; -ENOENT on a kernel without
 * such files, or without iommufd.
 */
int vdev_open_iommufd(struct vdev *v, const char *bus, const char *name)
{
	struct attach attach = { .argsz = sizeof(attach) };
	int ret;

	memset(v, 0, sizeof(*v));
	snprintf(v->bus, sizeof(v->bus), "%s", bus);
	snprintf(v->name, sizeof(v->name), "%s", name);
	v->group = -1;
	v->fd = -1;
	v->container = iommufd_open();
	if (v->container < 0)
		return v->container;
	ret = iommufd_ioas(v->container, &v->ioas);
	if (!ret) {
		ret = cdev_open_on(bus, name);
		v->fd = ret;
	}
	if (ret >= 0)
		ret = cdev_bind(v->fd, v->container, NULL, NULL);
	attach.pt_id = v->ioas;
	if (!ret)
		ret = fd_ioctl(v->fd, ATTACH, &attach);
	if (ret)
		vdev_close(v);
	return ret;
}

/* Marsaglia's generator (2003), 64 bits at a time; random() takes long for megabytes. */
void memory_scribble(__u8 *at, size_t len)
{
	static __u64 x = 0x123456789abcdef1ULL;
	size_t n;

	for (; len; at += n, len -= n) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		n = len < sizeof(x) ? len : sizeof(x);
		memcpy(at, &x, n);
	}
}

/* Is there nothing but @what? */
bool memory_all(const __u8 *at, __u8 what, size_t len)
{
	return !len || (at[0] == what && !memcmp(at, at + 1, len - 1));
}
