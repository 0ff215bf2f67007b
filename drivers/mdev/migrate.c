// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration of an instance: what goes on by itself is stopped and started here, and its
 * state put together of sections: configuration space, interrupts, memory that can be
 * mapped, and what the model says of itself.
 *
 * A stream that comes is looked at completely before anything changes, with the eyes of
 * somebody who expects harm. What it may hold, and in which order, follows from the model,
 * so there is little to decide.
 */
#include <linux/string.h>

#include <uapi/ferry/migration.h>

#include "mdev.h"
#include "message.h"

/* Configuration space, interrupts, the model's own. */
#define SECTIONS_MAX	(3 + FERRY_MODEL_NR_BARS * FERRY_MODEL_NR_RANGES)

/**
 * struct section - a part of the state
 * @type: enum ferry_migration_type
 * @index: which of several, else 0
 * @size: bytes that it has; of the model's own, the most
 * @data: of a stream that is loaded, what has come
 * @len: of a stream that is loaded, how much of it
 */
struct section {
	u32 type;
	u32 index;
	size_t size;
	const void *data;
	size_t len;
};

static size_t config_size(const struct ferry_model *model)
{
	return model->express ? EXPRESS_CONFIG_SIZE : CONVENTIONAL_CONFIG_SIZE;
}

/* Fills @s with what the state of this model consists of. Returns how many they are. */
static unsigned int sections_of(const struct ferry_model *model,
				struct section *s)
{
	const struct ferry_model_range *range;
	unsigned int bar, i, n = 0;

	s[n++] = (struct section) {
		.type = FERRY_MIGRATION_CONFIG,
		.size = config_size(model),
	};
	s[n++] = (struct section) {
		.type = FERRY_MIGRATION_INTERRUPTS,
		.size = ferry_messages_size(model),
	};
	for (bar = 0; bar < FERRY_MODEL_NR_BARS; bar++) {
		range = model->bars[bar].mapped;
		for (i = 0; i < FERRY_MODEL_NR_RANGES && range[i].size; i++)
			s[n++] = (struct section) {
				.type = FERRY_MIGRATION_MEMORY,
				.index = bar << 8 | i,
				.size = range[i].size,
			};
	}
	s[n++] = (struct section) {
		.type = FERRY_MIGRATION_MODEL,
		.size = ferry_state_size(model),
	};
	return n;
}

static size_t padded(size_t len)
{
	return ALIGN(len, FERRY_MIGRATION_ALIGN);
}

/**
 * ferry_migrate_size - the most bytes that the state of an instance takes
 * @model: the model
 *
 * Return: how many, without the header of the stream.
 */
size_t ferry_migrate_size(const struct ferry_model *model)
{
	struct section sections[SECTIONS_MAX];
	unsigned int i, n = sections_of(model, sections);
	size_t size = 0;

	for (i = 0; i < n; i++)
		size += sizeof(struct ferry_migration_section) +
			padded(sections[i].size);
	return size;
}

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
	ferry_messages_deliver(inst);
	if (ferry_irq_active(fdev, VFIO_PCI_INTX_IRQ_INDEX))
		ferry_intx_tell(inst);
}

static void *section_memory(struct ferry_instance *inst,
			    const struct section *s)
{
	return inst->memory[s->index >> 8][s->index & 0xff];
}

/* Returns the length, or a negative errno. */
static ssize_t section_save(struct ferry_instance *inst,
			    const struct section *s, void *buf)
{
	switch (s->type) {
	case FERRY_MIGRATION_CONFIG:
		ferry_config_save(&inst->fdev.config, buf);
		return s->size;
	case FERRY_MIGRATION_INTERRUPTS:
		ferry_messages_save(inst, buf);
		return s->size;
	case FERRY_MIGRATION_MEMORY:
		memcpy(buf, section_memory(inst, s), s->size);
		return s->size;
	default:
		if (inst->model->nr_fields)
			return ferry_state_save(inst, buf);
		return inst->model->save(inst, buf, s->size);
	}
}

static ssize_t sections_save(struct ferry_instance *inst, void *buf)
{
	struct section sections[SECTIONS_MAX];
	unsigned int i, n = sections_of(inst->model, sections);
	struct ferry_migration_section *head;
	size_t at = 0;
	ssize_t len;

	for (i = 0; i < n; i++) {
		head = buf + at;
		at += sizeof(*head);
		len = section_save(inst, &sections[i], buf + at);
		if (len < 0)
			return len;
		if (WARN_ON(len > sections[i].size))
			return -EIO;
		head->type = cpu_to_le32(sections[i].type);
		head->index = cpu_to_le32(sections[i].index);
		head->length = cpu_to_le64(len);
		at += padded(len);
	}
	return at;
}

