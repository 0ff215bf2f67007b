// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engine, whose driver means harm: rings, descriptors, lists and chains that lead
 * anywhere. Descriptors that come one at a time end as a slow engine (expected.c) says.
 * Then the driver writes what it likes to registers and memory. A piece of work is never
 * long, and nothing is written that no descriptor names.
 */
#include "engine.h"
#include "expected.h"
#include "kit.h"
#include "test.h"

/* Pieces of work that one descriptor gets */
#define STEPS		200
/* Of a piece: reads of a chain, or of two lists and what they name */
#define STEP_CALLS	68
#define STEP_BYTES	(FERRY_GUEST_PAGES * PAGE_SIZE * 4)

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
		if (!(engine_reg(inst, FERRY_DMA_STATUS) & FERRY_DMA_STATUS_BUSY) &&
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

/* The message that belongs to what was done, and no other */
static void check_interrupt(struct ferry_instance *inst, bool wanted,
			    unsigned int vector, u32 status)
{
	CHECK_EQ(kit_irqs.signals, wanted);
	if (wanted)
		CHECK_EQ(kit_irqs.vector, vector);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_INT_STATUS), wanted ? status : 0);
	engine_set_reg(inst, FERRY_DMA_INT_STATUS, status);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_INT_STATUS), 0);
}

static void check_halt(struct ferry_instance *inst, u32 error)
{
	CHECK_EQ(engine_reg(inst, FERRY_DMA_STATUS), FERRY_DMA_STATUS_HALTED);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_ERROR), error);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_CONTROL), 0);
	check_interrupt(inst, true, engine_reg(inst, FERRY_DMA_ERROR_VECTOR),
			FERRY_DMA_INT_HALT);
}

/* One more descriptor, of which everything is known */
static void one(struct ferry_instance *inst, u64 ring)
{
	u32 size = engine_reg(inst, FERRY_DMA_RING_SIZE);
	u32 head = engine_reg(inst, FERRY_DMA_HEAD), next = (head + 1) & (size - 1);
	u32 count = engine_reg(inst, FERRY_DMA_COUNT);
	u64 at = ring + 64ULL * head;
	const struct ferry_dma_desc *desc = (void *)guest_at(at, 64, false);
	bool writable = guest_at(at, 64, true);
	unsigned int vector = desc ? desc->vector : 0;
	static struct expected e;

	if (desc)
		expected_of(&e, desc, engine_reg(inst, FERRY_DMA_VECTORS));
	kit_irqs.signals = 0;
	engine_set_reg(inst, FERRY_DMA_TAIL, next);
	/* With the last step it may have come to its end. */
	if (run(inst, STEPS) == STEPS &&
	    engine_reg(inst, FERRY_DMA_STATUS) & FERRY_DMA_STATUS_BUSY)
		return;
	if (!desc || !writable) {
		check_halt(inst, desc ? FERRY_DMA_ERROR_WRITE :
					FERRY_DMA_ERROR_FETCH);
		CHECK_EQ(engine_reg(inst, FERRY_DMA_COUNT), count);
		return;
	}
	CHECK_EQ(engine_reg(inst, FERRY_DMA_HEAD), next);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_COUNT), count + 1);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_STATUS), 0);
	check_interrupt(inst, e.irq, vector, FERRY_DMA_INT_DONE);
	check_completion(&e, at);
}

/* The producer index is beyond the ring. */
static void go_too_far(struct ferry_instance *inst, u8 by)
{
	kit_irqs.signals = 0;
	engine_set_reg(inst, FERRY_DMA_TAIL, engine_reg(inst, FERRY_DMA_RING_SIZE) + by);
	run(inst, 1);
	check_halt(inst, FERRY_DMA_ERROR_TAIL);
}

