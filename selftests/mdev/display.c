// SPDX-License-Identifier: GPL-2.0-only
/*
 * The display's registers, as a guest's driver sees them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/harness.h"
#include "bochs.h"

FIXTURE(display)
{
	struct vdev v;
};

FIXTURE_SETUP(display)
{
	const char *missing = device_missing(DISPLAY);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, DISPLAY));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
}

FIXTURE_TEARDOWN(display)
{
	vdev_close(&self->v);
}

/* What drivers and firmware know it by, and what they ask first. */
TEST_F(display, identity)
{
	EXPECT_EQ(0x11111234, cfg_r32(&self->v, PCI_VENDOR_ID));
	EXPECT_EQ(0x03800002, cfg_r32(&self->v, PCI_CLASS_REVISION));
	EXPECT_EQ(0, cfg_r8(&self->v, PCI_INTERRUPT_PIN));
	cfg_w32(&self->v, PCI_BASE_ADDRESS_0, 0xffffffff);
	EXPECT_EQ((__u32)-SIZE | PCI_BASE_ADDRESS_MEM_PREFETCH,
		  cfg_r32(&self->v, PCI_BASE_ADDRESS_0));
	EXPECT_EQ(SIZE, region_size(&self->v, MEMORY));
	EXPECT_EQ(PAGE, region_size(&self->v, MMIO));
	EXPECT_FALSE(region_flags(&self->v, MMIO) & VFIO_REGION_INFO_FLAG_MMAP);
	EXPECT_EQ(0xb0c5, dispi_read(&self->v, ID));
	EXPECT_EQ(SIZE / 65536, dispi_read(&self->v, MEMORY_64K));
	EXPECT_EQ(8, region_r32(&self->v, MMIO, 0x600));
	EXPECT_EQ(ENDIAN_LITTLE, region_r32(&self->v, MMIO, ENDIAN));
}

TEST_F(display, types)
{
	const struct {
		const char *name;
		__u64 size;
		__u16 width, height;
	} types[] = {
		{ "display-1024x768", 8 << 20, 1024, 768 },
		{ "display-1920x1080", 16 << 20, 1920, 1080 },
	};
	struct vdev v;
	size_t i;

	/* A device of another type takes its place. */
	vdev_close(&self->v);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ASSERT_EQ(0, vdev_open_device(&v, types[i].name));
		cfg_command(&v, 0, PCI_COMMAND_MEMORY);
		EXPECT_EQ(types[i].size, region_size(&v, MEMORY));
		EXPECT_EQ(types[i].size >> 16, dispi_read(&v, MEMORY_64K));
		dispi_write(&v, ENABLE, 2);
		EXPECT_EQ(types[i].width, dispi_read(&v, XRES));
		EXPECT_EQ(types[i].height, dispi_read(&v, YRES));
		EXPECT_EQ(32, dispi_read(&v, BPP));
		vdev_close(&v);
	}
}

