// SPDX-License-Identifier: GPL-2.0-only
/*
 * Base address registers: sizing, types, and hardware's stay untouched.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "device.h"
#include "test.h"

static void memory32(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	CHECK_EQ(user_read(dev, 0x10, 4), 0xfe800000);
	user_write(dev, 0x10, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x10, 4), 0xfffe0000);
	user_write(dev, 0x10, 4, 0x12345678);
	CHECK_EQ(user_read(dev, 0x10, 4), 0x12340000);
	user_write(dev, 0x13, 1, 0xab);
	CHECK_EQ(user_read(dev, 0x10, 4), 0xab340000);
	user_write(dev, 0x10, 4, 0);
	CHECK_EQ(user_read(dev, 0x10, 4), 0);
	CHECK_EQ(device_get(dev, 0x10, 4), 0xfe800000);
	CHECK_EQ(dev->reads + dev->writes, 0);
	device_free(dev);
}

static void io_port(void)
{
	struct device *dev = device_igb();

	device_must_open(dev);
	CHECK_EQ(user_read(dev, 0x18, 4), 0xc001);
	user_write(dev, 0x18, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x18, 4), 0xffffffe1);
	user_write(dev, 0x18, 4, 0);
	CHECK_EQ(user_read(dev, 0x18, 4), 1);
	device_free(dev);
}

static void memory64(void)
{
	struct device *dev = device_sampler();

	/* A resource above 4 GiB; what is said of its upper half is ignored. */
	dev->bars[0].size = 1ULL << 33;
	dev->bars[1].size = 0x100;
	dev->bars[1].flags = 1;
	device_must_open(dev);
	CHECK_EQ(user_read(dev, 0x10, 4), 0x0000000c);
	CHECK_EQ(user_read(dev, 0x14, 4), 0xfc);
	user_write(dev, 0x10, 4, ~0U);
	user_write(dev, 0x14, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x10, 4), 0x0000000c);
	CHECK_EQ(user_read(dev, 0x14, 4), 0xfffffffe);
	user_write(dev, 0x14, 4, 0x21);
	CHECK_EQ(user_read(dev, 0x14, 4), 0x20);
	device_free(dev);

	/* The last register has no neighbour. */
	dev = device_sampler();
	dev->bars[5].flags = 4;
	device_must_open(dev);
	user_write(dev, 0x24, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x24, 4), 0xffffff04);
	user_write(dev, 0x28, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x28, 4), 0);
	device_free(dev);
}

static void rom(void)
{
	struct device *dev = device_e1000e();

	device_must_open(dev);
	CHECK_EQ(user_read(dev, 0x30, 4), 0xfeb40000);
	user_write(dev, 0x30, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x30, 4), 0xfffc0001);
	user_write(dev, 0x30, 4, 0xfffff800);
	CHECK_EQ(user_read(dev, 0x30, 4), 0xfffc0000);
	user_write(dev, 0x30, 4, 1);
	CHECK_EQ(user_read(dev, 0x30, 4), 1);
	device_free(dev);
}

static void unassigned(void)
{
	struct device *dev = device_igb();

	/* Hardware has something there, the host has not assigned it. */
	device_put(dev, 0x20, 4, 0xdead000c);
	device_put(dev, 0x30, 4, 0xbeef0001);
	device_must_open(dev);
	CHECK_EQ(user_read(dev, 0x20, 4), 0);
	CHECK_EQ(user_read(dev, 0x30, 4), 0);
	user_write(dev, 0x20, 4, ~0U);
	user_write(dev, 0x30, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x20, 4), 0);
	CHECK_EQ(user_read(dev, 0x30, 4), 0);
	CHECK_EQ(dev->writes, 0);
	device_free(dev);
}

/* Sizes of a byte and of the whole address space, and no size at all */
static void extremes(void)
{
	struct device *dev = device_igb();

	dev->bars[0].size = 1;
	dev->bars[1].size = 1ULL << 63;
	dev->bars[1].flags = 4;
	dev->bars[3].size = 4;
	dev->bars[3].flags = 1;
	dev->bars[FERRY_CONFIG_ROM].size = 1;
	device_must_open(dev);
	user_write(dev, 0x10, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x10, 4), 0xfffffff0);
	user_write(dev, 0x14, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x14, 4), 0x00000004);
	user_write(dev, 0x18, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x18, 4), 0x80000000);
	user_write(dev, 0x1c, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x1c, 4), 0xfffffffd);
	user_write(dev, 0x30, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x30, 4), 0xfffff801);
	device_free(dev);
}

/* A BAR of no size reads as one that isn't there, whatever kind it claims. */
static void size_zero(void)
{
	static const u32 kinds[] = {
		0, PCI_BASE_ADDRESS_SPACE_IO, PCI_BASE_ADDRESS_MEM_TYPE_64,
		PCI_BASE_ADDRESS_MEM_PREFETCH,
		PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH,
	};
	unsigned int kind, i;

	for (kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		struct device *dev = device_igb();

		for (i = 0; i < FERRY_CONFIG_NUM_BARS; i++) {
			dev->bars[i].size = 0;
			dev->bars[i].flags = kinds[kind];
		}
		device_must_open(dev);
		for (i = 0x10; i < 0x34; i += 4) {
			if (i == 0x28 || i == 0x2c)
				continue;
			user_write(dev, i, 4, ~0U);
			CHECK_EQ(user_read(dev, i, 4), 0);
		}
		CHECK_EQ(dev->writes, 0);
		device_free(dev);
	}
}

const struct test bars_tests[] = {
	{ "bars.memory32", memory32 },
	{ "bars.io_port", io_port },
	{ "bars.memory64", memory64 },
	{ "bars.rom", rom },
	{ "bars.unassigned", unassigned },
	{ "bars.extremes", extremes },
	{ "bars.size_zero", size_zero },
	{ }
};
