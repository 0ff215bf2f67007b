// SPDX-License-Identifier: GPL-2.0-only
/*
 * The picture of the display, as a region and as a dma-buf.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/harness.h"
#include "bochs.h"

#define CURSOR	2

FIXTURE(plane)
{
	struct vdev v;
	struct vfio_device_gfx_plane_info info;
};

FIXTURE_SETUP(plane)
{
	const char *missing = device_missing(DISPLAY);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, DISPLAY));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, display_attr_write(&self->v, "dmabuf", "1"));
	bochs_mode(&self->v, 640, 480);
}

FIXTURE_TEARDOWN(plane)
{
	vdev_close(&self->v);
}

static bool off(const struct vdev *v)
{
	struct vfio_device_gfx_plane_info info;

	return !plane_query(v, REGION, &info) && !info.drm_format &&
	       !info.width && !info.height && !info.stride && !info.size &&
	       !plane_query(v, DMABUF, &info) && !info.drm_format &&
	       !info.size && !info.dmabuf_id;
}

TEST_F(plane, probe)
{
	EXPECT_EQ(0, plane_query(&self->v, PROBE | REGION, &self->info));
	EXPECT_EQ(0, plane_query(&self->v, PROBE | DMABUF, &self->info));
	ASSERT_EQ(0, plane_query(&self->v, DMABUF, &self->info));
	EXPECT_EQ(1, display_attr_read(&self->v, "dmabuf"));

	ASSERT_EQ(0, display_attr_write(&self->v, "dmabuf", "0"));
	EXPECT_EQ(0, display_attr_read(&self->v, "dmabuf"));
	EXPECT_EQ(0, plane_query(&self->v, PROBE | REGION, &self->info));
	EXPECT_EQ(-EINVAL, plane_query(&self->v, PROBE | DMABUF, &self->info));
	EXPECT_EQ(-EINVAL, plane_query(&self->v, DMABUF, &self->info));
	EXPECT_EQ(-EINVAL, plane_dmabuf(&self->v, 1));
	EXPECT_EQ(-EINVAL, display_attr_write(&self->v, "dmabuf", "maybe"));
}

/* A new instance offers the region only. */
TEST_F(plane, dmabuf_is_off)
{
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open_device(&self->v, DISPLAY));
	EXPECT_EQ(0, plane_query(&self->v, PROBE | REGION, &self->info));
	EXPECT_EQ(-EINVAL, plane_query(&self->v, PROBE | DMABUF, &self->info));
}

TEST_F(plane, bad_requests)
{
	const __u32 flags[] = {
		0, PROBE, REGION | DMABUF, PROBE | REGION | DMABUF, 8,
		8 | REGION, 0x80000000 | REGION, ~0U,
	};
	__u32 argsz;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		EXPECT_EQ(-EINVAL, plane_query(&self->v, flags[i],
					       &self->info)) {
			TH_LOG("flags %#x", flags[i]);
		}
	for (argsz = 0; argsz < 60; argsz++) {
		self->info = (struct vfio_device_gfx_plane_info) {
			.argsz = argsz, .flags = REGION,
		};
		EXPECT_EQ(-EINVAL, fd_ioctl(self->v.fd,
					    VFIO_DEVICE_QUERY_GFX_PLANE,
					    &self->info));
		EXPECT_EQ(0, self->info.width);
	}
	self->info.argsz = ~0U;
	EXPECT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_QUERY_GFX_PLANE,
			      &self->info));
	EXPECT_EQ(640, self->info.width);
	self->info.drm_plane_type = 3;
	EXPECT_EQ(-EINVAL, fd_ioctl(self->v.fd, VFIO_DEVICE_QUERY_GFX_PLANE,
				    &self->info));
	EXPECT_EQ(-EFAULT, fd_ioctl(self->v.fd, VFIO_DEVICE_QUERY_GFX_PLANE,
				    NULL));
	EXPECT_EQ(-EFAULT, fd_ioctl(self->v.fd, VFIO_DEVICE_GET_GFX_DMABUF,
				    NULL));
}

