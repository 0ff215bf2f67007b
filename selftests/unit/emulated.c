// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated functions: built from a header and bodies, without hardware.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "test.h"

static struct ferry_config_change seen;
static unsigned int events;

static void after(void *ctx, const struct ferry_config_change *change)
{
	(void)ctx;
	events++;
	seen = *change;
}

static const struct ferry_config_ops ops = { .after = after };

static const struct ferry_config_header uart = {
	.size = 256, .vendor = 0x1d0f, .device = 0x8250,
	.subsystem_vendor = 0x1af4, .subsystem_device = 0x1100,
	.class = 0x070002, .revision = 3, .pin = 1,
	.bars = { [0] = { .size = 8, .flags = 1 },
		  [2] = { .size = 0x100000000ULL, .flags = 0xc } },
};

static const u8 pm[] = { 0x03, 0x02, 0x08, 0x00 };
static const u8 msi[] = { 0x82, 0x00 };
static const u8 msix[] = { 0x03, 0x00, 0x01, 0x00, 0x00, 0x00 };

static struct device *make(const struct ferry_config_header *header)
{
	struct device *dev = calloc(1, sizeof(*dev));

	dev->size = header->size;
	dev->mem = malloc(ferry_config_bytes(header->size));
	memset(dev->mem, 0x5a, ferry_config_bytes(header->size));
	CHECK_EQ(ferry_config_init_emulated(&dev->cfg, dev->mem, header, &ops,
					    dev), 0);
	return dev;
}

static struct device *make_uart(void)
{
	struct device *dev = make(&uart);

	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x01, pm, sizeof(pm)), 0x40);
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x05, msi, sizeof(msi)), 0x48);
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x11, msix, sizeof(msix)),
		 0x58);
	return dev;
}

static void whole_space(void)
{
	struct device *dev = make_uart();
	u8 want[256] = {
		[0x00] = 0x0f, 0x1d, 0x50, 0x82,
		[0x06] = 0x10, [0x08] = 3, 0x02, 0x00, 0x07,
		[0x10] = 0x01, [0x18] = 0x0c,
		[0x2c] = 0xf4, 0x1a, 0x00, 0x11,
		[0x34] = 0x40, [0x3d] = 1,
		[0x40] = 0x01, 0x48, 0x03, 0x02, 0x08,
		[0x48] = 0x05, 0x58, 0x82,
		[0x58] = 0x11, 0x00, 0x03, 0x00, 0x01,
	};
	u8 got[256];
	unsigned int i;

	CHECK_EQ(ferry_config_read(&dev->cfg, 0, got, 256), 0);
	for (i = 0; i < 256; i++)
		CHECK_EQ(got[i], want[i]);

	/* All that the user can change, and nothing else */
	for (i = 0; i < 256; i++)
		user_write(dev, i, 1, 0xff);
	want[0x04] = 0x07;
	want[0x05] = 0x05;
	want[0x0c] = 0xff;
	want[0x10] = 0xf9;
	memset(want + 0x11, 0xff, 3);
	memset(want + 0x1c, 0xff, 4);
	want[0x3c] = 0xff;
	want[0x44] = 0x0b;
	/* Two messages at most */
	want[0x4a] = 0x93;
	memset(want + 0x4c, 0xff, 10);
	want[0x5b] = 0xc0;
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, got, 256), 0);
	for (i = 0; i < 256; i++)
		CHECK_EQ(got[i], want[i]);
	CHECK_EQ(ferry_config_refresh(&dev->cfg), 0);
	device_free(dev);
}

static void expect(struct device *dev, unsigned int off, unsigned int width,
		   u32 val, u32 what, u32 old, u32 new)
{
	events = 0;
	user_write(dev, off, width, val);
	CHECK_EQ(events, !!what);
	if (!what)
		return;
	CHECK_EQ(seen.events, what);
	CHECK_EQ(seen.old, old);
	CHECK_EQ(seen.new, new);
}

