// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs and ROM, by read, write and mmap.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define CFG	VFIO_PCI_CONFIG_REGION_INDEX
#define ROM	VFIO_PCI_ROM_REGION_INDEX
#define VGA	VFIO_PCI_VGA_REGION_INDEX
#define RW	(PROT_READ | PROT_WRITE)

/* ivshmem's BAR 2 is memory: what is written is read, in every width. */
FIXTURE(memory)
{
	struct vdev v;
	__u64 size;
	size_t page;
};

FIXTURE_SETUP(memory)
{
	const char *missing = device_missing("ivshmem");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "ivshmem"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->size = region_size(&self->v, BAR2);
	self->page = sysconf(_SC_PAGESIZE);
	ASSERT_LE(16 * self->page, self->size);
}

FIXTURE_TEARDOWN(memory)
{
	vdev_close(&self->v);
}

static void fill(unsigned char *buf, size_t len, unsigned int seed)
{
	while (len--) {
		seed = seed * 1103515245 + 12345;
		*buf++ = seed >> 16;
	}
}

/* Every length at every alignment, and nothing beside it. */
TEST_F(memory, any_length_and_alignment)
{
	unsigned char want[64], data[32], got[64];
	unsigned int pos, len;

	for (pos = 0; pos < 16; pos++) {
		for (len = 1; len <= 24; len++) {
			fill(want, sizeof(want), pos * 100 + len);
			ASSERT_EQ((ssize_t)sizeof(want),
				  region_write(&self->v, BAR2, 0, want,
					       sizeof(want)));
			fill(data, len, pos * 200 + len);
			memcpy(want + pos, data, len);
			ASSERT_EQ((ssize_t)len,
				  region_write(&self->v, BAR2, pos, data,
					       len));
			memset(got, 0, sizeof(got));
			ASSERT_EQ((ssize_t)sizeof(got),
				  region_read(&self->v, BAR2, 0, got,
					      sizeof(got)));
			ASSERT_EQ(0, memcmp(want, got, sizeof(got))) {
				TH_LOG("wrote %u bytes at %u", len, pos);
			}
			ASSERT_EQ((ssize_t)len,
				  region_read(&self->v, BAR2, pos, got, len));
			ASSERT_EQ(0, memcmp(data, got, len)) {
				TH_LOG("read %u bytes at %u", len, pos);
			}
		}
	}
}

TEST_F(memory, large)
{
	unsigned char *want = malloc(65537), *got = malloc(65537);

	fill(want, 65537, 1);
	ASSERT_EQ(65537, region_write(&self->v, BAR2, 4099, want, 65537));
	ASSERT_EQ(65537, region_read(&self->v, BAR2, 4099, got, 65537));
	EXPECT_EQ(0, memcmp(want, got, 65537));
	free(want);
	free(got);
}

TEST_F(memory, past_the_end)
{
	unsigned char buf[64];
	__u64 size = self->size;

	fill(buf, sizeof(buf), 7);
	ASSERT_EQ(16, region_write(&self->v, BAR2, size - 16, buf, 16));
	EXPECT_EQ(-EINVAL, region_read(&self->v, BAR2, size, buf, 1));
	EXPECT_EQ(-EINVAL, region_read(&self->v, BAR2, size, buf, 8));
	EXPECT_EQ(-EINVAL, region_write(&self->v, BAR2, size, buf, 1));
	EXPECT_EQ(-EINVAL, region_read(&self->v, BAR2, size + 4096, buf, 4));
	EXPECT_EQ(-EINVAL, region_read(&self->v, BAR2, (1ULL << 40) - 1, buf,
				       1));
	EXPECT_EQ(-EINVAL, region_read(&self->v, BAR2, (1ULL << 40) - 8, buf,
				       8));

	/* Across the end it is short. */
	EXPECT_EQ(1, region_read(&self->v, BAR2, size - 1, buf, 2));
	EXPECT_EQ(4, region_read(&self->v, BAR2, size - 4, buf, 64));
	EXPECT_EQ(13, region_read(&self->v, BAR2, size - 13, buf, 64));
	EXPECT_EQ(13, region_write(&self->v, BAR2, size - 13, buf, 64));
	EXPECT_EQ(0, region_read(&self->v, BAR2, 0, buf, 0));
	EXPECT_EQ(0, region_write(&self->v, BAR2, 0, buf, 0));
}

