/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of a guest: some that can be written, some that can't, some at the end of all
 * addresses and some where they begin, and nothing between them.
 */
#ifndef _FERRY_FUZZ_GUEST_H
#define _FERRY_FUZZ_GUEST_H

#include <borrowed.h>

#define GUEST_RW	0x10000ULL
#define GUEST_RW_SIZE	0x20000
#define GUEST_RO	0x40000ULL
#define GUEST_RO_SIZE	0x2000
#define GUEST_TOP	0xffffffffffffe000ULL
#define GUEST_TOP_SIZE	0x2000
#define GUEST_ZERO	0ULL
#define GUEST_ZERO_SIZE	0x1000

/**
 * struct guest_use - what was done to it
 * @calls: accesses
 * @bytes: that they were of
 */
struct guest_use {
	unsigned int calls;
	u64 bytes;
};

extern struct guest_use guest_use;

#define GUEST_SIZE	(GUEST_RW_SIZE + GUEST_RO_SIZE + GUEST_TOP_SIZE + \
			 GUEST_ZERO_SIZE)

/* Zeroes, as a program that begins has it. */
void guest_clear(void);
/* Where @len bytes are, all in one piece; %NULL if they aren't, or @write and may not be. */
u8 *guest_at(u64 iova, size_t len, bool write);
/* All of it, one piece behind the other, and where in that an address is; -1 for nowhere. */
void guest_image(u8 *image);
long guest_index(u64 iova);

#endif /* _FERRY_FUZZ_GUEST_H */
