// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets of one function.
 */
#include <linux/delay.h>

#include "core/trace.h"
#include "ferry_pci.h"

/*
 * A function that can't be reset by itself is reset by way of the bridge above
 * it, so that is locked too; a virtual function that has the reset of its own that
 * all must have (FLR, PCIe 6.0 section 9.2.2.2) is not, lest its many siblings
 * wait for each other. A neighbour below the same bridge may be in its reset now:
 * that takes a moment. Longer waiting won't do, because somebody who holds the bridge
 * can be waiting for us.
 */
#define BRIDGE_TRIES	25
#define BRIDGE_WAIT_MS	20

static struct pci_dev *bridge_to_lock(struct pci_dev *pdev)
{
	if (pdev->is_virtfn && pdev->devcap & PCI_EXP_DEVCAP_FLR)
		return NULL;
	return pci_upstream_bridge(pdev);
}

static int bridge_lock(struct pci_dev *pdev)
{
	struct pci_dev *bridge = bridge_to_lock(pdev);
	unsigned int tries;

	if (!bridge)
		return 0;
	for (tries = 1; !pci_dev_trylock(bridge); tries++) {
		if (tries == BRIDGE_TRIES)
			return -EAGAIN;
		msleep(BRIDGE_WAIT_MS);
	}
	return 0;
}

static void bridge_unlock(struct pci_dev *pdev)
{
	struct pci_dev *bridge = bridge_to_lock(pdev);

	if (bridge)
		pci_dev_unlock(bridge);
}

/* Locks are only tried, and the bridge's by nobody but us: @reset must not lock it. */
static int reset_with_locks(struct pci_dev *pdev,
			    int (*reset)(struct pci_dev *pdev))
{
	int ret;

	ret = bridge_lock(pdev);
	if (ret)
		return ret;
	ret = -EAGAIN;
	if (pci_dev_trylock(pdev)) {
		ret = reset(pdev);
		pci_dev_unlock(pdev);
	}
	bridge_unlock(pdev);
	return ret;
}

/**
 * ferry_pci_reset_function - reset the function, nothing around it
 * @pdev: the function, in D0
 *
 * Context: process context.
 * Return: 0, -EAGAIN if somebody else holds the lock of the device or the
 * bridge (try again), or another negative errno if it has no way to be reset.
 */
int ferry_pci_reset_function(struct pci_dev *pdev)
{
	return reset_with_locks(pdev, pci_reset_function_locked);
}

/**
 * ferry_pci_reset_done - come to terms with a reset
 * @fpci: the function, whether open or not
 * @ret: what came of it, 0 or a negative errno
 *
 * Context: ferry_device.config_lock held, the gate held by ferry_gate_lock().
 */
void ferry_pci_reset_done(struct ferry_pci *fpci, int ret)
{
	struct ferry_device *fdev = &fpci->fdev;

	lockdep_assert_held(&fdev->config_lock);

	if (!fpci->config_mem)
		return;
	ferry_pci_state_follow(fpci);
	if (!ret)
		ferry_vectors_forget(fdev);
	ferry_config_refresh(&fdev->config);
}

/**
 * ferry_pci_reset_locked - reset the function; its user's settings survive
 * @fpci: the function
 *
 * Out of low power first: a function in D3hot can't be reset by way of its
 * power state, and one that forgets its configuration there would have
 * nothing worth saving around the reset.
 *
 * Context: process context, ferry_device.config_lock held; takes the gate.
 * Return: as ferry_pci_reset_function().
 */
int ferry_pci_reset_locked(struct ferry_pci *fpci)
{
	struct ferry_device *fdev = &fpci->fdev;
	int ret;

	lockdep_assert_held(&fdev->config_lock);

	ferry_gate_lock(fdev);
	ferry_pci_set_power(fpci, PCI_D0);
	ret = ferry_pci_reset_function(fpci->pdev);
	trace_ferry_reset(fdev, FERRY_RESET_USER, ret);
	ferry_pci_reset_done(fpci, ret);
	ferry_gate_unlock(fdev);
	return ret;
}

/**
 * ferry_pci_reset - VFIO_DEVICE_RESET
 * @fdev: the device
 *
 * Context: process context.
 * Return: as ferry_pci_reset_locked().
 */
int ferry_pci_reset(struct ferry_device *fdev)
{
	int ret;

	ferry_pci_touch(to_ferry_pci(fdev));
	mutex_lock(&fdev->config_lock);
	ret = ferry_pci_reset_locked(to_ferry_pci(fdev));
	mutex_unlock(&fdev->config_lock);
	return ret;
}

/* Reset a function that nobody uses. Returns 0 or a negative errno. */
static int reset_closed(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;

	/* No interrupts from a function in the middle of a reset. */
	pci_write_config_word(pdev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);

	if (!fpci->fdev.can_reset)
		return -ENOTTY;
	return reset_with_locks(pdev, __pci_reset_function_locked);
}

/**
 * ferry_pci_reset_at_close - give the function back as it was found
 * @fpci: a function that nobody uses any more
 *
 * What was saved at open is loaded first and restored last, so the resetting in
 * between must not save anything itself: hence __pci_reset_function_locked().
 * The locks are only tried, because whoever removes the device holds them while
 * waiting for us.
 *
 * A function that its user has not touched is as the reset at open has left it,
 * and needs no other. That one is never left out: what happens to a function
 * that is closed, by root's hands or by sleep, nobody tells us.
 *
 * Context: process context.
 */
void ferry_pci_reset_at_close(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;
	int ret;

	pci_load_and_free_saved_state(pdev, &fpci->saved_state);
	if (READ_ONCE(fpci->touched) || fpci->has_vfs) {
		ret = reset_closed(fpci);
		trace_ferry_reset(&fpci->fdev, FERRY_RESET_CLOSE, ret);
		fpci->used = ret;
	}
	pci_restore_state(pdev);
}
