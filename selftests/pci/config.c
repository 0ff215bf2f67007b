// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space: what a user may see and change of it, and what a change does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define CFG		VFIO_PCI_CONFIG_REGION_INDEX
#define ROM		VFIO_PCI_ROM_REGION_INDEX
#define NO_REGISTER	0xffff

FIXTURE(config)
{
	struct vdev v;
	bool mdev;
	int hw;
	unsigned int size;
};

/*
 * @bar and @reg: a 32-bit register that always reads the same
 * @scratch: a register that keeps @value until the device is reset
 */
FIXTURE_VARIANT(config)
{
	const char *device;
	unsigned int bar;
	unsigned int reg;
	unsigned int scratch;
	__u32 value;
};

FIXTURE_VARIANT_ADD(config, edu)
{
	.device = "edu", .bar = 0, .reg = EDU_ID, .scratch = NO_REGISTER,
};

FIXTURE_VARIANT_ADD(config, e1000e)
{
	.device = "e1000e", .bar = 0, .reg = 0x8, .scratch = NO_REGISTER,
};

FIXTURE_VARIANT_ADD(config, igb)
{
	.device = "igb", .bar = 0, .reg = 0x8, .scratch = 0xc000,
	.value = 0x12300,
};

FIXTURE_VARIANT_ADD(config, nvme)
{
	.device = "nvme", .bar = 0, .reg = 0x8, .scratch = NO_REGISTER,
};

FIXTURE_VARIANT_ADD(config, ivshmem)
{
	.device = "ivshmem", .bar = 2, .reg = 0x100, .scratch = NO_REGISTER,
};

FIXTURE_VARIANT_ADD(config, uart)
{
	.device = "uart", .bar = NO_REGISTER, .reg = NO_REGISTER,
	.scratch = NO_REGISTER,
};

FIXTURE_SETUP(config)
{
	const char *missing = device_missing(variant->device);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
	self->mdev = device_is_mdev(variant->device);
	self->size = region_size(&self->v, CFG);
	self->hw = -1;
	if (!self->mdev) {
		self->hw = pci_config(self->v.name, O_RDONLY);
		ASSERT_LE(0, self->hw);
	}
}

FIXTURE_TEARDOWN(config)
{
	if (self->hw >= 0)
		close(self->hw);
	vdev_close(&self->v);
}

/* What the hardware has where the user sees something virtual. */
static __u32 hw_r32(int hw, unsigned int pos)
{
	__u32 val;

	if (pread(hw, &val, sizeof(val), pos) != sizeof(val))
		abort();
	return val;
}

TEST_F(config, identity)
{
	char text[32];

	if (self->mdev)
		SKIP(return, "a mediated device has no PCI device in sysfs");
	ASSERT_EQ(0, pci_attr_read(self->v.name, "vendor", text,
				   sizeof(text)));
	EXPECT_EQ(strtoul(text, NULL, 16), cfg_r16(&self->v, PCI_VENDOR_ID));
	ASSERT_EQ(0, pci_attr_read(self->v.name, "device", text,
				   sizeof(text)));
	EXPECT_EQ(strtoul(text, NULL, 16), cfg_r16(&self->v, PCI_DEVICE_ID));
	ASSERT_EQ(0, pci_attr_read(self->v.name, "class", text,
				   sizeof(text)));
	EXPECT_EQ(strtoul(text, NULL, 16),
		  cfg_r32(&self->v, PCI_CLASS_REVISION) >> 8);
	EXPECT_EQ(PCI_HEADER_TYPE_NORMAL,
		  cfg_r8(&self->v, PCI_HEADER_TYPE) & 0x7f);
}

/* However it is cut, a read gives the bytes that single reads give. */
TEST_F(config, reads_agree)
{
	unsigned char whole[4096], part[64];
	unsigned int pos, len, seed = 1, i;

	ASSERT_EQ((ssize_t)self->size,
		  region_read(&self->v, CFG, 0, whole, self->size));
	for (pos = 0; pos < self->size; pos++) {
		ASSERT_EQ(whole[pos], cfg_r8(&self->v, pos)) {
			TH_LOG("byte %#x", pos);
		}
	}
	for (len = 2; len <= 9; len++) {
		for (pos = 0; pos + len <= 256; pos++) {
			ASSERT_EQ((ssize_t)len, region_read(&self->v, CFG, pos,
							    part, len));
			ASSERT_EQ(0, memcmp(part, whole + pos, len)) {
				TH_LOG("%u bytes at %#x", len, pos);
			}
		}
	}
	for (i = 0; i < 2000; i++) {
		seed = seed * 1103515245 + 12345;
		len = 1 + (seed >> 8) % sizeof(part);
		pos = (seed >> 16) % (self->size - len + 1);
		ASSERT_EQ((ssize_t)len,
			  region_read(&self->v, CFG, pos, part, len));
		ASSERT_EQ(0, memcmp(part, whole + pos, len)) {
			TH_LOG("%u bytes at %#x", len, pos);
		}
	}
}

