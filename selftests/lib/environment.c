// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the person who runs the tests told us through the environment.
 *
 * FERRY_DRIVER is the driver under test, FERRY_BDF_<name> the address of the
 * device that the tests know by that name. FERRY_ROUNDS is how many of a hundred
 * repetitions a slow kernel shall do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferrytest.h"

#define BDF_PREFIX	"FERRY_BDF_"
#define DEVICES_MAX	32

static struct {
	char bdf[FERRY_NAME_MAX];
	char driver[FERRY_NAME_MAX];
} remembered[DEVICES_MAX];
static unsigned int nr_remembered;

const char *driver_name(void)
{
	const char *name = getenv("FERRY_DRIVER");

	return name && *name ? name : "ferry-vfio-pci";
}

/*
 * The tests are proved against the kernel's own driver. Where it is known to
 * do otherwise than this project promises, a test skips for it.
 */
bool driver_is_stock(void)
{
	const char *stock = getenv("FERRY_STOCK");

	if (stock)
		return !strcmp(stock, "1");
	return !strcmp(driver_name(), "vfio-pci");
}

/* How often to repeat what is to be done @many times; once at least. */
int rounds(int many)
{
	const char *percent = getenv("FERRY_ROUNDS");
	int few = percent ? many * atoi(percent) / 100 : many;

	return few > 0 ? few : 1;
}

const char *device_bdf(const char *name)
{
	char var[FERRY_NAME_MAX];
	const char *bdf;

	snprintf(var, sizeof(var), BDF_PREFIX "%s", name);
	bdf = getenv(var);
	return bdf && *bdf ? bdf : NULL;
}

/* Models, by how the names of their types begin; every other name is a PCI device. */
bool device_is_mdev(const char *name)
{
	static const char *const models[] = {
		"uart", "dice", "display", "dma", "guest", "everything",
		"traveller", "mtty", "mdpy", NULL,
	};
	const char *const *model;

	for (model = models; *model; model++)
		if (!strncmp(name, *model, strlen(*model)))
			return true;
	return false;
}

/* Why tests on device @name cannot run here; NULL when they can. */
const char *device_missing(const char *name)
{
	static char why[256];
	const char *bdf = device_bdf(name);
	char path[256];

	if (device_is_mdev(name)) {
		snprintf(why, sizeof(why), "no mediated device type *%s", name);
		return mdev_type_find(name, path, sizeof(path)) ? why : NULL;
	}
	if (!bdf) {
		snprintf(why, sizeof(why), BDF_PREFIX "%s is not set", name);
		return why;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	if (!path_exists(path)) {
		snprintf(why, sizeof(why), "no PCI device %s", bdf);
		return why;
	}
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s", driver_name());
	if (!path_exists(path)) {
		snprintf(why, sizeof(why), "driver %s is not loaded",
			 driver_name());
		return why;
	}
	return NULL;
}

static void clean_up(void)
{
	unsigned int i;
	int ret;

	mdev_remove_ours();
	for (i = 0; i < nr_remembered; i++) {
		/* Pulled out, see removal.c. */
		if (!pci_attr_exists(remembered[i].bdf, "driver_override"))
			continue;
		ret = pci_restore(remembered[i].bdf, remembered[i].driver);
		if (ret)
			fprintf(stderr, "# cannot give %s back to '%s': %s\n",
				remembered[i].bdf, remembered[i].driver,
				strerror(-ret));
	}
}

/*
 * The start of a test program: remembers the drivers that the devices of the
 * environment have, so that they get them back when the program ends. Tests
 * run in child processes that end with _exit(), so the handler runs once, in
 * the process that the harness started in, however the tests ended.
 */
void environment_begin(void)
{
	size_t prefix = strlen(BDF_PREFIX);
	const char *bdf;
	char **env;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (env = environ; *env; env++) {
		if (strncmp(*env, BDF_PREFIX, prefix))
			continue;
		bdf = strchr(*env, '=');
		if (!bdf || !bdf[1] || nr_remembered == DEVICES_MAX)
			continue;
		snprintf(remembered[nr_remembered].bdf,
			 sizeof(remembered[0].bdf), "%s", bdf + 1);
		if (pci_driver(bdf + 1, remembered[nr_remembered].driver,
			       sizeof(remembered[0].driver)))
			remembered[nr_remembered].driver[0] = '\0';
		nr_remembered++;
	}
	atexit(clean_up);
}
