// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of the kit, and of the core, needs a kernel: here it does what it says, in a program
 * with one thread and one instance that does something at a time.
 */
#include <uapi/ferry/migration.h>

#include "kit.h"
#include "session.h"

struct ferry_model kit_models[16];
unsigned int kit_nr_models;
struct kit_work kit_work;
struct kit_irqs kit_irqs;

static struct device device = { .name = "fuzz" };

struct ferry_parent *ferry_parent_register(const char *name,
					   struct module *owner,
					   const struct ferry_model *models,
					   unsigned int nr_models,
					   unsigned int max_instances)
{
	struct ferry_model_range *range;
	struct ferry_model *model;
	unsigned int i, bar;

	for (i = 0; i < nr_models; i++) {
		assert(kit_nr_models < ARRAY_SIZE(kit_models));
		model = &kit_models[kit_nr_models++];
		*model = models[i];
		for (bar = 0; bar < FERRY_MODEL_NR_BARS; bar++) {
			range = model->bars[bar].mapped;
			if (range->size > KIT_MEMORY) {
				range->size = KIT_MEMORY;
				model->bars[bar].size = KIT_MEMORY;
			}
		}
	}
	return NULL;
}

void ferry_parent_unregister(struct ferry_parent *parent)
{
}

/* Of the core: nobody waits for an interrupt, and the gate has nobody to keep out. */
void ferry_migration_init(struct ferry_device *fdev,
			  const struct ferry_migration_desc *desc)
{
	fdev->migration.desc = *desc;
}

void ferry_gate_lock(struct ferry_device *fdev)
{
	assert(!fdev->gate.sem.held);
	fdev->gate.sem.held = true;
}

void ferry_gate_lock_mapped(struct ferry_device *fdev)
{
	ferry_gate_lock(fdev);
}

void ferry_gate_unlock(struct ferry_device *fdev)
{
	assert(fdev->gate.sem.held);
	fdev->gate.sem.held = false;
}

void ferry_gate_set(struct ferry_device *fdev, enum ferry_gate_reason reason,
		    bool closed)
{
	assert(fdev->gate.sem.held);
	__assign_bit(reason, &fdev->gate.closed, closed);
}

bool ferry_irq_active(struct ferry_device *fdev, unsigned int index)
{
	return kit_irqs.index == index;
}

bool ferry_irq_signal(struct ferry_device *fdev, unsigned int vector)
{
	if (!kit_irqs.heard)
		return false;
	kit_irqs.signals++;
	kit_irqs.vector = vector;
	return true;
}

bool ferry_intx_masked(struct ferry_device *fdev)
{
	return false;
}

void ferry_intx_set_disabled(struct ferry_device *fdev, bool disabled)
{
}

bool ferry_intx_interrupt(struct ferry_device *fdev)
{
	return false;
}

static bool has_messages(void)
{
	return kit_irqs.index == VFIO_PCI_MSI_IRQ_INDEX ||
	       kit_irqs.index == VFIO_PCI_MSIX_IRQ_INDEX;
}

void kit_enable(struct ferry_instance *inst, unsigned int index, bool heard)
{
	const struct ferry_irq_ops *ops = &ferry_instance_irq_ops;
	unsigned int nr = ops->count(&inst->fdev, index);
	struct ferry_vector vector = {};

	ops->disable(&inst->fdev, kit_irqs.index);
	kit_irqs = (struct kit_irqs) { .index = nr ? index : KIT_NO_IRQS };
	if (!nr)
		return;
	ops->enable(&inst->fdev, index, nr);
	if (!has_messages())
		return;
	kit_irqs.heard = heard;
	for (; vector.index < nr; vector.index++)
		ops->vector_arm(&inst->fdev, &vector);
}

/* Of the kit: instance.c and work.c */
void ferry_instance_reset(struct ferry_instance *inst)
{
	ferry_gate_lock(&inst->fdev);
	ferry_model_reset(inst);
	ferry_gate_unlock(&inst->fdev);
}

void *ferry_instance_state(struct ferry_instance *inst)
{
	return inst->state;
}

const struct ferry_model *ferry_instance_model(const struct ferry_instance *inst)
{
	return inst->model;
}

