/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of a descriptor, as include/uapi/ferry/dma.h says.
 */
#ifndef _FERRY_FUZZ_EXPECTED_H
#define _FERRY_FUZZ_EXPECTED_H

#include <borrowed.h>
#include <uapi/ferry/dma.h>

#include "guest.h"

/* Steps of a CHASE that are followed here; who goes further is not asked what he has found. */
#define EXPECTED_STEPS	4096

/**
 * struct expected - how a descriptor may end
 * @statuses: a bit for each status that it may have
 * @done: the most bytes or steps, and how many it is without an error
 * @result: without an error
 * @exact: @result and @image are known
 * @image: all memory afterwards, without the completion; if an error occurs or it isn't @exact
 *	the bytes that may differ from it are those with @may
 * @may: bytes that may be written
 * @irq: an interrupt follows, whatever the status is
 */
struct expected {
	u32 statuses;
	u64 done;
	u64 result;
	bool exact;
	u8 image[GUEST_SIZE] __aligned(8);
	u8 may[GUEST_SIZE] __aligned(8);
	bool irq;
};

/* Memory is as it is when the engine looks at @desc, which it knows @vectors vectors of. */
void expected_of(struct expected *e, const struct ferry_dma_desc *desc,
		 unsigned int vectors);

#endif /* _FERRY_FUZZ_EXPECTED_H */
