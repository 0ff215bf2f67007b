// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capability lists: of honest functions, and of those that lie.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "test.h"

#define MAX_CAPS 1024
#define EXT_SAMPLER_CHAIN \
	"0@100 b@200 b@220 23@260 d@2a0 f@2b0 4@2c0 18@2d0 13@2f0 2@300 15@340 16@350 17@370 12@390"

static unsigned int ids[MAX_CAPS], offs[MAX_CAPS];

static void expect_chain(struct device *dev, const char *want)
{
	unsigned int count = user_chain(dev, ids, offs, MAX_CAPS);
	char got[1024] = "", one[16];
	unsigned int i;

	for (i = 0; i < count && i < 48; i++) {
		sprintf(one, "%s%x@%x", i ? " " : "", ids[i], offs[i]);
		strcat(got, one);
	}
	if (strcmp(got, want)) {
		printf("# the list is \"%s\"\n", got);
		CHECK_EQ(strcmp(got, want), 0);
	}
}

static void expect_ext_chain(struct device *dev, const char *want)
{
	unsigned int count = user_ext_chain(dev, ids, offs, MAX_CAPS);
	char got[1024] = "", one[16];
	unsigned int i;

	for (i = 0; i < count && i < 64; i++) {
		sprintf(one, "%s%x@%x", i ? " " : "", ids[i], offs[i]);
		strcat(got, one);
	}
	if (strcmp(got, want)) {
		printf("# the extended list is \"%s\"\n", got);
		CHECK_EQ(strcmp(got, want), 0);
	}
}

/* Every byte can be read and written, and every offset has an owner. */
static void exercise(struct device *dev)
{
	struct ferry_config_owner owner;
	unsigned int off;
	u8 buf[MAX_SIZE];

	CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, dev->size), 0);
	for (off = 0; off < dev->size; off++) {
		ferry_config_owner(&dev->cfg, off, &owner);
		CHECK(owner.offset <= off);
		CHECK(off < owner.offset + owner.length);
		CHECK(owner.offset + owner.length <= dev->size);
		CHECK(owner.name);
	}
	memset(buf, 0xff, sizeof(buf));
	CHECK_EQ(ferry_config_write(&dev->cfg, 0, buf, dev->size), 0);
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, dev->size), 0);
	CHECK_EQ(ferry_config_refresh(&dev->cfg), 0);
	CHECK(user_chain(dev, ids, offs, MAX_CAPS) < MAX_CAPS);
	/* Without a list, the user has just filled the place. */
	ferry_config_owner(&dev->cfg, 0x100, &owner);
	if (strcmp(owner.name, "gap"))
		CHECK(user_ext_chain(dev, ids, offs, MAX_CAPS) < MAX_CAPS);
	ferry_config_find_cap(&dev->cfg, 0xee);
	ferry_config_find_ext_cap(&dev->cfg, 0xeeee);
	ferry_config_set_msi(&dev->cfg, 32);
	device_free(dev);
}

static void golden(void)
{
	struct device *dev = device_nvme();

	device_must_open(dev);
	expect_chain(dev, "11@40 10@80 1@60");
	expect_ext_chain(dev, "e@100 10@120");
	CHECK_EQ(user_read(dev, 0x00, 4), 0x00101b36);
	CHECK_EQ(user_read(dev, 0x10, 4), 0x00000004);
	CHECK_EQ(user_read(dev, 0x14, 4), 0x18);
	CHECK_EQ(user_read(dev, 0x42, 2), 0x0040);
	CHECK_EQ(user_read(dev, 0x84, 4), 0x10008fc1);
	CHECK_EQ(user_read(dev, 0x62, 2), 0x0603);
	exercise(dev);

	dev = device_igb();
	device_must_open(dev);
	expect_chain(dev, "1@40 5@50 11@70 10@a0");
	expect_ext_chain(dev, "1@100 3@140 e@150 10@160");
	CHECK_EQ(user_read(dev, 0x50, 4), 0x01807005);
	CHECK_EQ(user_read(dev, 0x100, 4), 0x14010001);
	exercise(dev);

	dev = device_e1000e();
	device_must_open(dev);
	expect_chain(dev, "1@c8 5@d0 10@e0 11@a0");
	expect_ext_chain(dev, "1@100 3@140");
	CHECK_EQ(user_read(dev, 0x3c, 4), 0x0403010b);
	exercise(dev);

	dev = device_edu();
	device_must_open(dev);
	expect_chain(dev, "5@40");
	exercise(dev);

	dev = device_sampler();
	device_must_open(dev);
	expect_chain(dev,
		     "3@40 9@60 13@58 7@70 12@88 8@98 2@b4 9@c0 9@c8 5@d4");
	exercise(dev);

	dev = device_ext_sampler();
	device_must_open(dev);
	expect_chain(dev, "10@60");
	expect_ext_chain(dev, EXT_SAMPLER_CHAIN);
	exercise(dev);
}

