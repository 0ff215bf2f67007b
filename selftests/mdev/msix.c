// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X of a mediated device: mask bits, pending bits, vectors that come
 * and go. A vector is raised by a register write, and its eventfd counts before
 * that returns, so nothing has to be waited for.
 */
#include <stdio.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX

#define VECTORS	2048
#define TABLE	0x1000
#define PBA	0x800

FIXTURE(msix)
{
	struct vdev v;
	int efd;
	unsigned int cap;
};

FIXTURE_SETUP(msix)
{
	const char *missing = device_missing("everything");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "everything"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
	self->cap = cfg_find_cap(&self->v, PCI_CAP_ID_MSIX);
	ASSERT_NE(0, self->cap);
}

FIXTURE_TEARDOWN(msix)
{
	close(self->efd);
	vdev_close(&self->v);
}

static void raise_vector(const struct vdev *v, unsigned int n)
{
	region_w32(v, BAR0, 0, n);
}

static void mask(const struct vdev *v, unsigned int n, bool masked)
{
	region_w32(v, BAR0, TABLE + 16 * n + PCI_MSIX_ENTRY_VECTOR_CTRL, masked);
}

static bool pending(const struct vdev *v, unsigned int n)
{
	return region_r8(v, BAR0, PBA + n / 8) >> (n % 8) & 1;
}

static void function_mask(const struct vdev *v, unsigned int cap, bool masked)
{
	cfg_w16(v, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE |
		(masked ? PCI_MSIX_FLAGS_MASKALL : 0));
}

/* PCI 3.0, 6.8.2.9: after a reset all vectors are masked; all else is memory. */
TEST_F(msix, table)
{
	const __u64 at = TABLE + 16 * (VECTORS - 1);
	__u8 table[16 * VECTORS];
	int i;

	ASSERT_EQ(sizeof(table), region_read(&self->v, BAR0, TABLE, table,
					     sizeof(table)));
	for (i = 0; i < 16 * VECTORS; i++)
		ASSERT_EQ(i % 16 == PCI_MSIX_ENTRY_VECTOR_CTRL, table[i]);

	region_w64(&self->v, BAR0, at, 0x11223344fee00ccfULL);
	region_w64(&self->v, BAR0, at + 8, 0xfffffffe55667788ULL);
	EXPECT_EQ(0xfee00ccc, region_r32(&self->v, BAR0, at));
	EXPECT_EQ(0x11223344, region_r32(&self->v, BAR0, at + 4));
	EXPECT_EQ(0x55667788, region_r64(&self->v, BAR0, at + 8));
	EXPECT_EQ(0x5566, region_r16(&self->v, BAR0, at + 10));
	/* Writes that PCI doesn't know do nothing. */
	region_w16(&self->v, BAR0, at + 8, 0);
	region_w8(&self->v, BAR0, at + 12, 1);
	EXPECT_EQ(0x55667788, region_r64(&self->v, BAR0, at + 8));
	/* Nor do the pending bits take any. */
	region_w64(&self->v, BAR0, PBA, ~0ULL);
	EXPECT_EQ(0, region_r64(&self->v, BAR0, PBA));

	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0, region_r64(&self->v, BAR0, at));
	EXPECT_EQ(1ULL << 32, region_r64(&self->v, BAR0, at + 8));
}

/* What lies around table and pending bits is the model's. */
TEST_F(msix, neighbours)
{
	__u32 count = region_r32(&self->v, BAR0, 0x08);

	EXPECT_EQ(PBA - 4, region_r32(&self->v, BAR0, PBA - 4));
	EXPECT_EQ(PBA + 256, region_r32(&self->v, BAR0, PBA + 256));
	EXPECT_EQ(TABLE - 1, region_r8(&self->v, BAR0, TABLE - 1) | 0xf00);
	EXPECT_EQ(TABLE + 0x8000, region_r32(&self->v, BAR0, TABLE + 0x8000));
	EXPECT_EQ(count + 4, region_r32(&self->v, BAR0, 0x08));
	region_r64(&self->v, BAR0, PBA + 248);
	region_r64(&self->v, BAR0, TABLE + 0x7ff8);
	EXPECT_EQ(count + 4, region_r32(&self->v, BAR0, 0x08));
}

/* A user that leaves the table alone, as QEMU does, is not masked by it. */
TEST_F(msix, without_table)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 5, self->efd));
	raise_vector(&self->v, 5);
	EXPECT_EQ(1, efd_take(self->efd));
	raise_vector(&self->v, 5);
	raise_vector(&self->v, 5);
	EXPECT_EQ(2, efd_take(self->efd));
	EXPECT_FALSE(pending(&self->v, 5));
	raise_vector(&self->v, VECTORS);
	raise_vector(&self->v, ~0U);
	EXPECT_EQ(0, efd_take(self->efd));
}

