// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration streams that are no good: each is refused, with an errno and a line in the
 * log, and the device can be used again after a reset.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../include/uapi/ferry/migration.h"
#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define STATE(name)	VFIO_DEVICE_STATE_##name

/* Registers of the traveller. */
#define RESETS	0x04
#define VALUE	0x10
#define INDEX	0x18

#define REFUSED	"migration stream refused"

FIXTURE(stream)
{
	struct vdev v;
	char *good;
	char *bad;
	ssize_t len;
	int log;
};

FIXTURE_VARIANT(stream)
{
	const char *device;
};

FIXTURE_VARIANT_ADD(stream, uart)
{
	.device = "uart",
};

FIXTURE_VARIANT_ADD(stream, traveller)
{
	.device = "traveller",
};

static bool is_uart(const struct vdev *v)
{
	return cfg_r16(v, PCI_DEVICE_ID) == 0x5501;
}

FIXTURE_SETUP(stream)
{
	const char *missing = device_missing(variant->device);
	void *saved;

	if (missing)
		SKIP(return, "%s", missing);
	self->log = klog_open();
	ASSERT_LE(0, self->log);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	self->len = migration_save(&self->v, &saved);
	ASSERT_LT(0, self->len);
	self->good = saved;
	self->bad = malloc(self->len + 64);
	ASSERT_NE(NULL, self->bad);
	memset(self->bad, 0, self->len + 64);
	memcpy(self->bad, self->good, self->len);
}

FIXTURE_TEARDOWN(stream)
{
	free(self->good);
	free(self->bad);
	vdev_close(&self->v);
	close(self->log);
}

static struct ferry_migration_header *head(void *stream)
{
	return stream;
}

TEST_F(stream, good)
{
	EXPECT_TRUE(migration_accepted(&self->v, self->good, self->len));
	migration_seal(self->bad, self->len);
	EXPECT_EQ(0, memcmp(self->good, self->bad, self->len));
	EXPECT_EQ(0, klog_count(self->log, REFUSED, NULL));
}

/* At each length, as it was cut, and as somebody has made it who knows the header. */
TEST_F(stream, truncated)
{
	const ssize_t step = self->len > 4096 ? 997 : 1;
	ssize_t len;

	for (len = 0; len < self->len; len += step) {
		memcpy(self->bad, self->good, self->len);
		EXPECT_TRUE(migration_refused(&self->v, self->bad, len)) {
			TH_LOG("%zd bytes", len);
		}
		if (len < (ssize_t)sizeof(struct ferry_migration_header))
			continue;
		head(self->bad)->length = len;
		EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, len)) {
			TH_LOG("%zd bytes, sealed", len);
		}
	}
	memcpy(self->bad, self->good, self->len);
	for (len = self->len + 1; len < self->len + 64; len++) {
		head(self->bad)->length = self->len;
		EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, len));
		head(self->bad)->length = len;
		EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, len));
	}
	EXPECT_LE(1, klog_count(self->log, REFUSED, NULL));
	EXPECT_TRUE(migration_accepted(&self->v, self->good, self->len));
}

/* Each byte of the header; of the checksum too. */
TEST_F(stream, header)
{
	const size_t crc = offsetof(struct ferry_migration_header, crc);
	const __u8 flips[] = { 0xff, 0x01, 0x80 };
	size_t i, j;

	for (i = 0; i < sizeof(struct ferry_migration_header); i++) {
		for (j = 0; j < sizeof(flips); j++) {
			memcpy(self->bad, self->good, self->len);
			self->bad[i] ^= flips[j];
			EXPECT_TRUE(migration_refused(&self->v, self->bad, self->len)) {
				TH_LOG("byte %zu", i);
			}
			if (i - crc < 4)
				continue;
			EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len)) {
				TH_LOG("byte %zu, sealed", i);
			}
		}
	}
	EXPECT_TRUE(migration_accepted(&self->v, self->good, self->len));
}

