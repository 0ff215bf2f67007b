// SPDX-License-Identifier: GPL-2.0-only
/*
 * The region table: where a file offset leads, one bounds check, one loop that
 * copies between the user's memory and a region in chunks.
 */
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>

#include <ferry/device.h>

#include "core.h"

/*
 * Find the region of file offset @pos, and how much of @count bytes lies within
 * it. Returns that length or a negative errno.
 */
static ssize_t region_clip(struct ferry_device *fdev, loff_t pos, size_t count,
			   struct ferry_region **found, u64 *off)
{
	unsigned int index = (u64)pos >> FERRY_REGION_SHIFT;
	struct ferry_region *region;

	if (pos < 0 || index >= ARRAY_SIZE(fdev->regions))
		return -EINVAL;
	region = &fdev->regions[index];
	if (!region->ops)
		return -EINVAL;

	*off = pos & FERRY_REGION_MASK;
	*found = region;
	if (*off >= region->size)
		return region->past_end;
	if (count > region->size - *off) {
		if (region->exact)
			return region->past_end;
		count = region->size - *off;
	}
	return count;
}

/* How much to move in one go: never across a multiple of the chunk size. */
static size_t region_chunk(u64 off, size_t left)
{
	return min_t(size_t, left,
		     FERRY_REGION_CHUNK - (off & (FERRY_REGION_CHUNK - 1)));
}

/**
 * ferry_device_read - vfio_device_ops.read
 * @vdev: the device
 * @buf: user memory
 * @count: bytes wanted
 * @ppos: file offset, advanced by what was read
 *
 * Return: bytes read, or a negative errno if there were none.
 */
ssize_t ferry_device_read(struct vfio_device *vdev, char __user *buf,
			  size_t count, loff_t *ppos)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	u8 chunk[FERRY_REGION_CHUNK] __aligned(8);
	struct ferry_region *region;
	size_t done, n;
	ssize_t len;
	u64 off;
	int ret = 0;

	if (!count)
		return 0;
	len = region_clip(fdev, *ppos, count, &region, &off);
	if (len < 0)
		return len;

	for (done = 0; done < len; done += n) {
		n = region_chunk(off + done, len - done);
		ret = region->ops->read(fdev, region, off + done, chunk, n);
		if (ret)
			break;
		if (copy_to_user(buf + done, chunk, n)) {
			ret = -EFAULT;
			break;
		}
	}
	*ppos += done;
	return done ? done : ret;
}
EXPORT_SYMBOL_GPL(ferry_device_read);

/**
 * ferry_device_write - vfio_device_ops.write
 * @vdev: the device
 * @buf: user memory
 * @count: bytes to write
 * @ppos: file offset, advanced by what was written
 *
 * Return: bytes written, or a negative errno if there were none.
 */
ssize_t ferry_device_write(struct vfio_device *vdev, const char __user *buf,
			   size_t count, loff_t *ppos)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	u8 chunk[FERRY_REGION_CHUNK] __aligned(8);
	struct ferry_region *region;
	size_t done, n;
	ssize_t len;
	u64 off;
	int ret = 0;

	if (!count)
		return 0;
	len = region_clip(fdev, *ppos, count, &region, &off);
	if (len < 0)
		return len;
	if (!region->ops->write)
		return -EINVAL;

	for (done = 0; done < len; done += n) {
		n = region_chunk(off + done, len - done);
		if (copy_from_user(chunk, buf + done, n)) {
			ret = -EFAULT;
			break;
		}
		ret = region->ops->write(fdev, region, off + done, chunk, n);
		if (ret)
			break;
	}
	*ppos += done;
	return done ? done : ret;
}
EXPORT_SYMBOL_GPL(ferry_device_write);

static int config_read(struct ferry_device *fdev, struct ferry_region *region,
		       u64 off, void *buf, size_t len)
{
	int ret;

	mutex_lock(&fdev->config_lock);
	ret = ferry_config_read(&fdev->config, off, buf, len);
	mutex_unlock(&fdev->config_lock);
	return ret;
}

static int config_write(struct ferry_device *fdev, struct ferry_region *region,
			u64 off, const void *buf, size_t len)
{
	int ret;

	mutex_lock(&fdev->config_lock);
	ret = ferry_config_write(&fdev->config, off, buf, len);
	mutex_unlock(&fdev->config_lock);
	return ret;
}

/**
 * ferry_region_set_config - make region VFIO_PCI_CONFIG_REGION_INDEX
 * @fdev: a device whose configuration space is ready
 */
void ferry_region_set_config(struct ferry_device *fdev)
{
	static const struct ferry_region_ops ops = {
		.read = config_read,
		.write = config_write,
	};

	fdev->regions[VFIO_PCI_CONFIG_REGION_INDEX] = (struct ferry_region) {
		.ops = &ops,
		.size = fdev->config.size,
		.past_end = -EFAULT,
		.exact = true,
	};
}
