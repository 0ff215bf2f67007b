// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware is memory with masks, as in unit/device.c, and what is in it comes from the
 * input. Bits that are not the user's can all be written, so that a write that slips
 * through is seen; those that are may refuse to change.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "test.h"

/* The engine's context is the device; the hooks want what is around it. */
static struct hostile *current_hostile;

static int before(void *ctx, const struct ferry_config_change *change)
{
	struct hostile *h = current_hostile;

	CHECK(ctx == h->dev);
	CHECK(change->events);
	if (h->refuse && !--h->refuse)
		return -EPERM;
	h->befores++;
	return 0;
}

/*
 * What a driver does: it believes the change, and the function enters the power state that was
 * asked for.
 */
static void after(void *ctx, const struct ferry_config_change *change)
{
	struct hostile *h = current_hostile;
	unsigned int off = change->offset;

	CHECK(ctx == h->dev);
	h->afters++;
	if (change->error)
		return;
	h->events |= change->events;
	if (change->events & FERRY_CONFIG_COMMAND)
		CHECK_EQ(change->new, ferry_config_get16(&h->dev->cfg, off));
	if (!(change->events & FERRY_CONFIG_POWER))
		return;
	h->dev->bytes[off] &= ~0x03;
	h->dev->bytes[off] |= change->new & 0x03;
}

static const struct ferry_config_ops ops = {
	.before = before,
	.after = after,
};

static void put_cap(struct device *dev, struct input *in)
{
	unsigned int pos = input_u8(in), i;

	dev->bytes[pos] = input_u8(in) & 0x1f;
	dev->bytes[(pos + 1) % dev->size] = input_u8(in);
	for (i = 2; i < 6; i++)
		dev->bytes[(pos + i) % dev->size] = input_u8(in);
}

static void put_ext_cap(struct device *dev, struct input *in)
{
	unsigned int pos = (input_u16(in) & 0xffc) % (dev->size - 12);
	u16 id = input_u8(in) & 0x3f, next = input_u16(in);

	device_put(dev, pos, 4, id | 1 << 16 | (u32)next << 20);
	device_put(dev, pos + 4, 4, input_u32(in));
	device_put(dev, pos + 8, 4, input_u32(in));
}

static void put_bytes(struct device *dev, struct input *in)
{
	unsigned int off = input_u16(in), len = input_u8(in) & 0xf;

	while (len--)
		dev->bytes[off++ % dev->size] = input_u8(in);
}

/* A base address register of each kind; a wide one takes the next. */
static void put_bars(struct device *dev, struct input *in)
{
	static const u32 flags[] = { 0, 0x1, 0x4, 0xc };
	unsigned int i, kind;
	u64 size;

	for (i = 0; i < 6; i++) {
		kind = input_u8(in);
		size = 1ULL << (4 + (kind & 0x1f));
		if (!(kind & 0x80))
			continue;
		kind = kind >> 5 & 3;
		if (kind >= 2 && i == 5)
			kind = 0;
		device_bar(dev, i, size, flags[kind], 0);
		i += kind >= 2;
	}
	kind = input_u8(in);
	if (kind & 0x80)
		device_bar(dev, FERRY_CONFIG_ROM, 1ULL << (11 + (kind & 0xf)),
			   0, 0);
}

static void put_hardware(struct device *dev, struct input *in)
{
	unsigned int i, caps, ext_caps;

	for (i = 0; i < 0x40; i += 4)
		device_put(dev, i, 4, 0x11223344 * i);
	dev->bytes[0x06] = input_u8(in);
	dev->bytes[0x0f] = input_u8(in);
	dev->bytes[0x34] = input_u8(in);
	caps = input_u8(in) & 0xf;
	ext_caps = dev->size > 0x100 ? input_u8(in) & 0xf : 0;
	for (i = 0; i < caps; i++)
		put_cap(dev, in);
	for (i = 0; i < ext_caps; i++)
		put_ext_cap(dev, in);
	for (i = input_u8(in) & 7; i; i--)
		put_bytes(dev, in);
}

/* Virtual bits begin as hardware's, but for those of @bars. */
static void begin_virtual(struct device *dev, const u8 *bars)
{
	unsigned int i;

	memcpy(dev->virt, dev->bytes, dev->size);
	for (i = 8 * 0x10; i < 8 * 0x34; i++) {
		u8 bit = 1 << i % 8;

		if (dev->class[i] != VIRT)
			continue;
		dev->virt[i / 8] &= ~bit;
		dev->virt[i / 8] |= bars[i / 8] & bit;
	}
}

/* What is done to a function that is not as others are. */
static u32 odd_flags(struct device *dev, u8 choice)
{
	u32 flags = 0;

	if (choice & 0x02) {
		flags |= FERRY_CONFIG_NO_COMMAND_MEMORY;
		device_class(dev, 0x04, 2, 0x0002, VIRT_RW, 0x0002);
	}
	if (choice & 0x04) {
		flags |= FERRY_CONFIG_NO_INTX;
		dev->virt[0x3d] = 0;
	}
	if (choice & 0x08) {
		dev->shown_vendor = 0x8086;
		dev->shown_device = 0x10ca;
		device_class(dev, 0x00, 4, ~0U, VIRT, 0x10ca8086);
	}
	return flags;
}

