// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs as dma-bufs: memory that other devices reach without the processor, for as long
 * as the gate is open.
 *
 * The gate takes a dma-buf away as it takes mappings away, and gives it back when it
 * opens. A dma-buf outlives the file that it was made with, but its memory doesn't.
 */
#ifdef FERRY_HAVE_DMABUF

#include <linux/dma-buf-mapping.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/pci-p2pdma.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/wait_bit.h>

#include "ferry_pci.h"

MODULE_IMPORT_NS("DMA_BUF");

/**
 * struct ferry_pci_dmabuf - one exported piece of a BAR
 * @node: in ferry_pci.dmabufs, under the gate held for writing
 * @fpci: the function, with a registration of its VFIO device; %NULL once that is closed,
 *	which takes a reference of @dmabuf
 * @dmabuf: what importers see
 * @provider: the BAR
 * @size: of all ranges
 * @maps: how many mappings of importers there are, under the reservation of @dmabuf
 * @revoked: there is no memory now, under the same
 * @nr_ranges: how many @ranges there are
 * @ranges: physical addresses
 */
struct ferry_pci_dmabuf {
	struct list_head node;
	struct ferry_pci *fpci;
	struct dma_buf *dmabuf;
	struct p2pdma_provider *provider;
	size_t size;
	unsigned int maps;
	bool revoked;
	u32 nr_ranges;
	struct phys_vec ranges[] __counted_by(nr_ranges);
};

/* Only who can reach a peer, and lets go when told to. */
static int dmabuf_attach(struct dma_buf *dmabuf,
			 struct dma_buf_attachment *attachment)
{
	struct ferry_pci_dmabuf *buf = dmabuf->priv;

	if (!attachment->peer2peer)
		return -EOPNOTSUPP;
	if (READ_ONCE(buf->revoked))
		return -ENODEV;
	return dma_buf_attach_revocable(attachment) ? 0 : -EOPNOTSUPP;
}

static struct sg_table *dmabuf_map(struct dma_buf_attachment *attachment,
				   enum dma_data_direction dir)
{
	struct ferry_pci_dmabuf *buf = attachment->dmabuf->priv;
	struct sg_table *table;

	dma_resv_assert_held(buf->dmabuf->resv);

	if (buf->revoked)
		return ERR_PTR(-ENODEV);
	table = dma_buf_phys_vec_to_sgt(attachment, buf->provider, buf->ranges,
					buf->nr_ranges, buf->size, dir);
	if (!IS_ERR(table))
		buf->maps++;
	return table;
}

static void dmabuf_unmap(struct dma_buf_attachment *attachment,
			 struct sg_table *table, enum dma_data_direction dir)
{
	struct ferry_pci_dmabuf *buf = attachment->dmabuf->priv;

	dma_resv_assert_held(buf->dmabuf->resv);

	/*
	 * What made the table has set orig_nents to 0, so that importers know of no
	 * CPU list; sg_free_table() takes it for how many entries there are.
	 */
	table->orig_nents = table->nents;
	dma_buf_free_sgt(attachment, table, dir);
	store_release_wake_up(&buf->maps, buf->maps - 1);
}

/* The last reference is gone; nobody else can be closing it any more. */
static void dmabuf_release(struct dma_buf *dmabuf)
{
	struct ferry_pci_dmabuf *buf = dmabuf->priv;
	struct ferry_pci *fpci = buf->fpci;

	if (fpci) {
		ferry_gate_lock_mapped(&fpci->fdev);
		list_del(&buf->node);
		ferry_gate_unlock(&fpci->fdev);
		vfio_device_put_registration(&fpci->fdev.vdev);
	}
	kfree(buf);
}

static const struct dma_buf_ops dmabuf_ops = {
	.attach = dmabuf_attach,
	.map_dma_buf = dmabuf_map,
	.unmap_dma_buf = dmabuf_unmap,
	.release = dmabuf_release,
};

/* On return no importer has it mapped, nor can map it. */
static void dmabuf_revoke(struct ferry_pci_dmabuf *buf)
{
	struct dma_resv *resv = buf->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	WRITE_ONCE(buf->revoked, true);
	dma_buf_invalidate_mappings(buf->dmabuf);
	dma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP, false,
			      MAX_SCHEDULE_TIMEOUT);
	dma_resv_unlock(resv);
	/* Importers may unmap later, from elsewhere, but they will. */
	wait_var_event(&buf->maps, !smp_load_acquire(&buf->maps));
}

