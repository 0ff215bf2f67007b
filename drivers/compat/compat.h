/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One kernel's difference from another, and nothing else. The FERRY_HAVE_*
 * macros come from Kbuild.probe, which asks the kernel's headers.
 */
#ifndef FERRY_COMPAT_H
#define FERRY_COMPAT_H

#include <linux/eventfd.h>
#include <linux/irqbypass.h>
#include <linux/mm.h>
#include <linux/pci.h>
#ifdef FERRY_HAVE_PFN_T
#include <linux/pfn_t.h>
#endif
#include <linux/vfio.h>

/* The count argument went in 6.8; it was always 1. */
static inline void ferry_eventfd_signal(struct eventfd_ctx *ctx)
{
#ifdef FERRY_HAVE_EVENTFD_SIGNAL_COUNT
	eventfd_signal(ctx, 1);
#else
	eventfd_signal(ctx);
#endif
}

#ifndef FERRY_HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}
#endif

/* Since 6.10, for stage 2 of arm64: any type of mapping that isn't cached will do. */
#ifndef VM_ALLOW_ANY_UNCACHED
#define VM_ALLOW_ANY_UNCACHED	0
#endif

/*
 * Until a VFIO core frees the device itself, the release callback has to.
 */
static inline void ferry_vfio_free_device(struct vfio_device *vdev)
{
#ifdef FERRY_HAVE_VFIO_FREE_DEVICE
	vfio_free_device(vdev);
#endif
}

/* The folder that VFIO has in debugfs for a device, %NULL if it has none. */
static inline struct dentry *ferry_vfio_debug_root(struct vfio_device *vdev)
{
#if defined(FERRY_HAVE_VFIO_DEBUG_ROOT) && IS_ENABLED(CONFIG_VFIO_DEBUGFS)
	return IS_ERR(vdev->debug_root) ? NULL : vdev->debug_root;
#else
	return NULL;
#endif
}

/*
 * Until 7.0 the name of who may be bound was a member of each bus's devices.
 */
static inline int ferry_set_driver_override(struct pci_dev *pdev,
					    const char *name)
{
#ifdef FERRY_HAVE_DEVICE_DRIVER_OVERRIDE
	return device_set_driver_override(&pdev->dev, name);
#else
	return driver_set_override(&pdev->dev, &pdev->driver_override, name,
				   strlen(name));
#endif
}

/*
 * VFIO cores that have character devices, but ask a driver about tokens only when a
 * device is opened through its group.
 */
#if defined(FERRY_HAVE_VFIO_BIND_IOMMUFD) && IS_ENABLED(CONFIG_IOMMUFD) && \
	!defined(FERRY_HAVE_VFIO_MATCH_TOKEN)
#define FERRY_VFIO_SKIPS_TOKEN	1
#else
#define FERRY_VFIO_SKIPS_TOKEN	0
#endif

#ifdef FERRY_HAVE_VFIO_MATCH_TOKEN
#define FERRY_VFIO_TOKEN_OPS(match) \
	.match_token_uuid = match,
#else
#define FERRY_VFIO_TOKEN_OPS(...)
#endif

/* The callbacks of vfio_device_ops that iommufd needs, where it exists. */
#ifdef FERRY_HAVE_VFIO_DETACH_IOAS
#define FERRY_VFIO_DETACH_IOAS(kind) \
	.detach_ioas = vfio_iommufd_##kind##_detach_ioas,
#else
#define FERRY_VFIO_DETACH_IOAS(...)
#endif

#ifdef FERRY_HAVE_VFIO_BIND_IOMMUFD
#define FERRY_VFIO_IOMMUFD_OPS_BUT_BIND(kind) \
	.unbind_iommufd = vfio_iommufd_##kind##_unbind, \
	.attach_ioas = vfio_iommufd_##kind##_attach_ioas, \
	FERRY_VFIO_DETACH_IOAS(kind)
#define FERRY_VFIO_IOMMUFD_OPS(kind) \
	.bind_iommufd = vfio_iommufd_##kind##_bind, \
	FERRY_VFIO_IOMMUFD_OPS_BUT_BIND(kind)
#else
#define FERRY_VFIO_IOMMUFD_OPS(...)
#endif

#ifdef FERRY_HAVE_VFIO_PASID
#define FERRY_VFIO_PASID_OPS \
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas, \
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
#else
#define FERRY_VFIO_PASID_OPS
#endif

/*
 * Where the VFIO core doesn't ask for the token of a physical device, the driver does
 * before it binds that.
 */
struct iommufd_ctx;

static inline int ferry_vfio_physical_bind(struct vfio_device *vdev,
					   struct iommufd_ctx *ictx, u32 *id)
{
#if FERRY_VFIO_SKIPS_TOKEN
	return vfio_iommufd_physical_bind(vdev, ictx, id);
#else
	return -EOPNOTSUPP;
#endif
}

#if FERRY_VFIO_SKIPS_TOKEN
#define FERRY_VFIO_PHYSICAL_BIND(name)	name
#else
#define FERRY_VFIO_PHYSICAL_BIND(...)	vfio_iommufd_physical_bind
#endif

#ifdef FERRY_HAVE_VFIO_BIND_IOMMUFD
#define FERRY_VFIO_PHYSICAL_OPS(name) \
	.bind_iommufd = FERRY_VFIO_PHYSICAL_BIND(name), \
	FERRY_VFIO_IOMMUFD_OPS_BUT_BIND(physical) \
	FERRY_VFIO_PASID_OPS
#else
#define FERRY_VFIO_PHYSICAL_OPS(...)
#endif

