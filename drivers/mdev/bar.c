// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs of a model: regions that end in its read and write callbacks, or in the
 * structures of MSI-X.
 */
#include <linux/bitops.h>
#include <linux/pci.h>

#include "mdev.h"

static bool bar_is_io(const struct ferry_instance *inst, unsigned int bar)
{
	return inst->model->bars[bar].flags & PCI_BASE_ADDRESS_SPACE_IO;
}

/*
 * A reset waits for accesses and keeps new ones out, of whatever kind. The gate
 * asks memory BARs, besides, whether memory decoding is on and the function
 * awake; I/O has no gate, as little as that of a physical function has.
 */
static int bar_enter(struct ferry_instance *inst, unsigned int bar)
{
	if (!bar_is_io(inst, bar))
		return ferry_gate_enter(&inst->fdev);
	down_read(&inst->fdev.gate.sem);
	return 0;
}

static void bar_leave(struct ferry_instance *inst)
{
	ferry_gate_leave(&inst->fdev);
}

/*
 * The width of the next piece of an access: aligned, within @len, and as wide as
 * whoever answers there takes it.
 */
static unsigned int bar_width(struct ferry_instance *inst, unsigned int bar,
			      u64 off, size_t len)
{
	unsigned int max = inst->model->bars[bar].max_width;

	if (ferry_msix_owns(inst->model, bar, off))
		max = sizeof(u64);
	return 1U << min(__ffs(off | max), __fls(len));
}

static u64 bar_load(struct ferry_instance *inst, unsigned int bar, u64 off,
		    unsigned int width)
{
	if (ferry_msix_owns(inst->model, bar, off))
		return ferry_msix_read(inst, off, width);
	return inst->model->read(inst, bar, off, width);
}

static void bar_store(struct ferry_instance *inst, unsigned int bar, u64 off,
		      unsigned int width, u64 value)
{
	if (ferry_msix_owns(inst->model, bar, off))
		ferry_msix_write(inst, off, width, value);
	else
		inst->model->write(inst, bar, off, width, value);
}

static int bar_read(struct ferry_device *fdev, struct ferry_region *region,
		    u64 off, void *buf, size_t len)
{
	struct ferry_instance *inst = to_instance(fdev);
	unsigned int bar = region - fdev->regions;
	unsigned int width;
	__le64 value;
	int ret;

	ret = bar_enter(inst, bar);
	if (ret)
		return ret;
	for (; len; len -= width, off += width, buf += width) {
		width = bar_width(inst, bar, off, len);
		value = cpu_to_le64(bar_load(inst, bar, off, width));
		memcpy(buf, &value, width);
	}
	bar_leave(inst);
	return 0;
}

static int bar_write(struct ferry_device *fdev, struct ferry_region *region,
		     u64 off, const void *buf, size_t len)
{
	struct ferry_instance *inst = to_instance(fdev);
	unsigned int bar = region - fdev->regions;
	unsigned int width;
	__le64 value;
	int ret;

	ret = bar_enter(inst, bar);
	if (ret)
		return ret;
	for (; len; len -= width, off += width, buf += width) {
		width = bar_width(inst, bar, off, len);
		value = 0;
		memcpy(&value, buf, width);
		bar_store(inst, bar, off, width, le64_to_cpu(value));
	}
	bar_leave(inst);
	return 0;
}

static const struct ferry_region_ops bar_ops = {
	.read = bar_read,
	.write = bar_write,
};

/**
 * ferry_bars_init - make regions of a model's BARs
 * @inst: a new instance
 */
void ferry_bars_init(struct ferry_instance *inst)
{
	unsigned int i;

	BUILD_BUG_ON(VFIO_PCI_BAR0_REGION_INDEX);
	for (i = 0; i < FERRY_MODEL_NR_BARS; i++) {
		if (!inst->model->bars[i].size)
			continue;
		inst->fdev.regions[i] = (struct ferry_region) {
			.ops = &bar_ops,
			.size = inst->model->bars[i].size,
			.past_end = -EINVAL,
		};
	}
}
