// SPDX-License-Identifier: GPL-2.0-only
/*
 * Base address registers: regions to read, write and map.
 */
#include <linux/bitops.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "ferry_pci.h"

/* Nobody answers wider ones in I/O space. */
#define PORT_MAX_WIDTH	4
#define MMIO_MAX_WIDTH	8

/* Buffers hold bytes in the device's order, at any alignment. */
#define DEFINE_LE(bits)							\
static __always_inline u##bits get_le##bits(const void *buf)		\
{									\
	__le##bits le;							\
									\
	memcpy(&le, buf, sizeof(le));					\
	return le##bits##_to_cpu(le);					\
}									\
									\
static __always_inline void put_le##bits(void *buf, u##bits value)	\
{									\
	__le##bits le = cpu_to_le##bits(value);				\
									\
	memcpy(buf, &le, sizeof(le));					\
}

DEFINE_LE(16)
DEFINE_LE(32)
DEFINE_LE(64)

/* The widest access that is aligned at @addr and takes no more than @len bytes. */
static __always_inline unsigned int access_width(const void __iomem *addr,
						 size_t len, unsigned int max)
{
	return 1U << min(__ffs((unsigned long)addr | max), __fls(len));
}

/**
 * ferry_pci_mmio_read - read device memory
 * @io: where
 * @buf: to where
 * @len: bytes
 * @max_width: the widest access to make, in bytes
 *
 * Every access is aligned, and as wide as that allows. Bytes keep their order.
 */
void ferry_pci_mmio_read(const void __iomem *io, void *buf, size_t len,
			 unsigned int max_width)
{
	unsigned int width;

	for (; len; io += width, buf += width, len -= width) {
		width = access_width(io, len, max_width);
		switch (width) {
		case 8:
			/* Most bytes go this way. */
			while (len >= 16) {
				put_le64(buf, readq(io));
				io += 8;
				buf += 8;
				len -= 8;
			}
			put_le64(buf, readq(io));
			break;
		case 4:
			put_le32(buf, readl(io));
			break;
		case 2:
			put_le16(buf, readw(io));
			break;
		default:
			*(u8 *)buf = readb(io);
		}
	}
}

/**
 * ferry_pci_mmio_write - write device memory
 * @io: where
 * @buf: what
 * @len: bytes
 * @max_width: the widest access to make, in bytes
 *
 * Otherwise as ferry_pci_mmio_read().
 */
void ferry_pci_mmio_write(void __iomem *io, const void *buf, size_t len,
			  unsigned int max_width)
{
	unsigned int width;

	for (; len; io += width, buf += width, len -= width) {
		width = access_width(io, len, max_width);
		switch (width) {
		case 8:
			writeq(get_le64(buf), io);
			break;
		case 4:
			writel(get_le32(buf), io);
			break;
		case 2:
			writew(get_le16(buf), io);
			break;
		default:
			writeb(*(const u8 *)buf, io);
		}
	}
}

/**
 * ferry_pci_port_read - read I/O ports
 * @io: what ioport_map() or pci_iomap() has returned for them
 * @buf: to where
 * @len: bytes
 *
 * Otherwise as ferry_pci_mmio_read().
 */
void ferry_pci_port_read(void __iomem *io, void *buf, size_t len)
{
	unsigned int width;

	for (; len; io += width, buf += width, len -= width) {
		width = access_width(io, len, PORT_MAX_WIDTH);
		switch (width) {
		case 4:
			put_le32(buf, ioread32(io));
			break;
		case 2:
			put_le16(buf, ioread16(io));
			break;
		default:
			*(u8 *)buf = ioread8(io);
		}
	}
}

/**
 * ferry_pci_port_write - write I/O ports
 * @io: what ioport_map() or pci_iomap() has returned for them
 * @buf: what
 * @len: bytes
 *
 * Otherwise as ferry_pci_mmio_read().
 */
