// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_IOEVENTFD: eventfds that write to a BAR.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define BAR2	VFIO_PCI_BAR2_REGION_INDEX
#define AT(index, pos)	(((__u64)(index) << 40) + (pos))

/* As many as one device takes. */
#define IOEVENTFD_MAX	1000

static int ioeventfd(const struct vdev *v, __u64 offset, __u32 width,
		     __u64 data, int fd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = width,
		.offset = offset,
		.data = data,
		.fd = fd,
	};

	return fd_ioctl(v->fd, VFIO_DEVICE_IOEVENTFD, &arg);
}

static void signal_efd(int efd)
{
	__u64 one = 1;

	if (write(efd, &one, sizeof(one)) != sizeof(one))
		abort();
}

/* ivshmem's BAR 2 is memory: what is written is read. */
FIXTURE(memory)
{
	struct vdev v;
	__u64 size;
	int efd;
};

FIXTURE_SETUP(memory)
{
	const char *missing = device_missing("ivshmem");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "ivshmem"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	self->size = region_size(&self->v, BAR2);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(memory)
{
	close(self->efd);
	vdev_close(&self->v);
}

/* Exactly the bytes that were asked for, at every alignment. */
TEST_F(memory, widths)
{
	const __u64 data = 0xf1e2d3c4b5a69788ULL;
	unsigned char want[32], got[32];
	unsigned int width, pos;

	for (width = 1; width <= 8; width *= 2) {
		for (pos = 8; pos < 16; pos++) {
			memset(want, 0x5a, sizeof(want));
			region_write(&self->v, BAR2, 0, want, sizeof(want));
			ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, pos), width,
					       data, self->efd));
			signal_efd(self->efd);
			memcpy(want + pos, &data, width);
			region_read(&self->v, BAR2, 0, got, sizeof(got));
			ASSERT_EQ(0, memcmp(want, got, sizeof(got))) {
				TH_LOG("%u bytes at %u", width, pos);
			}
			ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, pos), width,
					       data, -1));
		}
	}
}

/* The signal is consumed, each one writes, and none after the removal. */
TEST_F(memory, again_and_never_more)
{
	int i;

	ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 64), 4, 77, self->efd));
	for (i = 0; i < 10; i++) {
		region_w32(&self->v, BAR2, 64, i);
		signal_efd(self->efd);
		EXPECT_EQ(77, region_r32(&self->v, BAR2, 64));
	}
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 64), 4, 77, -1));
	region_w32(&self->v, BAR2, 64, 5);
	signal_efd(self->efd);
	EXPECT_EQ(5, region_r32(&self->v, BAR2, 64));
	EXPECT_EQ(1, efd_take(self->efd));
}

/* An eventfd that had counted before it was handed over. */
TEST_F(memory, signalled_before)
{
	region_w32(&self->v, BAR2, 64, 5);
	signal_efd(self->efd);
	ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 64), 4, 77, self->efd));
	EXPECT_EQ(77, region_r32(&self->v, BAR2, 64));
}

/* One eventfd, several places. */
TEST_F(memory, shared_eventfd)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		region_w32(&self->v, BAR2, 4 * i, 0);
		ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 4 * i), 4, 100 + i,
				       self->efd));
	}
	signal_efd(self->efd);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(100 + i, region_r32(&self->v, BAR2, 4 * i));
}

/* Place, width and value together are what one is known by. */
TEST_F(memory, identity)
{
	int other = efd_new();

	ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, self->efd));
	EXPECT_EQ(-EEXIST, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, self->efd));
	EXPECT_EQ(-EEXIST, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, other));
	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, AT(BAR2, 0), 4, 2, -1));
	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, AT(BAR2, 0), 2, 1, -1));
	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, AT(BAR2, 4), 4, 1, -1));
	EXPECT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 4, 2, other));
	EXPECT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 2, 1, other));
	EXPECT_EQ(0, ioeventfd(&self->v, AT(BAR2, 4), 4, 1, other));

	EXPECT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, -1));
	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, -1));
	/* The others have stayed. */
	region_w32(&self->v, BAR2, 0, 0);
	region_w32(&self->v, BAR2, 4, 0);
	signal_efd(other);
	EXPECT_EQ(1, region_r32(&self->v, BAR2, 4));
	EXPECT_NE(0, region_r32(&self->v, BAR2, 0));
	close(other);
}

