// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a mediated device that can be mapped: what there is, what is in it,
 * and when it goes away.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define PAGE	4096
#define RW	(PROT_READ | PROT_WRITE)
#define COUNT	0x08
#define GREETING	0x600d

FIXTURE(mapped)
{
	struct vdev v;
	void *map;
};

FIXTURE_SETUP(mapped)
{
	const char *missing = device_missing("everything");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "everything"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, 2 * PAGE, RW, MAP_SHARED,
				&self->map));
}

FIXTURE_TEARDOWN(mapped)
{
	munmap(self->map, 2 * PAGE);
	vdev_close(&self->v);
}

TEST_F(mapped, sparse)
{
	const struct vfio_region_sparse_mmap_area want[] = {
		{ .offset = 0, .size = 2 * PAGE },
		{ .offset = 4 * PAGE, .size = PAGE },
		{ .offset = 6 * PAGE, .size = PAGE },
	};
	struct {
		struct vfio_region_info info;
		struct vfio_region_info_cap_sparse_mmap cap;
		struct vfio_region_sparse_mmap_area areas[8];
	} r = { .info = { .argsz = sizeof(r), .index = BAR2 } };

	ASSERT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_GET_REGION_INFO, &r));
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		  VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS,
		  r.info.flags);
	EXPECT_EQ(8 * PAGE, r.info.size);
	ASSERT_EQ(sizeof(r.info), r.info.cap_offset);
	EXPECT_EQ(VFIO_REGION_INFO_CAP_SPARSE_MMAP, r.cap.header.id);
	EXPECT_EQ(0, r.cap.header.next);
	ASSERT_EQ(ARRAY_SIZE(want), r.cap.nr_areas);
	EXPECT_EQ(0, memcmp(want, r.areas, sizeof(want)));
	EXPECT_FALSE(region_flags(&self->v, BAR0) & VFIO_REGION_INFO_FLAG_MMAP);
}

/* Whole ranges or parts of them, and nothing else. */
TEST_F(mapped, ranges)
{
	const struct {
		unsigned int bar, page, pages;
		int ret;
	} tries[] = {
		{ BAR2, 1, 1, 0 }, { BAR2, 4, 1, 0 }, { BAR2, 6, 1, 0 },
		{ BAR2, 2, 1, -EINVAL }, { BAR2, 1, 2, -EINVAL },
		{ BAR2, 3, 2, -EINVAL }, { BAR2, 4, 3, -EINVAL },
		{ BAR2, 7, 1, -EINVAL }, { BAR2, 6, 2, -EINVAL },
		{ BAR2, 0, 8, -EINVAL }, { BAR2, 8, 1, -EINVAL },
		{ BAR0, 0, 1, -EINVAL }, { BAR0, 1, 1, -EINVAL },
		{ VFIO_PCI_BAR1_REGION_INDEX, 0, 1, -EINVAL },
		{ VFIO_PCI_BAR4_REGION_INDEX, 0, 1, -EINVAL },
	};
	void *map;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		EXPECT_EQ(tries[i].ret, region_map(&self->v, tries[i].bar,
						   tries[i].page * PAGE,
						   tries[i].pages * PAGE, RW,
						   MAP_SHARED, &map)) {
			TH_LOG("BAR %u, %u pages from %u", tries[i].bar,
			       tries[i].pages, tries[i].page);
		}
		if (map != MAP_FAILED)
			munmap(map, tries[i].pages * PAGE);
	}
	EXPECT_EQ(-EINVAL, region_map(&self->v, BAR2, 0, PAGE, RW, MAP_PRIVATE,
				      &map));
}