void ferry_pci_port_write(void __iomem *io, const void *buf, size_t len)
{
	unsigned int width;

	for (; len; io += width, buf += width, len -= width) {
		width = access_width(io, len, PORT_MAX_WIDTH);
		switch (width) {
		case 4:
			iowrite32(get_le32(buf), io);
			break;
		case 2:
			iowrite16(get_le16(buf), io);
			break;
		default:
			iowrite8(*(const u8 *)buf, io);
		}
	}
}

static struct ferry_pci_bar *region_bar(struct ferry_device *fdev,
					struct ferry_region *region)
{
	return &to_ferry_pci(fdev)->bars[region - fdev->regions];
}

/*
 * The MSI-X table is the kernel's: it reads as ones, and writes are dropped,
 * without asking the device and so whether or not it decodes memory. This says
 * where in an access it begins and ends, if any of it is there.
 */
static __always_inline bool meets_hole(const struct ferry_pci_bar *bar,
				       u64 off, size_t len, size_t *start,
				       size_t *end)
{
	if (likely(off >= bar->hole_end || off + len <= bar->hole_start))
		return false;
	*start = clamp_t(u64, bar->hole_start, off, off + len) - off;
	*end = clamp_t(u64, bar->hole_end, off, off + len) - off;
	return true;
}

static int mmio_region_read(struct ferry_device *fdev,
			    struct ferry_region *region, u64 off, void *buf,
			    size_t len)
{
	struct ferry_pci_bar *bar = region_bar(fdev, region);
	size_t start = len, end = len;
	int ret;

	if (bar->error)
		return bar->error;
	if (meets_hole(bar, off, len, &start, &end))
		memset(buf + start, 0xff, end - start);
	if (end - start == len)
		return 0;
	ret = ferry_gate_enter_awake(fdev);
	if (ret)
		return ret;
	ferry_pci_mmio_read(bar->io + off, buf, start, MMIO_MAX_WIDTH);
	if (end < len)
		ferry_pci_mmio_read(bar->io + off + end, buf + end, len - end,
				    MMIO_MAX_WIDTH);
	ferry_gate_leave(fdev);
	return 0;
}

static int mmio_region_write(struct ferry_device *fdev,
			     struct ferry_region *region, u64 off,
			     const void *buf, size_t len)
{
	struct ferry_pci_bar *bar = region_bar(fdev, region);
	size_t start = len, end = len;
	int ret;

	if (bar->error)
		return bar->error;
	if (meets_hole(bar, off, len, &start, &end) && end - start == len)
		return 0;
	ret = ferry_gate_enter_awake(fdev);
	if (ret)
		return ret;
	ferry_pci_mmio_write(bar->io + off, buf, start, MMIO_MAX_WIDTH);
	if (end < len)
		ferry_pci_mmio_write(bar->io + off + end, buf + end, len - end,
				     MMIO_MAX_WIDTH);
	ferry_gate_leave(fdev);
	return 0;
}

static int port_region_read(struct ferry_device *fdev,
			    struct ferry_region *region, u64 off, void *buf,
			    size_t len)
{
	struct ferry_pci_bar *bar = region_bar(fdev, region);

	if (bar->error)
		return bar->error;
	ferry_pci_port_read(bar->io + off, buf, len);
	return 0;
}

static int port_region_write(struct ferry_device *fdev,
			     struct ferry_region *region, u64 off,
			     const void *buf, size_t len)
{
	struct ferry_pci_bar *bar = region_bar(fdev, region);

	if (bar->error)
		return bar->error;
	ferry_pci_port_write(bar->io + off, buf, len);
	return 0;
}

static int bar_map(struct ferry_device *fdev, struct ferry_region *region,
		   u64 off, u64 len)
{
	return region_bar(fdev, region)->error;
}