TEST_F(plane, region)
{
	struct vfio_device_gfx_plane_info *info = &self->info;

	memset(info, 0xff, sizeof(*info));
	info->argsz = sizeof(*info);
	info->flags = REGION;
	info->drm_plane_type = 1;
	ASSERT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_QUERY_GFX_PLANE, info));
	EXPECT_EQ(XRGB8888, info->drm_format);
	EXPECT_EQ(0, info->drm_format_mod);
	EXPECT_EQ(640, info->width);
	EXPECT_EQ(480, info->height);
	EXPECT_EQ(640 * 4, info->stride);
	EXPECT_EQ(640 * 480 * 4, info->size);
	EXPECT_EQ(0, info->x_pos);
	EXPECT_EQ(0, info->y_pos);
	EXPECT_EQ(~0U, info->x_hot);
	EXPECT_EQ(~0U, info->y_hot);
	EXPECT_EQ(PICTURE, info->region_index);
	EXPECT_EQ(SIZE, region_size(&self->v, PICTURE));
	EXPECT_TRUE(region_flags(&self->v, PICTURE) &
		    VFIO_REGION_INFO_FLAG_MMAP);

	region_w32(&self->v, MMIO, ENDIAN, ENDIAN_BIG);
	dispi_write(&self->v, VIRT_WIDTH, 700);
	ASSERT_EQ(0, plane_query(&self->v, REGION, info));
	EXPECT_EQ(BGRX8888, info->drm_format);
	EXPECT_EQ(700 * 4, info->stride);
	EXPECT_EQ((700 * 480 * 4 + PAGE - 1) / PAGE * PAGE, info->size);
	/* No line is shorter than what is shown of it. */
	dispi_write(&self->v, VIRT_WIDTH, 600);
	ASSERT_EQ(0, plane_query(&self->v, REGION, info));
	EXPECT_EQ(640 * 4, info->stride);

	/* There is no cursor, which is not an error. */
	info->drm_plane_type = CURSOR;
	info->flags = DMABUF;
	ASSERT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_QUERY_GFX_PLANE, info));
	EXPECT_EQ(0, info->drm_format);
	EXPECT_EQ(0, info->dmabuf_id);
}