/* Importers can map it again, and are told. */
static void dmabuf_restore(struct ferry_pci_dmabuf *buf)
{
	struct dma_resv *resv = buf->dmabuf->resv;

	dma_resv_lock(resv, NULL);
	WRITE_ONCE(buf->revoked, false);
	dma_buf_invalidate_mappings(buf->dmabuf);
	dma_resv_unlock(resv);
}

/*
 * Call @func for each dma-buf that is or is not revoked, but not for one whose last
 * reference is gone: that waits for the gate to leave the list.
 */
static void dmabufs_call(struct ferry_pci *fpci, bool revoked,
			 void (*func)(struct ferry_pci_dmabuf *buf))
{
	struct ferry_pci_dmabuf *buf, *next;

	lockdep_assert_held_write(&fpci->fdev.gate.sem);

	list_for_each_entry_safe(buf, next, &fpci->dmabufs, node) {
		if (buf->revoked != revoked ||
		    !get_file_active(&buf->dmabuf->file))
			continue;
		func(buf);
		dma_buf_put(buf->dmabuf);
	}
}

/**
 * ferry_pci_memory_gone - ferry_device_ops.memory_gone
 * @fdev: the device
 */
void ferry_pci_memory_gone(struct ferry_device *fdev)
{
	dmabufs_call(to_ferry_pci(fdev), false, dmabuf_revoke);
}

/**
 * ferry_pci_memory_back - ferry_device_ops.memory_back
 * @fdev: the device
 */
void ferry_pci_memory_back(struct ferry_device *fdev)
{
	dmabufs_call(to_ferry_pci(fdev), true, dmabuf_restore);
}

static void dmabuf_orphan(struct ferry_pci_dmabuf *buf)
{
	struct ferry_pci *fpci = buf->fpci;

	list_del(&buf->node);
	buf->fpci = NULL;
	vfio_device_put_registration(&fpci->fdev.vdev);
}

/**
 * ferry_pci_dmabufs_close - part with all dma-bufs; they remain revoked for good
 * @fpci: a function that is being closed, and whose gate is closed already
 */
void ferry_pci_dmabufs_close(struct ferry_pci *fpci)
{
	ferry_gate_lock_mapped(&fpci->fdev);
	dmabufs_call(fpci, true, dmabuf_orphan);
	ferry_gate_unlock(&fpci->fdev);
}

/**
 * ferry_pci_dmabufs_init - get ready to export
 * @fpci: a function that is being bound
 *
 * Return: 0 or a negative errno.
 */
int ferry_pci_dmabufs_init(struct ferry_pci *fpci)
{
	int ret = pcim_p2pdma_init(fpci->pdev);

	INIT_LIST_HEAD(&fpci->dmabufs);
	/* One whose BARs can't be mapped has nothing to export. */
	return ret == -EOPNOTSUPP ? 0 : ret;
}

/* Fetch what the user wants, checked for all that takes no knowledge of the BAR. */
static struct vfio_region_dma_range *
ranges_get(const struct vfio_region_dma_range __user *uarg, u32 nr,
	   size_t *total)
{
	struct vfio_region_dma_range *ranges;
	u32 i;

	ranges = memdup_array_user(uarg, nr, sizeof(*ranges));
	if (IS_ERR(ranges))
		return ranges;

	*total = 0;
	for (i = 0; i < nr; i++)
		if (!ranges[i].length ||
		    !PAGE_ALIGNED(ranges[i].offset | ranges[i].length) ||
		    check_add_overflow(*total, ranges[i].length, total))
			goto err_free;
	/* The DMA mapping code has this bit for itself. */
	if (*total & DMA_IOVA_USE_SWIOTLB)
		goto err_free;
	return ranges;

err_free:
	kfree(ranges);
	return ERR_PTR(-EINVAL);
}

