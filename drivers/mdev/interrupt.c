// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a model. There is no hardware: INTx is a level that the model
 * sets, a message is an eventfd that is signalled.
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
	default:
		return 0;
	}
}

static int enable(struct ferry_device *fdev, unsigned int index,
		  unsigned int nvec)
{
	/* A level that rose before anybody listened is still there. */
	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		ferry_intx_interrupt(fdev);
	return 0;
}

static void disable(struct ferry_device *fdev, unsigned int index)
{
}

/* The core remembers that INTx is masked; the level does not change by it. */
static void intx_mask(struct ferry_device *fdev)
{
}

static bool intx_level(struct ferry_device *fdev)
{
	return instance_level(to_instance(fdev));
}

const struct ferry_irq_ops ferry_instance_irq_ops = {
	.count = count,
	.enable = enable,
	.disable = disable,
	.intx_mask = intx_mask,
	.intx_unmask = intx_level,
	.intx_test_and_mask = intx_level,
};

/**
 * ferry_instance_set_level - assert or deassert the interrupt
 * @inst: the instance
 * @level: whether it has something to say
 *
 * INTx follows the level. With MSI enabled, vector 0 is sent when the level
 * rises. Setting the level that it has already does nothing, so a model may
 * call this after every change of its state.
 *
 * Context: any but NMI; the model serialises calls for one instance.
 */
void ferry_instance_set_level(struct ferry_instance *inst, bool level)
{
	if (level == instance_level(inst))
		return;
	if (!level) {
		clear_bit(INSTANCE_LEVEL, &inst->flags);
		return;
	}

	/*
	 * ferry_intx_interrupt() takes intx_lock after the level is set, and
	 * unmasking reads the level under it: one of them sees the other.
	 */
	set_bit(INSTANCE_LEVEL, &inst->flags);
	if (ferry_irq_active(&inst->fdev, VFIO_PCI_MSI_IRQ_INDEX))
		ferry_irq_signal(&inst->fdev, 0);
	else
		ferry_intx_interrupt(&inst->fdev);
}
EXPORT_SYMBOL_GPL(ferry_instance_set_level);

/**
 * ferry_instance_raise - send a message
 * @inst: the instance
 * @vector: number of the MSI vector; nothing happens if it isn't enabled
 *
 * Context: any but NMI.
 */
void ferry_instance_raise(struct ferry_instance *inst, unsigned int vector)
{
	ferry_irq_signal(&inst->fdev, vector);
}
EXPORT_SYMBOL_GPL(ferry_instance_raise);
