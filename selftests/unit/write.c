// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes: what reaches hardware, and what must not.
 */
#include <errno.h>
#include <string.h>

#include "device.h"
#include "test.h"

static void command_leaves_status(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	/* Errors that a one would clear */
	device_put(dev, 0x06, 2, 0xf910);
	user_write(dev, 0x04, 4, 0xffff0147);
	CHECK_EQ(device_get(dev, 0x06, 2), 0xf910);
	CHECK_EQ(device_get(dev, 0x04, 2), 0x0147);
	CHECK_EQ(dev->last_write_off, 0x04);
	CHECK_EQ(dev->last_write_width, 2);
	user_write(dev, 0x06, 2, 0xffff);
	user_write(dev, 0x07, 1, 0xff);
	CHECK_EQ(device_get(dev, 0x06, 2), 0xf910);
	device_free(dev);
}

static void command_bits(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	/* Interrupt disable: seen by the user, not by hardware */
	user_write(dev, 0x04, 2, 0x0407);
	CHECK_EQ(user_read(dev, 0x04, 2), 0x0407);
	CHECK_EQ(device_get(dev, 0x04, 2), 0x0007);
	/* Hardware's own is not touched. */
	device_put(dev, 0x04, 2, 0x0407);
	user_write(dev, 0x05, 1, 0x00);
	CHECK_EQ(user_read(dev, 0x04, 2), 0x0007);
	CHECK_EQ(device_get(dev, 0x04, 2), 0x0407);
	/* What the user wants is remembered when hardware forgets it. */
	device_put(dev, 0x04, 2, 0x0000);
	CHECK_EQ(user_read(dev, 0x04, 2), 0x0000);
	CHECK_EQ(ferry_config_get16(&dev->cfg, 0x04), 0x0007);
	device_free(dev);
}

static void devctl_leaves_devsta(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	device_put(dev, 0xaa, 2, 0x000f);
	user_write(dev, 0xa8, 4, 0x000f581f);
	CHECK_EQ(device_get(dev, 0xaa, 2), 0x000f);
	/* Sizes stay hardware's, the rest is the user's. */
	CHECK_EQ(device_get(dev, 0xa8, 2), 0x283f);
	CHECK_EQ(user_read(dev, 0xa8, 2), 0x581f);
	/* Phantom functions stay off. */
	user_write(dev, 0xa9, 1, 0x02);
	CHECK_EQ(device_get(dev, 0xa8, 2) & 0x0200, 0);
	/* ARI forwarding stays on. */
	user_write(dev, 0xc8, 2, 0x0410);
	CHECK_EQ(device_get(dev, 0xc8, 2), 0x0430);
	device_free(dev);
}

/* A bit that starts something must not be written back as one. */
static void devctl_never_starts_a_reset(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	device_put(dev, 0xa8, 2, 0x8830);
	user_write(dev, 0xa8, 2, 0x8000);
	CHECK_EQ(dev->last_write_off, 0xa8);
	CHECK_EQ(dev->last_write_val & 0x8000, 0);
	device_free(dev);
}

static void pmcsr_leaves_pme_status(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	device_put(dev, 0x44, 2, 0x8108);
	user_write(dev, 0x44, 2, 0x9f03);
	/* Data select only: not the state, not PME */
	CHECK_EQ(device_get(dev, 0x44, 2), 0x9f08);
	CHECK_EQ(dev->last_write_val & 0x80, 0);
	CHECK_EQ(user_read(dev, 0x44, 2), 0x1e08);
	device_free(dev);
}

static void aer_status_clears_only_what_is_asked(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	device_put(dev, 0x104, 4, 0xffffffff);
	user_write(dev, 0x104, 4, 0x00004010);
	CHECK_EQ(device_get(dev, 0x104, 4), 0xffffbfef);
	user_write(dev, 0x104, 4, 0xffffffff);
	CHECK_EQ(device_get(dev, 0x104, 4), 0xfc000fce);
	device_put(dev, 0x110, 4, 0xffffffff);
	user_write(dev, 0x111, 1, 0x10);
	CHECK_EQ(device_get(dev, 0x110, 4), 0xffffefff);
	/* There is nothing to keep, so nothing is read. */
	CHECK_EQ(dev->reads, 0);
	/* The mask register keeps what is not the user's. */
	device_put(dev, 0x108, 4, 0xfc000000);
	user_write(dev, 0x108, 4, 0x00100000);
	CHECK_EQ(device_get(dev, 0x108, 4), 0xfc100000);
	user_write(dev, 0x118, 2, 0x01ff);
	CHECK_EQ(device_get(dev, 0x118, 2), 0x01e0);
	device_free(dev);
}