/* A VFIO core that serves VFIO_DEVICE_GET_REGION_INFO itself wants only facts. */
#ifdef FERRY_HAVE_VFIO_REGION_INFO_CAPS
#define FERRY_VFIO_REGION_INFO_OPS \
	.get_region_info_caps = ferry_device_region_info,
#else
#define FERRY_VFIO_REGION_INFO_OPS
#endif

/*
 * Devices opened by a file of their own, and by which number the iommufd that
 * they are bound to knows them; until then there are only groups.
 */
#ifdef FERRY_HAVE_VFIO_DEV_ID
static inline bool ferry_cdev_opened(struct vfio_device *vdev)
{
	return vfio_device_cdev_opened(vdev);
}

static inline struct iommufd_ctx *ferry_iommufd_ctx(struct vfio_device *vdev)
{
	return vfio_iommufd_device_ictx(vdev);
}

/* Without an IOMMU there is no context, and nobody owns anything. */
static inline int ferry_iommufd_dev_id(struct vfio_device *vdev,
				       struct iommufd_ctx *ctx)
{
	return ctx ? vfio_iommufd_get_dev_id(vdev, ctx) : -ENODEV;
}
#else
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID		BIT(0)
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED	BIT(1)
#define VFIO_PCI_DEVID_OWNED			0
#define VFIO_PCI_DEVID_NOT_OWNED		(-1)

static inline bool ferry_cdev_opened(struct vfio_device *vdev)
{
	return false;
}

static inline struct iommufd_ctx *ferry_iommufd_ctx(struct vfio_device *vdev)
{
	return NULL;
}

static inline int ferry_iommufd_dev_id(struct vfio_device *vdev,
				       struct iommufd_ctx *ctx)
{
	return -ENODEV;
}
#endif

/*
 * Migration in two steps came after migration, and so did the question of how much there
 * is to copy. A VFIO core without PRE_COPY never asks for its states.
 */
#ifndef VFIO_MIGRATION_PRE_COPY
#define VFIO_MIGRATION_PRE_COPY		0
#define VFIO_DEVICE_STATE_PRE_COPY	6
#define VFIO_DEVICE_STATE_PRE_COPY_P2P	7
#define VFIO_MIG_GET_PRECOPY_INFO	_IO(VFIO_TYPE, VFIO_BASE + 21)

struct vfio_precopy_info {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 initial_bytes;
	__aligned_u64 dirty_bytes;
};
#endif

#ifndef VFIO_DEVICE_FEATURE_MIG_DATA_SIZE
#define VFIO_DEVICE_FEATURE_MIG_DATA_SIZE	9

struct vfio_device_feature_mig_data_size {
	__aligned_u64 stop_copy_length;
};
#endif

#ifdef FERRY_HAVE_VFIO_MIG_DATA_SIZE
#define FERRY_VFIO_MIG_DATA_SIZE_OPS(get) \
	.migration_get_data_size = get,
#else
#define FERRY_VFIO_MIG_DATA_SIZE_OPS(...)
#endif

/*
 * The token of a bypass producer was a member before it became an argument.
 * Registration that fails costs speed, never correctness.
 */
static inline int ferry_bypass_register(struct irq_bypass_producer *producer,
					struct eventfd_ctx *ctx, int irq)
{
#ifdef FERRY_HAVE_IRQ_BYPASS_EVENTFD_ARG
	return irq_bypass_register_producer(producer, ctx, irq);
#else
	int ret;

	producer->token = ctx;
	producer->irq = irq;
	ret = irq_bypass_register_producer(producer);
	if (ret)
		producer->token = NULL;
	return ret;
#endif
}

#ifdef FERRY_HAVE_MSIX_DYN
static inline bool ferry_msix_can_grow(struct pci_dev *pdev)
{
	return pci_msix_can_alloc_dyn(pdev);
}

/* Returns the Linux interrupt number of a new vector or a negative errno. */
static inline int ferry_msix_grow(struct pci_dev *pdev, unsigned int index)
{
	struct msi_map map = pci_msix_alloc_irq_at(pdev, index, NULL);

	return map.index < 0 ? map.index : map.virq;
}
#else
static inline bool ferry_msix_can_grow(struct pci_dev *pdev)
{
	return false;
}

static inline int ferry_msix_grow(struct pci_dev *pdev, unsigned int index)
{
	return -EOPNOTSUPP;
}
#endif

/* Page table entries of 2 MiB and 1 GiB for device memory came with 6.12. */
#if defined(FERRY_HAVE_HUGE_FAULT_ORDER) && \
	defined(CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP)
#define FERRY_HAVE_HUGE_FAULT

#ifdef FERRY_HAVE_PFN_T
#define ferry_huge_pfn(pfn)	__pfn_to_pfn_t(pfn, PFN_DEV)
#else
#define ferry_huge_pfn(pfn)	(pfn)
#endif

static inline vm_fault_t ferry_insert_huge_pfn(struct vm_fault *vmf,
					       unsigned long pfn,
					       unsigned int order)
{
	switch (order) {
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	case PMD_ORDER:
		return vmf_insert_pfn_pmd(vmf, ferry_huge_pfn(pfn), false);
#endif
#ifdef CONFIG_ARCH_SUPPORTS_PUD_PFNMAP
	case PUD_ORDER:
		return vmf_insert_pfn_pud(vmf, ferry_huge_pfn(pfn), false);
#endif
	default:
		return VM_FAULT_FALLBACK;
	}
}
#endif

#endif /* FERRY_COMPAT_H */
