/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel names for user space: bitmaps, without any cleverness. */
#ifndef _FERRY_SHIM_BITMAP_H
#define _FERRY_SHIM_BITMAP_H

#include <linux/bitops.h>

#define BITMAP_FIRST_WORD_MASK(from)	(~0UL << ((from) % BITS_PER_LONG))
#define BITMAP_LAST_WORD_MASK(bits)	(~0UL >> (-(bits) % BITS_PER_LONG))
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

static inline unsigned long find_next_bit(const unsigned long *map,
					  unsigned long size,
					  unsigned long from)
{
	while (from < size && !test_bit(from, map))
		from++;
	return from < size ? from : size;
}

static inline void bitmap_set(unsigned long *map, unsigned int from,
			      unsigned int count)
{
	while (count--)
		__set_bit(from++, map);
}

static inline void bitmap_clear(unsigned long *map, unsigned int from,
				unsigned int count)
{
	while (count--)
		__clear_bit(from++, map);
}

static inline void bitmap_fill(unsigned long *map, unsigned int bits)
{
	bitmap_set(map, 0, bits);
}

static inline void bitmap_or(unsigned long *to, const unsigned long *a,
			     const unsigned long *b, unsigned int bits)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(bits); i++)
		to[i] = a[i] | b[i];
}

#endif /* _FERRY_SHIM_BITMAP_H */
