// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random reads and writes, each bit compared with what the entitlement of
 * device.c says: a second opinion, written without looking at the tables.
 */
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "test.h"

struct oracle {
	struct device *dev;
	/* What the user should see */
	u8 user[MAX_SIZE];
	/* What hardware should hold */
	u8 hardware[MAX_SIZE];
};

static bool from_hardware(u8 class)
{
	return class == LIVE || class == RW || class == CLEAR;
}

static void oracle_start(struct oracle *oracle)
{
	struct device *dev = oracle->dev;
	unsigned int i;

	memcpy(oracle->hardware, dev->bytes, dev->size);
	memcpy(oracle->user, dev->bytes, dev->size);
	for (i = 0; i < 8 * dev->size; i++) {
		u8 bit = 1 << i % 8;

		if (dev->class[i] != VIRT && dev->class[i] != VIRT_RW)
			continue;
		oracle->user[i / 8] &= ~bit;
		oracle->user[i / 8] |= dev->virt[i / 8] & bit;
	}
}

static void oracle_bit(struct oracle *oracle, unsigned int i, bool one)
{
	u8 class = oracle->dev->class[i];
	u8 bit = 1 << i % 8;
	u8 *user = &oracle->user[i / 8];
	u8 *hardware = &oracle->hardware[i / 8];

	switch (class) {
	case RW:
		*hardware &= ~bit;
		*hardware |= one ? bit : 0;
		break;
	case CLEAR:
		*hardware &= one ? ~bit : 0xff;
		break;
	case VIRT_RW:
		*user &= ~bit;
		*user |= one ? bit : 0;
		break;
	}
	if (from_hardware(class)) {
		*user &= ~bit;
		*user |= *hardware & bit;
	}
}

/* Hardware does something by itself, where the user sees it and where not. */
static void oracle_hardware_moves(struct oracle *oracle, u64 *seed)
{
	unsigned int i = test_random(seed) % (8 * oracle->dev->size);
	u8 class = oracle->dev->class[i];
	u8 bit = 1 << i % 8;

	if (class != LIVE && class != CLEAR && class != FIXED)
		return;
	oracle->hardware[i / 8] ^= bit;
	oracle->dev->bytes[i / 8] ^= bit;
	if (class != FIXED)
		oracle->user[i / 8] ^= bit;
}

static void random_accesses(struct device *dev, u64 seed)
{
	struct oracle oracle = { .dev = dev };
	unsigned int n, i, off, len;
	u8 buf[MAX_SIZE];

	device_must_open(dev);
	oracle_start(&oracle);
	dev->strict = true;
	for (n = 0; n < 60000; n++) {
		off = test_random(&seed) % dev->size;
		/* Mostly where something is */
		if (test_random(&seed) % 4)
			off %= 0x400;
		len = 1 + test_random(&seed) % (n % 64 ? 8 : dev->size);
		if (off >= dev->size || len > dev->size - off)
			continue;
		oracle_hardware_moves(&oracle, &seed);

		if (test_random(&seed) % 2) {
			for (i = 0; i < len; i++)
				buf[i] = test_random(&seed);
			CHECK_EQ(ferry_config_write(&dev->cfg, off, buf, len),
				 0);
			for (i = 0; i < 8 * len; i++)
				oracle_bit(&oracle, 8 * off + i,
					   buf[i / 8] >> i % 8 & 1);
			CHECK_EQ(memcmp(dev->bytes, oracle.hardware,
					dev->size), 0);
		} else {
			CHECK_EQ(ferry_config_read(&dev->cfg, off, buf, len),
				 0);
			for (i = 0; i < len; i++)
				CHECK_EQ(buf[i], oracle.user[off + i]);
		}
	}
	device_free(dev);
}

static void nvme(void)
{
	random_accesses(device_nvme(), 0x6e766d65);
}

static void igb(void)
{
	random_accesses(device_igb(), 0x696762);
}

static void e1000e(void)
{
	random_accesses(device_e1000e(), 0xe1000e);
}

static void edu(void)
{
	random_accesses(device_edu(), 0x656475);
}

static void sampler(void)
{
	random_accesses(device_sampler(), 0x73616d70);
}

static void ext_sampler(void)
{
	random_accesses(device_ext_sampler(), 0x65787473);
}

const struct test oracle_tests[] = {
	{ "oracle.nvme", nvme },
	{ "oracle.igb", igb },
	{ "oracle.e1000e", e1000e },
	{ "oracle.edu", edu },
	{ "oracle.sampler", sampler },
	{ "oracle.ext_sampler", ext_sampler },
	{ }
};
