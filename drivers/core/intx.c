// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx: a level interrupt that is masked when it fires and that the user
 * unmasks when the device has been served.
 *
 * Two things mask it independently: the user (or the handler on his behalf), and
 * the interrupt disable bit of the virtual command register (PCI 3.0, 6.2.2).
 * The hardware is unmasked when neither does.
 */
#include <linux/export.h>

#include <ferry/device.h>

#include "compat/compat.h"
#include "core.h"
#include "irq_stats.h"

static bool intx_open(struct ferry_irqs *irqs)
{
	return !irqs->intx_masked && !irqs->intx_disabled;
}

/**
 * ferry_intx_interrupt - the device may have asserted its interrupt
 * @fdev: the device
 *
 * Context: any but NMI; the handler of a physical interrupt, or whoever raises
 * the level of an emulated one.
 * Return: true if it was this device's, which is now masked and signalled.
 */
bool ferry_intx_interrupt(struct ferry_device *fdev)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	unsigned long flags;
	bool fired, sent;
	u64 since = 0;

	if (ferry_irqs_watched())
		since = ktime_get_mono_fast_ns();
	spin_lock_irqsave(&irqs->intx_lock, flags);
	fired = intx_open(irqs) && fdev->ops->irq->intx_test_and_mask(fdev);
	if (fired)
		irqs->intx_masked = true;
	spin_unlock_irqrestore(&irqs->intx_lock, flags);

	if (fired) {
		sent = ferry_trigger_signal(&irqs->intx);
		if (since)
			ferry_irq_seen(fdev, VFIO_PCI_INTX_IRQ_INDEX, 0, since,
				       sent);
	}
	return fired;
}
EXPORT_SYMBOL_GPL(ferry_intx_interrupt);

/**
 * ferry_intx_masked - has INTx fired, or been masked, and not been unmasked since?
 * @fdev: the device
 *
 * Context: any.
 * Return: whether it has; false while INTx isn't enabled.
 */
bool ferry_intx_masked(struct ferry_device *fdev)
{
	return ferry_irq_active(fdev, VFIO_PCI_INTX_IRQ_INDEX) &&
	       READ_ONCE(fdev->irqs.intx_masked);
}
EXPORT_SYMBOL_GPL(ferry_intx_masked);

/* The user masks. */
static void intx_mask(struct ferry_device *fdev)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	unsigned long flags;

	spin_lock_irqsave(&irqs->intx_lock, flags);
	if (intx_open(irqs))
		fdev->ops->irq->intx_mask(fdev);
	irqs->intx_masked = true;
	spin_unlock_irqrestore(&irqs->intx_lock, flags);
}

/*
 * The user unmasks. Returns whether an interrupt is pending, which stays masked and
 * has to be signalled.
 */
static bool intx_unmask(struct ferry_device *fdev)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	unsigned long flags;
	bool pending = false;

	spin_lock_irqsave(&irqs->intx_lock, flags);
	if (irqs->intx_masked) {
		if (!irqs->intx_disabled)
			pending = fdev->ops->irq->intx_unmask(fdev);
		irqs->intx_masked = pending;
	}
	spin_unlock_irqrestore(&irqs->intx_lock, flags);
	return pending;
}

/*
 * The same by the unmask eventfd. Called with interrupts off, inside its wait queue, where
 * another eventfd must not be signalled. Returns 1 if there is something left to do.
 *
 * A line that is unmasked in the handler of its own interrupt, whose trigger this eventfd is
 * too, and stays asserted, would never let the processor do anything else.
 */
static int intx_unmask_first(void *opaque, void *unused)
{
	struct ferry_device *fdev = opaque;

	if (!in_hardirq())
		return intx_unmask(fdev);
	WRITE_ONCE(fdev->irqs.intx_unmask_late, 1);
	return 1;
}

static void intx_unmask_rest(void *opaque, void *unused)
{
	struct ferry_device *fdev = opaque;

	if (!xchg(&fdev->irqs.intx_unmask_late, 0) || intx_unmask(fdev))
		ferry_trigger_signal(&fdev->irqs.intx);
}

/**
 * ferry_intx_set_disabled - the interrupt disable bit has been written
 * @fdev: the device
 * @disabled: its new value
 *
 * Context: process context, without the gate.
 */
void ferry_intx_set_disabled(struct ferry_device *fdev, bool disabled)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	const struct ferry_irq_ops *ops = fdev->ops->irq;
	unsigned long flags;
	bool pending = false;

	spin_lock_irqsave(&irqs->intx_lock, flags);
	if (disabled && intx_open(irqs))
		ops->intx_mask(fdev);
	if (!disabled && irqs->intx_disabled && !irqs->intx_masked)
		pending = ops->intx_unmask(fdev);
	irqs->intx_disabled = disabled;
	if (pending)
		irqs->intx_masked = true;
	spin_unlock_irqrestore(&irqs->intx_lock, flags);

	if (pending)
		ferry_trigger_signal(&irqs->intx);
}
EXPORT_SYMBOL_GPL(ferry_intx_set_disabled);

