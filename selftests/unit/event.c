// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: which write raises which, with what values, in what order.
 */
#include <errno.h>
#include <string.h>

#include "device.h"
#include "test.h"

static struct ferry_config_change seen_before, seen_after;
static unsigned int befores, afters;
static u32 hardware_before, hardware_after;
static int refusal;
static bool power_stuck;

static int before(void *ctx, const struct ferry_config_change *change)
{
	struct device *dev = ctx;

	befores++;
	seen_before = *change;
	hardware_before = device_get(dev, change->offset, change->width);
	return refusal;
}

static void after(void *ctx, const struct ferry_config_change *change)
{
	struct device *dev = ctx;

	afters++;
	seen_after = *change;
	hardware_after = device_get(dev, change->offset, change->width);
	if (change->events & FERRY_CONFIG_POWER && !power_stuck)
		device_put(dev, change->offset, 1,
			   (hardware_after & 0xfc) | (change->new & 3));
}

static const struct ferry_config_ops ops = { .before = before, .after = after };

static struct device *watch(struct device *dev)
{
	CHECK_EQ(device_open(dev, 0, &ops), 0);
	refusal = 0;
	befores = 0;
	afters = 0;
	return dev;
}

/* Write, and expect one event; or none. */
static void expect(struct device *dev, unsigned int off, unsigned int width,
		   u32 val, u32 events, unsigned int reg, u32 old, u32 new)
{
	befores = 0;
	afters = 0;
	user_write(dev, off, width, val);
	CHECK_EQ(befores, !!events);
	CHECK_EQ(afters, !!events);
	if (!events)
		return;
	CHECK_EQ(memcmp(&seen_before, &seen_after, sizeof(seen_before)), 0);
	CHECK_EQ(seen_before.events, events);
	CHECK_EQ(seen_before.offset, reg);
	CHECK_EQ(seen_before.old, old);
	CHECK_EQ(seen_before.new, new);
	CHECK_EQ(seen_before.error, 0);
}

static void command(void)
{
	struct device *dev = watch(device_igb());

	expect(dev, 0x04, 2, 0x0002, FERRY_CONFIG_COMMAND, 0x04, 7, 2);
	/* Before it, the gate can be closed; after it, opened. */
	CHECK_EQ(hardware_before, 0x0007);
	CHECK_EQ(hardware_after, 0x0002);
	expect(dev, 0x04, 4, 0x0402, FERRY_CONFIG_COMMAND, 0x04, 2, 0x402);
	expect(dev, 0x05, 1, 0x00, FERRY_CONFIG_COMMAND, 0x04, 0x402, 2);
	/* Nothing changes, but hardware may have been reset. */
	device_put(dev, 0x04, 2, 0);
	expect(dev, 0x04, 1, 0x02, FERRY_CONFIG_COMMAND, 0x04, 2, 2);
	expect(dev, 0x06, 2, 0xffff, 0, 0, 0, 0);
	expect(dev, 0x03, 1, 0xff, 0, 0, 0, 0);
	expect(dev, 0x10, 4, 0xfe000000, 0, 0, 0, 0);
	device_free(dev);
}

static void power(void)
{
	struct device *dev = watch(device_igb());

	expect(dev, 0x44, 2, 0x0003, FERRY_CONFIG_POWER, 0x44, 0, 3);
	/* The hook has entered it. */
	CHECK_EQ(hardware_after & 3, 0);
	CHECK_EQ(user_read(dev, 0x44, 2), 0x000b);
	expect(dev, 0x44, 1, 0x01, FERRY_CONFIG_POWER, 0x44, 3, 1);
	expect(dev, 0x45, 1, 0x02, 0, 0, 0, 0);
	/* The hook cannot enter it: the user sees the state that it is in. */
	power_stuck = true;
	expect(dev, 0x44, 1, 0x03, FERRY_CONFIG_POWER, 0x44, 1, 3);
	CHECK_EQ(user_read(dev, 0x44, 1), 0x09);
	power_stuck = false;
	expect(dev, 0x44, 1, 0x00, FERRY_CONFIG_POWER, 0x44, 1, 0);
	CHECK_EQ(user_read(dev, 0x44, 4), 0x33000208);
	device_free(dev);

	/* A function without D1 and D2 */
	dev = device_igb();
	device_put(dev, 0x42, 2, 0xc803);
	watch(dev);
	expect(dev, 0x44, 2, 0x0001, 0, 0, 0, 0);
	expect(dev, 0x44, 2, 0x0002, 0, 0, 0, 0);
	expect(dev, 0x44, 2, 0x0003, FERRY_CONFIG_POWER, 0x44, 0, 3);
	device_free(dev);
}

