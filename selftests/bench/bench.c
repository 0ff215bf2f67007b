// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VFIO device costs, in instructions from user space and back.
 *
 *   bench floor			what the kernel takes for calls of these shapes
 *   bench DEVICE			each operation that the device has
 *
 * Runs in a virtual machine in which a nanosecond passes with each instruction, so that a
 * difference of two times is a count. DEVICE is named as in the tests: FERRY_BDF_<device>
 * says where it is. An operation and its count a line; one that fails says so, with its errno,
 * and none is counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../include/uapi/ferry/dma.h"
#include "count.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX

/* SET_IRQS of one vector, made once. */
struct irq_request {
	struct vfio_irq_set head;
	__s32 fd;
};

struct bench {
	struct vdev v;
	const char *device;
	__u64 config;
	__u64 bar;
	__u64 bar_size;
	size_t width;
	int efd[2];
	unsigned int nvec;
	__u32 *registers;
	struct irq_request point[2];
	struct irq_request fire;
	struct irq_request unmask;
	struct engine engine;
};

#define COPY_SIZE	0x100000U

static __u8 buffer[4096];

static int moved(ssize_t ret, size_t len)
{
	return ret == (ssize_t)len ? 0 : ret < 0 ? -errno : -EIO;
}

/* Floors: the cheapest calls of the same shape. */

static int floor_fd;

static int zero_read_4(struct bench *b)
{
	return moved(pread(floor_fd, buffer, 4, 0), 4);
}

static int zero_read_256(struct bench *b)
{
	return moved(pread(floor_fd, buffer, 256, 0), 256);
}

static int zero_read_4096(struct bench *b)
{
	return moved(pread(floor_fd, buffer, 4096, 0), 4096);
}

static int null_write_4(struct bench *b)
{
	return moved(pwrite(floor_fd, buffer, 4, 0), 4);
}

static int no_ioctl(struct bench *b)
{
	return ioctl(floor_fd, VFIO_DEVICE_SET_IRQS, buffer) ? 0 : -EIO;
}

static int eventfd_signal(struct bench *b)
{
	__u64 one = 1;

	return moved(write(floor_fd, &one, sizeof(one)), sizeof(one));
}

/* Eight bytes a time, as the kernel's own copies go where this machine counts. */
static int copy_floor(struct bench *b)
{
	size_t words = COPY_SIZE / sizeof(__u64);
	void *to = b->engine.memory + COPY_SIZE, *from = b->engine.memory;

	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) :: "memory");
	return 0;
}

static void floors(struct bench *b)
{
	floor_fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	measure(NULL, "read-4", zero_read_4, OFTEN);
	measure(NULL, "read-256", zero_read_256, OFTEN);
	measure(NULL, "read-4096", zero_read_4096, OFTEN);
	measure(NULL, "write-4", null_write_4, OFTEN);
	measure(NULL, "ioctl", no_ioctl, OFTEN);
	close(floor_fd);
	floor_fd = efd_new();
	measure(NULL, "eventfd-write", eventfd_signal, OFTEN);
	close(floor_fd);
	b->engine.memory = calloc(2, COPY_SIZE);
	if (b->engine.memory)
		measure(b, "copy-1M", copy_floor, 1);
	free(b->engine.memory);
}

/* Configuration space. */

static unsigned int config_at;

static int config_read_4(struct bench *b)
{
	return moved(pread(b->v.fd, buffer, 4, b->config + config_at), 4);
}

static int config_read_256(struct bench *b)
{
	return moved(pread(b->v.fd, buffer, 256, b->config), 256);
}

static int config_read_4096(struct bench *b)
{
	return moved(pread(b->v.fd, buffer, 4096, b->config), 4096);
}

static __u16 command;

static int config_write_command(struct bench *b)
{
	return moved(pwrite(b->v.fd, &command, 2, b->config + PCI_COMMAND), 2);
}

static int config_toggle_master(struct bench *b)
{
	command ^= PCI_COMMAND_MASTER;
	return config_write_command(b);
}

/* The register that takes longest, or the first that can't be read. */
static unsigned int worst_register(struct bench *b, unsigned int size)
{
	unsigned int worst_at = 0;
	long worst = 0, count;

	for (config_at = 0; config_at < size; config_at += 4) {
		count = cheapest(b, config_read_4, SELDOM);
		if (count < 0)
			return config_at;
		if (count > worst) {
			worst = count;
			worst_at = config_at;
		}
	}
	return worst_at;
}

static void count_config_worst(struct bench *b, unsigned int size)
{
	if (!wanted("config-read-4-worst"))
		return;
	config_at = worst_register(b, size);
	measure(b, "config-read-4-worst", config_read_4, OFTEN);
}

