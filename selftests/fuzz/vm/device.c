// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device says of itself, its resets, its descriptors, and the device gone.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"

#define ATTACH	_IO(VFIO_TYPE, VFIO_BASE + 19)
#define DETACH	_IO(VFIO_TYPE, VFIO_BASE + 20)

/* Room for any argument, and for what comes behind those of fixed size. */
union argument {
	__u32 argsz;
	struct vfio_device_info info;
	struct vfio_region_info region;
	struct vfio_irq_info irq;
	struct vfio_pci_hot_reset_info hot;
	struct vfio_device_gfx_plane_info plane;
	__u32 words[128];
};

/* @flags: bits 0 and 1 of what, 2 an argsz of @b. @a: the index. */
int call_info(struct world *w, const struct call *c)
{
	static const unsigned long requests[] = {
		VFIO_DEVICE_GET_INFO, VFIO_DEVICE_GET_REGION_INFO,
		VFIO_DEVICE_GET_IRQ_INFO, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
	};
	unsigned int what = c->flags & 3;
	union argument arg = {};

	arg.argsz = c->flags & 4 ? c->b % sizeof(arg) : sizeof(arg);
	if (what == 1)
		arg.region.index = c->a & 0xff00 ? c->a : c->a % 12;
	else if (what == 2)
		arg.irq.index = c->a & 0xff00 ? c->a : c->a % 6;
	return fd_ioctl(call_device(w, c), requests[what], &arg);
}

int call_reset(struct world *w, const struct call *c)
{
	return fd_ioctl(call_device(w, c), VFIO_DEVICE_RESET, NULL);
}

/* @a: what proves that it is ours, four descriptors at most. @flags: argsz too small. */
int call_hot_reset(struct world *w, const struct call *c)
{
	const int proofs[] = {
		w->v.group, call_device(w, c), w->v.container,
		slot_get(&w->eventfds[0]),
	};
	struct {
		struct vfio_pci_hot_reset head;
		__s32 fds[4];
	} arg = { .head.argsz = sizeof(arg), .head.count = c->a & 7 };
	unsigned int i;

	for (i = 0; i < 4; i++)
		arg.fds[i] = proofs[c->b >> (2 * i) & 3];
	if (c->flags & 1)
		arg.head.argsz = c->b % sizeof(arg);
	if (c->flags & 2)
		arg.head.flags = c->flags;
	return fd_ioctl(call_device(w, c), VFIO_DEVICE_PCI_HOT_RESET, &arg);
}

static int open_again(const struct world *w)
{
	int fd, ret;

	if (!w->iommufd)
		return fd_ioctl(w->v.group, VFIO_GROUP_GET_DEVICE_FD,
				(void *)w->target->id);
	fd = cdev_open_on(w->target->bus, w->target->id);
	if (fd < 0)
		return fd;
	ret = cdev_bind(fd, w->v.container, NULL, NULL);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/* @flags: bit 0 it isn't opened again; bit 1 it is a copy of the other slot. */
int call_reopen(struct world *w, const struct call *c)
{
	int *slot = &w->devices[c->who >> 2 & 1], fd;

	if (c->flags & 1) {
		slot_put(slot, -1);
		return 0;
	}
	fd = c->flags & 2 ? dup(slot_get(&w->devices[!(c->who >> 2 & 1)])) :
			    open_again(w);
	if (fd >= 0 || c->flags & 4)
		slot_put(slot, fd);
	return fd < 0 ? fd : 0;
}

/* To and from the address space of an iommufd context. @flags: bit 0 from. */
int call_attach(struct world *w, const struct call *c)
{
	struct {
		__u32 argsz;
		__u32 flags;
		__u32 pt_id;
	} arg = { .argsz = c->flags & 1 ? 8 : sizeof(arg), .pt_id = w->v.ioas };

	if (c->flags & 2)
		arg.pt_id = c->a;
	return fd_ioctl(call_device(w, c), c->flags & 1 ? DETACH : ATTACH, &arg);
}

/* What a display shows. @flags: bit 0 a dma-buf of plane @a, into the slot of a stream. */
int call_picture(struct world *w, const struct call *c)
{
	union argument arg = {};
	__u32 id = c->a;
	int ret;

	if (c->flags & 1) {
		ret = fd_ioctl(call_device(w, c), VFIO_DEVICE_GET_GFX_DMABUF, &id);
		if (ret >= 0)
			slot_put(&w->streams[c->who >> 3 & (STREAMS - 1)], ret);
		return ret < 0 ? ret : 0;
	}
	arg.plane.argsz = sizeof(arg.plane);
	arg.plane.flags = c->flags >> 1;
	arg.plane.drm_plane_type = c->a;
	return fd_ioctl(call_device(w, c), VFIO_DEVICE_QUERY_GFX_PLANE, &arg);
}

/* A number of VFIO's with words that say nothing; none that returns a descriptor. */
int call_raw(struct world *w, const struct call *c)
{
	unsigned long request = _IO(VFIO_TYPE, VFIO_BASE + c->a % 24);
	union argument arg;
	unsigned int i;

	if (request == VFIO_DEVICE_GET_GFX_DMABUF ||
	    request == VFIO_DEVICE_FEATURE)
		return -EINVAL;
	for (i = 0; i < 128; i++)
		arg.words[i] = c->b * i;
	arg.argsz = c->flags;
	return fd_ioctl(call_device(w, c), request, &arg);
}

int call_unplug(struct world *w, const struct call *c)
{
	target_unplug(w->target);
	return 0;
}
