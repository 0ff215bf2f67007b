// SPDX-License-Identifier: GPL-2.0-only
/*
 * The type 0 header: who answers its registers, and how base address
 * registers are sized.
 *
 * Base address registers are virtual.  Only the address bits that the size of
 * the resource leaves are writable, and the type bits sit below them, so that
 * the all-ones write by which software sizes a register needs no code at all
 * and reading one is a copy (PCI 3.0 section 6.2.5).
 */
#include "config_internal.h"

static void set_register(struct ferry_config *cfg, unsigned int off,
			 u32 write, u32 flags)
{
	u32 val = ferry_load(cfg->value + off, 4);

	ferry_store(cfg->virt + off, 4, ~0U);
	ferry_store(cfg->write + off, 4, write);
	ferry_store(cfg->value + off, 4, (val & write) | flags);
}

/**
 * ferry_config_apply_bars() - make base address registers and ROM virtual
 * @cfg:  the space
 * @bars: sizes and types
 *
 * Addresses that the values hold stay, as far as the size permits.
 */
void ferry_config_apply_bars(struct ferry_config *cfg,
			     const struct ferry_config_bar *bars)
{
	const struct ferry_config_bar *rom = &bars[FERRY_CONFIG_ROM];
	unsigned int off = PCI_BASE_ADDRESS_0;
	unsigned int i;

	for (i = 0; i < FERRY_CONFIG_ROM; i++, off += 4) {
		bool io = bars[i].flags & PCI_BASE_ADDRESS_SPACE_IO;
		bool wide = !io &&
			    bars[i].flags & PCI_BASE_ADDRESS_MEM_TYPE_64 &&
			    i + 1 < FERRY_CONFIG_ROM;
		/* Of a size of 0, no address bit is left. */
		u64 mask = ~(bars[i].size - 1);

		mask &= io ? PCI_BASE_ADDRESS_IO_MASK :
			     PCI_BASE_ADDRESS_MEM_MASK;
		set_register(cfg, off, mask, bars[i].size ? bars[i].flags : 0);
		if (bars[i].size && wide) {
			off += 4;
			i++;
			set_register(cfg, off, mask >> 32, 0);
		}
	}

	if (rom->size)
		set_register(cfg, PCI_ROM_ADDRESS,
			     (~(rom->size - 1) & PCI_ROM_ADDRESS_MASK) |
			     PCI_ROM_ADDRESS_ENABLE, 0);
	else
		set_register(cfg, PCI_ROM_ADDRESS, 0, 0);
}

/**
 * ferry_config_apply_header() - give the header's bytes their owners
 * @cfg: the space
 */
void ferry_config_apply_header(struct ferry_config *cfg)
{
	ferry_config_apply(cfg, 0, PCI_STD_HEADER_SIZEOF,
			   &ferry_config_header_desc);
	/* A self-test that runs ends by itself. */
	if (cfg->backend && cfg->value[PCI_BIST] & PCI_BIST_CAPABLE)
		__set_bit(PCI_BIST, cfg->live);
}
