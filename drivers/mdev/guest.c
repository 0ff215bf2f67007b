// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory: what a model's work reads, writes and pins. What it copies is in copy.c.
 *
 * The user of a VFIO device may unmap memory at any time, and the VFIO core then calls
 * ferry_guest_gone(), which has to see to it that nothing of that memory stays pinned.
 * With type1 it comes with device_list_lock held. Another thread that unmaps holds
 * type1's own lock while it waits for that one, and who pins or unpins waits for
 * type1's: so the callback waits for as long as it takes for a model that copies, and only
 * for a while for one that is within a call of the VFIO core. Type1 calls again then,
 * a few times, before it gives up on the kernel. To be done by then, nothing new is
 * pinned for some time after each call: ferry_guest_pin() asks its caller to copy.
 */
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "mdev.h"

/* The most bytes that are copied in one call, which holds locks of type1. */
#define COPY_CHUNK	SZ_64K
/* How long to wait for who may be waiting for us, in jiffies. */
#define GRACE		(HZ / 10)
/* How long to pin nothing after memory was taken away. */
#define QUIET		HZ

static int check(u64 iova, size_t len)
{
	u64 last = iova + len - 1;

	return last < iova || (dma_addr_t)last != last ? -EFAULT : 0;
}

/* What type1 and iommufd say, each its own way. */
static int translate(int ret)
{
	return ret >= 0 || ret == -EPERM || ret == -ENOMEM ? ret : -EFAULT;
}

static void set_calling(struct ferry_guest *guest, bool calling)
{
	spin_lock(&guest->lock);
	guest->calling = calling;
	spin_unlock(&guest->lock);
	wake_up_all(&guest->changed);
}

static int access(struct ferry_instance *inst, u64 iova, void *buf, size_t len,
		  bool write)
{
	int ret;

	set_calling(&inst->guest, true);
	ret = vfio_dma_rw(&inst->fdev.vdev, iova, buf, len, write);
	set_calling(&inst->guest, false);
	if (write && !ret)
		ferry_dirty_add(inst, iova, len);
	return ret;
}

/* What fails as a whole may succeed in part, and which part the log has to know. */
static int write_pages(struct ferry_instance *inst, u64 iova, void *buf,
		       size_t len)
{
	size_t chunk;
	int ret = 0;

	for (; !ret && len; iova += chunk, buf += chunk, len -= chunk) {
		chunk = min(len, PAGE_SIZE - offset_in_page(iova));
		ret = access(inst, iova, buf, chunk, true);
	}
	return ret;
}

static int copy(struct ferry_instance *inst, u64 iova, void *buf, size_t len,
		bool write)
{
	size_t chunk;
	int ret = 0;

	if (!len)
		return 0;
	ret = check(iova, len);
	for (; !ret && len; iova += chunk, buf += chunk, len -= chunk) {
		chunk = min_t(size_t, len, COPY_CHUNK);
		ret = access(inst, iova, buf, chunk, write);
		if (ret && write)
			ret = write_pages(inst, iova, buf, chunk);
	}
	return translate(ret);
}

/**
 * ferry_guest_read - copy from guest memory
 * @inst: the instance
 * @iova: address, as the guest's driver gives it to the device
 * @buf: where to
 * @len: bytes; 0 is nothing
 *
 * Memory that can't be pinned, like a BAR of another instance that the user has mapped,
 * will do.
 *
 * Context: the model's work, with no lock that it can't sleep with, nor one that is held
 * where a callback waits for user space or the gate.
 * Return: 0; -EFAULT where not all of it is mapped or the user has nothing
 * there; -EPERM where it may not be read; -ENOMEM. Part of @buf may have been
 * filled then.
 */
int ferry_guest_read(struct ferry_instance *inst, u64 iova, void *buf,
		     size_t len)
{
	return copy(inst, iova, buf, len, false);
}
EXPORT_SYMBOL_GPL(ferry_guest_read);

/**
 * ferry_guest_write - copy to guest memory
 * @inst: the instance
 * @iova: address, as the guest's driver gives it to the device
 * @buf: from where
 * @len: bytes; 0 is nothing
 *
 * Context: as ferry_guest_read().
 * Return: 0; -EFAULT where not all of it is mapped or the user has nothing
 * there; -EPERM where it is read-only; -ENOMEM. Part of it may have been
 * written then.
 */