/* Nobody accesses it meanwhile, but through mappings. */
static ssize_t instance_save(struct ferry_device *fdev, void *buf, size_t size)
{
	struct ferry_instance *inst = to_instance(fdev);
	ssize_t len;

	if (WARN_ON(size < ferry_migrate_size(inst->model)))
		return -EIO;
	ferry_gate_lock_mapped(fdev);
	len = sections_save(inst, buf);
	ferry_gate_unlock(fdev);
	return len;
}

static bool length_is_good(const struct section *s, u64 len)
{
	return s->type == FERRY_MIGRATION_MODEL ? len <= s->size :
						  len == s->size;
}

/* Find one section in what is left. Returns the bytes that it takes, or -EINVAL. */
static ssize_t section_find(struct ferry_device *fdev, struct section *s,
			    const void *buf, size_t left)
{
	const struct ferry_migration_section *head = buf;
	size_t len;

	if (left < sizeof(*head))
		return ferry_migration_refuse(fdev, "section %u:%u is missing",
					      s->type, s->index);
	if (le32_to_cpu(head->type) != s->type ||
	    le32_to_cpu(head->index) != s->index)
		return ferry_migration_refuse(fdev, "section %u:%u where %u:%u belongs",
					      le32_to_cpu(head->type),
					      le32_to_cpu(head->index), s->type,
					      s->index);
	if (!length_is_good(s, le64_to_cpu(head->length)))
		return ferry_migration_refuse(fdev, "section %u:%u has %llu bytes instead of %zu",
					      s->type, s->index,
					      le64_to_cpu(head->length),
					      s->size);
	len = le64_to_cpu(head->length);
	if (padded(len) > left - sizeof(*head))
		return ferry_migration_refuse(fdev, "section %u:%u is cut off",
					      s->type, s->index);
	s->data = buf + sizeof(*head);
	s->len = len;
	if (memchr_inv(s->data + len, 0, padded(len) - len))
		return ferry_migration_refuse(fdev, "section %u:%u is followed by something",
					      s->type, s->index);
	return sizeof(*head) + padded(len);
}

static int section_check(struct ferry_instance *inst, const struct section *s)
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
		return 0;
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

static int sections_check(struct ferry_instance *inst, struct section *sections,
			  unsigned int n, const void *buf, size_t len)
{
	unsigned int i;
	ssize_t taken;
	int ret;

	for (i = 0; i < n; i++, buf += taken, len -= taken) {
		taken = section_find(&inst->fdev, &sections[i], buf, len);
		if (taken < 0)
			return taken;
	}
	if (len)
		return ferry_migration_refuse(&inst->fdev, "%zu bytes too many",
					      len);
	for (i = 0; i < n; i++) {
		ret = section_check(inst, &sections[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/* All but the configuration space; the gate is locked. */
static int section_load(struct ferry_instance *inst, const struct section *s)
{
	switch (s->type) {
	case FERRY_MIGRATION_INTERRUPTS:
		ferry_messages_load(inst, s->data);
		return 0;
	case FERRY_MIGRATION_MEMORY:
		memcpy(section_memory(inst, s), s->data, s->size);
		return 0;
	default:
		if (!inst->model->nr_fields)
			return inst->model->load(inst, s->data, s->len);
		ferry_state_load(inst, s->data);
		return 0;
	}
}

static int instance_load(struct ferry_device *fdev, const void *buf, size_t len)
{
	struct ferry_instance *inst = to_instance(fdev);
	struct section sections[SECTIONS_MAX];
	unsigned int i, n = sections_of(inst->model, sections);
	int ret;

	ret = sections_check(inst, sections, n, buf, len);
	if (ret)
		return ret;

	/* Written as by its user, so that gate and mask bits follow. */
	ferry_config_write(&fdev->config, 0, sections[0].data,
			   sections[0].size);
	ferry_gate_lock(fdev);
	ferry_model_reset(inst);
	for (i = 1; i < n && !ret; i++)
		ret = section_load(inst, &sections[i]);
	/* Half of it may be there: none is better. */
	if (ret)
		ferry_model_reset(inst);
	ferry_gate_unlock(fdev);
	if (ret)
		ferry_migration_refuse(fdev, "%s can't take it over: %pe",
				       inst->model->name, ERR_PTR(ret));
	return ret;
}

static const struct ferry_migration_ops instance_migration_ops = {
	.pause = instance_pause,
	.resume = instance_resume,
	.stop = instance_stop,
	.start = instance_start,
	.save = instance_save,
	.load = instance_load,
};

/**
 * ferry_migrate_init - an instance can migrate, if its model can
 * @inst: a new instance
 */
void ferry_migrate_init(struct ferry_instance *inst)
{
	const struct ferry_model *model = inst->model;
	struct ferry_migration_desc desc = {
		.model = model->name,
		.version = model->state_version,
		.ops = &instance_migration_ops,
	};

	if (!model_migrates(model))
		return;
	desc.max = ferry_migrate_size(model);
	ferry_migration_init(&inst->fdev, &desc);
}