static void raises_events(void)
{
	struct device *dev = make_uart();

	expect(dev, 0x04, 4, 0xffffffff, FERRY_CONFIG_COMMAND, 0, 0x0507);
	expect(dev, 0x05, 1, 0x01, FERRY_CONFIG_COMMAND, 0x0507, 0x0107);
	expect(dev, 0x44, 2, 0x0003, FERRY_CONFIG_POWER, 0x0008, 0x000b);
	CHECK_EQ(user_read(dev, 0x44, 2), 0x000b);
	/* It has D1, but not D2. */
	expect(dev, 0x44, 1, 0x02, 0, 0, 0);
	CHECK_EQ(user_read(dev, 0x44, 2), 0x000b);
	expect(dev, 0x44, 1, 0x01, FERRY_CONFIG_POWER, 0x000b, 0x0009);
	expect(dev, 0x48, 4, 0x00710000, FERRY_CONFIG_MSI, 0x82, 0x93);
	expect(dev, 0x4a, 1, 0x11, 0, 0, 0);
	expect(dev, 0x5a, 2, 0xffff, FERRY_CONFIG_MSIX, 0x0003, 0xc003);
	expect(dev, 0x5a, 1, 0xff, 0, 0, 0);
	device_free(dev);
}

/* Its mask bits are the model's to mind, so it is told; its pending bits it sets. */
static void masks_messages(void)
{
	static const u8 maskable[] = { 0x8a, 0x01 };
	struct device *dev = make(&uart);

	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x05, maskable,
				      sizeof(maskable)), 0x40);
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x11, msix, sizeof(msix)),
		 0x58);
	CHECK_EQ(user_read(dev, 0x50, 4), 0);
	expect(dev, 0x50, 4, 0x80000001, FERRY_CONFIG_MSI_MASK, 0, 0x80000001);
	CHECK_EQ(user_read(dev, 0x50, 4), 0x80000001);
	expect(dev, 0x50, 4, 0x80000001, 0, 0, 0);
	expect(dev, 0x53, 1, 0, FERRY_CONFIG_MSI_MASK, 0x80000001, 1);
	expect(dev, 0x50, 2, 0, FERRY_CONFIG_MSI_MASK, 1, 0);
	expect(dev, 0x54, 4, ~0U, 0, 0, 0);
	CHECK_EQ(user_read(dev, 0x54, 4), 0);
	ferry_config_set32(&dev->cfg, 0x54, 0x10);
	CHECK_EQ(user_read(dev, 0x54, 4), 0x10);
	/* Message Control and mask bits are told apart. */
	expect(dev, 0x42, 2, 0x0001, FERRY_CONFIG_MSI, 0x018a, 0x018b);

	/* No mask bits, no event: what is there belongs to MSI-X. */
	device_free(dev);
	dev = make_uart();
	expect(dev, 0x58, 4, 0xffffffff, FERRY_CONFIG_MSIX, 0x0003, 0xc003);
	device_free(dev);
}

static void reset(void)
{
	struct device *dev = make_uart();
	u8 fresh[256], got[256];
	unsigned int i;

	CHECK_EQ(ferry_config_read(&dev->cfg, 0, fresh, 256), 0);
	for (i = 0; i < 256; i++)
		user_write(dev, i, 1, 0xff);
	events = 0;
	ferry_config_reset(&dev->cfg);
	CHECK_EQ(events, 0);
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, got, 256), 0);
	fresh[0x3c] = 0xff;
	for (i = 0; i < 256; i++)
		CHECK_EQ(got[i], fresh[i]);
	device_free(dev);
}

