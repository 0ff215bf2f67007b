// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that only physical functions have.
 */
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

	switch (cmd) {
	case VFIO_DEVICE_IOEVENTFD:
		return ferry_pci_ioeventfd(fpci, uarg);
	default:
		return -ENOTTY;
	}
}
