// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runtime power management: functions that nobody uses, and the low power
 * features.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define ENTRY	VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
#define WAKEUP	VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
#define EXIT	VFIO_DEVICE_FEATURE_LOW_POWER_EXIT
#define ROUNDS	20

FIXTURE(power)
{
	struct vdev v;
	__u32 before;
};

/* @reg: a register that is neither 0 nor all ones and stays the same */
FIXTURE_VARIANT(power)
{
	const char *device;
	unsigned int reg;
	const struct raiser *raiser;
};

FIXTURE_VARIANT_ADD(power, edu)
{
	.device = "edu", .reg = EDU_ID, .raiser = &edu_msi,
};

FIXTURE_VARIANT_ADD(power, e1000e)
{
	.device = "e1000e", .reg = 0x8, .raiser = &e1000e_msix,
};

FIXTURE_VARIANT_ADD(power, igb)
{
	.device = "igb", .reg = 0x8, .raiser = &igb_msix,
};

FIXTURE_VARIANT_ADD(power, nvme)
{
	.device = "nvme", .reg = 0x8,
};

FIXTURE_SETUP(power)
{
	const char *missing = device_missing(variant->device);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->before = region_r32(&self->v, BAR0, variant->reg);
	ASSERT_NE(~0U, self->before);
}

FIXTURE_TEARDOWN(power)
{
	vdev_close(&self->v);
}

static int enter(const struct vdev *v)
{
	return vdev_feature_set(v, ENTRY, NULL, 0);
}

static int enter_wakeup(const struct vdev *v, int fd)
{
	struct vfio_device_low_power_entry_with_wakeup entry = {
		.wakeup_eventfd = fd,
	};

	return vdev_feature_set(v, WAKEUP, &entry, sizeof(entry));
}

static int leave(const struct vdev *v)
{
	return vdev_feature_set(v, EXIT, NULL, 0);
}

/* Functions without power management sleep in D0. */
static bool sleeps_deep(const char *bdf, bool has_pm)
{
	char state[FERRY_NAME_MAX];

	return !pci_attr_read(bdf, "power_state", state, sizeof(state)) &&
	       !strcmp(state, has_pm ? "D3hot" : "D0");
}

TEST_F(power, idle)
{
	bool has_pm = cfg_find_cap(&self->v, PCI_CAP_ID_PM);
	const char *bdf = device_bdf(variant->device);
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pci_wait_runtime(bdf, "active"));
		EXPECT_TRUE(sleeps_deep(bdf, false));
		vdev_close(&self->v);
		ASSERT_EQ(0, pci_wait_runtime(bdf, "suspended"));
		EXPECT_TRUE(sleeps_deep(bdf, has_pm));
		ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
		cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
		EXPECT_EQ(self->before,
			  region_r32(&self->v, BAR0, variant->reg));
	}
}

/* The name of a module has no dashes. */
static void parameter_path(char *path, size_t size)
{
	char *c;

	snprintf(path, size, "%s", driver_name());
	for (c = path; *c; c++)
		if (*c == '-')
			*c = '_';
}

static int idle_d3_disable(const char *text)
{
	char module[FERRY_NAME_MAX], path[256];

	parameter_path(module, sizeof(module));
	snprintf(path, sizeof(path), "/sys/module/%s/parameters/disable_idle_d3",
		 module);
	return text_write(path, text);
}

/* What counts is what the parameter was when the function was bound. */
TEST_F(power, idle_parameter)
{
	const char *bdf = device_bdf(variant->device);
	int i, usage, awake;

	vdev_close(&self->v);
	ASSERT_EQ(0, pci_wait_runtime(bdf, "suspended"));
	usage = pci_runtime_usage(bdf);
	/* Without CONFIG_PM_ADVANCED_DEBUG no count is told, but the state is. */
	if (usage < 0)
		ASSERT_EQ(-ENOENT, usage);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, idle_d3_disable(i % 2 ? "N" : "Y"));
		ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
		ASSERT_EQ(0, idle_d3_disable(i / 2 ? "N" : "Y"));
		vdev_close(&self->v);
		EXPECT_EQ(0, pci_wait_runtime(bdf, "suspended"));
		EXPECT_EQ(usage, pci_runtime_usage(bdf));
	}

	ASSERT_EQ(0, idle_d3_disable("Y"));
	ASSERT_EQ(0, pci_unbind(bdf));
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	ASSERT_EQ(0, idle_d3_disable("N"));
	awake = usage < 0 ? usage : usage + 1;
	EXPECT_EQ(awake, pci_runtime_usage(bdf));
	vdev_close(&self->v);
	EXPECT_EQ(awake, pci_runtime_usage(bdf));
	EXPECT_EQ(0, pci_wait_runtime(bdf, "active"));
	EXPECT_EQ(0, pci_unbind(bdf));
}