static void express(void)
{
	struct ferry_config_header header = uart;
	struct device *dev;
	/* Version 2 endpoint with FLR */
	static const u8 exp[] = { 0x02, 0x00, 0xc0, 0x8f, 0x00, 0x10 };
	static const u8 dsn[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	header.size = 4096;
	dev = make(&header);
	CHECK_EQ(user_read(dev, 0x100, 4), 0);
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x10, exp, sizeof(exp)), 0x40);
	CHECK_EQ(ferry_config_add_ext_cap(&dev->cfg, 0x03, 1, dsn, sizeof(dsn)),
		 0x100);
	CHECK_EQ(ferry_config_add_ext_cap(&dev->cfg, 0x01, 2, NULL, 0), 0x10c);
	CHECK_EQ(user_read(dev, 0x100, 4), 0x10c10003);
	CHECK_EQ(user_read(dev, 0x10c, 4), 0x00020001);
	CHECK_EQ(user_read(dev, 0x108, 4), 0x08070605);
	CHECK_EQ(ferry_config_find_ext_cap(&dev->cfg, 0x01), 0x10c);

	ferry_config_reset(&dev->cfg);
	CHECK_EQ(user_read(dev, 0x48, 2), 0x2810);
	expect(dev, 0x48, 2, 0xa810, FERRY_CONFIG_FLR, 0x2810, 0xa810);
	CHECK_EQ(user_read(dev, 0x48, 2), 0x2810);
	expect(dev, 0x48, 2, 0x3a10, FERRY_CONFIG_READRQ, 0x2810, 0x3810);

	/* A model's error is cleared by the user. */
	ferry_config_set32(&dev->cfg, 0x110, 0x00104000);
	user_write(dev, 0x110, 4, 0x00004000);
	CHECK_EQ(user_read(dev, 0x110, 4), 0x00100000);
	user_write(dev, 0x110, 4, 0);
	CHECK_EQ(user_read(dev, 0x110, 4), 0x00100000);
	user_write(dev, 0x114, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x114, 4), 0x03fff031);
	device_free(dev);
}

static void refuses_nonsense(void)
{
	struct ferry_config_header header = uart;
	struct device *dev = make(&header);
	static const u8 vendor[] = { 5, 0xaa, 0xbb };
	static const u8 big[300] = { 255 };
	u8 before[256], got[256];

	CHECK_EQ(ferry_config_read(&dev->cfg, 0, before, 256), 0);
	/* Unknown, hidden, too long, a length that lies, nothing */
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x00, pm, 1), -EINVAL);
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x77, pm, 1), -EINVAL);
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x0d, pm, 1), -EINVAL);
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x01, big, 7), -EINVAL);
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x09, big, 300), -ENOSPC);
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x09, big, 10), -ENOSPC);
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x09, NULL, 0), -EINVAL);
	CHECK_EQ(ferry_config_add_ext_cap(&dev->cfg, 0x03, 1, pm, 4), -ENOSPC);
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, got, 256), 0);
	CHECK_EQ(memcmp(got, before, 256), 0);

	/* Until it is full */
	while (ferry_config_add_cap(&dev->cfg, 0x09, vendor, 3) > 0)
		;
	CHECK_EQ(ferry_config_add_cap(&dev->cfg, 0x09, vendor, 3), -ENOSPC);
	CHECK_EQ(user_read(dev, 0xf8, 1), 9);
	CHECK_EQ(user_read(dev, 0xf9, 1), 0);
	device_free(dev);

	header.size = 4096;
	dev = make(&header);
	CHECK_EQ(ferry_config_add_ext_cap(&dev->cfg, 0x03, 0, pm, 4), -EINVAL);
	CHECK_EQ(ferry_config_add_ext_cap(&dev->cfg, 0x03, 16, pm, 4), -EINVAL);
	CHECK_EQ(ferry_config_add_ext_cap(&dev->cfg, 0x1b, 1, pm, 4), -EINVAL);
	CHECK_EQ(ferry_config_add_ext_cap(&dev->cfg, 0x03, 1, big, 9), -EINVAL);
	CHECK_EQ(user_read(dev, 0x100, 4), 0);
	while (ferry_config_add_ext_cap(&dev->cfg, 0x10, 1, NULL, 0) > 0)
		;
	CHECK_EQ(ferry_config_add_ext_cap(&dev->cfg, 0x10, 1, NULL, 0),
		 -ENOSPC);
	CHECK_EQ(user_read(dev, 0xfc0, 4), 0x00010010);
	header.size = 100;
	CHECK_EQ(ferry_config_init_emulated(&dev->cfg, dev->mem, &header, NULL,
					    NULL), -EINVAL);
	device_free(dev);
}

