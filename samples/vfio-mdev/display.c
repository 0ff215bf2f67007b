// SPDX-License-Identifier: GPL-2.0-only
/*
 * A graphics adapter that firmware and every Linux guest have a driver for: that of the Bochs
 * emulator, as QEMU has it without VGA (docs/specs/standard-vga.rst there).
 *
 * BAR 0 is the memory. BAR 2 has the registers: the monitor's EDID, what is left of VGA, one
 * bit that blanks the screen, the Bochs registers of 16 bits each ("dispi"), and an
 * extension that says how bytes make a pixel.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/sizes.h>

#include <drm/drm_fourcc.h>

#include <ferry/model.h>

#define MEMORY_BAR	0
#define REGISTER_BAR	2

/* Offsets in the register BAR. */
#define REG_EDID	0x000
#define REG_EDID_END	0x400
#define REG_VGA		0x400	/* of I/O port 0x3c0 */
#define REG_DISPI	0x500
#define REG_EXT_SIZE	0x600
#define REG_EXT_ENDIAN	0x604

#define EXT_SIZE	8
#define ENDIAN_LITTLE	0x1e1e1e1e
#define ENDIAN_BIG	0xbebebebe

/* VGA: writes of the attribute register go to its index and its data by turns. */
#define VGA_ATTRIBUTE	(0x3c0 - 0x3c0)
#define VGA_STATUS_1	(0x3da - 0x3c0)
#define ATTRIBUTE_UNBLANK	0x20

enum dispi {
	DISPI_ID,
	DISPI_XRES,
	DISPI_YRES,
	DISPI_BPP,
	DISPI_ENABLE,
	DISPI_BANK,
	DISPI_VIRT_WIDTH,
	DISPI_VIRT_HEIGHT,
	DISPI_X_OFFSET,
	DISPI_Y_OFFSET,
	DISPI_MEMORY_64K,
	DISPI_COUNT
};

#define DISPI_ID5	0xb0c5
#define DISPI_ENABLED	0x01
#define DISPI_GETCAPS	0x02

#define PIXEL_BITS	32
#define PIXEL_BYTES	4

/**
 * struct display - an adapter
 * @lock: guards the rest
 * @dispi: the registers that can be written, as they were
 * @endian: ENDIAN_LITTLE or ENDIAN_BIG
 * @blank: the screen is dark
 * @attribute_data: the next write of the attribute register is of data
 */
struct display {
	struct mutex lock;	/* see above */
	u16 dispi[DISPI_COUNT];
	u32 endian;
	bool blank;
	bool attribute_data;
};

static int display_create(struct ferry_instance *inst)
{
	struct display *display = ferry_instance_state(inst);

	mutex_init(&display->lock);
	return 0;
}

static void display_reset(struct ferry_instance *inst)
{
	struct display *display = ferry_instance_state(inst);

	mutex_lock(&display->lock);
	memset(display->dispi, 0, sizeof(display->dispi));
	display->endian = ENDIAN_LITTLE;
	display->blank = false;
	display->attribute_data = false;
	mutex_unlock(&display->lock);
}

static u16 dispi_read(struct ferry_instance *inst, unsigned int reg)
{
	const struct ferry_model *model = ferry_instance_model(inst);
	struct display *display = ferry_instance_state(inst);
	bool caps = display->dispi[DISPI_ENABLE] & DISPI_GETCAPS;

	switch (reg) {
	case DISPI_ID:
		return DISPI_ID5;
	case DISPI_XRES:
		return caps ? model->display.max_width : display->dispi[reg];
	case DISPI_YRES:
		return caps ? model->display.max_height : display->dispi[reg];
	case DISPI_BPP:
		return caps ? PIXEL_BITS : display->dispi[reg];
	case DISPI_MEMORY_64K:
		return model->bars[MEMORY_BAR].size / SZ_64K;
	default:
		return reg < DISPI_COUNT ? display->dispi[reg] : 0;
	}
}

static u8 register_byte(struct ferry_instance *inst, u64 off)
{
	struct display *display = ferry_instance_state(inst);

	if (off < REG_EDID_END)
		return ferry_instance_edid(inst, off - REG_EDID);
	if (off >= REG_DISPI && off < REG_DISPI + 2 * DISPI_COUNT)
		return dispi_read(inst, (off - REG_DISPI) / 2) >> 8 * (off % 2);
	if (off == REG_EXT_SIZE)
		return EXT_SIZE;
	/* Its four bytes are alike. */
	if (off >= REG_EXT_ENDIAN && off < REG_EXT_ENDIAN + 4)
		return display->endian;
	return 0;
}

static u64 display_read(struct ferry_instance *inst, unsigned int bar, u64 off,
			unsigned int width)
{
	struct display *display = ferry_instance_state(inst);
	u64 value = 0;
	unsigned int i;

	mutex_lock(&display->lock);
	for (i = 0; i < width; i++)
		value |= (u64)register_byte(inst, off + i) << 8 * i;
	if (off == REG_VGA + VGA_STATUS_1)
		display->attribute_data = false;
	mutex_unlock(&display->lock);
	return value;
}

static void attribute_write(struct display *display, u8 value)
{
	if (!display->attribute_data)
		display->blank = !(value & ATTRIBUTE_UNBLANK);
	display->attribute_data = !display->attribute_data;
}

static void dispi_write(struct ferry_instance *inst, unsigned int reg,
			u16 value)
{
	const struct ferry_model *model = ferry_instance_model(inst);
	struct display *display = ferry_instance_state(inst);

	if (reg == DISPI_XRES)
		value = min(value, model->display.max_width);
	else if (reg == DISPI_YRES)
		value = min(value, model->display.max_height);
	if (reg != DISPI_ID && reg < DISPI_MEMORY_64K)
		display->dispi[reg] = value;
}