TEST_F(config, past_the_end)
{
	unsigned char buf[4100];
	__u32 last = cfg_r32(&self->v, self->size - 4);
	const struct {
		__u64 pos;
		size_t len;
	} cases[] = {
		{ self->size, 1 },
		{ self->size, 4 },
		{ self->size - 1, 2 },
		{ self->size - 4, 5 },
		{ 0, self->size + 1 },
		{ 1, self->size },
		{ 0x100000000ULL, 4 },
		{ (1ULL << 40) - 1, 1 },
		{ (1ULL << 40) - 4, 4 },
	};
	size_t i;

	memset(buf, 0xff, sizeof(buf));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		EXPECT_EQ(-EFAULT, region_read(&self->v, CFG, cases[i].pos,
					       buf, cases[i].len)) {
			TH_LOG("case %zu", i);
		}
	}
	EXPECT_EQ(-EFAULT, region_write(&self->v, CFG, self->size, buf, 1));
	EXPECT_EQ(-EFAULT, region_write(&self->v, CFG, self->size - 4, buf,
					5));
	EXPECT_EQ(last, cfg_r32(&self->v, self->size - 4));
	EXPECT_EQ(0, region_read(&self->v, CFG, 0, buf, 0));
	EXPECT_EQ(0, region_write(&self->v, CFG, 0, buf, 0));
	EXPECT_EQ(-EFAULT, region_read(&self->v, CFG, 0, NULL, 4));
	EXPECT_EQ(-EFAULT, region_write(&self->v, CFG, PCI_INTERRUPT_LINE,
					NULL, 1));
}

TEST_F(config, read_only)
{
	const struct {
		unsigned int pos, len;
	} fields[] = {
		{ PCI_VENDOR_ID, 4 },
		{ PCI_CLASS_REVISION, 4 },
		{ PCI_HEADER_TYPE, 1 },
		{ PCI_SUBSYSTEM_VENDOR_ID, 4 },
		{ PCI_CARDBUS_CIS, 4 },
		{ PCI_CAPABILITY_LIST, 4 },
		{ PCI_CAPABILITY_LIST + 4, 4 },
		{ PCI_INTERRUPT_PIN, 3 },
	};
	unsigned char was[4], inverse[4], now[4];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		region_read(&self->v, CFG, fields[i].pos, was, fields[i].len);
		for (j = 0; j < fields[i].len; j++)
			inverse[j] = ~was[j];
		EXPECT_EQ((ssize_t)fields[i].len,
			  region_write(&self->v, CFG, fields[i].pos, inverse,
				       fields[i].len));
		region_read(&self->v, CFG, fields[i].pos, now, fields[i].len);
		EXPECT_EQ(0, memcmp(was, now, fields[i].len)) {
			TH_LOG("%u bytes at %#x", fields[i].len,
			       fields[i].pos);
		}
	}
}

/* Bits of STATUS are cleared by writing one: not through a guest's hand. */
TEST_F(config, status)
{
	__u16 status = cfg_r16(&self->v, PCI_STATUS);
	__u16 cmd = cfg_r16(&self->v, PCI_COMMAND);

	cfg_w16(&self->v, PCI_STATUS, 0xffff);
	EXPECT_EQ(status, cfg_r16(&self->v, PCI_STATUS));
	cfg_w16(&self->v, PCI_STATUS, 0);
	EXPECT_EQ(status, cfg_r16(&self->v, PCI_STATUS));
	cfg_w32(&self->v, PCI_COMMAND, 0xffff0000U | cmd);
	EXPECT_EQ(status, cfg_r16(&self->v, PCI_STATUS));
	EXPECT_EQ(cmd, cfg_r16(&self->v, PCI_COMMAND));
}