int ferry_guest_write(struct ferry_instance *inst, u64 iova, const void *buf,
		      size_t len)
{
	/* The VFIO core has one function for both directions. */
	return copy(inst, iova, (void *)buf, len, true);
}
EXPORT_SYMBOL_GPL(ferry_guest_write);

/* Returns -EAGAIN while memory is going away. */
static int enlist(struct ferry_guest *guest, struct ferry_guest_range *range)
{
	int ret = -EAGAIN;

	range->revoked = false;
	spin_lock(&guest->lock);
	if (!time_before(jiffies, guest->quiet)) {
		list_add(&range->node, &guest->ranges);
		ret = 0;
	}
	spin_unlock(&guest->lock);
	return ret;
}

static void delist(struct ferry_guest *guest, struct ferry_guest_range *range)
{
	spin_lock(&guest->lock);
	list_del(&range->node);
	spin_unlock(&guest->lock);
	wake_up_all(&guest->changed);
}

/**
 * ferry_guest_pin - have guest memory at hand
 * @inst: the instance
 * @iova: address, as the guest's driver gives it to the device
 * @len: bytes wanted, at least 1
 * @write: it is to be written
 * @range: filled in; &ferry_guest_range.len may be less than @len, for there are no more
 *	than FERRY_GUEST_PAGES pages
 *
 * To be unpinned before the work returns, and soon: whoever unmaps the memory waits for
 * it. So between this and ferry_guest_unpin() the model touches the memory, pins and unpins
 * other ranges, and waits for nothing.
 *
 * Context: as ferry_guest_read().
 * Return: 0; -EFAULT where not all of @range is mapped, or cannot be pinned
 * (ferry_guest_read() may do); -EPERM where @write and it is read-only; -EAGAIN
 * where mappings are changing, so that ferry_guest_read() or ferry_guest_write() has to
 * do; -ENOMEM.
 */
