// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration of a mediated device: its states and the arcs between them, and what of
 * one device another one has after it has taken its place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../include/uapi/ferry/migration.h"
#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define PAGE	4096

/* Registers of the traveller. */
#define RAISE	0x00
#define RESETS	0x04
#define VALUE	0x10
#define LEVEL	0x14
#define INDEX	0x18
#define PAUSED	0x1c
#define TABLE	0x1000
#define PBA	0x800

#define STATE(name)	VFIO_DEVICE_STATE_##name
#define NR_STATES	8

FIXTURE(migration)
{
	struct vdev v;
	struct vdev to;
	int efd;
	int states;
};

FIXTURE_SETUP(migration)
{
	const char *missing = device_missing("traveller");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "traveller"));
	ASSERT_EQ(0, vdev_open_second(&self->to, "traveller"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
	self->states = migration_flags(&self->v) & VFIO_MIGRATION_PRE_COPY ?
		       NR_STATES : STATE(PRE_COPY);
}

FIXTURE_TEARDOWN(migration)
{
	close(self->efd);
	vdev_close(&self->v);
	vdev_close(&self->to);
}

static bool saving(__u32 state)
{
	return state == STATE(STOP_COPY) || state == STATE(PRE_COPY) ||
	       state == STATE(PRE_COPY_P2P);
}

static bool paused(__u32 state)
{
	return state != STATE(RUNNING) && state != STATE(PRE_COPY);
}

TEST_F(migration, features)
{
	struct vdev other;
	int flags = migration_flags(&self->v);

	EXPECT_EQ(VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P,
		  flags & ~VFIO_MIGRATION_PRE_COPY);
	EXPECT_EQ(STATE(RUNNING), migration_state(&self->v));
	EXPECT_LT(PAGE + 2048 * 16, migration_size(&self->v));
	vdev_close(&self->v);
	vdev_close(&self->to);
	ASSERT_EQ(0, vdev_open_device(&other, "everything"));
	EXPECT_EQ(-ENOTTY, migration_flags(&other));
	EXPECT_EQ(-ENOTTY, migration_state(&other));
	EXPECT_EQ(-ENOTTY, migration_size(&other));
	vdev_close(&other);
}

/* Put a device that was reset into a state. Returns the descriptor or -1. */
static int enter(const struct vdev *v, __u32 state, const void *stream,
		 size_t len)
{
	int fd, ret;

	vdev_reset(v);
	fd = migration_to(v, state);
	if (fd < -1)
		return fd;
	if (state == STATE(RESUMING)) {
		ret = migration_write(fd, stream, len);
		if (ret)
			return ret - 1;
	}
	return fd;
}

/* From each state to each other. */
TEST_F(migration, arcs)
{
	void *stream;
	ssize_t len;
	int from, to, fd, got;
	bool legal, opens;

	len = migration_save(&self->v, &stream);
	ASSERT_LT(0, len);
	for (from = 1; from < self->states; from++) {
		for (to = 0; to <= NR_STATES; to++) {
			fd = enter(&self->v, from, stream, len);
			ASSERT_LE(-1, fd);
			ASSERT_EQ(from, migration_state(&self->v));
			ASSERT_EQ(paused(from), region_r32(&self->v, BAR0, PAUSED));
			got = migration_to(&self->v, to);
			legal = to && to < self->states &&
				!(from == STATE(STOP_COPY) && saving(to) &&
				  from != to);
			opens = from != to && (saving(to) || to == STATE(RESUMING)) &&
				!(saving(from) && saving(to));
			EXPECT_EQ(legal, got >= -1) {
				TH_LOG("from %d to %d: %d", from, to, got);
			}
			EXPECT_EQ(legal && opens, got >= 0) {
				TH_LOG("from %d to %d: %d", from, to, got);
			}
			if (!legal)
				EXPECT_EQ(-EINVAL - 1, got) {
					TH_LOG("from %d to %d: %d", from, to, got);
				}
			EXPECT_EQ(legal ? to : from, migration_state(&self->v)) {
				TH_LOG("from %d to %d", from, to);
			}
			EXPECT_EQ(paused(legal ? to : from),
				  region_r32(&self->v, BAR0, PAUSED));
			if (got >= 0)
				close(got);
			if (fd >= 0)
				close(fd);
		}
	}
	free(stream);
}

/* Which of its own an ended transfer remembers: nothing. */
static bool is_dead(int fd, __u32 state)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	char byte = 0;

	if (state == STATE(RESUMING))
		return write(fd, &byte, 1) < 0 && errno == ENODEV;
	return read(fd, &byte, 1) < 0 && errno == ENODEV &&
	       ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info) && errno == ENODEV;
}

