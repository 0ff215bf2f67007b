// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engine, whose driver means harm: rings, descriptors, lists and chains that lead
 * anywhere. Descriptors that come one at a time end as a slow engine (expected.c) says.
 * Then the driver writes what it likes to registers and memory. A piece of work is never
 * long, and nothing is written that no descriptor names.
 */
#include "expected.h"
#include "kit.h"
#include "test.h"

/* Pieces of work that one descriptor gets */
#define STEPS		200
/* Of a piece: reads of a chain, or of two lists and what they name */
#define STEP_CALLS	68
#define STEP_BYTES	(FERRY_GUEST_PAGES * PAGE_SIZE * 4)

static u32 reg(struct ferry_instance *inst, u32 off)
{
	return inst->model->read(inst, FERRY_DMA_BAR_REGS, off, 4);
}

static void set_reg(struct ferry_instance *inst, u32 off, u32 value)
{
	inst->model->write(inst, FERRY_DMA_BAR_REGS, off, 4, value);
}

static u64 any_address(struct input *in)
{
	u8 kind = input_u8(in);
	u16 off = input_u16(in);

	switch (kind & 7) {
	case 0:
		return GUEST_RO + off;
	case 1:
		return GUEST_RW + GUEST_RW_SIZE - off;
	case 2:
		return GUEST_TOP + off;
	case 3:
		return -(u64)off;
	case 4:
		return input_u64(in);
	default:
		/* Lists and chains are in the upper half. */
		return GUEST_RW + off + (kind & 0x80 ? 0x10000 : 0);
	}
}

static u32 any_length(struct input *in)
{
	static const u32 lengths[] = {
		0, 1, 63, 0x1000, 0x4001, 0x10000, 0x20000, 0xffffffff,
	};
	u8 kind = input_u8(in);

	return kind & 0x80 ? lengths[kind & 7] : input_u16(in);
}

static void put(u64 at, const void *what, size_t len)
{
	u8 *to = guest_at(at, len, false);

	if (to)
		memcpy(to, what, len);
}

static void put_descriptor(u64 at, struct input *in)
{
	struct ferry_dma_desc desc = {
		.opcode = input_u8(in) & 0x7,
	};
	u8 choice = input_u8(in);

	desc.flags = choice & FERRY_DMA_F_ALL;
	desc.vector = choice & 0x8 ? input_u8(in) : 0;
	desc.length = any_length(in);
	desc.src = any_address(in);
	desc.dst = any_address(in);
	desc.arg = choice & 0x10 ? input_u64(in) : input_u8(in);
	if (choice & 0x20)
		desc.reserved0 = input_u8(in);
	if (choice & 0x40)
		desc.reserved1 = input_u8(in);
	if (choice & 0x80)
		desc.reserved2 = input_u8(in);
	put(at, &desc, sizeof(desc));
}

static void put_list(u64 at, struct input *in)
{
	unsigned int n = input_u8(in) & 0xf;
	struct ferry_dma_sg sg = {};

	for (; n; n--, at += sizeof(sg)) {
		sg.addr = any_address(in);
		sg.length = any_length(in);
		sg.reserved = sg.length == 77;
		put(at, &sg, sizeof(sg));
	}
}

static void put_memory(struct input *in)
{
	unsigned int n = input_u8(in) & 7, i;
	u64 at, pointer;
	u8 seed, byte;

	for (; n; n--) {
		at = any_address(in);
		switch (input_u8(in) & 3) {
		case 0:
			put_list(at & ~15ULL, in);
			break;
		case 1:
			pointer = any_address(in);
			put(at, &pointer, sizeof(pointer));
			break;
		default:
			seed = input_u8(in);
			for (i = 0; i < 0x800; i++) {
				byte = seed + 7 * i;
				put(at + i, &byte, 1);
			}
		}
	}
}

/* A piece of work is bounded, and so is how much of them there is. Returns how often. */
static unsigned int run(struct ferry_instance *inst, unsigned int steps)
{
	unsigned int n;

	for (n = 0; n < steps; n++) {
		guest_use = (struct guest_use) {};
		kit_work.kicked = false;
		kit_work.steps = 1;
		inst->model->work(inst);
		CHECK(guest_use.calls <= STEP_CALLS);
		CHECK(guest_use.bytes <= STEP_BYTES);
		/* It gave up before it was told to. */
		if (!guest_use.calls && kit_work.kicked)
			break;
		if (!(reg(inst, FERRY_DMA_STATUS) & FERRY_DMA_STATUS_BUSY) &&
		    !guest_use.calls)
			break;
	}
	return n;
}

/* What has been written is what may be. */
static void check_memory(const struct expected *e, u64 completion, bool good)
{
	static u8 image[GUEST_SIZE];
	unsigned int i;

	guest_image(image);
	for (i = 0; i < 16; i++)
		image[guest_index(completion + i)] =
			e->image[guest_index(completion + i)];
	if (good) {
		CHECK(!memcmp(image, e->image, GUEST_SIZE));
		return;
	}
	if (!memcmp(image, e->image, GUEST_SIZE))
		return;
	for (i = 0; i < GUEST_SIZE; i++)
		if (!e->may[i])
			CHECK_EQ(image[i], e->image[i]);
}

