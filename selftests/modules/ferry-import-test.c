// SPDX-License-Identifier: GPL-2.0-only
/*
 * An importer of dma-bufs. Each open file of /dev/ferry-import-test is one attachment,
 * which commands that are written to it make, map and unmap:
 *
 *	attach FD ADDRESS KIND	for the PCI device at ADDRESS; KIND is "revocable", "lazy"
 *				(unmaps from a worker when told to let go), "no-p2p" or
 *				"fixed" (can't be told)
 *	map, unmap, detach
 *
 * Reading tells whether it is mapped, how often it was told that the memory has moved,
 * and bus address and size of all that is mapped.
 */
#include <linux/module.h>

#ifdef FERRY_HAVE_DMABUF
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

MODULE_IMPORT_NS("DMA_BUF");

/**
 * struct import - one attachment
 * @lock: serialises commands
 * @dmabuf: what is attached to, %NULL for nothing
 * @pdev: for whom
 * @attachment: the attachment
 * @table: what is mapped, under the reservation of @dmabuf
 * @moves: how often the exporter said that it moves, under the same
 * @lazy: let go from @work
 * @work: unmaps
 */
struct import {
	struct mutex lock;	/* serialises commands */
	struct dma_buf *dmabuf;
	struct pci_dev *pdev;
	struct dma_buf_attachment *attachment;
	struct sg_table *table;
	unsigned int moves;
	bool lazy;
	struct work_struct work;
};

static void unmap_locked(struct import *im)
{
	if (!im->table)
		return;
	dma_buf_unmap_attachment(im->attachment, im->table, DMA_BIDIRECTIONAL);
	im->table = NULL;
}

static void unmap_work(struct work_struct *work)
{
	struct import *im = container_of(work, struct import, work);

	dma_resv_lock(im->dmabuf->resv, NULL);
	unmap_locked(im);
	dma_resv_unlock(im->dmabuf->resv);
}

static void moved(struct dma_buf_attachment *attachment)
{
	struct import *im = attachment->importer_priv;

	dma_resv_assert_held(attachment->dmabuf->resv);
	im->moves++;
	if (!im->lazy)
		unmap_locked(im);
	else if (im->table)
		schedule_work(&im->work);
}

static const struct dma_buf_attach_ops revocable_ops = {
	.allow_peer2peer = true,
	.invalidate_mappings = moved,
};

static const struct dma_buf_attach_ops no_p2p_ops = {
	.invalidate_mappings = moved,
};

static const struct dma_buf_attach_ops fixed_ops = {
	.allow_peer2peer = true,
};

static struct pci_dev *find_device(const char *address)
{
	unsigned int domain, bus, slot, func;

	if (sscanf(address, "%x:%x:%x.%x", &domain, &bus, &slot, &func) != 4)
		return NULL;
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, func));
}

