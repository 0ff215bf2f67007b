// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engine moves, in the midst of what it does: the target goes on where the source
 * has stopped, on memory that came along.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../include/uapi/ferry/dma.h"
#include "../../include/uapi/ferry/migration.h"
#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define LEN	(16UL << 20)
#define HALF	(LEN / 2)
#define M	ENGINE_MEMORY
#define RING	64
#define STATE(name)	VFIO_DEVICE_STATE_##name

FIXTURE(dma_migration)
{
	struct engine from;
	struct engine to;
	void *stream;
	ssize_t len;
};

FIXTURE_SETUP(dma_migration)
{
	const char *missing = device_missing("dma");

	if (missing)
		SKIP(return, "%s", missing);
	mdev_remove_ours();
	ASSERT_EQ(0, engine_open(&self->from, "dma", 1, false, RING, LEN));
	ASSERT_EQ(0, engine_open(&self->to, "dma", 2, false, RING, LEN));
}

FIXTURE_TEARDOWN(dma_migration)
{
	free(self->stream);
	engine_close(&self->from);
	engine_close(&self->to);
	mdev_remove_ours();
}

/* 0 or a negative errno; memory goes along when the source has stopped. */
static int move(FIXTURE_DATA(dma_migration) * self)
{
	free(self->stream);
	self->stream = NULL;
	self->len = migration_save(&self->from.v, &self->stream);
	if (self->len < 0)
		return self->len;
	memcpy(self->to.ring, self->from.ring,
	       RING * sizeof(*self->from.ring));
	memcpy(self->to.memory, self->from.memory, LEN);
	self->to.tail = self->from.tail;
	return migration_load(&self->to.v, self->stream, self->len,
			      STATE(RUNNING));
}

TEST_F(dma_migration, registers)
{
	const __u32 regs[] = {
		FERRY_DMA_CONTROL, FERRY_DMA_ERROR, FERRY_DMA_RING_LO,
		FERRY_DMA_RING_HI, FERRY_DMA_RING_SIZE, FERRY_DMA_HEAD,
		FERRY_DMA_TAIL, FERRY_DMA_COUNT, FERRY_DMA_INT_STATUS,
		FERRY_DMA_INT_ENABLE, FERRY_DMA_ERROR_VECTOR, FERRY_DMA_FAULT,
		FERRY_DMA_FAULT_COUNT, FERRY_DMA_FAULT_DELAY,
	};
	int efd = efd_new();
	size_t i;

	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(&self->from, FERRY_DMA_OP_NOP, 0,
					     0, 0, 0, 0));
	engine_set(&self->from, FERRY_DMA_INT_ENABLE, FERRY_DMA_INT_RAISE);
	engine_set(&self->from, FERRY_DMA_RAISE, 3);
	engine_set(&self->from, FERRY_DMA_ERROR_VECTOR, 7);
	engine_set(&self->from, FERRY_DMA_FAULT_DELAY, 1234);
	engine_set(&self->from, FERRY_DMA_FAULT_COUNT, 99);
	engine_set(&self->from, FERRY_DMA_FAULT, FERRY_DMA_FAULT_LOST);
	region_w32(&self->from.v, VFIO_PCI_BAR2_REGION_INDEX, 4096, 0x600d);
	ASSERT_EQ(0, irq_attach_one(&self->to.v, VFIO_PCI_INTX_IRQ_INDEX, 0,
				    efd));
	ASSERT_EQ(0, move(self));
	for (i = 0; i < ARRAY_SIZE(regs); i++)
		EXPECT_EQ(engine_get(&self->from, regs[i]),
			  engine_get(&self->to, regs[i])) {
			TH_LOG("register 0x%x", regs[i]);
		}
	EXPECT_EQ(1, engine_get(&self->to, FERRY_DMA_COUNT));
	EXPECT_EQ(1234, engine_get(&self->to, FERRY_DMA_FAULT_DELAY));
	EXPECT_EQ(0x600d, region_r32(&self->to.v, VFIO_PCI_BAR2_REGION_INDEX,
				     4096));
	/* What the device has to say it says there. */
	EXPECT_EQ(1, efd_wait(efd));
	close(efd);
}