static int ranges_fill(struct ferry_pci_dmabuf *buf,
		       const struct vfio_region_dma_range *ranges,
		       const struct resource *res)
{
	phys_addr_t start, end;
	u32 i;

	for (i = 0; i < buf->nr_ranges; i++) {
		if (check_add_overflow(res->start, ranges[i].offset, &start) ||
		    check_add_overflow(start, ranges[i].length, &end))
			return -EOVERFLOW;
		if (end > res->end + 1)
			return -EINVAL;
		buf->ranges[i].paddr = start;
		buf->ranges[i].len = ranges[i].length;
	}
	return 0;
}

static struct ferry_pci_dmabuf *
dmabuf_create(struct ferry_pci *fpci,
	      const struct vfio_device_feature_dma_buf *arg,
	      const struct vfio_region_dma_range *ranges, size_t total)
{
	struct ferry_pci_dmabuf *buf;
	int ret = -EINVAL;

	buf = kzalloc(struct_size(buf, ranges, arg->nr_ranges),
		      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	buf->fpci = fpci;
	buf->size = total;
	buf->nr_ranges = arg->nr_ranges;
	buf->provider = pcim_p2pdma_provider(fpci->pdev, arg->region_index);
	if (buf->provider)
		ret = ranges_fill(buf, ranges,
				  &fpci->pdev->resource[arg->region_index]);
	if (!ret)
		return buf;
	kfree(buf);
	return ERR_PTR(ret);
}

/* Returns a file descriptor or a negative errno; takes @buf over. */
static int dmabuf_export(struct ferry_pci_dmabuf *buf, u32 open_flags)
{
	struct ferry_device *fdev = &buf->fpci->fdev;
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	int ret;

	if (!vfio_device_try_get_registration(&fdev->vdev)) {
		ret = -ENODEV;
		goto err_free;
	}
	info.ops = &dmabuf_ops;
	info.size = buf->size;
	info.flags = open_flags;
	info.priv = buf;
	buf->dmabuf = dma_buf_export(&info);
	if (IS_ERR(buf->dmabuf)) {
		ret = PTR_ERR(buf->dmabuf);
		goto err_put_registration;
	}

	ferry_gate_lock_mapped(fdev);
	buf->revoked = fdev->gate.closed;
	list_add_tail(&buf->node, &buf->fpci->dmabufs);
	ferry_gate_unlock(fdev);

	ret = dma_buf_fd(buf->dmabuf, open_flags);
	if (ret < 0)
		dma_buf_put(buf->dmabuf);
	return ret;

err_put_registration:
	vfio_device_put_registration(&fdev->vdev);
err_free:
	kfree(buf);
	return ret;
}

/**
 * ferry_pci_dmabuf_feature - VFIO_DEVICE_FEATURE_DMA_BUF
 * @fpci: the function
 * @flags: what to do
 * @uarg: struct vfio_device_feature_dma_buf
 * @argsz: size of that
 *
 * Return: 0 for a probe, a file descriptor, -ENODEV for a BAR that isn't there or isn't
 * to be had, -EINVAL for pieces that aren't whole pages within it, or another negative
 * errno.
 */
int ferry_pci_dmabuf_feature(struct ferry_pci *fpci, u32 flags,
			     void __user *uarg, size_t argsz)
{
	struct vfio_device_feature_dma_buf __user *user = uarg;
	struct vfio_device_feature_dma_buf arg;
	struct vfio_region_dma_range *ranges;
	struct ferry_pci_dmabuf *buf;
	size_t total;
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET,
				 sizeof(arg));
	if (ret != 1)
		return ret;
	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!arg.nr_ranges || arg.flags)
		return -EINVAL;
	if (arg.region_index >= ARRAY_SIZE(fpci->bars))
		return -ENODEV;
	arg.region_index = array_index_nospec(arg.region_index,
					      ARRAY_SIZE(fpci->bars));
	if (!fpci->bars[arg.region_index].io)
		return -ENODEV;

	ranges = ranges_get(user->dma_ranges, arg.nr_ranges, &total);
	if (IS_ERR(ranges))
		return PTR_ERR(ranges);
	buf = dmabuf_create(fpci, &arg, ranges, total);
	kfree(ranges);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	return dmabuf_export(buf, arg.open_flags);
}

#endif /* FERRY_HAVE_DMABUF */
