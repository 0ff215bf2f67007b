// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices opened by their own character device and bound to an iommufd context, on
 * kernels that have both. VF tokens on that way are here, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

/* What headers of older systems lack. */
struct attach_pt {
	__u32 argsz;
	__u32 flags;
	__u32 pt_id;
	__u32 pasid;
};

#define ATTACH		_IO(VFIO_TYPE, VFIO_BASE + 19)
#define DETACH		_IO(VFIO_TYPE, VFIO_BASE + 20)
#define ATTACH_PASID	1U

#define TOKEN	"bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3"
#define OTHER	"00112233-4455-6677-8899-aabbccddeeff"

static const __u8 token[16] = { 0xbd, 0x8d, 0x9d, 0x2b, [15] = 0xf3 };
static const __u8 other[16] = { [0] = 1 };

FIXTURE(cdev)
{
	const char *bdf;
	int iommufd;
	/* Closed before their driver has to let go. */
	struct vdev pf, vf;
};

static const struct vdev closed = { .container = -1, .group = -1, .fd = -1 };

FIXTURE_SETUP(cdev)
{
	const char *missing = device_missing("igb");

	self->pf = closed;
	self->vf = closed;
	if (missing)
		SKIP(return, "%s", missing);
	self->iommufd = iommufd_open();
	if (self->iommufd < 0)
		SKIP(return, "this kernel has no iommufd");
	self->bdf = device_bdf("igb");
	ASSERT_EQ(0, sriov_begin(self->bdf));
}

FIXTURE_TEARDOWN(cdev)
{
	vdev_close(&self->vf);
	vdev_close(&self->pf);
	sriov_end(self->bdf);
	close(self->iommufd);
}

TEST_F(cdev, attach)
{
	struct attach_pt attach = { .argsz = 12 };
	struct vdev v = { .group = -1, .container = -1 };
	__u32 ioas;

	ASSERT_EQ(0, iommufd_ioas(self->iommufd, &ioas));
	v.fd = cdev_get(self->bdf, self->iommufd, NULL);
	ASSERT_LE(0, v.fd);
	EXPECT_EQ(0x8086, cfg_r16(&v, PCI_VENDOR_ID));
	attach.pt_id = 0xdead;
	EXPECT_EQ(-ENOENT, fd_ioctl(v.fd, ATTACH, &attach));
	attach.pt_id = ioas;
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
	EXPECT_EQ(-EINVAL, cdev_bind(one, self->iommufd, NULL, NULL));
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
	struct attach_pt attach = {
		.argsz = sizeof(attach), .flags = ATTACH_PASID, .pasid = 1,
	};
	__u32 ioas;
	int fd;

	ASSERT_EQ(0, iommufd_ioas(self->iommufd, &ioas));
	fd = cdev_get(self->bdf, self->iommufd, NULL);
	ASSERT_LE(0, fd);
	attach.pt_id = ioas;
	/* The callback is there: it isn't "operation not supported" by VFIO. */
	EXPECT_GT(0, fd_ioctl(fd, ATTACH, &attach));
	close(fd);
}

/* The same rules as for a group, whoever asks: VFIO or the driver. */
TEST_F(cdev, token)
{
	char vf[FERRY_NAME_MAX];
	int *pf = &self->pf.fd;

	ASSERT_EQ(0, sriov_enable(self->bdf, 1));
	ASSERT_EQ(0, sriov_vf(self->bdf, 0, vf, sizeof(vf)));
	*pf = cdev_get(self->bdf, self->iommufd, token);
	if (*pf == -EINVAL)
		SKIP(return, "tokens can't be named when a device is bound");
	ASSERT_LE(0, *pf);
	EXPECT_EQ(-EACCES, cdev_get(vf, self->iommufd, NULL));
	EXPECT_EQ(-EACCES, cdev_get(vf, self->iommufd, other));
	EXPECT_EQ(-EFAULT, cdev_get(vf, self->iommufd, (void *)8));
	self->vf.fd = cdev_get(vf, self->iommufd, token);
	ASSERT_LE(0, self->vf.fd);
	vdev_close(&self->pf);
	EXPECT_EQ(-EACCES, cdev_get(self->bdf, self->iommufd, NULL));
	EXPECT_EQ(-EACCES, cdev_get(self->bdf, self->iommufd, other));
	*pf = cdev_get(self->bdf, self->iommufd, token);
	EXPECT_LE(0, *pf);
	vdev_close(&self->pf);
	vdev_close(&self->vf);
	*pf = cdev_get(self->bdf, self->iommufd, NULL);
	EXPECT_LE(0, *pf);
}

/* Opens a device through its group, whose container is an iommufd context. */
static int open_by_group(struct vdev *v, const char *bdf, int iommufd,
			 const char *behind)
{
	char path[256];
	int ret;

	snprintf(v->name, sizeof(v->name), "%s", bdf);
	v->container = -1;
	v->fd = -1;
	ret = vdev_group_path("pci", bdf, path, sizeof(path));
	if (ret)
		return ret;
	v->group = open(path, O_RDWR | O_CLOEXEC);
	if (v->group < 0)
		return -errno;
	ret = fd_ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &iommufd);
	if (ret) {
		vdev_close(v);
		return ret;
	}
	return vdev_open_behind(v, behind);
}

/*
 * Named through a group it is good for that opening, also where it is the same callback
 * that binds both; and it is no token of who comes by the character device next.
 */
TEST_F(cdev, token_by_group)
{
	struct vdev *pf = &self->pf, *v = &self->vf;
	char vf[FERRY_NAME_MAX];
	int i;

	ASSERT_EQ(0, sriov_enable(self->bdf, 1));
	ASSERT_EQ(0, sriov_vf(self->bdf, 0, vf, sizeof(vf)));
	EXPECT_EQ(-EACCES, cdev_get(vf, self->iommufd, NULL));
	ASSERT_EQ(0, open_by_group(pf, self->bdf, self->iommufd,
				   " vf_token=" TOKEN));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-EACCES, open_by_group(v, vf, self->iommufd, ""));
		EXPECT_EQ(-EACCES, open_by_group(v, vf, self->iommufd,
						 " vf_token=" OTHER));
		ASSERT_EQ(0, open_by_group(v, vf, self->iommufd,
					   " vf_token=" TOKEN));
		EXPECT_NE(0xffff, cfg_r16(v, PCI_VENDOR_ID));
		vdev_close(v);
		EXPECT_EQ(-EACCES, cdev_get(vf, self->iommufd, NULL));
	}

	/* Nor is the physical function anybody's while the virtual one is used. */
	ASSERT_EQ(0, open_by_group(v, vf, self->iommufd, " vf_token=" TOKEN));
	vdev_close(pf);
	EXPECT_EQ(-EACCES, cdev_get(self->bdf, self->iommufd, NULL));
	vdev_close(v);
	pf->fd = cdev_get(self->bdf, self->iommufd, NULL);
	EXPECT_LE(0, pf->fd);
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