static void owners(void)
{
	static const struct {
		u16 off, pos, len, id;
		const char *name;
	} want[] = {
		{ 0x00, 0x00, 64, 0x00, "header" },
		{ 0x3f, 0x00, 64, 0x00, "header" },
		{ 0x43, 0x40, 8, 0x03, "vpd" },
		{ 0x54, 0x54, 1, 0x00, "gap" },
		{ 0x5d, 0x58, 6, 0x13, "af" },
		{ 0xc7, 0xc0, 8, 0x09, "vendor" },
		{ 0xc8, 0xc8, 9, 0x09, "vendor" },
		{ 0xd1, 0xd1, 1, 0x00, "gap" },
		{ 0xe7, 0xd4, 20, 0x05, "msi" },
		{ 0xff, 0xff, 1, 0x00, "gap" },
		{ 0x100, 0x100, 1, 0x00, "gap" },
	};
	struct device *dev = device_sampler();
	struct ferry_config_owner owner;
	unsigned int i;

	device_must_open(dev);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		ferry_config_owner(&dev->cfg, want[i].off, &owner);
		CHECK_EQ(owner.offset, want[i].pos);
		CHECK_EQ(owner.length, want[i].len);
		CHECK_EQ(owner.id, want[i].id);
		CHECK_EQ(strcmp(owner.name, want[i].name), 0);
	}
	CHECK_EQ(ferry_config_find_cap(&dev->cfg, 0x09), 0x60);
	CHECK_EQ(ferry_config_find_cap(&dev->cfg, 0x0d), 0);
	device_free(dev);

	dev = device_ext_sampler();
	device_must_open(dev);
	ferry_config_owner(&dev->cfg, 0x223, &owner);
	CHECK_EQ(owner.offset, 0x220);
	CHECK_EQ(owner.length, 0x18);
	CHECK_EQ(owner.id, 0x0b);
	CHECK_EQ(ferry_config_find_ext_cap(&dev->cfg, 0x23), 0x260);
	CHECK_EQ(ferry_config_find_ext_cap(&dev->cfg, 0x1b), 0);
	device_free(dev);
}