/* All bits of a byte are the user's, as those of most bytes are. */
static bool is_whole(const struct device *dev, unsigned int byte)
{
	u64 classes;

	memcpy(&classes, dev->class + 8 * byte, sizeof(classes));
	return classes == RW * 0x0101010101010101ULL;
}

/* The bits of a byte that are in memory */
static u8 virtual_bits(const struct device *dev, unsigned int byte)
{
	const u8 *class = dev->class + 8 * byte;
	unsigned int i;
	u8 bits = 0;

	if (is_whole(dev, byte))
		return 0;
	for (i = 0; i < 8; i++)
		if (class[i] == VIRT || class[i] == VIRT_RW)
			bits |= 1 << i;
	return bits;
}

/* Of what isn't the user's nothing may be written, and it would stay. */
static void set_masks(struct device *dev, struct input *in)
{
	unsigned int i, off;

	for (i = 0; i < 8 * dev->size; i++) {
		if (i % 8 == 0 && is_whole(dev, i / 8))
			i += 7;
		else if (dev->class[i] != RW && !(dev->w1c[i / 8] >> i % 8 & 1))
			dev->rw[i / 8] |= 1 << i % 8;
	}
	for (i = input_u8(in) & 7; i; i--) {
		off = input_u16(in) % dev->size;
		dev->rw[off] &= ~input_u8(in);
	}
}

static void view(struct hostile *h)
{
	struct device *dev = h->dev;
	unsigned int i;
	u8 bits;

	memcpy(h->hardware, dev->bytes, dev->size);
	for (i = 0; i < dev->size; i++) {
		bits = virtual_bits(dev, i);
		h->user[i] = (dev->bytes[i] & ~bits) | (dev->virt[i] & bits);
	}
}

/* One like another; to put one together takes long. */
static struct device *blank(u8 choice)
{
	/* The last two are those of devices that are known for it. */
	static const unsigned int sizes[] = { 256, 4096, 0xa0, 0x600 };
	static struct device *blanks[4];
	unsigned int kind = (choice & 0x01) | (choice & 0x80) >> 6;
	struct device *dev, **like = &blanks[kind];
	unsigned int size = sizes[kind];

	if (!*like)
		*like = device_new(size, 0, 0);
	dev = malloc(sizeof(*dev));
	*dev = **like;
	dev->mem = malloc(ferry_config_bytes(size));
	return dev;
}

void hostile_open(struct hostile *h, struct input *in)
{
	u8 choice = input_u8(in);
	struct device *dev = blank(choice);
	u8 bars[0x34];
	u32 flags;

	current_hostile = h;
	h->dev = dev;
	h->vectors = 0;
	h->awake = false;
	h->refuse = 0;
	h->expected = 0;
	put_bars(dev, in);
	memcpy(bars, dev->virt, sizeof(bars));
	put_hardware(dev, in);
	begin_virtual(dev, bars);
	flags = odd_flags(dev, choice);
	layout_of(&h->layout, dev);
	set_masks(dev, in);
	view(h);
	h->command = h->user[0x04] | h->user[0x05] << 8;
	dev->strict = true;
	CHECK_EQ(device_open(dev, flags, &ops), 0);
}

void hostile_close(struct hostile *h)
{
	device_free(h->dev);
	current_hostile = NULL;
}

static bool from_hardware(u8 class)
{
	return class == LIVE || class == RW || class == CLEAR;
}

static void set_bit_to(u8 *byte, u8 bit, bool one)
{
	*byte &= ~bit;
	*byte |= one ? bit : 0;
}

static void expect_bit(struct hostile *h, unsigned int i, bool one)
{
	u8 class = h->dev->class[i], bit = 1 << i % 8;
	u8 *user = &h->user[i / 8], *hardware = &h->hardware[i / 8];

	if (class == RW && h->dev->w1c[i / 8] & bit && one)
		*hardware &= ~bit;
	else if (class == RW && h->dev->rw[i / 8] & bit)
		set_bit_to(hardware, bit, one);
	else if (class == CLEAR && one)
		*hardware &= ~bit;
	else if (class == VIRT_RW)
		set_bit_to(user, bit, one);
	if (from_hardware(class))
		set_bit_to(user, bit, *hardware & bit);
}

/* A state that isn't there is not entered. */
static void expect_power(struct hostile *h, unsigned int pmcsr, u8 data)
{
	u8 state = data & 3;

	if (!layout_power_exists(h->user[pmcsr - 1], state))
		return;
	h->hardware[pmcsr] = (h->hardware[pmcsr] & ~3) | state;
	h->user[pmcsr] = (h->user[pmcsr] & ~3) | state;
}

static unsigned int log2_up(unsigned int n)
{
	unsigned int bits = 0;

	while (1U << bits < n)
		bits++;
	return bits;
}