/* The page with the MSI-X table can be mapped: the IOMMU remaps interrupts. */
static int bar_caps(struct ferry_device *fdev, struct ferry_region *region,
		    struct vfio_info_cap *caps)
{
	struct ferry_pci_bar *bar = region_bar(fdev, region);
	struct vfio_info_cap_header header = {
		.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
		.version = 1,
	};

	if (bar->hole_start == bar->hole_end || !region->map_size)
		return 0;
	return vfio_info_add_capability(caps, &header, sizeof(header));
}

static const struct ferry_region_ops mmio_ops = {
	.read = mmio_region_read,
	.write = mmio_region_write,
	.map = bar_map,
	.caps = bar_caps,
};

static const struct ferry_region_ops port_ops = {
	.read = port_region_read,
	.write = port_region_write,
};

/**
 * ferry_pci_bar_check - may the user write here?
 * @fpci: the function, open
 * @index: number of a BAR
 * @off: offset in it
 * @len: bytes
 *
 * Return: 0, -EINVAL for what doesn't lie within the BAR or touches the MSI-X
 * table, or why the BAR can't be accessed.
 */
int ferry_pci_bar_check(struct ferry_pci *fpci, unsigned int index, u64 off,
			size_t len)
{
	struct ferry_region *region = &fpci->fdev.regions[index];
	struct ferry_pci_bar *bar = &fpci->bars[index];

	if (len > region->size || off > region->size - len)
		return -EINVAL;
	if (off < bar->hole_end && off + len > bar->hole_start)
		return -EINVAL;
	return bar->error;
}

/**
 * ferry_pci_bar_is_memory - does reaching this BAR take memory decoding?
 * @fpci: the function, open
 * @index: number of a BAR that it has
 *
 * Return: whether it does, and accesses have to pass the gate.
 */
bool ferry_pci_bar_is_memory(struct ferry_pci *fpci, unsigned int index)
{
	return fpci->fdev.regions[index].ops == &mmio_ops;
}

/**
 * ferry_pci_bar_put - write to a BAR
 * @fpci: the function, open
 * @index: number of the BAR
 * @off: offset in it, that ferry_pci_bar_check() has found good
 * @buf: what to write
 * @len: bytes
 *
 * Context: any; a memory BAR's gate is the caller's to pass.
 */
void ferry_pci_bar_put(struct ferry_pci *fpci, unsigned int index, u64 off,
		       const void *buf, size_t len)
{
	void __iomem *io = fpci->bars[index].io + off;

	if (ferry_pci_bar_is_memory(fpci, index))
		ferry_pci_mmio_write(io, buf, len, MMIO_MAX_WIDTH);
	else
		ferry_pci_port_write(io, buf, len);
}

/* The MSI-X table, if it lies in this BAR (PCI 3.0, 6.8.2.4). */
static void bar_find_hole(struct ferry_pci *fpci, unsigned int index)
{
	struct ferry_pci_bar *bar = &fpci->bars[index];
	struct pci_dev *pdev = fpci->pdev;
	u64 start, end;
	u32 table;

	bar->hole_start = 0;
	bar->hole_end = 0;
	if (!fpci->nr_irqs[VFIO_PCI_MSIX_IRQ_INDEX])
		return;
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);
	start = table & PCI_MSIX_TABLE_OFFSET;
	end = start + PCI_MSIX_ENTRY_SIZE *
	      fpci->nr_irqs[VFIO_PCI_MSIX_IRQ_INDEX];
	/* The device may say something else than when its vectors were counted. */
	if ((table & PCI_MSIX_TABLE_BIR) != index ||
	    end > pci_resource_len(pdev, index))
		return;
	bar->hole_start = start;
	bar->hole_end = end;
}

/*
 * How much of a memory BAR can be mapped. One smaller than a page needs the
 * rest of its page for itself.
 */
