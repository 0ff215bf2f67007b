// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware as memory, and what a user of it sees.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "test.h"

static int hw_read(void *ctx, unsigned int off, unsigned int width, u32 *val)
{
	struct device *dev = ctx;
	unsigned int i;

	CHECK(width == 1 || width == 2 || width == 4);
	CHECK_EQ(off % width, 0);
	CHECK(off + width <= dev->size);
	if (!dev->reads || off < dev->first_read)
		dev->first_read = off;
	if (!dev->reads || off + width > dev->end_read)
		dev->end_read = off + width;
	dev->reads++;
	for (i = 0; i < width; i++)
		dev->read_bytes[off + i]++;
	if (dev->fail_read && !--dev->fail_read)
		return -EIO;
	*val = device_get(dev, off, width);
	return 0;
}

/* Nothing but the user's own bits may be written with another value. */
static void check_write(const struct device *dev, unsigned int off,
			unsigned int width, u32 val)
{
	unsigned int i;

	for (i = 8 * off; i < 8 * (off + width); i++, val >>= 1) {
		u8 bit = 1 << i % 8;
		bool was = dev->bytes[i / 8] & bit;

		if (dev->class[i] == RW || dev->class[i] == CLEAR)
			continue;
		CHECK((val & 1) == (dev->w1c[i / 8] & bit ? 0 : was));
	}
}

static int hw_write(void *ctx, unsigned int off, unsigned int width, u32 val,
		    u32 keep)
{
	struct device *dev = ctx;
	unsigned int i;
	u32 old;

	CHECK(width == 1 || width == 2 || width == 4);
	CHECK_EQ(off % width, 0);
	CHECK(off + width <= dev->size);
	CHECK(!(val & keep));
	if (keep) {
		if (hw_read(ctx, off, width, &old))
			return -EIO;
		val |= old & keep;
	}
	dev->writes++;
	dev->last_write_off = off;
	dev->last_write_width = width;
	dev->last_write_val = val;
	if (dev->strict)
		check_write(dev, off, width, val);
	if (dev->fail_write && !--dev->fail_write)
		return -EIO;
	for (i = off; i < off + width; i++, val >>= 8) {
		dev->bytes[i] &= ~(dev->w1c[i] & val);
		dev->bytes[i] &= ~dev->rw[i];
		dev->bytes[i] |= dev->rw[i] & val;
	}
	return 0;
}

static const struct ferry_config_backend hw = {
	.read = hw_read,
	.write = hw_write,
};

static void put(u8 *bytes, unsigned int off, unsigned int width, u32 val)
{
	for (; width; width--, val >>= 8)
		bytes[off++] = val;
}

u32 device_get(const struct device *dev, unsigned int off, unsigned int width)
{
	u32 val = 0;

	while (width--)
		val = val << 8 | dev->bytes[off + width];
	return val;
}

void device_put(struct device *dev, unsigned int off, unsigned int width,
		u32 val)
{
	put(dev->bytes, off, width, val);
}

void device_rw(struct device *dev, unsigned int off, unsigned int width,
	       u32 bits)
{
	put(dev->rw, off, width, bits);
}

void device_w1c(struct device *dev, unsigned int off, unsigned int width,
		u32 bits)
{
	put(dev->w1c, off, width, bits);
}

void device_class(struct device *dev, unsigned int off, unsigned int width,
		  u32 bits, enum bit_class class, u32 val)
{
	unsigned int i;

	for (i = 0; i < 8 * width; i++) {
		unsigned int byte = off + i / 8;
		u8 bit = 1 << i % 8;

		if (!(bits >> i & 1))
			continue;
		dev->class[8 * off + i] = class;
		if (class != VIRT && class != VIRT_RW)
			continue;
		dev->virt[byte] &= ~bit;
		if (val >> i & 1)
			dev->virt[byte] |= bit;
	}
}

/* A register of which all bits are alike */
static void reg(struct device *dev, unsigned int off, unsigned int width,
		enum bit_class class, u32 val)
{
	u32 bits = ~0U >> (32 - 8 * width);

	device_put(dev, off, width, val);
	device_rw(dev, off, width, class == RW ? bits : 0);
	device_w1c(dev, off, width, class == CLEAR ? bits : 0);
	device_class(dev, off, width, bits, class, val);
}

static void regs(struct device *dev, unsigned int off, unsigned int len,
		 enum bit_class class)
{
	unsigned int i;

	/* Values that differ from byte to byte */
	for (i = 0; i < len; i++)
		reg(dev, off + i, 1, class, 0x11 + 7 * (off + i));
}

