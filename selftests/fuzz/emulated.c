// SPDX-License-Identifier: GPL-2.0-only
/*
 * The space of a function that does not exist: capabilities that fit or don't, writes, and
 * what of it moves. Of a space that has come from elsewhere the engine says whether its user
 * could have made it like that; whether that is true, trying shows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "emulated.h"
#include "layout.h"
#include "test.h"

/* How often an input may look at all of a space, however little differs */
#define WHOLE	6

struct space {
	unsigned int size;
	struct ferry_config cfg;
	u8 *mem;
	/* bytes that the device sets by itself */
	bool live[MAX_SIZE];
	/* its model has put something into it that no user can */
	bool odd;
};

/* A space could be as it is. */
static void check_own(struct space *s)
{
	unsigned int pm = ferry_config_find_cap(&s->cfg, 0x01);
	u8 own[MAX_SIZE];

	if (s->odd)
		return;
	ferry_config_save(&s->cfg, own);
	CHECK_EQ(ferry_config_verify(&s->cfg, own), 0);
	/* Which states there are is not saved, if the device sets it by itself. */
	if (pm)
		CHECK(layout_power_exists(ferry_config_get8(&s->cfg, pm + 3), own[pm + 4]));
}

static void space_open(struct space *s, struct input *in)
{
	static const u32 flags[] = { 0, 0x1, 0x4, 0xc };
	struct ferry_config_header header = {
		.vendor = 0x4665, .device = 0x1234, .class = 0xff0000,
		.pin = 1,
	};
	unsigned int i;
	u8 kind;

	/* Few are large, for there most of the time goes by where nothing is. */
	header.size = (input_u8(in) & 0xf) == 1 ? 4096 : 256;
	for (i = 0; i < FERRY_CONFIG_NUM_BARS; i++) {
		kind = input_u8(in);
		if (!(kind & 0x80))
			continue;
		header.bars[i].size = 1ULL << (4 + (kind & 0x1f));
		if (i != FERRY_CONFIG_ROM)
			header.bars[i].flags = flags[kind >> 5 & 3];
	}
	memset(s->live, 0, sizeof(s->live));
	s->odd = false;
	s->size = header.size;
	s->mem = malloc(ferry_config_bytes(s->size));
	CHECK_EQ(ferry_config_init_emulated(&s->cfg, s->mem, &header, NULL,
					    NULL), 0);
}

/* Positions in the user's lists grow, so that they end. */
static void check_chains(struct space *s)
{
	unsigned int pos, last;
	u32 header;

	for (pos = ferry_config_get8(&s->cfg, 0x34), last = 0x3c; pos;
	     last = pos, pos = ferry_config_get8(&s->cfg, pos + 1))
		CHECK(pos > last && !(pos & 3));
	if (s->size == 256)
		return;
	for (pos = 0x100, last = 0; pos; last = pos, pos = header >> 20) {
		CHECK(pos > last && !(pos & 3));
		header = ferry_config_get32(&s->cfg, pos);
	}
}

/* What was asked for is there, but for bits that always begin as zero. */
static void check_body(const u8 *is, const u8 *body, size_t len)
{
	while (len--)
		CHECK(!(*is++ & ~*body++));
}

/* Errors that stand in AER, more MSI vectors enabled than there are, a power state likewise */
static bool is_odd(bool ext, u16 id, const u8 *body, size_t len)
{
	if (ext)
		return id == 0x01 && len;
	if (id == 0x05)
		return len && (body[0] >> 4 & 7) > (body[0] >> 1 & 7);
	return id == 0x01 && len > 2 && !layout_power_exists(body[1], body[2]);
}

static void add_cap(struct space *s, struct input *in)
{
	u8 choice = input_u8(in), body[64], new[MAX_SIZE], *old;
	unsigned int end = choice & 1 ? s->size : 0x100;
	size_t bytes = ferry_config_bytes(s->size), len;
	u16 id = input_u8(in) & 0x3f;
	int ret;

	len = input_u8(in) % sizeof(body);
	input_bytes(in, body, len);
	old = malloc(bytes);
	memcpy(old, s->mem, bytes);
	if (choice & 1)
		ret = ferry_config_add_ext_cap(&s->cfg, id, choice >> 4, body,
					       len);
	else
		ret = ferry_config_add_cap(&s->cfg, id, body, len);
	if (ret < 0) {
		CHECK(ret == -EINVAL || ret == -ENOSPC);
		CHECK(!memcmp(old, s->mem, bytes));
	} else {
		unsigned int head = choice & 1 ? 4 : 2;

		ferry_config_save(&s->cfg, new);
		CHECK(ret >= (choice & 1 ? 0x100 : 0x40));
		CHECK(ret + head + len <= end);
		CHECK_EQ(new[ret], id);
		check_body(new + ret + head, body, len);
		s->odd |= is_odd(choice & 1, id, body, len);
	}
	free(old);
	check_chains(s);
}