TEST_F(msix, vector_mask)
{
	const unsigned int last = VECTORS - 1;

	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, last, self->efd));
	mask(&self->v, last, true);
	raise_vector(&self->v, last);
	raise_vector(&self->v, last);
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_TRUE(pending(&self->v, last));
	EXPECT_FALSE(pending(&self->v, last - 1));
	/* Of an entry, only Vector Control unmasks. */
	region_w32(&self->v, BAR0, TABLE + 16 * last, 0xfee00000);
	EXPECT_TRUE(pending(&self->v, last));
	mask(&self->v, last, false);
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_FALSE(pending(&self->v, last));
	raise_vector(&self->v, last);
	EXPECT_EQ(1, efd_take(self->efd));
}

TEST_F(msix, function_mask)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 0, self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 64, self->efd));
	mask(&self->v, 64, true);
	function_mask(&self->v, self->cap, true);
	raise_vector(&self->v, 0);
	raise_vector(&self->v, 64);
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_EQ(1, region_r64(&self->v, BAR0, PBA));
	EXPECT_EQ(1, region_r64(&self->v, BAR0, PBA + 8));
	/* A vector's own bit is not enough, nor is the function's. */
	function_mask(&self->v, self->cap, false);
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_TRUE(pending(&self->v, 64));
	function_mask(&self->v, self->cap, true);
	mask(&self->v, 64, false);
	EXPECT_EQ(0, efd_take(self->efd));
	function_mask(&self->v, self->cap, false);
	EXPECT_EQ(1, efd_take(self->efd));
}

/* What QEMU does: enable without any, add one at a time, take one away and back. */
TEST_F(msix, eventfd_is_mask)
{
	int other = efd_new();

	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 0, -1));
	raise_vector(&self->v, 3);
	EXPECT_TRUE(pending(&self->v, 3));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 7, other));
	EXPECT_TRUE(pending(&self->v, 3));
	EXPECT_EQ(0, efd_take(other));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 3, self->efd));
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_FALSE(pending(&self->v, 3));

	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 3, -1));
	raise_vector(&self->v, 3);
	raise_vector(&self->v, 7);
	EXPECT_EQ(1, efd_take(other));
	EXPECT_TRUE(pending(&self->v, 3));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 3, self->efd));
	EXPECT_EQ(1, efd_take(self->efd));

	/* An eventfd doesn't unmask what its user has masked by the table. */
	mask(&self->v, 3, true);
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 3, -1));
	raise_vector(&self->v, 3);
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 3, self->efd));
	EXPECT_EQ(0, efd_take(self->efd));
	mask(&self->v, 3, false);
	EXPECT_EQ(1, efd_take(self->efd));
	close(other);
}

/* Nothing is pending while MSI-X is disabled, after that, or after a reset. */
TEST_F(msix, forgotten)
{
	raise_vector(&self->v, 3);
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 3, self->efd));
	EXPECT_EQ(0, efd_take(self->efd));

	mask(&self->v, 3, true);
	raise_vector(&self->v, 3);
	EXPECT_TRUE(pending(&self->v, 3));
	ASSERT_EQ(0, irq_disable(&self->v, MSIX));
	EXPECT_FALSE(pending(&self->v, 3));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 3, self->efd));
	mask(&self->v, 3, false);
	EXPECT_EQ(0, efd_take(self->efd));

	mask(&self->v, 3, true);
	raise_vector(&self->v, 3);
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_FALSE(pending(&self->v, 3));
	EXPECT_EQ(0, efd_take(self->efd));
	/* Its eventfd has stayed, and the table isn't written any more. */
	raise_vector(&self->v, 3);
	EXPECT_EQ(1, efd_take(self->efd));
}

TEST_F(msix, all_vectors)
{
	static int fds[VECTORS];
	int i;

	for (i = 0; i < VECTORS; i++)
		fds[i] = i % 2 ? self->efd : -1;
	ASSERT_EQ(0, irq_attach(&self->v, MSIX, 0, VECTORS, fds));
	for (i = 0; i < VECTORS; i++)
		raise_vector(&self->v, i);
	EXPECT_EQ(VECTORS / 2, efd_take(self->efd));
	for (i = 0; i < VECTORS / 64; i++)
		EXPECT_EQ(0x5555555555555555ULL,
			  region_r64(&self->v, BAR0, PBA + 8 * i));
	for (i = 0; i < VECTORS; i++)
		fds[i] = self->efd;
	ASSERT_EQ(0, irq_attach(&self->v, MSIX, 0, VECTORS, fds));
	EXPECT_EQ(VECTORS / 2, efd_take(self->efd));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
