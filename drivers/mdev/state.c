// SPDX-License-Identifier: GPL-2.0-only
/*
 * State that a model describes by a table of fields.
 *
 * In a stream the elements of the fields follow one another in the order of the table,
 * little-endian and without gaps. The length follows from the table, so what comes is of that
 * length or wrong.
 */
#include <linux/slab.h>

#include "mdev.h"

static size_t field_size(const struct ferry_field *field)
{
	return field->count * field->width;
}

/**
 * ferry_state_size - bytes that the model's own state takes in a stream
 * @model: the model
 *
 * Return: how many; for a model without a table, at the most.
 */
size_t ferry_state_size(const struct ferry_model *model)
{
	size_t size = model->save_size;
	unsigned int i;

	for (i = 0; i < model->nr_fields; i++)
		size += field_size(&model->fields[i]);
	return size;
}

static bool overlap(const struct ferry_field *a, const struct ferry_field *b)
{
	return a->offset < b->offset + field_size(b) &&
	       b->offset < a->offset + field_size(a);
}

static const char *field_complaint(const struct ferry_model *model,
				   unsigned int n)
{
	const struct ferry_field *field = &model->fields[n];
	unsigned int i;

	if (!is_power_of_2(field->width) || field->width > sizeof(u64))
		return "the width of a field is none of 1, 2, 4 and 8";
	if (!field->count || !IS_ALIGNED(field->offset, field->width))
		return "a field is empty, or not aligned to its width";
	if (field->offset > model->state_size ||
	    field->count > (model->state_size - field->offset) / field->width)
		return "a field is beyond the end of the state";
	for (i = 0; i < n; i++)
		if (overlap(&model->fields[i], field))
			return "two fields overlap";
	return NULL;
}

/**
 * ferry_state_complaint - what is wrong with a model's table of fields?
 * @model: the model
 *
 * Return: what, or %NULL if it is good, or there is none.
 */
const char *ferry_state_complaint(const struct ferry_model *model)
{
	const char *complaint = NULL;
	unsigned int i;

	if (!model->nr_fields)
		return model->fields || model->may_save || model->check ||
		       model->loaded ? "no fields" : NULL;
	if (model->save || model->validate || model->load || model->save_size)
		return "fields, and save, validate, load or save_size as well";
	for (i = 0; i < model->nr_fields && !complaint; i++)
		complaint = field_complaint(model, i);
	return complaint;
}

/* @at is aligned to @width. */
static u64 element_get(const void *at, unsigned int width)
{
	switch (width) {
	case 1:
		return *(const u8 *)at;
	case 2:
		return *(const u16 *)at;
	case 4:
		return *(const u32 *)at;
	default:
		return *(const u64 *)at;
	}
}

static void element_set(void *at, unsigned int width, u64 value)
{
	switch (width) {
	case 1:
		*(u8 *)at = value;
		break;
	case 2:
		*(u16 *)at = value;
		break;
	case 4:
		*(u32 *)at = value;
		break;
	default:
		*(u64 *)at = value;
	}
}

static void bytes_put(u8 *to, unsigned int width, u64 value)
{
	for (; width--; value >>= 8)
		*to++ = value;
}

static u64 bytes_get(const u8 *from, unsigned int width)
{
	u64 value = 0;

	while (width--)
		value = value << 8 | from[width];
	return value;
}

/**
 * ferry_state_save - put the fields into a stream
 * @inst: the instance, paused, with no access under way
 * @buf: ferry_state_size() bytes
 *
 * Return: how many bytes, or the errno of &ferry_model.may_save.
 */
ssize_t ferry_state_save(struct ferry_instance *inst, void *buf)
{
	const struct ferry_model *model = inst->model;
	const struct ferry_field *field;
	u8 *to = buf, *from;
	unsigned int i;
	size_t n;
	int ret;

	ret = model->may_save ? model->may_save(inst) : 0;
	if (ret)
		return ret;
	for (i = 0; i < model->nr_fields; i++) {
		field = &model->fields[i];
		from = inst->state + field->offset;
		for (n = 0; n < field->count; n++) {
			bytes_put(to, field->width,
				  element_get(from, field->width));
			to += field->width;
			from += field->width;
		}
	}
	return to - (u8 *)buf;
}

static void decode(const struct ferry_model *model, void *state,
		   const u8 *from)
{
	const struct ferry_field *field;
	unsigned int i;
	size_t n;
	u8 *to;

	for (i = 0; i < model->nr_fields; i++) {
		field = &model->fields[i];
		to = state + field->offset;
		for (n = 0; n < field->count; n++) {
			element_set(to, field->width,
				    bytes_get(from, field->width));
			to += field->width;
			from += field->width;
		}
	}
}

static int values_check(struct ferry_instance *inst, const u8 *from)
{
	const struct ferry_model *model = inst->model;
	const struct ferry_field *field;
	unsigned int i;
	size_t n;
	u64 value;

	for (i = 0; i < model->nr_fields; i++) {
		field = &model->fields[i];
		for (n = 0; n < field->count; n++, from += field->width) {
			value = bytes_get(from, field->width);
			if ((value & ~field->bits) || value > field->max)
				return ferry_migration_refuse(&inst->fdev,
							      "no %s has 0x%llx in field %u",
							      model->name,
							      value, i);
		}
	}
	return 0;
}

/* What holds between fields the model knows. */
static int whole_check(struct ferry_instance *inst, const void *buf)
{
	const struct ferry_model *model = inst->model;
	void *state;
	int ret;

	if (!model->check)
		return 0;
	state = kvzalloc(model->state_size, GFP_KERNEL_ACCOUNT);
	if (!state)
		return -ENOMEM;
	decode(model, state, buf);
	ret = model->check(inst, state);
	kvfree(state);
	if (!ret)
		return 0;
	return ferry_migration_refuse(&inst->fdev,
				      "no %s can be in that state: %pe",
				      model->name, ERR_PTR(ret));
}

/**
 * ferry_state_check - could ferry_state_save() have written that?
 * @inst: the instance, which is left as it is
 * @buf: what has come, anything
 * @len: how many bytes
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL after a line in the log; -ENOMEM.
 */
int ferry_state_check(struct ferry_instance *inst, const void *buf, size_t len)
{
	if (len != ferry_state_size(inst->model))
		return ferry_migration_refuse(&inst->fdev,
					      "%zu bytes are no state of %s",
					      len, inst->model->name);
	return values_check(inst, buf) ?: whole_check(inst, buf);
}

/**
 * ferry_state_load - take the fields over
 * @inst: the instance, reset and paused, with no access under way
 * @buf: ferry_state_check() has seen it
 */
void ferry_state_load(struct ferry_instance *inst, const void *buf)
{
	decode(inst->model, inst->state, buf);
	if (inst->model->loaded)
		inst->model->loaded(inst);
}