static void count_config(struct bench *b)
{
	unsigned int size = region_size(&b->v, CONFIG);

	config_at = PCI_BASE_ADDRESS_0;
	measure(b, "config-read-4-virtual", config_read_4, OFTEN);
	count_config_worst(b, size);
	measure(b, "config-read-256", config_read_256, OFTEN);
	if (size == 4096)
		measure(b, "config-read-4096", config_read_4096, SELDOM);
	command = cfg_r16(&b->v, PCI_COMMAND);
	measure(b, "config-write-command", config_write_command, OFTEN);
	measure(b, "config-write-master", config_toggle_master, OFTEN);
}

/* The first BAR. */

static int bar_read(struct bench *b)
{
	return moved(pread(b->v.fd, buffer, b->width, b->bar), b->width);
}

static int bar_read_4096(struct bench *b)
{
	return moved(pread(b->v.fd, buffer, 4096, b->bar), 4096);
}

/* Every page of a mapping that nobody has touched yet; the mapping itself isn't counted. */
static long touch(struct bench *b)
{
	__u64 begin, best = -1, took, at;
	__u64 pages = b->bar_size / 4096;
	unsigned int round;
	void *map;
	int ret;

	for (round = 0; round < ROUNDS; round++) {
		ret = region_map(&b->v, BAR0, 0, b->bar_size, PROT_READ,
				 MAP_SHARED, &map);
		if (ret)
			return ret;
		begin = now();
		for (at = 0; at < b->bar_size; at += 4096)
			__atomic_load_n((__u32 *)((char *)map + at),
					__ATOMIC_RELAXED);
		took = now() - begin;
		if (took < best)
			best = took;
		munmap(map, b->bar_size);
	}
	return best / pages;
}

static void count_bar(struct bench *b)
{
	b->bar_size = region_size(&b->v, BAR0);
	if (!b->bar_size)
		return;
	measure(b, "bar-read", bar_read, OFTEN);
	if (b->bar_size < 4096)
		return;
	measure(b, "bar-read-4096", bar_read_4096, SELDOM);
	if (!only && region_flags(&b->v, BAR0) & VFIO_REGION_INFO_FLAG_MMAP)
		report("bar-touch-page", touch(b));
}

/* Vectors. */

static int request(const struct bench *b, const struct irq_request *r)
{
	return ioctl(b->v.fd, VFIO_DEVICE_SET_IRQS, r) ? -errno : 0;
}

static void make_request(struct irq_request *r, __u32 index, __u32 flags,
			 int fd)
{
	*r = (struct irq_request) {
		.head = {
			.argsz = sizeof(r->head), .flags = flags,
			.index = index, .count = 1,
		},
		.fd = fd,
	};
	if (flags & VFIO_IRQ_SET_DATA_EVENTFD)
		r->head.argsz += sizeof(r->fd);
}

static void make_requests(struct bench *b, __u32 index)
{
	const __u32 trigger = VFIO_IRQ_SET_ACTION_TRIGGER;

	make_request(&b->point[0], index, trigger | VFIO_IRQ_SET_DATA_EVENTFD,
		     b->efd[0]);
	make_request(&b->point[1], index, trigger | VFIO_IRQ_SET_DATA_EVENTFD,
		     b->efd[1]);
	make_request(&b->fire, index, trigger | VFIO_IRQ_SET_DATA_NONE, -1);
	make_request(&b->unmask, index, VFIO_IRQ_SET_ACTION_UNMASK |
		     VFIO_IRQ_SET_DATA_NONE, -1);
}

static int repoint(struct bench *b)
{
	static int which;

	which = !which;
	return request(b, &b->point[which]);
}

static int mask_and_unmask(struct bench *b)
{
	struct irq_request none = b->point[0];
	int ret;

	none.fd = -1;
	ret = request(b, &none);
	return ret ? ret : request(b, &b->point[0]);
}

static int fire(struct bench *b)
{
	return request(b, &b->fire);
}

static int enable_at_once(struct bench *b)
{
	int fds[b->nvec];
	unsigned int i;
	int ret;

	for (i = 0; i < b->nvec; i++)
		fds[i] = b->efd[0];
	ret = irq_attach(&b->v, MSIX, 0, b->nvec, fds);
	return ret ? ret : irq_disable(&b->v, MSIX);
}

/* As QEMU and DPDK do where the device says that they may. */
static int enable_singly(struct bench *b)
{
	unsigned int i;
	int ret;

	for (i = 0; i < b->nvec; i++) {
		ret = irq_attach_one(&b->v, MSIX, i, b->efd[0]);
		if (ret)
			return ret;
	}
	return irq_disable(&b->v, MSIX);
}

