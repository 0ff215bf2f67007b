// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real MSI and MSI-X.
 *
 * The MSI-X table is device memory, and the interrupt core writes it whenever an
 * interrupt is requested or freed; so all of that happens with memory decoding on.
 */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/irq.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/msi.h>

#include "compat/compat.h"
#include "ferry_pci.h"

/* Tell the user's view of the MSI capability what is enabled, and remember it. */
static void msi_show(struct ferry_pci *fpci, unsigned int index,
		     unsigned int nvec)
{
	struct ferry_device *fdev = &fpci->fdev;
	u16 control = 0;

	if (index != VFIO_PCI_MSI_IRQ_INDEX)
		return;
	if (nvec)
		control = PCI_MSI_FLAGS_ENABLE |
			  FIELD_PREP(PCI_MSI_FLAGS_QSIZE, order_base_2(nvec));
	mutex_lock(&fdev->config_lock);
	fpci->msi_control = control;
	ferry_config_set_msi(&fdev->config, nvec);
	mutex_unlock(&fdev->config_lock);
}

/**
 * ferry_pci_msi_enable - allocate vectors
 * @fpci: the function
 * @index: VFIO_PCI_MSI_IRQ_INDEX or VFIO_PCI_MSIX_IRQ_INDEX
 * @nvec: how many
 *
 * Context: process context, ferry_irqs.lock held.
 * Return: 0, a negative errno, or how many could be had, with none allocated.
 */
int ferry_pci_msi_enable(struct ferry_pci *fpci, unsigned int index,
			 unsigned int nvec)
{
	struct pci_dev *pdev = fpci->pdev;
	bool msix = index == VFIO_PCI_MSIX_IRQ_INDEX;
	unsigned int want = nvec;
	bool off;
	int ret;

	/* What can't be added later has to be there from the start. */
	if (msix && !ferry_msix_can_grow(pdev))
		want = fpci->nr_irqs[index];

	off = ferry_pci_memory_begin(fpci);
	ret = pci_alloc_irq_vectors(pdev, 1, want,
				    msix ? PCI_IRQ_MSIX : PCI_IRQ_MSI);
	if (ret > 0 && ret < nvec)
		pci_free_irq_vectors(pdev);
	/* The PCI core has an opinion of INTx, too, and enables it if it frees vectors. */
	ferry_pci_command_update(fpci, 0, 0);
	ferry_pci_memory_end(fpci, off);
	if (ret < (int)nvec)
		return ret;

	msi_show(fpci, index, nvec);
	return 0;
}

/**
 * ferry_pci_msi_disable - free all vectors
 * @fpci: the function
 * @index: VFIO_PCI_MSI_IRQ_INDEX or VFIO_PCI_MSIX_IRQ_INDEX
 *
 * Context: process context, ferry_irqs.lock held.
 */
void ferry_pci_msi_disable(struct ferry_pci *fpci, unsigned int index)
{
	bool off;

	msi_show(fpci, index, 0);

	off = ferry_pci_memory_begin(fpci);
	pci_free_irq_vectors(fpci->pdev);
	/* The PCI core enables INTx again, which nobody would serve. */
	ferry_pci_command_update(fpci, 0, 0);
	ferry_pci_memory_end(fpci, off);
}

/**
 * ferry_pci_vector_request - request the interrupt of a vector
 * @fdev: the device
 * @vector: the vector
 *
 * Context: process context, ferry_irqs.lock held.
 * Return: 0 or a negative errno.
 */
int ferry_pci_vector_request(struct ferry_device *fdev,
			     struct ferry_vector *vector)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	struct pci_dev *pdev = fpci->pdev;
	bool msix = pdev->msix_enabled;
	bool off;
	int ret;

	snprintf(vector->name, sizeof(vector->name),
		 FERRY_PCI_IRQS "-msi%s[%u](%s)", msix ? "x" : "",
		 vector->index, pci_name(pdev));

	off = ferry_pci_memory_begin(fpci);
	ret = pci_irq_vector(pdev, vector->index);
	if (ret < 0 && msix && ferry_msix_can_grow(pdev))
		ret = ferry_msix_grow(pdev, vector->index);
	if (ret < 0)
		goto out;
	vector->irq = ret;
	vector->priv = irq_get_msi_desc(vector->irq);
	ret = request_irq(vector->irq, ferry_vector_interrupt, 0, vector->name,
			  vector);
	if (ret)
		vector->irq = 0;
out:
	ferry_pci_memory_end(fpci, off);
	return ret;
}

