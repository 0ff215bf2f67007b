// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocations and copies that fail, one after another, in all that can be done to a
 * function that is open. It then does as it is told, or says why not and is what it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/failing.h"
#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER
#define EVENTFD	VFIO_IRQ_SET_DATA_EVENTFD

#define PAGE		4096
#define VECTORS_MAX	16
#define FEATURE_DMA_BUF	11

/* A register of the device with a value that stays. */
static const struct {
	const char *device;
	__u64 reg;
} steady[] = {
	{ "edu", EDU_ID },
	{ "igb", 8 },
	{ "ivshmem", 8 },
	{ NULL, 0 },
};

/* What a sweep works on. */
struct job {
	struct vdev v;
	__u64 config;
	__u64 bar;
	__u64 reg;
	/* What is read there. */
	__u32 id;
	__u32 word;
	/* Of interrupts: the index, what is asked for, and where it goes. */
	__u32 index;
	__u32 action;
	__u32 start;
	__u32 count;
	int efd[VECTORS_MAX];
	int other;
	/* Of regions. */
	__u64 at;
	size_t len;
	__u8 want[PAGE];
	__u8 got[PAGE];
	void *map;
	int fd;
};

static int job_open(struct job *j, const char *device)
{
	int i = 0, ret;

	while (strcmp(steady[i].device, device))
		i++;
	memset(j, 0, sizeof(*j));
	ret = vdev_open_device(&j->v, device);
	if (ret)
		return ret;
	cfg_command(&j->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	j->config = region_offset(&j->v, CONFIG);
	j->bar = region_offset(&j->v, BAR0);
	j->reg = j->bar + steady[i].reg;
	j->id = cfg_r32(&j->v, PCI_VENDOR_ID);
	j->word = region_r32(&j->v, BAR0, steady[i].reg);
	for (i = 0; i < VECTORS_MAX; i++)
		j->efd[i] = efd_new();
	j->other = efd_new();
	j->fd = -1;
	return j->other < 0 ? j->other : 0;
}

static void job_close(struct job *j)
{
	int i;

	for (i = 0; i < VECTORS_MAX; i++)
		close(j->efd[i]);
	close(j->other);
	vdev_close(&j->v);
}

/* Config space and registers are what they were. */
static bool works(void *ctx, bool done)
{
	struct job *j = ctx;
	__u32 id, word;

	(void)done;
	return pread(j->v.fd, &id, 4, j->config + PCI_VENDOR_ID) == 4 &&
	       id == j->id && pread(j->v.fd, &word, 4, j->reg) == 4 &&
	       word == j->word;
}

/* MSI can be had, and comes, and goes. */
static bool rings(struct job *j)
{
	return !irq_attach_one(&j->v, MSI, 0, j->other) &&
	       !irq_fire(&j->v, MSI, 0, 1) && efd_take(j->other) == 1 &&
	       !irq_disable(&j->v, MSI);
}

static bool works_and_rings(void *ctx, bool done)
{
	return works(ctx, done) && rings(ctx);
}

FIXTURE(failing)
{
	struct job j;
};

FIXTURE_SETUP(failing)
{
	const char *missing = device_missing("edu") ?: failing_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, job_open(&self->j, "edu"));
}

FIXTURE_TEARDOWN(failing)
{
	job_close(&self->j);
}

/* Information: with room for capabilities behind it. */

static int get_info(void *ctx)
{
	struct {
		struct vfio_device_info info;
		__u8 room[256];
	} arg = { .info.argsz = sizeof(arg) };
	struct job *j = ctx;

	return fd_ioctl(j->v.fd, VFIO_DEVICE_GET_INFO, &arg);
}

static int get_region_info(void *ctx)
{
	struct {
		struct vfio_region_info info;
		__u8 room[256];
	} arg = {};
	struct job *j = ctx;
	int ret;

	for (; arg.info.index < VFIO_PCI_VGA_REGION_INDEX; arg.info.index++) {
		arg.info.argsz = sizeof(arg);
		ret = fd_ioctl(j->v.fd, VFIO_DEVICE_GET_REGION_INFO, &arg);
		if (ret)
			return ret;
	}
	return 0;
}

static int get_irq_info(void *ctx)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = MSI };
	struct job *j = ctx;

	return fd_ioctl(j->v.fd, VFIO_DEVICE_GET_IRQ_INFO, &info);
}

