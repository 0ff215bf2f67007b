// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration of an instance: what goes on by itself is stopped and started here, and its
 * state put together of sections: configuration space, interrupts, memory that can be
 * mapped, and what the model says of itself. While it runs, previews of its memory are sent
 * ahead; the state has what differs from them.
 *
 * A stream that comes is looked at completely before anything changes, with the eyes of
 * somebody who expects harm.
 */
#include <linux/string.h>

#include <uapi/ferry/migration.h>

#include "mdev.h"
#include "message.h"
#include "section.h"

/*
 * What goes on by itself: timers of the model, or work that it has handed to somebody.
 * config_lock is held.
 */
static void instance_pause(struct ferry_device *fdev)
{
	struct ferry_instance *inst = to_instance(fdev);

	ferry_work_stop(inst, WORK_MIGRATION);
	if (inst->model->pause)
		inst->model->pause(inst);
}

static void instance_resume(struct ferry_device *fdev)
{
	struct ferry_instance *inst = to_instance(fdev);

	if (inst->model->resume)
		inst->model->resume(inst);
	ferry_work_start(inst, WORK_MIGRATION);
}

/*
 * From here on a message is pending, as if it were masked, and the interrupt has a level
 * that nobody hears of.
 */
static void instance_stop(struct ferry_device *fdev)
{
	struct ferry_instance *inst = to_instance(fdev);

	set_bit(INSTANCE_STOPPED, &inst->flags);
	/* Whoever is sending one has done so. */
	spin_lock_irq(&inst->messages.lock);
	spin_unlock_irq(&inst->messages.lock);
}

/* All that has changed meanwhile is told now. */
static void instance_start(struct ferry_device *fdev)
{
	struct ferry_instance *inst = to_instance(fdev);

	/* Who raises something finds it cleared, or has done so for us to find. */
	clear_bit(INSTANCE_STOPPED, &inst->flags);
	/* Somebody enables INTx meanwhile: see intx_enable(). */
	smp_mb__after_atomic();
	ferry_messages_deliver(inst);
	if (ferry_irq_active(fdev, VFIO_PCI_INTX_IRQ_INDEX))
		ferry_intx_interrupt(fdev);
}

static void *section_memory(struct ferry_instance *inst,
			    const struct ferry_section *s)
{
	return inst->memory[s->index >> 8][s->index & 0xff];
}

/* Up to @max pages of memory that differ from @known, %NULL for zeroes. Returns the length. */
static size_t memory_save(struct ferry_instance *inst,
			  const struct ferry_section *s, const void *known,
			  void *buf, size_t max)
{
	return ferry_pages_save(section_memory(inst, s),
				known ? known + s->known : NULL, s->size, buf,
				max) * sizeof(struct ferry_migration_page);
}

/* Returns the length, or a negative errno. */
static ssize_t section_save(struct ferry_instance *inst,
			    const struct ferry_section *s, const void *known,
			    void *buf)
{
	switch (s->type) {
	case FERRY_MIGRATION_CONFIG:
		ferry_config_save(&inst->fdev.config, buf);
		return s->size;
	case FERRY_MIGRATION_INTERRUPTS:
		ferry_messages_save(inst, buf);
		return s->size;
	case FERRY_MIGRATION_MEMORY:
		return memory_save(inst, s, known, buf, SIZE_MAX);
	default:
		if (inst->model->nr_fields)
			return ferry_state_save(inst, buf);
		return inst->model->save(inst, buf, s->size);
	}
}

static ssize_t sections_save(struct ferry_instance *inst, const void *known,
			     void *buf)
{
	struct ferry_section sections[FERRY_SECTIONS_MAX];
	unsigned int i, n = ferry_sections_all(inst->model, sections);
	size_t at = 0;
	ssize_t len;

	for (i = 0; i < n; i++) {
		len = section_save(inst, &sections[i], known,
				   buf + at + sizeof(struct ferry_migration_section));
		if (len < 0)
			return len;
		if (WARN_ON(len > ferry_section_max(&sections[i])))
			return -EIO;
		at += ferry_section_begin(&sections[i], buf + at, len);
	}
	return at;
}

/* Nobody accesses it meanwhile, but through mappings. */
static ssize_t instance_save(struct ferry_device *fdev, const void *known,
			     void *buf, size_t size)
{
	struct ferry_instance *inst = to_instance(fdev);
	ssize_t len;

	if (WARN_ON(size < ferry_sections_size(inst->model)))
		return -EIO;
	ferry_gate_lock_mapped(fdev);
	len = sections_save(inst, known, buf);
	ferry_gate_unlock(fdev);
	return len;
}

static size_t instance_changed(struct ferry_device *fdev, const void *known)
{
	struct ferry_instance *inst = to_instance(fdev);
	struct ferry_section ranges[FERRY_SECTIONS_MAX];
	unsigned int i, n = ferry_sections_memory(inst->model, ranges);
	size_t pages = 0;

	for (i = 0; i < n; i++)
		pages += ferry_pages_changed(section_memory(inst, &ranges[i]),
					     known + ranges[i].known,
					     ranges[i].size);
	return pages;
}

