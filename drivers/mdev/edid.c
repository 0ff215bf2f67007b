// SPDX-License-Identifier: GPL-2.0-only
/*
 * The monitor of a display: its EDID, which the user may replace through a region of its own
 * (VFIO_REGION_SUBTYPE_GFX_EDID) while the link is down.
 *
 * "EDID" in comments is VESA E-EDID Standard, Release A2 (EDID structure 1.4).
 */
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "display.h"
#include "mdev.h"

#define EDID_PREFERRED	54
#define EDID_NAME	72
#define EDID_UNUSED	90
#define EDID_EXTENSIONS	126
#define EDID_CHECKSUM	127

static const u8 edid_magic[] = { 0, 255, 255, 255, 255, 255, 255, 0 };

static u8 block_sum(const u8 *block)
{
	unsigned int i;
	u8 sum = 0;

	for (i = 0; i < EDID_BLOCK_SIZE; i++)
		sum += block[i];
	return sum;
}

/* EDID 3.1: the magic, the number of blocks, and the sum of each. */
static bool edid_is_valid(const u8 *blob, u32 size)
{
	u32 off;

	if (memcmp(blob, edid_magic, sizeof(edid_magic)))
		return false;
	if (size != (blob[EDID_EXTENSIONS] + 1) * EDID_BLOCK_SIZE)
		return false;
	for (off = 0; off < size; off += EDID_BLOCK_SIZE)
		if (block_sum(blob + off))
			return false;
	return true;
}

/*
 * EDID 3.10.2, Table 3.21: 60 pictures a second, with the pauses between lines that VESA CVT
 * gives to displays without a beam.
 */
static void put_timing(u8 *at, unsigned int width, unsigned int height,
		       unsigned int width_mm, unsigned int height_mm)
{
	unsigned int hblank = 160, hfront = 48, hsync = 32;
	unsigned int vfront = 3, vsync = 5;
	/* Front porch and sync are within the pause, and a line of back porch. */
	unsigned int vblank = max(height / 36 + 1, vfront + vsync + 1);
	unsigned int clock = (width + hblank) * (height + vblank) * 60 / 10000;

	/* The biggest pictures are fewer a second. */
	clock = min_t(unsigned int, clock, U16_MAX);
	at[0] = clock;
	at[1] = clock >> 8;
	at[2] = width;
	at[3] = hblank;
	at[4] = width >> 8 << 4 | hblank >> 8;
	at[5] = height;
	at[6] = vblank;
	at[7] = height >> 8 << 4 | vblank >> 8;
	at[8] = hfront;
	at[9] = hsync;
	at[10] = vfront << 4 | vsync;
	at[12] = width_mm;
	at[13] = height_mm;
	at[14] = width_mm >> 8 << 4 | height_mm >> 8;
	/* Separate sync signals, the horizontal one positive. */
	at[17] = 0x1a;
}

/* A monitor whose preferred mode is the biggest picture, and small ones. */
static void edid_build(u8 *blob, unsigned int width, unsigned int height)
{
	/* EDID 3.7: sRGB, of the chromaticities in IEC 61966-2-1. */
	static const u8 srgb[] = {
		0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54,
	};
	/* At 96 pixels an inch of 25.4 mm. */
	unsigned int width_mm = width * 254 / 960;
	unsigned int height_mm = height * 254 / 960;

	memcpy(blob, edid_magic, sizeof(edid_magic));
	/* Manufacturer "FRY", five bits each letter. */
	blob[8] = 6 << 2 | 18 >> 3;
	blob[9] = (18 & 7) << 5 | 25;
	blob[10] = 1;
	blob[17] = 2026 - 1990;
	blob[18] = 1;
	blob[19] = 4;
	/* Digital, eight bits each colour. */
	blob[20] = 0xa0;
	blob[21] = width_mm / 10;
	blob[22] = height_mm / 10;
	blob[23] = 120;
	/* sRGB; the preferred mode is the native one. */
	blob[24] = 0x06;
	memcpy(blob + 25, srgb, sizeof(srgb));
	/* Established timings: 640x480, 800x600 and 1024x768 at 60 Hz. */
	if (width >= 640 && height >= 480)
		blob[35] |= 0x20;
	if (width >= 800 && height >= 600)
		blob[35] |= 0x01;
	if (width >= 1024 && height >= 768)
		blob[36] |= 0x08;
	memset(blob + 38, 0x01, 16);
	put_timing(blob + EDID_PREFERRED, width, height, width_mm, height_mm);
	blob[EDID_NAME + 3] = 0xfc;
	memcpy(blob + EDID_NAME + 5, "Ferry\n       ", 13);
	blob[EDID_UNUSED + 3] = 0x10;
	blob[EDID_UNUSED + 18 + 3] = 0x10;
	blob[EDID_CHECKSUM] = -block_sum(blob);
}

/**
 * ferry_edid_init - plug a monitor in
 * @edid: zeroed
 * @width: pixels of the biggest picture
 * @height: lines of it
 */
