// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE_DMA_BUF: pieces of a BAR as dma-bufs, which go away with the
 * memory and come back with it. The importer is a helper module.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define BAR2		VFIO_PCI_BAR2_REGION_INDEX
#define RANGES_MAX	8

/* What older uAPI headers lack. */
#define FEATURE_DMA_BUF	11

struct range {
	__u64 offset;
	__u64 length;
};

struct request {
	struct vfio_device_feature hdr;
	__u32 region_index;
	__u32 open_flags;
	__u32 flags;
	__u32 nr_ranges;
	struct range ranges[RANGES_MAX];
};

static int ask(const struct vdev *v, __u32 flags, struct request *r)
{
	r->hdr.argsz = sizeof(*r);
	r->hdr.flags = FEATURE_DMA_BUF | flags;
	return fd_ioctl(v->fd, VFIO_DEVICE_FEATURE, r);
}

static int export_ranges(const struct vdev *v, __u32 bar, __u32 n,
			 const struct range *ranges)
{
	struct request r = {
		.region_index = bar,
		.open_flags = O_RDWR | O_CLOEXEC,
		.nr_ranges = n,
	};

	memcpy(r.ranges, ranges, n * sizeof(*ranges));
	return ask(v, VFIO_DEVICE_FEATURE_GET, &r);
}

static int export(const struct vdev *v, __u32 bar, __u64 offset, __u64 length)
{
	struct range range = { offset, length };

	return export_ranges(v, bar, 1, &range);
}

static unsigned long long bar_address(const char *bdf, unsigned int bar)
{
	char text[FERRY_TEXT_MAX], *line = text;
	unsigned long long start;

	if (pci_attr_read(bdf, "resource", text, sizeof(text)))
		abort();
	while (bar--)
		line = strchr(line, '\n') + 1;
	start = strtoull(line, NULL, 16);
	if (!start)
		abort();
	return start;
}

/* ivshmem: BAR 0 is smaller than a page, BAR 2 is memory. */
FIXTURE(dmabuf)
{
	struct vdev v;
	__u64 size;
	__u64 page;
	int importer;
};

/* Offered where the kernel has what it takes, refused as an unknown one elsewhere. */
static bool is_offered(const struct vdev *v)
{
	struct request r = { .region_index = 0 };

	return !ask(v, VFIO_DEVICE_FEATURE_PROBE, &r);
}

FIXTURE_SETUP(dmabuf)
{
	const char *missing = device_missing("ivshmem");

	self->importer = -1;
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "ivshmem"));
	if (!is_offered(&self->v))
		SKIP(return, "no dma-bufs of BARs on this kernel");
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->size = region_size(&self->v, BAR2);
	self->page = sysconf(_SC_PAGESIZE);
	self->importer = importer_open();
	if (self->importer < 0)
		SKIP(return, "module ferry-import-test is not loaded");
}

FIXTURE_TEARDOWN(dmabuf)
{
	close(self->importer);
	vdev_close(&self->v);
}

/* Whether a kernel has the importer is decided by what the feature needs. */
TEST(offered)
{
	const char *missing = device_missing("ivshmem");
	struct request r = { .region_index = 0 };
	struct vdev v;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "ivshmem"));
	if (importer_exists()) {
		EXPECT_EQ(0, ask(&v, VFIO_DEVICE_FEATURE_PROBE, &r));
		EXPECT_EQ(0, ask(&v, VFIO_DEVICE_FEATURE_PROBE |
				 VFIO_DEVICE_FEATURE_GET, &r));
		EXPECT_EQ(-EINVAL, ask(&v, VFIO_DEVICE_FEATURE_PROBE |
				       VFIO_DEVICE_FEATURE_SET, &r));
	} else {
		EXPECT_EQ(-ENOTTY, ask(&v, VFIO_DEVICE_FEATURE_PROBE, &r));
		EXPECT_EQ(-ENOTTY, ask(&v, VFIO_DEVICE_FEATURE_GET, &r));
		EXPECT_EQ(-ENOTTY, ask(&v, VFIO_DEVICE_FEATURE_SET, &r));
	}
	vdev_close(&v);
}

