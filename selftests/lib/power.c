// SPDX-License-Identifier: GPL-2.0-only
/*
 * Features of VFIO devices, and what runtime power management says of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferrytest.h"

int vdev_feature(const struct vdev *v, __u32 flags, const void *data,
		 size_t len)
{
	struct vfio_device_feature *feature = calloc(1, sizeof(*feature) + len);
	int ret;

	if (!feature)
		return -ENOMEM;
	feature->argsz = sizeof(*feature) + len;
	feature->flags = flags;
	if (len)
		memcpy(feature->data, data, len);
	ret = fd_ioctl(v->fd, VFIO_DEVICE_FEATURE, feature);
	free(feature);
	return ret;
}

int vdev_feature_set(const struct vdev *v, __u32 feature, const void *data,
		     size_t len)
{
	return vdev_feature(v, VFIO_DEVICE_FEATURE_SET | feature, data, len);
}

/* Waits until a device is "active" or "suspended". */
int pci_wait_runtime(const char *bdf, const char *status)
{
	char now[FERRY_NAME_MAX];
	int ret, waited;

	for (waited = 0; waited < FERRY_TIMEOUT_MS; waited++) {
		ret = pci_attr_read(bdf, "power/runtime_status", now,
				    sizeof(now));
		if (ret)
			return ret;
		if (!strcmp(now, status))
			return 0;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/* How many reasons there are to keep a device awake. */
int pci_runtime_usage(const char *bdf)
{
	char text[FERRY_NAME_MAX];
	int ret;

	ret = pci_attr_read(bdf, "power/runtime_usage", text, sizeof(text));
	return ret ? ret : atoi(text);
}
