// SPDX-License-Identifier: GPL-2.0-only
/*
 * Message interrupts, MSI and MSI-X, raised by real registers of emulated
 * devices; the signals that have no hardware behind them, ERR and REQ; and
 * the producers that vectors offer to irq_bypass.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define MASK	VFIO_IRQ_SET_ACTION_MASK
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER
#define NONE	VFIO_IRQ_SET_DATA_NONE
#define BOOL	VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD	VFIO_IRQ_SET_DATA_EVENTFD

#define VECTORS_MAX	16
#define WATCHER		"/dev/ferry-bypass-test"

FIXTURE(vectors)
{
	struct vdev v;
	const struct raiser *r;
	__u32 index;
	unsigned int n;
	int fds[VECTORS_MAX];
};

FIXTURE_VARIANT(vectors)
{
	const struct raiser *raiser;
};

FIXTURE_VARIANT_ADD(vectors, edu_msi) { .raiser = &edu_msi };
FIXTURE_VARIANT_ADD(vectors, e1000e_msix) { .raiser = &e1000e_msix };
FIXTURE_VARIANT_ADD(vectors, igb_msix) { .raiser = &igb_msix };

FIXTURE_SETUP(vectors)
{
	const char *missing = device_missing(variant->raiser->device);
	unsigned int i;

	self->r = variant->raiser;
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, self->r->device));
	self->index = self->r->index;
	self->n = self->r->vectors;
	self->r->setup(&self->v);
	for (i = 0; i < VECTORS_MAX; i++) {
		self->fds[i] = efd_new();
		ASSERT_LE(0, self->fds[i]);
	}
}

FIXTURE_TEARDOWN(vectors)
{
	unsigned int i;

	for (i = 0; i < VECTORS_MAX; i++)
		close(self->fds[i]);
	vdev_close(&self->v);
}

/* The device raises vector @n: its eventfd must count one. */
static bool fires(FIXTURE_DATA(vectors) * self, unsigned int n, int efd)
{
	__u64 count;

	self->r->raise(&self->v, n);
	count = efd_wait(efd);
	self->r->ack(&self->v, n);
	return self->r->exact ? count == 1 : count > 0;
}

/* A loopback arrived; a device that sends one more may have added it. */
static bool came_once(FIXTURE_DATA(vectors) * self, unsigned int n)
{
	__u64 count = efd_wait(self->fds[n]);

	return self->r->exact ? count == 1 : count > 0;
}

/* Nothing is left to read from any eventfd. */
static bool all_quiet(FIXTURE_DATA(vectors) * self)
{
	unsigned int i;

	for (i = 0; i < VECTORS_MAX; i++)
		if (efd_take(self->fds[i]) && self->r->exact)
			return false;
	return true;
}

static bool all_fire(FIXTURE_DATA(vectors) * self)
{
	unsigned int i;

	for (i = 0; i < self->n; i++)
		if (!fires(self, i, self->fds[i]))
			return false;
	return all_quiet(self);
}

static int attach_all(FIXTURE_DATA(vectors) * self)
{
	return irq_attach(&self->v, self->index, 0, self->n, self->fds);
}

static bool resizable(FIXTURE_DATA(vectors) * self)
{
	struct vfio_irq_info info;

	return !irq_info(&self->v, self->index, &info) &&
	       !(info.flags & VFIO_IRQ_INFO_NORESIZE);
}

TEST_F(vectors, deliver)
{
	int i;

	ASSERT_EQ(0, attach_all(self));
	for (i = 0; i < 20; i++) {
		ASSERT_TRUE(all_fire(self)) {
			TH_LOG("round %d", i);
		}
	}
}

static bool msi_enabled(const char *bdf)
{
	unsigned int pos = pci_find_cap(bdf, PCI_CAP_ID_MSI);

	return pci_config_r16(bdf, pos + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE;
}

/* MSI that its user switches off in configuration space: @off is Message Control then. */
FIXTURE(switched_off)
{
	struct vdev v;
	unsigned int pos;
	__u16 off;
	int efd;
};

FIXTURE_SETUP(switched_off)
{
	const char *missing = device_missing("e1000e");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "e1000e"));
	self->efd = efd_new();
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_MSI_IRQ_INDEX, 0,
				    self->efd));
	self->pos = cfg_find_cap(&self->v, PCI_CAP_ID_MSI) + PCI_MSI_FLAGS;
	self->off = cfg_r16(&self->v, self->pos) & ~PCI_MSI_FLAGS_ENABLE;
	ASSERT_TRUE(msi_enabled(self->v.name));
}

FIXTURE_TEARDOWN(switched_off)
{
	vdev_close(&self->v);
	close(self->efd);
}

/* It is so after sleep. */
TEST_F(switched_off, asleep)
{
	if (driver_is_stock())
		SKIP(return, "the kernel's own driver forgets it");
	cfg_w16(&self->v, self->pos, self->off | PCI_MSI_FLAGS_ENABLE);
	EXPECT_TRUE(msi_enabled(self->v.name));
	cfg_power_state(&self->v, 3);
	cfg_power_state(&self->v, 0);
	EXPECT_TRUE(msi_enabled(self->v.name));
	cfg_w16(&self->v, self->pos, self->off);
	EXPECT_FALSE(msi_enabled(self->v.name));
	cfg_power_state(&self->v, 3);
	cfg_power_state(&self->v, 0);
	EXPECT_FALSE(msi_enabled(self->v.name));
}

