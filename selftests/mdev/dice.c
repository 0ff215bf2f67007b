// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dice of Documentation/writing-a-model.rst.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define ID	0x00
#define SIDES	0x04
#define THROW	0x08
#define DICE	8

TEST(throw)
{
	const char *missing = device_missing("dice");
	int fds[DICE];
	struct vdev v;
	void *table;
	__u32 val;
	int i;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "dice"));
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	for (i = 0; i < DICE; i++)
		fds[i] = efd_new();
	ASSERT_EQ(0, irq_attach(&v, VFIO_PCI_MSIX_IRQ_INDEX, 0, DICE, fds));
	ASSERT_EQ(0, region_map(&v, BAR2, 0, 4096, PROT_READ, MAP_SHARED,
				&table));
	EXPECT_EQ(0x64696365, region_r32(&v, BAR0, ID));
	EXPECT_EQ(6, region_r32(&v, BAR0, SIDES));

	for (i = 0; i < 100 * DICE; i++) {
		region_w32(&v, BAR0, THROW, i % DICE);
		EXPECT_EQ(1, efd_take(fds[i % DICE]));
		ASSERT_TRUE(map_read32(table, 4 * (i % DICE), &val));
		EXPECT_LE(1, val);
		EXPECT_GE(6, val);
	}
	/* No such die, and one that can fall but one way. */
	region_w32(&v, BAR0, THROW, DICE);
	region_w32(&v, BAR0, SIDES, 1);
	region_w32(&v, BAR0, SIDES, 0);
	EXPECT_EQ(1, region_r32(&v, BAR0, SIDES));
	region_w32(&v, BAR0, THROW, 2);
	ASSERT_TRUE(map_read32(table, 8, &val));
	EXPECT_EQ(1, val);
	for (i = 0; i < DICE; i++)
		EXPECT_EQ(i == 2, efd_take(fds[i]));

	ASSERT_EQ(0, vdev_reset(&v));
	EXPECT_EQ(6, region_r32(&v, BAR0, SIDES));
	ASSERT_TRUE(map_read32(table, 8, &val));
	EXPECT_EQ(0, val);
	munmap(table, 4096);
	vdev_close(&v);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
