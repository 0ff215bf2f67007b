// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual functions: switching them on and off, and what ties them to their physical
 * function.
 */
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/pm_runtime.h>
#include <linux/string.h>

#include "compat/compat.h"
#include "ferry_pci.h"

static bool enable_sriov;
module_param(enable_sriov, bool, 0644);
MODULE_PARM_DESC(enable_sriov, "Let sriov_numvfs switch on virtual functions of a bound device, whose user has to provide for them");

/* Keep the function in D0, or let it sleep again; its user sees what became of it. */
static void keep_awake(struct ferry_pci *fpci, bool awake)
{
	struct ferry_device *fdev = &fpci->fdev;

	ferry_pci_touch(fpci);
	mutex_lock(&fdev->config_lock);
	ferry_gate_lock_mapped(fdev);
	if (awake)
		ferry_pci_set_power(fpci, PCI_D0);
	fpci->has_vfs = awake;
	ferry_gate_unlock(fdev);
	if (fpci->config_mem)
		ferry_config_refresh(&fdev->config);
	mutex_unlock(&fdev->config_lock);
}

static int vfs_enable(struct ferry_pci *fpci, int count)
{
	struct pci_dev *pdev = fpci->pdev;
	int ret;

	if (pci_num_vf(pdev))
		return -EINVAL;
	/*
	 * A virtual function is never in a higher power state than its physical one
	 * (SR-IOV 1.1, 6), which therefore has to be in D0, and to stay there.
	 */
	ret = pm_runtime_resume_and_get(&pdev->dev);
	if (ret)
		return ret;
	keep_awake(fpci, true);
	ret = pci_enable_sriov(pdev, count);
	if (!ret)
		return count;

	keep_awake(fpci, false);
	pm_runtime_put(&pdev->dev);
	return ret;
}

/**
 * ferry_pci_sriov_disable - remove the virtual functions
 * @fpci: a function that may have some
 *
 * Their users are asked to let them go, and waited for.
 *
 * Context: process context, the device lock held.
 */
void ferry_pci_sriov_disable(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;

	device_lock_assert(&pdev->dev);

	if (!pci_num_vf(pdev))
		return;
	pci_disable_sriov(pdev);
	keep_awake(fpci, false);
	pm_runtime_put(&pdev->dev);
}

/**
 * ferry_pci_sriov_configure - pci_driver.sriov_configure
 * @pdev: the physical function
 * @count: how many virtual functions there shall be
 *
 * Context: process context, the device lock held.
 * Return: @count, -ENOENT if the administrator hasn't allowed it, -EINVAL if there are
 * virtual functions already, or another negative errno.
 */
int ferry_pci_sriov_configure(struct pci_dev *pdev, int count)
{
	struct ferry_pci *fpci = pci_get_drvdata(pdev);

	device_lock_assert(&pdev->dev);

	/* Who switched them on may switch them off, whatever was set meanwhile. */
	if (!count && pci_num_vf(pdev)) {
		ferry_pci_sriov_disable(fpci);
		return 0;
	}
	if (!enable_sriov) {
		pci_err(pdev, "may not have virtual functions: write Y to the parameter enable_sriov of %s if its user provides for them\n",
			FERRY_PCI_NAME);
		return -ENOENT;
	}
	return count ? vfs_enable(fpci, count) : 0;
}

/* The PF of a VF, as far as it is driven by VFIO at all. */
struct pf_search {
	struct ferry_pci *pf;
	bool foreign;
};

/*
 * Whatever driver registers a device with VFIO, it gets a child of VFIO's class. If
 * its operations are ours it is one of ours, and stays as long as the VF exists.
 */
static int find_pf(struct device *dev, void *data)
{
	struct pf_search *search = data;
	struct vfio_device *vdev;

	if (!dev->class || strcmp(dev->class->name, "vfio-dev"))
		return 0;
	vdev = container_of(dev, struct vfio_device, device);
	search->foreign = !ferry_pci_is_ours(vdev);
	if (!search->foreign) {
		get_device(dev);
		search->pf = to_ferry_pci(to_ferry_device(vdev));
	}
	return 1;
}

/**
 * ferry_pci_sriov_link - find the physical function of a virtual one
 * @fpci: a function that is about to be registered
 *
 * Tokens are known within one driver only. With the physical function at another VFIO
 * driver nobody would ask for one, so that is refused.
 *
 * Context: probe.
 * Return: 0 or -EBUSY.
 */
int ferry_pci_sriov_link(struct ferry_pci *fpci)
{
	struct pf_search search = {};
	struct pci_dev *physfn;

	if (!fpci->pdev->is_virtfn)
		return 0;
	physfn = pci_physfn(fpci->pdev);
	device_for_each_child(&physfn->dev, &search, find_pf);
	if (search.foreign) {
		pci_err(fpci->pdev, "its physical function %s is bound to %s, which can't share VF tokens with %s: bind both to the same driver\n",
			pci_name(physfn), dev_driver_string(&physfn->dev),
			FERRY_PCI_NAME);
		return -EBUSY;
	}
	fpci->pf = search.pf;
	return 0;
}

/**
 * ferry_pci_sriov_release - undo ferry_pci_sriov_link()
 * @fpci: a function that is about to be freed
 */
void ferry_pci_sriov_release(struct ferry_pci *fpci)
{
	if (fpci->pf)
		vfio_put_device(&fpci->pf->fdev.vdev);
}

/*
 * A driver of the host would take the virtual functions of our physical ones, whose
 * user it had to trust: they are for us, unless somebody insists.
 */
static void capture(struct pci_dev *pdev)
{
	int ret = ferry_set_driver_override(pdev, FERRY_PCI_NAME);

	if (ret)
		pci_err(pdev, "can't be kept from the drivers of the host: %pe\n",
			ERR_PTR(ret));
}

static void warn_of_driver(struct pci_dev *pdev, struct pci_dev *physfn)
{
	if (pci_dev_driver(pdev) != pci_dev_driver(physfn))
		pci_warn(pdev, "is driven by %s while a user drives its physical function %s, which it has to trust: bind it to %s\n",
			 dev_driver_string(&pdev->dev), pci_name(physfn),
			 FERRY_PCI_NAME);
}

static int on_bus_event(struct notifier_block *nb, unsigned long action,
			void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);
	struct pci_dev *physfn = pci_physfn(pdev);

	if (!pdev->is_virtfn || !ferry_pci_drives(physfn))
		return NOTIFY_DONE;
	if (action == BUS_NOTIFY_ADD_DEVICE)
		capture(pdev);
	else if (action == BUS_NOTIFY_BOUND_DRIVER)
		warn_of_driver(pdev, physfn);
	return NOTIFY_DONE;
}

static struct notifier_block bus_notifier = {
	.notifier_call = on_bus_event,
};

/**
 * ferry_pci_sriov_setup - watch out for virtual functions
 *
 * Return: 0 or a negative errno.
 */
int __init ferry_pci_sriov_setup(void)
{
	return bus_register_notifier(&pci_bus_type, &bus_notifier);
}

/**
 * ferry_pci_sriov_cleanup - undo ferry_pci_sriov_setup()
 */
void ferry_pci_sriov_cleanup(void)
{
	bus_unregister_notifier(&pci_bus_type, &bus_notifier);
}
