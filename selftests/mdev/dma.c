// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engine: what its opcodes do, interrupts of every kind, faults that were asked for,
 * and descriptors that are wrong.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../include/uapi/ferry/dma.h"
#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX

#define RW	(PROT_READ | PROT_WRITE)
#define PAGE	4096UL
#define LEN	(1024 * PAGE)
#define HALF	(LEN / 2)
#define M	ENGINE_MEMORY
#define RING	64

#define COPY	FERRY_DMA_OP_COPY
#define FILL	FERRY_DMA_OP_FILL
#define CRC32	FERRY_DMA_OP_CRC32
#define CHASE	FERRY_DMA_OP_CHASE
#define NOP	FERRY_DMA_OP_NOP
#define IRQ	FERRY_DMA_OP_IRQ

FIXTURE(dma)
{
	struct engine e;
	int efd;
};

FIXTURE_VARIANT(dma)
{
	bool iommufd;
};

FIXTURE_VARIANT_ADD(dma, type1) { .iommufd = false };
FIXTURE_VARIANT_ADD(dma, iommufd) { .iommufd = true };

FIXTURE_SETUP(dma)
{
	const char *missing = device_missing("dma");

	if (missing)
		SKIP(return, "%s", missing);
	if (variant->iommufd && access("/dev/iommu", F_OK))
		SKIP(return, "this kernel has no iommufd");
	mdev_remove_ours();
	ASSERT_EQ(0, engine_open(&self->e, "dma", 1, variant->iommufd, RING,
				 LEN));
	self->efd = efd_new();
}

FIXTURE_TEARDOWN(dma)
{
	engine_close(&self->e);
	close(self->efd);
	mdev_remove_ours();
}

/* Bit by bit, as the polynomial says. */
static __u32 crc32(__u32 crc, const __u8 *at, size_t len)
{
	int bit;

	for (crc = ~crc; len; len--) {
		crc ^= *at++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

TEST_F(dma, identity)
{
	const struct engine *e = &self->e;

	EXPECT_EQ(FERRY_DMA_VENDOR, cfg_r16(&e->v, PCI_VENDOR_ID));
	EXPECT_EQ(FERRY_DMA_DEVICE, cfg_r16(&e->v, PCI_DEVICE_ID));
	EXPECT_NE(0, cfg_find_cap(&e->v, PCI_CAP_ID_EXP));
	EXPECT_EQ(FERRY_DMA_REGS_SIZE, region_size(&e->v, 0));
	EXPECT_EQ(FERRY_DMA_MEM_SIZE, region_size(&e->v, BAR2));
	EXPECT_EQ(FERRY_DMA_MAGIC, engine_get(e, FERRY_DMA_ID));
	EXPECT_EQ(1, engine_get(e, FERRY_DMA_VERSION));
	EXPECT_EQ(0x003f003f, engine_get(e, FERRY_DMA_CAPS));
	EXPECT_EQ(32, engine_get(e, FERRY_DMA_VECTORS));
	/* One width, and nothing behind the last register. */
	EXPECT_EQ(0xff, region_r8(&e->v, 0, FERRY_DMA_ID));
	EXPECT_EQ(0xffff, region_r16(&e->v, 0, FERRY_DMA_ID));
	EXPECT_EQ(0, region_r32(&e->v, 0, 0x800));
	region_w16(&e->v, 0, FERRY_DMA_INT_ENABLE, 7);
	EXPECT_EQ(0, engine_get(e, FERRY_DMA_INT_ENABLE));
}

TEST_F(dma, copy)
{
	static const struct {
		unsigned int from, to, len;
	} tries[] = {
		{ 0, 0, 1 }, { 1, 2, 3 }, { 0, 0, PAGE }, { PAGE - 1, 3, 2 },
		{ 7, PAGE - 7, 5 * PAGE + 1 }, { 0, 0, 70000 },
		{ 4095, 1, 300000 }, { 0, 0, HALF }, { 3, 5, HALF - 5 },
	};
	struct engine *e = &self->e;
	__u8 *dst = e->memory + HALF;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		memory_scribble(e->memory, HALF);
		memset(dst, 0xee, HALF);
		EXPECT_EQ(FERRY_DMA_S_OK,
			  engine_run(e, COPY, 0, M + tries[i].from,
				     M + HALF + tries[i].to, tries[i].len, 0)) {
			TH_LOG("try %u", i);
		}
		EXPECT_EQ(tries[i].len, engine_last(e)->done);
		EXPECT_EQ(0, memcmp(e->memory + tries[i].from,
				    dst + tries[i].to, tries[i].len));
		EXPECT_TRUE(memory_all(dst, 0xee, tries[i].to));
		EXPECT_TRUE(memory_all(dst + tries[i].to + tries[i].len, 0xee,
				       HALF - tries[i].to - tries[i].len));
	}
}

TEST_F(dma, fill)
{
	struct engine *e = &self->e;
	__u64 word = 0x8877665544332211ULL;

	memset(e->memory, 0, 10 * PAGE);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, FILL, 0, 0, M + 3,
					     9 * PAGE + 4, word));
	EXPECT_TRUE(memory_all(e->memory, 0, 3));
	EXPECT_EQ(0, memcmp(e->memory + 3, &word, 8));
	EXPECT_EQ(0, memcmp(e->memory + 3, e->memory + 11, 9 * PAGE - 4));
	EXPECT_TRUE(memory_all(e->memory + 9 * PAGE + 7, 0, 8));
}