static void read_only_stays(void)
{
	static const struct { u16 off; u8 width; } regs[] = {
		{ 0x00, 4 }, { 0x08, 4 }, { 0x0e, 1 }, { 0x28, 4 }, { 0x2c, 4 },
		{ 0x34, 4 }, { 0x38, 4 }, { 0x3d, 1 }, { 0x40, 4 }, { 0x46, 2 },
		{ 0x50, 4 }, { 0x64, 4 }, { 0x70, 4 }, { 0x74, 4 }, { 0x78, 4 },
		{ 0xa0, 4 }, { 0xa4, 4 }, { 0xac, 4 }, { 0xb0, 4 }, { 0xd0, 4 },
		{ 0x100, 4 }, { 0x11c, 4 }, { 0x144, 4 }, { 0x168, 4 },
	};
	struct device *dev = device_igb();
	unsigned int i;

	device_must_open(dev);
	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		u32 was = user_read(dev, regs[i].off, regs[i].width);

		user_write(dev, regs[i].off, regs[i].width, ~was);
		CHECK_EQ(user_read(dev, regs[i].off, regs[i].width), was);
	}
	CHECK_EQ(dev->writes, 0);
	device_free(dev);
}

/* A register that is answered from memory shows what hardware made of it. */
static void read_back(void)
{
	struct device *dev = device_igb();

	device_rw(dev, 0x0c, 1, 0xf0);
	device_must_open(dev);
	user_write(dev, 0x0c, 1, 0xff);
	CHECK_EQ(dev->reads, 1);
	CHECK_EQ(user_read(dev, 0x0c, 1), 0xf0);
	CHECK_EQ(dev->reads, 1);
	/* No self-test, so nothing changes by itself. */
	device_put(dev, 0x0f, 1, 0x40);
	CHECK_EQ(user_read(dev, 0x0f, 1), 0);
	device_put(dev, 0x0f, 1, 0xc0);
	CHECK_EQ(device_open(dev, 0, NULL), 0);
	device_put(dev, 0x0f, 1, 0x85);
	CHECK_EQ(user_read(dev, 0x0f, 1), 0x85);
	device_free(dev);
}

/* One aligned access of the user's is one of hardware's. */
static void width_is_kept(void)
{
	struct device *dev = device_sampler();

	device_must_open(dev);
	user_write(dev, 0x64, 4, 0x12345678);
	CHECK_EQ(dev->writes, 1);
	CHECK_EQ(dev->last_write_width, 4);
	user_write(dev, 0x66, 2, 0x1234);
	CHECK_EQ(dev->last_write_width, 2);
	user_write(dev, 0x65, 1, 0x12);
	CHECK_EQ(dev->last_write_width, 1);
	CHECK_EQ(dev->writes, 3);
	CHECK_EQ(dev->reads, 0);
	/* Misaligned: byte, word, byte */
	user_write(dev, 0x65, 4, 0x12345678);
	CHECK_EQ(dev->writes, 6);
	device_free(dev);
}

static void any_write_is_its_bytes(void)
{
	unsigned int off, len, i;
	u8 buf[16], a[256], b[256];

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = 0x5b + 31 * i;
	for (off = 0; off < 256; off++) {
		for (len = 1; len <= 16 && off + len <= 256; len++) {
			struct device *one = device_sampler();
			struct device *two = device_sampler();

			device_must_open(one);
			device_must_open(two);
			CHECK_EQ(ferry_config_write(&one->cfg, off, buf, len),
				 0);
			for (i = 0; i < len; i++)
				user_write(two, off + i, 1, buf[i]);
			CHECK_EQ(memcmp(one->bytes, two->bytes, 256), 0);
			CHECK_EQ(ferry_config_read(&one->cfg, 0, a, 256), 0);
			CHECK_EQ(ferry_config_read(&two->cfg, 0, b, 256), 0);
			CHECK_EQ(memcmp(a, b, 256), 0);
			device_free(one);
			device_free(two);
		}
	}
}

/* When hardware refuses, memory has not changed either. */
static void errors_change_nothing(void)
{
	struct device *dev = device_igb();
	u8 buf[4] = { 0x00, 0x07, 0xff, 0xff };

	device_must_open(dev);
	dev->fail_write = 1;
	CHECK_EQ(ferry_config_write(&dev->cfg, 0x04, buf, 4), -EIO);
	CHECK_EQ(user_read(dev, 0x04, 2), 0x0007);
	CHECK_EQ(ferry_config_get16(&dev->cfg, 0x04), 0x0007);
	dev->fail_read = 1;
	CHECK_EQ(ferry_config_write(&dev->cfg, 0x04, buf, 4), -EIO);
	CHECK_EQ(dev->writes, 1);
	CHECK_EQ(user_read(dev, 0x04, 2), 0x0007);
	device_free(dev);
}

