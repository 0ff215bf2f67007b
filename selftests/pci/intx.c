// SPDX-License-Identifier: GPL-2.0-only
/*
 * The level-triggered interrupt, raised by QEMU's edu device, masked by the device's own
 * disable bit or, with the parameter nointxmask, at the interrupt controller.
 *
 * That something does not happen cannot be waited for. Where a test says
 * that an interrupt does not come, it lets the kernel signal the eventfd
 * after it: the eventfd must then have counted one, not two.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define BAR0	VFIO_PCI_BAR0_REGION_INDEX

#define MASK	VFIO_IRQ_SET_ACTION_MASK
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER
#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD	VFIO_IRQ_SET_DATA_EVENTFD

FIXTURE(intx)
{
	struct vdev v;
	int efd;
};

FIXTURE_VARIANT(intx)
{
	const char *nointxmask;
	bool in_device;
};

FIXTURE_VARIANT_ADD(intx, disable_bit)
{
	.nointxmask = "N",
	.in_device = true,
};

FIXTURE_VARIANT_ADD(intx, nointxmask)
{
	.nointxmask = "Y",
};

/* Whoever is bound from now on is masked that way. */
static int mask_by(const char *nointxmask)
{
	return module_param_write(driver_name(), "nointxmask", nointxmask);
}

FIXTURE_SETUP(intx)
{
	const char *missing = device_missing("edu");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, pci_unbind(device_bdf("edu")));
	ASSERT_EQ(0, mask_by(variant->nointxmask));
	ASSERT_EQ(0, vdev_open_device(&self->v, "edu"));
	cfg_command(&self->v, PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_MEMORY);
	region_w32(&self->v, BAR0, EDU_IRQ_ACK, ~0U);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(intx)
{
	/*
	 * QEMU's interrupt controller remembers a line that drops when the kernel has shut
	 * it down, and interrupts for it later: one too many where no device is asked.
	 */
	region_w32(&self->v, BAR0, EDU_IRQ_ACK, ~0U);
	close(self->efd);
	vdev_close(&self->v);
	pci_unbind(device_bdf("edu"));
	mask_by("N");
}

static void raise_irq(const struct vdev *v)
{
	region_w32(v, BAR0, EDU_IRQ_RAISE, 1);
}

static void ack_irq(const struct vdev *v)
{
	region_w32(v, BAR0, EDU_IRQ_ACK, 1);
}

/* Nothing was counted: the loopback signal is the only one. */
static bool silent(const struct vdev *v, int efd)
{
	return !irq_fire(v, INTX, 0, 1) && efd_wait(efd) == 1;
}

/*
 * What nobody would serve must not reach the kernel's handler either: it would be called
 * again and again until the kernel gives the line up. The device itself keeps quiet,
 * unless that is left to the interrupt controller.
 */
static bool quiet(const struct vdev *v)
{
	return pci_intx_disabled(v->name);
}

TEST_F(intx, deliver)
{
	int i;

	/* The kernel's own driver leaves it to the device until then. */
	if (!driver_is_stock())
		EXPECT_EQ(variant->in_device, quiet(&self->v));
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	for (i = 0; i < 100; i++) {
		raise_irq(&self->v);
		ASSERT_EQ(1, efd_wait(self->efd));
		ack_irq(&self->v);
		ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	}
	EXPECT_TRUE(silent(&self->v, self->efd));
}

/* Once delivered it is masked, however long the device asserts its line. */
TEST_F(intx, automask)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	raise_irq(&self->v);
	ASSERT_EQ(1, efd_wait(self->efd));
	EXPECT_TRUE(cfg_r16(&self->v, PCI_STATUS) & PCI_STATUS_INTERRUPT);
	EXPECT_TRUE(silent(&self->v, self->efd));
	ack_irq(&self->v);
	EXPECT_FALSE(cfg_r16(&self->v, PCI_STATUS) & PCI_STATUS_INTERRUPT);
}

/* Masked in the device, or at the controller and not in the device. */
TEST_F(intx, masked_where)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	EXPECT_FALSE(quiet(&self->v));
	raise_irq(&self->v);
	ASSERT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(variant->in_device, quiet(&self->v));
	ack_irq(&self->v);
	ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	EXPECT_FALSE(quiet(&self->v));
	ASSERT_EQ(0, irq_act(&self->v, INTX, MASK));
	EXPECT_EQ(variant->in_device, quiet(&self->v));
}

static int irq_of(const char *bdf)
{
	char text[16] = "";

	pci_attr_read(bdf, "irq", text, sizeof(text));
	return atoi(text);
}