int ferry_guest_pin(struct ferry_instance *inst, u64 iova, size_t len,
		    bool write, struct ferry_guest_range *range)
{
	const size_t max = FERRY_GUEST_PAGES * PAGE_SIZE - offset_in_page(iova);
	struct ferry_guest *guest = &inst->guest;
	int ret;

	range->iova = iova;
	range->write = write;
	range->len = min(len, max);
	ret = check(iova, range->len);
	if (ret)
		return ret;
	range->nr_pages = DIV_ROUND_UP(offset_in_page(iova) + range->len,
				       PAGE_SIZE);
	ret = enlist(guest, range);
	if (ret)
		return ret;
	set_calling(guest, true);
	ret = vfio_pin_pages(&inst->fdev.vdev, round_down(iova, PAGE_SIZE),
			     range->nr_pages,
			     write ? IOMMU_READ | IOMMU_WRITE : IOMMU_READ,
			     range->pages);
	set_calling(guest, false);
	if (ret < 0) {
		delist(guest, range);
		return translate(ret);
	}
	if (READ_ONCE(range->revoked)) {
		ferry_guest_unpin(inst, range);
		return -EAGAIN;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(ferry_guest_pin);

/**
 * ferry_guest_unpin - undo ferry_guest_pin()
 * @inst: the instance
 * @range: the range, which is not touched any more
 *
 * Context: as ferry_guest_read().
 */
void ferry_guest_unpin(struct ferry_instance *inst,
		       struct ferry_guest_range *range)
{
	struct ferry_guest *guest = &inst->guest;

	if (range->write)
		ferry_dirty_add(inst, range->iova, range->len);
	set_calling(guest, true);
	vfio_unpin_pages(&inst->fdev.vdev, round_down(range->iova, PAGE_SIZE),
			 range->nr_pages);
	set_calling(guest, false);
	delist(guest, range);
}
EXPORT_SYMBOL_GPL(ferry_guest_unpin);

/**
 * ferry_guest_map - touch guest memory
 * @range: made by ferry_guest_pin()
 * @off: offset in it
 * @len: is set to how many bytes there are in a row, up to the end of a page
 *
 * What is there may change while the model looks at it: it reads each value once, and
 * believes nothing.
 *
 * Context: as kmap_local_page(), whose rules for several mappings hold.
 * Return: the byte's address, to be given to ferry_guest_unmap(); %NULL if @off isn't in
 * the range, or the guest is taking the memory away.
 */
void *ferry_guest_map(struct ferry_guest_range *range, size_t off, size_t *len)
{
	size_t at = offset_in_page(range->iova) + off;

	if (off >= range->len || READ_ONCE(range->revoked))
		return NULL;
	*len = min(range->len - off, PAGE_SIZE - offset_in_page(at));
	return kmap_local_page(range->pages[at / PAGE_SIZE]) +
	       offset_in_page(at);
}
EXPORT_SYMBOL_GPL(ferry_guest_map);

/**
 * ferry_guest_unmap - undo ferry_guest_map()
 * @addr: what that has returned, not %NULL
 */
void ferry_guest_unmap(void *addr)
{
	kunmap_local(addr);
}
EXPORT_SYMBOL_GPL(ferry_guest_unmap);

static bool overlaps(const struct ferry_guest_range *range, u64 first, u64 last)
{
	u64 start = round_down(range->iova, PAGE_SIZE);

	return start <= last &&
	       start + ((u64)range->nr_pages * PAGE_SIZE - 1) >= first;
}

/* Marks what is pinned between @first and @last; returns whether there was any. */
static bool revoke(struct ferry_guest *guest, u64 first, u64 last)
{
	struct ferry_guest_range *range;
	bool any = false;

	lockdep_assert_held(&guest->lock);

	list_for_each_entry(range, &guest->ranges, node) {
		if (overlaps(range, first, last)) {
			WRITE_ONCE(range->revoked, true);
			any = true;
		}
	}
	return any;
}

/* Something is pinned, and the work is calling the VFIO core, or not, as asked. */
static bool pinned(struct ferry_guest *guest, u64 first, u64 last, bool calling)
{
	bool ret;

	spin_lock(&guest->lock);
	ret = guest->calling == calling && revoke(guest, first, last);
	spin_unlock(&guest->lock);
	return ret;
}

/**
 * ferry_guest_gone - vfio_device_ops.dma_unmap
 * @vdev: the device
 * @iova: first address that goes away
 * @length: bytes, not 0
 *
 * See the beginning of this file. On return nothing of it is touched or pinned, or the VFIO
 * core is where the work hangs, with the pages still pinned; it gives nothing back
 * to anybody until they are not.
 *
 * Context: process context, locks of the VFIO core held.
 */
void ferry_guest_gone(struct vfio_device *vdev, u64 iova, u64 length)
{
	struct ferry_guest *guest = &to_instance(to_ferry_device(vdev))->guest;
	u64 last = iova + length - 1;

	spin_lock(&guest->lock);
	guest->quiet = jiffies + QUIET;
	revoke(guest, iova, last);
	spin_unlock(&guest->lock);
	do {
		wait_event(guest->changed, !pinned(guest, iova, last, false));
	} while (pinned(guest, iova, last, true) &&
		 wait_event_timeout(guest->changed,
				    !pinned(guest, iova, last, true), GRACE));
}

/**
 * ferry_guest_init - nothing is pinned
 * @inst: a new instance
 *
 * Return: 0 or -ENOMEM.
 */
int ferry_guest_init(struct ferry_instance *inst)
{
	struct ferry_guest *guest = &inst->guest;

	spin_lock_init(&guest->lock);
	INIT_LIST_HEAD(&guest->ranges);
	init_waitqueue_head(&guest->changed);
	guest->quiet = jiffies;
	if (!inst->model->work)
		return 0;
	guest->buffer = kmalloc(FERRY_GUEST_BUFFER, GFP_KERNEL_ACCOUNT);
	return guest->buffer ? 0 : -ENOMEM;
}

/**
 * ferry_guest_free - undo ferry_guest_init()
 * @inst: the instance, whose work doesn't run any more
 */
void ferry_guest_free(struct ferry_instance *inst)
{
	kfree(inst->guest.buffer);
}
