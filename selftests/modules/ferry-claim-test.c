// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims the first BAR of a PCI device that has one, so that a driver which
 * uses the device finds it taken. Writing the address of a device to the
 * parameter "device" claims; writing nothing, or unloading, lets go.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

/* Both are protected by the lock that the kernel holds for parameters. */
static struct pci_dev *claimed;
static int claimed_bar;

static void let_go(void)
{
	if (!claimed)
		return;
	pci_release_region(claimed, claimed_bar);
	pci_dev_put(claimed);
	claimed = NULL;
}

static struct pci_dev *find_device(const char *address)
{
	unsigned int domain, bus, slot, func;

	if (sscanf(address, "%x:%x:%x.%x", &domain, &bus, &slot, &func) != 4)
		return NULL;
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, func));
}

static int claim(const char *address)
{
	struct pci_dev *pdev = find_device(address);
	int ret = -ENOENT, bar;

	if (!pdev)
		return -ENODEV;
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!pci_resource_len(pdev, bar))
			continue;
		ret = pci_request_region(pdev, bar, KBUILD_MODNAME);
		break;
	}
	if (ret) {
		pci_dev_put(pdev);
		return ret;
	}
	claimed = pdev;
	claimed_bar = bar;
	return 0;
}

static int device_set(const char *val, const struct kernel_param *kp)
{
	char address[16];

	strscpy(address, val, sizeof(address));
	let_go();
	return *strim(address) ? claim(strim(address)) : 0;
}

static int device_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", claimed ? pci_name(claimed) : "");
}

static const struct kernel_param_ops device_ops = {
	.set = device_set,
	.get = device_get,
};

module_param_cb(device, &device_ops, NULL, 0600);
MODULE_PARM_DESC(device, "address of the PCI device to claim, as 0000:01:00.0");

static int __init claim_init(void)
{
	return 0;
}
module_init(claim_init);

static void __exit claim_exit(void)
{
	let_go();
}
module_exit(claim_exit);

MODULE_DESCRIPTION("holds a BAR of a PCI device");
MODULE_AUTHOR("Ferry developers");
MODULE_LICENSE("GPL");