/* Lengths, of the whole and of each section, at their extremes. */
TEST_F(stream, lengths)
{
	const __u64 lengths[] = {
		0, 1, 7, 8, 15, 16, 95, 96, 97, 0x7fff, 0x7fffffff, 0x80000000,
		0xfffffff0, 0xffffffff, 1ULL << 32, 1ULL << 63, -1ULL, -7ULL,
		-8ULL, -16ULL, -96ULL,
	};
	struct ferry_migration_section *s;
	size_t at, i;
	__u64 len;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		head(self->bad)->length = lengths[i];
		EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len)) {
			TH_LOG("0x%llx", lengths[i]);
		}
	}
	memcpy(self->bad, self->good, self->len);
	for (at = sizeof(struct ferry_migration_header); at < (size_t)self->len;
	     at += sizeof(*s) + ((len + 7) & ~7ULL)) {
		s = (struct ferry_migration_section *)(self->bad + at);
		len = s->length;
		for (i = 0; i < ARRAY_SIZE(lengths) + 2; i++) {
			s->length = i < ARRAY_SIZE(lengths) ? lengths[i] :
				    len + 2 * i - 2 * ARRAY_SIZE(lengths) - 1;
			if (s->length == len)
				continue;
			EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len)) {
				TH_LOG("section at %zu: 0x%llx", at, s->length);
			}
		}
		s->length = len;
		s->type += 1;
		EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
		s->type -= 1;
		s->index ^= 0x100;
		EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
		s->index ^= 0x100;
	}
	EXPECT_TRUE(migration_accepted(&self->v, self->good, self->len));
}

/* Configuration space: what its user couldn't write can't come by a stream. */
TEST_F(stream, config)
{
	__u8 *config = migration_section(self->bad, FERRY_MIGRATION_CONFIG, NULL);
	unsigned int exp = cfg_find_cap(&self->v, PCI_CAP_ID_EXP);
	unsigned int pm = cfg_find_cap(&self->v, PCI_CAP_ID_PM);
	const unsigned int fixed[] = {
		PCI_VENDOR_ID, PCI_DEVICE_ID, PCI_REVISION_ID, PCI_CLASS_PROG,
		PCI_HEADER_TYPE, PCI_INTERRUPT_PIN, PCI_CAPABILITY_LIST,
		PCI_SUBSYSTEM_ID, PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_5,
		PCI_ROM_ADDRESS, pm, pm + 1, pm + PCI_PM_PMC, 0xff,
	};
	__u32 resets;
	size_t i;

	ASSERT_NE(NULL, config);
	for (i = 0; i < ARRAY_SIZE(fixed); i++) {
		config[fixed[i]] ^= 0xff;
		EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len)) {
			TH_LOG("offset 0x%x", fixed[i]);
		}
		config[fixed[i]] ^= 0xff;
	}
	/* D1, which it doesn't have; then D3hot, which it has. */
	config[pm + PCI_PM_CTRL] |= 1;
	EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
	config[pm + PCI_PM_CTRL] |= 3;
	migration_seal(self->bad, self->len);
	EXPECT_TRUE(migration_accepted(&self->v, self->bad, self->len));
	EXPECT_EQ(3, cfg_r8(&self->v, pm + PCI_PM_CTRL) & 3);
	cfg_w16(&self->v, pm + PCI_PM_CTRL, 0);
	config[pm + PCI_PM_CTRL] &= ~3;
	config[PCI_INTERRUPT_LINE] = 0x77;
	migration_seal(self->bad, self->len);
	EXPECT_TRUE(migration_accepted(&self->v, self->bad, self->len));
	EXPECT_EQ(0x77, cfg_r8(&self->v, PCI_INTERRUPT_LINE));
	if (!exp)
		return;

	/* A stream starts no reset. */
	config[exp + PCI_EXP_DEVCTL + 1] |= 0x80;
	migration_seal(self->bad, self->len);
	ASSERT_EQ(0, vdev_reset(&self->v));
	resets = region_r32(&self->v, BAR0, RESETS);
	EXPECT_EQ(-EINVAL, migration_load(&self->v, self->bad, self->len,
					  STATE(RUNNING)));
	EXPECT_EQ(resets, region_r32(&self->v, BAR0, RESETS));
}

