// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads: what they give, what they cost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "test.h"

static struct device *(*const devices[])(void) = {
	device_nvme, device_igb, device_e1000e, device_edu, device_sampler,
	device_ext_sampler,
};

/* Whatever offset and length a read has, it is the bytes, one by one. */
static void any_range_is_its_bytes(void)
{
	u8 bytes[MAX_SIZE], buf[MAX_SIZE];
	unsigned int d, off, len, i;

	for (d = 0; d < ARRAY_SIZE(devices); d++) {
		struct device *dev = devices[d]();
		unsigned int size = dev->size < 512 ? dev->size : 512;

		device_must_open(dev);
		for (i = 0; i < dev->size; i++)
			bytes[i] = user_read(dev, i, 1);
		for (off = 0; off < size; off++) {
			for (len = 1; len <= size - off; len++) {
				memset(buf, 0xee, sizeof(buf));
				CHECK_EQ(ferry_config_read(&dev->cfg, off, buf,
							   len), 0);
				CHECK_EQ(memcmp(buf, bytes + off, len), 0);
				if (len < sizeof(buf))
					CHECK_EQ(buf[len], 0xee);
			}
		}
		CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, dev->size), 0);
		CHECK_EQ(memcmp(buf, bytes, dev->size), 0);
		device_free(dev);
	}
}

/* Bytes that hardware answers, and others in the same dword that it does not */
static void live_and_virtual_in_one_dword(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	/* STATUS changes; its capability bit and COMMAND's INTx bit do not. */
	device_put(dev, 0x04, 4, 0xffff0400);
	CHECK_EQ(user_read(dev, 0x04, 4), 0xffff0000);
	device_put(dev, 0x04, 4, 0);
	CHECK_EQ(user_read(dev, 0x04, 4), 0x00100000);
	CHECK_EQ(user_read(dev, 0x05, 2), 0x1000);
	device_free(dev);
}

/* Whatever is aligned and costs no access is answered without one. */
static void peeks(void)
{
	u64 word;
	unsigned int d, off, len;

	for (d = 0; d < ARRAY_SIZE(devices); d++) {
		struct device *dev = devices[d]();

		device_must_open(dev);
		for (len = 1; len <= 8; len++) {
			for (off = 0; off + len <= dev->size; off++) {
				dev->reads = 0;
				CHECK_EQ(ferry_config_read(&dev->cfg, off, &word,
							   len), 0);
				CHECK_EQ(ferry_config_peek(&dev->cfg, off, &word,
							   len),
					 !dev->reads && !(off % len) &&
					 (len == 1 || len == 2 || len == 4));
			}
		}
		device_free(dev);
	}
}

static void accesses_of_256_bytes(void)
{
	struct device *dev = device_igb();
	u8 buf[256];

	device_must_open(dev);
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, 256), 0);
	/*
	 * COMMAND+STATUS, MSI mask, MSI pending, MSI-X control, DEVCTL+DEVSTA,
	 * LNKCTL+LNKSTA, DEVCTL2, LNKCTL2+LNKSTA2
	 */
	CHECK_EQ(dev->reads, 8);
	CHECK_EQ(dev->read_bytes[0x04], 1);
	CHECK_EQ(dev->read_bytes[0x48], 0);
	CHECK_EQ(dev->read_bytes[0x72], 1);

	dev->reads = 0;
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, 4), 0);
	CHECK_EQ(ferry_config_read(&dev->cfg, 0x10, buf, 0x30), 0);
	CHECK_EQ(dev->reads, 0);
	device_free(dev);
}

static void accesses_of_4096_bytes(void)
{
	struct device *dev = device_igb();
	u8 buf[4096];

	device_must_open(dev);
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, 4096), 0);
	/* AER without its header, ten; SR-IOV control, VFs, offset */
	CHECK_EQ(dev->reads, 8 + 10 + 3);
	device_free(dev);
}