/* Where it differs from what is there, but for what the device itself sets. */
static bool is_like(struct space *s, const u8 *wanted)
{
	u8 is[MAX_SIZE];
	unsigned int i;

	ferry_config_save(&s->cfg, is);
	for (i = 0; i < s->size; i++)
		if (!s->live[i] && is[i] != wanted[i])
			return false;
	return true;
}

/* The engine's answer to "could it be like this?", and the truth */
static void move_in(struct space *s, struct input *in)
{
	size_t bytes = ferry_config_bytes(s->size);
	u8 wanted[MAX_SIZE], *old = malloc(bytes);
	unsigned int n;
	int ret;

	ferry_config_save(&s->cfg, wanted);
	for (n = input_u8(in) & 7; n; n--) {
		unsigned int off = input_u16(in) % s->size;

		wanted[off] = input_u8(in);
	}
	memcpy(old, s->mem, bytes);
	ret = ferry_config_verify(&s->cfg, wanted);
	CHECK(!memcmp(old, s->mem, bytes));
	CHECK_EQ(ferry_config_write(&s->cfg, 0, wanted, s->size), 0);
	CHECK_EQ(ret == 0, is_like(s, wanted));
	CHECK(ret == 0 || ret == -EINVAL ||
	      (ret > 0 && (unsigned int)ret < s->size));
	if (ret)
		memcpy(s->mem, old, bytes);
	free(old);
}

/* Nothing but what is written to changes, and of the header not who it is. */
static void do_write(struct space *s, struct input *in)
{
	unsigned int off = input_u16(in) % (s->size + 8), len, end;
	u8 data[16], old[MAX_SIZE];
	int ret;

	len = 1 + input_u8(in) % sizeof(data);
	input_bytes(in, data, len);
	memcpy(old, s->cfg.value, s->size);
	ret = ferry_config_write(&s->cfg, off, data, len);
	CHECK_EQ(ret, off + len > s->size ? -EFAULT : 0);
	if (off > s->size)
		off = s->size;
	end = ret ? off : off + len;
	CHECK(!memcmp(s->cfg.value, old, off));
	CHECK(!memcmp(s->cfg.value + end, old + end, s->size - end));
	CHECK_EQ(ferry_config_get32(&s->cfg, 0), 0x12344665);
	check_chains(s);
}

static void do_read(struct space *s, struct input *in)
{
	unsigned int off = input_u16(in) % (s->size + 8), i;
	unsigned int len = 1 + input_u8(in) % 16;
	u8 buf[17], byte;
	int ret;

	buf[len] = 0x5c;
	ret = ferry_config_read(&s->cfg, off, buf, len);
	CHECK_EQ(ret, off + len > s->size ? -EFAULT : 0);
	CHECK_EQ(buf[len], 0x5c);
	for (i = 0; !ret && i < len; i++) {
		CHECK_EQ(ferry_config_read(&s->cfg, off + i, &byte, 1), 0);
		CHECK_EQ(byte, buf[i]);
		CHECK_EQ(ferry_config_get8(&s->cfg, off + i), byte);
	}
}

/* Afterwards everything that the user could change is what a new user finds. */
static void do_reset(struct space *s)
{
	u8 line = ferry_config_get8(&s->cfg, 0x3c), once[MAX_SIZE];
	unsigned int exp = ferry_config_find_cap(&s->cfg, 0x10);

	ferry_config_reset(&s->cfg);
	CHECK_EQ(ferry_config_get8(&s->cfg, 0x3c), line);
	CHECK_EQ(ferry_config_get16(&s->cfg, 0x04), 0);
	/* PCIe section 7.5.3.4: relaxed ordering, no snoop, reads of 512 bytes */
	if (exp)
		CHECK_EQ(ferry_config_get16(&s->cfg, exp + 8), 0x2810);
	ferry_config_save(&s->cfg, once);
	check_own(s);
	ferry_config_reset(&s->cfg);
	CHECK(is_like(s, once));
}

static void set_live(struct space *s, struct input *in)
{
	unsigned int width = 1 << input_u8(in) % 3;
	unsigned int off = input_u16(in) % s->size & ~(width - 1);

	ferry_config_set_live(&s->cfg, off, width);
	memset(s->live + off, 1, width);
}

/**
 * emulated_function - put a space together and use it, as the input says
 * @in: the input
 */
void emulated_function(struct input *in)
{
	static struct space s;
	unsigned int n, whole = 0;

	space_open(&s, in);
	/* Nobody sees it before it is complete. */
	for (n = input_u8(in) & 0xf; n; n--)
		add_cap(&s, in);
	check_own(&s);
	for (n = 0; in->left && n < 64; n++) {
		switch (input_u8(in) % 6) {
		case 0:
		case 1:
			if (whole++ < WHOLE)
				move_in(&s, in);
			break;
		case 2:
			do_read(&s, in);
			break;
		case 3:
			if (whole++ < WHOLE)
				do_reset(&s);
			break;
		case 4:
			set_live(&s, in);
			break;
		default:
			do_write(&s, in);
		}
	}
	check_own(&s);
	free(s.mem);
}
