// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real interrupts: INTx, MSI and MSI-X.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/minmax.h>
#include <linux/msi.h>

#include "compat/compat.h"
#include "ferry_pci.h"

static irqreturn_t intx_handler(int irq, void *data)
{
	return IRQ_RETVAL(ferry_intx_interrupt(data));
}

static irqreturn_t vector_handler(int irq, void *data)
{
	ferry_vector_signal(data);
	return IRQ_HANDLED;
}

/*
 * Masking. A function with a working interrupt disable bit is masked there and
 * can share its line; any other one has the line for itself and is masked at
 * the interrupt controller. Until the handler is requested, and once it is
 * going to be freed, neither is touched: the line may be somebody else's.
 */
static void intx_mask(struct ferry_device *fdev)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	if (!fpci->intx_live)
		return;
	if (fpci->intx_maskable)
		pci_intx(fpci->pdev, 0);
	else
		disable_irq_nosync(fpci->pdev->irq);
}

static bool intx_unmask(struct ferry_device *fdev)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	if (!fpci->intx_live)
		return false;
	if (fpci->intx_maskable)
		return !pci_check_and_unmask_intx(fpci->pdev);
	enable_irq(fpci->pdev->irq);
	return false;
}

static bool intx_test_and_mask(struct ferry_device *fdev)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	if (!fpci->intx_live)
		return false;
	if (fpci->intx_maskable)
		return pci_check_and_mask_intx(fpci->pdev);
	disable_irq_nosync(fpci->pdev->irq);
	return true;
}

static int intx_enable(struct ferry_pci *fpci)
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
	snprintf(fpci->intx_name, sizeof(fpci->intx_name), "ferry-intx(%s)",
		 pci_name(pdev));
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

static void intx_disable(struct ferry_pci *fpci)
{
	struct ferry_device *fdev = &fpci->fdev;
	struct pci_dev *pdev = fpci->pdev;

	spin_lock_irq(&fdev->irqs.intx_lock);
	if (fpci->intx_maskable)
		pci_intx(pdev, 0);
	fpci->intx_live = false;
	spin_unlock_irq(&fdev->irqs.intx_lock);

	free_irq(pdev->irq, fdev);
	if (!fpci->intx_maskable)
		irq_clear_status_flags(pdev->irq, IRQ_DISABLE_UNLAZY);
}

/* Tell the user's view of the MSI capability what is enabled. */
static void msi_show(struct ferry_pci *fpci, unsigned int index,
		     unsigned int nvec)
{
	struct ferry_device *fdev = &fpci->fdev;

	if (index != VFIO_PCI_MSI_IRQ_INDEX)
		return;
	mutex_lock(&fdev->config_lock);
	ferry_config_set_msi(&fdev->config, nvec);
	mutex_unlock(&fdev->config_lock);
}

static int msi_enable(struct ferry_pci *fpci, unsigned int index,
		      unsigned int nvec)
{
	struct pci_dev *pdev = fpci->pdev;
	bool msix = index == VFIO_PCI_MSIX_IRQ_INDEX;
	unsigned int want = nvec;
	u16 command;
	int ret;

	/* What can't be added later has to be there from the start. */
	if (msix && !ferry_msix_can_grow(pdev))
		want = fpci->nr_irqs[index];

	command = ferry_pci_memory_begin(fpci);
	ret = pci_alloc_irq_vectors(pdev, 1, want,
				    msix ? PCI_IRQ_MSIX : PCI_IRQ_MSI);
	if (ret > 0 && ret < nvec)
		pci_free_irq_vectors(pdev);
	ferry_pci_memory_end(fpci, command);
	if (ret < (int)nvec)
		return ret;

	msi_show(fpci, index, nvec);
	return 0;
}

static void msi_disable(struct ferry_pci *fpci, unsigned int index)
{
	u16 command;

	msi_show(fpci, index, 0);

	command = ferry_pci_memory_begin(fpci);
	pci_free_irq_vectors(fpci->pdev);
	/* The PCI core enables INTx again, which nobody would serve. */
	ferry_pci_command_update(fpci, 0, 0);
	ferry_pci_memory_end(fpci, command);
}

static int index_enable(struct ferry_device *fdev, unsigned int index,
			unsigned int nvec)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		return intx_enable(fpci);
	return msi_enable(fpci, index, nvec);
}

