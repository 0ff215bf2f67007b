// SPDX-License-Identifier: GPL-2.0-only
/*
 * From descriptor to descriptor: the work of a DMA engine.
 */
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/sched.h>

#include "dma.h"

/* How often to look at a doorbell that nobody tells us about, in milliseconds. */
#define POLL_INTERVAL	2

/**
 * dma_ring_valid - do the ring registers make sense?
 * @dma: the engine, locked
 *
 * Return: whether they do, apart from what memory is there.
 */
bool dma_ring_valid(const struct dma *dma)
{
	u64 bytes = (u64)dma->regs.size * sizeof(struct ferry_dma_desc);
	u64 ring = dma_ring(dma);

	return dma->regs.size >= 2 && dma->regs.size <= FERRY_DMA_RING_MAX &&
	       is_power_of_2(dma->regs.size) &&
	       IS_ALIGNED(ring, sizeof(struct ferry_dma_desc)) &&
	       ring + (bytes - 1) >= ring;
}

/**
 * dma_level - the interrupt follows the registers
 * @inst: the instance
 * @dma: its state, locked
 */
void dma_level(struct ferry_instance *inst, struct dma *dma)
{
	ferry_instance_set_level(inst, dma->regs.int_status &
				       dma->regs.int_enable);
}

/**
 * dma_halt - the engine cannot go on
 * @inst: the instance
 * @dma: its state, locked
 * @error: FERRY_DMA_ERROR_*
 */
void dma_halt(struct ferry_instance *inst, struct dma *dma, u32 error)
{
	struct dma_regs *regs = &dma->regs;

	regs->control &= ~FERRY_DMA_CTRL_ENABLE;
	regs->error = error;
	regs->int_status |= FERRY_DMA_INT_HALT;
	dma_level(inst, dma);
	ferry_instance_raise(inst, regs->error_vector);
}

/* Ends the job without a trace, but for an error of the ring. */
static void drop(struct ferry_instance *inst, struct dma *dma, u32 error)
{
	spin_lock(&dma->lock);
	WRITE_ONCE(dma->job.active, false);
	if (error && !dma->job.abandoned)
		dma_halt(inst, dma, error);
	spin_unlock(&dma->lock);
}

/* Where the driver says that the ring ends. */
static u32 producer(struct ferry_instance *inst, const struct dma_regs *regs)
{
	const __le32 *doorbell;

	if (!(regs->control & FERRY_DMA_CTRL_POLL))
		return regs->tail;
	doorbell = ferry_instance_memory(inst, FERRY_DMA_BAR_MEM,
					 FERRY_DMA_MEM_DOORBELL);
	return le32_to_cpu(READ_ONCE(*doorbell));
}

/* Returns whether there is a job now. */
static bool next(struct ferry_instance *inst, struct dma *dma)
{
	struct dma_regs *regs = &dma->regs;
	struct dma_job *job = &dma->job;
	u32 tail;

	if (!(regs->control & FERRY_DMA_CTRL_ENABLE) ||
	    (regs->fault & FERRY_DMA_FAULT_STUCK))
		return false;
	tail = producer(inst, regs);
	if (!dma_ring_valid(dma)) {
		dma_halt(inst, dma, FERRY_DMA_ERROR_RING);
		return false;
	}
	if (tail >= regs->size || regs->head >= regs->size) {
		dma_halt(inst, dma, FERRY_DMA_ERROR_TAIL);
		return false;
	}
	if (regs->head == tail) {
		if (regs->control & FERRY_DMA_CTRL_POLL)
			ferry_instance_kick_after(inst, POLL_INTERVAL);
		return false;
	}
	memset(job, 0, sizeof(*job));
	job->addr = dma_ring(dma) + (u64)regs->head * sizeof(job->desc);
	if (regs->fault_count)
		job->faults = regs->fault & ~DMA_FAULTS_ENGINE;
	WRITE_ONCE(job->active, true);
	return true;
}