/* A buffer that is not there: an error, not a short count of nothing. */
TEST_F(memory, bad_buffer)
{
	__u32 was = region_r32(&self->v, BAR2, 0);
	unsigned char *map;

	EXPECT_EQ(-EFAULT, region_read(&self->v, BAR2, 0, NULL, 4));
	EXPECT_EQ(-EFAULT, region_write(&self->v, BAR2, 0, NULL, 4));
	EXPECT_EQ(was, region_r32(&self->v, BAR2, 0));
	map = mmap(NULL, self->page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0);
	EXPECT_EQ(-EFAULT, region_read(&self->v, BAR2, 0, map, 4));
	munmap(map, self->page);
}

/* The two ways to the same memory see each other. */
TEST_F(memory, map_is_coherent)
{
	void *map;
	__u32 val;

	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, self->size, RW, MAP_SHARED,
				&map));
	ASSERT_TRUE(map_write32(map, 0x100, 0x12345678));
	EXPECT_EQ(0x12345678, region_r32(&self->v, BAR2, 0x100));
	region_w32(&self->v, BAR2, 0x200, 0x9abcdef0);
	ASSERT_TRUE(map_read32(map, 0x200, &val));
	EXPECT_EQ(0x9abcdef0, val);
	munmap(map, self->size);
}

/* Every page of a mapping is the page of the BAR that it should be. */
TEST_F(memory, map_every_page)
{
	__u64 pos;
	void *map;
	__u32 val;

	for (pos = 0; pos < self->size; pos += self->page)
		region_w32(&self->v, BAR2, pos, 0xf0000000 | pos);
	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, self->size, RW, MAP_SHARED,
				&map));
	for (pos = 0; pos < self->size; pos += self->page) {
		ASSERT_TRUE(map_read32(map, pos, &val));
		ASSERT_EQ(0xf0000000 | pos, val) {
			TH_LOG("page at %#llx", (unsigned long long)pos);
		}
	}

	/* Switched off and on, the same again, last page first. */
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	for (pos = 0; pos < self->size; pos += 64 * self->page) {
		ASSERT_FALSE(map_read32(map, pos, &val)) {
			TH_LOG("page at %#llx", (unsigned long long)pos);
		}
	}
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	for (pos = self->size; pos; ) {
		pos -= self->page;
		ASSERT_TRUE(map_read32(map, pos, &val));
		ASSERT_EQ(0xf0000000 | pos, val);
	}
	munmap(map, self->size);
}

TEST_F(memory, map_a_part)
{
	const size_t page = self->page;
	__u32 val, pos;
	void *map;

	for (pos = 0; pos < 16 * page; pos += page)
		region_w32(&self->v, BAR2, pos, 0xe0000000 | pos);
	for (pos = page; pos < 16 * page; pos += 3 * page) {
		ASSERT_EQ(0, region_map(&self->v, BAR2, pos, page, PROT_READ,
					MAP_SHARED, &map));
		ASSERT_TRUE(map_read32(map, 0, &val));
		EXPECT_EQ(0xe0000000 | pos, val);
		munmap(map, page);
	}
	/* A hole in the middle of a mapping. */
	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, 3 * page, RW, MAP_SHARED,
				&map));
	ASSERT_TRUE(map_read32(map, 2 * page, &val));
	munmap((char *)map + page, page);
	ASSERT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(0xe0000000, val);
	ASSERT_TRUE(map_read32(map, 2 * page, &val));
	EXPECT_EQ(0xe0000000 | 2 * page, val);
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(map_read32(map, 0, &val));
	EXPECT_FALSE(map_read32(map, 2 * page, &val));
	munmap(map, page);
	munmap((char *)map + 2 * page, page);
}

TEST_F(memory, two_mappings)
{
	__u32 val;
	void *a, *b;

	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, self->page, RW, MAP_SHARED,
				&a));
	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, self->page, RW, MAP_SHARED,
				&b));
	ASSERT_TRUE(map_write32(a, 0, 42));
	ASSERT_TRUE(map_read32(b, 0, &val));
	EXPECT_EQ(42, val);
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(map_read32(a, 0, &val));
	EXPECT_FALSE(map_read32(b, 0, &val));
	munmap(a, self->page);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_TRUE(map_read32(b, 0, &val));
	EXPECT_EQ(42, val);
	munmap(b, self->page);
}