static void index_disable(struct ferry_device *fdev, unsigned int index)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	if (index == VFIO_PCI_INTX_IRQ_INDEX)
		intx_disable(fpci);
	else
		msi_disable(fpci, index);
}

/* Requesting and freeing an interrupt write into the MSI-X table. */
static int vector_request(struct ferry_device *fdev,
			  struct ferry_vector *vector)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	struct pci_dev *pdev = fpci->pdev;
	bool msix = pdev->msix_enabled;
	u16 command;
	int ret;

	snprintf(vector->name, sizeof(vector->name), "ferry-msi%s[%u](%s)",
		 msix ? "x" : "", vector->index, pci_name(pdev));

	command = ferry_pci_memory_begin(fpci);
	ret = pci_irq_vector(pdev, vector->index);
	if (ret < 0 && msix && ferry_msix_can_grow(pdev))
		ret = ferry_msix_grow(pdev, vector->index);
	if (ret < 0)
		goto out;
	vector->irq = ret;
	ret = request_irq(vector->irq, vector_handler, IRQF_NO_AUTOEN,
			  vector->name, vector);
	if (ret)
		vector->irq = 0;
out:
	ferry_pci_memory_end(fpci, command);
	return ret;
}

static void vector_release(struct ferry_device *fdev,
			   struct ferry_vector *vector)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	u16 command;

	command = ferry_pci_memory_begin(fpci);
	free_irq(vector->irq, vector);
	ferry_pci_memory_end(fpci, command);
}

/*
 * A reset that nobody told us of clears the MSI-X table. MSI's message is in
 * configuration space, out of the device's hands.
 */
static void vector_arm(struct ferry_device *fdev, struct ferry_vector *vector,
		       bool enable)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	struct msi_msg msg;
	u16 command;

	command = ferry_pci_memory_begin(fpci);
	if (fpci->pdev->msix_enabled) {
		get_cached_msi_msg(vector->irq, &msg);
		pci_write_msi_msg(vector->irq, &msg);
	}
	if (enable)
		enable_irq(vector->irq);
	ferry_pci_memory_end(fpci, command);
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
	.vector_request = vector_request,
	.vector_release = vector_release,
	.vector_arm = vector_arm,
	.intx_mask = intx_mask,
	.intx_unmask = intx_unmask,
	.intx_test_and_mask = intx_test_and_mask,
	.resizable = msix_resizable,
};

/* INTx that signals, but whose state the function doesn't report. */
static const struct pci_device_id intx_broken_ids[] = {
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

/* How many MSI-X vectors the table holds, if it lies where it may. */
static unsigned int msix_count(struct pci_dev *pdev)
{
	int nvec = pci_msix_vec_count(pdev);
	unsigned int bar;
	u32 table;

	if (nvec <= 0)
		return 0;
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);
	bar = table & PCI_MSIX_TABLE_BIR;
	if (bar < PCI_STD_NUM_BARS &&
	    pci_resource_flags(pdev, bar) & IORESOURCE_MEM &&
	    (table & PCI_MSIX_TABLE_OFFSET) + nvec * PCI_MSIX_ENTRY_SIZE <=
	    pci_resource_len(pdev, bar))
		return nvec;
	dev_err_ratelimited(&pdev->dev,
			    "MSI-X table of %d vectors at %#x doesn't lie within a memory BAR: offering no MSI-X\n",
			    nvec, table);
	return 0;
}

/**
 * ferry_pci_irqs_open - find out what interrupts the function has
 * @fpci: a function that is being opened
 */
void ferry_pci_irqs_open(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;

	fpci->intx_broken = pci_match_id(intx_broken_ids, pdev);
	fpci->intx_maskable = !fpci->intx_broken &&
			      pci_intx_mask_supported(pdev);

	fpci->nr_irqs[VFIO_PCI_INTX_IRQ_INDEX] =
		pdev->pin && pdev->irq && pdev->irq != IRQ_NOTCONNECTED &&
		!pdev->is_virtfn && !fpci->intx_broken;
	fpci->nr_irqs[VFIO_PCI_MSI_IRQ_INDEX] = max(pci_msi_vec_count(pdev), 0);
	fpci->nr_irqs[VFIO_PCI_MSIX_IRQ_INDEX] = msix_count(pdev);
	fpci->nr_irqs[VFIO_PCI_ERR_IRQ_INDEX] = pci_is_pcie(pdev);
	fpci->nr_irqs[VFIO_PCI_REQ_IRQ_INDEX] = 1;
}