void ferry_edid_init(struct ferry_edid *edid, unsigned int width,
		     unsigned int height)
{
	mutex_init(&edid->lock);
	edid->regs.edid_offset = sizeof(edid->regs);
	edid->regs.edid_max_size = sizeof(edid->blob);
	edid->regs.edid_size = EDID_BLOCK_SIZE;
	edid->regs.max_xres = width;
	edid->regs.max_yres = height;
	edid->regs.link_state = VFIO_DEVICE_GFX_LINK_STATE_UP;
	edid_build(edid->blob, width, height);
}

static struct ferry_edid *edid_of(struct ferry_device *fdev)
{
	return &to_instance(fdev)->display->edid;
}

static int edid_read(struct ferry_device *fdev, struct ferry_region *region,
		     u64 off, void *buf, size_t len)
{
	struct ferry_edid *edid = edid_of(fdev);

	BUILD_BUG_ON(offsetofend(struct ferry_edid, regs) !=
		     offsetof(struct ferry_edid, blob));
	mutex_lock(&edid->lock);
	memcpy(buf, (u8 *)edid + offsetof(struct ferry_edid, regs) + off, len);
	mutex_unlock(&edid->lock);
	return 0;
}

static int set_link(struct ferry_edid *edid, u32 state)
{
	switch (state) {
	case VFIO_DEVICE_GFX_LINK_STATE_UP:
		if (edid->regs.edid_size &&
		    !edid_is_valid(edid->blob, edid->regs.edid_size))
			return -EINVAL;
		break;
	case VFIO_DEVICE_GFX_LINK_STATE_DOWN:
		break;
	default:
		return -EINVAL;
	}
	edid->regs.link_state = state;
	return 0;
}

static int set_size(struct ferry_edid *edid, u32 size)
{
	if (size > sizeof(edid->blob) || size % EDID_BLOCK_SIZE)
		return -EINVAL;
	edid->regs.edid_size = size;
	return 0;
}

static int edid_store(struct ferry_edid *edid, u64 off, const void *buf,
		      size_t len)
{
	bool up = edid->regs.link_state == VFIO_DEVICE_GFX_LINK_STATE_UP;
	bool whole = len == sizeof(u32);

	if (whole && off == offsetof(struct vfio_region_gfx_edid, link_state))
		return set_link(edid, *(const u32 *)buf);
	if (whole && off == offsetof(struct vfio_region_gfx_edid, edid_size))
		return up ? -EBUSY : set_size(edid, *(const u32 *)buf);
	if (off < sizeof(edid->regs))
		return -EINVAL;
	if (up)
		return -EBUSY;
	memcpy(edid->blob + (off - sizeof(edid->regs)), buf, len);
	return 0;
}

/*
 * Of the registers two can be written, each as a whole. The guest never sees an EDID
 * that is being written, nor one that is wrong: the link isn't up then.
 */
static int edid_write(struct ferry_device *fdev, struct ferry_region *region,
		      u64 off, const void *buf, size_t len)
{
	struct ferry_edid *edid = edid_of(fdev);
	int ret;

	mutex_lock(&edid->lock);
	ret = edid_store(edid, off, buf, len);
	mutex_unlock(&edid->lock);
	return ret;
}

static int edid_caps(struct ferry_device *fdev, struct ferry_region *region,
		     struct vfio_info_cap *caps)
{
	struct vfio_region_info_cap_type type = {
		.header.id = VFIO_REGION_INFO_CAP_TYPE,
		.header.version = 1,
		.type = VFIO_REGION_TYPE_GFX,
		.subtype = VFIO_REGION_SUBTYPE_GFX_EDID,
	};

	return vfio_info_add_capability(caps, &type.header, sizeof(type));
}

/* Accessors of the region that holds registers and EDID. */
const struct ferry_region_ops ferry_edid_region_ops = {
	.read = edid_read,
	.write = edid_write,
	.caps = edid_caps,
};

/**
 * ferry_edid_region_size - how big that region is
 *
 * Return: bytes.
 */
size_t ferry_edid_region_size(void)
{
	return sizeof_field(struct ferry_edid, regs) +
	       sizeof_field(struct ferry_edid, blob);
}

/**
 * ferry_instance_edid - a byte of what the monitor says of itself
 * @inst: an instance of a model with a display
 * @off: offset in the EDID
 *
 * Context: process context, no spinlock held; while the instance is open.
 * Return: the byte; 0 behind the end, or if there is no monitor, or it is switched off.
 */
u8 ferry_instance_edid(struct ferry_instance *inst, unsigned int off)
{
	struct ferry_edid *edid;
	u8 byte = 0;

	if (!inst->display)
		return 0;
	edid = &inst->display->edid;
	mutex_lock(&edid->lock);
	if (edid->regs.link_state == VFIO_DEVICE_GFX_LINK_STATE_UP &&
	    off < edid->regs.edid_size)
		byte = edid->blob[off];
	mutex_unlock(&edid->lock);
	return byte;
}
EXPORT_SYMBOL_GPL(ferry_instance_edid);
