/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The DMA engine. include/uapi/ferry/dma.h says what its user sees.
 *
 * dma.c has the registers and what migrates, dma_ring.c goes from descriptor to descriptor,
 * and dma_job.c does what one says.
 */
#ifndef DMA_H
#define DMA_H

#include <linux/spinlock.h>

#include <ferry/model.h>
#include <uapi/ferry/dma.h>

/* Faults of the engine, and of one descriptor after the other. */
#define DMA_FAULTS_ENGINE	(FERRY_DMA_FAULT_STUCK | FERRY_DMA_FAULT_BUSY | \
				 FERRY_DMA_FAULT_DAMAGE)
#define DMA_FAULTS	(DMA_FAULTS_ENGINE | FERRY_DMA_FAULT_LATE | \
			 FERRY_DMA_FAULT_ERROR | FERRY_DMA_FAULT_LOST)
#define DMA_BOUNCE	16384

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
 * @epoch: &dma_state.epoch when it was fetched; it is abandoned if that has changed
 * @active: there is a job
 * @late: it is done, and its completion waits for &dma.due
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
	u32 epoch;
	bool active;
	bool late;
};

/**
 * struct dma_state - all that an engine knows
 * @ring: address of the ring
 * @size: of the ring in descriptors; like @head and @tail as good as what the user has
 *	written until it is checked, which is whenever it is used
 * @head: descriptor that comes next
 * @tail: first one that doesn't come yet
 * @control: FERRY_DMA_CTRL_*
 * @error: FERRY_DMA_ERROR_*, what has halted the engine
 * @count: descriptors that were completed
 * @int_status: FERRY_DMA_INT_*
 * @int_enable: likewise
 * @error_vector: for a halt
 * @fault: FERRY_DMA_FAULT_*
 * @fault_count: descriptors that it is still for
 * @fault_delay: milliseconds
 * @epoch: changes when the engine is switched on or off
 * @job: what it is doing; the work's, who alone changes it while it runs
 */
struct dma_state {
	u64 ring;
	u32 size;
	u32 head;
	u32 tail;
	u32 control;
	u32 error;
	u32 count;
	u32 int_status;
	u32 int_enable;
	u32 error_vector;
	u32 fault;
	u32 fault_count;
	u32 fault_delay;
	u32 epoch;
	struct dma_job job;
};

/**
 * struct dma - an engine
 * @lock: guards @state but for its job; taken by accesses to registers and by the work,
 *	which doesn't hold it while it accesses guest memory
 * @vectors: how many a descriptor may name
 * @due: when a late job is completed, in jiffies
 * @state: what a migration carries
 * @bounce: DMA_BOUNCE bytes for the work
 * @from: guest memory that the work reads
 * @to: guest memory that it writes
 */
struct dma {
	spinlock_t lock;	/* see above */
	unsigned int vectors;
	unsigned long due;
	struct dma_state state;
	void *bounce;
	struct ferry_guest_range from;
	struct ferry_guest_range to;
};

bool dma_ring_valid(const struct dma_state *state);
void dma_halt(struct ferry_instance *inst, struct dma *dma, u32 error);
void dma_level(struct ferry_instance *inst, struct dma *dma);
void dma_work(struct ferry_instance *inst);

void dma_job_begin(struct dma *dma, struct dma_job *job);
void dma_job_step(struct ferry_instance *inst, struct dma *dma,
		  struct dma_job *job);
bool dma_job_interrupts(const struct dma *dma, const struct dma_job *job);
bool dma_job_valid(const struct dma *dma, const struct dma_job *job);

#endif /* DMA_H */
