// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that can only be reset together: all below one bridge, or all in
 * one hotplug slot. Every one of them that is ours is in one VFIO device set.
 */
#include <linux/pm_runtime.h>

#include "core/trace.h"
#include "ferry_pci.h"

/*
 * The kernel's own drivers key their sets by the same pointers and take every
 * member for one of theirs. Nothing is at an odd address, so a low bit of one
 * keeps the sets apart.
 */
#define SET_OURS	1UL

static bool has_slot_reset(struct pci_dev *pdev)
{
	return pdev->slot && !pci_probe_reset_slot(pdev->slot);
}

static void *set_key(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;

	if (pci_is_root_bus(pdev->bus) || pdev->is_virtfn)
		return fpci;
	if (has_slot_reset(pdev))
		return (void *)((unsigned long)pdev->slot | SET_OURS);
	return (void *)((unsigned long)pdev->bus | SET_OURS);
}

/**
 * ferry_pci_set_join - put the function into its device set
 * @fpci: a function that is about to be registered
 *
 * Return: 0 or a negative errno.
 */
int ferry_pci_set_join(struct ferry_pci *fpci)
{
	return vfio_assign_device_set(&fpci->fdev.vdev, set_key(fpci));
}

/**
 * ferry_pci_set_resets - is there a way to reset the function's bus or slot?
 * @fpci: the function
 *
 * Return: whether there is.
 */
bool ferry_pci_set_resets(struct ferry_pci *fpci)
{
	struct pci_dev *pdev = fpci->pdev;

	return has_slot_reset(pdev) || !pci_probe_reset_bus(pdev->bus);
}

struct walk {
	int (*visit)(struct pci_dev *pdev, void *data);
	void *data;
	struct pci_slot *slot;
	int ret;
};

/* A virtual function is where its physical one is. */
static bool is_in_slot(struct pci_dev *pdev, struct pci_slot *slot)
{
	pdev = pci_physfn(pdev);
	while (pdev && pdev->bus != slot->bus)
		pdev = pci_upstream_bridge(pdev);
	return pdev && pdev->slot == slot;
}

static int walk_visit(struct pci_dev *pdev, void *data)
{
	struct walk *walk = data;

	if (!walk->slot || is_in_slot(pdev, walk->slot))
		walk->ret = walk->visit(pdev, walk->data);
	return walk->ret;
}

/**
 * ferry_pci_set_walk - visit all that a reset of the bus or slot hits
 * @fpci: a function there
 * @visit: called for each function, ours or not; anything but 0 ends the walk
 * @data: for @visit
 *
 * Context: process context.
 * Return: what @visit returned last.
 */
int ferry_pci_set_walk(struct ferry_pci *fpci,
		       int (*visit)(struct pci_dev *pdev, void *data),
		       void *data)
{
	struct pci_dev *pdev = fpci->pdev;
	struct walk walk = {
		.visit = visit,
		.data = data,
		.slot = has_slot_reset(pdev) ? pdev->slot : NULL,
	};

	pci_walk_bus(pdev->bus, walk_visit, &walk);
	return walk.ret;
}

/**
 * ferry_pci_set_find - find a function in a device set
 * @fpci: a member of the set
 * @pdev: the function
 *
 * A member is one of ours if it has our operations.
 *
 * Context: the device set's lock held.
 * Return: the member or %NULL.
 */
struct ferry_pci *ferry_pci_set_find(struct ferry_pci *fpci,
				     struct pci_dev *pdev)
{
	struct vfio_device *vdev = &fpci->fdev.vdev;
	struct vfio_device *cur;

	lockdep_assert_held(&vdev->dev_set->lock);

	list_for_each_entry(cur, &vdev->dev_set->device_list, dev_set_list)
		if (cur->dev == &pdev->dev && ferry_pci_is_ours(cur))
			return to_ferry_pci(to_ferry_device(cur));
	return NULL;
}

struct completeness {
	struct ferry_pci *fpci;
	bool explain;
};

static int check_function(struct pci_dev *pdev, void *data)
{
	struct completeness *check = data;

	if (ferry_pci_set_find(check->fpci, pdev))
		return 0;
	if (check->explain)
		dev_warn_ratelimited(&check->fpci->pdev->dev,
				     "can't be reset together with %s, which isn't bound to %s: bind it\n",
				     pci_name(pdev), FERRY_PCI_NAME);
	return -ENODEV;
}

/**
 * ferry_pci_set_complete - is all that a reset of the bus or slot hits ours?
 * @fpci: a function there, where there is such a reset
 * @explain: tell in the kernel log what is not
 *
 * What is in the set stays bound to us while its lock is held.
 *
 * Context: the device set's lock held.
 * Return: whether it is.
 */
