// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration space of a hostile device, under a hostile user: what is read is what a
 * second opinion says (hostile.c), nothing is written that is not the user's, and the
 * work for a call is bounded.
 *
 * The input is the device, and what happens then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "emulated.h"
#include "hostile.h"
#include "test.h"

#define CANARY	0x5c

enum action {
	READ, WRITE, MOVE, VECTORS, REFRESH, FAIL_READ, FAIL_WRITE, REFUSE,
	FIND, OWNER, WRITE_DWORD, READ_ALL, FILL, NR_ACTIONS
};

/* Mostly where something is, and sometimes where nothing can be. */
static u64 any_offset(struct hostile *h, struct input *in)
{
	unsigned int at = input_u16(in), cap = input_u8(in);
	const struct layout *layout = &h->layout;

	if (cap == 0xff)
		return (u64)at << 50 | at;
	if (cap & 0x80 && layout->count)
		return layout->pos[(cap & 0x7f) % layout->count] + at % 32;
	return at % (h->dev->size + 8);
}

static unsigned int accesses(const struct device *dev)
{
	return dev->reads + dev->writes;
}

/* Bytes that hardware was asked for all lie in what the user wants to know. */
static void check_asked(const struct device *dev, unsigned int off,
			unsigned int len)
{
	if (!dev->reads)
		return;
	CHECK(dev->first_read >= off);
	CHECK(dev->end_read <= off + len);
}

static void forget_asked(struct device *dev)
{
	dev->reads = 0;
	dev->writes = 0;
}

static bool inside(const struct device *dev, u64 off, size_t len)
{
	return off <= dev->size && len <= dev->size - off;
}

/* Memory answers alike, if it answers. */
static void check_peek(struct hostile *h, unsigned int off, unsigned int len)
{
	u32 word = 0;

	if ((len != 1 && len != 2 && len != 4) || off % len)
		return;
	if (ferry_config_peek(&h->dev->cfg, off, &word, len))
		CHECK(!memcmp(&word, h->user + off, len));
}

/* The first byte that is wrong, below its offset */
static void check_seen(const struct hostile *h, unsigned int off, const u8 *buf,
		       size_t len)
{
	size_t i;

	if (!memcmp(buf, h->user + off, len))
		return;
	for (i = 0; buf[i] == h->user[off + i]; i++)
		;
	CHECK_EQ((off + i) << 8 | buf[i], (off + i) << 8 | h->user[off + i]);
}

static void do_read(struct hostile *h, u64 off, size_t len)
{
	struct device *dev = h->dev;
	static u8 buf[MAX_SIZE + 16];
	bool failing = dev->fail_read;
	int ret;

	forget_asked(dev);
	buf[0] = CANARY;
	buf[len] = CANARY;
	ret = ferry_config_read(&dev->cfg, off, buf, len);
	CHECK_EQ(dev->writes, 0);
	CHECK_EQ(buf[len], CANARY);
	if (!inside(dev, off, len)) {
		CHECK_EQ(ret, -EFAULT);
		CHECK_EQ(dev->reads, 0);
		CHECK_EQ(buf[0], CANARY);
		return;
	}
	check_asked(dev, off, len);
	CHECK(dev->reads <= len / 4 + 6);
	if (failing && !dev->fail_read) {
		CHECK_EQ(ret, -EIO);
		return;
	}
	CHECK_EQ(ret, 0);
	check_seen(h, off, buf, len);
	if (off < dev->size)
		check_peek(h, off, len);
}

/* The same in pieces of any size */
static void read_pieces(struct hostile *h, struct input *in, unsigned int off,
			unsigned int len)
{
	unsigned int piece;

	for (; len; off += piece, len -= piece) {
		piece = 1 + input_u8(in) % 7;
		if (piece > len)
			piece = len;
		do_read(h, off, piece);
	}
}

/* Each bit of @now is as in @old or in @new; what it is then is believed. */
static void check_between(u8 *now, const u8 *old, const u8 *new,
			  unsigned int len)
{
	unsigned int i, neither = 0;

	for (i = 0; i < len; i++)
		neither |= (now[i] ^ old[i]) & (now[i] ^ new[i]);
	CHECK(!neither);
}

