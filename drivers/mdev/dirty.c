// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of guest memory that a model has written to (VFIO_DEVICE_FEATURE_DMA_LOGGING_*),
 * for who migrates a guest and doesn't want to send all of its memory twice.
 *
 * Nobody but us sees these writes: they are made by the processor, and the IOMMU of a
 * mediated device is a table in software. The log is a set of pages. A device that has
 * written to more of them than are kept between two looks has written everywhere, which is
 * true enough to be safe.
 */
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/xarray.h>

#include "compat/logging.h"
#include "mdev.h"

/* MODULE_IMPORT_NS() takes a name on some kernels and a string on others. */
MODULE_INFO(import_ns, "IOMMUFD");

/* Of guest memory; 64 neighbours take 576 bytes, strangers up to 64 times that. */
#define PAGES_MAX	(SZ_4G >> PAGE_SHIFT)
/* It can do without, and does not want the user's processes killed for it. */
#define LOG_GFP		(GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
/* How many are told between two looks at the lock. */
#define BATCH		64

static void forget(struct ferry_dirty *dirty)
{
	unsigned long page;
	void *entry;

	lockdep_assert_held(&dirty->lock);

	/* Not xa_destroy(): that has interrupts off until it is through. */
	xa_for_each(&dirty->pages, page, entry) {
		xa_erase(&dirty->pages, page);
		cond_resched();
	}
	dirty->count = 0;
	dirty->everything = false;
}

/* Returns whether the page is in the log now. */
static bool add(struct ferry_dirty *dirty, unsigned long page)
{
	void *old;

	if (dirty->count == PAGES_MAX && !xa_load(&dirty->pages, page))
		return false;
	old = xa_store(&dirty->pages, page, xa_mk_value(0), LOG_GFP);
	if (xa_is_err(old))
		return false;
	dirty->count += !old;
	return true;
}

/**
 * ferry_dirty_add - guest memory has been written to
 * @inst: the instance
 * @iova: first byte
 * @len: bytes, not 0; the range doesn't wrap
 *
 * Called after the write: who looks at the log while memory is being written finds it
 * the next time, and the last time nothing is being written.
 *
 * Context: as ferry_guest_write().
 */
void ferry_dirty_add(struct ferry_instance *inst, u64 iova, size_t len)
{
	struct ferry_dirty *dirty = &inst->dirty;
	unsigned long page = iova >> PAGE_SHIFT;
	unsigned long last = (iova + len - 1) >> PAGE_SHIFT;
	struct mem_cgroup *old;

	/* A log that begins now begins behind this write, which its user has to expect. */
	if (!READ_ONCE(dirty->on))
		return;
	mutex_lock(&dirty->lock);
	/* The worker is nobody's: what it allocates is the user's all the same. */
	old = set_active_memcg(dirty->memcg);
	if (dirty->on && !dirty->everything) {
		while (page <= last && add(dirty, page))
			page++;
		if (page <= last) {
			forget(dirty);
			dirty->everything = true;
		}
	}
	set_active_memcg(old);
	mutex_unlock(&dirty->lock);
}

static int log_start(struct vfio_device *vdev, struct rb_root_cached *ranges,
		     u32 nnodes, u64 *page_size)
{
	struct ferry_instance *inst = to_instance(to_ferry_device(vdev));
	struct ferry_dirty *dirty = &inst->dirty;
	int ret = -EINVAL;

	/* What is outside of @ranges is in the log as well, and nobody asks for it. */
	mutex_lock(&dirty->lock);
	if (!dirty->on) {
		WRITE_ONCE(dirty->on, true);
		dirty->memcg = get_mem_cgroup_from_mm(current->mm);
		*page_size = PAGE_SIZE;
		ret = 0;
	}
	mutex_unlock(&dirty->lock);
	return ret;
}

static int log_stop(struct vfio_device *vdev)
{
	ferry_dirty_stop(to_instance(to_ferry_device(vdev)));
	return 0;
}

/*
 * Takes up to BATCH pages of those from @first to @last out of the log, but for those that
 * are not wholly in the range from byte @start to byte @end. Returns how many it has found,
 * or -EINVAL.
 */
static int take(struct ferry_dirty *dirty, unsigned long start,
		unsigned long end, unsigned long first, unsigned long *pages,
		bool *everything)
{
	unsigned long page;
	void *entry;
	int n = 0;

	mutex_lock(&dirty->lock);
	*everything = dirty->everything;
	xa_for_each_range(&dirty->pages, page, entry, first,
			  end >> PAGE_SHIFT) {
		if (page << PAGE_SHIFT >= start &&
		    (page << PAGE_SHIFT | ~PAGE_MASK) <= end) {
			xa_erase(&dirty->pages, page);
			dirty->count--;
		}
		pages[n++] = page;
		if (n == BATCH)
			break;
	}
	if (!dirty->on)
		n = -EINVAL;
	mutex_unlock(&dirty->lock);
	return n;
}

/* iova_bitmap_set() believes that what it is told is within the bitmap. */
static void tell(struct iova_bitmap *bitmap, unsigned long start,
		 unsigned long end, unsigned long page)
{
	unsigned long from = max(start, page << PAGE_SHIFT);
	unsigned long to = min(end, page << PAGE_SHIFT | ~PAGE_MASK);

	iova_bitmap_set(bitmap, from, to - from + 1);
}

/*
 * A page is out of the log before the user is told, so that it is in there again if it is
 * written to after that. The user's bitmap is written to without the lock: it may fault.
 */
static int log_read(struct vfio_device *vdev, unsigned long iova,
		    unsigned long len, struct iova_bitmap *bitmap)
{
	struct ferry_instance *inst = to_instance(to_ferry_device(vdev));
	unsigned long end = iova + len - 1, first = iova >> PAGE_SHIFT;
	unsigned long pages[BATCH];
	bool everything;
	int i, n;

	/* The VFIO core has seen to it that it doesn't wrap, not that there is something. */
	if (!len)
		return -EINVAL;
	do {
		n = take(&inst->dirty, iova, end, first, pages, &everything);
		if (n < 0)
			return n;
		for (i = 0; i < n; i++)
			tell(bitmap, iova, end, pages[i]);
		first = n ? pages[n - 1] + 1 : first;
		cond_resched();
	} while (n == BATCH);
	if (everything)
		iova_bitmap_set(bitmap, iova, len);
	return 0;
}

static const struct vfio_log_ops log_ops = {
	.log_start = log_start,
	.log_stop = log_stop,
	.log_read_and_clear = log_read,
};

/**
 * ferry_dirty_stop - there is no log any more
 * @inst: the instance
 *
 * Context: process context; may sleep.
 */
void ferry_dirty_stop(struct ferry_instance *inst)
{
	struct ferry_dirty *dirty = &inst->dirty;

	mutex_lock(&dirty->lock);
	if (dirty->on)
		mem_cgroup_put(dirty->memcg);
	dirty->memcg = NULL;
	WRITE_ONCE(dirty->on, false);
	forget(dirty);
	mutex_unlock(&dirty->lock);
}

/**
 * ferry_dirty_init - there may be a log, where the VFIO core can tell the user of it
 * @inst: a new instance, of a model that migrates
 *
 * A model that doesn't access guest memory has one too: it says that there is nothing to
 * send, which is what the user wants to hear.
 */
void ferry_dirty_init(struct ferry_instance *inst)
{
	mutex_init(&inst->dirty.lock);
	xa_init_flags(&inst->dirty.pages, XA_FLAGS_ACCOUNT);
	if (FERRY_VFIO_LOGS && model_migrates(inst->model))
		inst->fdev.vdev.log_ops = &log_ops;
}
