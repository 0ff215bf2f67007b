/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regions: the windows of a device file descriptor.
 */
#ifndef FERRY_REGION_H
#define FERRY_REGION_H

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/vfio.h>

struct ferry_device;
struct ferry_region;

/* A region's index stands in the bits of the file offset from here up. */
#define FERRY_REGION_SHIFT	40
#define FERRY_REGION_OFFSET(index)	((u64)(index) << FERRY_REGION_SHIFT)
#define FERRY_REGION_MASK	(BIT_ULL(FERRY_REGION_SHIFT) - 1)

/* The most bytes that one call of a region's read or write may be given. */
#define FERRY_REGION_CHUNK	256

/**
 * struct ferry_region_ops - how a region is accessed
 * @read: fill @len bytes at @off into @buf, a kernel buffer.
 * @write: store @len bytes from @buf at @off. Leave it out for a region that
 *	cannot be written (the core answers -EINVAL).
 * @clip: how many of the @len bytes at @off there are in a row, 0 for none (the core answers
 *	&ferry_region.past_end); for a region with holes. Optional.
 * @map: called once for each new mapping, of the @len bytes from @off, which
 *	are whole pages within &ferry_region.map_size, before the first fault; says with
 *	an errno that they cannot be mapped now, or never. Optional.
 * @pfn: the page frame behind the page that begins at @off, which @map has let
 *	pass, for a region that is made of the kernel's own memory: it is
 *	mapped cached, a page at a time. Called with the gate and locks of the memory
 *	management held. Optional; without it the region is &ferry_region.phys.
 * @caps: add capabilities (VFIO_REGION_INFO_CAP_*) to the region's
 *	description. Optional.
 *
 * The core has checked that @off + @len lies within the region and that @len is
 * 1 to FERRY_REGION_CHUNK. Calls come in process context without any of the
 * core's locks and return 0 or a negative errno for the whole of it. @buf is
 * aligned to 8 bytes.
 */
struct ferry_region_ops {
	int (*read)(struct ferry_device *fdev, struct ferry_region *region,
		    u64 off, void *buf, size_t len);
	int (*write)(struct ferry_device *fdev, struct ferry_region *region,
		     u64 off, const void *buf, size_t len);
	size_t (*clip)(struct ferry_region *region, u64 off, size_t len);
	int (*map)(struct ferry_device *fdev, struct ferry_region *region,
		   u64 off, u64 len);
	unsigned long (*pfn)(struct ferry_device *fdev,
			     struct ferry_region *region, u64 off);
	int (*caps)(struct ferry_device *fdev, struct ferry_region *region,
		    struct vfio_info_cap *caps);
};

/**
 * struct ferry_region - one region
 * @ops: accessors; %NULL for a region that the device does not have
 * @size: bytes, 0 for a region that the device does not have
 * @phys: physical address behind offset 0, page aligned, if @map_size isn't 0
 * @map_size: bytes from offset 0 that may be mapped, a multiple of the page
 *	size, 0 for none
 * @past_end: errno for an access that begins at or after @size, or reaches
 *	beyond it where @exact is set
 * @exact: an access that reaches past the end is refused, not cut short
 * @ungated: its mappings are of memory that the gate has no say in, like that of a
 *	picture: they stay when the gate closes, and page faults only wait for whoever
 *	holds it. Not for BARs.
 *
 * Filled in by the driver before the device is opened to a user, constant until
 * it is closed.
 */
struct ferry_region {
	const struct ferry_region_ops *ops;
	u64 size;
	phys_addr_t phys;
	u64 map_size;
	int past_end;
	bool exact;
	bool ungated;
};

#endif /* FERRY_REGION_H */
