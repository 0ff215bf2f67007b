// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocations and copies that fail, one after another, on the way of a device from one
 * place to another, and of the log of what it writes meanwhile.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../include/uapi/ferry/dma.h"
#include "../../include/uapi/ferry/migration.h"
#include "../lib/failing.h"
#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define STATE(name)	VFIO_DEVICE_STATE_##name
#define PAGE	4096ULL

/* What a sweep works on. */
struct job {
	struct vdev v;
	__u64 config;
	__u32 id;
	/* Where it goes. */
	__u32 to;
	int fd;
	/* What it is there. */
	void *stream;
	ssize_t len;
	char *got;
	ssize_t done;
};

FIXTURE(failing_migration)
{
	struct job j;
};

FIXTURE_VARIANT(failing_migration)
{
	const char *model;
};

FIXTURE_VARIANT_ADD(failing_migration, uart) { .model = "uart" };
FIXTURE_VARIANT_ADD(failing_migration, dma) { .model = "dma" };
FIXTURE_VARIANT_ADD(failing_migration, traveller) { .model = "traveller" };

FIXTURE_SETUP(failing_migration)
{
	const char *missing = device_missing(variant->model) ?:
			      failing_missing();
	struct job *j = &self->j;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&j->v, variant->model));
	cfg_command(&j->v, 0, PCI_COMMAND_MEMORY);
	j->config = region_offset(&j->v, VFIO_PCI_CONFIG_REGION_INDEX);
	j->id = cfg_r32(&j->v, PCI_VENDOR_ID);
	j->fd = -1;
	j->len = migration_save(&j->v, &j->stream);
	ASSERT_LT(0, j->len);
	ASSERT_EQ(-1, migration_to(&j->v, STATE(RUNNING)));
	j->got = malloc(j->len);
	ASSERT_NE(NULL, j->got);
	/* No fault shall come when it is filled. */
	memset(j->got, 0, j->len);
}

FIXTURE_TEARDOWN(failing_migration)
{
	free(self->j.got);
	free(self->j.stream);
	vdev_close(&self->j.v);
}

static bool works(struct job *j)
{
	__u32 id;

	return pread(j->v.fd, &id, 4, j->config + PCI_VENDOR_ID) == 4 &&
	       id == j->id;
}

static int let_go(struct job *j)
{
	int fd = j->fd;

	j->fd = -1;
	return fd < 0 ? 0 : close(fd);
}

static int go(struct job *j, __u32 state)
{
	int ret = migration_to(&j->v, state);

	if (ret < -1)
		return ret + 1;
	if (ret >= 0)
		j->fd = ret;
	return 0;
}

static int step(void *ctx)
{
	struct job *j = ctx;

	return go(j, j->to);
}

/* Whatever it was about, it runs again; by a reset if it has failed for good. */
static bool run(struct job *j)
{
	int state = migration_state(&j->v);

	if (let_go(j) || state < 0)
		return false;
	if (state == STATE(ERROR) || state == STATE(RESUMING))
		return !vdev_reset(&j->v) && works(j);
	return !go(j, STATE(RUNNING)) && works(j);
}

/* The state is what it should be, and from there it can go on. */
static bool stepped(void *ctx, bool done)
{
	struct job *j = ctx;

	return (!done || migration_state(&j->v) == (int)j->to) && run(j);
}

/* From a device that runs. */
TEST_F(failing_migration, begin)
{
	const struct {
		const char *what;
		__u32 to;
		bool optional;
	} steps[] = {
		{ "to RUNNING_P2P", STATE(RUNNING_P2P), true },
		{ "to STOP", STATE(STOP), true },
		{ "to STOP_COPY", STATE(STOP_COPY), false },
		{ "to RESUMING", STATE(RESUMING), false },
		{ "to PRE_COPY", STATE(PRE_COPY), false },
	};
	struct job *j = &self->j;
	size_t i, n = ARRAY_SIZE(steps);

	if (!(migration_flags(&j->v) & VFIO_MIGRATION_PRE_COPY))
		n--;
	for (i = 0; i < n; i++) {
		struct sweep s = {
			.what = steps[i].what,
			.call = step,
			.check = stepped,
			.ctx = j,
			.optional = steps[i].optional,
		};

		j->to = steps[i].to;
		EXPECT_TRUE(sweep(&s));
	}
}