static int intx_enable(struct ferry_device *fdev, struct eventfd_ctx *trigger)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	int ret;

	/* The handler may run before enable() returns, and a model at any time. */
	rcu_assign_pointer(irqs->intx, trigger);
	spin_lock_irq(&irqs->intx_lock);
	irqs->intx_masked = false;
	spin_unlock_irq(&irqs->intx_lock);

	/* An instance that starts meanwhile sees this, or enable() sees that it has started. */
	smp_store_mb(irqs->active, VFIO_PCI_INTX_IRQ_INDEX);
	ret = fdev->ops->irq->enable(fdev, VFIO_PCI_INTX_IRQ_INDEX, 1);
	if (ret) {
		WRITE_ONCE(irqs->active, VFIO_PCI_NUM_IRQS);
		rcu_assign_pointer(irqs->intx, NULL);
	}
	return ret;
}

/**
 * ferry_intx_stop - disable INTx, which is enabled
 * @fdev: the device
 *
 * Context: process context, ferry_irqs.lock held.
 */
void ferry_intx_stop(struct ferry_device *fdev)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	struct eventfd_ctx *old;

	lockdep_assert_held(&irqs->lock);

	vfio_virqfd_disable(&irqs->intx_unmask);
	fdev->ops->irq->disable(fdev, VFIO_PCI_INTX_IRQ_INDEX);
	WRITE_ONCE(irqs->active, VFIO_PCI_NUM_IRQS);
	old = rcu_replace_pointer(irqs->intx, NULL,
				  lockdep_is_held(&irqs->lock));
	ferry_trigger_retire(old);

	spin_lock_irq(&irqs->intx_lock);
	irqs->intx_masked = false;
	spin_unlock_irq(&irqs->intx_lock);
}

static int intx_set_eventfd(struct ferry_device *fdev, int fd)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	struct eventfd_ctx *ctx;
	int ret;

	ret = ferry_trigger_get(fd, &ctx);
	if (ret)
		return ret;

	if (irqs->active != VFIO_PCI_INTX_IRQ_INDEX) {
		ret = intx_enable(fdev, ctx);
		if (ret)
			ferry_trigger_retire(ctx);
		return ret;
	}
	ctx = rcu_replace_pointer(irqs->intx, ctx,
				  lockdep_is_held(&irqs->lock));
	ferry_trigger_retire(ctx);
	return 0;
}

static int intx_set_trigger(struct ferry_device *fdev,
			    const struct vfio_irq_set *hdr, const void *data)
{
	struct ferry_irqs *irqs = &fdev->irqs;
	bool active = irqs->active == VFIO_PCI_INTX_IRQ_INDEX;

	if (active && !hdr->count && (hdr->flags & VFIO_IRQ_SET_DATA_NONE)) {
		ferry_intx_stop(fdev);
		return 0;
	}
	if (!active && irqs->active != VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (hdr->start || hdr->count != 1)
		return -EINVAL;
	if (hdr->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		return intx_set_eventfd(fdev, *(const s32 *)data);
	if (!active)
		return -EINVAL;
	if ((hdr->flags & VFIO_IRQ_SET_DATA_BOOL) && !*(const u8 *)data)
		return 0;
	/* As from the device: not while the interrupt disable bit is set. */
	if (!READ_ONCE(irqs->intx_disabled))
		ferry_trigger_signal(&irqs->intx);
	return 0;
}

static int intx_set_unmask_eventfd(struct ferry_device *fdev, int fd)
{
	struct virqfd **unmask = &fdev->irqs.intx_unmask;

	if (fd >= 0)
		return vfio_virqfd_enable(fdev, intx_unmask_first,
					  intx_unmask_rest, NULL, unmask, fd);
	vfio_virqfd_disable(unmask);
	return 0;
}

static int intx_set_mask(struct ferry_device *fdev,
			 const struct vfio_irq_set *hdr, const void *data)
{
	bool mask = hdr->flags & VFIO_IRQ_SET_ACTION_MASK;

	if (fdev->irqs.active != VFIO_PCI_INTX_IRQ_INDEX || hdr->start ||
	    hdr->count != 1)
		return -EINVAL;

	if (hdr->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		if (mask)
			return -ENOTTY;
		return intx_set_unmask_eventfd(fdev, *(const s32 *)data);
	}
	if ((hdr->flags & VFIO_IRQ_SET_DATA_BOOL) && !*(const u8 *)data)
		return 0;

	if (mask)
		intx_mask(fdev);
	else if (intx_unmask(fdev))
		ferry_trigger_signal(&fdev->irqs.intx);
	return 0;
}

/**
 * ferry_intx_set - SET_IRQS of the INTx index
 * @fdev: the device
 * @hdr: the request, checked for shape
 * @data: its data, in kernel memory
 *
 * Context: process context, ferry_irqs.lock held.
 * Return: 0 or a negative errno.
 */
int ferry_intx_set(struct ferry_device *fdev, const struct vfio_irq_set *hdr,
		   const void *data)
{
	if (hdr->flags & VFIO_IRQ_SET_ACTION_TRIGGER)
		return intx_set_trigger(fdev, hdr, data);
	return intx_set_mask(fdev, hdr, data);
}