static int get_hot_reset_info(void *ctx)
{
	struct {
		struct vfio_pci_hot_reset_info info;
		struct vfio_pci_dependent_device devices[8];
	} arg = { .info.argsz = sizeof(arg) };
	struct job *j = ctx;

	return fd_ioctl(j->v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &arg);
}

TEST_F(failing, info)
{
	struct sweep s[] = {
		{ .what = "GET_INFO", .call = get_info, .optional = true },
		{ .what = "GET_REGION_INFO", .call = get_region_info,
		  .optional = true },
		{ .what = "GET_IRQ_INFO", .call = get_irq_info,
		  .optional = true },
		{ .what = "GET_PCI_HOT_RESET_INFO", .call = get_hot_reset_info },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(s); i++) {
		s[i].ctx = &self->j;
		s[i].check = works;
		EXPECT_TRUE(sweep(&s[i]));
	}
}

/* Regions: bytes that have come are right, however few. */

static int do_read(void *ctx)
{
	struct job *j = ctx;
	ssize_t ret;

	memset(j->got, 0xee, sizeof(j->got));
	ret = pread(j->v.fd, j->got, j->len, j->at);
	if (ret > 0)
		return memcmp(j->got, j->want, ret) ? -EBADMSG : ret;
	return ret ? -errno : -ENODATA;
}

static int do_write(void *ctx)
{
	struct job *j = ctx;
	ssize_t ret = pwrite(j->v.fd, j->want, j->len, j->at);

	return ret > 0 ? ret : ret ? -errno : -ENODATA;
}

static bool sweep_access(struct job *j, const char *what, __u64 at, size_t len,
			 bool write)
{
	struct sweep s = {
		.what = what,
		.call = write ? do_write : do_read,
		.check = works,
		.ctx = j,
		.optional = true,
	};

	j->at = at;
	j->len = len;
	return pread(j->v.fd, j->want, len, at) == (ssize_t)len && sweep(&s);
}

TEST_F(failing, region)
{
	struct job *j = &self->j;

	EXPECT_TRUE(sweep_access(j, "read config", j->config, 256, false));
	EXPECT_TRUE(sweep_access(j, "write config", j->config, 64, true));
	EXPECT_TRUE(sweep_access(j, "read BAR", j->bar, 12, false));
	EXPECT_TRUE(sweep_access(j, "write BAR", j->bar, 12, true));
}

/* A page fault that gets no memory is made again: the value comes in the end. */
static int map_and_touch(void *ctx)
{
	struct job *j = ctx;
	__u32 val;

	j->map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, j->v.fd,
		      j->bar);
	if (j->map == MAP_FAILED)
		return -errno;
	if (map_read32(j->map, j->reg - j->bar, &val) && val == j->word)
		return 0;
	munmap(j->map, PAGE);
	return -EIO;
}

static int unmap(void *ctx)
{
	struct job *j = ctx;

	return munmap(j->map, PAGE);
}

TEST_F(failing, mmap)
{
	struct sweep s = {
		.what = "mmap and a page fault",
		.call = map_and_touch,
		.undo = unmap,
		.check = works,
		.ctx = &self->j,
	};

	EXPECT_TRUE(sweep(&s));
}

/* Interrupts. */

/*
 * The kernel's MSI core says ENOSPC when one has no memory, or how many can be had if
 * some were.
 */
static const int no_vectors[] = { -ENOSPC, 0 };

static int attach(void *ctx)
{
	struct job *j = ctx;
	int ret = irq_set(&j->v, EVENTFD | j->action, j->index, j->start,
			  j->count, j->efd, j->count * sizeof(*j->efd));

	return ret > 0 ? -ENOSPC : ret;
}

static int disable(void *ctx)
{
	struct job *j = ctx;

	return irq_disable(&j->v, j->index);
}

/*
 * kmemleak takes whatever looks like a pointer for one, and there may be a stale one to an
 * eventfd. Not to each of many.
 */
static void renew(struct job *j)
{
	__u32 i;

	for (i = 0; i < j->count; i++) {
		close(j->efd[i]);
		j->efd[i] = efd_new();
	}
}