/* Reads, writes and mappings see the same bytes, and the model sees none of it. */
TEST_F(mapped, one_memory)
{
	__u32 count = region_r32(&self->v, BAR0, COUNT), val;
	__u8 block[3 * PAGE];
	void *far;

	ASSERT_EQ(0, region_map(&self->v, BAR2, 6 * PAGE, PAGE, RW, MAP_SHARED,
				&far));
	EXPECT_TRUE(map_read32(self->map, 0, &val));
	EXPECT_EQ(GREETING, val);
	EXPECT_EQ(GREETING, region_r64(&self->v, BAR2, 0));
	EXPECT_TRUE(map_write32(self->map, PAGE + 0x104, 0x12345678));
	EXPECT_EQ(0x12345678, region_r32(&self->v, BAR2, PAGE + 0x104));
	EXPECT_EQ(0x34, region_r8(&self->v, BAR2, PAGE + 0x106));
	EXPECT_EQ(0x1234567800000000ULL,
		  region_r64(&self->v, BAR2, PAGE + 0x100));
	region_w16(&self->v, BAR2, PAGE + 0x106, 0xabcd);
	EXPECT_TRUE(map_read32(self->map, PAGE + 0x104, &val));
	EXPECT_EQ(0xabcd5678, val);
	EXPECT_EQ(0xabcd, region_r16(&self->v, BAR2, PAGE + 0x106));
	/* However it lies. */
	EXPECT_EQ(11, region_read(&self->v, BAR2, PAGE + 0x101, block, 11));
	EXPECT_EQ(0, memcmp(block, "\0\0\0\x78\x56\xcd\xab\0\0\0\0", 11));
	EXPECT_EQ(3, region_write(&self->v, BAR2, PAGE + 0x105,
				  "\x11\x22\x33", 3));
	EXPECT_TRUE(map_read32(self->map, PAGE + 0x104, &val));
	EXPECT_EQ(0x33221178, val);
	region_w16(&self->v, BAR2, PAGE + 0x106, 0xabcd);
	region_w64(&self->v, BAR2, 7 * PAGE - 8, 0x0102030405060708ULL);
	EXPECT_TRUE(map_read32(far, PAGE - 4, &val));
	EXPECT_EQ(0x01020304, val);
	EXPECT_EQ(count, region_r32(&self->v, BAR0, COUNT));

	/* A block over the border: two pages of memory, one of the model's. */
	EXPECT_EQ(sizeof(block), region_read(&self->v, BAR2, 0, block,
					     sizeof(block)));
	EXPECT_EQ(0xab, block[PAGE + 0x107]);
	EXPECT_EQ(0x20, block[2 * PAGE + 1]);
	EXPECT_EQ(count + PAGE / 8, region_r32(&self->v, BAR0, COUNT));
	munmap(far, PAGE);
}

TEST_F(mapped, memory_enable)
{
	__u32 val;

	EXPECT_TRUE(map_write32(self->map, 64, 5));
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(map_read32(self->map, 64, &val));
	EXPECT_FALSE(map_read32(self->map, PAGE, &val));
	EXPECT_EQ(-EIO, region_read(&self->v, BAR2, 64, &val, 4));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_TRUE(map_read32(self->map, 64, &val));
	EXPECT_EQ(5, val);
}

/* A reset leaves nothing in memory but what the model puts there. */
TEST_F(mapped, reset)
{
	__u32 val;

	EXPECT_TRUE(map_write32(self->map, 0, 1));
	EXPECT_TRUE(map_write32(self->map, PAGE, 2));
	region_w32(&self->v, BAR2, 4 * PAGE, 3);
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_TRUE(map_read32(self->map, 0, &val));
	EXPECT_EQ(GREETING, val);
	EXPECT_TRUE(map_read32(self->map, PAGE, &val));
	EXPECT_EQ(0, val);
	EXPECT_EQ(0, region_r32(&self->v, BAR2, 4 * PAGE));
}

/* Nor does the next user find anything. */
TEST_F(mapped, next_user)
{
	char uuid[FERRY_NAME_MAX];
	struct vdev other;
	__u8 block[2 * PAGE];
	size_t i;

	memset(self->map, 0xee, 2 * PAGE);
	snprintf(uuid, sizeof(uuid), "%s", self->v.name);
	munmap(self->map, 2 * PAGE);
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open(&other, "mdev", uuid));
	cfg_command(&other, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(sizeof(block), region_read(&other, BAR2, 0, block,
					     sizeof(block)));
	for (i = 4; i < sizeof(block); i++)
		ASSERT_EQ(0, block[i]);
	vdev_close(&other);
}

/* A mapping keeps the memory that it shows, with the device it belongs to. */
TEST_F(mapped, outlives_descriptor)
{
	__u32 val;

	close(self->v.fd);
	self->v.fd = -1;
	EXPECT_TRUE(map_write32(self->map, 128, 77));
	EXPECT_TRUE(map_read32(self->map, 128, &val));
	EXPECT_EQ(77, val);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
