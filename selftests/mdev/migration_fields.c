// SPDX-License-Identifier: GPL-2.0-only
/*
 * Models that describe their state by a table of fields: what travels, and what values are
 * refused. The offsets are those of the tables.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../include/uapi/ferry/dma.h"
#include "../../include/uapi/ferry/migration.h"
#include "../lib/harness.h"
#include "bochs.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define STATE(name)	VFIO_DEVICE_STATE_##name
#define REFUSED	"migration stream refused"
#define TRIES_MAX	24
#define PAGES(bytes)	((bytes) / FERRY_MIGRATION_PAGE)
/* The kernel log gets no more lines than that about a device while it is open. */
#define LINES_MAX	8

#define DICE_SIDES	0x04
#define DICE_THROW	0x08

FIXTURE(fields)
{
	struct vdev v;
	__u8 *stream;
	ssize_t len;
	/* The section of the model, and how long it is. */
	__u8 *model;
	__u64 model_len;
	int log;
};

FIXTURE_VARIANT(fields)
{
	const char *device;
	__u64 len;
	/* Bytes of memory that can be mapped. */
	__u64 memory;
	/* A register with two bytes that migrate, and a value for it. */
	__u32 bar, reg;
	__u16 value;
	struct {
		__u16 at;
		__u16 width;
		__u64 value;
		bool good;
	} tries[TRIES_MAX];
};

FIXTURE_VARIANT_ADD(fields, dice)
{
	.device = "dice",
	.len = 4,
	.memory = PAGE,
	.bar = BAR0,
	.reg = DICE_SIDES,
	.value = 20,
	.tries = {
		{ 0, 4, 1, true }, { 0, 4, 0xffffffff, true }, { 0, 4, 0 },
	},
};

FIXTURE_VARIANT_ADD(fields, display)
{
	.device = DISPLAY,
	.len = 28,
	.memory = SIZE,
	.bar = BAR2,
	.reg = DISPI(Y_OFFSET),
	.value = 7,
	.tries = {
		{ 2, 2, WIDTH, true }, { 4, 2, HEIGHT, true },
		{ 18, 2, 0xffff, true }, { 22, 4, ENDIAN_BIG, true },
		{ 26, 1, 1, true }, { 27, 1, 1, true },
		{ 0, 2, 1 }, { 2, 2, WIDTH + 1 }, { 2, 2, 0xffff },
		{ 4, 2, HEIGHT + 1 }, { 20, 2, 0x8000 }, { 22, 4, 0 },
		{ 22, 4, 0x1e1e1ebe }, { 26, 1, 2 }, { 26, 1, 255 },
		{ 27, 1, 2 },
	},
};

FIXTURE_VARIANT_ADD(fields, dma)
{
	.device = "dma",
	.len = 183,
	.memory = FERRY_DMA_MEM_SIZE,
	.bar = BAR0,
	.reg = FERRY_DMA_FAULT_DELAY,
	.value = 99,
	.tries = {
		{ 20, 4, FERRY_DMA_CTRL_POLL, true },
		{ 24, 4, FERRY_DMA_ERROR_WRITE, true }, { 32, 4, 7, true },
		{ 40, 4, 31, true }, { 44, 4, 0x1f, true },
		{ 52, 4, FERRY_DMA_DELAY_MAX, true },
		{ 172, 4, FERRY_DMA_S_INJECTED, true },
		{ 20, 4, 4 }, { 20, 4, 0x80000000 },
		{ 24, 4, FERRY_DMA_ERROR_WRITE + 1 }, { 32, 4, 8 },
		{ 36, 4, 8 }, { 40, 4, 32 }, { 44, 4, FERRY_DMA_FAULT_DAMAGE },
		{ 44, 4, 0x40 }, { 52, 4, FERRY_DMA_DELAY_MAX + 1 },
		{ 172, 4, FERRY_DMA_S_INJECTED + 1 },
		{ 176, 4, FERRY_DMA_FAULT_STUCK }, { 180, 1, 1 }, { 180, 1, 2 },
		{ 181, 1, 2 }, { 182, 1, 255 },
	},
};

FIXTURE_SETUP(fields)
{
	const char *missing = device_missing(variant->device);
	void *saved;

	if (missing)
		SKIP(return, "%s", missing);
	self->log = klog_open();
	ASSERT_LE(0, self->log);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->len = migration_save(&self->v, &saved);
	ASSERT_LT(0, self->len);
	self->stream = saved;
	self->model = migration_section(self->stream, FERRY_MIGRATION_MODEL,
					&self->model_len);
	ASSERT_NE(NULL, self->model);
}

