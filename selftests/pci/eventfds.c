// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every eventfd that a device is given is let go: when the device is closed, when another
 * takes its place, and when what it was given for is refused.
 *
 * The kernel numbers eventfds, always with the least number that is free. So one is gone
 * when a new one gets its number.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define TRIES	1200

FIXTURE(eventfds)
{
	struct vdev v;
	int efd;
	int id;
};

static int give_intx(const struct vdev *v, int efd)
{
	return irq_attach_one(v, INTX, 0, efd);
}

static int give_unmask(const struct vdev *v, int efd)
{
	int ret = irq_attach_one(v, INTX, 0, -1);

	return ret ? ret : irq_set(v, VFIO_IRQ_SET_DATA_EVENTFD |
				      VFIO_IRQ_SET_ACTION_UNMASK, INTX, 0, 1,
				   &efd, sizeof(efd));
}

static int give_msix(const struct vdev *v, int efd)
{
	return irq_attach_one(v, MSIX, 1, efd);
}

/* Users mask a vector by pointing it elsewhere for a while. */
static int give_msix_and_another(const struct vdev *v, int efd)
{
	int another = efd_new();
	int ret = give_msix(v, efd);

	if (!ret)
		ret = give_msix(v, another);
	close(another);
	return ret;
}

static int give_err(const struct vdev *v, int efd)
{
	return irq_attach_one(v, VFIO_PCI_ERR_IRQ_INDEX, 0, efd);
}

static int give_req(const struct vdev *v, int efd)
{
	return irq_attach_one(v, VFIO_PCI_REQ_IRQ_INDEX, 0, efd);
}

static int give_wakeup(const struct vdev *v, int efd)
{
	const struct vfio_device_low_power_entry_with_wakeup data = {
		.wakeup_eventfd = efd,
	};

	return vdev_feature_set(v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
				&data, sizeof(data));
}

static int give_ioeventfd(const struct vdev *v, int efd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = region_offset(v, BAR0),
		.fd = efd,
	};

	return fd_ioctl(v->fd, VFIO_DEVICE_IOEVENTFD, &arg);
}

/* @hears_close: the device lets go as soon as nobody has the descriptor */
FIXTURE_VARIANT(eventfds)
{
	int (*give)(const struct vdev *v, int efd);
	bool hears_close;
};

FIXTURE_VARIANT_ADD(eventfds, intx) { .give = give_intx };
FIXTURE_VARIANT_ADD(eventfds, unmask)
{
	.give = give_unmask, .hears_close = true,
};

FIXTURE_VARIANT_ADD(eventfds, msix) { .give = give_msix };
FIXTURE_VARIANT_ADD(eventfds, replaced) { .give = give_msix_and_another };
FIXTURE_VARIANT_ADD(eventfds, err) { .give = give_err };
FIXTURE_VARIANT_ADD(eventfds, req) { .give = give_req };
FIXTURE_VARIANT_ADD(eventfds, wakeup) { .give = give_wakeup };
FIXTURE_VARIANT_ADD(eventfds, ioeventfd)
{
	.give = give_ioeventfd, .hears_close = true,
};

FIXTURE_SETUP(eventfds)
{
	const char *missing = device_missing("e1000e");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "e1000e"));
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
	self->id = efd_number(self->efd);
	ASSERT_LE(0, self->id);
}

FIXTURE_TEARDOWN(eventfds)
{
	vdev_close(&self->v);
}

/* Is there an eventfd of this number? */
static bool taken(int id)
{
	int efds[64];
	bool found = false;
	unsigned int i, nr;

	for (nr = 0; nr < 64 && !found; nr++) {
		efds[nr] = efd_new();
		found = efd_number(efds[nr]) == id;
		if (efd_number(efds[nr]) > id) {
			close(efds[nr]);
			break;
		}
	}
	for (i = 0; i < nr; i++)
		close(efds[i]);
	return !found;
}

/* Waits, because the kernel lets go when all processors have taken notice. */
static bool let_go(int id)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (!taken(id))
			return true;
		usleep(100 * 1000);
	}
	return false;
}

TEST_F(eventfds, device_closed_last)
{
	ASSERT_EQ(0, variant->give(&self->v, self->efd));
	close(self->efd);
	if (!variant->hears_close)
		EXPECT_TRUE(taken(self->id));
	vdev_close(&self->v);
	EXPECT_TRUE(let_go(self->id));
}

TEST_F(eventfds, device_closed_first)
{
	ASSERT_EQ(0, variant->give(&self->v, self->efd));
	vdev_close(&self->v);
	close(self->efd);
	EXPECT_TRUE(let_go(self->id));
}

/* One that isn't an eventfd, and none is taken. */
TEST_F(eventfds, refused)
{
	int fds[2] = { self->efd, STDERR_FILENO };

	EXPECT_EQ(-EINVAL, irq_attach(&self->v, MSIX, 0, 2, fds));
	EXPECT_EQ(0, variant->give(&self->v, self->efd));
	EXPECT_GT(0, variant->give(&self->v, STDERR_FILENO));
	vdev_close(&self->v);
	close(self->efd);
	EXPECT_TRUE(let_go(self->id));
}

TEST_HARNESS_MAIN
