// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emulated devices that raise an interrupt when a register is written.
 *
 * All of them raise message interrupts only as bus masters. setup() is
 * needed again after a reset, ack() after each interrupt.
 */
#include "ferrytest.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX

static void edu_setup(const struct vdev *v)
{
	cfg_command(v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void edu_raise(const struct vdev *v, unsigned int vector)
{
	region_w32(v, BAR0, EDU_IRQ_RAISE, 1U << vector);
}

static void edu_ack(const struct vdev *v, unsigned int vector)
{
	region_w32(v, BAR0, EDU_IRQ_ACK, 1U << vector);
}

const struct raiser edu_msi = {
	.device = "edu",
	.index = VFIO_PCI_MSI_IRQ_INDEX,
	.vectors = 1,
	.exact = true,
	.setup = edu_setup,
	.raise = edu_raise,
	.ack = edu_ack,
};

/*
 * 82574L (e1000e): five causes, each routed to the vector of its number by
 * IVAR. The causes clear themselves through EIAC when they are signalled.
 * Interrupts are throttled, and QEMU's throttling timer sends one more.
 */
#define E1000E_ICS		0x00c8
#define E1000E_IMS		0x00d0
#define E1000E_EIAC		0x00dc
#define E1000E_IVAR		0x00e4
#define E1000E_CAUSE(n)		(1U << (20 + (n)))
#define E1000E_CAUSES		(0x1fU << 20)
#define E1000E_IVAR_EACH	0x000cba98

static void e1000e_setup(const struct vdev *v)
{
	cfg_command(v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	region_w32(v, BAR0, E1000E_IVAR, E1000E_IVAR_EACH);
	region_w32(v, BAR0, E1000E_EIAC, E1000E_CAUSES);
	region_w32(v, BAR0, E1000E_IMS, E1000E_CAUSES);
}

static void e1000e_raise(const struct vdev *v, unsigned int vector)
{
	region_w32(v, BAR0, E1000E_ICS, E1000E_CAUSE(vector));
}

/* An auto-cleared cause is also auto-masked: let it through again. */
static void e1000e_ack(const struct vdev *v, unsigned int vector)
{
	region_w32(v, BAR0, E1000E_IMS, E1000E_CAUSE(vector));
}

const struct raiser e1000e_msix = {
	.device = "e1000e",
	.index = VFIO_PCI_MSIX_IRQ_INDEX,
	.vectors = 4,
	.setup = e1000e_setup,
	.raise = e1000e_raise,
	.ack = e1000e_ack,
};

/* 82576 (igb): in its MSI-X mode cause n belongs to vector n. */
#define IGB_GPIE		0x1514
#define IGB_EICS		0x1520
#define IGB_EIMS		0x1524
#define IGB_EIAC		0x152c
#define IGB_EIAM		0x1530
#define IGB_GPIE_MSIX		0x10U
#define IGB_VECTORS		10

static void igb_setup(const struct vdev *v)
{
	cfg_command(v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	region_w32(v, BAR0, IGB_GPIE, IGB_GPIE_MSIX);
	region_w32(v, BAR0, IGB_EIAC, (1U << IGB_VECTORS) - 1);
	region_w32(v, BAR0, IGB_EIAM, 0);
	region_w32(v, BAR0, IGB_EIMS, (1U << IGB_VECTORS) - 1);
}

static void igb_raise(const struct vdev *v, unsigned int vector)
{
	region_w32(v, BAR0, IGB_EICS, 1U << vector);
}

static void igb_ack(const struct vdev *v, unsigned int vector)
{
	region_w32(v, BAR0, IGB_EIMS, 1U << vector);
}

const struct raiser igb_msix = {
	.device = "igb",
	.index = VFIO_PCI_MSIX_IRQ_INDEX,
	.vectors = IGB_VECTORS,
	.exact = true,
	.setup = igb_setup,
	.raise = igb_raise,
	.ack = igb_ack,
};