TEST_F(config, command)
{
	const __u16 bits[] = {
		PCI_COMMAND_MASTER, PCI_COMMAND_INTX_DISABLE,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		cfg_command(&self->v, 0, bits[i]);
		EXPECT_EQ(bits[i], cfg_r16(&self->v, PCI_COMMAND) & bits[i]);
		cfg_command(&self->v, bits[i], 0);
		EXPECT_EQ(0, cfg_r16(&self->v, PCI_COMMAND) & bits[i]);
	}
	/* Each byte of it alone. */
	cfg_w8(&self->v, PCI_COMMAND + 1, PCI_COMMAND_INTX_DISABLE >> 8);
	EXPECT_TRUE(cfg_r16(&self->v, PCI_COMMAND) &
		    PCI_COMMAND_INTX_DISABLE);
	cfg_w8(&self->v, PCI_COMMAND, cfg_r8(&self->v, PCI_COMMAND) |
	       PCI_COMMAND_MASTER);
	EXPECT_TRUE(cfg_r16(&self->v, PCI_COMMAND) & PCI_COMMAND_MASTER);
	EXPECT_TRUE(cfg_r16(&self->v, PCI_COMMAND) &
		    PCI_COMMAND_INTX_DISABLE);
}

/* Where the firmware keeps the number of the interrupt: the user's own. */
TEST_F(config, interrupt_line)
{
	__u32 hw = self->mdev ? 0 : hw_r32(self->hw, PCI_INTERRUPT_LINE);

	cfg_w8(&self->v, PCI_INTERRUPT_LINE, 0x5a);
	EXPECT_EQ(0x5a, cfg_r8(&self->v, PCI_INTERRUPT_LINE));
	cfg_w8(&self->v, PCI_INTERRUPT_LINE, 0xff);
	EXPECT_EQ(0xff, cfg_r8(&self->v, PCI_INTERRUPT_LINE));
	if (!self->mdev) {
		EXPECT_EQ(hw, hw_r32(self->hw, PCI_INTERRUPT_LINE));
		return;
	}
	EXPECT_EQ(0, vdev_reset(&self->v));
}

static bool is_io_bar(__u32 bar)
{
	return bar & PCI_BASE_ADDRESS_SPACE_IO;
}

static bool is_64_bar(__u32 bar)
{
	return !is_io_bar(bar) && (bar & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
	       PCI_BASE_ADDRESS_MEM_TYPE_64;
}

static __u32 bar_flags(__u32 bar)
{
	return bar & (is_io_bar(bar) ? 0x3 : 0xf);
}

/* What firmware does to learn sizes: all ones in, the size mask out. */
TEST_F(config, bar_sizing)
{
	unsigned int i, pos;
	__u64 size, mask;
	__u32 old, low;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		pos = PCI_BASE_ADDRESS_0 + 4 * i;
		size = region_size(&self->v, i);
		old = cfg_r32(&self->v, pos);
		cfg_w32(&self->v, pos, ~0U);
		low = cfg_r32(&self->v, pos);
		if (!size) {
			EXPECT_EQ(0, low) {
				TH_LOG("BAR %u does not exist", i);
			}
			continue;
		}
		mask = ~(size - 1);
		EXPECT_EQ((__u32)mask | bar_flags(old), low) {
			TH_LOG("BAR %u", i);
		}
		EXPECT_EQ(bar_flags(old), bar_flags(low));
		cfg_w32(&self->v, pos, old);
		EXPECT_EQ(old, cfg_r32(&self->v, pos));
		if (!is_64_bar(old))
			continue;
		i++;
		old = cfg_r32(&self->v, pos + 4);
		cfg_w32(&self->v, pos + 4, ~0U);
		EXPECT_EQ((__u32)(mask >> 32), cfg_r32(&self->v, pos + 4));
		cfg_w32(&self->v, pos + 4, old);
		EXPECT_EQ(old, cfg_r32(&self->v, pos + 4));
	}
}

TEST_F(config, bar_sizing_by_bytes)
{
	unsigned int i, b, pos;
	__u32 old, low;
	__u64 size;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		pos = PCI_BASE_ADDRESS_0 + 4 * i;
		size = region_size(&self->v, i);
		old = cfg_r32(&self->v, pos);
		if (!size)
			continue;
		for (b = 0; b < 4; b++)
			cfg_w8(&self->v, pos + b, 0xff);
		low = cfg_r32(&self->v, pos);
		EXPECT_EQ((__u32)~(size - 1) | bar_flags(old), low) {
			TH_LOG("BAR %u", i);
		}
		cfg_w32(&self->v, pos, old);
		i += is_64_bar(old);
	}
}