/* Nor does it matter who has enabled it, or that the device was reset since. */
TEST_F(switched_off, reset)
{
	cfg_w16(&self->v, self->pos, self->off);
	EXPECT_FALSE(msi_enabled(self->v.name));
	cfg_w16(&self->v, self->pos, self->off | PCI_MSI_FLAGS_ENABLE);
	EXPECT_TRUE(msi_enabled(self->v.name));
	cfg_w16(&self->v, self->pos, self->off);
	ASSERT_EQ(0, vdev_reset(&self->v));
	if (!driver_is_stock())
		EXPECT_FALSE(msi_enabled(self->v.name));
	cfg_w16(&self->v, self->pos, self->off);
	EXPECT_FALSE(msi_enabled(self->v.name));
}

/* What the device has lost in a reset that nobody told of comes back with the next one. */
TEST_F(switched_off, lost)
{
	int hw = pci_config(self->v.name, O_WRONLY);

	ASSERT_LE(0, hw);
	ASSERT_EQ(2, pwrite(hw, &self->off, 2,
			    pci_find_cap(self->v.name, PCI_CAP_ID_MSI) +
			    PCI_MSI_FLAGS));
	close(hw);
	ASSERT_FALSE(msi_enabled(self->v.name));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_TRUE(msi_enabled(self->v.name));
}

/* A message that the device couldn't be told of when it was asleep, in its table. */
TEST(attached_asleep)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const char *missing = device_missing("nvme");
	__u32 table, address = 0, control = ~0U;
	int efd = efd_new();
	struct vdev v;
	void *map;

	if (missing)
		SKIP(return, "%s", missing);
	if (driver_is_stock())
		SKIP(return, "the kernel's own driver loses it");
	ASSERT_EQ(0, vdev_open_device(&v, "nvme"));
	cfg_command(&v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ASSERT_EQ(0, irq_attach_one(&v, VFIO_PCI_MSIX_IRQ_INDEX, 0, efd));
	cfg_power_state(&v, 3);
	ASSERT_EQ(0, irq_attach_one(&v, VFIO_PCI_MSIX_IRQ_INDEX, 1, efd));
	cfg_power_state(&v, 0);

	table = cfg_r32(&v, cfg_find_cap(&v, PCI_CAP_ID_MSIX) + PCI_MSIX_TABLE);
	ASSERT_EQ(0, table & PCI_MSIX_TABLE_BIR);
	ASSERT_EQ(0, region_map(&v, VFIO_PCI_BAR0_REGION_INDEX,
				table & ~(page - 1), page, PROT_READ,
				MAP_SHARED, &map));
	table &= page - 1;
	ASSERT_TRUE(map_read32(map, table + PCI_MSIX_ENTRY_SIZE, &address));
	ASSERT_TRUE(map_read32(map, table + PCI_MSIX_ENTRY_SIZE +
			       PCI_MSIX_ENTRY_VECTOR_CTRL, &control));
	EXPECT_NE(0, address);
	EXPECT_EQ(0, control & PCI_MSIX_ENTRY_CTRL_MASKBIT);
	munmap(map, page);
	vdev_close(&v);
	close(efd);
}

/*
 * /proc/interrupts names driver, number and device for each vector while it is enabled; under
 * the name of the kernel's own driver as that does, which programs look for.
 */
TEST_F(vectors, named)
{
	char last[96];

	snprintf(last, sizeof(last), "%s-msi%s[%u](%s)",
		 strcmp(driver_name(), "vfio-pci") ? "ferry" : "vfio",
		 self->index == VFIO_PCI_MSIX_IRQ_INDEX ? "x" : "",
		 self->n - 1, self->v.name);
	EXPECT_EQ(0, irq_lines(self->v.name));
	ASSERT_EQ(0, attach_all(self));
	EXPECT_EQ((int)self->n, irq_lines(self->v.name));
	EXPECT_EQ(1, irq_lines(last));
	ASSERT_EQ(0, irq_disable(&self->v, self->index));
	EXPECT_EQ(0, irq_lines(self->v.name));
	ASSERT_EQ(0, attach_all(self));
	vdev_close(&self->v);
	EXPECT_EQ(0, irq_lines(device_bdf(self->r->device)));
}

TEST_F(vectors, loopback)
{
	__u8 bools[VECTORS_MAX] = { 0 };
	unsigned int i;

	EXPECT_EQ(-EINVAL, irq_fire(&self->v, self->index, 0, 1));
	ASSERT_EQ(0, attach_all(self));
	ASSERT_EQ(0, irq_fire(&self->v, self->index, 0, self->n));
	for (i = 0; i < self->n; i++) {
		EXPECT_TRUE(came_once(self, i)) {
			TH_LOG("vector %u", i);
		}
	}

	bools[self->n - 1] = 1;
	ASSERT_EQ(0, irq_set(&self->v, BOOL | TRIGGER, self->index, 0,
			     self->n, bools, self->n));
	EXPECT_TRUE(came_once(self, self->n - 1));
	EXPECT_TRUE(all_quiet(self));

	/* A vector without an eventfd has nobody to tell: no error. */
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, -1));
	EXPECT_EQ(0, irq_fire(&self->v, self->index, 0, 1));
	EXPECT_TRUE(all_quiet(self));
	/* Nor does it come later. */
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[0]));
	EXPECT_TRUE(all_fire(self));
}

