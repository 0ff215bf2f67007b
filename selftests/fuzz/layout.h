/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user of a hostile device is entitled to: the lists of capabilities read once
 * more, by other means than the engine's.
 */
#ifndef _FERRY_FUZZ_LAYOUT_H
#define _FERRY_FUZZ_LAYOUT_H

#include "device.h"

/* Dwords that a capability can begin at */
#define LAYOUT_CAPS	(MAX_SIZE / 4)

enum raw {
	OWNED,		/* by the header or a capability with registers */
	GAP,		/* by nobody */
	VENDOR,		/* by a vendor's capability */
};

/**
 * struct layout - the capabilities that the user sees
 * @count: how many
 * @pos: where each begins, in the order of the lists
 * @len: bytes of each
 * @id: of each, 0 for what stands for one that is hidden
 * @raw: of each byte of the space, enum raw
 * @msi: where the first MSI capability begins, 0 for none
 */
struct layout {
	unsigned int count;
	u16 pos[LAYOUT_CAPS];
	u16 len[LAYOUT_CAPS];
	u16 id[LAYOUT_CAPS];
	u8 raw[MAX_SIZE];
	unsigned int msi;
};

/* PCI PM 1.2 section 3.2.4: D1 and D2 are optional, says the upper byte of PMC. */
static inline bool layout_power_exists(u8 pmc, u8 pmcsr)
{
	return ((pmcsr & 3) != 1 || pmc & 0x02) &&
	       ((pmcsr & 3) != 2 || pmc & 0x04);
}

/* Fills in @layout and the entitlement of @dev, whose bytes are hardware's. */
void layout_of(struct layout *layout, struct device *dev);

#endif /* _FERRY_FUZZ_LAYOUT_H */
