// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot reset: two functions of one slot, and what their user has to show to
 * reset them together.
 *
 * The devices slot0 and slot1 are the functions 0 and 1 of one device, both of
 * them an e1000e. They are in one IOMMU group.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define FUNCTIONS	2
#define CANARY		0xa5
#define ENTRY		sizeof(struct vfio_pci_dependent_device)

static const char * const devices[FUNCTIONS] = { "slot0", "slot1" };

FIXTURE(hot_reset)
{
	struct vdev v[FUNCTIONS];
};

/* The other function has the group and the container of the first. */
static int open_neighbour(const struct vdev *first, struct vdev *v)
{
	snprintf(v->bus, sizeof(v->bus), "pci");
	snprintf(v->name, sizeof(v->name), "%s",
		 device_bdf(devices[1]));
	v->container = -1;
	v->group = -1;
	v->fd = fd_ioctl(first->group, VFIO_GROUP_GET_DEVICE_FD, v->name);
	return v->fd < 0 ? v->fd : 0;
}

static int bind_both(void)
{
	int i, ret = 0;

	for (i = 0; i < FUNCTIONS && !ret; i++)
		ret = pci_bind(device_bdf(devices[i]), driver_name());
	return ret;
}

FIXTURE_SETUP(hot_reset)
{
	const char *missing;
	int i;

	for (i = 0; i < FUNCTIONS; i++) {
		missing = device_missing(devices[i]);
		if (missing)
			SKIP(return, "%s", missing);
	}
	ASSERT_EQ(0, bind_both());
	ASSERT_EQ(0, vdev_open_device(&self->v[0], "slot0"));
	ASSERT_EQ(0, open_neighbour(&self->v[0], &self->v[1]));
	for (i = 0; i < FUNCTIONS; i++)
		cfg_command(&self->v[i], 0, PCI_COMMAND_MEMORY);
}

FIXTURE_TEARDOWN(hot_reset)
{
	vdev_close(&self->v[1]);
	vdev_close(&self->v[0]);
}

static void mark(const struct vdev *v)
{
	int i;

	for (i = 0; i < FUNCTIONS; i++)
		scratch_write(&v[i]);
}

/* How many functions have kept what mark() wrote. */
static int marked(const struct vdev *v)
{
	int i, kept = 0;

	for (i = 0; i < FUNCTIONS; i++)
		kept += scratch_kept(&v[i]);
	return kept;
}

static int hot_reset_one(const struct vdev *v, int fd)
{
	return hot_reset_fds(v, &fd, 1);
}

static struct vfio_pci_hot_reset_info *info_new(__u32 argsz, size_t room)
{
	struct vfio_pci_hot_reset_info *info = malloc(room);

	if (!info)
		abort();
	memset(info, CANARY, room);
	info->argsz = argsz;
	return info;
}

TEST_F(hot_reset, info)
{
	const size_t size = sizeof(struct vfio_pci_hot_reset_info) +
			    FUNCTIONS * ENTRY;
	struct vfio_pci_hot_reset_info *info = info_new(size, size);
	int i;

	ASSERT_EQ(0, fd_ioctl(self->v[1].fd,
			      VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info));
	EXPECT_EQ(0, info->flags);
	ASSERT_EQ(FUNCTIONS, info->count);
	for (i = 0; i < FUNCTIONS; i++) {
		EXPECT_TRUE(hot_reset_is(&info->devices[i], self->v[i].name));
		EXPECT_EQ((__u32)vdev_group_number("pci", self->v[i].name),
			  info->devices[i].group_id);
	}
	free(info);
}

/* Too short is refused, too small says what it takes, and nothing more. */
TEST_F(hot_reset, info_argsz)
{
	const size_t minsz = sizeof(struct vfio_pci_hot_reset_info);
	const size_t enough = minsz + FUNCTIONS * ENTRY;
	const size_t room = enough + 2 * ENTRY;
	struct vfio_pci_hot_reset_info *info;
	__u8 *bytes;
	size_t i, n;
	int ret, want;

	for (n = 0; n <= room; n++) {
		info = info_new(n == room ? ~0U : n, room);
		bytes = (__u8 *)info;
		want = n < minsz ? -EINVAL : n < enough ? -ENOSPC : 0;
		ret = fd_ioctl(self->v[0].fd,
			       VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info);
		EXPECT_EQ(want, ret) {
			TH_LOG("argsz %zu", n);
		}
		if (want != -EINVAL) {
			EXPECT_EQ(FUNCTIONS, info->count);
			EXPECT_EQ(0, info->flags);
		}
		i = want == -EINVAL ? sizeof(info->argsz) :
		    want == -ENOSPC ? minsz : enough;
		for (; i < room; i++)
			ASSERT_EQ(CANARY, bytes[i]) {
				TH_LOG("argsz %zu, byte %zu", n, i);
			}
		free(info);
	}
	EXPECT_EQ(-EFAULT, fd_ioctl(self->v[0].fd,
				    VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, NULL));
}

