// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets: by ioctl, and by others behind the back of whoever uses the device.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define VECTORS_MAX	16
#define NO_REGISTER	0xffff
#define BAR0		VFIO_PCI_BAR0_REGION_INDEX

FIXTURE(reset)
{
	struct vdev v;
	int fds[VECTORS_MAX];
};

/* @scratch: a register that keeps @value until the device is reset */
FIXTURE_VARIANT(reset)
{
	const char *device;
	const struct raiser *raiser;
	unsigned int scratch;
	__u32 value;
};

FIXTURE_VARIANT_ADD(reset, edu)
{
	.device = "edu", .raiser = &edu_msi, .scratch = NO_REGISTER,
};

FIXTURE_VARIANT_ADD(reset, e1000e)
{
	.device = "e1000e", .raiser = &e1000e_msix, .scratch = NO_REGISTER,
};

FIXTURE_VARIANT_ADD(reset, igb)
{
	.device = "igb", .raiser = &igb_msix, .scratch = 0xc000,
	.value = 0x12300,
};

FIXTURE_VARIANT_ADD(reset, nvme)
{
	.device = "nvme", .scratch = NO_REGISTER,
};

FIXTURE_SETUP(reset)
{
	const char *missing = device_missing(variant->device);
	unsigned int i;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	for (i = 0; i < VECTORS_MAX; i++) {
		self->fds[i] = efd_new();
		ASSERT_LE(0, self->fds[i]);
	}
}

FIXTURE_TEARDOWN(reset)
{
	unsigned int i;

	for (i = 0; i < VECTORS_MAX; i++)
		close(self->fds[i]);
	vdev_close(&self->v);
}

static bool resets(const struct vdev *v)
{
	struct vfio_device_info info;

	return !vdev_info(v, &info) && info.flags & VFIO_DEVICE_FLAGS_RESET;
}

static bool all_fire(const struct vdev *v, const struct raiser *r,
		     const int *fds)
{
	unsigned int i;
	__u64 count;

	r->setup(v);
	for (i = 0; i < r->vectors; i++) {
		r->raise(v, i);
		count = efd_wait(fds[i]);
		r->ack(v, i);
		if (!count || (r->exact && count != 1))
			return false;
	}
	return true;
}

/* The flag tells the truth, either way. */
TEST_F(reset, as_the_flag_says)
{
	EXPECT_EQ(resets(&self->v) ? 0 : -EINVAL, vdev_reset(&self->v));
}

TEST_F(reset, registers)
{
	if (variant->scratch == NO_REGISTER)
		SKIP(return, "no register to see it by");
	region_w32(&self->v, BAR0, variant->scratch, variant->value);
	ASSERT_EQ(variant->value,
		  region_r32(&self->v, BAR0, variant->scratch));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_NE(variant->value,
		  region_r32(&self->v, BAR0, variant->scratch));
}

/* Opening resets: nobody sees what another user left. */
TEST_F(reset, between_users)
{
	if (variant->scratch == NO_REGISTER)
		SKIP(return, "no register to see it by");
	region_w32(&self->v, BAR0, variant->scratch, variant->value);
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_NE(variant->value,
		  region_r32(&self->v, BAR0, variant->scratch));
}

/* How much of BAR 0 to look at while nobody has the device open. */
#define HOST_SIZE	0x10000