/* The check value of the polynomial, and a sum in two parts. */
TEST_F(dma, crc32)
{
	struct engine *e = &self->e;
	__u32 want;

	memcpy(e->memory + PAGE - 4, "123456789", 9);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, CRC32, 0, M + PAGE - 4, 0, 9,
					     0));
	EXPECT_EQ(0xcbf43926, engine_last(e)->result);

	memory_scribble(e->memory, 50 * PAGE);
	want = crc32(0, e->memory + 1, 40 * PAGE);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, CRC32, 0, M + 1, 0, 40 * PAGE,
					     0));
	EXPECT_EQ(want, engine_last(e)->result);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, CRC32, 0, M + 1, 0, 1000, 0));
	EXPECT_EQ(FERRY_DMA_S_OK,
		  engine_run(e, CRC32, 0, M + 1001, 0, 40 * PAGE - 1000,
			     engine_last(e)->result));
	EXPECT_EQ(want, engine_last(e)->result);
}

TEST_F(dma, chase)
{
	struct engine *e = &self->e;
	__u64 *words = (void *)e->memory;
	unsigned int i;

	memset(words, 0, 10 * PAGE);
	for (i = 0; i < 1000; i++)
		words[(i * 7) % 5000] = M + 8 * (((i + 1) * 7) % 5000);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, CHASE, 0, M, 0, 0, ~0U));
	EXPECT_EQ(1001, engine_last(e)->done);
	EXPECT_EQ(M + 8 * ((1000 * 7) % 5000), engine_last(e)->result);

	/* As many steps as it may. */
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, CHASE, 0, M, 0, 0, 3));
	EXPECT_EQ(3, engine_last(e)->done);
	EXPECT_EQ(M + 8 * 21, engine_last(e)->result);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, CHASE, 0, M, 0, 0, 0));
	EXPECT_EQ(0, engine_last(e)->done);

	/* A pointer to itself, and one to nowhere. */
	words[0] = M;
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, CHASE, 0, M, 0, 0, 10000));
	EXPECT_EQ(10000, engine_last(e)->done);
	words[1] = 8;
	EXPECT_EQ(FERRY_DMA_S_SRC, engine_run(e, CHASE, 0, M + 8, 0, 0, 9));
	EXPECT_EQ(1, engine_last(e)->done);
	EXPECT_EQ(8, engine_last(e)->result);
}

static void element(struct ferry_dma_sg *sg, __u64 addr, __u32 len)
{
	sg->addr = addr;
	sg->length = len;
	sg->reserved = 0;
}

/* Pieces of every size, over the borders of pages, and lists over them too. */
TEST_F(dma, lists)
{
	struct engine *e = &self->e;
	const __u32 len = 20000;
	struct ferry_dma_sg *from, *to;
	__u8 *want = malloc(len);
	__u32 at, n, i;

	/* The list itself goes over the border of a page. */
	from = (void *)(e->memory + HALF + PAGE - 32);
	to = (void *)(e->memory + HALF + 3 * PAGE);
	memory_scribble(e->memory, HALF);
	for (at = 0, i = 0; at < len; at += n, i++) {
		n = 1 + i * 37;
		element(&from[i], M + 50000 - at - n, n);
		memcpy(want + at, e->memory + 50000 - at - n,
		       n < len - at ? n : len - at);
	}
	for (at = 0, i = 0; at < len; at += n, i++) {
		n = 1500 - i * 11;
		element(&to[i], M + 100000 + 2 * at, n);
	}
	EXPECT_EQ(FERRY_DMA_S_OK,
		  engine_run(e, COPY, FERRY_DMA_F_SRC_LIST |
			     FERRY_DMA_F_DST_LIST, M + HALF + PAGE - 32,
			     M + HALF + 3 * PAGE, len, 0));
	EXPECT_EQ(len, engine_last(e)->done);
	for (at = 0, i = 0; at < len; at += n, i++) {
		n = 1500 - i * 11;
		if (n > len - at)
			n = len - at;
		EXPECT_EQ(0, memcmp(want + at, e->memory + 100000 + 2 * at, n));
	}
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, CRC32, FERRY_DMA_F_SRC_LIST,
					     M + HALF + PAGE - 32, 0, len, 0));
	EXPECT_EQ(crc32(0, want, len), engine_last(e)->result);
	EXPECT_EQ(FERRY_DMA_S_OK,
		  engine_run(e, FILL, FERRY_DMA_F_DST_LIST, 0,
			     M + HALF + 3 * PAGE, len, 0x4242424242424242ULL));
	EXPECT_TRUE(memory_all(e->memory + 100000, 0x42, 1500));
	EXPECT_TRUE(memory_all(e->memory + 103000, 0x42, 1489));
	free(want);
}

