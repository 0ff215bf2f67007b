// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices come and go: types, UUIDs, how many there may be, and
 * removal while somebody uses one.
 */
#include <errno.h>
#include <linux/serial_reg.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX
#define ROUNDS	100

FIXTURE(instances)
{
	char type[512];
};

FIXTURE_SETUP(instances)
{
	const char *missing = device_missing("uart");

	if (missing)
		SKIP(return, "%s", missing);
	mdev_remove_ours();
	ASSERT_EQ(0, mdev_type_find("uart", self->type, sizeof(self->type)));
}

FIXTURE_TEARDOWN(instances)
{
	mdev_remove_ours();
}

static int available(const char *type)
{
	char text[32];

	if (mdev_type_attr(type, "available_instances", text, sizeof(text)))
		return -1;
	return atoi(text);
}

TEST_F(instances, type)
{
	char text[FERRY_TEXT_MAX];

	ASSERT_EQ(0, mdev_type_attr(self->type, "device_api", text,
				    sizeof(text)));
	EXPECT_STREQ("vfio-pci", text);
	ASSERT_EQ(0, mdev_type_attr(self->type, "name", text, sizeof(text)));
	EXPECT_LT(0, strlen(text));
	ASSERT_EQ(0, mdev_type_attr(self->type, "description", text,
				    sizeof(text)));
	EXPECT_LT(0, strlen(text));
	EXPECT_LT(0, available(self->type));
}

TEST_F(instances, create_and_remove)
{
	char uuid[FERRY_NAME_MAX], path[256];
	int before = available(self->type);

	mdev_uuid(1, uuid);
	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s", uuid);
	ASSERT_EQ(0, mdev_create(self->type, uuid));
	EXPECT_TRUE(path_exists(path));
	EXPECT_EQ(before - 1, available(self->type));
	EXPECT_LE(0, vdev_group_number("mdev", uuid));

	/* A UUID is used once. */
	EXPECT_EQ(-EEXIST, mdev_create(self->type, uuid));
	EXPECT_EQ(before - 1, available(self->type));

	ASSERT_EQ(0, mdev_remove(uuid));
	EXPECT_FALSE(path_exists(path));
	EXPECT_EQ(before, available(self->type));

	/* And then again. */
	ASSERT_EQ(0, mdev_create(self->type, uuid));
	ASSERT_EQ(0, mdev_remove(uuid));
	EXPECT_EQ(-ENOENT, mdev_remove(uuid));
}

TEST_F(instances, no_uuid)
{
	const char * const wrong[] = {
		"1", "not-a-uuid-at-all-but-just-as-long-36",
		"fe44d0f0-6e5f-4a7e-8d51-00000000000",
		"fe44d0f0-6e5f-4a7e-8d51-00000000000g",
	};
	int before = available(self->type);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(-EINVAL, mdev_create(self->type, wrong[i])) {
			TH_LOG("'%s'", wrong[i]);
		}
	}
	EXPECT_EQ(before, available(self->type));
}

/* All that there may be, and one more. */
TEST_F(instances, as_many_as_available)
{
	char uuid[FERRY_NAME_MAX];
	int n = available(self->type), i;
	struct vdev first, last;

	ASSERT_LT(1, n);
	for (i = 0; i < n; i++) {
		mdev_uuid(i, uuid);
		ASSERT_EQ(0, mdev_create(self->type, uuid)) {
			TH_LOG("instance %d of %d", i, n);
		}
	}
	EXPECT_EQ(0, available(self->type));
	mdev_uuid(n, uuid);
	EXPECT_GT(0, mdev_create(self->type, uuid));

	/* They are devices of their own. */
	mdev_uuid(0, uuid);
	ASSERT_EQ(0, vdev_open(&first, "mdev", uuid));
	mdev_uuid(n - 1, uuid);
	ASSERT_EQ(0, vdev_open(&last, "mdev", uuid));
	region_w8(&first, BAR0, UART_SCR, 1);
	region_w8(&last, BAR0, UART_SCR, 2);
	EXPECT_EQ(1, region_r8(&first, BAR0, UART_SCR));
	EXPECT_EQ(2, region_r8(&last, BAR0, UART_SCR));
	vdev_close(&first);
	vdev_close(&last);

	/* One gone, room for one. */
	ASSERT_EQ(0, mdev_remove(uuid));
	EXPECT_EQ(1, available(self->type));
	mdev_uuid(n, uuid);
	EXPECT_EQ(0, mdev_create(self->type, uuid));
	mdev_remove_ours();
	EXPECT_EQ(n, available(self->type));
}

