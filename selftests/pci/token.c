// SPDX-License-Identifier: GPL-2.0-only
/*
 * The token that the users of a physical function and of its virtual functions share.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define TOKEN	"bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3"
#define OTHER	"00112233-4455-6677-8899-aabbccddeeff"

/* The same as bytes, as VFIO_DEVICE_FEATURE_PCI_VF_TOKEN takes them. */
static const __u8 token_bytes[16] = {
	0xbd, 0x8d, 0x9d, 0x2b, 0x5a, 0x5f, 0x4f, 0x5a,
	0xa2, 0x11, 0xf5, 0x91, 0x51, 0x4b, 0xa1, 0xf3,
};

static const __u8 other_bytes[16] = {
	0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
	0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
};

/* What may stand behind an address, for a device that wants TOKEN. */
static const struct {
	const char *behind;
	int ret;
} names[] = {
	{ "", -EACCES },
	{ " ", -EACCES },
	{ "      ", -EACCES },
	{ " vf_token=" OTHER, -EACCES },
	{ " vf_token=00000000-0000-0000-0000-000000000000", -EACCES },
	{ "x", -ENODEV },
	{ "vf_token=" TOKEN, -ENODEV },
	{ "\tvf_token=" TOKEN, -ENODEV },
	{ ",vf_token=" TOKEN, -ENODEV },
	{ " x", -EINVAL },
	{ " vf_token", -EINVAL },
	{ " vf_token=", -EINVAL },
	{ " vf_token =" TOKEN, -EINVAL },
	{ " vf_token= " TOKEN, -EINVAL },
	{ " VF_TOKEN=" TOKEN, -EINVAL },
	{ " vf_token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1f", -EINVAL },
	{ " vf_token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3f", -EINVAL },
	{ " vf_token=bd8d9d2b-5a5f-4f5a-a211-f591514ba1fg", -EINVAL },
	{ " vf_token=bd8d9d2b5a5f4f5aa211f591514ba1f3", -EINVAL },
	{ " vf_token=bd8d9d2b:5a5f:4f5a:a211:f591514ba1f3", -EINVAL },
	{ " vf_token={" TOKEN "}", -EINVAL },
	{ " vf_token=" TOKEN "x", -EINVAL },
	{ " vf_token=" TOKEN "\t", -EINVAL },
	{ " vf_token=" TOKEN ",", -EINVAL },
	{ " vf_token=" TOKEN " x", -EINVAL },
	{ " vf_token=" TOKEN " vf_token=" TOKEN, -EINVAL },
	{ " vf_token=" TOKEN " vf_token=" OTHER, -EINVAL },
	{ " x vf_token=" TOKEN, -EINVAL },
	{ " vf_token=" TOKEN, 0 },
	{ "   vf_token=" TOKEN, 0 },
	{ " vf_token=" TOKEN "   ", 0 },
	{ " vf_token=BD8D9D2B-5A5F-4F5A-A211-F591514BA1F3", 0 },
};

