// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets a PCI device claim in its configuration space what the emulated one does
 * not have. Writing "0000:01:00.0 OFFSET MASK VALUE" to the parameter "bits" makes
 * the bits in MASK of the dword at OFFSET read as VALUE; writing nothing, or
 * unloading, shows everything as it is. What is written goes to the device.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#define OVERLAYS_MAX	16

/* Protected by the lock that the kernel holds for parameters. */
static struct overlay {
	struct pci_bus *bus;
	struct pci_ops *ops;
	unsigned int devfn;
	int where;
	u32 mask;
	u32 value;
} overlays[OVERLAYS_MAX];
static unsigned int nr_overlays;

static struct overlay *overlay_of(struct pci_bus *bus)
{
	unsigned int i;

	for (i = 0; i < nr_overlays; i++)
		if (overlays[i].bus == bus)
			return &overlays[i];
	return NULL;
}

static int overlay_read(struct pci_bus *bus, unsigned int devfn, int where,
			int size, u32 *val)
{
	int ret = overlay_of(bus)->ops->read(bus, devfn, where, size, val);
	unsigned int shift = 8 * (where & 3);
	struct overlay *o;

	for (o = overlays; o < overlays + nr_overlays; o++) {
		if (o->bus != bus || o->devfn != devfn ||
		    o->where != (where & ~3))
			continue;
		*val &= ~(o->mask >> shift);
		*val |= o->value >> shift;
		*val &= GENMASK(8 * size - 1, 0);
	}
	return ret;
}

static int overlay_write(struct pci_bus *bus, unsigned int devfn, int where,
			 int size, u32 val)
{
	return overlay_of(bus)->ops->write(bus, devfn, where, size, val);
}

static struct pci_ops overlay_ops = {
	.read = overlay_read,
	.write = overlay_write,
};

static void overlays_clear(void)
{
	unsigned int i;

	for (i = 0; i < nr_overlays; i++)
		pci_bus_set_ops(overlays[i].bus, overlays[i].ops);
	nr_overlays = 0;
}

static int overlay_add(struct pci_dev *pdev, int where, u32 mask, u32 value)
{
	struct overlay *other = overlay_of(pdev->bus);

	if (nr_overlays == OVERLAYS_MAX)
		return -ENOSPC;
	overlays[nr_overlays++] = (struct overlay) {
		.bus = pdev->bus,
		.ops = other ? other->ops : pdev->bus->ops,
		.devfn = pdev->devfn,
		.where = where,
		.mask = mask,
		.value = value & mask,
	};
	if (!other)
		pci_bus_set_ops(pdev->bus, &overlay_ops);
	return 0;
}

static int bits_set(const char *val, const struct kernel_param *kp)
{
	unsigned int domain, bus, slot, func, where, mask, value;
	struct pci_dev *pdev;
	int ret;

	if (!*skip_spaces(val)) {
		overlays_clear();
		return 0;
	}
	if (sscanf(val, "%x:%x:%x.%x %x %x %x", &domain, &bus, &slot, &func,
		   &where, &mask, &value) != 7 || where & 3)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, func));
	if (!pdev)
		return -ENODEV;
	ret = overlay_add(pdev, where, mask, value);
	pci_dev_put(pdev);
	return ret;
}

static const struct kernel_param_ops bits_ops = {
	.set = bits_set,
};

module_param_cb(bits, &bits_ops, NULL, 0200);
MODULE_PARM_DESC(bits, "device, offset, mask and value of bits that it shall claim, in hexadecimal");

static int __init overlay_init(void)
{
	return 0;
}
module_init(overlay_init);

static void __exit overlay_exit(void)
{
	overlays_clear();
}
module_exit(overlay_exit);

MODULE_DESCRIPTION("bits that a PCI device claims in its configuration space");
MODULE_AUTHOR("Ferry developers");
MODULE_LICENSE("GPL");