/* Its eventfd closed, it does nothing, but is there until it is removed. */
TEST_F(memory, closed_eventfd)
{
	int other = efd_new();

	ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, other));
	close(other);
	EXPECT_EQ(-EEXIST, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, self->efd));
	EXPECT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, -1));
	EXPECT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, self->efd));
}

TEST_F(memory, as_many_as_there_may_be)
{
	int i;

	for (i = 0; i < IOEVENTFD_MAX; i++)
		ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 4 * i), 4, i,
				       self->efd));
	EXPECT_EQ(-ENOSPC, ioeventfd(&self->v, AT(BAR2, 4 * i), 4, i,
				     self->efd));
	EXPECT_EQ(-EEXIST, ioeventfd(&self->v, AT(BAR2, 0), 4, 0, self->efd));
	signal_efd(self->efd);
	for (i = 0; i < IOEVENTFD_MAX; i++)
		ASSERT_EQ((__u32)i, region_r32(&self->v, BAR2, 4 * i));
	ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 4 * 500), 4, 500, -1));
	EXPECT_EQ(0, ioeventfd(&self->v, AT(BAR2, 4 * i), 4, i, self->efd));
}

TEST_F(memory, outside)
{
	const __u64 size = self->size;
	__u32 width, index;

	/* Up to the last byte, and no further. */
	for (width = 1; width <= 8; width *= 2) {
		EXPECT_EQ(0, ioeventfd(&self->v, AT(BAR2, size - width), width,
				       0, self->efd));
		EXPECT_EQ(-EINVAL, ioeventfd(&self->v,
					     AT(BAR2, size - width + 1), width,
					     0, self->efd));
		EXPECT_EQ(-EINVAL, ioeventfd(&self->v, AT(BAR2, size), width,
					     0, self->efd));
		EXPECT_EQ(-EINVAL, ioeventfd(&self->v, AT(BAR2 + 1, -width),
					     width, 0, self->efd));
	}
	/* What is no BAR, or one that the device hasn't got. */
	for (index = 0; index < 20; index++) {
		if (index < VFIO_PCI_ROM_REGION_INDEX &&
		    region_size(&self->v, index))
			continue;
		EXPECT_EQ(-EINVAL, ioeventfd(&self->v, AT(index, 0), 4, 0,
					     self->efd)) {
			TH_LOG("region %u", index);
		}
		EXPECT_EQ(-EINVAL, ioeventfd(&self->v, AT(index, 0), 4, 0,
					     -1));
	}
	/* Negative file offsets, and those whose end overflows. */
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, -1ULL, 1, 0, self->efd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, -1ULL, 8, 0, self->efd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, -8ULL, 8, 0, self->efd));
	for (index = 40; index < 64; index++) {
		EXPECT_EQ(-EINVAL, ioeventfd(&self->v, -1ULL << index, 4, 0,
					     self->efd)) {
			TH_LOG("offset -1 << %u", index);
		}
		EXPECT_EQ(-EINVAL, ioeventfd(&self->v, -1ULL << index, 4, 0,
					     -1));
		EXPECT_EQ(-EINVAL, ioeventfd(&self->v, (-1ULL << index) - 2, 4,
					     0, self->efd));
	}
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, 1ULL << 63, 4, 0, self->efd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, (1ULL << 63) + AT(BAR2, 0), 4,
				     0, self->efd));
}

TEST_F(memory, bad_arguments)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = AT(BAR2, 0),
		.fd = self->efd,
	};
	const size_t minsz = offsetof(struct vfio_device_ioeventfd, fd) + 4;
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	__u32 flags;

	arg.argsz = minsz - 1;
	EXPECT_EQ(-EINVAL, fd_ioctl(self->v.fd, VFIO_DEVICE_IOEVENTFD, &arg));
	arg.argsz = 0;
	EXPECT_EQ(-EINVAL, fd_ioctl(self->v.fd, VFIO_DEVICE_IOEVENTFD, &arg));
	EXPECT_EQ(-EFAULT, fd_ioctl(self->v.fd, VFIO_DEVICE_IOEVENTFD, NULL));
	arg.argsz = sizeof(arg);
	for (flags = 0; flags < 0x20; flags++) {
		if (flags == 1 || flags == 2 || flags == 4 || flags == 8)
			continue;
		EXPECT_EQ(-EINVAL, ioeventfd(&self->v, AT(BAR2, 0), flags, 0,
					     self->efd)) {
			TH_LOG("flags %#x", flags);
		}
	}
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, AT(BAR2, 0), 0x80000001, 0,
				     self->efd));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, AT(BAR2, 0), 4, 0, -2));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, AT(BAR2, 0), 4, 0, -4096));
	EXPECT_EQ(-EBADF, ioeventfd(&self->v, AT(BAR2, 0), 4, 0, FERRY_NO_FD));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, AT(BAR2, 0), 4, 0, file));
	EXPECT_EQ(-EINVAL, ioeventfd(&self->v, AT(BAR2, 0), 4, 0, self->v.fd));
	/* Nothing of all that has stayed. */
	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, AT(BAR2, 0), 4, 0, -1));
	arg.argsz = minsz;
	EXPECT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_IOEVENTFD, &arg));
	close(file);
}