/* Whatever it is at, a device that has been reset runs, and so does a new user's. */
TEST_F(migration, reset)
{
	char uuid[FERRY_NAME_MAX];
	__u32 resets;
	int state, fd;

	snprintf(uuid, sizeof(uuid), "%s", self->v.name);
	for (state = 1; state < self->states; state++) {
		fd = migration_to(&self->v, state);
		ASSERT_LE(-1, fd);
		region_w32(&self->v, BAR0, VALUE, 5);
		resets = region_r32(&self->v, BAR0, RESETS);
		ASSERT_EQ(0, vdev_reset(&self->v));
		EXPECT_EQ(STATE(RUNNING), migration_state(&self->v));
		EXPECT_EQ(0, region_r32(&self->v, BAR0, PAUSED));
		EXPECT_EQ(0, region_r32(&self->v, BAR0, VALUE));
		EXPECT_EQ(resets + 1, region_r32(&self->v, BAR0, RESETS));
		if (fd >= 0) {
			EXPECT_TRUE(is_dead(fd, state)) {
				TH_LOG("state %d", state);
			}
			close(fd);
		}

		fd = migration_to(&self->v, state);
		ASSERT_LE(-1, fd);
		vdev_close(&self->v);
		if (fd >= 0)
			EXPECT_TRUE(is_dead(fd, state));
		ASSERT_EQ(0, vdev_open(&self->v, "mdev", uuid));
		cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
		EXPECT_EQ(STATE(RUNNING), migration_state(&self->v));
		EXPECT_EQ(0, region_r32(&self->v, BAR0, PAUSED));
		if (fd >= 0) {
			EXPECT_TRUE(is_dead(fd, state));
			close(fd);
		}
	}
}

TEST_F(migration, function_level_reset)
{
	unsigned int exp = cfg_find_cap(&self->v, PCI_CAP_ID_EXP);
	int fd = migration_to(&self->v, STATE(STOP_COPY));

	ASSERT_LE(0, fd);
	cfg_w16(&self->v, exp + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
	EXPECT_EQ(STATE(RUNNING), migration_state(&self->v));
	EXPECT_EQ(0, region_r32(&self->v, BAR0, PAUSED));
	EXPECT_TRUE(is_dead(fd, STATE(STOP_COPY)));
	close(fd);
}

/* A device that is stopped says nothing, and says it when it goes on. */
TEST_F(migration, silence)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 70, self->efd));
	ASSERT_EQ(-1, migration_to(&self->v, STATE(RUNNING_P2P)));
	region_w32(&self->v, BAR0, RAISE, 70);
	EXPECT_EQ(1, efd_take(self->efd));
	ASSERT_EQ(-1, migration_to(&self->v, STATE(STOP)));
	region_w32(&self->v, BAR0, RAISE, 70);
	region_w32(&self->v, BAR0, RAISE, 70);
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_EQ(1 << 6, region_r32(&self->v, BAR0, PBA + 8));
	ASSERT_EQ(-1, migration_to(&self->v, STATE(RUNNING)));
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_EQ(0, region_r32(&self->v, BAR0, PBA + 8));
	ASSERT_EQ(0, irq_disable(&self->v, MSIX));

	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(-1, migration_to(&self->v, STATE(STOP)));
	region_w32(&self->v, BAR0, LEVEL, 1);
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_TRUE(cfg_r16(&self->v, PCI_STATUS) & PCI_STATUS_INTERRUPT);
	ASSERT_EQ(0, irq_act(&self->v, INTX, VFIO_IRQ_SET_ACTION_MASK));
	ASSERT_EQ(0, irq_act(&self->v, INTX, VFIO_IRQ_SET_ACTION_UNMASK));
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(-1, migration_to(&self->v, STATE(RUNNING)));
	EXPECT_EQ(1, efd_take(self->efd));
	/* The handler's mask is the only thing that keeps it silent now. */
	ASSERT_EQ(-1, migration_to(&self->v, STATE(STOP)));
	ASSERT_EQ(-1, migration_to(&self->v, STATE(RUNNING)));
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(0, irq_act(&self->v, INTX, VFIO_IRQ_SET_ACTION_UNMASK));
	EXPECT_EQ(1, efd_take(self->efd));
}

