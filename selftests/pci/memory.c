// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs of extreme sizes: mapped with huge page table entries, or smaller than a page.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define RW	(PROT_READ | PROT_WRITE)
#define MB	(1024ULL * 1024)
#define HUGE	(2 * MB)
#define GB	(1024 * MB)

/* pci-testdev's BAR 2 is a gigabyte of memory. */
FIXTURE(huge)
{
	struct vdev v;
	size_t page;
	char *area;
};

FIXTURE_SETUP(huge)
{
	const char *missing = device_missing("testdev");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "testdev"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	if (region_size(&self->v, BAR2) < GB)
		SKIP(return, "the device has no BAR of 1 GiB");
	self->page = sysconf(_SC_PAGESIZE);
	/* Addresses to put mappings at. */
	self->area = mmap(NULL, 3 * GB, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->area);
	self->area = (char *)(((uintptr_t)self->area + GB - 1) & ~(GB - 1));
}

FIXTURE_TEARDOWN(huge)
{
	vdev_close(&self->v);
}

static void map_at(const struct vdev *v, char *addr, __u64 pos, size_t len)
{
	if (mmap(addr, len, RW, MAP_SHARED | MAP_FIXED, v->fd,
		 region_offset(v, BAR2) + pos) != addr)
		abort();
}

/* A place in each 2 MiB, on ever other pages of them. */
static __u64 place(unsigned int i)
{
	return i * HUGE + (i % 512) * 4096 + 4 * (i % 1024);
}

/* What is written by a mapping is read by read(2), and the other way round. */
static bool same_memory(const struct vdev *v, char *map, __u64 from, __u64 to)
{
	unsigned int i;
	__u32 val;

	for (i = 0; i < GB / HUGE; i++) {
		if (place(i) < from || place(i) + 4 > to)
			continue;
		if (!map_write32(map, place(i) - from, 0xa5000000 | i) ||
		    region_r32(v, BAR2, place(i)) != (0xa5000000 | i))
			return false;
		region_w32(v, BAR2, place(i), 0x5a000000 | i);
		if (!map_read32(map, place(i) - from, &val) ||
		    val != (0x5a000000 | i))
			return false;
	}
	return true;
}

static bool all_gone(char *map)
{
	unsigned int i;
	__u32 val;

	for (i = 0; i < GB / HUGE; i += 37)
		if (map_read32(map, place(i), &val))
			return false;
	return true;
}

/* The mapping lies as the BAR does: an entry may map a gigabyte. */
TEST_F(huge, aligned)
{
	map_at(&self->v, self->area, 0, GB);
	EXPECT_TRUE(same_memory(&self->v, self->area, 0, GB));
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_TRUE(all_gone(self->area));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_TRUE(same_memory(&self->v, self->area, 0, GB));
}

/* It lies by 2 MiB, or by a page, beside how the BAR does. */
TEST_F(huge, misaligned)
{
	map_at(&self->v, self->area + HUGE, 0, GB);
	EXPECT_TRUE(same_memory(&self->v, self->area + HUGE, 0, GB));
	map_at(&self->v, self->area + self->page, 0, GB);
	EXPECT_TRUE(same_memory(&self->v, self->area + self->page, 0, GB));
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_TRUE(all_gone(self->area + self->page));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
}

