/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What user space may ask of a newer kernel and Ferry answers on older ones too.
 */
#ifndef FERRY_COMPAT_UAPI_H
#define FERRY_COMPAT_UAPI_H

#include <linux/vfio.h>

#ifndef VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP
#define VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP	5
#define VFIO_PCI_ATOMIC_COMP32	0x1
#define VFIO_PCI_ATOMIC_COMP64	0x2
#define VFIO_PCI_ATOMIC_COMP128	0x4

struct vfio_device_info_cap_pci_atomic_comp {
	struct vfio_info_cap_header header;
	__u32 flags;
	__u32 reserved;
};
#endif

#ifndef VFIO_DEVICE_FEATURE_DMA_BUF
#define VFIO_DEVICE_FEATURE_DMA_BUF	11
#endif

#endif /* FERRY_COMPAT_UAPI_H */