static void reset_of_an_express_function(void)
{
	struct device *dev = watch(device_igb());

	expect(dev, 0xa8, 2, 0xa830, FERRY_CONFIG_FLR, 0xa8, 0x2020, 0xa020);
	CHECK_EQ(user_read(dev, 0xa8, 2), 0x2830);
	CHECK_EQ(device_get(dev, 0xa8, 2), 0x2830);
	expect(dev, 0xa9, 1, 0x98, FERRY_CONFIG_FLR | FERRY_CONFIG_READRQ, 0xa8,
	       0x2020, 0x9020);
	expect(dev, 0xa8, 1, 0x80, 0, 0, 0, 0);
	device_free(dev);

	dev = device_igb();
	device_put(dev, 0xa4, 4, 0x00008fc1);
	watch(dev);
	expect(dev, 0xa8, 2, 0xa830, 0, 0, 0, 0);
	CHECK_EQ(user_read(dev, 0xa8, 2), 0x2830);
	device_free(dev);
}

static void reset_by_advanced_features(void)
{
	struct device *dev = watch(device_sampler());
	unsigned int cap;

	expect(dev, 0x5c, 1, 0x01, FERRY_CONFIG_FLR, 0x5c, 0, 1);
	CHECK_EQ(user_read(dev, 0x5c, 1), 0);
	expect(dev, 0x5c, 1, 0xfe, 0, 0, 0, 0);
	CHECK_EQ(dev->writes, 0);
	device_free(dev);

	/* Needs both FLR and Transactions Pending (AF section 3.3.1) */
	for (cap = 0; cap < 3; cap++) {
		dev = device_sampler();
		device_put(dev, 0x5b, 1, cap);
		watch(dev);
		expect(dev, 0x5c, 1, 0x01, 0, 0, 0, 0);
		device_free(dev);
	}
}

static void read_request_size(void)
{
	struct device *dev = watch(device_igb());

	expect(dev, 0xa8, 2, 0x5830, FERRY_CONFIG_READRQ, 0xa8, 0x2020, 0x5020);
	expect(dev, 0xa8, 2, 0x5830, 0, 0, 0, 0);
	expect(dev, 0xa8, 2, 0x50e0, 0, 0, 0, 0);
	CHECK_EQ(user_read(dev, 0xa8, 2), 0x50e0);
	device_free(dev);
}

static void vpd(void)
{
	struct device *dev = watch(device_sampler());

	expect(dev, 0x42, 2, 0x0010, FERRY_CONFIG_VPD, 0x42, 0x8000, 0x0010);
	/* The hook has transferred and says so. */
	ferry_config_set32(&dev->cfg, 0x44, 0xcafef00d);
	ferry_config_set16(&dev->cfg, 0x42, 0x8010);
	CHECK_EQ(user_read(dev, 0x42, 2), 0x8010);
	CHECK_EQ(user_read(dev, 0x44, 4), 0xcafef00d);
	expect(dev, 0x43, 1, 0x80, FERRY_CONFIG_VPD, 0x42, 0x8010, 0x8010);
	expect(dev, 0x40, 4, 0x80200000, FERRY_CONFIG_VPD, 0x42, 0x8010, 0x8020);
	/* Half an address asks for nothing. */
	expect(dev, 0x42, 1, 0x30, 0, 0, 0, 0);
	CHECK_EQ(user_read(dev, 0x42, 2), 0x8030);
	expect(dev, 0x44, 4, 0x01020304, 0, 0, 0, 0);
	CHECK_EQ(user_read(dev, 0x44, 4), 0x01020304);
	CHECK_EQ(dev->writes, 0);
	device_free(dev);
}

