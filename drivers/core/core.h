/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of ferry.ko call of each other and nobody else does.
 */
#ifndef FERRY_CORE_H
#define FERRY_CORE_H

#include <linux/nospec.h>

#include <ferry/device.h>

/* The region of an index that a user has named, %NULL for none. */
static inline struct ferry_region *ferry_region_find(struct ferry_device *fdev,
						     unsigned int index)
{
	if (index >= fdev->num_regions)
		return NULL;
	/* What it points to is called. */
	index = array_index_nospec(index, fdev->num_regions);
	return &fdev->regions[index];
}

int ferry_migration_feature(struct ferry_device *fdev, u32 flags,
			    void __user *arg, size_t argsz);

void ferry_region_set_config(struct ferry_device *fdev);

void ferry_irqs_init(struct ferry_device *fdev);
void ferry_irqs_stop(struct ferry_device *fdev);
u32 ferry_irqs_flags(struct ferry_device *fdev, unsigned int index);
unsigned int ferry_irqs_count(struct ferry_device *fdev, unsigned int index);
int ferry_irqs_set(struct ferry_device *fdev, const struct vfio_irq_set *hdr,
		   const void *data);
void ferry_req_signal(struct ferry_device *fdev, unsigned int count);

int ferry_trigger_get(int fd, struct eventfd_ctx **ctx);
void ferry_trigger_put(struct eventfd_ctx *ctx);
void ferry_trigger_retire(struct eventfd_ctx *ctx);
bool ferry_trigger_signal(struct eventfd_ctx __rcu **slot);

int ferry_intx_set(struct ferry_device *fdev, const struct vfio_irq_set *hdr,
		   const void *data);
void ferry_intx_stop(struct ferry_device *fdev);

#endif /* FERRY_CORE_H */
