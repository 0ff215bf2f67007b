// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims the first BAR of a PCI device that has one, so that a driver which
 * is bound later finds it taken. The device is named by its address when the
 * module is loaded; the claim lasts until it is unloaded.
 */
#include <linux/module.h>
#include <linux/pci.h>

static char *device;
module_param(device, charp, 0444);
MODULE_PARM_DESC(device, "address of the PCI device, as 0000:01:00.0");

static struct pci_dev *claimed;
static int claimed_bar;

static struct pci_dev *find_device(void)
{
	unsigned int domain, bus, slot, func;

	if (!device ||
	    sscanf(device, "%x:%x:%x.%x", &domain, &bus, &slot, &func) != 4)
		return NULL;
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, func));
}

static int __init claim_init(void)
{
	int ret, bar;

	claimed = find_device();
	if (!claimed) {
		pr_err("no PCI device '%s': pass device=0000:01:00.0\n",
		       device ?: "");
		return -ENODEV;
	}
	ret = -ENOENT;
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!pci_resource_len(claimed, bar))
			continue;
		claimed_bar = bar;
		ret = pci_request_region(claimed, bar, KBUILD_MODNAME);
		break;
	}
	if (ret)
		pci_dev_put(claimed);
	return ret;
}
module_init(claim_init);

static void __exit claim_exit(void)
{
	pci_release_region(claimed, claimed_bar);
	pci_dev_put(claimed);
}
module_exit(claim_exit);

MODULE_DESCRIPTION("holds a BAR of a PCI device");
MODULE_AUTHOR("The Ferry authors");
MODULE_LICENSE("GPL");