static int move(struct vdev *from, struct vdev *to, __u32 state)
{
	void *stream;
	ssize_t len;
	int ret;

	len = migration_save(from, &stream);
	if (len < 0)
		return len;
	ret = migration_load(to, stream, len, state);
	free(stream);
	return ret;
}

/* What a driver has written to configuration space, and what it has switched on by it. */
TEST_F(migration, config)
{
	unsigned int exp = cfg_find_cap(&self->v, PCI_CAP_ID_EXP);
	unsigned int pm = cfg_find_cap(&self->v, PCI_CAP_ID_PM);
	unsigned int msi = cfg_find_cap(&self->v, PCI_CAP_ID_MSI);
	unsigned int off;

	EXPECT_EQ(0, cfg_find_ext_cap(&self->v, PCI_EXT_CAP_ID_DSN));
	cfg_w32(&self->v, PCI_BASE_ADDRESS_0, 0xfebc0000);
	cfg_w32(&self->v, PCI_BASE_ADDRESS_2, 0x12340000);
	cfg_w32(&self->v, PCI_BASE_ADDRESS_3, 0x56);
	cfg_w8(&self->v, PCI_INTERRUPT_LINE, 11);
	cfg_w8(&self->v, PCI_CACHE_LINE_SIZE, 16);
	cfg_w16(&self->v, exp + PCI_EXP_DEVCTL, 0x2810);
	cfg_w16(&self->v, msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE | 0x50);
	cfg_w32(&self->v, msi + PCI_MSI_MASK_64, 0x80000001);
	cfg_command(&self->v, 0, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	/* It has been somewhere before. */
	cfg_w32(&self->to, PCI_BASE_ADDRESS_0, 0xffff0000);
	cfg_command(&self->to, 0, PCI_COMMAND_IO);

	ASSERT_EQ(0, move(&self->v, &self->to, STATE(RUNNING)));
	for (off = 0; off < 4096; off += 4)
		EXPECT_EQ(cfg_r32(&self->v, off), cfg_r32(&self->to, off)) {
			TH_LOG("offset 0x%x", off);
		}
	/* Memory is on there now, and INTx off. */
	EXPECT_EQ(0, region_r32(&self->to, BAR0, VALUE));
	ASSERT_EQ(0, irq_attach_one(&self->to, INTX, 0, self->efd));
	region_w32(&self->to, BAR0, LEVEL, 1);
	EXPECT_EQ(0, efd_take(self->efd));
	cfg_command(&self->to, PCI_COMMAND_INTX_DISABLE, 0);
	EXPECT_EQ(1, efd_take(self->efd));

	/* Nor does what is off or asleep come up. */
	ASSERT_EQ(0, vdev_reset(&self->v));
	cfg_w16(&self->v, pm + PCI_PM_CTRL, 3);
	cfg_w16(&self->to, pm + PCI_PM_CTRL, 0);
	ASSERT_EQ(0, move(&self->v, &self->to, STATE(RUNNING)));
	EXPECT_EQ(3, cfg_r16(&self->to, pm + PCI_PM_CTRL) & 3);
	EXPECT_EQ(-EIO, region_read(&self->to, BAR0, VALUE, &off, 4));
	cfg_w16(&self->to, pm + PCI_PM_CTRL, 0);
	EXPECT_EQ(4, region_read(&self->to, BAR0, VALUE, &off, 4));
	cfg_w16(&self->v, pm + PCI_PM_CTRL, 0);
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, move(&self->v, &self->to, STATE(RUNNING)));
	EXPECT_EQ(-EIO, region_read(&self->to, BAR0, VALUE, &off, 4));
}

