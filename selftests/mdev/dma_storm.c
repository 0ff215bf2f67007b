// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engine at work while its memory goes away, while it is reset, closed or removed,
 * and with another engine.
 */
#include <errno.h>
#include <pthread.h>
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
#define RW	(PROT_READ | PROT_WRITE)
#define PAGE	4096UL
#define LEN	(1024 * PAGE)
#define HALF	(LEN / 2)
#define M	ENGINE_MEMORY
#define RING	64
/* Where one engine sees the other's memory. */
#define WINDOW	0x200000000ULL

#define COPY	FERRY_DMA_OP_COPY
#define FILL	FERRY_DMA_OP_FILL
#define CHASE	FERRY_DMA_OP_CHASE
#define NOP	FERRY_DMA_OP_NOP

FIXTURE(storm)
{
	struct engine e;
};

FIXTURE_VARIANT(storm)
{
	bool iommufd;
};

FIXTURE_VARIANT_ADD(storm, type1) { .iommufd = false };
FIXTURE_VARIANT_ADD(storm, iommufd) { .iommufd = true };

FIXTURE_SETUP(storm)
{
	const char *missing = device_missing("dma");

	if (missing)
		SKIP(return, "%s", missing);
	if (variant->iommufd && access("/dev/iommu", F_OK))
		SKIP(return, "this kernel has no iommufd");
	mdev_remove_ours();
	ASSERT_EQ(0, engine_open(&self->e, "dma", 1, variant->iommufd, RING,
				 LEN));
}

FIXTURE_TEARDOWN(storm)
{
	engine_close(&self->e);
	mdev_remove_ours();
}

/* The engine copies as fast as it can, the same descriptor over and over. */
static void keep_busy(struct engine *e)
{
	unsigned int i;

	engine_stop(e);
	engine_start(e, 0);
	for (i = 0; i < RING - 1; i++) {
		struct ferry_dma_desc *desc = engine_next(e, i & 1 ? FILL : COPY,
							  0);

		desc->src = M;
		desc->dst = M + HALF;
		desc->length = HALF;
		desc->arg = 0x5555555555555555ULL;
	}
	engine_doorbell(e);
}

struct unmapper {
	const struct engine *e;
	__u64 iova;
	void *memory;
	size_t len;
	int rounds;
	int ret;
};

static void *unmap_and_map(void *arg)
{
	struct unmapper *u = arg;
	int i;

	for (i = 0; i < u->rounds && !u->ret; i++) {
		u->ret = dma_unmap(&u->e->v, u->iova, u->len);
		if (!u->ret)
			u->ret = dma_map(&u->e->v, u->iova, u->memory, u->len,
					 DMA_RW);
	}
	return NULL;
}

/* Memory of its transfers, from two threads. Each ends well or says what it missed. */
TEST_F(storm, unmap)
{
	struct engine *e = &self->e;
	struct unmapper u[2];
	pthread_t thread[2];
	unsigned int i, n;

	ASSERT_EQ(0, dma_unmap(&e->v, M, LEN));
	for (n = 0; n < 2; n++) {
		u[n] = (struct unmapper){
			.e = e,
			.iova = M + n * HALF,
			.memory = e->memory + n * HALF,
			.len = HALF,
			.rounds = rounds(100),
		};
		ASSERT_EQ(0, dma_map(&e->v, u[n].iova, u[n].memory, HALF,
				     DMA_RW));
	}
	keep_busy(e);
	for (n = 0; n < 2; n++)
		ASSERT_EQ(0, pthread_create(&thread[n], NULL, unmap_and_map,
					    &u[n]));
	for (n = 0; n < 2; n++) {
		pthread_join(thread[n], NULL);
		EXPECT_EQ(0, u[n].ret);
	}
	for (i = 0; i < RING - 1; i++) {
		n = engine_wait(&e->ring[i]);
		EXPECT_TRUE(n == FERRY_DMA_S_OK || n == FERRY_DMA_S_SRC ||
			    n == FERRY_DMA_S_DST) {
			TH_LOG("status %u", n);
		}
	}
	EXPECT_EQ(0, engine_get(e, FERRY_DMA_ERROR));
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, FILL, 0, 0, M, LEN, 0));
	EXPECT_TRUE(memory_all(e->memory, 0, LEN));
}

