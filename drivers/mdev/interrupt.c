// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a model. There is no hardware: INTx is a level that the model
 * sets, and messages are in message.c.
 */
#include <linux/export.h>

#include "mdev.h"

static unsigned int count(struct ferry_device *fdev, unsigned int index)
{
	const struct ferry_model *model = to_instance(fdev)->model;

	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return model->intx;
	case VFIO_PCI_MSI_IRQ_INDEX:
		return model->msi;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return model->msix.vectors;
	default:
		return 0;
	}
}

static int enable(struct ferry_device *fdev, unsigned int index,
		  unsigned int nvec)
{
	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		ferry_intx_interrupt(fdev);
	else
		ferry_messages_enable(to_instance(fdev), nvec);
	return 0;
}

/*
 * Nothing is pending any more. But what an instance has taken over, and not begun to send,
 * may be a message even if its user has begun with INTx.
 */
static void disable(struct ferry_device *fdev, unsigned int index)
{
	struct ferry_instance *inst = to_instance(fdev);

	if (index != VFIO_PCI_INTX_IRQ_INDEX || !instance_stopped(inst))
		ferry_messages_forget(inst);
}

/* MSI has the vectors that were asked for when it was enabled (PCI 3.0, 6.8.1.3). */
static int vector_request(struct ferry_device *fdev, struct ferry_vector *vector)
{
	if (ferry_irq_active(fdev, VFIO_PCI_MSI_IRQ_INDEX) &&
	    vector->index >= to_instance(fdev)->messages.enabled)
		return -EINVAL;
	return 0;
}

static void vector_arm(struct ferry_device *fdev, struct ferry_vector *vector)
{
	ferry_messages_arm(to_instance(fdev), vector->index);
}

/* Vectors are made when they are asked for, whichever of them. */
static bool resizable(struct ferry_device *fdev)
{
	return true;
}

/* The core remembers that INTx is masked; the level does not change by it. */
static void intx_mask(struct ferry_device *fdev)
{
}

/*
 * Somebody was told of an interrupt where the instance was before, and may hold a guest's line
 * asserted until the guest is through with it, though the device has become silent meanwhile.
 * Who took the guest over doesn't know of it and would never deassert that line: he is told
 * once more. intx_lock is held.
 */
static bool still_to_tell(struct ferry_instance *inst)
{
	return test_bit(INSTANCE_TOLD, &inst->flags) &&
	       ferry_irq_active(&inst->fdev, VFIO_PCI_INTX_IRQ_INDEX) &&
	       test_and_clear_bit(INSTANCE_TOLD, &inst->flags);
}

/* Whether INTx fires, which nothing is in the way of any more; intx_lock is held. */
static bool intx_fires(struct ferry_device *fdev)
{
	struct ferry_instance *inst = to_instance(fdev);

	return !instance_stopped(inst) &&
	       (still_to_tell(inst) || instance_level(inst));
}

const struct ferry_irq_ops ferry_instance_irq_ops = {
	.count = count,
	.enable = enable,
	.disable = disable,
	.vector_request = vector_request,
	.vector_arm = vector_arm,
	.intx_mask = intx_mask,
	.intx_unmask = intx_fires,
	.intx_test_and_mask = intx_fires,
	.resizable = resizable,
};

/**
 * ferry_instance_set_level - assert or deassert the interrupt
 * @inst: the instance
 * @level: whether it has something to say
 *
 * INTx follows the level. With MSI or MSI-X enabled, vector 0 is sent when the level
 * rises; if it can't be sent before the level falls again, it isn't sent at all. Setting the
 * level that it has already does nothing, so a model may call this after every change of
 * its state.
 *
 * Context: any but NMI; the model serialises calls for one instance.
 */
void ferry_instance_set_level(struct ferry_instance *inst, bool level)
{
	if (level == instance_level(inst))
		return;
	if (!level) {
		ferry_messages_fall(inst);
		return;
	}

	/*
	 * ferry_intx_interrupt() takes intx_lock after the level is set, and
	 * unmasking reads the level under it: one of them sees the other.
	 */
	if (!ferry_messages_rise(inst))
		ferry_intx_interrupt(&inst->fdev);
}
EXPORT_SYMBOL_GPL(ferry_instance_set_level);