/* Opens another device whose line is that of @v. */
static int open_sharer(const struct vdev *v, struct vdev *sharer)
{
	static const char * const names[] = {
		"slot0", "e1000e", "igb", "nvme", "root",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (device_missing(names[i]) ||
		    vdev_open_device(sharer, names[i]))
			continue;
		if (irq_of(sharer->name) == irq_of(v->name))
			return 0;
		vdev_close(sharer);
	}
	return -ENODEV;
}

/* Devices that can be masked share a line; any other has one for itself. */
TEST_F(intx, shared_line)
{
	const int want = variant->in_device ? 0 : -EBUSY;
	int efd = efd_new(), log = klog_open();
	struct vdev sharer;

	ASSERT_EQ(0, mask_by("N"));
	if (open_sharer(&self->v, &sharer))
		SKIP(return, "no two devices have the same line");
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	EXPECT_EQ(want, irq_attach_one(&sharer, INTX, 0, efd));
	if (!want) {
		raise_irq(&self->v);
		EXPECT_EQ(1, efd_wait(self->efd));
		EXPECT_EQ(0, efd_take(efd));
		ack_irq(&self->v);
	}
	ASSERT_EQ(0, irq_disable(&self->v, INTX));
	if (want)
		ASSERT_EQ(0, irq_attach_one(&sharer, INTX, 0, efd));
	klog_count(log, "", NULL);
	EXPECT_EQ(want, irq_attach_one(&self->v, INTX, 0, self->efd));
	if (!driver_is_stock())
		EXPECT_EQ(want ? 1 : 0, klog_count(log, "has other users",
						   NULL));

	/* Once the other has gone there is nothing to share. */
	vdev_close(&sharer);
	if (want)
		ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	raise_irq(&self->v);
	EXPECT_EQ(1, efd_wait(self->efd));
	close(efd);
	close(log);
}

/* Unmasked while the line is still asserted, it is delivered again. */
TEST_F(intx, level_resignals)
{
	int i;

	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	raise_irq(&self->v);
	ASSERT_EQ(1, efd_wait(self->efd));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
		ASSERT_EQ(1, efd_wait(self->efd));
	}
	ack_irq(&self->v);
	ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	EXPECT_TRUE(silent(&self->v, self->efd));
}

TEST_F(intx, mask)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	EXPECT_FALSE(quiet(&self->v));
	ASSERT_EQ(0, irq_act(&self->v, INTX, MASK));
	EXPECT_EQ(variant->in_device, quiet(&self->v));
	raise_irq(&self->v);
	EXPECT_TRUE(silent(&self->v, self->efd));
	ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	EXPECT_EQ(1, efd_wait(self->efd));
}

TEST_F(intx, mask_by_bool)
{
	__u8 no = 0, yes = 1;

	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_set(&self->v, BOOL | MASK, INTX, 0, 1, &yes, 1));
	raise_irq(&self->v);
	EXPECT_TRUE(silent(&self->v, self->efd));
	ASSERT_EQ(0, irq_set(&self->v, BOOL | UNMASK, INTX, 0, 1, &no, 1));
	EXPECT_TRUE(silent(&self->v, self->efd));
	ASSERT_EQ(0, irq_set(&self->v, BOOL | UNMASK, INTX, 0, 1, &yes, 1));
	EXPECT_EQ(1, efd_wait(self->efd));
	ack_irq(&self->v);
	ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	ASSERT_EQ(0, irq_set(&self->v, BOOL | MASK, INTX, 0, 1, &no, 1));
	raise_irq(&self->v);
	EXPECT_EQ(1, efd_wait(self->efd));
}

/* The eventfd that KVM signals when the guest ends its interrupt. */
TEST_F(intx, unmask_eventfd)
{
	int unmask = efd_new(), other = efd_new(), none = -1, i;

	ASSERT_LE(0, unmask);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_set(&self->v, EVENTFD | UNMASK, INTX, 0, 1, &unmask,
			     sizeof(unmask)));
	EXPECT_EQ(-EBUSY, irq_set(&self->v, EVENTFD | UNMASK, INTX, 0, 1,
				  &other, sizeof(other)));

	raise_irq(&self->v);
	ASSERT_EQ(1, efd_wait(self->efd));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, eventfd_write(unmask, 1));
		ASSERT_EQ(1, efd_wait(self->efd));
	}

	/* Without it the interrupt stays masked. */
	ASSERT_EQ(0, irq_set(&self->v, EVENTFD | UNMASK, INTX, 0, 1, &none,
			     sizeof(none)));
	ASSERT_EQ(0, eventfd_write(unmask, 1));
	EXPECT_TRUE(silent(&self->v, self->efd));
	ASSERT_EQ(0, irq_set(&self->v, EVENTFD | UNMASK, INTX, 0, 1, &other,
			     sizeof(other)));
	ASSERT_EQ(0, eventfd_write(other, 1));
	EXPECT_EQ(1, efd_wait(self->efd));
	close(unmask);
	close(other);
}

