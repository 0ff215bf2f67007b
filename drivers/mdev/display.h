/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files about a display share.
 */
#ifndef FERRY_DISPLAY_H
#define FERRY_DISPLAY_H

#include <linux/err.h>
#include <linux/mutex.h>
#include <linux/vfio.h>

#include <ferry/model.h>
#include <ferry/region.h>

/* Regions of a device with a display, behind those of VFIO PCI. */
#define EDID_REGION_INDEX	VFIO_PCI_NUM_REGIONS
#define PICTURE_REGION_INDEX	(VFIO_PCI_NUM_REGIONS + 1)

/* VESA E-EDID: a base block, and as many more as it says. */
#define EDID_BLOCK_SIZE	128
#define EDID_MAX_SIZE	(8 * EDID_BLOCK_SIZE)

/**
 * struct ferry_edid - what the device's monitor says of itself
 * @lock: guards the rest; taken inside the gate
 * @regs: what the region begins with
 * @blob: the EDID, right behind them
 */
struct ferry_edid {
	struct mutex lock;	/* see above */
	struct vfio_region_gfx_edid regs;
	u8 blob[EDID_MAX_SIZE];
};

/**
 * struct ferry_display - what the user of a device has of its display
 * @lock: guards @plane and @id; taken outside the gate
 * @plane: the picture that @id stands for
 * @id: the number of the last dma-buf that could be had, 0 for none yet
 * @start: where the region of the picture begins in the BAR; written with the gate
 *	held for writing
 * @edid: the monitor
 */
struct ferry_display {
	struct mutex lock;	/* see above */
	struct ferry_plane plane;
	u32 id;
	u64 start;
	struct ferry_edid edid;
};

extern const struct ferry_region_ops ferry_edid_region_ops;

void ferry_edid_init(struct ferry_edid *edid, unsigned int width,
		     unsigned int height);
size_t ferry_edid_region_size(void);

struct dma_buf;

#if IS_ENABLED(CONFIG_DMA_SHARED_BUFFER)
struct dma_buf *ferry_dmabuf_export(void *memory, size_t size);
int ferry_dmabuf_fd(struct dma_buf *dmabuf);
#else
static inline struct dma_buf *ferry_dmabuf_export(void *memory, size_t size)
{
	return ERR_PTR(-EINVAL);
}

static inline int ferry_dmabuf_fd(struct dma_buf *dmabuf)
{
	return -EINVAL;
}
#endif

#endif /* FERRY_DISPLAY_H */
