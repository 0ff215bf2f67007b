/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel names for user space: a VFIO device, which nobody registers. */
#ifndef _FERRY_FUZZ_VFIO_H
#define _FERRY_FUZZ_VFIO_H

#include_next <linux/vfio.h>
#include <borrowed.h>

/* Since Linux 6.2 */
#ifndef VFIO_MIG_GET_PRECOPY_INFO
struct vfio_precopy_info {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 initial_bytes;
	__aligned_u64 dirty_bytes;
};

#define VFIO_MIG_GET_PRECOPY_INFO _IO(VFIO_TYPE, VFIO_BASE + 21)
#endif

struct vfio_device {
	struct device *dev;
};

struct vfio_info_cap;
struct vm_area_struct;
struct virqfd;

#endif /* _FERRY_FUZZ_VFIO_H */
