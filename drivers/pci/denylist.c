// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that harm the host when their user wants them to.
 */
#include <linux/module.h>

#include "ferry_pci.h"

static bool disable_denylist;
module_param(disable_denylist, bool, 0444);
MODULE_PARM_DESC(disable_denylist, "Bind devices with errata through which their user can harm the host, too");

static const struct pci_device_id denied_ids[] = {
	/* Intel QuickAssist: DH895xCC, C3xxx, C62x and their VFs */
	{ PCI_VDEVICE(INTEL, 0x0435) },
	{ PCI_VDEVICE(INTEL, 0x0443) },
	{ PCI_VDEVICE(INTEL, 0x19e2) },
	{ PCI_VDEVICE(INTEL, 0x19e3) },
	{ PCI_VDEVICE(INTEL, 0x37c8) },
	{ PCI_VDEVICE(INTEL, 0x37c9) },
	/* Intel Data Streaming and In-Memory Analytics Accelerators, 4th generation Xeon */
	{ PCI_VDEVICE(INTEL, 0x0b25) },
	{ PCI_VDEVICE(INTEL, 0x0cfe) },
	{ }
};

/**
 * ferry_pci_denied - is this function too dangerous to be handed out?
 * @pdev: the function
 *
 * Return: whether it is; the reason is in the kernel log then.
 */
bool ferry_pci_denied(struct pci_dev *pdev)
{
	if (!pci_match_id(denied_ids, pdev))
		return false;
	if (disable_denylist) {
		pci_warn(pdev, "its errata let its user harm the host: bound because disable_denylist is set\n");
		return false;
	}
	pci_err(pdev, "its errata let its user harm the host: load %s with disable_denylist=1 if you trust whoever will use it\n",
		FERRY_PCI_NAME);
	return true;
}
