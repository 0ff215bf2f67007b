// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be seen of a mediated device from outside: trace events, and counts of its
 * interrupts. A vector is raised by a register write, and has been signalled when
 * that returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX

FIXTURE(tracing)
{
	struct vdev v;
	int efd;
};

FIXTURE_SETUP(tracing)
{
	const char *missing = device_missing("everything");

	if (!missing)
		missing = tracing_missing();
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "everything"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(tracing)
{
	counts_switch(self->v.name, false);
	tracing_end();
	close(self->efd);
	vdev_close(&self->v);
}

static void raise_vector(const struct vdev *v, unsigned int n)
{
	region_w32(v, BAR0, 0, n);
}

TEST_F(tracing, regions)
{
	char block[32];

	ASSERT_EQ(0, tracing_begin("", self->v.name));
	raise_vector(&self->v, 0x345678);
	EXPECT_EQ(1, tracing_count("ferry_region_write: "));
	EXPECT_EQ(1, tracing_count("region=0 offset=0x0 length=4 value=0x345678 ret=4"));
	region_r32(&self->v, BAR0, 8);
	EXPECT_EQ(1, tracing_count("ferry_region_read: "));
	EXPECT_EQ(1, tracing_count("region=0 offset=0x8 length=4 "));
	region_read(&self->v, CONFIG, 0, block, sizeof(block));
	EXPECT_EQ(1, tracing_count("region=7 offset=0x0 length=32 value=0x0 ret=32"));
	/* A refusal, too: there is no memory now. */
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(-EIO, region_read(&self->v, BAR0, 8, block, 4));
	EXPECT_EQ(1, tracing_count("region=0 offset=0x8 length=4 value=0x0 ret=-5"));
}

TEST_F(tracing, config)
{
	ASSERT_EQ(0, tracing_begin("ferry_config_write/", self->v.name));
	cfg_w16(&self->v, PCI_COMMAND, PCI_COMMAND_MASTER);
	EXPECT_EQ(1, tracing_count("ferry_config_write: "));
	EXPECT_EQ(1, tracing_count("offset=0x4 length=2 data=04 00 ret=0"));
	/* Reading isn't writing. */
	cfg_r32(&self->v, 0);
	EXPECT_EQ(1, tracing_count("ferry_"));
}

/* A log of one device holds nothing of another. */
TEST_F(tracing, one_device)
{
	struct vdev other;

	ASSERT_EQ(0, tracing_begin("", self->v.name));
	ASSERT_EQ(0, vdev_open_second(&other, "everything"));
	cfg_command(&other, 0, PCI_COMMAND_MEMORY);
	raise_vector(&other, 1);
	EXPECT_EQ(0, tracing_count("ferry_"));
	raise_vector(&self->v, 1);
	EXPECT_EQ(1, tracing_count("ferry_"));
	EXPECT_EQ(1, tracing_count(self->v.name));
	vdev_close(&other);
}

TEST_F(tracing, interrupts)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 5, self->efd));
	ASSERT_EQ(0, tracing_begin("ferry_interrupt/", self->v.name));
	raise_vector(&self->v, 5);
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_EQ(1, tracing_count("ferry_interrupt: "));
	EXPECT_EQ(1, tracing_count("index=msix vector=5 signalled=1"));
	/* What the user triggers himself is no interrupt of the device. */
	irq_fire(&self->v, MSIX, 5, 1);
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_EQ(1, tracing_count("ferry_interrupt: "));
}

TEST_F(tracing, resets)
{
	ASSERT_EQ(0, tracing_begin("ferry_reset/", self->v.name));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(1, tracing_count("ferry_reset: "));
	EXPECT_EQ(1, tracing_count("cause=user ret=0"));
	vdev_close(&self->v);
	EXPECT_EQ(1, tracing_count("cause=close ret=0"));
	ASSERT_EQ(0, vdev_open_device(&self->v, "everything"));
}

TEST(migration)
{
	const char *missing = device_missing("uart");
	struct vdev v;

	if (!missing)
		missing = tracing_missing();
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "uart"));
	EXPECT_EQ(0, tracing_begin("ferry_migration/", v.name));
	EXPECT_EQ(-1, migration_to(&v, VFIO_DEVICE_STATE_STOP));
	EXPECT_EQ(1, tracing_count("old=running next=running-p2p ret=0"));
	EXPECT_EQ(1, tracing_count("old=running-p2p next=stop ret=0"));
	EXPECT_EQ(-1, migration_to(&v, VFIO_DEVICE_STATE_RUNNING));
	EXPECT_EQ(4, tracing_count("ferry_migration: "));
	tracing_end();
	vdev_close(&v);
}

TEST_F(tracing, counts)
{
	const char *name = self->v.name;
	int i;

	EXPECT_EQ(-ENODATA, counts_sum(name, "vector "));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 5, self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 2047, self->efd));
	raise_vector(&self->v, 5);
	ASSERT_EQ(0, counts_switch(name, true));
	EXPECT_EQ(0, counts_sum(name, "vector "));
	for (i = 0; i < 3; i++)
		raise_vector(&self->v, 5);
	raise_vector(&self->v, 2047);
	EXPECT_EQ(3, counts_sum(name, "vector 5 "));
	EXPECT_EQ(1, counts_sum(name, "vector 2047 "));
	EXPECT_EQ(4, counts_sum(name, "vector "));
	EXPECT_EQ(4, counts_sum(name, "below ") + counts_sum(name, "from "));
	/* Once more from zero. */
	ASSERT_EQ(0, counts_switch(name, true));
	EXPECT_EQ(0, counts_sum(name, "vector "));
	raise_vector(&self->v, 5);
	EXPECT_EQ(1, counts_sum(name, "vector "));
	ASSERT_EQ(0, counts_switch(name, false));
	EXPECT_EQ(-ENODATA, counts_sum(name, "vector "));
	raise_vector(&self->v, 5);
	EXPECT_EQ(7, efd_take(self->efd));
}

/* A word that is neither changes nothing. */
TEST_F(tracing, counts_refuse)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/kernel/debug/ferry/%s/interrupts",
		 self->v.name);
	ASSERT_EQ(0, counts_switch(self->v.name, true));
	EXPECT_EQ(-EINVAL, text_write(path, "perhaps"));
	EXPECT_EQ(0, counts_sum(self->v.name, "vector "));
}

/* The file goes with its device, whoever has it open. */
TEST_F(tracing, counts_of_the_removed)
{
	char type[256], uuid[64], path[256], text[8];
	int fd;

	ASSERT_EQ(0, mdev_type_find("everything", type, sizeof(type)));
	mdev_uuid(900, uuid);
	ASSERT_EQ(0, mdev_create(type, uuid));
	snprintf(path, sizeof(path), "/sys/kernel/debug/ferry/%s/interrupts",
		 uuid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, counts_switch(uuid, true));
	EXPECT_EQ(0, mdev_remove(uuid));
	EXPECT_FALSE(path_exists(path));
	EXPECT_EQ(-1, read(fd, text, sizeof(text)));
	EXPECT_EQ(-1, write(fd, "0", 1));
	close(fd);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
