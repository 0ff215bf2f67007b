// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET_IRQS: vectors, and which eventfd each of them ends in.
 *
 * A request is prepared completely before anything changes: eventfds are looked
 * up and new vectors requested first, and only then, in steps that cannot fail,
 * do triggers change. A vector whose trigger changes, or goes, keeps its
 * interrupt, requested and enabled.
 */
#include <linux/export.h>
#include <linux/interrupt.h>
#include <linux/slab.h>

#include <ferry/device.h>

#include "compat/compat.h"
#include "core.h"
#include "irq_stats.h"

/* What one call does to one vector. */
struct irq_point {
	struct eventfd_ctx *trigger;
	struct ferry_vector *vector;
	bool created;
};

/*
 * Deliver what is pending, if there is a trigger. It may have gone again when we
 * look: then whoever attaches the next one finds the interrupt.
 */
static void vector_deliver(struct ferry_vector *vector)
{
	struct eventfd_ctx *ctx;

	rcu_read_lock();
	ctx = rcu_dereference(vector->trigger);
	if (ctx && test_and_clear_bit(0, &vector->pending))
		ferry_eventfd_signal(ctx);
	rcu_read_unlock();
}

/* Returns whether there was a trigger. */
static __always_inline bool vector_signal(struct ferry_vector *vector)
{
	struct eventfd_ctx *ctx;

	/* No eventfd goes before the handler has been waited for, see vector_point_hw(). */
	ctx = rcu_dereference_check(vector->trigger, true);
	if (likely(ctx)) {
		ferry_eventfd_signal(ctx);
		return true;
	}
	set_bit(0, &vector->pending);
	/* Pairs with vector_point_hw(): it sees the bit, or we see its trigger. */
	smp_mb__after_atomic();
	if (rcu_access_pointer(vector->trigger))
		vector_deliver(vector);
	return false;
}

static noinline void vector_signal_watched(struct ferry_vector *vector)
{
	struct ferry_device *fdev = vector->fdev;
	u64 since = ktime_get_mono_fast_ns();
	bool signalled = vector_signal(vector);

	ferry_irq_seen(fdev, READ_ONCE(fdev->irqs.active), vector->index, since,
		       signalled);
}

/**
 * ferry_vector_interrupt - the handler of a hardware vector's interrupt
 * @irq: ferry_vector.irq
 * @data: the vector, &struct ferry_vector
 *
 * One that finds no trigger is pending, once however many they are. A device can
 * send as many as it likes, and does no more harm by those that nobody waits
 * for: each is an edge that costs the handler less than one with a trigger does,
 * and its user could attach an eventfd anyway.
 *
 * Context: hard interrupt; for request_irq().
 * Return: IRQ_HANDLED.
 */
irqreturn_t ferry_vector_interrupt(int irq, void *data)
{
	if (ferry_irqs_watched())
		vector_signal_watched(data);
	else
		vector_signal(data);
	return IRQ_HANDLED;
}
EXPORT_SYMBOL_GPL(ferry_vector_interrupt);

/**
 * ferry_vectors_forget - a reset has taken back what was pending
 * @fdev: the device, whose vectors are hardware's
 *
 * Context: process context.
 */