/* Opens the device in @v by its address and what stands behind; not for long. */
static int try_name(const struct vdev *v, const char *behind)
{
	int fd = vdev_open_named(v, behind);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int feature(const struct vdev *v, __u32 flags, const void *data,
		   size_t len)
{
	struct {
		struct vfio_device_feature head;
		__u8 data[32];
	} f = {
		.head.argsz = sizeof(f.head) + len,
		.head.flags = VFIO_DEVICE_FEATURE_PCI_VF_TOKEN | flags,
	};

	if (len)
		memcpy(f.data, data, len);
	return fd_ioctl(v->fd, VFIO_DEVICE_FEATURE, &f);
}

FIXTURE(token)
{
	const char *pf;
	char vf[FERRY_NAME_MAX];
};

FIXTURE_SETUP(token)
{
	const char *missing = device_missing("igb");

	if (missing)
		SKIP(return, "%s", missing);
	self->pf = device_bdf("igb");
	ASSERT_EQ(0, sriov_begin(self->pf));
	ASSERT_EQ(0, sriov_enable(self->pf, 1));
	ASSERT_EQ(0, sriov_vf(self->pf, 0, self->vf, sizeof(self->vf)));
}

FIXTURE_TEARDOWN(token)
{
	sriov_end(self->pf);
}

/* Nobody knows the token that a physical function begins with. */
TEST_F(token, unknown_at_first)
{
	struct vdev vf;

	ASSERT_EQ(0, vdev_prepare(&vf, "pci", self->vf));
	EXPECT_EQ(-EACCES, try_name(&vf, ""));
	EXPECT_EQ(-EACCES, try_name(&vf, " vf_token=" TOKEN));
	vdev_close(&vf);
}

/* The user of the physical function chooses it by opening that. */
TEST_F(token, virtual_function)
{
	struct vdev pf, vf;
	size_t i;

	ASSERT_EQ(0, vdev_open_with(&pf, "pci", self->pf, " vf_token=" TOKEN));
	ASSERT_EQ(0, vdev_prepare(&vf, "pci", self->vf));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT_EQ(names[i].ret, try_name(&vf, names[i].behind))
			TH_LOG("'%s'", names[i].behind);
	vdev_close(&vf);
	vdev_close(&pf);

	/* It outlives the one who chose it. */
	ASSERT_EQ(0, vdev_open_with(&vf, "pci", self->vf, " vf_token=" TOKEN));
	EXPECT_NE(0xffff, cfg_r16(&vf, PCI_VENDOR_ID));
	vdev_close(&vf);
}

/* While a virtual function is in use the physical one is not for strangers. */
TEST_F(token, physical_function)
{
	struct vdev pf, vf;
	size_t i;

	ASSERT_EQ(0, vdev_open_with(&pf, "pci", self->pf, " vf_token=" TOKEN));
	ASSERT_EQ(0, vdev_open_with(&vf, "pci", self->vf, " vf_token=" TOKEN));
	vdev_close(&pf);
	ASSERT_EQ(0, vdev_prepare(&pf, "pci", self->pf));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		EXPECT_EQ(names[i].ret, try_name(&pf, names[i].behind))
			TH_LOG("'%s'", names[i].behind);
	vdev_close(&vf);

	/* After that it is for everybody, and so is the choice of a token. */
	EXPECT_EQ(0, try_name(&pf, ""));
	EXPECT_EQ(0, try_name(&pf, " vf_token=" OTHER));
	vdev_close(&pf);
	ASSERT_EQ(0, vdev_prepare(&vf, "pci", self->vf));
	EXPECT_EQ(-EACCES, try_name(&vf, " vf_token=" TOKEN));
	EXPECT_EQ(0, try_name(&vf, " vf_token=" OTHER));
	vdev_close(&vf);
}

/* Opening it with no token leaves the one that was chosen. */
TEST_F(token, stays_without)
{
	struct vdev pf, vf;

	ASSERT_EQ(0, vdev_open_with(&pf, "pci", self->pf, " vf_token=" TOKEN));
	vdev_close(&pf);
	ASSERT_EQ(0, vdev_open_with(&pf, "pci", self->pf, ""));
	ASSERT_EQ(0, vdev_open_with(&vf, "pci", self->vf, " vf_token=" TOKEN));
	vdev_close(&vf);
	vdev_close(&pf);
}

TEST_F(token, set_by_feature)
{
	struct vdev pf, vf;

	ASSERT_EQ(0, vdev_open_with(&pf, "pci", self->pf, " vf_token=" TOKEN));
	ASSERT_EQ(0, vdev_prepare(&vf, "pci", self->vf));
	EXPECT_EQ(0, feature(&pf, VFIO_DEVICE_FEATURE_PROBE |
			     VFIO_DEVICE_FEATURE_SET, NULL, 0));
	EXPECT_EQ(0, try_name(&vf, " vf_token=" TOKEN));

	EXPECT_EQ(-EINVAL, feature(&pf, VFIO_DEVICE_FEATURE_SET, other_bytes, 0));
	EXPECT_EQ(-EINVAL, feature(&pf, VFIO_DEVICE_FEATURE_SET, other_bytes, 15));
	EXPECT_EQ(-EINVAL, feature(&pf, VFIO_DEVICE_FEATURE_GET, other_bytes, 16));
	EXPECT_EQ(-EINVAL, feature(&pf, VFIO_DEVICE_FEATURE_GET |
				   VFIO_DEVICE_FEATURE_SET, other_bytes, 16));
	EXPECT_EQ(-EINVAL, feature(&pf, VFIO_DEVICE_FEATURE_GET |
				   VFIO_DEVICE_FEATURE_PROBE, NULL, 0));
	EXPECT_EQ(-EINVAL, feature(&pf, 0, other_bytes, 16));
	EXPECT_EQ(0, try_name(&vf, " vf_token=" TOKEN));

	EXPECT_EQ(0, feature(&pf, VFIO_DEVICE_FEATURE_SET, other_bytes, 16));
	EXPECT_EQ(-EACCES, try_name(&vf, " vf_token=" TOKEN));
	EXPECT_EQ(0, try_name(&vf, " vf_token=" OTHER));
	vdev_close(&vf);
	vdev_close(&pf);
}

static int choose(void *arg)
{
	static bool other;

	other = !other;
	return feature(arg, VFIO_DEVICE_FEATURE_SET, other ? other_bytes : token_bytes,
		       16);
}

static int open_by_token(void *arg)
{
	static const int refusals[] = { EACCES, 0 };

	return race_refused(try_name(arg, " vf_token=" TOKEN), refusals);
}

static int open_by_other(void *arg)
{
	static const int refusals[] = { EACCES, 0 };

	return race_refused(try_name(arg, " vf_token=" OTHER), refusals);
}

/* Whoever opens has the token of that moment. */
TEST_F(token, set_against_open)
{
	struct vdev pf, vf;
	const struct race_side sides[] = {
		{ choose, &pf }, { open_by_token, &vf }, { open_by_other, &vf },
	};

	ASSERT_EQ(0, vdev_open_with(&pf, "pci", self->pf, " vf_token=" TOKEN));
	ASSERT_EQ(0, vdev_prepare(&vf, "pci", self->vf));
	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(20)));
	EXPECT_EQ(0, feature(&pf, VFIO_DEVICE_FEATURE_SET, token_bytes, 16));
	EXPECT_EQ(-EACCES, try_name(&vf, " vf_token=" OTHER));
	EXPECT_EQ(0, try_name(&vf, " vf_token=" TOKEN));
	vdev_close(&vf);
	vdev_close(&pf);
}