/* Both functions are reset, and both users' settings survive it. */
TEST_F(hot_reset, resets_all)
{
	__u16 command[FUNCTIONS];
	__u32 bar[FUNCTIONS];
	int i;

	for (i = 0; i < FUNCTIONS; i++) {
		bar[i] = cfg_r32(&self->v[i], PCI_BASE_ADDRESS_0) ^ 0x10000000;
		cfg_w32(&self->v[i], PCI_BASE_ADDRESS_0, bar[i]);
		cfg_w8(&self->v[i], PCI_INTERRUPT_LINE, 0x5a + i);
		cfg_command(&self->v[i], 0, PCI_COMMAND_MASTER);
		command[i] = cfg_r16(&self->v[i], PCI_COMMAND);
	}
	mark(self->v);
	ASSERT_EQ(FUNCTIONS, marked(self->v));
	ASSERT_EQ(0, hot_reset_one(&self->v[1], self->v[0].group));
	EXPECT_EQ(0, marked(self->v));
	for (i = 0; i < FUNCTIONS; i++) {
		EXPECT_EQ(bar[i], cfg_r32(&self->v[i], PCI_BASE_ADDRESS_0));
		EXPECT_EQ(0x5a + i, cfg_r8(&self->v[i], PCI_INTERRUPT_LINE));
		EXPECT_EQ(command[i], cfg_r16(&self->v[i], PCI_COMMAND));
		EXPECT_NE(~0U, region_r32(&self->v[i], BAR0, 8));
	}
}

/* A mapping works again, and memory that was off stays off. */
TEST_F(hot_reset, memory)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	void *map[FUNCTIONS];
	__u32 val;
	int i;

	for (i = 0; i < FUNCTIONS; i++) {
		ASSERT_EQ(0, region_map(&self->v[i], BAR0, 0, page, PROT_READ,
					MAP_SHARED, &map[i]));
		ASSERT_TRUE(map_read32(map[i], 8, &val));
	}
	cfg_command(&self->v[1], PCI_COMMAND_MEMORY, 0);
	ASSERT_EQ(0, hot_reset_one(&self->v[0], self->v[0].group));
	EXPECT_TRUE(map_read32(map[0], 8, &val));
	EXPECT_EQ(val, region_r32(&self->v[0], BAR0, 8));
	EXPECT_FALSE(map_read32(map[1], 8, &val));
	EXPECT_EQ(-EIO, region_read(&self->v[1], BAR0, 8, &val, 4));
	cfg_command(&self->v[1], 0, PCI_COMMAND_MEMORY);
	EXPECT_TRUE(map_read32(map[1], 8, &val));
	for (i = 0; i < FUNCTIONS; i++)
		munmap(map[i], page);
}

TEST_F(hot_reset, vectors)
{
	const struct raiser *r = &e1000e_msix;
	int efd = efd_new(), i;

	ASSERT_LE(0, efd);
	ASSERT_EQ(0, irq_attach_one(&self->v[0], r->index, 0, efd));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, hot_reset_one(&self->v[1], self->v[0].group));
		r->setup(&self->v[0]);
		r->raise(&self->v[0], 0);
		EXPECT_NE(0, efd_wait(efd)) {
			TH_LOG("after reset %d", i);
		}
		r->ack(&self->v[0], 0);
	}
	close(efd);
}

/* In D3hot, or let asleep by its user: it comes back as it was. */
TEST_F(hot_reset, asleep)
{
	unsigned int pos = cfg_find_cap(&self->v[1], PCI_CAP_ID_PM);
	__u16 pmcsr;

	ASSERT_NE(0, pos);
	mark(self->v);
	pmcsr = cfg_r16(&self->v[1], pos + PCI_PM_CTRL);
	cfg_w16(&self->v[1], pos + PCI_PM_CTRL, pmcsr | 3);
	ASSERT_EQ(0, hot_reset_one(&self->v[0], self->v[0].group));
	EXPECT_EQ(0, cfg_r16(&self->v[1], pos + PCI_PM_CTRL) &
		  PCI_PM_CTRL_STATE_MASK);
	EXPECT_EQ(0, marked(self->v));
	EXPECT_TRUE(cfg_r16(&self->v[1], PCI_COMMAND) & PCI_COMMAND_MEMORY);
}