static u64 bar_map_size(struct ferry_pci_bar *bar, struct resource *res)
{
	if (!PAGE_ALIGNED(res->start))
		return 0;
	if (resource_size(res) >= PAGE_SIZE)
		return round_down(resource_size(res), PAGE_SIZE);
	if (!res->parent)
		return 0;

	bar->tail = (struct resource) {
		.name = FERRY_PCI_NAME " sub-page BAR",
		.start = res->end + 1,
		.end = res->start + PAGE_SIZE - 1,
		.flags = res->flags,
	};
	if (request_resource(res->parent, &bar->tail)) {
		bar->tail.parent = NULL;
		return 0;
	}
	return PAGE_SIZE;
}

/*
 * Say who holds a BAR. The holder may let go while we look, as with the PCI
 * core's own messages about resources; there is no lock to be had. That nobody
 * does is what the core leaves us to tell a lack of memory by.
 */
static int bar_not_reserved(struct pci_dev *pdev, unsigned int index)
{
	struct resource *res = &pdev->resource[index];
	struct resource *holder = READ_ONCE(res->child);

	if (!holder)
		return -ENOMEM;
	dev_err_ratelimited(&pdev->dev,
			    "BAR %u %pR is held by \"%s\": make that let go of it (unbind or unload it, or for a boot framebuffer boot with video=efifb:off) and open the device again\n",
			    index, res, holder->name ?: "unknown");
	return -EBUSY;
}

static int bar_acquire(struct ferry_pci *fpci, unsigned int index)
{
	struct ferry_pci_bar *bar = &fpci->bars[index];
	struct pci_dev *pdev = fpci->pdev;

	if (pci_request_selected_regions(pdev, BIT(index), FERRY_PCI_NAME))
		return bar_not_reserved(pdev, index);
	bar->io = pci_iomap(pdev, index, 0);
	if (!bar->io) {
		pci_release_selected_regions(pdev, BIT(index));
		dev_err_ratelimited(&pdev->dev,
				    "BAR %u %pR: no room in the kernel's address space to map it\n",
				    index, &pdev->resource[index]);
		return -ENOMEM;
	}
	if (bar->hole_start != bar->hole_end)
		fpci->msix_table = bar->io + bar->hole_start;
	return 0;
}

/**
 * ferry_pci_bars_open - take hold of the BARs and describe their regions
 * @fpci: a function that is being opened, its interrupts counted
 *
 * A BAR that somebody else holds doesn't keep the user from the rest of the
 * device: accesses to it will say why.
 *
 * Return: 0, or -ENOMEM with none taken.
 */
int ferry_pci_bars_open(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;
	struct ferry_region *region;
	struct resource *res;
	unsigned int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		res = &pdev->resource[i];
		region = &fpci->fdev.regions[i];
		if (!pci_resource_start(pdev, i))
			continue;

		*region = (struct ferry_region) {
			.ops = res->flags & IORESOURCE_IO ? &port_ops :
							    &mmio_ops,
			.size = pci_resource_len(pdev, i),
			.past_end = -EINVAL,
		};
		bar_find_hole(fpci, i);
		if (res->flags & IORESOURCE_MEM) {
			region->map_size = bar_map_size(&fpci->bars[i], res);
			region->phys = res->start;
		}
		fpci->bars[i].error = bar_acquire(fpci, i);
		if (fpci->bars[i].error == -ENOMEM) {
			ferry_pci_bars_close(fpci);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * ferry_pci_bars_close - undo ferry_pci_bars_open()
 * @fpci: a function that is being closed
 */
void ferry_pci_bars_close(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;
	struct ferry_pci_bar *bar;
	unsigned int i;

	fpci->msix_table = NULL;
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		bar = &fpci->bars[i];
		if (bar->io) {
			pci_iounmap(pdev, bar->io);
			pci_release_selected_regions(pdev, BIT(i));
			bar->io = NULL;
		}
		if (bar->tail.parent) {
			release_resource(&bar->tail);
			bar->tail.parent = NULL;
		}
		fpci->fdev.regions[i] = (struct ferry_region) {};
	}
}