/* A mapping that a child inherited is behind the same gate. */
TEST_F(memory, fork)
{
	int to_child[2], to_parent[2], status;
	char go = 'g';
	void *map;
	__u32 val;
	pid_t pid;

	ASSERT_EQ(0, pipe(to_child));
	ASSERT_EQ(0, pipe(to_parent));
	region_w32(&self->v, BAR2, 0, 4711);
	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, self->page, RW, MAP_SHARED,
				&map));
	ASSERT_TRUE(map_read32(map, 0, &val));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		status = !map_read32(map, 0, &val) || val != 4711;
		status |= write(to_parent[1], &go, 1) != 1;
		status |= read(to_child[0], &go, 1) != 1;
		status |= map_read32(map, 0, &val);
		status |= write(to_parent[1], &go, 1) != 1;
		status |= read(to_child[0], &go, 1) != 1;
		status |= !map_read32(map, 0, &val) || val != 4711;
		_exit(status);
	}
	EXPECT_EQ(1, read(to_parent[0], &go, 1));
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(1, write(to_child[1], &go, 1));
	EXPECT_EQ(1, read(to_parent[0], &go, 1));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(1, write(to_child[1], &go, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	munmap(map, self->page);
}

TEST_F(memory, map_refusals)
{
	const size_t page = self->page;
	void *map;

	EXPECT_EQ(-EINVAL, region_map(&self->v, BAR2, 0, page, RW,
				      MAP_PRIVATE, &map));
	EXPECT_EQ(-EINVAL, region_map(&self->v, BAR2, 0, page, PROT_READ,
				      MAP_PRIVATE, &map));
	EXPECT_EQ(-EINVAL, region_map(&self->v, BAR2, 0, self->size + page,
				      RW, MAP_SHARED, &map));
	EXPECT_EQ(-EINVAL, region_map(&self->v, BAR2, page, self->size, RW,
				      MAP_SHARED, &map));
	EXPECT_EQ(-EINVAL, region_map(&self->v, BAR2, self->size, page, RW,
				      MAP_SHARED, &map));
	EXPECT_EQ(-EINVAL, region_map(&self->v, BAR2, (1ULL << 40) - page,
				      page, RW, MAP_SHARED, &map));
	/* From the last page of one region into the next. */
	EXPECT_EQ(-EINVAL, region_map(&self->v, BAR2, (1ULL << 40) - page,
				      2 * page, RW, MAP_SHARED, &map));
	EXPECT_EQ(-EINVAL, region_map(&self->v, CFG, 0, page, PROT_READ,
				      MAP_SHARED, &map));
	EXPECT_EQ(-EINVAL, region_map(&self->v, ROM, 0, page, PROT_READ,
				      MAP_SHARED, &map));
	EXPECT_EQ(-EINVAL, region_map(&self->v, BAR2, 100ULL << 40, page, RW,
				      MAP_SHARED, &map));

	/* A mapping cannot be stretched past what was checked. */
	ASSERT_EQ(0, region_map(&self->v, BAR2, self->size - page, page, RW,
				MAP_SHARED, &map));
	EXPECT_EQ(MAP_FAILED, mremap(map, page, 2 * page, MREMAP_MAYMOVE));
	munmap(map, page);
}

/* Mapped while memory is off: nothing to see until it is on. */
TEST_F(memory, map_while_off)
{
	void *map;
	__u32 val;

	region_w32(&self->v, BAR2, 0, 99);
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, self->page, RW, MAP_SHARED,
				&map));
	EXPECT_FALSE(map_read32(map, 0, &val));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(99, val);
	munmap(map, self->page);
}

/* A mapping outlives the descriptors; the device stays open for it. */
TEST_F(memory, map_outlives_close)
{
	void *map;
	__u32 val;

	region_w32(&self->v, BAR2, 0, 1234);
	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, self->page, RW, MAP_SHARED,
				&map));
	close(self->v.fd);
	self->v.fd = -1;
	ASSERT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(1234, val);
	munmap(map, self->page);
}

/*
 * While one thread switches memory off and on, another reads: it gets the
 * value or is refused, never something else.
 */
TEST_F(memory, gate_race)
{
	struct memory_toggle t = { .v = &self->v };
	unsigned int i, mapped = 0, read = 0;
	pthread_t thread;
	ssize_t ret;
	void *map;
	__u32 val;

	region_w32(&self->v, BAR2, 0, 0xfeedbeef);
	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, self->page, RW, MAP_SHARED,
				&map));
	ASSERT_EQ(0, pthread_create(&thread, NULL, memory_toggler, &t));
	for (i = 0; i < 2000; i++) {
		if (map_read32(map, 0, &val)) {
			mapped++;
			EXPECT_EQ(0xfeedbeef, val);
		}
		ret = region_read(&self->v, BAR2, 0, &val, sizeof(val));
		if (ret == sizeof(val)) {
			read++;
			EXPECT_EQ(0xfeedbeef, val);
		} else {
			EXPECT_EQ(-EIO, ret);
		}
	}
	__atomic_store_n(&t.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	TH_LOG("of %u, %u by mapping and %u by read", i, mapped, read);
	ASSERT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(0xfeedbeef, val);
	munmap(map, self->page);
}

