// SPDX-License-Identifier: GPL-2.0-only
/*
 * The legacy ranges of a VGA adapter, which are in none of its BARs: ports 3b0 to 3bb
 * and 3c0 to 3df, and memory a0000 to bffff. All adapters claim the same ones; the
 * kernel's arbiter routes them to one at a time.
 */
#include <linux/aperture.h>
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/vgaarb.h>

#include "ferry_pci.h"

/* There is nothing wider on a VGA adapter. */
#define VGA_MAX_WIDTH	4

#define VGA_ALL	(VGA_RSRC_NORMAL_IO | VGA_RSRC_NORMAL_MEM | \
		 VGA_RSRC_LEGACY_IO | VGA_RSRC_LEGACY_MEM)

static bool disable_vga;
module_param(disable_vga, bool, 0444);
MODULE_PARM_DESC(disable_vga, "Offer no VGA region, and let the arbiter leave devices that users have out of account");

/* A legacy range: file offsets of the region are addresses. */
static const struct vga_range {
	u32 start;
	u32 end;
	unsigned int resource;
} ranges[] = {
	{ 0x3b0, 0x3bc, VGA_RSRC_LEGACY_IO },
	{ 0x3c0, 0x3e0, VGA_RSRC_LEGACY_IO },
	{ 0xa0000, 0xc0000, VGA_RSRC_LEGACY_MEM },
};

#define VGA_MEM		0xa0000
#define VGA_END		0xc0000

static const struct vga_range *find_range(u64 off)
{
	const struct vga_range *range;

	for (range = ranges; range < ranges + ARRAY_SIZE(ranges); range++)
		if (off >= range->start && off < range->end)
			return range;
	return NULL;
}

static size_t vga_clip(struct ferry_region *region, u64 off, size_t len)
{
	const struct vga_range *range = find_range(off);

	return range ? min_t(u64, len, range->end - off) : 0;
}

/*
 * The arbiter may have to take the ranges from another adapter, whose user may take his
 * time: wait as long as the caller lets us.
 */
static int vga_begin(struct ferry_pci *fpci, u64 off)
{
	return vga_get_interruptible(fpci->pdev, find_range(off)->resource);
}

static void vga_end(struct ferry_pci *fpci, u64 off)
{
	vga_put(fpci->pdev, find_range(off)->resource);
}

static int vga_read(struct ferry_device *fdev, struct ferry_region *region,
		    u64 off, void *buf, size_t len)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	int ret = vga_begin(fpci, off);

	if (ret)
		return ret;
	if (off >= VGA_MEM)
		ferry_pci_mmio_read(fpci->vga + (off - VGA_MEM), buf, len,
				    VGA_MAX_WIDTH);
	else
		ferry_pci_port_read(ioport_map(off, len), buf, len);
	vga_end(fpci, off);
	return 0;
}

static int vga_write(struct ferry_device *fdev, struct ferry_region *region,
		     u64 off, const void *buf, size_t len)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	int ret = vga_begin(fpci, off);

	if (ret)
		return ret;
	if (off >= VGA_MEM)
		ferry_pci_mmio_write(fpci->vga + (off - VGA_MEM), buf, len,
				     VGA_MAX_WIDTH);
	else
		ferry_pci_port_write(ioport_map(off, len), buf, len);
	vga_end(fpci, off);
	return 0;
}

static const struct ferry_region_ops vga_ops = {
	.read = vga_read,
	.write = vga_write,
	.clip = vga_clip,
};

static bool is_vga(struct pci_dev *pdev)
{
	return IS_ENABLED(CONFIG_VGA_ARB) && IS_ENABLED(CONFIG_X86) &&
	       pdev->class >> 8 == PCI_CLASS_DISPLAY_VGA;
}

/* Is there another VGA adapter below the bus that @pdev is on? */
static bool has_neighbour(struct pci_dev *pdev)
{
	unsigned char first = pdev->bus->number;
	unsigned char last = pci_bus_max_busnr(pdev->bus);
	struct pci_dev *other = NULL;

	while ((other = pci_get_class(PCI_CLASS_DISPLAY_VGA << 8, other))) {
		if (other == pdev || pci_is_root_bus(other->bus) ||
		    pci_domain_nr(other->bus) != pci_domain_nr(pdev->bus) ||
		    other->bus->number < first || other->bus->number > last)
			continue;
		pci_dev_put(other);
		return true;
	}
	return false;
}

/*
 * What the arbiter is to take for decoded by this adapter. One that nobody reaches by the
 * legacy ranges needs none, unless the bridge above it routes them to a neighbour, which
 * makes it see them too.
 */
static unsigned int vga_decodes(struct pci_dev *pdev, bool single)
{
	if (single || !disable_vga || pci_is_root_bus(pdev->bus) ||
	    has_neighbour(pdev))
		return VGA_ALL;
	return VGA_RSRC_NORMAL_IO | VGA_RSRC_NORMAL_MEM;
}

/**
 * ferry_pci_vga_bind - take a VGA adapter from the console and tell the arbiter
 * @pdev: a function that is being bound; nothing is done unless it is a VGA adapter
 *
 * Return: 0 or a negative errno.
 */
int ferry_pci_vga_bind(struct pci_dev *pdev)
{
	int ret;

	if (!is_vga(pdev))
		return 0;
	ret = aperture_remove_conflicting_pci_devices(pdev, FERRY_PCI_NAME);
	if (ret)
		return ret;
	ret = vga_client_register(pdev, vga_decodes);
	if (ret)
		return ret;
	vga_set_legacy_decoding(pdev, vga_decodes(pdev, false));
	return 0;
}

/**
 * ferry_pci_vga_unbind - undo ferry_pci_vga_bind()
 * @pdev: the function
 */
void ferry_pci_vga_unbind(struct pci_dev *pdev)
{
	if (!is_vga(pdev))
		return;
	vga_client_unregister(pdev);
	vga_set_legacy_decoding(pdev, VGA_ALL);
}

/**
 * ferry_pci_vga_open - describe the VGA region, if there is one
 * @fpci: a function that is being opened
 */
void ferry_pci_vga_open(struct ferry_pci *fpci)
{
	if (!is_vga(fpci->pdev) || disable_vga)
		return;
	fpci->vga = ioremap(VGA_MEM, VGA_END - VGA_MEM);
	if (!fpci->vga) {
		dev_err_ratelimited(&fpci->pdev->dev,
				    "no room in the kernel's address space to map VGA memory: offering no VGA region\n");
		return;
	}
	fpci->fdev.regions[VFIO_PCI_VGA_REGION_INDEX] = (struct ferry_region) {
		.ops = &vga_ops,
		.size = VGA_END,
		.past_end = -EINVAL,
	};
}

/**
 * ferry_pci_vga_close - undo ferry_pci_vga_open()
 * @fpci: a function that is being closed
 */
void ferry_pci_vga_close(struct ferry_pci *fpci)
{
	if (!fpci->vga)
		return;
	iounmap(fpci->vga);
	fpci->vga = NULL;
}