/* Vectors that the device doesn't have, and bits that no entry of the table has. */
TEST_F(stream, interrupts)
{
	struct ferry_migration_interrupts *i =
		migration_section(self->bad, FERRY_MIGRATION_INTERRUPTS, NULL);
	struct ferry_migration_vector *last;

	ASSERT_NE(NULL, i);
	i->flags ^= 4;
	EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
	i->flags ^= 4;
	i->words++;
	EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
	i->words -= 2;
	EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
	i->words++;
	if (is_uart(&self->v)) {
		i->pending[0] = 2;
		EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
		i->pending[0] = 1;
		migration_seal(self->bad, self->len);
		EXPECT_TRUE(migration_accepted(&self->v, self->bad, self->len));
		return;
	}
	last = (struct ferry_migration_vector *)&i->pending[i->words] + 2047;
	last->control |= 4;
	EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
	last->control = 0;
	last->address[0] = 2;
	EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
}

static void spoil_uart(struct __test_metadata *_metadata,
		       const struct vdev *v, char *stream, size_t len)
{
	/* Offset in the state of a port, and a value that can't be there. */
	const struct {
		unsigned int at;
		__u8 value;
	} bad[] = {
		{ 2, 0x10 }, { 3, 0x02 }, { 3, 0xc0 }, { 5, 0x20 }, { 8, 0x01 },
		{ 9, 0x20 }, { 9, 0x08 }, { 10, 17 }, { 10, 255 }, { 11, 2 },
		{ 11, 255 }, { 12, 2 }, { 12, 255 }, { 13, 1 }, { 15, 1 },
		{ 16, 1 }, { 31, 1 }, { 32, 1 }, { 47, 1 }, { 48, 1 }, { 63, 1 },
	};
	__u8 *model = migration_section(stream, FERRY_MIGRATION_MODEL, NULL);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		__u8 was = model[8 + bad[i].at];

		model[8 + bad[i].at] = bad[i].value;
		EXPECT_TRUE(migration_refused_sealed(v, stream, len)) {
			TH_LOG("byte %u", bad[i].at);
		}
		model[8 + bad[i].at] = was;
	}
	for (i = 0; i < 8; i++) {
		model[i] ^= 1;
		EXPECT_TRUE(migration_refused_sealed(v, stream, len));
		model[i] ^= 1;
	}
}

/* The model's own: indexes out of range, lengths that its memory doesn't have. */
TEST_F(stream, model)
{
	__u32 *model = migration_section(self->bad, FERRY_MIGRATION_MODEL, NULL);

	ASSERT_NE(NULL, model);
	if (is_uart(&self->v)) {
		spoil_uart(_metadata, &self->v, self->bad, self->len);
		return;
	}
	model[2] = 16;
	EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
	model[2] = -1;
	EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
	model[2] = 15;
	model[3] = 1;
	EXPECT_TRUE(migration_refused_sealed(&self->v, self->bad, self->len));
	model[3] = 0;
	migration_seal(self->bad, self->len);
	/* A device that was refused something is as it was. */
	ASSERT_EQ(0, vdev_reset(&self->v));
	region_w32(&self->v, BAR0, VALUE, 77);
	memset(self->bad + self->len, 0, 8);
	EXPECT_EQ(-EINVAL, migration_load(&self->v, self->bad, self->len + 8,
					  STATE(RUNNING)));
	EXPECT_EQ(77, region_r32(&self->v, BAR0, VALUE));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_TRUE(migration_accepted(&self->v, self->bad, self->len));
	EXPECT_EQ(15, region_r32(&self->v, BAR0, INDEX));
}

