// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocations and copies that fail, one after another, in the life of mediated devices and
 * in all that can be done to one that is open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/failing.h"
#include "../lib/harness.h"
#include "bochs.h"
#include "cable.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX

#define OFFER	"/sys/module/ferry_model_test/parameters/offer"
/* Who makes and removes a device does most of it in the kernel's core. */
#define SOME	6
/* Of the model that has everything; the last ones are far behind the first ones. */
#define VECTORS	40
#define LAST	(2048 - VECTORS)
/* What its memory begins with. */
#define GREETING	0x600d

/* What a sweep works on. */
struct job {
	struct vdev v;
	char type[512];
	char uuid[FERRY_NAME_MAX];
	int create;
	int remove;
	int available;
	/* An instance that the kernel has lost, see created(). */
	bool lost;
	__u64 config;
	__u32 id;
	/* Of interrupts. */
	__u32 index;
	__u32 start;
	__u32 count;
	int efd[VECTORS];
	int other;
	/* Of regions. */
	__u64 at;
	size_t len;
	__u8 want[PAGE];
	__u8 got[PAGE];
	void *map;
	int fd;
};

static int available(const struct job *j)
{
	char text[32];

	return mdev_type_attr(j->type, "available_instances", text,
			      sizeof(text)) ? -1 : atoi(text);
}

static int job_begin(struct job *j, const char *model)
{
	char path[600];
	int i, ret;

	memset(j, 0, sizeof(*j));
	j->v = (struct vdev) { .container = -1, .group = -1, .fd = -1 };
	j->remove = -1;
	j->fd = -1;
	mdev_remove_ours();
	mdev_uuid(0, j->uuid);
	ret = mdev_type_find(model, j->type, sizeof(j->type));
	if (ret)
		return ret;
	snprintf(path, sizeof(path), "%s/create", j->type);
	j->create = open(path, O_WRONLY | O_CLOEXEC);
	for (i = 0; i < VECTORS; i++)
		j->efd[i] = efd_new();
	j->other = efd_new();
	j->available = available(j);
	return j->create < 0 ? -errno : 0;
}

static int job_open(struct job *j, const char *model)
{
	int ret = job_begin(j, model);

	if (!ret)
		ret = mdev_create(j->type, j->uuid);
	if (!ret)
		ret = vdev_open(&j->v, "mdev", j->uuid);
	if (ret)
		return ret;
	cfg_command(&j->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	j->config = region_offset(&j->v, CONFIG);
	j->id = cfg_r32(&j->v, PCI_VENDOR_ID);
	return 0;
}

static void job_end(struct job *j)
{
	int i;

	for (i = 0; i < VECTORS; i++)
		close(j->efd[i]);
	close(j->other);
	close(j->create);
	close(j->remove);
	vdev_close(&j->v);
	mdev_remove_ours();
}

/* Of a device that has any. */
static bool interrupts(const struct job *j, const struct vdev *v)
{
	struct vfio_irq_info info;

	if (irq_info(v, INTX, &info))
		return false;
	return !info.count || (!irq_attach_one(v, INTX, 0, j->other) &&
			       !irq_fire(v, INTX, 0, 1) &&
			       efd_take(j->other) == 1);
}

/* A new user finds a device, and it interrupts. */
static bool opened_well(const struct job *j, int fd)
{
	const struct vdev v = { .fd = fd };

	return cfg_r32(&v, PCI_VENDOR_ID) + 1 > 1 && interrupts(j, &v) &&
	       !irq_attach_one(&v, REQ, 0, j->other);
}

static bool can_be_opened(struct job *j)
{
	struct vdev v;
	bool ok;

	if (vdev_open(&v, "mdev", j->uuid))
		return false;
	ok = opened_well(j, v.fd);
	vdev_close(&v);
	return ok;
}

/* Come and go. */

FIXTURE(failing_life)
{
	struct job j;
};

FIXTURE_VARIANT(failing_life)
{
	const char *model;
};

FIXTURE_VARIANT_ADD(failing_life, uart) { .model = "uart" };
FIXTURE_VARIANT_ADD(failing_life, display) { .model = DISPLAY };
FIXTURE_VARIANT_ADD(failing_life, dma) { .model = "dma" };
FIXTURE_VARIANT_ADD(failing_life, everything) { .model = "everything" };

FIXTURE_SETUP(failing_life)
{
	const char *missing = device_missing(variant->model) ?:
			      failing_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, job_begin(&self->j, variant->model));
}