TEST_F(hot_reset, runtime_asleep)
{
	ASSERT_EQ(0, vdev_feature_set(&self->v[1],
				      VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
				      NULL, 0));
	ASSERT_EQ(0, pci_wait_runtime(self->v[1].name, "suspended"));
	scratch_write(&self->v[0]);
	ASSERT_EQ(0, hot_reset_one(&self->v[0], self->v[0].group));
	EXPECT_FALSE(scratch_kept(&self->v[0]));
	EXPECT_EQ(0, pci_wait_runtime(self->v[1].name, "suspended"));
	EXPECT_EQ(0, vdev_feature_set(&self->v[1],
				      VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
				      NULL, 0));
	scratch_write(&self->v[1]);
	EXPECT_TRUE(scratch_kept(&self->v[1]));
}

/* Bound, but not open: it sleeps, and is hit nevertheless. */
TEST_F(hot_reset, closed_neighbour)
{
	vdev_close(&self->v[1]);
	ASSERT_EQ(0, pci_wait_runtime(device_bdf("slot1"), "suspended"));
	scratch_write(&self->v[0]);
	ASSERT_EQ(0, hot_reset_one(&self->v[0], self->v[0].group));
	EXPECT_FALSE(scratch_kept(&self->v[0]));
	EXPECT_EQ(0, pci_wait_runtime(device_bdf("slot1"), "suspended"));
	ASSERT_EQ(0, open_neighbour(&self->v[0], &self->v[1]));
}

/* What proves nothing gets nothing, and changes nothing. */
TEST_F(hot_reset, bad_fds)
{
	const int group = self->v[0].group;
	const int wrong[] = { group, self->v[0].fd };
	const int closed[] = { group, FERRY_NO_FD };
	const int negative[] = { -1, group };
	const int three[] = { group, group, group };
	int efd = efd_new();

	ASSERT_LE(0, efd);
	mark(self->v);
	EXPECT_EQ(-EINVAL, hot_reset_fds(&self->v[0], &group, 0));
	EXPECT_EQ(-EBADF, hot_reset_one(&self->v[0], FERRY_NO_FD));
	EXPECT_EQ(-EBADF, hot_reset_fds(&self->v[0], closed, 2));
	EXPECT_EQ(-EBADF, hot_reset_fds(&self->v[0], negative, 2));
	EXPECT_EQ(-EINVAL, hot_reset_fds(&self->v[0], wrong, 2));
	EXPECT_EQ(-EINVAL, hot_reset_one(&self->v[0], efd));
	EXPECT_EQ(-EINVAL, hot_reset_one(&self->v[0], self->v[0].container));
	EXPECT_EQ(-EINVAL, hot_reset_fds(&self->v[0], three, 3));
	EXPECT_EQ(FUNCTIONS, marked(self->v));
	close(efd);
}

TEST_F(hot_reset, duplicate_fds)
{
	const int two[] = { self->v[0].group, self->v[0].group };

	mark(self->v);
	EXPECT_EQ(0, hot_reset_fds(&self->v[0], two, 2));
	EXPECT_EQ(0, marked(self->v));
}

TEST_F(hot_reset, bad_argument)
{
	const __u32 size = sizeof(struct vfio_pci_hot_reset) + sizeof(int);
	const int group = self->v[0].group;

	mark(self->v);
	EXPECT_EQ(-EINVAL, hot_reset_raw(&self->v[0], 0, 0, 1, &group, 1));
	EXPECT_EQ(-EINVAL, hot_reset_raw(&self->v[0], 11, 0, 1, &group, 1));
	EXPECT_EQ(-EINVAL, hot_reset_raw(&self->v[0], size, 1, 1, &group, 1));
	EXPECT_EQ(-EINVAL, hot_reset_raw(&self->v[0], size, 0, 0x40000001,
					 &group, 1));
	EXPECT_EQ(-EINVAL, hot_reset_raw(&self->v[0], size, 0, ~0U, &group,
					 1));
	EXPECT_EQ(-EINVAL, hot_reset_raw(&self->v[0], ~0U, 0, FUNCTIONS + 1,
					 &group, 1));
	EXPECT_EQ(-EFAULT, fd_ioctl(self->v[0].fd, VFIO_DEVICE_PCI_HOT_RESET,
				    NULL));
	EXPECT_EQ(FUNCTIONS, marked(self->v));
	EXPECT_EQ(0, hot_reset_raw(&self->v[0], ~0U, 0, 1, &group, 1));
	EXPECT_EQ(0, marked(self->v));
}