bool ferry_pci_set_complete(struct ferry_pci *fpci, bool explain)
{
	struct completeness check = { .fpci = fpci, .explain = explain };

	return !ferry_pci_set_walk(fpci, check_function, &check);
}

/* A member of a complete set. */
static struct ferry_pci *member(struct vfio_device *vdev)
{
	return to_ferry_pci(to_ferry_device(vdev));
}

static int wake_all(struct vfio_device_set *set)
{
	struct vfio_device *cur;
	int ret;

	list_for_each_entry(cur, &set->device_list, dev_set_list) {
		ret = pm_runtime_resume_and_get(cur->dev);
		if (ret)
			goto err_put;
	}
	return 0;

err_put:
	list_for_each_entry_continue_reverse(cur, &set->device_list,
					     dev_set_list)
		pm_runtime_put(cur->dev);
	return ret;
}

/*
 * Nobody but the holder of the set's lock ever holds such locks of two
 * functions, so their order among each other doesn't matter.
 */
static void lock_all(struct vfio_device_set *set)
{
	struct vfio_device *cur;

	list_for_each_entry(cur, &set->device_list, dev_set_list)
		mutex_lock_nest_lock(&to_ferry_device(cur)->config_lock,
				     &set->lock);
	list_for_each_entry(cur, &set->device_list, dev_set_list)
		ferry_gate_lock_in_set(to_ferry_device(cur));
}

static void unlock_all(struct vfio_device_set *set)
{
	struct vfio_device *cur;

	list_for_each_entry(cur, &set->device_list, dev_set_list)
		ferry_gate_unlock(to_ferry_device(cur));
	list_for_each_entry(cur, &set->device_list, dev_set_list)
		mutex_unlock(&to_ferry_device(cur)->config_lock);
}

/**
 * ferry_pci_set_reset - reset the function's bus or slot
 * @fpci: a function there, in a complete set
 *
 * All functions are kept from their users from begin to end. What these have
 * set up survives.
 *
 * Context: process context, the device set's lock held; takes the locks of
 * all functions in it.
 * Return: 0, -EAGAIN if somebody else holds the lock of a device (try again), or
 * another negative errno.
 */
int ferry_pci_set_reset(struct ferry_pci *fpci)
{
	struct vfio_device_set *set = fpci->fdev.vdev.dev_set;
	struct vfio_device *cur;
	int ret;

	lockdep_assert_held(&set->lock);

	ret = wake_all(set);
	if (ret)
		return ret;
	lock_all(set);
	list_for_each_entry(cur, &set->device_list, dev_set_list)
		ferry_pci_set_power(member(cur), PCI_D0);
	ret = pci_reset_bus(fpci->pdev);
	list_for_each_entry(cur, &set->device_list, dev_set_list) {
		trace_ferry_reset(to_ferry_device(cur), FERRY_RESET_SET, ret);
		ferry_pci_reset_done(member(cur), ret);
	}
	unlock_all(set);
	list_for_each_entry(cur, &set->device_list, dev_set_list)
		pm_runtime_put(cur->dev);
	return ret;
}

/* The set is idle, and a reset of some member is overdue. */
static bool wants_reset(struct ferry_pci *fpci)
{
	struct vfio_device_set *set = fpci->fdev.vdev.dev_set;
	struct vfio_device *cur;
	bool wants = false;

	list_for_each_entry(cur, &set->device_list, dev_set_list) {
		if (cur != &fpci->fdev.vdev && cur->open_count)
			return false;
		if (ferry_pci_is_ours(cur))
			wants |= member(cur)->used;
	}
	return wants;
}

/**
 * ferry_pci_set_closed - make up for resets that no function could have alone
 * @fpci: a function that has just been closed
 *
 * Once nobody uses any function of the set, they are reset together, unless one
 * of those that this would hit isn't ours.
 *
 * Context: process context, the device set's lock held.
 */
void ferry_pci_set_closed(struct ferry_pci *fpci)
{
	struct vfio_device_set *set = fpci->fdev.vdev.dev_set;
	struct vfio_device *cur;

	lockdep_assert_held(&set->lock);

	if (!wants_reset(fpci) || !ferry_pci_set_resets(fpci) ||
	    !ferry_pci_set_complete(fpci, false) || ferry_pci_set_reset(fpci))
		return;
	list_for_each_entry(cur, &set->device_list, dev_set_list)
		member(cur)->used = false;
}