/* Each kind of capability says in its own way how long it is. */
static void measured(void)
{
	static const struct {
		u16 pos, id, off, len;
		u32 val;
	} want[] = {
		/* MSI: 64 bits, masks */
		{ 0x40, 0x05, 2, 10, 0x0000 }, { 0x40, 0x05, 2, 14, 0x0080 },
		{ 0x40, 0x05, 2, 20, 0x0100 }, { 0x40, 0x05, 2, 24, 0x0180 },
		/* PCI-X: version */
		{ 0x40, 0x07, 2, 8, 0x0000 }, { 0x40, 0x07, 2, 24, 0x1000 },
		{ 0x40, 0x07, 2, 24, 0x2000 },
		/* HyperTransport: primary, host, others */
		{ 0x40, 0x08, 2, 28, 0x1f00 }, { 0x40, 0x08, 2, 24, 0x2000 },
		{ 0x40, 0x08, 2, 24, 0xa800 },
		/* Vendor */
		{ 0x40, 0x09, 2, 3, 3 }, { 0x40, 0x09, 2, 17, 17 },
		/* PCIe: version, kind of function */
		{ 0x40, 0x10, 2, 20, 0x0001 }, { 0x40, 0x10, 2, 12, 0x0091 },
		{ 0x40, 0x10, 2, 52, 0x0002 }, { 0x40, 0x10, 2, 44, 0x0092 },
		{ 0x40, 0x10, 2, 52, 0x00a2 },
		/* SATA: registers in place */
		{ 0x40, 0x12, 4, 16, 0x0f }, { 0x40, 0x12, 4, 8, 0xf4 },
		/* VC: channels, phases */
		{ 0x100, 0x02, 4, 0x1c, 0 }, { 0x100, 0x02, 4, 0x70, 7 },
		{ 0x100, 0x08, 8, 0x30, 2 }, { 0x100, 0x09, 8, 0x40, 4 },
		{ 0x100, 0x02, 8, 0x60, 8 },
		/* VSEC, DVSEC */
		{ 0x100, 0x0b, 4, 0x24, 0x02400000 },
		{ 0x100, 0x23, 4, 0x30, 0x03000000 },
		/* ACS: egress vector */
		{ 0x100, 0x0d, 4, 8, 0x2100 }, { 0x100, 0x0d, 4, 40, 0x0020 },
		{ 0x100, 0x0d, 4, 12, 0x0120 }, { 0x100, 0x0d, 4, 12, 0x2020 },
		{ 0x100, 0x0d, 4, 16, 0x2120 },
		/* Resizable BAR, DPA, TPH */
		{ 0x100, 0x15, 8, 12, 0x20 }, { 0x100, 0x15, 8, 52, 0xc0 },
		{ 0x100, 0x16, 4, 17, 0 }, { 0x100, 0x16, 4, 48, 31 },
		{ 0x100, 0x17, 4, 12, 0x00050400 },
		{ 0x100, 0x17, 4, 14, 0x00000200 },
		{ 0x100, 0x17, 4, 140, 0x003f0200 },
	};
	struct ferry_config_owner owner;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		struct device *dev = device_new(4096, 1, 1);
		bool ext = want[i].pos >= 0x100;

		if (ext) {
			device_put(dev, 0x100, 4, want[i].id | 0x10000);
		} else {
			cap_first(dev, want[i].pos);
			device_put(dev, want[i].pos, 1, want[i].id);
		}
		device_put(dev, want[i].pos + want[i].off, ext ? 4 : 2,
			   want[i].val);
		device_must_open(dev);
		ferry_config_owner(&dev->cfg, want[i].pos, &owner);
		CHECK_EQ(owner.id, want[i].id);
		CHECK_EQ(owner.length, want[i].len);
		device_free(dev);
	}
}

/* Neighbours of one kind: each has its own header and its own pointer. */
static void abutting_twins(void)
{
	struct device *dev = device_sampler();

	device_must_open(dev);
	user_write(dev, 0xc8, 2, 0xffff);
	CHECK_EQ(user_read(dev, 0xc8, 2), 0xd409);
	user_write(dev, 0xca, 2, 0xbeef);
	CHECK_EQ(device_get(dev, 0xca, 2), 0xbeef);
	device_free(dev);
}

static void no_list(void)
{
	struct device *dev = device_edu();

	/* A pointer, but no bit in STATUS that says so */
	device_put(dev, 0x06, 2, 0);
	device_must_open(dev);
	expect_chain(dev, "");
	CHECK_EQ(user_read(dev, 0x34, 1), 0);
	/* What would be the message address is a gap like any other. */
	user_write(dev, 0x44, 4, 0x1234);
	CHECK_EQ(dev->writes, 1);
	exercise(dev);

	/* Nothing in the list is shown. */
	dev = device_new(256, 1, 1);
	cap_first(dev, 0x40);
	cap_hidden(dev, 0x40, 0x50, 0x0d);
	cap_hidden(dev, 0x50, 0, 0x77);
	device_must_open(dev);
	CHECK_EQ(user_read(dev, 0x06, 2) & 0x10, 0);
	CHECK_EQ(user_read(dev, 0x34, 1), 0);
	exercise(dev);

	dev = device_new(4096, 1, 1);
	ext_hidden(dev, 0x100, 0x140, 0x1b);
	ext_hidden(dev, 0x140, 0, 0x1e);
	device_must_open(dev);
	CHECK_EQ(user_read(dev, 0x100, 4), 0);
	exercise(dev);
}

