// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot reset by who has opened his devices by their own files: his iommufd context tells
 * which of the functions that a reset would hit are his.
 *
 * The devices slot0 and slot1 are functions of one device and of one IOMMU group. So are
 * pair0 and pair1 of one device, but each has a group for itself.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define FUNCTIONS	2

/* What headers of older systems lack: "group_id" is a number of iommufd's then. */
#define DEV_ID		1U
#define DEV_ID_OWNED	2U
#define ID_OWNED	0
#define ID_NOT_OWNED	((__u32)-1)

struct report {
	struct vfio_pci_hot_reset_info hdr;
	struct vfio_pci_dependent_device room[FUNCTIONS + 1];
};

FIXTURE(cdev_reset)
{
	const char *bdf[FUNCTIONS];
	struct vdev v[FUNCTIONS];
	__u32 id[FUNCTIONS];
	int iommufd;
};

FIXTURE_VARIANT(cdev_reset)
{
	const char *devices[FUNCTIONS];
	bool one_group;
};

FIXTURE_VARIANT_ADD(cdev_reset, one_group)
{
	.devices = { "slot0", "slot1" },
	.one_group = true,
};

FIXTURE_VARIANT_ADD(cdev_reset, two_groups)
{
	.devices = { "pair0", "pair1" },
};

static int open_function(FIXTURE_DATA(cdev_reset) * self, int i, int iommufd)
{
	struct vdev *v = &self->v[i];
	int ret;

	snprintf(v->bus, sizeof(v->bus), "pci");
	snprintf(v->name, sizeof(v->name), "%s", self->bdf[i]);
	v->group = -1;
	v->container = -1;
	v->fd = cdev_open(self->bdf[i]);
	if (v->fd < 0)
		return v->fd;
	ret = cdev_bind(v->fd, iommufd, NULL, &self->id[i]);
	if (ret) {
		vdev_close(v);
		return ret;
	}
	cfg_command(v, 0, PCI_COMMAND_MEMORY);
	return 0;
}

FIXTURE_SETUP(cdev_reset)
{
	const char *missing;
	int i;

	for (i = 0; i < FUNCTIONS; i++) {
		self->v[i].group = -1;
		self->v[i].container = -1;
		self->v[i].fd = -1;
		missing = device_missing(variant->devices[i]);
		if (missing)
			SKIP(return, "%s", missing);
	}
	self->iommufd = iommufd_open();
	if (self->iommufd < 0)
		SKIP(return, "this kernel has no iommufd");
	for (i = 0; i < FUNCTIONS; i++) {
		self->bdf[i] = device_bdf(variant->devices[i]);
		ASSERT_EQ(0, pci_bind(self->bdf[i], driver_name()));
	}
	ASSERT_EQ(variant->one_group,
		  vdev_group_number("pci", self->bdf[0]) ==
		  vdev_group_number("pci", self->bdf[1]));
	for (i = 0; i < FUNCTIONS; i++)
		ASSERT_EQ(0, open_function(self, i, self->iommufd));
}

FIXTURE_TEARDOWN(cdev_reset)
{
	int i;

	for (i = 0; i < FUNCTIONS; i++)
		vdev_close(&self->v[i]);
	close(self->iommufd);
}

static int ask(const struct vdev *v, struct report *r)
{
	memset(r, 0xa5, sizeof(*r));
	r->hdr.argsz = sizeof(*r);
	return fd_ioctl(v->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, r);
}

static int reset_all(const struct vdev *v)
{
	const int none = -1;

	return hot_reset_fds(v, &none, 0);
}

/* Function 0 is its user's; the other's number is to be @id. */
static void check_report(struct __test_metadata *_metadata,
			 const FIXTURE_DATA(cdev_reset) * self, __u32 id)
{
	__u32 owned = id == ID_NOT_OWNED ? 0 : DEV_ID_OWNED;
	struct report r;

	ASSERT_EQ(0, ask(&self->v[0], &r));
	EXPECT_EQ(DEV_ID | owned, r.hdr.flags);
	ASSERT_EQ(FUNCTIONS, r.hdr.count);
	EXPECT_TRUE(hot_reset_is(&r.hdr.devices[0], self->bdf[0]));
	EXPECT_TRUE(hot_reset_is(&r.hdr.devices[1], self->bdf[1]));
	EXPECT_EQ(self->id[0], r.hdr.devices[0].group_id);
	EXPECT_EQ(id, r.hdr.devices[1].group_id);
}