/* The ring itself: the engine halts. */
TEST_F(storm, ring_goes)
{
	struct engine *e = &self->e;
	int i;

	for (i = 0; i < rounds(20); i++) {
		keep_busy(e);
		ASSERT_EQ(0, dma_unmap(&e->v, ENGINE_RING, PAGE));
		while (!(engine_get(e, FERRY_DMA_STATUS) &
			 FERRY_DMA_STATUS_HALTED))
			sched_yield();
		EXPECT_LE(FERRY_DMA_ERROR_FETCH,
			  engine_get(e, FERRY_DMA_ERROR));
		ASSERT_EQ(0, dma_map(&e->v, ENGINE_RING, e->ring, PAGE,
				     DMA_RW));
	}
}

/* Whatever was under way is over, without a trace, when the engine has been stopped. */
TEST_F(storm, stop)
{
	struct engine *e = &self->e;
	unsigned int exp = cfg_find_cap(&e->v, PCI_CAP_ID_EXP);
	int i, n;

	for (i = 0; i < rounds(60); i++) {
		keep_busy(e);
		while (!engine_get(e, FERRY_DMA_HEAD) && i % 2)
			sched_yield();
		if (i % 3 == 0) {
			engine_stop(e);
		} else if (i % 3 == 1) {
			ASSERT_EQ(0, vdev_reset(&e->v));
		} else {
			cfg_w16(&e->v, exp + PCI_EXP_DEVCTL,
				PCI_EXP_DEVCTL_BCR_FLR);
		}
		memset(e->memory, 0xaa, LEN);
		memset(e->ring, 0xaa, RING * sizeof(*e->ring));
		EXPECT_EQ(0, engine_get(e, FERRY_DMA_STATUS));
		for (n = 0; n < 5; n++) {
			ASSERT_TRUE(memory_all(e->memory, 0xaa, LEN));
			ASSERT_TRUE(memory_all((void *)e->ring, 0xaa,
					       RING * sizeof(*e->ring)));
		}
	}
	engine_start(e, 0);
	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(e, NOP, 0, 0, 0, 0, 0));
}

/* A walk in a circle for hours is no reason to wait for hours. */
TEST_F(storm, endless)
{
	struct engine *e = &self->e;
	struct ferry_dma_desc *desc;
	int i, ret = 0;

	*(__u64 *)e->memory = M;
	for (i = 0; i < rounds(20); i++) {
		desc = engine_next(e, CHASE, 0);
		desc->src = M;
		desc->arg = ~0U;
		engine_doorbell(e);
		while (!(engine_get(e, FERRY_DMA_STATUS) &
			 FERRY_DMA_STATUS_BUSY))
			sched_yield();
		if (i & 1)
			ret = vdev_reset(&e->v);
		else
			engine_stop(e);
		ASSERT_EQ(0, ret);
		EXPECT_EQ(FERRY_DMA_S_PENDING, engine_status(desc));
		engine_start(e, 0);
	}
	desc = engine_next(e, CHASE, 0);
	desc->src = M;
	desc->arg = ~0U;
	engine_doorbell(e);
}

static void *remover(void *uuid)
{
	return (void *)(long)mdev_remove(uuid);
}

TEST_F(storm, remove)
{
	struct engine *e = &self->e;
	int efd = efd_new();
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, irq_attach_one(&e->v, VFIO_PCI_REQ_IRQ_INDEX, 0, efd));
	keep_busy(e);
	ASSERT_EQ(0, pthread_create(&thread, NULL, remover, e->v.name));
	ASSERT_LE(1, efd_wait(efd));
	EXPECT_EQ(0, engine_get(e, FERRY_DMA_ERROR));
	vdev_close(&e->v);
	pthread_join(thread, &ret);
	EXPECT_EQ(NULL, ret);
	memset(e->memory, 0xaa, LEN);
	EXPECT_TRUE(memory_all(e->memory, 0xaa, LEN));
	close(efd);
}

