// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real INTx: a line, perhaps a shared one.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>

#include "ferry_pci.h"

/* INTx that signals, but whose state the function doesn't report. */
static const struct pci_device_id broken_ids[] = {
	/* Intel i40e: XL710, X710, XXV710 */
	{ PCI_VDEVICE(INTEL, 0x1572) },
	{ PCI_VDEVICE(INTEL, 0x1574) },
	{ PCI_VDEVICE(INTEL, 0x1580) },
	{ PCI_VDEVICE(INTEL, 0x1581) },
	{ PCI_VDEVICE(INTEL, 0x1583) },
	{ PCI_VDEVICE(INTEL, 0x1584) },
	{ PCI_VDEVICE(INTEL, 0x1585) },
	{ PCI_VDEVICE(INTEL, 0x1586) },
	{ PCI_VDEVICE(INTEL, 0x1587) },
	{ PCI_VDEVICE(INTEL, 0x1588) },
	{ PCI_VDEVICE(INTEL, 0x1589) },
	{ PCI_VDEVICE(INTEL, 0x158a) },
	{ PCI_VDEVICE(INTEL, 0x158b) },
	{ PCI_VDEVICE(INTEL, 0x37d0) },
	{ PCI_VDEVICE(INTEL, 0x37d1) },
	{ PCI_VDEVICE(INTEL, 0x37d2) },
	/* Intel X550 */
	{ PCI_VDEVICE(INTEL, 0x1563) },
	{ }
};

static irqreturn_t intx_handler(int irq, void *data)
{
	return IRQ_RETVAL(ferry_intx_interrupt(data));
}

/*
 * Masking. A function with a working interrupt disable bit is masked there and
 * can share its line; any other one has the line for itself and is masked at
 * the interrupt controller. Until the handler is requested, and once it is
 * going to be freed, neither is touched: the line may be somebody else's.
 */

/**
 * ferry_pci_intx_mask - stop the function or its line from interrupting
 * @fdev: the device
 *
 * Context: ferry_irqs.intx_lock held.
 */
void ferry_pci_intx_mask(struct ferry_device *fdev)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	if (!fpci->intx_live)
		return;
	if (fpci->intx_maskable)
		pci_intx(fpci->pdev, 0);
	else
		disable_irq_nosync(fpci->pdev->irq);
}

/**
 * ferry_pci_intx_unmask - let the function interrupt
 * @fdev: the device
 *
 * Context: ferry_irqs.intx_lock held.
 * Return: true, still masked, if an interrupt is pending.
 */
bool ferry_pci_intx_unmask(struct ferry_device *fdev)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	if (!fpci->intx_live)
		return false;
	if (fpci->intx_maskable)
		return !pci_check_and_unmask_intx(fpci->pdev);
	enable_irq(fpci->pdev->irq);
	return false;
}

/**
 * ferry_pci_intx_test_and_mask - is it this function that interrupts?
 * @fdev: the device
 *
 * Context: the interrupt handler, ferry_irqs.intx_lock held.
 * Return: true if it is; it is masked then.
 */
bool ferry_pci_intx_test_and_mask(struct ferry_device *fdev)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	if (!fpci->intx_live)
		return false;
	if (fpci->intx_maskable)
		return pci_check_and_mask_intx(fpci->pdev);
	disable_irq_nosync(fpci->pdev->irq);
	return true;
}

/**
 * ferry_pci_intx_enable - request the interrupt
 * @fpci: the function
 *
 * Context: process context, ferry_irqs.lock held.
 * Return: 0 or a negative errno.
 */