/* Enable, and no more messages than there are and than the function can send. */
static void expect_msi(struct hostile *h, unsigned int flags, u8 data)
{
	unsigned int most = h->user[flags] >> 1 & 7, size = data >> 4 & 7;
	unsigned int have = log2_up(h->vectors > 32 ? 32 : h->vectors);

	if (!h->vectors)
		return;
	if (most > have)
		most = have;
	if (size > most)
		size = most;
	h->user[flags] &= ~0x71;
	h->user[flags] |= (data & 0x01) | size << 4;
	h->expected |= FERRY_CONFIG_MSI;
}

/* COMMAND is kept as it was written, so that a driver knows what its user wants. */
static void expect_command(struct hostile *h, unsigned int off, const u8 *data,
			   unsigned int end)
{
	u8 command[] = { h->command, h->command >> 8 };
	unsigned int at;

	for (at = 0x04; at < 0x06; at++) {
		if (at < off || at >= end)
			continue;
		command[at - 0x04] = data[at - off];
		h->expected |= FERRY_CONFIG_COMMAND;
	}
	h->command = command[0] | command[1] << 8;
}

/* What a write of @data to the byte @at of the capability at @cap announces; see expect_msi(). */
static u32 events_of(const struct hostile *h, unsigned int cap, unsigned int at,
		     u8 data)
{
	const u8 *reg = h->user + cap;
	u32 events = 0;

	if (reg[0] == 0x01 && at == 4 && layout_power_exists(reg[3], data & 3))
		return FERRY_CONFIG_POWER;
	if (reg[0] == 0x03 && at == 3)
		return FERRY_CONFIG_VPD;
	if (reg[0] == 0x13 && at == 4 && (reg[3] & 3) == 3 && data & 0x01)
		return FERRY_CONFIG_FLR;
	if (reg[0] != 0x10 || at != 9)
		return 0;
	/* Initiate FLR where there is one, and the size of read requests */
	if (data & 0x80 && reg[7] & 0x10)
		events |= FERRY_CONFIG_FLR;
	if ((data ^ reg[9]) & 0x70)
		events |= FERRY_CONFIG_READRQ;
	return events;
}

static void expect_events(struct hostile *h, unsigned int off, const u8 *data,
			  unsigned int end)
{
	const struct layout *layout = &h->layout;
	unsigned int i, at, cap;

	for (i = 0; i < layout->count; i++) {
		cap = layout->pos[i];
		for (at = cap; at < cap + layout->len[i]; at++)
			if (cap < 0x100 && at >= off && at < end)
				h->expected |= events_of(h, cap, at - cap,
							 data[at - off]);
	}
}

void hostile_expect_write(struct hostile *h, unsigned int off, const u8 *data,
			  unsigned int len)
{
	const struct layout *layout = &h->layout;
	unsigned int i, at, end = off + len;

	h->expected = 0;
	expect_command(h, off, data, end);
	expect_events(h, off, data, end);
	for (i = 8 * off; i < 8 * end; i++) {
		h->awake |= layout->raw[i / 8] != OWNED;
		expect_bit(h, i, data[i / 8 - off] >> i % 8 & 1);
	}
	for (i = 0; i < layout->count; i++) {
		at = layout->pos[i] + 4;
		if (layout->id[i] == 0x01 && layout->pos[i] < 0x100 &&
		    at >= off && at < end)
			expect_power(h, at, data[at - off]);
	}
	at = layout->msi + 2;
	if (layout->msi && at >= off && at < end)
		expect_msi(h, at, data[at - off]);
}

void hostile_expect_refresh(struct hostile *h)
{
	unsigned int i;
	u8 bits;

	for (i = 0; i < h->dev->size; i++) {
		bits = virtual_bits(h->dev, i);
		h->user[i] = (h->user[i] & bits) | (h->hardware[i] & ~bits);
	}
}

/* A fixed bit is not asked for, unless its dword has something that the user writes. */
static bool is_left_alone(const struct device *dev, unsigned int bit)
{
	unsigned int i, first = bit / 32 * 32;
	u8 class;

	for (i = first; i < first + 32; i++) {
		class = dev->class[i];
		if (class != FIXED && class != VIRT && class != VIRT_RW)
			return false;
	}
	return true;
}

static bool may_move(const struct hostile *h, unsigned int i)
{
	switch (h->dev->class[i]) {
	case LIVE:
	case CLEAR:
		return true;
	case FIXED:
		return is_left_alone(h->dev, i);
	case RW:
		return h->layout.raw[i / 8] == VENDOR ||
		       (h->layout.raw[i / 8] == GAP && h->awake);
	default:
		return false;
	}
}

void hostile_move(struct hostile *h, unsigned int i)
{
	u8 bit = 1 << i % 8;

	if (!may_move(h, i))
		return;
	h->dev->bytes[i / 8] ^= bit;
	h->hardware[i / 8] ^= bit;
	if (h->dev->class[i] != FIXED)
		h->user[i / 8] ^= bit;
}