/* What is no picture, or would not be within the memory, is none. */
TEST_F(plane, off)
{
	const struct {
		unsigned int reg;
		__u16 val;
	} tries[] = {
		{ ENABLE, 0 }, { ENABLE, 0x40 }, { BPP, 0 }, { BPP, 16 },
		{ BPP, 24 }, { BPP, 0xffff }, { XRES, 0 }, { YRES, 0 },
		{ VIRT_WIDTH, 0xffff }, { VIRT_WIDTH, SIZE / 480 / 4 + 1 },
		{ Y_OFFSET, 0xffff }, { Y_OFFSET, 0x8000 },
		/* Just behind the last that fits, and on no page. */
		{ Y_OFFSET, 1160 }, { Y_OFFSET, 1 }, { X_OFFSET, 1 },
		{ X_OFFSET, 0xffff }, { X_OFFSET, 1023 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		bochs_mode(&self->v, 640, 480);
		ASSERT_FALSE(off(&self->v));
		dispi_write(&self->v, tries[i].reg, tries[i].val);
		EXPECT_TRUE(off(&self->v)) {
			TH_LOG("register %u, %u", tries[i].reg, tries[i].val);
		}
	}
	/* The last that fit. */
	bochs_mode(&self->v, 640, 480);
	dispi_write(&self->v, VIRT_WIDTH, SIZE / 480 / 4);
	EXPECT_FALSE(off(&self->v));
	bochs_mode(&self->v, 640, 480);
	dispi_write(&self->v, Y_OFFSET, 1152);
	EXPECT_FALSE(off(&self->v));
}

/* Whatever a guest writes, the picture is within the memory. */
TEST_F(plane, hostile)
{
	const __u16 vals[] = { 0, 1, 480, 799, 800, 1024, 1632, 2048, 4096,
			       0x7fff, 0x8000, 0xffff };
	const size_t n = ARRAY_SIZE(vals);
	struct vfio_device_gfx_plane_info *info = &self->info;
	__u64 start;
	size_t i;

	for (i = 0; i < n * n * n; i++) {
		dispi_write(&self->v, XRES, 0xffff);
		dispi_write(&self->v, YRES, 0xffff);
		dispi_write(&self->v, VIRT_WIDTH, vals[i % n]);
		dispi_write(&self->v, X_OFFSET, vals[i / n % n]);
		dispi_write(&self->v, Y_OFFSET, vals[i / n / n]);
		ASSERT_EQ(0, plane_query(&self->v, REGION, info));
		if (!info->drm_format)
			continue;
		start = (__u64)info->stride * vals[i / n / n] +
			4 * vals[i / n % n];
		ASSERT_GE(SIZE, start + info->size);
		ASSERT_EQ(0, start % PAGE);
		ASSERT_LE(info->width * 4, info->stride);
	}
}

/* The VGA bit that drivers blank the screen by, behind a flip-flop. */
TEST_F(plane, blank)
{
	region_r8(&self->v, MMIO, VGA(0x3da));
	region_w8(&self->v, MMIO, VGA(0x3c0), 0);
	EXPECT_TRUE(off(&self->v));
	/* That's data, which means nothing. */
	region_w8(&self->v, MMIO, VGA(0x3c0), 0x20);
	EXPECT_TRUE(off(&self->v));
	region_w8(&self->v, MMIO, VGA(0x3c0), 0x20);
	EXPECT_FALSE(off(&self->v));
	region_r8(&self->v, MMIO, VGA(0x3da));
	region_w8(&self->v, MMIO, VGA(0x3c0), 0);
	EXPECT_TRUE(off(&self->v));
	region_r8(&self->v, MMIO, VGA(0x3da));
	region_w8(&self->v, MMIO, VGA(0x3c0), 0x3f);
	EXPECT_FALSE(off(&self->v));
	region_w8(&self->v, MMIO, VGA(0x3c2), 0);
	region_w16(&self->v, MMIO, VGA(0x3c0), 0);
	EXPECT_FALSE(off(&self->v));
}

/* The guest's memory and the picture are the same bytes, from where the picture begins. */
TEST_F(plane, one_memory)
{
	void *bar, *map;
	__u32 val, page;

	ASSERT_EQ(0, region_map(&self->v, MEMORY, 0, SIZE, RW, MAP_SHARED, &bar));
	ASSERT_EQ(0, region_map(&self->v, PICTURE, 0, SIZE, RW, MAP_SHARED,
				&map));
	for (page = 0; page < SIZE / PAGE; page++)
		ASSERT_TRUE(map_write32(bar, page * PAGE + 8, 0xcafe0000 + page));
	for (page = 0; page < SIZE / PAGE; page++) {
		ASSERT_TRUE(map_read32(map, page * PAGE + 8, &val));
		ASSERT_EQ(0xcafe0000 + page, val);
	}
	EXPECT_EQ(0xcafe0005, region_r32(&self->v, PICTURE, 5 * PAGE + 8));
	region_w32(&self->v, PICTURE, 6 * PAGE, 12);
	EXPECT_EQ(12, region_r32(&self->v, MEMORY, 6 * PAGE));
	EXPECT_EQ(-EINVAL, region_read(&self->v, PICTURE, SIZE, &val, 4));

	/* 2560 bytes a line: every eighth line begins on a page. */
	dispi_write(&self->v, Y_OFFSET, 16);
	EXPECT_TRUE(map_read32(map, 8, &val));
	EXPECT_EQ(0xcafe0000, val);
	ASSERT_EQ(0, plane_query(&self->v, REGION, &self->info));
	for (page = 0; page < SIZE / PAGE; page++) {
		ASSERT_TRUE(map_read32(map, page * PAGE + 8, &val));
		ASSERT_EQ(0xcafe0000 + (page + 10) % (SIZE / PAGE), val);
	}
	EXPECT_EQ(0xcafe000f, region_r32(&self->v, PICTURE, 5 * PAGE + 8));
	munmap(bar, SIZE);
	munmap(map, SIZE);
}

/* Accesses of every length around the place where the memory begins again. */
TEST_F(plane, wrap)
{
	const size_t end = SIZE - 10 * PAGE;
	__u8 want[32], got[32];
	size_t len, pos, i;

	for (i = 0; i < sizeof(want); i++) {
		want[i] = i + 1;
		region_w8(&self->v, MEMORY, (SIZE - 16 + i) % SIZE, i + 1);
	}
	dispi_write(&self->v, Y_OFFSET, 16);
	ASSERT_EQ(0, plane_query(&self->v, REGION, &self->info));
	for (len = 1; len <= 16; len++) {
		for (pos = 0; pos < 16; pos++) {
			ASSERT_EQ((ssize_t)len,
				  region_read(&self->v, PICTURE, end - 16 + pos,
					      got, len));
			ASSERT_EQ(0, memcmp(want + pos, got, len));
			ASSERT_EQ((ssize_t)len,
				  region_write(&self->v, PICTURE,
					       end - 16 + pos, got, len));
		}
	}
	ASSERT_EQ(sizeof(got), region_read(&self->v, PICTURE, end - 16, got,
					   sizeof(got)));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
}

/* A guest that is moving its BARs around does not make the monitor's window fault. */
TEST_F(plane, memory_enable)
{
	void *map;
	__u32 val;

	ASSERT_EQ(0, region_map(&self->v, PICTURE, 0, SIZE, RW, MAP_SHARED,
				&map));
	region_w32(&self->v, MEMORY, 0, 7);
	region_w32(&self->v, MEMORY, 1 << 21, 8);
	EXPECT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(7, val);
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(-EIO, region_read(&self->v, MEMORY, 0, &val, 4));
	EXPECT_TRUE(map_read32(map, 0, &val));
	EXPECT_TRUE(map_read32(map, 1 << 21, &val));
	EXPECT_EQ(8, val);
	EXPECT_EQ(8, region_r32(&self->v, PICTURE, 1 << 21));
	EXPECT_FALSE(off(&self->v));

	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_TRUE(map_read32(map, 1 << 21, &val));
	EXPECT_EQ(0, val);
	EXPECT_TRUE(off(&self->v));
	munmap(map, SIZE);
}

/* A picture keeps its number, another one gets another. */
TEST_F(plane, dmabuf_ids)
{
	__u32 first, id;
	int fd;

	EXPECT_EQ(-EINVAL, plane_dmabuf(&self->v, 0));
	EXPECT_EQ(-EINVAL, plane_dmabuf(&self->v, 1));
	ASSERT_EQ(0, plane_query(&self->v, DMABUF, &self->info));
	first = self->info.dmabuf_id;
	EXPECT_NE(0, first);
	EXPECT_EQ(640, self->info.width);
	ASSERT_EQ(0, plane_query(&self->v, DMABUF, &self->info));
	EXPECT_EQ(first, self->info.dmabuf_id);
	dispi_write(&self->v, Y_OFFSET, 8);
	ASSERT_EQ(0, plane_query(&self->v, DMABUF, &self->info));
	id = self->info.dmabuf_id;
	EXPECT_NE(first, id);
	EXPECT_EQ(-EINVAL, plane_dmabuf(&self->v, first));
	EXPECT_EQ(-EINVAL, plane_dmabuf(&self->v, id + 1));
	fd = plane_dmabuf(&self->v, id);
	ASSERT_LE(0, fd);
	EXPECT_EQ(640 * 480 * 4, lseek(fd, 0, SEEK_END));
	close(fd);

	/* Blank and back: it is the same picture. */
	dispi_write(&self->v, ENABLE, 0);
	ASSERT_EQ(0, plane_query(&self->v, DMABUF, &self->info));
	EXPECT_EQ(0, self->info.dmabuf_id);
	dispi_write(&self->v, ENABLE, 1);
	ASSERT_EQ(0, plane_query(&self->v, DMABUF, &self->info));
	EXPECT_EQ(id, self->info.dmabuf_id);
}

static int dmabuf_at(const struct vdev *v, __u16 line)
{
	struct vfio_device_gfx_plane_info info;
	int ret;

	dispi_write(v, Y_OFFSET, line);
	ret = plane_query(v, DMABUF, &info);
	return ret ?: plane_dmabuf(v, info.dmabuf_id);
}

static void *dmabuf_map(int fd, size_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, flags, fd, 0);
}

