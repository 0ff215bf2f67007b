/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel names for user space: masks. */
#ifndef _FERRY_SHIM_BITS_H
#define _FERRY_SHIM_BITS_H

#define BITS_PER_LONG		(8 * (unsigned int)sizeof(long))
#define BIT(nr)			(1UL << (nr))
#define GENMASK(high, low) \
	((~0UL << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))

#endif /* _FERRY_SHIM_BITS_H */
