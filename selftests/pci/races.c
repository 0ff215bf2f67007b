// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two or three things that are done to a physical function at once, again and again. What is
 * refused has the errno that says so, and afterwards the device works.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX

FIXTURE(races)
{
	struct vdev v;
	int efd;
};

FIXTURE_SETUP(races)
{
	const char *missing = device_missing("edu");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "edu"));
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(races)
{
	close(self->efd);
	vdev_close(&self->v);
}

/* Without an abort() where the memory is off. */
static int set_register(const struct vdev *v, unsigned int pos, __u32 val)
{
	static const int refusals[] = { EIO, 0 };
	ssize_t ret = region_write(v, BAR0, pos, &val, sizeof(val));

	return race_refused(ret, refusals);
}

static int reset(void *arg)
{
	static const int refusals[] = { EAGAIN, 0 };

	return race_refused(vdev_reset(arg), refusals);
}

static int decode(void *arg)
{
	__u16 command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	ssize_t ret;

	ret = region_write(arg, CONFIG, PCI_COMMAND, &command,
			   sizeof(command));
	return ret < 0 ? ret : 0;
}

static int interrupt(void *arg)
{
	const struct vdev *v = arg;
	int ret = decode(arg);

	ret = ret ?: set_register(v, EDU_IRQ_RAISE, 1);
	return ret ?: set_register(v, EDU_IRQ_ACK, ~0U);
}

/* Enabled, pointed elsewhere, masked as QEMU does it, and disabled, of either index. */
static int set_irqs(const struct vdev *v, __u32 index)
{
	static const int refusals[] = { EINVAL, 0 };
	int efd = efd_new(), other = efd_new(), none = -1, ret;

	ret = irq_attach(v, index, 0, 1, &efd);
	ret = ret ?: irq_attach(v, index, 0, 1, &other);
	ret = ret ?: irq_attach(v, index, 0, 1, &none);
	ret = ret ?: irq_attach(v, index, 0, 1, &efd);
	irq_disable(v, index);
	close(efd);
	close(other);
	/* Another index is enabled, or this one isn't any more. */
	return race_refused(ret, refusals);
}

static int set_msi(void *arg)
{
	return set_irqs(arg, MSI);
}

static int set_intx(void *arg)
{
	return set_irqs(arg, INTX);
}

static bool works(const struct vdev *v, int efd)
{
	vdev_reset(v);
	cfg_command(v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	irq_disable(v, INTX);
	irq_disable(v, MSI);
	if (region_r32(v, BAR0, EDU_ID) != EDU_ID_VALUE ||
	    irq_attach_one(v, MSI, 0, efd))
		return false;
	region_w32(v, BAR0, EDU_IRQ_RAISE, 1);
	return efd_wait(efd) == 1;
}

TEST_F(races, irqs_against_interrupts_and_reset)
{
	const struct race_side sides[] = {
		{ set_msi, &self->v }, { interrupt, &self->v }, { reset, &self->v },
	};

	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(30)));
	EXPECT_TRUE(works(&self->v, self->efd));
}

TEST_F(races, irqs_against_irqs)
{
	const struct race_side sides[] = {
		{ set_msi, &self->v }, { set_intx, &self->v }, { interrupt, &self->v },
	};

	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(300)));
	EXPECT_TRUE(works(&self->v, self->efd));
}

/* An open of its own, which may be the first and the last: the device opens and closes. */
static int open_and(void *arg, int (*call)(void *))
{
	struct vdev v = *(struct vdev *)arg;
	int ret;

	v.fd = vdev_open_again(&v);
	if (v.fd < 0)
		return v.fd;
	ret = call(&v);
	close(v.fd);
	return ret;
}

static int open_and_set_msi(void *arg)
{
	return open_and(arg, set_msi);
}

static int open_and_interrupt(void *arg)
{
	return open_and(arg, interrupt);
}

TEST_F(races, irqs_against_close)
{
	const struct race_side sides[] = {
		{ open_and_set_msi, &self->v }, { open_and_interrupt, &self->v },
	};

	close(self->v.fd);
	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(20)));
	self->v.fd = vdev_open_again(&self->v);
	ASSERT_LE(0, self->v.fd);
	EXPECT_TRUE(works(&self->v, self->efd));
}