/* A register that the device changes by itself is not answered from memory. */
static void asks_for_what_changes(void)
{
	const struct ferry_config_header header = { .size = 256 };
	struct device *dev = make(&header);
	u32 word;

	CHECK(ferry_config_peek(&dev->cfg, 0x04, &word, 4));
	ferry_config_set_live(&dev->cfg, 0x06, 2);
	CHECK(ferry_config_peek(&dev->cfg, 0x04, &word, 2));
	CHECK(!ferry_config_peek(&dev->cfg, 0x04, &word, 4));
	CHECK(!ferry_config_peek(&dev->cfg, 0x06, &word, 2));
	CHECK(!ferry_config_peek(&dev->cfg, 0x07, &word, 1));
	CHECK(ferry_config_peek(&dev->cfg, 0x08, &word, 4));
	ferry_config_set16(&dev->cfg, 0x06, 0x0018);
	CHECK_EQ(user_read(dev, 0x04, 4), 0x00180000);
	device_free(dev);
}

/*
 * What one space has saved, another one takes; and of all else, exactly that which
 * writing it would make of it.
 */
static void moves(void)
{
	struct device *from = make_uart(), *to = make_uart();
	u8 saved[256], again[256], bad[256];
	unsigned int bit, i;

	for (i = 0; i < 256; i++)
		user_write(from, i, 1, 0xa7);
	ferry_config_set_live(&from->cfg, 0x06, 2);
	ferry_config_set_live(&to->cfg, 0x06, 2);
	ferry_config_set16(&from->cfg, 0x06, 0x0018);
	ferry_config_save(&from->cfg, saved);
	CHECK_EQ(saved[0x06], 0);
	CHECK_EQ(saved[0x3c], 0xa7);
	for (bit = 0; bit < 8 * 256; bit++) {
		memcpy(bad, saved, 256);
		bad[bit / 8] ^= 1 << bit % 8;
		CHECK_EQ(ferry_config_write(&to->cfg, 0, saved, 256), 0);
		ferry_config_save(&to->cfg, again);
		CHECK(!memcmp(saved, again, 256));
		i = !ferry_config_verify(&to->cfg, bad);
		CHECK_EQ(ferry_config_write(&to->cfg, 0, bad, 256), 0);
		ferry_config_save(&to->cfg, again);
		if (bit / 16 == 0x06 / 2)
			CHECK(i);
		else
			CHECK_EQ(i, !memcmp(bad, again, 256));
	}
	CHECK_EQ(ferry_config_verify(&to->cfg, saved), 0);
	saved[0] ^= 1;
	CHECK_EQ(ferry_config_verify(&to->cfg, saved), -EINVAL);
	saved[0] ^= 1;
	saved[0x41] ^= 1;
	CHECK_EQ(ferry_config_verify(&to->cfg, saved), 0x40);
	device_free(from);
	device_free(to);
}

const struct test emulated_tests[] = {
	{ "emulated.asks_for_what_changes", asks_for_what_changes },
	{ "emulated.whole_space", whole_space },
	{ "emulated.raises_events", raises_events },
	{ "emulated.masks_messages", masks_messages },
	{ "emulated.reset", reset },
	{ "emulated.express", express },
	{ "emulated.refuses_nonsense", refuses_nonsense },
	{ "emulated.moves", moves },
	{ }
};
