// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a device comes to the driver and leaves it, what is left then, and
 * what the driver says when it refuses.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define ROUNDS		100
#define FEW_ROUNDS	10
#define CLAIM		"/sys/module/ferry_claim_test/parameters/device"

FIXTURE(bind)
{
	const char *bdf;
	int klog;
};

FIXTURE_VARIANT(bind)
{
	const char *device;
	const struct raiser *raiser;
	int rounds;
};

FIXTURE_VARIANT_ADD(bind, edu)
{
	.device = "edu", .raiser = &edu_msi, .rounds = ROUNDS,
};

FIXTURE_VARIANT_ADD(bind, e1000e)
{
	.device = "e1000e", .raiser = &e1000e_msix, .rounds = FEW_ROUNDS,
};

FIXTURE_VARIANT_ADD(bind, igb)
{
	.device = "igb", .raiser = &igb_msix, .rounds = FEW_ROUNDS,
};

FIXTURE_VARIANT_ADD(bind, nvme)
{
	.device = "nvme", .rounds = FEW_ROUNDS,
};

FIXTURE_SETUP(bind)
{
	const char *missing = device_missing(variant->device);

	if (missing)
		SKIP(return, "%s", missing);
	self->bdf = device_bdf(variant->device);
	self->klog = klog_open();
	ASSERT_LE(0, self->klog);
	ASSERT_EQ(0, pci_unbind(self->bdf));
	ASSERT_EQ(0, pci_attr_write(self->bdf, "driver_override", "\n"));
}

FIXTURE_TEARDOWN(bind)
{
	close(self->klog);
}

static bool bound(const char *bdf)
{
	char driver[FERRY_NAME_MAX];

	return !pci_driver(bdf, driver, sizeof(driver)) &&
	       !strcmp(driver, driver_name());
}

static int driver_file(const char *file, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s",
		 driver_name(), file);
	return text_write(path, text);
}

/* The driver takes no device that was not given to it by name. */
TEST_F(bind, only_by_override)
{
	EXPECT_GT(0, driver_file("bind", self->bdf));
	EXPECT_FALSE(bound(self->bdf));
	ASSERT_EQ(0, pci_attr_write(self->bdf, "driver_override",
				    driver_name()));
	ASSERT_EQ(0, text_write("/sys/bus/pci/drivers_probe", self->bdf));
	EXPECT_TRUE(bound(self->bdf));
	ASSERT_EQ(0, driver_file("unbind", self->bdf));
	EXPECT_FALSE(bound(self->bdf));
}

TEST_F(bind, new_id)
{
	char vendor[16], device[16], id[40];

	ASSERT_EQ(0, pci_attr_read(self->bdf, "vendor", vendor,
				   sizeof(vendor)));
	ASSERT_EQ(0, pci_attr_read(self->bdf, "device", device,
				   sizeof(device)));
	snprintf(id, sizeof(id), "%s %s", vendor + 2, device + 2);
	ASSERT_EQ(0, driver_file("new_id", id));
	if (!bound(self->bdf))
		driver_file("bind", self->bdf);
	EXPECT_TRUE(bound(self->bdf));
	EXPECT_EQ(-EEXIST, driver_file("new_id", id));
	ASSERT_EQ(0, driver_file("unbind", self->bdf));
	ASSERT_EQ(0, driver_file("remove_id", id));
	EXPECT_GT(0, driver_file("bind", self->bdf));
}

TEST_F(bind, group_appears_and_goes)
{
	char node[64];
	int group = vdev_group_number("pci", self->bdf);

	ASSERT_LE(0, group);
	snprintf(node, sizeof(node), "/dev/vfio/%d", group);
	EXPECT_FALSE(path_exists(node));
	ASSERT_EQ(0, pci_bind(self->bdf, driver_name()));
	EXPECT_TRUE(path_exists(node));
	ASSERT_EQ(0, pci_unbind(self->bdf));
	EXPECT_FALSE(path_exists(node));
}

/* A whole life: bind, open, interrupts, a mapping, close, unbind. */
static int round_trip(const char *bdf, const struct raiser *r, int efd)
{
	int fds[16], ret, i;
	struct vdev v;
	__u32 val;
	void *map;

	ret = pci_bind(bdf, driver_name());
	if (!ret)
		ret = vdev_open(&v, "pci", bdf);
	if (ret)
		return ret;
	if (r) {
		r->setup(&v);
		for (i = 0; i < 16; i++)
			fds[i] = efd;
		ret = irq_attach(&v, r->index, 0, r->vectors, fds);
		r->raise(&v, 0);
		if (!ret && !efd_wait(efd))
			ret = -ETIMEDOUT;
	} else {
		ret = irq_attach_one(&v, VFIO_PCI_MSIX_IRQ_INDEX, 0, efd);
	}
	if (!ret)
		ret = region_map(&v, VFIO_PCI_BAR0_REGION_INDEX, 0, 4096,
				 PROT_READ, MAP_SHARED, &map);
	if (!ret) {
		map_read32(map, 0, &val);
		munmap(map, 4096);
	}
	vdev_close(&v);
	return ret ? ret : pci_unbind(bdf);
}