struct device *device_new(unsigned int size, u16 vendor, u16 device_id)
{
	struct device *dev = calloc(1, sizeof(*dev));
	unsigned int i;

	dev->size = size;
	dev->mem = malloc(ferry_config_bytes(size));
	for (i = 0; i < size; i++)
		reg(dev, i, 1, RW, 0);

	reg(dev, 0x00, 2, VIRT, vendor);
	reg(dev, 0x02, 2, VIRT, device_id);
	/* COMMAND: everything but reserved bits; INTx disable is virtual. */
	reg(dev, 0x04, 2, RW, 0x0007);
	device_class(dev, 0x04, 2, 0x0400, VIRT_RW, 0);
	/* STATUS: error bits that a one clears; capability list */
	reg(dev, 0x06, 2, LIVE, 0);
	device_w1c(dev, 0x06, 2, 0xf900);
	device_class(dev, 0x06, 2, 0x0010, VIRT, 0);
	reg(dev, 0x08, 4, FIXED, 0x02000001);
	reg(dev, 0x0c, 1, RW, 0x10);
	reg(dev, 0x0d, 1, RW, 0);
	reg(dev, 0x0e, 1, KEPT, 0);
	reg(dev, 0x0f, 1, RW, 0);
	for (i = 0x10; i < 0x28; i += 4)
		reg(dev, i, 4, VIRT, 0);
	reg(dev, 0x28, 4, FIXED, 0);
	reg(dev, 0x2c, 4, FIXED, 0xa03c8086);
	reg(dev, 0x30, 4, VIRT, 0);
	reg(dev, 0x34, 1, VIRT, 0);
	regs(dev, 0x35, 7, FIXED);
	reg(dev, 0x3c, 1, VIRT_RW, 0x0b);
	reg(dev, 0x3d, 1, VIRT, 0x01);
	reg(dev, 0x3e, 2, FIXED, 0x0403);
	return dev;
}

void device_free(struct device *dev)
{
	free(dev->mem);
	free(dev);
}

void device_bar(struct device *dev, unsigned int index, u64 size, u32 flags,
		u64 address)
{
	unsigned int off = index == FERRY_CONFIG_ROM ? 0x30 : 0x10 + 4 * index;
	u64 bits = ~(size - 1);

	dev->bars[index].size = size;
	dev->bars[index].flags = flags;
	if (index == FERRY_CONFIG_ROM)
		bits |= 1;
	device_put(dev, off, 4, address | flags);
	device_class(dev, off, 4, ~0U, VIRT, flags);
	device_class(dev, off, 4, bits, VIRT_RW, address);
	if (flags & 4) {
		device_put(dev, off + 4, 4, address >> 32);
		device_class(dev, off + 4, 4, ~0U, VIRT, 0);
		device_class(dev, off + 4, 4, bits >> 32, VIRT_RW,
			     address >> 32);
	}
}

int device_open(struct device *dev, u32 flags,
		const struct ferry_config_ops *ops)
{
	struct ferry_config_desc desc = {
		.size = dev->size, .flags = flags, .backend = &hw,
		.vendor = dev->shown_vendor, .device = dev->shown_device,
		.ops = ops, .ctx = dev,
	};
	int err;

	memcpy(desc.bars, dev->bars, sizeof(desc.bars));
	/* The engine must not rely on clean memory. */
	memset(dev->mem, 0xa5, ferry_config_bytes(dev->size));
	err = ferry_config_init(&dev->cfg, dev->mem, &desc);
	dev->reads = 0;
	dev->writes = 0;
	memset(dev->read_bytes, 0, sizeof(dev->read_bytes));
	return err;
}

void device_must_open(struct device *dev)
{
	CHECK_EQ(device_open(dev, 0, NULL), 0);
}

u32 user_read(struct device *dev, unsigned int off, unsigned int width)
{
	u8 buf[4] = { 0 };
	unsigned int reads = dev->reads;
	u32 word = 0;

	CHECK_EQ(ferry_config_read(&dev->cfg, off, buf, width), 0);
	/* Memory answers alike, if hardware need not be asked. */
	if (ferry_config_peek(&dev->cfg, off, &word, width)) {
		CHECK_EQ(memcmp(&word, buf, 4), 0);
		CHECK_EQ(dev->reads, reads);
	}
	return buf[0] | buf[1] << 8 | buf[2] << 16 | (u32)buf[3] << 24;
}

void user_write(struct device *dev, unsigned int off, unsigned int width,
		u32 val)
{
	u8 buf[4];

	put(buf, 0, 4, val);
	CHECK_EQ(ferry_config_write(&dev->cfg, off, buf, width), 0);
}