/* A virtual function has no token of its own. */
TEST_F(token, no_feature_of_a_virtual_function)
{
	struct vdev pf, vf;

	ASSERT_EQ(0, vdev_open_with(&pf, "pci", self->pf, " vf_token=" TOKEN));
	ASSERT_EQ(0, vdev_open_with(&vf, "pci", self->vf, " vf_token=" TOKEN));
	EXPECT_EQ(-ENOTTY, feature(&vf, VFIO_DEVICE_FEATURE_SET, other_bytes,
				   16));
	EXPECT_EQ(-ENOTTY, feature(&vf, VFIO_DEVICE_FEATURE_PROBE |
				   VFIO_DEVICE_FEATURE_SET, NULL, 0));
	vdev_close(&vf);
	vdev_close(&pf);
}

/* A device that has nothing to do with virtual functions wants no token. */
TEST(needless)
{
	const char *missing = device_missing("edu");
	struct vdev v;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, pci_bind(device_bdf("edu"), driver_name()));
	ASSERT_EQ(0, vdev_prepare(&v, "pci", device_bdf("edu")));
	EXPECT_EQ(-EINVAL, try_name(&v, " vf_token=" TOKEN));
	EXPECT_EQ(-EINVAL, try_name(&v, " vf_token=nonsense"));
	EXPECT_EQ(0, try_name(&v, " "));
	v.fd = vdev_open_again(&v);
	ASSERT_LE(0, v.fd);
	EXPECT_EQ(-ENOTTY, feature(&v, VFIO_DEVICE_FEATURE_SET, other_bytes,
				   16));
	vdev_close(&v);
}

/* Nor does a virtual function of a physical one that no user drives. */
TEST(needless_below_the_host)
{
	const char *missing = device_missing("igb");
	char vf[FERRY_NAME_MAX];
	bool loaded = false;
	struct vdev v;

	if (missing)
		SKIP(return, "%s", missing);
	if (!path_exists("/sys/bus/pci/drivers/pci-pf-stub")) {
		if (module_load("pci-pf-stub", ""))
			SKIP(return, "there is no module pci-pf-stub");
		loaded = true;
	}
	ASSERT_EQ(0, pci_bind(device_bdf("igb"), "pci-pf-stub"));
	ASSERT_EQ(0, sriov_enable(device_bdf("igb"), 1));
	ASSERT_EQ(0, sriov_vf(device_bdf("igb"), 0, vf, sizeof(vf)));
	ASSERT_EQ(0, pci_bind(vf, driver_name()));
	ASSERT_EQ(0, vdev_prepare(&v, "pci", vf));
	EXPECT_EQ(-EINVAL, try_name(&v, " vf_token=" TOKEN));
	EXPECT_EQ(0, try_name(&v, ""));
	vdev_close(&v);
	EXPECT_EQ(0, sriov_enable(device_bdf("igb"), 0));
	EXPECT_EQ(0, pci_unbind(device_bdf("igb")));
	if (loaded)
		module_unload("pci-pf-stub");
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
