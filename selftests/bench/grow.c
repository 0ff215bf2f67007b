// SPDX-License-Identifier: GPL-2.0-only
/*
 * How what a VFIO device costs grows with the size of the work, in instructions.
 *
 *   grow DEVICE OPERATION...	operations as in the table below
 *   grow instances TYPE	creating mediated devices, one after the other
 *   grow devices BDF...	opening functions, one after the other
 *
 * Where and how is the same as in bench.c. An operation, a size and the count a line.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "count.h"

#define MSIX		VFIO_PCI_MSIX_IRQ_INDEX
#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
/* ivshmem has its memory there. */
#define MEMORY_BAR	VFIO_PCI_BAR2_REGION_INDEX
/* Bytes from one touch of a mapping to the next. */
#define STRIDE		(2UL << 20)
/* The kernel's largest page. */
#define LARGEST		0x40000000UL
/* How many instances there are to be in the end. */
#define INSTANCES	1024

struct bench {
	struct vdev v;
	__u64 config;
	__u64 size;
	void *room;
	int efd;
};

static void say(const char *what, __u64 size, long count)
{
	char name[FERRY_NAME_MAX];

	snprintf(name, sizeof(name), "%s %llu", what, size);
	report(name, count);
}

/* Configuration space, from one byte to all of it. */

static int config_read(struct bench *b)
{
	__u8 buffer[4096];
	ssize_t ret = pread(b->v.fd, buffer, b->size, b->config);

	return ret == (ssize_t)b->size ? 0 : ret < 0 ? -errno : -EIO;
}

static void grow_config(struct bench *b)
{
	__u64 all = region_size(&b->v, CONFIG);

	for (b->size = 1; b->size <= all; b->size *= 2)
		say("config-read", b->size, cheapest(b, config_read, SELDOM));
}

/* Vectors that are enabled in one call, and disabled. */

static int vectors(struct bench *b)
{
	int fds[b->size];
	unsigned int i;
	int ret;

	for (i = 0; i < b->size; i++)
		fds[i] = b->efd;
	ret = irq_attach(&b->v, MSIX, 0, b->size, fds);
	return ret ? ret : irq_disable(&b->v, MSIX);
}

static void grow_vectors(struct bench *b)
{
	struct vfio_irq_info info;
	long count = 0;

	if (irq_info(&b->v, MSIX, &info))
		return;
	for (b->size = 1; b->size <= info.count && count >= 0; b->size *= 2) {
		count = one_call(b, vectors);
		say("vectors", b->size, count);
	}
}

/* A BAR is mapped, touched here and there, and unmapped. */

static int map_and_touch(struct bench *b)
{
	void *map = mmap(b->room, b->size, PROT_READ, MAP_SHARED | MAP_FIXED,
			 b->v.fd, region_offset(&b->v, MEMORY_BAR));
	__u64 at;

	if (map == MAP_FAILED)
		return -errno;
	for (at = 0; at < b->size; at += STRIDE)
		__atomic_load_n((__u32 *)((char *)map + at), __ATOMIC_RELAXED);
	return munmap(map, b->size) ? -errno : 0;
}

/*
 * Addresses for so many bytes, a power of two, of which the first suits the largest page that
 * they fill: that is what QEMU looks for, and what lets the kernel use such pages.
 */
static void *aligned(__u64 size)
{
	__u64 align = size < LARGEST ? size : LARGEST;
	char *room = mmap(NULL, size + align, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		abort();
	return room + (-(uintptr_t)room & (align - 1));
}

static void grow_bar(struct bench *b)
{
	b->size = region_size(&b->v, MEMORY_BAR);
	b->room = aligned(b->size);
	say("bar-map", b->size, cheapest(b, map_and_touch, 1));
}

/* The first instance, the second, the fourth and so on, with all before it still there. */
static int grow_instances(const char *type)
{
	char path[512], uuid[FERRY_NAME_MAX];
	unsigned int i, told = 1;
	__u64 begin;
	int ret;

	mdev_remove_ours();
	ret = mdev_type_find(type, path, sizeof(path));
	for (i = 1; !ret && i <= INSTANCES; i++) {
		mdev_uuid(i, uuid);
		begin = now();
		ret = mdev_create(path, uuid);
		if (i == told || ret) {
			say("instances", i, ret ? ret : (long)(now() - begin));
			told *= 2;
		}
	}
	mdev_remove_ours();
	return ret;
}

/* The same of physical devices that are opened, each in a container of its own. */
static int grow_devices(int count, char **bdfs)
{
	struct vdev *v = calloc(count, sizeof(*v));
	int i, told = 1, ret = v ? 0 : -ENOMEM;
	__u64 begin;

	for (i = 1; !ret && i <= count; i++) {
		begin = now();
		ret = vdev_open(&v[i - 1], "pci", bdfs[i - 1]);
		if (i == told || ret) {
			say("devices", i, ret ? ret : (long)(now() - begin));
			told *= 2;
		}
	}
	for (i--; i > 0; i--)
		vdev_close(&v[i - 1]);
	free(v);
	return ret;
}

static const struct {
	const char *name;
	void (*grow)(struct bench *b);
} operations[] = {
	{ "config-read", grow_config },
	{ "vectors", grow_vectors },
	{ "bar-map", grow_bar },
	{ }
};

int main(int argc, char **argv)
{
	struct bench b = {};
	unsigned int i;
	int arg;

	if (argc < 3) {
		fprintf(stderr, "usage: grow DEVICE|instances|devices ARGUMENT...\n");
		return 2;
	}
	if (!strcmp(argv[1], "instances"))
		return !!grow_instances(argv[2]);
	if (!strcmp(argv[1], "devices"))
		return !!grow_devices(argc - 2, argv + 2);
	if (vdev_open_device(&b.v, argv[1]))
		return 1;
	b.config = region_offset(&b.v, CONFIG);
	b.efd = efd_new();
	cfg_command(&b.v, 0, PCI_COMMAND_MEMORY);
	for (arg = 2; arg < argc; arg++)
		for (i = 0; operations[i].name; i++)
			if (!strcmp(argv[arg], operations[i].name))
				operations[i].grow(&b);
	vdev_close(&b.v);
	mdev_remove_ours();
	return 0;
}
