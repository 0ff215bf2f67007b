// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an engine takes along when it migrates: its registers, and the descriptor that it is
 * in the midst of. Work stands still meanwhile, and nothing is pinned.
 */
#include <linux/build_bug.h>
#include <linux/jiffies.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "dma.h"

#define SAVED_ACTIVE	BIT(0)
#define SAVED_LATE	BIT(1)

/* Members of struct dma_state, in the order of struct saved. */
static const u16 quads[] = {
	offsetof(struct dma_state, ring),
	offsetof(struct dma_state, job.addr),
	offsetof(struct dma_state, job.src.addr),
	offsetof(struct dma_state, job.dst.addr),
	offsetof(struct dma_state, job.result),
};

static const u16 words[] = {
	offsetof(struct dma_state, size),
	offsetof(struct dma_state, head),
	offsetof(struct dma_state, tail),
	offsetof(struct dma_state, control),
	offsetof(struct dma_state, error),
	offsetof(struct dma_state, count),
	offsetof(struct dma_state, int_status),
	offsetof(struct dma_state, int_enable),
	offsetof(struct dma_state, error_vector),
	offsetof(struct dma_state, fault),
	offsetof(struct dma_state, fault_count),
	offsetof(struct dma_state, fault_delay),
	offsetof(struct dma_state, epoch),
	offsetof(struct dma_state, job.src.left),
	offsetof(struct dma_state, job.src.elements),
	offsetof(struct dma_state, job.dst.left),
	offsetof(struct dma_state, job.dst.elements),
	offsetof(struct dma_state, job.done),
	offsetof(struct dma_state, job.status),
	offsetof(struct dma_state, job.faults),
	offsetof(struct dma_state, job.epoch),
};

/**
 * struct saved - an engine
 * @quads: members of 64 bits
 * @words: members of 32 bits
 * @flags: SAVED_*
 * @desc: the descriptor that is being worked on, as it was fetched
 */
struct saved {
	__le64 quads[ARRAY_SIZE(quads)];
	__le32 words[ARRAY_SIZE(words)];
	__le32 flags;
	struct ferry_dma_desc desc;
};

static u64 *quad(const struct dma_state *state, unsigned int i)
{
	return (void *)state + quads[i];
}

static u32 *word(const struct dma_state *state, unsigned int i)
{
	return (void *)state + words[i];
}

/**
 * dma_state_save - put the engine into a stream; see &struct ferry_model
 * @inst: the instance
 * @buf: where to
 * @len: DMA_STATE_SIZE
 *
 * Return: how many bytes, or -EBUSY where FERRY_DMA_FAULT_BUSY wants that.
 */
ssize_t dma_state_save(struct ferry_instance *inst, void *buf, size_t len)
{
	struct dma *dma = ferry_instance_state(inst);
	const struct dma_state *state = &dma->state;
	struct saved *to = buf;
	unsigned int i;

	BUILD_BUG_ON(sizeof(*to) != DMA_STATE_SIZE);
	if (state->fault & FERRY_DMA_FAULT_BUSY)
		return -EBUSY;
	for (i = 0; i < ARRAY_SIZE(quads); i++)
		to->quads[i] = cpu_to_le64(*quad(state, i));
	for (i = 0; i < ARRAY_SIZE(words); i++)
		to->words[i] = cpu_to_le32(*word(state, i));
	to->flags = cpu_to_le32((state->job.active ? SAVED_ACTIVE : 0) |
				(state->job.late ? SAVED_LATE : 0));
	to->desc = state->job.desc;
	if (state->fault & FERRY_DMA_FAULT_DAMAGE)
		to->flags = ~to->flags;
	return sizeof(*to);
}

static void decode(const struct saved *from, struct dma_state *state)
{
	u32 flags = le32_to_cpu(from->flags);
	unsigned int i;

	memset(state, 0, sizeof(*state));
	for (i = 0; i < ARRAY_SIZE(quads); i++)
		*quad(state, i) = le64_to_cpu(from->quads[i]);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		*word(state, i) = le32_to_cpu(from->words[i]);
	state->job.active = !!(flags & SAVED_ACTIVE);
	state->job.late = !!(flags & SAVED_LATE);
	state->job.desc = from->desc;
}

static bool registers_valid(const struct dma *dma, const struct dma_state *s)
{
	const u32 ints = FERRY_DMA_INT_DONE | FERRY_DMA_INT_HALT |
			 FERRY_DMA_INT_RAISE;

	return !(s->control & ~(FERRY_DMA_CTRL_ENABLE | FERRY_DMA_CTRL_POLL)) &&
	       s->error <= FERRY_DMA_ERROR_WRITE &&
	       !((s->int_status | s->int_enable) & ~ints) &&
	       s->error_vector < dma->vectors && !(s->fault & ~DMA_FAULTS) &&
	       s->fault_delay <= FERRY_DMA_DELAY_MAX;
}

/**
 * dma_state_validate - could an engine be like that? See &struct ferry_model
 * @inst: the instance
 * @buf: what has come
 * @len: how much
 *
 * Addresses in it need no look: they lead to the guest's memory, or nowhere.
 *
 * Return: 0 or -EINVAL.
 */
int dma_state_validate(struct ferry_instance *inst, const void *buf, size_t len)
{
	struct dma *dma = ferry_instance_state(inst);
	const struct saved *from = buf;
	struct dma_state state;

	if (len != sizeof(*from) ||
	    le32_to_cpu(from->flags) & ~(SAVED_ACTIVE | SAVED_LATE))
		return -EINVAL;
	decode(from, &state);
	if (!registers_valid(dma, &state) ||
	    (state.job.active && !dma_job_valid(dma, &state.job)))
		return -EINVAL;
	return 0;
}

/**
 * dma_state_load - go on where another engine has stopped; see &struct ferry_model
 * @inst: the instance
 * @buf: dma_state_validate() has seen it
 * @len: DMA_STATE_SIZE
 *
 * Return: 0.
 */
int dma_state_load(struct ferry_instance *inst, const void *buf, size_t len)
{
	struct dma *dma = ferry_instance_state(inst);

	spin_lock(&dma->lock);
	decode(buf, &dma->state);
	/* Of the time that it was late nothing counts. */
	dma->due = jiffies + msecs_to_jiffies(dma->state.fault_delay);
	dma_level(inst, dma);
	spin_unlock(&dma->lock);
	ferry_instance_kick(inst);
	return 0;
}