TEST_F(config, rom_sizing)
{
	__u64 size;

	if (self->mdev)
		SKIP(return, "a mediated device has no ROM");
	size = pci_resource_len(self->v.name, ROM);
	cfg_w32(&self->v, PCI_ROM_ADDRESS, ~0U);
	EXPECT_EQ(size ? (__u32)~(size - 1) | PCI_ROM_ADDRESS_ENABLE : 0,
		  cfg_r32(&self->v, PCI_ROM_ADDRESS));
	cfg_w32(&self->v, PCI_ROM_ADDRESS, 0);
	EXPECT_EQ(0, cfg_r32(&self->v, PCI_ROM_ADDRESS));
}

/* The user's BAR is the user's: it stays, and the hardware's stays too. */
TEST_F(config, bar_address)
{
	__u32 hw, old, want, constant = 0;
	unsigned int i, pos;
	__u64 size;

	if (variant->reg != NO_REGISTER)
		constant = region_r32(&self->v, variant->bar, variant->reg);
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		pos = PCI_BASE_ADDRESS_0 + 4 * i;
		size = region_size(&self->v, i);
		old = cfg_r32(&self->v, pos);
		if (!size || size > 0x80000000U)
			continue;
		hw = self->mdev ? 0 : hw_r32(self->hw, pos);
		want = (0xc5a5a5a0 & ~(size - 1)) | bar_flags(old);
		cfg_w32(&self->v, pos, want);
		EXPECT_EQ(want, cfg_r32(&self->v, pos)) {
			TH_LOG("BAR %u", i);
		}
		cfg_command(&self->v, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 0);
		EXPECT_EQ(want, cfg_r32(&self->v, pos));
		cfg_command(&self->v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
		EXPECT_EQ(want, cfg_r32(&self->v, pos));
		if (!self->mdev) {
			EXPECT_EQ(hw, hw_r32(self->hw, pos)) {
				TH_LOG("BAR %u of the hardware moved", i);
			}
		}
		i += is_64_bar(old);
	}
	if (variant->reg == NO_REGISTER)
		return;
	EXPECT_EQ(constant,
		  region_r32(&self->v, variant->bar, variant->reg));
}

/*
 * A reset that went around the driver took the addresses from the hardware:
 * when the user switches memory on, the driver writes them back.
 */
TEST_F(config, bar_write_back)
{
	__u32 zero = 0, was[PCI_STD_NUM_BARS], constant;
	unsigned int i;
	int hw;

	if (variant->reg == NO_REGISTER)
		SKIP(return, "no memory BAR");
	hw = pci_config(self->v.name, O_RDWR);
	ASSERT_LE(0, hw);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	constant = region_r32(&self->v, variant->bar, variant->reg);
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		was[i] = hw_r32(hw, PCI_BASE_ADDRESS_0 + 4 * i);

	ASSERT_EQ(2, pwrite(hw, &zero, 2, PCI_COMMAND));
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		ASSERT_EQ(4, pwrite(hw, &zero, 4, PCI_BASE_ADDRESS_0 + 4 * i)) {
			TH_LOG("BAR %u", i);
		}
	}
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		EXPECT_EQ(was[i], hw_r32(hw, PCI_BASE_ADDRESS_0 + 4 * i)) {
			TH_LOG("BAR %u", i);
		}
	}
	EXPECT_EQ(constant, region_r32(&self->v, variant->bar, variant->reg));
	close(hw);
}

/* The gate: no memory decoding, no access, by whatever way. */
TEST_F(config, memory_off)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	__u32 constant, val;
	void *map;
	int i;

	if (variant->reg == NO_REGISTER)
		SKIP(return, "no memory BAR");
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	ASSERT_EQ(0, region_map(&self->v, variant->bar, 0, page,
				PROT_READ | PROT_WRITE, MAP_SHARED, &map));
	constant = region_r32(&self->v, variant->bar, variant->reg);
	for (i = 0; i < 5; i++) {
		ASSERT_TRUE(map_read32(map, variant->reg, &val));
		EXPECT_EQ(constant, val);
		cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
		EXPECT_EQ(-EIO, region_read(&self->v, variant->bar,
					    variant->reg, &val, 4));
		EXPECT_EQ(-EIO, region_write(&self->v, variant->bar,
					     variant->reg, &val, 4));
		EXPECT_FALSE(map_read32(map, variant->reg, &val));
		EXPECT_FALSE(map_write32(map, variant->reg, 0));
		cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
		EXPECT_EQ(constant, region_r32(&self->v, variant->bar,
					       variant->reg));
	}
	munmap(map, page);
	cfg_command(&self->v, PCI_COMMAND_MEMORY, 0);
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(constant, region_r32(&self->v, variant->bar, variant->reg));
}

