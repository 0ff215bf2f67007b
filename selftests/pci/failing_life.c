// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocations and copies that fail, one after another, while a function is bound, opened,
 * closed and unbound.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/failing.h"
#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX

/* What headers of older systems lack. */
struct attach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
};

#define ATTACH		_IO(VFIO_TYPE, VFIO_BASE + 19)
#define DETACH		_IO(VFIO_TYPE, VFIO_BASE + 20)

/* Calls of the kernel's core are long: this is about what a slow machine does in half a minute. */
#define SOME	6

/* What a sweep works on. */
struct job {
	const char *bdf;
	struct vdev v;
	/* Of the driver. */
	int bind;
	int unbind;
	/* Of iommufd. */
	char cdev[256];
	__u32 ioas;
	int efd;
};

static int driver_file(const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s",
		 driver_name(), file);
	return open(path, O_WRONLY | O_CLOEXEC);
}

static int job_begin(struct job *j, const char *bdf)
{
	*j = (struct job) {
		.bdf = bdf,
		.v = { .container = -1, .group = -1, .fd = -1 },
		.bind = driver_file("bind"),
		.unbind = driver_file("unbind"),
		.efd = efd_new(),
	};
	return pci_bind(j->bdf, driver_name());
}

static void job_end(struct job *j)
{
	vdev_close(&j->v);
	close(j->efd);
	close(j->bind);
	close(j->unbind);
}

static bool is_bound(const struct job *j)
{
	char driver[FERRY_NAME_MAX];

	return !pci_driver(j->bdf, driver, sizeof(driver)) &&
	       !strcmp(driver, driver_name());
}

/* A new user finds registers, a reset, and interrupts. */
static bool opened_well(struct job *j, int fd)
{
	const struct vdev v = { .fd = fd };
	struct vfio_device_info info;
	__u32 id;

	if (vdev_info(&v, &info) || !(info.flags & VFIO_DEVICE_FLAGS_RESET))
		return false;
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	return region_read(&v, BAR0, EDU_ID, &id, 4) == 4 &&
	       id == EDU_ID_VALUE && !irq_attach_one(&v, MSI, 0, j->efd) &&
	       !irq_fire(&v, MSI, 0, 1) && efd_take(j->efd) == 1 &&
	       !irq_attach_one(&v, REQ, 0, j->efd);
}

static bool can_be_opened(struct job *j)
{
	struct vdev v;
	bool ok;

	if (vdev_open(&v, "pci", j->bdf))
		return false;
	ok = opened_well(j, v.fd);
	vdev_close(&v);
	return ok;
}

FIXTURE(failing_life)
{
	struct job j;
};

FIXTURE_SETUP(failing_life)
{
	const char *missing = device_missing("edu") ?: failing_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, job_begin(&self->j, device_bdf("edu")));
}

FIXTURE_TEARDOWN(failing_life)
{
	job_end(&self->j);
}

static int driver_write(int fd, const struct job *j)
{
	return pwrite(fd, j->bdf, strlen(j->bdf), 0) < 0 ? -errno : 0;
}

static int bind(void *ctx)
{
	struct job *j = ctx;

	return driver_write(j->bind, j);
}

static int unbind(void *ctx)
{
	struct job *j = ctx;

	return driver_write(j->unbind, j);
}

/* Bound it can be used; and else it is nobody's, and has no group that could be opened. */
static bool bound(void *ctx, bool done)
{
	struct job *j = ctx;
	char path[256];

	if (is_bound(j) != done)
		return false;
	if (done)
		return can_be_opened(j);
	return !vdev_group_path("pci", j->bdf, path, sizeof(path)) &&
	       !path_exists(path);
}

static bool unbound(void *ctx, bool done)
{
	struct job *j = ctx;

	return is_bound(j) == !done;
}

TEST_F(failing_life, bind)
{
	struct sweep s = {
		.what = "bind",
		.spare = SPARE_GROUP,
		.call = bind,
		.undo = unbind,
		.check = bound,
		.ctx = &self->j,
		.at_most = failing_some(SOME),
	};

	ASSERT_EQ(0, unbind(&self->j));
	EXPECT_TRUE(sweep(&s));
}

TEST_F(failing_life, unbind)
{
	struct sweep s = {
		.what = "unbind",
		.call = unbind,
		.undo = bind,
		.check = unbound,
		.ctx = &self->j,
		.at_most = failing_some(SOME),
		.optional = true,
	};

	EXPECT_TRUE(sweep(&s));
	EXPECT_TRUE(can_be_opened(&self->j));
}

/* The group's file is there from here on. */
static int open_device(void *ctx)
{
	struct job *j = ctx;

	j->v.fd = fd_ioctl(j->v.group, VFIO_GROUP_GET_DEVICE_FD, j->v.name);
	return j->v.fd;
}

static int close_device(void *ctx)
{
	struct job *j = ctx;
	int ret = close(j->v.fd);

	j->v.fd = -1;
	return ret;
}

static bool open_or_not(void *ctx, bool done)
{
	struct job *j = ctx;

	return done ? opened_well(j, j->v.fd) : !irq_lines(j->bdf);
}

static int open_with_interrupts(void *ctx)
{
	return open_device(ctx) < 0 || !open_or_not(ctx, true) ? -EIO : 0;
}

/* What is closed is closed, whatever it lacks meanwhile. */
static bool closed(void *ctx, bool done)
{
	struct job *j = ctx;

	return done && !irq_lines(j->bdf);
}