TEST_F(power, arguments)
{
	static const __u32 features[] = { ENTRY, WAKEUP, EXIT };
	struct vfio_device_low_power_entry_with_wakeup entry = {};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		size_t size = features[i] == WAKEUP ? sizeof(entry) : 0;

		EXPECT_EQ(0, vdev_feature(&self->v, features[i] |
					  VFIO_DEVICE_FEATURE_PROBE |
					  VFIO_DEVICE_FEATURE_SET, NULL, 0));
		EXPECT_EQ(-EINVAL, vdev_feature(&self->v, features[i] |
						VFIO_DEVICE_FEATURE_PROBE |
						VFIO_DEVICE_FEATURE_GET,
						NULL, 0));
		EXPECT_EQ(-EINVAL, vdev_feature(&self->v, features[i] |
						VFIO_DEVICE_FEATURE_GET,
						&entry, size));
		EXPECT_EQ(-EINVAL, vdev_feature(&self->v, features[i],
						&entry, size));
		if (size)
			EXPECT_EQ(-EINVAL, vdev_feature_set(&self->v,
							    features[i],
							    &entry, size - 1));
	}
	/* None of it has let the function sleep. */
	EXPECT_EQ(0, enter(&self->v));
	EXPECT_EQ(0, leave(&self->v));
}

/* Each access wakes it for as long as it takes. */
TEST_F(power, entry)
{
	bool has_pm = cfg_find_cap(&self->v, PCI_CAP_ID_PM);
	const char *bdf = self->v.name;
	__u32 id = cfg_r32(&self->v, PCI_VENDOR_ID);

	ASSERT_EQ(0, enter(&self->v));
	ASSERT_EQ(0, pci_wait_runtime(bdf, "suspended"));
	EXPECT_TRUE(sleeps_deep(bdf, has_pm));
	EXPECT_EQ(self->before, region_r32(&self->v, BAR0, variant->reg));
	ASSERT_EQ(0, pci_wait_runtime(bdf, "suspended"));
	EXPECT_EQ(id, cfg_r32(&self->v, PCI_VENDOR_ID));
	ASSERT_EQ(0, pci_wait_runtime(bdf, "suspended"));
	EXPECT_EQ(0, leave(&self->v));
	EXPECT_EQ(0, pci_wait_runtime(bdf, "active"));
	EXPECT_TRUE(sleeps_deep(bdf, false));
	EXPECT_EQ(self->before, region_r32(&self->v, BAR0, variant->reg));
	EXPECT_EQ(0, pci_wait_runtime(bdf, "active"));
}

TEST_F(power, twice)
{
	int usage = pci_runtime_usage(self->v.name);
	int efd = efd_new();

	ASSERT_LE(0, efd);
	EXPECT_EQ(0, leave(&self->v));
	EXPECT_EQ(0, leave(&self->v));
	EXPECT_EQ(usage, pci_runtime_usage(self->v.name));
	ASSERT_EQ(0, enter(&self->v));
	EXPECT_EQ(-EINVAL, enter(&self->v));
	EXPECT_EQ(-EINVAL, enter_wakeup(&self->v, efd));
	EXPECT_EQ(0, leave(&self->v));
	EXPECT_EQ(0, leave(&self->v));
	EXPECT_EQ(0, efd_take(efd));
	EXPECT_EQ(usage, pci_runtime_usage(self->v.name));
	close(efd);
}

/* A mapping can't wake it, and works again afterwards. */
TEST_F(power, mapping)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	__u32 val = 0;
	void *map;

	ASSERT_EQ(0, region_map(&self->v, BAR0, 0, page, PROT_READ, MAP_SHARED,
				&map));
	ASSERT_TRUE(map_read32(map, variant->reg, &val));
	ASSERT_EQ(0, enter(&self->v));
	EXPECT_FALSE(map_read32(map, variant->reg, &val));
	EXPECT_EQ(self->before, region_r32(&self->v, BAR0, variant->reg));
	EXPECT_FALSE(map_read32(map, variant->reg, &val));
	/* Memory that is switched on is still asleep. */
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_FALSE(map_read32(map, variant->reg, &val));
	ASSERT_EQ(0, leave(&self->v));
	EXPECT_TRUE(map_read32(map, variant->reg, &val));
	EXPECT_EQ(self->before, val);
	munmap(map, page);
}