TEST_F(plane, dmabuf_memory)
{
	const size_t size = 640 * 480 * 4;
	__u32 val;
	void *map;
	int fd;

	fd = dmabuf_at(&self->v, 16);
	ASSERT_LE(0, fd);
	map = dmabuf_map(fd, size, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, map);
	region_w32(&self->v, MEMORY, 10 * PAGE, 1234);
	region_w32(&self->v, MEMORY, 10 * PAGE + size - 4, 5678);
	EXPECT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(1234, val);
	EXPECT_TRUE(map_read32(map, size - 4, &val));
	EXPECT_EQ(5678, val);
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(0, val);

	/* To be looked at, and no more of it than there is. */
	EXPECT_EQ(MAP_FAILED, dmabuf_map(fd, size, RW, MAP_SHARED));
	EXPECT_EQ(MAP_FAILED, dmabuf_map(fd, size + PAGE, PROT_READ,
					 MAP_SHARED));
	EXPECT_EQ(MAP_FAILED, dmabuf_map(fd, size, PROT_READ, MAP_PRIVATE));
	EXPECT_NE(0, mprotect(map, size, RW));
	EXPECT_EQ(MAP_FAILED, mremap(map, size, 2 * size, MREMAP_MAYMOVE));
	munmap(map, size);
	close(fd);
}

