// SPDX-License-Identifier: GPL-2.0-only
/*
 * ferry-vfio-pci, or vfio-pci for the drop-in: physical PCI functions for virtual
 * machines and user-space drivers.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/string.h>

#include "compat/compat.h"
#include "ferry_pci.h"

static char ids[1024] __initdata;
module_param_string(ids, ids, sizeof(ids), 0);
MODULE_PARM_DESC(ids, "Devices to bind at load time, separated by commas: vendor:device[:subvendor[:subdevice[:class[:class_mask]]]], all in hexadecimal");

static bool nointxmask;
module_param(nointxmask, bool, 0644);
MODULE_PARM_DESC(nointxmask, "Don't trust the interrupt disable bit of devices: each needs an INTx line of its own (for those bound from now on)");

static bool disable_idle_d3;
module_param(disable_idle_d3, bool, 0644);
MODULE_PARM_DESC(disable_idle_d3, "Keep devices that nobody uses in D0 instead of D3hot (for those bound from now on)");

static const struct ferry_device_ops ferry_pci_ops = {
	.irq = &ferry_pci_irq_ops,
	.info_caps = ferry_pci_info_caps,
	.memory_gone = ferry_pci_memory_gone,
	.memory_back = ferry_pci_memory_back,
	.reset = ferry_pci_reset,
	.ioctl = ferry_pci_ioctl,
	.feature = ferry_pci_feature,
};

static int ferry_pci_init(struct vfio_device *vdev)
{
	struct ferry_pci *fpci = to_ferry_pci(to_ferry_device(vdev));
	int ret;

	fpci->pdev = to_pci_dev(vdev->dev);
	ret = ferry_pci_dmabufs_init(fpci);
	if (ret)
		return ret;
	fpci->nointxmask = nointxmask;
	mutex_init(&fpci->ioeventfd_lock);
	INIT_LIST_HEAD(&fpci->ioeventfds);
	fpci->disable_idle_d3 = disable_idle_d3;
	ret = ferry_device_init(&fpci->fdev, &ferry_pci_ops);
	if (ret)
		mutex_destroy(&fpci->ioeventfd_lock);
	return ret;
}

static void ferry_pci_release(struct vfio_device *vdev)
{
	struct ferry_pci *fpci = to_ferry_pci(to_ferry_device(vdev));

	ferry_pci_sriov_release(fpci);
	ferry_pci_token_release(fpci);
	mutex_destroy(&fpci->ioeventfd_lock);
	ferry_device_release(&fpci->fdev);
}

/* For VFIO cores that bind a device without asking for its token. */
static int __maybe_unused
ferry_pci_bind_iommufd(struct vfio_device *vdev, struct iommufd_ctx *ictx,
		       u32 *id)
{
	int ret = ferry_pci_admit(vdev);

	return ret ? ret : ferry_vfio_physical_bind(vdev, ictx, id);
}

/* Only reads store to @buf. */
static ssize_t access_awake(struct vfio_device *vdev, char __user *buf,
			    size_t count, loff_t *ppos, bool write)
{
	struct ferry_pci *fpci = to_ferry_pci(to_ferry_device(vdev));
	ssize_t ret;

	ret = ferry_pci_runtime_get(fpci);
	if (ret)
		return ret;
	if (write)
		ret = ferry_device_write(vdev, buf, count, ppos);
	else
		ret = ferry_device_read(vdev, buf, count, ppos);
	ferry_pci_runtime_put(fpci);
	return ret;
}

static ssize_t ferry_pci_read(struct vfio_device *vdev, char __user *buf,
			      size_t count, loff_t *ppos)
{
	struct ferry_pci *fpci = to_ferry_pci(to_ferry_device(vdev));
	struct ferry_device *fdev = &fpci->fdev;
	u64 off = *ppos - FERRY_REGION_OFFSET(VFIO_PCI_CONFIG_REGION_INDEX);
	ssize_t ret;

	ferry_pci_touch(fpci);
	/* Of a function that sleeps its user may want to know that it was woken. */
	if (ferry_config_known(&fdev->config, off) &&
	    !ferry_pci_may_sleep(fpci)) {
		ret = ferry_device_peek(fdev, off, buf, count, ppos);
		if (ret)
			return ret;
	}
	return access_awake(vdev, buf, count, ppos, false);
}

static ssize_t ferry_pci_write(struct vfio_device *vdev, const char __user *buf,
			       size_t count, loff_t *ppos)
{
	ferry_pci_touch(to_ferry_pci(to_ferry_device(vdev)));
	return access_awake(vdev, (char __user *)buf, count, ppos, true);
}