TEST_F(bind, nothing_left)
{
	struct trace *before, *after;
	int i, efd = efd_new();
	char what[512];

	before = trace_take();
	for (i = 0; i < rounds(variant->rounds); i++) {
		ASSERT_EQ(0, round_trip(self->bdf, variant->raiser, efd)) {
			TH_LOG("round %d", i);
		}
	}
	after = trace_take();
	EXPECT_EQ(0, trace_compare(before, after, what, sizeof(what))) {
		TH_LOG("first leftover: %s", what);
	}
	trace_free(before);
	trace_free(after);
	EXPECT_EQ(0, irq_lines(self->bdf));
	close(efd);
}

/*
 * Two who use one device: the second open shares it, and it is closed when
 * the last of them closes.
 */
TEST_F(bind, open_twice)
{
	struct vdev v;
	__u32 id;
	int fd;

	ASSERT_EQ(0, pci_bind(self->bdf, driver_name()));
	ASSERT_EQ(0, vdev_open(&v, "pci", self->bdf));
	id = cfg_r32(&v, PCI_VENDOR_ID);
	fd = vdev_open_again(&v);
	ASSERT_LE(0, fd);
	close(v.fd);
	v.fd = fd;
	EXPECT_EQ(id, cfg_r32(&v, PCI_VENDOR_ID));
	vdev_close(&v);
	EXPECT_EQ(0, pci_unbind(self->bdf));
}

struct unbinding {
	const char *bdf;
	int ret;
	bool done;
};