FIXTURE_TEARDOWN(failing_life)
{
	job_end(&self->j);
}

static int create(void *ctx)
{
	struct job *j = ctx;

	return pwrite(j->create, j->uuid, strlen(j->uuid), 0) < 0 ? -errno : 0;
}

static int remove_again(void *ctx)
{
	struct job *j = ctx;

	return mdev_remove(j->uuid);
}

static bool exists(const struct job *j)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s", j->uuid);
	return path_exists(path);
}

/*
 * The mdev core takes an instance off what is available before it has memory for it, and when
 * it gets none doesn't give it back. That is one allocation of a sweep.
 */
static bool created(void *ctx, bool done)
{
	struct job *j = ctx;

	if (!done && !j->lost && !exists(j) && available(j) == j->available - 1) {
		j->lost = true;
		j->available--;
	}
	return exists(j) == done && available(j) == j->available - done &&
	       (!done || can_be_opened(j));
}

static int remove_device(void *ctx)
{
	struct job *j = ctx;

	return pwrite(j->remove, "1", 1, 0) < 0 ? -errno : 0;
}

static int create_again(void *ctx)
{
	struct job *j = ctx;
	char path[256];
	int ret = create(ctx);

	if (ret)
		return ret;
	close(j->remove);
	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/remove",
		 j->uuid);
	j->remove = open(path, O_WRONLY | O_CLOEXEC);
	return j->remove < 0 ? -errno : 0;
}

static bool removed(void *ctx, bool done)
{
	return created(ctx, !done);
}

TEST_F(failing_life, create)
{
	/* The TTY core goes on without a name, and the driver core has no device without one. */
	static const int nameless[] = { -EINVAL, 0 };
	struct job *j = &self->j;
	struct sweep s = {
		.what = "create",
		.spare = SPARE_GROUP,
		.call = create,
		.others = nameless,
		.undo = remove_again,
		.check = created,
		.ctx = j,
		.at_most = failing_some(SOME),
	};

	EXPECT_TRUE(sweep(&s));

	s.what = "remove";
	s.call = remove_device;
	s.others = NULL;
	s.undo = create_again;
	s.check = removed;
	s.optional = true;
	s.at_most = failing_some(SOME / 4);
	ASSERT_EQ(0, create_again(j));
	EXPECT_TRUE(sweep(&s));
}

static int open_device(void *ctx)
{
	struct job *j = ctx;

	j->v.fd = fd_ioctl(j->v.group, VFIO_GROUP_GET_DEVICE_FD, j->v.name);
	return j->v.fd;
}

static int close_device(void *ctx)
{
	struct job *j = ctx;
	int ret = close(j->v.fd);

	j->v.fd = -1;
	return ret;
}

static bool open_or_not(void *ctx, bool done)
{
	struct job *j = ctx;

	return !done || opened_well(j, j->v.fd);
}

static int open_with_interrupts(void *ctx)
{
	return open_device(ctx) < 0 || !open_or_not(ctx, true) ? -EIO : 0;
}

static bool closed(void *ctx, bool done)
{
	(void)ctx;
	return done;
}