static void loops(void)
{
	struct device *dev = device_igb();

	/* Back to the first one */
	device_put(dev, 0xa1, 1, 0x40);
	device_put(dev, 0x160, 4, 0x0010 | 1 << 16 | 0x100 << 20);
	device_must_open(dev);
	expect_chain(dev, "1@40 5@50 11@70 10@a0");
	expect_ext_chain(dev, "1@100 3@140 e@150 10@160");
	exercise(dev);

	/* To itself */
	dev = device_igb();
	device_put(dev, 0x51, 1, 0x50);
	device_put(dev, 0x140, 4, 0x0003 | 1 << 16 | 0x140 << 20);
	device_must_open(dev);
	expect_chain(dev, "1@40 5@50");
	expect_ext_chain(dev, "1@100 3@140");
	exercise(dev);

	/* A hidden one that leads back */
	dev = device_new(4096, 1, 1);
	cap_first(dev, 0x40);
	cap_pm(dev, 0x40, 0x50);
	cap_hidden(dev, 0x50, 0x40, 0x0d);
	ext_hidden(dev, 0x100, 0x100, 0x1b);
	device_must_open(dev);
	expect_chain(dev, "1@40");
	CHECK_EQ(user_read(dev, 0x100, 4), 0);
	exercise(dev);
}

static void bad_pointers(void)
{
	struct device *dev = device_igb();

	/* Into the header, of either space */
	device_put(dev, 0x51, 1, 0x10);
	device_put(dev, 0x140, 4, 0x0003 | 1 << 16 | 0x40 << 20);
	device_must_open(dev);
	expect_chain(dev, "1@40 5@50");
	expect_ext_chain(dev, "1@100 3@140");
	CHECK_EQ(user_read(dev, 0x51, 1), 0);
	user_write(dev, 0x10, 4, ~0U);
	CHECK_EQ(dev->writes, 0);
	exercise(dev);

	/* Reserved low bits are ignored. */
	dev = device_igb();
	device_put(dev, 0x34, 1, 0x43);
	device_put(dev, 0x41, 1, 0x52);
	device_put(dev, 0x100, 4, 0x0001 | 1 << 16 | 0x142U << 20);
	device_must_open(dev);
	expect_chain(dev, "1@40 5@50 11@70 10@a0");
	expect_ext_chain(dev, "1@100 3@140 e@150 10@160");
	CHECK_EQ(user_read(dev, 0x34, 1), 0x40);
	CHECK_EQ(user_read(dev, 0x41, 1), 0x50);
	exercise(dev);

	/* First pointer into the header */
	dev = device_edu();
	device_put(dev, 0x34, 1, 0x3c);
	device_must_open(dev);
	expect_chain(dev, "");
	exercise(dev);
}