static void msi(void)
{
	struct device *dev = watch(device_sampler());

	expect(dev, 0xd6, 2, 0x0001, 0, 0, 0, 0);
	ferry_config_set_msi(&dev->cfg, 2);
	expect(dev, 0xd6, 2, 0x0071, FERRY_CONFIG_MSI, 0xd6, 0x010a, 0x011b);
	/* Its user may have been told nothing of what enabled it. */
	expect(dev, 0xd6, 2, 0x0011, FERRY_CONFIG_MSI, 0xd6, 0x011b, 0x011b);
	expect(dev, 0xd7, 1, 0x01, 0, 0, 0, 0);
	/* Hardware minds its mask bits itself. */
	expect(dev, 0xe0, 4, 0x00000003, 0, 0, 0, 0);
	CHECK_EQ(device_get(dev, 0xe0, 4), 3);
	device_free(dev);
}

/* Nothing of it can be written, not even where what it says can't be. */
static void second_msi(void)
{
	struct device *dev = device_new(256, 0x8086, 0x10c9);

	cap_first(dev, 0x40);
	cap_msi(dev, 0x40, 0x60, 0x018a);
	cap_msi(dev, 0x60, 0x00, 0x01c2);
	watch(dev);
	ferry_config_set_msi(&dev->cfg, 2);
	expect(dev, 0x62, 2, 0x0041, 0, 0, 0, 0);
	CHECK_EQ(user_read(dev, 0x62, 2), 0x01c2);
	expect(dev, 0x42, 2, 0x0011, FERRY_CONFIG_MSI, 0x42, 0x018a, 0x019b);
	device_free(dev);
}

static void msix_is_read_only(void)
{
	struct device *dev = watch(device_igb());

	expect(dev, 0x72, 2, 0xc000, 0, 0, 0, 0);
	CHECK_EQ(dev->writes, 0);
	device_free(dev);
}

static void refused(void)
{
	struct device *dev = watch(device_igb());
	u8 buf[2] = { 0 };

	refusal = -EBUSY;
	CHECK_EQ(ferry_config_write(&dev->cfg, 0x04, buf, 2), -EBUSY);
	CHECK_EQ(befores, 1);
	CHECK_EQ(afters, 0);
	CHECK_EQ(dev->writes, 0);
	CHECK_EQ(ferry_config_get16(&dev->cfg, 0x04), 0x0007);
	device_free(dev);
}

/* Who closed a gate before has to be told that it can be opened. */
static void failed(void)
{
	struct device *dev = watch(device_igb());
	u8 buf[2] = { 0 };

	dev->fail_write = 1;
	CHECK_EQ(ferry_config_write(&dev->cfg, 0x04, buf, 2), -EIO);
	CHECK_EQ(befores, 1);
	CHECK_EQ(afters, 1);
	CHECK_EQ(seen_after.error, -EIO);
	CHECK_EQ(ferry_config_get16(&dev->cfg, 0x04), 0x0007);
	/* The event has happened, but its effect cannot be read back. */
	dev->fail_read = 1;
	CHECK_EQ(ferry_config_write(&dev->cfg, 0x44, buf, 1), -EIO);
	CHECK_EQ(afters, 2);
	device_free(dev);
}

static void no_hooks(void)
{
	static const struct ferry_config_ops none;
	struct device *dev = device_igb();

	CHECK_EQ(device_open(dev, 0, &none), 0);
	user_write(dev, 0x04, 2, 0x0002);
	CHECK_EQ(device_get(dev, 0x04, 2), 0x0002);
	device_free(dev);
}

const struct test event_tests[] = {
	{ "event.command", command },
	{ "event.power", power },
	{ "event.reset_of_an_express_function", reset_of_an_express_function },
	{ "event.reset_by_advanced_features", reset_by_advanced_features },
	{ "event.read_request_size", read_request_size },
	{ "event.vpd", vpd },
	{ "event.msi", msi },
	{ "event.second_msi", second_msi },
	{ "event.msix_is_read_only", msix_is_read_only },
	{ "event.refused", refused },
	{ "event.failed", failed },
	{ "event.no_hooks", no_hooks },
	{ }
};
