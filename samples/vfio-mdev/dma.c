// SPDX-License-Identifier: GPL-2.0-only
/*
 * A DMA engine as a PCI Express device: its registers, and what of it migrates.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "dma.h"

#define VERSION	1
/* Every opcode that there is, and every fault. */
#define DMA_INTS	(FERRY_DMA_INT_DONE | FERRY_DMA_INT_HALT | \
			 FERRY_DMA_INT_RAISE)
#define CAPS	(GENMASK(FERRY_DMA_NR_OPS - 1, 0) | DMA_FAULTS << 16)

static unsigned int max_instances = 1024;
module_param(max_instances, uint, 0444);
MODULE_PARM_DESC(max_instances, "How many engines there may be at once");

static int create(struct ferry_instance *inst, unsigned int vectors)
{
	struct dma *dma = ferry_instance_state(inst);

	spin_lock_init(&dma->lock);
	dma->vectors = vectors;
	dma->bounce = kmalloc(DMA_BOUNCE, GFP_KERNEL_ACCOUNT);
	return dma->bounce ? 0 : -ENOMEM;
}

static int dma_create(struct ferry_instance *inst)
{
	return create(inst, 32);
}

static int dma_create_2048(struct ferry_instance *inst)
{
	return create(inst, 2048);
}

static void dma_destroy(struct ferry_instance *inst)
{
	struct dma *dma = ferry_instance_state(inst);

	kfree(dma->bounce);
}

/* The work is stopped and no access is under way. */
static void dma_reset(struct ferry_instance *inst)
{
	struct dma *dma = ferry_instance_state(inst);

	memset(&dma->state, 0, sizeof(dma->state));
}

static u32 status(const struct dma_state *state)
{
	return (READ_ONCE(state->job.active) ? FERRY_DMA_STATUS_BUSY : 0) |
	       (state->error ? FERRY_DMA_STATUS_HALTED : 0);
}

static u32 reg_read(const struct dma *dma, u64 off)
{
	const struct dma_state *state = &dma->state;

	switch (off) {
	case FERRY_DMA_ID:
		return FERRY_DMA_MAGIC;
	case FERRY_DMA_VERSION:
		return VERSION;
	case FERRY_DMA_CAPS:
		return CAPS;
	case FERRY_DMA_VECTORS:
		return dma->vectors;
	case FERRY_DMA_CONTROL:
		return state->control;
	case FERRY_DMA_STATUS:
		return status(state);
	case FERRY_DMA_ERROR:
		return state->error;
	case FERRY_DMA_RING_LO:
		return lower_32_bits(state->ring);
	case FERRY_DMA_RING_HI:
		return upper_32_bits(state->ring);
	case FERRY_DMA_RING_SIZE:
		return state->size;
	case FERRY_DMA_HEAD:
		return state->head;
	case FERRY_DMA_TAIL:
		return state->tail;
	case FERRY_DMA_COUNT:
		return state->count;
	case FERRY_DMA_INT_STATUS:
		return state->int_status;
	case FERRY_DMA_INT_ENABLE:
		return state->int_enable;
	case FERRY_DMA_ERROR_VECTOR:
		return state->error_vector;
	case FERRY_DMA_FAULT:
		return state->fault;
	case FERRY_DMA_FAULT_COUNT:
		return state->fault_count;
	case FERRY_DMA_FAULT_DELAY:
		return state->fault_delay;
	default:
		return 0;
	}
}

static void control_write(struct ferry_instance *inst, struct dma *dma,
			  u32 value)
{
	struct dma_state *state = &dma->state;
	u32 changed = state->control ^ value;

	state->control = value & (FERRY_DMA_CTRL_ENABLE | FERRY_DMA_CTRL_POLL);
	if (!(changed & FERRY_DMA_CTRL_ENABLE))
		return;
	state->epoch++;
	if (!(value & FERRY_DMA_CTRL_ENABLE))
		return;
	state->head = 0;
	state->tail = 0;
	state->error = FERRY_DMA_ERROR_NONE;
	if (!dma_ring_valid(state))
		dma_halt(inst, dma, FERRY_DMA_ERROR_RING);
}

static void ring_write(struct dma_state *state, u64 off, u32 value)
{
	if (state->control & FERRY_DMA_CTRL_ENABLE)
		return;
	if (off == FERRY_DMA_RING_LO)
		state->ring = (state->ring & ~0xffffffffULL) | value;
	else if (off == FERRY_DMA_RING_HI)
		state->ring = (u32)state->ring | (u64)value << 32;
	else
		state->size = value;
}

