// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model with everything that a description can ask for, as much of it as there
 * may be; and, by parameters, others that must be refused, and itself once more.
 *
 * Register 0 of BAR 0, four bytes wide, raises the vector that is written to it;
 * every access to another register of it, or of the I/O BAR, is counted there. Register 4
 * reads the number of resets. The model comes twice, since one that migrates has no serial
 * number; there, registers from 0x10 on are a value that migrates, the interrupt level, a
 * value below 16, and whether the model is paused.
 *
 * Two more have displays of sizes that no sample has, and nothing to show there.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include <ferry/model.h>

#define EVERYTHING_RAISE	0x00
#define EVERYTHING_RESETS	0x04
#define EVERYTHING_COUNT	0x08
#define EVERYTHING_VALUE	0x10
#define EVERYTHING_LEVEL	0x14
#define EVERYTHING_INDEX	0x18
#define EVERYTHING_PAUSED	0x1c

#define EVERYTHING_INDEXES	16

struct everything {
	atomic_t resets;
	atomic_t count;
	atomic_t paused;
	u32 value;
	u32 level;
	u32 index;
};

struct everything_saved {
	__le32 value;
	__le32 level;
	__le32 index;
	__le32 zero;
};

static void everything_reset(struct ferry_instance *inst)
{
	struct everything *e = ferry_instance_state(inst);
	__le32 *word = ferry_instance_memory(inst, 2, 0);

	atomic_inc(&e->resets);
	e->value = 0;
	e->level = 0;
	e->index = 0;
	if (word)
		WRITE_ONCE(*word, cpu_to_le32(0x600d));
}

/* Registers of one that migrates. */
static u32 *everything_register(struct ferry_instance *inst, unsigned int bar,
				u64 off)
{
	struct everything *e = ferry_instance_state(inst);

	if (bar)
		return NULL;
	switch (off) {
	case EVERYTHING_VALUE:
		return &e->value;
	case EVERYTHING_LEVEL:
		return &e->level;
	case EVERYTHING_INDEX:
		return &e->index;
	case EVERYTHING_PAUSED:
		return (u32 *)&e->paused.counter;
	default:
		return NULL;
	}
}

static u64 everything_read(struct ferry_instance *inst, unsigned int bar,
			   u64 off, unsigned int width)
{
	struct everything *e = ferry_instance_state(inst);

	if (!bar && off == EVERYTHING_RESETS)
		return atomic_read(&e->resets);
	if (!bar && off == EVERYTHING_COUNT)
		return atomic_read(&e->count);
	if (everything_register(inst, bar, off))
		return READ_ONCE(*everything_register(inst, bar, off));
	atomic_inc(&e->count);
	return off;
}

static void everything_write(struct ferry_instance *inst, unsigned int bar,
			     u64 off, unsigned int width, u64 value)
{
	struct everything *e = ferry_instance_state(inst);

	if (!bar && off == EVERYTHING_RAISE)
		ferry_instance_raise(inst, value);
	else if (everything_register(inst, bar, off))
		WRITE_ONCE(*everything_register(inst, bar, off), value);
	else
		atomic_inc(&e->count);
	if (!bar && off == EVERYTHING_LEVEL)
		ferry_instance_set_level(inst, value);
}

static void everything_pause(struct ferry_instance *inst)
{
	struct everything *e = ferry_instance_state(inst);

	WARN_ON(atomic_inc_return(&e->paused) != 1);
}

static void everything_resume(struct ferry_instance *inst)
{
	struct everything *e = ferry_instance_state(inst);

	WARN_ON(atomic_dec_return(&e->paused));
}

static ssize_t everything_save(struct ferry_instance *inst, void *buf,
			       size_t len)
{
	const struct everything *e = ferry_instance_state(inst);
	struct everything_saved *saved = buf;

	WARN_ON(atomic_read(&e->paused) != 1);
	saved->value = cpu_to_le32(e->value);
	saved->level = cpu_to_le32(e->level);
	saved->index = cpu_to_le32(e->index);
	return sizeof(*saved);
}

static int everything_validate(struct ferry_instance *inst, const void *buf,
			       size_t len)
{
	const struct everything_saved *saved = buf;

	if (len != sizeof(*saved) || saved->zero)
		return -EINVAL;
	if (le32_to_cpu(saved->index) >= EVERYTHING_INDEXES)
		return -ERANGE;
	return 0;
}