struct device *ferry_instance_device(struct ferry_instance *inst)
{
	return inst->fdev.vdev.dev;
}

struct ferry_instance *ferry_instance_of(struct device *dev)
{
	return NULL;
}

u8 ferry_instance_edid(struct ferry_instance *inst, unsigned int off)
{
	return off;
}

void ferry_work_stop(struct ferry_instance *inst, enum ferry_work_reason reason)
{
	set_bit(reason, &inst->work.stopped);
}

void ferry_work_start(struct ferry_instance *inst,
		      enum ferry_work_reason reason)
{
	clear_bit(reason, &inst->work.stopped);
}

void ferry_instance_kick(struct ferry_instance *inst)
{
	kit_work.kicked = true;
}

void ferry_instance_kick_after(struct ferry_instance *inst, unsigned int ms)
{
	kit_work.kicked = true;
	jiffies += ms;
}

bool ferry_instance_stopping(struct ferry_instance *inst)
{
	if (!kit_work.steps)
		return true;
	kit_work.steps--;
	return false;
}

struct ferry_instance *kit_open(const struct ferry_model *model)
{
	struct ferry_instance *inst;

	kit_irqs = (struct kit_irqs) { .index = KIT_NO_IRQS };
	inst = calloc(1, sizeof(*inst) + model->state_size);
	inst->model = model;
	inst->fdev.vdev.dev = &device;
	ferry_messages_init(inst);
	ferry_migrate_init(inst);
	inst->guest.buffer = malloc(FERRY_GUEST_BUFFER);
	if (model->create)
		assert(!model->create(inst));
	assert(!ferry_memory_alloc(inst));
	assert(!ferry_messages_open(inst));
	assert(!ferry_layout_build(inst));
	ferry_registers_reset(inst);
	return inst;
}

void kit_close(struct ferry_instance *inst)
{
	const struct ferry_model *model = inst->model;

	ferry_model_reset(inst);
	free(inst->config);
	ferry_messages_close(inst);
	ferry_memory_free(inst);
	if (model->destroy)
		model->destroy(inst);
	free(inst->guest.buffer);
	free(inst);
}

static void access_register(struct ferry_instance *inst, struct input *in,
			    bool write)
{
	const struct ferry_model_bar *bar;
	unsigned int nr = input_u8(in) % FERRY_MODEL_NR_BARS, width;
	u64 off = input_u16(in);

	bar = &inst->model->bars[nr];
	width = 1 << (off >> 14);
	if (!bar->size || width > bar->max_width)
		width = 1;
	if (!bar->size || bar->mapped[0].size)
		return;
	off = (off & 0x3fff) % bar->size & ~(u64)(width - 1);
	if (write)
		inst->model->write(inst, nr, off, width,
				   input_u64(in) & ~0ULL >> (64 - 8 * width));
	else
		inst->model->read(inst, nr, off, width);
}

static void access_memory(struct ferry_instance *inst, struct input *in)
{
	unsigned int nr = input_u8(in) % FERRY_MODEL_NR_BARS;
	u64 off = input_u16(in);
	u8 *at = ferry_instance_memory(inst, nr, off);

	if (at)
		*at = input_u8(in);
}

static void access_config(struct ferry_instance *inst, struct input *in)
{
	unsigned int off = input_u16(in) % inst->fdev.config.size & ~3;
	u8 data[4];

	input_bytes(in, data, sizeof(data));
	ferry_config_write(&inst->fdev.config, off, data, sizeof(data));
}

void kit_drive(struct ferry_instance *inst, struct input *in, unsigned int n)
{
	u8 what;

	for (; n && in->left; n--) {
		what = input_u8(in);
		/* Seldom, for everything that is pending is lost by it. */
		if (what >= 0xf8) {
			kit_enable(inst, what & 3, what & 4);
			continue;
		}
		switch (what % 6) {
		case 0:
		case 1:
			access_register(inst, in, true);
			break;
		case 2:
			access_register(inst, in, false);
			break;
		case 3:
			access_memory(inst, in);
			break;
		case 4:
			access_config(inst, in);
			break;
		default:
			hrtimers_fire();
			kit_work.steps = 100;
			if (inst->model->work)
				inst->model->work(inst);
		}
	}
}