unsigned int user_chain(struct device *dev, unsigned int *ids,
			unsigned int *offs, unsigned int max)
{
	unsigned int pos, count = 0;

	if (!(user_read(dev, 0x06, 2) & 0x10))
		return 0;
	for (pos = user_read(dev, 0x34, 1); pos && count < max; count++) {
		CHECK_EQ(pos & 3, 0);
		CHECK(pos >= 0x40);
		ids[count] = user_read(dev, pos, 1);
		offs[count] = pos;
		pos = user_read(dev, pos + 1, 1);
	}
	return count;
}

unsigned int user_ext_chain(struct device *dev, unsigned int *ids,
			    unsigned int *offs, unsigned int max)
{
	unsigned int pos = 0x100, count = 0;

	if (dev->size <= 0x100 || !user_read(dev, pos, 4))
		return 0;
	for (; pos && count < max; count++) {
		u32 header = user_read(dev, pos, 4);

		CHECK(pos >= 0x100);
		ids[count] = header & 0xffff;
		offs[count] = pos;
		pos = header >> 20 & 0xffc;
	}
	return count;
}

/*
 * Capabilities.  Numbers are those of the specifications, on purpose not the
 * names that the engine uses.
 */
static void cap(struct device *dev, unsigned int pos, u8 id, unsigned int next)
{
	reg(dev, pos, 1, VIRT, id);
	reg(dev, pos + 1, 1, VIRT, next);
}

static void ext(struct device *dev, unsigned int pos, u16 id,
		unsigned int next)
{
	reg(dev, pos, 4, VIRT, id | 1 << 16 | next << 20);
}

void cap_shown_next(struct device *dev, unsigned int pos, unsigned int next)
{
	device_class(dev, pos + 1, 1, 0xff, VIRT, next);
}

void ext_shown_next(struct device *dev, unsigned int pos, unsigned int next)
{
	device_class(dev, pos, 4, 0xfff00000, VIRT, next << 20);
}

void cap_first(struct device *dev, unsigned int pos)
{
	reg(dev, 0x34, 1, VIRT, pos);
	device_put(dev, 0x06, 2, 0x0010);
	device_class(dev, 0x06, 2, 0x0010, VIRT, 0x0010);
}

void cap_pm(struct device *dev, unsigned int pos, unsigned int next)
{
	cap(dev, pos, 0x01, next);
	/* PMC: version 3, D1, D2, PME from everywhere, which is hidden */
	reg(dev, pos + 2, 2, FIXED, 0xfe03);
	device_class(dev, pos + 2, 2, 0xf800, VIRT, 0);
	/* PMCSR: no soft reset, PME hidden, data select */
	reg(dev, pos + 4, 2, KEPT, 0x0108);
	device_rw(dev, pos + 4, 2, 0x1f03);
	device_w1c(dev, pos + 4, 2, 0x8000);
	device_class(dev, pos + 4, 2, 0x8100, VIRT, 0);
	device_class(dev, pos + 4, 2, 0x1e00, RW, 0);
	reg(dev, pos + 6, 1, KEPT, 0);
	reg(dev, pos + 7, 1, KEPT, 0x33);
}

void cap_vpd(struct device *dev, unsigned int pos, unsigned int next)
{
	cap(dev, pos, 0x03, next);
	reg(dev, pos + 2, 2, VIRT_RW, 0x8000);
	reg(dev, pos + 4, 4, VIRT_RW, 0x12345678);
}

/* @flags: 0x80 for 64 bits, 0x100 for masks, 0x0e for the count */
void cap_msi(struct device *dev, unsigned int pos, unsigned int next,
	     u16 flags)
{
	unsigned int at = pos + 4;

	cap(dev, pos, 0x05, next);
	reg(dev, pos + 2, 2, VIRT, flags);
	reg(dev, at, 4, VIRT_RW, 0xfee00000);
	at += 4;
	if (flags & 0x80) {
		reg(dev, at, 4, VIRT_RW, 0);
		at += 4;
	}
	reg(dev, at, 2, VIRT_RW, 0x4021);
	at += 2;
	if (!(flags & 0x100))
		return;
	reg(dev, at, 2, FIXED, 0);
	reg(dev, at + 2, 4, RW, 0);
	reg(dev, at + 6, 4, LIVE, 0);
}

