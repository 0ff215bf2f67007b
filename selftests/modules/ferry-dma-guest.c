// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver for the DMA engine as its vendor would write one for Linux: it knows nothing of
 * Ferry but the description of the registers, and works in a guest, where the engine
 * is a PCI device like others. It has no service to offer, so it does what tests want:
 *
 *	echo all >run		every check, or the one that is named. Each says "ok" or
 *				"failed" in the kernel's log, errors before that why
 *	echo 1 >forever		copy and checksum memory until 0 is written
 *	cat rounds errors	how often that was done, and what was wrong, since then
 *
 * all of them in the folder of the device in sysfs.
 */
#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/iopoll.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/wait.h>

#include <uapi/ferry/dma.h>

#define NAME		"ferry-dma-guest"
/* Descriptors. */
#define RING		32
/* Of the vectors that there are. */
#define VECTORS		16
/* Bytes of memory that is mapped with a list, and its pages: it begins within one. */
#define AREA		(32 * PAGE_SIZE)
#define AREA_PAGES	33
/* What an area is filled with where nothing is to be written. */
#define UNTOUCHED	0xa5
/* Bytes of coherent memory for whatever a check needs. */
#define SCRATCH		SZ_16K
/* Far above the memory of any guest of the tests. */
#define NOWHERE		BIT_ULL(45)
/* Jiffies. Only what is lost takes that long. */
#define PATIENCE	(300 * HZ)

/**
 * struct area - memory in pages of its own, for streaming DMA
 * @offset: where it begins in the first page
 * @pages: they
 * @sgt: what the kernel knows of it, while it is mapped with addresses
 * @list: what the engine is told of it, of one page
 * @list_addr: its address
 */
struct area {
	unsigned int offset;
	struct page *pages[AREA_PAGES];
	struct sg_table sgt;
	struct ferry_dma_sg *list;
	dma_addr_t list_addr;
};

struct engine;

/**
 * struct engine_vector - an interrupt
 * @engine: whose
 * @count: how often it came
 */
struct engine_vector {
	struct engine *engine;
	atomic_t count;
};

/**
 * struct engine - what the driver knows of a device
 * @pdev: the device
 * @regs: BAR 0
 * @doorbell: the producer index in BAR 2
 * @ring: the descriptors
 * @ring_addr: their address
 * @scratch: SCRATCH bytes
 * @scratch_addr: their address
 * @lock: held by who uses what follows
 * @tail: producer index
 * @polled: it goes to the doorbell
 * @nr_vectors: interrupts that are requested; 1 with INTx
 * @next_vector: for whom no vector is as good as another
 * @vectors: they
 * @wait: who waits for an interrupt
 * @src: what is copied
 * @dst: to where
 * @in: AREA bytes, what @src should hold
 * @out: AREA bytes, what was found in @dst
 * @check: name of what is being done
 * @written: the engine has written @in to @dst
 * @thread_lock: held to start and stop @thread
 * @thread: does rounds
 * @rounds: done
 * @errors: in these
 */
struct engine {
	struct pci_dev *pdev;
	void __iomem *regs;
	void __iomem *doorbell;
	struct ferry_dma_desc *ring;
	dma_addr_t ring_addr;
	void *scratch;
	dma_addr_t scratch_addr;

	struct mutex lock; /* held by who uses what follows */
	unsigned int tail;
	bool polled;
	unsigned int nr_vectors;
	unsigned int next_vector;
	struct engine_vector vectors[VECTORS];
	wait_queue_head_t wait;
	struct area src;
	struct area dst;
	u8 *in;
	u8 *out;
	const char *check;
	bool written;

	struct mutex thread_lock; /* held to start and stop @thread */
	struct task_struct *thread;
	u64 rounds;
	u64 errors;
};

/* Says what is wrong. */
static __printf(2, 3) int wrong(struct engine *engine, const char *fmt, ...)
{
	struct va_format what = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	what.va = &args;
	dev_err(&engine->pdev->dev, "%s: %pV\n", engine->check, &what);
	va_end(args);
	return -EIO;
}

static u32 engine_read(struct engine *engine, unsigned int reg)
{
	return ioread32(engine->regs + reg);
}

static void engine_write(struct engine *engine, unsigned int reg, u32 value)
{
	iowrite32(value, engine->regs + reg);
}

/* Interrupts. */

static irqreturn_t engine_msi(int irq, void *data)
{
	struct engine_vector *vector = data;

	atomic_inc(&vector->count);
	wake_up(&vector->engine->wait);
	return IRQ_HANDLED;
}

static irqreturn_t engine_intx(int irq, void *data)
{
	struct engine_vector *vector = data;
	u32 status = engine_read(vector->engine, FERRY_DMA_INT_STATUS);

	if (!status)
		return IRQ_NONE;
	engine_write(vector->engine, FERRY_DMA_INT_STATUS, status);
	return engine_msi(irq, data);
}

static void engine_irqs_stop(struct engine *engine)
{
	engine_write(engine, FERRY_DMA_INT_ENABLE, 0);
	while (engine->nr_vectors--)
		free_irq(pci_irq_vector(engine->pdev, engine->nr_vectors),
			 &engine->vectors[engine->nr_vectors]);
	engine->nr_vectors = 0;
	pci_free_irq_vectors(engine->pdev);
}