/* The widths of accesses are those that the user's range has. */
static void accesses_are_aligned(void)
{
	struct device *dev = device_igb();
	u8 buf[8];

	device_must_open(dev);
	/* LNKCTL+LNKSTA, without its first byte */
	CHECK_EQ(ferry_config_read(&dev->cfg, 0xb1, buf, 3), 0);
	CHECK_EQ(dev->reads, 2);
	CHECK_EQ(dev->read_bytes[0xb0], 0);
	CHECK_EQ(dev->read_bytes[0xb1], 1);
	CHECK_EQ(dev->read_bytes[0xb3], 1);
	CHECK_EQ(buf[0], 0x00);
	CHECK_EQ(buf[1], 0x11);
	CHECK_EQ(buf[2], 0x10);
	device_free(dev);
}

static void past_the_end(void)
{
	struct device *dev = device_edu();
	u8 buf[512];

	device_must_open(dev);
	CHECK_EQ(ferry_config_read(&dev->cfg, 255, buf, 2), -EFAULT);
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, 257), -EFAULT);
	CHECK_EQ(ferry_config_read(&dev->cfg, 257, buf, 0), -EFAULT);
	CHECK_EQ(ferry_config_read(&dev->cfg, ~0ULL, buf, 2), -EFAULT);
	CHECK_EQ(ferry_config_read(&dev->cfg, 2, buf, ~0UL), -EFAULT);
	CHECK_EQ(ferry_config_write(&dev->cfg, 255, buf, 2), -EFAULT);
	CHECK_EQ(ferry_config_write(&dev->cfg, 1ULL << 32, buf, 2), -EFAULT);
	CHECK_EQ(ferry_config_write(&dev->cfg, 4, buf, ~0UL), -EFAULT);
	CHECK_EQ(dev->reads + dev->writes, 0);
	CHECK_EQ(ferry_config_read(&dev->cfg, 256, buf, 0), 0);
	CHECK_EQ(ferry_config_read(&dev->cfg, 255, buf, 1), 0);
	CHECK_EQ(ferry_config_get32(&dev->cfg, 253), 0);
	CHECK_EQ(ferry_config_get8(&dev->cfg, 4000000000U), 0);
	ferry_config_set32(&dev->cfg, 254, ~0U);
	ferry_config_set8(&dev->cfg, 256, 0xff);
	CHECK_EQ(user_read(dev, 254, 2), 0);
	device_free(dev);
}

static void errors_come_through(void)
{
	struct device *dev = device_igb();
	unsigned int n;
	u8 buf[256];

	for (n = 1; n <= 1024; n++) {
		dev->fail_read = n;
		CHECK_EQ(device_open(dev, 0, NULL), -EIO);
	}
	dev->fail_read = 0;
	device_must_open(dev);
	for (n = 1; n <= 8; n++) {
		dev->fail_read = n;
		CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, 256), -EIO);
	}
	CHECK_EQ(ferry_config_read(&dev->cfg, 0, buf, 256), 0);
	/* So does that of less than a dword: STATUS. */
	dev->fail_read = 1;
	CHECK_EQ(ferry_config_read(&dev->cfg, 0x06, buf, 2), -EIO);
	device_free(dev);
}

/* What is empty costs nothing, until a write could have changed that. */
static void gaps_sleep_and_wake(void)
{
	struct device *dev = device_sampler();

	device_must_open(dev);
	/* An empty gap: 0xfc; one that is not: 0xf9 */
	CHECK_EQ(user_read(dev, 0xfc, 4), 0);
	CHECK_EQ(dev->reads, 0);
	CHECK_EQ(user_read(dev, 0xf9, 1), 0x5a);
	CHECK_EQ(dev->reads, 1);

	/* A vendor's registers never sleep. */
	device_put(dev, 0x64, 4, 0x00000000);
	CHECK_EQ(user_read(dev, 0x64, 4), 0);
	device_put(dev, 0x64, 4, 0x10203040);
	CHECK_EQ(user_read(dev, 0x64, 4), 0x10203040);

	/* A write to a register that is no gap wakes nothing. */
	user_write(dev, 0x04, 4, 0x7);
	user_write(dev, 0x10, 4, ~0U);
	device_put(dev, 0xfc, 4, 0x11223344);
	CHECK_EQ(user_read(dev, 0xfc, 4), 0);

	/* An index in a vendor's capability, its data in a gap */
	user_write(dev, 0xc4, 4, 1);
	CHECK_EQ(user_read(dev, 0xfc, 4), 0x11223344);
	device_free(dev);

	dev = device_sampler();
	device_must_open(dev);
	device_put(dev, 0xfc, 4, 0x11223344);
	user_write(dev, 0x57, 1, 1);
	CHECK_EQ(user_read(dev, 0xfc, 4), 0x11223344);
	CHECK_EQ(device_get(dev, 0x57, 1), 1);
	device_free(dev);
}