static void everything_load(struct ferry_instance *inst, const void *buf,
			    size_t len)
{
	struct everything *e = ferry_instance_state(inst);
	const struct everything_saved *saved = buf;

	WARN_ON(atomic_read(&e->paused) != 1);
	e->value = le32_to_cpu(saved->value);
	e->level = le32_to_cpu(saved->level);
	e->index = le32_to_cpu(saved->index);
	ferry_instance_set_level(inst, e->level);
}

/* All but names, and what only one of the two has. */
#define EVERYTHING							\
	.vendor = 0x4665,						\
	.device = 0xa11,						\
	.class = PCI_CLASS_OTHERS << 16,				\
	.express = true,						\
	.bars[0] = { .size = SZ_64K, .max_width = 8 },			\
	.bars[1] = {							\
		.size = 64,						\
		.flags = PCI_BASE_ADDRESS_SPACE_IO,			\
		.max_width = 4,						\
	},								\
	.bars[2] = {							\
		.size = 8 * PAGE_SIZE,					\
		.flags = PCI_BASE_ADDRESS_MEM_TYPE_64 |			\
			 PCI_BASE_ADDRESS_MEM_PREFETCH,			\
		.max_width = 8,						\
		.mapped = {						\
			{ .start = 0, .size = 2 * PAGE_SIZE },		\
			{ .start = 4 * PAGE_SIZE, .size = PAGE_SIZE },	\
			{ .start = 6 * PAGE_SIZE, .size = PAGE_SIZE },	\
		},							\
	},								\
	.bars[4] = { .size = 16, .max_width = 1 },			\
	.intx = true,							\
	.msi = 32,							\
	.msix = { .vectors = 2048, .bar = 0, .table = SZ_4K, .pba = SZ_2K },	\
	.state_size = sizeof(struct everything),			\
	.reset = everything_reset,					\
	.read = everything_read,					\
	.write = everything_write

static bool no_plane(struct ferry_instance *inst, struct ferry_plane *plane)
{
	return false;
}

/* As big as the memory that is needed for it lets a display be, or as small. */
#define EMPTY_DISPLAY(memory, width, height)				\
	.vendor = 0x4665,						\
	.device = 0xa11,						\
	.class = PCI_CLASS_DISPLAY_OTHER << 8,				\
	.bars[2] = {							\
		.size = (memory),					\
		.flags = PCI_BASE_ADDRESS_MEM_PREFETCH,			\
		.max_width = 8,						\
		.mapped[0].size = (memory),				\
	},								\
	.display = {							\
		.bar = 2,						\
		.max_width = (width),					\
		.max_height = (height),					\
		.plane = no_plane,					\
	},								\
	.state_size = sizeof(struct everything),			\
	.reset = everything_reset,					\
	.read = everything_read,					\
	.write = everything_write

static const struct ferry_model everything_models[] = {
	{
		EVERYTHING,
		.name = "everything",
		.pretty_name = "Everything",
		.description = "Everything that a model can have but migration",
	}, {
		EVERYTHING,
		.name = "traveller",
		.pretty_name = "Traveller",
		.description = "Everything that a model can have but a serial number",
		.state_version = 7,
		.save_size = sizeof(struct everything_saved),
		.pause = everything_pause,
		.resume = everything_resume,
		.save = everything_save,
		.validate = everything_validate,
		.load = everything_load,
	}, {
		EMPTY_DISPLAY(SZ_64K, 64, 64),
		.name = "display-tiny",
		.pretty_name = "Tiny display",
		.description = "The smallest display that there may be",
	}, {
		EMPTY_DISPLAY(SZ_64M, 4095, 2560),
		.name = "display-huge",
		.pretty_name = "Huge display",
		.description = "A display that is too big for 60 pictures a second",
	},
};

static struct ferry_parent *everything_parent;