/* Of the kinds PCI_IRQ_*, the best that there is. */
static int engine_irqs_start(struct engine *engine, unsigned int kinds)
{
	struct pci_dev *pdev = engine->pdev;
	int ret, nr, i;
	bool intx;

	nr = pci_alloc_irq_vectors(pdev, 1,
				   min_t(u32, VECTORS,
					 engine_read(engine, FERRY_DMA_VECTORS)),
				   kinds);
	if (nr < 0)
		return nr;
	intx = !pdev->msix_enabled && !pdev->msi_enabled;
	engine->nr_vectors = 0;
	for (i = 0; i < nr; i++) {
		ret = request_irq(pci_irq_vector(pdev, i),
				  intx ? engine_intx : engine_msi,
				  intx ? IRQF_SHARED : 0, NAME,
				  &engine->vectors[i]);
		if (ret) {
			engine_irqs_stop(engine);
			return ret;
		}
		engine->nr_vectors++;
	}
	engine_write(engine, FERRY_DMA_ERROR_VECTOR, nr - 1);
	/* What came as a message stands there as well. */
	engine_write(engine, FERRY_DMA_INT_STATUS, U32_MAX);
	if (intx)
		engine_write(engine, FERRY_DMA_INT_ENABLE, FERRY_DMA_INT_DONE |
			     FERRY_DMA_INT_HALT | FERRY_DMA_INT_RAISE);
	return 0;
}

static int came(struct engine *engine, unsigned int vector)
{
	return atomic_read(&engine->vectors[vector].count);
}

/* The engine and its ring. */

static int engine_stop(struct engine *engine)
{
	u32 status;

	engine_write(engine, FERRY_DMA_CONTROL, 0);
	return readl_poll_timeout(engine->regs + FERRY_DMA_STATUS, status,
				  !(status & FERRY_DMA_STATUS_BUSY), 100,
				  jiffies_to_usecs(PATIENCE));
}

static int engine_start_ring(struct engine *engine, u64 addr, u32 size,
			     u32 control)
{
	int ret = engine_stop(engine);

	if (ret)
		return ret;
	engine->tail = 0;
	engine->polled = control & FERRY_DMA_CTRL_POLL;
	iowrite32(0, engine->doorbell);
	engine_write(engine, FERRY_DMA_RING_LO, lower_32_bits(addr));
	engine_write(engine, FERRY_DMA_RING_HI, upper_32_bits(addr));
	engine_write(engine, FERRY_DMA_RING_SIZE, size);
	engine_write(engine, FERRY_DMA_CONTROL, FERRY_DMA_CTRL_ENABLE | control);
	return 0;
}

static int engine_start(struct engine *engine, u32 control)
{
	return engine_start_ring(engine, engine->ring_addr, RING, control);
}

static struct ferry_dma_desc *engine_put(struct engine *engine,
					 const struct ferry_dma_desc *desc)
{
	struct ferry_dma_desc *slot = &engine->ring[engine->tail];

	*slot = *desc;
	engine->tail = (engine->tail + 1) % RING;
	return slot;
}

/* Lets the engine see what was put. */
static void engine_kick(struct engine *engine)
{
	if (engine->polled)
		iowrite32(engine->tail, engine->doorbell);
	else
		engine_write(engine, FERRY_DMA_TAIL, engine->tail);
}

static bool ended(struct ferry_dma_desc *slot)
{
	return READ_ONCE(slot->status) != cpu_to_le32(FERRY_DMA_S_PENDING);
}

/* Waits for a descriptor, and for an interrupt of @vector after the first @before. */
static int engine_wait(struct engine *engine, struct ferry_dma_desc *slot,
		       unsigned int vector, int before)
{
	wait_event_idle_timeout(engine->wait,
				ended(slot) && came(engine, vector) != before,
				PATIENCE);
	if (!ended(slot))
		return wrong(engine, "a completion is lost: status %#x, error %u, head %u, tail %u",
			     engine_read(engine, FERRY_DMA_STATUS),
			     engine_read(engine, FERRY_DMA_ERROR),
			     engine_read(engine, FERRY_DMA_HEAD), engine->tail);
	if (came(engine, vector) == before)
		return wrong(engine, "the interrupt of a completion is lost, vector %u",
			     vector);
	/* The rest of the descriptor is not older than its status. */
	dma_rmb();
	return 0;
}

/* Does one descriptor. On success @desc is as the engine has left it. */
static int engine_do(struct engine *engine, struct ferry_dma_desc *desc)
{
	unsigned int vector = engine->next_vector++ % engine->nr_vectors;
	int before = came(engine, vector), ret;
	struct ferry_dma_desc *slot;

	desc->flags |= cpu_to_le16(FERRY_DMA_F_IRQ);
	desc->vector = cpu_to_le16(vector);
	slot = engine_put(engine, desc);
	engine_kick(engine);
	ret = engine_wait(engine, slot, vector, before);
	if (!ret)
		*desc = *slot;
	return ret;
}

static int engine_nop(struct engine *engine)
{
	struct ferry_dma_desc desc = { .opcode = cpu_to_le16(FERRY_DMA_OP_NOP) };

	return engine_do(engine, &desc);
}

static int status_is(struct engine *engine, const struct ferry_dma_desc *desc,
		     u32 status)
{
	if (le32_to_cpu(desc->status) != status)
		return wrong(engine, "opcode %u ended with status %u, not %u",
			     le16_to_cpu(desc->opcode),
			     le32_to_cpu(desc->status), status);
	return 0;
}

static int engine_do_well(struct engine *engine, struct ferry_dma_desc *desc)
{
	int ret = engine_do(engine, desc);

	if (!ret)
		ret = status_is(engine, desc, FERRY_DMA_S_OK);
	if (!ret && desc->done != desc->length &&
	    desc->opcode != cpu_to_le16(FERRY_DMA_OP_CHASE))
		ret = wrong(engine, "%u bytes of %u are done",
			    le32_to_cpu(desc->done), le32_to_cpu(desc->length));
	return ret;
}

/* Memory. */

static void area_free(void *data)
{
	struct area *area = data;

	sg_free_table(&area->sgt);
}

