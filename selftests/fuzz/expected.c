// SPDX-License-Identifier: GPL-2.0-only
/*
 * A DMA engine that takes all the time in the world.
 */
#include "expected.h"

#define BIT_OF(status)	(1U << FERRY_DMA_S_##status)

/* One side of a transfer: memory in a row, or what a list says. */
struct side {
	bool used;
	bool list;
	bool write;
	u64 addr;
	u64 left;
	u64 at;
	unsigned int elements;
	u32 fault;
};

static bool wants_irq(const struct ferry_dma_desc *desc)
{
	return (desc->flags & FERRY_DMA_F_IRQ) ||
	       desc->opcode == FERRY_DMA_OP_IRQ;
}

static u32 wrong(const struct ferry_dma_desc *desc, unsigned int vectors)
{
	static const u16 flags[] = { 0x1, 0x7, 0x5, 0x3, 0x1, 0x1 };
	bool sized = desc->opcode >= FERRY_DMA_OP_COPY &&
		     desc->opcode <= FERRY_DMA_OP_CRC32;
	u32 statuses = 0;

	if (desc->opcode > FERRY_DMA_OP_IRQ)
		return BIT_OF(OPCODE);
	if (desc->flags & ~flags[desc->opcode] || desc->reserved0 ||
	    desc->reserved1 || desc->reserved2)
		statuses |= BIT_OF(FLAGS);
	if (sized && !desc->length)
		statuses |= BIT_OF(LENGTH);
	if (desc->opcode == FERRY_DMA_OP_CHASE && desc->arg >> 32)
		statuses |= BIT_OF(LENGTH);
	if (wants_irq(desc) && desc->vector >= vectors)
		statuses |= BIT_OF(VECTOR);
	if ((desc->flags & FERRY_DMA_F_SRC_LIST && desc->src & 15) ||
	    (desc->flags & FERRY_DMA_F_DST_LIST && desc->dst & 15))
		statuses |= BIT_OF(LIST);
	return statuses;
}

/* There is something at @side afterwards; or the status with which it ends. */
static u32 element(struct side *side)
{
	const struct ferry_dma_sg *sg;

	if (side->left)
		return 0;
	if (side->elements == FERRY_DMA_LIST_MAX)
		return FERRY_DMA_S_LIST;
	if (side->addr + 16ULL * side->elements < side->addr)
		return FERRY_DMA_S_SG;
	sg = (void *)guest_at(side->addr + 16ULL * side->elements, 16, false);
	if (!sg)
		return FERRY_DMA_S_SG;
	if (!sg->length || sg->reserved)
		return FERRY_DMA_S_LIST;
	side->elements++;
	side->at = sg->addr;
	side->left = sg->length;
	return side->at + side->left - 1 < side->at ? side->fault : 0;
}

