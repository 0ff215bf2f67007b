// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that the kernel knows to be special. Here others claim to be them, when the kernel
 * finds them anew.
 */
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

/* Reading its space behind this makes it fail. */
#define NFP6000		0x600019ee
#define NFP6000_SIZE	0x600
/* While its INTx is disabled in COMMAND it sends no MSI either. */
#define TIGON3_5780	0x166a14e4
/* It doesn't say in STATUS that its INTx is asserted. */
#define XL710		0x15728086

FIXTURE(quirks)
{
	const char *bdf;
	struct vdev v;
	int efd;
};

FIXTURE_VARIANT(quirks)
{
	const char *device;
	__u32 id;
	bool nointxmask;
};

FIXTURE_VARIANT_ADD(quirks, short_config)
{
	.device = "e1000e", .id = NFP6000,
};

FIXTURE_VARIANT_ADD(quirks, msi_by_intx_disable)
{
	.device = "edu", .id = TIGON3_5780,
};

FIXTURE_VARIANT_ADD(quirks, intx_without_status)
{
	.device = "edu", .id = XL710,
};

/* It doesn't matter where the interrupt controller masks. */
FIXTURE_VARIANT_ADD(quirks, intx_masked_elsewhere)
{
	.device = "edu", .id = XL710, .nointxmask = true,
};

static int find_anew(const char *bdf)
{
	int ret = pci_attr_write(bdf, "remove", "1");

	return ret < 0 ? ret : text_write("/sys/bus/pci/rescan", "1");
}

FIXTURE_SETUP(quirks)
{
	const char *missing = device_missing(variant->device);

	if (missing)
		SKIP(return, "%s", missing);
	if (!overlay_exists())
		SKIP(return, "module ferry-overlay-test is not loaded");
	self->bdf = device_bdf(variant->device);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
	ASSERT_EQ(0, pci_unbind(self->bdf));
	ASSERT_EQ(0, overlay_add(self->bdf, PCI_VENDOR_ID, ~0U, variant->id));
	ASSERT_EQ(0, find_anew(self->bdf));
	ASSERT_EQ(0, module_param_write(driver_name(), "nointxmask",
					variant->nointxmask ? "Y" : "N"));
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
}

FIXTURE_TEARDOWN(quirks)
{
	vdev_close(&self->v);
	close(self->efd);
	pci_unbind(self->bdf);
	module_param_write(driver_name(), "nointxmask", "N");
	overlay_clear();
	find_anew(self->bdf);
}

/* As long as the kernel says, and not a byte longer. */
TEST_F(quirks, config)
{
	const __u32 index = VFIO_PCI_CONFIG_REGION_INDEX;
	__u8 bytes[4096];
	ssize_t size;

	EXPECT_EQ(variant->id, cfg_r32(&self->v, PCI_VENDOR_ID));
	if (variant->id != NFP6000)
		SKIP(return, "its space is like any other");
	size = region_size(&self->v, index);
	EXPECT_EQ(NFP6000_SIZE, size);
	EXPECT_EQ(size, region_read(&self->v, index, 0, bytes, size));
	EXPECT_NE(0, cfg_find_ext_cap(&self->v, PCI_EXT_CAP_ID_ERR));
	EXPECT_GT(0, region_read(&self->v, index, size, bytes, 4));
	EXPECT_GT(0, region_read(&self->v, index, size - 4, bytes, 8));
}

TEST_F(quirks, intx)
{
	struct vfio_irq_info info = { .argsz = sizeof(info) };
	const __u32 works = variant->nointxmask;

	if (variant->id != XL710)
		SKIP(return, "its INTx is like any other");
	ASSERT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_GET_IRQ_INFO, &info));
	EXPECT_EQ(works, info.count);
	EXPECT_EQ(works, cfg_r8(&self->v, PCI_INTERRUPT_PIN));
	if (!works)
		return;
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_INTX_IRQ_INDEX, 0,
				    self->efd));
	region_w32(&self->v, VFIO_PCI_BAR0_REGION_INDEX, EDU_IRQ_RAISE, 1);
	EXPECT_EQ(1, efd_wait(self->efd));
	region_w32(&self->v, VFIO_PCI_BAR0_REGION_INDEX, EDU_IRQ_ACK, ~0U);
}

TEST_F(quirks, msi)
{
	const __u32 index = VFIO_PCI_MSI_IRQ_INDEX;

	if (variant->id != TIGON3_5780)
		SKIP(return, "its MSI is like any other");
	if (!driver_is_stock())
		EXPECT_TRUE(pci_intx_disabled(self->bdf));
	ASSERT_EQ(0, irq_attach_one(&self->v, index, 0, self->efd));
	EXPECT_FALSE(pci_intx_disabled(self->bdf));
	/* Whatever the user does to COMMAND. */
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	EXPECT_FALSE(pci_intx_disabled(self->bdf));
	region_w32(&self->v, VFIO_PCI_BAR0_REGION_INDEX, EDU_IRQ_RAISE, 1);
	EXPECT_EQ(1, efd_wait(self->efd));
	ASSERT_EQ(0, irq_disable(&self->v, index));
	if (!driver_is_stock())
		EXPECT_TRUE(pci_intx_disabled(self->bdf));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
