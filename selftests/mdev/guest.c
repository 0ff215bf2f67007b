// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device may do with the memory of its user: copies, pages that it pins, and
 * what happens when the user takes memory away meanwhile.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define PAGE	4096UL
#define MEMORY	(256 * PAGE)
#define IOVA	0x100000000ULL

#define COMMAND		0x00
#define SOURCE		0x08
#define DESTINATION	0x10
#define LENGTH		0x18
#define ERROR		0x20
#define ROUNDS		0x28
#define CALLS		0x30

#define COPY		1
#define PIN_COPY	2
#define PIN_FILL	3
#define AGAIN		0x100

FIXTURE(guest)
{
	struct vdev v;
	char uuid[FERRY_NAME_MAX];
	__u8 *memory;
};

FIXTURE_VARIANT(guest)
{
	bool iommufd;
};

FIXTURE_VARIANT_ADD(guest, type1) { .iommufd = false };
FIXTURE_VARIANT_ADD(guest, iommufd) { .iommufd = true };

static void *pages(size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static int open_instance(struct vdev *v, unsigned int n, bool iommufd)
{
	char type[512], uuid[FERRY_NAME_MAX];
	int ret;

	mdev_uuid(n, uuid);
	ret = mdev_type_find("guest", type, sizeof(type));
	if (!ret)
		ret = mdev_create(type, uuid);
	if (!ret)
		ret = iommufd ? vdev_open_iommufd(v, "mdev", uuid) :
				vdev_open(v, "mdev", uuid);
	if (!ret)
		cfg_command(v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return ret;
}

FIXTURE_SETUP(guest)
{
	const char *missing = device_missing("guest");

	if (missing)
		SKIP(return, "%s", missing);
	if (variant->iommufd && access("/dev/iommu", F_OK))
		SKIP(return, "this kernel has no iommufd");
	mdev_remove_ours();
	mdev_uuid(1, self->uuid);
	ASSERT_EQ(0, open_instance(&self->v, 1, variant->iommufd));
	self->memory = pages(MEMORY);
	ASSERT_NE(MAP_FAILED, self->memory);
	ASSERT_EQ(0, dma_map(&self->v, IOVA, self->memory, MEMORY, DMA_RW));
}

FIXTURE_TEARDOWN(guest)
{
	vdev_close(&self->v);
	munmap(self->memory, MEMORY);
	mdev_remove_ours();
}

static void begin(const struct vdev *v, __u64 command, __u64 src, __u64 dst,
		  __u64 len)
{
	region_w64(v, BAR0, SOURCE, src);
	region_w64(v, BAR0, DESTINATION, dst);
	region_w64(v, BAR0, LENGTH, len);
	region_w64(v, BAR0, COMMAND, command);
}

/* Waits for the end of a command; the errno it ended with, negative. */
static int end(const struct vdev *v)
{
	while (region_r64(v, BAR0, COMMAND))
		sched_yield();
	return (__s64)region_r64(v, BAR0, ERROR);
}

/* Pages can't be pinned for a while after some have been taken away. */
static int run(const struct vdev *v, __u64 command, __u64 src, __u64 dst,
	       __u64 len)
{
	int ret;

	do {
		begin(v, command, src, dst, len);
		ret = end(v);
	} while (ret == -EAGAIN);
	return ret;
}

/* Waits until a command that is repeated has been done this many times more. */
static void some_rounds(const struct vdev *v, unsigned int more)
{
	__u64 until = region_r64(v, BAR0, ROUNDS) + more;

	while (region_r64(v, BAR0, ROUNDS) < until)
		sched_yield();
}

/* Ends a command that is repeated, by another one. */
static void stop(const struct vdev *v)
{
	begin(v, PIN_FILL, 0, IOVA, 1);
	end(v);
}

/* Every alignment and length: nothing is missing, and nothing beside it is touched. */
TEST_F(guest, copy)
{
	static const struct {
		unsigned int from, to, len;
	} tries[] = {
		{ 0, 0, 1 }, { 1, 2, 3 }, { 0, 0, PAGE }, { 0, 0, 2 * PAGE },
		{ PAGE - 1, 0, 2 }, { 0, PAGE - 1, 2 }, { 5, 9, PAGE },
		{ PAGE - 1, PAGE - 1, PAGE + 2 }, { 1, PAGE - 3, 7 * PAGE + 1 },
		{ 17, 0, 100 * PAGE }, { 0, 4095, 100 * PAGE - 4095 },
	};
	const size_t half = MEMORY / 2;
	__u8 *dst = self->memory + half;
	unsigned int i, command;

	for (command = COPY; command <= PIN_COPY; command++) {
		for (i = 0; i < ARRAY_SIZE(tries); i++) {
			memory_scribble(self->memory, half);
			memset(dst, 0xee, half);
			ASSERT_EQ(0, run(&self->v, command,
					 IOVA + tries[i].from,
					 IOVA + half + tries[i].to,
					 tries[i].len)) {
				TH_LOG("command %u, try %u", command, i);
			}
			EXPECT_EQ(0, memcmp(self->memory + tries[i].from,
					    dst + tries[i].to, tries[i].len));
			EXPECT_TRUE(memory_all(dst, 0xee, tries[i].to));
			dst += tries[i].to + tries[i].len;
			EXPECT_TRUE(memory_all(dst, 0xee, self->memory + MEMORY - dst));
			dst = self->memory + half;
		}
	}
}

/* Two mappings side by side are one range to the device. */
TEST_F(guest, mappings_side_by_side)
{
	__u8 *more = pages(2 * PAGE);
	unsigned int command;

	ASSERT_EQ(0, dma_map(&self->v, IOVA + MEMORY, more + PAGE, PAGE,
			     DMA_RW));
	ASSERT_EQ(0, dma_map(&self->v, IOVA + MEMORY + PAGE, more, PAGE,
			     DMA_RW));
	for (command = COPY; command <= PIN_COPY; command++) {
		memory_scribble(self->memory, 2 * PAGE);
		memset(more, 0, 2 * PAGE);
		EXPECT_EQ(0, run(&self->v, command, IOVA,
				 IOVA + MEMORY - 100, PAGE + 200));
		EXPECT_EQ(0, memcmp(self->memory, self->memory + MEMORY - 100,
				    100));
		EXPECT_EQ(0, memcmp(self->memory + 100, more + PAGE, PAGE));
		EXPECT_EQ(0, memcmp(self->memory + 100 + PAGE, more, 100));
		EXPECT_TRUE(memory_all(more + 100, 0, PAGE - 100));
	}
	EXPECT_EQ(0, dma_unmap(&self->v, IOVA + MEMORY, 2 * PAGE));
	munmap(more, 2 * PAGE);
}

TEST_F(guest, unmapped)
{
	static const struct {
		__u64 from, to, len;
	} tries[] = {
		{ 0, IOVA, 1 }, { IOVA, 0, 1 }, { IOVA, IOVA - 1, 1 },
		{ IOVA + MEMORY, IOVA, 1 }, { IOVA, IOVA + MEMORY, 1 },
		{ IOVA + MEMORY - 1, IOVA, 2 }, { IOVA, IOVA + MEMORY - 1, 2 },
		{ IOVA - 1, IOVA, 2 }, { IOVA, IOVA - 1, 2 },
		/* The last byte that there is, and what comes after it. */
		{ ~0ULL, IOVA, 1 }, { ~0ULL, IOVA, 2 }, { IOVA, ~0ULL, 2 },
		{ IOVA, -PAGE, 2 * PAGE }, { -PAGE, IOVA, 2 * PAGE },
		{ IOVA, IOVA, ~0ULL }, { 0, 0, ~0ULL },
	};
	unsigned int i, command;

	for (command = COPY; command <= PIN_COPY; command++) {
		for (i = 0; i < ARRAY_SIZE(tries); i++) {
			EXPECT_EQ(-EFAULT, run(&self->v, command, tries[i].from,
					       tries[i].to, tries[i].len)) {
				TH_LOG("command %u, try %u", command, i);
			}
		}
	}
}

/* There is a mapping, but no memory of the process behind it any more. */
TEST_F(guest, nothing_behind)
{
	__u8 *gone = pages(PAGE);
	unsigned int command;

	/* iommufd maps what is there. */
	if (variant->iommufd)
		SKIP(return, "iommufd keeps the memory");
	ASSERT_EQ(0, dma_map(&self->v, PAGE, gone, PAGE, DMA_RW));
	munmap(gone, PAGE);
	for (command = COPY; command <= PIN_COPY; command++) {
		EXPECT_EQ(-EFAULT, run(&self->v, command, PAGE, IOVA, 8));
		EXPECT_EQ(-EFAULT, run(&self->v, command, IOVA, PAGE, 8));
	}
}

TEST_F(guest, read_only)
{
	__u8 *fixed = pages(PAGE);
	unsigned int command;

	memset(fixed, 0x77, PAGE);
	ASSERT_EQ(0, dma_map(&self->v, PAGE, fixed, PAGE, DMA_RO));
	for (command = COPY; command <= PIN_COPY; command++) {
		memset(self->memory, 0, PAGE);
		EXPECT_EQ(-EPERM, run(&self->v, command, IOVA, PAGE, 8));
		EXPECT_EQ(0, run(&self->v, command, PAGE, IOVA, PAGE));
		EXPECT_TRUE(memory_all(self->memory, 0x77, PAGE));
	}
	EXPECT_EQ(-EPERM, run(&self->v, PIN_FILL, 0, PAGE, PAGE));
	EXPECT_TRUE(memory_all(fixed, 0x77, PAGE));
	munmap(fixed, PAGE);
}

/* What the user has got back is his alone. */
TEST_F(guest, gone_is_gone)
{
	unsigned int i, n;

	for (i = 0; i < (unsigned int)rounds(20); i++) {
		begin(&self->v, PIN_FILL | AGAIN, 0x55, IOVA, MEMORY);
		some_rounds(&self->v, 2);
		ASSERT_EQ(0, dma_unmap(&self->v, IOVA, MEMORY));
		memset(self->memory, 0xaa, MEMORY);
		for (n = 0; n < 10; n++) {
			ASSERT_TRUE(memory_all(self->memory, 0xaa, MEMORY));
			some_rounds(&self->v, 1);
		}
		ASSERT_EQ(0, dma_map(&self->v, IOVA, self->memory, MEMORY,
				     DMA_RW));
	}
	stop(&self->v);
	EXPECT_EQ(0, run(&self->v, PIN_FILL, 0x55, IOVA, MEMORY));
	EXPECT_TRUE(memory_all(self->memory, 0x55, MEMORY));
}

struct storm {
	const struct vdev *v;
	__u64 iova;
	void *memory;
	int rounds;
	int ret;
};

static void *unmapper(void *arg)
{
	struct storm *s = arg;
	int i;

	for (i = 0; i < s->rounds && !s->ret; i++) {
		s->ret = dma_unmap(s->v, s->iova, MEMORY / 4);
		if (!s->ret)
			s->ret = dma_map(s->v, s->iova, s->memory, MEMORY / 4,
					 DMA_RW);
	}
	return NULL;
}

/* Two threads take memory away and give it back, while the device has it pinned. */
TEST_F(guest, storm)
{
	static const unsigned int commands[] = { PIN_FILL, PIN_COPY, COPY };
	unsigned int i, n;
	struct storm s[2];
	pthread_t thread[2];

	ASSERT_EQ(0, dma_unmap(&self->v, IOVA, MEMORY));
	for (n = 0; n < 4; n++)
		ASSERT_EQ(0, dma_map(&self->v, IOVA + n * MEMORY / 4,
				     self->memory + n * MEMORY / 4, MEMORY / 4,
				     DMA_RW));
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		begin(&self->v, commands[i] | AGAIN, IOVA, IOVA + MEMORY / 2,
		      MEMORY / 2);
		some_rounds(&self->v, 2);
		for (n = 0; n < 2; n++) {
			s[n] = (struct storm){
				.v = &self->v,
				.iova = IOVA + MEMORY / 2 + n * MEMORY / 4,
				.memory = self->memory + MEMORY / 2 +
					  n * MEMORY / 4,
				.rounds = rounds(200),
			};
			ASSERT_EQ(0, pthread_create(&thread[n], NULL, unmapper,
						    &s[n]));
		}
		for (n = 0; n < 2; n++) {
			pthread_join(thread[n], NULL);
			EXPECT_EQ(0, s[n].ret);
		}
		stop(&self->v);
	}
	EXPECT_EQ(0, run(&self->v, PIN_FILL, 9, IOVA, MEMORY));
	EXPECT_TRUE(memory_all(self->memory, 9, MEMORY));
}

/* After a reset the device is quiet, however it comes. */
TEST_F(guest, reset_at_work)
{
	unsigned int exp = cfg_find_cap(&self->v, PCI_CAP_ID_EXP);
	int i, n;

	for (i = 0; i < rounds(50); i++) {
		begin(&self->v, (i & 2 ? COPY : PIN_FILL) | AGAIN, IOVA,
		      IOVA + MEMORY / 2, MEMORY / 2);
		some_rounds(&self->v, 1);
		if (i & 1) {
			cfg_w16(&self->v, exp + PCI_EXP_DEVCTL,
				PCI_EXP_DEVCTL_BCR_FLR);
		} else {
			ASSERT_EQ(0, vdev_reset(&self->v));
		}
		memset(self->memory, 0xaa, MEMORY);
		EXPECT_EQ(0, region_r64(&self->v, BAR0, COMMAND));
		for (n = 0; n < 10; n++) {
			ASSERT_TRUE(memory_all(self->memory, 0xaa, MEMORY));
			sched_yield();
		}
		EXPECT_EQ(0, region_r64(&self->v, BAR0, ROUNDS));
	}
}

static void *resetter(void *arg)
{
	struct storm *s = arg;
	int i;

	for (i = 0; i < s->rounds && !s->ret; i++)
		s->ret = vdev_reset(s->v);
	return NULL;
}

/* Two threads reset a device that a third keeps busy. */
TEST_F(guest, resets_at_work)
{
	struct storm s[2];
	pthread_t thread[2];
	int i, n;

	for (n = 0; n < 2; n++) {
		s[n] = (struct storm){ .v = &self->v, .rounds = rounds(200) };
		ASSERT_EQ(0, pthread_create(&thread[n], NULL, resetter, &s[n]));
	}
	for (i = 0; i < rounds(200); i++)
		begin(&self->v, PIN_COPY | AGAIN, IOVA, IOVA + MEMORY / 2,
		      MEMORY / 2);
	for (n = 0; n < 2; n++) {
		pthread_join(thread[n], NULL);
		EXPECT_EQ(0, s[n].ret);
	}
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0, run(&self->v, PIN_FILL, 9, IOVA, MEMORY));
	EXPECT_TRUE(memory_all(self->memory, 9, MEMORY));
}

