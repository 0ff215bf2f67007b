// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that are pulled out while somebody uses them: from one moment to the next nothing
 * answers, the user is told, and whatever is asked for then ends.
 *
 * Wants a kernel that serves hotplug itself, and functions that nobody wants back: see
 * selftests/vm/tests/slots.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX
/* Of e1000e and igb: a register that isn't all ones. */
#define STATUS	0x8
#define TOKEN	"2f1c6a56-7d0e-4c5b-9a53-0d6b8f2c91e4"

FIXTURE(removal)
{
	struct vdev v;
	char port[FERRY_NAME_MAX];
	int efd;
	int req;
};

FIXTURE_SETUP(removal)
{
	if (!path_exists("/sys/bus/pci_express/drivers/pciehp"))
		SKIP(return, "the kernel leaves hotplug to the firmware");
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
	self->req = efd_new();
	ASSERT_LE(0, self->req);
}

FIXTURE_TEARDOWN(removal)
{
	close(self->efd);
	close(self->req);
}

/*
 * Where power controller and indicator of a slot are off (PCIe 5.0, 7.5.3.10), QEMU takes the
 * card. The kernel hears of it when they are as before: all it sees is that there is no card.
 */
static void pull(const char *port)
{
	unsigned int pos = pci_find_cap(port, PCI_CAP_ID_EXP) +
			   PCI_EXP_SLTCTL;
	int fd = pci_config(port, O_RDWR);
	__u16 control, off;

	if (fd < 0 || pread(fd, &control, 2, pos) != 2)
		abort();
	off = control | PCI_EXP_SLTCTL_PWR_OFF | PCI_EXP_SLTCTL_PWR_IND_OFF;
	off &= ~PCI_EXP_SLTCTL_HPIE;
	if (pwrite(fd, &off, 2, pos) != 2 || pwrite(fd, &control, 2, pos) != 2)
		abort();
	close(fd);
}

static bool gone(const char *bdf)
{
	char path[128];
	int tries;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	for (tries = 0; path_exists(path); tries++) {
		if (tries == FERRY_TIMEOUT_MS)
			return false;
		usleep(1000);
	}
	return true;
}

/* Every call that a user may make of what isn't there any more. */
static void expect_refusals(struct __test_metadata *_metadata,
			    const struct vdev *v, void *map, int efd)
{
	__u16 command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	__u32 val = 0;

	EXPECT_FALSE(map_read32(map, STATUS, &val));
	EXPECT_FALSE(map_write32(map, STATUS, 0));
	EXPECT_EQ(-EIO, region_read(v, BAR0, STATUS, &val, sizeof(val)));
	EXPECT_EQ(-EIO, region_write(v, BAR0, STATUS, &val, sizeof(val)));
	/* Decoding that is switched on doesn't bring memory back. */
	region_write(v, CONFIG, PCI_COMMAND, &command, sizeof(command));
	EXPECT_FALSE(map_read32(map, STATUS, &val));
	EXPECT_GT(0, vdev_reset(v));
	EXPECT_FALSE(map_read32(map, STATUS, &val));
	/* Whether a vector can be enabled is the kernel's affair; it ends. */
	irq_attach_one(v, MSIX, 0, efd);
	EXPECT_EQ(0, irq_disable(v, MSIX));
	irq_attach_one(v, MSIX, 0, efd);
}

TEST_F(removal, in_use)
{
	const char *missing = device_missing("igb");
	__u32 val = ~0U;
	void *map;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "igb"));
	ASSERT_EQ(0, pci_upstream(self->v.name, self->port,
				  sizeof(self->port)));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ASSERT_EQ(0, region_map(&self->v, BAR0, 0, getpagesize(),
				PROT_READ | PROT_WRITE, MAP_SHARED, &map));
	ASSERT_TRUE(map_read32(map, STATUS, &val));
	ASSERT_NE(~0U, val);
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 0, self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->v, REQ, 0, self->req));

	pull(self->port);
	ASSERT_LE(1, efd_wait(self->req));
	expect_refusals(_metadata, &self->v, map, self->efd);
	munmap(map, getpagesize());
	vdev_close(&self->v);
	EXPECT_TRUE(gone(self->v.name));
}

struct user {
	const struct vdev *v;
	void *map;
	int efd;
	bool stop;
};

