// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole functions: the shapes of space that a host meets.
 */
#include "device.h"

/* Memory that is 64 bits wide; and prefetchable */
#define MEM64	0x4
#define MEM64P	0xc
#define IO	0x1

struct device *device_nvme(void)
{
	struct device *dev = device_new(4096, 0x1b36, 0x0010);

	device_bar(dev, 0, 0x4000, MEM64, 0x1800000000ULL);
	cap_first(dev, 0x40);
	cap_msix(dev, 0x40, 0x80, 65);
	cap_exp(dev, 0x80, 0x60, 2, 0);
	cap_pm(dev, 0x60, 0);
	ext_fixed(dev, 0x100, 0x120, 0x000e, 8, false);
	ext_sriov(dev, 0x120, 0);
	return dev;
}

struct device *device_igb(void)
{
	struct device *dev = device_new(4096, 0x8086, 0x10c9);

	device_bar(dev, 0, 0x20000, 0, 0xfe800000);
	device_bar(dev, 1, 0x20000, 0, 0xfe820000);
	device_bar(dev, 2, 0x20, IO, 0xc000);
	device_bar(dev, 3, 0x4000, 0, 0xfe840000);
	cap_first(dev, 0x40);
	cap_pm(dev, 0x40, 0x50);
	cap_msi(dev, 0x50, 0x70, 0x0180);
	cap_msix(dev, 0x70, 0xa0, 10);
	cap_exp(dev, 0xa0, 0, 2, 0);
	ext_aer(dev, 0x100, 0x140);
	ext_fixed(dev, 0x140, 0x150, 0x0003, 12, false);
	ext_fixed(dev, 0x150, 0x160, 0x000e, 8, false);
	ext_sriov(dev, 0x160, 0);
	return dev;
}

struct device *device_e1000e(void)
{
	struct device *dev = device_new(4096, 0x8086, 0x10d3);

	device_bar(dev, 0, 0x20000, 0, 0xfeb80000);
	device_bar(dev, 1, 0x20000, 0, 0xfeba0000);
	device_bar(dev, 2, 0x20, IO, 0xc040);
	device_bar(dev, 3, 0x4000, 0, 0xfebd0000);
	device_bar(dev, FERRY_CONFIG_ROM, 0x40000, 0, 0xfeb40000);
	cap_first(dev, 0xc8);
	cap_pm(dev, 0xc8, 0xd0);
	cap_msi(dev, 0xd0, 0xe0, 0x0080);
	cap_exp(dev, 0xe0, 0xa0, 1, 0);
	cap_msix(dev, 0xa0, 0, 5);
	ext_aer(dev, 0x100, 0x140);
	ext_fixed(dev, 0x140, 0, 0x0003, 12, false);
	return dev;
}

struct device *device_edu(void)
{
	struct device *dev = device_new(256, 0x1234, 0x11e8);

	device_bar(dev, 0, 0x100000, 0, 0xfea00000);
	cap_first(dev, 0x40);
	cap_msi(dev, 0x40, 0, 0x0080);
	return dev;
}

struct device *device_sampler(void)
{
	struct device *dev = device_new(256, 0x10ee, 0x0300);

	device_bar(dev, 0, 0x1000, MEM64P, 0xfc00000000ULL);
	device_bar(dev, 2, 0x8, IO, 0xd000);
	device_bar(dev, 5, 0x100, 0, 0xfea10000);
	cap_first(dev, 0x40);
	/* Out of order, some without a gap between them */
	cap_vpd(dev, 0x40, 0x60);
	cap_vndr(dev, 0x60, 0x58, 0x10);
	cap_af(dev, 0x58, 0x48);
	cap_hidden(dev, 0x48, 0x70, 0x0d);
	cap_shown_next(dev, 0x58, 0x70);
	cap_pcix(dev, 0x70, 0x88);
	cap_sata(dev, 0x88, 0x98);
	cap_ht(dev, 0x98, 0xb4);
	cap_agp(dev, 0xb4, 0xc0);
	/* Two vendor capabilities that touch */
	cap_vndr(dev, 0xc0, 0xc8, 8);
	cap_vndr(dev, 0xc8, 0xd4, 9);
	cap_msi(dev, 0xd4, 0xec, 0x010a);
	cap_hidden(dev, 0xec, 0, 0x14);
	cap_shown_next(dev, 0xd4, 0);
	/* A gap that is not empty */
	device_put(dev, 0xf9, 1, 0x5a);
	return dev;
}

struct device *device_ext_sampler(void)
{
	struct device *dev = device_new(4096, 0x15b3, 0x1019);

	cap_first(dev, 0x60);
	cap_exp(dev, 0x60, 0, 2, 9);
	/* The first one is hidden: an anchor stands for it. */
	ext_hidden(dev, 0x100, 0x200, 0x001b);
	device_class(dev, 0x100, 4, ~0U, VIRT, 0x200 << 20);
	ext_vsec(dev, 0x200, 0x220, 0x20);
	ext_vsec(dev, 0x220, 0x260, 0x18);
	ext_dvsec(dev, 0x260, 0x280, 0x0e);
	ext_hidden(dev, 0x280, 0x2a0, 0x001e);
	ext_shown_next(dev, 0x260, 0x2a0);
	/* ACS with an egress vector of 33 bits */
	ext_fixed(dev, 0x2a0, 0x2b0, 0x000d, 16, false);
	device_put(dev, 0x2a4, 2, 33 << 8 | 0x20);
	ext_ats(dev, 0x2b0, 0x2c0);
	ext_pwr(dev, 0x2c0, 0x2d0);
	ext_fixed(dev, 0x2d0, 0x2f0, 0x0018, 8, false);
	/* PRI; VC with two channels; resizable BAR with one; DPA with three */
	ext_fixed(dev, 0x2f0, 0x300, 0x0013, 16, true);
	ext_fixed(dev, 0x300, 0x340, 0x0002, 0x28, true);
	device_put(dev, 0x304, 4, 1);
	device_put(dev, 0x308, 4, 0);
	ext_fixed(dev, 0x340, 0x350, 0x0015, 12, true);
	device_put(dev, 0x348, 4, 1 << 5);
	ext_fixed(dev, 0x350, 0x370, 0x0016, 19, true);
	device_put(dev, 0x354, 1, 2);
	/* TPH with a table of five; multicast */
	ext_fixed(dev, 0x370, 0x390, 0x0017, 22, true);
	device_put(dev, 0x374, 4, 4 << 16 | 0x200);
	ext_fixed(dev, 0x390, 0xffc, 0x0012, 40, true);
	/* A pointer to the last dword, where nothing fits */
	ext_hidden(dev, 0xff0, 0, 0);
	device_put(dev, 0xffc, 4, 0x0003 | 1 << 16);
	ext_shown_next(dev, 0x390, 0);
	return dev;
}
