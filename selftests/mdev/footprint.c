// SPDX-License-Identifier: GPL-2.0-only
/*
 * What instances that nobody has open cost the kernel, and how many there can be.
 */
#include <stdlib.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

FIXTURE(footprint)
{
	char type[512];
};

FIXTURE_VARIANT(footprint)
{
	const char *model;
	unsigned int instances;
	long kib_each;
};

FIXTURE_VARIANT_ADD(footprint, uart)
{
	.model = "uart",
	.instances = 48,
	.kib_each = 32,
};

FIXTURE_VARIANT_ADD(footprint, dma)
{
	.model = "dma",
	.instances = 1024,
	.kib_each = 64,
};

FIXTURE_SETUP(footprint)
{
	const char *missing = device_missing(variant->model);

	if (missing)
		SKIP(return, "%s", missing);
	mdev_remove_ours();
	ASSERT_EQ(0, mdev_type_find(variant->model, self->type,
				    sizeof(self->type)));
}

FIXTURE_TEARDOWN(footprint)
{
	mdev_remove_ours();
}

/* All of them at once, and each small. */
TEST_F(footprint, idle)
{
	const char *unclear = kernel_memory_unclear();
	unsigned int i, wanted = rounds(variant->instances);
	char uuid[FERRY_NAME_MAX];
	long before, after;

	before = kernel_memory();
	for (i = 0; i < wanted; i++) {
		mdev_uuid(i, uuid);
		ASSERT_EQ(0, mdev_create(self->type, uuid)) {
			TH_LOG("instance %u", i);
		}
	}
	after = kernel_memory();

	if (unclear)
		SKIP(return, "%s", unclear);
	ASSERT_LT(0, before);
	TH_LOG("%ld KiB for each of %u instances", (after - before) / wanted,
	       wanted);
	EXPECT_LT(after - before, wanted * variant->kib_each);
}

TEST_HARNESS_MAIN
