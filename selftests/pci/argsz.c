// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every ioctl that a device may have, with arguments of every size and of
 * pseudo-random content, each at the very end of accessible memory. Whatever
 * happens the errno is one that an ioctl of a device may give, the device
 * goes on working, and nothing is left when it is closed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define NR_FIRST	100
#define NR_LAST		124
#define NR(cmd)		((cmd) & 0xff)

FIXTURE(argsz)
{
	struct vdev v;
	unsigned char *end;
	size_t page;
	unsigned int seed;
};

FIXTURE_VARIANT(argsz)
{
	const char *device;
};

FIXTURE_VARIANT_ADD(argsz, edu) { .device = "edu" };
FIXTURE_VARIANT_ADD(argsz, igb) { .device = "igb" };
FIXTURE_VARIANT_ADD(argsz, nvme) { .device = "nvme" };
FIXTURE_VARIANT_ADD(argsz, uart) { .device = "uart" };

FIXTURE_SETUP(argsz)
{
	const char *missing = device_missing(variant->device);
	unsigned char *map;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	self->page = sysconf(_SC_PAGESIZE);
	map = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	self->end = map + self->page;
	ASSERT_EQ(0, munmap(self->end, self->page));
	self->seed = 20260101;
}

FIXTURE_TEARDOWN(argsz)
{
	vdev_close(&self->v);
}

static __u32 next_random(unsigned int *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 8;
}

/* A value from where mistakes are made: edges, and now and then anything. */
static __u32 edge(unsigned int *seed)
{
	static const __u32 edges[] = {
		0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 31, 64, 255, 256, 4096,
		0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffe, 0xffffffff,
	};
	__u32 pick = next_random(seed);

	if (pick % 8)
		return edges[(pick >> 3) % ARRAY_SIZE(edges)];
	return next_random(seed) << 8 ^ next_random(seed);
}

static bool documented(int ret)
{
	switch (ret) {
	case -EINVAL:
	case -ENOTTY:
	case -EFAULT:
	case -EBADF:
	case -ENOENT:
	case -ENODEV:
	case -ENOSPC:
	case -E2BIG:
	case -EBUSY:
	case -EEXIST:
	case -EPERM:
	case -EOPNOTSUPP:
	case -ERANGE:
		return true;
	}
	return ret >= 0;
}

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/* It answers, and its interrupts can be had. */
static void expect_alive(struct __test_metadata *_metadata, struct vdev *v,
			 __u32 id)
{
	int efd = efd_new();
	__u32 index;

	EXPECT_EQ(id, cfg_r32(v, PCI_VENDOR_ID));
	for (index = 0; index <= VFIO_PCI_MSIX_IRQ_INDEX; index++)
		irq_disable(v, index);
	EXPECT_EQ(0, irq_lines(v->name));
	index = VFIO_PCI_MSI_IRQ_INDEX;
	if (!cfg_find_cap(v, PCI_CAP_ID_MSI))
		index = VFIO_PCI_MSIX_IRQ_INDEX;
	EXPECT_EQ(0, irq_attach_one(v, index, 0, efd));
	EXPECT_EQ(0, irq_fire(v, index, 0, 1));
	EXPECT_LE(1, efd_wait(efd));
	EXPECT_EQ(0, irq_disable(v, index));
	close(efd);
}

/* Every number with every size, the structure being all that there is. */
TEST_F(argsz, every_number_and_size)
{
	__u32 id = cfg_r32(&self->v, PCI_VENDOR_ID);
	int files = open_files(), ret;
	unsigned int nr, size;
	unsigned char *arg;

	for (nr = NR_FIRST; nr <= NR_LAST; nr++) {
		if (nr == NR(VFIO_DEVICE_RESET))
			continue;
		for (size = 4; size <= 64; size++) {
			arg = self->end - size;
			memset(arg, 0, size);
			*(__u32 *)arg = size;
			ret = fd_ioctl(self->v.fd, _IO(VFIO_TYPE, nr), arg);
			EXPECT_TRUE(documented(ret)) {
				TH_LOG("ioctl %u, size %u: %d", nr, size,
				       ret);
			}
			/* It claims more than there is. */
			*(__u32 *)arg = ~0U;
			ret = fd_ioctl(self->v.fd, _IO(VFIO_TYPE, nr), arg);
			EXPECT_TRUE(documented(ret)) {
				TH_LOG("ioctl %u, size %u of ~0: %d", nr,
				       size, ret);
			}
		}
	}
	expect_alive(_metadata, &self->v, id);
	EXPECT_EQ(files, open_files());
}

TEST_F(argsz, random_content)
{
	static const unsigned int numbers[] = {
		NR(VFIO_DEVICE_GET_INFO), NR(VFIO_DEVICE_GET_REGION_INFO),
		NR(VFIO_DEVICE_GET_IRQ_INFO), NR(VFIO_DEVICE_SET_IRQS),
		NR(VFIO_DEVICE_SET_IRQS), NR(VFIO_DEVICE_SET_IRQS),
		NR(VFIO_DEVICE_IOEVENTFD), NR(VFIO_DEVICE_FEATURE),
	};
	__u32 id = cfg_r32(&self->v, PCI_VENDOR_ID), *word;
	int files = open_files(), ret;
	unsigned int i, j, nr, words;

	for (i = 0; i < 5000; i++) {
		nr = numbers[next_random(&self->seed) % ARRAY_SIZE(numbers)];
		words = 1 + next_random(&self->seed) % 16;
		word = (__u32 *)(self->end - 4 * words);
		for (j = 0; j < words; j++)
			word[j] = edge(&self->seed);
		if (next_random(&self->seed) % 4)
			word[0] = 4 * words;
		/* Flags of one data type and one action, more often. */
		if (nr == NR(VFIO_DEVICE_SET_IRQS) && words > 1 &&
		    next_random(&self->seed) % 2)
			word[1] = 1 << next_random(&self->seed) % 3 |
				  8 << next_random(&self->seed) % 3;
		ret = fd_ioctl(self->v.fd, _IO(VFIO_TYPE, nr), word);
		EXPECT_TRUE(documented(ret)) {
			TH_LOG("round %u, ioctl %u: %d", i, nr, ret);
		}
	}
	expect_alive(_metadata, &self->v, id);
	EXPECT_EQ(files, open_files());
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