/* What an eventfd writes goes to the device, or to one that is closed. */
static int ioeventfd(void *arg)
{
	static const int refusals[] = { EEXIST, ENODEV, ENOSPC, 0 };
	const struct vdev *v = arg;
	struct vfio_device_ioeventfd e = {
		.argsz = sizeof(e),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = region_offset(v, BAR0) + EDU_LIVENESS,
		.data = 0x5a5a,
		.fd = efd_new(),
	};
	int fd = e.fd, ret;

	ret = fd_ioctl(v->fd, VFIO_DEVICE_IOEVENTFD, &e);
	eventfd_write(fd, 1);
	close(fd);
	return race_refused(ret, refusals);
}

static int open_and_ioeventfd(void *arg)
{
	return open_and(arg, ioeventfd);
}

TEST_F(races, ioeventfd_against_close)
{
	const struct race_side sides[] = {
		{ open_and_ioeventfd, &self->v }, { open_and_ioeventfd, &self->v },
	};

	close(self->v.fd);
	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(20)));
	self->v.fd = vdev_open_again(&self->v);
	ASSERT_LE(0, self->v.fd);
	EXPECT_TRUE(works(&self->v, self->efd));
}

/* Two processes, of which each has the descriptor, and one goes away first. */
TEST_F(races, two_processes)
{
	const struct race_side sides[] = {
		{ set_msi, &self->v }, { interrupt, &self->v },
	};
	int status = -1;
	pid_t child;

	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(race(sides, ARRAY_SIZE(sides), rounds(100)) ? 1 : 0);
	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(100)));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(works(&self->v, self->efd));
}

/* Bound and unbound while somebody tries to open it: whoever gets it has all of it. */
static int open_bound(void *arg)
{
	static const int refusals[] = { ENOENT, ENXIO, ENODEV, EPERM, EINVAL, EBUSY, 0 };
	const struct vdev *device = arg;
	struct vdev v;
	int ret;

	ret = vdev_open(&v, "pci", device->name);
	if (ret)
		return race_refused(ret, refusals);
	ret = cfg_r32(&v, PCI_VENDOR_ID) == 0x11e81234 ? set_msi(&v) : -EIO;
	vdev_close(&v);
	return ret;
}

static int rebind(void *arg)
{
	const struct vdev *device = arg;
	int ret = pci_unbind(device->name);

	return ret ?: pci_bind(device->name, driver_name());
}

TEST_F(races, open_against_unbind)
{
	const struct race_side sides[] = {
		{ open_bound, &self->v }, { rebind, &self->v },
	};
	char name[FERRY_NAME_MAX];

	snprintf(name, sizeof(name), "%s", self->v.name);
	vdev_close(&self->v);
	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(20)));
	ASSERT_EQ(0, vdev_open(&self->v, "pci", name));
	EXPECT_TRUE(works(&self->v, self->efd));
}

/* Memory that goes while somebody reads it through a mapping, for want of power. */
#define VET		0x38

struct sleeper {
	struct vdev v;
	unsigned int pm;
	void *map;
	__u32 value;
	unsigned int read;
};

static int set_power(const struct sleeper *s, __u16 state)
{
	ssize_t ret = region_write(&s->v, CONFIG, s->pm + PCI_PM_CTRL, &state,
				   sizeof(state));

	return ret < 0 ? ret : 0;
}

static int sleep_and_wake(void *arg)
{
	struct sleeper *s = arg;
	int ret;

	ret = set_power(s, 3);
	ret = ret ?: set_power(s, 0);
	return ret ?: decode(&s->v);
}

static int look(void *arg)
{
	struct sleeper *s = arg;
	__u32 val;

	if (!map_read32(s->map, VET, &val))
		return 0;
	s->read++;
	return val == s->value ? 0 : -EIO;
}

TEST(mapping_against_power)
{
	const char *missing = device_missing("igb");
	struct sleeper s = {};
	const struct race_side sides[] = {
		{ sleep_and_wake, &s }, { look, &s },
	};

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&s.v, "igb"));
	s.pm = cfg_find_cap(&s.v, PCI_CAP_ID_PM);
	ASSERT_NE(0, s.pm);
	ASSERT_EQ(0, decode(&s.v));
	s.value = region_r32(&s.v, BAR0, VET);
	ASSERT_NE(0, s.value);
	ASSERT_NE(~0U, s.value);
	ASSERT_EQ(0, region_map(&s.v, BAR0, 0, 4096, PROT_READ, MAP_SHARED,
				&s.map));
	EXPECT_EQ(0, race(sides, ARRAY_SIZE(sides), rounds(100)));
	TH_LOG("read %u times", s.read);
	s.read = 0;
	EXPECT_EQ(0, look(&s));
	EXPECT_EQ(1, s.read);
	munmap(s.map, 4096);
	vdev_close(&s.v);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
