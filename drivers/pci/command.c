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
		if (intx_quiet(fpci))
			new |= PCI_COMMAND_INTX_DISABLE;
	}
	if (new != old)
		pci_write_config_word(pdev, PCI_COMMAND, new);
	spin_unlock_irq(&irqs->intx_lock);
	pci_cfg_access_unlock(pdev);
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
 * Return: for ferry_pci_memory_end().
 */
u16 ferry_pci_memory_begin(struct ferry_pci *fpci)
{
	u16 command;

	ferry_gate_lock_mapped(&fpci->fdev);
	pci_user_read_config_word(fpci->pdev, PCI_COMMAND, &command);
	if (!(command & PCI_COMMAND_MEMORY))
		ferry_pci_command_update(fpci, PCI_COMMAND_MEMORY,
					 PCI_COMMAND_MEMORY);
	return command;
}

/**
 * ferry_pci_memory_end - undo ferry_pci_memory_begin()
 * @fpci: the function
 * @command: what it returned
 */
void ferry_pci_memory_end(struct ferry_pci *fpci, u16 command)
{
	if (!(command & PCI_COMMAND_MEMORY))
		ferry_pci_command_update(fpci, PCI_COMMAND_MEMORY, 0);
	ferry_gate_unlock(&fpci->fdev);
}
