/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the VFIO core can tell its user which memory a device has written to. Since 6.8
 * bitmaps for that are iommufd's, and a kernel without it has empty functions instead.
 */
#ifndef FERRY_COMPAT_LOGGING_H
#define FERRY_COMPAT_LOGGING_H

#include <linux/iova_bitmap.h>

#if defined(FERRY_HAVE_IOVA_BITMAP_OPTION) && \
	!IS_ENABLED(CONFIG_IOMMUFD_DRIVER)
#define FERRY_VFIO_LOGS	false
#else
#define FERRY_VFIO_LOGS	true
#endif

#endif /* FERRY_COMPAT_LOGGING_H */