/* What is wrong with a descriptor stands in it, and the next one is none the worse. */
TEST_F(dma, wrong)
{
	struct engine *e = &self->e;
	struct ferry_dma_sg *sg = (void *)(e->memory + HALF);
	const __u64 list = M + HALF;
	const struct {
		unsigned int opcode, flags;
		__u64 src, dst;
		__u32 length;
		__u64 arg;
		__u32 status;
	} tries[] = {
		{ 6, 0, 0, 0, 0, 0, FERRY_DMA_S_OPCODE },
		{ 0xffff, 0xffff, ~0, ~0, ~0, ~0, FERRY_DMA_S_OPCODE },
		{ NOP, 8, 0, 0, 0, 0, FERRY_DMA_S_FLAGS },
		{ NOP, FERRY_DMA_F_SRC_LIST, 0, 0, 0, 0, FERRY_DMA_S_FLAGS },
		{ FILL, FERRY_DMA_F_SRC_LIST, 0, M, 8, 0, FERRY_DMA_S_FLAGS },
		{ CRC32, FERRY_DMA_F_DST_LIST, M, 0, 8, 0, FERRY_DMA_S_FLAGS },
		{ CHASE, FERRY_DMA_F_SRC_LIST, M, 0, 8, 0, FERRY_DMA_S_FLAGS },
		{ COPY, 0, M, M, 0, 0, FERRY_DMA_S_LENGTH },
		{ FILL, 0, M, M, 0, 0, FERRY_DMA_S_LENGTH },
		{ CRC32, 0, M, M, 0, 0, FERRY_DMA_S_LENGTH },
		{ CHASE, 0, M, 0, 0, 1ULL << 32, FERRY_DMA_S_LENGTH },
		{ COPY, 0, M - 1, M + PAGE, 8, 0, FERRY_DMA_S_SRC },
		{ COPY, 0, M, M - 1, 8, 0, FERRY_DMA_S_DST },
		{ COPY, 0, M + LEN - 7, M, 8, 0, FERRY_DMA_S_SRC },
		{ COPY, 0, M, M + LEN - 7, 8, 0, FERRY_DMA_S_DST },
		{ COPY, 0, M, M, ~0U, 0, FERRY_DMA_S_SRC },
		{ COPY, 0, -8ULL, M, 16, 0, FERRY_DMA_S_SRC },
		{ COPY, 0, M, -8ULL, 16, 0, FERRY_DMA_S_DST },
		{ FILL, 0, 0, M, ~0U, 0, FERRY_DMA_S_DST },
		{ FILL, 0, 0, -1ULL, ~0U, 0, FERRY_DMA_S_DST },
		{ CRC32, 0, M, 0, ~0U, 0, FERRY_DMA_S_SRC },
		{ CHASE, 0, -1ULL, 0, 0, 1, FERRY_DMA_S_SRC },
		{ CHASE, 0, -8ULL, 0, 0, ~0U, FERRY_DMA_S_SRC },
		{ COPY, FERRY_DMA_F_SRC_LIST, list + 8, M, 8, 0,
		  FERRY_DMA_S_LIST },
		{ COPY, FERRY_DMA_F_DST_LIST, M, list + 1, 8, 0,
		  FERRY_DMA_S_LIST },
		/* Elements of no length, with something reserved, of nowhere. */
		{ COPY, FERRY_DMA_F_SRC_LIST, list, M, 8, 0, FERRY_DMA_S_LIST },
		{ COPY, FERRY_DMA_F_SRC_LIST, list + 16, M, 8, 0,
		  FERRY_DMA_S_LIST },
		{ COPY, FERRY_DMA_F_SRC_LIST, list + 32, M, 8, 0,
		  FERRY_DMA_S_SRC },
		{ COPY, FERRY_DMA_F_DST_LIST, M, list + 32, 8, 0,
		  FERRY_DMA_S_DST },
		/* Lists that end too early, or are nowhere. */
		{ COPY, FERRY_DMA_F_SRC_LIST, list + 48, M, 9, 0,
		  FERRY_DMA_S_LIST },
		{ CRC32, FERRY_DMA_F_SRC_LIST, -16ULL, M, 8, 0,
		  FERRY_DMA_S_SG },
		{ CRC32, FERRY_DMA_F_SRC_LIST, M + LEN, M, 8, 0,
		  FERRY_DMA_S_SG },
		{ CRC32, FERRY_DMA_F_SRC_LIST, M + LEN - 16, M, 9, 0,
		  FERRY_DMA_S_SG },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		/* What fails in the end may have filled all that there is. */
		memset(sg, 0, 64 * sizeof(*sg));
		element(&sg[0], M, 0);
		element(&sg[1], M, 8);
		sg[1].reserved = 1;
		element(&sg[2], 0, 8);
		element(&sg[3], M, 8);
		element((void *)(e->memory + LEN - 16), M, 8);
		EXPECT_EQ(tries[i].status,
			  engine_run(e, tries[i].opcode, tries[i].flags,
				     tries[i].src, tries[i].dst,
				     tries[i].length, tries[i].arg)) {
			TH_LOG("try %u", i);
		}
	}
	EXPECT_EQ(i, engine_get(e, FERRY_DMA_COUNT));
	EXPECT_EQ(0, engine_get(e, FERRY_DMA_ERROR));
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, NOP, 0, 0, 0, 0, 0));
}

