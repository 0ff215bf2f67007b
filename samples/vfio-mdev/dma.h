/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The DMA engine. include/uapi/ferry/dma.h says what its user sees.
 *
 * dma.c has the registers and what migrates, dma_ring.c goes from descriptor to descriptor,
 * and dma_job.c does what one says.
 */
#ifndef DMA_H
#define DMA_H

#include <linux/build_bug.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>

#include <ferry/model.h>
#include <uapi/ferry/dma.h>

/* Faults of the engine, and of one descriptor after the other. */
#define DMA_FAULTS_ENGINE	(FERRY_DMA_FAULT_STUCK | FERRY_DMA_FAULT_BUSY | \
				 FERRY_DMA_FAULT_DAMAGE)
#define DMA_FAULTS	(DMA_FAULTS_ENGINE | FERRY_DMA_FAULT_LATE | \
			 FERRY_DMA_FAULT_ERROR | FERRY_DMA_FAULT_LOST)

/**
 * struct dma_cursor - where a job reads or writes next
 * @addr: address
 * @left: bytes in a row there; with 0 the next element of a list tells
 * @elements: how many elements of the list have been read
 */
struct dma_cursor {
	u64 addr;
	u32 left;
	u32 elements;
};

/**
 * struct dma_job - a descriptor that is being worked on
 * @desc: the descriptor as it was fetched, once
 * @addr: where it was, and where its completion goes
 * @src: what is read next
 * @dst: what is written next
 * @result: so far; of CRC32 the register
 * @done: bytes or steps so far
 * @status: FERRY_DMA_S_PENDING while there is something left to do
 * @faults: that happen to it
 * @active: there is a job
 * @late: it is done, and its completion waits for &dma.due
 * @abandoned: the engine was switched on or off since it was fetched
 */
struct dma_job {
	struct ferry_dma_desc desc;
	u64 addr;
	struct dma_cursor src;
	struct dma_cursor dst;
	u64 result;
	u32 done;
	u32 status;
	u32 faults;
	bool active;
	bool late;
	bool abandoned;
};

/**
 * struct dma_regs - registers as they lie in BAR 0; see include/uapi/ferry/dma.h
 * @id: constant, as the next three are
 * @version: FERRY_DMA_VERSION
 * @caps: FERRY_DMA_CAPS
 * @vectors: how many a descriptor may name
 * @control: FERRY_DMA_CTRL_*
 * @status: 0; made up when it is read
 * @error: FERRY_DMA_ERROR_*, what has halted the engine
 * @reserved0: 0
 * @ring: address of the ring, lower half first
 * @size: of the ring in descriptors; like @head and @tail as good as what the user has
 *	written until it is checked, which is whenever it is used
 * @head: descriptor that comes next
 * @tail: first one that doesn't come yet
 * @count: descriptors that were completed
 * @int_status: FERRY_DMA_INT_*
 * @int_enable: likewise
 * @error_vector: for a halt
 * @reserved1: 0
 * @fault: FERRY_DMA_FAULT_*
 * @fault_count: descriptors that it is still for
 * @fault_delay: milliseconds
 */
struct dma_regs {
	u32 id;
	u32 version;
	u32 caps;
	u32 vectors;
	u32 control;
	u32 status;
	u32 error;
	u32 reserved0;
	u32 ring[2];
	u32 size;
	u32 head;
	u32 tail;
	u32 count;
	u32 int_status;
	u32 int_enable;
	u32 error_vector;
	u32 reserved1[15];
	u32 fault;
	u32 fault_count;
	u32 fault_delay;
};

static_assert(offsetof(struct dma_regs, fault_delay) == FERRY_DMA_FAULT_DELAY);

/**
 * struct dma - an engine
 * @lock: guards @regs and &dma_job.abandoned; taken by accesses to registers and by the work,
 *	which doesn't hold it while it accesses guest memory
 * @regs: registers
 * @job: what it is doing; the work's, who alone changes it while it runs
 * @due: when a late job is completed, in jiffies
 */
struct dma {
	spinlock_t lock;	/* see above */
	struct dma_regs regs;
	struct dma_job job;
	unsigned long due;
};

static inline u64 dma_ring(const struct dma *dma)
{
	return dma->regs.ring[0] | (u64)dma->regs.ring[1] << 32;
}

bool dma_ring_valid(const struct dma *dma);
void dma_halt(struct ferry_instance *inst, struct dma *dma, u32 error);
void dma_level(struct ferry_instance *inst, struct dma *dma);
void dma_work(struct ferry_instance *inst);

void dma_job_begin(struct dma *dma);
void dma_job_step(struct ferry_instance *inst, struct dma *dma);
bool dma_job_interrupts(const struct dma *dma);
bool dma_job_valid(const struct dma *dma, const struct dma_job *job);

#endif /* DMA_H */