/* The descriptors end where memory does. */
TEST_F(hot_reset, unreadable_fds)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	struct vfio_pci_hot_reset *arg;
	__u8 *pages;

	pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, pages);
	ASSERT_EQ(0, mprotect(pages + page, page, PROT_NONE));
	arg = (void *)(pages + page - sizeof(*arg));
	arg->argsz = sizeof(*arg) + sizeof(int);
	arg->flags = 0;
	arg->count = 1;
	mark(self->v);
	EXPECT_EQ(-EFAULT, fd_ioctl(self->v[0].fd, VFIO_DEVICE_PCI_HOT_RESET,
				    arg));
	EXPECT_EQ(FUNCTIONS, marked(self->v));
	munmap(pages, 2 * page);
}

/* A group alright, but of a device that has nothing to do with it. */
TEST_F(hot_reset, foreign_group)
{
	const char *missing = device_missing("edu");
	struct vdev edu;
	int log;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&edu, "edu"));
	mark(self->v);
	log = klog_open();
	ASSERT_LE(0, log);
	EXPECT_EQ(-EINVAL, hot_reset_one(&self->v[0], edu.group));
	EXPECT_EQ(!driver_is_stock(),
		  klog_count(log, "hasn't shown that", NULL));
	close(log);
	EXPECT_EQ(FUNCTIONS, marked(self->v));
	vdev_close(&edu);
}

/* A function that is left to somebody else isn't reset under him. */
TEST_F(hot_reset, left_out)
{
	const char *bdf = device_bdf("slot1");
	struct vfio_pci_hot_reset_info *info;
	const size_t size = sizeof(*info) + FUNCTIONS * ENTRY;
	const char *driver;
	int log, round;

	vdev_close(&self->v[1]);
	for (round = 0; round < 2; round++) {
		driver = round ? "pci-stub" : NULL;
		if (driver && !path_exists("/sys/bus/pci/drivers/pci-stub"))
			break;
		ASSERT_EQ(0, pci_unbind(bdf));
		ASSERT_EQ(0, driver ? pci_bind(bdf, driver) : 0);
		scratch_write(&self->v[0]);
		log = klog_open();
		ASSERT_LE(0, log);
		EXPECT_EQ(-EINVAL, hot_reset_one(&self->v[0],
						 self->v[0].group)) {
			TH_LOG("with %s", driver ? driver : "no driver");
		}
		EXPECT_EQ(!driver_is_stock(), klog_count(log, bdf, NULL));
		close(log);
		EXPECT_TRUE(scratch_kept(&self->v[0]));
		/* It would be hit, says the information all the same. */
		info = info_new(size, size);
		EXPECT_EQ(0, fd_ioctl(self->v[0].fd,
				      VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
				      info));
		EXPECT_EQ(FUNCTIONS, info->count);
		free(info);
	}
	ASSERT_EQ(0, bind_both());
	ASSERT_EQ(0, open_neighbour(&self->v[0], &self->v[1]));
	mark(self->v);
	EXPECT_EQ(0, hot_reset_one(&self->v[0], self->v[0].group));
	EXPECT_EQ(0, marked(self->v));
}

struct busy {
	const struct vdev *v;
	void *map;
	bool stop;
	bool wrong;
};

static bool stopped(struct busy *b)
{
	return __atomic_load_n(&b->stop, __ATOMIC_ACQUIRE);
}

/* Reads in every way, switches memory off and on, resets by itself. */
static void *busy_with_function(void *arg)
{
	struct busy *b = arg;
	ssize_t ret;
	__u32 val;
	int i;

	for (i = 0; !stopped(b); i++) {
		map_read32(b->map, 8, &val);
		ret = region_read(b->v, BAR0, 8, &val, sizeof(val));
		if (ret != sizeof(val) && ret != -EIO)
			b->wrong = true;
		cfg_command(b->v, PCI_COMMAND_MEMORY, 0);
		cfg_command(b->v, 0, PCI_COMMAND_MEMORY);
		ret = i % 4 == 3 ? vdev_reset(b->v) : 0;
		if (ret && ret != -EINVAL)
			b->wrong = true;
	}
	return NULL;
}