static void int_write(struct ferry_instance *inst, struct dma *dma, u64 off,
		      u32 value)
{
	struct dma_state *state = &dma->state;

	if (off == FERRY_DMA_INT_STATUS) {
		state->int_status &= ~value;
	} else if (off == FERRY_DMA_INT_ENABLE) {
		state->int_enable = value & DMA_INTS;
	} else if (value < dma->vectors) {
		state->int_status |= FERRY_DMA_INT_RAISE;
		ferry_instance_raise(inst, value);
	}
	dma_level(inst, dma);
}

static void reg_write(struct ferry_instance *inst, struct dma *dma, u64 off,
		      u32 value)
{
	struct dma_state *state = &dma->state;

	switch (off) {
	case FERRY_DMA_CONTROL:
		control_write(inst, dma, value);
		break;
	case FERRY_DMA_RING_LO:
	case FERRY_DMA_RING_HI:
	case FERRY_DMA_RING_SIZE:
		ring_write(state, off, value);
		break;
	case FERRY_DMA_TAIL:
		state->tail = value;
		break;
	case FERRY_DMA_INT_STATUS:
	case FERRY_DMA_INT_ENABLE:
	case FERRY_DMA_RAISE:
		int_write(inst, dma, off, value);
		break;
	case FERRY_DMA_ERROR_VECTOR:
		if (value < dma->vectors)
			state->error_vector = value;
		break;
	case FERRY_DMA_FAULT:
		state->fault = value & DMA_FAULTS;
		break;
	case FERRY_DMA_FAULT_COUNT:
		state->fault_count = value;
		break;
	case FERRY_DMA_FAULT_DELAY:
		state->fault_delay = min(value, (u32)FERRY_DMA_DELAY_MAX);
		break;
	}
}

/* What lies behind BAR 2 is memory, and the kit's. */
static u64 dma_read(struct ferry_instance *inst, unsigned int bar, u64 off,
		    unsigned int width)
{
	struct dma *dma = ferry_instance_state(inst);
	u32 value;

	if (width != 4)
		return ~0ULL;
	spin_lock(&dma->lock);
	value = reg_read(dma, off);
	spin_unlock(&dma->lock);
	return value;
}

static void dma_write(struct ferry_instance *inst, unsigned int bar, u64 off,
		      unsigned int width, u64 value)
{
	struct dma *dma = ferry_instance_state(inst);

	if (width != 4)
		return;
	spin_lock(&dma->lock);
	reg_write(inst, dma, off, value);
	spin_unlock(&dma->lock);
	if (off == FERRY_DMA_CONTROL || off == FERRY_DMA_TAIL ||
	    off == FERRY_DMA_FAULT)
		ferry_instance_kick(inst);
}

/*
 * Registers, and the descriptor that the engine is in the midst of. Addresses can be any: they
 * lead to the guest's memory, or nowhere. Who says that what he has saved is damaged is believed.
 */
static const struct ferry_field dma_fields[] = {
	FERRY_FIELD(struct dma, state.ring),
	FERRY_FIELD(struct dma, state.size),
	FERRY_FIELD(struct dma, state.head),
	FERRY_FIELD(struct dma, state.tail),
	FERRY_FIELD_BITS(struct dma, state.control,
			 FERRY_DMA_CTRL_ENABLE | FERRY_DMA_CTRL_POLL),
	FERRY_FIELD_MAX(struct dma, state.error, FERRY_DMA_ERROR_WRITE),
	FERRY_FIELD(struct dma, state.count),
	FERRY_FIELD_BITS(struct dma, state.int_status, DMA_INTS),
	FERRY_FIELD_BITS(struct dma, state.int_enable, DMA_INTS),
	FERRY_FIELD(struct dma, state.error_vector),
	FERRY_FIELD_BITS(struct dma, state.fault,
			 DMA_FAULTS & ~FERRY_DMA_FAULT_DAMAGE),
	FERRY_FIELD(struct dma, state.fault_count),
	FERRY_FIELD_MAX(struct dma, state.fault_delay, FERRY_DMA_DELAY_MAX),
	FERRY_FIELD(struct dma, state.epoch),
	FERRY_FIELD_BYTES(struct dma, state.job.desc),
	FERRY_FIELD(struct dma, state.job.addr),
	FERRY_FIELD(struct dma, state.job.src.addr),
	FERRY_FIELD(struct dma, state.job.src.left),
	FERRY_FIELD(struct dma, state.job.src.elements),
	FERRY_FIELD(struct dma, state.job.dst.addr),
	FERRY_FIELD(struct dma, state.job.dst.left),
	FERRY_FIELD(struct dma, state.job.dst.elements),
	FERRY_FIELD(struct dma, state.job.result),
	FERRY_FIELD(struct dma, state.job.done),
	FERRY_FIELD_MAX(struct dma, state.job.status, FERRY_DMA_S_INJECTED),
	FERRY_FIELD_BITS(struct dma, state.job.faults,
			 DMA_FAULTS & ~DMA_FAULTS_ENGINE),
	FERRY_FIELD(struct dma, state.job.epoch),
	FERRY_FIELD(struct dma, state.job.active),
	FERRY_FIELD(struct dma, state.job.late),
};