/* Reserved fields, vectors, and lists without an end. */
TEST_F(dma, wrong_too)
{
	struct engine *e = &self->e;
	struct ferry_dma_sg *sg = (void *)e->memory;
	struct ferry_dma_desc *desc;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		desc = engine_next(e, NOP, 0);
		desc->reserved0 = i == 0;
		desc->reserved1 = i == 1;
		desc->reserved2 = i == 2;
		engine_doorbell(e);
		EXPECT_EQ(FERRY_DMA_S_FLAGS, engine_wait(desc));
	}
	desc = engine_next(e, NOP, FERRY_DMA_F_IRQ);
	desc->vector = 32;
	engine_doorbell(e);
	EXPECT_EQ(FERRY_DMA_S_VECTOR, engine_wait(desc));
	desc = engine_next(e, IRQ, 0);
	desc->vector = 0xffff;
	engine_doorbell(e);
	EXPECT_EQ(FERRY_DMA_S_VECTOR, engine_wait(desc));

	/* 65,536 elements and one, which takes a slow kernel a quarter of an hour. */
	if (rounds(100) < 100)
		return;
	for (i = 0; i <= FERRY_DMA_LIST_MAX; i++)
		element(&sg[i], M + HALF, 1);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, CRC32, FERRY_DMA_F_SRC_LIST, M,
					     0, FERRY_DMA_LIST_MAX, 0));
	EXPECT_EQ(FERRY_DMA_S_LIST, engine_run(e, CRC32, FERRY_DMA_F_SRC_LIST,
					       M, 0, FERRY_DMA_LIST_MAX + 1,
					       0));
	EXPECT_EQ(FERRY_DMA_LIST_MAX, engine_last(e)->done);
}

/* What is under way stops before the register says so, and is done when it may go on. */
static void expect_pause(struct __test_metadata *_metadata, struct engine *e,
			 bool sleep)
{
	struct ferry_dma_desc *desc = NULL;
	int i;

	for (i = 0; i < 8; i++) {
		desc = engine_next(e, FILL, 0);
		desc->dst = htole64(M);
		desc->length = htole32(HALF);
	}
	engine_doorbell(e);
	if (sleep)
		cfg_power_state(&e->v, 3);
	else
		cfg_command(&e->v, PCI_COMMAND_MASTER, 0);
	memset(e->memory, 0x55, HALF);
	usleep(20000);
	EXPECT_TRUE(memory_all(e->memory, 0x55, HALF));
	if (sleep)
		cfg_power_state(&e->v, 0);
	else
		cfg_command(&e->v, 0, PCI_COMMAND_MASTER);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_wait(desc));
}

/* A kernel that takes over from another one finds memory that nobody writes to. */
TEST_F(dma, bus_master)
{
	struct engine *e = &self->e;
	struct ferry_dma_desc *desc;

	expect_pause(_metadata, e, false);
	cfg_command(&e->v, PCI_COMMAND_MASTER, 0);
	desc = engine_next(e, NOP, 0);
	engine_doorbell(e);
	usleep(20000);
	EXPECT_EQ(FERRY_DMA_S_PENDING, engine_status(desc));
	cfg_command(&e->v, 0, PCI_COMMAND_MASTER);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_wait(desc));
}

