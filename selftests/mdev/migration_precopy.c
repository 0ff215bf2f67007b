// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is sent ahead while a device runs: what is in a preview, and what is left for
 * the state.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../include/uapi/ferry/dma.h"
#include "../lib/harness.h"
#include "transfer.h"

FIXTURE(precopy)
{
	struct transfer t;
};

FIXTURE_VARIANT(precopy)
{
	const char *device;
};

FIXTURE_VARIANT_ADD(precopy, display)
{
	.device = "display-800x600",
};

FIXTURE_VARIANT_ADD(precopy, dma)
{
	.device = "dma",
};

FIXTURE_VARIANT_ADD(precopy, traveller)
{
	.device = "traveller",
};

FIXTURE_SETUP(precopy)
{
	const char *missing = device_missing(variant->device);
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	ret = transfer_open(&self->t, variant->device);
	if (ret == -EOPNOTSUPP) {
		transfer_close(&self->t);
		SKIP(return, "this kernel has no PRE_COPY");
	}
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(precopy)
{
	transfer_close(&self->t);
}

TEST_F(precopy, preview)
{
	struct transfer *t = &self->t;
	const unsigned int last = t->pages - 1;
	struct ferry_migration_header *frame;
	struct ferry_migration_page *page;
	size_t len = transfer_preview_len(t, 2);
	long max = migration_size(&t->v);
	char byte;

	transfer_put(t, 1, 0x1111);
	transfer_put(t, last, 0x2222);
	ASSERT_TRUE(transfer_begin(t));
	EXPECT_TRUE(transfer_left(t, len, 0));
	frame = transfer_next(t);
	ASSERT_NE(NULL, frame);
	EXPECT_EQ(len, frame->length);
	EXPECT_EQ(FERRY_MIGRATION_PREVIEW, frame->kind);
	EXPECT_EQ(2, transfer_pages(frame));
	page = migration_section(frame, FERRY_MIGRATION_MEMORY, NULL);
	EXPECT_EQ(1, page->number);
	EXPECT_EQ(0x1111, *(__u32 *)(page->data + transfer_word(t, 1) % PAGE));
	EXPECT_EQ(-1, read(t->fd, &byte, 1));
	EXPECT_EQ(ENOMSG, errno);
	EXPECT_TRUE(transfer_left(t, 0, 0));

	/* The state has what was written since, and no more. */
	transfer_put(t, 2, 0x3333);
	transfer_put(t, last, 0x2222);
	EXPECT_EQ(max - (t->pages - 1) * ENTRY, migration_size(&t->v));
	ASSERT_EQ(-1, migration_to(&t->v, STATE(STOP_COPY)));
	frame = transfer_next(t);
	ASSERT_NE(NULL, frame);
	EXPECT_EQ(FERRY_MIGRATION_STATE, frame->kind);
	EXPECT_EQ(1, transfer_pages(frame));
	EXPECT_EQ(max - (t->pages - 1) * ENTRY, frame->length);
	EXPECT_EQ(0, read(t->fd, &byte, 1));
	ASSERT_EQ(0, transfer_arrive(t));
	EXPECT_TRUE(transfer_same(t));
}

/* There is no memory to tell of, or nothing new of it. */
TEST_F(precopy, nothing)
{
	struct transfer *t = &self->t;

	ASSERT_TRUE(transfer_begin(t));
	EXPECT_TRUE(transfer_left(t, transfer_preview_len(t, 0), 0));
	ASSERT_NE(NULL, transfer_next(t));
	EXPECT_EQ(0, transfer_pages(t->frames[0]));
	EXPECT_TRUE(transfer_left(t, 0, 0));
	ASSERT_EQ(-1, migration_to(&t->v, STATE(STOP_COPY)));
	ASSERT_NE(NULL, transfer_next(t));
	EXPECT_EQ(0, transfer_pages(t->frames[1]));
	/* What is there goes, be it what a reset has left. */
	region_w32(&t->to, t->bar, transfer_word(t, 1), 0xbad);
	ASSERT_EQ(0, transfer_arrive(t));
	EXPECT_TRUE(transfer_same(t));
}

static void *wait_for_more(void *arg)
{
	poll(arg, 1, FERRY_TIMEOUT_MS);
	return NULL;
}

/* Who has read what there is can wait for more. */
TEST_F(precopy, waits)
{
	struct transfer *t = &self->t;
	struct pollfd pfd = { .events = POLLIN };
	pthread_t thread;

	ASSERT_TRUE(transfer_begin(t));
	pfd.fd = t->fd;
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	ASSERT_NE(NULL, transfer_next(t));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_more, &pfd));
	EXPECT_EQ(-1, migration_to(&t->v, STATE(STOP_COPY)));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(POLLIN, pfd.revents);
	ASSERT_NE(NULL, transfer_next(t));
	/* The end is worth reading, and so is that there is nothing any more. */
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	ASSERT_EQ(-1, migration_to(&t->v, STATE(STOP)));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
}

