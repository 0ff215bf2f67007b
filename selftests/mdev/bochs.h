/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Bochs graphics adapter, as a guest's driver and as its user see it.
 */
#ifndef BOCHS_H
#define BOCHS_H

#include "../lib/ferrytest.h"

#define MEMORY	VFIO_PCI_BAR0_REGION_INDEX
#define MMIO	VFIO_PCI_BAR2_REGION_INDEX
#define EDID	VFIO_PCI_NUM_REGIONS
#define PICTURE	(VFIO_PCI_NUM_REGIONS + 1)

#define PAGE	4096
#define RW	(PROT_READ | PROT_WRITE)

/* The smallest of the types. */
#define DISPLAY	"display-800x600"
#define WIDTH	800
#define HEIGHT	600
#define SIZE	(4 << 20)

#define DISPI(reg)	(0x500 + 2 * (reg))
#define ID		0
#define XRES		1
#define YRES		2
#define BPP		3
#define ENABLE		4
#define BANK		5
#define VIRT_WIDTH	6
#define VIRT_HEIGHT	7
#define X_OFFSET	8
#define Y_OFFSET	9
#define MEMORY_64K	10

#define ENDIAN		0x604
#define ENDIAN_LITTLE	0x1e1e1e1eU
#define ENDIAN_BIG	0xbebebebeU

#define VGA(port)	(0x400 + (port) - 0x3c0)

#define PROBE	VFIO_GFX_PLANE_TYPE_PROBE
#define DMABUF	VFIO_GFX_PLANE_TYPE_DMABUF
#define REGION	VFIO_GFX_PLANE_TYPE_REGION

/* drm_fourcc.h: 'XR24' and 'BX24' */
#define XRGB8888	0x34325258U
#define BGRX8888	0x34325842U

void bochs_mode(const struct vdev *v, __u16 width, __u16 height);
__u16 dispi_read(const struct vdev *v, unsigned int reg);
void dispi_write(const struct vdev *v, unsigned int reg, __u16 val);
int plane_query(const struct vdev *v, __u32 flags,
		struct vfio_device_gfx_plane_info *plane);
int plane_dmabuf(const struct vdev *v, __u32 id);
/* Attributes of the instance in sysfs; reading gives a number. */
int display_attr_read(const struct vdev *v, const char *attr);
int display_attr_write(const struct vdev *v, const char *attr, const char *val);

#endif /* BOCHS_H */