TEST_F(vectors, swap)
{
	int other = self->fds[VECTORS_MAX - 1];
	int i;

	ASSERT_EQ(0, attach_all(self));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, other));
		ASSERT_TRUE(fires(self, 0, other));
		ASSERT_TRUE(all_quiet(self));
		ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0,
					    self->fds[0]));
		ASSERT_TRUE(fires(self, 0, self->fds[0]));
		ASSERT_TRUE(all_quiet(self));
	}
	EXPECT_TRUE(all_fire(self));
}

/* One eventfd may carry many vectors. */
TEST_F(vectors, shared_eventfd)
{
	int fds[VECTORS_MAX];
	unsigned int i;

	for (i = 0; i < VECTORS_MAX; i++)
		fds[i] = self->fds[0];
	ASSERT_EQ(0, irq_attach(&self->v, self->index, 0, self->n, fds));
	for (i = 0; i < self->n; i++) {
		EXPECT_TRUE(fires(self, i, self->fds[0])) {
			TH_LOG("vector %u", i);
		}
	}
	ASSERT_EQ(0, attach_all(self));
	EXPECT_TRUE(all_fire(self));
}

/* How many interrupts of the device the kernel has counted, on all processors. */
static unsigned long irqs_counted(const char *bdf)
{
	FILE *f = fopen("/proc/interrupts", "re");
	unsigned long sum = 0, count;
	char line[4096], *at, *end;

	while (f && fgets(line, sizeof(line), f)) {
		at = strchr(line, ':');
		if (!at || !strstr(line, bdf))
			continue;
		for (at++; count = strtoul(at, &end, 10), end != at; at = end)
			sum += count;
	}
	if (f)
		fclose(f);
	return sum;
}

/* Raise vector 0, which has no eventfd, and see that it has arrived. */
static void raise_unheard(FIXTURE_DATA(vectors) * self)
{
	unsigned long before = irqs_counted(self->v.name);
	int tries = FERRY_TIMEOUT_MS;

	self->r->raise(&self->v, 0);
	self->r->ack(&self->v, 0);
	if (!self->r->exact || driver_is_stock())
		return;
	while (irqs_counted(self->v.name) == before && tries--)
		usleep(1000);
}

/*
 * What arrives while a vector has no eventfd is delivered once when it gets
 * one, however often it arrived.
 */
TEST_F(vectors, replay)
{
	__u64 count;
	int i, round;

	if (driver_is_stock() && self->index == VFIO_PCI_MSI_IRQ_INDEX)
		SKIP(return, "the kernel's own driver loses such an MSI");
	ASSERT_EQ(0, attach_all(self));
	for (round = 0; round < 10; round++) {
		ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, -1));
		/* One more from before, of a device that sends one more. */
		if (!self->r->exact)
			efd_take(self->fds[0]);
		for (i = 0; i < 3; i++)
			raise_unheard(self);
		ASSERT_EQ(0, efd_take(self->fds[0]));
		ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0,
					    self->fds[0]));
		count = efd_wait(self->fds[0]);
		ASSERT_LT(0, count);
		ASSERT_TRUE(count == 1 || !self->r->exact);
		ASSERT_TRUE(all_fire(self));
	}
	/* Nothing arrived, nothing is delivered. */
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, -1));
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[0]));
	EXPECT_TRUE(all_fire(self));
}

/* What arrived before a reset is no news after it. */
TEST_F(vectors, reset_forgets)
{
	if (driver_is_stock())
		SKIP(return, "the kernel's own driver keeps nothing, or has the device do it");
	ASSERT_EQ(0, attach_all(self));
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, -1));
	raise_unheard(self);
	if (vdev_reset(&self->v))
		SKIP(return, "no way to reset it");
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[0]));
	EXPECT_EQ(0, efd_take(self->fds[0]));
}

/* QEMU enables with no eventfds and attaches them when the guest asks. */
TEST_F(vectors, enable_empty)
{
	int none[VECTORS_MAX];

	memset(none, -1, sizeof(none));
	ASSERT_EQ(0, irq_attach(&self->v, self->index, 0, self->n, none));
	ASSERT_EQ(0, attach_all(self));
	EXPECT_TRUE(all_fire(self));
}

TEST_F(vectors, add_later)
{
	unsigned int i;

	if (self->n < 2)
		SKIP(return, "the device has one vector");
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[0]));
	if (!resizable(self)) {
		EXPECT_EQ(-EINVAL, irq_attach_one(&self->v, self->index, 1,
						  self->fds[1]));
		EXPECT_TRUE(fires(self, 0, self->fds[0]));
		EXPECT_EQ(1, irq_lines(self->v.name));
		return;
	}
	for (i = self->n - 1; i; i--) {
		ASSERT_EQ(0, irq_attach_one(&self->v, self->index, i,
					    self->fds[i]));
		EXPECT_TRUE(fires(self, i, self->fds[i]));
		EXPECT_TRUE(fires(self, 0, self->fds[0]));
	}
	EXPECT_TRUE(all_fire(self));
}

TEST_F(vectors, enable_again)
{
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(-EINVAL, irq_disable(&self->v, self->index));
		ASSERT_EQ(0, attach_all(self));
		ASSERT_TRUE(all_fire(self));
		ASSERT_EQ(0, irq_disable(&self->v, self->index));
	}
}

