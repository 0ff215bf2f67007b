/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One address space for all mappings of a device, so that they can be zapped
 * together. VFIO cores since 6.10 give each device an inode for that; for
 * older ones mapping.c does.
 */
#ifndef FERRY_COMPAT_MAPPING_H
#define FERRY_COMPAT_MAPPING_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/vfio.h>

struct ferry_mapping;

#ifdef FERRY_HAVE_VFIO_INODE

static inline int ferry_mapping_setup(void)
{
	return 0;
}

static inline void ferry_mapping_cleanup(void)
{
}

static inline struct ferry_mapping *ferry_mapping_create(void)
{
	return NULL;
}

static inline void ferry_mapping_destroy(struct ferry_mapping *mapping)
{
}

static inline int ferry_mapping_adopt(struct ferry_mapping *mapping,
				      struct vm_area_struct *vma)
{
	return 0;
}

static inline void ferry_mapping_zap(struct vfio_device *vdev,
				     struct ferry_mapping *mapping,
				     loff_t start, loff_t end)
{
	unmap_mapping_range(vdev->inode->i_mapping, start, end - start, true);
}

#else

int ferry_mapping_setup(void);
void ferry_mapping_cleanup(void);
struct ferry_mapping *ferry_mapping_create(void);
void ferry_mapping_destroy(struct ferry_mapping *mapping);
int ferry_mapping_adopt(struct ferry_mapping *mapping,
			struct vm_area_struct *vma);
void ferry_mapping_zap(struct vfio_device *vdev, struct ferry_mapping *mapping,
		       loff_t start, loff_t end);

#endif /* FERRY_HAVE_VFIO_INODE */

#endif /* FERRY_COMPAT_MAPPING_H */
