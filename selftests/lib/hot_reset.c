// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot reset, and a register that tells whether there was one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ferrytest.h"

/* MTA[0] of Intel's controllers, e1000e and igb: keeps a value until it is reset. */
#define SCRATCH		0x5200
#define SCRATCH_VALUE	0x12345678U

void scratch_write(const struct vdev *v)
{
	region_w32(v, VFIO_PCI_BAR0_REGION_INDEX, SCRATCH, SCRATCH_VALUE);
}

bool scratch_kept(const struct vdev *v)
{
	return region_r32(v, VFIO_PCI_BAR0_REGION_INDEX, SCRATCH) ==
	       SCRATCH_VALUE;
}

/* The fds as they are, however many @count claims. */
int hot_reset_raw(const struct vdev *v, __u32 argsz, __u32 flags, __u32 count,
		  const int *fds, size_t n)
{
	union {
		struct vfio_pci_hot_reset hdr;
		__u8 room[sizeof(struct vfio_pci_hot_reset) +
			  HOT_RESET_FDS_MAX * sizeof(*fds)];
	} arg = { .hdr = { .argsz = argsz, .flags = flags, .count = count } };
	int ret, tries = 1000;

	memcpy(arg.hdr.group_fds, fds, n * sizeof(*fds));
	do {
		ret = fd_ioctl(v->fd, VFIO_DEVICE_PCI_HOT_RESET, &arg);
		/* Somebody else holds the lock of a device or a gate. */
		if (ret != -EAGAIN && ret != -EBUSY)
			break;
		usleep(1000);
	} while (--tries);
	return ret;
}

int hot_reset_fds(const struct vdev *v, const int *fds, size_t n)
{
	return hot_reset_raw(v, sizeof(struct vfio_pci_hot_reset) +
			     n * sizeof(*fds), 0, n, fds, n);
}

/* Is it this function that an entry of the information is about? */
bool hot_reset_is(const struct vfio_pci_dependent_device *d, const char *bdf)
{
	char name[FERRY_NAME_MAX];

	snprintf(name, sizeof(name), "%04x:%02x:%02x.%x", d->segment, d->bus,
		 d->devfn >> 3, d->devfn & 7);
	return !strcmp(name, bdf);
}
