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

#define IMPORTER	"/dev/ferry-import-test"
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

static int say(int importer, const char *command)
{
	return write(importer, command, strlen(command)) < 0 ? -errno : 0;
}

static int attach(int importer, int buf, const char *bdf, const char *kind)
{
	char command[64];

	snprintf(command, sizeof(command), "%s %d %s %s", "attach", buf, bdf,
		 kind);
	return say(importer, command);
}

struct state {
	int mapped;
	unsigned int moves;
	unsigned long long addr;
	unsigned long long len;
};

static struct state look(int importer)
{
	char text[128] = "";
	struct state s = { .mapped = -1 };

	if (pread(importer, text, sizeof(text) - 1, 0) > 0)
		sscanf(text, "%d %u %llx %llx", &s.mapped, &s.moves, &s.addr,
		       &s.len);
	return s;
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
	self->importer = open(IMPORTER, O_RDWR | O_CLOEXEC);
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
	if (path_exists(IMPORTER)) {
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
	struct state s;
	int buf;

	buf = export(&self->v, BAR2, 0, self->size);
	ASSERT_LE(0, buf);
	EXPECT_EQ((off_t)self->size, lseek(buf, 0, SEEK_END));
	ASSERT_EQ(0, attach(self->importer, buf, self->v.name, "revocable"));
	EXPECT_EQ(0, look(self->importer).mapped);
	ASSERT_EQ(0, say(self->importer, "map"));
	s = look(self->importer);
	EXPECT_EQ(1, s.mapped);
	EXPECT_EQ(bar, s.addr);
	EXPECT_EQ(self->size, s.len);
	ASSERT_EQ(0, say(self->importer, "unmap"));
	ASSERT_EQ(0, say(self->importer, "detach"));
	close(buf);

	buf = export_ranges(&self->v, BAR2, 3, ranges);
	ASSERT_LE(0, buf);
	EXPECT_EQ((off_t)(6 * self->page), lseek(buf, 0, SEEK_END));
	ASSERT_EQ(0, attach(self->importer, buf, self->v.name, "revocable"));
	ASSERT_EQ(0, say(self->importer, "map"));
	s = look(self->importer);
	EXPECT_EQ(bar + 2 * self->page, s.addr);
	EXPECT_EQ(6 * self->page, s.len);
	close(buf);
}

/* Only importers that reach peers and can be told to let go. */
TEST_F(dmabuf, importers)
{
	int buf = export(&self->v, BAR2, 0, self->size);

	ASSERT_LE(0, buf);
	EXPECT_EQ(-EOPNOTSUPP, attach(self->importer, buf, self->v.name,
				      "no-p2p"));
	EXPECT_EQ(-EOPNOTSUPP, attach(self->importer, buf, self->v.name,
				      "fixed"));
	EXPECT_EQ(0, attach(self->importer, buf, self->v.name, "revocable"));
	close(buf);
}

static const char * const kinds[] = { "revocable", "lazy" };

/* Taken away: told, and unmapped when the call returns; then given back. */
static void check_revoke(struct __test_metadata *_metadata,
			 FIXTURE_DATA(dmabuf) * self, const char *kind)
{
	int buf = export(&self->v, BAR2, 0, self->page), other;
	unsigned int moves;
	struct state s;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, attach(self->importer, buf, self->v.name, kind));
	ASSERT_EQ(0, say(self->importer, "map"));
	moves = look(self->importer).moves;

	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	s = look(self->importer);
	EXPECT_EQ(0, s.mapped);
	EXPECT_LT(moves, s.moves);
	moves = s.moves;
	EXPECT_EQ(-ENODEV, say(self->importer, "map"));
	other = open(IMPORTER, O_RDWR | O_CLOEXEC);
	EXPECT_EQ(-ENODEV, attach(other, buf, self->v.name, kind));

	/* Told that it is back. */
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_LT(moves, look(self->importer).moves);
	EXPECT_EQ(0, say(self->importer, "map"));
	EXPECT_EQ(1, look(self->importer).mapped);
	EXPECT_EQ(0, attach(other, buf, self->v.name, kind));
	EXPECT_EQ(0, say(other, "map"));
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(0, look(self->importer).mapped);
	EXPECT_EQ(0, look(other).mapped);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	close(other);
	ASSERT_EQ(0, say(self->importer, "detach"));
	close(buf);
}

TEST_F(dmabuf, memory_off)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		check_revoke(_metadata, self, kinds[i]);
}

/* Made while there is no memory: none until there is. */
TEST_F(dmabuf, made_while_off)
{
	int buf;

	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	buf = export(&self->v, BAR2, 0, self->page);
	ASSERT_LE(0, buf);
	EXPECT_EQ(-ENODEV, attach(self->importer, buf, self->v.name,
				  "revocable"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, attach(self->importer, buf, self->v.name, "revocable"));
	EXPECT_EQ(0, say(self->importer, "map"));
	close(buf);
}

/* Gone with the device, for good, however often that is opened again. */
TEST_F(dmabuf, outlives_the_device)
{
	int buf = export(&self->v, BAR2, 0, self->page), again;

	ASSERT_LE(0, buf);
	ASSERT_EQ(0, attach(self->importer, buf, self->v.name, "lazy"));
	ASSERT_EQ(0, say(self->importer, "map"));
	vdev_close(&self->v);
	EXPECT_EQ(0, look(self->importer).mapped);
	EXPECT_EQ(-ENODEV, say(self->importer, "map"));

	ASSERT_EQ(0, vdev_open_device(&self->v, "ivshmem"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(-ENODEV, say(self->importer, "map"));
	again = export(&self->v, BAR2, 0, self->page);
	EXPECT_LE(0, again);
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(-ENODEV, say(self->importer, "map"));
	close(again);

	/* Nor does it keep the driver from letting the device go. */
	vdev_close(&self->v);
	EXPECT_EQ(0, pci_unbind(device_bdf("ivshmem")));
	EXPECT_EQ(-ENODEV, say(self->importer, "map"));
	close(buf);
	ASSERT_EQ(0, say(self->importer, "detach"));
	ASSERT_EQ(0, vdev_open_device(&self->v, "ivshmem"));
}

static void *toggler(void *arg)
{
	const struct vdev *v = arg;
	int i;

	for (i = 0; i < 300; i++) {
		cfg_command(v, PCI_COMMAND_MEMORY, 0);
		cfg_command(v, 0, PCI_COMMAND_MEMORY);
	}
	return NULL;
}

/* Made, mapped and closed while the gate moves. */
TEST_F(dmabuf, race)
{
	unsigned int i, mapped = 0;
	pthread_t thread;
	int buf;

	ASSERT_EQ(0, pthread_create(&thread, NULL, toggler, &self->v));
	for (i = 0; i < 300; i++) {
		buf = export(&self->v, BAR2, 0, self->page);
		ASSERT_LE(0, buf);
		if (!attach(self->importer, buf, self->v.name,
			    kinds[i % 2])) {
			mapped += !say(self->importer, "map");
			close(buf);
			ASSERT_EQ(0, say(self->importer, "detach"));
		} else {
			close(buf);
		}
	}
	pthread_join(thread, NULL);
	TH_LOG("%u of %u were mapped", mapped, i);
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