/* A vendor's length at the end of the space, and over its neighbour */
static void long_lengths(void)
{
	struct device *dev = device_new(4096, 1, 1);
	struct ferry_config_owner owner;
	u32 chain;

	cap_first(dev, 0xfc);
	cap_vndr(dev, 0xfc, 0, 4);
	device_put(dev, 0xfe, 1, 255);
	device_put(dev, 0x100, 4, 0x0003 | 1 << 16);
	device_must_open(dev);
	expect_chain(dev, "9@fc");
	chain = user_read(dev, 0x100, 4);
	user_write(dev, 0x100, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x100, 4), chain);
	CHECK_EQ(user_read(dev, 0xfe, 1), 0xff);
	exercise(dev);

	dev = device_new(256, 1, 1);
	cap_first(dev, 0x40);
	cap_vndr(dev, 0x40, 0x50, 8);
	device_put(dev, 0x42, 1, 255);
	cap_msi(dev, 0x50, 0x48, 0x0080);
	cap_vndr(dev, 0x48, 0, 200);
	/* cap_vndr() wrote over it. */
	cap_msi(dev, 0x50, 0x48, 0x0080);
	device_must_open(dev);
	expect_chain(dev, "9@40 5@50 9@48");
	ferry_config_owner(&dev->cfg, 0x44, &owner);
	CHECK_EQ(owner.length, 8);
	ferry_config_owner(&dev->cfg, 0x4b, &owner);
	CHECK_EQ(owner.offset, 0x48);
	CHECK_EQ(owner.length, 8);
	/* The message is still virtual. */
	user_write(dev, 0x54, 4, 0x12340000);
	CHECK_EQ(dev->writes, 0);
	CHECK_EQ(user_read(dev, 0x54, 4), 0x12340000);
	exercise(dev);

	dev = device_new(4096, 1, 1);
	ext_vsec(dev, 0x100, 0x140, 0x40);
	device_put(dev, 0x104, 4, 0xfff00001);
	ext_dvsec(dev, 0x140, 0x180, 0x40);
	device_put(dev, 0x144, 4, 0xfff08086);
	ext_aer(dev, 0x180, 0xff8);
	ext_vsec(dev, 0xff8, 0, 8);
	device_put(dev, 0xffc, 4, 0xfff00001);
	device_must_open(dev);
	expect_ext_chain(dev, "b@100 23@140 1@180 b@ff8");
	user_write(dev, 0x180, 4, ~0U);
	CHECK_EQ(dev->writes, 0);
	exercise(dev);
}

/* What is too short to hold its own registers is not shown. */
static void short_lengths(void)
{
	unsigned int len;

	for (len = 0; len < 3; len++) {
		struct device *dev = device_new(256, 1, 1);

		cap_first(dev, 0x40);
		cap_vndr(dev, 0x40, 0x50, 16);
		device_put(dev, 0x42, 1, len);
		cap_pm(dev, 0x50, 0);
		device_must_open(dev);
		expect_chain(dev, "1@50");
		exercise(dev);
	}
	for (len = 0; len < 8; len++) {
		struct device *dev = device_new(4096, 1, 1);

		ext_fixed(dev, 0x100, 0x110, 0x0003, 12, false);
		ext_vsec(dev, 0x110, 0x120, 16);
		device_put(dev, 0x114, 4, len << 20);
		ext_dvsec(dev, 0x120, 0x130, 16);
		device_put(dev, 0x124, 4, len << 20);
		ext_fixed(dev, 0x130, 0, 0x000e, 8, false);
		device_must_open(dev);
		expect_ext_chain(dev, "3@100 e@130");
		exercise(dev);
	}
}

/* A capability that begins inside another one, or at the very end */
static void truncated(void)
{
	struct device *dev = device_new(4096, 1, 1);

	cap_first(dev, 0xfc);
	device_put(dev, 0xfc, 4, 0x80000003 | 0x40 << 8);
	/* PM is cut off by a VPD in its middle. */
	device_put(dev, 0x40, 4, 0x00034401);
	device_put(dev, 0x44, 4, 0x80005003);
	/* PCIe cut off behind DEVSTA is still of use. */
	device_put(dev, 0x50, 4, 0x00025c10);
	device_put(dev, 0x54, 4, 0x10008000);
	device_put(dev, 0x5c, 4, 0x00026c11);
	device_put(dev, 0x6c, 4, 0x00800005);
	device_must_open(dev);
	expect_chain(dev, "3@44 10@50 11@5c 5@6c");
	CHECK_EQ(user_read(dev, 0x34, 1), 0x44);
	exercise(dev);
}

static void all_ones(void)
{
	struct device *dev = device_new(4096, 1, 1);
	u8 buf[MAX_SIZE];
	unsigned int i;

	memset(dev->bytes, 0xff, dev->size);
	device_must_open(dev);
	expect_chain(dev, "");
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, dev->size), 0);
	for (i = 0x40; i < dev->size; i++)
		CHECK_EQ(buf[i], 0xff);
	CHECK_EQ(ferry_config_find_ext_cap(&dev->cfg, 0xffff), 0);
	exercise(dev);

	dev = device_new(256, 1, 1);
	memset(dev->bytes, 0xff, dev->size);
	device_must_open(dev);
	exercise(dev);
}