/* Another device gets at it by DMA, all of it, as often as it likes. */
TEST_F(plane, dmabuf_imported)
{
	const char *missing = device_missing("igb");
	const size_t size = 640 * 480 * 4;
	struct import seen;
	int fd, importer, i;

	if (missing)
		SKIP(return, "%s", missing);
	importer = importer_open();
	if (importer < 0)
		SKIP(return, "module ferry-import-test is not loaded");
	fd = dmabuf_at(&self->v, 16);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, importer_attach(importer, fd, device_bdf("igb"), "fixed"));
	/* The importer holds it. */
	close(fd);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, importer_say(importer, "map"));
		seen = importer_look(importer);
		EXPECT_EQ(1, seen.mapped);
		EXPECT_EQ(size, seen.len);
		EXPECT_EQ(0, importer_say(importer, "unmap"));
	}
	/* It doesn't go away with the mode, or with its device. */
	EXPECT_EQ(0, importer_say(importer, "map"));
	bochs_mode(&self->v, 800, 600);
	vdev_close(&self->v);
	seen = importer_look(importer);
	EXPECT_EQ(1, seen.mapped);
	EXPECT_EQ(0, seen.moves);
	EXPECT_EQ(0, importer_say(importer, "detach"));
	close(importer);
}

/* It outlives the device, which goes dark, and the next user has other memory. */
TEST_F(plane, dmabuf_lives_on)
{
	const size_t size = 640 * 480 * 4;
	char uuid[FERRY_NAME_MAX];
	__u32 val, page;
	void *map;
	int fd;

	for (page = 0; page < SIZE / PAGE; page++)
		region_w32(&self->v, MEMORY, page * PAGE, 0xcafe0000 + page);
	fd = dmabuf_at(&self->v, 0);
	ASSERT_LE(0, fd);
	snprintf(uuid, sizeof(uuid), "%s", self->v.name);
	vdev_close(&self->v);
	map = dmabuf_map(fd, size, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(0, val);

	ASSERT_EQ(0, vdev_open(&self->v, "mdev", uuid));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(-EINVAL, plane_dmabuf(&self->v, 1));
	for (page = 0; page < SIZE / PAGE; page++) {
		ASSERT_EQ(0, region_r32(&self->v, MEMORY, page * PAGE));
		region_w32(&self->v, MEMORY, page * PAGE, 0xbad);
	}
	for (page = 0; page < size / PAGE; page++) {
		ASSERT_TRUE(map_read32(map, page * PAGE, &val));
		ASSERT_EQ(0, val);
	}
	close(fd);
	EXPECT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(0, val);
	munmap(map, size);
}

/* What is closed again and again leaves no memory behind. */
TEST_F(plane, dmabuf_leaks_nothing)
{
	const char *unclear = kernel_memory_unclear();
	long before, after;
	int i, fd;

	if (unclear)
		SKIP(return, "%s", unclear);
	for (i = 0, before = 0; i < 220; i++) {
		if (i == 20)
			before = kernel_memory();
		fd = dmabuf_at(&self->v, i % 2 ? 8 : 0);
		ASSERT_LE(0, fd);
		close(fd);
	}
	after = kernel_memory();
	/* One picture's list of pages in each round would be 800 KiB. */
	EXPECT_GT(400, after - before) {
		TH_LOG("%ld KiB", after - before);
	}
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
