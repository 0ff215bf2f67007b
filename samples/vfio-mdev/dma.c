// SPDX-License-Identifier: GPL-2.0-only
/*
 * A DMA engine as a PCI Express device: its registers, and what of it migrates.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "dma.h"

#define VERSION	1
/* Every opcode that there is, and every fault. */
#define DMA_CTRLS	(FERRY_DMA_CTRL_ENABLE | FERRY_DMA_CTRL_POLL)
#define DMA_INTS	(FERRY_DMA_INT_DONE | FERRY_DMA_INT_HALT | \
			 FERRY_DMA_INT_RAISE)
#define CAPS	(GENMASK(FERRY_DMA_NR_OPS - 1, 0) | DMA_FAULTS << 16)

static unsigned int max_instances = 1024;
module_param(max_instances, uint, 0444);
MODULE_PARM_DESC(max_instances, "How many engines there may be at once");

static int dma_create(struct ferry_instance *inst)
{
	struct dma *dma = ferry_instance_state(inst);

	spin_lock_init(&dma->lock);
	return 0;
}

/* The work is stopped and no access is under way. */
static void dma_reset(struct ferry_instance *inst)
{
	struct dma *dma = ferry_instance_state(inst);

	memset(&dma->job, 0, sizeof(dma->job));
	dma->regs = (struct dma_regs) {
		.id = FERRY_DMA_MAGIC,
		.version = VERSION,
		.caps = CAPS,
		.vectors = ferry_instance_model(inst)->msix.vectors,
	};
}

static u32 reg_read(const struct dma *dma, u64 off)
{
	const u32 *regs = (const u32 *)&dma->regs;

	if (off == FERRY_DMA_STATUS)
		return (READ_ONCE(dma->job.active) ? FERRY_DMA_STATUS_BUSY : 0) |
		       (dma->regs.error ? FERRY_DMA_STATUS_HALTED : 0);
	return off < sizeof(dma->regs) ? regs[off / sizeof(u32)] : 0;
}

static void control_write(struct ferry_instance *inst, struct dma *dma,
			  u32 value)
{
	struct dma_regs *regs = &dma->regs;
	u32 changed = regs->control ^ value;

	regs->control = value & DMA_CTRLS;
	if (!(changed & FERRY_DMA_CTRL_ENABLE))
		return;
	dma->job.abandoned = true;
	if (!(value & FERRY_DMA_CTRL_ENABLE))
		return;
	regs->head = 0;
	regs->tail = 0;
	regs->error = FERRY_DMA_ERROR_NONE;
	if (!dma_ring_valid(dma))
		dma_halt(inst, dma, FERRY_DMA_ERROR_RING);
}

