// SPDX-License-Identifier: GPL-2.0-only
/*
 * What debugfs tells of a device: the parameters of the module as they were when the
 * device was bound.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define DEBUGFS	"/sys/kernel/debug"

static const char * const parameters[] = { "nointxmask", "disable_idle_d3" };

FIXTURE(debugfs)
{
	const char *bdf;
	/* Where its folder comes to be: VFIO's, or the driver's own. */
	char folder[256];
};

static void write_all(const char *val)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parameters); i++)
		module_param_write(driver_name(), parameters[i], val);
}

FIXTURE_SETUP(debugfs)
{
	const char *missing = device_missing("edu");

	if (missing)
		SKIP(return, "%s", missing);
	if (!path_exists(DEBUGFS "/vfio") && driver_is_stock())
		SKIP(return, "VFIO of this kernel has nothing in debugfs");
	self->bdf = device_bdf("edu");
	snprintf(self->folder, sizeof(self->folder), DEBUGFS "/%s/%s",
		 path_exists(DEBUGFS "/vfio") ? "vfio" : driver_name(),
		 self->bdf);
	ASSERT_EQ(0, pci_unbind(self->bdf));
}

FIXTURE_TEARDOWN(debugfs)
{
	write_all("N");
	pci_unbind(self->bdf);
}

static void check(struct __test_metadata *_metadata,
		  const FIXTURE_DATA(debugfs) * self, const char *parameter,
		  const char *want)
{
	char path[512], now[16] = "";

	snprintf(path, sizeof(path), "%s/pci/%s", self->folder, parameter);
	EXPECT_EQ(0, text_read(path, now, sizeof(now)));
	EXPECT_STREQ(want, now) {
		TH_LOG("%s", path);
	}
	EXPECT_GT(0, text_write(path, "Y")) {
		TH_LOG("%s can be written", path);
	}
}

/* Each by itself, and whatever becomes of the parameter later. */
TEST_F(debugfs, latched)
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(parameters); i++) {
		write_all("N");
		ASSERT_EQ(0, module_param_write(driver_name(), parameters[i],
						"Y"));
		ASSERT_EQ(0, pci_bind(self->bdf, driver_name()));
		for (j = 0; j < ARRAY_SIZE(parameters); j++)
			check(_metadata, self, parameters[j],
			      i == j ? "Y" : "N");
		write_all(i ? "Y" : "N");
		for (j = 0; j < ARRAY_SIZE(parameters); j++)
			check(_metadata, self, parameters[j],
			      i == j ? "Y" : "N");
		ASSERT_EQ(0, pci_unbind(self->bdf));
	}
}

/* The folder comes and goes with the driver, open or not. */
TEST_F(debugfs, comes_and_goes)
{
	struct vdev v;
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_FALSE(path_exists(self->folder));
		ASSERT_EQ(0, pci_bind(self->bdf, driver_name()));
		check(_metadata, self, "nointxmask", "N");
		ASSERT_EQ(0, vdev_open(&v, "pci", self->bdf));
		check(_metadata, self, "nointxmask", "N");
		vdev_close(&v);
		EXPECT_TRUE(path_exists(self->folder));
		ASSERT_EQ(0, pci_unbind(self->bdf));
	}
	EXPECT_FALSE(path_exists(self->folder));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