/* Memory that is mapped, on both sides, and registers. */
TEST_F(migration, memory)
{
	const int rw = PROT_READ | PROT_WRITE;
	__u8 *from, *to;
	unsigned int i;

	ASSERT_EQ(0, region_map(&self->v, BAR2, 0, 2 * PAGE, rw, MAP_SHARED,
				(void **)&from));
	cfg_command(&self->to, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, region_map(&self->to, BAR2, 0, 2 * PAGE, rw, MAP_SHARED,
				(void **)&to));
	memset(to, 0xee, 2 * PAGE);
	region_w32(&self->to, BAR0, VALUE, 9);
	for (i = 0; i < 2 * PAGE; i++)
		from[i] = i * 31 >> 3;
	region_w64(&self->v, BAR2, 5 * PAGE - 8, 0x0123456789abcdefULL);
	region_w32(&self->v, BAR2, 6 * PAGE, 0xfedcba98);
	region_w32(&self->v, BAR0, VALUE, 0x1234567);
	region_w32(&self->v, BAR0, INDEX, 15);
	ASSERT_EQ(0, move(&self->v, &self->to, STATE(RUNNING)));
	EXPECT_EQ(0, memcmp(from, to, 2 * PAGE));
	EXPECT_EQ(0x0123456789abcdefULL,
		  region_r64(&self->to, BAR2, 5 * PAGE - 8));
	EXPECT_EQ(0xfedcba98, region_r32(&self->to, BAR2, 6 * PAGE));
	EXPECT_EQ(0x1234567, region_r32(&self->to, BAR0, VALUE));
	EXPECT_EQ(15, region_r32(&self->to, BAR0, INDEX));
	munmap(from, 2 * PAGE);
	munmap(to, 2 * PAGE);
}

static void mask(const struct vdev *v, unsigned int n, bool masked)
{
	region_w32(v, BAR0, TABLE + 16 * n + PCI_MSIX_ENTRY_VECTOR_CTRL, masked);
}

/* Messages that were pending there arrive here, each once. */
TEST_F(migration, msix)
{
	int other = efd_new();

	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 3, self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 2047, self->efd));
	region_w64(&self->v, BAR0, TABLE + 16 * 2047, 0x1fee00000ULL);
	region_w32(&self->v, BAR0, TABLE + 16 * 2047 + 8, 0x4321);
	mask(&self->v, 3, true);
	mask(&self->v, 2047, false);
	region_w32(&self->v, BAR0, RAISE, 3);
	/* One that has been sent is not sent again. */
	region_w32(&self->v, BAR0, RAISE, 2047);
	EXPECT_EQ(1, efd_take(self->efd));
	ASSERT_EQ(-1, migration_to(&self->v, STATE(STOP)));
	region_w32(&self->v, BAR0, RAISE, 5);

	/* One vector before the stream comes, as QEMU does it, others behind. */
	ASSERT_EQ(0, irq_attach_one(&self->to, MSIX, 2047, other));
	ASSERT_EQ(0, move(&self->v, &self->to, STATE(STOP)));
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_EQ(0x1fee00000ULL, region_r64(&self->to, BAR0, TABLE + 16 * 2047));
	EXPECT_EQ(0x4321, region_r64(&self->to, BAR0, TABLE + 16 * 2047 + 8));
	ASSERT_EQ(0, irq_attach_one(&self->to, MSIX, 5, self->efd));
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(-1, migration_to(&self->to, STATE(RUNNING)));
	EXPECT_EQ(1, efd_take(self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->to, MSIX, 3, self->efd));
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_EQ(8, region_r32(&self->to, BAR0, PBA));
	mask(&self->to, 3, false);
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_EQ(0, efd_take(other));
	region_w32(&self->to, BAR0, RAISE, 2047);
	EXPECT_EQ(1, efd_take(other));
	close(other);
}

