/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel names for user space: bits in arrays of long. */
#ifndef _FERRY_SHIM_BITOPS_H
#define _FERRY_SHIM_BITOPS_H

#include <linux/bits.h>
#include <linux/types.h>

#define BIT_WORD(nr)		((nr) / BITS_PER_LONG)
#define BITS_TO_LONGS(bits)	(((bits) + BITS_PER_LONG - 1) / BITS_PER_LONG)

static inline bool test_bit(unsigned int nr, const unsigned long *map)
{
	return map[BIT_WORD(nr)] >> (nr % BITS_PER_LONG) & 1;
}

static inline void __set_bit(unsigned int nr, unsigned long *map)
{
	map[BIT_WORD(nr)] |= 1UL << (nr % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned int nr, unsigned long *map)
{
	map[BIT_WORD(nr)] &= ~(1UL << (nr % BITS_PER_LONG));
}

static inline void __assign_bit(unsigned int nr, unsigned long *map, bool val)
{
	if (val)
		__set_bit(nr, map);
	else
		__clear_bit(nr, map);
}

static inline unsigned int __ffs(unsigned long word)
{
	return __builtin_ctzl(word);
}

static inline int fls(unsigned int word)
{
	return word ? 32 - __builtin_clz(word) : 0;
}

#endif /* _FERRY_SHIM_BITOPS_H */
