// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device says about itself: GET_INFO, GET_REGION_INFO, GET_IRQ_INFO.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define CANARY	0xa5

FIXTURE(info)
{
	struct vdev v;
	bool mdev;
};

FIXTURE_VARIANT(info)
{
	const char *device;
};

FIXTURE_VARIANT_ADD(info, edu) { .device = "edu" };
FIXTURE_VARIANT_ADD(info, e1000e) { .device = "e1000e" };
FIXTURE_VARIANT_ADD(info, igb) { .device = "igb" };
FIXTURE_VARIANT_ADD(info, nvme) { .device = "nvme" };
FIXTURE_VARIANT_ADD(info, ivshmem) { .device = "ivshmem" };
FIXTURE_VARIANT_ADD(info, uart) { .device = "uart" };

FIXTURE_SETUP(info)
{
	const char *missing = device_missing(variant->device);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	self->mdev = device_is_mdev(variant->device);
}

FIXTURE_TEARDOWN(info)
{
	vdev_close(&self->v);
}

static bool all_canary(const unsigned char *buf, size_t len)
{
	while (len--)
		if (*buf++ != CANARY)
			return false;
	return true;
}

TEST_F(info, device)
{
	struct vfio_device_info info;

	ASSERT_EQ(0, vdev_info(&self->v, &info));
	EXPECT_TRUE(info.flags & VFIO_DEVICE_FLAGS_PCI);
	EXPECT_FALSE(info.flags & VFIO_DEVICE_FLAGS_PLATFORM);
	EXPECT_LE(VFIO_PCI_NUM_REGIONS, info.num_regions);
	EXPECT_EQ(VFIO_PCI_NUM_IRQS, info.num_irqs);
}

/* A mediated device can always be reset: it is only memory. */
TEST_F(info, mdev_resets)
{
	struct vfio_device_info info;

	if (!self->mdev)
		SKIP(return, "a physical device may have no reset");
	ASSERT_EQ(0, vdev_info(&self->v, &info));
	EXPECT_TRUE(info.flags & VFIO_DEVICE_FLAGS_RESET);
	EXPECT_EQ(0, vdev_reset(&self->v));
}

/*
 * Every size from nothing to far too much: too short is refused and nothing
 * is written; enough is answered and nothing past the size is written.
 */
static void every_argsz(struct __test_metadata *_metadata, int fd,
			unsigned long cmd, __u32 index, bool indexed,
			size_t minsz)
{
	unsigned char buf[256];
	__u32 *word = (__u32 *)buf;
	__u32 argsz;

	for (argsz = 0; argsz < sizeof(buf) - 8; argsz++) {
		memset(buf, CANARY, sizeof(buf));
		word[0] = argsz;
		if (indexed)
			word[2] = index;
		if (argsz < minsz) {
			EXPECT_EQ(-EINVAL, fd_ioctl(fd, cmd, buf)) {
				TH_LOG("argsz %u", argsz);
			}
			EXPECT_EQ(argsz, word[0]);
			EXPECT_TRUE(all_canary(buf + 12, sizeof(buf) - 12));
			continue;
		}
		EXPECT_EQ(0, fd_ioctl(fd, cmd, buf)) {
			TH_LOG("argsz %u", argsz);
		}
		EXPECT_TRUE(all_canary(buf + argsz, sizeof(buf) - argsz)) {
			TH_LOG("written past argsz %u", argsz);
		}
		EXPECT_LE(argsz, word[0]);
	}
	EXPECT_EQ(-EFAULT, fd_ioctl(fd, cmd, NULL));
	EXPECT_EQ(-EFAULT, fd_ioctl(fd, cmd, (void *)0xfff));
}

TEST_F(info, device_argsz)
{
	every_argsz(_metadata, self->v.fd, VFIO_DEVICE_GET_INFO, 0, false,
		    offsetof(struct vfio_device_info, cap_offset));
}

TEST_F(info, region_argsz)
{
	struct vfio_device_info info;
	__u32 index;

	ASSERT_EQ(0, vdev_info(&self->v, &info));
	for (index = 0; index < VFIO_PCI_VGA_REGION_INDEX; index++)
		every_argsz(_metadata, self->v.fd, VFIO_DEVICE_GET_REGION_INFO,
			    index, true, sizeof(struct vfio_region_info));
}

TEST_F(info, irq_argsz)
{
	struct vfio_irq_info info;
	__u32 index;

	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		if (irq_info(&self->v, index, &info))
			continue;
		every_argsz(_metadata, self->v.fd, VFIO_DEVICE_GET_IRQ_INFO,
			    index, true, sizeof(struct vfio_irq_info));
	}
}

