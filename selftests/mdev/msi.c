// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI of a mediated device: mask bits and pending bits. A vector is raised by a
 * register write, and its eventfd counts before that returns, so nothing has to be
 * waited for.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX

/* A register that is the level of the interrupt. */
#define LEVEL	0x14

FIXTURE(msi)
{
	struct vdev v;
	int efd;
	unsigned int cap;
};

FIXTURE_SETUP(msi)
{
	const char *missing = device_missing("everything");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "everything"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
	self->cap = cfg_find_cap(&self->v, PCI_CAP_ID_MSI);
	ASSERT_NE(0, self->cap);
}

FIXTURE_TEARDOWN(msi)
{
	close(self->efd);
	vdev_close(&self->v);
}

static void raise_vector(const struct vdev *v, unsigned int n)
{
	region_w32(v, BAR0, 0, n);
}

TEST_F(msi, mask)
{
	unsigned int at = self->cap + PCI_MSI_MASK_64;
	int fds[32], i;

	for (i = 0; i < 32; i++)
		fds[i] = self->efd;
	ASSERT_EQ(0, irq_attach(&self->v, MSI, 0, 32, fds));
	cfg_w32(&self->v, at, 0x80000002);
	raise_vector(&self->v, 0);
	raise_vector(&self->v, 1);
	raise_vector(&self->v, 1);
	raise_vector(&self->v, 31);
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_EQ(0x80000002, cfg_r32(&self->v, self->cap + PCI_MSI_PENDING_64));
	cfg_w32(&self->v, self->cap + PCI_MSI_PENDING_64, ~0U);
	EXPECT_EQ(0x80000002, cfg_r32(&self->v, self->cap + PCI_MSI_PENDING_64));
	cfg_w8(&self->v, at, 0);
	EXPECT_EQ(1, efd_take(self->efd));
	cfg_w8(&self->v, at + 3, 0);
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_EQ(0, cfg_r32(&self->v, self->cap + PCI_MSI_PENDING_64));

	ASSERT_EQ(0, irq_attach_one(&self->v, MSI, 4, -1));
	raise_vector(&self->v, 4);
	EXPECT_EQ(0x10, cfg_r32(&self->v, self->cap + PCI_MSI_PENDING_64));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSI, 4, self->efd));
	EXPECT_EQ(1, efd_take(self->efd));
}

/* Where there are fewer vectors than the model has, none is lost. */
TEST_F(msi, fewer)
{
	int fds[] = { self->efd, efd_new() };

	ASSERT_EQ(0, irq_attach(&self->v, MSI, 0, 2, fds));
	raise_vector(&self->v, 30);
	EXPECT_EQ(1, efd_take(fds[0]));
	EXPECT_EQ(0, efd_take(fds[1]));
	raise_vector(&self->v, 31);
	raise_vector(&self->v, 32);
	EXPECT_EQ(0, efd_take(fds[0]));
	EXPECT_EQ(1, efd_take(fds[1]));
	close(fds[1]);
}

/* Nor is any added: VFIO_IRQ_INFO_NORESIZE. Three were asked for, though two are sent. */
TEST_F(msi, no_more)
{
	int fds[] = { self->efd, -1, -1 };

	ASSERT_EQ(0, irq_attach(&self->v, MSI, 0, 3, fds));
	EXPECT_EQ(0, irq_attach_one(&self->v, MSI, 2, self->efd));
	EXPECT_EQ(-EINVAL, irq_attach_one(&self->v, MSI, 3, self->efd));
	EXPECT_EQ(-EINVAL, irq_attach_one(&self->v, MSI, 31, self->efd));
	raise_vector(&self->v, 0);
	EXPECT_EQ(1, efd_take(self->efd));
}

/* PCI 3.0, 6.8.3.5: nothing is pending any more of what has been serviced by polling. */
TEST_F(msi, level_falls)
{
	unsigned int mask = self->cap + PCI_MSI_MASK_64;
	unsigned int pending = self->cap + PCI_MSI_PENDING_64;

	ASSERT_EQ(0, irq_attach_one(&self->v, MSI, 0, self->efd));
	cfg_w32(&self->v, mask, 1);
	region_w32(&self->v, BAR0, LEVEL, 1);
	EXPECT_EQ(1, cfg_r32(&self->v, pending));
	region_w32(&self->v, BAR0, LEVEL, 0);
	EXPECT_EQ(0, cfg_r32(&self->v, pending));
	cfg_w32(&self->v, mask, 0);
	EXPECT_EQ(0, efd_take(self->efd));

	/* What is sent is sent, and a level that rises again is another message. */
	region_w32(&self->v, BAR0, LEVEL, 1);
	region_w32(&self->v, BAR0, LEVEL, 0);
	cfg_w32(&self->v, mask, 1);
	region_w32(&self->v, BAR0, LEVEL, 1);
	EXPECT_EQ(1, efd_take(self->efd));
	cfg_w32(&self->v, mask, 0);
	EXPECT_EQ(1, efd_take(self->efd));
	region_w32(&self->v, BAR0, LEVEL, 0);
	EXPECT_EQ(0, efd_take(self->efd));
}

/* A message of its own is pending for as long as it is masked, whatever the level does. */
TEST_F(msi, level_and_message)
{
	unsigned int mask = self->cap + PCI_MSI_MASK_64;
	unsigned int vector;

	/* With one vector, any message is sent by it. */
	ASSERT_EQ(0, irq_attach_one(&self->v, MSI, 0, self->efd));
	for (vector = 0; vector < 2; vector++) {
		cfg_w32(&self->v, mask, 1);
		region_w32(&self->v, BAR0, LEVEL, 1);
		raise_vector(&self->v, vector);
		region_w32(&self->v, BAR0, LEVEL, 0);
		cfg_w32(&self->v, mask, 0);
		EXPECT_EQ(1, efd_take(self->efd));

		cfg_w32(&self->v, mask, 1);
		raise_vector(&self->v, vector);
		region_w32(&self->v, BAR0, LEVEL, 1);
		region_w32(&self->v, BAR0, LEVEL, 0);
		cfg_w32(&self->v, mask, 0);
		EXPECT_EQ(1, efd_take(self->efd));

		/* The level's has been sent already, this one has not. */
		region_w32(&self->v, BAR0, LEVEL, 1);
		EXPECT_EQ(1, efd_take(self->efd));
		cfg_w32(&self->v, mask, 1);
		raise_vector(&self->v, vector);
		region_w32(&self->v, BAR0, LEVEL, 0);
		cfg_w32(&self->v, mask, 0);
		EXPECT_EQ(1, efd_take(self->efd));
	}
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