TEST_F(failing_life, group)
{
	struct job *j = &self->j;
	struct sweep s = {
		.what = "GROUP_GET_DEVICE_FD",
		.spare = SPARE_ROUTING,
		.call = open_device,
		.undo = close_device,
		.check = open_or_not,
		.ctx = j,
	};

	ASSERT_EQ(0, vdev_prepare(&j->v, "pci", j->bdf));
	EXPECT_TRUE(sweep(&s));

	s.what = "close";
	s.call = close_device;
	s.undo = open_with_interrupts;
	s.check = closed;
	s.optional = true;
	ASSERT_EQ(0, open_with_interrupts(j));
	EXPECT_TRUE(sweep(&s));
}

static int open_cdev(void *ctx)
{
	struct job *j = ctx;

	j->v.fd = open(j->cdev, O_RDWR | O_CLOEXEC);
	return j->v.fd < 0 ? -errno : 0;
}

static int bind_iommufd(void *ctx)
{
	struct job *j = ctx;

	return cdev_bind(j->v.fd, j->v.container, NULL, NULL);
}

/* A descriptor is bound once. */
static int open_another(void *ctx)
{
	int ret = close_device(ctx);

	return ret ? ret : open_cdev(ctx);
}

static int attach(void *ctx)
{
	struct job *j = ctx;
	struct attach_pt attach = {
		.argsz = sizeof(attach), .pt_id = j->ioas,
	};

	return fd_ioctl(j->v.fd, ATTACH, &attach);
}

static int detach(void *ctx)
{
	struct attach_pt detach = { .argsz = 8 };
	struct job *j = ctx;

	return fd_ioctl(j->v.fd, DETACH, &detach);
}

static bool always_open(void *ctx, bool done)
{
	struct job *j = ctx;

	(void)done;
	return opened_well(j, j->v.fd) && !irq_disable(&j->v, MSI);
}

TEST_F(failing_life, iommufd)
{
	struct job *j = &self->j;
	struct sweep s = {
		.what = "open of the character device",
		.spare = SPARE_ROUTING,
		.call = open_cdev,
		.undo = close_device,
		.ctx = j,
	};

	j->v.container = iommufd_open();
	if (j->v.container < 0)
		SKIP(return, "this kernel has no iommufd");
	ASSERT_EQ(0, iommufd_ioas(j->v.container, &j->ioas));
	cdev_path("pci", j->bdf, j->cdev, sizeof(j->cdev));
	EXPECT_TRUE(sweep(&s));

	ASSERT_EQ(0, open_cdev(j));
	s.what = "BIND_IOMMUFD";
	s.call = bind_iommufd;
	s.undo = open_another;
	s.check = open_or_not;
	EXPECT_TRUE(sweep(&s));

	ASSERT_EQ(0, bind_iommufd(j));
	s.what = "ATTACH_IOMMUFD_PT";
	s.call = attach;
	s.undo = detach;
	s.check = always_open;
	EXPECT_TRUE(sweep(&s));
}

/* Virtual functions. */

static int set_vfs(const struct job *j, const char *count)
{
	return pwrite(j->bind, count, 1, 0) < 0 ? -errno : 0;
}

static int enable_vf(void *ctx)
{
	return set_vfs(ctx, "1");
}

static int disable_vf(void *ctx)
{
	return set_vfs(ctx, "0");
}

static bool vf_there(void *ctx, bool done)
{
	char vf[FERRY_NAME_MAX];
	struct job *j = ctx;

	return !sriov_vf(j->bdf, 0, vf, sizeof(vf)) == done;
}

static bool vf_gone(void *ctx, bool done)
{
	return vf_there(ctx, !done);
}

/* Bound is enough: to open it takes a token. */
static bool vf_bound(void *ctx, bool done)
{
	struct job *j = ctx;

	return is_bound(j) == done;
}

static bool sweep_vf(struct job *vf)
{
	struct sweep s = {
		.what = "bind of a virtual function",
		.spare = SPARE_GROUP,
		.call = bind,
		.undo = unbind,
		.check = vf_bound,
		.ctx = vf,
		.at_most = failing_some(SOME),
	};

	return !unbind(vf) && sweep(&s) && !bind(vf);
}

/*
 * What the PCI core allocates for a new function it believes to have: pci_device_add()
 * warns otherwise, and goes on without. So they come without failures.
 */
TEST(failing_virtual_function)
{
	const char *missing = device_missing("igb") ?: failing_missing();
	struct job pf = { .bdf = device_bdf("igb") }, vf;
	char path[256], name[FERRY_NAME_MAX];
	struct sweep s = {
		.what = "sriov_numvfs, none",
		.call = disable_vf,
		.undo = enable_vf,
		.check = vf_gone,
		.ctx = &pf,
		.at_most = failing_some(SOME / 4),
		.optional = true,
	};

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, sriov_begin(pf.bdf));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/sriov_numvfs",
		 pf.bdf);
	pf.bind = open(path, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, pf.bind);
	ASSERT_EQ(0, enable_vf(&pf));
	ASSERT_EQ(0, sriov_vf(pf.bdf, 0, name, sizeof(name)));

	ASSERT_EQ(0, job_begin(&vf, name));
	EXPECT_TRUE(sweep_vf(&vf));
	job_end(&vf);

	EXPECT_TRUE(sweep(&s));
	close(pf.bind);
	sriov_end(pf.bdf);
}

TEST_HARNESS_MAIN
