// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and links of sysfs, and the drivers of PCI devices.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferrytest.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define PCI_DRIVERS	"/sys/bus/pci/drivers"

/* Reads a small text file without its last newline. */
int text_read(const char *path, char *buf, size_t size)
{
	ssize_t len;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	err = errno;
	close(fd);
	if (len < 0)
		return -err;
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return 0;
}

int text_write(const char *path, const char *text)
{
	ssize_t len;
	int fd, err;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	return len < 0 ? -err : 0;
}

/* The last component of what a link points at. */
int link_name(const char *path, char *buf, size_t size)
{
	char target[PATH_MAX];
	const char *base;
	ssize_t len;

	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return -errno;
	target[len] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (strlen(base) >= size)
		return -ENAMETOOLONG;
	snprintf(buf, size, "%s", base);
	return 0;
}

bool path_exists(const char *path)
{
	return !access(path, F_OK);
}

bool pci_attr_exists(const char *bdf, const char *attr)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", bdf, attr);
	return path_exists(path);
}

int pci_attr_read(const char *bdf, const char *attr, char *buf, size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", bdf, attr);
	return text_read(path, buf, size);
}

int pci_attr_write(const char *bdf, const char *attr, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", bdf, attr);
	return text_write(path, text);
}

/* The length of a resource: 0 to 5 are the BARs, 6 the ROM. */
__u64 pci_resource_len(const char *bdf, unsigned int n)
{
	char text[FERRY_TEXT_MAX], *line = text, *next;
	__u64 start, end;

	if (pci_attr_read(bdf, "resource", text, sizeof(text)))
		return 0;
	while (n-- && line)
		line = strchr(line, '\n') + 1;
	start = strtoull(line, &next, 16);
	end = strtoull(next, NULL, 16);
	return end ? end - start + 1 : 0;
}

/* The name of the driver that a device has; -ENOENT without one. */
int pci_driver(const char *bdf, char *buf, size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", bdf);
	return link_name(path, buf, size);
}

static int driver_write(const char *driver, const char *file, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DRIVERS "/%s/%s", driver, file);
	return text_write(path, text);
}

/* Leaves a device without a driver. It is no error that it has none. */
int pci_unbind(const char *bdf)
{
	char driver[FERRY_NAME_MAX];
	int ret;

	ret = pci_driver(bdf, driver, sizeof(driver));
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return driver_write(driver, "unbind", bdf);
}

/*
 * Gives a device to a driver through driver_override. When the driver's
 * probe refuses, returns what it said and leaves the device without one.
 */
int pci_bind(const char *bdf, const char *driver)
{
	char now[FERRY_NAME_MAX];
	int ret;

	if (!pci_driver(bdf, now, sizeof(now)) && !strcmp(now, driver))
		return 0;
	ret = pci_unbind(bdf);
	if (ret)
		return ret;
	ret = pci_attr_write(bdf, "driver_override", driver);
	if (ret)
		return ret;
	ret = driver_write(driver, "bind", bdf);
	if (ret)
		pci_attr_write(bdf, "driver_override", "\n");
	return ret;
}

/* Gives a device back to the driver that it had; "" is none. */
int pci_restore(const char *bdf, const char *driver)
{
	char now[FERRY_NAME_MAX];
	int ret;

	if (pci_driver(bdf, now, sizeof(now)))
		now[0] = '\0';
	if (strcmp(now, driver)) {
		ret = pci_unbind(bdf);
		if (ret)
			return ret;
	}
	ret = pci_attr_write(bdf, "driver_override", "\n");
	if (ret || !*driver || !strcmp(now, driver))
		return ret;
	return driver_write(driver, "bind", bdf);
}

/* The bridge that a device is behind. */
int pci_upstream(const char *bdf, char *buf, size_t size)
{
	char path[PATH_MAX], real[PATH_MAX];
	char *base;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s", bdf);
	if (!realpath(path, real))
		return -errno;
	*strrchr(real, '/') = '\0';
	base = strrchr(real, '/') + 1;
	if (strncmp(base, "0000:", 5) || strlen(base) >= size)
		return -ENODEV;
	snprintf(buf, size, "%s", base);
	return 0;
}

/* A descriptor of the config space that the hardware has. */
int pci_config(const char *bdf, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", bdf);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A register of the hardware's. */
__u16 pci_config_r16(const char *bdf, unsigned int pos)
{
	int fd = pci_config(bdf, O_RDONLY);
	__u16 val;

	if (fd < 0 || pread(fd, &val, 2, pos) != 2)
		abort();
	close(fd);
	return val;
}

/* Whether the hardware's command register keeps it from asserting INTx. */
bool pci_intx_disabled(const char *bdf)
{
	return pci_config_r16(bdf, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE;
}

/* Where a capability of the hardware's (PCI 3.0, 6.7) begins; 0 if there is none. */
unsigned int pci_find_cap(const char *bdf, __u8 id)
{
	int fd = pci_config(bdf, O_RDONLY);
	unsigned int tries = 48;
	__u8 pos = 0, here = 0;

	if (fd < 0 || pread(fd, &pos, 1, PCI_CAPABILITY_LIST) != 1)
		abort();
	while (pos && tries--) {
		if (pread(fd, &here, 1, pos) != 1)
			abort();
		if (here == id)
			break;
		if (pread(fd, &pos, 1, pos + PCI_CAP_LIST_NEXT) != 1)
			abort();
	}
	close(fd);
	return here == id ? pos : 0;
}
