// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that is behind no IOMMU, whose DMA nothing confines. VFIO refuses it unless
 * the administrator has asked for that, where a kernel offers it at all.
 *
 * The device "free" is another edu.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define PARAMETER	"enable_unsafe_noiommu_mode"
/* Documentation/admin-guide/tainted-kernels.rst */
#define TAINT_USER	0x40

FIXTURE(noiommu)
{
	const char *bdf;
	struct vdev v;
	int klog;
	bool offered;
};

FIXTURE_SETUP(noiommu)
{
	const char *missing = device_missing("free");
	char text[16];

	if (missing)
		SKIP(return, "%s", missing);
	self->v.container = -1;
	self->v.group = -1;
	self->v.fd = -1;
	self->bdf = device_bdf("free");
	self->klog = klog_open();
	ASSERT_LE(0, self->klog);
	self->offered = !module_param_read("vfio", PARAMETER, text,
					   sizeof(text));
	ASSERT_EQ(0, pci_unbind(self->bdf));
}

FIXTURE_TEARDOWN(noiommu)
{
	vdev_close(&self->v);
	pci_unbind(self->bdf);
	module_param_write("vfio", PARAMETER, "N");
	close(self->klog);
}

static int bind_it(const char *bdf)
{
	int ret = module_param_write("vfio", PARAMETER, "Y");

	return ret ? ret : pci_bind(bdf, driver_name());
}

static unsigned long taints(void)
{
	char text[32] = "";

	text_read("/proc/sys/kernel/tainted", text, sizeof(text));
	return strtoul(text, NULL, 10);
}

/* Refused by default, with what can be done about it; and nothing is left. */
TEST_F(noiommu, refused)
{
	char said[128];

	EXPECT_EQ(-EINVAL, pci_bind(self->bdf, driver_name()));
	EXPECT_FALSE(pci_attr_exists(self->bdf, "iommu_group"));
	if (driver_is_stock())
		return;
	snprintf(said, sizeof(said), "%s: is in no IOMMU group", self->bdf);
	EXPECT_EQ(1, klog_count(self->klog, said, NULL));
	if (!self->offered)
		return;
	EXPECT_EQ(-EINVAL, pci_bind(self->bdf, driver_name()));
	EXPECT_EQ(1, klog_count(self->klog, "vfio." PARAMETER "=1", NULL));
}

/* Who binds it so can't say that the kernel is to blame for what comes of it. */
TEST_F(noiommu, taint)
{
	if (!self->offered)
		SKIP(return, "this kernel has no no-IOMMU mode");
	if (taints() & TAINT_USER)
		SKIP(return, "the kernel is tainted by a user already");
	ASSERT_EQ(0, bind_it(self->bdf));
	EXPECT_TRUE(taints() & TAINT_USER);
}

/* In this process only; the harness has one for each test. */
static int drop_rawio(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[2];

	if (syscall(SYS_capget, &head, caps))
		return -errno;
	caps[0].effective &= ~(1U << CAP_SYS_RAWIO);
	return syscall(SYS_capset, &head, caps) ? -errno : 0;
}

/* The group's name tells what it is, and its file is for few. */
TEST_F(noiommu, group)
{
	char path[256], name[FERRY_NAME_MAX];
	int number, fd;

	if (!self->offered)
		SKIP(return, "this kernel has no no-IOMMU mode");
	ASSERT_EQ(0, bind_it(self->bdf));
	number = vdev_group_number("pci", self->bdf);
	ASSERT_LE(0, number);
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/name",
		 number);
	EXPECT_EQ(0, text_read(path, name, sizeof(name)));
	EXPECT_STREQ("vfio-noiommu", name);
	snprintf(path, sizeof(path), "/dev/vfio/noiommu-%d", number);
	fd = open(path, O_RDWR | O_CLOEXEC);
	EXPECT_LE(0, fd);
	close(fd);
	ASSERT_EQ(0, drop_rawio());
	EXPECT_EQ(-1, open(path, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(EPERM, errno);

	ASSERT_EQ(0, pci_unbind(self->bdf));
	EXPECT_FALSE(path_exists(path));
	EXPECT_FALSE(pci_attr_exists(self->bdf, "iommu_group"));
}

/* Its container is of a kind that no other group is, and maps nothing. */
TEST_F(noiommu, container)
{
	struct vfio_iommu_type1_dma_map map = { .argsz = sizeof(map) };
	char path[256];
	int group, container;

	if (!self->offered)
		SKIP(return, "this kernel has no no-IOMMU mode");
	ASSERT_EQ(0, bind_it(self->bdf));
	ASSERT_EQ(0, vdev_group_path("pci", self->bdf, path, sizeof(path)));
	group = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, group);
	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, container);
	ASSERT_EQ(0, fd_ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
	EXPECT_EQ(1, fd_ioctl(container, VFIO_CHECK_EXTENSION,
			      (void *)VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(0, fd_ioctl(container, VFIO_CHECK_EXTENSION,
			      (void *)VFIO_TYPE1v2_IOMMU));
	EXPECT_GT(0, fd_ioctl(container, VFIO_SET_IOMMU,
			      (void *)VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, fd_ioctl(container, VFIO_SET_IOMMU,
			      (void *)VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(-ENOTTY, fd_ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
	close(group);
	close(container);
}

/* Opened, the device is like any other. */
TEST_F(noiommu, device)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const struct vdev *v = &self->v;
	struct vfio_device_info info;
	void *map;
	__u32 val;

	if (!self->offered)
		SKIP(return, "this kernel has no no-IOMMU mode");
	ASSERT_EQ(0, bind_it(self->bdf));
	ASSERT_EQ(0, vdev_open(&self->v, "pci", self->bdf));
	EXPECT_TRUE(v->noiommu);
	EXPECT_EQ(0, vdev_info(v, &info));
	EXPECT_TRUE(info.flags & VFIO_DEVICE_FLAGS_PCI);
	EXPECT_EQ(0x1234, cfg_r16(v, PCI_VENDOR_ID));
	cfg_command(v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(EDU_ID_VALUE, region_r32(v, BAR0, EDU_ID));
	region_w32(v, BAR0, EDU_LIVENESS, 0x12345678);
	ASSERT_EQ(0, region_map(v, BAR0, 0, page, PROT_READ | PROT_WRITE,
				MAP_SHARED, &map));
	EXPECT_TRUE(map_read32(map, EDU_LIVENESS, &val));
	EXPECT_EQ(~0x12345678U, val);
	cfg_command(v, PCI_COMMAND_MEMORY, 0);
	EXPECT_FALSE(map_read32(map, EDU_LIVENESS, &val));
	munmap(map, page);
	EXPECT_EQ(0, vdev_reset(v));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