/* Nothing is reset, and nothing else happens. */
static void check_refused(struct __test_metadata *_metadata,
			  const FIXTURE_DATA(cdev_reset) * self)
{
	scratch_write(&self->v[0]);
	EXPECT_EQ(-EINVAL, reset_all(&self->v[0]));
	EXPECT_TRUE(scratch_kept(&self->v[0]));
}

static void check_reset(struct __test_metadata *_metadata,
			const FIXTURE_DATA(cdev_reset) * self)
{
	scratch_write(&self->v[0]);
	EXPECT_EQ(0, reset_all(&self->v[0]));
	EXPECT_FALSE(scratch_kept(&self->v[0]));
}

/* Opened, each has the number that binding has told; from both sides. */
TEST_F(cdev_reset, info)
{
	struct report r;

	EXPECT_NE(self->id[0], self->id[1]);
	EXPECT_LT(0, (int)self->id[0]);
	EXPECT_LT(0, (int)self->id[1]);
	check_report(_metadata, self, self->id[1]);
	ASSERT_EQ(0, ask(&self->v[1], &r));
	EXPECT_EQ(DEV_ID | DEV_ID_OWNED, r.hdr.flags);
	EXPECT_EQ(self->id[0], r.hdr.devices[0].group_id);
	EXPECT_EQ(self->id[1], r.hdr.devices[1].group_id);

	/* Without room for the entries there is nothing to tell of. */
	memset(&r, 0xa5, sizeof(r));
	r.hdr.argsz = sizeof(r.hdr);
	EXPECT_EQ(-ENOSPC, fd_ioctl(self->v[0].fd,
				    VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &r));
	EXPECT_EQ(FUNCTIONS, r.hdr.count);
	EXPECT_EQ(0, r.hdr.flags);
}

/* Both are reset, whichever asks, and what their user has set up survives. */
TEST_F(cdev_reset, resets_all)
{
	__u32 bar[FUNCTIONS];
	int i, asks;

	for (i = 0; i < FUNCTIONS; i++) {
		bar[i] = cfg_r32(&self->v[i], PCI_BASE_ADDRESS_0) ^ 0x10000000;
		cfg_w32(&self->v[i], PCI_BASE_ADDRESS_0, bar[i]);
		cfg_w8(&self->v[i], PCI_INTERRUPT_LINE, 0x5a + i);
	}
	for (asks = 0; asks < FUNCTIONS; asks++) {
		for (i = 0; i < FUNCTIONS; i++) {
			scratch_write(&self->v[i]);
			ASSERT_TRUE(scratch_kept(&self->v[i]));
		}
		ASSERT_EQ(0, reset_all(&self->v[asks]));
		for (i = 0; i < FUNCTIONS; i++) {
			EXPECT_FALSE(scratch_kept(&self->v[i])) {
				TH_LOG("function %d, asked by %d", i, asks);
			}
			EXPECT_EQ(bar[i], cfg_r32(&self->v[i],
						  PCI_BASE_ADDRESS_0));
			EXPECT_EQ(0x5a + i, cfg_r8(&self->v[i],
						   PCI_INTERRUPT_LINE));
		}
	}
}

/*
 * Closed, but ours: nobody else can open a function of a group that this context has.
 * One with a group of its own anybody could.
 */
TEST_F(cdev_reset, closed_neighbour)
{
	vdev_close(&self->v[1]);
	if (variant->one_group) {
		check_report(_metadata, self, ID_OWNED);
		check_reset(_metadata, self);
	} else {
		check_report(_metadata, self, ID_NOT_OWNED);
		check_refused(_metadata, self);
	}
	ASSERT_EQ(0, open_function(self, 1, self->iommufd));
	check_report(_metadata, self, self->id[1]);
	check_reset(_metadata, self);
}