static int attach(struct import *im, int fd, const char *address,
		  const struct dma_buf_attach_ops *ops)
{
	int ret = -ENODEV;

	if (im->dmabuf)
		return -EBUSY;
	im->dmabuf = dma_buf_get(fd);
	if (IS_ERR(im->dmabuf)) {
		ret = PTR_ERR(im->dmabuf);
		goto err;
	}
	im->pdev = find_device(address);
	if (!im->pdev)
		goto err_put_dmabuf;
	/* As its driver would: memory can be anywhere. */
	ret = dma_set_mask(&im->pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto err_put_dev;
	im->attachment = dma_buf_dynamic_attach(im->dmabuf, &im->pdev->dev, ops,
						im);
	if (IS_ERR(im->attachment)) {
		ret = PTR_ERR(im->attachment);
		goto err_put_dev;
	}
	im->moves = 0;
	return 0;

err_put_dev:
	pci_dev_put(im->pdev);
err_put_dmabuf:
	dma_buf_put(im->dmabuf);
err:
	im->dmabuf = NULL;
	return ret;
}

static void unmap(struct import *im)
{
	dma_resv_lock(im->dmabuf->resv, NULL);
	unmap_locked(im);
	dma_resv_unlock(im->dmabuf->resv);
}

static int map(struct import *im)
{
	struct sg_table *table;
	int ret = -EBUSY;

	dma_resv_lock(im->dmabuf->resv, NULL);
	if (!im->table) {
		table = dma_buf_map_attachment(im->attachment,
					       DMA_BIDIRECTIONAL);
		ret = PTR_ERR_OR_ZERO(table);
		if (!ret)
			im->table = table;
	}
	dma_resv_unlock(im->dmabuf->resv);
	return ret;
}

static void detach(struct import *im)
{
	unmap(im);
	cancel_work_sync(&im->work);
	dma_buf_detach(im->dmabuf, im->attachment);
	dma_buf_put(im->dmabuf);
	pci_dev_put(im->pdev);
	im->dmabuf = NULL;
}

static int attach_command(struct import *im, const char *text)
{
	char address[16], kind[16];
	int fd;

	if (sscanf(text, "attach %d %15s %15s", &fd, address, kind) != 3)
		return -EINVAL;
	im->lazy = !strcmp(kind, "lazy");
	if (!strcmp(kind, "no-p2p"))
		return attach(im, fd, address, &no_p2p_ops);
	if (!strcmp(kind, "fixed"))
		return attach(im, fd, address, &fixed_ops);
	return attach(im, fd, address, &revocable_ops);
}

static int command(struct import *im, const char *text)
{
	if (!strncmp(text, "attach ", 7))
		return attach_command(im, text);
	if (!im->dmabuf)
		return -ENOTCONN;
	if (!strcmp(text, "map"))
		return map(im);
	if (!strcmp(text, "unmap"))
		unmap(im);
	else if (!strcmp(text, "detach"))
		detach(im);
	else
		return -EINVAL;
	return 0;
}

static ssize_t import_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *pos)
{
	struct import *im = file->private_data;
	char text[64];
	int ret;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	text[count] = '\0';

	mutex_lock(&im->lock);
	ret = command(im, text);
	mutex_unlock(&im->lock);
	return ret ? ret : count;
}

static ssize_t import_read(struct file *file, char __user *buf, size_t count,
			   loff_t *pos)
{
	struct import *im = file->private_data;
	unsigned long long addr = 0, len = 0;
	struct scatterlist *sg;
	char text[96];
	int i, n = 0;

	mutex_lock(&im->lock);
	if (im->dmabuf) {
		dma_resv_lock(im->dmabuf->resv, NULL);
		if (im->table) {
			addr = sg_dma_address(im->table->sgl);
			for_each_sgtable_dma_sg(im->table, sg, i)
				len += sg_dma_len(sg);
		}
		n = scnprintf(text, sizeof(text), "%d %u %llx %llx\n",
			      !!im->table, im->moves, addr, len);
		dma_resv_unlock(im->dmabuf->resv);
	}
	mutex_unlock(&im->lock);
	return simple_read_from_buffer(buf, count, pos, text, n);
}

static int import_open(struct inode *inode, struct file *file)
{
	struct import *im = kzalloc(sizeof(*im), GFP_KERNEL);

	if (!im)
		return -ENOMEM;
	mutex_init(&im->lock);
	INIT_WORK(&im->work, unmap_work);
	file->private_data = im;
	return 0;
}

static int import_release(struct inode *inode, struct file *file)
{
	struct import *im = file->private_data;

	if (im->dmabuf)
		detach(im);
	mutex_destroy(&im->lock);
	kfree(im);
	return 0;
}

static const struct file_operations import_fops = {
	.owner = THIS_MODULE,
	.open = import_open,
	.release = import_release,
	.read = import_read,
	.write = import_write,
	.llseek = default_llseek,
};

static struct miscdevice import_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ferry-import-test",
	.fops = &import_fops,
	.mode = 0600,
};

module_misc_device(import_misc);
#endif /* FERRY_HAVE_DMABUF */

MODULE_DESCRIPTION("importer of dma-bufs that lets go when it is told to");
MODULE_AUTHOR("Ferry developers");
MODULE_LICENSE("GPL");
