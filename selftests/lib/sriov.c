// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual functions of a physical one, through sysfs.
 */
#include <limits.h>
#include <stdio.h>

#include "ferrytest.h"

/* Gives a physical function to the driver under test, which may then enable some. */
int sriov_begin(const char *pf)
{
	int ret = pci_bind(pf, driver_name());

	return ret ? ret : module_param_write(driver_name(), "enable_sriov",
					      "Y");
}

void sriov_end(const char *pf)
{
	sriov_enable(pf, 0);
	pci_unbind(pf);
	module_param_write(driver_name(), "enable_sriov", "N");
}

/* How many there shall be; the driver that a device has must provide for them. */
int sriov_enable(const char *pf, unsigned int count)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", count);
	return pci_attr_write(pf, "sriov_numvfs", text);
}

/* The address of virtual function number @n. */
int sriov_vf(const char *pf, unsigned int n, char *bdf, size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn%u", pf, n);
	return link_name(path, bdf, size);
}