static bool fetch(struct ferry_instance *inst, struct dma *dma)
{
	struct dma_job *job = &dma->job;
	bool found;

	spin_lock(&dma->lock);
	found = next(inst, dma);
	spin_unlock(&dma->lock);
	if (!found)
		return false;
	if (ferry_guest_read(inst, job->addr, &job->desc, sizeof(job->desc))) {
		drop(inst, dma, FERRY_DMA_ERROR_FETCH);
		return true;
	}
	dma_job_begin(dma);
	return true;
}

/* The last 16 bytes of the descriptor, the status last. */
static int write_back(struct ferry_instance *inst, struct dma_job *job)
{
	const size_t at = offsetof(struct ferry_dma_desc, status);
	const size_t rest = at + sizeof(job->desc.status);
	int ret;

	job->desc.status = cpu_to_le32(job->status);
	job->desc.done = cpu_to_le32(job->done);
	job->desc.result = cpu_to_le64(job->result);
	ret = ferry_guest_write(inst, job->addr + rest,
				(void *)&job->desc + rest,
				sizeof(job->desc) - rest);
	return ret ?: ferry_guest_write(inst, job->addr + at,
					&job->desc.status,
					sizeof(job->desc.status));
}

/* It has been written; now the registers say so, and the interrupt. */
static void retire(struct ferry_instance *inst, struct dma *dma)
{
	struct dma_regs *regs = &dma->regs;
	struct dma_job *job = &dma->job;

	spin_lock(&dma->lock);
	WRITE_ONCE(job->active, false);
	if (!job->abandoned) {
		regs->head = (regs->head + 1) & (regs->size - 1);
		regs->count++;
		if (job->faults && regs->fault_count &&
		    regs->fault_count != FERRY_DMA_FAULT_FOREVER &&
		    !--regs->fault_count)
			regs->fault &= DMA_FAULTS_ENGINE;
		if (dma_job_interrupts(dma)) {
			regs->int_status |= FERRY_DMA_INT_DONE;
			dma_level(inst, dma);
			ferry_instance_raise(inst,
					     le16_to_cpu(job->desc.vector));
		}
	}
	spin_unlock(&dma->lock);
}

/* Returns whether the job has been late enough. */
static bool is_due(struct ferry_instance *inst, struct dma *dma)
{
	struct dma_job *job = &dma->job;
	unsigned int delay = READ_ONCE(dma->regs.fault_delay);
	unsigned long left;

	if (!(job->faults & FERRY_DMA_FAULT_LATE))
		return true;
	if (!job->late) {
		job->late = true;
		dma->due = jiffies + msecs_to_jiffies(delay);
	}
	/* What has passed is a huge number, as what another machine's clock says may be. */
	left = dma->due - jiffies;
	if (!left || left > msecs_to_jiffies(delay))
		return true;
	ferry_instance_kick_after(inst, jiffies_to_msecs(left));
	return false;
}

/* Returns whether the engine can go on. */
static bool complete_job(struct ferry_instance *inst, struct dma *dma)
{
	struct dma_job *job = &dma->job;

	if (!is_due(inst, dma))
		return false;
	if (write_back(inst, job))
		drop(inst, dma, FERRY_DMA_ERROR_WRITE);
	else
		retire(inst, dma);
	return true;
}

/* One piece of work. Returns whether there may be more. */
static bool step(struct ferry_instance *inst, struct dma *dma)
{
	struct dma_job *job = &dma->job;
	bool gone, stuck;

	if (!job->active)
		return fetch(inst, dma);
	spin_lock(&dma->lock);
	gone = job->abandoned;
	stuck = dma->regs.fault & FERRY_DMA_FAULT_STUCK;
	spin_unlock(&dma->lock);
	if (gone) {
		drop(inst, dma, FERRY_DMA_ERROR_NONE);
		return true;
	}
	if (stuck)
		return false;
	if (job->status != FERRY_DMA_S_PENDING)
		return complete_job(inst, dma);
	dma_job_step(inst, dma);
	return true;
}

/**
 * dma_work - go on until there is nothing to do
 * @inst: the instance
 */
void dma_work(struct ferry_instance *inst)
{
	struct dma *dma = ferry_instance_state(inst);

	while (!ferry_instance_stopping(inst) && step(inst, dma))
		cond_resched();
}
