// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two or three things that are done to an instance at once, again and again. What is refused
 * has the errno that says so, and afterwards another instance works.
 */
#include <errno.h>
#include <linux/serial_reg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define STATE(name)	VFIO_DEVICE_STATE_##name

FIXTURE(races)
{
	char type[256];
	char uuid[FERRY_NAME_MAX];
};

FIXTURE_SETUP(races)
{
	if (mdev_type_find("-uart", self->type, sizeof(self->type)))
		SKIP(return, "no type uart");
	mdev_remove_ours();
	mdev_uuid(0x77, self->uuid);
}

FIXTURE_TEARDOWN(races)
{
	mdev_remove_ours();
}

/* What an open of something that comes and goes may say. */
static const int gone[] = { ENOENT, ENXIO, ENODEV, EPERM, EINVAL, EBUSY, 0 };

static int set_scratch(const struct vdev *v)
{
	static const int refusals[] = { EIO, 0 };
	__u16 command = PCI_COMMAND_IO;
	__u8 val = UART_IER_THRI;
	ssize_t ret;

	ret = region_write(v, CONFIG, PCI_COMMAND, &command, sizeof(command));
	if (ret >= 0)
		ret = region_write(v, BAR0, UART_IER, &val, 1);
	val = 0;
	if (ret >= 0)
		ret = region_write(v, BAR0, UART_IER, &val, 1);
	return race_refused(ret, refusals);
}

static int set_irqs(const struct vdev *v, __u32 index)
{
	static const int refusals[] = { EINVAL, 0 };
	int efd = efd_new(), none = -1, ret;

	ret = irq_attach(v, index, 0, 1, &efd);
	ret = ret ?: irq_attach(v, index, 0, 1, &none);
	ret = ret ?: irq_attach(v, index, 0, 1, &efd);
	irq_disable(v, index);
	close(efd);
	return race_refused(ret, refusals);
}

static int set_either(const struct vdev *v)
{
	int ret = set_irqs(v, MSI);

	return ret ?: set_irqs(v, INTX);
}

/* All that a user does with a migration, whichever state the device is in. */
static int migrate(const struct vdev *v)
{
	void *stream = NULL;
	ssize_t len;
	int ret = 0;

	len = migration_save(v, &stream);
	if (len >= 0) {
		ret = migration_load(v, stream, len, STATE(RUNNING));
		free(stream);
	}
	return len < 0 ? len : ret;
}

static int with(const char *uuid, int (*call)(const struct vdev *v))
{
	struct vdev v;
	int ret;

	ret = vdev_open(&v, "mdev", uuid);
	if (ret)
		return race_refused(ret, gone);
	ret = call(&v);
	vdev_close(&v);
	return ret;
}

static int open_and_access(void *arg)
{
	return with(arg, set_scratch);
}

static int open_and_migrate(void *arg)
{
	return with(arg, migrate);
}

struct instance {
	const char *type;
	const char *uuid;
};

static int create_and_remove(void *arg)
{
	static const int refusals[] = { EEXIST, ENOENT, ENODEV, EAGAIN, 0 };
	const struct instance *i = arg;
	int ret = race_refused(mdev_create(i->type, i->uuid), refusals);

	return ret ?: race_refused(mdev_remove(i->uuid), refusals);
}

static bool works(const struct instance *i)
{
	struct vdev v;
	bool ret;

	if (mdev_create(i->type, i->uuid) || vdev_open(&v, "mdev", i->uuid))
		return false;
	cfg_command(&v, 0, PCI_COMMAND_IO);
	region_w8(&v, BAR0, UART_SCR, 0x5a);
	ret = region_r8(&v, BAR0, UART_SCR) == 0x5a;
	vdev_close(&v);
	return ret;
}

TEST_F(races, open_against_remove)
{
	struct instance i = { self->type, self->uuid };
	const struct race_side sides[] = {
		{ create_and_remove, &i }, { open_and_access, self->uuid },
	};

	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(100)));
	EXPECT_TRUE(works(&i));
}

TEST_F(races, migration_against_remove)
{
	struct instance i = { self->type, self->uuid };
	const struct race_side sides[] = {
		{ create_and_remove, &i }, { open_and_migrate, self->uuid },
	};

	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(50)));
	EXPECT_TRUE(works(&i));
}

/* The parent's module goes when nobody uses it, and comes back with nothing lost. */
static int reload(void *arg)
{
	static const int used[] = { EAGAIN, EBUSY, EWOULDBLOCK, ENOENT, EEXIST, 0 };
	int ret = race_refused(module_unload(arg), used);

	return ret ?: race_refused(module_load(arg, ""), used);
}

TEST_F(races, unload_against_everything)
{
	char module[] = "ferry-uart";
	struct instance i = { self->type, self->uuid };
	const struct race_side sides[] = {
		{ reload, module }, { create_and_remove, &i },
		{ open_and_access, self->uuid }, { open_and_migrate, self->uuid },
	};

	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(20)));
	EXPECT_TRUE(works(&i));
}

static int access_registers(void *arg)
{
	return set_scratch(arg);
}

static int set_interrupts(void *arg)
{
	return set_either(arg);
}

static int reset(void *arg)
{
	return vdev_reset(arg);
}

static int move_around(void *arg)
{
	static const int refusals[] = { EINVAL, EIO, EBUSY, ENODEV, 0 };

	return race_refused(migrate(arg), refusals);
}

/* The device is where it was in the end. */
TEST_F(races, everything_against_reset)
{
	struct instance i = { self->type, self->uuid };
	struct vdev v;
	const struct race_side sides[] = {
		{ access_registers, &v }, { set_interrupts, &v },
		{ reset, &v }, { move_around, &v },
	};

	ASSERT_EQ(0, mdev_create(i.type, i.uuid));
	ASSERT_EQ(0, vdev_open(&v, "mdev", i.uuid));
	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(50)));
	EXPECT_EQ(0, vdev_reset(&v));
	EXPECT_EQ((int)STATE(RUNNING), migration_state(&v));
	vdev_close(&v);
	EXPECT_EQ(0, mdev_remove(i.uuid));
	EXPECT_TRUE(works(&i));
}

/* An open of its own, which may be the first and the last. */
struct reopened {
	struct vdev v;
	int (*call)(const struct vdev *v);
};

static int open_again(void *arg)
{
	const struct reopened *r = arg;
	struct vdev v = r->v;
	int ret;

	v.fd = vdev_open_again(&v);
	if (v.fd < 0)
		return v.fd;
	ret = r->call(&v);
	close(v.fd);
	return ret;
}

TEST_F(races, everything_against_close)
{
	struct instance i = { self->type, self->uuid };
	struct reopened users[2] = {
		{ .call = set_either }, { .call = set_scratch },
	};
	const struct race_side sides[] = {
		{ open_again, &users[0] }, { open_again, &users[1] },
	};

	ASSERT_EQ(0, mdev_create(i.type, i.uuid));
	ASSERT_EQ(0, vdev_prepare(&users[0].v, "mdev", i.uuid));
	users[1].v = users[0].v;
	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(100)));
	vdev_close(&users[0].v);
	EXPECT_EQ(0, mdev_remove(i.uuid));
	EXPECT_TRUE(works(&i));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