/* On another driver, or on none. */
TEST_F(cdev_reset, left_out)
{
	static const char * const drivers[] = { NULL, "pci-stub" };
	size_t i;
	int log;

	vdev_close(&self->v[1]);
	for (i = 0; i < ARRAY_SIZE(drivers); i++) {
		if (drivers[i] && !path_exists("/sys/bus/pci/drivers/pci-stub"))
			continue;
		ASSERT_EQ(0, pci_unbind(self->bdf[1]));
		ASSERT_EQ(0, drivers[i] ? pci_bind(self->bdf[1], drivers[i]) :
					  0);
		log = klog_open();
		ASSERT_LE(0, log);
		check_report(_metadata, self, ID_NOT_OWNED);
		check_refused(_metadata, self);
		EXPECT_EQ(!driver_is_stock(),
			  klog_count(log, self->bdf[1], NULL));
		close(log);
	}
	ASSERT_EQ(0, pci_bind(self->bdf[1], driver_name()));
	ASSERT_EQ(0, open_function(self, 1, self->iommufd));
	check_report(_metadata, self, self->id[1]);
	check_reset(_metadata, self);
}

/* With another context; nobody gets that far with a function of the same group. */
TEST_F(cdev_reset, other_iommufd)
{
	int other = iommufd_open();

	ASSERT_LE(0, other);
	vdev_close(&self->v[1]);
	if (variant->one_group) {
		EXPECT_EQ(-EPERM, open_function(self, 1, other));
		check_report(_metadata, self, ID_OWNED);
		check_reset(_metadata, self);
	} else {
		ASSERT_EQ(0, open_function(self, 1, other));
		check_report(_metadata, self, ID_NOT_OWNED);
		scratch_write(&self->v[1]);
		check_refused(_metadata, self);
		EXPECT_EQ(-EINVAL, reset_all(&self->v[1]));
		EXPECT_TRUE(scratch_kept(&self->v[0]));
		EXPECT_TRUE(scratch_kept(&self->v[1]));
		vdev_close(&self->v[1]);
	}
	close(other);
}

/* Opened through its group: neither user can show that both are his. */
TEST_F(cdev_reset, neighbour_by_group)
{
	int group;

	vdev_close(&self->v[1]);
	if (variant->one_group) {
		EXPECT_NE(0, vdev_open(&self->v[1], "pci", self->bdf[1]));
		return;
	}
	ASSERT_EQ(0, vdev_open(&self->v[1], "pci", self->bdf[1]));
	cfg_command(&self->v[1], 0, PCI_COMMAND_MEMORY);
	check_report(_metadata, self, ID_NOT_OWNED);
	scratch_write(&self->v[1]);
	check_refused(_metadata, self);
	group = self->v[1].group;
	EXPECT_EQ(-EINVAL, hot_reset_fds(&self->v[1], &group, 1));
	EXPECT_TRUE(scratch_kept(&self->v[0]));
	EXPECT_TRUE(scratch_kept(&self->v[1]));
}

/* Descriptors show nothing here, whatever they are of. */
TEST_F(cdev_reset, bad_argument)
{
	const int fds[] = { self->iommufd, self->v[0].fd, self->v[1].fd, -1 };
	const __u32 size = sizeof(struct vfio_pci_hot_reset);
	size_t i;

	scratch_write(&self->v[0]);
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		EXPECT_EQ(-EINVAL, hot_reset_fds(&self->v[0], &fds[i], 1)) {
			TH_LOG("descriptor %zu", i);
		}
	EXPECT_EQ(-EINVAL, hot_reset_fds(&self->v[0], fds, ARRAY_SIZE(fds)));
	EXPECT_EQ(-EINVAL, hot_reset_raw(&self->v[0], size, 0, ~0U, fds, 0));
	EXPECT_EQ(-EINVAL, hot_reset_raw(&self->v[0], size, 1, 0, fds, 0));
	EXPECT_EQ(-EINVAL, hot_reset_raw(&self->v[0], size - 1, 0, 0, fds, 0));
	EXPECT_TRUE(scratch_kept(&self->v[0]));
	EXPECT_EQ(0, hot_reset_raw(&self->v[0], ~0U, 0, 0, fds, 0));
	EXPECT_FALSE(scratch_kept(&self->v[0]));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