TEST_F(vectors, one_index_at_a_time)
{
	struct vfio_irq_info intx;

	ASSERT_EQ(0, irq_info(&self->v, VFIO_PCI_INTX_IRQ_INDEX, &intx));
	ASSERT_EQ(0, attach_all(self));
	EXPECT_EQ(-EINVAL, irq_attach_one(&self->v, VFIO_PCI_INTX_IRQ_INDEX,
					  0, self->fds[VECTORS_MAX - 1]));
	EXPECT_EQ(-EINVAL, irq_disable(&self->v, VFIO_PCI_INTX_IRQ_INDEX));
	EXPECT_TRUE(all_fire(self));
	ASSERT_EQ(0, irq_disable(&self->v, self->index));
	if (!intx.count)
		return;
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_INTX_IRQ_INDEX, 0,
				    self->fds[0]));
	EXPECT_EQ(-EINVAL, attach_all(self));
	EXPECT_EQ(1, irq_lines(self->v.name));
}

/* An update that fails part of the way leaves every vector as it was. */
TEST_F(vectors, failed_update)
{
	int fds[VECTORS_MAX];
	unsigned int i;

	if (driver_is_stock())
		SKIP(return, "the kernel's own driver drops the whole block");
	ASSERT_EQ(0, attach_all(self));
	for (i = 0; i < self->n; i++)
		fds[i] = self->fds[VECTORS_MAX - 1];
	fds[self->n - 1] = FERRY_NO_FD;
	EXPECT_EQ(-EBADF, irq_attach(&self->v, self->index, 0, self->n, fds));
	EXPECT_TRUE(all_fire(self));
	fds[self->n - 1] = STDERR_FILENO;
	EXPECT_EQ(-EINVAL, irq_attach(&self->v, self->index, 0, self->n,
				      fds));
	EXPECT_TRUE(all_fire(self));
	EXPECT_EQ((int)self->n, irq_lines(self->v.name));
}

/* An enable that fails leaves the device with no interrupts at all. */
TEST_F(vectors, failed_enable)
{
	int fds[VECTORS_MAX];

	memcpy(fds, self->fds, sizeof(fds));
	fds[self->n - 1] = STDERR_FILENO;
	EXPECT_EQ(-EINVAL, irq_attach(&self->v, self->index, 0, self->n,
				      fds));
	EXPECT_EQ(0, irq_lines(self->v.name));
	EXPECT_EQ(-EINVAL, irq_disable(&self->v, self->index));
	ASSERT_EQ(0, attach_all(self));
	EXPECT_TRUE(all_fire(self));
}

/* Whatever is refused leaves every vector as it was. */
TEST_F(vectors, refusals)
{
	int *fds = &self->fds[VECTORS_MAX - 2];
	struct vfio_irq_info info;
	__u32 n, me = self->index;

	ASSERT_EQ(0, irq_info(&self->v, me, &info));
	n = info.count;
	const struct {
		__u32 flags, index, start, count;
		const void *data;
		size_t len;
		int err;
	} cases[] = {
		{ NONE | TRIGGER, me, n, 1, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, me, n - 1, 2, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, me, 0, n + 1, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, me, 0, ~0U, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, me, 1, ~0U, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, me, ~0U, 1, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, me, ~0U, 2, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, me, ~0U, ~0U, NULL, 0, -EINVAL },
		{ NONE | MASK, me, 0, 1, NULL, 0, -ENOTTY },
		{ NONE | UNMASK, me, 0, 1, NULL, 0, -ENOTTY },
		{ EVENTFD | MASK, me, 0, 1, fds, 4, -ENOTTY },
		{ EVENTFD | UNMASK, me, 0, 1, fds, 4, -ENOTTY },
		{ NONE, me, 0, 1, NULL, 0, -ENOTTY },
		{ TRIGGER, me, 0, 1, NULL, 0, -EINVAL },
		{ 0, me, 0, 0, NULL, 0, -EINVAL },
		{ NONE | BOOL | TRIGGER, me, 0, 1, "\1", 1, -EINVAL },
		{ BOOL | EVENTFD | TRIGGER, me, 0, 1, fds, 4, -EINVAL },
		{ NONE | EVENTFD | TRIGGER, me, 0, 1, fds, 4, -EINVAL },
		{ NONE | MASK | TRIGGER, me, 0, 1, NULL, 0, -ENOTTY },
		{ NONE | TRIGGER | 0x40, me, 0, 1, NULL, 0, -EINVAL },
		{ NONE | TRIGGER | 0x80000000U, me, 0, 0, NULL, 0, -EINVAL },
		{ BOOL | TRIGGER, me, 0, 1, NULL, 0, -EINVAL },
		{ EVENTFD | TRIGGER, me, 0, 1, fds, 3, -EINVAL },
		{ EVENTFD | TRIGGER, me, n - 1, 2, fds, 8, -EINVAL },
		{ EVENTFD | TRIGGER, me, n, 1, fds, 4, -EINVAL },
		{ NONE | TRIGGER, VFIO_PCI_NUM_IRQS, 0, 1, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, VFIO_PCI_NUM_IRQS, 0, 0, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, ~0U, 0, 1, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, 0x80000000U, 0, 0, NULL, 0, -EINVAL },
		{ NONE | TRIGGER, VFIO_PCI_INTX_IRQ_INDEX, 0, 0, NULL, 0,
		  -EINVAL },
		{ NONE | UNMASK, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, NULL, 0,
		  -EINVAL },
	};
	size_t i;

	ASSERT_EQ(0, attach_all(self));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(cases[i].err,
			  irq_set(&self->v, cases[i].flags, cases[i].index,
				  cases[i].start, cases[i].count,
				  cases[i].data, cases[i].len)) {
			TH_LOG("case %zu", i);
		}
		ASSERT_TRUE(all_fire(self)) {
			TH_LOG("changed by case %zu", i);
		}
	}
}