/* With @scattered no page is followed by the next one, as far as the kernel goes along. */
static int area_init(struct device *dev, struct area *area, unsigned int offset,
		     bool scattered)
{
	unsigned int i, page;
	unsigned long addr;
	int ret;

	area->offset = offset;
	for (i = 0; i < AREA_PAGES; i++) {
		addr = devm_get_free_pages(dev, GFP_KERNEL, 0);
		if (!addr)
			return -ENOMEM;
		page = scattered ? AREA_PAGES - 1 - i : i;
		area->pages[page] = virt_to_page((void *)addr);
	}
	area->list = dmam_alloc_coherent(dev, PAGE_SIZE, &area->list_addr,
					 GFP_KERNEL);
	if (!area->list)
		return -ENOMEM;
	ret = sg_alloc_table_from_pages(&area->sgt, area->pages, AREA_PAGES,
					offset, AREA, GFP_KERNEL);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, area_free, area);
}

/* Gives it to the engine; area_unmap() takes it back. */
static int area_map(struct engine *engine, struct area *area,
		    enum dma_data_direction direction)
{
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	ret = dma_map_sgtable(&engine->pdev->dev, &area->sgt, direction, 0);
	if (ret)
		return wrong(engine, "memory cannot be mapped: %d", ret);
	for_each_sgtable_dma_sg(&area->sgt, sg, i)
		area->list[i] = (struct ferry_dma_sg) {
			.addr = cpu_to_le64(sg_dma_address(sg)),
			.length = cpu_to_le32(sg_dma_len(sg)),
		};
	return 0;
}

static void area_unmap(struct engine *engine, struct area *area,
		       enum dma_data_direction direction)
{
	dma_unmap_sgtable(&engine->pdev->dev, &area->sgt, direction, 0);
}

static void area_put(struct area *area, const void *buf)
{
	sg_copy_from_buffer(area->sgt.sgl, area->sgt.orig_nents, buf, AREA);
}

static void area_get(struct area *area, void *buf)
{
	sg_copy_to_buffer(area->sgt.sgl, area->sgt.orig_nents, buf, AREA);
}

static void area_erase(struct area *area)
{
	unsigned int i;

	for (i = 0; i < AREA_PAGES; i++)
		memset(page_address(area->pages[i]), UNTOUCHED, PAGE_SIZE);
}

/* What was there before is there, but for @len bytes at the beginning, which go to @out. */
static int area_was_written(struct engine *engine, struct area *area,
			    size_t len)
{
	u8 *first = page_address(area->pages[0]);
	u8 *last = page_address(area->pages[AREA_PAGES - 1]);

	area_get(area, engine->out);
	if (memchr_inv(first, UNTOUCHED, area->offset))
		return wrong(engine, "what lies before was written");
	if (memchr_inv(engine->out + len, UNTOUCHED, AREA - len) ||
	    memchr_inv(last + area->offset, UNTOUCHED, PAGE_SIZE - area->offset))
		return wrong(engine, "more than %zu bytes were written", len);
	return 0;
}

static u32 crc_of(const void *data, size_t len)
{
	return ~crc32_le(~0, data, len);
}

static void fill_source(struct engine *engine)
{
	get_random_bytes(engine->in, AREA);
	area_put(&engine->src, engine->in);
}

/* The engine's checksum of @len bytes of a list; @crc goes on from what came before. */
static int checksum(struct engine *engine, dma_addr_t list, size_t len,
		    u32 *crc)
{
	struct ferry_dma_desc desc = {
		.opcode = cpu_to_le16(FERRY_DMA_OP_CRC32),
		.flags = cpu_to_le16(FERRY_DMA_F_SRC_LIST),
		.length = cpu_to_le32(len),
		.src = cpu_to_le64(list),
		.arg = cpu_to_le64(*crc),
	};
	int ret = engine_do_well(engine, &desc);

	*crc = le64_to_cpu(desc.result);
	return ret;
}

static int copy_list(struct engine *engine, size_t len)
{
	struct ferry_dma_desc desc = {
		.opcode = cpu_to_le16(FERRY_DMA_OP_COPY),
		.flags = cpu_to_le16(FERRY_DMA_F_SRC_LIST | FERRY_DMA_F_DST_LIST),
		.length = cpu_to_le32(len),
		.src = cpu_to_le64(engine->src.list_addr),
		.dst = cpu_to_le64(engine->dst.list_addr),
	};

	return engine_do_well(engine, &desc);
}

/* The checks. */

static int check_registers(struct engine *engine)
{
	const u32 ops = BIT(FERRY_DMA_NR_OPS) - 1;

	if (engine_read(engine, FERRY_DMA_VERSION) < 1)
		return wrong(engine, "the version is 0");
	if ((engine_read(engine, FERRY_DMA_CAPS) & ops) != ops)
		return wrong(engine, "an opcode is missing: %#x",
			     engine_read(engine, FERRY_DMA_CAPS));
	if (readw(engine->regs + FERRY_DMA_ID) != 0xffff)
		return wrong(engine, "16 bits can be read");
	return 0;
}

static int copy_once(struct engine *engine, size_t len)
{
	int ret;

	area_erase(&engine->dst);
	ret = area_map(engine, &engine->dst, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	ret = copy_list(engine, len);
	area_unmap(engine, &engine->dst, DMA_FROM_DEVICE);
	if (!ret)
		ret = area_was_written(engine, &engine->dst, len);
	if (!ret && memcmp(engine->in, engine->out, len))
		ret = wrong(engine, "%zu bytes arrive as something else", len);
	return ret;
}

static int check_copy(struct engine *engine)
{
	static const size_t lengths[] = {
		1, 100, PAGE_SIZE - 1, PAGE_SIZE, 3 * PAGE_SIZE + 7, AREA,
	};
	unsigned int i;
	int ret;

	fill_source(engine);
	ret = area_map(engine, &engine->src, DMA_TO_DEVICE);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(lengths) && !ret; i++)
		ret = copy_once(engine, lengths[i]);
	area_unmap(engine, &engine->src, DMA_TO_DEVICE);
	return ret;
}

