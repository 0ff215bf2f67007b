// SPDX-License-Identifier: GPL-2.0-only
/*
 * The real command register (PCI 3.0, 6.2.2).
 *
 * Three parties write it: the user through the configuration space, the
 * interrupt handler, which masks INTx in it, and whoever needs memory decoding
 * for a moment. All of them read, modify and write, so all hold
 * ferry_irqs.intx_lock.
 */
#include "ferry_pci.h"

/* What the interrupt disable bit has to be now. */
static bool intx_quiet(struct ferry_pci *fpci)
{
	struct ferry_irqs *irqs = &fpci->fdev.irqs;

	lockdep_assert_held(&irqs->intx_lock);
	return !fpci->intx_live || irqs->intx_masked || irqs->intx_disabled;
}

/* Some devices send no messages either while the bit is set. */
static bool quiet_silences_msi(const struct pci_dev *pdev)
{
	return (pdev->msi_enabled || pdev->msix_enabled) &&
	       pdev->dev_flags & PCI_DEV_FLAGS_MSI_INTX_DISABLE_BUG;
}

/* Where BAR @i stands; the one after the last is the ROM's. */
static unsigned int bar_offset(unsigned int i)
{
	return i < PCI_STD_NUM_BARS ? PCI_BASE_ADDRESS_0 + 4 * i :
				      PCI_ROM_ADDRESS;
}

/**
 * ferry_pci_bars_remember - note what stands in the base address registers
 * @fpci: a function that is being opened
 */
void ferry_pci_bars_remember(struct ferry_pci *fpci)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fpci->bar_values); i++)
		pci_read_config_dword(fpci->pdev, bar_offset(i),
				      &fpci->bar_values[i]);
}

/*
 * Some devices can reset themselves by means that only their driver knows. Put
 * the BARs back before decoding is enabled with whatever they hold now.
 */
static void bars_restore(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;
	bool lost = false;
	unsigned int i;
	u32 value;

	/* A VF's BARs are in its PF. */
	if (pdev->is_virtfn)
		return;

	for (i = 0; i < PCI_STD_NUM_BARS && !lost; i++) {
		pci_read_config_dword(pdev, bar_offset(i), &value);
		lost = value != fpci->bar_values[i];
	}
	if (!lost)
		return;

	dev_info_ratelimited(&pdev->dev,
			     "has been reset by its user, restoring BARs\n");
	for (i = 0; i < ARRAY_SIZE(fpci->bar_values); i++)
		pci_write_config_dword(pdev, bar_offset(i),
				       fpci->bar_values[i]);
}

/**
 * ferry_pci_command_update - change the bits in @mask to those of @value
 * @fpci: the function
 * @mask: bits to change; the interrupt disable bit is never the caller's
 * @value: what to change them to
 *
 * A reset that nobody told us of clears the interrupt disable bit too, so it is
 * put where it belongs on the way.
 *
 * Context: process context; waits for a reset under way.
 */
void ferry_pci_command_update(struct ferry_pci *fpci, u16 mask, u16 value)
{
	struct ferry_irqs *irqs = &fpci->fdev.irqs;
	struct pci_dev *pdev = fpci->pdev;
	u16 old, new;

	mask &= ~PCI_COMMAND_INTX_DISABLE;

	pci_cfg_access_lock(pdev);
	spin_lock_irq(&irqs->intx_lock);
	pci_read_config_word(pdev, PCI_COMMAND, &old);
	new = (old & ~mask) | (value & mask);
	if (fpci->intx_maskable || fpci->intx_broken) {
		new &= ~PCI_COMMAND_INTX_DISABLE;
		if (intx_quiet(fpci) && !quiet_silences_msi(pdev))
			new |= PCI_COMMAND_INTX_DISABLE;
	}
	if (new & ~old & (PCI_COMMAND_MEMORY | PCI_COMMAND_IO))
		bars_restore(fpci);
	if (new != old)
		pci_write_config_word(pdev, PCI_COMMAND, new);
	spin_unlock_irq(&irqs->intx_lock);
	pci_cfg_access_unlock(pdev);
}

/**
 * ferry_pci_command_follow - make the command register again what its user has made of it
 * @fpci: an open function
 *
 * What the PCI core restores after a reset or sleep is as old as that, and somebody who
 * masked INTx meanwhile may have read the register before and written it after.
 *
 * Context: process context, the gate held by ferry_gate_lock(), so that nobody writes.
 */
void ferry_pci_command_follow(struct ferry_pci *fpci)
{
	u16 users = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	if (fpci->pdev->no_command_memory)
		users &= ~PCI_COMMAND_MEMORY;
	ferry_pci_command_update(fpci, users,
				 ferry_config_get16(&fpci->fdev.config,
						    PCI_COMMAND));
}

/**
 * ferry_pci_memory_begin - switch memory decoding on for a moment
 * @fpci: the function
 *
 * The kernel has to reach the MSI-X table and the ROM although the user may
 * have switched decoding off. Accessors wait until ferry_pci_memory_end();
 * what is mapped stays mapped, for a user who switched decoding off has
 * nothing mapped.
 *
 * Context: process context, takes the gate.
 * Return: whether it was off, for ferry_pci_memory_end().
 */
bool ferry_pci_memory_begin(struct ferry_pci *fpci)
{
	struct ferry_device *fdev = &fpci->fdev;
	bool off;

	ferry_gate_lock_mapped(fdev);
	off = fdev->gate.closed & BIT(FERRY_GATE_COMMAND);
	if (off)
		ferry_pci_command_update(fpci, PCI_COMMAND_MEMORY,
					 PCI_COMMAND_MEMORY);
	return off;
}

/**
 * ferry_pci_memory_end - undo ferry_pci_memory_begin()
 * @fpci: the function
 * @off: what it returned
 */
void ferry_pci_memory_end(struct ferry_pci *fpci, bool off)
{
	if (off)
		ferry_pci_command_update(fpci, PCI_COMMAND_MEMORY, 0);
	ferry_gate_unlock(&fpci->fdev);
}