/* Sizes that lie, and memory that is not there. */
TEST_F(vectors, refused_sizes)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	struct vfio_irq_set set = {
		.flags = NONE | TRIGGER,
		.index = self->index,
		.count = 1,
	}, *edge;
	void *map;

	ASSERT_EQ(0, attach_all(self));
	for (set.argsz = 0; set.argsz < sizeof(set); set.argsz++) {
		EXPECT_EQ(-EINVAL, fd_ioctl(self->v.fd, VFIO_DEVICE_SET_IRQS,
					    &set)) {
			TH_LOG("argsz %u", set.argsz);
		}
	}
	ASSERT_TRUE(all_fire(self));
	EXPECT_EQ(-EFAULT, fd_ioctl(self->v.fd, VFIO_DEVICE_SET_IRQS, NULL));

	/* The eventfds would be in a page that does not exist. */
	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, munmap((char *)map + page, page));
	edge = (void *)((char *)map + page - sizeof(*edge));
	*edge = set;
	edge->flags = EVENTFD | TRIGGER;
	edge->argsz = sizeof(*edge) + 4;
	EXPECT_EQ(-EFAULT, fd_ioctl(self->v.fd, VFIO_DEVICE_SET_IRQS, edge));
	ASSERT_TRUE(all_fire(self));

	/* A long argsz promises no more than it needs. */
	edge->flags = NONE | TRIGGER;
	edge->argsz = ~0U;
	EXPECT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_SET_IRQS, edge));
	EXPECT_TRUE(came_once(self, 0));
	ASSERT_TRUE(all_fire(self));
}

/* No eventfds at all are no change, or an error: never less interrupts. */
TEST_F(vectors, count_zero)
{
	int ret;

	EXPECT_GT(0, irq_attach(&self->v, self->index, 0, 0, self->fds));
	EXPECT_EQ(0, irq_lines(self->v.name));
	ASSERT_EQ(0, attach_all(self));
	ret = irq_attach(&self->v, self->index, 0, 0, self->fds);
	EXPECT_TRUE(ret == 0 || ret == -EINVAL);
	EXPECT_TRUE(all_fire(self));
}

/* Map the page that the MSI-X table begins in, and say where in it. */
static int map_table(const struct vdev *v, size_t page, void **map,
		     unsigned int *table)
{
	unsigned int pos = cfg_find_cap(v, PCI_CAP_ID_MSIX);
	__u32 where = cfg_r32(v, pos + PCI_MSIX_TABLE);
	__u32 offset = where & PCI_MSIX_TABLE_OFFSET;

	*table = offset & (page - 1);
	return region_map(v, where & PCI_MSIX_TABLE_BIR, offset - *table, page,
			  PROT_READ | PROT_WRITE, MAP_SHARED, map);
}

/*
 * A reset that went around the driver cleared the vector table: attaching
 * an eventfd writes the vector anew.
 */
TEST_F(vectors, lost_message)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	unsigned int table;
	void *map;
	int i;

	if (self->index != VFIO_PCI_MSIX_IRQ_INDEX)
		SKIP(return, "MSI has no table");
	ASSERT_EQ(0, attach_all(self));
	ASSERT_EQ(0, map_table(&self->v, page, &map, &table));
	for (i = 0; i < 3; i++) {
		int efd = self->fds[i & 1 ? 0 : VECTORS_MAX - 1];

		ASSERT_TRUE(map_write32(map, table + PCI_MSIX_ENTRY_LOWER_ADDR,
					0xfee00000));
		ASSERT_TRUE(map_write32(map, table + PCI_MSIX_ENTRY_DATA, 0));
		ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, -1));
		ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, efd));
		efd_take(efd);
		EXPECT_TRUE(fires(self, 0, efd));
	}
	/* And straight from one eventfd to the next. */
	ASSERT_TRUE(map_write32(map, table + PCI_MSIX_ENTRY_LOWER_ADDR,
				0xfee00000));
	ASSERT_TRUE(map_write32(map, table + PCI_MSIX_ENTRY_DATA, 0));
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[0]));
	EXPECT_TRUE(fires(self, 0, self->fds[0]));
	munmap(map, page);
}

/*
 * Attaching writes the table even when the user has switched memory off, which
 * stays off.
 */
TEST_F(vectors, attached_while_memory_is_off)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	unsigned int table;
	void *map;
	__u32 val;

	if (self->index != VFIO_PCI_MSIX_IRQ_INDEX)
		SKIP(return, "MSI has no table");
	if (driver_is_stock())
		SKIP(return, "the kernel's own loses what it writes then");
	ASSERT_EQ(0, attach_all(self));
	ASSERT_EQ(0, map_table(&self->v, page, &map, &table));
	ASSERT_TRUE(map_write32(map, table + PCI_MSIX_ENTRY_LOWER_ADDR,
				0xfee00000));
	ASSERT_TRUE(map_write32(map, table + PCI_MSIX_ENTRY_DATA, 0));

	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, -1));
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[0]));
	EXPECT_FALSE(map_read32(map, table, &val));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	efd_take(self->fds[0]);
	EXPECT_TRUE(fires(self, 0, self->fds[0]));
	munmap(map, page);
}