/* Without lists, between two pages each. */
static int check_plain(struct engine *engine)
{
	const unsigned int src = PAGE_SIZE - 11, dst = 3 * PAGE_SIZE - 1000;
	const unsigned int len = 2000;
	struct ferry_dma_desc desc = {
		.opcode = cpu_to_le16(FERRY_DMA_OP_COPY),
		.length = cpu_to_le32(len),
		.src = cpu_to_le64(engine->scratch_addr + src),
		.dst = cpu_to_le64(engine->scratch_addr + dst),
	};
	u8 *scratch = engine->scratch;
	int ret;

	get_random_bytes(scratch, SCRATCH);
	memcpy(engine->in, scratch, SCRATCH);
	memcpy(engine->in + dst, scratch + src, len);
	ret = engine_do_well(engine, &desc);
	if (!ret && memcmp(engine->in, scratch, SCRATCH))
		ret = wrong(engine, "memory is not as it should be");
	return ret;
}

static int check_fill(struct engine *engine)
{
	const size_t len = 5 * PAGE_SIZE + 13;
	struct ferry_dma_desc desc = {
		.opcode = cpu_to_le16(FERRY_DMA_OP_FILL),
		.flags = cpu_to_le16(FERRY_DMA_F_DST_LIST),
		.length = cpu_to_le32(len),
		.dst = cpu_to_le64(engine->dst.list_addr),
		.arg = cpu_to_le64(0x0706050403020100ULL),
	};
	size_t i;
	int ret;

	area_erase(&engine->dst);
	ret = area_map(engine, &engine->dst, DMA_FROM_DEVICE);
	if (ret)
		return ret;
	ret = engine_do_well(engine, &desc);
	area_unmap(engine, &engine->dst, DMA_FROM_DEVICE);
	if (!ret)
		ret = area_was_written(engine, &engine->dst, len);
	for (i = 0; i < len && !ret; i++) {
		if (engine->out[i] != i % 8)
			ret = wrong(engine, "byte %zu is %#x", i, engine->out[i]);
	}
	return ret;
}

static int check_checksum(struct engine *engine)
{
	const size_t len = 7 * PAGE_SIZE + 1;
	u32 whole = 0, pieces = 0;
	int ret;

	fill_source(engine);
	ret = area_map(engine, &engine->src, DMA_TO_DEVICE);
	if (ret)
		return ret;
	ret = checksum(engine, engine->src.list_addr, AREA, &whole);
	if (!ret)
		ret = checksum(engine, engine->src.list_addr, len, &pieces);
	if (!ret && pieces != crc_of(engine->in, len))
		ret = wrong(engine, "of %zu bytes it is %#x, not %#x", len,
			    pieces, crc_of(engine->in, len));
	if (!ret)
		ret = checksum(engine, engine->src.list_addr, AREA, &pieces);
	area_unmap(engine, &engine->src, DMA_TO_DEVICE);
	if (ret)
		return ret;
	if (whole != crc_of(engine->in, AREA))
		return wrong(engine, "of all it is %#x, not %#x", whole,
			     crc_of(engine->in, AREA));
	if (pieces != (u32)~crc32_le(crc32_le(~0, engine->in, len), engine->in, AREA))
		return wrong(engine, "it does not go on from where it was");
	return 0;
}

/* Where a walk of at most @reads begins at @scratch and has to end. */
static int walk(struct engine *engine, unsigned int start, u64 reads,
		unsigned int end)
{
	struct ferry_dma_desc desc = {
		.opcode = cpu_to_le16(FERRY_DMA_OP_CHASE),
		.src = cpu_to_le64(engine->scratch_addr + start),
		.arg = cpu_to_le64(reads),
	};
	int ret = engine_do_well(engine, &desc);

	if (!ret && le64_to_cpu(desc.result) != engine->scratch_addr + end)
		ret = wrong(engine, "%llu steps end at %#llx, not %#llx", reads,
			    le64_to_cpu(desc.result),
			    (u64)engine->scratch_addr + end);
	return ret;
}

static int check_chase(struct engine *engine)
{
	/* An odd number of cells, and there are a power of two: it comes by each of them. */
	const unsigned int stride = 21 * 8, cells = SCRATCH / 8;
	unsigned int i, at = 0, tenth = 0, next;
	__le64 *scratch = engine->scratch;
	int ret;

	for (i = 0; i < cells - 1; i++) {
		if (i == 10)
			tenth = at;
		next = (at + stride) % SCRATCH;
		scratch[at / 8] = cpu_to_le64(engine->scratch_addr + next);
		at = next;
	}
	scratch[at / 8] = 0;
	ret = walk(engine, 0, 10, tenth);
	if (!ret)
		ret = walk(engine, 0, U32_MAX, at);
	return ret;
}

/* More descriptors than the ring has, as many at once as fit, the last with an interrupt. */
static int check_ring(struct engine *engine)
{
	const struct ferry_dma_desc nop = {
		.opcode = cpu_to_le16(FERRY_DMA_OP_NOP),
	};
	u32 count = engine_read(engine, FERRY_DMA_COUNT);
	unsigned int i, round;
	int ret = 0;

	for (round = 0; round < 3 && !ret; round++) {
		for (i = 0; i < RING - 2; i++)
			engine_put(engine, &nop);
		ret = engine_nop(engine);
		for (i = 0; i < RING - 1 && !ret; i++)
			ret = status_is(engine, &engine->ring[(engine->tail + 1 + i) % RING],
					FERRY_DMA_S_OK);
		count += RING - 1;
	}
	if (!ret && engine_read(engine, FERRY_DMA_COUNT) != count)
		ret = wrong(engine, "%u descriptors are counted, not %u",
			    engine_read(engine, FERRY_DMA_COUNT), count);
	/* The ring is written before its index moves. */
	if (!ret && readl_poll_timeout(engine->regs + FERRY_DMA_HEAD, i,
				       i == engine->tail, 100,
				       jiffies_to_usecs(PATIENCE)))
		ret = wrong(engine, "head is %u, not %u", i, engine->tail);
	return ret;
}

