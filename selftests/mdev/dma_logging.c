// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of guest memory that a device has written to: each page that was, none that
 * wasn't, and each of them once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../include/uapi/ferry/dma.h"
#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define PAGE	4096ULL
#define PAGES	1024ULL
#define LEN	(PAGES * PAGE)
#define M	ENGINE_MEMORY
#define RING	64
#define WORDS	(PAGES / 64)

FIXTURE(dma_logging)
{
	struct engine e;
	/* One word more than anybody may touch, in front and behind. */
	__u64 bits[WORDS + 2];
};

FIXTURE_VARIANT(dma_logging)
{
	bool iommufd;
};

FIXTURE_VARIANT_ADD(dma_logging, type1) { .iommufd = false };
FIXTURE_VARIANT_ADD(dma_logging, iommufd) { .iommufd = true };

FIXTURE_SETUP(dma_logging)
{
	const char *missing = device_missing("dma");
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	if (variant->iommufd && access("/dev/iommu", F_OK))
		SKIP(return, "this kernel has no iommufd");
	mdev_remove_ours();
	ASSERT_EQ(0, engine_open(&self->e, "dma", 1, variant->iommufd, RING,
				 LEN));
	ret = logging_start(&self->e.v, M, LEN, PAGE);
	/* VFIO of 6.8 and later logs with the help of iommufd. */
	if (ret == -ENOTTY && access("/dev/iommu", F_OK))
		SKIP(return, "VFIO of this kernel can't tell what is dirty");
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(dma_logging)
{
	engine_close(&self->e);
	mdev_remove_ours();
}

static __u64 *bitmap(FIXTURE_DATA(dma_logging) * self)
{
	return self->bits + 1;
}

/* What is dirty among the engine's memory, in bits; 0 or a negative errno. */
static int report(FIXTURE_DATA(dma_logging) * self)
{
	memset(self->bits, 0, sizeof(self->bits));
	return logging_report(&self->e.v, M, LEN, PAGE, bitmap(self));
}

static bool is_dirty(const __u64 *bits, unsigned int page)
{
	return bits[page / 64] >> page % 64 & 1;
}

/* Are exactly the pages from @first to @last dirty? */
static bool only(FIXTURE_DATA(dma_logging) * self, unsigned int first,
		 unsigned int last)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (is_dirty(bitmap(self), i) != (i >= first && i <= last))
			return false;
	return !self->bits[0] && !self->bits[WORDS + 1];
}

static bool none(FIXTURE_DATA(dma_logging) * self)
{
	return only(self, 1, 0);
}

static __u32 fill(FIXTURE_DATA(dma_logging) * self, __u64 at, __u32 len)
{
	return engine_run(&self->e, FERRY_DMA_OP_FILL, 0, 0, M + at, len, 0x55);
}

TEST_F(dma_logging, what_is_written)
{
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(none(self));
	EXPECT_EQ(FERRY_DMA_S_OK, fill(self, 5 * PAGE, 1));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, 5, 5));
	/* Once. */
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(none(self));
	/* The last byte of a page and the first one of the next. */
	EXPECT_EQ(FERRY_DMA_S_OK, fill(self, 64 * PAGE - 1, 2));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, 63, 64));
	/* In pieces. */
	EXPECT_EQ(FERRY_DMA_S_OK, fill(self, 100 * PAGE + 7, 300 * PAGE));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, 100, 400));
	/* Up to the last byte. */
	EXPECT_EQ(FERRY_DMA_S_OK, fill(self, LEN - 1, 1));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, PAGES - 1, PAGES - 1));
}

/* Big copies pin; what is only read is not dirty. */
TEST_F(dma_logging, what_is_pinned)
{
	EXPECT_EQ(FERRY_DMA_S_OK,
		  engine_run(&self->e, FERRY_DMA_OP_COPY, 0, M + 3,
			     M + 512 * PAGE + 5, 300 * PAGE, 0));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, 512, 812));
	EXPECT_EQ(FERRY_DMA_S_OK,
		  engine_run(&self->e, FERRY_DMA_OP_CRC32, 0, M, 0, LEN, 0));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(none(self));
}

/* Where completions go is dirty too, though nobody has asked for a log of that range. */
TEST_F(dma_logging, completions)
{
	__u64 bits = 0;

	EXPECT_EQ(FERRY_DMA_S_OK, engine_run(&self->e, FERRY_DMA_OP_NOP, 0, 0,
					     0, 0, 0));
	ASSERT_EQ(0, logging_report(&self->e.v, ENGINE_RING, PAGE, PAGE,
				    &bits));
	EXPECT_EQ(1, bits);
}

