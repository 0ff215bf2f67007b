// SPDX-License-Identifier: GPL-2.0-only
/*
 * The header of functions that have only half of one.
 */
#include <string.h>

#include "device.h"
#include "test.h"

/* PCIe section 9.3.4: a virtual function has no IDs, BARs or COMMAND bits. */
static struct device *virtual_function(void)
{
	struct device *dev = device_igb();

	device_put(dev, 0x00, 4, ~0U);
	device_put(dev, 0x04, 2, 0);
	device_rw(dev, 0x04, 2, 0x0004);
	memset(dev->bytes + 0x10, 0, 24);
	dev->shown_vendor = 0x8086;
	dev->shown_device = 0x10ca;
	return dev;
}

static void ids(void)
{
	struct device *dev = virtual_function();

	device_must_open(dev);
	CHECK_EQ(user_read(dev, 0x00, 4), 0x10ca8086);
	user_write(dev, 0x00, 4, ~0U);
	CHECK_EQ(ferry_config_refresh(&dev->cfg), 0);
	CHECK_EQ(user_read(dev, 0x00, 4), 0x10ca8086);
	user_write(dev, 0x10, 4, ~0U);
	CHECK_EQ(user_read(dev, 0x10, 4), 0xfffe0000);
	device_free(dev);
}

static void memory_enable(void)
{
	struct device *dev = virtual_function();

	CHECK_EQ(device_open(dev, FERRY_CONFIG_NO_COMMAND_MEMORY, NULL), 0);
	CHECK_EQ(user_read(dev, 0x04, 2), 0x0002);
	CHECK_EQ(ferry_config_get16(&dev->cfg, 0x04), 0x0002);
	user_write(dev, 0x04, 2, 0x0004);
	CHECK_EQ(user_read(dev, 0x04, 2), 0x0004);
	user_write(dev, 0x04, 1, 0x06);
	CHECK_EQ(user_read(dev, 0x04, 2), 0x0006);
	CHECK_EQ(device_get(dev, 0x04, 2), 0x0004);
	CHECK_EQ(ferry_config_get16(&dev->cfg, 0x04), 0x0006);
	device_free(dev);
}

static void interrupt_pin(void)
{
	struct device *dev = device_igb();

	CHECK_EQ(device_open(dev, FERRY_CONFIG_NO_INTX, NULL), 0);
	CHECK_EQ(user_read(dev, 0x3d, 1), 0);
	CHECK_EQ(ferry_config_refresh(&dev->cfg), 0);
	CHECK_EQ(user_read(dev, 0x3c, 2), 0x000b);
	CHECK_EQ(device_open(dev, 0, NULL), 0);
	CHECK_EQ(user_read(dev, 0x3d, 1), 1);
	device_free(dev);
}

const struct test header_tests[] = {
	{ "header.ids", ids },
	{ "header.memory_enable", memory_enable },
	{ "header.interrupt_pin", interrupt_pin },
	{ }
};
