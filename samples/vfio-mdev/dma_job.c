// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a descriptor says, in pieces of bounded size: the engine may be stopped between
 * two of them.
 */
#include <linux/bitops.h>
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/minmax.h>

#include "dma.h"

/* Pointers in a piece. */
#define CHASE_STEPS	64

/* Flags that each opcode may have, and whether it has a length. */
static const struct {
	u16 flags;
	bool length;
} ops[FERRY_DMA_NR_OPS] = {
	[FERRY_DMA_OP_NOP] = { FERRY_DMA_F_IRQ, false },
	[FERRY_DMA_OP_COPY] = { FERRY_DMA_F_ALL, true },
	[FERRY_DMA_OP_FILL] = { FERRY_DMA_F_IRQ | FERRY_DMA_F_DST_LIST, true },
	[FERRY_DMA_OP_CRC32] = { FERRY_DMA_F_IRQ | FERRY_DMA_F_SRC_LIST, true },
	[FERRY_DMA_OP_CHASE] = { FERRY_DMA_F_IRQ, false },
	[FERRY_DMA_OP_IRQ] = { FERRY_DMA_F_IRQ, false },
};

static bool wants_interrupt(const struct ferry_dma_desc *desc)
{
	return (le16_to_cpu(desc->flags) & FERRY_DMA_F_IRQ) ||
	       le16_to_cpu(desc->opcode) == FERRY_DMA_OP_IRQ;
}

/**
 * dma_job_interrupts - is an interrupt to be raised?
 * @dma: the engine, whose job is done
 *
 * Return: whether it is, of a vector that there is.
 */
bool dma_job_interrupts(const struct dma *dma)
{
	const struct ferry_dma_desc *desc = &dma->job.desc;

	return wants_interrupt(desc) &&
	       le16_to_cpu(desc->vector) < dma->regs.vectors &&
	       !(dma->job.faults & FERRY_DMA_FAULT_LOST);
}

static u32 check(const struct dma *dma, const struct dma_job *job)
{
	const struct ferry_dma_desc *desc = &job->desc;
	u16 opcode = le16_to_cpu(desc->opcode);
	u16 flags = le16_to_cpu(desc->flags);

	if (opcode >= FERRY_DMA_NR_OPS)
		return FERRY_DMA_S_OPCODE;
	if ((flags & ~ops[opcode].flags) || desc->reserved0 ||
	    desc->reserved1 || desc->reserved2)
		return FERRY_DMA_S_FLAGS;
	if (ops[opcode].length && !desc->length)
		return FERRY_DMA_S_LENGTH;
	if (opcode == FERRY_DMA_OP_CHASE && le64_to_cpu(desc->arg) > U32_MAX)
		return FERRY_DMA_S_LENGTH;
	if (wants_interrupt(desc) && le16_to_cpu(desc->vector) >= dma->regs.vectors)
		return FERRY_DMA_S_VECTOR;
	if (((flags & FERRY_DMA_F_SRC_LIST) &&
	     !IS_ALIGNED(le64_to_cpu(desc->src), sizeof(struct ferry_dma_sg))) ||
	    ((flags & FERRY_DMA_F_DST_LIST) &&
	     !IS_ALIGNED(le64_to_cpu(desc->dst), sizeof(struct ferry_dma_sg))))
		return FERRY_DMA_S_LIST;
	if (job->faults & FERRY_DMA_FAULT_ERROR)
		return FERRY_DMA_S_INJECTED;
	if (opcode == FERRY_DMA_OP_NOP || opcode == FERRY_DMA_OP_IRQ)
		return FERRY_DMA_S_OK;
	return FERRY_DMA_S_PENDING;
}

/**
 * dma_job_begin - look at a descriptor
 * @dma: the engine; its job is zero but for the descriptor and faults
 */
void dma_job_begin(struct dma *dma)
{
	struct dma_job *job = &dma->job;
	struct ferry_dma_desc *desc = &job->desc;
	u16 flags = le16_to_cpu(desc->flags);

	job->status = check(dma, job);
	job->src.addr = le64_to_cpu(desc->src);
	job->dst.addr = le64_to_cpu(desc->dst);
	if (!(flags & FERRY_DMA_F_SRC_LIST))
		job->src.left = le32_to_cpu(desc->length);
	if (!(flags & FERRY_DMA_F_DST_LIST))
		job->dst.left = le32_to_cpu(desc->length);
	if (job->status != FERRY_DMA_S_PENDING)
		return;
	if (desc->opcode == cpu_to_le16(FERRY_DMA_OP_CRC32))
		job->result = (u32)~le64_to_cpu(desc->arg);
	else if (desc->opcode == cpu_to_le16(FERRY_DMA_OP_CHASE))
		job->result = job->src.addr;
}

/**
 * dma_job_valid - can a job be like that?
 * @dma: the engine
 * @job: what a stream says that another engine is doing, each member good by itself
 *
 * Return: whether dma_job_begin() and dma_job_step() could have come to it.
 */
bool dma_job_valid(const struct dma *dma, const struct dma_job *job)
{
	const struct ferry_dma_desc *desc = &job->desc;
	u32 begun = check(dma, job);

	if (job->status != FERRY_DMA_S_PENDING)
		return true;
	if (begun != FERRY_DMA_S_PENDING)
		return false;
	if (desc->opcode == cpu_to_le16(FERRY_DMA_OP_CHASE))
		return job->done <= le64_to_cpu(desc->arg);
	return job->done < le32_to_cpu(desc->length);
}

