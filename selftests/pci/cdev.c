// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices opened by their own character device and bound to an iommufd context, on
 * kernels that have both. VF tokens on that way are here, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

/* What headers of older systems lack. */
struct bind_iommufd {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
	__u64 token_ptr;
};

struct attach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
	__u32 pasid;
};

struct ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};

#define BIND		_IO(VFIO_TYPE, VFIO_BASE + 18)
#define ATTACH		_IO(VFIO_TYPE, VFIO_BASE + 19)
#define DETACH		_IO(VFIO_TYPE, VFIO_BASE + 20)
#define BIND_TOKEN	1U
#define ATTACH_PASID	1U
#define IOAS_ALLOC	_IO(';', 0x81)
/* Without a token its argument is the one of older kernels. */
#define BIND_SHORT	16

static const __u8 token[16] = { 0xbd, 0x8d, 0x9d, 0x2b, [15] = 0xf3 };
static const __u8 other[16] = { [0] = 1 };

FIXTURE(cdev)
{
	const char *bdf;
	int iommufd;
};

FIXTURE_SETUP(cdev)
{
	const char *missing = device_missing("igb");

	if (missing)
		SKIP(return, "%s", missing);
	self->iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (self->iommufd < 0)
		SKIP(return, "this kernel has no iommufd");
	self->bdf = device_bdf("igb");
	ASSERT_EQ(0, module_param_write(driver_name(), "enable_sriov", "Y"));
	ASSERT_EQ(0, pci_bind(self->bdf, driver_name()));
}

FIXTURE_TEARDOWN(cdev)
{
	sriov_enable(self->bdf, 0);
	pci_unbind(self->bdf);
	module_param_write(driver_name(), "enable_sriov", "N");
	close(self->iommufd);
}

static int cdev_open(const char *bdf)
{
	char path[256];
	glob_t found;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio*",
		 bdf);
	if (glob(path, 0, NULL, &found))
		return -ENOENT;
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s",
		 strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int cdev_bind(int fd, int iommufd, const void *with)
{
	struct bind_iommufd bind = {
		.argsz = with ? sizeof(bind) : BIND_SHORT,
		.flags = with ? BIND_TOKEN : 0,
		.iommufd = iommufd,
		.token_ptr = (uintptr_t)with,
	};

	return fd_ioctl(fd, BIND, &bind);
}

/* Opens a device and binds it; the descriptor, or what binding said. */
static int cdev_get(const char *bdf, int iommufd, const void *with)
{
	int fd = cdev_open(bdf), ret;

	if (fd < 0)
		return fd;
	ret = cdev_bind(fd, iommufd, with);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

TEST_F(cdev, attach)
{
	struct ioas_alloc alloc = { .size = sizeof(alloc) };
	struct attach_pt attach = { .argsz = 12 };
	struct vdev v = { .group = -1, .container = -1 };

	ASSERT_EQ(0, fd_ioctl(self->iommufd, IOAS_ALLOC, &alloc));
	v.fd = cdev_get(self->bdf, self->iommufd, NULL);
	ASSERT_LE(0, v.fd);
	EXPECT_EQ(0x8086, cfg_r16(&v, PCI_VENDOR_ID));
	attach.pt_id = 0xdead;
	EXPECT_EQ(-ENOENT, fd_ioctl(v.fd, ATTACH, &attach));
	attach.pt_id = alloc.out_ioas_id;
	EXPECT_EQ(0, fd_ioctl(v.fd, ATTACH, &attach));
	EXPECT_EQ(0, fd_ioctl(v.fd, DETACH, &attach));
	vdev_close(&v);
}

/* One binding at a time, and none beside a group. */
TEST_F(cdev, exclusive)
{
	struct vdev v;
	int one, two;

	one = cdev_get(self->bdf, self->iommufd, NULL);
	ASSERT_LE(0, one);
	EXPECT_EQ(-EINVAL, cdev_bind(one, self->iommufd, NULL));
	two = cdev_get(self->bdf, self->iommufd, NULL);
	EXPECT_EQ(-EINVAL, two);
	EXPECT_NE(0, vdev_open(&v, "pci", self->bdf));
	close(one);
	ASSERT_EQ(0, vdev_open(&v, "pci", self->bdf));
	EXPECT_EQ(-EBUSY, cdev_get(self->bdf, self->iommufd, NULL));
	vdev_close(&v);
}

/* An address space for a PASID, which these devices have not got. */
TEST_F(cdev, pasid)
{
	struct ioas_alloc alloc = { .size = sizeof(alloc) };
	struct attach_pt attach = {
		.argsz = sizeof(attach), .flags = ATTACH_PASID, .pasid = 1,
	};
	int fd;

	ASSERT_EQ(0, fd_ioctl(self->iommufd, IOAS_ALLOC, &alloc));
	fd = cdev_get(self->bdf, self->iommufd, NULL);
	ASSERT_LE(0, fd);
	attach.pt_id = alloc.out_ioas_id;
	/* The callback is there: it isn't "operation not supported" by VFIO. */
	EXPECT_GT(0, fd_ioctl(fd, ATTACH, &attach));
	close(fd);
}

/* The same rules as for a group, whoever asks: VFIO or the driver. */
TEST_F(cdev, token)
{
	char vf[FERRY_NAME_MAX];
	int pf, fd;

	ASSERT_EQ(0, sriov_enable(self->bdf, 1));
	ASSERT_EQ(0, sriov_vf(self->bdf, 0, vf, sizeof(vf)));
	EXPECT_EQ(-EACCES, cdev_get(vf, self->iommufd, NULL));

	pf = cdev_get(self->bdf, self->iommufd, token);
	if (pf == -EINVAL)
		SKIP(return, "tokens can't be named when a device is bound");
	ASSERT_LE(0, pf);
	EXPECT_EQ(-EACCES, cdev_get(vf, self->iommufd, NULL));
	EXPECT_EQ(-EACCES, cdev_get(vf, self->iommufd, other));
	EXPECT_EQ(-EFAULT, cdev_get(vf, self->iommufd, (void *)8));
	fd = cdev_get(vf, self->iommufd, token);
	ASSERT_LE(0, fd);
	close(pf);
	EXPECT_EQ(-EACCES, cdev_get(self->bdf, self->iommufd, NULL));
	EXPECT_EQ(-EACCES, cdev_get(self->bdf, self->iommufd, other));
	pf = cdev_get(self->bdf, self->iommufd, token);
	EXPECT_LE(0, pf);
	close(pf);
	close(fd);
	pf = cdev_get(self->bdf, self->iommufd, NULL);
	EXPECT_LE(0, pf);
	close(pf);
}

TEST_F(cdev, needless_token)
{
	if (device_missing("edu"))
		SKIP(return, "%s", device_missing("edu"));
	ASSERT_EQ(0, pci_bind(device_bdf("edu"), driver_name()));
	EXPECT_EQ(-EINVAL, cdev_get(device_bdf("edu"), self->iommufd, token));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