/* A part of a page stays in the log, and the rest of the bitmap as it was. */
TEST_F(dma_logging, parts)
{
	struct vdev *v = &self->e.v;

	EXPECT_EQ(FERRY_DMA_S_OK, fill(self, 10 * PAGE, 2 * PAGE));
	memset(self->bits, 0, sizeof(self->bits));
	ASSERT_EQ(0, logging_report(v, M + 10 * PAGE + 1, PAGE - 1, PAGE,
				    bitmap(self)));
	EXPECT_TRUE(only(self, 0, 0));
	memset(self->bits, 0, sizeof(self->bits));
	ASSERT_EQ(0, logging_report(v, M + 11 * PAGE, 100, PAGE, bitmap(self)));
	EXPECT_TRUE(only(self, 0, 0));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, 10, 11));
	/* In units of 64 KiB. */
	EXPECT_EQ(FERRY_DMA_S_OK, fill(self, 40 * PAGE, 1));
	memset(self->bits, 0, sizeof(self->bits));
	ASSERT_EQ(0, logging_report(v, M, LEN, 16 * PAGE, bitmap(self)));
	EXPECT_TRUE(only(self, 2, 2));
	/* Bits that are set already stay. */
	memset(self->bits, 0xff, sizeof(self->bits));
	ASSERT_EQ(0, logging_report(v, M, LEN, PAGE, bitmap(self)));
	EXPECT_TRUE(memory_all((__u8 *)self->bits, 0xff, sizeof(self->bits)));
}

/* What can't be written to isn't dirty, what has been before that is. */
TEST_F(dma_logging, failed_writes)
{
	__u64 bits = 0;

	EXPECT_NE(FERRY_DMA_S_OK, fill(self, LEN - PAGE, 3 * PAGE));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, PAGES - 1, PAGES - 1));
	ASSERT_EQ(0, logging_report(&self->e.v, M + LEN, 64 * PAGE, PAGE,
				    &bits));
	EXPECT_EQ(0, bits);
}

/* More batches than one, with gaps. */
TEST_F(dma_logging, scattered)
{
	unsigned int i;

	for (i = 0; i < PAGES; i += 2)
		EXPECT_EQ(FERRY_DMA_S_OK, fill(self, i * PAGE + 9, 8));
	ASSERT_EQ(0, report(self));
	for (i = 0; i < PAGES; i++)
		EXPECT_EQ(i % 2 == 0, is_dirty(bitmap(self), i));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(none(self));
}

TEST_F(dma_logging, states)
{
	struct vdev *v = &self->e.v;

	/* It is on, and another start changes nothing. */
	EXPECT_EQ(FERRY_DMA_S_OK, fill(self, 7 * PAGE, 1));
	EXPECT_EQ(-EINVAL, logging_start(v, M, LEN, PAGE));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, 7, 7));
	EXPECT_EQ(-EINVAL, logging_report(v, M, 0, PAGE, bitmap(self)));
	/* Off, and what is written now is not in the next one. */
	EXPECT_EQ(FERRY_DMA_S_OK, fill(self, 8 * PAGE, 1));
	EXPECT_EQ(0, logging_stop(v));
	EXPECT_EQ(-EINVAL, report(self));
	EXPECT_EQ(FERRY_DMA_S_OK, fill(self, 9 * PAGE, 1));
	EXPECT_EQ(0, logging_start(v, M, LEN, PAGE));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(none(self));
	/* A reset of the device is not one of its log. */
	EXPECT_EQ(FERRY_DMA_S_OK, fill(self, 6 * PAGE, 1));
	EXPECT_EQ(0, vdev_reset(v));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, 6, 6));
	/* Twice off does no harm. */
	EXPECT_EQ(0, logging_stop(v));
	EXPECT_EQ(0, logging_stop(v));
}

/*
 * More than is kept. The same memory at many addresses: 4 GiB and a page, of which the log
 * then says that all is dirty, until it ends.
 */
TEST_F(dma_logging, everything)
{
	const __u64 window = 256ULL << 20, base = 1ULL << 36;
	struct vdev *v = &self->e.v;
	unsigned int i;
	void *memory;

	if (rounds(100) < 100)
		SKIP(return, "writing 4 GiB takes too long here");
	memory = mmap(NULL, window, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	for (i = 0; i < 17; i++)
		ASSERT_EQ(0, dma_map(v, base + i * window, memory, window,
				     DMA_RW));
	for (i = 0; i < 16; i++)
		ASSERT_EQ(FERRY_DMA_S_OK,
			  engine_run(&self->e, FERRY_DMA_OP_FILL, 0, 0,
				     base + i * window, window, 0));
	/* That many are kept, and no others. The ring has one of them. */
	ASSERT_EQ(FERRY_DMA_S_OK, fill(self, 3 * PAGE, 1));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, 0, PAGES - 1));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(only(self, 0, PAGES - 1));
	EXPECT_EQ(0, logging_stop(v));
	EXPECT_EQ(0, logging_start(v, M, LEN, PAGE));
	ASSERT_EQ(0, report(self));
	EXPECT_TRUE(none(self));
	munmap(memory, window);
}