/* The host reaches into the device while no user has it, as a driver would. */
static void *host_begin(const char *bdf)
{
	char path[128];
	__u16 command;
	void *map;
	int fd;

	if (pci_attr_write(bdf, "power/control", "on") ||
	    pci_wait_runtime(bdf, "active"))
		abort();
	fd = pci_config(bdf, O_RDWR);
	if (fd < 0 || pread(fd, &command, 2, PCI_COMMAND) != 2)
		abort();
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (pwrite(fd, &command, 2, PCI_COMMAND) != 2)
		abort();
	close(fd);

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	map = mmap(NULL, HOST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		abort();
	close(fd);
	return map;
}

static void host_end(const char *bdf, void *map)
{
	munmap(map, HOST_SIZE);
	pci_attr_write(bdf, "power/control", "auto");
}

/* Closing resets: what a user has set going doesn't go on until the next one comes. */
TEST_F(reset, by_closing)
{
	__u32 val = variant->value;
	void *map;

	if (variant->scratch == NO_REGISTER)
		SKIP(return, "no register to see it by");
	region_w32(&self->v, BAR0, variant->scratch, variant->value);
	vdev_close(&self->v);
	map = host_begin(self->v.name);
	EXPECT_TRUE(map_read32(map, variant->scratch, &val));
	EXPECT_NE(variant->value, val);
	host_end(self->v.name, map);
}

/* Opening resets, whoever had the device before; bus mastering is the user's to ask for. */
TEST_F(reset, by_opening)
{
	__u32 val = 0;
	void *map;

	if (variant->scratch == NO_REGISTER)
		SKIP(return, "no register to see it by");
	vdev_close(&self->v);
	map = host_begin(self->v.name);
	ASSERT_TRUE(map_write32(map, variant->scratch, variant->value));
	ASSERT_TRUE(map_read32(map, variant->scratch, &val));
	EXPECT_EQ(variant->value, val);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	EXPECT_FALSE(cfg_r16(&self->v, PCI_COMMAND) & PCI_COMMAND_MASTER);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_NE(variant->value,
		  region_r32(&self->v, BAR0, variant->scratch));
	host_end(self->v.name, map);
}

/*
 * The address of MSI while that is off: root can write it behind the user's back,
 * and nothing but a reset clears it. 0 for none.
 */
static unsigned int mark_offset(const char *bdf)
{
	unsigned int pos = pci_find_cap(bdf, PCI_CAP_ID_MSI);

	return pos ? pos + PCI_MSI_ADDRESS_LO : 0;
}

#define MARK	0x12345670

static void mark(const struct vdev *v, unsigned int pos)
{
	int fd = pci_config(v->name, O_WRONLY);
	__u32 val = MARK;

	if (fd < 0 || pwrite(fd, &val, 4, pos) != 4)
		abort();
	close(fd);
}

static bool marked(const struct vdev *v, unsigned int pos)
{
	int fd = pci_config(v->name, O_RDONLY);
	__u32 val;

	if (fd < 0 || pread(fd, &val, 4, pos) != 4)
		abort();
	close(fd);
	return val == MARK;
}

/*
 * Opened anew, and kept awake when it is closed: sleep may reset, too. Returns
 * where to leave a mark; 0 for nowhere, or where a reset doesn't clear it.
 */
static unsigned int open_untouched(FIXTURE_DATA(reset) * self,
				   const char *device)
{
	unsigned int pos = 0;

	if (resets(&self->v))
		pos = mark_offset(self->v.name);
	if (pos) {
		mark(&self->v, pos);
		if (vdev_reset(&self->v) || marked(&self->v, pos))
			pos = 0;
	}
	vdev_close(&self->v);
	if (vdev_open_device(&self->v, device) ||
	    pci_attr_write(self->v.name, "power/control", "on"))
		abort();
	return pos;
}

/* Closing doesn't reset what its user has only asked about; opening does. */
TEST_F(reset, untouched)
{
	struct vfio_region_info region;
	struct vfio_irq_info irq;
	unsigned int pos;

	if (driver_is_stock())
		SKIP(return, "the kernel's own driver always resets twice");
	pos = open_untouched(self, variant->device);
	if (!pos)
		SKIP(return, "no reset, or none that can be seen");
	EXPECT_EQ(0, region_info(&self->v, BAR0, &region));
	EXPECT_EQ(0, irq_info(&self->v, VFIO_PCI_MSI_IRQ_INDEX, &irq));
	mark(&self->v, pos);
	ASSERT_TRUE(marked(&self->v, pos));
	vdev_close(&self->v);
	EXPECT_TRUE(marked(&self->v, pos));
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	EXPECT_FALSE(marked(&self->v, pos));
	pci_attr_write(self->v.name, "power/control", "auto");
}

static void touch_by_reading(const struct vdev *v)
{
	cfg_r32(v, PCI_VENDOR_ID);
}

static void touch_by_writing(const struct vdev *v)
{
	cfg_w8(v, PCI_INTERRUPT_LINE, 1);
}

static void touch_memory(const struct vdev *v)
{
	region_r32(v, BAR0, 0);
}

static void touch_by_mapping(const struct vdev *v)
{
	void *map;

	if (region_map(v, BAR0, 0, sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED,
		       &map))
		abort();
	munmap(map, sysconf(_SC_PAGESIZE));
}

static void touch_interrupts(const struct vdev *v)
{
	int efd = efd_new();

	if (irq_attach_one(v, VFIO_PCI_MSI_IRQ_INDEX, 0, efd) ||
	    irq_disable(v, VFIO_PCI_MSI_IRQ_INDEX))
		abort();
	close(efd);
}

static void touch_by_resetting(const struct vdev *v)
{
	if (vdev_reset(v))
		abort();
}

/* A question, but one of many. */
static void touch_features(const struct vdev *v)
{
	struct vfio_device_feature feature = {
		.argsz = sizeof(feature),
		.flags = VFIO_DEVICE_FEATURE_PROBE |
			 VFIO_DEVICE_FEATURE_PCI_VF_TOKEN,
	};

	fd_ioctl(v->fd, VFIO_DEVICE_FEATURE, &feature);
}

/* Refused, as it is no request at all. */
static void touch_ioeventfds(const struct vdev *v)
{
	struct vfio_device_ioeventfd request = { .argsz = 0 };

	fd_ioctl(v->fd, VFIO_DEVICE_IOEVENTFD, &request);
}

/* Closing resets what its user may have changed, in whichever way. */
TEST_F(reset, touched)
{
	static const struct {
		const char *name;
		void (*touch)(const struct vdev *v);
	} ways[] = {
		{ "read", touch_by_reading },
		{ "write", touch_by_writing },
		{ "memory", touch_memory },
		{ "mapping", touch_by_mapping },
		{ "interrupts", touch_interrupts },
		{ "reset", touch_by_resetting },
		{ "feature", touch_features },
		{ "ioeventfd", touch_ioeventfds },
	};
	unsigned int pos, i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		pos = open_untouched(self, variant->device);
		if (!pos)
			SKIP(return, "no reset, or none that can be seen");
		ways[i].touch(&self->v);
		mark(&self->v, pos);
		vdev_close(&self->v);
		EXPECT_FALSE(marked(&self->v, pos)) {
			TH_LOG("not by %s", ways[i].name);
		}
		ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
		pci_attr_write(self->v.name, "power/control", "auto");
	}
}