TEST_F(dma, asleep)
{
	expect_pause(_metadata, &self->e, true);
}

/* Any reset wakes it (PCI PM 1.2, 5.4.1): its registers answer, and the engine goes on. */
TEST_F(dma, reset_wakes)
{
	struct engine *e = &self->e;
	unsigned int pmcsr = cfg_find_cap(&e->v, PCI_CAP_ID_PM) + PCI_PM_CTRL;
	unsigned int exp = cfg_find_cap(&e->v, PCI_CAP_ID_EXP);
	__u32 status;
	int flr;

	for (flr = 0; flr < 2; flr++) {
		cfg_power_state(&e->v, 3);
		EXPECT_EQ(-EIO, region_read(&e->v, 0, FERRY_DMA_STATUS,
					    &status, sizeof(status)));
		if (flr)
			cfg_w16(&e->v, exp + PCI_EXP_DEVCTL,
				PCI_EXP_DEVCTL_BCR_FLR);
		else
			ASSERT_EQ(0, vdev_reset(&e->v));
		EXPECT_EQ(PCI_PM_CTRL_NO_SOFT_RESET, cfg_r16(&e->v, pmcsr));
		EXPECT_EQ(0, engine_get(e, FERRY_DMA_STATUS));
		engine_start(e, 0);
		EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, NOP, 0, 0, 0, 0, 0));
	}
}

TEST_F(dma, read_only)
{
	struct engine *e = &self->e;
	__u8 *fixed = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(fixed, 0x77, PAGE);
	ASSERT_EQ(0, dma_map(&e->v, PAGE, fixed, PAGE, DMA_RO));
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, COPY, 0, PAGE, M, PAGE, 0));
	EXPECT_TRUE(memory_all(e->memory, 0x77, PAGE));
	EXPECT_EQ(FERRY_DMA_S_DST, engine_run(e, COPY, 0, M, PAGE, PAGE, 0));
	EXPECT_EQ(FERRY_DMA_S_DST, engine_run(e, FILL, 0, 0, PAGE, 1, 0));
	EXPECT_TRUE(memory_all(fixed, 0x77, PAGE));

	/* A ring that can't be written. */
	engine_stop(e);
	memset(fixed, 0, PAGE);
	engine_set(e, FERRY_DMA_RING_LO, PAGE);
	engine_set(e, FERRY_DMA_CONTROL, FERRY_DMA_CTRL_ENABLE);
	engine_set(e, FERRY_DMA_TAIL, 1);
	while (!(engine_get(e, FERRY_DMA_STATUS) & FERRY_DMA_STATUS_HALTED))
		sched_yield();
	EXPECT_EQ(FERRY_DMA_ERROR_WRITE, engine_get(e, FERRY_DMA_ERROR));
	EXPECT_EQ(0, engine_get(e, FERRY_DMA_CONTROL));
	munmap(fixed, PAGE);
}