TEST_F(failing_life, open)
{
	struct job *j = &self->j;
	struct sweep s = {
		.what = "GROUP_GET_DEVICE_FD",
		.call = open_device,
		.undo = close_device,
		.check = open_or_not,
		.ctx = j,
		.at_most = failing_some(2 * SOME),
	};

	ASSERT_EQ(0, create(j));
	ASSERT_EQ(0, vdev_prepare(&j->v, "mdev", j->uuid));
	EXPECT_TRUE(sweep(&s));

	s.what = "close";
	s.call = close_device;
	s.undo = open_with_interrupts;
	s.check = closed;
	s.optional = true;
	ASSERT_EQ(0, open_with_interrupts(j));
	EXPECT_TRUE(sweep(&s));
}

/* Models that come and go, as they do with their module. */

static int offer(void *ctx)
{
	return pwrite(*(int *)ctx, "1", 1, 0) < 0 ? -errno : 0;
}

TEST(failing_parent)
{
	const char *missing = failing_missing();
	int fd = open(OFFER, O_WRONLY | O_CLOEXEC);
	struct sweep s = {
		.what = "a parent comes and goes",
		.spare = SPARE_LINK,
		.call = offer,
		.ctx = &fd,
		.at_most = failing_some(2 * SOME),
	};

	if (missing)
		SKIP(return, "%s", missing);
	if (fd < 0)
		SKIP(return, "module ferry-model-test is not loaded");
	EXPECT_TRUE(sweep(&s));
	close(fd);
}

/* All that can be done to one that is open. */

FIXTURE(failing)
{
	struct job j;
};

FIXTURE_SETUP(failing)
{
	const char *missing = device_missing("everything") ?: failing_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, job_open(&self->j, "everything"));
}

FIXTURE_TEARDOWN(failing)
{
	job_end(&self->j);
}

static bool works(void *ctx, bool done)
{
	struct job *j = ctx;
	__u32 id;

	(void)done;
	return pread(j->v.fd, &id, 4, j->config + PCI_VENDOR_ID) == 4 &&
	       id == j->id;
}

static int get_info(void *ctx)
{
	struct {
		struct vfio_device_info info;
		__u8 room[256];
	} arg = { .info.argsz = sizeof(arg) };
	struct job *j = ctx;

	return fd_ioctl(j->v.fd, VFIO_DEVICE_GET_INFO, &arg);
}

/* BAR 2 can be mapped in parts, which takes a capability to tell. */
static int get_region_info(void *ctx)
{
	struct {
		struct vfio_region_info info;
		__u8 room[256];
	} arg = { .info = { .argsz = sizeof(arg), .index = BAR2 } };
	struct job *j = ctx;
	int ret = fd_ioctl(j->v.fd, VFIO_DEVICE_GET_REGION_INFO, &arg);

	return !ret && !arg.info.cap_offset ? -ENODATA : ret;
}

static int get_irq_info(void *ctx)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = MSIX };
	struct job *j = ctx;

	return fd_ioctl(j->v.fd, VFIO_DEVICE_GET_IRQ_INFO, &info);
}

static int reset(void *ctx)
{
	struct job *j = ctx;

	return fd_ioctl(j->v.fd, VFIO_DEVICE_RESET, NULL);
}

TEST_F(failing, info)
{
	struct sweep s[] = {
		{ .what = "GET_INFO", .call = get_info, .optional = true },
		{ .what = "GET_REGION_INFO", .call = get_region_info },
		{ .what = "GET_IRQ_INFO", .call = get_irq_info,
		  .optional = true },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(s); i++) {
		s[i].ctx = &self->j;
		s[i].check = works;
		EXPECT_TRUE(sweep(&s[i]));
	}
	EXPECT_EQ(0, reset(&self->j));
}

/* Bytes that have come are right, however few. */
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
	__u64 memory = region_offset(&j->v, BAR2);

	EXPECT_TRUE(sweep_access(j, "read config", j->config, 256, false));
	EXPECT_TRUE(sweep_access(j, "write config", j->config, 256, true));
	EXPECT_TRUE(sweep_access(j, "read memory", memory, PAGE, false));
	EXPECT_TRUE(sweep_access(j, "write memory", memory, PAGE, true));
}