void ferry_vectors_forget(struct ferry_device *fdev)
{
	struct ferry_vector *v;
	unsigned long i;

	/* Vectors are freed after a grace period, see vector_destroy(). */
	rcu_read_lock();
	xa_for_each(&fdev->irqs.vectors, i, v)
		clear_bit(0, &v->pending);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(ferry_vectors_forget);

/**
 * ferry_irq_signal - an emulated device sends a message
 * @fdev: the device, on which MSI or MSI-X is enabled, else nothing happens
 * @vector: number of the vector
 *
 * Context: any but NMI.
 * Return: whether the vector ends in an eventfd, which has been signalled.
 */
bool ferry_irq_signal(struct ferry_device *fdev, unsigned int vector)
{
	struct ferry_vector *v;
	u64 since = 0;
	bool sent;

	if (ferry_irqs_watched())
		since = ktime_get_mono_fast_ns();
	/* Vectors are freed after a grace period, see vector_destroy(). */
	rcu_read_lock();
	v = xa_load(&fdev->irqs.vectors, vector);
	sent = v && ferry_trigger_signal(&v->trigger);
	rcu_read_unlock();
	if (since)
		ferry_irq_seen(fdev, READ_ONCE(fdev->irqs.active), vector,
			       since, sent);
	return sent;
}
EXPORT_SYMBOL_GPL(ferry_irq_signal);

/**
 * ferry_irq_active - is this index the enabled one?
 * @fdev: the device
 * @index: VFIO_PCI_INTX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX or
 *	VFIO_PCI_MSIX_IRQ_INDEX
 *
 * Context: any; a snapshot unless ferry_irqs.lock is held.
 * Return: whether it is.
 */
bool ferry_irq_active(struct ferry_device *fdev, unsigned int index)
{
	return READ_ONCE(fdev->irqs.active) == index;
}
EXPORT_SYMBOL_GPL(ferry_irq_active);

/*
 * Keep the eventfd that a vector has just left, instead of the one that it kept
 * until now. A handler may still be signalling either: it has to be waited for
 * before one goes for good, but not when the vector swings back and forth.
 */
static void vector_keep_spare(struct ferry_vector *vector,
			      struct eventfd_ctx *old,
			      struct eventfd_ctx *trigger)
{
	struct eventfd_ctx *spare = vector->spare;

	if (!old)
		return;
	vector->spare = old;
	/* Of what is the trigger or the spare now we have one more reference. */
	if (spare && spare != trigger && spare != old)
		synchronize_irq(vector->irq);
	ferry_trigger_put(spare);
}

/* vector_point() for a vector of hardware. */
static void vector_point_hw(struct ferry_vector *vector,
			    struct eventfd_ctx *old,
			    struct eventfd_ctx *trigger)
{
	struct ferry_device *fdev = vector->fdev;
	int ret;

	lockdep_assert_held(&fdev->irqs.lock);

	if (old)
		irq_bypass_unregister_producer(&vector->producer);
	rcu_assign_pointer(vector->trigger, trigger);
	if (trigger) {
		ret = ferry_bypass_register(&vector->producer, trigger,
					    vector->irq);
		if (ret)
			dev_dbg(fdev->vdev.dev, "%s: no irq bypass: %d\n",
				vector->name, ret);
		fdev->ops->irq->vector_arm(fdev, vector);
		/* Pairs with vector_signal(). */
		smp_mb();
		if (READ_ONCE(vector->pending))
			vector_deliver(vector);
	} else if (old) {
		/* Nobody hears of a vector any more that he has masked. */
		synchronize_irq(vector->irq);
	}
	vector_keep_spare(vector, old, trigger);
}

/* Point @vector at @trigger, which may be NULL; the vector takes it over. */
static void vector_point(struct ferry_vector *vector,
			 struct eventfd_ctx *trigger)
{
	struct ferry_device *fdev = vector->fdev;
	struct eventfd_ctx *old =
		rcu_dereference_protected(vector->trigger,
					  lockdep_is_held(&fdev->irqs.lock));

	if (vector->irq) {
		vector_point_hw(vector, old, trigger);
		return;
	}
	rcu_assign_pointer(vector->trigger, trigger);
	ferry_trigger_retire(old);
	/* The new eventfd is found by whoever signals from here on. */
	if (trigger && fdev->ops->irq->vector_arm)
		fdev->ops->irq->vector_arm(fdev, vector);
}

static struct ferry_vector *vector_create(struct ferry_device *fdev,
					  unsigned int index)
{
	const struct ferry_irq_ops *ops = fdev->ops->irq;
	struct ferry_vector *vector;
	int ret;

	vector = kzalloc(sizeof(*vector), GFP_KERNEL_ACCOUNT);
	if (!vector)
		return ERR_PTR(-ENOMEM);
	vector->fdev = fdev;
	vector->index = index;

	if (ops->vector_request) {
		ret = ops->vector_request(fdev, vector);
		if (ret)
			goto err_free;
	}
	ret = xa_insert(&fdev->irqs.vectors, index, vector, GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_release;
	return vector;

err_release:
	if (ops->vector_release)
		ops->vector_release(fdev, vector);
err_free:
	kfree(vector);
	return ERR_PTR(ret);
}

static void vector_destroy(struct ferry_vector *vector)
{
	struct ferry_device *fdev = vector->fdev;

	xa_erase(&fdev->irqs.vectors, vector->index);
	vector_point(vector, NULL);
	if (fdev->ops->irq->vector_release)
		fdev->ops->irq->vector_release(fdev, vector);
	ferry_trigger_put(vector->spare);
	/* ferry_irq_signal() may still be looking at it. */
	kfree_rcu(vector, rcu);
}

/* Find the vectors from @start on; create those that are to get a trigger. */
static int points_prepare(struct ferry_device *fdev, unsigned int start,
			  unsigned int count, struct irq_point *points)
{
	struct ferry_vector *vector;
	unsigned int i;

	for (i = 0; i < count; i++) {
		vector = xa_load(&fdev->irqs.vectors, start + i);
		if (!vector && points[i].trigger) {
			vector = vector_create(fdev, start + i);
			if (IS_ERR(vector))
				return PTR_ERR(vector);
			points[i].created = true;
		}
		points[i].vector = vector;
	}
	return 0;
}

static void points_undo(struct irq_point *points, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (points[i].created)
			vector_destroy(points[i].vector);
}

static int index_enable(struct ferry_device *fdev, unsigned int index,
			unsigned int nvec)
{
	int ret = fdev->ops->irq->enable(fdev, index, nvec);

	if (ret)
		return ret;
	WRITE_ONCE(fdev->irqs.active, index);
	return 0;
}

/* Disable MSI or MSI-X, which is enabled. */
static void index_disable(struct ferry_device *fdev)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	unsigned int index = irqs->active;
	struct ferry_vector *vector;
	unsigned long i;

	WRITE_ONCE(irqs->active, VFIO_PCI_NUM_IRQS);
	xa_for_each(&irqs->vectors, i, vector)
		vector_destroy(vector);
	fdev->ops->irq->disable(fdev, index);
}

/*
 * Point the vectors from @start on where @points says. Takes the triggers over if
 * it returns 0; else nothing has changed.
 */
static int points_set(struct ferry_device *fdev, unsigned int index,
		      unsigned int start, unsigned int count,
		      struct irq_point *points)
{
	bool enabled = fdev->irqs.active == index;
	unsigned int i;
	int ret;

	if (!enabled) {
		/* What the PCI core says to those who ask for no vector. */
		if (!(start + count))
			return -ERANGE;
		ret = index_enable(fdev, index, start + count);
		if (ret)
			return ret;
	}
	ret = points_prepare(fdev, start, count, points);
	if (ret)
		goto err_undo;

	for (i = 0; i < count; i++)
		if (points[i].vector)
			vector_point(points[i].vector, points[i].trigger);
	return 0;

err_undo:
	points_undo(points, count);
	if (!enabled)
		index_disable(fdev);
	return ret;
}

static int msi_set_eventfds(struct ferry_device *fdev,
			    const struct vfio_irq_set *hdr, const s32 *fds)
{
	struct irq_point one, *points = &one;
	unsigned int got;
	int ret = 0;

	if (hdr->count > 1) {
		points = kvmalloc_array(hdr->count, sizeof(*points),
					GFP_KERNEL_ACCOUNT);
		if (!points)
			return -ENOMEM;
	}

	for (got = 0; got < hdr->count && !ret; got++) {
		points[got].created = false;
		ret = ferry_trigger_get(fds[got], &points[got].trigger);
	}
	if (!ret)
		ret = points_set(fdev, hdr->index, hdr->start, hdr->count,
				 points);
	if (ret)
		while (got--)
			ferry_trigger_put(points[got].trigger);
	if (points != &one)
		kvfree(points);
	return ret;
}

static int msi_set(struct ferry_device *fdev, const struct vfio_irq_set *hdr,
		   const void *data)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	bool active = irqs->active == hdr->index;
	struct ferry_vector *vector;
	const u8 *bools = data;
	unsigned int i;

	if (!(hdr->flags & VFIO_IRQ_SET_ACTION_TRIGGER))
		return -ENOTTY;
	if (active && !hdr->count && (hdr->flags & VFIO_IRQ_SET_DATA_NONE)) {
		index_disable(fdev);
		return 0;
	}
	if (!active && irqs->active != VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (hdr->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return msi_set_eventfds(fdev, hdr, data);
	if (!active)
		return -EINVAL;

	for (i = 0; i < hdr->count; i++) {
		vector = xa_load(&irqs->vectors, hdr->start + i);
		if (!vector)
			continue;
		if ((hdr->flags & VFIO_IRQ_SET_DATA_NONE) || bools[i])
			ferry_trigger_signal(&vector->trigger);
	}
	return 0;
}

/* ERR and REQ: one eventfd that needs no enabling. */
static int single_set(struct ferry_device *fdev,
		      struct eventfd_ctx __rcu **slot,
		      const struct vfio_irq_set *hdr, const void *data)
{
	struct eventfd_ctx *new = NULL;
	bool set = rcu_access_pointer(*slot);
	int ret;

	if (!(hdr->flags & VFIO_IRQ_SET_ACTION_TRIGGER))
		return -ENOTTY;
	if (hdr->start || hdr->count > 1)
		return -EINVAL;

	switch (hdr->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		if (!set)
			return -EINVAL;
		if (hdr->count) {
			ferry_trigger_signal(slot);
			return 0;
		}
		break;
	case VFIO_IRQ_SET_DATA_BOOL:
		if (!hdr->count)
			return -EINVAL;
		if (*(const u8 *)data)
			ferry_trigger_signal(slot);
		return 0;
	default:
		if (!hdr->count || *(const s32 *)data < -1)
			return -EINVAL;
		ret = ferry_trigger_get(*(const s32 *)data, &new);
		if (ret)
			return ret;
	}
	new = rcu_replace_pointer(*slot, new,
				  lockdep_is_held(&fdev->irqs.lock));
	ferry_trigger_retire(new);
	return 0;
}

/**
 * ferry_irqs_set - VFIO_DEVICE_SET_IRQS
 * @fdev: the device
 * @hdr: the request; its index, range and data type have been checked
 * @data: a copy of its data
 *
 * Context: process context.
 * Return: 0, a negative errno with nothing changed, or the positive number of
 * vectors that could be had where more were asked for.
 */
int ferry_irqs_set(struct ferry_device *fdev, const struct vfio_irq_set *hdr,
		   const void *data)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	int ret = -ENOTTY;

	if (hweight32(hdr->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) != 1)
		return -ENOTTY;

	mutex_lock(&irqs->lock);
	switch (hdr->index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		ret = ferry_intx_set(fdev, hdr, data);
		break;
	case VFIO_PCI_MSI_IRQ_INDEX:
	case VFIO_PCI_MSIX_IRQ_INDEX:
		ret = msi_set(fdev, hdr, data);
		break;
	case VFIO_PCI_ERR_IRQ_INDEX:
		if (ferry_irqs_count(fdev, hdr->index))
			ret = single_set(fdev, &irqs->err, hdr, data);
		break;
	case VFIO_PCI_REQ_IRQ_INDEX:
		ret = single_set(fdev, &irqs->req, hdr, data);
		break;
	}
	mutex_unlock(&irqs->lock);
	return ret;
}

/**
 * ferry_irqs_count - how many interrupts an index has
 * @fdev: the device
 * @index: VFIO_PCI_*_IRQ_INDEX
 *
 * Return: the number, 0 for an index that the device doesn't have.
 */
unsigned int ferry_irqs_count(struct ferry_device *fdev, unsigned int index)
{
	if (index == VFIO_PCI_REQ_IRQ_INDEX)
		return 1;
	return fdev->ops->irq->count(fdev, index);
}

/**
 * ferry_irqs_flags - VFIO_IRQ_INFO_* of an index
 * @fdev: the device
 * @index: VFIO_PCI_*_IRQ_INDEX
 *
 * Return: the flags.
 */
u32 ferry_irqs_flags(struct ferry_device *fdev, unsigned int index)
{
	const struct ferry_irq_ops *ops = fdev->ops->irq;

	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		return VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
		       VFIO_IRQ_INFO_AUTOMASKED;
	if (index == VFIO_PCI_MSIX_IRQ_INDEX && ops->count(fdev, index) &&
	    ops->resizable && ops->resizable(fdev))
		return VFIO_IRQ_INFO_EVENTFD;
	return VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
}

/**
 * ferry_err_signal - tell the user that the device has reported an error
 * @fdev: the device
 *
 * Context: any but NMI.
 */
void ferry_err_signal(struct ferry_device *fdev)
{
	ferry_trigger_signal(&fdev->irqs.err);
}
EXPORT_SYMBOL_GPL(ferry_err_signal);

/**
 * ferry_req_signal - ask the user to let the device go
 * @fdev: the device
 * @count: how many times the VFIO core has asked before
 *
 * Context: process context; takes no lock that the user's calls may hold.
 */
void ferry_req_signal(struct ferry_device *fdev, unsigned int count)
{
	struct device *dev = fdev->vdev.dev;

	if (!rcu_access_pointer(fdev->irqs.req)) {
		if (!count)
			dev_notice(dev, "in use, and its user takes no release requests: close it (QEMU: device_del) to go on\n");
		return;
	}
	if (!(count % 10))
		dev_notice(dev, "in use, asking its user to release it (%u)\n",
			   count);
	ferry_trigger_signal(&fdev->irqs.req);
}

/**
 * ferry_irqs_init - no interrupt is enabled
 * @fdev: a new device
 */
void ferry_irqs_init(struct ferry_device *fdev)
{
	struct ferry_irqs *irqs = &fdev->irqs;

	mutex_init(&irqs->lock);
	spin_lock_init(&irqs->intx_lock);
	xa_init_flags(&irqs->vectors, XA_FLAGS_ACCOUNT);
	irqs->active = VFIO_PCI_NUM_IRQS;
}

static void single_clear(struct ferry_device *fdev,
			 struct eventfd_ctx __rcu **slot)
{
	struct eventfd_ctx *old;

	old = rcu_replace_pointer(*slot, NULL,
				  lockdep_is_held(&fdev->irqs.lock));
	ferry_trigger_retire(old);
}

/**
 * ferry_irqs_stop - disable all interrupts and forget all eventfds
 * @fdev: a device that is being closed
 *
 * Context: process context.
 */
void ferry_irqs_stop(struct ferry_device *fdev)
{
	struct ferry_irqs *irqs = &fdev->irqs;

	mutex_lock(&irqs->lock);
	if (irqs->active == VFIO_PCI_INTX_IRQ_INDEX)
		ferry_intx_stop(fdev);
	else if (irqs->active != VFIO_PCI_NUM_IRQS)
		index_disable(fdev);
	single_clear(fdev, &irqs->err);
	single_clear(fdev, &irqs->req);
	mutex_unlock(&irqs->lock);
}
