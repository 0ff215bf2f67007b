// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runtime power management: a function that nobody uses sleeps, and so does one
 * whose user says that it may (VFIO_DEVICE_FEATURE_LOW_POWER_*).
 *
 * The PCI core does the work, and decides by a count of reasons to be awake. A
 * bound function has one such reason unless it may idle; an open one has one
 * until its user gives it up; each access and each ioctl is one while it lasts.
 */
#include <linux/eventfd.h>
#include <linux/pm_runtime.h>
#include <linux/uaccess.h>

#include "compat/compat.h"
#include "ferry_pci.h"

/**
 * ferry_pci_runtime_init - let the function sleep until somebody opens it
 * @fpci: a function that is about to be registered
 *
 * Context: probe; the function has a usage count from the PCI core.
 */
void ferry_pci_runtime_init(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;

	/* From the state that the last driver left, only D0 can be entered. */
	pci_set_power_state(pdev, PCI_D0);
	pm_runtime_allow(&pdev->dev);
	if (!fpci->disable_idle_d3)
		pm_runtime_put(&pdev->dev);
}

/**
 * ferry_pci_runtime_exit - undo ferry_pci_runtime_init()
 * @fpci: a function that nobody can open any more; it is awake on return
 */
void ferry_pci_runtime_exit(struct ferry_pci *fpci)
{
	struct device *dev = &fpci->pdev->dev;

	if (!fpci->disable_idle_d3)
		pm_runtime_get_noresume(dev);
	pm_runtime_forbid(dev);
}

/**
 * ferry_pci_runtime_open - wake the function for a user
 * @fpci: a function that is being opened
 *
 * Return: 0 or a negative errno.
 */
int ferry_pci_runtime_open(struct ferry_pci *fpci)
{
	if (fpci->disable_idle_d3)
		return 0;
	return pm_runtime_resume_and_get(&fpci->pdev->dev);
}

/**
 * ferry_pci_runtime_close - undo ferry_pci_runtime_open()
 * @fpci: a function that has been closed, and is in D0
 */
void ferry_pci_runtime_close(struct ferry_pci *fpci)
{
	if (!fpci->disable_idle_d3)
		pm_runtime_put(&fpci->pdev->dev);
}

/**
 * ferry_pci_runtime_get - wake the function for an access
 * @fpci: an open function
 *
 * Almost always its user keeps it awake, and this costs no more than one
 * increment.
 *
 * Context: process context without any lock.
 * Return: 0, to be followed by ferry_pci_runtime_put(), or -EIO.
 */
int ferry_pci_runtime_get(struct ferry_pci *fpci)
{
	struct device *dev = &fpci->pdev->dev;
	int ret;

	pm_runtime_get_noresume(dev);
	/*
	 * Pairs with the barrier in enter(): whoever finds that the function
	 * may not sleep yet has incremented before enter() decrements, and
	 * the count never gets to zero in between.
	 */
	smp_mb__after_atomic();
	if (likely(!ferry_pci_may_sleep(fpci)))
		return 0;

	ret = pm_runtime_resume(dev);
	if (ret >= 0)
		return 0;
	dev_err_ratelimited(dev, "can't be woken up: %pe\n", ERR_PTR(ret));
	pm_runtime_put_noidle(dev);
	return -EIO;
}

/**
 * ferry_pci_runtime_put - the access is over
 * @fpci: the function
 */
void ferry_pci_runtime_put(struct ferry_pci *fpci)
{
	pm_runtime_put(&fpci->pdev->dev);
}

/* Takes over @wakeup, unless it fails. */
static int enter(struct ferry_pci *fpci, struct eventfd_ctx *wakeup)
{
	struct ferry_device *fdev = &fpci->fdev;
	int ret = -EINVAL;

	ferry_gate_lock(fdev);
	if (!ferry_pci_may_sleep(fpci)) {
		ferry_gate_set(fdev, FERRY_GATE_LOW_POWER, true);
		fpci->wakeup = wakeup;
		/* Pairs with the barrier in ferry_pci_runtime_get(). */
		smp_mb__before_atomic();
		/* It falls asleep when VFIO puts the count of this ioctl. */
		pm_runtime_put_noidle(&fpci->pdev->dev);
		ret = 0;
	}
	ferry_gate_unlock(fdev);
	return ret;
}

/* The function is awake, and stays so. */
static void leave(struct ferry_pci *fpci)
{
	struct ferry_device *fdev = &fpci->fdev;

	lockdep_assert_held_write(&fdev->gate.sem);

	if (!ferry_pci_may_sleep(fpci))
		return;
	pm_runtime_get_noresume(&fpci->pdev->dev);
	/* Whoever sees the gate without this reason relies on that count. */
	smp_mb__after_atomic();
	ferry_gate_set(fdev, FERRY_GATE_LOW_POWER, false);
	if (fpci->wakeup)
		eventfd_ctx_put(fpci->wakeup);
	fpci->wakeup = NULL;
}