/* A ring that isn't one, or isn't there, or whose producer isn't in it. */
TEST_F(dma, bad_ring)
{
	static const struct {
		__u64 ring;
		__u32 size, tail, error;
	} tries[] = {
		{ ENGINE_RING, 0, 0, FERRY_DMA_ERROR_RING },
		{ ENGINE_RING, 1, 0, FERRY_DMA_ERROR_RING },
		{ ENGINE_RING, 3, 0, FERRY_DMA_ERROR_RING },
		{ ENGINE_RING, 131072, 0, FERRY_DMA_ERROR_RING },
		{ ENGINE_RING, ~0U, 0, FERRY_DMA_ERROR_RING },
		{ ENGINE_RING + 32, 4, 0, FERRY_DMA_ERROR_RING },
		{ -64ULL, 2, 1, FERRY_DMA_ERROR_RING },
		{ -128ULL, 2, 1, FERRY_DMA_ERROR_FETCH },
		{ 0, 2, 1, FERRY_DMA_ERROR_FETCH },
		{ ENGINE_RING, 64, 64, FERRY_DMA_ERROR_TAIL },
		{ ENGINE_RING, 64, ~0U, FERRY_DMA_ERROR_TAIL },
	};
	struct engine *e = &self->e;
	int fds[2] = { -1, efd_new() };
	unsigned int i;

	ASSERT_EQ(0, irq_attach(&e->v, MSIX, 0, 2, fds));
	engine_set(e, FERRY_DMA_ERROR_VECTOR, 1);
	engine_set(e, FERRY_DMA_ERROR_VECTOR, 32);
	EXPECT_EQ(1, engine_get(e, FERRY_DMA_ERROR_VECTOR));
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		engine_stop(e);
		engine_set(e, FERRY_DMA_RING_LO, (__u32)tries[i].ring);
		engine_set(e, FERRY_DMA_RING_HI, tries[i].ring >> 32);
		engine_set(e, FERRY_DMA_RING_SIZE, tries[i].size);
		engine_set(e, FERRY_DMA_CONTROL, FERRY_DMA_CTRL_ENABLE);
		if (tries[i].tail)
			engine_set(e, FERRY_DMA_TAIL, tries[i].tail);
		EXPECT_EQ(1, efd_wait(fds[1])) {
			TH_LOG("try %u", i);
		}
		EXPECT_EQ(tries[i].error, engine_get(e, FERRY_DMA_ERROR)) {
			TH_LOG("try %u", i);
		}
		EXPECT_EQ(FERRY_DMA_STATUS_HALTED,
			  engine_get(e, FERRY_DMA_STATUS));
	}
	EXPECT_EQ(FERRY_DMA_INT_HALT, engine_get(e, FERRY_DMA_INT_STATUS));
	/* It is as good as new. */
	engine_stop(e);
	engine_start(e, 0);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, NOP, 0, 0, 0, 0, 0));
	/* What is on keeps its ring. */
	engine_set(e, FERRY_DMA_RING_SIZE, 2);
	EXPECT_EQ(RING, engine_get(e, FERRY_DMA_RING_SIZE));
	close(fds[1]);
}

/* Many times round, and descriptors that the engine itself overwrites. */
TEST_F(dma, ring)
{
	struct engine *e = &self->e;
	struct ferry_dma_desc *desc;
	unsigned int i;

	for (i = 0; i < 5 * RING; i++) {
		desc = engine_next(e, FILL, 0);
		desc->dst = M + i;
		desc->length = 1;
		desc->arg = i & 0xff;
		engine_doorbell(e);
	}
	EXPECT_EQ(FERRY_DMA_S_OK, engine_wait(desc));
	engine_settle(e);
	for (i = 0; i < 5 * RING; i++)
		EXPECT_EQ(i & 0xff, e->memory[i]);
	EXPECT_EQ(5 * RING, engine_get(e, FERRY_DMA_COUNT));
	EXPECT_EQ(e->tail, engine_get(e, FERRY_DMA_HEAD));

	/* Every descriptor becomes a copy of the first, which goes on like that. */
	engine_stop(e);
	engine_start(e, 0);
	desc = engine_next(e, COPY, 0);
	desc->src = ENGINE_RING;
	desc->dst = ENGINE_RING + 64;
	desc->length = 64 * (RING - 1);
	for (i = 1; i < RING - 1; i++)
		desc = engine_next(e, NOP, 0);
	engine_doorbell(e);
	while (engine_get(e, FERRY_DMA_COUNT) < 6 * RING - 1)
		sched_yield();
	EXPECT_EQ(0, engine_get(e, FERRY_DMA_ERROR));
	EXPECT_EQ(RING - 1, engine_get(e, FERRY_DMA_HEAD));
}

TEST_F(dma, messages)
{
	static const __u32 kinds[] = { MSI, MSIX };
	struct engine *e = &self->e;
	struct ferry_dma_desc *desc;
	int fds[32];
	unsigned int i, k;

	for (i = 0; i < 32; i++)
		fds[i] = efd_new();
	for (k = 0; k < 2; k++) {
		ASSERT_EQ(0, irq_attach(&e->v, kinds[k], 0, 32, fds));
		for (i = 0; i < 32; i++) {
			desc = engine_next(e, i & 1 ? IRQ : NOP,
					   i & 2 ? FERRY_DMA_F_IRQ : 0);
			desc->vector = i;
		}
		engine_doorbell(e);
		EXPECT_EQ(FERRY_DMA_S_OK, engine_wait(desc));
		EXPECT_EQ(1, efd_wait(fds[31]));
		for (i = 0; i < 31; i++)
			EXPECT_EQ(!!(i & 3), efd_take(fds[i]));
		engine_set(e, FERRY_DMA_RAISE, 17);
		EXPECT_EQ(1, efd_take(fds[17]));
		engine_set(e, FERRY_DMA_RAISE, 32);
		engine_set(e, FERRY_DMA_RAISE, ~0U);
		EXPECT_EQ(0, irq_disable(&e->v, kinds[k]));
	}
	for (i = 0; i < 32; i++)
		EXPECT_EQ(0, efd_take(fds[i]));
}