/* An importer gets the bus addresses of the pieces. */
TEST_F(dmabuf, addresses)
{
	unsigned long long bar = bar_address(self->v.name, 2);
	struct range ranges[] = {
		{ 2 * self->page, self->page },
		{ 8 * self->page, 4 * self->page },
		{ self->size - self->page, self->page },
	};
	struct import s;
	int buf;

	buf = export(&self->v, BAR2, 0, self->size);
	ASSERT_LE(0, buf);
	EXPECT_EQ((off_t)self->size, lseek(buf, 0, SEEK_END));
	ASSERT_EQ(0, importer_attach(self->importer, buf, self->v.name,
				     "revocable"));
	EXPECT_EQ(0, importer_look(self->importer).mapped);
	ASSERT_EQ(0, importer_say(self->importer, "map"));
	s = importer_look(self->importer);
	EXPECT_EQ(1, s.mapped);
	EXPECT_EQ(bar, s.addr);
	EXPECT_EQ(self->size, s.len);
	ASSERT_EQ(0, importer_say(self->importer, "unmap"));
	ASSERT_EQ(0, importer_say(self->importer, "detach"));
	close(buf);

	buf = export_ranges(&self->v, BAR2, 3, ranges);
	ASSERT_LE(0, buf);
	EXPECT_EQ((off_t)(6 * self->page), lseek(buf, 0, SEEK_END));
	ASSERT_EQ(0, importer_attach(self->importer, buf, self->v.name,
				     "revocable"));
	ASSERT_EQ(0, importer_say(self->importer, "map"));
	s = importer_look(self->importer);
	EXPECT_EQ(bar + 2 * self->page, s.addr);
	EXPECT_EQ(6 * self->page, s.len);
	close(buf);
}

/* Only importers that reach peers and can be told to let go. */
TEST_F(dmabuf, importers)
{
	int buf = export(&self->v, BAR2, 0, self->size);

	ASSERT_LE(0, buf);
	EXPECT_EQ(-EOPNOTSUPP, importer_attach(self->importer, buf, self->v.name,
					       "no-p2p"));
	EXPECT_EQ(-EOPNOTSUPP, importer_attach(self->importer, buf, self->v.name,
					       "fixed"));
	EXPECT_EQ(0, importer_attach(self->importer, buf, self->v.name,
				     "revocable"));
	close(buf);
}

static const char * const kinds[] = { "revocable", "lazy" };

/* Taken away: told, and unmapped when the call returns; then given back. */
static void check_revoke(struct __test_metadata *_metadata,
			 FIXTURE_DATA(dmabuf) * self, const char *kind)
{
	int buf = export(&self->v, BAR2, 0, self->page), other;
	unsigned int moves;
	struct import s;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, importer_attach(self->importer, buf, self->v.name, kind));
	ASSERT_EQ(0, importer_say(self->importer, "map"));
	moves = importer_look(self->importer).moves;

	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	s = importer_look(self->importer);
	EXPECT_EQ(0, s.mapped);
	EXPECT_LT(moves, s.moves);
	moves = s.moves;
	EXPECT_EQ(-ENODEV, importer_say(self->importer, "map"));
	other = importer_open();
	EXPECT_EQ(-ENODEV, importer_attach(other, buf, self->v.name, kind));

	/* Told that it is back. */
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_LT(moves, importer_look(self->importer).moves);
	EXPECT_EQ(0, importer_say(self->importer, "map"));
	EXPECT_EQ(1, importer_look(self->importer).mapped);
	EXPECT_EQ(0, importer_attach(other, buf, self->v.name, kind));
	EXPECT_EQ(0, importer_say(other, "map"));
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(0, importer_look(self->importer).mapped);
	EXPECT_EQ(0, importer_look(other).mapped);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	close(other);
	ASSERT_EQ(0, importer_say(self->importer, "detach"));
	close(buf);
}

TEST_F(dmabuf, memory_off)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		check_revoke(_metadata, self, kinds[i]);
}

/*
 * Whatever else takes memory away. The device is an igb, which has power states and a
 * reset of its own.
 */
FIXTURE(revocation)
{
	struct vdev v;
	__u64 page;
	int importer;
	int buf;
	unsigned int moves;
	unsigned long long addr;
};

FIXTURE_VARIANT(revocation)
{
	const char *kind;
};

FIXTURE_VARIANT_ADD(revocation, revocable)
{
	.kind = "revocable",
};

FIXTURE_VARIANT_ADD(revocation, lazy)
{
	.kind = "lazy",
};