static int ferry_pci_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	ferry_pci_touch(to_ferry_pci(to_ferry_device(vdev)));
	return ferry_device_mmap(vdev, vma);
}

static const struct vfio_device_ops ferry_pci_vfio_ops = {
	.name = FERRY_PCI_NAME,
	.init = ferry_pci_init,
	.release = ferry_pci_release,
	.open_device = ferry_pci_open,
	.close_device = ferry_pci_close,
	.read = ferry_pci_read,
	.write = ferry_pci_write,
	.ioctl = ferry_device_ioctl,
	FERRY_VFIO_REGION_INFO_OPS
	.mmap = ferry_pci_mmap,
	.request = ferry_device_request,
	.match = ferry_pci_match,
	FERRY_VFIO_TOKEN_OPS(ferry_pci_match_token)
	.device_feature = ferry_device_feature,
	FERRY_VFIO_PHYSICAL_OPS(ferry_pci_bind_iommufd)
};

/**
 * ferry_pci_is_ours - is this device bound to this driver?
 * @vdev: any device of VFIO's
 *
 * Return: whether it is the first member of a struct ferry_pci.
 */
bool ferry_pci_is_ours(struct vfio_device *vdev)
{
	return vdev->ops == &ferry_pci_vfio_ops;
}

/* What nobody can pass through, and how to change that. */
static int check_function(struct pci_dev *pdev)
{
	int vfs = pci_num_vf(pdev);

	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL) {
		pci_err(pdev, "is a bridge (header type %u): bind the devices behind it instead, and leave it to its own driver\n",
			pdev->hdr_type);
		return -EINVAL;
	}
	if (vfs) {
		pci_err(pdev, "has %d virtual functions enabled, which others may be using: write 0 to its sriov_numvfs first, or bind the virtual functions instead\n",
			vfs);
		return -EBUSY;
	}
	return 0;
}

static void explain_refusal(struct pci_dev *pdev, int error)
{
	const char *unsafe = IS_ENABLED(CONFIG_VFIO_NOIOMMU) ?
		", or trust its user entirely: vfio.enable_unsafe_noiommu_mode=1" : "";
	struct device *dev = &pdev->dev;

	if (!device_iommu_mapped(dev))
		pci_err(pdev, "is in no IOMMU group, so its DMA can't be confined: enable VT-d or AMD-Vi in the firmware and boot with intel_iommu=on or amd_iommu=on%s\n",
			unsafe);
	else if (error == -EINVAL &&
		 !device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		pci_err(pdev, "is behind an IOMMU that doesn't keep its DMA coherent with the caches, which VFIO requires: try another slot\n");
	else
		pci_err(pdev, "VFIO refuses it: %pe\n", ERR_PTR(error));
}

/*
 * Everything in an IOMMU group can reach everything else in it, so VFIO opens no
 * group with a device that the host uses. Say so before somebody tries.
 */
static int warn_of_neighbour(struct device *dev, void *data)
{
	struct pci_dev *pdev = data;
	struct pci_driver *driver;

	if (dev == &pdev->dev || !dev_is_pci(dev) || !device_trylock(dev))
		return 0;
	driver = to_pci_dev(dev)->driver;
	if (driver && !driver->driver_managed_dma)
		pci_warn(pdev, "can't be opened while %s, in the same IOMMU group, is driven by %s: unbind that, or bind it to %s too\n",
			 dev_name(dev), driver->name, FERRY_PCI_NAME);
	device_unlock(dev);
	return 0;
}

static void check_group(struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);

	if (!group)
		return;
	iommu_group_for_each_dev(group, pdev, warn_of_neighbour);
	iommu_group_put(group);
}

static int ferry_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct ferry_pci *fpci;
	int ret;

	ret = check_function(pdev);
	if (ret)
		return ret;
	if (ferry_pci_denied(pdev))
		return -EINVAL;

	fpci = vfio_alloc_device(ferry_pci, fdev.vdev, &pdev->dev,
				 &ferry_pci_vfio_ops);
	if (IS_ERR(fpci))
		return PTR_ERR(fpci);
	pci_set_drvdata(pdev, fpci);

	ferry_pci_token_init(fpci);
	ret = ferry_pci_sriov_link(fpci);
	if (ret)
		goto err_put;
	ret = ferry_pci_set_join(fpci);
	if (ret)
		goto err_put;
	ret = ferry_pci_vga_bind(pdev);
	if (ret)
		goto err_put;
	ferry_pci_runtime_init(fpci);
	ret = vfio_register_group_dev(&fpci->fdev.vdev);
	if (ret) {
		explain_refusal(pdev, ret);
		goto err_runtime;
	}
	ferry_device_debugfs_init(&fpci->fdev);
	ferry_pci_debugfs_init(fpci);
	check_group(pdev);
	return 0;