/*
 * Each copies to the other's memory, which its user maps for it: it can't be pinned, but
 * the VFIO core copies to whatever the user has there.
 */
TEST_F(storm, peers)
{
	struct engine *e[2] = { &self->e, calloc(1, sizeof(**e)) };
	struct unmapper u[2];
	pthread_t thread[2];
	void *map[2];
	unsigned int i, n;

	ASSERT_EQ(0, engine_open(e[1], "dma", 2, variant->iommufd, RING, LEN));
	for (n = 0; n < 2; n++)
		ASSERT_EQ(0, region_map(&e[n]->v, BAR2, 0, FERRY_DMA_MEM_SIZE,
					RW, MAP_SHARED, &map[n]));
	for (n = 0; n < 2; n++)
		ASSERT_EQ(0, dma_map(&e[n]->v, WINDOW, map[!n],
				     FERRY_DMA_MEM_SIZE, DMA_RW));
	for (n = 0; n < 2; n++) {
		memset(e[n]->memory, 0x11 + n, FERRY_DMA_MEM_SIZE);
		EXPECT_EQ(FERRY_DMA_S_OK,
			  engine_run(e[n], COPY, 0, M,
				     WINDOW + FERRY_DMA_MEM_DATA,
				     FERRY_DMA_MEM_SIZE - FERRY_DMA_MEM_DATA,
				     0));
		EXPECT_TRUE(memory_all((__u8 *)map[!n] + FERRY_DMA_MEM_DATA, 0x11 + n,
				       FERRY_DMA_MEM_SIZE - FERRY_DMA_MEM_DATA));
		EXPECT_TRUE(memory_all(map[!n], 0, FERRY_DMA_MEM_DATA));
	}

	/* While both are at it their windows go, they are reset, and so on. */
	for (n = 0; n < 2; n++) {
		u[n] = (struct unmapper){
			.e = e[n],
			.iova = WINDOW,
			.memory = map[!n],
			.len = FERRY_DMA_MEM_SIZE,
			.rounds = rounds(100),
		};
		ASSERT_EQ(0, pthread_create(&thread[n], NULL, unmap_and_map,
					    &u[n]));
	}
	for (i = 0; i < (unsigned int)rounds(100); i++) {
		for (n = 0; n < 2; n++) {
			struct ferry_dma_desc *desc =
				engine_next(e[n], COPY, 0);

			desc->src = WINDOW;
			desc->dst = WINDOW + FERRY_DMA_MEM_SIZE / 2;
			desc->length = FERRY_DMA_MEM_SIZE / 2;
			engine_doorbell(e[n]);
		}
		cfg_command(&e[i & 1]->v, PCI_COMMAND_MEMORY, 0);
		cfg_command(&e[i & 1]->v, 0, PCI_COMMAND_MEMORY);
		if (i % 10 == 0) {
			ASSERT_EQ(0, vdev_reset(&e[i / 10 & 1]->v));
			engine_start(e[i / 10 & 1], 0);
		}
	}
	for (n = 0; n < 2; n++) {
		pthread_join(thread[n], NULL);
		EXPECT_EQ(0, u[n].ret);
	}
	for (n = 0; n < 2; n++)
		EXPECT_EQ(FERRY_DMA_S_OK,
			  engine_run(e[n], COPY, 0, M, WINDOW, PAGE, 0));

	/* A peer that has gone is memory that has gone. */
	for (n = 0; n < 2; n++)
		munmap(map[n], FERRY_DMA_MEM_SIZE);
	EXPECT_EQ(FERRY_DMA_S_DST, engine_run(e[0], COPY, 0, M, WINDOW, PAGE,
					      0));
	engine_close(e[1]);
	free(e[1]);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