static void refresh_reads_again(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	user_write(dev, 0x3c, 1, 0x77);
	user_write(dev, 0x10, 4, 0xabcde000);
	user_write(dev, 0x04, 2, 0x0406);
	device_put(dev, 0x08, 1, 0x99);
	device_put(dev, 0x3c, 1, 0x00);
	device_put(dev, 0x10, 4, 0);
	device_put(dev, 0x04, 2, 0);
	device_put(dev, 0x34, 1, 0xfc);
	/* Neither pointers nor lengths can move afterwards. */
	device_put(dev, 0xa2, 2, 0x0001);
	device_put(dev, 0x52, 2, 0x0000);
	device_put(dev, 0xf0, 4, 0x600dca75);
	device_put(dev, 0x700, 4, 0x00010001);
	CHECK_EQ(user_read(dev, 0x08, 1), 0x01);
	memset(dev->read_bytes, 0, sizeof(dev->read_bytes));
	CHECK_EQ(ferry_config_refresh(&dev->cfg), 0);
	/* Only what is kept, and not what is live or virtual */
	CHECK_EQ(dev->read_bytes[0x00] + dev->read_bytes[0x04], 0);
	CHECK_EQ(dev->read_bytes[0x08], 1);
	CHECK_EQ(dev->read_bytes[0x10] + dev->read_bytes[0x60], 0);
	CHECK_EQ(dev->read_bytes[0xf0], 1);
	CHECK_EQ(user_read(dev, 0x08, 1), 0x99);
	CHECK_EQ(user_read(dev, 0x3c, 1), 0x77);
	CHECK_EQ(user_read(dev, 0x10, 4), 0xabcc0000 | (0xabcde000 & 0x20000));
	CHECK_EQ(user_read(dev, 0x34, 1), 0x40);
	CHECK_EQ(user_read(dev, 0xa2, 2), 0x0002);
	CHECK_EQ(user_read(dev, 0x52, 2), 0x0180);
	CHECK_EQ(user_read(dev, 0x04, 2), 0x0400);
	CHECK_EQ(ferry_config_get16(&dev->cfg, 0x04), 0x0406);
	/* A gap that is no longer empty is asked from now on. */
	CHECK_EQ(user_read(dev, 0xf0, 4), 0x600dca75);
	device_put(dev, 0xf0, 4, 0xdeadbeef);
	CHECK_EQ(user_read(dev, 0xf0, 4), 0xdeadbeef);

	dev->fail_read = 3;
	CHECK_EQ(ferry_config_refresh(&dev->cfg), -EIO);
	device_free(dev);
}

const struct test read_tests[] = {
	{ "read.any_range_is_its_bytes", any_range_is_its_bytes },
	{ "read.live_and_virtual_in_one_dword", live_and_virtual_in_one_dword },
	{ "read.peeks", peeks },
	{ "read.accesses_of_256_bytes", accesses_of_256_bytes },
	{ "read.accesses_of_4096_bytes", accesses_of_4096_bytes },
	{ "read.accesses_are_aligned", accesses_are_aligned },
	{ "read.past_the_end", past_the_end },
	{ "read.errors_come_through", errors_come_through },
	{ "read.gaps_sleep_and_wake", gaps_sleep_and_wake },
	{ "read.refresh_reads_again", refresh_reads_again },
	{ }
};