/* All eventfds are signalled, or none, and the device has its vectors, or none. */
static bool attached(void *ctx, bool done)
{
	struct job *j = ctx;
	__u32 i;

	if (!works(j, done) ||
	    !irq_fire(&j->v, j->index, j->start, j->count) != done ||
	    irq_lines(j->v.name) != (done ? (int)j->count : 0))
		return false;
	for (i = 0; i < j->count; i++)
		if (efd_take(j->efd[i]) != done)
			return false;
	if (!done)
		renew(j);
	return true;
}

static struct sweep sweep_attach(struct job *j, __u32 index, __u32 start,
				 __u32 count)
{
	j->index = index;
	j->action = TRIGGER;
	j->start = start;
	j->count = count;
	return (struct sweep) {
		.what = "SET_IRQS, eventfds",
		.call = attach,
		.undo = disable,
		.check = attached,
		.ctx = j,
		.others = no_vectors,
	};
}

TEST_F(failing, intx)
{
	struct sweep s = sweep_attach(&self->j, INTX, 0, 1);

	EXPECT_TRUE(sweep(&s));
}

TEST_F(failing, msi)
{
	struct sweep s = sweep_attach(&self->j, MSI, 0, 1);

	EXPECT_TRUE(sweep(&s));
	s.onwards = true;
	EXPECT_TRUE(sweep(&s));
}

/* The eventfd of a vector that has one. */
static int swap(void *ctx)
{
	struct job *j = ctx;

	return irq_attach_one(&j->v, j->index, 0, j->other);
}

static int swap_back(void *ctx)
{
	struct job *j = ctx;

	return irq_attach_one(&j->v, j->index, 0, j->efd[0]);
}

static bool swapped(void *ctx, bool done)
{
	struct job *j = ctx;

	return works(j, done) && !irq_fire(&j->v, j->index, 0, 1) &&
	       efd_take(j->efd[0]) == !done && efd_take(j->other) == done;
}

static int drop(void *ctx)
{
	struct job *j = ctx;

	return irq_attach_one(&j->v, j->index, 0, -1);
}

static bool dropped(void *ctx, bool done)
{
	struct job *j = ctx;

	irq_fire(&j->v, j->index, 0, 1);
	return works(j, done) && efd_take(j->efd[0]) == !done;
}

/* Eventfds that are let go need a moment, with memory or without. */
TEST_F(failing, other_eventfd)
{
	const __u32 indexes[] = { INTX, MSI, REQ };
	struct job *j = &self->j;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		struct sweep s = {
			.what = "SET_IRQS, another eventfd",
			.call = swap,
			.undo = swap_back,
			.check = swapped,
			.ctx = j,
			.optional = true,
			.onwards = indexes[i] == REQ,
		};

		j->index = indexes[i];
		ASSERT_EQ(0, swap_back(j));
		EXPECT_TRUE(sweep(&s)) {
			TH_LOG("index %u", j->index);
		}
		s.what = "SET_IRQS, no eventfd";
		s.call = drop;
		s.check = dropped;
		EXPECT_TRUE(sweep(&s)) {
			TH_LOG("index %u", j->index);
		}
		irq_disable(&j->v, j->index);
	}
}

/* An eventfd that unmasks INTx; there is none that masks it. */
static bool intx_works(void *ctx, bool done)
{
	struct job *j = ctx;

	return works(j, done) && !irq_fire(&j->v, INTX, 0, 1) &&
	       efd_take(j->other) == 1;
}

static int unmask_by_none(void *ctx)
{
	struct job *j = ctx;
	const int none = -1;

	return irq_set(&j->v, EVENTFD | UNMASK, INTX, 0, 1, &none,
		       sizeof(none));
}

TEST_F(failing, intx_unmask)
{
	struct job *j = &self->j;
	struct sweep s = sweep_attach(j, INTX, 0, 1);

	s.what = "SET_IRQS, eventfd to unmask";
	s.undo = unmask_by_none;
	s.check = intx_works;
	j->action = UNMASK;
	ASSERT_EQ(0, irq_attach_one(&j->v, INTX, 0, j->other));
	EXPECT_TRUE(sweep(&s));
}

/* Resets. */

static int reset(void *ctx)
{
	struct job *j = ctx;

	return vdev_reset(&j->v);
}

static int hot_reset(void *ctx)
{
	struct job *j = ctx;

	return hot_reset_fds(&j->v, &j->v.group, 1);
}