TEST_F(dma, intx)
{
	struct engine *e = &self->e;

	ASSERT_EQ(0, irq_attach_one(&e->v, INTX, 0, self->efd));
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, NOP, FERRY_DMA_F_IRQ, 0, 0, 0,
					     0));
	while (!engine_get(e, FERRY_DMA_INT_STATUS))
		sched_yield();
	EXPECT_EQ(0, efd_take(self->efd));
	engine_set(e, FERRY_DMA_INT_ENABLE, FERRY_DMA_INT_DONE);
	EXPECT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(FERRY_DMA_INT_DONE, engine_get(e, FERRY_DMA_INT_STATUS));
	/* It is a level. */
	EXPECT_EQ(0, irq_act(&e->v, INTX, VFIO_IRQ_SET_ACTION_UNMASK));
	EXPECT_EQ(1, efd_wait(self->efd));
	engine_set(e, FERRY_DMA_INT_STATUS, FERRY_DMA_INT_DONE);
	EXPECT_EQ(0, irq_act(&e->v, INTX, VFIO_IRQ_SET_ACTION_UNMASK));
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, IRQ, 0, 0, 0, 0, 0));
	EXPECT_EQ(1, efd_wait(self->efd));
}

TEST_F(dma, doorbell_page)
{
	struct engine *e = &self->e;
	struct ferry_dma_desc *desc;
	unsigned int i;
	void *map;

	ASSERT_EQ(0, region_map(&e->v, BAR2, 0, FERRY_DMA_MEM_SIZE, RW,
				MAP_SHARED, &map));
	engine_stop(e);
	engine_start(e, FERRY_DMA_CTRL_POLL);
	for (i = 0; i < 2 * RING; i++) {
		desc = engine_next(e, NOP, 0);
		EXPECT_TRUE(map_write32(map, FERRY_DMA_MEM_DOORBELL, e->tail));
		EXPECT_EQ(FERRY_DMA_S_OK, engine_wait(desc));
	}
	EXPECT_TRUE(map_write32(map, FERRY_DMA_MEM_DOORBELL, RING));
	while (!(engine_get(e, FERRY_DMA_STATUS) & FERRY_DMA_STATUS_HALTED))
		sched_yield();
	EXPECT_EQ(FERRY_DMA_ERROR_TAIL, engine_get(e, FERRY_DMA_ERROR));
	munmap(map, FERRY_DMA_MEM_SIZE);
}

TEST_F(dma, injected_errors)
{
	struct engine *e = &self->e;
	unsigned int i;

	ASSERT_EQ(0, irq_attach_one(&e->v, MSIX, 0, self->efd));
	engine_set(e, FERRY_DMA_FAULT_COUNT, 2);
	engine_set(e, FERRY_DMA_FAULT,
		   ~(FERRY_DMA_FAULT_STUCK | FERRY_DMA_FAULT_LOST |
		     FERRY_DMA_FAULT_BUSY | FERRY_DMA_FAULT_DAMAGE));
	EXPECT_EQ(FERRY_DMA_FAULT_ERROR | FERRY_DMA_FAULT_LATE,
		  engine_get(e, FERRY_DMA_FAULT));
	memset(e->memory, 1, 8);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i < 2 ? FERRY_DMA_S_INJECTED : FERRY_DMA_S_OK,
			  engine_run(e, FILL, FERRY_DMA_F_IRQ, 0, M, 8, 0));
		EXPECT_EQ(1, efd_wait(self->efd));
		EXPECT_EQ(i < 2, e->memory[0]);
	}
	EXPECT_EQ(0, engine_get(e, FERRY_DMA_FAULT));
	EXPECT_EQ(0, engine_get(e, FERRY_DMA_FAULT_COUNT));

	/* Two interrupts get lost; the third one comes. */
	engine_set(e, FERRY_DMA_FAULT_COUNT, 2);
	engine_set(e, FERRY_DMA_FAULT, FERRY_DMA_FAULT_LOST);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, NOP, FERRY_DMA_F_IRQ,
						     0, 0, 0, 0));
	EXPECT_EQ(1, efd_wait(self->efd));
	engine_set(e, FERRY_DMA_FAULT_COUNT, FERRY_DMA_FAULT_FOREVER);
	engine_set(e, FERRY_DMA_FAULT, FERRY_DMA_FAULT_ERROR);
	for (i = 0; i < 10; i++)
		EXPECT_EQ(FERRY_DMA_S_INJECTED, engine_run(e, NOP, 0, 0, 0, 0,
							   0));
	EXPECT_EQ(FERRY_DMA_FAULT_FOREVER,
		  engine_get(e, FERRY_DMA_FAULT_COUNT));
}