/* What is switched off in the midst of a descriptor leaves no trace, and touches nothing more. */
static void stop_midway(struct ferry_instance *inst, unsigned int steps)
{
	u32 size = engine_reg(inst, FERRY_DMA_RING_SIZE);
	u32 next = (engine_reg(inst, FERRY_DMA_HEAD) + 1) & (size - 1), count;
	static u8 before[GUEST_SIZE], after[GUEST_SIZE];

	engine_set_reg(inst, FERRY_DMA_TAIL, next);
	run(inst, steps);
	count = engine_reg(inst, FERRY_DMA_COUNT);
	kit_irqs.signals = 0;
	guest_image(before);
	engine_set_reg(inst, FERRY_DMA_CONTROL, 0);
	run(inst, STEPS);
	guest_image(after);
	CHECK(!memcmp(before, after, GUEST_SIZE));
	CHECK_EQ(engine_reg(inst, FERRY_DMA_STATUS) & FERRY_DMA_STATUS_BUSY, 0);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_COUNT), count);
	CHECK_EQ(kit_irqs.signals, 0);
}

static bool is_ready(struct ferry_instance *inst)
{
	return engine_reg(inst, FERRY_DMA_CONTROL) & FERRY_DMA_CTRL_ENABLE &&
	       !engine_reg(inst, FERRY_DMA_STATUS);
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
	engine_set_reg(inst, FERRY_DMA_RING_LO, *ring);
	engine_set_reg(inst, FERRY_DMA_RING_HI, *ring >> 32);
	engine_set_reg(inst, FERRY_DMA_RING_SIZE, size);
	engine_set_reg(inst, FERRY_DMA_CONTROL, FERRY_DMA_CTRL_ENABLE);
	if (!ring_is_good(*ring, size)) {
		check_halt(inst, FERRY_DMA_ERROR_RING);
		return false;
	}
	CHECK_EQ(engine_reg(inst, FERRY_DMA_ERROR), 0);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_HEAD), 0);
	/* Too late */
	engine_set_reg(inst, FERRY_DMA_RING_LO, ~*ring);
	engine_set_reg(inst, FERRY_DMA_RING_HI, ~*ring >> 32);
	engine_set_reg(inst, FERRY_DMA_RING_SIZE, ~size);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_RING_LO), (u32)*ring);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_RING_HI), *ring >> 32);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_RING_SIZE), size);
	return true;
}

/* How the driver ends, after descriptors that come one at a time */
static void finish(struct ferry_instance *inst, u64 ring, struct input *in)
{
	u8 how = input_u8(in);

	if (!is_ready(inst))
		return;
	if (how & 0x80) {
		go_too_far(inst, how & 0x7f);
	} else if (how) {
		put_descriptor(ring + 64ULL * engine_reg(inst, FERRY_DMA_HEAD), in);
		stop_midway(inst, how & 0xf);
	}
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
		engine_set_reg(inst, FERRY_DMA_FAULT, input_u8(in));
		break;
	case 5:
		ferry_model_reset(inst);
		break;
	default:
		engine_set_reg(inst, input_u8(in) & ~3, input_u32(in));
	}
}

int try_input(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct ferry_instance *inst;
	unsigned int n, i;
	u64 ring;
	u32 off;

	guest_clear();
	inst = kit_open(&kit_models[0]);
	kit_enable(inst, VFIO_PCI_MSIX_IRQ_INDEX, true);
	put_memory(&in);
	n = 1 + input_u8(&in) % 8;
	if (begin(inst, &in, &ring)) {
		for (i = 0; i < n; i++)
			put_descriptor(ring + 64ULL * i, &in);
		for (i = 0; i < n && is_ready(inst); i++)
			one(inst, ring);
		finish(inst, ring, &in);
	}
	for (i = 0; i < 32 && in.left; i++) {
		wild(inst, &in);
		engine_check(inst);
		off = FERRY_DMA_FAULT_DELAY + 4 + (input_u16(&in) & ~3);
		CHECK_EQ(engine_reg(inst, off), 0);
	}
	kit_close(inst);
	return 0;
}
