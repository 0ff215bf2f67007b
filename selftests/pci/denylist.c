// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that harm the host when their user wants them to are refused, unless the
 * administrator trusts him. An emulated device poses as one of them: its configuration
 * space claims other IDs while the kernel looks for it again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define OVERLAY	"/sys/module/ferry_overlay_test/parameters/bits"

/* Device in the upper half, vendor in the lower one, as in the first word. */
static const __u32 denied[] = {
	0x04358086, 0x04438086, 0x19e28086, 0x19e38086,
	0x37c88086, 0x37c98086, 0x0b258086, 0x0cfe8086,
};

/* Not quite the same. */
static const __u32 harmless[] = { 0x37c81234, 0x37ca8086 };

FIXTURE(denylist)
{
	const char *bdf;
	char port[FERRY_NAME_MAX];
	int klog;
};

/* Takes the device away and has it found again. */
static int rescan(const char *bdf, const char *port)
{
	int ret;

	ret = pci_attr_exists(bdf, "remove") ?
	      pci_attr_write(bdf, "remove", "1") : 0;
	if (!ret)
		ret = pci_attr_write(port, "rescan", "1");
	return ret ? ret : pci_attr_exists(bdf, "vendor") ? 0 : -ENODEV;
}

static int pose_as(const char *bdf, const char *port, __u32 id)
{
	char text[64];
	__u32 found;
	int ret;

	snprintf(text, sizeof(text), "%s 0 ffffffff %x", bdf, id);
	ret = text_write(OVERLAY, "\n");
	if (!ret)
		ret = text_write(OVERLAY, text);
	if (!ret)
		ret = rescan(bdf, port);
	if (!ret)
		ret = pci_attr_read(bdf, "device", text, sizeof(text));
	if (ret)
		return ret;
	found = strtoul(text, NULL, 16);
	return found == id >> 16 ? 0 : -EPROTO;
}

FIXTURE_SETUP(denylist)
{
	const char *missing = device_missing("edu");

	if (missing)
		SKIP(return, "%s", missing);
	if (!path_exists(OVERLAY))
		SKIP(return, "module ferry-overlay-test is not loaded");
	self->bdf = device_bdf("edu");
	self->klog = klog_open();
	ASSERT_LE(0, self->klog);
	ASSERT_EQ(0, pci_unbind(self->bdf));
	ASSERT_EQ(0, pci_upstream(self->bdf, self->port, sizeof(self->port)));
}

FIXTURE_TEARDOWN(denylist)
{
	pci_unbind(self->bdf);
	text_write(OVERLAY, "\n");
	EXPECT_EQ(0, rescan(self->bdf, self->port));
	close(self->klog);
}

static int said_of(const FIXTURE_DATA(denylist) * self)
{
	char what[128];

	snprintf(what, sizeof(what), "%s: its errata let its user harm the host",
		 self->bdf);
	return klog_count(self->klog, what, NULL);
}

TEST_F(denylist, denied)
{
	char driver[FERRY_NAME_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(denied); i++) {
		ASSERT_EQ(0, pose_as(self->bdf, self->port, denied[i]));
		EXPECT_EQ(-EINVAL, pci_bind(self->bdf, driver_name())) {
			TH_LOG("%08x", denied[i]);
		}
		EXPECT_EQ(-ENOENT, pci_driver(self->bdf, driver,
					      sizeof(driver)));
		if (!driver_is_stock())
			EXPECT_EQ(1, said_of(self));
	}
}

TEST_F(denylist, harmless)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(harmless); i++) {
		ASSERT_EQ(0, pose_as(self->bdf, self->port, harmless[i]));
		EXPECT_EQ(0, pci_bind(self->bdf, driver_name())) {
			TH_LOG("%08x", harmless[i]);
		}
		EXPECT_EQ(0, said_of(self));
	}
}

/* With the parameter it is bound, works, and is told of all the same. */
TEST_F(denylist, disabled)
{
	char text[16];
	struct vdev v;

	if (driver_is_stock())
		SKIP(return, "only the driver under test is reloaded");
	if (!module_exists(driver_name()))
		SKIP(return, "FERRY_BUILD does not tell where the driver is");
	if (module_unload(driver_name()))
		SKIP(return, "the driver is in use elsewhere");
	ASSERT_EQ(0, module_load(driver_name(), "disable_denylist=1"));
	EXPECT_EQ(0, module_param_read(driver_name(), "disable_denylist", text,
				       sizeof(text)));
	EXPECT_STREQ("Y", text);
	EXPECT_GT(0, module_param_write(driver_name(), "disable_denylist",
					"N"));
	ASSERT_EQ(0, pose_as(self->bdf, self->port, denied[0]));
	EXPECT_EQ(0, pci_bind(self->bdf, driver_name()));
	EXPECT_EQ(1, said_of(self));
	ASSERT_EQ(0, vdev_open(&v, "pci", self->bdf));
	EXPECT_EQ(denied[0], cfg_r32(&v, PCI_VENDOR_ID));
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(EDU_ID_VALUE, region_r32(&v, 0, EDU_ID));
	vdev_close(&v);

	ASSERT_EQ(0, pci_unbind(self->bdf));
	ASSERT_EQ(0, module_unload(driver_name()));
	ASSERT_EQ(0, module_load(driver_name(), ""));
	EXPECT_EQ(-EINVAL, pci_bind(self->bdf, driver_name()));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
