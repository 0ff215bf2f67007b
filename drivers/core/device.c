// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device file: ioctls, and the life of a device between open and close.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <ferry/device.h>

#include "compat/compat.h"
#include "compat/mapping.h"
#include "core.h"

/* The data of a SET_IRQS call up to this size is copied to the stack. */
#define IRQ_DATA_ON_STACK	32

union ioctl_arg {
	u32 argsz;
	struct vfio_device_info info;
	struct vfio_region_info region;
	struct vfio_irq_info irq;
};

/*
 * One ioctl. @minsz bytes of its argument are copied in before @handler runs,
 * and if it returns 0, min(argsz, @size) are copied out after.
 */
struct ioctl_desc {
	unsigned int cmd;
	unsigned int minsz;
	unsigned int size;
	int (*handler)(struct ferry_device *fdev, union ioctl_arg *arg,
		       void __user *uarg);
};

/*
 * Put capabilities behind the structure of @size bytes at @uarg, or say in
 * @argsz how much room they need. Sets @offset to where they are.
 */
static int copy_caps(struct vfio_info_cap *caps, void __user *uarg, size_t size,
		     u32 *argsz, u32 *offset)
{
	*offset = 0;
	if (*argsz < size + caps->size) {
		*argsz = size + caps->size;
		return 0;
	}
	vfio_info_cap_shift(caps, size);
	if (copy_to_user(uarg + size, caps->buf, caps->size))
		return -EFAULT;
	*offset = size;
	return 0;
}

static int get_info(struct ferry_device *fdev, union ioctl_arg *arg,
		    void __user *uarg)
{
	struct vfio_device_info *info = &arg->info;
	struct vfio_info_cap caps = {};
	int ret = 0;

	info->flags = VFIO_DEVICE_FLAGS_PCI;
	if (fdev->can_reset)
		info->flags |= VFIO_DEVICE_FLAGS_RESET;
	info->num_regions = fdev->num_regions;
	info->num_irqs = VFIO_PCI_NUM_IRQS;

	if (fdev->ops->info_caps)
		ret = fdev->ops->info_caps(fdev, &caps);
	if (!ret && caps.size) {
		info->flags |= VFIO_DEVICE_FLAGS_CAPS;
		ret = copy_caps(&caps, uarg, sizeof(*info), &info->argsz,
				&info->cap_offset);
	}
	kfree(caps.buf);
	return ret;
}

/**
 * ferry_device_region_info - vfio_device_ops.get_region_info_caps
 * @vdev: the device
 * @info: filled in but for argsz and cap_offset; its index says which region
 * @caps: the region's capabilities are added; the caller frees them
 *
 * Return: 0, -EINVAL for a region that the device doesn't have, or -ENOMEM.
 */
int ferry_device_region_info(struct vfio_device *vdev,
			     struct vfio_region_info *info,
			     struct vfio_info_cap *caps)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	struct ferry_region *region;

	region = ferry_region_find(fdev, info->index);
	if (!region)
		return -EINVAL;
	if (info->index == VFIO_PCI_VGA_REGION_INDEX && !region->ops)
		return -EINVAL;

	info->flags = 0;
	info->offset = FERRY_REGION_OFFSET(info->index);
	info->size = region->size;
	if (!region->size)
		return 0;

	if (region->ops->read)
		info->flags |= VFIO_REGION_INFO_FLAG_READ;
	if (region->ops->write)
		info->flags |= VFIO_REGION_INFO_FLAG_WRITE;
	if (region->map_size)
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	if (!region->ops->caps)
		return 0;
	return region->ops->caps(fdev, region, caps);
}
EXPORT_SYMBOL_GPL(ferry_device_region_info);

/* For a VFIO core that leaves this ioctl to the driver. */
static int get_region_info(struct ferry_device *fdev, union ioctl_arg *arg,
			   void __user *uarg)
{
	struct vfio_info_cap caps = {};
	int ret;

	arg->region.cap_offset = 0;
	ret = ferry_device_region_info(&fdev->vdev, &arg->region, &caps);
	if (!ret && caps.size) {
		arg->region.flags |= VFIO_REGION_INFO_FLAG_CAPS;
		ret = copy_caps(&caps, uarg, sizeof(arg->region),
				&arg->region.argsz, &arg->region.cap_offset);
	}
	kfree(caps.buf);
	return ret;
}

