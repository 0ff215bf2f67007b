// SPDX-License-Identifier: GPL-2.0-only
/*
 * The region table: where a file offset leads, one bounds check, one loop that
 * copies between the user's memory and a region in chunks.
 */
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include <ferry/device.h>

#include "core.h"
#include "trace.h"

/*
 * Find the region of file offset @pos, and how much of @count bytes lies within
 * it. Returns that length or a negative errno.
 */
static __always_inline ssize_t region_clip(struct ferry_device *fdev,
					   loff_t pos, size_t count,
					   struct ferry_region **found,
					   u64 *off)
{
	struct ferry_region *region;

	/* A negative position is none of any region. */
	region = ferry_region_find(fdev, (u64)pos >> FERRY_REGION_SHIFT);
	if (!region || !region->ops)
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
	if (region->ops->clip)
		count = region->ops->clip(region, *off, count);
	return count ? count : region->past_end;
}

/*
 * Up to this size an access is one call and one variable. Everything but
 * the copying of blocks is that small, and most of its cost would be the
 * clearing of a buffer and the checks that copies of variable size entail.
 */
#define WORD_SIZE	sizeof(u64)

static __always_inline int put_word(void __user *buf, const void *word, size_t n)
{
	switch (n) {
	case 1:
		return put_user(*(const u8 *)word, (u8 __user *)buf);
	case 2:
		return put_user(*(const u16 *)word, (u16 __user *)buf);
	case 4:
		return put_user(*(const u32 *)word, (u32 __user *)buf);
	default:
		return copy_to_user(buf, word, n) ? -EFAULT : 0;
	}
}

static int get_word(void *word, const void __user *buf, size_t n)
{
	switch (n) {
	case 1:
		return get_user(*(u8 *)word, (u8 __user *)buf);
	case 2:
		return get_user(*(u16 *)word, (u16 __user *)buf);
	case 4:
		return get_user(*(u32 *)word, (u32 __user *)buf);
	default:
		return copy_from_user(word, buf, n) ? -EFAULT : 0;
	}
}

static ssize_t read_word(struct ferry_device *fdev, struct ferry_region *region,
			 u64 off, void __user *buf, size_t len)
{
	u64 word = 0;
	int ret;

	ret = region->ops->read(fdev, region, off, &word, len);
	trace_ferry_region_read(fdev, region, off, len,
				ret ? 0 : le64_to_cpu((__force __le64)word),
				ret ? ret : len);
	if (ret)
		return ret;
	return put_word(buf, &word, len) ? -EFAULT : len;
}

static ssize_t write_word(struct ferry_device *fdev,
			  struct ferry_region *region, u64 off,
			  const void __user *buf, size_t len)
{
	u64 word = 0;
	int ret;

	if (get_word(&word, buf, len))
		return -EFAULT;
	ret = region->ops->write(fdev, region, off, &word, len);
	trace_ferry_region_write(fdev, region, off, len,
				 le64_to_cpu((__force __le64)word),
				 ret ? ret : len);
	return ret ? ret : len;
}

/* Chunks end at multiples of their size, so that accesses stay aligned. */
static size_t chunk_size(u64 off, size_t left)
{
	return min_t(size_t, left,
		     FERRY_REGION_CHUNK - (off & (FERRY_REGION_CHUNK - 1)));
}

/*
 * A region can have gigabytes, and its device be slow: others get the processor
 * meanwhile, and who is killed doesn't go on to the end.
 */