void cap_msix(struct device *dev, unsigned int pos, unsigned int next,
	      u16 entries)
{
	cap(dev, pos, 0x11, next);
	reg(dev, pos + 2, 2, LIVE, entries - 1);
	device_rw(dev, pos + 2, 2, 0xc000);
	reg(dev, pos + 4, 4, FIXED, 0x00000003);
	reg(dev, pos + 8, 4, FIXED, 0x00002003);
}

void cap_vndr(struct device *dev, unsigned int pos, unsigned int next, u8 len)
{
	cap(dev, pos, 0x09, next);
	regs(dev, pos + 3, len - 3, RW);
	reg(dev, pos + 2, 1, RW, len);
}

void cap_exp(struct device *dev, unsigned int pos, unsigned int next,
	     unsigned int version, unsigned int type)
{
	cap(dev, pos, 0x10, next);
	reg(dev, pos + 2, 2, VIRT, version | type << 4);
	reg(dev, pos + 4, 4, FIXED, 0x10008fc1);
	/* DEVCTL: FLR and the sizes are virtual, phantom is not writable. */
	reg(dev, pos + 8, 2, RW, 0x2830);
	device_class(dev, pos + 8, 2, 0x0200, LIVE, 0);
	device_class(dev, pos + 8, 2, 0x70e0, VIRT_RW, 0x2830);
	device_class(dev, pos + 8, 2, 0x8000, VIRT, 0);
	/* A reset is never triggered by the way, not even where hardware shows a one. */
	device_w1c(dev, pos + 8, 2, 0x8000);
	device_rw(dev, pos + 8, 2, 0x7fff);
	reg(dev, pos + 10, 2, LIVE, 0);
	device_w1c(dev, pos + 10, 2, 0x000f);
	if (version == 1 && type == 9)
		return;
	reg(dev, pos + 12, 4, FIXED, 0x00011c11);
	reg(dev, pos + 16, 2, LIVE, 0x0040);
	device_rw(dev, pos + 16, 2, 0x03fb);
	reg(dev, pos + 18, 2, LIVE, 0x1011);
	device_w1c(dev, pos + 18, 2, 0xc000);
	if (version == 1)
		return;
	reg(dev, pos + 20, 4, FIXED, 0);
	reg(dev, pos + 24, 4, FIXED, 0);
	reg(dev, pos + 28, 4, FIXED, 0);
	reg(dev, pos + 32, 4, FIXED, 0);
	reg(dev, pos + 36, 4, FIXED, 0x0000001f);
	/* DEVCTL2: ARI forwarding is not the user's. */
	reg(dev, pos + 40, 2, RW, 0x0020);
	device_class(dev, pos + 40, 2, 0x0020, LIVE, 0);
	reg(dev, pos + 42, 2, FIXED, 0);
	if (type == 9)
		return;
	reg(dev, pos + 44, 4, FIXED, 0x00000006);
	reg(dev, pos + 48, 2, LIVE, 0x0002);
	device_rw(dev, pos + 48, 2, 0x1fff);
	reg(dev, pos + 50, 2, LIVE, 0x0001);
}

void cap_af(struct device *dev, unsigned int pos, unsigned int next)
{
	cap(dev, pos, 0x13, next);
	reg(dev, pos + 2, 1, FIXED, 6);
	reg(dev, pos + 3, 1, FIXED, 3);
	/* Control reads as zero whatever is written. */
	reg(dev, pos + 4, 1, KEPT, 0);
	device_class(dev, pos + 4, 1, 0x01, VIRT, 0);
	reg(dev, pos + 5, 1, LIVE, 0);
}

void cap_pcix(struct device *dev, unsigned int pos, unsigned int next)
{
	cap(dev, pos, 0x07, next);
	/* Version 2: 24 bytes */
	reg(dev, pos + 2, 2, RW, 0x2030);
	reg(dev, pos + 4, 4, LIVE, 0x0003ff00);
	reg(dev, pos + 8, 4, RW, 0x00000010);
	regs(dev, pos + 12, 12, FIXED);
}

void cap_sata(struct device *dev, unsigned int pos, unsigned int next)
{
	cap(dev, pos, 0x12, next);
	/* Index and data in place: 16 bytes */
	regs(dev, pos + 2, 14, LIVE);
	device_put(dev, pos + 4, 1, 0x0f);
}

void cap_ht(struct device *dev, unsigned int pos, unsigned int next)
{
	cap(dev, pos, 0x08, next);
	/* Primary: 28 bytes */
	regs(dev, pos + 2, 26, LIVE);
	device_put(dev, pos + 3, 1, 0x02);
}

