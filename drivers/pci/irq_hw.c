// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real interrupts of all kinds, as the core wants to see them.
 */
#include <linux/minmax.h>

#include "ferry_pci.h"

static int index_enable(struct ferry_device *fdev, unsigned int index,
			unsigned int nvec)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	ferry_pci_touch(fpci);
	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		return ferry_pci_intx_enable(fpci);
	return ferry_pci_msi_enable(fpci, index, nvec);
}

static void index_disable(struct ferry_device *fdev, unsigned int index)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		ferry_pci_intx_disable(fpci);
	else
		ferry_pci_msi_disable(fpci, index);
}

static unsigned int index_count(struct ferry_device *fdev, unsigned int index)
{
	return to_ferry_pci(fdev)->nr_irqs[index];
}

/* Either it can grow, or it has had all its vectors from the start. */
static bool msix_resizable(struct ferry_device *fdev)
{
	return true;
}

const struct ferry_irq_ops ferry_pci_irq_ops = {
	.count = index_count,
	.enable = index_enable,
	.disable = index_disable,
	.vector_request = ferry_pci_vector_request,
	.vector_release = ferry_pci_vector_release,
	.vector_arm = ferry_pci_vector_arm,
	.intx_mask = ferry_pci_intx_mask,
	.intx_unmask = ferry_pci_intx_unmask,
	.intx_test_and_mask = ferry_pci_intx_test_and_mask,
	.resizable = msix_resizable,
};

/**
 * ferry_pci_irqs_open - find out what interrupts the function has
 * @fpci: a function that is being opened
 */
void ferry_pci_irqs_open(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;
	u16 *nr = fpci->nr_irqs;

	nr[VFIO_PCI_INTX_IRQ_INDEX] = ferry_pci_intx_open(fpci);
	nr[VFIO_PCI_MSI_IRQ_INDEX] = max(pci_msi_vec_count(pdev), 0);
	nr[VFIO_PCI_MSIX_IRQ_INDEX] = ferry_pci_msix_count(pdev);
	nr[VFIO_PCI_ERR_IRQ_INDEX] = 1;
	nr[VFIO_PCI_REQ_IRQ_INDEX] = 1;
}