TEST_F(failing, reset)
{
	struct sweep s = {
		.what = "RESET",
		.call = reset,
		.check = works_and_rings,
		.ctx = &self->j,
		.optional = true,
	};

	EXPECT_TRUE(sweep(&s));
	s.what = "PCI_HOT_RESET";
	s.call = hot_reset;
	s.optional = false;
	EXPECT_TRUE(sweep(&s));
}

/* Many vectors, in a function that can have more of them later. */

FIXTURE(failing_vectors)
{
	struct job j;
};

FIXTURE_SETUP(failing_vectors)
{
	const char *missing = device_missing("igb") ?: failing_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, job_open(&self->j, "igb"));
}

FIXTURE_TEARDOWN(failing_vectors)
{
	job_close(&self->j);
}

TEST_F(failing_vectors, msix)
{
	struct sweep s = sweep_attach(&self->j, MSIX, 0, 10);

	EXPECT_TRUE(sweep(&s));
}

/* One more beside one that is there, which goes on. */
static int attach_one(void *ctx)
{
	struct job *j = ctx;

	return irq_attach_one(&j->v, MSIX, 5, j->efd[0]);
}

/* A vector without an eventfd keeps its interrupt: they all go, and the first comes back. */
static int begin_again(void *ctx)
{
	struct job *j = ctx;
	int ret = irq_disable(&j->v, MSIX);

	return ret ? ret : irq_attach_one(&j->v, MSIX, 0, j->other);
}

static bool grown(void *ctx, bool done)
{
	struct job *j = ctx;

	return works(j, done) && !irq_fire(&j->v, MSIX, 0, 10) &&
	       efd_take(j->other) == 1 && efd_take(j->efd[0]) == done;
}

TEST_F(failing_vectors, msix_more)
{
	struct job *j = &self->j;
	struct sweep s = {
		.what = "SET_IRQS, one more vector",
		.call = attach_one,
		.undo = begin_again,
		.check = grown,
		.ctx = j,
		.others = no_vectors,
	};

	ASSERT_EQ(0, irq_attach_one(&j->v, MSIX, 0, j->other));
	EXPECT_TRUE(sweep(&s));
}

/* Low power, from which the first access wakes it. */
static int sleep_low(void *ctx)
{
	struct job *j = ctx;
	struct vfio_device_low_power_entry_with_wakeup entry = {
		.wakeup_eventfd = j->other,
	};

	return vdev_feature_set(&j->v,
				VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
				&entry, sizeof(entry));
}

static bool wakes_up(void *ctx, bool done)
{
	struct job *j = ctx;

	/* It wakes by an access only if it has fallen asleep before. */
	if (done && pci_wait_runtime(j->v.name, "suspended"))
		return false;
	return works(j, done) && efd_take(j->other) == done && rings(j);
}

static int sleep_only(void *ctx)
{
	struct job *j = ctx;

	return vdev_feature_set(&j->v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
				NULL, 0);
}

static int wake(void *ctx)
{
	struct job *j = ctx;

	return vdev_feature_set(&j->v, VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
				NULL, 0);
}

TEST_F(failing_vectors, power)
{
	struct sweep s = {
		.what = "LOW_POWER_ENTRY_WITH_WAKEUP",
		.call = sleep_low,
		.check = wakes_up,
		.ctx = &self->j,
		.optional = true,
	};

	EXPECT_TRUE(sweep(&s));
	s.what = "LOW_POWER_ENTRY";
	s.call = sleep_only;
	s.undo = wake;
	s.check = works;
	EXPECT_TRUE(sweep(&s));
	s.what = "LOW_POWER_EXIT";
	s.call = wake;
	s.undo = sleep_only;
	ASSERT_EQ(0, sleep_only(&self->j));
	EXPECT_TRUE(sweep(&s));
}

static int choose_token(void *ctx)
{
	static const __u8 token[16] = { 1, 2, 3 };
	struct job *j = ctx;

	return vdev_feature_set(&j->v, VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, token,
				sizeof(token));
}

TEST_F(failing_vectors, token)
{
	struct sweep s = {
		.what = "PCI_VF_TOKEN",
		.call = choose_token,
		.check = works,
		.ctx = &self->j,
		.optional = true,
	};

	EXPECT_TRUE(sweep(&s));
}