/**
 * ferry_pci_low_power_enter - VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY
 * @fpci: the function
 * @flags: what to do with the feature
 * @argsz: size of its data, none
 *
 * Accesses other than by mappings still work; each wakes the function for as
 * long as it takes.
 *
 * Return: 0, -EINVAL if its user has let it sleep already, or as
 * vfio_check_feature() has it.
 */
int ferry_pci_low_power_enter(struct ferry_pci *fpci, u32 flags, size_t argsz)
{
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);

	if (ret != 1)
		return ret;
	return enter(fpci, NULL);
}

/**
 * ferry_pci_low_power_enter_wakeup -
 *	VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP
 * @fpci: the function
 * @flags: what to do with the feature
 * @arg: user pointer to its data
 * @argsz: size of that
 *
 * The first access wakes the function for good and signals an eventfd.
 *
 * Return: as ferry_pci_low_power_enter(), -EFAULT, or -EBADF or -EINVAL for
 * what is no eventfd.
 */
int ferry_pci_low_power_enter_wakeup(struct ferry_pci *fpci, u32 flags,
				     void __user *arg, size_t argsz)
{
	struct vfio_device_low_power_entry_with_wakeup data;
	struct eventfd_ctx *wakeup;
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET,
				     sizeof(data));

	if (ret != 1)
		return ret;
	if (copy_from_user(&data, arg, sizeof(data)))
		return -EFAULT;
	if (data.wakeup_eventfd < 0)
		return -EINVAL;

	wakeup = eventfd_ctx_fdget(data.wakeup_eventfd);
	if (IS_ERR(wakeup))
		return PTR_ERR(wakeup);
	ret = enter(fpci, wakeup);
	if (ret)
		eventfd_ctx_put(wakeup);
	return ret;
}

/**
 * ferry_pci_low_power_exit - VFIO_DEVICE_FEATURE_LOW_POWER_EXIT
 * @fpci: the function, which VFIO has woken for this call
 * @flags: what to do with the feature
 * @argsz: size of its data, none
 *
 * Return: 0, even if there is nothing to leave, or as vfio_check_feature() has
 * it.
 */
int ferry_pci_low_power_exit(struct ferry_pci *fpci, u32 flags, size_t argsz)
{
	int ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, 0);

	if (ret != 1)
		return ret;
	ferry_gate_lock_mapped(&fpci->fdev);
	leave(fpci);
	ferry_gate_unlock(&fpci->fdev);
	return 0;
}

/**
 * ferry_pci_low_power_end - the user is gone; wake what he has left asleep
 * @fpci: a function that is being closed
 */
void ferry_pci_low_power_end(struct ferry_pci *fpci)
{
	struct ferry_device *fdev = &fpci->fdev;

	ferry_gate_lock_mapped(fdev);
	/* No ioeventfd writes to it before it has been woken, which takes a while. */
	if (ferry_pci_may_sleep(fpci))
		ferry_gate_set(fdev, FERRY_GATE_IDLE, true);
	/* Nobody is there to be told. */
	leave(fpci);
	ferry_gate_unlock(fdev);
	pm_runtime_resume(&fpci->pdev->dev);
}

/*
 * The PCI core saves the configuration and chooses a state after this. It
 * must find the function in D0, where its user need not have left it.
 */
static int runtime_suspend(struct device *dev)
{
	struct ferry_pci *fpci = dev_get_drvdata(dev);
	struct ferry_device *fdev = &fpci->fdev;

	mutex_lock(&fdev->config_lock);
	ferry_gate_lock(fdev);
	ferry_pci_set_power(fpci, PCI_D0);
	ferry_gate_unlock(fdev);
	/* In which state it is, the user can see when it is awake again. */
	if (fpci->config_mem)
		ferry_config_refresh(&fdev->config);
	mutex_unlock(&fdev->config_lock);
	ferry_pci_intx_sleep(fpci);
	return 0;
}

/* The PCI core has restored the configuration before this. */
static int runtime_resume(struct device *dev)
{
	struct ferry_pci *fpci = dev_get_drvdata(dev);

	ferry_gate_lock_mapped(&fpci->fdev);
	ferry_pci_state_follow(fpci);
	if (fpci->wakeup) {
		ferry_eventfd_signal(fpci->wakeup);
		leave(fpci);
	}
	ferry_gate_unlock(&fpci->fdev);
	ferry_pci_intx_wake(fpci);
	return 0;
}

/* VFIO wakes a function for an ioctl only if its driver has these. */
const struct dev_pm_ops ferry_pci_pm_ops = {
	RUNTIME_PM_OPS(runtime_suspend, runtime_resume, NULL)
};
