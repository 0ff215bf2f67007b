// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs of a model: regions that end in its read and write callbacks, in memory that
 * can be mapped, or in the structures of MSI-X.
 */
#include <linux/bitops.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/vmalloc.h>

#include "compat/unaligned.h"
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

/* The width of the next piece of an access that isn't a single one. */
static noinline unsigned int piece_width(const struct ferry_model *model,
					 unsigned int bar, u64 off, size_t len)
{
	unsigned int max = model->bars[bar].max_width;

	if (ferry_msix_owns(model, bar, off))
		max = sizeof(u64);
	return 1U << min(__ffs(off | max), __fls(len));
}

/* Aligned, within @len, and as wide as whoever answers there takes it. */
static __always_inline unsigned int bar_width(const struct ferry_model *model,
					      unsigned int bar, u64 off,
					      size_t len)
{
	/* Nearly always it is the whole access. */
	if (len <= model->bars[bar].max_width && !((off | len) & (len - 1)))
		return len;
	return piece_width(model, bar, off, len);
}

/* What the user reads into or writes from has no alignment. */
static u64 buffer_load(const void *buf, unsigned int width)
{
	switch (width) {
	case 1:
		return *(const u8 *)buf;
	case 2:
		return get_unaligned_le16(buf);
	case 4:
		return get_unaligned_le32(buf);
	default:
		return get_unaligned_le64(buf);
	}
}

static void buffer_store(void *buf, unsigned int width, u64 value)
{
	switch (width) {
	case 1:
		*(u8 *)buf = value;
		break;
	case 2:
		put_unaligned_le16(value, buf);
		break;
	case 4:
		put_unaligned_le32(value, buf);
		break;
	default:
		put_unaligned_le64(value, buf);
	}
}

/* Memory of a BAR, into which others may have mapped it. */
static u64 memory_load(const void *memory, unsigned int width)
{
	switch (width) {
	case 1:
		return READ_ONCE(*(const u8 *)memory);
	case 2:
		return le16_to_cpu(READ_ONCE(*(const __le16 *)memory));
	case 4:
		return le32_to_cpu(READ_ONCE(*(const __le32 *)memory));
	default:
		return le64_to_cpu(READ_ONCE(*(const __le64 *)memory));
	}
}

static void memory_store(void *memory, unsigned int width, u64 value)
{
	switch (width) {
	case 1:
		WRITE_ONCE(*(u8 *)memory, value);
		break;
	case 2:
		WRITE_ONCE(*(__le16 *)memory, cpu_to_le16(value));
		break;
	case 4:
		WRITE_ONCE(*(__le32 *)memory, cpu_to_le32(value));
		break;
	default:
		WRITE_ONCE(*(__le64 *)memory, cpu_to_le64(value));
	}
}

/* Nothing but registers of the model: there is no need to look closer. */
static bool bar_is_plain(const struct ferry_model *model, unsigned int bar)
{
	return !model->bars[bar].mapped[0].size &&
	       !(model->msix.vectors && bar == model->msix.bar);
}

static u64 bar_load(struct ferry_instance *inst, unsigned int bar, u64 off,
		    unsigned int width)
{
	const void *memory;

	if (bar_is_plain(inst->model, bar))
		return inst->model->read(inst, bar, off, width);
	memory = ferry_instance_memory(inst, bar, off);
	if (memory)
		return memory_load(memory, width);
	if (ferry_msix_owns(inst->model, bar, off))
		return ferry_msix_read(inst, off, width);
	return inst->model->read(inst, bar, off, width);
}

static void bar_store(struct ferry_instance *inst, unsigned int bar, u64 off,
		      unsigned int width, u64 value)
{
	void *memory;

	if (bar_is_plain(inst->model, bar)) {
		inst->model->write(inst, bar, off, width, value);
		return;
	}
	memory = ferry_instance_memory(inst, bar, off);
	if (memory)
		memory_store(memory, width, value);
	else if (ferry_msix_owns(inst->model, bar, off))
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
	int ret;

	ret = bar_enter(inst, bar);
	if (ret)
		return ret;
	for (; len; len -= width, off += width, buf += width) {
		width = bar_width(inst->model, bar, off, len);
		buffer_store(buf, width, bar_load(inst, bar, off, width));
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
	int ret;

	ret = bar_enter(inst, bar);
	if (ret)
		return ret;
	for (; len; len -= width, off += width, buf += width) {
		width = bar_width(inst->model, bar, off, len);
		bar_store(inst, bar, off, width, buffer_load(buf, width));
	}
	bar_leave(inst);
	return 0;
}

/* What can be mapped ends behind the last range; here are the holes before it. */
static int bar_map(struct ferry_device *fdev, struct ferry_region *region,
		   u64 off, u64 len)
{
	struct ferry_instance *inst = to_instance(fdev);
	unsigned int bar = region - fdev->regions;

	for (; len; off += PAGE_SIZE, len -= PAGE_SIZE)
		if (!ferry_instance_memory(inst, bar, off))
			return -EINVAL;
	return 0;
}

static unsigned long bar_pfn(struct ferry_device *fdev,
			     struct ferry_region *region, u64 off)
{
	return vmalloc_to_pfn(ferry_instance_memory(to_instance(fdev),
						    region - fdev->regions,
						    off));
}

/* VFIO_REGION_INFO_CAP_SPARSE_MMAP, unless all of the BAR can be mapped. */
static int bar_caps(struct ferry_device *fdev, struct ferry_region *region,
		    struct vfio_info_cap *caps)
{
	const struct ferry_model *model = to_instance(fdev)->model;
	const struct ferry_model_range *range =
		model->bars[region - fdev->regions].mapped;
	struct {
		struct vfio_region_info_cap_sparse_mmap head;
		struct vfio_region_sparse_mmap_area
			areas[FERRY_MODEL_NR_RANGES];
	} sparse = {
		.head.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP,
		.head.header.version = 1,
	};
	unsigned int i;

	if (!range->size || range->size == region->size)
		return 0;
	for (i = 0; i < FERRY_MODEL_NR_RANGES && range[i].size; i++) {
		sparse.areas[i].offset = range[i].start;
		sparse.areas[i].size = range[i].size;
	}
	sparse.head.nr_areas = i;
	return vfio_info_add_capability(caps, &sparse.head.header,
					struct_size(&sparse.head, areas, i));
}

static const struct ferry_region_ops bar_ops = {
	.read = bar_read,
	.write = bar_write,
	.map = bar_map,
	.pfn = bar_pfn,
	.caps = bar_caps,
};

/* Bytes up to the end of the last range that can be mapped. */
static u64 bar_map_size(const struct ferry_model_bar *bar)
{
	u64 end = 0;
	unsigned int i;

	for (i = 0; i < FERRY_MODEL_NR_RANGES && bar->mapped[i].size; i++)
		end = bar->mapped[i].start + bar->mapped[i].size;
	return end;
}

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
			.map_size = bar_map_size(&inst->model->bars[i]),
			.past_end = -EINVAL,
		};
	}
}