/**
 * ferry_pci_vector_release - free the interrupt of a vector
 * @fdev: the device
 * @vector: the vector
 *
 * Context: process context, ferry_irqs.lock held.
 */
void ferry_pci_vector_release(struct ferry_device *fdev,
			      struct ferry_vector *vector)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	bool off;

	off = ferry_pci_memory_begin(fpci);
	free_irq(vector->irq, vector);
	ferry_pci_memory_end(fpci, off);
}

/*
 * Is the vector's entry of the MSI-X table what the kernel has put there, and not
 * masked? The table may be read by aligned eight bytes (PCI 3.0, 6.8.2), and each
 * read waits for the device.
 */
static bool message_intact(struct ferry_pci *fpci, struct ferry_vector *vector)
{
	const struct msi_msg *msg = &((struct msi_desc *)vector->priv)->msg;
	u64 masked = (u64)PCI_MSIX_ENTRY_CTRL_MASKBIT << 32;
	void __iomem *entry;

	if (!fpci->msix_table)
		return false;
	entry = fpci->msix_table + vector->index * PCI_MSIX_ENTRY_SIZE;
	return readq(entry + PCI_MSIX_ENTRY_LOWER_ADDR) ==
	       ((u64)msg->address_hi << 32 | msg->address_lo) &&
	       (readq(entry + PCI_MSIX_ENTRY_DATA) & (masked | U32_MAX)) ==
	       msg->data;
}

/* A moment is longer than the kernel takes to change a message. */
#define MESSAGE_TRIES	3
#define MESSAGE_WAIT_US	20

/*
 * A reset that nobody told us of clears the MSI-X table, so the message is
 * written again. But if the difference is gone after a moment, the interrupt
 * was just being moved to another CPU, and writing would undo that.
 */
static void message_restore(struct ferry_pci *fpci, struct ferry_vector *vector)
{
	const unsigned long away = BIT(FERRY_GATE_POWER) |
				   BIT(FERRY_GATE_REMOVED);
	struct msi_msg msg;
	unsigned int tries;

	/* No table to look at. It is written on the way to D0, see ferry_pci_set_power(). */
	if (fpci->fdev.gate.closed & away)
		return;
	for (tries = 0; fpci->msix_table && tries < MESSAGE_TRIES; tries++) {
		if (message_intact(fpci, vector))
			return;
		usleep_range(MESSAGE_WAIT_US, 2 * MESSAGE_WAIT_US);
	}
	/* Then decoding has gone too. */
	ferry_pci_command_update(fpci, PCI_COMMAND_MEMORY, PCI_COMMAND_MEMORY);
	get_cached_msi_msg(vector->irq, &msg);
	pci_write_msi_msg(vector->irq, &msg);
}

/**
 * ferry_pci_vector_arm - the vector has got an eventfd
 * @fdev: the device
 * @vector: the vector
 *
 * MSI's message is in configuration space, out of the device's hands.
 *
 * Context: process context, ferry_irqs.lock held.
 */
void ferry_pci_vector_arm(struct ferry_device *fdev,
			  struct ferry_vector *vector)
{
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	bool intact, off;

	if (!fpci->pdev->msix_enabled)
		return;
	if (!ferry_gate_enter(fdev)) {
		intact = message_intact(fpci, vector);
		ferry_gate_leave(fdev);
		if (intact)
			return;
	}
	off = ferry_pci_memory_begin(fpci);
	message_restore(fpci, vector);
	ferry_pci_memory_end(fpci, off);
}

/**
 * ferry_pci_msix_count - how many MSI-X vectors the function has
 * @pdev: the function
 *
 * Return: the number, 0 if its table doesn't lie where it may.
 */
unsigned int ferry_pci_msix_count(struct pci_dev *pdev)
{
	int nvec = pci_msix_vec_count(pdev);
	unsigned int bar;
	u32 table;
	u64 end;

	if (nvec <= 0)
		return 0;
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);
	bar = table & PCI_MSIX_TABLE_BIR;
	/* What the device claims may lie just below 4 GiB. */
	end = (u64)(table & PCI_MSIX_TABLE_OFFSET) +
	      nvec * PCI_MSIX_ENTRY_SIZE;
	if (bar < PCI_STD_NUM_BARS &&
	    pci_resource_flags(pdev, bar) & IORESOURCE_MEM &&
	    end <= pci_resource_len(pdev, bar))
		return nvec;
	dev_err_ratelimited(&pdev->dev,
			    "MSI-X table of %d vectors at %#x doesn't lie within a memory BAR: offering no MSI-X\n",
			    nvec, table);
	return 0;
}