static int get_irq_info(struct ferry_device *fdev, union ioctl_arg *arg,
			void __user *uarg)
{
	struct vfio_irq_info *info = &arg->irq;

	if (info->index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info->count = ferry_irqs_count(fdev, info->index);
	if (!info->count && info->index == VFIO_PCI_ERR_IRQ_INDEX)
		return -EINVAL;
	info->flags = ferry_irqs_flags(fdev, info->index);
	return 0;
}

/* Five loads are a third of a copy. */
static int irq_set_fetch(struct vfio_irq_set *hdr,
			 struct vfio_irq_set __user *uarg)
{
	if (!user_access_begin(uarg, sizeof(*hdr)))
		return -EFAULT;
	unsafe_get_user(hdr->argsz, &uarg->argsz, err_fault);
	unsafe_get_user(hdr->flags, &uarg->flags, err_fault);
	unsafe_get_user(hdr->index, &uarg->index, err_fault);
	unsafe_get_user(hdr->start, &uarg->start, err_fault);
	unsafe_get_user(hdr->count, &uarg->count, err_fault);
	user_access_end();
	return 0;

err_fault:
	user_access_end();
	return -EFAULT;
}

/*
 * VFIO_DEVICE_SET_IRQS, which guests may call for each interrupt: one word of data,
 * an eventfd, is fetched without the checks that a copy entails.
 */
static int set_irqs(struct ferry_device *fdev,
		    struct vfio_irq_set __user *uarg)
{
	u32 few[IRQ_DATA_ON_STACK / sizeof(u32)];
	struct vfio_irq_set hdr;
	void *data = few;
	size_t size;
	int ret;

	ret = irq_set_fetch(&hdr, uarg);
	if (ret)
		return ret;
	if (hdr.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	ret = vfio_set_irqs_validate_and_prepare(&hdr,
						 ferry_irqs_count(fdev, hdr.index),
						 VFIO_PCI_NUM_IRQS, &size);
	if (ret)
		return ret;

	if (size == sizeof(few[0])) {
		if (get_user(few[0], (u32 __user *)uarg->data))
			return -EFAULT;
	} else if (size <= sizeof(few)) {
		if (copy_from_user(few, uarg->data, size))
			return -EFAULT;
	} else {
		data = memdup_user(uarg->data, size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}
	ret = ferry_irqs_set(fdev, &hdr, data);
	if (data != few)
		kfree(data);
	return ret;
}

static const struct ioctl_desc ioctls[] = {
	{
		.cmd = VFIO_DEVICE_GET_INFO,
		.minsz = offsetofend(struct vfio_device_info, num_irqs),
		.size = sizeof(struct vfio_device_info),
		.handler = get_info,
	},
	{
		.cmd = VFIO_DEVICE_GET_REGION_INFO,
		.minsz = offsetofend(struct vfio_region_info, offset),
		.size = sizeof(struct vfio_region_info),
		.handler = get_region_info,
	},
	{
		.cmd = VFIO_DEVICE_GET_IRQ_INFO,
		.minsz = offsetofend(struct vfio_irq_info, count),
		.size = sizeof(struct vfio_irq_info),
		.handler = get_irq_info,
	},
};

static int device_reset(struct ferry_device *fdev)
{
	if (!fdev->can_reset || !fdev->ops->reset)
		return -EINVAL;
	return fdev->ops->reset(fdev);
}

/**
 * ferry_device_ioctl - vfio_device_ops.ioctl
 * @vdev: the device
 * @cmd: the request
 * @arg: user pointer to its argument
 *
 * Return: as the request says; -ENOTTY for one that is unknown.
 */
long ferry_device_ioctl(struct vfio_device *vdev, unsigned int cmd,
			unsigned long arg)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	void __user *uarg = (void __user *)arg;
	const struct ioctl_desc *desc;
	union ioctl_arg karg;
	u32 room;
	int ret;

	if (cmd == VFIO_DEVICE_SET_IRQS)
		return set_irqs(fdev, uarg);
	if (cmd == VFIO_DEVICE_RESET)
		return device_reset(fdev);
	for (desc = ioctls; desc->cmd != cmd; desc++) {
		if (desc == &ioctls[ARRAY_SIZE(ioctls) - 1]) {
			if (fdev->ops->ioctl)
				return fdev->ops->ioctl(fdev, cmd, arg);
			return -ENOTTY;
		}
	}

	memset(&karg, 0, sizeof(karg));
	if (copy_from_user(&karg, uarg, desc->minsz))
		return -EFAULT;
	if (karg.argsz < desc->minsz)
		return -EINVAL;
	/* The handler may raise argsz to say what it needs. */
	room = min(karg.argsz, desc->size);
	ret = desc->handler(fdev, &karg, uarg);
	if (!ret && copy_to_user(uarg, &karg, room))
		return -EFAULT;
	return ret;
}
EXPORT_SYMBOL_GPL(ferry_device_ioctl);

/**
 * ferry_device_feature - vfio_device_ops.device_feature
 * @vdev: the device
 * @flags: the feature and what to do with it
 * @arg: user pointer to its data
 * @argsz: size of that
 *
 * Return: as the feature says; -ENOTTY for one that is unknown.
 */
int ferry_device_feature(struct vfio_device *vdev, u32 flags, void __user *arg,
			 size_t argsz)
{
	struct ferry_device *fdev = to_ferry_device(vdev);

	if (!fdev->ops->feature)
		return ferry_migration_feature(fdev, flags, arg, argsz);
	return fdev->ops->feature(fdev, flags, arg, argsz);
}
EXPORT_SYMBOL_GPL(ferry_device_feature);

/**
 * ferry_device_request - vfio_device_ops.request
 * @vdev: the device, which is to be removed and is open
 * @count: how many times it was asked for before
 */
void ferry_device_request(struct vfio_device *vdev, unsigned int count)
{
	ferry_req_signal(to_ferry_device(vdev), count);
}
EXPORT_SYMBOL_GPL(ferry_device_request);

/**
 * ferry_device_init - prepare a device; for vfio_device_ops.init
 * @fdev: the device, zeroed but for what VFIO has set
 * @ops: the driver's
 *
 * Return: 0 or a negative errno.
 */
int ferry_device_init(struct ferry_device *fdev,
		      const struct ferry_device_ops *ops)
{
	fdev->mapping = ferry_mapping_create();
	if (IS_ERR(fdev->mapping))
		return PTR_ERR(fdev->mapping);
	fdev->ops = ops;
	fdev->num_regions = VFIO_PCI_NUM_REGIONS;
	mutex_init(&fdev->config_lock);
	ferry_gate_init(&fdev->gate);
	ferry_irqs_init(fdev);
	return 0;
}
EXPORT_SYMBOL_GPL(ferry_device_init);

/**
 * ferry_device_release - the last thing of vfio_device_ops.release
 * @fdev: the device; on some kernels it is freed on return
 */
void ferry_device_release(struct ferry_device *fdev)
{
	ferry_mapping_destroy(fdev->mapping);
	mutex_destroy(&fdev->irqs.lock);
	mutex_destroy(&fdev->config_lock);
	ferry_vfio_free_device(&fdev->vdev);
}
EXPORT_SYMBOL_GPL(ferry_device_release);

/**
 * ferry_device_start - the device is ready for its user
 * @fdev: the device, its configuration space and regions filled in, the gate
 *	set for reasons other than FERRY_GATE_IDLE
 *
 * Context: the end of vfio_device_ops.open_device.
 */
void ferry_device_start(struct ferry_device *fdev)
{
	ferry_region_set_config(fdev);
	ferry_gate_lock_mapped(fdev);
	ferry_gate_set(fdev, FERRY_GATE_IDLE, false);
	ferry_gate_unlock(fdev);
}
EXPORT_SYMBOL_GPL(ferry_device_start);

/**
 * ferry_device_stop - the user is gone
 * @fdev: the device; interrupts are disabled and the gate is closed on return
 *
 * Context: the beginning of vfio_device_ops.close_device. No call of the user's
 * is under way, and no mapping exists.
 */
void ferry_device_stop(struct ferry_device *fdev)
{
	ferry_irqs_stop(fdev);
	ferry_gate_lock(fdev);
	fdev->gate.closed = BIT(FERRY_GATE_IDLE);
	ferry_gate_unlock(fdev);
	memset(fdev->regions, 0, sizeof(fdev->regions));
	fdev->irqs.intx_disabled = false;
}
EXPORT_SYMBOL_GPL(ferry_device_stop);
