// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is sent ahead, and is no good: it is refused, with an errno and a line in the log,
 * and the device can be used again after a reset.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/harness.h"
#include "transfer.h"

FIXTURE(preview)
{
	struct transfer t;
	int log;
};

FIXTURE_VARIANT(preview)
{
	const char *device;
};

FIXTURE_VARIANT_ADD(preview, display)
{
	.device = "display-800x600",
};

FIXTURE_VARIANT_ADD(preview, dma)
{
	.device = "dma",
};

FIXTURE_VARIANT_ADD(preview, traveller)
{
	.device = "traveller",
};

FIXTURE_SETUP(preview)
{
	const char *missing = device_missing(variant->device);
	int ret;

	if (missing)
		SKIP(return, "%s", missing);
	self->log = klog_open();
	ASSERT_LE(0, self->log);
	ret = transfer_open(&self->t, variant->device);
	if (ret == -EOPNOTSUPP) {
		transfer_close(&self->t);
		close(self->log);
		SKIP(return, "this kernel has no PRE_COPY");
	}
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(preview)
{
	transfer_close(&self->t);
	close(self->log);
}

/* Numbers of pages, in each frame. */
TEST_F(preview, numbers)
{
	struct transfer *t = &self->t;
	const __u64 beyond = t->ranges > 1 ? 2 : t->pages;
	const struct {
		__u64 first, second;
	} bad[] = {
		{ 0, 0 }, { 1, 1 }, { 1, 0 }, { 0, beyond }, { beyond, beyond + 1 },
		{ beyond, 1 }, { 0, 1ULL << 20 }, { 0, 1ULL << 32 },
		{ 0, 1ULL << 52 }, { 0, (1ULL << 52) + 1 }, { 0, 1ULL << 63 },
		{ 0, -1ULL }, { -1ULL, 0 }, { -2ULL, -1ULL }, { -1ULL, -1ULL },
	};
	struct ferry_migration_page *page;
	unsigned int n;
	char *stream;
	size_t at[4], i;

	stream = transfer_three(t, at);
	ASSERT_NE(NULL, stream);
	ASSERT_TRUE(migration_accepted(&t->to, stream, at[3]));
	for (n = 0; n < 3; n++) {
		page = migration_section(stream + at[n], FERRY_MIGRATION_MEMORY,
					 NULL);
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			page[0].number = bad[i].first;
			page[1].number = bad[i].second;
			transfer_relink(stream, at, n);
			EXPECT_TRUE(migration_refused(&t->to, stream, at[3])) {
				TH_LOG("frame %u: pages 0x%llx, 0x%llx", n,
				       bad[i].first, bad[i].second);
			}
		}
		page[0].number = 0;
		page[1].number = beyond - 1;
		transfer_relink(stream, at, n);
		EXPECT_TRUE(migration_accepted(&t->to, stream, at[3]));
		page[1].number = 1;
		transfer_relink(stream, at, n);
	}
	EXPECT_TRUE(migration_accepted(&t->to, stream, at[3]));
	EXPECT_TRUE(transfer_same(t));
	free(stream);
}

/* A target that refuses has its memory as it was. */
TEST_F(preview, untouched)
{
	struct transfer *t = &self->t;
	struct ferry_migration_page *page;
	size_t at[4];
	char *stream;

	stream = transfer_three(t, at);
	ASSERT_NE(NULL, stream);
	ASSERT_EQ(0, vdev_reset(&t->to));
	region_w32(&t->to, t->bar, transfer_word(t, 1), 0x600d);
	page = migration_section(stream + at[2], FERRY_MIGRATION_MEMORY, NULL);
	page[1].number = 0;
	transfer_relink(stream, at, 2);
	EXPECT_EQ(-EINVAL, migration_load(&t->to, stream, at[3],
					  STATE(RUNNING)));
	EXPECT_EQ(STATE(ERROR), migration_state(&t->to));
	EXPECT_EQ(0x600d, region_r32(&t->to, t->bar,
				     transfer_word(t, 1)));
	EXPECT_EQ(1, klog_count(self->log, REFUSED, NULL));
	free(stream);
}