static int check_doorbell(struct engine *engine)
{
	unsigned int i;
	int ret = engine_start(engine, FERRY_DMA_CTRL_POLL);

	for (i = 0; i < 2 * RING && !ret; i++)
		ret = engine_nop(engine);
	return engine_start(engine, 0) ?: ret;
}

/* The ways to have an interrupt. */
enum raise { RAISE_REGISTER, RAISE_OPCODE, RAISE_FLAG, NR_RAISES };

static int raise(struct engine *engine, unsigned int vector, enum raise how)
{
	struct ferry_dma_desc desc = {
		.opcode = cpu_to_le16(how == RAISE_OPCODE ? FERRY_DMA_OP_IRQ :
							    FERRY_DMA_OP_NOP),
		.flags = cpu_to_le16(how == RAISE_FLAG ? FERRY_DMA_F_IRQ : 0),
		.vector = cpu_to_le16(vector),
	};
	int before = came(engine, vector);

	if (how == RAISE_REGISTER) {
		engine_write(engine, FERRY_DMA_RAISE, vector);
	} else {
		engine_put(engine, &desc);
		engine_kick(engine);
	}
	if (!wait_event_idle_timeout(engine->wait,
				     came(engine, vector) != before, PATIENCE))
		return wrong(engine, "vector %u does not come, raised in way %u",
			     vector, how);
	return 0;
}

/* With interrupts of these kinds only: each comes, and each but once. */
static int check_kind(struct engine *engine, unsigned int kind, unsigned int least)
{
	unsigned int vector, how;
	int ret;

	engine_irqs_stop(engine);
	for (vector = 0; vector < VECTORS; vector++)
		atomic_set(&engine->vectors[vector].count, 0);
	ret = engine_irqs_start(engine, kind);
	if (ret)
		return wrong(engine, "there are none: %d", ret);
	if (engine->nr_vectors < least)
		return wrong(engine, "there are only %u", engine->nr_vectors);
	for (vector = 0; vector < engine->nr_vectors && !ret; vector++)
		for (how = 0; how < NR_RAISES && !ret; how++)
			ret = raise(engine, vector, how);
	for (vector = 0; vector < VECTORS && !ret; vector++) {
		if (came(engine, vector) !=
		    (vector < engine->nr_vectors ? NR_RAISES : 0))
			ret = wrong(engine, "vector %u came %d times", vector,
				    came(engine, vector));
	}
	return ret;
}

/* As above, and back to the best kind. */
static int check_irqs(struct engine *engine, unsigned int kind, unsigned int least)
{
	int ret = check_kind(engine, kind, least);

	if (engine->nr_vectors)
		engine_irqs_stop(engine);
	return engine_irqs_start(engine, PCI_IRQ_ALL_TYPES) ?: ret;
}

static int check_msix(struct engine *engine)
{
	return check_irqs(engine, PCI_IRQ_MSIX, 2);
}

static int check_msi(struct engine *engine)
{
	return check_irqs(engine, PCI_IRQ_MSI, 1);
}

static int check_intx(struct engine *engine)
{
	return check_irqs(engine, PCI_IRQ_ALL_TYPES & ~(PCI_IRQ_MSIX | PCI_IRQ_MSI), 1);
}

/* The last vector that the table has, and the first: nothing between is enabled. */
static int check_last_vector(struct engine *engine)
{
	struct msix_entry entries[2] = {
		{ .entry = 0 },
		{ .entry = engine_read(engine, FERRY_DMA_VECTORS) - 1 },
	};
	struct engine_vector *vector = &engine->vectors[1];
	int ret, before;

	engine_irqs_stop(engine);
	ret = pci_enable_msix_exact(engine->pdev, entries, ARRAY_SIZE(entries));
	if (ret) {
		ret = wrong(engine, "entry %u cannot be enabled: %d",
			    entries[1].entry, ret);
		goto out;
	}
	ret = request_irq(entries[1].vector, engine_msi, 0, NAME, vector);
	if (ret)
		goto out_disable;
	before = atomic_read(&vector->count);
	engine_write(engine, FERRY_DMA_RAISE, entries[1].entry);
	if (!wait_event_idle_timeout(engine->wait,
				     atomic_read(&vector->count) != before,
				     PATIENCE))
		ret = wrong(engine, "%u does not come", entries[1].entry);
	free_irq(entries[1].vector, vector);
out_disable:
	pci_disable_msix(engine->pdev);
out:
	return engine_irqs_start(engine, PCI_IRQ_ALL_TYPES) ?: ret;
}

