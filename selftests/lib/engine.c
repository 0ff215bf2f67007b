// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver in user space for the DMA engine: a ring, and memory for the engine to work on.
 * One thread at a time drives an engine.
 */
#include <endian.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../include/uapi/ferry/dma.h"
#include "ferrytest.h"

#define REGS	VFIO_PCI_BAR0_REGION_INDEX
/* Rings begin and end with a page. */
#define RING_BYTES(size) \
	(((size) * sizeof(struct ferry_dma_desc) + 4095) & ~4095ULL)

__u32 engine_get(const struct engine *e, __u32 reg)
{
	return region_r32(&e->v, REGS, reg);
}

void engine_set(const struct engine *e, __u32 reg, __u32 val)
{
	region_w32(&e->v, REGS, reg, val);
}

static void *shared(size_t len)
{
	return mmap(NULL, len, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static int map_all(struct engine *e)
{
	int ret;

	e->ring = shared(RING_BYTES(e->size));
	e->memory = shared(e->len);
	if (e->ring == MAP_FAILED || e->memory == MAP_FAILED)
		return -ENOMEM;
	ret = dma_map(&e->v, ENGINE_RING, e->ring, RING_BYTES(e->size), DMA_RW);
	return ret ? ret : dma_map(&e->v, ENGINE_MEMORY, e->memory, e->len,
				   DMA_RW);
}

/*
 * Makes an engine, the @n-th of ours, of @type "dma" or "dma-2048", opens it, and
 * switches it on with a ring of @size descriptors.
 */
int engine_open(struct engine *e, const char *type, unsigned int n,
		bool iommufd, __u32 size, size_t len)
{
	char path[512], uuid[FERRY_NAME_MAX];
	int ret;

	memset(e, 0, sizeof(*e));
	e->size = size;
	e->len = len;
	e->v.fd = -1;
	e->v.group = -1;
	e->v.container = -1;
	mdev_uuid(n, uuid);
	ret = mdev_type_find(type, path, sizeof(path));
	if (!ret)
		ret = mdev_create(path, uuid);
	if (!ret)
		ret = iommufd ? vdev_open_iommufd(&e->v, "mdev", uuid) :
				vdev_open(&e->v, "mdev", uuid);
	if (ret)
		return ret;
	cfg_command(&e->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ret = map_all(e);
	if (ret)
		engine_close(e);
	else
		engine_start(e, 0);
	return ret;
}

void engine_close(struct engine *e)
{
	vdev_close(&e->v);
	if (e->ring && e->ring != MAP_FAILED)
		munmap(e->ring, RING_BYTES(e->size));
	if (e->memory && e->memory != MAP_FAILED)
		munmap(e->memory, e->len);
	e->ring = NULL;
	e->memory = NULL;
}

/* Switches it on, with an empty ring. */
void engine_start(struct engine *e, __u32 control)
{
	e->tail = 0;
	memset(e->ring, 0, e->size * sizeof(*e->ring));
	engine_set(e, FERRY_DMA_RING_LO, (__u32)ENGINE_RING);
	engine_set(e, FERRY_DMA_RING_HI, ENGINE_RING >> 32);
	engine_set(e, FERRY_DMA_RING_SIZE, e->size);
	engine_set(e, FERRY_DMA_CONTROL, FERRY_DMA_CTRL_ENABLE | control);
}

/* Switches it off, and waits until it accesses no memory. */
void engine_stop(struct engine *e)
{
	engine_set(e, FERRY_DMA_CONTROL, 0);
	while (engine_get(e, FERRY_DMA_STATUS) & FERRY_DMA_STATUS_BUSY)
		sched_yield();
}

/* Waits for room in the ring; the next descriptor there, for the caller to complete. */
struct ferry_dma_desc *engine_next(struct engine *e, unsigned int opcode,
				   unsigned int flags)
{
	__u32 next = (e->tail + 1) & (e->size - 1);
	struct ferry_dma_desc *desc = &e->ring[e->tail];

	while (engine_get(e, FERRY_DMA_HEAD) == next)
		sched_yield();
	memset(desc, 0, sizeof(*desc));
	desc->opcode = htole16(opcode);
	desc->flags = htole16(flags);
	e->tail = next;
	return desc;
}

/* All descriptors so far are the engine's. */
void engine_doorbell(struct engine *e)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	engine_set(e, FERRY_DMA_TAIL, e->tail);
}

__u32 engine_status(const struct ferry_dma_desc *desc)
{
	return le32toh(__atomic_load_n(&desc->status, __ATOMIC_ACQUIRE));
}

/* The status that it ends with; FERRY_DMA_S_PENDING if it doesn't for ever so long. */
__u32 engine_wait(const struct ferry_dma_desc *desc)
{
	time_t until = time(NULL) + FERRY_TIMEOUT_MS / 1000;
	__u32 status;

	do {
		status = engine_status(desc);
		if (status == FERRY_DMA_S_PENDING)
			sched_yield();
	} while (status == FERRY_DMA_S_PENDING && time(NULL) < until);
	return status;
}

/*
 * All descriptors have ended: waits until the registers say so too, which follow the
 * status in memory. Not for ever, as one that has halted doesn't get there.
 */
void engine_settle(const struct engine *e)
{
	time_t until = time(NULL) + FERRY_TIMEOUT_MS / 1000;

	while (engine_get(e, FERRY_DMA_HEAD) != e->tail && time(NULL) < until)
		sched_yield();
}

/* The descriptor that was made last. */
struct ferry_dma_desc *engine_last(const struct engine *e)
{
	return &e->ring[(e->tail - 1) & (e->size - 1)];
}

/* One descriptor from begin to end; its status. */
__u32 engine_run(struct engine *e, unsigned int opcode, unsigned int flags,
		 __u64 src, __u64 dst, __u32 length, __u64 arg)
{
	struct ferry_dma_desc *desc = engine_next(e, opcode, flags);
	__u32 status;

	desc->src = htole64(src);
	desc->dst = htole64(dst);
	desc->length = htole32(length);
	desc->arg = htole64(arg);
	engine_doorbell(e);
	status = engine_wait(desc);
	if (status != FERRY_DMA_S_PENDING)
		engine_settle(e);
	return status;
}