/* One line for each, that says why. */
TEST_F(stream, reasons)
{
	const struct {
		const char *why;
		size_t at;
		__u8 flip;
	} tries[] = {
		{ "none of Ferry's", 0, 1 },
		{ "its format is 3", 8, 1 },
		{ "unknown kind 18", 12, 16 },
		{ "it is of a model", 32, 1 },
		{ "its state has version", 28, 64 },
		{ "a state of", 18, 1 },
		{ "a frame is missing", 100, 1 },
		{ "checksum", 112, 1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		memcpy(self->bad, self->good, self->len);
		self->bad[tries[i].at] ^= tries[i].flip;
		EXPECT_TRUE(migration_refused(&self->v, self->bad, self->len));
		EXPECT_EQ(1, klog_count(self->log, REFUSED, NULL)) {
			TH_LOG("%s", tries[i].why);
		}
		EXPECT_TRUE(migration_refused(&self->v, self->bad, self->len));
		EXPECT_EQ(1, klog_count(self->log, tries[i].why, NULL)) {
			TH_LOG("%s", tries[i].why);
		}
		if (i != 3)
			continue;
		/* Another ten may follow. */
		vdev_close(&self->v);
		ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	}
}

/* What follows a state is refused, and so is whatever follows that. */
TEST_F(stream, too_much)
{
	char zeroes[sizeof(struct ferry_migration_header)] = {};
	int fd;

	ASSERT_LE(self->len, migration_size(&self->v));
	ASSERT_EQ(0, vdev_reset(&self->v));
	fd = migration_to(&self->v, STATE(RESUMING));
	ASSERT_LE(0, fd);
	/* It is too much at once, too: as much as belongs there is taken. */
	EXPECT_EQ(self->len, write(fd, self->bad, self->len + 1));
	EXPECT_EQ(-1, write(fd, zeroes, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-EINVAL - 1, migration_to(&self->v, STATE(STOP)));
	close(fd);
	EXPECT_EQ(1, klog_count(self->log, REFUSED, NULL));

	ASSERT_EQ(0, vdev_reset(&self->v));
	fd = migration_to(&self->v, STATE(RESUMING));
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, write(fd, zeroes, sizeof(zeroes)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(fd, self->good, self->len));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
	EXPECT_EQ(1, klog_count(self->log, REFUSED, NULL));
}

/* Anything, with a checksum that is right. */
TEST_F(stream, random)
{
	const size_t size = sizeof(struct ferry_migration_header);
	unsigned int seed = 20250101, i, n;
	int ret;

	for (i = 0; i < (unsigned int)rounds(300); i++) {
		memcpy(self->bad, self->good, self->len);
		for (n = rand_r(&seed) % 8 + 1; n; n--)
			self->bad[size + rand_r(&seed) % (self->len - size)] ^=
				1 << rand_r(&seed) % 8;
		migration_seal(self->bad, self->len);
		ASSERT_EQ(0, vdev_reset(&self->v));
		ret = migration_load(&self->v, self->bad, self->len,
				     STATE(RUNNING));
		ASSERT_TRUE(!ret || ret == -EINVAL);
	}
	EXPECT_TRUE(migration_accepted(&self->v, self->good, self->len));
}

/* A stream of one type is nothing for another. */
TEST(other_type)
{
	static const char * const types[] = { "uart", "uart-2", "traveller" };
	void *stream[3];
	ssize_t len[3];
	struct vdev v;
	size_t i, j;

	if (device_missing("traveller") || device_missing("uart"))
		SKIP(return, "two types are needed");
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(0, vdev_open_device(&v, types[i]));
		len[i] = migration_save(&v, &stream[i]);
		ASSERT_LT(0, len[i]);
		vdev_close(&v);
	}
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(0, vdev_open_device(&v, types[i]));
		for (j = 0; j < ARRAY_SIZE(types); j++) {
			EXPECT_TRUE(i == j ? migration_accepted(&v, stream[j], len[j]) :
				    migration_refused(&v, stream[j], len[j]));
		}
		vdev_close(&v);
	}
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