/* Frames that are each as they were sent, but not all, or not in that order. */
TEST_F(preview, order)
{
	struct transfer *t = &self->t;
	/* Frames, the last one first. */
	static const unsigned int bad[] = {
		0x2, 0x20, 0x21, 0x12, 0x201, 0x200, 0x211, 0x2100, 0x2110,
		0x102, 0x22, 0x2210, 0x0210, 0x1210, 0x0, 0x10, 0x1,
	};
	size_t at[4], len, i;
	char *stream, *wrong;
	unsigned int n, frames;

	stream = transfer_three(t, at);
	ASSERT_NE(NULL, stream);
	wrong = malloc(at[3] * 4);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		/* 0x0210 has four. */
		unsigned int count = bad[i] == 0x0210 || bad[i] > 0xfff ? 4 :
				     bad[i] > 0xff ? 3 : bad[i] > 0xf ? 2 : 1;

		for (len = 0, n = 0, frames = bad[i]; n < count;
		     n++, frames >>= 4) {
			memcpy(wrong + len, stream + at[frames & 0xf],
			       at[(frames & 0xf) + 1] - at[frames & 0xf]);
			len += at[(frames & 0xf) + 1] - at[frames & 0xf];
		}
		EXPECT_TRUE(migration_refused(&t->to, wrong, len)) {
			TH_LOG("frames 0x%x", bad[i]);
		}
	}
	EXPECT_TRUE(migration_accepted(&t->to, stream, at[3]));
	/* One that is sealed anew belongs to it as well. */
	memcpy(wrong, stream + at[2], at[3] - at[2]);
	migration_link(wrong, NULL);
	EXPECT_TRUE(migration_accepted(&t->to, wrong, at[3] - at[2]));
	free(wrong);
	free(stream);
}

/* At each length, as it was cut, and as somebody has made it who knows the header. */
TEST_F(preview, truncated)
{
	struct transfer *t = &self->t;
	struct ferry_migration_header *header;
	const size_t step = 211 * (100 / rounds(100));
	size_t at[4], len;
	char *stream, *bad;
	unsigned int n;

	stream = transfer_three(t, at);
	ASSERT_NE(NULL, stream);
	bad = malloc(at[3] + PAGE);
	for (len = 0; len < at[3]; len += step) {
		EXPECT_TRUE(migration_refused(&t->to, stream, len)) {
			TH_LOG("%zu bytes", len);
		}
		for (n = 0; at[n + 1] <= len; n++)
			;
		if (len < at[n] + HEAD)
			continue;
		memcpy(bad, stream, at[3]);
		header = (void *)(bad + at[n]);
		header->length = len - at[n];
		migration_link(header, n ? bad + at[n - 1] : NULL);
		EXPECT_TRUE(migration_refused(&t->to, bad, len)) {
			TH_LOG("%zu bytes, sealed", len);
		}
		/* The others follow. */
		memmove(bad + len, stream + at[n + 1], at[3] - at[n + 1]);
		if (n < 2)
			migration_link(bad + len, header);
		EXPECT_TRUE(migration_refused(&t->to, bad,
					      len + at[3] - at[n + 1])) {
			TH_LOG("%zu bytes, sealed, and what follows", len);
		}
	}
	EXPECT_TRUE(migration_accepted(&t->to, stream, at[3]));
	free(bad);
	free(stream);
}

/* A preview that is longer than its sections, or has a section of no whole pages. */
TEST_F(preview, longer)
{
	struct transfer *t = &self->t;
	struct ferry_migration_header *header;
	struct ferry_migration_section *last;
	size_t at[4], more;
	char *stream;

	stream = transfer_three(t, at);
	ASSERT_NE(NULL, stream);
	/* The second preview without what follows; the last section of several is empty. */
	header = (void *)(stream + at[1]);
	last = (void *)(t->ranges > 1 ? stream + at[2] - SECTION :
					(char *)(header + 1));
	/* Each brings two lines to the log, of which there can be ten. */
	for (more = 8; more <= 32; more += 8) {
		memset(stream + at[2], 0, more);
		header->length = at[2] - at[1] + more;
		migration_link(header, stream);
		EXPECT_TRUE(migration_refused(&t->to, stream, at[2] + more));
		EXPECT_EQ(1, klog_count(self->log, "bytes too many", NULL));
		last->length += more;
		migration_link(header, stream);
		EXPECT_TRUE(migration_refused(&t->to, stream, at[2] + more));
		EXPECT_EQ(1, klog_count(self->log, "are out of place", NULL));
		last->length -= more;
	}
	free(stream);
}