/* A full life, many times over, leaves nothing. */
TEST_F(instances, nothing_left)
{
	struct trace *before, *after;
	char uuid[FERRY_NAME_MAX], what[512];
	int i, efd = efd_new();
	struct vdev v;

	mdev_uuid(7, uuid);
	before = trace_take();
	for (i = 0; i < rounds(ROUNDS); i++) {
		ASSERT_EQ(0, mdev_create(self->type, uuid));
		ASSERT_EQ(0, vdev_open(&v, "mdev", uuid));
		ASSERT_EQ(0, irq_attach_one(&v, REQ, 0, efd));
		ASSERT_EQ(0, irq_attach_one(&v, i & 1 ? MSI : INTX, 0, efd));
		region_w8(&v, BAR0, UART_IER, UART_IER_THRI);
		ASSERT_LE(1, efd_wait(efd));
		/* Something is on the line when it is closed. */
		region_w8(&v, BAR0, UART_TX, 'x');
		vdev_close(&v);
		ASSERT_EQ(0, mdev_remove(uuid));
	}
	after = trace_take();
	EXPECT_EQ(0, trace_compare(before, after, what, sizeof(what))) {
		TH_LOG("first leftover: %s", what);
	}
	trace_free(before);
	trace_free(after);
	close(efd);
}

struct removal {
	const char *uuid;
	int ret;
	bool done;
};

static void *remover(void *arg)
{
	struct removal *r = arg;

	r->ret = mdev_remove(r->uuid);
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool removed(struct removal *r)
{
	return __atomic_load_n(&r->done, __ATOMIC_ACQUIRE);
}

/* Whoever removes a device that is in use asks its user, and waits. */
TEST_F(instances, remove_while_open)
{
	char uuid[FERRY_NAME_MAX], path[256];
	int efd = efd_new(), before = available(self->type), second;
	struct removal r = { .uuid = uuid };
	pthread_t thread;
	struct vdev v;

	mdev_uuid(3, uuid);
	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s", uuid);
	ASSERT_EQ(0, mdev_create(self->type, uuid));
	ASSERT_EQ(0, vdev_open(&v, "mdev", uuid));
	ASSERT_EQ(0, irq_attach_one(&v, REQ, 0, efd));
	ASSERT_EQ(0, pthread_create(&thread, NULL, remover, &r));
	ASSERT_LE(1, efd_wait(efd));

	/* It works until its user lets go. */
	EXPECT_FALSE(removed(&r));
	region_w8(&v, BAR0, UART_SCR, 0x99);
	EXPECT_EQ(0x99, region_r8(&v, BAR0, UART_SCR));
	EXPECT_EQ(0, vdev_reset(&v));
	EXPECT_FALSE(removed(&r));

	/* Kernels differ in whether it can still be opened. */
	second = vdev_open_again(&v);
	if (second >= 0)
		close(second);
	EXPECT_FALSE(removed(&r));

	vdev_close(&v);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, r.ret);
	EXPECT_FALSE(path_exists(path));
	EXPECT_EQ(before, available(self->type));
	close(efd);
}

/* Two descriptors are two users. */
TEST_F(instances, remove_while_open_twice)
{
	char uuid[FERRY_NAME_MAX];
	int efd = efd_new(), second;
	struct removal r = { .uuid = uuid };
	pthread_t thread;
	struct vdev v;

	mdev_uuid(4, uuid);
	ASSERT_EQ(0, mdev_create(self->type, uuid));
	ASSERT_EQ(0, vdev_open(&v, "mdev", uuid));
	second = vdev_open_again(&v);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, irq_attach_one(&v, REQ, 0, efd));
	ASSERT_EQ(0, pthread_create(&thread, NULL, remover, &r));
	ASSERT_LE(1, efd_wait(efd));
	close(v.fd);
	v.fd = second;
	EXPECT_FALSE(removed(&r));
	region_w8(&v, BAR0, UART_SCR, 0x55);
	EXPECT_EQ(0x55, region_r8(&v, BAR0, UART_SCR));
	/* It is asked again, through the eventfd that it still has. */
	EXPECT_LE(1, efd_wait(efd));
	EXPECT_FALSE(removed(&r));
	vdev_close(&v);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, r.ret);
	close(efd);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
