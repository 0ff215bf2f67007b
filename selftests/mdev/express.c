// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mediated PCI Express endpoint: its configuration space, function level reset.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define CFG	VFIO_PCI_CONFIG_REGION_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX

#define RESETS	0x04

FIXTURE(express)
{
	struct vdev v;
};

FIXTURE_SETUP(express)
{
	const char *missing = device_missing("everything");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "everything"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
}

FIXTURE_TEARDOWN(express)
{
	vdev_close(&self->v);
}

/* The capability, which must be there. */
static unsigned int cap(const struct vdev *v, __u8 id)
{
	return cfg_find_cap(v, id) ?: 0xfff;
}

TEST_F(express, size)
{
	__u8 space[4096];

	EXPECT_EQ(4096, region_size(&self->v, CFG));
	EXPECT_EQ(4096, region_read(&self->v, CFG, 0, space, sizeof(space)));
	EXPECT_EQ(-EFAULT, region_read(&self->v, CFG, 4096, space, 1));
}

TEST_F(express, capability)
{
	unsigned int exp = cap(&self->v, PCI_CAP_ID_EXP);

	ASSERT_NE(0xfff, exp);
	/* Version 2, endpoint */
	EXPECT_EQ(2, cfg_r16(&self->v, exp + PCI_EXP_FLAGS));
	EXPECT_EQ(PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER,
		  cfg_r32(&self->v, exp + PCI_EXP_DEVCAP));
	EXPECT_EQ(0x2810, cfg_r16(&self->v, exp + PCI_EXP_DEVCTL));
	EXPECT_EQ(0, cfg_r16(&self->v, exp + PCI_EXP_DEVSTA));
	EXPECT_EQ(0x11, cfg_r32(&self->v, exp + PCI_EXP_LNKCAP));
	EXPECT_EQ(0x11, cfg_r16(&self->v, exp + PCI_EXP_LNKSTA));
	EXPECT_EQ(0x10, cfg_r32(&self->v, exp + PCI_EXP_DEVCAP2));
	EXPECT_EQ(0x02, cfg_r32(&self->v, exp + PCI_EXP_LNKCAP2));
	EXPECT_EQ(0x01, cfg_r16(&self->v, exp + PCI_EXP_LNKCTL2));
}

TEST_F(express, messages)
{
	unsigned int msi = cap(&self->v, PCI_CAP_ID_MSI);
	unsigned int msix = cap(&self->v, PCI_CAP_ID_MSIX);
	struct vfio_irq_info info;

	/* 32 vectors, 64 bits, maskable */
	EXPECT_EQ(0x018a, cfg_r16(&self->v, msi + PCI_MSI_FLAGS));
	EXPECT_EQ(2047, cfg_r16(&self->v, msix + PCI_MSIX_FLAGS));
	EXPECT_EQ(0x1000, cfg_r32(&self->v, msix + PCI_MSIX_TABLE));
	EXPECT_EQ(0x800, cfg_r32(&self->v, msix + PCI_MSIX_PBA));

	ASSERT_EQ(0, irq_info(&self->v, MSI, &info));
	EXPECT_EQ(32, info.count);
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE, info.flags);
	ASSERT_EQ(0, irq_info(&self->v, MSIX, &info));
	EXPECT_EQ(2048, info.count);
	EXPECT_EQ(VFIO_IRQ_INFO_EVENTFD, info.flags);
}

/* EUI-64 of those that are locally administered; the same when it comes again. */
TEST_F(express, serial_number)
{
	unsigned int dsn = cfg_find_ext_cap(&self->v, PCI_EXT_CAP_ID_DSN);
	char uuid[FERRY_NAME_MAX];
	struct vdev other;
	__u32 low, high;

	ASSERT_EQ(256, dsn);
	EXPECT_EQ(0x00010003, cfg_r32(&self->v, dsn));
	low = cfg_r32(&self->v, dsn + 4);
	high = cfg_r32(&self->v, dsn + 8);
	EXPECT_EQ(0x02004665, high);
	EXPECT_NE(0, low);
	cfg_w32(&self->v, dsn + 4, ~low);
	EXPECT_EQ(low, cfg_r32(&self->v, dsn + 4));

	snprintf(uuid, sizeof(uuid), "%s", self->v.name);
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open(&other, "mdev", uuid));
	EXPECT_EQ(low, cfg_r32(&other, dsn + 4));
	vdev_close(&other);
}

/* All BARs at once: 32 bits, I/O, 64 bits prefetchable, the smallest. */
TEST_F(express, bars)
{
	const __u32 masks[] = { 0xffff0000, 0xffffffc1, 0xffff800c, 0xffffffff,
				0xfffffff0, 0 };
	const __u64 sizes[] = { 0x10000, 64, 0x8000, 0, 16, 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		cfg_w32(&self->v, PCI_BASE_ADDRESS_0 + 4 * i, 0xffffffff);
		EXPECT_EQ(masks[i], cfg_r32(&self->v, PCI_BASE_ADDRESS_0 + 4 * i)) {
			TH_LOG("BAR %u", i);
		}
		EXPECT_EQ(sizes[i], region_size(&self->v, i)) {
			TH_LOG("BAR %u", i);
		}
	}
}

/* Initiate FLR does what VFIO_DEVICE_RESET does, and reads as zero. */
TEST_F(express, function_level_reset)
{
	unsigned int exp = cap(&self->v, PCI_CAP_ID_EXP);
	__u32 resets = region_r32(&self->v, BAR0, RESETS);

	cfg_w8(&self->v, PCI_INTERRUPT_LINE, 0x5a);
	cfg_w16(&self->v, exp + PCI_EXP_DEVCTL, 0x2810 | PCI_EXP_DEVCTL_BCR_FLR);
	EXPECT_EQ(resets + 1, region_r32(&self->v, BAR0, RESETS));
	EXPECT_EQ(0x2810, cfg_r16(&self->v, exp + PCI_EXP_DEVCTL));
	EXPECT_EQ(0x5a, cfg_r8(&self->v, PCI_INTERRUPT_LINE));
	/* By its byte alone, and not without the bit. */
	cfg_w8(&self->v, exp + PCI_EXP_DEVCTL + 1, 0xa8);
	EXPECT_EQ(resets + 2, region_r32(&self->v, BAR0, RESETS));
	cfg_w16(&self->v, exp + PCI_EXP_DEVCTL, 0x2810);
	EXPECT_EQ(resets + 2, region_r32(&self->v, BAR0, RESETS));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(resets + 3, region_r32(&self->v, BAR0, RESETS));
}

/* A model that no PCI device can be made of is refused, whatever is wrong. */
TEST(refused_models)
{
	char number[16];
	int how, ret;

	if (device_missing("everything"))
		SKIP(return, "no helper module ferry-model-test");
	for (how = 0; ; how++) {
		snprintf(number, sizeof(number), "%d", how);
		ret = module_param_write("ferry_model_test", "refuse", number);
		if (ret == -ERANGE)
			break;
		EXPECT_EQ(-EINVAL, ret) {
			TH_LOG("model %d", how);
		}
	}
	EXPECT_EQ(66, how);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
