// SPDX-License-Identifier: GPL-2.0-only
/*
 * The expansion ROM, or its shadow in memory: a region to read.
 */
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "ferry_pci.h"

/* Some devices answer wider reads of their ROM with an error. */
#define ROM_MAX_WIDTH	4

/*
 * How many of @len bytes at @off are of the image, which can be smaller than the region:
 * what follows reads as ones.
 */
static size_t image_clip(struct ferry_pci *fpci, u64 off, void *buf, size_t len)
{
	size_t image = 0;

	if (off < fpci->rom_len)
		image = min_t(u64, len, fpci->rom_len - off);
	memset(buf + image, 0xff, len - image);
	return image;
}

static int rom_read(struct ferry_device *fdev, struct ferry_region *region,
		    u64 off, void *buf, size_t len)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	size_t image = image_clip(fpci, off, buf, len);
	int ret = -EIO;

	if (!image)
		return 0;

	/*
	 * Decoding the ROM is switched on and off again, so one reader at a
	 * time; and it takes memory decoding, which is the user's to give.
	 */
	ferry_gate_lock_mapped(fdev);
	if (fdev->gate.closed & ~BIT(FERRY_GATE_LOW_POWER))
		goto out;
	ret = pci_enable_rom(fpci->pdev);
	if (ret)
		goto out;
	ferry_pci_mmio_read(fpci->rom + off, buf, image, ROM_MAX_WIDTH);
	pci_disable_rom(fpci->pdev);
out:
	ferry_gate_unlock(fdev);
	return ret;
}

/* Plain memory, that is there whatever the device is at. */
static int image_read(struct ferry_device *fdev, struct ferry_region *region,
		      u64 off, void *buf, size_t len)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	memcpy(buf, fpci->rom_image + off, image_clip(fpci, off, buf, len));
	return 0;
}

static const struct ferry_region_ops rom_ops = {
	.read = rom_read,
};

static const struct ferry_region_ops image_ops = {
	.read = image_read,
};

/**
 * ferry_pci_rom_size - the size of the ROM's BAR
 * @pdev: the function
 *
 * A function whose ROM the firmware has left in memory shows one too.
 *
 * Return: a power of two, or 0 for no ROM.
 */
u64 ferry_pci_rom_size(struct pci_dev *pdev)
{
	if (pci_resource_start(pdev, PCI_ROM_RESOURCE))
		return pci_resource_len(pdev, PCI_ROM_RESOURCE);
	if (pdev->rom && pdev->romlen)
		return roundup_pow_of_two(pdev->romlen);
	return 0;
}

static const struct ferry_region_ops *bar_open(struct ferry_pci *fpci)
{
	bool off = ferry_pci_memory_begin(fpci);

	fpci->rom = pci_map_rom(fpci->pdev, &fpci->rom_len);
	if (fpci->rom)
		pci_disable_rom(fpci->pdev);
	ferry_pci_memory_end(fpci, off);
	return fpci->rom ? &rom_ops : NULL;
}

static const struct ferry_region_ops *image_open(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;

	fpci->rom_image = memremap(pdev->rom, pdev->romlen, MEMREMAP_WB);
	fpci->rom_len = pdev->romlen;
	return fpci->rom_image ? &image_ops : NULL;
}

/**
 * ferry_pci_rom_open - map the ROM and describe its region, if it is readable
 * @fpci: a function that is being opened
 */
void ferry_pci_rom_open(struct ferry_pci *fpci)
{
	const struct ferry_region_ops *ops;
	struct pci_dev *pdev = fpci->pdev;

	if (!ferry_pci_rom_size(pdev))
		return;
	if (pci_resource_start(pdev, PCI_ROM_RESOURCE))
		ops = bar_open(fpci);
	else
		ops = image_open(fpci);
	if (!ops)
		return;
	fpci->fdev.regions[VFIO_PCI_ROM_REGION_INDEX] = (struct ferry_region) {
		.ops = ops,
		.size = ferry_pci_rom_size(pdev),
		.past_end = -EINVAL,
	};
}

/**
 * ferry_pci_rom_close - undo ferry_pci_rom_open()
 * @fpci: a function that is being closed
 */
void ferry_pci_rom_close(struct ferry_pci *fpci)
{
	if (fpci->rom)
		pci_unmap_rom(fpci->pdev, fpci->rom);
	if (fpci->rom_image)
		memunmap(fpci->rom_image);
	fpci->rom = NULL;
	fpci->rom_image = NULL;
}