/* Memory of a device whose BAR 2 is just that. */

FIXTURE(failing_memory)
{
	struct job j;
};

FIXTURE_SETUP(failing_memory)
{
	const char *missing = device_missing("ivshmem") ?: failing_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, job_open(&self->j, "ivshmem"));
	self->j.bar = region_offset(&self->j.v, BAR2);
}

FIXTURE_TEARDOWN(failing_memory)
{
	job_close(&self->j);
}

TEST_F(failing_memory, large)
{
	struct job *j = &self->j;

	EXPECT_TRUE(sweep_access(j, "read memory", j->bar, PAGE, false));
	EXPECT_TRUE(sweep_access(j, "write memory", j->bar, PAGE, true));
}

static int ioeventfd(struct job *j, int fd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = 4,
		.offset = j->bar,
		.data = 77,
		.fd = fd,
	};

	return fd_ioctl(j->v.fd, VFIO_DEVICE_IOEVENTFD, &arg);
}

static int ioeventfd_add(void *ctx)
{
	struct job *j = ctx;

	return ioeventfd(j, j->other);
}

static int ioeventfd_remove(void *ctx)
{
	return ioeventfd(ctx, -1);
}

/* Does a signal of the eventfd write? */
static bool ioeventfd_writes(struct job *j)
{
	__u64 one = 1;
	__u32 val = 0;

	return pwrite(j->v.fd, &val, 4, j->bar) == 4 &&
	       write(j->other, &one, sizeof(one)) == sizeof(one) &&
	       pread(j->v.fd, &val, 4, j->bar) == 4 && val == 77;
}

static bool ioeventfd_there(void *ctx, bool done)
{
	struct job *j = ctx;

	return works(j, done) && ioeventfd_writes(j) == done &&
	       efd_take(j->other) == !done;
}

static bool ioeventfd_gone(void *ctx, bool done)
{
	return ioeventfd_there(ctx, !done);
}

TEST_F(failing_memory, ioeventfd)
{
	struct sweep s = {
		.what = "IOEVENTFD",
		.call = ioeventfd_add,
		.undo = ioeventfd_remove,
		.check = ioeventfd_there,
		.ctx = &self->j,
	};

	EXPECT_TRUE(sweep(&s));
	s.onwards = true;
	EXPECT_TRUE(sweep(&s));

	s.what = "IOEVENTFD, removal";
	s.call = ioeventfd_remove;
	s.undo = ioeventfd_add;
	s.check = ioeventfd_gone;
	s.optional = true;
	s.onwards = false;
	ASSERT_EQ(0, ioeventfd_add(&self->j));
	EXPECT_TRUE(sweep(&s));
}

static int dmabuf(void *ctx)
{
	struct {
		struct vfio_device_feature head;
		__u32 region_index;
		__u32 open_flags;
		__u32 flags;
		__u32 nr_ranges;
		__u64 offset;
		__u64 length;
	} arg = {
		.head.argsz = sizeof(arg),
		.head.flags = FEATURE_DMA_BUF | VFIO_DEVICE_FEATURE_GET,
		.region_index = BAR2,
		.open_flags = O_RDWR | O_CLOEXEC,
		.nr_ranges = 1,
		.length = PAGE,
	};
	struct job *j = ctx;

	j->fd = fd_ioctl(j->v.fd, VFIO_DEVICE_FEATURE, &arg);
	return j->fd;
}

static int close_fd(void *ctx)
{
	struct job *j = ctx;

	return close(j->fd);
}

static bool dmabuf_there(void *ctx, bool done)
{
	struct job *j = ctx;

	return works(j, done) && (!done || lseek(j->fd, 0, SEEK_END) == PAGE);
}

TEST_F(failing_memory, dmabuf)
{
	struct job *j = &self->j;
	struct sweep s = {
		.what = "DMA_BUF",
		.call = dmabuf,
		.undo = close_fd,
		.check = dmabuf_there,
		.ctx = j,
	};

	if (dmabuf(j) == -ENOTTY)
		SKIP(return, "no dma-bufs of BARs on this kernel");
	ASSERT_EQ(0, close_fd(j));
	EXPECT_TRUE(sweep(&s));
	s.onwards = true;
	EXPECT_TRUE(sweep(&s));
}

TEST_HARNESS_MAIN