/* The user's view of config space outlives it. */
TEST_F(reset, config_space)
{
	__u32 bar = cfg_r32(&self->v, PCI_BASE_ADDRESS_0);
	__u32 id = cfg_r32(&self->v, PCI_VENDOR_ID);
	__u32 moved = (0xc5a00000 & ~(region_size(&self->v, BAR0) - 1)) |
		      (bar & 0xf);
	__u16 cmd;

	if (!resets(&self->v))
		SKIP(return, "no way to reset it");
	cfg_w32(&self->v, PCI_BASE_ADDRESS_0, moved);
	cfg_w8(&self->v, PCI_INTERRUPT_LINE, 0x5a);
	cfg_command(&self->v, 0, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	cmd = cfg_r16(&self->v, PCI_COMMAND);
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(id, cfg_r32(&self->v, PCI_VENDOR_ID));
	EXPECT_EQ(moved, cfg_r32(&self->v, PCI_BASE_ADDRESS_0));
	EXPECT_EQ(0x5a, cfg_r8(&self->v, PCI_INTERRUPT_LINE));
	EXPECT_EQ(cmd, cfg_r16(&self->v, PCI_COMMAND));
	EXPECT_NE(~0U, region_r32(&self->v, BAR0, 0));
}

/* Memory that was off stays off, a mapping that was there works again. */
TEST_F(reset, memory)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	__u32 before, val;
	void *map;

	if (!resets(&self->v))
		SKIP(return, "no way to reset it");
	ASSERT_EQ(0, region_map(&self->v, BAR0, 0, page, PROT_READ,
				MAP_SHARED, &map));
	before = region_r32(&self->v, BAR0, 0);
	ASSERT_TRUE(map_read32(map, 0, &val));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(before, val);
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(-EIO, region_read(&self->v, BAR0, 0, &val, 4));
	EXPECT_FALSE(map_read32(map, 0, &val));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(before, region_r32(&self->v, BAR0, 0));
	ASSERT_TRUE(map_read32(map, 0, &val));
	EXPECT_EQ(before, val);
	munmap(map, page);
}

TEST_F(reset, while_asleep)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_PM);
	__u32 before = region_r32(&self->v, BAR0, 0);
	__u16 pmcsr;

	if (!pos || !resets(&self->v))
		SKIP(return, "no power management, or no way to reset it");
	pmcsr = cfg_r16(&self->v, pos + PCI_PM_CTRL);
	cfg_w16(&self->v, pos + PCI_PM_CTRL, pmcsr | 3);
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0, cfg_r16(&self->v, pos + PCI_PM_CTRL) &
		  PCI_PM_CTRL_STATE_MASK);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(before, region_r32(&self->v, BAR0, 0));
}