TEST_F(precopy, everything)
{
	struct transfer *t = &self->t;
	long max = migration_size(&t->v);

	transfer_put_all(t, 0x10000);
	ASSERT_TRUE(transfer_begin(t));
	EXPECT_TRUE(transfer_left(t, transfer_preview_len(t, t->pages), 0));
	ASSERT_NE(NULL, transfer_next(t));
	transfer_put_all(t, 0x20000);
	EXPECT_EQ(max, migration_size(&t->v));
	ASSERT_EQ(-1, migration_to(&t->v, STATE(STOP_COPY)));
	ASSERT_NE(NULL, transfer_next(t));
	EXPECT_EQ(t->pages, transfer_pages(t->frames[1]));
	EXPECT_EQ(max, t->frames[1]->length);
	ASSERT_EQ(0, transfer_arrive(t));
	EXPECT_TRUE(transfer_same(t));
}

/* Who asks what has changed can read it; in the end little is left. */
TEST_F(precopy, rounds)
{
	struct transfer *t = &self->t;

	transfer_put_all(t, 0x10000);
	ASSERT_TRUE(transfer_begin(t));
	ASSERT_NE(NULL, transfer_next(t));
	transfer_put(t, 1, 0x1111);
	transfer_put(t, 3, 0x3333);
	EXPECT_TRUE(transfer_left(t, 0, transfer_preview_len(t, 2)));
	EXPECT_TRUE(transfer_left(t, 0, transfer_preview_len(t, 2)));
	ASSERT_NE(NULL, transfer_next(t));
	EXPECT_EQ(FERRY_MIGRATION_PREVIEW, t->frames[1]->kind);
	EXPECT_EQ(2, transfer_pages(t->frames[1]));
	EXPECT_TRUE(transfer_left(t, 0, 0));
	ASSERT_EQ(-1, migration_to(&t->v, STATE(PRE_COPY_P2P)));
	/* One that is zero again, and one that is as it was. */
	transfer_put(t, 1, 0);
	transfer_put(t, 2, 0x4444);
	transfer_put(t, 2, 0x10002);
	EXPECT_TRUE(transfer_left(t, 0, transfer_preview_len(t, 1)));
	ASSERT_NE(NULL, transfer_next(t));
	ASSERT_EQ(-1, migration_to(&t->v, STATE(STOP_COPY)));
	ASSERT_NE(NULL, transfer_next(t));
	EXPECT_EQ(0, transfer_pages(t->frames[3]));
	ASSERT_EQ(0, transfer_arrive(t));
	EXPECT_TRUE(transfer_same(t));
}

/* What hasn't been read when the device stops is read then. */
TEST_F(precopy, unread)
{
	struct transfer *t = &self->t;
	const size_t len = transfer_preview_len(t, t->pages);
	size_t n = HEAD + 10;
	char *stream, *rest;
	ssize_t more;

	transfer_put_all(t, 0x10000);
	ASSERT_TRUE(transfer_begin(t));
	stream = malloc(n);
	ASSERT_EQ(n, read(t->fd, stream, n));
	EXPECT_TRUE(transfer_left(t, len - n, 0));
	transfer_put(t, 2, 0x2222);
	EXPECT_TRUE(transfer_left(t, len - n, 0));
	ASSERT_EQ(-1, migration_to(&t->v, STATE(STOP_COPY)));
	more = migration_read(t->fd, (void **)&rest);
	ASSERT_LT(len - n, more);
	stream = realloc(stream, n + more);
	memcpy(stream + n, rest, more);
	free(rest);
	EXPECT_EQ(1, transfer_pages((void *)(stream + len)));
	EXPECT_EQ(0, migration_load(&t->to, stream, n + more, STATE(RUNNING)));
	EXPECT_TRUE(transfer_same(t));
	free(stream);
}

