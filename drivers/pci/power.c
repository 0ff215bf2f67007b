// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power states (PCI PM 1.2, 5).
 */
#include <linux/msi.h>

#include "core/trace.h"
#include "ferry_pci.h"

/* Does the function forget its configuration in D3hot (PCI PM 1.2, 3.2.4)? */
static bool forgets(struct pci_dev *pdev)
{
	u16 pmcsr = PCI_PM_CTRL_NO_SOFT_RESET;

	if (pdev->pm_cap)
		pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &pmcsr);
	return !(pmcsr & PCI_PM_CTRL_NO_SOFT_RESET);
}

static bool asleep(struct pci_dev *pdev)
{
	return pdev->current_state == PCI_D3hot ||
	       pdev->current_state == PCI_D3cold;
}

/*
 * What the PCI core wanted to write while the function couldn't take it. Of MSI that is the
 * message alone: the mask bits are the user's, and to disable MSI even for a moment loses
 * what the function would have sent.
 */
static void messages_follow(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;
	struct msi_msg msg;
	u16 control;

	if (pdev->msix_enabled) {
		ferry_pci_command_update(fpci, PCI_COMMAND_MEMORY,
					 PCI_COMMAND_MEMORY);
		pci_restore_msi_state(pdev);
	}
	if (pdev->msi_enabled) {
		get_cached_msi_msg(pdev->irq, &msg);
		pci_write_msi_msg(pdev->irq, &msg);
		pci_read_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS,
				     &control);
		pci_write_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS,
				      (control & ~FERRY_PCI_MSI_USERS) |
				      fpci->msi_control);
	}
}

/**
 * ferry_pci_state_follow - make the function what its user has made of it
 * @fpci: a function whose state the PCI core has restored, unless it can't be
 *	woken; a closed one is nobody's
 *
 * The PCI core doesn't write messages to a function that isn't in D0, nor to a
 * table that is restored while memory decoding is off, and it enables MSI
 * although its user may have disabled it. What the function itself says of that
 * may be what it has lost, in a reset that nobody told us of.
 *
 * Context: process context, the gate locked.
 */
void ferry_pci_state_follow(struct ferry_pci *fpci)
{
	if (!fpci->config_mem)
		return;
	/* It may not have come back, and who has slept has no mappings to lose. */
	ferry_gate_set(&fpci->fdev, FERRY_GATE_POWER, asleep(fpci->pdev));
	if (asleep(fpci->pdev))
		return;
	messages_follow(fpci);
	ferry_pci_command_follow(fpci);
}

/**
 * ferry_pci_set_power - enter a power state
 * @fpci: the function
 * @state: the state, PCI_D0 to PCI_D3hot; where the function can't enter it, it
 *	remains in the one that it is in, as the user can read. One that has
 *	virtual functions leaves D0 for none.
 *
 * A function that forgets its configuration on the way from D3hot to D0 gets it
 * back. The PCI core's own copy doesn't serve for that: a reset in between
 * overwrites it.
 *
 * Context: process context, the gate locked; by ferry_gate_lock() if @state is
 *	PCI_D3hot, in which the function has no memory.
 */
void ferry_pci_set_power(struct ferry_pci *fpci, pci_power_t state)
{
	struct ferry_device *fdev = &fpci->fdev;
	struct pci_dev *pdev = fpci->pdev;
	pci_power_t old = pdev->current_state;
	bool was_off = asleep(pdev);

	/* They have no power of their own (SR-IOV 1.1, 2.1.1 and 6). */
	if (state != PCI_D0 && fpci->has_vfs)
		return;

	if (!was_off && state == PCI_D3hot && forgets(pdev)) {
		pci_save_state(pdev);
		kfree(fpci->pm_state);
		fpci->pm_state = pci_store_saved_state(pdev);
		/* There would be no way back. */
		if (!fpci->pm_state)
			return;
	}

	pci_set_power_state(pdev, state);
	if (pdev->current_state != old || state != old)
		trace_ferry_power(fdev, (__force u32)old, (__force u32)state,
				  (__force u32)pdev->current_state);

	if (was_off && !asleep(pdev) && fpci->pm_state) {
		pci_load_and_free_saved_state(pdev, &fpci->pm_state);
		pci_restore_state(pdev);
	}
	if (old != PCI_D0 && pdev->current_state == PCI_D0)
		ferry_pci_state_follow(fpci);
	ferry_gate_set(fdev, FERRY_GATE_POWER, asleep(pdev));
}
