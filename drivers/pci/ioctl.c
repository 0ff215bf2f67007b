// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls and features that only physical functions have.
 */
#include "compat/uapi.h"
#include "ferry_pci.h"

/**
 * ferry_pci_ioctl - ferry_device_ops.ioctl
 * @fdev: the device
 * @cmd: the request
 * @arg: user pointer to its argument
 *
 * Return: as the request says; -ENOTTY for one that is unknown.
 */
long ferry_pci_ioctl(struct ferry_device *fdev, unsigned int cmd,
		     unsigned long arg)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	void __user *uarg = (void __user *)arg;

	if (cmd != VFIO_DEVICE_GET_PCI_HOT_RESET_INFO)
		ferry_pci_touch(fpci);
	switch (cmd) {
	case VFIO_DEVICE_IOEVENTFD:
		return ferry_pci_ioeventfd(fpci, uarg);
	case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
		return ferry_pci_hot_reset_info(fpci, uarg);
	case VFIO_DEVICE_PCI_HOT_RESET:
		return ferry_pci_hot_reset(fpci, uarg);
	default:
		return -ENOTTY;
	}
}

/**
 * ferry_pci_feature - ferry_device_ops.feature
 * @fdev: the device
 * @flags: the feature and what to do with it
 * @arg: user pointer to its data
 * @argsz: size of that
 *
 * Return: as the feature says; -ENOTTY for one that is unknown.
 */
int ferry_pci_feature(struct ferry_device *fdev, u32 flags, void __user *arg,
		      size_t argsz)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	ferry_pci_touch(fpci);
	switch (flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_DMA_BUF:
		return ferry_pci_dmabuf_feature(fpci, flags, arg, argsz);
	case VFIO_DEVICE_FEATURE_PCI_VF_TOKEN:
		return ferry_pci_token_feature(fpci, flags, arg, argsz);
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY:
		return ferry_pci_low_power_enter(fpci, flags, argsz);
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP:
		return ferry_pci_low_power_enter_wakeup(fpci, flags, arg,
							argsz);
	case VFIO_DEVICE_FEATURE_LOW_POWER_EXIT:
		return ferry_pci_low_power_exit(fpci, flags, argsz);
	default:
		return -ENOTTY;
	}
}