/* A level that was up there is up here; a message that it has caused there is not. */
TEST_F(migration, level)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	region_w32(&self->v, BAR0, LEVEL, 1);
	EXPECT_EQ(1, efd_take(self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->to, INTX, 0, self->efd));
	ASSERT_EQ(0, move(&self->v, &self->to, STATE(STOP)));
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_TRUE(cfg_r16(&self->to, PCI_STATUS) & PCI_STATUS_INTERRUPT);
	ASSERT_EQ(-1, migration_to(&self->to, STATE(RUNNING)));
	EXPECT_EQ(1, efd_take(self->efd));
	region_w32(&self->to, BAR0, LEVEL, 0);
	ASSERT_EQ(0, irq_act(&self->to, INTX, VFIO_IRQ_SET_ACTION_UNMASK));
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_FALSE(cfg_r16(&self->to, PCI_STATUS) & PCI_STATUS_INTERRUPT);

	/* It ends before the user of the source has dealt with it: he of the target has to. */
	ASSERT_EQ(0, irq_act(&self->v, INTX, VFIO_IRQ_SET_ACTION_UNMASK));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, efd_take(self->efd));
	region_w32(&self->v, BAR0, LEVEL, 1);
	EXPECT_EQ(1, efd_take(self->efd));
	region_w32(&self->v, BAR0, LEVEL, 0);
	ASSERT_EQ(0, vdev_reset(&self->to));
	ASSERT_EQ(0, move(&self->v, &self->to, STATE(STOP)));
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(-1, migration_to(&self->to, STATE(RUNNING)));
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_FALSE(cfg_r16(&self->to, PCI_STATUS) & PCI_STATUS_INTERRUPT);
	ASSERT_EQ(0, irq_act(&self->to, INTX, VFIO_IRQ_SET_ACTION_UNMASK));
	EXPECT_EQ(0, efd_take(self->efd));

	ASSERT_EQ(0, irq_disable(&self->v, INTX));
	ASSERT_EQ(0, irq_disable(&self->to, INTX));
	ASSERT_EQ(0, vdev_reset(&self->v));
	ASSERT_EQ(0, irq_attach_one(&self->v, MSI, 0, self->efd));
	region_w32(&self->v, BAR0, LEVEL, 1);
	EXPECT_EQ(1, efd_take(self->efd));
	ASSERT_EQ(0, irq_attach_one(&self->to, MSI, 0, self->efd));
	ASSERT_EQ(0, move(&self->v, &self->to, STATE(RUNNING)));
	EXPECT_EQ(0, efd_take(self->efd));
	region_w32(&self->to, BAR0, LEVEL, 0);
	region_w32(&self->to, BAR0, LEVEL, 1);
	EXPECT_EQ(1, efd_take(self->efd));
}

/* The source's user was told, and then nobody was to hear of INTx: it is told when somebody may. */
TEST_F(migration, told_late)
{
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
		region_w32(&self->v, BAR0, LEVEL, 1);
		ASSERT_EQ(1, efd_take(self->efd));
		region_w32(&self->v, BAR0, LEVEL, 0);
		if (i)
			cfg_command(&self->v, 0, PCI_COMMAND_INTX_DISABLE);
		ASSERT_EQ(0, irq_attach_one(&self->to, INTX, 0, self->efd));
		if (!i)
			ASSERT_EQ(0, irq_act(&self->to, INTX,
					     VFIO_IRQ_SET_ACTION_MASK));
		ASSERT_EQ(0, move(&self->v, &self->to, STATE(RUNNING)));
		EXPECT_EQ(0, efd_take(self->efd));
		if (i)
			cfg_command(&self->to, PCI_COMMAND_INTX_DISABLE, 0);
		else
			ASSERT_EQ(0, irq_act(&self->to, INTX,
					     VFIO_IRQ_SET_ACTION_UNMASK));
		EXPECT_EQ(1, efd_take(self->efd));
		ASSERT_EQ(0, irq_act(&self->to, INTX,
				     VFIO_IRQ_SET_ACTION_UNMASK));
		EXPECT_EQ(0, efd_take(self->efd));

		ASSERT_EQ(0, irq_disable(&self->v, INTX));
		ASSERT_EQ(0, irq_disable(&self->to, INTX));
		ASSERT_EQ(0, vdev_reset(&self->v));
		ASSERT_EQ(0, vdev_reset(&self->to));
	}
}

