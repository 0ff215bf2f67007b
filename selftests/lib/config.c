// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space of a VFIO device, for accesses that must work.
 */
#include "ferrytest.h"

#define CFG	VFIO_PCI_CONFIG_REGION_INDEX

__u8 cfg_r8(const struct vdev *v, unsigned int pos)
{
	return region_r8(v, CFG, pos);
}

__u16 cfg_r16(const struct vdev *v, unsigned int pos)
{
	return region_r16(v, CFG, pos);
}

__u32 cfg_r32(const struct vdev *v, unsigned int pos)
{
	return region_r32(v, CFG, pos);
}

void cfg_w8(const struct vdev *v, unsigned int pos, __u8 val)
{
	region_w8(v, CFG, pos, val);
}

void cfg_w16(const struct vdev *v, unsigned int pos, __u16 val)
{
	region_w16(v, CFG, pos, val);
}

void cfg_w32(const struct vdev *v, unsigned int pos, __u32 val)
{
	region_w32(v, CFG, pos, val);
}

/* Where a capability is; 0 without it. 48 of them fill a config space. */
unsigned int cfg_find_cap(const struct vdev *v, __u8 id)
{
	unsigned int pos, hops = 48;

	if (!(cfg_r16(v, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	for (pos = cfg_r8(v, PCI_CAPABILITY_LIST); pos && hops--;
	     pos = cfg_r8(v, pos + PCI_CAP_LIST_NEXT)) {
		if (cfg_r8(v, pos + PCI_CAP_LIST_ID) == id)
			return pos;
	}
	return 0;
}

unsigned int cfg_find_ext_cap(const struct vdev *v, __u16 id)
{
	unsigned int pos = PCI_CFG_SPACE_SIZE;
	unsigned int hops = (4096 - PCI_CFG_SPACE_SIZE) / 8;
	__u32 header;

	if (region_size(v, CFG) <= PCI_CFG_SPACE_SIZE)
		return 0;
	while (pos && hops--) {
		header = cfg_r32(v, pos);
		if (PCI_EXT_CAP_ID(header) == id && header)
			return pos;
		pos = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

void cfg_command(const struct vdev *v, __u16 clear, __u16 set)
{
	__u16 cmd = cfg_r16(v, PCI_COMMAND);

	cfg_w16(v, PCI_COMMAND, (cmd & ~clear) | set);
}

/* To 0 for D0 or 3 for D3hot, of a function with power management. */
void cfg_power_state(const struct vdev *v, __u16 state)
{
	cfg_w16(v, cfg_find_cap(v, PCI_CAP_ID_PM) + PCI_PM_CTRL, state);
}

void *memory_toggler(void *toggle)
{
	struct memory_toggle *t = toggle;

	while (!__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE)) {
		cfg_command(t->v, PCI_COMMAND_MEMORY, 0);
		cfg_command(t->v, 0, PCI_COMMAND_MEMORY);
	}
	return NULL;
}
