// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cup of dice as a PCI device.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/random.h>

#include <ferry/model.h>

#define DICE_ID		0x00
#define DICE_SIDES	0x04
#define DICE_THROW	0x08

#define DICE_MAGIC	0x64696365
#define DICE_COUNT	8

/* BAR 0 has the registers, and the MSI-X structures behind them; BAR 2 the dice. */
#define DICE_MSIX_TABLE	0x800
#define DICE_MSIX_PBA	0xc00
#define DICE_TABLE_BAR	2

struct dice {
	struct mutex lock;	/* guards sides */
	u32 sides;
};

static int dice_create(struct ferry_instance *inst)
{
	struct dice *dice = ferry_instance_state(inst);

	mutex_init(&dice->lock);
	return 0;
}

static void dice_reset(struct ferry_instance *inst)
{
	struct dice *dice = ferry_instance_state(inst);

	dice->sides = 6;
}

static void dice_throw(struct ferry_instance *inst, u32 die, u32 sides)
{
	__le32 *table = ferry_instance_memory(inst, DICE_TABLE_BAR, 0);

	if (die >= DICE_COUNT)
		return;
	WRITE_ONCE(table[die], cpu_to_le32(get_random_u32() % sides + 1));
	ferry_instance_raise(inst, die);
}

static u64 dice_read(struct ferry_instance *inst, unsigned int bar, u64 off,
		     unsigned int width)
{
	struct dice *dice = ferry_instance_state(inst);
	u64 value = ~0ULL;

	if (width != 4)
		return value;

	mutex_lock(&dice->lock);
	if (off == DICE_ID)
		value = DICE_MAGIC;
	else if (off == DICE_SIDES)
		value = dice->sides;
	mutex_unlock(&dice->lock);
	return value;
}

static void dice_write(struct ferry_instance *inst, unsigned int bar, u64 off,
		       unsigned int width, u64 value)
{
	struct dice *dice = ferry_instance_state(inst);

	if (width != 4)
		return;

	mutex_lock(&dice->lock);
	if (off == DICE_SIDES && value)
		dice->sides = value;
	else if (off == DICE_THROW)
		dice_throw(inst, value, dice->sides);
	mutex_unlock(&dice->lock);
}

static const struct ferry_field dice_fields[] = {
	FERRY_FIELD(struct dice, sides),
};

static int dice_check(struct ferry_instance *inst, const void *state)
{
	const struct dice *dice = state;

	return dice->sides ? 0 : -EINVAL;
}

static const struct ferry_model dice_model = {
	.name = "dice",
	.pretty_name = "A cup of dice",
	.description = "Eight dice with any number of sides, thrown by a register write",
	.vendor = 0x4665,
	.device = 0xd1ce,
	.class = PCI_CLASS_OTHERS << 16,
	.express = true,
	.bars[0] = {
		.size = 4096,
		.max_width = 4,
	},
	.bars[DICE_TABLE_BAR] = {
		.size = PAGE_SIZE,
		.flags = PCI_BASE_ADDRESS_MEM_TYPE_64 |
			 PCI_BASE_ADDRESS_MEM_PREFETCH,
		.max_width = 4,
		.mapped[0] = { .start = 0, .size = PAGE_SIZE },
	},
	.msi = DICE_COUNT,
	.msix = {
		.vectors = DICE_COUNT,
		.bar = 0,
		.table = DICE_MSIX_TABLE,
		.pba = DICE_MSIX_PBA,
	},
	.state_size = sizeof(struct dice),
	.state_version = 1,
	.fields = dice_fields,
	.nr_fields = ARRAY_SIZE(dice_fields),
	.check = dice_check,
	.create = dice_create,
	.reset = dice_reset,
	.read = dice_read,
	.write = dice_write,
};

module_ferry_models(dice, "dice", &dice_model, 1, 16);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A cup of dice as a PCI device");