int ferry_pci_intx_enable(struct ferry_pci *fpci)
{
	struct ferry_device *fdev = &fpci->fdev;
	struct pci_dev *pdev = fpci->pdev;
	unsigned long flags = fpci->intx_maskable ? IRQF_SHARED :
						    IRQF_NO_AUTOEN;
	int ret;

	if (!fpci->nr_irqs[VFIO_PCI_INTX_IRQ_INDEX])
		return -ENODEV;

	/* A line masked at the controller stays down from the first moment. */
	if (!fpci->intx_maskable)
		irq_set_status_flags(pdev->irq, IRQ_DISABLE_UNLAZY);
	snprintf(fpci->intx_name, sizeof(fpci->intx_name),
		 FERRY_PCI_IRQS "-intx(%s)", pci_name(pdev));
	ret = request_irq(pdev->irq, intx_handler, flags, fpci->intx_name,
			  fdev);
	if (ret) {
		if (!fpci->intx_maskable)
			irq_clear_status_flags(pdev->irq, IRQ_DISABLE_UNLAZY);
		if (ret == -EBUSY)
			dev_err_ratelimited(&pdev->dev,
					    "INTx: irq %d has other users, and this device can't share it: see /proc/interrupts for them, or use MSI\n",
					    pdev->irq);
		return ret;
	}

	spin_lock_irq(&fdev->irqs.intx_lock);
	fpci->intx_live = true;
	if (!fdev->irqs.intx_disabled) {
		if (fpci->intx_maskable)
			pci_intx(pdev, 1);
		else
			enable_irq(pdev->irq);
	}
	spin_unlock_irq(&fdev->irqs.intx_lock);
	return 0;
}

/**
 * ferry_pci_intx_disable - free the interrupt
 * @fpci: the function
 *
 * Context: process context, ferry_irqs.lock held.
 */
void ferry_pci_intx_disable(struct ferry_pci *fpci)
{
	struct ferry_device *fdev = &fpci->fdev;
	struct pci_dev *pdev = fpci->pdev;

	spin_lock_irq(&fdev->irqs.intx_lock);
	/* Whatever comes until it is freed would be nobody's. */
	if (fpci->intx_maskable)
		pci_intx(pdev, 0);
	else
		disable_irq_nosync(pdev->irq);
	fpci->intx_live = false;
	spin_unlock_irq(&fdev->irqs.intx_lock);

	free_irq(pdev->irq, fdev);
	if (!fpci->intx_maskable)
		irq_clear_status_flags(pdev->irq, IRQ_DISABLE_UNLAZY);
}

/**
 * ferry_pci_intx_sleep - don't look for interrupts of a function that sleeps
 * @fpci: the function, still awake
 *
 * It can share its line with one that doesn't, and its registers may read as all
 * ones, an interrupt pending among them.
 *
 * Context: process context; the index that is enabled doesn't change until
 * ferry_pci_intx_wake().
 */
void ferry_pci_intx_sleep(struct ferry_pci *fpci)
{
	struct ferry_device *fdev = &fpci->fdev;

	if (!ferry_irq_active(fdev, VFIO_PCI_INTX_IRQ_INDEX))
		return;
	if (!fpci->intx_maskable) {
		disable_irq(fpci->pdev->irq);
		return;
	}
	spin_lock_irq(&fdev->irqs.intx_lock);
	fpci->intx_live = false;
	spin_unlock_irq(&fdev->irqs.intx_lock);
	ferry_pci_command_update(fpci, 0, 0);
}

/**
 * ferry_pci_intx_wake - undo ferry_pci_intx_sleep()
 * @fpci: the function, awake
 */
void ferry_pci_intx_wake(struct ferry_pci *fpci)
{
	struct ferry_device *fdev = &fpci->fdev;

	if (!ferry_irq_active(fdev, VFIO_PCI_INTX_IRQ_INDEX))
		return;
	if (!fpci->intx_maskable) {
		enable_irq(fpci->pdev->irq);
		return;
	}
	spin_lock_irq(&fdev->irqs.intx_lock);
	fpci->intx_live = true;
	spin_unlock_irq(&fdev->irqs.intx_lock);
	ferry_pci_command_update(fpci, 0, 0);
}

/**
 * ferry_pci_intx_open - find out whether the function has INTx, and what of it works
 * @fpci: a function that is being opened
 *
 * Return: how many interrupts it has: 0 or 1.
 */
unsigned int ferry_pci_intx_open(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;

	/* What is broken is how it is masked, in the function. */
	fpci->intx_broken = !fpci->nointxmask && pci_match_id(broken_ids, pdev);
	fpci->intx_maskable = !fpci->intx_broken && !fpci->nointxmask &&
			      pci_intx_mask_supported(pdev);
	return pdev->pin && pdev->irq && pdev->irq != IRQ_NOTCONNECTED &&
	       !pdev->is_virtfn && !fpci->intx_broken;
}
