// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_PCI_HOT_RESET: a user resets all functions below a bridge, or in a
 * slot, having shown that all of them are his.
 *
 * A user of groups shows it with their descriptors. One who has opened the
 * device by its own file shows nothing: his iommufd tells what he owns.
 */
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat/compat.h"
#include "ferry_pci.h"

/* What is told about the functions that a reset would hit. */
struct report {
	struct ferry_pci *fpci;
	struct vfio_pci_dependent_device *entries;
	unsigned int room;
	unsigned int count;
	u32 flags;
};

static int count_function(struct pci_dev *pdev, void *data)
{
	unsigned int *count = data;

	(*count)++;
	return 0;
}

/* The number by which the iommufd of the asking user knows a function. */
static int owner_id(struct ferry_pci *fpci, struct pci_dev *pdev)
{
	struct ferry_pci *other = ferry_pci_set_find(fpci, pdev);
	int id;

	if (!other)
		return VFIO_PCI_DEVID_NOT_OWNED;
	id = ferry_iommufd_dev_id(&other->fdev.vdev,
				  ferry_iommufd_ctx(&fpci->fdev.vdev));
	if (id > 0)
		return id;
	/* Not open, but nobody else could open it. */
	return id == -ENOENT ? VFIO_PCI_DEVID_OWNED : VFIO_PCI_DEVID_NOT_OWNED;
}

static int report_function(struct pci_dev *pdev, void *data)
{
	struct report *report = data;
	struct vfio_pci_dependent_device *entry;
	struct iommu_group *group;
	int id;

	/* Some have come since they were counted. */
	if (report->count == report->room)
		return -EAGAIN;
	entry = &report->entries[report->count++];
	entry->segment = pci_domain_nr(pdev->bus);
	entry->bus = pdev->bus->number;
	entry->devfn = pdev->devfn;

	if (report->flags & VFIO_PCI_HOT_RESET_FLAG_DEV_ID) {
		id = owner_id(report->fpci, pdev);
		if (id == VFIO_PCI_DEVID_NOT_OWNED)
			report->flags &= ~VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
		/* Older headers don't know that this word has two names. */
		entry->group_id = id;
		return 0;
	}

	group = iommu_group_get(&pdev->dev);
	if (!group)
		return -EPERM;
	entry->group_id = iommu_group_id(group);
	iommu_group_put(group);
	return 0;
}

/* Fill @report in, and let the user have it behind the header. */
static int report_all(struct report *report,
		      struct vfio_pci_hot_reset_info __user *uarg)
{
	struct vfio_device *vdev = &report->fpci->fdev.vdev;
	int ret;

	report->entries = kcalloc(report->room, sizeof(*report->entries),
				  GFP_KERNEL_ACCOUNT);
	if (!report->entries)
		return -ENOMEM;
	if (ferry_cdev_opened(vdev))
		report->flags = VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
				VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;

	mutex_lock(&vdev->dev_set->lock);
	ret = ferry_pci_set_walk(report->fpci, report_function, report);
	mutex_unlock(&vdev->dev_set->lock);

	if (!ret && copy_to_user(uarg->devices, report->entries,
				 report->count * sizeof(*report->entries)))
		ret = -EFAULT;
	kfree(report->entries);
	return ret;
}

/**
 * ferry_pci_hot_reset_info - VFIO_DEVICE_GET_PCI_HOT_RESET_INFO
 * @fpci: the function
 * @uarg: what the user wants filled in
 *
 * Return: 0; -ENODEV if the function is in nothing that can be reset; -ENOSPC
 * if there is no room for all entries, with their number told; -EAGAIN if
 * functions came meanwhile; -EPERM if one is in no group; -EINVAL, -EFAULT or
 * -ENOMEM.
 */
int ferry_pci_hot_reset_info(struct ferry_pci *fpci,
			     struct vfio_pci_hot_reset_info __user *uarg)
{
	struct report report = { .fpci = fpci };
	struct vfio_pci_hot_reset_info hdr;
	int ret;

	if (copy_from_user(&hdr, uarg, sizeof(hdr)))
		return -EFAULT;
	if (hdr.argsz < sizeof(hdr))
		return -EINVAL;
	if (!ferry_pci_set_resets(fpci))
		return -ENODEV;

	ferry_pci_set_walk(fpci, count_function, &report.room);
	if ((hdr.argsz - sizeof(hdr)) / sizeof(*report.entries) < report.room) {
		hdr.count = report.room;
		ret = -ENOSPC;
	} else {
		ret = report_all(&report, uarg);
		if (ret)
			return ret;
		hdr.count = report.count;
	}
	hdr.flags = report.flags;
	if (copy_to_user(uarg, &hdr, sizeof(hdr)))
		return -EFAULT;
	return ret;
}