/* Lengths, types and indexes of the sections of a preview, at their extremes. */
TEST_F(preview, sections)
{
	struct transfer *t = &self->t;
	const __u64 lengths[] = {
		1, 7, 8, 16, PAGE, ENTRY - 8, ENTRY - 1, ENTRY + 1, 2 * ENTRY - 8,
		2 * ENTRY + 8, 3 * ENTRY, 0x7fffffff, 0x80000000, 0xfffffff0,
		0xffffffff, 1ULL << 32, (1ULL << 32) + 2 * ENTRY, 1ULL << 63,
		(1ULL << 63) + 2 * ENTRY, -1ULL, -7ULL, -8ULL, -16ULL, -ENTRY,
	};
	const __u32 types[] = { 0, 1, 2, 4, 5, 0x103, 0x80000003, -1 };
	struct ferry_migration_section *s;
	size_t at[4], i, off;
	char *stream;
	__u64 len;
	__u32 was;

	stream = transfer_three(t, at);
	ASSERT_NE(NULL, stream);
	for (off = HEAD; off < at[1]; off += SECTION + len) {
		s = (struct ferry_migration_section *)(stream + off);
		len = s->length;
		for (i = 0; i < ARRAY_SIZE(lengths); i++) {
			s->length = lengths[i];
			transfer_relink(stream, at, 0);
			EXPECT_TRUE(migration_refused(&t->to, stream, at[3])) {
				TH_LOG("section at %zu: 0x%llx", off, s->length);
			}
		}
		s->length = len;
		was = s->type;
		for (i = 0; i < ARRAY_SIZE(types); i++) {
			s->type = types[i];
			transfer_relink(stream, at, 0);
			EXPECT_TRUE(migration_refused(&t->to, stream, at[3])) {
				TH_LOG("section at %zu: type %u", off, s->type);
			}
		}
		s->type = was;
		for (i = 0; i < 32; i++) {
			s->index ^= 1U << i;
			transfer_relink(stream, at, 0);
			EXPECT_TRUE(migration_refused(&t->to, stream, at[3])) {
				TH_LOG("section at %zu: index 0x%x", off, s->index);
			}
			s->index ^= 1U << i;
		}
	}
	transfer_relink(stream, at, 0);
	EXPECT_TRUE(migration_accepted(&t->to, stream, at[3]));
	free(stream);
}

/* Each byte of the header of each frame, with checksums that are right. */
TEST_F(preview, headers)
{
	struct transfer *t = &self->t;
	const size_t crc = offsetof(struct ferry_migration_header, crc);
	const size_t length = offsetof(struct ferry_migration_header, length);
	const __u8 flips[] = { 0xff, 0x01, 0x80 };
	size_t at[4], i, sealed;
	unsigned int n;
	char *stream;
	int j;

	stream = transfer_three(t, at);
	ASSERT_NE(NULL, stream);
	for (n = 0; n < 3; n++) {
		sealed = at[n + 1] - at[n];
		for (i = 0; i < HEAD; i++) {
			for (j = 0; j < rounds(ARRAY_SIZE(flips)); j++) {
				stream[at[n] + i] ^= flips[j];
				if (i - crc >= 4)
					migration_seal(stream + at[n], sealed);
				if (n < 2)
					transfer_relink(stream, at, n + 1);
				EXPECT_TRUE(migration_refused(&t->to, stream,
							      at[3])) {
					TH_LOG("frame %u, byte %zu%s", n, i,
					       i - length < 8 ? ", length" : "");
				}
				stream[at[n] + i] ^= flips[j];
			}
		}
		migration_seal(stream + at[n], sealed);
		transfer_relink(stream, at, n);
	}
	EXPECT_TRUE(migration_accepted(&t->to, stream, at[3]));
	free(stream);
}