/* What is wrong with a descriptor, and what the engine has to say of it. */
static const struct bad {
	struct ferry_dma_desc desc;
	u32 status;
} bad[] = {
	{ { .opcode = cpu_to_le16(FERRY_DMA_NR_OPS) }, FERRY_DMA_S_OPCODE },
	{ { .flags = cpu_to_le16(FERRY_DMA_F_ALL + 1) }, FERRY_DMA_S_FLAGS },
	{ { .reserved1 = cpu_to_le32(1) }, FERRY_DMA_S_FLAGS },
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_CHASE),
	    .flags = cpu_to_le16(FERRY_DMA_F_SRC_LIST), .arg = cpu_to_le64(1) },
	  FERRY_DMA_S_FLAGS },
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_COPY) }, FERRY_DMA_S_LENGTH },
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_CHASE),
	    .arg = cpu_to_le64(BIT_ULL(32)) }, FERRY_DMA_S_LENGTH },
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_IRQ),
	    .vector = cpu_to_le16(0xffff) }, FERRY_DMA_S_VECTOR },
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_FILL),
	    .flags = cpu_to_le16(FERRY_DMA_F_DST_LIST),
	    .length = cpu_to_le32(1), .dst = cpu_to_le64(8) }, FERRY_DMA_S_LIST },
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_CRC32), .length = cpu_to_le32(64),
	    .src = cpu_to_le64(NOWHERE) }, FERRY_DMA_S_SRC },
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_CRC32), .length = cpu_to_le32(64),
	    .src = cpu_to_le64(-16ULL) }, FERRY_DMA_S_SRC },
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_CHASE), .arg = cpu_to_le64(1),
	    .src = cpu_to_le64(NOWHERE) }, FERRY_DMA_S_SRC },
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_FILL), .length = cpu_to_le32(64),
	    .dst = cpu_to_le64(NOWHERE) }, FERRY_DMA_S_DST },
	/* The firmware of a PC, which is read-only. */
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_FILL), .length = cpu_to_le32(64),
	    .dst = cpu_to_le64(SZ_4G - PAGE_SIZE) }, FERRY_DMA_S_DST },
	{ { .opcode = cpu_to_le16(FERRY_DMA_OP_FILL),
	    .flags = cpu_to_le16(FERRY_DMA_F_DST_LIST),
	    .length = cpu_to_le32(64), .dst = cpu_to_le64(NOWHERE) },
	  FERRY_DMA_S_SG },
};

/* Each is told from the others, and the next descriptor is done as if nothing had been. */
static int check_errors(struct engine *engine)
{
	struct ferry_dma_desc desc = {
		.opcode = cpu_to_le16(FERRY_DMA_OP_CRC32),
		.length = cpu_to_le32(1),
		.src = cpu_to_le64(NOWHERE),
	};
	struct ferry_dma_desc *slot;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(bad) && !ret; i++) {
		slot = engine_put(engine, &bad[i].desc);
		ret = engine_nop(engine) ?: status_is(engine, slot, bad[i].status);
		if (ret)
			wrong(engine, "that was bad descriptor %u", i);
	}
	/* Errors interrupt as well. */
	if (!ret)
		ret = engine_do(engine, &desc) ?:
		      status_is(engine, &desc, FERRY_DMA_S_SRC);
	return ret;
}

/* What makes the engine halt. */
static const struct halt {
	bool nowhere;
	u32 size;
	u32 tail;
	u32 error;
} halts[] = {
	{ .size = RING, .tail = RING, .error = FERRY_DMA_ERROR_TAIL },
	{ .size = RING + 1, .error = FERRY_DMA_ERROR_RING },
	{ .size = 2 * FERRY_DMA_RING_MAX, .error = FERRY_DMA_ERROR_RING },
	{ .nowhere = true, .size = RING, .tail = 1, .error = FERRY_DMA_ERROR_FETCH },
};

static int halt_once(struct engine *engine, const struct halt *halt)
{
	unsigned int vector = engine->nr_vectors - 1;
	int before = came(engine, vector);
	int ret = engine_start_ring(engine,
				    halt->nowhere ? NOWHERE : engine->ring_addr,
				    halt->size, 0);

	if (ret)
		return ret;
	engine_write(engine, FERRY_DMA_TAIL, halt->tail);
	if (!wait_event_idle_timeout(engine->wait,
				     came(engine, vector) != before, PATIENCE))
		return wrong(engine, "no interrupt because of error %u", halt->error);
	if (!(engine_read(engine, FERRY_DMA_STATUS) & FERRY_DMA_STATUS_HALTED))
		return wrong(engine, "it has not halted because of error %u",
			     halt->error);
	if (engine_read(engine, FERRY_DMA_ERROR) != halt->error)
		return wrong(engine, "it halted because of error %u, not %u",
			     engine_read(engine, FERRY_DMA_ERROR), halt->error);
	return engine_start(engine, 0) ?: engine_nop(engine);
}

static int check_halts(struct engine *engine)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(halts) && !ret; i++)
		ret = halt_once(engine, &halts[i]);
	return engine_start(engine, 0) ?: ret;
}

static void inject(struct engine *engine, u32 fault, u32 count)
{
	engine_write(engine, FERRY_DMA_FAULT_DELAY, 20);
	engine_write(engine, FERRY_DMA_FAULT_COUNT, count);
	engine_write(engine, FERRY_DMA_FAULT, fault);
}

static int fault_error(struct engine *engine)
{
	struct ferry_dma_desc desc = { .opcode = cpu_to_le16(FERRY_DMA_OP_NOP) };

	inject(engine, FERRY_DMA_FAULT_ERROR, 1);
	return engine_do(engine, &desc) ?:
	       status_is(engine, &desc, FERRY_DMA_S_INJECTED);
}

/* One interrupt is lost, that of the next descriptor comes. */
static int fault_lost(struct engine *engine)
{
	struct ferry_dma_desc desc = { .flags = cpu_to_le16(FERRY_DMA_F_IRQ) };
	int before = came(engine, 0);

	inject(engine, FERRY_DMA_FAULT_LOST, 1);
	engine_put(engine, &desc);
	engine->next_vector = 0;
	if (engine_nop(engine))
		return -EIO;
	if (came(engine, 0) != before + 1)
		return wrong(engine, "%d interrupts came", came(engine, 0) - before);
	return 0;
}

