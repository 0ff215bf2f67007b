// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a bound device that nobody has open costs the kernel.
 */
#include <limits.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define ROUNDS	5
#define KIB	64

TEST(idle_device)
{
	const char *missing = device_missing("edu") ?: kernel_memory_unclear();
	const char *bdf = device_bdf("edu");
	long before, grown, least = LONG_MAX;
	char driver[FERRY_NAME_MAX];
	unsigned int i;

	if (missing)
		SKIP(return, "%s", missing);
	if (pci_driver(bdf, driver, sizeof(driver)))
		driver[0] = '\0';

	/* The rest of the kernel allocates too: the quietest round counts. */
	for (i = 0; i < ROUNDS; i++) {
		pci_unbind(bdf);
		before = kernel_memory();
		ASSERT_EQ(0, pci_bind(bdf, driver_name()));
		grown = kernel_memory() - before;
		if (grown < least)
			least = grown;
	}
	EXPECT_EQ(0, pci_restore(bdf, driver));

	TH_LOG("%ld KiB for a bound device", least);
	EXPECT_LT(least, KIB);
}

TEST_HARNESS_MAIN