/* Sees to it that there is something at the cursor of @list, or of no list. */
static u32 advance(struct ferry_instance *inst, struct dma_cursor *cursor,
		   __le64 list, u32 fault)
{
	struct ferry_dma_sg sg;
	u64 at;

	if (!cursor->left) {
		if (cursor->elements >= FERRY_DMA_LIST_MAX)
			return FERRY_DMA_S_LIST;
		at = le64_to_cpu(list) + (u64)cursor->elements * sizeof(sg);
		if (at < le64_to_cpu(list) ||
		    ferry_guest_read(inst, at, &sg, sizeof(sg)))
			return FERRY_DMA_S_SG;
		if (!sg.length || sg.reserved)
			return FERRY_DMA_S_LIST;
		cursor->elements++;
		cursor->addr = le64_to_cpu(sg.addr);
		cursor->left = le32_to_cpu(sg.length);
	}
	/* What would begin again at address 0 isn't mapped. */
	return cursor->addr + (cursor->left - 1) < cursor->addr ? fault :
								  FERRY_DMA_S_PENDING;
}

static void consume(struct dma_cursor *cursor, u32 len)
{
	cursor->addr += len;
	cursor->left -= len;
}

/* Bytes that are left, no more than there are at a cursor. */
static u32 rest(const struct dma_job *job, const struct dma_cursor *cursor)
{
	return min(le32_to_cpu(job->desc.length) - job->done, cursor->left);
}

static u32 copy(struct ferry_instance *inst, struct dma_job *job)
{
	u32 len = min(rest(job, &job->src), rest(job, &job->dst));
	ssize_t done;

	done = ferry_guest_copy(inst, job->dst.addr, job->src.addr, len);
	if (done < 0)
		return done == -EACCES ? FERRY_DMA_S_DST : FERRY_DMA_S_SRC;
	consume(&job->src, done);
	consume(&job->dst, done);
	job->done += done;
	return FERRY_DMA_S_PENDING;
}

static u32 fill(struct ferry_instance *inst, struct dma_job *job)
{
	u32 len = min_t(u32, rest(job, &job->dst), FERRY_GUEST_BUFFER), i;
	__le64 *words = ferry_guest_buffer(inst);
	u64 pattern;

	pattern = ror64(le64_to_cpu(job->desc.arg),
			BITS_PER_BYTE * (job->done % sizeof(u64)));
	for (i = 0; i * sizeof(u64) < len; i++)
		words[i] = cpu_to_le64(pattern);
	if (ferry_guest_write(inst, job->dst.addr, words, len))
		return FERRY_DMA_S_DST;
	consume(&job->dst, len);
	job->done += len;
	return FERRY_DMA_S_PENDING;
}

static u32 checksum(struct ferry_instance *inst, struct dma_job *job)
{
	u32 len = min_t(u32, rest(job, &job->src), FERRY_GUEST_BUFFER);
	void *buffer = ferry_guest_buffer(inst);

	if (ferry_guest_read(inst, job->src.addr, buffer, len))
		return FERRY_DMA_S_SRC;
	job->result = crc32_le(job->result, buffer, len);
	consume(&job->src, len);
	job->done += len;
	return FERRY_DMA_S_PENDING;
}

static u32 chase(struct ferry_instance *inst, struct dma_job *job)
{
	unsigned int i;
	__le64 pointer;

	for (i = 0; i < CHASE_STEPS; i++) {
		if (job->done == le64_to_cpu(job->desc.arg))
			return FERRY_DMA_S_OK;
		if (ferry_guest_read(inst, job->result, &pointer,
				     sizeof(pointer)))
			return FERRY_DMA_S_SRC;
		job->done++;
		if (!pointer)
			return FERRY_DMA_S_OK;
		job->result = le64_to_cpu(pointer);
	}
	return FERRY_DMA_S_PENDING;
}

/* A piece of an opcode with a length. */
static u32 transfer(struct ferry_instance *inst, struct dma_job *job)
{
	u16 opcode = le16_to_cpu(job->desc.opcode);
	u32 status = FERRY_DMA_S_PENDING;

	if (opcode != FERRY_DMA_OP_FILL)
		status = advance(inst, &job->src, job->desc.src,
				 FERRY_DMA_S_SRC);
	if (status == FERRY_DMA_S_PENDING && opcode != FERRY_DMA_OP_CRC32)
		status = advance(inst, &job->dst, job->desc.dst,
				 FERRY_DMA_S_DST);
	if (status != FERRY_DMA_S_PENDING)
		return status;
	if (opcode == FERRY_DMA_OP_COPY)
		status = copy(inst, job);
	else if (opcode == FERRY_DMA_OP_FILL)
		status = fill(inst, job);
	else
		status = checksum(inst, job);
	if (status == FERRY_DMA_S_PENDING &&
	    job->done == le32_to_cpu(job->desc.length))
		status = FERRY_DMA_S_OK;
	return status;
}

/**
 * dma_job_step - do a piece of a job
 * @inst: the instance
 * @dma: its state, with a job that is pending
 *
 * 32 KiB at most.
 */
void dma_job_step(struct ferry_instance *inst, struct dma *dma)
{
	struct dma_job *job = &dma->job;
	bool crc = job->desc.opcode == cpu_to_le16(FERRY_DMA_OP_CRC32);

	if (job->desc.opcode == cpu_to_le16(FERRY_DMA_OP_CHASE))
		job->status = chase(inst, job);
	else
		job->status = transfer(inst, job);
	if (crc && job->status != FERRY_DMA_S_PENDING)
		job->result = (u32)~job->result;
}
