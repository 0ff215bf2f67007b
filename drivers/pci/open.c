// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first open of a function, and its last close.
 */
#include <linux/slab.h>

#include "core/trace.h"
#include "ferry_pci.h"

/* Remember the function as it is, to give it back that way. */
static int state_save(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;

	pci_save_state(pdev);
	fpci->saved_state = pci_store_saved_state(pdev);
	return fpci->saved_state ? 0 : -ENOMEM;
}

/**
 * ferry_pci_open - vfio_device_ops.open_device
 * @vdev: the device
 *
 * Context: process context, the device set's lock held.
 * Return: 0, -EAGAIN if the function can't be reset right now because somebody
 * holds its lock, or another negative errno.
 */
int ferry_pci_open(struct vfio_device *vdev)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	struct ferry_pci *fpci = to_ferry_pci(fdev);
	struct pci_dev *pdev = fpci->pdev;
	int ret;

	ret = ferry_pci_runtime_open(fpci);
	if (ret)
		return ret;
	/* The state that we give back shall not include bus mastering. */
	pci_clear_master(pdev);
	ret = pci_enable_device(pdev);
	if (ret)
		goto err_sleep;

	ret = ferry_pci_reset_function(pdev);
	trace_ferry_reset(fdev, FERRY_RESET_OPEN, ret);
	if (ret == -EAGAIN)
		goto err_disable;
	fdev->can_reset = !ret;
	fpci->touched = !fdev->can_reset;
	if (fdev->can_reset)
		fpci->used = false;
	if (ret)
		dev_warn_ratelimited(&pdev->dev,
				     "can't be reset (%pe), what one user leaves behind the next one finds: look at its reset_method in sysfs\n",
				     ERR_PTR(ret));

	ret = state_save(fpci);
	if (ret)
		goto err_disable;

	ferry_pci_irqs_open(fpci);
	ret = ferry_pci_config_open(fpci);
	if (ret)
		goto err_restore;
	/* It may be one that can't be woken. */
	ferry_gate_lock_mapped(fdev);
	ferry_pci_set_power(fpci, PCI_D0);
	ferry_gate_unlock(fdev);
	/* The user's view begins with INTx enabled, but nobody serves it yet. */
	ferry_pci_command_update(fpci, 0, 0);
	ret = ferry_pci_bars_open(fpci);
	if (ret)
		goto err_config;
	ferry_pci_rom_open(fpci);
	ferry_pci_vga_open(fpci);
	ferry_device_start(fdev);
	ferry_pci_token_get(fpci);
	return 0;

err_config:
	ferry_pci_config_close(fpci);
err_restore:
	pci_load_and_free_saved_state(pdev, &fpci->saved_state);
	pci_restore_state(pdev);
err_disable:
	pci_disable_device(pdev);
err_sleep:
	ferry_pci_runtime_close(fpci);
	return ret;
}

/**
 * ferry_pci_close - vfio_device_ops.close_device
 * @vdev: the device
 *
 * Context: process context, the device set's lock held.
 */
void ferry_pci_close(struct vfio_device *vdev)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	struct ferry_pci *fpci = to_ferry_pci(fdev);

	ferry_pci_token_put(fpci);
	ferry_pci_low_power_end(fpci);
	ferry_gate_lock(fdev);
	ferry_pci_set_power(fpci, PCI_D0);
	ferry_gate_unlock(fdev);
	kfree(fpci->pm_state);
	fpci->pm_state = NULL;

	/* No more DMA, then no more interrupts. */
	ferry_pci_command_update(fpci, PCI_COMMAND_MASTER, 0);
	ferry_pci_ioeventfds_stop(fpci);
	ferry_device_stop(fdev);
	ferry_pci_dmabufs_close(fpci);

	ferry_pci_vga_close(fpci);
	ferry_pci_rom_close(fpci);
	ferry_pci_bars_close(fpci);
	ferry_pci_config_close(fpci);
	ferry_pci_reset_at_close(fpci);
	pci_disable_device(fpci->pdev);
	ferry_pci_set_closed(fpci);
	ferry_pci_runtime_close(fpci);
}