static void *unbinder(void *arg)
{
	struct unbinding *u = arg;

	u->ret = pci_unbind(u->bdf);
	__atomic_store_n(&u->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Whoever unbinds a device that is in use asks its user, and waits. */
TEST_F(bind, unbind_while_open)
{
	struct unbinding u = { .bdf = self->bdf };
	int req = efd_new();
	pthread_t thread;
	struct vdev v;
	__u32 id;

	ASSERT_EQ(0, pci_bind(self->bdf, driver_name()));
	ASSERT_EQ(0, vdev_open(&v, "pci", self->bdf));
	id = cfg_r32(&v, PCI_VENDOR_ID);
	ASSERT_EQ(0, irq_attach_one(&v, VFIO_PCI_REQ_IRQ_INDEX, 0, req));
	ASSERT_EQ(0, pthread_create(&thread, NULL, unbinder, &u));
	ASSERT_LE(1, efd_wait(req));
	EXPECT_FALSE(__atomic_load_n(&u.done, __ATOMIC_ACQUIRE));
	EXPECT_EQ(id, cfg_r32(&v, PCI_VENDOR_ID));
	EXPECT_FALSE(__atomic_load_n(&u.done, __ATOMIC_ACQUIRE));
	vdev_close(&v);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, u.ret);
	EXPECT_FALSE(bound(self->bdf));
	close(req);
}

/*
 * A refusal is one line of the kernel log, from the driver, that names the
 * device. The kernel's own driver does not always have one. What the driver
 * core says about every probe that fails may look like the driver's.
 */
static int refused_in_one_line(int klog, const char *bdf)
{
	char prefix[128];

	snprintf(prefix, sizeof(prefix), "%s %s: ", driver_name(), bdf);
	return klog_count(klog, prefix, "probe with driver");
}

TEST_F(bind, bridge)
{
	char bridge[FERRY_NAME_MAX], had[FERRY_NAME_MAX] = "";
	int ret;

	ASSERT_EQ(0, pci_upstream(self->bdf, bridge, sizeof(bridge)));
	pci_driver(bridge, had, sizeof(had));
	ret = pci_bind(bridge, driver_name());
	EXPECT_EQ(0, pci_restore(bridge, had));
	EXPECT_EQ(-EINVAL, ret);
	if (driver_is_stock())
		return;
	EXPECT_EQ(1, refused_in_one_line(self->klog, bridge));
}

/* Virtual functions that others use would go with their physical one. */
TEST_F(bind, virtual_functions)
{
	bool loaded = false;
	char total[16];
	int ret;

	if (pci_attr_read(self->bdf, "sriov_totalvfs", total, sizeof(total)))
		SKIP(return, "no SR-IOV");
	if (!path_exists("/sys/bus/pci/drivers/pci-pf-stub")) {
		if (module_load("pci-pf-stub", ""))
			SKIP(return, "there is no module pci-pf-stub");
		loaded = true;
	}
	ASSERT_EQ(0, pci_bind(self->bdf, "pci-pf-stub"));
	if (pci_attr_write(self->bdf, "sriov_numvfs", "1"))
		SKIP(return, "no room for virtual functions");
	ASSERT_EQ(0, pci_unbind(self->bdf));
	ret = pci_bind(self->bdf, driver_name());
	EXPECT_EQ(-EBUSY, ret);
	EXPECT_EQ(1, refused_in_one_line(self->klog, self->bdf));
	ASSERT_EQ(0, pci_bind(self->bdf, "pci-pf-stub"));
	EXPECT_EQ(0, pci_attr_write(self->bdf, "sriov_numvfs", "0"));
	EXPECT_EQ(0, pci_unbind(self->bdf));
	if (loaded)
		module_unload("pci-pf-stub");
}

/* Somebody else has the memory of the device. */
TEST_F(bind, claimed_memory)
{
	unsigned int index;
	struct vdev v;
	__u32 val;
	void *map;

	if (!path_exists(CLAIM))
		SKIP(return, "module ferry-claim-test is not loaded");
	for (index = 0; !pci_resource_len(self->bdf, index); index++)
		;
	ASSERT_EQ(0, text_write(CLAIM, self->bdf));
	ASSERT_EQ(0, pci_bind(self->bdf, driver_name()));
	ASSERT_EQ(0, vdev_open(&v, "pci", self->bdf));
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(-EBUSY, region_read(&v, index, 0, &val, 4));
	EXPECT_EQ(-EBUSY, region_map(&v, index, 0, sysconf(_SC_PAGESIZE),
				     PROT_READ, MAP_SHARED, &map));
	EXPECT_EQ(driver_is_stock() ? 0 : 1,
		  klog_count(self->klog, "ferry_claim_test", NULL));
	vdev_close(&v);

	/* Let go, it works. */
	ASSERT_EQ(0, text_write(CLAIM, "\n"));
	ASSERT_EQ(0, vdev_open(&v, "pci", self->bdf));
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(4, region_read(&v, index, 0, &val, 4));
	vdev_close(&v);
}

static void unbind_all(void)
{
	const char * const names[] = {
		"edu", "e1000e", "igb", "nvme", "ivshmem",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (device_bdf(names[i]))
			pci_unbind(device_bdf(names[i]));
}

/* The ids parameter binds at load time; a bad entry is told, and no more. */
TEST_F(bind, ids_parameter)
{
	char vendor[16], device[16], params[64];

	if (driver_is_stock())
		SKIP(return, "only the driver under test is reloaded");
	ASSERT_EQ(0, pci_attr_read(self->bdf, "vendor", vendor,
				   sizeof(vendor)));
	ASSERT_EQ(0, pci_attr_read(self->bdf, "device", device,
				   sizeof(device)));
	if (!module_exists(driver_name()))
		SKIP(return, "FERRY_BUILD does not tell where the driver is");
	unbind_all();
	if (module_unload(driver_name()))
		SKIP(return, "the driver is in use elsewhere");
	snprintf(params, sizeof(params), "ids=nonsense,%s:%s", vendor + 2,
		 device + 2);
	EXPECT_EQ(0, module_load(driver_name(), params));
	EXPECT_TRUE(bound(self->bdf));
	EXPECT_LE(1, klog_count(self->klog, "nonsense", NULL));
	EXPECT_EQ(0, pci_unbind(self->bdf));
	EXPECT_EQ(0, module_unload(driver_name()));
	ASSERT_EQ(0, module_load(driver_name(), ""));
	EXPECT_FALSE(bound(self->bdf));
}

/* A driver whose device somebody uses cannot be unloaded. */
TEST_F(bind, unload_while_open)
{
	struct vdev v;

	if (driver_is_stock())
		SKIP(return, "only the driver under test is reloaded");
	ASSERT_EQ(0, pci_bind(self->bdf, driver_name()));
	ASSERT_EQ(0, vdev_open(&v, "pci", self->bdf));
	EXPECT_GT(0, module_unload(driver_name()));
	EXPECT_NE(0, cfg_r32(&v, PCI_VENDOR_ID));
	vdev_close(&v);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