static void display_write(struct ferry_instance *inst, unsigned int bar,
			  u64 off, unsigned int width, u64 value)
{
	struct display *display = ferry_instance_state(inst);

	mutex_lock(&display->lock);
	if (width == 1 && off == REG_VGA + VGA_ATTRIBUTE)
		attribute_write(display, value);
	else if (width == 2 && off >= REG_DISPI &&
		 off < REG_DISPI + 2 * DISPI_COUNT)
		dispi_write(inst, (off - REG_DISPI) / 2, value);
	else if (width == 4 && off == REG_EXT_ENDIAN &&
		 (value == ENDIAN_LITTLE || value == ENDIAN_BIG))
		display->endian = value;
	mutex_unlock(&display->lock);
}

/* What the guest has set is believed as far as it makes a picture within the memory. */
static bool display_plane(struct ferry_instance *inst, struct ferry_plane *plane)
{
	u64 memory = ferry_instance_model(inst)->bars[MEMORY_BAR].size;
	struct display *display = ferry_instance_state(inst);
	const u16 *dispi = display->dispi;
	bool on;

	mutex_lock(&display->lock);
	on = !display->blank && (dispi[DISPI_ENABLE] & DISPI_ENABLED) &&
	     dispi[DISPI_BPP] == PIXEL_BITS;
	plane->format = display->endian == ENDIAN_BIG ? DRM_FORMAT_BGRX8888 :
							DRM_FORMAT_XRGB8888;
	plane->width = dispi[DISPI_XRES];
	plane->height = dispi[DISPI_YRES];
	plane->stride = PIXEL_BYTES * max(dispi[DISPI_VIRT_WIDTH],
					  dispi[DISPI_XRES]);
	plane->offset = (u64)plane->stride * dispi[DISPI_Y_OFFSET] +
			PIXEL_BYTES * dispi[DISPI_X_OFFSET];
	mutex_unlock(&display->lock);
	return on && plane->offset + (u64)plane->stride * plane->height <= memory;
}

static const struct ferry_field display_fields[] = {
	FERRY_FIELD_ARRAY(struct display, dispi),
	FERRY_FIELD(struct display, endian),
	FERRY_FIELD(struct display, blank),
	FERRY_FIELD(struct display, attribute_data),
};

/* Is that what the guest could have written? */
static int display_check(struct ferry_instance *inst, const void *state)
{
	const struct ferry_model *model = ferry_instance_model(inst);
	const struct display *display = state;
	const u16 *dispi = display->dispi;

	return dispi[DISPI_XRES] > model->display.max_width ||
	       dispi[DISPI_YRES] > model->display.max_height ||
	       dispi[DISPI_ID] || dispi[DISPI_MEMORY_64K] ||
	       (display->endian != ENDIAN_LITTLE &&
		display->endian != ENDIAN_BIG) ? -EINVAL : 0;
}

/* The vendor and the device are those that drivers know; the subsystem is nobody's. */
#define DISPLAY_MODEL							\
	.vendor = 0x1234,						\
	.device = 0x1111,						\
	.subsystem_vendor = 0x4665,					\
	.subsystem_device = 0xd159,					\
	.class = PCI_CLASS_DISPLAY_OTHER << 8,				\
	.revision = 2,							\
	.bars[MEMORY_BAR].flags = PCI_BASE_ADDRESS_MEM_PREFETCH,	\
	.bars[MEMORY_BAR].max_width = 8,				\
	.bars[REGISTER_BAR].size = SZ_4K,				\
	.bars[REGISTER_BAR].max_width = 4,				\
	.display.bar = MEMORY_BAR,					\
	.display.plane = display_plane,					\
	.state_size = sizeof(struct display),				\
	.state_version = 1,						\
	.fields = display_fields,					\
	.nr_fields = ARRAY_SIZE(display_fields),			\
	.check = display_check,						\
	.create = display_create,					\
	.reset = display_reset,						\
	.read = display_read,						\
	.write = display_write

/* Some drivers draw into one half of the memory while the other one is shown. */
static const struct ferry_model display_models[] = {
	{
		DISPLAY_MODEL,
		.name = "display-800x600",
		.pretty_name = "Ferry display, 800x600",
		.description = "Bochs graphics adapter with up to 800 by 600 pixels",
		.bars[MEMORY_BAR].size = SZ_4M,
		.bars[MEMORY_BAR].mapped[0].size = SZ_4M,
		.display.max_width = 800,
		.display.max_height = 600,
	}, {
		DISPLAY_MODEL,
		.name = "display-1024x768",
		.pretty_name = "Ferry display, 1024x768",
		.description = "Bochs graphics adapter with up to 1024 by 768 pixels",
		.bars[MEMORY_BAR].size = SZ_8M,
		.bars[MEMORY_BAR].mapped[0].size = SZ_8M,
		.display.max_width = 1024,
		.display.max_height = 768,
	}, {
		DISPLAY_MODEL,
		.name = "display-1920x1080",
		.pretty_name = "Ferry display, 1920x1080",
		.description = "Bochs graphics adapter with up to 1920 by 1080 pixels",
		.bars[MEMORY_BAR].size = SZ_16M,
		.bars[MEMORY_BAR].mapped[0].size = SZ_16M,
		.display.max_width = 1920,
		.display.max_height = 1080,
	},
};

static unsigned int max_instances = 64;
module_param(max_instances, uint, 0444);
MODULE_PARM_DESC(max_instances, "How many instances there may be at once (default 64)");

module_ferry_models(display, "ferry-display", display_models,
		    ARRAY_SIZE(display_models), max_instances);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("Ferry developers");
MODULE_DESCRIPTION("Ferry: a Bochs graphics adapter as a mediated device");
MODULE_VERSION(FERRY_VERSION);