FIXTURE_TEARDOWN(fields)
{
	free(self->stream);
	vdev_close(&self->v);
	close(self->log);
}

/* What a table says is what is sent, and all a device may ever send. */
TEST_F(fields, length)
{
	__u64 padded = (variant->len + 7) & ~7ULL, memory;

	EXPECT_EQ(variant->len, self->model_len);
	ASSERT_NE(NULL, migration_section(self->stream, FERRY_MIGRATION_MEMORY,
					  &memory));
	EXPECT_EQ(self->len - memory + PAGES(variant->memory) *
		  sizeof(struct ferry_migration_page),
		  migration_size(&self->v));
	EXPECT_EQ(self->stream + self->len, self->model + padded);
	EXPECT_TRUE(migration_accepted(&self->v, self->stream, self->len));
}

/* Cut off anywhere, or longer, with lengths that are right otherwise. */
TEST_F(fields, lengths)
{
	struct ferry_migration_header *head = (void *)self->stream;
	struct ferry_migration_section *section =
		(void *)(self->model - sizeof(*section));
	__u8 *longer = calloc(1, self->len + 64);
	size_t base = self->model - self->stream, len, whole;

	ASSERT_NE(NULL, longer);
	for (len = 0; len < self->model_len + 17; len++) {
		if (len == self->model_len)
			continue;
		section->length = len;
		whole = base + ((len + 7) & ~7ULL);
		head->length = whole;
		memset(longer, 0, self->len + 64);
		memcpy(longer, self->stream, base);
		memcpy(longer + base, self->model,
		       len < self->model_len ? len : self->model_len);
		EXPECT_TRUE(migration_refused_sealed(&self->v, longer, whole)) {
			TH_LOG("%zu bytes", len);
		}
	}
	free(longer);
}

/* Each value that a field can't have is refused, with a line that says so. */
TEST_F(fields, values)
{
	__u8 good[256];
	size_t i;
	bool ok;

	ASSERT_GE(sizeof(good), self->model_len);
	memcpy(good, self->model, self->model_len);
	for (i = 0; i < TRIES_MAX && variant->tries[i].width; i++) {
		memcpy(self->model + variant->tries[i].at,
		       &variant->tries[i].value, variant->tries[i].width);
		if (variant->tries[i].good) {
			migration_seal(self->stream, self->len);
			ok = migration_accepted(&self->v, self->stream,
						self->len);
		} else {
			ok = migration_refused_sealed(&self->v, self->stream,
						      self->len);
		}
		EXPECT_TRUE(ok) {
			TH_LOG("0x%llx at %u", variant->tries[i].value,
			       variant->tries[i].at);
		}
		EXPECT_EQ(!variant->tries[i].good,
			  klog_count(self->log, REFUSED, NULL));
		memcpy(self->model, good, self->model_len);
		if (i % LINES_MAX)
			continue;
		vdev_close(&self->v);
		ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	}
}

/* A device that was refused something has none of it. */
TEST_F(fields, untouched)
{
	__u8 *last = self->model + self->model_len - 1;

	ASSERT_EQ(0, vdev_reset(&self->v));
	region_w32(&self->v, variant->bar, variant->reg & ~3,
		   (__u32)variant->value << 8 * (variant->reg & 2));
	region_w16(&self->v, variant->bar, variant->reg, variant->value);
	if (self->model_len == 4)
		memset(self->model, 0, 4);
	else
		*last = 2;
	migration_seal(self->stream, self->len);
	EXPECT_EQ(-EINVAL, migration_load(&self->v, self->stream, self->len,
					  STATE(RUNNING)));
	EXPECT_EQ(STATE(ERROR), migration_state(&self->v));
	EXPECT_EQ(variant->value,
		  region_r32(&self->v, variant->bar, variant->reg & ~3) >>
		  8 * (variant->reg & 2));
}

/* 0 or a negative errno; the source has stopped, the target runs. */
static int move(const struct vdev *from, const struct vdev *to)
{
	void *stream;
	ssize_t len = migration_save(from, &stream);
	int ret;

	if (len < 0)
		return len;
	ret = migration_load(to, stream, len, STATE(RUNNING));
	free(stream);
	return ret;
}