/* Who takes a device over may have begun with INTx: the message that came with it stays. */
TEST_F(migration, message_after_intx)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, MSIX, 3, efd_new()));
	region_w32(&self->v, BAR0, RAISE, 5);
	ASSERT_EQ(0, irq_attach_one(&self->to, INTX, 0, self->efd));
	ASSERT_EQ(0, move(&self->v, &self->to, STATE(STOP)));
	ASSERT_EQ(0, irq_disable(&self->to, INTX));
	ASSERT_EQ(0, irq_attach_one(&self->to, MSIX, 5, self->efd));
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(-1, migration_to(&self->to, STATE(RUNNING)));
	EXPECT_EQ(1, efd_take(self->efd));
}

TEST_F(migration, precopy)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info), .flags = 7 };
	struct ferry_migration_header *header;
	char stream[8192], byte;
	ssize_t len, size;
	void *rest;
	int fd, to;

	if (self->states < NR_STATES)
		SKIP(return, "this kernel has no PRE_COPY");
	fd = migration_to(&self->v, STATE(PRE_COPY));
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fd_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	/* A page of its memory isn't zero: see migration_precopy.c. */
	size = info.initial_bytes;
	ASSERT_LT(sizeof(*header), size);
	ASSERT_GT(sizeof(stream), size);
	EXPECT_EQ(0, info.dirty_bytes);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(10, read(fd, stream, 10));
	EXPECT_EQ(0, fd_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(size - 10, info.initial_bytes);
	EXPECT_EQ(size - 10, read(fd, stream + 10, sizeof(stream) - 10));
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(ENOMSG, errno);
	info.argsz--;
	EXPECT_EQ(-EINVAL, fd_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	info.argsz++;
	EXPECT_EQ(-ENOTTY, fd_ioctl(fd, VFIO_DEVICE_RESET, &info));
	ASSERT_EQ(-1, migration_to(&self->v, STATE(PRE_COPY_P2P)));
	EXPECT_EQ(0, fd_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	EXPECT_EQ(0, info.initial_bytes);
	ASSERT_EQ(-1, migration_to(&self->v, STATE(PRE_COPY)));

	/* It goes on meanwhile; what was last is what arrives. */
	region_w32(&self->v, BAR0, VALUE, 21);
	ASSERT_EQ(-1, migration_to(&self->v, STATE(STOP_COPY)));
	EXPECT_EQ(-EINVAL, fd_ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info));
	len = migration_read(fd, &rest);
	ASSERT_LT(0, len);
	header = rest;
	EXPECT_EQ(FERRY_MIGRATION_STATE, header->kind);
	EXPECT_EQ(len, header->length);
	EXPECT_EQ(0, read(fd, &byte, 1));

	to = migration_to(&self->to, STATE(RESUMING));
	ASSERT_LE(0, to);
	EXPECT_EQ(0, migration_write(to, stream, size));
	EXPECT_EQ(0, migration_write(to, rest, len));
	EXPECT_EQ(-1, migration_to(&self->to, STATE(RUNNING)));
	EXPECT_EQ(21, region_r32(&self->to, BAR0, VALUE));
	close(to);
	close(fd);
	free(rest);
}

/* What may be done with the descriptor, and what may not. */
TEST_F(migration, descriptor)
{
	void *bad = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	char byte = 0;
	int fd;

	fd = migration_to(&self->v, STATE(STOP_COPY));
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, write(fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(fd, &byte, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(0, read(fd, &byte, 0));
	EXPECT_EQ(-1, read(fd, bad, 1));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(1, read(fd, &byte, 1));
	EXPECT_EQ('F', byte);
	close(fd);
	/* It needn't be read to its end. */
	EXPECT_EQ(-1, migration_to(&self->v, STATE(STOP)));

	fd = migration_to(&self->v, STATE(RESUMING));
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, read(fd, &byte, 1));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, pwrite(fd, &byte, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, write(fd, bad, 1));
	EXPECT_EQ(EFAULT, errno);
	close(fd);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