/* What is no region of the device. */
FIXTURE(region)
{
	struct vdev v;
};

FIXTURE_VARIANT(region)
{
	const char *device;
};

FIXTURE_VARIANT_ADD(region, edu) { .device = "edu" };
FIXTURE_VARIANT_ADD(region, e1000e) { .device = "e1000e" };
FIXTURE_VARIANT_ADD(region, igb) { .device = "igb" };
FIXTURE_VARIANT_ADD(region, nvme) { .device = "nvme" };
FIXTURE_VARIANT_ADD(region, ivshmem) { .device = "ivshmem" };
FIXTURE_VARIANT_ADD(region, uart) { .device = "uart" };

FIXTURE_SETUP(region)
{
	const char *missing = device_missing(variant->device);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
}

FIXTURE_TEARDOWN(region)
{
	vdev_close(&self->v);
}

static ssize_t fd_read(int fd, __u64 pos, void *buf, size_t len)
{
	ssize_t ret = pread(fd, buf, len, pos);

	return ret < 0 ? -errno : ret;
}

static ssize_t fd_write(int fd, __u64 pos, const void *buf, size_t len)
{
	ssize_t ret = pwrite(fd, buf, len, pos);

	return ret < 0 ? -errno : ret;
}

TEST_F(region, no_such_region)
{
	struct vfio_device_info info;
	const size_t page = sysconf(_SC_PAGESIZE);
	char buf[8] = { 0 };
	__u64 past, index;

	ASSERT_EQ(0, vdev_info(&self->v, &info));
	past = (__u64)info.num_regions << 40;
	EXPECT_EQ(-EINVAL, fd_read(self->v.fd, past, buf, 1));
	EXPECT_EQ(-EINVAL, fd_write(self->v.fd, past, buf, 1));
	EXPECT_EQ(-EINVAL, fd_read(self->v.fd, 1ULL << 62, buf, 8));
	EXPECT_EQ(-EINVAL, fd_read(self->v.fd, (1ULL << 63) - 8, buf, 8));
	EXPECT_EQ(-EINVAL, fd_read(self->v.fd, 1ULL << 63, buf, 8));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ, MAP_SHARED,
				   self->v.fd, past));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ, MAP_SHARED,
				   self->v.fd, 1ULL << 62));
	EXPECT_EQ(-EINVAL, fd_read(self->v.fd, (__u64)VGA << 40, buf, 1));
	EXPECT_EQ(-EINVAL, fd_write(self->v.fd, (__u64)VGA << 40, buf, 1));
	EXPECT_EQ(-EINVAL, fd_read(self->v.fd, ((__u64)VGA << 40) + 0xa0000,
				   buf, 1));

	/* A BAR that the device has not. */
	for (index = 0; index <= ROM; index++) {
		if (region_size(&self->v, index))
			continue;
		EXPECT_EQ(-EINVAL, fd_read(self->v.fd, index << 40, buf, 1)) {
			TH_LOG("region %llu", (unsigned long long)index);
		}
		EXPECT_EQ(-EINVAL, fd_write(self->v.fd, index << 40, buf, 1));
		EXPECT_EQ(MAP_FAILED, mmap(NULL, page, PROT_READ, MAP_SHARED,
					   self->v.fd, index << 40));
	}
}

/* Past the end of every BAR that there is. */
TEST_F(region, past_the_end)
{
	char buf[16] = { 0 };
	__u32 index;
	__u64 size;

	for (index = 0; index < ROM; index++) {
		size = region_size(&self->v, index);
		if (!size)
			continue;
		EXPECT_EQ(-EINVAL, region_read(&self->v, index, size, buf, 1));
		EXPECT_EQ(-EINVAL, region_write(&self->v, index, size, buf,
						1));
		EXPECT_EQ(-EINVAL, region_read(&self->v, index, size + 8, buf,
					       8));
		EXPECT_EQ(-EINVAL, region_read(&self->v, index,
					       (1ULL << 40) - 1, buf, 16));
		EXPECT_EQ(4, region_read(&self->v, index, size - 4, buf, 16)) {
			TH_LOG("BAR %u", index);
		}
	}
}

