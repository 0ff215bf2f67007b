// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for the device, mapped and taken away, and a DMA engine that works on it.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../include/uapi/ferry/dma.h"
#include "calls.h"

#define RING_SIZE	32

/* @a: page of memory, pages. @b: where. @flags: bits 0 and 1 for what. */
int call_dma_map(struct world *w, const struct call *c)
{
	unsigned int page = c->a % PAGES, n = 1 + (c->a >> 8) % (PAGES - page);

	return dma_map(&w->v, IOVA + PAGE * (c->b % (2 * PAGES)),
		       w->memory + page * PAGE, n * PAGE,
		       c->flags & 3 ? c->flags & 3 : DMA_RW);
}

/*
 * @a: pages. @b: where. @flags: bit 0 all that there is, bit 1 the memory itself, which
 * stays mapped, bits 2 and 3 and that again.
 */
int call_dma_unmap(struct world *w, const struct call *c)
{
	__u64 iova = IOVA + PAGE * (c->b % (2 * PAGES));
	__u64 len = PAGE * (1 + c->a % (2 * PAGES));
	unsigned int n = 1 + (c->flags >> 2 & 3);
	int ret = 0;

	if (c->flags & 1) {
		iova = 0;
		len = IOVA + 2 * PAGES * PAGE;
	}
	if (c->flags & 2)
		return madvise(w->memory + PAGE * (c->b % PAGES), PAGE,
			       MADV_REMOVE) ? -errno : 0;
	for (; n; n--) {
		ret = dma_unmap(&w->v, iova, len);
		if (!(c->flags & 1))
			iova += len;
	}
	return ret;
}

static void set(int fd, unsigned int reg, __u32 val)
{
	/* A register of a device that is switched off or gone; no matter. */
	if (pwrite(fd, &val, sizeof(val), reg) < 0)
		return;
}

/* The ring is the first page of memory; all of memory is mapped in order. */
static int start(struct world *w, int fd, __u32 control)
{
	__u16 command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	int ret = dma_map(&w->v, IOVA, w->memory, PAGES * PAGE, DMA_RW);

	if (pwrite(fd, &command, sizeof(command),
		   ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + PCI_COMMAND) < 0)
		return -errno;
	set(fd, FERRY_DMA_CONTROL, 0);
	set(fd, FERRY_DMA_RING_LO, IOVA);
	set(fd, FERRY_DMA_RING_HI, 0);
	set(fd, FERRY_DMA_RING_SIZE, RING_SIZE);
	set(fd, FERRY_DMA_CONTROL, FERRY_DMA_CTRL_ENABLE | (control & 2));
	return ret;
}

/* A descriptor of what @c says, at @n in the ring. */
static void describe(const struct world *w, const struct call *c, unsigned int n)
{
	struct ferry_dma_desc desc = {
		.opcode = htole16((c->flags >> 3 & 7) % (FERRY_DMA_NR_OPS + 1)),
		.flags = htole16(c->flags >> 6 & 7),
		.vector = htole16(c->flags >> 9 & 7),
		.length = htole32(c->a & 0x3ffff),
		.src = htole64(IOVA + PAGE * (1 + (c->b & 0x7f))),
		.dst = htole64(IOVA + PAGE * (1 + (c->b >> 7 & 0x7f))),
		.arg = htole64(c->b >> 14),
	};

	memcpy(w->memory + n * sizeof(desc), &desc, sizeof(desc));
}

/*
 * The DMA engine; on any other device some writes to registers. @flags: bits 0 to 2
 * what, 3 to 5 opcode, 6 to 8 flags, 9 to 11 vector. @a: length. @b: from, to, argument.
 */
int call_engine(struct world *w, const struct call *c)
{
	int fd = call_device(w, c);
	unsigned int i, n;

	/* A physical device has other registers, and some mean harm to the emulation. */
	if (w->target->writable)
		return -ENODEV;
	switch (c->flags & 7) {
	case 0:
		return start(w, fd, c->a);
	case 1:
		set(fd, FERRY_DMA_CONTROL, 0);
		return 0;
	case 2:
		set(fd, FERRY_DMA_RAISE, c->flags >> 9 & 7);
		return 0;
	case 3:
		set(fd, FERRY_DMA_INT_ENABLE, c->a);
		return 0;
	case 4:
		set(fd, FERRY_DMA_FAULT, c->a);
		set(fd, FERRY_DMA_FAULT_COUNT, c->b & 7);
		set(fd, FERRY_DMA_FAULT_DELAY, c->b >> 3 & 15);
		return 0;
	default:
		n = 1 + (c->b >> 28) % (RING_SIZE - 1);
		for (i = 0; i < n; i++)
			describe(w, c, i);
		set(fd, FERRY_DMA_TAIL, n);
		return 0;
	}
}