FIXTURE_SETUP(revocation)
{
	const char *missing = device_missing("igb");
	struct import s;

	self->importer = -1;
	self->buf = -1;
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "igb"));
	if (!is_offered(&self->v))
		SKIP(return, "no dma-bufs of BARs on this kernel");
	self->importer = importer_open();
	if (self->importer < 0)
		SKIP(return, "module ferry-import-test is not loaded");
	self->page = sysconf(_SC_PAGESIZE);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->buf = export(&self->v, BAR0, 0, self->page);
	ASSERT_LE(0, self->buf);
	ASSERT_EQ(0, importer_attach(self->importer, self->buf, self->v.name,
				     variant->kind));
	ASSERT_EQ(0, importer_say(self->importer, "map"));
	s = importer_look(self->importer);
	ASSERT_EQ(1, s.mapped);
	self->moves = s.moves;
	self->addr = s.addr;
}

FIXTURE_TEARDOWN(revocation)
{
	close(self->importer);
	close(self->buf);
	vdev_close(&self->v);
}

/* The importer was told, and has let go. */
static void check_told(struct __test_metadata *_metadata,
		       FIXTURE_DATA(revocation) * self)
{
	struct import s = importer_look(self->importer);

	EXPECT_EQ(0, s.mapped);
	EXPECT_LT(self->moves, s.moves);
	self->moves = s.moves;
}

static void check_gone(struct __test_metadata *_metadata,
		       FIXTURE_DATA(revocation) * self)
{
	check_told(_metadata, self);
	EXPECT_EQ(-ENODEV, importer_say(self->importer, "map"));
}

/* It can have it again, where it was. */
static void check_back(struct __test_metadata *_metadata,
		       FIXTURE_DATA(revocation) * self)
{
	struct import s;

	EXPECT_EQ(0, importer_say(self->importer, "map"));
	s = importer_look(self->importer);
	EXPECT_EQ(1, s.mapped);
	EXPECT_EQ(self->addr, s.addr);
	EXPECT_EQ(self->page, s.len);
	self->moves = s.moves;
}

TEST_F(revocation, reset)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, vdev_reset(&self->v));
		check_told(_metadata, self);
		check_back(_metadata, self);
	}
}

TEST_F(revocation, hot_reset)
{
	const int group = self->v.group;

	ASSERT_EQ(0, hot_reset_fds(&self->v, &group, 1));
	check_told(_metadata, self);
	check_back(_metadata, self);
}

/* A reset gives back nothing that was off before it. */
TEST_F(revocation, reset_while_off)
{
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	check_gone(_metadata, self);
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(-ENODEV, importer_say(self->importer, "map"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	check_back(_metadata, self);
}

TEST_F(revocation, function_level_reset)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_EXP);

	ASSERT_NE(0, pos);
	cfg_w16(&self->v, pos + PCI_EXP_DEVCTL,
		cfg_r16(&self->v, pos + PCI_EXP_DEVCTL) |
		PCI_EXP_DEVCTL_BCR_FLR);
	check_told(_metadata, self);
	check_back(_metadata, self);
}

TEST_F(revocation, power_state)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_PM);

	ASSERT_NE(0, pos);
	cfg_w16(&self->v, pos + PCI_PM_CTRL, 3);
	check_gone(_metadata, self);
	cfg_w16(&self->v, pos + PCI_PM_CTRL, 0);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	check_back(_metadata, self);
}

/* Who writes the word, but stays in D0, moves nothing. */
TEST_F(revocation, stays_in_d0)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_PM);
	struct import s;

	ASSERT_NE(0, pos);
	cfg_w16(&self->v, pos + PCI_PM_CTRL, 0);
	s = importer_look(self->importer);
	EXPECT_EQ(1, s.mapped);
	EXPECT_EQ(self->moves, s.moves);
}

TEST_F(revocation, low_power)
{
	ASSERT_EQ(0, vdev_feature_set(&self->v,
				      VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
				      NULL, 0));
	check_gone(_metadata, self);
	/* An access wakes it for as long as it takes, and no longer. */
	EXPECT_NE(~0U, region_r32(&self->v, BAR0, 8));
	EXPECT_EQ(-ENODEV, importer_say(self->importer, "map"));
	ASSERT_EQ(0, vdev_feature_set(&self->v,
				      VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
				      NULL, 0));
	check_back(_metadata, self);
}