static void all_zero(void)
{
	struct device *dev = device_new(4096, 0, 0);

	memset(dev->bytes, 0, dev->size);
	device_must_open(dev);
	expect_chain(dev, "");
	exercise(dev);
}

/* A function that leaves the bus keeps the list with which it was opened. */
static void gone(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	memset(dev->bytes, 0xff, dev->size);
	expect_chain(dev, "1@40 5@50 11@70 10@a0");
	expect_ext_chain(dev, "1@100 3@140 e@150 10@160");
	CHECK_EQ(ferry_config_refresh(&dev->cfg), 0);
	expect_chain(dev, "1@40 5@50 11@70 10@a0");
	expect_ext_chain(dev, "1@100 3@140 e@150 10@160");
	/* Its identity is what the user has been told, its state is ones. */
	CHECK_EQ(user_read(dev, 0x00, 4), 0x10c98086);
	CHECK_EQ(user_read(dev, 0x06, 1), 0xff);
	exercise(dev);
}

/* Capabilities that begin inside each other, in both directions. */
static void overlaps(void)
{
	struct ferry_config_owner owner;
	struct device *dev;
	unsigned int at;

	/* PCIe whose registers are an MSI-X capability that comes later. */
	for (at = 0x44; at < 0x7c; at += 4) {
		dev = device_new(4096, 1, 1);
		cap_first(dev, 0x40);
		cap_exp(dev, 0x40, at, 2, 0);
		cap_msix(dev, at, 0, 4);
		device_must_open(dev);
		ferry_config_owner(&dev->cfg, at, &owner);
		CHECK_EQ(owner.offset, at);
		CHECK_EQ(owner.id, 0x11);
		CHECK_EQ(owner.length, 12);
		exercise(dev);
	}
	/* The list goes backwards: what lies behind ends before the other. */
	dev = device_new(4096, 1, 1);
	cap_first(dev, 0x50);
	cap_exp(dev, 0x50, 0x48, 2, 0);
	cap_msi(dev, 0x48, 0, 0x0180);
	cap_exp(dev, 0x50, 0x48, 2, 0);
	device_must_open(dev);
	ferry_config_owner(&dev->cfg, 0x53, &owner);
	CHECK_EQ(owner.offset, 0x50);
	exercise(dev);

	/* AER in the middle of which a vendor claims all that follows. */
	dev = device_new(4096, 1, 1);
	ext_aer(dev, 0x100, 0x120);
	ext_vsec(dev, 0x120, 0x110, 0x100);
	ext_fixed(dev, 0x110, 0, 0x0003, 12, false);
	device_must_open(dev);
	ferry_config_owner(&dev->cfg, 0x111, &owner);
	CHECK_EQ(owner.id, 0x0003);
	ferry_config_owner(&dev->cfg, 0x11f, &owner);
	CHECK(owner.id != 0x000b);
	exercise(dev);
}

/* As many as fit: one in each dword */
static void crowded(void)
{
	struct device *dev = device_new(4096, 1, 1);
	unsigned int pos;

	cap_first(dev, 0x40);
	for (pos = 0x40; pos < 0x100; pos += 4)
		device_put(dev, pos, 4,
			   0x00030009 | ((pos + 4) & 0xff) << 8);
	for (pos = 0x100; pos < 0x1000; pos += 4)
		device_put(dev, pos, 4, 0x00010015 | ((pos + 4) & 0xfff) << 20);
	device_must_open(dev);
	CHECK_EQ(user_chain(dev, ids, offs, MAX_CAPS), 48);
	CHECK_EQ(user_ext_chain(dev, ids, offs, MAX_CAPS), 960);
	exercise(dev);

	/* Backwards, all hidden but the anchor */
	dev = device_new(4096, 1, 1);
	device_put(dev, 0x100, 4, 0x00010019 | 0xffcU << 20);
	for (pos = 0xffc; pos > 0x100; pos -= 4)
		device_put(dev, pos, 4, 0x00010019 | (pos - 4) << 20);
	device_must_open(dev);
	CHECK_EQ(user_read(dev, 0x100, 4), 0);
	exercise(dev);
}