/* It begins and ends in the middle of what an entry could map. */
TEST_F(huge, part)
{
	const __u64 from = 3 * HUGE - 5 * self->page;
	const __u64 to = 9 * HUGE + 17 * self->page;
	__u32 val;

	map_at(&self->v, self->area + from, from, to - from);
	EXPECT_TRUE(same_memory(&self->v, self->area + from, from, to));
	region_w32(&self->v, BAR2, from, 0x11111111);
	region_w32(&self->v, BAR2, to - 4, 0x22222222);
	ASSERT_TRUE(map_read32(self->area, from, &val));
	EXPECT_EQ(0x11111111, val);
	ASSERT_TRUE(map_read32(self->area, to - 4, &val));
	EXPECT_EQ(0x22222222, val);

	/* A hole in the middle of an entry, and protection that changes there. */
	ASSERT_EQ(0, munmap(self->area + 4 * HUGE + self->page, self->page));
	ASSERT_EQ(0, mprotect(self->area + 6 * HUGE + self->page, self->page,
			      PROT_READ));
	region_w32(&self->v, BAR2, 4 * HUGE, 0x33333333);
	ASSERT_TRUE(map_read32(self->area, 4 * HUGE, &val));
	EXPECT_EQ(0x33333333, val);
	region_w32(&self->v, BAR2, 6 * HUGE + self->page, 0x44444444);
	ASSERT_TRUE(map_read32(self->area, 6 * HUGE + self->page, &val));
	EXPECT_EQ(0x44444444, val);
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/* One fault maps 2 MiB at least; each page by itself would be 512 of them. */
TEST_F(huge, few_faults)
{
	long before;
	__u64 pos;
	__u32 val;

	map_at(&self->v, self->area, 0, GB);
	map_read32(self->area, HUGE, &val);
	before = faults();
	for (pos = 2 * HUGE; pos < 3 * HUGE; pos += self->page)
		ASSERT_TRUE(map_read32(self->area, pos, &val));
	EXPECT_GT(16, faults() - before);

	before = faults();
	for (pos = 0; pos < GB; pos += HUGE)
		ASSERT_TRUE(map_read32(self->area, pos, &val));
	TH_LOG("%ld faults for 1 GiB", faults() - before);
	EXPECT_GT(600, faults() - before);
}

static bool in_iomem(const char *what)
{
	char line[256];
	bool found = false;
	FILE *f = fopen("/proc/iomem", "re");

	if (!f)
		abort();
	while (fgets(line, sizeof(line), f))
		found |= !!strstr(line, what);
	fclose(f);
	return found;
}

/* A gigabyte of ones, of which there are 2 MiB. */
static void map_ones(char *addr)
{
	int fd = memfd_create("ones", MFD_CLOEXEC);
	__u64 pos;

	if (fd < 0 || ftruncate(fd, HUGE))
		abort();
	for (pos = 0; pos < GB; pos += HUGE)
		if (mmap(addr + pos, HUGE, RW, MAP_SHARED | MAP_FIXED, fd,
			 0) != addr + pos)
			abort();
	memset(addr, 0xff, HUGE);
	close(fd);
}

/* How a child ends that is killed when it has begun to write @area, or -errno. */
static int killed_writing(const struct vdev *v, const char *area)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (!child) {
		region_write(v, BAR2, 0, area, GB);
		_exit(0);
	}
	while (!region_r32(v, BAR2, 0))
		sched_yield();
	if (kill(child, SIGKILL) || waitpid(child, &status, 0) != child)
		return -errno;
	return status;
}

/* Who is killed while it writes a gigabyte doesn't come to its end. */
TEST_F(huge, killed)
{
	const __u64 last = GB - sizeof(__u32);
	int tries = 5, status;

	if (driver_is_stock())
		SKIP(return, "the kernel's own driver goes on to the end");
	map_ones(self->area);
	/* On a busy machine the child may be through before it is its parent's turn. */
	do {
		region_w32(&self->v, BAR2, 0, 0);
		region_w32(&self->v, BAR2, last, 0);
		status = killed_writing(&self->v, self->area);
		ASSERT_LE(0, status);
	} while (WIFEXITED(status) && --tries);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(0, region_r32(&self->v, BAR2, last));
}

/* ivshmem's BAR 0 has 256 bytes, the first four of which can be written. */
TEST(sub_page)
{
	const char *missing = device_missing("ivshmem");
	const size_t page = sysconf(_SC_PAGESIZE);
	struct vdev v;
	__u32 val;
	void *map;

	if (missing)
		SKIP(return, "%s", missing);
	EXPECT_FALSE(in_iomem("sub-page BAR"));
	ASSERT_EQ(0, vdev_open_device(&v, "ivshmem"));
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(256, region_size(&v, BAR0));
	EXPECT_NE(0, region_flags(&v, BAR0) & VFIO_REGION_INFO_FLAG_MMAP);
	/* The rest of the page is kept from everybody else. */
	if (!driver_is_stock())
		EXPECT_TRUE(in_iomem("sub-page BAR"));
	ASSERT_EQ(0, region_map(&v, BAR0, 0, page, RW, MAP_SHARED, &map));
	ASSERT_TRUE(map_write32(map, 0, 0x5a));
	EXPECT_EQ(0x5a, region_r32(&v, BAR0, 0));
	region_w32(&v, BAR0, 0, 0xa5);
	ASSERT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(0xa5, val);
	munmap(map, page);

	EXPECT_EQ(-EINVAL, region_map(&v, BAR0, 0, 2 * page, RW, MAP_SHARED,
				      &map));
	EXPECT_EQ(-EINVAL, region_map(&v, BAR0, page, page, RW, MAP_SHARED,
				      &map));
	EXPECT_EQ(-EINVAL, region_read(&v, BAR0, 256, &val, 4));
	EXPECT_EQ(4, region_read(&v, BAR0, 252, &val, 4));
	vdev_close(&v);
	EXPECT_FALSE(in_iomem("sub-page BAR"));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