/* No gap is answered from memory. */
static bool gaps_are_asked(const struct hostile *h)
{
	unsigned int i;
	u32 word;

	for (i = 0; i < h->dev->size; i++)
		if (h->layout.raw[i] == GAP &&
		    ferry_config_peek(&h->dev->cfg, i, &word, 1))
			return false;
	return true;
}

/* A write that has failed may have got anywhere, but nowhere else. */
static void settle_for(struct hostile *h, const struct hostile *old)
{
	struct device *dev = h->dev;
	u8 buf[MAX_SIZE];

	dev->fail_read = 0;
	dev->fail_write = 0;
	if (h->awake && !old->awake)
		h->awake = gaps_are_asked(h);
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, dev->size), 0);
	check_between(dev->bytes, old->hardware, h->hardware, dev->size);
	memcpy(h->hardware, dev->bytes, dev->size);
	check_between(buf, old->user, h->user, dev->size);
	memcpy(h->user, buf, dev->size);
	h->command = ferry_config_get16(&dev->cfg, 0x04);
}

/* How often it goes well yet, of accesses and announcements */
struct faults {
	unsigned int read;
	unsigned int write;
	unsigned int refuse;
};

static struct faults faults_of(const struct hostile *h)
{
	return (struct faults) {
		h->dev->fail_read, h->dev->fail_write, h->refuse
	};
}

/* What has happened meanwhile, which its user is told */
static int failure(const struct hostile *h, const struct faults *before)
{
	if (before->refuse && !h->refuse)
		return -EPERM;
	if ((before->read && !h->dev->fail_read) ||
	    (before->write && !h->dev->fail_write))
		return -EIO;
	return 0;
}

static void do_write(struct hostile *h, u64 off, const u8 *data, size_t len)
{
	static struct hostile old;
	struct device *dev = h->dev;
	struct faults faults = faults_of(h);
	int ret;

	forget_asked(dev);
	h->befores = 0;
	h->afters = 0;
	h->events = 0;
	old = *h;
	ret = ferry_config_write(&dev->cfg, off, data, len);
	CHECK_EQ(h->befores, h->afters);
	if (!inside(dev, off, len)) {
		CHECK_EQ(ret, -EFAULT);
		CHECK_EQ(accesses(dev), 0);
		return;
	}
	CHECK(accesses(dev) <= 3 * len);
	check_asked(dev, off & ~3, ((off + len + 3) & ~3) - (off & ~3));
	CHECK_EQ(ret, failure(h, &faults));
	hostile_expect_write(h, off, data, len);
	if (ret) {
		settle_for(h, &old);
		return;
	}
	CHECK(!memcmp(dev->bytes, h->hardware, dev->size));
	CHECK_EQ(h->events, h->expected);
	CHECK_EQ(ferry_config_get16(&dev->cfg, 0x04), h->command);
}

/* All of a capability, with the same everywhere */
static void fill(struct hostile *h, struct input *in)
{
	const struct layout *layout = &h->layout;
	unsigned int i = input_u8(in), off;
	u8 data[4];

	input_bytes(in, data, sizeof(data));
	if (!layout->count)
		return;
	i %= layout->count;
	for (off = 0; off < layout->len[i]; off += sizeof(data))
		do_write(h, layout->pos[i] + off, data, sizeof(data));
}

static void do_refresh(struct hostile *h)
{
	static struct hostile old;
	struct device *dev = h->dev;
	struct faults faults = faults_of(h);
	int ret;

	forget_asked(dev);
	old = *h;
	ret = ferry_config_refresh(&dev->cfg);
	CHECK_EQ(ret, failure(h, &faults));
	CHECK_EQ(dev->writes, 0);
	CHECK(dev->reads <= dev->size / 4);
	hostile_expect_refresh(h);
	if (ret)
		settle_for(h, &old);
}