/* The rest of a state comes, whatever came before, and all of it is what it was. */
static int read_some(void *ctx)
{
	struct job *j = ctx;

	j->done = read(j->fd, j->got, j->len);
	return j->done < 0 ? -errno : !j->done ? -ENODATA : 0;
}

static bool all_read(void *ctx, bool done)
{
	struct job *j = ctx;
	ssize_t ret = 1, len = done ? j->done : 0;

	for (; ret > 0; len += ret)
		ret = read(j->fd, j->got + len, j->len - len);
	return !ret && len == j->len && run(j) && !go(j, STATE(STOP_COPY));
}

TEST_F(failing_migration, read)
{
	struct job *j = &self->j;
	struct sweep s = {
		.what = "read of a state",
		.call = read_some,
		.check = all_read,
		.ctx = j,
		.optional = true,
	};

	ASSERT_EQ(0, go(j, STATE(STOP_COPY)));
	EXPECT_TRUE(sweep(&s));
	EXPECT_TRUE(run(j));
}

static bool write_all(struct job *j, ssize_t len)
{
	ssize_t ret = 1;

	for (; len < j->len && ret > 0; len += ret)
		ret = write(j->fd, (char *)j->stream + len, j->len - len);
	return len == j->len;
}

static int write_some(void *ctx)
{
	struct job *j = ctx;

	j->done = write(j->fd, j->stream, j->len);
	return j->done < 0 ? -errno : !j->done ? -ENODATA : 0;
}

/* With the rest of it the device runs, and takes the next one. */
static bool all_written(void *ctx, bool done)
{
	struct job *j = ctx;

	return write_all(j, done ? j->done : 0) && !go(j, STATE(RUNNING)) &&
	       run(j) && !go(j, STATE(RESUMING));
}

TEST_F(failing_migration, write)
{
	struct job *j = &self->j;
	struct sweep s = {
		.what = "write of a state",
		.call = write_some,
		.check = all_written,
		.ctx = j,
		.optional = true,
	};

	ASSERT_EQ(0, go(j, STATE(RESUMING)));
	EXPECT_TRUE(sweep(&s));
	EXPECT_TRUE(run(j));
}

/* What couldn't be loaded can't be a second time, but after a reset it can. */
static bool loaded(void *ctx, bool done)
{
	return stepped(ctx, done) && !go(ctx, STATE(RESUMING)) &&
	       write_all(ctx, 0);
}

TEST_F(failing_migration, load)
{
	struct job *j = &self->j;
	struct sweep s = {
		.what = "to RUNNING with a state",
		.call = step,
		.check = loaded,
		.ctx = j,
		/* Models that check their fields one by one need no memory. */
		.optional = true,
	};

	j->to = STATE(RUNNING);
	ASSERT_EQ(0, go(j, STATE(RESUMING)));
	ASSERT_TRUE(write_all(j, 0));
	EXPECT_TRUE(sweep(&s));
	EXPECT_TRUE(run(j));
}

/* From PRE_COPY on, with a preview that is there to be read. */
static int precopy_info(void *ctx)
{
	struct vfio_precopy_info i = { .argsz = sizeof(i) };
	struct job *j = ctx;

	return fd_ioctl(j->fd, VFIO_MIG_GET_PRECOPY_INFO, &i);
}

static bool copies(void *ctx, bool done)
{
	struct job *j = ctx;

	(void)done;
	return migration_state(&j->v) == STATE(PRE_COPY) && works(j);
}

/* A state that couldn't be made can be made the next time. */
static bool completed(void *ctx, bool done)
{
	struct job *j = ctx;
	void *stream;
	ssize_t len;

	if (!done && migration_state(&j->v) != STATE(STOP_COPY) &&
	    go(j, STATE(STOP_COPY)))
		return false;
	len = migration_read(j->fd, &stream);
	if (len < 0)
		return false;
	free(stream);
	return len >= (ssize_t)sizeof(struct ferry_migration_header) &&
	       run(j) && !go(j, STATE(PRE_COPY));
}