static int dma_may_save(struct ferry_instance *inst)
{
	struct dma *dma = ferry_instance_state(inst);

	return dma->state.fault & FERRY_DMA_FAULT_BUSY ? -EBUSY : 0;
}

static int dma_check(struct ferry_instance *inst, const void *candidate)
{
	const struct dma *dma = ferry_instance_state(inst);
	const struct dma_state *state = &((const struct dma *)candidate)->state;

	if (state->error_vector >= dma->vectors ||
	    (state->job.active && !dma_job_valid(dma, &state->job)))
		return -EINVAL;
	return 0;
}

static void dma_loaded(struct ferry_instance *inst)
{
	struct dma *dma = ferry_instance_state(inst);

	/* Of the time that it was late nothing counts. */
	dma->due = jiffies + msecs_to_jiffies(dma->state.fault_delay);
	dma_level(inst, dma);
	ferry_instance_kick(inst);
}

#define DMA_MODEL(_name, _pretty, _description, _create, _vectors) {	\
	.name = _name,							\
	.pretty_name = _pretty,						\
	.description = _description,					\
	.vendor = FERRY_DMA_VENDOR,					\
	.device = FERRY_DMA_DEVICE,					\
	.class = PCI_CLASS_SYSTEM_OTHER << 8,				\
	.express = true,						\
	.bars[FERRY_DMA_BAR_REGS] = {					\
		.size = FERRY_DMA_REGS_SIZE,				\
		.max_width = 4,						\
	},								\
	.bars[FERRY_DMA_BAR_MEM] = {					\
		.size = FERRY_DMA_MEM_SIZE,				\
		.flags = PCI_BASE_ADDRESS_MEM_TYPE_64 |			\
			 PCI_BASE_ADDRESS_MEM_PREFETCH,			\
		.max_width = 8,						\
		.mapped[0] = { .size = FERRY_DMA_MEM_SIZE },		\
	},								\
	.intx = true,							\
	.msi = 32,							\
	.msix = {							\
		.vectors = _vectors,					\
		.bar = FERRY_DMA_BAR_REGS,				\
		.table = FERRY_DMA_MSIX_TABLE,				\
		.pba = FERRY_DMA_MSIX_PBA,				\
	},								\
	.state_size = sizeof(struct dma),				\
	.create = _create,						\
	.destroy = dma_destroy,						\
	.reset = dma_reset,						\
	.read = dma_read,						\
	.write = dma_write,						\
	.work = dma_work,						\
	.state_version = 2,						\
	.fields = dma_fields,						\
	.nr_fields = ARRAY_SIZE(dma_fields),				\
	.may_save = dma_may_save,					\
	.check = dma_check,						\
	.loaded = dma_loaded,						\
}

static const struct ferry_model dma_models[] = {
	DMA_MODEL("dma", "DMA engine",
		  "Copies, fills, sums and walks guest memory; 32 vectors",
		  dma_create, 32),
	DMA_MODEL("dma-2048", "DMA engine with 2048 vectors",
		  "Copies, fills, sums and walks guest memory; 2048 vectors",
		  dma_create_2048, 2048),
};

static struct ferry_parent *dma_parent;

static int __init dma_init(void)
{
	dma_parent = ferry_parent_register("ferry-dma", THIS_MODULE, dma_models,
					   ARRAY_SIZE(dma_models),
					   max_instances);
	return PTR_ERR_OR_ZERO(dma_parent);
}

static void __exit dma_exit(void)
{
	ferry_parent_unregister(dma_parent);
}

module_init(dma_init);
module_exit(dma_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("Ferry developers");
MODULE_DESCRIPTION("Ferry: a DMA engine as a PCI device");
MODULE_VERSION(FERRY_VERSION);
