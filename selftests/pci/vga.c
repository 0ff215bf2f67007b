// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VGA region: the legacy ports and memory of an adapter.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define VGA	VFIO_PCI_VGA_REGION_INDEX
#define VGA_END	0xc0000

/* Sequencer, graphics controller and their values (IBM VGA, as all have it). */
#define MISC_WRITE	0x3c2
#define MISC_READ	0x3cc
#define SEQ_INDEX	0x3c4
#define SEQ_DATA	0x3c5
#define GFX_INDEX	0x3ce
#define GFX_DATA	0x3cf

FIXTURE(vga)
{
	struct vdev v;
};

FIXTURE_SETUP(vga)
{
	const char *missing = device_missing("vga");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "vga"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
}

FIXTURE_TEARDOWN(vga)
{
	vdev_close(&self->v);
}

static void seq(const struct vdev *v, __u8 index, __u8 val)
{
	region_w8(v, VGA, SEQ_INDEX, index);
	region_w8(v, VGA, SEQ_DATA, val);
}

static void gfx(const struct vdev *v, __u8 index, __u8 val)
{
	region_w8(v, VGA, GFX_INDEX, index);
	region_w8(v, VGA, GFX_DATA, val);
}

/* 64 KiB of plain memory at a0000: graphics mode, four planes chained. */
static void linear(const struct vdev *v)
{
	region_w8(v, VGA, MISC_WRITE, 0x63);
	seq(v, 0, 0x03);
	seq(v, 2, 0x0f);
	seq(v, 4, 0x0e);
	gfx(v, 0, 0x00);
	gfx(v, 1, 0x00);
	gfx(v, 3, 0x00);
	gfx(v, 5, 0x40);
	gfx(v, 6, 0x05);
	gfx(v, 8, 0xff);
}

TEST_F(vga, info)
{
	struct vfio_region_info info;
	void *map;

	ASSERT_EQ(0, region_info(&self->v, VGA, &info));
	EXPECT_EQ(VGA_END, info.size);
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE,
		  info.flags);
	EXPECT_EQ((__u64)VGA << 40, info.offset);
	EXPECT_EQ(-EINVAL, region_map(&self->v, VGA, 0xa0000, 4096, PROT_READ,
				      MAP_SHARED, &map));
}

/* An index and its data are two ports beside each other. */
TEST_F(vga, ports)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		gfx(&self->v, 8, 0xf0 ^ i);
		EXPECT_EQ(8, region_r8(&self->v, VGA, GFX_INDEX));
		EXPECT_EQ(0xf0 ^ i, region_r8(&self->v, VGA, GFX_DATA));
		/* Both at once. */
		region_w16(&self->v, VGA, GFX_INDEX, 0x0008 | i << 8);
		EXPECT_EQ(0x0008 | i << 8, region_r16(&self->v, VGA,
						      GFX_INDEX));
	}
	region_w8(&self->v, VGA, MISC_WRITE, 0x63);
	EXPECT_EQ(0x63, region_r8(&self->v, VGA, MISC_READ));
}

TEST_F(vga, memory)
{
	unsigned char want[4099], got[4099];
	unsigned int i;

	linear(&self->v);
	for (i = 0; i < sizeof(want); i++)
		want[i] = i * 7 + (i >> 8);
	ASSERT_EQ((ssize_t)sizeof(want),
		  region_write(&self->v, VGA, 0xa0003, want, sizeof(want)));
	ASSERT_EQ((ssize_t)sizeof(got),
		  region_read(&self->v, VGA, 0xa0003, got, sizeof(got)));
	EXPECT_EQ(0, memcmp(want, got, sizeof(want)));
	for (i = 0; i < 16; i++)
		EXPECT_EQ(want[i], region_r8(&self->v, VGA, 0xa0003 + i));
}

/* Between the ranges there is nothing, and no access goes past one's end. */
TEST_F(vga, holes)
{
	const struct {
		__u64 pos;
		ssize_t ret;
	} reads[] = {
		{ 0, -EINVAL }, { 0x3af, -EINVAL }, { 0x3b0, 12 },
		{ 0x3bb, 1 }, { 0x3bc, -EINVAL }, { 0x3bf, -EINVAL },
		{ 0x3c0, 32 }, { 0x3df, 1 }, { 0x3e0, -EINVAL },
		{ 0x9ffff, -EINVAL }, { 0xbffff, 1 }, { 0xbfff0, 16 },
		{ VGA_END, -EINVAL }, { VGA_END + 1, -EINVAL },
		{ 1ULL << 32, -EINVAL }, { (1ULL << 40) - 1, -EINVAL },
	};
	unsigned char buf[64] = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		EXPECT_EQ(reads[i].ret, region_read(&self->v, VGA,
						    reads[i].pos, buf,
						    sizeof(buf))) {
			TH_LOG("read at %#llx",
			       (unsigned long long)reads[i].pos);
		}
		if (reads[i].ret > 0)
			continue;
		EXPECT_EQ(-EINVAL, region_write(&self->v, VGA, reads[i].pos,
						buf, 1)) {
			TH_LOG("write at %#llx",
			       (unsigned long long)reads[i].pos);
		}
	}
}

/* The shadow of the boot display's ROM, or the one of its own. */
TEST_F(vga, rom)
{
	__u8 sign[2];

	if (!region_size(&self->v, VFIO_PCI_ROM_REGION_INDEX))
		SKIP(return, "no ROM");
	ASSERT_EQ(2, region_read(&self->v, VFIO_PCI_ROM_REGION_INDEX, 0, sign,
				 2));
	EXPECT_EQ(0x55, sign[0]);
	EXPECT_EQ(0xaa, sign[1]);
}

/* No region with disable_vga, and none on what is no VGA adapter. */
TEST(disabled)
{
	const char *missing = device_missing("vga");
	struct vfio_region_info info;
	struct vdev v;
	__u8 byte;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, pci_unbind(device_bdf("vga")));
	if (module_unload(driver_name()))
		SKIP(return, "other devices use the driver");
	ASSERT_EQ(0, module_load(driver_name(), "disable_vga=1"));
	ASSERT_EQ(0, vdev_open_device(&v, "vga"));
	EXPECT_EQ(-EINVAL, region_info(&v, VGA, &info));
	EXPECT_EQ(-1, pread(v.fd, &byte, 1, ((__u64)VGA << 40) + 0x3cc));
	vdev_close(&v);
	ASSERT_EQ(0, pci_unbind(device_bdf("vga")));
	ASSERT_EQ(0, module_unload(driver_name()));
	ASSERT_EQ(0, module_load(driver_name(), ""));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
