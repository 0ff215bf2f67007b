// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of an instance: the ranges of BARs that its user can map. Pages of the
 * kernel are behind them, from open to close, and the user pays for them.
 */
#include <linux/export.h>
#include <linux/vmalloc.h>

#include "mdev.h"

static const struct ferry_model_range *range_of(struct ferry_instance *inst,
						unsigned int bar,
						unsigned int i)
{
	return &inst->model->bars[bar].mapped[i];
}

/**
 * ferry_memory_exists - can anything of this model be mapped?
 * @model: the model
 *
 * Return: whether it can.
 */
bool ferry_memory_exists(const struct ferry_model *model)
{
	unsigned int bar;

	for (bar = 0; bar < FERRY_MODEL_NR_BARS; bar++)
		if (model->bars[bar].mapped[0].size)
			return true;
	return false;
}

/**
 * ferry_memory_free - undo ferry_memory_alloc()
 * @inst: the instance; nothing of it is mapped
 */
void ferry_memory_free(struct ferry_instance *inst)
{
	unsigned int bar, i;

	for (bar = 0; bar < FERRY_MODEL_NR_BARS; bar++) {
		for (i = 0; i < FERRY_MODEL_NR_RANGES; i++) {
			vfree(inst->memory[bar][i]);
			inst->memory[bar][i] = NULL;
		}
	}
}

/**
 * ferry_memory_alloc - get zeroed pages for all ranges
 * @inst: the instance
 *
 * Return: 0, or -ENOMEM, which may be the limit of the user's control group.
 */
int ferry_memory_alloc(struct ferry_instance *inst)
{
	unsigned int bar, i;
	u64 size;

	for (bar = 0; bar < FERRY_MODEL_NR_BARS; bar++) {
		for (i = 0; i < FERRY_MODEL_NR_RANGES; i++) {
			size = range_of(inst, bar, i)->size;
			if (!size)
				break;
			inst->memory[bar][i] = __vmalloc(size, __GFP_ZERO |
							 GFP_KERNEL_ACCOUNT);
			if (!inst->memory[bar][i])
				goto err_free;
		}
	}
	return 0;

err_free:
	ferry_memory_free(inst);
	return -ENOMEM;
}

/**
 * ferry_memory_clear - fill all ranges with zeroes
 * @inst: the instance, open or not, with its gate locked or nobody using it
 */
void ferry_memory_clear(struct ferry_instance *inst)
{
	unsigned int bar, i;

	for (bar = 0; bar < FERRY_MODEL_NR_BARS; bar++)
		for (i = 0; i < FERRY_MODEL_NR_RANGES; i++)
			if (inst->memory[bar][i])
				memset(inst->memory[bar][i], 0,
				       range_of(inst, bar, i)->size);
}

/**
 * ferry_instance_memory - find memory that the user can map
 * @inst: the instance
 * @bar: number of a BAR
 * @off: offset in it
 *
 * What is there is whatever the user has written, in the byte order of PCI, which is
 * little-endian, and may change while the model looks at it: read each value once,
 * and believe nothing.
 *
 * Context: any, while the instance is open: in all callbacks but create and
 * destroy, and in whatever a reset stops.
 * Return: the byte's address, from which to the end of its range the memory is one
 * piece; %NULL if @off isn't in a range that can be mapped, or nobody has the
 * instance open.
 */
void *ferry_instance_memory(struct ferry_instance *inst, unsigned int bar,
			    u64 off)
{
	const struct ferry_model_range *range;
	unsigned int i;

	if (bar >= FERRY_MODEL_NR_BARS)
		return NULL;
	for (i = 0; i < FERRY_MODEL_NR_RANGES; i++) {
		range = range_of(inst, bar, i);
		if (!range->size)
			break;
		if (off >= range->start && off - range->start < range->size &&
		    inst->memory[bar][i])
			return inst->memory[bar][i] + (off - range->start);
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(ferry_instance_memory);