/* Sides, and what has been thrown. */
TEST(dice_move)
{
	const char *missing = device_missing("dice");
	struct vdev v, to;
	unsigned int i;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "dice"));
	ASSERT_EQ(0, vdev_open_second(&to, "dice"));
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(0, cfg_find_ext_cap(&v, PCI_EXT_CAP_ID_DSN));
	region_w32(&v, BAR0, DICE_SIDES, 0x87654321);
	for (i = 0; i < 8; i++)
		region_w32(&v, BAR0, DICE_THROW, i);
	ASSERT_EQ(0, move(&v, &to));
	EXPECT_EQ(0x87654321, region_r32(&to, BAR0, DICE_SIDES));
	for (i = 0; i < 8; i++) {
		EXPECT_NE(0, region_r32(&to, BAR2, 4 * i));
		EXPECT_EQ(region_r32(&v, BAR2, 4 * i),
			  region_r32(&to, BAR2, 4 * i));
	}
	vdev_close(&v);
	vdev_close(&to);
}

/* The picture is the same, and so are the registers. */
TEST(picture_moves)
{
	const char *missing = device_missing(DISPLAY);
	struct vfio_device_gfx_plane_info plane, plane_to;
	__u8 regs[0x220], regs_to[sizeof(regs)];
	void *memory, *memory_to;
	struct vdev v, to;
	size_t i;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, DISPLAY));
	ASSERT_EQ(0, vdev_open_second(&to, DISPLAY));
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, region_map(&v, MEMORY, 0, SIZE, RW, MAP_SHARED, &memory));
	bochs_mode(&v, 640, 480);
	dispi_write(&v, Y_OFFSET, 32);
	region_w32(&v, MMIO, ENDIAN, ENDIAN_BIG);
	for (i = 0; i < SIZE / sizeof(__u32); i++)
		((__u32 *)memory)[i] = i * 2654435761u;
	ASSERT_EQ(0, move(&v, &to));

	ASSERT_EQ(0, region_map(&to, MEMORY, 0, SIZE, RW, MAP_SHARED,
				&memory_to));
	EXPECT_EQ(0, memcmp(memory, memory_to, SIZE));
	ASSERT_EQ(sizeof(regs), region_read(&v, MMIO, 0x400, regs,
					    sizeof(regs)));
	ASSERT_EQ(sizeof(regs), region_read(&to, MMIO, 0x400, regs_to,
					    sizeof(regs)));
	EXPECT_EQ(0, memcmp(regs, regs_to, sizeof(regs)));
	EXPECT_EQ(640, dispi_read(&to, XRES));
	ASSERT_EQ(0, plane_query(&v, REGION, &plane));
	ASSERT_EQ(0, plane_query(&to, REGION, &plane_to));
	EXPECT_EQ(BGRX8888, plane_to.drm_format);
	EXPECT_EQ(480, plane_to.height);
	EXPECT_EQ(0, memcmp(&plane, &plane_to, sizeof(plane)));

	/* The screen is dark, and an index has been written: data comes next. */
	ASSERT_EQ(-1, migration_to(&v, STATE(RUNNING)));
	region_w8(&v, MMIO, VGA(0x3c0), 0);
	ASSERT_EQ(0, vdev_reset(&to));
	ASSERT_EQ(0, move(&v, &to));
	EXPECT_EQ(0, plane_query(&to, REGION, &plane_to));
	EXPECT_EQ(0, plane_to.width);
	region_w8(&to, MMIO, VGA(0x3c0), 0x20);
	EXPECT_EQ(0, plane_query(&to, REGION, &plane_to));
	EXPECT_EQ(0, plane_to.width);
	region_w8(&to, MMIO, VGA(0x3c0), 0x20);
	EXPECT_EQ(0, plane_query(&to, REGION, &plane_to));
	EXPECT_EQ(640, plane_to.width);
	munmap(memory, SIZE);
	munmap(memory_to, SIZE);
	vdev_close(&v);
	vdev_close(&to);
}

/* A stream of each type of display has room for its memory. */
TEST(room)
{
	static const struct {
		const char *name;
		long size;
	} types[] = {
		{ "display-800x600", 4 << 20 },
		{ "display-1024x768", 8 << 20 },
		{ "display-1920x1080", 16 << 20 },
	};
	void *stream, *memory;
	struct vdev v;
	ssize_t len;
	size_t i;

	if (device_missing(DISPLAY))
		SKIP(return, "no display");
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(0, vdev_open_device(&v, types[i].name));
		cfg_command(&v, 0, PCI_COMMAND_MEMORY);
		ASSERT_EQ(0, region_map(&v, MEMORY, 0, types[i].size, RW,
					MAP_SHARED, &memory));
		memset(memory, 0xa5, types[i].size);
		munmap(memory, types[i].size);
		len = migration_save(&v, &stream);
		EXPECT_LT(types[i].size, len);
		EXPECT_EQ(len, migration_size(&v));
		EXPECT_TRUE(migration_accepted(&v, stream, len));
		free(stream);
		vdev_close(&v);
	}
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