err_runtime:
	ferry_pci_runtime_exit(fpci);
	ferry_pci_vga_unbind(pdev);
err_put:
	vfio_put_device(&fpci->fdev.vdev);
	return ret;
}

static void ferry_pci_remove(struct pci_dev *pdev)
{
	struct ferry_pci *fpci = pci_get_drvdata(pdev);
	struct ferry_device *fdev = &fpci->fdev;

	ferry_pci_sriov_disable(fpci);
	/* Pulled out: whoever still has it open shall notice. */
	if (!pci_device_is_present(pdev)) {
		ferry_gate_lock(fdev);
		ferry_gate_set(fdev, FERRY_GATE_REMOVED, true);
		ferry_gate_unlock(fdev);
	}
	vfio_unregister_group_dev(&fdev->vdev);
	ferry_pci_debugfs_exit(fpci);
	ferry_device_debugfs_exit(fdev);
	ferry_pci_runtime_exit(fpci);
	ferry_pci_vga_unbind(pdev);
	vfio_put_device(&fdev->vdev);
}

/* The user decides what an error means to the device; the host goes on. */
static pci_ers_result_t ferry_pci_error_detected(struct pci_dev *pdev,
						 pci_channel_state_t state)
{
	struct ferry_pci *fpci = pci_get_drvdata(pdev);

	ferry_pci_touch(fpci);
	ferry_err_signal(&fpci->fdev);
	return PCI_ERS_RESULT_CAN_RECOVER;
}

static const struct pci_error_handlers ferry_pci_error_handlers = {
	.error_detected = ferry_pci_error_detected,
};

/* Any device, but only if its driver_override says so. */
static const struct pci_device_id ferry_pci_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ferry_pci_ids);

static struct pci_driver ferry_pci_driver = {
	.name = FERRY_PCI_NAME,
	.id_table = ferry_pci_ids,
	.probe = ferry_pci_probe,
	.remove = ferry_pci_remove,
	.sriov_configure = ferry_pci_sriov_configure,
	.err_handler = &ferry_pci_error_handlers,
	.driver.pm = &ferry_pci_pm_ops,
	.driver_managed_dma = true,
};

/**
 * ferry_pci_drives - is this function bound to this driver?
 * @pdev: any function
 *
 * Return: whether it is, or is about to be.
 */
bool ferry_pci_drives(struct pci_dev *pdev)
{
	return pdev->driver == &ferry_pci_driver;
}

/* One entry of the ids parameter. */
static void __init add_id(const char *text)
{
	unsigned int subvendor = PCI_ANY_ID, subdevice = PCI_ANY_ID;
	unsigned int vendor, device, class = 0, class_mask = 0;
	int ret = -EINVAL;

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &vendor, &device, &subvendor,
		   &subdevice, &class, &class_mask) >= 2)
		ret = pci_add_dynid(&ferry_pci_driver, vendor, device,
				    subvendor, subdevice, class, class_mask, 0);
	if (ret)
		pr_err("%s: ids: can't add \"%s\": %pe\n", FERRY_PCI_NAME, text,
		       ERR_PTR(ret));
}

static int __init ferry_pci_module_init(void)
{
	char *rest = ids;
	char *text;
	int ret;

	ret = ferry_pci_sriov_setup();
	if (ret)
		return ret;
	ferry_pci_debugfs_setup();
	ret = pci_register_driver(&ferry_pci_driver);
	if (ret)
		goto err_cleanup;
	while ((text = strsep(&rest, ",")))
		if (*text)
			add_id(text);
	return 0;

err_cleanup:
	ferry_pci_debugfs_cleanup();
	ferry_pci_sriov_cleanup();
	return ret;
}
module_init(ferry_pci_module_init);

static void __exit ferry_pci_module_exit(void)
{
	pci_unregister_driver(&ferry_pci_driver);
	ferry_pci_debugfs_cleanup();
	ferry_pci_sriov_cleanup();
}
module_exit(ferry_pci_module_exit);

MODULE_DESCRIPTION("Ferry: physical PCI functions for virtual machines and user-space drivers");
MODULE_AUTHOR("Ferry developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(FERRY_VERSION);