/* An I/O port BAR cannot be mapped. */
TEST_F(region, io_bars_do_not_map)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	unsigned int index, found = 0;
	void *map;

	for (index = 0; index < ROM; index++) {
		if (!region_size(&self->v, index) ||
		    !(cfg_r32(&self->v, PCI_BASE_ADDRESS_0 + 4 * index) &
		      PCI_BASE_ADDRESS_SPACE_IO))
			continue;
		found++;
		EXPECT_EQ(0, region_flags(&self->v, index) &
			  VFIO_REGION_INFO_FLAG_MMAP);
		EXPECT_EQ(-EINVAL, region_map(&self->v, index, 0, page,
					      PROT_READ, MAP_SHARED, &map));
	}
	if (!found)
		SKIP(return, "no I/O BAR");
}

/*
 * The MSI-X table: by read and write it is not there, for the host programs
 * it; mapped it is, for the IOMMU checks what a user can do with it.
 */
TEST_F(region, msix_table)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_MSIX), table, bar;
	__u32 zero = 0, val;
	void *map;

	if (!pos)
		SKIP(return, "no MSI-X");
	table = cfg_r32(&self->v, pos + PCI_MSIX_TABLE);
	bar = table & PCI_MSIX_TABLE_BIR;
	table &= PCI_MSIX_TABLE_OFFSET;
	EXPECT_EQ(~0U, region_r32(&self->v, bar, table));
	EXPECT_EQ(0xff, region_r8(&self->v, bar, table + 15));
	EXPECT_EQ(~0ULL, region_r64(&self->v, bar, table + 8));
	EXPECT_EQ(4, region_write(&self->v, bar, table +
				  PCI_MSIX_ENTRY_VECTOR_CTRL, &zero, 4));
	EXPECT_EQ(~0U, region_r32(&self->v, bar, table +
				  PCI_MSIX_ENTRY_VECTOR_CTRL));
	ASSERT_EQ(0, region_map(&self->v, bar, table & ~(page - 1), page, RW,
				MAP_SHARED, &map));
	ASSERT_TRUE(map_read32(map, (table & (page - 1)) +
			       PCI_MSIX_ENTRY_VECTOR_CTRL, &val));
	EXPECT_EQ(PCI_MSIX_ENTRY_CTRL_MASKBIT, val);
	munmap(map, page);
}

/* Of e1000e: the multicast table, 128 dwords of memory; what its MSI-X table is said to be. */
#define MTA		0x5200
#define MTA_DWORDS	128
#define PRETENDED	0x5280

/* A write that begins before the table and ends behind it leaves out what is the table's. */
TEST_F(region, around_the_msix_table)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_MSIX), i;
	const size_t page = sysconf(_SC_PAGESIZE);
	__u32 pattern[MTA_DWORDS], back[MTA_DWORDS], val;
	const __u32 *mta;
	size_t start, end;
	void *map;
	int ret;

	if (strcmp(variant->device, "e1000e"))
		SKIP(return, "of e1000e it is known where it has memory");
	if (!overlay_exists())
		SKIP(return, "module ferry-overlay-test is not loaded");
	start = (PRETENDED - MTA) / 4;
	end = start + 4 * ((cfg_r16(&self->v, pos + PCI_MSIX_FLAGS) &
			    PCI_MSIX_FLAGS_QSIZE) + 1);
	vdev_close(&self->v);
	ASSERT_EQ(0, overlay_add(self->v.name, pos + PCI_MSIX_TABLE, ~0U,
				 PRETENDED));
	ret = vdev_open_device(&self->v, variant->device);
	EXPECT_EQ(0, overlay_clear());
	ASSERT_EQ(0, ret);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, region_map(&self->v, VFIO_PCI_BAR0_REGION_INDEX,
				MTA & ~(page - 1), page, RW, MAP_SHARED, &map));
	mta = map + (MTA & (page - 1));

	for (i = 0; i < MTA_DWORDS; i++)
		pattern[i] = 0x01010101 * (i + 1);
	EXPECT_EQ(sizeof(pattern), region_write(&self->v,
						VFIO_PCI_BAR0_REGION_INDEX, MTA,
						pattern, sizeof(pattern)));
	EXPECT_EQ(sizeof(back), region_read(&self->v,
					    VFIO_PCI_BAR0_REGION_INDEX, MTA,
					    back, sizeof(back)));
	for (i = 0; i < MTA_DWORDS; i++) {
		bool hidden = i >= start && i < end;

		ASSERT_TRUE(map_read32(mta, 4 * i, &val));
		ASSERT_EQ(hidden ? 0 : pattern[i], val) TH_LOG("dword %u", i);
		ASSERT_EQ(hidden ? ~0U : pattern[i], back[i]);
	}
	munmap(map, page);
}