/* Bytes that there are at @at, up to @len */
static u64 mapped(u64 at, u64 len, bool write)
{
	u64 low = 0, high = len, middle;

	while (low < high) {
		middle = low + (high - low + 1) / 2;
		if (guest_at(at, middle, write))
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static struct side side_of(const struct ferry_dma_desc *desc, bool write)
{
	u16 flag = write ? FERRY_DMA_F_DST_LIST : FERRY_DMA_F_SRC_LIST;
	u16 unused = write ? FERRY_DMA_OP_CRC32 : FERRY_DMA_OP_FILL;
	struct side side = {
		.used = desc->opcode != unused,
		.write = write,
		.list = desc->flags & flag,
		.addr = write ? desc->dst : desc->src,
		.fault = write ? FERRY_DMA_S_DST : FERRY_DMA_S_SRC,
	};

	side.at = side.addr;
	if (!side.list)
		side.left = desc->length;
	return side;
}

/*
 * Up to where a side goes, which is @len without an error, and which that is. Marks what is
 * touched in @marks.
 */
static u64 extent(struct side side, u64 len, u32 *error, u8 *marks)
{
	u64 done, n, there;

	*error = 0;
	if (!side.list && side.at + side.left - 1 < side.at) {
		*error = side.fault;
		return 0;
	}
	for (done = 0; done < len; done += n) {
		*error = element(&side);
		if (*error)
			return done;
		n = min(side.left, len - done);
		there = mapped(side.at, n, side.write);
		if (there)
			memset(marks + guest_index(side.at), 1, there);
		if (there < n) {
			*error = side.fault;
			return done + there;
		}
		side.at += n;
		side.left -= n;
	}
	return done;
}

/* Its list lies where something is written. */
static bool list_written(const struct side *side, const u8 *may)
{
	long at = guest_index(side->addr);
	long end = at + 16L * FERRY_DMA_LIST_MAX;

	if (!side->used || !side->list || at < 0)
		return false;
	if (end > GUEST_SIZE)
		end = GUEST_SIZE;
	return memchr(may + at, 1, end - at);
}

static bool overlap(const u8 *a, const u8 *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;
	unsigned int i;

	for (i = 0; i < GUEST_SIZE / sizeof(u64); i++)
		if (x[i] & y[i])
			return true;
	return false;
}

static void carry_out(struct expected *e, const struct ferry_dma_desc *desc,
		      struct side src, struct side dst)
{
	u32 crc = ~desc->arg, n;
	u64 done, i;
	u8 *to;

	for (done = 0; done < desc->length; done += n) {
		n = desc->length - done;
		if (src.used)
			element(&src);
		if (dst.used)
			element(&dst);
		n = src.used ? min_t(u64, n, src.left) : n;
		n = dst.used ? min_t(u64, n, dst.left) : n;
		to = dst.used ? e->image + guest_index(dst.at) : NULL;
		if (desc->opcode == FERRY_DMA_OP_COPY)
			memcpy(to, e->image + guest_index(src.at), n);
		else if (desc->opcode == FERRY_DMA_OP_CRC32)
			crc = crc32_le(crc, e->image + guest_index(src.at), n);
		else
			for (i = 0; i < n; i++)
				to[i] = desc->arg >> 8 * ((done + i) % 8);
		src.at += n;
		src.left -= n;
		dst.at += n;
		dst.left -= n;
	}
	if (desc->opcode == FERRY_DMA_OP_CRC32)
		e->result = (u32)~crc;
}

static void transfer(struct expected *e, const struct ferry_dma_desc *desc)
{
	struct side src = side_of(desc, false), dst = side_of(desc, true);
	static u8 read[GUEST_SIZE] __aligned(8);
	u32 src_error = 0, dst_error = 0;
	u64 src_len = desc->length, dst_len = desc->length;

	memset(read, 0, sizeof(read));
	if (src.used)
		src_len = extent(src, desc->length, &src_error, read);
	if (dst.used)
		dst_len = extent(dst, desc->length, &dst_error, e->may);
	e->done = min(src_len, dst_len);
	if (src_error)
		e->statuses |= 1U << src_error;
	if (dst_error)
		e->statuses |= 1U << dst_error;
	if (!e->statuses)
		e->statuses = BIT_OF(OK);
	if (list_written(&src, e->may) || list_written(&dst, e->may)) {
		/* It may go anywhere. */
		e->statuses = ~BIT_OF(PENDING);
		e->done = desc->length;
		memset(e->may, 1, sizeof(e->may));
	} else if (e->statuses == BIT_OF(OK) && !overlap(read, e->may)) {
		e->exact = true;
		carry_out(e, desc, src, dst);
	}
}

static void chase(struct expected *e, const struct ferry_dma_desc *desc)
{
	const u8 *at;
	u64 pointer;

	e->result = desc->src;
	while (e->done < desc->arg) {
		if (e->done == EXPECTED_STEPS) {
			e->statuses = ~0;
			e->done = desc->arg;
			return;
		}
		at = guest_at(e->result, sizeof(pointer), false);
		if (!at) {
			e->statuses = BIT_OF(SRC);
			return;
		}
		e->done++;
		memcpy(&pointer, at, sizeof(pointer));
		if (!pointer)
			break;
		e->result = pointer;
	}
	e->statuses = BIT_OF(OK);
	e->exact = true;
}

void expected_of(struct expected *e, const struct ferry_dma_desc *desc,
		 unsigned int vectors)
{
	e->done = 0;
	e->result = 0;
	e->exact = false;
	guest_image(e->image);
	memset(e->may, 0, sizeof(e->may));
	e->irq = wants_irq(desc) && desc->vector < vectors;
	e->statuses = wrong(desc, vectors);
	if (e->statuses)
		return;
	if (desc->opcode == FERRY_DMA_OP_NOP ||
	    desc->opcode == FERRY_DMA_OP_IRQ) {
		e->statuses = BIT_OF(OK);
		e->exact = true;
	} else if (desc->opcode == FERRY_DMA_OP_CHASE) {
		chase(e, desc);
	} else {
		transfer(e, desc);
	}
}