/* A folder of control groups with one for this process, or why there is none. */
static const char *own_cgroup(const char *folder)
{
	char path[FERRY_NAME_MAX], pid[16];

	if (mkdir(folder, 0700) || mount("none", folder, "cgroup2", 0, NULL))
		return "control groups can't be mounted";
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", folder);
	if (text_write(path, "+memory"))
		return "this kernel's control groups don't count memory";
	snprintf(path, sizeof(path), "%s/ours", folder);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/ours/cgroup.procs", folder);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return text_write(path, pid) ? "this process can't move" : NULL;
}

/* Bytes of the kernel's objects that the group pays for. */
static long kernel_objects(const char *folder)
{
	char path[FERRY_NAME_MAX], text[FERRY_TEXT_MAX];
	const char *found;

	snprintf(path, sizeof(path), "%s/ours/memory.stat", folder);
	if (text_read(path, text, sizeof(text)) < 0)
		return -1;
	found = strstr(text, "\nslab ");
	return found ? atol(found + strlen("\nslab ")) : -1;
}

/*
 * The same as soon as it is @wanted, or after ten seconds: what each processor has counted
 * the kernel adds up every two.
 */
static long kernel_objects_are(const char *folder, long wanted)
{
	int i;

	for (i = 0; i < 100 && kernel_objects(folder) < wanted; i++)
		usleep(100000);
	return kernel_objects(folder);
}

/*
 * The log is the user's: nine bytes for each page, of which some may not be counted yet. The
 * worker who fills it is nobody's.
 */
TEST_F(dma_logging, whose_memory)
{
	/* A slow kernel writes less of it. */
	const __u64 window = (rounds(100) < 100 ? 64ULL : 256ULL) << 20;
	const __u64 base = 1ULL << 36;
	char folder[] = "/tmp/ferry-cgroup-XXXXXX";
	struct vdev *v = &self->e.v;
	const char *why;
	unsigned int i;
	void *memory;
	long before, wanted;

	ASSERT_EQ(0, logging_stop(v));
	ASSERT_NE(NULL, mkdtemp(folder));
	rmdir(folder);
	why = own_cgroup(folder);
	if (why)
		SKIP(return, "%s", why);
	ASSERT_EQ(0, logging_start(v, M, LEN, PAGE));
	memory = mmap(NULL, window, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, dma_map(v, base + i * window, memory, window,
				     DMA_RW));
	/* Of the first one the memory itself comes, and its page tables. */
	ASSERT_EQ(FERRY_DMA_S_OK, engine_run(&self->e, FERRY_DMA_OP_FILL, 0, 0,
					     base, window, 0));
	before = kernel_objects(folder);
	for (i = 1; i < 3; i++)
		ASSERT_EQ(FERRY_DMA_S_OK,
			  engine_run(&self->e, FERRY_DMA_OP_FILL, 0, 0,
				     base + i * window, window, 0));
	wanted = before + (long)(2 * window / PAGE * 9 * 3 / 4);
	EXPECT_LE(wanted, kernel_objects_are(folder, wanted)) {
		TH_LOG("%ld bytes, then %ld", before, kernel_objects(folder));
	}
	munmap(memory, window);
	umount2(folder, MNT_DETACH);
	rmdir(folder);
}

/*
 * Nothing is lost between two looks: pages are written over and over while somebody looks,
 * and copied when they are dirty. In the end the copy is like the original.
 */
TEST_F(dma_logging, nothing_is_lost)
{
	struct engine *e = &self->e;
	__u8 *copy = calloc(1, LEN);
	struct ferry_dma_desc *desc;
	unsigned int page;
	int i;

	ASSERT_NE(NULL, copy);
	for (i = 0; i < rounds(200); i++) {
		desc = engine_next(e, FERRY_DMA_OP_FILL, 0);
		desc->dst = M + i * 7919 % (LEN / 2);
		desc->length = 1 + i * 104729 % (LEN / 2);
		desc->arg = i + 1;
		engine_doorbell(e);
		do {
			ASSERT_EQ(0, report(self));
			for (page = 0; page < PAGES; page++)
				if (is_dirty(bitmap(self), page))
					memcpy(copy + page * PAGE,
					       e->memory + page * PAGE, PAGE);
		} while (engine_status(desc) == FERRY_DMA_S_PENDING);
		ASSERT_EQ(FERRY_DMA_S_OK, engine_wait(desc));
		ASSERT_EQ(0, report(self));
		for (page = 0; page < PAGES; page++)
			if (is_dirty(bitmap(self), page))
				memcpy(copy + page * PAGE,
				       e->memory + page * PAGE, PAGE);
		ASSERT_EQ(0, memcmp(copy, e->memory, LEN));
	}
	free(copy);
}

TEST_HARNESS_MAIN