static int take_breath(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static noinline ssize_t read_block(struct ferry_device *fdev,
				   struct ferry_region *region, u64 off,
				   void __user *buf, size_t len)
{
	u8 chunk[FERRY_REGION_CHUNK] __aligned(8);
	size_t done, n;
	int ret = 0;

	for (done = 0; done < len; done += n) {
		ret = take_breath();
		if (ret)
			break;
		n = chunk_size(off + done, len - done);
		ret = region->ops->read(fdev, region, off + done, chunk, n);
		if (ret)
			break;
		if (copy_to_user(buf + done, chunk, n)) {
			ret = -EFAULT;
			break;
		}
	}
	trace_ferry_region_read(fdev, region, off, len, 0, done ? done : ret);
	return done ? done : ret;
}

static noinline ssize_t write_block(struct ferry_device *fdev,
				    struct ferry_region *region, u64 off,
				    const void __user *buf, size_t len)
{
	u8 chunk[FERRY_REGION_CHUNK] __aligned(8);
	size_t done, n;
	int ret = 0;

	for (done = 0; done < len; done += n) {
		ret = take_breath();
		if (ret)
			break;
		n = chunk_size(off + done, len - done);
		if (copy_from_user(chunk, buf + done, n)) {
			ret = -EFAULT;
			break;
		}
		ret = region->ops->write(fdev, region, off + done, chunk, n);
		if (ret)
			break;
	}
	trace_ferry_region_write(fdev, region, off, len, 0, done ? done : ret);
	return done ? done : ret;
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
	struct ferry_region *region;
	ssize_t len;
	u64 off;

	if (!count)
		return 0;
	len = region_clip(fdev, *ppos, count, &region, &off);
	if (len < 0)
		return len;
	if (len <= WORD_SIZE)
		len = read_word(fdev, region, off, buf, len);
	else
		len = read_block(fdev, region, off, buf, len);
	if (len > 0)
		*ppos += len;
	return len;
}
EXPORT_SYMBOL_GPL(ferry_device_read);

/**
 * ferry_device_peek - read a register of configuration space that memory answers
 * @fdev: the device
 * @off: offset in the space, for which ferry_config_known() says yes
 * @buf: user memory
 * @count: bytes wanted
 * @ppos: file offset, advanced by what was read
 *
 * For drivers to whom an access costs more than this: the device isn't asked, and need
 * not be awake.
 *
 * Return: bytes read, -EFAULT, or 0 where ferry_device_read() has to be called.
 */
ssize_t ferry_device_peek(struct ferry_device *fdev, u64 off, char __user *buf,
			  size_t count, loff_t *ppos)
{
	const unsigned int index = VFIO_PCI_CONFIG_REGION_INDEX;
	u32 word = 0;

	if (!count || count > sizeof(word) ||
	    !ferry_config_peek(&fdev->config, off, &word, count))
		return 0;
	trace_ferry_region_read(fdev, &fdev->regions[index], off, count,
				le32_to_cpu((__force __le32)word), count);
	if (put_word(buf, &word, count))
		return -EFAULT;
	*ppos += count;
	return count;
}
EXPORT_SYMBOL_GPL(ferry_device_peek);

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
	struct ferry_region *region;
	ssize_t len;
	u64 off;

	if (!count)
		return 0;
	len = region_clip(fdev, *ppos, count, &region, &off);
	if (len < 0)
		return len;
	if (!region->ops->write)
		return -EINVAL;
	if (len <= WORD_SIZE)
		len = write_word(fdev, region, off, buf, len);
	else
		len = write_block(fdev, region, off, buf, len);
	if (len > 0)
		*ppos += len;
	return len;
}
EXPORT_SYMBOL_GPL(ferry_device_write);

static noinline int config_read_locked(struct ferry_device *fdev, u64 off,
				       void *buf, size_t len)
{
	int ret;

	mutex_lock(&fdev->config_lock);
	if (fdev->ops->config_sync)
		fdev->ops->config_sync(fdev);
	ret = ferry_config_read(&fdev->config, off, buf, len);
	mutex_unlock(&fdev->config_lock);
	return ret;
}

static int config_read(struct ferry_device *fdev, struct ferry_region *region,
		       u64 off, void *buf, size_t len)
{
	if (ferry_config_peek(&fdev->config, off, buf, len))
		return 0;
	return config_read_locked(fdev, off, buf, len);
}

static int config_write(struct ferry_device *fdev, struct ferry_region *region,
			u64 off, const void *buf, size_t len)
{
	int ret;

	mutex_lock(&fdev->config_lock);
	ret = ferry_config_write(&fdev->config, off, buf, len);
	trace_ferry_config_write(fdev, off, len, buf, ret);
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