/* A device that sleeps in D3hot has no memory either. */
TEST_F(config, power_state)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_PM);
	__u32 constant, val;
	__u16 pmcsr;
	void *map;

	if (!pos)
		SKIP(return, "no power management");
	pos += PCI_PM_CTRL;
	pmcsr = cfg_r16(&self->v, pos) & ~PCI_PM_CTRL_STATE_MASK;
	if (variant->reg == NO_REGISTER) {
		cfg_w16(&self->v, pos, pmcsr | 3);
		EXPECT_EQ(3, cfg_r16(&self->v, pos) & PCI_PM_CTRL_STATE_MASK);
		cfg_w16(&self->v, pos, pmcsr);
		EXPECT_EQ(0, cfg_r16(&self->v, pos) & PCI_PM_CTRL_STATE_MASK);
		return;
	}
	ASSERT_EQ(0, region_map(&self->v, variant->bar, 0, page, PROT_READ,
				MAP_SHARED, &map));
	constant = region_r32(&self->v, variant->bar, variant->reg);
	ASSERT_TRUE(map_read32(map, variant->reg, &val));
	cfg_w16(&self->v, pos, pmcsr | 3);
	EXPECT_EQ(3, cfg_r16(&self->v, pos) & PCI_PM_CTRL_STATE_MASK);
	EXPECT_EQ(-EIO, region_read(&self->v, variant->bar, variant->reg,
				    &val, 4));
	EXPECT_FALSE(map_read32(map, variant->reg, &val));
	cfg_w16(&self->v, pos, pmcsr);
	EXPECT_EQ(0, cfg_r16(&self->v, pos) & PCI_PM_CTRL_STATE_MASK);
	EXPECT_EQ(constant, region_r32(&self->v, variant->bar, variant->reg));
	EXPECT_TRUE(map_read32(map, variant->reg, &val));
	EXPECT_EQ(constant, val);
	munmap(map, page);
}

/* Power management events are the host's business. */
TEST_F(config, power_events)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_PM);
	__u16 pmcsr;

	if (!pos)
		SKIP(return, "no power management");
	EXPECT_EQ(0, cfg_r16(&self->v, pos + PCI_PM_PMC) &
		  PCI_PM_CAP_PME_MASK);
	pmcsr = cfg_r16(&self->v, pos + PCI_PM_CTRL);
	cfg_w16(&self->v, pos + PCI_PM_CTRL, pmcsr | PCI_PM_CTRL_PME_ENABLE);
	EXPECT_EQ(0, cfg_r16(&self->v, pos + PCI_PM_CTRL) &
		  (PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS));
}

/* The function-level reset of the PCI Express capability. */
TEST_F(config, function_reset)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_EXP);
	__u32 bar0 = cfg_r32(&self->v, PCI_BASE_ADDRESS_0);
	__u16 devctl, cmd;

	if (!pos || !(cfg_r32(&self->v, pos + PCI_EXP_DEVCAP) &
		      PCI_EXP_DEVCAP_FLR))
		SKIP(return, "no function-level reset");
	if (variant->scratch == NO_REGISTER)
		SKIP(return, "no register to see it by");
	region_w32(&self->v, variant->bar, variant->scratch, variant->value);
	ASSERT_EQ(variant->value,
		  region_r32(&self->v, variant->bar, variant->scratch));
	cmd = cfg_r16(&self->v, PCI_COMMAND);
	devctl = cfg_r16(&self->v, pos + PCI_EXP_DEVCTL);
	cfg_w16(&self->v, pos + PCI_EXP_DEVCTL,
		devctl | PCI_EXP_DEVCTL_BCR_FLR);
	EXPECT_EQ(0, cfg_r16(&self->v, pos + PCI_EXP_DEVCTL) &
		  PCI_EXP_DEVCTL_BCR_FLR);
	EXPECT_EQ(cmd, cfg_r16(&self->v, PCI_COMMAND));
	EXPECT_EQ(bar0, cfg_r32(&self->v, PCI_BASE_ADDRESS_0));
	EXPECT_NE(variant->value,
		  region_r32(&self->v, variant->bar, variant->scratch));
}