/* The flags are answers: what the caller leaves in them does not matter. */
TEST_F(info, flags_are_output)
{
	struct vfio_device_info dev = {
		.argsz = sizeof(dev),
		.flags = ~0U,
	};
	struct vfio_region_info region = {
		.argsz = sizeof(region),
		.flags = ~0U,
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	struct vfio_irq_info irq = {
		.argsz = sizeof(irq),
		.flags = ~0U,
		.index = VFIO_PCI_REQ_IRQ_INDEX,
	};

	ASSERT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_GET_INFO, &dev));
	EXPECT_NE(~0U, dev.flags);
	ASSERT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_GET_REGION_INFO,
			      &region));
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE,
		  region.flags);
	ASSERT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_GET_IRQ_INFO, &irq));
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, irq.flags);
}

TEST_F(info, region_indexes)
{
	struct vfio_device_info dev;
	struct vfio_region_info info;
	__u32 index;

	ASSERT_EQ(0, vdev_info(&self->v, &dev));
	for (index = 0; index < dev.num_regions; index++) {
		if (index == VFIO_PCI_VGA_REGION_INDEX)
			continue;
		EXPECT_EQ(0, region_info(&self->v, index, &info)) {
			TH_LOG("region %u", index);
		}
		EXPECT_EQ(index, info.index);
		EXPECT_EQ((__u64)index << 40, info.offset);
		EXPECT_GT(1ULL << 40, info.size);
		EXPECT_EQ(0, info.size ? 0 : info.flags);
	}
	EXPECT_EQ(-EINVAL, region_info(&self->v, VFIO_PCI_VGA_REGION_INDEX,
				       &info));
	EXPECT_EQ(-EINVAL, region_info(&self->v, dev.num_regions, &info));
	EXPECT_EQ(-EINVAL, region_info(&self->v, INT_MAX, &info));
	EXPECT_EQ(-EINVAL, region_info(&self->v, 0x80000000U, &info));
	EXPECT_EQ(-EINVAL, region_info(&self->v, ~0U, &info));
}

/* BARs and ROM are as long as the kernel knows them to be. */
TEST_F(info, region_sizes)
{
	struct vfio_region_info info;
	__u32 index, rw = VFIO_REGION_INFO_FLAG_READ |
			  VFIO_REGION_INFO_FLAG_WRITE;
	__u64 len;

	if (self->mdev)
		SKIP(return, "a mediated device has no resources in sysfs");
	for (index = VFIO_PCI_BAR0_REGION_INDEX;
	     index <= VFIO_PCI_BAR5_REGION_INDEX; index++) {
		len = pci_resource_len(self->v.name, index);
		ASSERT_EQ(0, region_info(&self->v, index, &info));
		EXPECT_EQ(len, info.size) {
			TH_LOG("BAR %u", index);
		}
		EXPECT_EQ(len ? rw : 0, info.flags & rw);
	}
	len = pci_resource_len(self->v.name, VFIO_PCI_ROM_REGION_INDEX);
	ASSERT_EQ(0, region_info(&self->v, VFIO_PCI_ROM_REGION_INDEX, &info));
	EXPECT_EQ(info.size ? len : 0, info.size);
	EXPECT_EQ(info.size ? VFIO_REGION_INFO_FLAG_READ : 0, info.flags);
}

TEST_F(info, config_size)
{
	struct vfio_region_info info;
	struct stat st;
	int fd;

	ASSERT_EQ(0, region_info(&self->v, VFIO_PCI_CONFIG_REGION_INDEX,
				 &info));
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE,
		  info.flags);
	if (self->mdev) {
		EXPECT_TRUE(info.size == 256 || info.size == 4096);
		return;
	}
	fd = pci_config(self->v.name, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ((__u64)st.st_size, info.size);
	close(fd);
}

/* The BAR with the MSI-X table can be mapped whole, and says so. */
TEST_F(info, msix_mappable)
{
	struct {
		struct vfio_region_info info;
		struct vfio_info_cap_header cap;
		__u64 room[4];
	} big;
	struct vfio_region_info info;
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_MSIX);
	__u32 bar;

	if (!pos)
		SKIP(return, "no MSI-X");
	bar = cfg_r32(&self->v, pos + PCI_MSIX_TABLE) & PCI_MSIX_TABLE_BIR;

	ASSERT_EQ(0, region_info(&self->v, bar, &info));
	if (!(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
		SKIP(return, "the MSI-X table is in a BAR of less than a page");
	EXPECT_TRUE(info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	EXPECT_LT(sizeof(info), info.argsz);
	EXPECT_EQ(0, info.cap_offset);

	memset(&big, 0, sizeof(big));
	big.info.argsz = sizeof(big);
	big.info.index = bar;
	ASSERT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_GET_REGION_INFO, &big));
	EXPECT_EQ(sizeof(big), big.info.argsz);
	ASSERT_EQ(sizeof(big.info), big.info.cap_offset);
	EXPECT_EQ(VFIO_REGION_INFO_CAP_MSIX_MAPPABLE, big.cap.id);
	EXPECT_EQ(1, big.cap.version);
	EXPECT_EQ(0, big.cap.next);
}

