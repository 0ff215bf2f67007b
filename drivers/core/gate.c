// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory gate, see include/ferry/gate.h. Nothing else in Ferry zaps a
 * mapping.
 */
#include <linux/export.h>
#include <linux/mm.h>

#include <ferry/device.h>

#include "compat/mapping.h"

/**
 * ferry_gate_init - start with a closed gate
 * @gate: the gate of a device that nobody has open
 */
void ferry_gate_init(struct ferry_gate *gate)
{
	init_rwsem(&gate->sem);
	gate->closed = BIT(FERRY_GATE_IDLE);
}

static int enter(struct ferry_device *fdev, unsigned long reasons)
{
	down_read(&fdev->gate.sem);
	if (likely(!(fdev->gate.closed & reasons)))
		return 0;
	up_read(&fdev->gate.sem);
	return -EIO;
}

/**
 * ferry_gate_enter - begin to touch device memory
 * @fdev: the device
 *
 * Context: process context; may sleep while a reset is under way. The caller
 * must not copy from or to user space until ferry_gate_leave().
 * Return: 0, or -EIO without the gate held if the memory isn't there now.
 */
int ferry_gate_enter(struct ferry_device *fdev)
{
	return enter(fdev, ~0UL);
}
EXPORT_SYMBOL_GPL(ferry_gate_enter);

/**
 * ferry_gate_enter_awake - ferry_gate_enter() for those who keep the device awake
 * @fdev: the device, which can't enter a low power state before
 *	ferry_gate_leave()
 *
 * Context: as ferry_gate_enter().
 * Return: as ferry_gate_enter().
 */
int ferry_gate_enter_awake(struct ferry_device *fdev)
{
	return enter(fdev, ~BIT(FERRY_GATE_LOW_POWER));
}
EXPORT_SYMBOL_GPL(ferry_gate_enter_awake);

/**
 * ferry_gate_try_enter - ferry_gate_enter() for those who can't wait
 * @fdev: the device
 *
 * Context: any but NMI.
 * Return: 0, -EIO without the gate held if the memory isn't there now, or
 * -EAGAIN if that can't be said without waiting.
 */
int ferry_gate_try_enter(struct ferry_device *fdev)
{
	if (!down_read_trylock(&fdev->gate.sem))
		return -EAGAIN;
	if (likely(!fdev->gate.closed))
		return 0;
	up_read(&fdev->gate.sem);
	return -EIO;
}
EXPORT_SYMBOL_GPL(ferry_gate_try_enter);

/**
 * ferry_gate_leave - the caller who has entered is done
 * @fdev: the device
 */
void ferry_gate_leave(struct ferry_device *fdev)
{
	up_read(&fdev->gate.sem);
}
EXPORT_SYMBOL_GPL(ferry_gate_leave);

/**
 * ferry_gate_lock_mapped - keep accessors out, but not mappings
 * @fdev: the device
 *
 * For work during which the memory stays where it is, like switching memory
 * decoding on for a moment: pages that are mapped already remain so.
 *
 * Context: process context. Taken after ferry_irqs.lock and
 * ferry_device.config_lock, before any lock of the memory management.
 */
void ferry_gate_lock_mapped(struct ferry_device *fdev)
{
	down_write(&fdev->gate.sem);
}
EXPORT_SYMBOL_GPL(ferry_gate_lock_mapped);

static void take_away(struct ferry_device *fdev)
{
	ferry_mapping_zap(&fdev->vdev, fdev->mapping,
			  FERRY_REGION_OFFSET(VFIO_PCI_BAR0_REGION_INDEX),
			  FERRY_REGION_OFFSET(VFIO_PCI_ROM_REGION_INDEX));
	if (fdev->ops->memory_gone)
		fdev->ops->memory_gone(fdev);
}

/**
 * ferry_gate_lock - take the device memory away from everybody
 * @fdev: the device
 *
 * On return no access is under way and nothing is mapped; accesses and page
 * faults wait for ferry_gate_unlock().
 *
 * Context: as ferry_gate_lock_mapped().
 */
void ferry_gate_lock(struct ferry_device *fdev)
{
	down_write(&fdev->gate.sem);
	take_away(fdev);
}
EXPORT_SYMBOL_GPL(ferry_gate_lock);

/**
 * ferry_gate_lock_in_set - ferry_gate_lock() for several devices at once
 * @fdev: one of them
 *
 * Context: as ferry_gate_lock(), the lock of the set that the devices are in
 * held: it keeps two callers from waiting for each other.
 */
void ferry_gate_lock_in_set(struct ferry_device *fdev)
{
	down_write_nest_lock(&fdev->gate.sem, &fdev->vdev.dev_set->lock);
	take_away(fdev);
}
EXPORT_SYMBOL_GPL(ferry_gate_lock_in_set);

/**
 * ferry_gate_unlock - end ferry_gate_lock() or ferry_gate_lock_mapped()
 * @fdev: the device
 */
void ferry_gate_unlock(struct ferry_device *fdev)
{
	if (!fdev->gate.closed && fdev->ops->memory_back)
		fdev->ops->memory_back(fdev);
	up_write(&fdev->gate.sem);
}
EXPORT_SYMBOL_GPL(ferry_gate_unlock);

/**
 * ferry_gate_zap - take the mappings of one region away
 * @fdev: the device
 * @index: the region, whose memory is about to be other memory
 *
 * Context: between ferry_gate_lock_mapped() and ferry_gate_unlock().
 */
void ferry_gate_zap(struct ferry_device *fdev, unsigned int index)
{
	lockdep_assert_held_write(&fdev->gate.sem);

	ferry_mapping_zap(&fdev->vdev, fdev->mapping,
			  FERRY_REGION_OFFSET(index),
			  FERRY_REGION_OFFSET(index + 1));
}
EXPORT_SYMBOL_GPL(ferry_gate_zap);

/**
 * ferry_gate_set - close or open the gate for one reason
 * @fdev: the device
 * @reason: the reason
 * @closed: whether the gate is to be closed for it
 *
 * Context: between ferry_gate_lock() and ferry_gate_unlock(); opening alone
 * is also right after ferry_gate_lock_mapped().
 */
void ferry_gate_set(struct ferry_device *fdev, enum ferry_gate_reason reason,
		    bool closed)
{
	unsigned long others = fdev->gate.closed & ~BIT(reason);

	lockdep_assert_held_write(&fdev->gate.sem);

	/* Some look at a bit of it without the gate. */
	WRITE_ONCE(fdev->gate.closed, others | (closed ? BIT(reason) : 0));
}
EXPORT_SYMBOL_GPL(ferry_gate_set);