/* While memory is off a write is lost, as one of the processor would be. */
TEST_F(memory, gate)
{
	ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, self->efd));
	region_w32(&self->v, BAR2, 0, 0);
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	signal_efd(self->efd);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(0, region_r32(&self->v, BAR2, 0));
	signal_efd(self->efd);
	EXPECT_EQ(1, region_r32(&self->v, BAR2, 0));

	/* It can be set while memory is off. */
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(0, ioeventfd(&self->v, AT(BAR2, 4), 4, 3, self->efd));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	signal_efd(self->efd);
	EXPECT_EQ(3, region_r32(&self->v, BAR2, 4));
}

/* Signalled, set and removed while the gate moves; closed in the midst of it. */
TEST_F(memory, gate_race)
{
	struct memory_toggle t = { .v = &self->v };
	int i, n = rounds(500);
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, memory_toggler, &t));
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 4, i,
				       self->efd));
		signal_efd(self->efd);
		ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 4, i, -1));
		ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 8), 8, i,
				       self->efd));
		signal_efd(self->efd);
	}
	__atomic_store_n(&t.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	signal_efd(self->efd);
	vdev_close(&self->v);
	signal_efd(self->efd);
	EXPECT_EQ(1, efd_take(self->efd));
}

/* Whoever opens the device next finds none. */
TEST_F(memory, forgotten_at_close)
{
	region_w32(&self->v, BAR2, 0, 0);
	ASSERT_EQ(0, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, self->efd));
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open_device(&self->v, "ivshmem"));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	region_w32(&self->v, BAR2, 0, 9);
	signal_efd(self->efd);
	EXPECT_EQ(9, region_r32(&self->v, BAR2, 0));
	EXPECT_EQ(-ENODEV, ioeventfd(&self->v, AT(BAR2, 0), 4, 1, -1));
}

/* Not over the MSI-X table, but right beside it. */
TEST(msix_table)
{
	const char *missing = device_missing("igb");
	unsigned int pos, bar, table, end, width;
	struct vdev v;
	int efd;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "igb"));
	efd = efd_new();
	pos = cfg_find_cap(&v, PCI_CAP_ID_MSIX);
	ASSERT_NE(0, pos);
	table = cfg_r32(&v, pos + PCI_MSIX_TABLE);
	bar = table & PCI_MSIX_TABLE_BIR;
	table &= PCI_MSIX_TABLE_OFFSET;
	end = table + 16 * ((cfg_r16(&v, pos + PCI_MSIX_FLAGS) &
			     PCI_MSIX_FLAGS_QSIZE) + 1);
	for (width = 1; width <= 8; width *= 2) {
		EXPECT_EQ(-EINVAL, ioeventfd(&v, AT(bar, table), width, 0,
					     efd));
		EXPECT_EQ(-EINVAL, ioeventfd(&v, AT(bar, end - 1), width, 0,
					     efd));
		EXPECT_EQ(-EINVAL, ioeventfd(&v, AT(bar, end - width), width,
					     0, efd));
		EXPECT_EQ(0, ioeventfd(&v, AT(bar, end), width, 0, efd));
		if (!table)
			continue;
		EXPECT_EQ(-EINVAL, ioeventfd(&v, AT(bar, table - width + 1),
					     width, 0, efd));
		EXPECT_EQ(0, ioeventfd(&v, AT(bar, table - width), width, 0,
				       efd));
	}
	close(efd);
	vdev_close(&v);
}