/* Vectors that were enabled still are. */
TEST_F(reset, vectors)
{
	const struct raiser *r = variant->raiser;
	int i;

	if (!r || !resets(&self->v))
		SKIP(return, "no way to raise an interrupt, or to reset it");
	ASSERT_EQ(0, irq_attach(&self->v, r->index, 0, r->vectors,
				self->fds));
	ASSERT_TRUE(all_fire(&self->v, r, self->fds));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, vdev_reset(&self->v));
		ASSERT_TRUE(all_fire(&self->v, r, self->fds)) {
			TH_LOG("after reset %d", i);
		}
	}
	ASSERT_EQ(0, irq_disable(&self->v, r->index));
	EXPECT_EQ(0, irq_lines(self->v.name));
}

/* Somebody else resets it through sysfs; the user attaches anew. */
TEST_F(reset, behind_the_back)
{
	const struct raiser *r = variant->raiser;
	__u32 before;

	if (!r)
		SKIP(return, "no way to raise an interrupt");
	ASSERT_EQ(0, irq_attach(&self->v, r->index, 0, r->vectors,
				self->fds));
	ASSERT_TRUE(all_fire(&self->v, r, self->fds));
	before = region_r32(&self->v, BAR0, 0);
	if (pci_attr_write(self->v.name, "reset", "1"))
		SKIP(return, "no way to reset it");
	ASSERT_EQ(0, irq_attach(&self->v, r->index, 0, r->vectors,
				self->fds));
	EXPECT_TRUE(all_fire(&self->v, r, self->fds));
	EXPECT_EQ(before, region_r32(&self->v, BAR0, 0));
}

struct busy {
	const struct vdev *v;
	const struct raiser *r;
	const int *fds;
	void *map;
	bool stop;
	bool wrong;
};

static bool stopped(struct busy *b)
{
	return __atomic_load_n(&b->stop, __ATOMIC_ACQUIRE);
}

/* Attaches, swaps and takes away eventfds, and disables all of it. */
static void *busy_with_vectors(void *arg)
{
	struct busy *b = arg;
	unsigned int i;

	for (i = 0; !stopped(b); i++) {
		if (irq_attach(b->v, b->r->index, 0, b->r->vectors, b->fds) ||
		    irq_attach_one(b->v, b->r->index, 0, b->fds[1]) ||
		    irq_attach_one(b->v, b->r->index, 0, -1))
			b->wrong = true;
		if (i % 4 == 3 && irq_disable(b->v, b->r->index))
			b->wrong = true;
	}
	return NULL;
}

/* Reads in every way, and switches memory off and on. */
static void *busy_with_memory(void *arg)
{
	struct busy *b = arg;
	ssize_t ret;
	__u32 val;

	while (!stopped(b)) {
		map_read32(b->map, 0, &val);
		ret = region_read(b->v, BAR0, 0, &val, sizeof(val));
		if (ret != sizeof(val) && ret != -EIO)
			b->wrong = true;
		cfg_command(b->v, PCI_COMMAND_MEMORY, 0);
		cfg_command(b->v, 0, PCI_COMMAND_MEMORY);
	}
	return NULL;
}

/* Everybody at once; afterwards it works as if nothing had been. */
TEST_F(reset, among_others)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	struct busy b = {
		.v = &self->v, .r = variant->raiser, .fds = self->fds,
	};
	pthread_t vectors, memory;
	int i;

	if (!b.r || !resets(&self->v))
		SKIP(return, "no way to raise an interrupt, or to reset it");
	ASSERT_EQ(0, region_map(&self->v, BAR0, 0, page, PROT_READ,
				MAP_SHARED, &b.map));
	ASSERT_EQ(0, pthread_create(&vectors, NULL, busy_with_vectors, &b));
	ASSERT_EQ(0, pthread_create(&memory, NULL, busy_with_memory, &b));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(0, vdev_reset(&self->v)) {
			TH_LOG("reset %d", i);
		}
	}
	__atomic_store_n(&b.stop, true, __ATOMIC_RELEASE);
	pthread_join(vectors, NULL);
	pthread_join(memory, NULL);
	EXPECT_FALSE(b.wrong);
	munmap(b.map, page);

	irq_disable(&self->v, b.r->index);
	for (i = 0; i < VECTORS_MAX; i++)
		efd_take(self->fds[i]);
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, irq_attach(&self->v, b.r->index, 0, b.r->vectors,
				self->fds));
	EXPECT_TRUE(all_fire(&self->v, b.r, self->fds));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