/* Woken up for good by an access: it is back without a word from the user. */
TEST_F(revocation, wakeup)
{
	const __u32 feature = VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP;
	struct vfio_device_low_power_entry_with_wakeup entry = {};
	int efd = efd_new();

	ASSERT_LE(0, efd);
	entry.wakeup_eventfd = efd;
	ASSERT_EQ(0, vdev_feature_set(&self->v, feature, &entry, sizeof(entry)));
	check_gone(_metadata, self);
	ASSERT_EQ(0, pci_wait_runtime(self->v.name, "suspended"));
	EXPECT_NE(~0U, region_r32(&self->v, BAR0, 8));
	EXPECT_EQ(1, efd_wait(efd));
	check_back(_metadata, self);
	close(efd);
}

/* For good: who opens the device next has dma-bufs of his own. */
TEST_F(revocation, close)
{
	vdev_close(&self->v);
	check_gone(_metadata, self);
	ASSERT_EQ(0, vdev_open_device(&self->v, "igb"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(-ENODEV, importer_say(self->importer, "map"));
}

/* Made while there is no memory: none until there is. */
TEST_F(dmabuf, made_while_off)
{
	int buf;

	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	buf = export(&self->v, BAR2, 0, self->page);
	ASSERT_LE(0, buf);
	EXPECT_EQ(-ENODEV, importer_attach(self->importer, buf, self->v.name,
					   "revocable"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, importer_attach(self->importer, buf, self->v.name,
				     "revocable"));
	EXPECT_EQ(0, importer_say(self->importer, "map"));
	close(buf);
}

/* Gone with the device, for good, however often that is opened again. */
TEST_F(dmabuf, outlives_the_device)
{
	int buf = export(&self->v, BAR2, 0, self->page), again;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, importer_attach(self->importer, buf, self->v.name,
				     "lazy"));
	ASSERT_EQ(0, importer_say(self->importer, "map"));
	vdev_close(&self->v);
	EXPECT_EQ(0, importer_look(self->importer).mapped);
	EXPECT_EQ(-ENODEV, importer_say(self->importer, "map"));

	ASSERT_EQ(0, vdev_open_device(&self->v, "ivshmem"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(-ENODEV, importer_say(self->importer, "map"));
	again = export(&self->v, BAR2, 0, self->page);
	EXPECT_LE(0, again);
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(-ENODEV, importer_say(self->importer, "map"));
	close(again);

	/* Nor does it keep the driver from letting the device go. */
	vdev_close(&self->v);
	EXPECT_EQ(0, pci_unbind(device_bdf("ivshmem")));
	EXPECT_EQ(-ENODEV, importer_say(self->importer, "map"));
	close(buf);
	ASSERT_EQ(0, importer_say(self->importer, "detach"));
	ASSERT_EQ(0, vdev_open_device(&self->v, "ivshmem"));
}

/* For a thread: takes the memory away and gives it back, with time in between. */
struct toggling {
	const struct vdev *v;
	bool stop;
};

static void *toggler(void *arg)
{
	struct toggling *t = arg;
	unsigned int seed = 1;

	while (!__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE)) {
		cfg_command(t->v, PCI_COMMAND_MEMORY, 0);
		usleep(rand_r(&seed) % 200);
		cfg_command(t->v, 0, PCI_COMMAND_MEMORY);
		usleep(rand_r(&seed) % 1000);
	}
	return NULL;
}

/* What became of dma-bufs whose memory somebody takes away meanwhile. */
struct outcomes {
	unsigned int refused, mapped, revoked;
};

static bool seen_enough(const struct outcomes *o)
{
	return o->refused >= 10 && o->mapped >= 10 && o->revoked >= 10;
}

static void race_once(struct __test_metadata *_metadata,
		      FIXTURE_DATA(dmabuf) * self, unsigned int round,
		      struct outcomes *o)
{
	int buf = export(&self->v, BAR2, 0, self->page);
	struct import s;

	ASSERT_LE(0, buf);
	if (importer_attach(self->importer, buf, self->v.name,
			    kinds[round % 2])) {
		o->refused++;
		close(buf);
		return;
	}
	if (!importer_say(self->importer, "map")) {
		o->mapped++;
		usleep(round % 8 * 50);
		s = importer_look(self->importer);
		/* Nobody unmaps it but who takes the memory away. */
		if (!s.mapped) {
			EXPECT_NE(0, s.moves);
			o->revoked++;
		}
	}
	close(buf);
	ASSERT_EQ(0, importer_say(self->importer, "detach"));
}

/* Made, mapped and closed while the gate moves: all that can happen does. */
TEST_F(dmabuf, race)
{
	struct toggling t = { .v = &self->v };
	struct outcomes o = {};
	pthread_t thread;
	unsigned int i;
	int buf;

	ASSERT_EQ(0, pthread_create(&thread, NULL, toggler, &t));
	for (i = 0; i < 100000 && !seen_enough(&o); i++)
		race_once(_metadata, self, i, &o);
	__atomic_store_n(&t.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_TRUE(seen_enough(&o)) {
		TH_LOG("%u refused, %u mapped, %u revoked", o.refused, o.mapped,
		       o.revoked);
	}

	/* After that everything is as ever. */
	buf = export(&self->v, BAR2, 0, self->page);
	ASSERT_LE(0, buf);
	ASSERT_EQ(0, importer_attach(self->importer, buf, self->v.name,
				     "revocable"));
	EXPECT_EQ(0, importer_say(self->importer, "map"));
	close(buf);
}

TEST_F(dmabuf, refusals)
{
	const __u64 size = self->size, page = self->page;
	struct range wrap[] = {
		{ 0, 1ULL << 63 }, { 0, 1ULL << 63 },
	};
	struct request r = {
		.region_index = BAR2,
		.open_flags = O_RDWR | O_CLOEXEC,
		.nr_ranges = 1,
		.ranges = { { 0, page } },
	};
	__u32 index;
	int ret;

	EXPECT_EQ(-EINVAL, export(&self->v, BAR2, 0, 0));
	EXPECT_EQ(-EINVAL, export(&self->v, BAR2, 0, page - 1));
	EXPECT_EQ(-EINVAL, export(&self->v, BAR2, 1, page));
	EXPECT_EQ(-EINVAL, export(&self->v, BAR2, size, page));
	EXPECT_EQ(-EINVAL, export(&self->v, BAR2, 0, size + page));
	EXPECT_EQ(-EINVAL, export(&self->v, BAR2, page, size));
	EXPECT_EQ(-EINVAL, export(&self->v, BAR2, 0, 1ULL << 63));
	EXPECT_EQ(-EOVERFLOW, export(&self->v, BAR2, -page, page));
	EXPECT_EQ(-EOVERFLOW, export(&self->v, BAR2, -2 * page, 2 * page));
	EXPECT_EQ(-EINVAL, export_ranges(&self->v, BAR2, 2, wrap));
	EXPECT_EQ(-EINVAL, export_ranges(&self->v, BAR2, 0, wrap));
	/* Smaller than a page. */
	EXPECT_EQ(-EINVAL, export(&self->v, 0, 0, page));
	for (index = 0; index < 20; index++) {
		if (index < VFIO_PCI_ROM_REGION_INDEX &&
		    region_size(&self->v, index))
			continue;
		EXPECT_EQ(-ENODEV, export(&self->v, index, 0, page)) {
			TH_LOG("region %u", index);
		}
	}
	EXPECT_EQ(-ENODEV, export(&self->v, ~0U, 0, page));

	r.flags = 1;
	EXPECT_EQ(-EINVAL, ask(&self->v, VFIO_DEVICE_FEATURE_GET, &r));
	r.flags = 0;
	EXPECT_EQ(-EINVAL, ask(&self->v, VFIO_DEVICE_FEATURE_SET, &r));
	EXPECT_EQ(-EINVAL, ask(&self->v, 0, &r));
	r.nr_ranges = ~0U;
	ret = ask(&self->v, VFIO_DEVICE_FEATURE_GET, &r);
	EXPECT_TRUE(ret == -ENOMEM || ret == -EOVERFLOW || ret == -EFAULT) {
		TH_LOG("%d", ret);
	}
	r.nr_ranges = 1;
	r.hdr.argsz = sizeof(r.hdr) + 15;
	r.hdr.flags = FEATURE_DMA_BUF | VFIO_DEVICE_FEATURE_GET;
	EXPECT_EQ(-EINVAL, fd_ioctl(self->v.fd, VFIO_DEVICE_FEATURE, &r));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