static void *reads(void *arg)
{
	struct user *u = arg;
	__u32 val;

	while (!__atomic_load_n(&u->stop, __ATOMIC_ACQUIRE))
		region_read(u->v, BAR0, EDU_ID, &val, sizeof(val));
	return NULL;
}

static void *interrupts(void *arg)
{
	struct user *u = arg;
	__u32 one = 1;

	while (!__atomic_load_n(&u->stop, __ATOMIC_ACQUIRE)) {
		irq_attach_one(u->v, VFIO_PCI_MSI_IRQ_INDEX, 0, u->efd);
		region_write(u->v, BAR0, EDU_IRQ_RAISE, &one, sizeof(one));
		irq_disable(u->v, VFIO_PCI_MSI_IRQ_INDEX);
		vdev_reset(u->v);
	}
	return NULL;
}

/* Two threads are at it when it happens, and go on until they are told. */
TEST_F(removal, under_way)
{
	const char *missing = device_missing("edu");
	struct user u = { .v = &self->v, .efd = self->efd };
	pthread_t threads[2];
	__u32 val;
	int i;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "edu"));
	ASSERT_EQ(0, pci_upstream(self->v.name, self->port,
				  sizeof(self->port)));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ASSERT_EQ(0, region_map(&self->v, BAR0, 0, getpagesize(), PROT_READ,
				MAP_SHARED, &u.map));
	ASSERT_EQ(0, irq_attach_one(&self->v, REQ, 0, self->req));
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, reads, &u));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, interrupts, &u));

	pull(self->port);
	ASSERT_LE(1, efd_wait(self->req));
	for (i = 0; i < 100; i++) {
		EXPECT_FALSE(map_read32(u.map, EDU_ID, &val));
		EXPECT_EQ(-EIO, region_read(&self->v, BAR0, EDU_ID, &val,
					    sizeof(val)));
	}
	__atomic_store_n(&u.stop, true, __ATOMIC_RELEASE);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	munmap(u.map, getpagesize());
	vdev_close(&self->v);
	EXPECT_TRUE(gone(self->v.name));
}

/* The driver has it, but no user does: it goes at once, and nobody hears of it. */
TEST_F(removal, not_in_use)
{
	const char *missing = device_missing("e1000e"), *bdf;

	if (missing)
		SKIP(return, "%s", missing);
	bdf = device_bdf("e1000e");
	ASSERT_EQ(0, pci_bind(bdf, driver_name()));
	ASSERT_EQ(0, pci_upstream(bdf, self->port, sizeof(self->port)));
	pull(self->port);
	EXPECT_TRUE(gone(bdf));
}

/* What goes with the card: its virtual functions, of which one is in use. */
TEST_F(removal, virtual_functions)
{
	const char *missing = device_missing("second"), *pf;
	char name[FERRY_NAME_MAX];
	struct vdev v;
	__u32 val;

	if (missing)
		SKIP(return, "%s", missing);
	pf = device_bdf("second");
	ASSERT_EQ(0, sriov_begin(pf));
	ASSERT_EQ(0, sriov_enable(pf, 2));
	ASSERT_EQ(0, sriov_vf(pf, 1, name, sizeof(name)));
	ASSERT_EQ(0, pci_upstream(pf, self->port, sizeof(self->port)));
	ASSERT_EQ(0, vdev_open_with(&self->v, "pci", pf, " vf_token=" TOKEN));
	ASSERT_EQ(0, vdev_open_with(&v, "pci", name, " vf_token=" TOKEN));
	ASSERT_EQ(0, irq_attach_one(&v, REQ, 0, self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->v, REQ, 0, self->req));

	pull(self->port);
	/* They go first, and the physical function when they have gone. */
	ASSERT_LE(1, efd_wait(self->efd));
	EXPECT_EQ(-EIO, region_read(&v, BAR0, STATUS, &val, sizeof(val)));
	EXPECT_GT(0, vdev_reset(&v));
	vdev_close(&v);
	ASSERT_LE(1, efd_wait(self->req));
	vdev_close(&self->v);
	EXPECT_TRUE(gone(name));
	EXPECT_TRUE(gone(pf));
	ASSERT_EQ(0, module_param_write(driver_name(), "enable_sriov", "N"));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