TEST_F(hot_reset, among_others)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	struct busy b[FUNCTIONS] = {};
	pthread_t threads[FUNCTIONS];
	int i;

	for (i = 0; i < FUNCTIONS; i++) {
		b[i].v = &self->v[i];
		ASSERT_EQ(0, region_map(&self->v[i], BAR0, 0, page, PROT_READ,
					MAP_SHARED, &b[i].map));
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    busy_with_function, &b[i]));
	}
	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, hot_reset_one(&self->v[i % FUNCTIONS],
					   self->v[0].group)) {
			TH_LOG("reset %d", i);
		}
	for (i = 0; i < FUNCTIONS; i++) {
		__atomic_store_n(&b[i].stop, true, __ATOMIC_RELEASE);
		pthread_join(threads[i], NULL);
		EXPECT_FALSE(b[i].wrong);
		munmap(b[i].map, page);
	}
	mark(self->v);
	ASSERT_EQ(FUNCTIONS, marked(self->v));
	ASSERT_EQ(0, hot_reset_one(&self->v[0], self->v[0].group));
	EXPECT_EQ(0, marked(self->v));
}

/*
 * Functions that can't be reset alone are reset together, when nobody uses any
 * of them any more and not before. Opening resets nothing here, so it shows.
 */
TEST_F(hot_reset, at_last_close)
{
	int i;

	vdev_close(&self->v[1]);
	vdev_close(&self->v[0]);
	for (i = 0; i < FUNCTIONS; i++)
		ASSERT_EQ(0, pci_attr_write(device_bdf(devices[i]),
					    "reset_method", "\n"));
	ASSERT_EQ(0, vdev_open_device(&self->v[0], "slot0"));
	ASSERT_EQ(0, open_neighbour(&self->v[0], &self->v[1]));
	EXPECT_EQ(-EINVAL, vdev_reset(&self->v[0]));
	for (i = 0; i < FUNCTIONS; i++)
		cfg_command(&self->v[i], 0, PCI_COMMAND_MEMORY);
	mark(self->v);
	vdev_close(&self->v[1]);
	EXPECT_TRUE(scratch_kept(&self->v[0]));
	ASSERT_EQ(0, open_neighbour(&self->v[0], &self->v[1]));
	cfg_command(&self->v[1], 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(FUNCTIONS, marked(self->v));

	vdev_close(&self->v[1]);
	vdev_close(&self->v[0]);
	ASSERT_EQ(0, vdev_open_device(&self->v[0], "slot0"));
	ASSERT_EQ(0, open_neighbour(&self->v[0], &self->v[1]));
	for (i = 0; i < FUNCTIONS; i++) {
		cfg_command(&self->v[i], 0, PCI_COMMAND_MEMORY);
		EXPECT_FALSE(scratch_kept(&self->v[i])) {
			TH_LOG("function %d", i);
		}
	}
	for (i = 0; i < FUNCTIONS; i++)
		EXPECT_EQ(0, pci_attr_write(device_bdf(devices[i]),
					    "reset_method", "default"));
}

/* Alone behind its port, a function needs nobody's leave but its own. */
TEST(single)
{
	const size_t size = sizeof(struct vfio_pci_hot_reset_info) + ENTRY;
	const char *missing = device_missing("e1000e");
	struct vfio_pci_hot_reset_info *info;
	struct vdev v;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "e1000e"));
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	info = info_new(size, size);
	ASSERT_EQ(0, fd_ioctl(v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info));
	EXPECT_EQ(1, info->count);
	EXPECT_TRUE(hot_reset_is(&info->devices[0], v.name));
	scratch_write(&v);
	ASSERT_EQ(0, hot_reset_one(&v, v.group));
	EXPECT_FALSE(scratch_kept(&v));
	vdev_close(&v);
	free(info);
}

/* Above a function on the root bus there is nothing that could reset it. */
TEST(root_bus)
{
	struct vfio_pci_hot_reset_info info = { .argsz = sizeof(info) };
	const char *missing = device_missing("root");
	struct vdev v;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "root"));
	EXPECT_EQ(-ENODEV, fd_ioctl(v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
				    &info));
	EXPECT_EQ(-ENODEV, hot_reset_one(&v, v.group));
	vdev_close(&v);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