TEST_F(info, irq_intx)
{
	struct vfio_irq_info info;

	ASSERT_EQ(0, irq_info(&self->v, VFIO_PCI_INTX_IRQ_INDEX, &info));
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
		  VFIO_IRQ_INFO_AUTOMASKED, info.flags);
	EXPECT_EQ(!!cfg_r8(&self->v, PCI_INTERRUPT_PIN), info.count);
}

TEST_F(info, irq_msi)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_MSI);
	struct vfio_irq_info info;
	__u32 count = 0;

	if (pos)
		count = 1 << ((cfg_r16(&self->v, pos + PCI_MSI_FLAGS) &
			       PCI_MSI_FLAGS_QMASK) >> 1);
	ASSERT_EQ(0, irq_info(&self->v, VFIO_PCI_MSI_IRQ_INDEX, &info));
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, info.flags);
	EXPECT_EQ(count, info.count);
}

TEST_F(info, irq_msix)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_MSIX);
	struct vfio_irq_info info;
	__u32 count = 0;

	if (pos)
		count = (cfg_r16(&self->v, pos + PCI_MSIX_FLAGS) &
			 PCI_MSIX_FLAGS_QSIZE) + 1;
	ASSERT_EQ(0, irq_info(&self->v, VFIO_PCI_MSIX_IRQ_INDEX, &info));
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD,
		  info.flags & ~VFIO_IRQ_INFO_NORESIZE);
	EXPECT_EQ(count, info.count);
}

/*
 * A table that the device claims to have behind the end of its BAR, and one whose end,
 * in 32 bits, comes before its beginning.
 */
TEST_F(info, msix_table_outside)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_MSIX);
	const __u32 offsets[] = { 0x7ffff000, 0xfffffff8 };
	struct vfio_irq_info info;
	unsigned int i;
	int ret;

	if (!pos || self->mdev)
		SKIP(return, "no MSI-X");
	if (driver_is_stock())
		SKIP(return, "the kernel's own driver believes the device");
	if (!overlay_exists())
		SKIP(return, "module ferry-overlay-test is not loaded");
	for (i = 0; i < 2; i++) {
		vdev_close(&self->v);
		ASSERT_EQ(0, overlay_add(self->v.name, pos + PCI_MSIX_TABLE,
					 PCI_MSIX_TABLE_OFFSET, offsets[i]));
		ret = vdev_open_device(&self->v, variant->device);
		EXPECT_EQ(0, overlay_clear());
		ASSERT_EQ(0, ret);
		ASSERT_EQ(0, irq_info(&self->v, VFIO_PCI_MSIX_IRQ_INDEX,
				      &info));
		EXPECT_EQ(0, info.count);
	}
}

TEST_F(info, irq_err_and_req)
{
	struct vfio_irq_info info;

	if (self->mdev) {
		EXPECT_EQ(-EINVAL, irq_info(&self->v, VFIO_PCI_ERR_IRQ_INDEX,
					    &info));
	} else if (!driver_is_stock() ||
		   cfg_find_cap(&self->v, PCI_CAP_ID_EXP)) {
		/* On older kernels, stock has ERR for PCI Express only. */
		ASSERT_EQ(0, irq_info(&self->v, VFIO_PCI_ERR_IRQ_INDEX,
				      &info));
		EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE,
			  info.flags);
		EXPECT_EQ(1, info.count);
	}
	ASSERT_EQ(0, irq_info(&self->v, VFIO_PCI_REQ_IRQ_INDEX, &info));
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, info.flags);
	EXPECT_EQ(1, info.count);
}

TEST_F(info, irq_indexes)
{
	struct vfio_irq_info info;

	EXPECT_EQ(-EINVAL, irq_info(&self->v, VFIO_PCI_NUM_IRQS, &info));
	EXPECT_EQ(-EINVAL, irq_info(&self->v, INT_MAX, &info));
	EXPECT_EQ(-EINVAL, irq_info(&self->v, 0x80000000U, &info));
	EXPECT_EQ(-EINVAL, irq_info(&self->v, ~0U, &info));
}

/* An ioctl or a feature that nobody knows is not a typewriter. */
TEST_F(info, unknown)
{
	struct vfio_device_feature feature = {
		.argsz = sizeof(feature),
		.flags = VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET |
			 VFIO_DEVICE_FEATURE_MASK,
	};

	EXPECT_EQ(-ENOTTY, fd_ioctl(self->v.fd, _IO(VFIO_TYPE, 0xff), NULL));
	EXPECT_EQ(-ENOTTY, fd_ioctl(self->v.fd, VFIO_DEVICE_FEATURE,
				    &feature));
	feature.argsz = sizeof(feature) - 1;
	EXPECT_EQ(-EINVAL, fd_ioctl(self->v.fd, VFIO_DEVICE_FEATURE,
				    &feature));
	feature.argsz = sizeof(feature);
	feature.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET |
			VFIO_DEVICE_FEATURE_MASK;
	EXPECT_EQ(-EINVAL, fd_ioctl(self->v.fd, VFIO_DEVICE_FEATURE,
				    &feature));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