/* Displays that are wrong; the first number is 0 here too. */
static int spoil_display(struct ferry_model *model, unsigned int how)
{
	model->display = (struct ferry_model_display) {
		.bar = 2, .max_width = 64, .max_height = 64, .plane = no_plane,
	};
	model->bars[2].mapped[0].size = model->bars[2].size;
	model->bars[2].mapped[1].size = 0;
	switch (how) {
	case 0:
		model->display.bar = 6;
		break;
	case 1:
		model->display.bar = 3;
		break;
	case 2:
		model->bars[2].mapped[0].size -= PAGE_SIZE;
		break;
	case 3:
		model->display.max_width = 63;
		break;
	case 4:
		model->display.max_height = 4096;
		break;
	case 5:
		/* 32 KiB, one line more than there is room for. */
		model->display.max_height = 129;
		break;
	default:
		return -ERANGE;
	}
	return 0;
}

static const struct ferry_field good_fields[] = {
	FERRY_FIELD(struct everything, value),
	FERRY_FIELD_MAX(struct everything, index, EVERYTHING_INDEXES - 1),
};

static int no_check(struct ferry_instance *inst, const void *state)
{
	return 0;
}

/* Tables of fields that are wrong. */
static int spoil_fields(struct ferry_model *model, unsigned int how)
{
	static struct ferry_field fields[ARRAY_SIZE(good_fields)];
	struct ferry_field *last = &fields[ARRAY_SIZE(fields) - 1];

	memcpy(fields, good_fields, sizeof(fields));
	model->fields = fields;
	model->nr_fields = ARRAY_SIZE(fields);
	model->save = NULL;
	model->validate = NULL;
	model->load = NULL;
	model->save_size = 0;
	switch (how) {
	case 0:
		model->save = everything_save;
		break;
	case 1:
		model->save_size = 8;
		break;
	case 2:
		model->nr_fields = 0;
		break;
	case 3:
		model->fields = NULL;
		model->nr_fields = 0;
		model->check = no_check;
		break;
	case 4:
		last->width = 0;
		break;
	case 5:
		last->width = 3;
		break;
	case 6:
		last->width = 16;
		break;
	case 7:
		last->count = 0;
		break;
	case 8:
		last->offset += 2;
		break;
	case 9:
		last->offset = model->state_size;
		break;
	case 10:
		last->offset = -4;
		break;
	case 11:
		last->count = SIZE_MAX / 4 + 2;
		break;
	case 12:
		last->offset = 0;
		last->count = model->state_size / 4;
		break;
	case 13:
		model->state_size = FERRY_MODEL_MAX_SAVE;
		last->count = (FERRY_MODEL_MAX_SAVE - last->offset) / 4;
		break;
	case 14:
		model->resume = NULL;
		break;
	default:
		return -ERANGE;
	}
	return 0;
}

/* BARs that are wrong. */
static int spoil_bars(struct ferry_model *model, unsigned int how)
{
	static const struct ferry_model_bar small = { .size = 16, .max_width = 1 };
	struct ferry_model_bar *bars = model->bars;

	switch (how) {
	case 0:
		bars[0].max_width = 3;
		break;
	case 1:
		bars[0].max_width = 16;
		break;
	case 2:
		bars[1].flags |= PCI_BASE_ADDRESS_MEM_PREFETCH;
		break;
	case 3:
		bars[1].size = 2;
		break;
	case 4:
		bars[1].size = 512;
		break;
	case 5:
		bars[4].flags = PCI_BASE_ADDRESS_MEM_TYPE_1M;
		break;
	case 6:
		bars[4].size = 8;
		break;
	case 7:
		bars[4].size = SZ_4G;
		break;
	case 8:
		bars[4].size = 24;
		break;
	case 9:
		bars[3] = small;
		break;
	case 10:
		bars[5] = small;
		bars[5].flags = PCI_BASE_ADDRESS_MEM_TYPE_64;
		break;
	default:
		return -ERANGE;
	}
	return 0;
}

/* What every model must have, or have right. */
static int spoil_basics(struct ferry_model *model, unsigned int how)
{
	switch (how) {
	case 0:
		model->name = NULL;
		break;
	case 1:
		model->name = "";
		break;
	case 2:
		model->name = "two words";
		break;
	case 3:
		model->description = NULL;
		break;
	case 4:
		model->reset = NULL;
		break;
	case 5:
		model->read = NULL;
		break;
	case 6:
		model->write = NULL;
		break;
	case 7:
		model->msi = 3;
		break;
	case 8:
		model->msi = 64;
		break;
	case 9:
		/* There is still something to pause for. */
		model->save = NULL;
		model->validate = NULL;
		model->load = NULL;
		model->save_size = 0;
		break;
	default:
		return -ERANGE;
	}
	return 0;
}