/* What is written is read, but for resolutions that are too big, and constants. */
TEST_F(display, dispi)
{
	const struct {
		unsigned int reg;
		__u16 written, read;
	} tries[] = {
		{ ID, 0x1234, 0xb0c5 }, { MEMORY_64K, 1, SIZE / 65536 },
		{ XRES, 640, 640 }, { XRES, WIDTH, WIDTH },
		{ XRES, WIDTH + 1, WIDTH }, { XRES, 0xffff, WIDTH },
		{ YRES, 480, 480 }, { YRES, 0xffff, HEIGHT },
		{ BPP, 16, 16 }, { ENABLE, 0x41, 0x41 }, { BANK, 3, 3 },
		{ VIRT_WIDTH, 0xffff, 0xffff }, { VIRT_HEIGHT, 9999, 9999 },
		{ X_OFFSET, 0xffff, 0xffff }, { Y_OFFSET, 0x8001, 0x8001 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		dispi_write(&self->v, tries[i].reg, tries[i].written);
		EXPECT_EQ(tries[i].read, dispi_read(&self->v, tries[i].reg)) {
			TH_LOG("register %u, %#x", tries[i].reg,
			       tries[i].written);
		}
	}
	/* Nothing else did change. */
	EXPECT_EQ(WIDTH, dispi_read(&self->v, XRES));
	EXPECT_EQ(HEIGHT, dispi_read(&self->v, YRES));
	EXPECT_EQ(16, dispi_read(&self->v, BPP));

	dispi_write(&self->v, XRES, 640);
	dispi_write(&self->v, ENABLE, 2);
	EXPECT_EQ(WIDTH, dispi_read(&self->v, XRES));
	dispi_write(&self->v, ENABLE, 0);
	EXPECT_EQ(640, dispi_read(&self->v, XRES));
}

TEST_F(display, endian)
{
	const __u32 wrong[] = { 0, 1, 0x1e1e1ebe, 0xbebebebf, ~0U };
	size_t i;

	region_w32(&self->v, MMIO, ENDIAN, ENDIAN_BIG);
	EXPECT_EQ(ENDIAN_BIG, region_r32(&self->v, MMIO, ENDIAN));
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		region_w32(&self->v, MMIO, ENDIAN, wrong[i]);
	region_w16(&self->v, MMIO, ENDIAN, 0x1e1e);
	region_w8(&self->v, MMIO, ENDIAN, 0x1e);
	EXPECT_EQ(ENDIAN_BIG, region_r32(&self->v, MMIO, ENDIAN));
	region_w32(&self->v, MMIO, ENDIAN, ENDIAN_LITTLE);
	EXPECT_EQ(ENDIAN_LITTLE, region_r32(&self->v, MMIO, ENDIAN));
	region_w32(&self->v, MMIO, 0x600, 0);
	EXPECT_EQ(8, region_r32(&self->v, MMIO, 0x600));
}

/* A read of any width anywhere gives the bytes of narrower ones. */
TEST_F(display, reads)
{
	__u8 bytes[PAGE], got[8], want[8];
	size_t width, pos, n;

	bochs_mode(&self->v, 640, 480);
	dispi_write(&self->v, VIRT_HEIGHT, 0x1234);
	for (pos = 0; pos < PAGE; pos++)
		bytes[pos] = region_r8(&self->v, MMIO, pos);
	for (width = 2; width <= 8; width++) {
		for (pos = 0; pos < PAGE; pos += pos > 0x4f0 && pos < 0x610 ? 1 : 61) {
			n = width < PAGE - pos ? width : PAGE - pos;
			memset(got, 0x5a, sizeof(got));
			memset(want, 0x5a, sizeof(want));
			memcpy(want, bytes + pos, n);
			ASSERT_EQ((ssize_t)n, region_read(&self->v, MMIO, pos,
							  got, width));
			ASSERT_EQ(0, memcmp(want, got, sizeof(got))) {
				TH_LOG("%zu bytes at %#zx", width, pos);
			}
		}
	}
	EXPECT_EQ(-EINVAL, region_read(&self->v, MMIO, PAGE, got, 1));
	EXPECT_EQ(0x80, bytes[DISPI(XRES)]);
	EXPECT_EQ(0x02, bytes[DISPI(XRES) + 1]);
	EXPECT_EQ(0x34, bytes[DISPI(VIRT_HEIGHT)]);
}

/* An access reaches the device in aligned pieces of up to four bytes. */
static size_t piece(size_t pos, size_t len)
{
	size_t width = 1;

	while (width < 4 && 2 * width <= len && pos % (2 * width) == 0)
		width *= 2;
	return width;
}

static bool hits(size_t pos, size_t len, size_t reg)
{
	size_t width;

	for (; len; pos += width, len -= width) {
		width = piece(pos, len);
		if (pos == reg && width == 2)
			return true;
	}
	return false;
}

/* Registers of 16 bits are written as such; what is narrower or wider is dropped. */
TEST_F(display, writes)
{
	const __u8 ones[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	size_t width, pos;
	unsigned int reg;

	for (width = 1; width <= 8; width++) {
		for (pos = DISPI(BANK) - 8; pos < DISPI(MEMORY_64K) + 4; pos++) {
			for (reg = BANK; reg <= Y_OFFSET; reg++)
				dispi_write(&self->v, reg, 0x7000 + reg);
			ASSERT_EQ((ssize_t)width,
				  region_write(&self->v, MMIO, pos, ones,
					       width));
			for (reg = BANK; reg <= Y_OFFSET; reg++)
				ASSERT_EQ(hits(pos, width, DISPI(reg)) ?
					  0x0101 : 0x7000 + reg,
					  dispi_read(&self->v, reg)) {
					TH_LOG("%zu bytes at %#zx, register %u",
					       width, pos, reg);
				}
		}
	}
}

/* Writes of every width everywhere, and past the end. */
TEST_F(display, storm)
{
	struct vfio_device_gfx_plane_info plane;
	__u8 noise[16];
	size_t width, pos;

	for (width = 1; width <= sizeof(noise); width++) {
		memset(noise, 0x35 * width, sizeof(noise));
		for (pos = 0; pos < PAGE; pos++) {
			if (pos % 61 && (pos < 0x4f0 || pos > 0x610) &&
			    pos < PAGE - 16)
				continue;
			ASSERT_EQ((ssize_t)(width < PAGE - pos ? width :
								 PAGE - pos),
				  region_write(&self->v, MMIO, pos, noise,
					       width));
		}
		ASSERT_EQ(0, plane_query(&self->v, REGION, &plane));
		ASSERT_GE(SIZE, plane.size);
	}
	EXPECT_EQ(-EINVAL, region_write(&self->v, MMIO, PAGE, noise, 1));
	EXPECT_EQ(0xb0c5, dispi_read(&self->v, ID));
	EXPECT_EQ(8, region_r32(&self->v, MMIO, 0x600));
}

/* A reset and a new user find an adapter as after power-on. */
static void expect_new(struct __test_metadata *_metadata, const struct vdev *v)
{
	unsigned int reg;

	for (reg = XRES; reg <= Y_OFFSET; reg++)
		EXPECT_EQ(0, dispi_read(v, reg)) {
			TH_LOG("register %u", reg);
		}
	EXPECT_EQ(ENDIAN_LITTLE, region_r32(v, MMIO, ENDIAN));
	EXPECT_EQ(0, region_r32(v, MEMORY, 0x1000));
	EXPECT_EQ(0, region_r32(v, PICTURE, 0x1000));
}

static void use(const struct vdev *v)
{
	bochs_mode(v, 640, 480);
	dispi_write(v, X_OFFSET, 8);
	dispi_write(v, Y_OFFSET, 8);
	region_w32(v, MMIO, ENDIAN, ENDIAN_BIG);
	region_w32(v, MEMORY, 0x1000, 0xfeedface);
}

TEST_F(display, reset)
{
	use(&self->v);
	ASSERT_EQ(0, vdev_reset(&self->v));
	expect_new(_metadata, &self->v);
}

TEST_F(display, next_user)
{
	char uuid[FERRY_NAME_MAX];

	use(&self->v);
	snprintf(uuid, sizeof(uuid), "%s", self->v.name);
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open(&self->v, "mdev", uuid));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	expect_new(_metadata, &self->v);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