/* Something has masked the vector in the table: attaching unmasks it. */
TEST_F(vectors, masked_in_the_table)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	unsigned int table;
	void *map;

	if (self->index != VFIO_PCI_MSIX_IRQ_INDEX)
		SKIP(return, "MSI has no table");
	ASSERT_EQ(0, attach_all(self));
	ASSERT_EQ(0, map_table(&self->v, page, &map, &table));
	table += PCI_MSIX_ENTRY_VECTOR_CTRL;
	ASSERT_TRUE(map_write32(map, table, PCI_MSIX_ENTRY_CTRL_MASKBIT));
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[1]));
	EXPECT_TRUE(fires(self, 0, self->fds[1]));

	ASSERT_TRUE(map_write32(map, table, PCI_MSIX_ENTRY_CTRL_MASKBIT));
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, -1));
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[0]));
	efd_take(self->fds[0]);
	EXPECT_TRUE(fires(self, 0, self->fds[0]));
	munmap(map, page);
}

struct juggle {
	const struct vdev *v;
	__u32 index;
	const int *fds;
	bool stop;
	int err;
};

/* Hands vector 0 from one eventfd to another, sometimes to nobody. */
static void *juggler(void *arg)
{
	const int order[] = { 0, 1, -1, 1, 0, -1 };
	struct juggle *j = arg;
	unsigned int i;
	int to;

	for (i = 0; !__atomic_load_n(&j->stop, __ATOMIC_ACQUIRE); i++) {
		to = order[i % ARRAY_SIZE(order)];
		j->err = irq_attach_one(j->v, j->index, 0,
					to < 0 ? -1 : j->fds[to]);
		if (j->err)
			break;
	}
	irq_attach_one(j->v, j->index, 0, j->fds[0]);
	return NULL;
}

/*
 * No interrupt is lost while the vector changes hands, and none is delivered
 * twice.
 */
TEST_F(vectors, juggled)
{
	struct juggle j = {
		.v = &self->v, .index = self->index, .fds = self->fds,
	};
	struct pollfd pfds[2] = {
		{ .fd = self->fds[0], .events = POLLIN },
		{ .fd = self->fds[1], .events = POLLIN },
	};
	__u64 delivered = 0;
	pthread_t thread;
	int i;

	if (driver_is_stock() && self->index == VFIO_PCI_MSI_IRQ_INDEX)
		SKIP(return, "the kernel's own driver loses such an MSI");
	ASSERT_EQ(0, attach_all(self));
	ASSERT_EQ(0, pthread_create(&thread, NULL, juggler, &j));
	for (i = 0; i < 200; i++) {
		self->r->raise(&self->v, 0);
		if (poll(pfds, 2, FERRY_TIMEOUT_MS) < 1)
			break;
		self->r->ack(&self->v, 0);
		delivered += efd_take(self->fds[0]) + efd_take(self->fds[1]);
	}
	__atomic_store_n(&j.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	delivered += efd_take(self->fds[0]) + efd_take(self->fds[1]);
	EXPECT_EQ(200, i);
	EXPECT_EQ(0, j.err);
	if (self->r->exact)
		EXPECT_EQ(200, delivered);
}

/* Enables the vector, hands it around and disables it. */
static void *demolisher(void *arg)
{
	struct juggle *j = arg;

	while (!j->err && !__atomic_load_n(&j->stop, __ATOMIC_ACQUIRE)) {
		j->err = irq_attach_one(j->v, j->index, 0, j->fds[0]) ?:
			 irq_attach_one(j->v, j->index, 0, j->fds[1]) ?:
			 irq_attach_one(j->v, j->index, 0, -1) ?:
			 irq_attach_one(j->v, j->index, 0, j->fds[2]) ?:
			 irq_disable(j->v, j->index);
	}
	return NULL;
}

/* Interrupts arrive at any moment of a vector's life. */
TEST_F(vectors, torn_down)
{
	struct juggle j = {
		.v = &self->v, .index = self->index, .fds = self->fds,
	};
	pthread_t thread;
	int i;

	if (!self->r->exact)
		SKIP(return, "the device remembers what it raised while MSI-X was off");
	ASSERT_EQ(0, pthread_create(&thread, NULL, demolisher, &j));
	for (i = 0; i < 500; i++) {
		self->r->raise(&self->v, 0);
		self->r->ack(&self->v, 0);
	}
	__atomic_store_n(&j.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, j.err);
	EXPECT_EQ(0, irq_lines(self->v.name));

	/* What was pending went with the vector, and in the device by a reset. */
	for (i = 0; i < 3; i++)
		efd_take(self->fds[i]);
	ASSERT_EQ(0, vdev_reset(&self->v));
	self->r->setup(&self->v);
	ASSERT_EQ(0, attach_all(self));
	EXPECT_TRUE(all_fire(self));
}

/*
 * The kernel switches decoding on for a moment where a vector comes or goes. That is never
 * undone after the user has switched it on himself, when his mappings may be used.
 */
TEST_F(vectors, decoding_meanwhile)
{
	struct juggle j = {
		.v = &self->v, .index = self->index, .fds = self->fds,
	};
	int i, k, hw, n = rounds(200);
	pthread_t thread;
	__u16 command;

	hw = pci_config(self->v.name, O_RDONLY);
	ASSERT_LE(0, hw);
	ASSERT_EQ(0, pthread_create(&thread, NULL, demolisher, &j));
	for (i = 0; i < n; i++) {
		cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
		cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
		for (k = 0; k < 10; k++) {
			if (pread(hw, &command, 2, PCI_COMMAND) != 2 ||
			    !(command & PCI_COMMAND_MEMORY))
				break;
		}
		if (k < 10)
			break;
	}
	__atomic_store_n(&j.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	close(hw);
	EXPECT_EQ(n, i);
	EXPECT_EQ(0, j.err);
}

/*
 * irq_bypass: the helper module ferry-bypass-test registers as consumer.
 */
struct pairing {
	int paired, irq;
	unsigned int pairings, partings;
};

static int watch(int efd)
{
	char text[16];
	int fd = open(WATCHER, O_RDWR | O_CLOEXEC);
	int len = snprintf(text, sizeof(text), "%d", efd);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) == len)
		return fd;
	close(fd);
	return -EIO;
}