/* A device that is closed touches nothing, although what it may touch is still there. */
TEST_F(guest, close_at_work)
{
	int i, n;

	if (variant->iommufd)
		SKIP(return, "closing takes the mappings along");
	for (i = 0; i < rounds(50); i++) {
		begin(&self->v, (i & 1 ? COPY : PIN_FILL) | AGAIN, IOVA,
		      IOVA + MEMORY / 2, MEMORY / 2);
		some_rounds(&self->v, 1);
		close(self->v.fd);
		memset(self->memory, 0xaa, MEMORY);
		for (n = 0; n < 10; n++) {
			ASSERT_TRUE(memory_all(self->memory, 0xaa, MEMORY));
			sched_yield();
		}
		self->v.fd = vdev_open_again(&self->v);
		ASSERT_LE(0, self->v.fd);
		cfg_command(&self->v, 0,
			    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
		EXPECT_EQ(0, region_r64(&self->v, BAR0, COMMAND));
	}
}

static void *remover(void *uuid)
{
	return (void *)(long)mdev_remove(uuid);
}

/* Work without an end is interrupted, so that there are workers for others. */
TEST_F(guest, turns)
{
	time_t until = time(NULL) + FERRY_TIMEOUT_MS / 1000;

	begin(&self->v, COPY | AGAIN, IOVA, IOVA + MEMORY / 2, MEMORY / 2);
	while (region_r64(&self->v, BAR0, CALLS) < 5 && time(NULL) < until)
		sched_yield();
	EXPECT_LE(5, region_r64(&self->v, BAR0, CALLS));
	some_rounds(&self->v, 2);
	stop(&self->v);
}

/* It works until its user lets go. */
TEST_F(guest, remove_at_work)
{
	int efd = efd_new();
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_REQ_IRQ_INDEX, 0, efd));
	begin(&self->v, PIN_COPY | AGAIN, IOVA, IOVA + MEMORY / 2, MEMORY / 2);
	some_rounds(&self->v, 1);
	ASSERT_EQ(0, pthread_create(&thread, NULL, remover, self->uuid));
	ASSERT_LE(1, efd_wait(efd));
	some_rounds(&self->v, 2);
	vdev_close(&self->v);
	pthread_join(thread, &ret);
	EXPECT_EQ(NULL, ret);
	memset(self->memory, 0xaa, MEMORY);
	EXPECT_TRUE(memory_all(self->memory, 0xaa, MEMORY));
	close(efd);
}