static int map_and_touch(void *ctx)
{
	struct job *j = ctx;
	__u32 val;

	j->map = mmap(NULL, PAGE, RW, MAP_SHARED, j->v.fd, j->at);
	if (j->map == MAP_FAILED)
		return -errno;
	if (map_read32(j->map, 0, &val) && val == GREETING)
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

	self->j.at = region_offset(&self->j.v, BAR2);
	EXPECT_TRUE(sweep(&s));
}

/* Interrupts. */

static int attach(void *ctx)
{
	struct job *j = ctx;

	return irq_attach(&j->v, j->index, j->start, j->count, j->efd);
}

static int disable(void *ctx)
{
	struct job *j = ctx;

	return irq_disable(&j->v, j->index);
}

/* All eventfds are signalled, or none. */
static bool attached(void *ctx, bool done)
{
	struct job *j = ctx;
	__u32 i;

	if (!works(j, done) ||
	    !irq_fire(&j->v, j->index, j->start, j->count) != done)
		return false;
	for (i = 0; i < j->count; i++)
		if (efd_take(j->efd[i]) != done)
			return false;
	return true;
}

TEST_F(failing, irqs)
{
	const struct {
		__u32 index, start, count;
	} sets[] = {
		{ INTX, 0, 1 }, { MSI, 0, 32 }, { MSIX, LAST, VECTORS },
	};
	struct job *j = &self->j;
	struct sweep s = {
		.what = "SET_IRQS, eventfds",
		.call = attach,
		.undo = disable,
		.check = attached,
		.ctx = j,
	};
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(sets); i++) {
		j->index = sets[i / 2].index;
		j->start = sets[i / 2].start;
		j->count = sets[i / 2].count;
		/* INTx has places for what is attached. */
		s.optional = j->index == INTX;
		s.onwards = i % 2;
		EXPECT_TRUE(sweep(&s)) {
			TH_LOG("index %u", j->index);
		}
	}
}

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
	const __u32 indexes[] = { INTX, MSIX, REQ };
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
		};

		j->index = indexes[i];
		ASSERT_EQ(0, swap_back(j));
		EXPECT_TRUE(sweep(&s));
		s.what = "SET_IRQS, no eventfd";
		s.call = drop;
		s.check = dropped;
		EXPECT_TRUE(sweep(&s));
		irq_disable(&j->v, j->index);
	}
}

/* The display's own. */

FIXTURE(failing_display)
{
	struct job j;
};

FIXTURE_SETUP(failing_display)
{
	const char *missing = device_missing(DISPLAY) ?: failing_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, job_open(&self->j, DISPLAY));
	ASSERT_EQ(0, display_attr_write(&self->j.v, "dmabuf", "1"));
	bochs_mode(&self->j.v, 640, 480);
}

FIXTURE_TEARDOWN(failing_display)
{
	job_end(&self->j);
}

static int query(void *ctx)
{
	struct vfio_device_gfx_plane_info info;
	struct job *j = ctx;

	return plane_query(&j->v, REGION, &info);
}

/* To ask for a picture makes one. */
static int query_dmabuf(void *ctx)
{
	struct vfio_device_gfx_plane_info info;
	struct job *j = ctx;
	int ret = plane_query(&j->v, DMABUF, &info);

	j->len = info.dmabuf_id;
	return ret;
}

static int get_dmabuf(void *ctx)
{
	struct job *j = ctx;

	j->fd = plane_dmabuf(&j->v, j->len);
	return j->fd;
}

static int close_dmabuf(void *ctx)
{
	struct job *j = ctx;

	return close(j->fd);
}

static bool dmabuf_there(void *ctx, bool done)
{
	struct job *j = ctx;

	return works(j, done) && (!done || lseek(j->fd, 0, SEEK_END) > 0);
}