/* One line that says why. */
TEST_F(preview, reasons)
{
	struct transfer *t = &self->t;
	struct ferry_migration_page *page;
	size_t at[4];
	char *stream;

	stream = transfer_three(t, at);
	ASSERT_NE(NULL, stream);
	EXPECT_TRUE(migration_refused(&t->to, stream + at[2], at[3] - at[2]));
	EXPECT_EQ(1, klog_count(self->log, "a frame is missing", NULL));
	EXPECT_TRUE(migration_refused(&t->to, stream, at[2]));
	EXPECT_EQ(1, klog_count(self->log, "that are no state", NULL));
	EXPECT_TRUE(migration_refused(&t->to, stream, at[3] + 1));
	EXPECT_EQ(1, klog_count(self->log, "something follows the state", NULL));
	page = migration_section(stream, FERRY_MIGRATION_MEMORY, NULL);
	page->number = 1;
	transfer_relink(stream, at, 0);
	EXPECT_TRUE(migration_refused(&t->to, stream, at[3]));
	EXPECT_EQ(1, klog_count(self->log, "are out of place", NULL));
	EXPECT_EQ(0, klog_count(self->log, REFUSED, NULL));
	free(stream);
}

/* Anything, with checksums that are right. */
TEST_F(preview, random)
{
	struct transfer *t = &self->t;
	unsigned int seed = 20261123, i, n, frame;
	char *stream, *bad;
	size_t at[4], off;
	int ret;

	stream = transfer_three(t, at);
	ASSERT_NE(NULL, stream);
	bad = malloc(at[3]);
	for (i = 0; i < (unsigned int)rounds(200); i++) {
		memcpy(bad, stream, at[3]);
		for (n = rand_r(&seed) % 4 + 1; n; n--) {
			frame = rand_r(&seed) % 3;
			/* Rather where it matters than in the pages. */
			off = rand_r(&seed) % 2 ? 64 :
			      at[frame + 1] - at[frame] - HEAD;
			off = rand_r(&seed) % off;
			bad[at[frame] + HEAD + off] ^= 1 << rand_r(&seed) % 8;
		}
		transfer_relink(bad, at, 0);
		ASSERT_EQ(0, vdev_reset(&t->to));
		ret = migration_load(&t->to, bad, at[3], STATE(RUNNING));
		ASSERT_TRUE(!ret || ret == -EINVAL);
	}
	EXPECT_TRUE(migration_accepted(&t->to, stream, at[3]));
	EXPECT_TRUE(transfer_same(t));
	free(bad);
	free(stream);
}

/* What a device without memory, or another one, sends ahead. */
TEST(others)
{
	static const char * const types[] = {
		"uart", "traveller", "dma", "display-800x600", "display-1024x768",
	};
	struct ferry_migration_header *frames[ARRAY_SIZE(types)];
	char twice[2 * HEAD];
	struct vdev v;
	size_t i, j;
	void *frame;
	int fd;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (device_missing(types[i]))
			SKIP(return, "no %s", types[i]);
		ASSERT_EQ(0, vdev_open_device(&v, types[i]));
		if (!(migration_flags(&v) & VFIO_MIGRATION_PRE_COPY)) {
			vdev_close(&v);
			SKIP(return, "this kernel has no PRE_COPY");
		}
		fd = migration_to(&v, STATE(PRE_COPY));
		ASSERT_LE(0, fd);
		ASSERT_LT(0, migration_read(fd, &frame));
		frames[i] = frame;
		close(fd);
		vdev_close(&v);
	}
	EXPECT_EQ(HEAD, frames[0]->length);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(0, vdev_open_device(&v, types[i]));
		for (j = 0; j < ARRAY_SIZE(types); j++) {
			ASSERT_EQ(0, vdev_reset(&v));
			fd = migration_to(&v, STATE(RESUMING));
			ASSERT_LE(0, fd);
			EXPECT_EQ(i == j ? 0 : -EINVAL,
				  migration_write(fd, frames[j],
						  frames[j]->length)) {
				TH_LOG("%s to %s", types[j], types[i]);
			}
			close(fd);
		}
		/* A preview that is nothing but a header, and then another one. */
		memcpy(twice, frames[i], HEAD);
		memcpy(twice + HEAD, frames[i], HEAD);
		((struct ferry_migration_header *)twice)->length = HEAD;
		((struct ferry_migration_header *)(twice + HEAD))->length = HEAD;
		migration_link(twice, NULL);
		migration_link(twice + HEAD, twice);
		ASSERT_EQ(0, vdev_reset(&v));
		fd = migration_to(&v, STATE(RESUMING));
		EXPECT_EQ(i ? -EINVAL : 0, migration_write(fd, twice, 2 * HEAD));
		close(fd);
		vdev_close(&v);
	}
	for (i = 0; i < ARRAY_SIZE(types); i++)
		free(frames[i]);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