/* The groups that a user says are his. */
struct groups {
	struct file **files;
	unsigned int count;
};

static bool groups_have(const struct groups *groups, struct vfio_device *vdev)
{
	unsigned int i;

	for (i = 0; i < groups->count; i++)
		if (vfio_file_has_dev(groups->files[i], vdev))
			return true;
	return false;
}

/* Is every function of the set the caller's? @groups is %NULL without groups. */
static bool owns_all(struct ferry_pci *fpci, const struct groups *groups)
{
	struct vfio_device_set *set = fpci->fdev.vdev.dev_set;
	struct vfio_device *cur;
	bool owned;

	lockdep_assert_held(&set->lock);

	list_for_each_entry(cur, &set->device_list, dev_set_list) {
		if (groups)
			owned = groups_have(groups, cur);
		else
			owned = owner_id(fpci, to_pci_dev(cur->dev)) !=
				VFIO_PCI_DEVID_NOT_OWNED;
		if (owned)
			continue;
		dev_warn_ratelimited(&fpci->pdev->dev,
				     "can't be reset, its user hasn't shown that %s is his: pass the group of each function that is hit, or bind all of them to one iommufd\n",
				     dev_name(cur->dev));
		return false;
	}
	return true;
}

static int hot_reset(struct ferry_pci *fpci, const struct groups *groups)
{
	struct vfio_device_set *set = fpci->fdev.vdev.dev_set;
	int ret = -EINVAL;

	mutex_lock(&set->lock);
	if (ferry_pci_set_complete(fpci, true) && owns_all(fpci, groups))
		ret = ferry_pci_set_reset(fpci);
	mutex_unlock(&set->lock);
	return ret;
}

/* Replace descriptors by the files of groups that they stand for. */
static int groups_get(struct groups *groups, const s32 *fds, unsigned int count)
{
	struct file *file;

	for (; groups->count < count; groups->count++) {
		file = fget(fds[groups->count]);
		if (!file)
			return -EBADF;
		groups->files[groups->count] = file;
		if (!vfio_file_is_group(file)) {
			fput(file);
			return -EINVAL;
		}
	}
	return 0;
}

/* One group for each function is the most that anybody can need. */
static int hot_reset_groups(struct ferry_pci *fpci, const s32 __user *ufds,
			    unsigned int count)
{
	struct groups groups = {};
	unsigned int most = 0;
	s32 *fds;
	int ret;

	ferry_pci_set_walk(fpci, count_function, &most);
	if (count > most)
		return -EINVAL;

	fds = memdup_user(ufds, array_size(count, sizeof(*fds)));
	if (IS_ERR(fds))
		return PTR_ERR(fds);
	groups.files = kcalloc(count, sizeof(*groups.files),
			       GFP_KERNEL_ACCOUNT);
	ret = groups.files ? groups_get(&groups, fds, count) : -ENOMEM;
	kfree(fds);

	if (!ret)
		ret = hot_reset(fpci, &groups);
	while (groups.count)
		fput(groups.files[--groups.count]);
	kfree(groups.files);
	return ret;
}

/**
 * ferry_pci_hot_reset - VFIO_DEVICE_PCI_HOT_RESET
 * @fpci: the function
 * @uarg: what the user passes: descriptors of groups, or none if he has opened
 *	the device by its own file
 *
 * Return: 0; -ENODEV if the function is in nothing that can be reset; -EINVAL
 * if some function that would be hit isn't the user's, or isn't ours, or for
 * a descriptor that is no group; -EBADF; -EAGAIN if somebody else holds a
 * lock (try again); -EFAULT or -ENOMEM.
 */
int ferry_pci_hot_reset(struct ferry_pci *fpci,
			struct vfio_pci_hot_reset __user *uarg)
{
	struct vfio_pci_hot_reset hdr;

	if (copy_from_user(&hdr, uarg, sizeof(hdr)))
		return -EFAULT;
	if (hdr.argsz < sizeof(hdr) || hdr.flags)
		return -EINVAL;
	if (!hdr.count != ferry_cdev_opened(&fpci->fdev.vdev))
		return -EINVAL;
	if (!ferry_pci_set_resets(fpci))
		return -ENODEV;

	if (!hdr.count)
		return hot_reset(fpci, NULL);
	return hot_reset_groups(fpci, uarg->group_fds, hdr.count);
}