TEST_F(config, capabilities)
{
	bool seen[256] = { false };
	unsigned int pos, next;
	__u8 id;

	if (!(cfg_r16(&self->v, PCI_STATUS) & PCI_STATUS_CAP_LIST)) {
		EXPECT_EQ(0, cfg_r8(&self->v, PCI_CAPABILITY_LIST));
		return;
	}
	for (pos = cfg_r8(&self->v, PCI_CAPABILITY_LIST); pos; pos = next) {
		ASSERT_LE(PCI_STD_HEADER_SIZEOF, pos);
		ASSERT_EQ(0, pos & 3);
		ASSERT_FALSE(seen[pos]) {
			TH_LOG("the list comes back to %#x", pos);
		}
		seen[pos] = true;
		id = cfg_r8(&self->v, pos + PCI_CAP_LIST_ID);
		next = cfg_r8(&self->v, pos + PCI_CAP_LIST_NEXT);
		EXPECT_LT(0, id);
		EXPECT_GE(PCI_CAP_ID_MAX, id);
		if (id == PCI_CAP_ID_VNDR)
			continue;
		cfg_w16(&self->v, pos, ~(id | next << 8));
		EXPECT_EQ(id | next << 8, cfg_r16(&self->v, pos)) {
			TH_LOG("capability %#x at %#x", id, pos);
		}
	}
}

TEST_F(config, extended_capabilities)
{
	bool seen[4096] = { false };
	unsigned int pos, next;
	__u32 header;

	if (self->size <= PCI_CFG_SPACE_SIZE)
		SKIP(return, "no extended config space");
	for (pos = PCI_CFG_SPACE_SIZE; pos; pos = next) {
		ASSERT_LE(PCI_CFG_SPACE_SIZE, pos);
		ASSERT_EQ(0, pos & 3);
		ASSERT_FALSE(seen[pos]) {
			TH_LOG("the list comes back to %#x", pos);
		}
		seen[pos] = true;
		header = cfg_r32(&self->v, pos);
		next = PCI_EXT_CAP_NEXT(header);
		if (PCI_EXT_CAP_ID(header) == PCI_EXT_CAP_ID_VNDR)
			continue;
		cfg_w32(&self->v, pos, ~header);
		EXPECT_EQ(header, cfg_r32(&self->v, pos)) {
			TH_LOG("capability %#x at %#x",
			       PCI_EXT_CAP_ID(header), pos);
		}
	}
}

/* Address and data of MSI are the user's own: the host's stay as they are. */
TEST_F(config, msi)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_MSI), data;
	int efd = efd_new();
	__u16 flags;

	if (!pos)
		SKIP(return, "no MSI");
	flags = cfg_r16(&self->v, pos + PCI_MSI_FLAGS);
	data = flags & PCI_MSI_FLAGS_64BIT ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32;
	ASSERT_EQ(0, irq_attach_one(&self->v, VFIO_PCI_MSI_IRQ_INDEX, 0, efd));
	cfg_w32(&self->v, pos + PCI_MSI_ADDRESS_LO, 0xfee01004);
	EXPECT_EQ(0xfee01004, cfg_r32(&self->v, pos + PCI_MSI_ADDRESS_LO));
	cfg_w16(&self->v, pos + data, 0x4321);
	EXPECT_EQ(0x4321, cfg_r16(&self->v, pos + data));
	if (!self->mdev) {
		EXPECT_NE(0x4321, hw_r32(self->hw, pos + data) & 0xffff);
		EXPECT_TRUE(hw_r32(self->hw, pos) >> 16 &
			    PCI_MSI_FLAGS_ENABLE);
	}
	ASSERT_EQ(0, irq_disable(&self->v, VFIO_PCI_MSI_IRQ_INDEX));
	EXPECT_EQ(0x4321, cfg_r16(&self->v, pos + data));
	close(efd);
}

TEST_F(config, msix)
{
	unsigned int pos = cfg_find_cap(&self->v, PCI_CAP_ID_MSIX);
	__u16 flags;

	if (!pos)
		SKIP(return, "no MSI-X");
	flags = cfg_r16(&self->v, pos + PCI_MSIX_FLAGS);
	cfg_w16(&self->v, pos + PCI_MSIX_FLAGS, ~flags);
	EXPECT_EQ(flags, cfg_r16(&self->v, pos + PCI_MSIX_FLAGS));
	if (!self->mdev) {
		EXPECT_FALSE(hw_r32(self->hw, pos) >> 16 &
			     PCI_MSIX_FLAGS_ENABLE);
	}
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