static int fault_stuck(struct engine *engine)
{
	struct ferry_dma_desc nop = { .flags = cpu_to_le16(FERRY_DMA_F_IRQ) };
	int before = came(engine, 0);
	struct ferry_dma_desc *slot;

	inject(engine, FERRY_DMA_FAULT_STUCK, 1);
	slot = engine_put(engine, &nop);
	engine_kick(engine);
	/* Time in which an engine that is not stuck would do it. */
	msleep(50);
	if (ended(slot))
		return wrong(engine, "it is not stuck");
	inject(engine, 0, 0);
	return engine_wait(engine, slot, 0, before);
}

static int check_faults(struct engine *engine)
{
	int ret = fault_error(engine) ?: fault_lost(engine) ?: fault_stuck(engine);

	if (!ret) {
		inject(engine, FERRY_DMA_FAULT_LATE, 1);
		ret = engine_nop(engine);
	}
	if (!ret && engine_read(engine, FERRY_DMA_FAULT))
		ret = wrong(engine, "faults %#x stay",
			    engine_read(engine, FERRY_DMA_FAULT));
	inject(engine, 0, 0);
	return ret;
}

/* As a driver does it for a device that has gone astray. */
static int check_reset(struct engine *engine)
{
	int ret;

	engine_irqs_stop(engine);
	pci_save_state(engine->pdev);
	ret = pcie_reset_flr(engine->pdev, PCI_RESET_DO_RESET);
	pci_restore_state(engine->pdev);
	if (ret)
		ret = wrong(engine, "there is none: %d", ret);
	else if (engine_read(engine, FERRY_DMA_CONTROL) ||
		 engine_read(engine, FERRY_DMA_COUNT) ||
		 engine_read(engine, FERRY_DMA_RING_LO) ||
		 engine_read(engine, FERRY_DMA_RING_SIZE))
		ret = wrong(engine, "registers are not as they were at first");
	ret = engine_irqs_start(engine, PCI_IRQ_ALL_TYPES) ?: ret;
	ret = engine_start(engine, 0) ?: ret;
	return ret ?: engine_nop(engine);
}

static const struct check {
	const char *name;
	int (*run)(struct engine *engine);
} checks[] = {
	{ "registers", check_registers },
	{ "copy", check_copy },
	{ "plain", check_plain },
	{ "fill", check_fill },
	{ "checksum", check_checksum },
	{ "chase", check_chase },
	{ "ring", check_ring },
	{ "doorbell", check_doorbell },
	{ "msix", check_msix },
	{ "last-vector", check_last_vector },
	{ "msi", check_msi },
	{ "intx", check_intx },
	{ "errors", check_errors },
	{ "halts", check_halts },
	{ "faults", check_faults },
	{ "reset", check_reset },
};

static int run_check(struct engine *engine, const struct check *check)
{
	struct device *dev = &engine->pdev->dev;
	int ret;

	mutex_lock(&engine->lock);
	engine->check = check->name;
	engine->written = false;
	ret = engine->nr_vectors ? check->run(engine) :
				   wrong(engine, "the driver has no interrupts");
	if (ret)
		dev_err(dev, "%s: failed (%d)\n", check->name, ret);
	else
		dev_info(dev, "%s: ok\n", check->name);
	/* What is left of one shall not make others fail. */
	if (ret && engine_start(engine, 0))
		dev_err(dev, "%s: the engine does not stop\n", check->name);
	mutex_unlock(&engine->lock);
	return ret;
}

static ssize_t run_store(struct device *dev, struct device_attribute *attr,
			 const char *buf, size_t count)
{
	struct engine *engine = dev_get_drvdata(dev);
	bool all = sysfs_streq(buf, "all"), found = false;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		if (!all && !sysfs_streq(buf, checks[i].name))
			continue;
		found = true;
		ret = run_check(engine, &checks[i]) ?: ret;
	}
	if (!found)
		return -EINVAL;
	return ret ?: count;
}
static DEVICE_ATTR_WO(run);

/*
 * One round: what the last one has written is still there; something new is copied, and
 * its checksum the engine's. So memory that is lost on the way of a guest to another host
 * is found out.
 */
static int copy_and_checksum(struct engine *engine)
{
	u32 crc = 0;
	int ret;

	if (engine->written) {
		area_get(&engine->dst, engine->out);
		if (memcmp(engine->in, engine->out, AREA))
			return wrong(engine, "what was written before is there no more");
	}
	engine->written = false;
	get_random_bytes(engine->in + get_random_u32() % (AREA - SZ_256), SZ_256);
	area_put(&engine->src, engine->in);

	ret = area_map(engine, &engine->src, DMA_TO_DEVICE);
	if (ret)
		return ret;
	ret = area_map(engine, &engine->dst, DMA_BIDIRECTIONAL);
	if (ret)
		goto out;
	ret = copy_list(engine, AREA);
	if (!ret)
		ret = checksum(engine, engine->dst.list_addr, AREA, &crc);
	area_unmap(engine, &engine->dst, DMA_BIDIRECTIONAL);
	if (!ret && crc != crc_of(engine->in, AREA))
		ret = wrong(engine, "the checksum is %#x, not %#x", crc,
			    crc_of(engine->in, AREA));
	engine->written = !ret;
out:
	area_unmap(engine, &engine->src, DMA_TO_DEVICE);
	return ret;
}

static int forever(void *data)
{
	struct engine *engine = data;
	int ret;

	while (!kthread_should_stop()) {
		mutex_lock(&engine->lock);
		engine->check = "forever";
		ret = engine->nr_vectors ? copy_and_checksum(engine) : -ENXIO;
		engine->rounds++;
		if (ret) {
			engine->errors++;
			dev_err(&engine->pdev->dev, "%s: round %llu failed (%d)\n",
				engine->check, engine->rounds, ret);
			engine_start(engine, 0);
		}
		mutex_unlock(&engine->lock);
		/* One that fails at once does so again: once a second is enough. */
		if (ret)
			ssleep(1);
		cond_resched();
	}
	return 0;
}