TEST_F(dma, stuck)
{
	struct engine *e = &self->e;
	struct ferry_dma_desc *desc;
	int i;

	engine_set(e, FERRY_DMA_FAULT, FERRY_DMA_FAULT_STUCK);
	desc = engine_next(e, NOP, 0);
	engine_doorbell(e);
	for (i = 0; i < 100; i++) {
		EXPECT_EQ(FERRY_DMA_S_PENDING, engine_status(desc));
		sched_yield();
	}
	EXPECT_EQ(0, engine_get(e, FERRY_DMA_HEAD));
	engine_set(e, FERRY_DMA_FAULT, 0);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_wait(desc));
	engine_settle(e);

	/* In the midst of a walk without an end. */
	*(__u64 *)e->memory = M;
	desc = engine_next(e, CHASE, 0);
	desc->src = M;
	desc->arg = ~0U;
	engine_doorbell(e);
	while (!(engine_get(e, FERRY_DMA_STATUS) & FERRY_DMA_STATUS_BUSY))
		sched_yield();
	engine_set(e, FERRY_DMA_FAULT, FERRY_DMA_FAULT_STUCK);
	EXPECT_EQ(FERRY_DMA_STATUS_BUSY, engine_get(e, FERRY_DMA_STATUS));
	/* Switching it off helps. */
	engine_stop(e);
	EXPECT_EQ(FERRY_DMA_S_PENDING, engine_status(desc));
	engine_set(e, FERRY_DMA_FAULT, 0);
	engine_start(e, 0);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, NOP, 0, 0, 0, 0, 0));
}

/* No sooner than it was told; and a reset doesn't wait for it. */
TEST_F(dma, late)
{
	struct engine *e = &self->e;
	struct ferry_dma_desc *desc;

	engine_set(e, FERRY_DMA_FAULT_DELAY, ~0U);
	EXPECT_EQ(FERRY_DMA_DELAY_MAX, engine_get(e, FERRY_DMA_FAULT_DELAY));
	engine_set(e, FERRY_DMA_FAULT_DELAY, 50);
	engine_set(e, FERRY_DMA_FAULT_COUNT, 1);
	engine_set(e, FERRY_DMA_FAULT, FERRY_DMA_FAULT_LATE);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, NOP, 0, 0, 0, 0, 0));

	engine_set(e, FERRY_DMA_FAULT_DELAY, FERRY_DMA_DELAY_MAX);
	engine_set(e, FERRY_DMA_FAULT_COUNT, 1);
	engine_set(e, FERRY_DMA_FAULT, FERRY_DMA_FAULT_LATE);
	desc = engine_next(e, FILL, 0);
	desc->dst = M;
	desc->length = 1;
	desc->arg = 0x99;
	e->memory[0] = 0;
	engine_doorbell(e);
	while (__atomic_load_n(&e->memory[0], __ATOMIC_ACQUIRE) != 0x99)
		sched_yield();
	EXPECT_EQ(FERRY_DMA_S_PENDING, engine_status(desc));
	ASSERT_EQ(0, vdev_reset(&e->v));
	EXPECT_EQ(FERRY_DMA_S_PENDING, engine_status(desc));
	EXPECT_EQ(0, engine_get(e, FERRY_DMA_STATUS));
	engine_start(e, 0);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, NOP, 0, 0, 0, 0, 0));
}

/* All vectors that there can be. */
TEST(dma_2048)
{
	const char *missing = device_missing("dma-2048");
	struct ferry_dma_desc *desc;
	struct engine e;
	int first = efd_new(), last = efd_new();

	if (missing)
		SKIP(return, "%s", missing);
	mdev_remove_ours();
	ASSERT_EQ(0, engine_open(&e, "dma-2048", 1, false, RING, PAGE));
	EXPECT_EQ(2048, engine_get(&e, FERRY_DMA_VECTORS));
	ASSERT_EQ(0, irq_attach_one(&e.v, MSIX, 2047, last));
	ASSERT_EQ(0, irq_attach_one(&e.v, MSIX, 0, first));
	desc = engine_next(&e, IRQ, 0);
	desc->vector = 2047;
	engine_doorbell(&e);
	EXPECT_EQ(1, efd_wait(last));
	desc = engine_next(&e, IRQ, 0);
	desc->vector = 2048;
	engine_doorbell(&e);
	EXPECT_EQ(FERRY_DMA_S_VECTOR, engine_wait(desc));
	EXPECT_EQ(0, efd_take(first));
	engine_close(&e);
	mdev_remove_ours();
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