void cap_agp(struct device *dev, unsigned int pos, unsigned int next)
{
	cap(dev, pos, 0x02, next);
	regs(dev, pos + 2, 10, LIVE);
}

void cap_hidden(struct device *dev, unsigned int pos, unsigned int next,
		u8 id)
{
	regs(dev, pos, 12, RW);
	device_put(dev, pos, 1, id);
	device_put(dev, pos + 1, 1, next);
}

void ext_aer(struct device *dev, unsigned int pos, unsigned int next)
{
	ext(dev, pos, 0x0001, next);
	/* Status: the named errors are cleared by a one, the rest is kept. */
	reg(dev, pos + 4, 4, LIVE, 0);
	device_w1c(dev, pos + 4, 4, 0xffffffff);
	device_class(dev, pos + 4, 4, 0x03fff031, CLEAR, 0);
	reg(dev, pos + 8, 4, LIVE, 0x00400000);
	device_rw(dev, pos + 8, 4, 0xffffffff);
	device_class(dev, pos + 8, 4, 0x03fff031, RW, 0);
	reg(dev, pos + 12, 4, LIVE, 0x00462030);
	device_rw(dev, pos + 12, 4, 0xffffffff);
	device_class(dev, pos + 12, 4, 0x03fff031, RW, 0);
	reg(dev, pos + 16, 4, LIVE, 0);
	device_w1c(dev, pos + 16, 4, 0xffffffff);
	device_class(dev, pos + 16, 4, 0x0000f1c1, CLEAR, 0);
	reg(dev, pos + 20, 4, LIVE, 0x00002000);
	device_rw(dev, pos + 20, 4, 0xffffffff);
	device_class(dev, pos + 20, 4, 0x0000f1c1, RW, 0);
	reg(dev, pos + 24, 4, LIVE, 0x000000a0);
	device_rw(dev, pos + 24, 4, 0x00000b40);
	device_class(dev, pos + 24, 4, 0x00000140, RW, 0);
	/* header log */
	regs(dev, pos + 28, 16, LIVE);
}

void ext_sriov(struct device *dev, unsigned int pos, unsigned int next)
{
	ext(dev, pos, 0x0010, next);
	reg(dev, pos + 4, 4, FIXED, 0x00000002);
	reg(dev, pos + 8, 2, LIVE, 0);
	device_rw(dev, pos + 8, 2, 0x0019);
	reg(dev, pos + 10, 2, LIVE, 0);
	reg(dev, pos + 12, 4, FIXED, 0x00080008);
	reg(dev, pos + 16, 2, LIVE, 0);
	reg(dev, pos + 18, 2, FIXED, 0);
	reg(dev, pos + 20, 2, LIVE, 0x0180);
	reg(dev, pos + 22, 2, LIVE, 0x0002);
	regs(dev, pos + 24, 40, FIXED);
}

void ext_ats(struct device *dev, unsigned int pos, unsigned int next)
{
	ext(dev, pos, 0x000f, next);
	reg(dev, pos + 4, 2, FIXED, 0x0060);
	reg(dev, pos + 6, 2, LIVE, 0);
	device_rw(dev, pos + 6, 2, 0x801f);
}

void ext_pwr(struct device *dev, unsigned int pos, unsigned int next)
{
	ext(dev, pos, 0x0004, next);
	reg(dev, pos + 4, 1, RW, 0);
	reg(dev, pos + 5, 3, FIXED, 0);
	reg(dev, pos + 8, 4, LIVE, 0x00012345);
	reg(dev, pos + 12, 4, FIXED, 1);
}

void ext_vsec(struct device *dev, unsigned int pos, unsigned int next,
	      unsigned int len)
{
	ext(dev, pos, 0x000b, next);
	regs(dev, pos + 4, len - 4, RW);
	device_put(dev, pos + 4, 4, 0x0001 | len << 20);
}

void ext_dvsec(struct device *dev, unsigned int pos, unsigned int next,
	       unsigned int len)
{
	ext(dev, pos, 0x0023, next);
	regs(dev, pos + 4, len - 4, RW);
	device_put(dev, pos + 4, 4, 0x8086 | len << 20);
}

void ext_fixed(struct device *dev, unsigned int pos, unsigned int next, u16 id,
	       unsigned int len, bool live)
{
	ext(dev, pos, id, next);
	regs(dev, pos + 4, len - 4, live ? LIVE : FIXED);
}

void ext_hidden(struct device *dev, unsigned int pos, unsigned int next,
		u16 id)
{
	regs(dev, pos, 16, RW);
	device_put(dev, pos, 4, id | 1 << 16 | next << 20);
}