/* Whoever writes to the memory meanwhile may go on: no lock would keep out a guest. */
static size_t instance_preview(struct ferry_device *fdev, void *known,
			       void *buf, size_t pages)
{
	struct ferry_instance *inst = to_instance(fdev);
	struct ferry_section ranges[FERRY_SECTIONS_MAX];
	unsigned int i, n = ferry_sections_memory(inst->model, ranges);
	size_t at = 0, len;
	void *data;

	for (i = 0; i < n; i++) {
		data = buf + at + sizeof(struct ferry_migration_section);
		len = memory_save(inst, &ranges[i], known, data, pages);
		ferry_pages_load(known + ranges[i].known, data, len);
		pages -= len / sizeof(struct ferry_migration_page);
		at += ferry_section_begin(&ranges[i], buf + at, len);
	}
	return at;
}

static int section_check(struct ferry_instance *inst,
			 const struct ferry_section *s)
{
	struct ferry_device *fdev = &inst->fdev;
	int ret;

	switch (s->type) {
	case FERRY_MIGRATION_CONFIG:
		ret = ferry_config_verify(&fdev->config, s->data);
		if (!ret)
			return 0;
		return ferry_migration_refuse(fdev, "configuration space is wrong at 0x%x",
					      max(ret, 0));
	case FERRY_MIGRATION_INTERRUPTS:
		if (ferry_messages_valid(inst, s->data))
			return 0;
		return ferry_migration_refuse(fdev, "interrupts that the device doesn't have");
	case FERRY_MIGRATION_MEMORY:
		if (ferry_pages_valid(s->data, s->len, s->size))
			return 0;
		return ferry_migration_refuse(fdev, "pages of section %u:%u are out of place",
					      s->type, s->index);
	default:
		if (inst->model->nr_fields)
			return ferry_state_check(inst, s->data, s->len);
		ret = inst->model->validate(inst, s->data, s->len);
		if (!ret)
			return 0;
		return ferry_migration_refuse(fdev, "no %s can be in that state: %pe",
					      inst->model->name, ERR_PTR(ret));
	}
}

static int sections_check(struct ferry_instance *inst,
			  struct ferry_section *sections, unsigned int n,
			  const void *buf, size_t len)
{
	unsigned int i;
	int ret;

	ret = ferry_sections_find(&inst->fdev, sections, n, buf, len);
	if (ret)
		return ret;
	for (i = 0; i < n; i++) {
		ret = section_check(inst, &sections[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* All but the configuration space; the gate is locked. */
static void section_load(struct ferry_instance *inst,
			 const struct ferry_section *s, const void *known)
{
	switch (s->type) {
	case FERRY_MIGRATION_INTERRUPTS:
		ferry_messages_load(inst, s->data);
		break;
	case FERRY_MIGRATION_MEMORY:
		memcpy(section_memory(inst, s), known + s->known, s->size);
		ferry_pages_load(section_memory(inst, s), s->data, s->len);
		break;
	default:
		if (inst->model->nr_fields)
			ferry_state_load(inst, s->data);
		else
			inst->model->load(inst, s->data, s->len);
	}
}

static int instance_preview_load(struct ferry_device *fdev, void *known,
				 const void *buf, size_t len)
{
	struct ferry_instance *inst = to_instance(fdev);
	struct ferry_section ranges[FERRY_SECTIONS_MAX];
	unsigned int i, n = ferry_sections_memory(inst->model, ranges);
	int ret;

	ret = sections_check(inst, ranges, n, buf, len);
	for (i = 0; i < n && !ret; i++)
		ferry_pages_load(known + ranges[i].known, ranges[i].data,
				 ranges[i].len);
	return ret;
}

static int instance_load(struct ferry_device *fdev, const void *known,
			 const void *buf, size_t len)
{
	struct ferry_instance *inst = to_instance(fdev);
	struct ferry_section sections[FERRY_SECTIONS_MAX];
	unsigned int i, n = ferry_sections_all(inst->model, sections);
	int ret;

	ret = sections_check(inst, sections, n, buf, len);
	if (ret)
		return ret;

	/* Written as by its user, so that gate and mask bits follow. */
	ferry_config_write(&fdev->config, 0, sections[0].data,
			   sections[0].size);
	ferry_gate_lock(fdev);
	ferry_model_reset(inst);
	for (i = 1; i < n; i++)
		section_load(inst, &sections[i], known);
	ferry_gate_unlock(fdev);
	return 0;
}

static const struct ferry_migration_ops instance_migration_ops = {
	.pause = instance_pause,
	.resume = instance_resume,
	.stop = instance_stop,
	.start = instance_start,
	.save = instance_save,
	.load = instance_load,
	.changed = instance_changed,
	.preview = instance_preview,
	.preview_load = instance_preview_load,
};

/**
 * ferry_migrate_init - an instance can migrate, if its model can
 * @inst: a new instance
 */
void ferry_migrate_init(struct ferry_instance *inst)
{
	const struct ferry_model *model = inst->model;
	struct ferry_section ranges[FERRY_SECTIONS_MAX];
	struct ferry_migration_desc desc = {
		.model = model->name,
		.version = model->state_version,
		.ops = &instance_migration_ops,
	};
	unsigned int i;

	if (!model_migrates(model))
		return;
	desc.max = ferry_sections_size(model);
	desc.ranges = ferry_sections_memory(model, ranges);
	for (i = 0; i < desc.ranges; i++)
		desc.memory += ranges[i].size;
	ferry_migration_init(&inst->fdev, &desc);
}