static void check_completion(const struct expected *e, u64 at)
{
	const struct ferry_dma_desc *desc = (void *)guest_at(at, 64, true);
	bool good;

	/* It was written over, which is the driver's fault. */
	if (e->may[guest_index(at)] || e->may[guest_index(at) + 63])
		return;
	CHECK(desc->status && desc->status <= FERRY_DMA_S_INJECTED);
	CHECK(e->statuses >> desc->status & 1);
	CHECK(desc->done <= e->done);
	good = e->exact && desc->status == FERRY_DMA_S_OK;
	if (good) {
		CHECK_EQ(desc->done, e->done);
		CHECK_EQ(desc->result, e->result);
	}
	check_memory(e, at + 48, good);
}

/* One more descriptor, of which everything is known */
static void one(struct ferry_instance *inst, u64 ring)
{
	u32 size = reg(inst, FERRY_DMA_RING_SIZE);
	u32 head = reg(inst, FERRY_DMA_HEAD), next = (head + 1) & (size - 1);
	u32 count = reg(inst, FERRY_DMA_COUNT);
	u64 at = ring + 64ULL * head;
	bool readable = guest_at(at, 64, false);
	bool writable = guest_at(at, 64, true);
	static struct expected e;
	unsigned int n;

	if (readable)
		expected_of(&e, (void *)guest_at(at, 64, false),
			    reg(inst, FERRY_DMA_VECTORS));
	set_reg(inst, FERRY_DMA_TAIL, next);
	n = run(inst, STEPS);
	if (n == STEPS)
		return;
	if (readable && writable) {
		CHECK_EQ(reg(inst, FERRY_DMA_HEAD), next);
		CHECK_EQ(reg(inst, FERRY_DMA_COUNT), count + 1);
		CHECK_EQ(reg(inst, FERRY_DMA_STATUS), 0);
		check_completion(&e, at);
	} else {
		CHECK_EQ(reg(inst, FERRY_DMA_STATUS), FERRY_DMA_STATUS_HALTED);
		CHECK_EQ(reg(inst, FERRY_DMA_ERROR), readable ?
			 FERRY_DMA_ERROR_WRITE : FERRY_DMA_ERROR_FETCH);
		CHECK_EQ(reg(inst, FERRY_DMA_COUNT), count);
	}
}

static bool ring_is_good(u64 ring, u32 size)
{
	u64 last = ring + 64ULL * size - 1;

	return size >= 2 && size <= FERRY_DMA_RING_MAX &&
	       !(size & (size - 1)) && !(ring & 63) && last >= ring;
}

/* Returns whether the engine is on. */
static bool begin(struct ferry_instance *inst, struct input *in, u64 *ring)
{
	u8 exponent = input_u8(in);
	u32 size = exponent & 0x80 ? input_u32(in) : 1U << (exponent & 0x1f);

	*ring = any_address(in);
	if (!(exponent & 0x40))
		*ring &= ~63ULL;
	set_reg(inst, FERRY_DMA_RING_LO, *ring);
	set_reg(inst, FERRY_DMA_RING_HI, *ring >> 32);
	set_reg(inst, FERRY_DMA_RING_SIZE, size);
	set_reg(inst, FERRY_DMA_CONTROL, FERRY_DMA_CTRL_ENABLE);
	if (!ring_is_good(*ring, size)) {
		CHECK_EQ(reg(inst, FERRY_DMA_ERROR), FERRY_DMA_ERROR_RING);
		CHECK_EQ(reg(inst, FERRY_DMA_CONTROL), 0);
		return false;
	}
	CHECK_EQ(reg(inst, FERRY_DMA_ERROR), 0);
	CHECK_EQ(reg(inst, FERRY_DMA_HEAD), 0);
	return true;
}

/* Anything, at any time */
static void wild(struct ferry_instance *inst, struct input *in)
{
	u32 *doorbell = ferry_instance_memory(inst, FERRY_DMA_BAR_MEM,
					      FERRY_DMA_MEM_DOORBELL);

	switch (input_u8(in) & 7) {
	case 0:
		*doorbell = input_u16(in);
		break;
	case 1:
		put_descriptor(any_address(in) & ~63ULL, in);
		break;
	case 2:
		put_memory(in);
		break;
	case 3:
		run(inst, input_u8(in));
		break;
	case 4:
		set_reg(inst, FERRY_DMA_FAULT, input_u8(in));
		break;
	case 5:
		inst->model->reset(inst);
		break;
	default:
		set_reg(inst, input_u8(in) & ~3, input_u32(in));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct ferry_instance *inst;
	unsigned int n, i;
	u64 ring;

	guest_clear();
	inst = kit_open(&kit_models[0]);
	put_memory(&in);
	n = 1 + input_u8(&in) % 8;
	if (begin(inst, &in, &ring)) {
		for (i = 0; i < n; i++)
			put_descriptor(ring + 64ULL * i, &in);
		for (i = 0; i < n; i++) {
			if (!(reg(inst, FERRY_DMA_CONTROL) & FERRY_DMA_CTRL_ENABLE) ||
			    reg(inst, FERRY_DMA_STATUS))
				break;
			one(inst, ring);
		}
	}
	for (i = 0; i < 32 && in.left; i++)
		wild(inst, &in);
	kit_close(inst);
	return 0;
}