TEST_F(failing_migration, precopy)
{
	struct job *j = &self->j;
	struct sweep s = {
		.what = "PRECOPY_INFO",
		.call = precopy_info,
		.check = copies,
		.ctx = j,
		.optional = true,
	};

	if (!(migration_flags(&j->v) & VFIO_MIGRATION_PRE_COPY))
		SKIP(return, "this kernel has no PRE_COPY");
	ASSERT_EQ(0, go(j, STATE(PRE_COPY)));
	EXPECT_TRUE(sweep(&s));

	s.what = "to STOP_COPY from PRE_COPY";
	s.call = step;
	s.check = completed;
	s.optional = false;
	j->to = STATE(STOP_COPY);
	EXPECT_TRUE(sweep(&s));
	EXPECT_TRUE(run(j));
}

/* The log of the DMA engine. */

FIXTURE(failing_logging)
{
	struct engine e;
	__u64 bits;
};

FIXTURE_SETUP(failing_logging)
{
	const char *missing = device_missing("dma") ?: failing_missing();

	if (missing)
		SKIP(return, "%s", missing);
	mdev_remove_ours();
	ASSERT_EQ(0, engine_open(&self->e, "dma", 1, false, 64, 64 * PAGE));
}

FIXTURE_TEARDOWN(failing_logging)
{
	engine_close(&self->e);
	mdev_remove_ours();
}

static int log_start(void *ctx)
{
	FIXTURE_DATA(failing_logging) * self = ctx;

	return logging_start(&self->e.v, ENGINE_MEMORY, 64 * PAGE, PAGE);
}

static int log_stop(void *ctx)
{
	FIXTURE_DATA(failing_logging) * self = ctx;

	return logging_stop(&self->e.v);
}

static int log_report(void *ctx)
{
	FIXTURE_DATA(failing_logging) * self = ctx;

	return logging_report(&self->e.v, ENGINE_MEMORY, 64 * PAGE, PAGE,
			      &self->bits);
}

static bool log_write(FIXTURE_DATA(failing_logging) * self)
{
	return engine_run(&self->e, FERRY_DMA_OP_FILL, 0, 0,
			  ENGINE_MEMORY + 5 * PAGE, 100, 0x55) ==
	       FERRY_DMA_S_OK;
}

/* A page that is written to is in the log until it has been told of. */
static bool told(void *ctx, bool done)
{
	FIXTURE_DATA(failing_logging) * self = ctx;
	bool ok;

	if (!done && log_report(ctx))
		return false;
	ok = self->bits == 1 << 5;
	self->bits = 0;
	return ok && log_write(self);
}

static bool logs(void *ctx, bool done)
{
	FIXTURE_DATA(failing_logging) * self = ctx;

	if (!log_write(self))
		return false;
	return !done || (!log_report(ctx) && told(ctx, true));
}

TEST_F(failing_logging, log)
{
	struct sweep s = {
		.what = "DMA_LOGGING_START",
		.call = log_start,
		.undo = log_stop,
		.check = logs,
		.ctx = self,
	};
	int ret = log_start(self);

	if (ret == -ENOTTY)
		SKIP(return, "VFIO of this kernel can't tell what is dirty");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, log_stop(self));
	EXPECT_TRUE(sweep(&s));

	ASSERT_EQ(0, log_start(self));
	ASSERT_TRUE(log_write(self));
	s.what = "DMA_LOGGING_REPORT";
	s.call = log_report;
	s.undo = NULL;
	s.check = told;
	EXPECT_TRUE(sweep(&s));

	s.what = "DMA_LOGGING_STOP";
	s.call = log_stop;
	s.undo = log_start;
	s.check = NULL;
	s.optional = true;
	EXPECT_TRUE(sweep(&s));
}

TEST_HARNESS_MAIN
