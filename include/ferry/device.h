/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VFIO PCI device, physical or virtual: what the drivers share.
 */
#ifndef FERRY_DEVICE_H
#define FERRY_DEVICE_H

#include <linux/mutex.h>
#include <linux/vfio.h>

#include <ferry/config.h>
#include <ferry/gate.h>
#include <ferry/irq.h>
#include <ferry/migration.h>
#include <ferry/region.h>

struct dentry;
struct ferry_mapping;

/* The regions of VFIO PCI, and how many of its own a device may have behind them. */
#define FERRY_MAX_REGIONS	(VFIO_PCI_NUM_REGIONS + 2)

/**
 * struct ferry_device_ops - what a driver implements for the core
 * @irq: its interrupts
 * @info_caps: add capabilities (VFIO_DEVICE_INFO_CAP_*) to the description of
 *	the device. Optional.
 * @config_sync: bring what the device changes by itself up to date in the
 *	configuration space, which is about to be read. Called with config_lock held.
 *	Optional.
 * @memory_gone: take the device's memory away from whoever has it by other means than
 *	read, write and mappings. Called with the gate held for writing. Optional.
 * @memory_back: give it back; called with the gate still held, about to be left open.
 *	Comes more often than @memory_gone. Optional.
 * @reset: VFIO_DEVICE_RESET; 0 or a negative errno. Optional.
 * @ioctl: ioctls that the core does not know; -ENOTTY for those that the
 *	driver doesn't either. Optional.
 * @feature: VFIO_DEVICE_FEATURE, likewise. Optional.
 */
struct ferry_device_ops {
	const struct ferry_irq_ops *irq;
	int (*info_caps)(struct ferry_device *fdev, struct vfio_info_cap *caps);
	void (*config_sync)(struct ferry_device *fdev);
	void (*memory_gone)(struct ferry_device *fdev);
	void (*memory_back)(struct ferry_device *fdev);
	int (*reset)(struct ferry_device *fdev);
	long (*ioctl)(struct ferry_device *fdev, unsigned int cmd,
		      unsigned long arg);
	int (*feature)(struct ferry_device *fdev, u32 flags, void __user *arg,
		       size_t argsz);
};

/**
 * struct ferry_device - a VFIO PCI device
 * @vdev: what the VFIO core knows; the first member
 * @ops: set by the driver in its vfio_device_ops.init
 * @config_lock: serialises @config; taken after ferry_irqs.lock, before the gate
 * @config: configuration space, valid between open and close
 * @gate: the memory gate
 * @regions: by VFIO_PCI_*_REGION_INDEX, and behind those the device's own
 * @num_regions: how many @regions the user may ask for; VFIO_PCI_NUM_REGIONS unless
 *	the driver sets another number after ferry_device_init()
 * @irqs: interrupts
 * @mapping: the address space of all mappings
 * @migration: what happens when it migrates, if it does
 * @debug_dir: its folder in debugfs
 * @can_reset: what VFIO_DEVICE_FLAGS_RESET says; set by the driver before or
 *	during open
 */
struct ferry_device {
	struct vfio_device vdev;
	const struct ferry_device_ops *ops;
	struct mutex config_lock;	/* serialises config */
	struct ferry_config config;
	struct ferry_gate gate;
	struct ferry_region regions[FERRY_MAX_REGIONS];
	unsigned int num_regions;
	struct ferry_irqs irqs;
	struct ferry_mapping *mapping;
	struct ferry_migration migration;
	struct dentry *debug_dir;
	bool can_reset;
};

#define to_ferry_device(v)	container_of(v, struct ferry_device, vdev)

int ferry_device_init(struct ferry_device *fdev,
		      const struct ferry_device_ops *ops);
void ferry_device_release(struct ferry_device *fdev);
void ferry_device_start(struct ferry_device *fdev);
void ferry_device_stop(struct ferry_device *fdev);
void ferry_device_debugfs_init(struct ferry_device *fdev);
void ferry_device_debugfs_exit(struct ferry_device *fdev);

ssize_t ferry_device_peek(struct ferry_device *fdev, u64 off, char __user *buf,
			  size_t count, loff_t *ppos);
ssize_t ferry_device_read(struct vfio_device *vdev, char __user *buf,
			  size_t count, loff_t *ppos);
ssize_t ferry_device_write(struct vfio_device *vdev, const char __user *buf,
			   size_t count, loff_t *ppos);
long ferry_device_ioctl(struct vfio_device *vdev, unsigned int cmd,
			unsigned long arg);
int ferry_device_region_info(struct vfio_device *vdev,
			     struct vfio_region_info *info,
			     struct vfio_info_cap *caps);
int ferry_device_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);
void ferry_device_request(struct vfio_device *vdev, unsigned int count);
int ferry_device_feature(struct vfio_device *vdev, u32 flags,
			 void __user *arg, size_t argsz);

#endif /* FERRY_DEVICE_H */