static struct pairing pairing(int fd)
{
	struct pairing p = { .paired = -1 };
	char text[128] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) > 0)
		sscanf(text, "paired=%d irq=%d pairings=%u partings=%u",
		       &p.paired, &p.irq, &p.pairings, &p.partings);
	return p;
}

/* The number in front of the device's only line of /proc/interrupts. */
static int only_irq(const char *bdf)
{
	FILE *f = fopen("/proc/interrupts", "re");
	char line[4096];
	int irq = -1;

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, bdf))
			irq = irq < 0 ? atoi(line) : 0;
	if (f)
		fclose(f);
	return irq;
}

TEST_F(vectors, bypass)
{
	int before, after;
	struct pairing p;

	if (!path_exists(WATCHER))
		SKIP(return, "module ferry-bypass-test is not loaded");

	/* The consumer comes first, then the producer. */
	before = watch(self->fds[0]);
	ASSERT_LE(0, before);
	EXPECT_EQ(0, pairing(before).paired);
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[0]));
	p = pairing(before);
	EXPECT_EQ(1, p.paired);
	EXPECT_LT(0, p.irq);
	EXPECT_EQ(only_irq(self->v.name), p.irq);

	/* Handed on to an eventfd that a second consumer waits for. */
	after = watch(self->fds[1]);
	ASSERT_LE(0, after);
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[1]));
	EXPECT_EQ(0, pairing(before).paired);
	EXPECT_EQ(1, pairing(before).partings);
	EXPECT_EQ(1, pairing(after).paired);
	EXPECT_EQ(p.irq, pairing(after).irq);
	EXPECT_TRUE(fires(self, 0, self->fds[1]));

	/* Taken away. */
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, -1));
	EXPECT_EQ(0, pairing(after).paired);

	/* Given back, and the whole index disabled. */
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[1]));
	EXPECT_EQ(1, pairing(after).paired);
	ASSERT_EQ(0, irq_disable(&self->v, self->index));
	EXPECT_EQ(0, pairing(after).paired);
	EXPECT_EQ(2, pairing(after).partings);
	close(after);

	/* The producer comes first, then the consumer, then the end. */
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[2]));
	after = watch(self->fds[2]);
	ASSERT_LE(0, after);
	EXPECT_EQ(1, pairing(after).paired);
	vdev_close(&self->v);
	EXPECT_EQ(0, pairing(after).paired);
	EXPECT_EQ(1, pairing(after).partings);
	close(after);
	close(before);
}

struct watching {
	int efd;
	bool stop;
	int err;
};

/* A consumer that comes and goes. */
static void *passer_by(void *arg)
{
	struct watching *w = arg;
	int fd;

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		fd = watch(w->efd);
		if (fd < 0) {
			w->err = fd;
			break;
		}
		pairing(fd);
		close(fd);
	}
	return NULL;
}

/*
 * Consumers come and go while the vector changes hands: in the end each is
 * paired with the vector that ends in its eventfd, or with none.
 */
TEST_F(vectors, bypass_juggled)
{
	struct juggle j = {
		.v = &self->v, .index = self->index, .fds = self->fds,
	};
	struct watching w = { .efd = self->fds[1] };
	pthread_t juggling, watching;
	int here, i;

	if (!path_exists(WATCHER))
		SKIP(return, "module ferry-bypass-test is not loaded");
	here = watch(self->fds[0]);
	ASSERT_LE(0, here);
	ASSERT_EQ(0, irq_attach_one(&self->v, self->index, 0, self->fds[0]));
	ASSERT_EQ(0, pthread_create(&juggling, NULL, juggler, &j));
	ASSERT_EQ(0, pthread_create(&watching, NULL, passer_by, &w));
	for (i = 0; i < 200; i++) {
		self->r->raise(&self->v, 0);
		self->r->ack(&self->v, 0);
	}
	__atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
	__atomic_store_n(&j.stop, true, __ATOMIC_RELEASE);
	pthread_join(watching, NULL);
	pthread_join(juggling, NULL);
	EXPECT_EQ(0, j.err);
	EXPECT_EQ(0, w.err);

	EXPECT_EQ(1, pairing(here).paired);
	EXPECT_EQ(only_irq(self->v.name), pairing(here).irq);
	i = watch(self->fds[1]);
	ASSERT_LE(0, i);
	EXPECT_EQ(0, pairing(i).paired);
	close(i);
	ASSERT_EQ(0, irq_disable(&self->v, self->index));
	EXPECT_EQ(0, pairing(here).paired);
	EXPECT_EQ(pairing(here).pairings, pairing(here).partings);
	close(here);
}

