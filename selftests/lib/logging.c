// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which memory a device has written to, as it says itself.
 */
#include <stdint.h>

#include "ferrytest.h"

/* 0 or a negative errno; -ENOTTY where nothing is logged. */
int logging_start(const struct vdev *v, __u64 iova, __u64 len, __u64 page_size)
{
	struct vfio_device_feature_dma_logging_range range = {
		.iova = iova, .length = len,
	};
	struct vfio_device_feature_dma_logging_control control = {
		.page_size = page_size, .num_ranges = 1,
		.ranges = (__u64)(uintptr_t)&range,
	};

	return vdev_feature_set(v, VFIO_DEVICE_FEATURE_DMA_LOGGING_START,
				&control, sizeof(control));
}

int logging_stop(const struct vdev *v)
{
	return vdev_feature_set(v, VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP, NULL,
				0);
}

/* Sets bits of @bitmap, and clears none. */
int logging_report(const struct vdev *v, __u64 iova, __u64 len,
		   __u64 page_size, __u64 *bitmap)
{
	struct vfio_device_feature_dma_logging_report report = {
		.iova = iova, .length = len, .page_size = page_size,
		.bitmap = (__u64)(uintptr_t)bitmap,
	};

	return vdev_feature(v, VFIO_DEVICE_FEATURE_GET |
			    VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT, &report,
			    sizeof(report));
}
