/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a fuzzer makes its decisions of. Behind the end everything is zero, so that each
 * input means something.
 */
#ifndef _FERRY_FUZZ_INPUT_H
#define _FERRY_FUZZ_INPUT_H

#include <linux/types.h>

struct input {
	const u8 *at;
	size_t left;
};

static inline u8 input_u8(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static inline u16 input_u16(struct input *in)
{
	u16 low = input_u8(in);

	return low | input_u8(in) << 8;
}

static inline u32 input_u32(struct input *in)
{
	u32 low = input_u16(in);

	return low | (u32)input_u16(in) << 16;
}

static inline u64 input_u64(struct input *in)
{
	u64 low = input_u32(in);

	return low | (u64)input_u32(in) << 32;
}

static inline void input_bytes(struct input *in, void *buf, size_t len)
{
	u8 *to = buf;

	while (len--)
		*to++ = input_u8(in);
}

/* libFuzzer calls it, by its own name, with each input; what is wrong ends the program. */
int try_input(const u8 *data, size_t size) asm("LLVMFuzzerTestOneInput");

#endif /* _FERRY_FUZZ_INPUT_H */