/* What is wrong with each, for its number in the parameter "refuse". */
static int spoil(struct ferry_model *model, unsigned int how)
{
	switch (how) {
	case 0:
		model->msix.vectors = 2049;
		break;
	case 1:
		model->msix.bar = 3;
		break;
	case 2:
		model->msix.bar = 1;
		break;
	case 3:
		model->msix.bar = 6;
		break;
	case 4:
		model->msix.table = SZ_4K + 4;
		break;
	case 5:
		model->msix.table = SZ_64K - SZ_16K;
		break;
	case 6:
		model->msix.table = 0xfffffff8;
		break;
	case 7:
		model->msix.pba = SZ_8K;
		break;
	case 8:
		model->msix.pba = SZ_64K - 8;
		break;
	case 9:
		model->bars[0].mapped[0].size = 2 * PAGE_SIZE;
		break;
	case 10:
		model->bars[1].mapped[0].size = PAGE_SIZE;
		break;
	case 11:
		model->bars[2].mapped[1].start = PAGE_SIZE;
		break;
	case 12:
		model->bars[2].mapped[1].start += 8;
		break;
	case 13:
		model->bars[2].mapped[2].size += PAGE_SIZE / 2;
		break;
	case 14:
		model->bars[2].mapped[2].start = 8 * PAGE_SIZE;
		break;
	case 15:
		model->bars[2].mapped[2].size = -PAGE_SIZE;
		break;
	case 16:
		model->bars[5].mapped[0].size = PAGE_SIZE;
		break;
	case 17:
		model->validate = NULL;
		break;
	case 18:
		model->load = NULL;
		break;
	case 19:
		model->save = NULL;
		break;
	case 20:
		model->resume = NULL;
		break;
	case 21:
		model->save_size = 0;
		break;
	case 22:
		model->save_size = FERRY_MODEL_MAX_SAVE;
		break;
	case 23:
		model->name = "n123456789n123456789n123456789n123456789n123456789n123456789n123";
		break;
	default:
		if (how < 39)
			return spoil_fields(model, how - 24);
		if (how < 45)
			return spoil_display(model, how - 39);
		if (how < 56)
			return spoil_bars(model, how - 45);
		return spoil_basics(model, how - 56);
	}
	return 0;
}

/* Writing a number there offers such a model, and fails as that does. */
static int set_refuse(const char *val, const struct kernel_param *kp)
{
	static struct ferry_model model;
	struct ferry_parent *parent;
	unsigned int how;
	int ret;

	ret = kstrtouint(val, 0, &how);
	if (ret)
		return ret;
	model = everything_models[how > 16];
	ret = spoil(&model, how);
	if (ret)
		return ret;
	parent = ferry_parent_register("ferry-refused", THIS_MODULE, &model, 1,
				       1);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	ferry_parent_unregister(parent);
	return 0;
}

static const struct kernel_param_ops refuse_ops = { .set = set_refuse };

module_param_cb(refuse, &refuse_ops, NULL, 0200);
MODULE_PARM_DESC(refuse, "Offer a model that is wrong in this way");

/* Writing anything there offers the models under another name, for a moment. */
static int set_offer(const char *val, const struct kernel_param *kp)
{
	struct ferry_parent *parent;

	parent = ferry_parent_register("ferry-offered", THIS_MODULE,
				       everything_models,
				       ARRAY_SIZE(everything_models), 1);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	ferry_parent_unregister(parent);
	return 0;
}

static const struct kernel_param_ops offer_ops = { .set = set_offer };

module_param_cb(offer, &offer_ops, NULL, 0200);
MODULE_PARM_DESC(offer, "Offer the models a second time, and withdraw them");

static int __init everything_init(void)
{
	everything_parent = ferry_parent_register("ferry-test", THIS_MODULE,
						  everything_models,
						  ARRAY_SIZE(everything_models),
						  64);
	return PTR_ERR_OR_ZERO(everything_parent);
}

static void __exit everything_exit(void)
{
	ferry_parent_unregister(everything_parent);
}

module_init(everything_init);
module_exit(everything_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("Ferry developers");
MODULE_DESCRIPTION("Ferry: a model with everything, for tests");
MODULE_VERSION(FERRY_VERSION);
