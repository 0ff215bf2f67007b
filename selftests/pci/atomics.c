// SPDX-License-Identifier: GPL-2.0-only
/*
 * The capability of GET_INFO that tells which atomic operations the root port
 * completes. No emulated port does any, so a helper module has both claim what
 * the real ones of other machines do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

/* What older uAPI headers lack. */
#define CAP_ATOMIC	5
#define COMP_SHIFT	7	/* of PCI_EXP_DEVCAP2_ATOMIC_COMP32 */
#define COMP_ALL	7U	/* 32, 64 and 128 bits */

struct atomic_cap {
	struct vfio_info_cap_header header;
	__u32 flags;
	__u32 reserved;
};

/* GET_INFO of a kernel that has the padding, and room behind it. */
struct info {
	struct vfio_device_info info;
	__u8 room[64];
};

FIXTURE(atomics)
{
	struct vdev v;
	char root[FERRY_NAME_MAX];
	unsigned int exp;
};

/* What @bdf claims to complete: one bit for each width. */
static int claim(const char *bdf, __u32 widths)
{
	unsigned int exp = pci_find_cap(bdf, PCI_CAP_ID_EXP);

	return overlay_add(bdf, exp + PCI_EXP_DEVCAP2,
			   COMP_ALL << COMP_SHIFT, widths << COMP_SHIFT);
}

FIXTURE_SETUP(atomics)
{
	const char *missing = device_missing("igb");

	if (missing)
		SKIP(return, "%s", missing);
	if (!overlay_exists())
		SKIP(return, "module ferry-overlay-test is not loaded");
	ASSERT_EQ(0, vdev_open_device(&self->v, "igb"));
	ASSERT_EQ(0, pci_upstream(self->v.name, self->root,
				  sizeof(self->root)));
	self->exp = pci_find_cap(self->v.name, PCI_CAP_ID_EXP);
	ASSERT_NE(0, self->exp);
	ASSERT_EQ(0, overlay_clear());
}

FIXTURE_TEARDOWN(atomics)
{
	overlay_clear();
	vdev_close(&self->v);
}

static int get_info(const struct vdev *v, struct info *info, __u32 argsz)
{
	memset(info, 0xa5, sizeof(*info));
	info->info.argsz = argsz;
	return fd_ioctl(v->fd, VFIO_DEVICE_GET_INFO, info);
}

/* The flags of the capability; 0 when there is none. */
static __u32 atomics(const struct vdev *v)
{
	const struct atomic_cap *cap;
	struct info info;

	if (get_info(v, &info, sizeof(info)))
		abort();
	if (!(info.info.flags & VFIO_DEVICE_FLAGS_CAPS))
		return 0;
	if (info.info.cap_offset < sizeof(info.info) - 4 ||
	    info.info.cap_offset > sizeof(info) - sizeof(*cap))
		abort();
	cap = (void *)((char *)&info + info.info.cap_offset);
	if (cap->header.id != CAP_ATOMIC || cap->header.version != 1 ||
	    cap->header.next || !cap->flags || cap->reserved)
		abort();
	return cap->flags;
}

TEST_F(atomics, none)
{
	struct info info;

	ASSERT_EQ(0, claim(self->v.name, 0));
	ASSERT_EQ(0, claim(self->root, 0));
	EXPECT_EQ(0, atomics(&self->v));
	/* No capabilities, no offset of them, and no larger argsz. */
	ASSERT_EQ(0, get_info(&self->v, &info, sizeof(info.info)));
	EXPECT_EQ(sizeof(info.info), info.info.argsz);
	EXPECT_EQ(0, info.info.cap_offset);
}

/* What both ends can do, whatever the one or the other can besides. */
TEST_F(atomics, widths)
{
	__u32 device, root;

	for (device = 0; device <= COMP_ALL; device++) {
		for (root = 0; root <= COMP_ALL; root++) {
			ASSERT_EQ(0, overlay_clear());
			ASSERT_EQ(0, claim(self->v.name, device));
			ASSERT_EQ(0, claim(self->root, root));
			EXPECT_EQ(device & root, atomics(&self->v)) {
				TH_LOG("device %u, root port %u", device, root);
			}
		}
	}
}

/* Asking is not using: the device's requests stay as they are. */
TEST_F(atomics, no_side_effect)
{
	unsigned int pos = self->exp + PCI_EXP_DEVCTL2;
	__u16 was = pci_config_r16(self->v.name, pos);

	if (driver_is_stock())
		SKIP(return, "the kernel's own enables requests when asked");
	ASSERT_EQ(0, claim(self->v.name, COMP_ALL));
	ASSERT_EQ(0, claim(self->root, COMP_ALL));
	EXPECT_EQ(COMP_ALL, atomics(&self->v));
	EXPECT_EQ(was, pci_config_r16(self->v.name, pos));
	EXPECT_EQ(0, was & PCI_EXP_DEVCTL2_ATOMIC_REQ);
}

/* Nothing is written past argsz, and argsz says what there is to be had. */
TEST_F(atomics, argsz)
{
	const __u32 minsz = offsetof(struct vfio_device_info, num_irqs) + 4;
	struct info info;
	__u32 need, size;
	unsigned int i;

	ASSERT_EQ(0, claim(self->v.name, COMP_ALL));
	ASSERT_EQ(0, claim(self->root, COMP_ALL));
	ASSERT_EQ(0, get_info(&self->v, &info, minsz));
	need = info.info.argsz;
	EXPECT_LE(minsz + sizeof(struct atomic_cap), need);
	for (size = minsz; size <= need; size++) {
		ASSERT_EQ(0, get_info(&self->v, &info, size));
		EXPECT_NE(0, info.info.flags & VFIO_DEVICE_FLAGS_CAPS);
		EXPECT_EQ(need, info.info.argsz);
		if (size >= minsz + 4)
			EXPECT_EQ(size == need, info.info.cap_offset != 0);
		for (i = size; i < sizeof(info); i++)
			EXPECT_EQ(0xa5, ((__u8 *)&info)[i]) {
				TH_LOG("byte %u for argsz %u", i, size);
			}
	}
	EXPECT_EQ(-EINVAL, get_info(&self->v, &info, minsz - 1));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