/* The guest stays, and goes another time. */
TEST_F(precopy, again)
{
	struct transfer *t = &self->t;
	size_t i, d;

	transfer_put(t, 1, 0x1111);
	ASSERT_TRUE(transfer_begin(t));
	ASSERT_NE(NULL, transfer_next(t));
	ASSERT_EQ(-1, migration_to(&t->v, STATE(RUNNING)));
	EXPECT_EQ(-ENODEV, transfer_info(t, &i, &d));
	close(t->fd);
	free(t->frames[--t->nr]);
	ASSERT_TRUE(transfer_begin(t));
	EXPECT_TRUE(transfer_left(t, transfer_preview_len(t, 1), 0));
	ASSERT_NE(NULL, transfer_next(t));
	EXPECT_EQ(1, transfer_pages(t->frames[0]));
	ASSERT_EQ(-1, migration_to(&t->v, STATE(STOP_COPY)));
	ASSERT_NE(NULL, transfer_next(t));
	EXPECT_EQ(0, transfer_pages(t->frames[1]));
	ASSERT_EQ(0, transfer_arrive(t));
	EXPECT_TRUE(transfer_same(t));
}

/* Without a preview the state has all that isn't zero, and is the whole stream. */
TEST_F(precopy, without)
{
	struct transfer *t = &self->t;

	transfer_put(t, 2, 0x2222);
	region_w32(&t->to, t->bar, transfer_word(t, 3), 0xbad);
	t->fd = migration_to(&t->v, STATE(STOP_COPY));
	ASSERT_LE(0, t->fd);
	ASSERT_NE(NULL, transfer_next(t));
	EXPECT_EQ(1, transfer_pages(t->frames[0]));
	ASSERT_EQ(0, transfer_arrive(t));
	EXPECT_TRUE(transfer_same(t));
}

/* A state that can't be had: what has been sent ahead still counts. */
TEST_F(precopy, refused)
{
	struct transfer *t = &self->t;

	if (strcmp(variant->device, "dma"))
		SKIP(return, "only the engine can refuse");
	transfer_put(t, 1, 0x1111);
	ASSERT_TRUE(transfer_begin(t));
	ASSERT_NE(NULL, transfer_next(t));
	region_w32(&t->v, 0, FERRY_DMA_FAULT, FERRY_DMA_FAULT_BUSY);
	EXPECT_EQ(-EBUSY - 1, migration_to(&t->v, STATE(STOP_COPY)));
	EXPECT_TRUE(transfer_left(t, 0, 0));
	transfer_put(t, 2, 0x2222);
	EXPECT_TRUE(transfer_left(t, 0, transfer_preview_len(t, 1)));
	ASSERT_NE(NULL, transfer_next(t));
	region_w32(&t->v, 0, FERRY_DMA_FAULT, 0);
	ASSERT_EQ(-1, migration_to(&t->v, STATE(STOP_COPY)));
	ASSERT_NE(NULL, transfer_next(t));
	EXPECT_EQ(0, transfer_pages(t->frames[2]));
	ASSERT_EQ(0, transfer_arrive(t));
	EXPECT_TRUE(transfer_same(t));
}

struct scribbler {
	pthread_t thread;
	__u32 *memory;
	size_t words;
	bool stop;
};

static void *scribble(void *arg)
{
	struct scribbler *s = arg;
	__u32 value = 1;
	size_t i;

	for (i = 0; !__atomic_load_n(&s->stop, __ATOMIC_RELAXED);
	     i = (i + 1021) % s->words)
		__atomic_store_n(&s->memory[i], value++, __ATOMIC_RELAXED);
	return NULL;
}

/* A guest writes all the time; what was last is what arrives. */
TEST_F(precopy, scribbled)
{
	struct transfer *t = &self->t;
	struct scribbler s = { .words = PAGE / 4 };
	size_t initial, dirty, i;

	if (t->ranges == 1)
		s.words *= t->pages;
	ASSERT_EQ(0, region_map(&t->v, t->bar, 0, s.words * 4,
				PROT_READ | PROT_WRITE, MAP_SHARED,
				(void **)&s.memory));
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, scribble, &s));
	EXPECT_TRUE(transfer_begin(t));
	EXPECT_NE(NULL, transfer_next(t));
	for (i = 0; t->nr < FRAMES_MAX - 1 && i < 10000; i++) {
		EXPECT_EQ(0, transfer_info(t, &initial, &dirty));
		EXPECT_EQ(0, initial);
		if (dirty)
			EXPECT_NE(NULL, transfer_next(t));
		usleep(1000);
	}
	EXPECT_EQ(FRAMES_MAX - 1, t->nr);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(s.thread, NULL);
	ASSERT_EQ(-1, migration_to(&t->v, STATE(STOP_COPY)));
	ASSERT_NE(NULL, transfer_next(t));
	ASSERT_EQ(0, transfer_arrive(t));
	EXPECT_TRUE(transfer_same(t));
	munmap(s.memory, s.words * 4);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