/*
 * Nobody does that but to find out: each signal unmasks, and is followed by the next one. It
 * takes time, but not all of it: this goes on.
 */
TEST_F(intx, one_eventfd_for_both)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_set(&self->v, EVENTFD | UNMASK, INTX, 0, 1, &self->efd,
			     sizeof(self->efd)));
	raise_irq(&self->v);
	usleep(100000);
	ack_irq(&self->v);
	ASSERT_EQ(0, irq_disable(&self->v, INTX));
	efd_take(self->efd);
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	raise_irq(&self->v);
	EXPECT_EQ(1, efd_wait(self->efd));
	ack_irq(&self->v);
}

/* An eventfd that the user closes while it is attached is still ours. */
TEST_F(intx, closed_eventfds)
{
	int trigger = efd_new(), unmask = efd_new();

	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, trigger));
	ASSERT_EQ(0, irq_set(&self->v, EVENTFD | UNMASK, INTX, 0, 1, &unmask,
			     sizeof(unmask)));
	close(trigger);
	close(unmask);
	raise_irq(&self->v);
	ack_irq(&self->v);
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	efd_take(self->efd);
	raise_irq(&self->v);
	EXPECT_LE(1, efd_wait(self->efd));
}

/* The guest's own switch: DisINTx of the virtual command register. */
TEST_F(intx, command_disables)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	cfg_command(&self->v, 0, PCI_COMMAND_INTX_DISABLE);
	EXPECT_TRUE(cfg_r16(&self->v, PCI_COMMAND) &
		    PCI_COMMAND_INTX_DISABLE);
	EXPECT_EQ(variant->in_device, quiet(&self->v));
	/* Unmasking by the other way doesn't change that. */
	ASSERT_EQ(0, irq_act(&self->v, INTX, MASK));
	ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	EXPECT_EQ(variant->in_device, quiet(&self->v));
	raise_irq(&self->v);
	EXPECT_EQ(0, efd_take(self->efd));
	cfg_command(&self->v, PCI_COMMAND_INTX_DISABLE, 0);
	EXPECT_EQ(1, efd_wait(self->efd));
	EXPECT_FALSE(cfg_r16(&self->v, PCI_COMMAND) &
		     PCI_COMMAND_INTX_DISABLE);
}

TEST_F(intx, enabled_while_command_disables)
{
	cfg_command(&self->v, 0, PCI_COMMAND_INTX_DISABLE);
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	raise_irq(&self->v);
	EXPECT_EQ(0, efd_take(self->efd));
	cfg_command(&self->v, PCI_COMMAND_INTX_DISABLE, 0);
	EXPECT_EQ(1, efd_wait(self->efd));
}

TEST_F(intx, no_trigger)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, -1));
	raise_irq(&self->v);
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	EXPECT_LE(1, efd_wait(self->efd));
}

TEST_F(intx, swap_trigger)
{
	int other = efd_new();

	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, other));
	raise_irq(&self->v);
	EXPECT_EQ(1, efd_wait(other));
	EXPECT_EQ(0, efd_take(self->efd));
	close(other);
}

TEST_F(intx, loopback)
{
	__u8 no = 0, yes = 1;

	EXPECT_EQ(-EINVAL, irq_fire(&self->v, INTX, 0, 1));
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_fire(&self->v, INTX, 0, 1));
	EXPECT_EQ(1, efd_wait(self->efd));
	ASSERT_EQ(0, irq_set(&self->v, BOOL | TRIGGER, INTX, 0, 1, &no, 1));
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(0, irq_set(&self->v, BOOL | TRIGGER, INTX, 0, 1, &yes, 1));
	EXPECT_EQ(1, efd_wait(self->efd));

	/* It goes where an interrupt goes. */
	cfg_command(&self->v, 0, PCI_COMMAND_INTX_DISABLE);
	ASSERT_EQ(0, irq_fire(&self->v, INTX, 0, 1));
	ASSERT_EQ(0, irq_set(&self->v, BOOL | TRIGGER, INTX, 0, 1, &yes, 1));
	EXPECT_EQ(0, efd_take(self->efd));
	cfg_command(&self->v, PCI_COMMAND_INTX_DISABLE, 0);
	ASSERT_EQ(0, irq_fire(&self->v, INTX, 0, 1));
	EXPECT_EQ(1, efd_wait(self->efd));
}