static void set_vectors(struct hostile *h, unsigned int vectors)
{
	unsigned int msi = h->layout.msi;

	forget_asked(h->dev);
	ferry_config_set_msi(&h->dev->cfg, vectors);
	CHECK_EQ(accesses(h->dev), 0);
	h->vectors = vectors;
	if (msi && !vectors)
		h->user[msi + 2] &= ~0x71;
}

static unsigned int first_of(const struct layout *layout, u16 id, bool ext)
{
	unsigned int i;

	for (i = 0; i < layout->count; i++)
		if (layout->id[i] == id && layout->pos[i] >= 0x100 == ext)
			return layout->pos[i];
	return 0;
}

static void find(struct hostile *h, u16 id)
{
	const struct layout *layout = &h->layout;
	struct ferry_config *cfg = &h->dev->cfg;

	/* 0 is none, and what stands for a hidden one */
	if (id > 0xff || !id)
		return;
	CHECK_EQ(ferry_config_find_cap(cfg, id), first_of(layout, id, false));
	CHECK_EQ(ferry_config_find_ext_cap(cfg, id),
		 first_of(layout, id, true));
}

static void owner_of(struct hostile *h, unsigned int off)
{
	const struct layout *layout = &h->layout;
	struct ferry_config_owner owner;
	unsigned int i;

	off %= h->dev->size;
	ferry_config_owner(&h->dev->cfg, off, &owner);
	CHECK(owner.name);
	CHECK(owner.length);
	CHECK(off >= owner.offset && off < owner.offset + owner.length);
	CHECK(owner.offset + owner.length <= h->dev->size);
	for (i = 0; i < layout->count; i++) {
		/* Of an empty list nothing is left. */
		if (!layout->id[i] || off < layout->pos[i] ||
		    off >= layout->pos[i] + layout->len[i])
			continue;
		CHECK_EQ(owner.offset, layout->pos[i]);
	}
	/* It ends where another one that can be seen begins. */
	for (i = 0; i < layout->count; i++)
		CHECK(layout->pos[i] <= owner.offset ||
		      layout->pos[i] >= owner.offset + owner.length);
}

static void act(struct hostile *h, struct input *in)
{
	enum action action = input_u8(in) % NR_ACTIONS;
	u64 off = any_offset(h, in);
	size_t len = 1 + input_u8(in) % 16;
	u8 data[16];

	switch (action) {
	case READ:
		do_read(h, off, len);
		break;
	case WRITE:
		input_bytes(in, data, len);
		do_write(h, off, data, len);
		break;
	case WRITE_DWORD:
		input_bytes(in, data, 4);
		do_write(h, off & ~3ULL, data, 4);
		break;
	case MOVE:
		hostile_move(h, off % h->dev->size * 8 + len % 8);
		break;
	case VECTORS:
		set_vectors(h, 4 * len & 0x3f);
		break;
	case REFRESH:
		do_refresh(h);
		break;
	case FAIL_READ:
		h->dev->fail_read = len;
		break;
	case FAIL_WRITE:
		h->dev->fail_write = len;
		break;
	case REFUSE:
		h->refuse = len;
		break;
	case FIND:
		find(h, off);
		break;
	case OWNER:
		owner_of(h, off);
		break;
	case FILL:
		fill(h, in);
		break;
	default:
		h->dev->fail_read = 0;
		do_read(h, 0, h->dev->size);
		read_pieces(h, in, off % h->dev->size,
			    h->dev->size - off % h->dev->size);
	}
}

static void real_function(struct input *in)
{
	static struct hostile h;
	unsigned int n;

	hostile_open(&h, in);
	do_read(&h, 0, h.dev->size);
	for (n = 0; in->left && n < 64; n++)
		act(&h, in);
	h.dev->fail_read = 0;
	do_read(&h, 0, h.dev->size);
	hostile_close(&h);
}

int try_input(const u8 *data, size_t size)
{
	struct input in = { data, size };

	if (input_u8(&in) % 4)
		real_function(&in);
	else
		emulated_function(&in);
	return 0;
}
