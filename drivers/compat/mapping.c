// SPDX-License-Identifier: GPL-2.0-only
/*
 * An address space per device for VFIO cores that have none.
 *
 * All anonymous-inode files share one address space there, so zapping a range
 * of it would hit strangers. Each device therefore owns an inode, and each
 * mapping is moved to a file on that inode before the mm core links it in; that
 * file holds the VFIO file open for as long as the mapping lives.
 */
#ifndef FERRY_HAVE_VFIO_INODE

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "mapping.h"

#define FERRY_FS_MAGIC	0x66657279	/* "fery" */

static struct vfsmount *ferry_fs_mount;

static int ferry_fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, FERRY_FS_MAGIC) ? 0 : -ENOMEM;
}

/* No owner: the one mount of it lives as long as the module does. */
static struct file_system_type ferry_fs_type = {
	.name = "ferry",
	.init_fs_context = ferry_fs_init_context,
	.kill_sb = kill_anon_super,
};

static int ferry_shadow_release(struct inode *inode, struct file *file)
{
	fput(file->private_data);
	return 0;
}

static const struct file_operations ferry_shadow_fops = {
	.owner = THIS_MODULE,
	.release = ferry_shadow_release,
};

/**
 * ferry_mapping_setup - prepare for ferry_mapping_create(), once per module
 *
 * Return: 0 or a negative errno.
 */
int ferry_mapping_setup(void)
{
	ferry_fs_mount = kern_mount(&ferry_fs_type);
	return PTR_ERR_OR_ZERO(ferry_fs_mount);
}

/**
 * ferry_mapping_cleanup - undo ferry_mapping_setup()
 */
void ferry_mapping_cleanup(void)
{
	kern_unmount(ferry_fs_mount);
}

/**
 * ferry_mapping_create - an address space for a device
 *
 * Return: the address space or an ERR_PTR().
 */
struct ferry_mapping *ferry_mapping_create(void)
{
	/* The inode is all there is to it; the type only hides that. */
	return (struct ferry_mapping *)alloc_anon_inode(ferry_fs_mount->mnt_sb);
}

static struct inode *ferry_mapping_inode(struct ferry_mapping *mapping)
{
	return (struct inode *)mapping;
}

/**
 * ferry_mapping_destroy - undo ferry_mapping_create()
 * @mapping: the address space; no mapping exists any more
 */
void ferry_mapping_destroy(struct ferry_mapping *mapping)
{
	iput(ferry_mapping_inode(mapping));
}

/**
 * ferry_mapping_adopt - move a new mapping to the device's address space
 * @mapping: the address space
 * @vma: what an mmap file operation was given
 *
 * Return: 0 or a negative errno, with @vma unchanged.
 */
int ferry_mapping_adopt(struct ferry_mapping *mapping,
			struct vm_area_struct *vma)
{
	struct inode *inode = ferry_mapping_inode(mapping);
	struct file *file;

	/* The file puts this reference when it is released. */
	__module_get(ferry_shadow_fops.owner);
	ihold(inode);
	file = alloc_file_pseudo(inode, ferry_fs_mount, "[ferry]",
				 vma->vm_file->f_flags, &ferry_shadow_fops);
	if (IS_ERR(file)) {
		iput(inode);
		module_put(ferry_shadow_fops.owner);
		return PTR_ERR(file);
	}
	file->private_data = get_file(vma->vm_file);
	vma_set_file(vma, file);
	fput(file);
	return 0;
}

/**
 * ferry_mapping_zap - unmap a range of file offsets from everybody
 * @vdev: the device
 * @mapping: its address space
 * @start: first offset, page aligned
 * @end: offset behind the last
 */
void ferry_mapping_zap(struct vfio_device *vdev, struct ferry_mapping *mapping,
		       loff_t start, loff_t end)
{
	unmap_mapping_range(ferry_mapping_inode(mapping)->i_mapping, start,
			    end - start, true);
}

#endif /* !FERRY_HAVE_VFIO_INODE */