TEST_F(intx, disable)
{
	EXPECT_EQ(-EINVAL, irq_disable(&self->v, INTX));
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	EXPECT_EQ(1, irq_lines(self->v.name));
	ASSERT_EQ(0, irq_disable(&self->v, INTX));
	EXPECT_EQ(0, irq_lines(self->v.name));
	EXPECT_EQ(variant->in_device, quiet(&self->v));
	raise_irq(&self->v);
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_EQ(-EINVAL, irq_disable(&self->v, INTX));

	ack_irq(&self->v);
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	raise_irq(&self->v);
	EXPECT_EQ(1, efd_wait(self->efd));
}

TEST_F(intx, not_enabled)
{
	int fd = self->efd;

	EXPECT_EQ(-EINVAL, irq_act(&self->v, INTX, MASK));
	EXPECT_EQ(-EINVAL, irq_act(&self->v, INTX, UNMASK));
	EXPECT_EQ(-EINVAL, irq_set(&self->v, EVENTFD | UNMASK, INTX, 0, 1,
				   &fd, sizeof(fd)));
}

TEST_F(intx, one_index_at_a_time)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	EXPECT_EQ(-EINVAL, irq_attach_one(&self->v, VFIO_PCI_MSI_IRQ_INDEX, 0,
					  self->efd));
	raise_irq(&self->v);
	EXPECT_EQ(1, efd_wait(self->efd));
}

/* Whatever is refused leaves the interrupt as it was. */
TEST_F(intx, refusals)
{
	int fds[2], bad = FERRY_NO_FD, notty = dup(STDERR_FILENO);
	const struct {
		__u32 flags, start, count;
		const void *data;
		size_t len;
		int err;
	} cases[] = {
		{ NONE | TRIGGER, 1, 1, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, 0, 2, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, 0, ~0U, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, 1, ~0U, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, ~0U, 1, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, ~0U, ~0U, NULL, 0, -EINVAL },
		{ NONE | MASK, 0, 2, NULL, 0, -EINVAL },
		{ NONE | UNMASK, 1, 1, NULL, 0, -EINVAL },
		{ NONE, 0, 1, NULL, 0, -ENOTTY },
		{ TRIGGER, 0, 1, NULL, 0, -EINVAL },
		{ 0, 0, 1, NULL, 0, -EINVAL },
		{ NONE | BOOL | TRIGGER, 0, 1, "\1", 1, -EINVAL },
		{ NONE | EVENTFD | TRIGGER, 0, 1, fds, 4, -EINVAL },
		{ BOOL | EVENTFD | TRIGGER, 0, 1, fds, 4, -EINVAL },
		{ NONE | MASK | UNMASK, 0, 1, NULL, 0, -ENOTTY },
		{ NONE | MASK | TRIGGER, 0, 1, NULL, 0, -ENOTTY },
		{ NONE | TRIGGER | (1 << 6), 0, 1, NULL, 0, -EINVAL },
		{ NONE | TRIGGER | (1U << 31), 0, 1, NULL, 0, -EINVAL },
		{ BOOL | TRIGGER, 0, 1, NULL, 0, -EINVAL },
		{ EVENTFD | TRIGGER, 0, 1, fds, 3, -EINVAL },
		{ EVENTFD | TRIGGER, 0, 2, fds, 8, -EINVAL },
		{ EVENTFD | TRIGGER, 0, 1, &bad, 4, -EBADF },
		{ EVENTFD | TRIGGER, 0, 1, &notty, 4, -EINVAL },
		{ EVENTFD | MASK, 0, 1, fds, 4, -ENOTTY },
		{ EVENTFD | UNMASK, 0, 1, &bad, 4, -EBADF },
		{ EVENTFD | UNMASK, 0, 1, &notty, 4, -EINVAL },
	};
	size_t i;

	fds[0] = efd_new();
	fds[1] = efd_new();
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].err,
			  irq_set(&self->v, cases[i].flags, INTX,
				  cases[i].start, cases[i].count,
				  cases[i].data, cases[i].len)) {
			TH_LOG("case %zu", i);
		}
		raise_irq(&self->v);
		ASSERT_EQ(1, efd_wait(self->efd)) {
			TH_LOG("changed by case %zu", i);
		}
		ack_irq(&self->v);
		ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	}
	EXPECT_EQ(0, efd_take(fds[0]));
	EXPECT_EQ(0, efd_take(fds[1]));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