TEST_F(failing_display, plane)
{
	struct job *j = &self->j;
	struct sweep s = {
		.what = "QUERY_GFX_PLANE",
		.call = query,
		.check = works,
		.ctx = j,
		.optional = true,
	};

	EXPECT_TRUE(sweep(&s));
	s.what = "QUERY_GFX_PLANE of a dma-buf";
	s.call = query_dmabuf;
	EXPECT_TRUE(sweep(&s));

	ASSERT_EQ(0, query_dmabuf(j));
	s.what = "GET_GFX_DMABUF";
	s.call = get_dmabuf;
	s.undo = close_dmabuf;
	s.check = dmabuf_there;
	s.optional = false;
	EXPECT_TRUE(sweep(&s));
}

static int map_picture(void *ctx)
{
	struct job *j = ctx;

	return importer_say(j->fd, "map");
}

static int unmap_picture(void *ctx)
{
	struct job *j = ctx;

	return importer_say(j->fd, "unmap");
}

static bool picture_mapped(void *ctx, bool done)
{
	struct job *j = ctx;
	struct import seen = importer_look(j->fd);

	return works(j, done) && seen.mapped == done && !!seen.len == done;
}

/* For another device, whose driver it is that gets the errno. */
TEST_F(failing_display, import)
{
	const char *missing = device_missing("igb");
	struct job *j = &self->j;
	struct sweep s = {
		.what = "map of a picture",
		.call = map_picture,
		.undo = unmap_picture,
		.check = picture_mapped,
		.ctx = j,
	};
	int buf;

	if (missing)
		SKIP(return, "%s", missing);
	j->fd = importer_open();
	if (j->fd < 0)
		SKIP(return, "module ferry-import-test is not loaded");
	ASSERT_EQ(0, query_dmabuf(j));
	buf = plane_dmabuf(&j->v, j->len);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, importer_attach(j->fd, buf, device_bdf("igb"), "fixed"));
	EXPECT_TRUE(sweep(&s));
	close(j->fd);
	close(buf);
}

TEST_F(failing_display, edid)
{
	struct job *j = &self->j;
	__u64 at = region_offset(&j->v, EDID);

	EXPECT_TRUE(sweep_access(j, "read EDID", at, 40, false));
	EXPECT_TRUE(sweep_access(j, "read picture",
				 region_offset(&j->v, PICTURE), PAGE, false));
}

/* The other end of a UART. */

FIXTURE(failing_tty)
{
	struct cable c;
	int fd;
};

FIXTURE_SETUP(failing_tty)
{
	const char *missing = device_missing("uart") ?: failing_missing();

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, cable_open(&self->c, "uart", 0));
	close(self->c.tty);
	self->c.tty = -1;
}

FIXTURE_TEARDOWN(failing_tty)
{
	cable_close(&self->c);
}

static int tty_open(void *ctx)
{
	FIXTURE_DATA(failing_tty) * self = ctx;
	char path[64];

	snprintf(path, sizeof(path), "/dev/ttyFY%d", self->fd);
	self->c.tty = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	return self->c.tty < 0 ? -errno : 0;
}

static int tty_close(void *ctx)
{
	FIXTURE_DATA(failing_tty) * self = ctx;
	int fd = self->c.tty;

	self->c.tty = -1;
	return close(fd);
}

/* What the guest sends arrives. */
static bool tty_works(void *ctx, bool done)
{
	FIXTURE_DATA(failing_tty) * self = ctx;

	if (!done)
		return true;
	if (host_set(&self->c, B115200, CS8, 0))
		return false;
	out(&self->c, UART_TX, 'x');
	return becomes(&self->c, UART_LSR, UART_LSR_TEMT, UART_LSR_TEMT);
}

TEST_F(failing_tty, open)
{
	struct sweep s = {
		.what = "open of a tty",
		.call = tty_open,
		.undo = tty_close,
		.check = tty_works,
		.ctx = self,
	};

	self->fd = cable_number(&self->c);
	ASSERT_LE(0, self->fd);
	EXPECT_TRUE(sweep(&s));
}

TEST_HARNESS_MAIN