static void count_vectors(struct bench *b)
{
	struct vfio_irq_info info;

	if (irq_info(&b->v, MSIX, &info) || !info.count)
		return;
	b->nvec = info.count;
	make_requests(b, MSIX);
	if (irq_attach_one(&b->v, MSIX, 0, b->efd[0])) {
		report("vector-repoint", -errno);
		return;
	}
	if (strcmp(b->v.bus, "pci")) {
		/* A mediated device has no producer for the bypass. */
		measure(b, "vector-repoint", repoint, OFTEN);
		measure(b, "vector-mask-unmask", mask_and_unmask, OFTEN);
	} else {
		measure_freely(b, "vector-repoint", repoint);
		measure_freely(b, "vector-mask-unmask", mask_and_unmask);
	}
	measure(b, "vector-loopback", fire, OFTEN);
	irq_disable(&b->v, MSIX);
	measure_long(b, "vectors-at-once", enable_at_once);
	if (!(info.flags & VFIO_IRQ_INFO_NORESIZE))
		measure_long(b, "vectors-singly", enable_singly);
}

/* From a device to the program that waits for it: edu. */

static int wait_for_interrupt(struct bench *b)
{
	__u64 count;

	return moved(read(b->efd[1], &count, sizeof(count)), sizeof(count));
}

static int interrupt(struct bench *b)
{
	int ret;

	__atomic_store_n(&b->registers[EDU_IRQ_RAISE / sizeof(__u32)], 1,
			 __ATOMIC_RELAXED);
	ret = wait_for_interrupt(b);
	__atomic_store_n(&b->registers[EDU_IRQ_ACK / sizeof(__u32)], 1,
			 __ATOMIC_RELAXED);
	return ret;
}

static int interrupt_and_unmask(struct bench *b)
{
	int ret = interrupt(b);

	return ret ? ret : request(b, &b->unmask);
}

static void count_interrupts(struct bench *b)
{
	void *map;

	if (strcmp(b->device, "edu"))
		return;
	edu_msi.setup(&b->v);
	close(b->efd[1]);
	b->efd[1] = eventfd(0, EFD_CLOEXEC);
	if (region_map(&b->v, BAR0, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		       &map))
		return;
	b->registers = map;
	make_requests(b, MSI);
	if (!irq_attach_one(&b->v, MSI, 0, b->efd[1]))
		measure(b, "interrupt-msi", interrupt, OFTEN);
	irq_disable(&b->v, MSI);
	make_requests(b, INTX);
	if (!irq_attach_one(&b->v, INTX, 0, b->efd[1]))
		measure(b, "interrupt-intx", interrupt_and_unmask, OFTEN);
	irq_disable(&b->v, INTX);
	munmap(map, 4096);
}

/* An engine of its own, for a program that has all of it: the DMA engine. */

static int engine_copy(struct bench *b)
{
	__u32 status;

	status = engine_run(&b->engine, FERRY_DMA_OP_COPY, 0, ENGINE_MEMORY,
			    ENGINE_MEMORY + COPY_SIZE, COPY_SIZE, 0);
	return status == FERRY_DMA_S_OK ? 0 : -EIO;
}

static void count_engine(struct bench *b)
{
	int ret;

	if (strcmp(b->device, "dma"))
		return;
	ret = engine_open(&b->engine, "dma", 1, false, 16, 2 * COPY_SIZE);
	if (ret) {
		report("copy-1M", ret);
		return;
	}
	memory_scribble(b->engine.memory, 2 * COPY_SIZE);
	measure(b, "copy-1M", engine_copy, 1);
	engine_close(&b->engine);
}

/* The group stays open. Whoever opens next does so later, when the function has gone to sleep. */
static int close_and_open(struct bench *b)
{
	__u64 begin;
	int fd;

	close(b->v.fd);
	begin = now();
	usleep(100000);
	aside += now() - begin;
	fd = ioctl(b->v.group, VFIO_GROUP_GET_DEVICE_FD, b->v.name);
	if (fd < 0)
		return -errno;
	b->v.fd = fd;
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b = {};

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: bench floor | DEVICE [OPERATION]\n");
		return 2;
	}
	only = argv[2];
	if (!strcmp(argv[1], "floor")) {
		floors(&b);
		return 0;
	}
	b.device = argv[1];
	if (vdev_open_device(&b.v, b.device))
		return 1;
	b.config = region_offset(&b.v, CONFIG);
	b.bar = region_offset(&b.v, BAR0);
	/* What lies behind I/O ports is bytes. */
	b.width = cfg_r32(&b.v, PCI_BASE_ADDRESS_0) & PCI_BASE_ADDRESS_SPACE_IO ? 1 : 4;
	b.efd[0] = efd_new();
	b.efd[1] = efd_new();
	cfg_command(&b.v, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	count_config(&b);
	cfg_command(&b.v, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	count_bar(&b);
	count_vectors(&b);
	count_interrupts(&b);
	measure_long(&b, "close-open", close_and_open);
	vdev_close(&b.v);
	count_engine(&b);
	return 0;
}