/* Every vector has a producer of its own. */
TEST_F(vectors, bypass_each)
{
	int watchers[VECTORS_MAX];
	unsigned int i, j;

	if (!path_exists(WATCHER))
		SKIP(return, "module ferry-bypass-test is not loaded");
	for (i = 0; i < self->n; i++) {
		watchers[i] = watch(self->fds[i]);
		ASSERT_LE(0, watchers[i]);
	}
	ASSERT_EQ(0, attach_all(self));
	for (i = 0; i < self->n; i++) {
		EXPECT_EQ(1, pairing(watchers[i]).paired);
		for (j = 0; j < i; j++) {
			EXPECT_NE(pairing(watchers[j]).irq,
				  pairing(watchers[i]).irq) {
				TH_LOG("vectors %u and %u", j, i);
			}
		}
	}
	EXPECT_TRUE(all_fire(self));
	ASSERT_EQ(0, irq_disable(&self->v, self->index));
	for (i = 0; i < self->n; i++) {
		EXPECT_EQ(0, pairing(watchers[i]).paired);
		close(watchers[i]);
	}
}

/* The signals that have no vector behind them. */
FIXTURE(signals)
{
	struct vdev v;
	int efd;
};

FIXTURE_VARIANT(signals)
{
	const char *device;
	__u32 index;
};

FIXTURE_VARIANT_ADD(signals, edu_req)
{
	.device = "edu", .index = VFIO_PCI_REQ_IRQ_INDEX,
};

FIXTURE_VARIANT_ADD(signals, e1000e_err)
{
	.device = "e1000e", .index = VFIO_PCI_ERR_IRQ_INDEX,
};

FIXTURE_VARIANT_ADD(signals, nvme_err)
{
	.device = "nvme", .index = VFIO_PCI_ERR_IRQ_INDEX,
};

FIXTURE_VARIANT_ADD(signals, nvme_req)
{
	.device = "nvme", .index = VFIO_PCI_REQ_IRQ_INDEX,
};

FIXTURE_VARIANT_ADD(signals, uart_req)
{
	.device = "uart", .index = VFIO_PCI_REQ_IRQ_INDEX,
};

FIXTURE_SETUP(signals)
{
	const char *missing = device_missing(variant->device);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(signals)
{
	close(self->efd);
	vdev_close(&self->v);
}

TEST_F(signals, attach)
{
	__u32 index = variant->index;
	__u8 no = 0, yes = 1;

	EXPECT_EQ(-EINVAL, irq_fire(&self->v, index, 0, 1));
	ASSERT_EQ(0, irq_attach_one(&self->v, index, 0, self->efd));
	ASSERT_EQ(0, irq_fire(&self->v, index, 0, 1));
	EXPECT_EQ(1, efd_wait(self->efd));
	ASSERT_EQ(0, irq_set(&self->v, BOOL | TRIGGER, index, 0, 1, &no, 1));
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(0, irq_set(&self->v, BOOL | TRIGGER, index, 0, 1, &yes, 1));
	EXPECT_EQ(1, efd_wait(self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->v, index, 0, -1));
	EXPECT_EQ(-EINVAL, irq_fire(&self->v, index, 0, 1));
	ASSERT_EQ(0, irq_attach_one(&self->v, index, 0, self->efd));
	ASSERT_EQ(0, irq_disable(&self->v, index));
	EXPECT_EQ(-EINVAL, irq_fire(&self->v, index, 0, 1));
	EXPECT_EQ(0, efd_take(self->efd));
}

/* They are independent of the index that interrupts use. */
TEST_F(signals, beside_intx)
{
	struct vfio_irq_info info;
	int intx = efd_new();

	ASSERT_EQ(0, irq_info(&self->v, VFIO_PCI_INTX_IRQ_INDEX, &info));
	if (!info.count)
		SKIP(return, "no INTx");
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_INTX_IRQ_INDEX, 0,
				    intx));
	ASSERT_EQ(0, irq_attach_one(&self->v, variant->index, 0, self->efd));
	ASSERT_EQ(0, irq_fire(&self->v, variant->index, 0, 1));
	EXPECT_EQ(1, efd_wait(self->efd));
	ASSERT_EQ(0, irq_disable(&self->v, VFIO_PCI_INTX_IRQ_INDEX));
	ASSERT_EQ(0, irq_fire(&self->v, variant->index, 0, 1));
	EXPECT_EQ(1, efd_wait(self->efd));
	close(intx);
}

TEST_F(signals, refusals)
{
	__u32 index = variant->index;
	int fds[2], i;

	fds[0] = efd_new();
	fds[1] = efd_new();
	ASSERT_EQ(0, irq_attach_one(&self->v, index, 0, self->efd));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-EINVAL, irq_attach(&self->v, index, 0, 2, fds));
		EXPECT_EQ(-EINVAL, irq_attach(&self->v, index, 1, 1, fds));
		EXPECT_EQ(-EINVAL, irq_attach(&self->v, index, 0, 0, fds));
		EXPECT_EQ(-EINVAL, irq_fire(&self->v, index, 0, ~0U));
		EXPECT_EQ(-EINVAL, irq_fire(&self->v, index, ~0U, 1));
		EXPECT_EQ(-EBADF, irq_attach_one(&self->v, index, 0,
						 FERRY_NO_FD));
		EXPECT_EQ(-EINVAL, irq_attach_one(&self->v, index, 0,
						  STDERR_FILENO));
		EXPECT_EQ(-EINVAL, irq_attach_one(&self->v, index, 0, -2));
		EXPECT_EQ(-ENOTTY, irq_act(&self->v, index, MASK));
		EXPECT_EQ(-ENOTTY, irq_act(&self->v, index, UNMASK));
		EXPECT_EQ(-EINVAL, irq_set(&self->v, BOOL | TRIGGER, index, 0,
					   0, NULL, 0));
		ASSERT_EQ(0, irq_fire(&self->v, index, 0, 1));
		EXPECT_EQ(1, efd_wait(self->efd));
	}
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