/* The first access ends it and says so, whatever access it is. */
TEST_F(power, wakeup)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	int efd = efd_new(), i;
	__u32 val = 0;
	void *map;

	ASSERT_LE(0, efd);
	ASSERT_EQ(0, region_map(&self->v, BAR0, 0, page, PROT_READ, MAP_SHARED,
				&map));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, enter_wakeup(&self->v, efd));
		ASSERT_EQ(0, pci_wait_runtime(self->v.name, "suspended"));
		EXPECT_FALSE(map_read32(map, variant->reg, &val));
		EXPECT_EQ(0, efd_take(efd));
		if (i == 0)
			cfg_r8(&self->v, PCI_VENDOR_ID);
		else if (i == 1)
			region_r32(&self->v, BAR0, variant->reg);
		else if (i == 2)
			region_size(&self->v, BAR0);
		else
			EXPECT_EQ(0, leave(&self->v));
		EXPECT_EQ(1, efd_wait(efd)) {
			TH_LOG("access %d", i);
		}
		/* Awake for good, mappings too, with nothing more to do. */
		EXPECT_EQ(0, pci_wait_runtime(self->v.name, "active"));
		EXPECT_TRUE(map_read32(map, variant->reg, &val));
		EXPECT_EQ(self->before, val);
		EXPECT_EQ(0, leave(&self->v));
		EXPECT_EQ(0, efd_take(efd));
	}
	munmap(map, page);
	close(efd);
}

TEST_F(power, bad_eventfd)
{
	int efd = efd_new();

	ASSERT_LE(0, efd);
	EXPECT_EQ(-EINVAL, enter_wakeup(&self->v, -1));
	EXPECT_EQ(-EBADF, enter_wakeup(&self->v, FERRY_NO_FD));
	EXPECT_EQ(-EINVAL, enter_wakeup(&self->v, self->v.fd));
	EXPECT_EQ(0, enter_wakeup(&self->v, efd));
	EXPECT_EQ(-EBADF, enter_wakeup(&self->v, FERRY_NO_FD));
	close(efd);
	EXPECT_EQ(0, leave(&self->v));
}

TEST_F(power, vectors)
{
	const struct raiser *r = variant->raiser;
	int fds[16], i;

	if (!r)
		SKIP(return, "no way to raise an interrupt");
	for (i = 0; i < (int)r->vectors; i++)
		ASSERT_LE(0, fds[i] = efd_new());
	ASSERT_EQ(0, irq_attach(&self->v, r->index, 0, r->vectors, fds));
	ASSERT_EQ(0, enter(&self->v));
	ASSERT_EQ(0, pci_wait_runtime(self->v.name, "suspended"));
	ASSERT_EQ(0, leave(&self->v));
	r->setup(&self->v);
	for (i = 0; i < (int)r->vectors; i++) {
		r->raise(&self->v, i);
		EXPECT_NE(0, efd_wait(fds[i]));
		r->ack(&self->v, i);
		close(fds[i]);
	}
}

/* A line that is up when the function falls asleep is found up again. */
TEST_F(power, intx)
{
	int efd = efd_new();

	if (strcmp(variant->device, "edu"))
		SKIP(return, "no register that raises INTx");
	ASSERT_LE(0, efd);
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_INTX_IRQ_INDEX, 0, efd));
	edu_msi.raise(&self->v, 0);
	ASSERT_EQ(1, efd_wait(efd));
	ASSERT_EQ(0, enter(&self->v));
	ASSERT_EQ(0, pci_wait_runtime(self->v.name, "suspended"));
	EXPECT_EQ(0, efd_take(efd));
	ASSERT_EQ(0, leave(&self->v));
	EXPECT_EQ(0, efd_take(efd));
	/* The device still asserts it. */
	ASSERT_EQ(0, irq_act(&self->v, VFIO_PCI_INTX_IRQ_INDEX,
			     VFIO_IRQ_SET_ACTION_UNMASK));
	EXPECT_EQ(1, efd_wait(efd));
	edu_msi.ack(&self->v, 0);
	ASSERT_EQ(0, irq_act(&self->v, VFIO_PCI_INTX_IRQ_INDEX,
			     VFIO_IRQ_SET_ACTION_UNMASK));
	edu_msi.raise(&self->v, 0);
	EXPECT_EQ(1, efd_wait(efd));
	edu_msi.ack(&self->v, 0);
	close(efd);
}