static void bad_size(void)
{
	static const unsigned int sizes[] = {
		0, 60, 66, 255, 257, 4095, 4100, 8192,
	};
	struct device *dev = device_edu();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct ferry_config_desc desc = { .size = sizes[i] };

		CHECK_EQ(ferry_config_init(&dev->cfg, dev->mem, &desc), -22);
	}
	CHECK(ferry_config_bytes(4096) <= 17 * 1024);
	device_free(dev);
}

/* Devices whose space ends where the kernel says it does: what is behind isn't there. */
static void odd_sizes(void)
{
	struct device *dev = device_new(0xa0, 1, 1);

	cap_first(dev, 0x40);
	cap_pm(dev, 0x40, 0x98);
	cap_vndr(dev, 0x98, 0xb0, 32);
	device_must_open(dev);
	expect_chain(dev, "1@40 9@98");
	CHECK_EQ(user_read(dev, 0x99, 1), 0);
	exercise(dev);

	/* The first one is behind the end. */
	dev = device_new(0xa0, 1, 1);
	cap_first(dev, 0xa0);
	device_must_open(dev);
	expect_chain(dev, "");
	exercise(dev);

	dev = device_new(0x600, 1, 1);
	cap_first(dev, 0x40);
	cap_pm(dev, 0x40, 0);
	ext_aer(dev, 0x100, 0x5fc);
	device_put(dev, 0x5fc, 4, 0x00010010 | 0x600U << 20);
	device_must_open(dev);
	expect_chain(dev, "1@40");
	expect_ext_chain(dev, "1@100");
	exercise(dev);

	dev = device_new(0x600, 1, 1);
	ext_aer(dev, 0x100, 0x600);
	device_must_open(dev);
	expect_ext_chain(dev, "1@100");
	exercise(dev);
}

/* Nothing that a device can say makes the engine leave its memory. */
static void random_spaces(void)
{
	static const u8 std[] = {
		0x01, 0x02, 0x03, 0x05, 0x07, 0x08, 0x09, 0x10, 0x11, 0x12,
		0x13, 0x0d, 0x14, 0x00, 0xff,
	};
	static const u8 ext[] = {
		0x01, 0x02, 0x03, 0x04, 0x08, 0x09, 0x0b, 0x0d, 0x0e, 0x0f,
		0x10, 0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x23, 0x1b, 0x2e,
	};
	u64 seed = 0x72616e646f6d;
	unsigned int n, i;

	for (n = 0; n < 3000; n++) {
		struct device *dev = device_new(n % 4 ? 4096 : 256, 1, 1);

		for (i = 0; i < dev->size; i++)
			dev->bytes[i] = test_random(&seed);
		dev->bytes[0x06] |= 0x10;
		for (i = 0x40; i < 0x100; i += 4)
			dev->bytes[i] = std[test_random(&seed) % sizeof(std)];
		for (i = 0x100; i < dev->size; i += 4)
			if (test_random(&seed) % 8)
				device_put(dev, i, 2,
					   ext[test_random(&seed) %
					       sizeof(ext)]);
		device_must_open(dev);
		exercise(dev);
	}
}

const struct test chain_tests[] = {
	{ "chain.golden", golden },
	{ "chain.owners", owners },
	{ "chain.measured", measured },
	{ "chain.abutting_twins", abutting_twins },
	{ "chain.no_list", no_list },
	{ "chain.loops", loops },
	{ "chain.bad_pointers", bad_pointers },
	{ "chain.long_lengths", long_lengths },
	{ "chain.short_lengths", short_lengths },
	{ "chain.truncated", truncated },
	{ "chain.all_ones", all_ones },
	{ "chain.all_zero", all_zero },
	{ "chain.gone", gone },
	{ "chain.overlaps", overlaps },
	{ "chain.crowded", crowded },
	{ "chain.bad_size", bad_size },
	{ "chain.odd_sizes", odd_sizes },
	{ "chain.random_spaces", random_spaces },
	{ }
};