static int forever_start(struct engine *engine)
{
	struct task_struct *thread;

	if (engine->thread)
		return -EBUSY;
	mutex_lock(&engine->lock);
	engine->rounds = 0;
	engine->errors = 0;
	engine->written = false;
	mutex_unlock(&engine->lock);
	thread = kthread_run(forever, engine, NAME);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	engine->thread = thread;
	return 0;
}

static void forever_stop(struct engine *engine)
{
	if (engine->thread)
		kthread_stop(engine->thread);
	engine->thread = NULL;
}

static ssize_t forever_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	struct engine *engine = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%d\n", !!READ_ONCE(engine->thread));
}

static ssize_t forever_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct engine *engine = dev_get_drvdata(dev);
	bool on;
	int ret = kstrtobool(buf, &on);

	if (ret)
		return ret;
	mutex_lock(&engine->thread_lock);
	if (on)
		ret = forever_start(engine);
	else
		forever_stop(engine);
	mutex_unlock(&engine->thread_lock);
	return ret ?: count;
}
static DEVICE_ATTR_RW(forever);

/* Without the lock: a round that waits for what is lost holds it for long. */
static ssize_t rounds_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct engine *engine = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", READ_ONCE(engine->rounds));
}
static DEVICE_ATTR_RO(rounds);

static ssize_t errors_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct engine *engine = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", READ_ONCE(engine->errors));
}
static DEVICE_ATTR_RO(errors);

static struct attribute *engine_attrs[] = {
	&dev_attr_run.attr,
	&dev_attr_forever.attr,
	&dev_attr_rounds.attr,
	&dev_attr_errors.attr,
	NULL
};
ATTRIBUTE_GROUPS(engine);

/* The driver. */

static int engine_map(struct engine *engine)
{
	struct pci_dev *pdev = engine->pdev;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_iomap_regions(pdev, BIT(FERRY_DMA_BAR_REGS) |
				 BIT(FERRY_DMA_BAR_MEM), NAME);
	if (ret)
		return ret;
	engine->regs = pcim_iomap_table(pdev)[FERRY_DMA_BAR_REGS];
	engine->doorbell = pcim_iomap_table(pdev)[FERRY_DMA_BAR_MEM] +
			   FERRY_DMA_MEM_DOORBELL;
	if (engine_read(engine, FERRY_DMA_ID) != FERRY_DMA_MAGIC)
		return dev_err_probe(&pdev->dev, -ENODEV, "not a DMA engine\n");
	/* What somebody else had begun is not to go on. */
	engine_write(engine, FERRY_DMA_CONTROL, 0);
	pci_set_master(pdev);
	return dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
}

static int engine_alloc(struct engine *engine)
{
	struct device *dev = &engine->pdev->dev;
	unsigned int i;
	int ret;

	engine->ring = dmam_alloc_coherent(dev, RING * sizeof(*engine->ring),
					   &engine->ring_addr, GFP_KERNEL);
	engine->scratch = dmam_alloc_coherent(dev, SCRATCH,
					      &engine->scratch_addr, GFP_KERNEL);
	engine->in = devm_kzalloc(dev, AREA, GFP_KERNEL);
	engine->out = devm_kzalloc(dev, AREA, GFP_KERNEL);
	if (!engine->ring || !engine->scratch || !engine->in || !engine->out)
		return -ENOMEM;
	ret = area_init(dev, &engine->src, 123, false);
	if (ret)
		return ret;
	for (i = 0; i < VECTORS; i++)
		engine->vectors[i].engine = engine;
	mutex_init(&engine->lock);
	mutex_init(&engine->thread_lock);
	init_waitqueue_head(&engine->wait);
	return area_init(dev, &engine->dst, 1777, true);
}

static int engine_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct engine *engine;
	int ret;

	engine = devm_kzalloc(&pdev->dev, sizeof(*engine), GFP_KERNEL);
	if (!engine)
		return -ENOMEM;
	engine->pdev = pdev;
	pci_set_drvdata(pdev, engine);
	ret = engine_map(engine);
	if (ret)
		return ret;
	ret = engine_alloc(engine);
	if (ret)
		return ret;
	ret = engine_irqs_start(engine, PCI_IRQ_ALL_TYPES);
	if (ret)
		return ret;
	ret = engine_start(engine, 0);
	if (ret)
		engine_irqs_stop(engine);
	return ret;
}

static void engine_shutdown(struct pci_dev *pdev)
{
	struct engine *engine = pci_get_drvdata(pdev);

	mutex_lock(&engine->thread_lock);
	forever_stop(engine);
	mutex_unlock(&engine->thread_lock);
	if (engine_stop(engine))
		dev_err(&pdev->dev, "the engine does not stop\n");
}

static void engine_remove(struct pci_dev *pdev)
{
	engine_shutdown(pdev);
	engine_irqs_stop(pci_get_drvdata(pdev));
}

static const struct pci_device_id engine_ids[] = {
	{ PCI_DEVICE(FERRY_DMA_VENDOR, FERRY_DMA_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, engine_ids);

static struct pci_driver engine_driver = {
	.name = NAME,
	.id_table = engine_ids,
	.probe = engine_probe,
	.remove = engine_remove,
	.shutdown = engine_shutdown,
	.dev_groups = engine_groups,
};
module_pci_driver(engine_driver);

MODULE_DESCRIPTION("drives a DMA engine in a guest");
MODULE_AUTHOR("Ferry developers");
MODULE_LICENSE("GPL");