/* A copy, and a sum of what it has copied; stopped anywhere, over and over. */
TEST_F(dma_migration, midst)
{
	struct ferry_dma_desc *copy, *sum;
	int i, n = rounds(20), busy = 0;
	__u32 want;
	size_t at;

	for (at = 0; at < HALF; at += sizeof(__u32))
		*(__u32 *)(self->from.memory + at) = at * 2654435761u;
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(&self->from, FERRY_DMA_OP_CRC32, 0,
					     M, 0, HALF, 0));
	want = engine_last(&self->from)->result;
	for (i = 0; i < n; i++) {
		memset(self->from.memory + HALF, 0, HALF);
		copy = engine_next(&self->from, FERRY_DMA_OP_COPY, 0);
		copy->src = M;
		copy->dst = M + HALF;
		copy->length = HALF;
		sum = engine_next(&self->from, FERRY_DMA_OP_CRC32, 0);
		sum->src = M + HALF;
		sum->length = HALF;
		engine_doorbell(&self->from);
		usleep(500 * i);
		ASSERT_EQ(0, move(self));
		busy += !engine_status(sum);
		sum = self->to.ring + (sum - self->from.ring);
		EXPECT_EQ(FERRY_DMA_S_OK, engine_wait(sum));
		EXPECT_EQ(want, sum->result) {
			TH_LOG("round %d", i);
		}
		EXPECT_EQ(0, memcmp(self->to.memory, self->to.memory + HALF,
				    HALF));
		/* The source can go on, too, if its user wants that. */
		ASSERT_EQ(-1, migration_to(&self->from.v, STATE(RUNNING)));
		sum = self->from.ring + (sum - self->to.ring);
		EXPECT_EQ(FERRY_DMA_S_OK, engine_wait(sum));
		EXPECT_EQ(want, sum->result);
	}
	TH_LOG("%d of %d moves in the midst of it", busy, n);
	EXPECT_LT(0, busy);
}

/* A completion that is late is late there. */
TEST_F(dma_migration, late)
{
	struct ferry_dma_desc *desc;

	engine_set(&self->from, FERRY_DMA_FAULT_DELAY, FERRY_DMA_DELAY_MAX);
	engine_set(&self->from, FERRY_DMA_FAULT_COUNT, 1);
	engine_set(&self->from, FERRY_DMA_FAULT, FERRY_DMA_FAULT_LATE);
	desc = engine_next(&self->from, FERRY_DMA_OP_NOP, 0);
	engine_doorbell(&self->from);
	while (!(engine_get(&self->from, FERRY_DMA_STATUS) &
		 FERRY_DMA_STATUS_BUSY))
		usleep(1000);
	ASSERT_EQ(0, move(self));
	desc = self->to.ring + (desc - self->from.ring);
	EXPECT_EQ(FERRY_DMA_S_PENDING, engine_status(desc));
	EXPECT_TRUE(engine_get(&self->to, FERRY_DMA_STATUS) &
		    FERRY_DMA_STATUS_BUSY);
	/* With less patience it comes. */
	engine_set(&self->to, FERRY_DMA_FAULT_DELAY, 0);
	engine_doorbell(&self->to);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_wait(desc));
}

/* The state can't be had: the guest goes on. */
TEST_F(dma_migration, busy)
{
	engine_set(&self->from, FERRY_DMA_FAULT, FERRY_DMA_FAULT_BUSY);
	EXPECT_EQ(-EBUSY - 1, migration_to(&self->from.v, STATE(STOP_COPY)));
	EXPECT_EQ(-1, migration_to(&self->from.v, STATE(RUNNING)));
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(&self->from, FERRY_DMA_OP_NOP, 0,
					     0, 0, 0, 0));
	engine_set(&self->from, FERRY_DMA_FAULT, 0);
	EXPECT_EQ(0, move(self));
}

TEST_F(dma_migration, damage)
{
	engine_set(&self->from, FERRY_DMA_FAULT, FERRY_DMA_FAULT_DAMAGE);
	EXPECT_EQ(-EINVAL, move(self));
	EXPECT_EQ(0, vdev_reset(&self->to.v));
	engine_start(&self->to, 0);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(&self->to, FERRY_DMA_OP_NOP, 0,
					     0, 0, 0, 0));
	EXPECT_EQ(-1, migration_to(&self->from.v, STATE(RUNNING)));
}

/*
 * Every byte of a job in the midst of things changed, and sealed again: it is refused, or
 * the engine does what a guest could have asked it to do, and survives that.
 */
TEST_F(dma_migration, scribbled)
{
	__u64 len;
	__u8 *state;
	size_t i;
	int ret;

	engine_set(&self->from, FERRY_DMA_FAULT, FERRY_DMA_FAULT_STUCK);
	engine_next(&self->from, FERRY_DMA_OP_COPY, 0)->length = HALF;
	engine_doorbell(&self->from);
	self->len = migration_save(&self->from.v, &self->stream);
	ASSERT_LT(0, self->len);
	state = migration_section(self->stream, FERRY_MIGRATION_MODEL, &len);
	ASSERT_EQ(183, len);
	for (i = 0; i < len; i++) {
		state[i] ^= 0xff;
		migration_seal(self->stream, self->len);
		ret = migration_load(&self->to.v, self->stream, self->len,
				     STATE(RUNNING));
		EXPECT_TRUE(!ret || ret == -EINVAL) {
			TH_LOG("byte %zu: %d", i, ret);
		}
		state[i] ^= 0xff;
		ASSERT_EQ(0, vdev_reset(&self->to.v));
	}
	migration_seal(self->stream, self->len);
	EXPECT_EQ(0, migration_load(&self->to.v, self->stream, self->len,
				    STATE(RUNNING)));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