/* The memory of another instance can be copied to and from, but not pinned. */
TEST_F(guest, peer)
{
	struct vdev peer;
	void *map;

	ASSERT_EQ(0, open_instance(&peer, 2, variant->iommufd));
	ASSERT_EQ(0, region_map(&peer, BAR2, 0, 2 * PAGE,
				PROT_READ | PROT_WRITE, MAP_SHARED, &map));
	ASSERT_EQ(0, dma_map(&self->v, PAGE, map, 2 * PAGE, DMA_RW));
	memory_scribble(self->memory, 2 * PAGE);
	EXPECT_EQ(0, run(&self->v, COPY, IOVA, PAGE, 2 * PAGE));
	EXPECT_EQ(0, memcmp(self->memory, map, 2 * PAGE));
	EXPECT_EQ(0, run(&self->v, COPY, PAGE, IOVA + PAGE * 4, 2 * PAGE));
	EXPECT_EQ(0, memcmp(self->memory, self->memory + 4 * PAGE, 2 * PAGE));
	EXPECT_EQ(-EFAULT, run(&self->v, PIN_COPY, IOVA, PAGE, PAGE));

	/* Memory decoding of the peer is off: there is nothing. */
	cfg_command(&peer, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(-EFAULT, run(&self->v, COPY, IOVA, PAGE, PAGE));
	cfg_command(&peer, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(0, run(&self->v, COPY, IOVA, PAGE, PAGE));
	munmap(map, 2 * PAGE);
	vdev_close(&peer);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
