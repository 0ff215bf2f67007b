// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pictures as dma-bufs, which hold the pages that they show: those remain when the device has
 * long been closed, as empty as a closed device leaves its memory.
 */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat/compat.h"
#include "display.h"

/* MODULE_IMPORT_NS() takes a name on some kernels and a string on others. */
MODULE_INFO(import_ns, "DMA_BUF");

/**
 * struct picture - the pages of one dma-buf
 * @nr: how many
 * @pages: a reference to each
 */
struct picture {
	unsigned int nr;
	struct page *pages[] __counted_by(nr);
};

static struct sg_table *picture_map(struct dma_buf_attachment *attachment,
				    enum dma_data_direction dir)
{
	struct picture *picture = attachment->dmabuf->priv;
	struct sg_table *table;
	int ret;

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return ERR_PTR(-ENOMEM);
	/* Pages that lie behind each other are one segment, if the device can take it. */
	ret = sg_alloc_table_from_pages_segment(table, picture->pages,
						picture->nr, 0,
						attachment->dmabuf->size,
						dma_get_max_seg_size(attachment->dev),
						GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_free;
	ret = dma_map_sgtable(attachment->dev, table, dir, 0);
	if (ret)
		goto err_free_table;
	return table;

err_free_table:
	sg_free_table(table);
err_free:
	kfree(table);
	return ERR_PTR(ret);
}

static void picture_unmap(struct dma_buf_attachment *attachment,
			  struct sg_table *table, enum dma_data_direction dir)
{
	dma_unmap_sgtable(attachment->dev, table, dir, 0);
	sg_free_table(table);
	kfree(table);
}

static vm_fault_t picture_fault(struct vm_fault *vmf)
{
	struct picture *picture = vmf->vma->vm_private_data;

	if (vmf->pgoff >= picture->nr)
		return VM_FAULT_SIGBUS;
	vmf->page = picture->pages[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct picture_vm_ops = {
	.fault = picture_fault,
};

/*
 * The dma-buf's file is read-only, and so is the mapping for good, which therefore isn't
 * VM_SHARED, even if it was asked for as shared. Not so the file of somebody who has imported
 * it and offers a mapping of his own.
 */
static int picture_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_MAYSHARE) || vma->vm_flags & VM_MAYWRITE)
		return -EINVAL;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &picture_vm_ops;
	vma->vm_private_data = dmabuf->priv;
	return 0;
}

static void picture_free(struct picture *picture)
{
	unsigned int i;

	for (i = 0; i < picture->nr; i++)
		put_page(picture->pages[i]);
	kvfree(picture);
}

static void picture_release(struct dma_buf *dmabuf)
{
	picture_free(dmabuf->priv);
}

static const struct dma_buf_ops picture_ops = {
	.map_dma_buf = picture_map,
	.unmap_dma_buf = picture_unmap,
	.mmap = picture_mmap,
	.release = picture_release,
};

/**
 * ferry_dmabuf_export - make a dma-buf of memory
 * @memory: from vmalloc, page aligned
 * @size: bytes, whole pages
 *
 * Context: process context.
 * Return: the dma-buf or an error pointer, -ENOMEM most likely.
 */
struct dma_buf *ferry_dmabuf_export(void *memory, size_t size)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct picture *picture;
	struct dma_buf *dmabuf;
	unsigned int i;

	picture = kvzalloc(struct_size(picture, pages, PHYS_PFN(size)),
			   GFP_KERNEL_ACCOUNT);
	if (!picture)
		return ERR_PTR(-ENOMEM);
	picture->nr = PHYS_PFN(size);
	for (i = 0; i < picture->nr; i++) {
		picture->pages[i] = vmalloc_to_page(memory + i * PAGE_SIZE);
		get_page(picture->pages[i]);
	}

	info.ops = &picture_ops;
	info.size = size;
	info.flags = O_RDONLY;
	info.priv = picture;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		picture_free(picture);
	return dmabuf;
}

/**
 * ferry_dmabuf_fd - give a dma-buf to the user
 * @dmabuf: the caller's reference goes, whatever comes out
 *
 * Return: a file descriptor, closed on exec, or a negative errno.
 */
int ferry_dmabuf_fd(struct dma_buf *dmabuf)
{
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}
