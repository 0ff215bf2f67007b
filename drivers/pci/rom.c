// SPDX-License-Identifier: GPL-2.0-only
/*
 * The expansion ROM, or its shadow in memory: a region to read.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "ferry_pci.h"

/* Some devices answer wider reads of their ROM with an error. */
#define ROM_MAX_WIDTH	4

/* The image can be smaller than the resource: what follows reads as ones. */
static int rom_read(struct ferry_device *fdev, struct ferry_region *region,
		    u64 off, void *buf, size_t len)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	size_t image = 0;
	int ret = -EIO;

	if (off < fpci->rom_len)
		image = min_t(u64, len, fpci->rom_len - off);
	memset(buf + image, 0xff, len - image);
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

static const struct ferry_region_ops rom_ops = {
	.read = rom_read,
};

/**
 * ferry_pci_rom_open - map the ROM and describe its region, if it is readable
 * @fpci: a function that is being opened
 */
void ferry_pci_rom_open(struct ferry_pci *fpci)
{
	struct ferry_region *region =
		&fpci->fdev.regions[VFIO_PCI_ROM_REGION_INDEX];
	struct pci_dev *pdev = fpci->pdev;
	bool off;

	if (!pci_resource_start(pdev, PCI_ROM_RESOURCE))
		return;

	off = ferry_pci_memory_begin(fpci);
	fpci->rom = pci_map_rom(pdev, &fpci->rom_len);
	if (fpci->rom) {
		pci_disable_rom(pdev);
		*region = (struct ferry_region) {
			.ops = &rom_ops,
			.size = pci_resource_len(pdev, PCI_ROM_RESOURCE),
			.past_end = -EINVAL,
		};
	}
	ferry_pci_memory_end(fpci, off);
}

/**
 * ferry_pci_rom_close - undo ferry_pci_rom_open()
 * @fpci: a function that is being closed
 */
void ferry_pci_rom_close(struct ferry_pci *fpci)
{
	if (!fpci->rom)
		return;
	pci_unmap_rom(fpci->pdev, fpci->rom);
	fpci->rom = NULL;
}
