// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions that can only be reset together: all below one bridge, or all in
 * one hotplug slot.
 */
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

static struct ferry_pci *set_find(struct vfio_device_set *set,
				  struct pci_dev *pdev)
{
	struct vfio_device *cur;

	list_for_each_entry(cur, &set->device_list, dev_set_list)
		if (cur->dev == &pdev->dev)
			return to_ferry_pci(to_ferry_device(cur));
	return NULL;
}

struct walk {
	struct ferry_pci *fpci;
	bool foreign;
};

/* Does this device, which a reset would hit, belong to somebody else? */
static int check_device(struct pci_dev *pdev, void *data)
{
	struct walk *walk = data;
	struct ferry_pci *fpci = walk->fpci;

	if (has_slot_reset(fpci->pdev) && pdev->slot != fpci->pdev->slot)
		return 0;
	walk->foreign = !set_find(fpci->fdev.vdev.dev_set, pdev);
	return walk->foreign;
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
		wants |= to_ferry_pci(to_ferry_device(cur))->used;
	}
	return wants;
}

/**
 * ferry_pci_set_reset - make up for resets that no function could have alone
 * @fpci: a function that has just been closed
 *
 * Once nobody uses any function of the set, they are reset together, unless one
 * of those that this would hit isn't ours.
 *
 * Context: process context, the device set's lock held.
 */
void ferry_pci_set_reset(struct ferry_pci *fpci)
{
	struct vfio_device_set *set = fpci->fdev.vdev.dev_set;
	struct walk walk = { .fpci = fpci };
	struct vfio_device *cur;

	lockdep_assert_held(&set->lock);

	if (pci_is_root_bus(fpci->pdev->bus) || fpci->pdev->is_virtfn ||
	    !wants_reset(fpci))
		return;
	pci_walk_bus(fpci->pdev->bus, check_device, &walk);
	if (walk.foreign || pci_reset_bus(fpci->pdev))
		return;
	list_for_each_entry(cur, &set->device_list, dev_set_list)
		to_ferry_pci(to_ferry_device(cur))->used = false;
}