static void reg_write(struct ferry_instance *inst, struct dma *dma, u64 off,
		      u32 value)
{
	struct dma_regs *regs = &dma->regs;

	switch (off) {
	case FERRY_DMA_CONTROL:
		control_write(inst, dma, value);
		break;
	case FERRY_DMA_RING_LO:
	case FERRY_DMA_RING_HI:
		if (!(regs->control & FERRY_DMA_CTRL_ENABLE))
			regs->ring[off == FERRY_DMA_RING_HI] = value;
		break;
	case FERRY_DMA_RING_SIZE:
		if (!(regs->control & FERRY_DMA_CTRL_ENABLE))
			regs->size = value;
		break;
	case FERRY_DMA_TAIL:
		regs->tail = value;
		break;
	case FERRY_DMA_INT_STATUS:
		regs->int_status &= ~value;
		break;
	case FERRY_DMA_INT_ENABLE:
		regs->int_enable = value & DMA_INTS;
		break;
	case FERRY_DMA_ERROR_VECTOR:
		if (value < regs->vectors)
			regs->error_vector = value;
		break;
	case FERRY_DMA_RAISE:
		if (value >= regs->vectors)
			break;
		regs->int_status |= FERRY_DMA_INT_RAISE;
		ferry_instance_raise(inst, value);
		break;
	case FERRY_DMA_FAULT:
		regs->fault = value & DMA_FAULTS;
		break;
	case FERRY_DMA_FAULT_COUNT:
		regs->fault_count = value;
		break;
	case FERRY_DMA_FAULT_DELAY:
		regs->fault_delay = min_t(u32, value, FERRY_DMA_DELAY_MAX);
		break;
	}
	dma_level(inst, dma);
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
	FERRY_FIELD_ARRAY(struct dma, regs.ring),
	FERRY_FIELD(struct dma, regs.size),
	FERRY_FIELD(struct dma, regs.head),
	FERRY_FIELD(struct dma, regs.tail),
	FERRY_FIELD_BITS(struct dma, regs.control, DMA_CTRLS),
	FERRY_FIELD_MAX(struct dma, regs.error, FERRY_DMA_ERROR_WRITE),
	FERRY_FIELD(struct dma, regs.count),
	FERRY_FIELD_BITS(struct dma, regs.int_status, DMA_INTS),
	FERRY_FIELD_BITS(struct dma, regs.int_enable, DMA_INTS),
	FERRY_FIELD(struct dma, regs.error_vector),
	FERRY_FIELD_BITS(struct dma, regs.fault,
			 DMA_FAULTS & ~FERRY_DMA_FAULT_DAMAGE),
	FERRY_FIELD(struct dma, regs.fault_count),
	FERRY_FIELD_MAX(struct dma, regs.fault_delay, FERRY_DMA_DELAY_MAX),
	FERRY_FIELD_BYTES(struct dma, job.desc),
	FERRY_FIELD(struct dma, job.addr),
	FERRY_FIELD(struct dma, job.src.addr),
	FERRY_FIELD(struct dma, job.src.left),
	FERRY_FIELD(struct dma, job.src.elements),
	FERRY_FIELD(struct dma, job.dst.addr),
	FERRY_FIELD(struct dma, job.dst.left),
	FERRY_FIELD(struct dma, job.dst.elements),
	FERRY_FIELD(struct dma, job.result),
	FERRY_FIELD(struct dma, job.done),
	FERRY_FIELD_MAX(struct dma, job.status, FERRY_DMA_S_INJECTED),
	FERRY_FIELD_BITS(struct dma, job.faults,
			 DMA_FAULTS & ~DMA_FAULTS_ENGINE),
	FERRY_FIELD(struct dma, job.active),
	FERRY_FIELD(struct dma, job.late),
	FERRY_FIELD(struct dma, job.abandoned),
};

static int dma_may_save(struct ferry_instance *inst)
{
	struct dma *dma = ferry_instance_state(inst);

	return dma->regs.fault & FERRY_DMA_FAULT_BUSY ? -EBUSY : 0;
}

static int dma_check(struct ferry_instance *inst, const void *state)
{
	const struct dma *dma = ferry_instance_state(inst), *candidate = state;

	if (candidate->regs.error_vector >= dma->regs.vectors ||
	    (candidate->job.active && !dma_job_valid(dma, &candidate->job)))
		return -EINVAL;
	return 0;
}

static void dma_loaded(struct ferry_instance *inst)
{
	struct dma *dma = ferry_instance_state(inst);

	/* Of the time that it was late nothing counts. */
	dma->due = jiffies + msecs_to_jiffies(dma->regs.fault_delay);
	dma_level(inst, dma);
	ferry_instance_kick(inst);
}

#define DMA_MODEL(_name, _pretty, _description, _vectors) {		\
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
	.create = dma_create,						\
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
		  32),
	DMA_MODEL("dma-2048", "DMA engine with 2048 vectors",
		  "Copies, fills, sums and walks guest memory; 2048 vectors",
		  2048),
};

module_ferry_models(dma, "ferry-dma", dma_models, ARRAY_SIZE(dma_models),
		    max_instances);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("Ferry developers");
MODULE_DESCRIPTION("Ferry: a DMA engine as a PCI device");
MODULE_VERSION(FERRY_VERSION);
