// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an instance that nobody has open costs the kernel.
 */
#include <stdlib.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define INSTANCES	48
#define KIB_EACH	32

TEST(idle_instance)
{
	const char *missing = device_missing("uart") ?: kernel_memory_unclear();
	char type[512], uuid[FERRY_NAME_MAX];
	long before, after;
	unsigned int i;

	if (missing)
		SKIP(return, "%s", missing);
	mdev_remove_ours();
	ASSERT_EQ(0, mdev_type_find("uart", type, sizeof(type)));

	before = kernel_memory();
	for (i = 0; i < INSTANCES; i++) {
		mdev_uuid(i, uuid);
		ASSERT_EQ(0, mdev_create(type, uuid));
	}
	after = kernel_memory();
	mdev_remove_ours();

	ASSERT_LT(0, before);
	TH_LOG("%ld KiB for each of %d instances",
	       (after - before) / INSTANCES, INSTANCES);
	EXPECT_LT(after - before, INSTANCES * KIB_EACH);
}

TEST_HARNESS_MAIN