/* I/O ports: what memory decoding is doesn't matter to them. */
TEST(io_ports)
{
	const char *missing = device_missing("e1000e");
	struct vdev v;
	int efd;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "e1000e"));
	efd = efd_new();
	cfg_command(&v, PCI_COMMAND_MEMORY, PCI_COMMAND_IO);
	region_w32(&v, BAR2, 0, 0);
	ASSERT_EQ(0, ioeventfd(&v, AT(BAR2, 0), 4, 0x5400, efd));
	signal_efd(efd);
	EXPECT_EQ(0x5400, region_r32(&v, BAR2, 0));
	EXPECT_EQ(-EINVAL, ioeventfd(&v, AT(BAR2, region_size(&v, BAR2) - 2),
				     4, 0, efd));
	close(efd);
	vdev_close(&v);
}

struct resetter {
	const struct vdev *v;
	pid_t tid;
	int ret;
};

static void *resetter(void *arg)
{
	struct resetter *r = arg;

	__atomic_store_n(&r->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	r->ret = vdev_reset(r->v);
	__atomic_store_n(&r->tid, -1, __ATOMIC_RELEASE);
	return NULL;
}

/* Is the thread in uninterruptible sleep: in the wait of a reset? */
static bool asleep(pid_t tid)
{
	char path[64], text[FERRY_TEXT_MAX], *state;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	if (text_read(path, text, sizeof(text)))
		return false;
	state = strrchr(text, ')');
	return state && state[2] == 'D';
}

/*
 * Signalled in the middle of a reset, which takes 100 ms: the write waits
 * for its end instead of getting lost, and the signaller does not wait.
 */
TEST(reset)
{
	const __u64 asq = 0x28, value = 0x123456789000ULL;
	const char *missing = device_missing("nvme");
	struct resetter r = { .tid = 0 };
	bool hit = false;
	pthread_t thread;
	struct vdev v;
	pid_t tid;
	int efd, i;

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "nvme"));
	r.v = &v;
	efd = efd_new();
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, ioeventfd(&v, AT(BAR0, asq), 8, value, efd));
	for (i = 0; i < 20 && !hit; i++) {
		r.tid = 0;
		ASSERT_EQ(0, pthread_create(&thread, NULL, resetter, &r));
		do {
			sched_yield();
			tid = __atomic_load_n(&r.tid, __ATOMIC_ACQUIRE);
			hit = tid > 0 && asleep(tid);
		} while (tid >= 0 && !hit);
		if (hit) {
			signal_efd(efd);
			/* Too late if the reset is over: once more. */
			hit = __atomic_load_n(&r.tid, __ATOMIC_ACQUIRE) > 0;
		}
		pthread_join(thread, NULL);
		ASSERT_EQ(0, r.ret);
	}
	ASSERT_TRUE(hit);
	/* The removal waits for the worker. */
	ASSERT_EQ(0, ioeventfd(&v, AT(BAR0, asq), 8, value, -1));
	EXPECT_EQ(value, region_r64(&v, BAR0, asq));
	close(efd);
	vdev_close(&v);
}

struct signaller {
	int efd;
	bool stop;
};

static void *signaller(void *arg)
{
	struct signaller *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		signal_efd(s->efd);
		sched_yield();
	}
	return NULL;
}

/* Closed while it sleeps; somebody else still has the eventfd. */
TEST(closed_asleep)
{
	const char *missing = device_missing("nvme");
	struct signaller s = { .stop = false };
	pthread_t thread;
	struct vdev v;

	if (!missing)
		missing = tracing_missing();
	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&v, "nvme"));
	s.efd = efd_new();
	cfg_command(&v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, ioeventfd(&v, AT(BAR0, 0x28), 8, 0x1000, s.efd));
	ASSERT_LE(0, tracing_begin("ferry_region_write/", v.name));
	signal_efd(s.efd);
	EXPECT_EQ(1, tracing_count("ferry_region_write"));
	tracing_end();

	ASSERT_EQ(0, vdev_feature_set(&v, VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
				      NULL, 0));
	ASSERT_EQ(0, pci_wait_runtime(v.name, "suspended"));
	ASSERT_LE(0, tracing_begin("ferry_region_write/", v.name));
	ASSERT_EQ(0, pthread_create(&thread, NULL, signaller, &s));
	vdev_close(&v);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, tracing_count("ferry_region_write"));
	tracing_end();
	close(s.efd);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
