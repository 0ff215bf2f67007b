// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be seen of a physical function from outside: trace events, and counts of its
 * interrupts.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX

FIXTURE(tracing)
{
	struct vdev v;
	const char *bdf;
	int efd;
};

FIXTURE_SETUP(tracing)
{
	const char *missing = device_missing("edu");

	if (!missing)
		missing = tracing_missing();
	if (missing)
		SKIP(return, "%s", missing);
	self->bdf = device_bdf("edu");
	ASSERT_EQ(0, vdev_open_device(&self->v, "edu"));
	edu_msi.setup(&self->v);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(tracing)
{
	counts_switch(self->bdf, false);
	tracing_end();
	close(self->efd);
	vdev_close(&self->v);
}

static void raise_and_ack(const struct vdev *v)
{
	edu_msi.raise(v, 0);
	edu_msi.ack(v, 0);
}

TEST_F(tracing, vector)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, MSI, 0, self->efd));
	ASSERT_EQ(0, counts_switch(self->bdf, true));
	ASSERT_EQ(0, tracing_begin("ferry_interrupt/", self->bdf));
	raise_and_ack(&self->v);
	EXPECT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(1, tracing_count("index=msi vector=0 signalled=1"));
	EXPECT_EQ(1, counts_sum(self->bdf, "vector 0 "));

	/* Nobody hears of this one, until there is an eventfd again. */
	ASSERT_EQ(0, irq_attach_one(&self->v, MSI, 0, -1));
	raise_and_ack(&self->v);
	while (!tracing_count("index=msi vector=0 signalled=0"))
		usleep(1000);
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSI, 0, self->efd));
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_EQ(2, counts_sum(self->bdf, "vector 0 "));
	EXPECT_EQ(1, counts_sum(self->bdf, "below ") +
		  counts_sum(self->bdf, "from "));
}

TEST_F(tracing, intx)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(0, counts_switch(self->bdf, true));
	ASSERT_EQ(0, tracing_begin("ferry_interrupt/", self->bdf));
	edu_msi.raise(&self->v, 0);
	EXPECT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(1, tracing_count("index=intx vector=0 signalled=1"));
	EXPECT_EQ(1, counts_sum(self->bdf, "intx"));
	EXPECT_EQ(0, counts_sum(self->bdf, "vector "));
	edu_msi.ack(&self->v, 0);
}

TEST_F(tracing, resets)
{
	ASSERT_EQ(0, tracing_begin("ferry_reset/", self->bdf));
	vdev_close(&self->v);
	EXPECT_EQ(1, tracing_count("ferry_reset: "));
	EXPECT_EQ(1, tracing_count("cause=close ret=0"));
	ASSERT_EQ(0, vdev_open_device(&self->v, "edu"));
	EXPECT_EQ(1, tracing_count("cause=open ret=0"));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(1, tracing_count("cause=user ret=0"));
	EXPECT_EQ(3, tracing_count("ferry_reset: "));
}

TEST_F(tracing, accesses)
{
	ASSERT_EQ(0, tracing_begin("", self->bdf));
	cfg_w16(&self->v, PCI_COMMAND, PCI_COMMAND_MEMORY);
	EXPECT_EQ(1, tracing_count("ferry_config_write: "));
	EXPECT_EQ(1, tracing_count("region=7 offset=0x4 length=2 value=0x2 ret=2"));
	region_r32(&self->v, VFIO_PCI_BAR0_REGION_INDEX, EDU_ID);
	EXPECT_EQ(1, tracing_count("region=0 offset=0x0 length=4 value=0x10000ed ret=4"));
}

/* One that sleeps when its user tells it to. */
TEST(power)
{
	const char *missing = device_missing("e1000e");
	unsigned int pm;
	struct vdev v;
	__u16 pmcsr;

	if (!missing)
		missing = tracing_missing();
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "e1000e"));
	pm = cfg_find_cap(&v, PCI_CAP_ID_PM);
	EXPECT_NE(0, pm);
	EXPECT_EQ(0, tracing_begin("ferry_power/", device_bdf("e1000e")));
	pmcsr = cfg_r16(&v, pm + PCI_PM_CTRL);
	cfg_w16(&v, pm + PCI_PM_CTRL, pmcsr | 3);
	EXPECT_EQ(1, tracing_count("old=0 wanted=3 now=3"));
	cfg_w16(&v, pm + PCI_PM_CTRL, pmcsr);
	EXPECT_EQ(1, tracing_count("old=3 wanted=0 now=0"));
	EXPECT_EQ(2, tracing_count("ferry_power: "));
	tracing_end();
	vdev_close(&v);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