/* The user's own D3hot and that of the host get along. */
TEST_F(power, from_d3hot)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_PM);
	__u32 bar = cfg_r32(&self->v, PCI_BASE_ADDRESS_0);
	__u16 pmcsr;

	if (!pos)
		SKIP(return, "no power management");
	pmcsr = cfg_r16(&self->v, pos + PCI_PM_CTRL);
	cfg_w16(&self->v, pos + PCI_PM_CTRL, pmcsr | 3);
	ASSERT_EQ(0, enter(&self->v));
	ASSERT_EQ(0, pci_wait_runtime(self->v.name, "suspended"));
	ASSERT_EQ(0, leave(&self->v));
	EXPECT_EQ(0, cfg_r16(&self->v, pos + PCI_PM_CTRL) &
		  PCI_PM_CTRL_STATE_MASK);
	EXPECT_EQ(bar, cfg_r32(&self->v, PCI_BASE_ADDRESS_0));
	EXPECT_EQ(self->before, region_r32(&self->v, BAR0, variant->reg));
}

/* A reset through config space finds the function in D3hot and wakes it. */
/* What its user has switched off while it slept is off when it is awake. */
TEST_F(power, bus_master_off_asleep)
{
	const __u16 both = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	if (!cfg_find_cap(&self->v, PCI_CAP_ID_PM))
		SKIP(return, "no power management");
	if (driver_is_stock())
		SKIP(return, "the kernel's own driver switches it on");
	cfg_command(&self->v, 0, both);
	cfg_power_state(&self->v, 3);
	cfg_command(&self->v, both, 0);
	cfg_power_state(&self->v, 0);
	EXPECT_EQ(0, pci_config_r16(self->v.name, PCI_COMMAND) & both);
}

TEST_F(power, flr_from_d3hot)
{
	unsigned int pm = cfg_find_cap(&self->v, PCI_CAP_ID_PM);
	unsigned int exp = cfg_find_cap(&self->v, PCI_CAP_ID_EXP);
	__u16 pmcsr, devctl;

	if (!pm || !exp ||
	    !(cfg_r32(&self->v, exp + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR))
		SKIP(return, "no function-level reset");
	cfg_w8(&self->v, PCI_INTERRUPT_LINE, 0x5a);
	pmcsr = cfg_r16(&self->v, pm + PCI_PM_CTRL);
	cfg_w16(&self->v, pm + PCI_PM_CTRL, pmcsr | 3);
	devctl = cfg_r16(&self->v, exp + PCI_EXP_DEVCTL);
	cfg_w16(&self->v, exp + PCI_EXP_DEVCTL,
		devctl | PCI_EXP_DEVCTL_BCR_FLR);
	EXPECT_EQ(0, cfg_r16(&self->v, pm + PCI_PM_CTRL) &
		  PCI_PM_CTRL_STATE_MASK);
	EXPECT_TRUE(cfg_r16(&self->v, PCI_COMMAND) & PCI_COMMAND_MEMORY);
	EXPECT_EQ(0x5a, cfg_r8(&self->v, PCI_INTERRUPT_LINE));
	EXPECT_EQ(self->before, region_r32(&self->v, BAR0, variant->reg));
}

/* Who leaves it asleep leaves nothing behind. */
TEST_F(power, close)
{
	const char *bdf = device_bdf(variant->device);
	int efd = efd_new(), usage;

	ASSERT_LE(0, efd);
	usage = pci_runtime_usage(bdf);
	ASSERT_EQ(0, enter_wakeup(&self->v, efd));
	ASSERT_EQ(0, pci_wait_runtime(bdf, "suspended"));
	vdev_close(&self->v);
	EXPECT_EQ(0, efd_take(efd));
	ASSERT_EQ(0, pci_wait_runtime(bdf, "suspended"));
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	/* It is the next user who has woken it. */
	EXPECT_EQ(0, efd_take(efd));
	EXPECT_EQ(usage, pci_runtime_usage(bdf));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(self->before, region_r32(&self->v, BAR0, variant->reg));
	close(efd);
}

struct busy {
	const struct vdev *v;
	unsigned int reg;
	__u32 want;
	bool stop;
	bool wrong;
};

static void *busy_reading(void *arg)
{
	struct busy *b = arg;

	while (!__atomic_load_n(&b->stop, __ATOMIC_ACQUIRE))
		if (region_r32(b->v, BAR0, b->reg) != b->want)
			b->wrong = true;
	return NULL;
}

/* An access never meets a function that is asleep. */
TEST_F(power, among_others)
{
	struct busy b = {
		.v = &self->v, .reg = variant->reg, .want = self->before,
	};
	int usage = pci_runtime_usage(self->v.name);
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, busy_reading, &b));
	for (i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(0, enter(&self->v));
		usleep(1000);
		EXPECT_EQ(0, leave(&self->v));
	}
	__atomic_store_n(&b.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_FALSE(b.wrong);
	EXPECT_EQ(usage, pci_runtime_usage(self->v.name));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