/* What could not be read back is read when it is asked for. */
static void nothing_stale(void)
{
	struct device *dev = device_igb();
	const u8 buf[4] = { 0x08, 0x40 };
	u32 word;

	device_must_open(dev);
	CHECK(ferry_config_peek(&dev->cfg, 0x0c, &word, 4));
	dev->fail_read = 1;
	CHECK_EQ(ferry_config_write(&dev->cfg, 0x0c, buf, 2), -EIO);
	CHECK_EQ(device_get(dev, 0x0c, 2), 0x4008);
	CHECK_EQ(user_read(dev, 0x0c, 2), 0x4008);
	/* One half of it has got there. */
	dev->fail_write = 2;
	CHECK_EQ(ferry_config_write(&dev->cfg, 0x0c, buf + 2, 2), 0);
	CHECK_EQ(ferry_config_write(&dev->cfg, 0x0c, buf, 2), -EIO);
	CHECK_EQ(user_read(dev, 0x0c, 2), device_get(dev, 0x0c, 2));
	device_free(dev);
}

static void msi_belongs_to_interrupts(void)
{
	struct device *dev = device_sampler();

	/* What the last driver has left is not the user's. */
	device_put(dev, 0xd6, 2, 0x013b);
	device_must_open(dev);
	/* Five doublings are possible, none is allocated. */
	CHECK_EQ(user_read(dev, 0xd6, 2), 0x010a);
	user_write(dev, 0xd6, 2, 0xffff);
	CHECK_EQ(user_read(dev, 0xd6, 2), 0x010a);
	ferry_config_set_msi(&dev->cfg, 4);
	user_write(dev, 0xd6, 2, 0xfff1);
	CHECK_EQ(user_read(dev, 0xd6, 2), 0x012b);
	user_write(dev, 0xd6, 1, 0x11);
	CHECK_EQ(user_read(dev, 0xd6, 2), 0x011b);
	ferry_config_set_msi(&dev->cfg, 32);
	user_write(dev, 0xd6, 1, 0x71);
	CHECK_EQ(user_read(dev, 0xd6, 2), 0x015b);
	ferry_config_set_msi(&dev->cfg, 1);
	user_write(dev, 0xd6, 1, 0x71);
	CHECK_EQ(user_read(dev, 0xd6, 2), 0x010b);
	ferry_config_set_msi(&dev->cfg, 3);
	user_write(dev, 0xd4, 4, 0x00710000);
	CHECK_EQ(user_read(dev, 0xd6, 2), 0x012b);
	ferry_config_set_msi(&dev->cfg, 0);
	CHECK_EQ(user_read(dev, 0xd6, 2), 0x010a);
	user_write(dev, 0xd8, 4, 0xfee01000);
	user_write(dev, 0xdc, 2, 0x1234);
	CHECK_EQ(user_read(dev, 0xd8, 4), 0xfee01000);
	CHECK_EQ(dev->writes, 0);
	/* No more than the function can send, however many are allocated */
	ferry_config_set_msi(&dev->cfg, 32);
	ferry_config_set16(&dev->cfg, 0xd6, 0x0102);
	user_write(dev, 0xd6, 1, 0x71);
	CHECK_EQ(user_read(dev, 0xd6, 2), 0x0113);
	/* Masks are hardware's, and the message is not. */
	user_write(dev, 0xe0, 4, 0xf);
	CHECK_EQ(device_get(dev, 0xe0, 4), 0xf);
	CHECK_EQ(device_get(dev, 0xd8, 4), 0xfee00000);
	device_free(dev);
}

const struct test write_tests[] = {
	{ "write.command_leaves_status", command_leaves_status },
	{ "write.command_bits", command_bits },
	{ "write.devctl_leaves_devsta", devctl_leaves_devsta },
	{ "write.devctl_never_starts_a_reset", devctl_never_starts_a_reset },
	{ "write.pmcsr_leaves_pme_status", pmcsr_leaves_pme_status },
	{ "write.aer_status_clears_only_what_is_asked",
	  aer_status_clears_only_what_is_asked },
	{ "write.read_only_stays", read_only_stays },
	{ "write.read_back", read_back },
	{ "write.width_is_kept", width_is_kept },
	{ "write.any_write_is_its_bytes", any_write_is_its_bytes },
	{ "write.errors_change_nothing", errors_change_nothing },
	{ "write.nothing_stale", nothing_stale },
	{ "write.msi_belongs_to_interrupts", msi_belongs_to_interrupts },
	{ }
};