/* The ROM, byte for byte as sysfs gives it, and read-only. */
TEST_F(region, rom)
{
	unsigned char *mine, *theirs, byte = 0;
	__u64 size = region_size(&self->v, ROM), pos;
	char path[256];
	ssize_t len;
	void *map;
	int fd;

	if (!size)
		SKIP(return, "no ROM");
	mine = malloc(size);
	theirs = malloc(size);
	ASSERT_EQ((ssize_t)size, region_read(&self->v, ROM, 0, mine, size));
	EXPECT_EQ(0x55, mine[0]);
	EXPECT_EQ(0xaa, mine[1]);
	for (pos = 0; pos < 64; pos++) {
		EXPECT_EQ(mine[pos], region_r8(&self->v, ROM, pos)) {
			TH_LOG("byte %llu", (unsigned long long)pos);
		}
	}
	EXPECT_EQ(1, region_read(&self->v, ROM, size - 1, &byte, 1));
	EXPECT_EQ(mine[size - 1], byte);
	EXPECT_EQ(-EINVAL, region_read(&self->v, ROM, size, &byte, 1));
	EXPECT_EQ(-EINVAL, region_write(&self->v, ROM, 0, &byte, 1));
	EXPECT_EQ(-EINVAL, region_map(&self->v, ROM, 0,
				      sysconf(_SC_PAGESIZE), PROT_READ,
				      MAP_SHARED, &map));

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/rom",
		 self->v.name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, write(fd, "1", 1));
	for (len = 0; len < (ssize_t)size; len += pos) {
		pos = pread(fd, theirs + len, size - len, len);
		if (!pos || pos > size)
			break;
	}
	EXPECT_EQ(1, pwrite(fd, "0", 1, 0));
	close(fd);
	ASSERT_LT(512, len);
	EXPECT_EQ(0, memcmp(mine, theirs, len));
	free(mine);
	free(theirs);
}

/* Registers of real width: the 8 bytes of the NVMe capabilities. */
FIXTURE(width)
{
	struct vdev v;
};

FIXTURE_SETUP(width)
{
	const char *missing = device_missing("nvme");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "nvme"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
}

FIXTURE_TEARDOWN(width)
{
	vdev_close(&self->v);
}

TEST_F(width, reads)
{
	__u64 cap = region_r64(&self->v, BAR0, 0);
	unsigned int i;

	EXPECT_NE(0, cap);
	EXPECT_NE(~0ULL, cap);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ((__u32)(cap >> 32 * i),
			  region_r32(&self->v, BAR0, 4 * i)) {
			TH_LOG("dword %u", i);
		}
	}
	for (i = 0; i < 4; i++) {
		EXPECT_EQ((__u16)(cap >> 16 * i),
			  region_r16(&self->v, BAR0, 2 * i)) {
			TH_LOG("word %u", i);
		}
	}
}

TEST_F(width, writes)
{
	region_w64(&self->v, BAR0, 0x28, 0x123456789000ULL);
	EXPECT_EQ(0x123456789000ULL, region_r64(&self->v, BAR0, 0x28));
	region_w32(&self->v, BAR0, 0x28, 0xabcd0000);
	EXPECT_EQ(0x1234abcd0000ULL, region_r64(&self->v, BAR0, 0x28));
	region_w32(&self->v, BAR0, 0x2c, 0x77);
	EXPECT_EQ(0x77abcd0000ULL, region_r64(&self->v, BAR0, 0x28));
}

/* I/O ports: a window that e1000e has onto its memory registers. */
TEST(io_ports)
{
	const char *missing = device_missing("e1000e");
	__u32 status;
	struct vdev v;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "e1000e"));
	cfg_command(&v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	status = region_r32(&v, BAR0, 0x8);
	EXPECT_NE(~0U, status);
	region_w32(&v, BAR2, 0, 0x8);
	EXPECT_EQ(0x8, region_r32(&v, BAR2, 0));
	EXPECT_EQ(status, region_r32(&v, BAR2, 4));
	vdev_close(&v);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
