// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where parents of mediated devices live: a class whose only work is to give
 * the types their names. The mdev core calls a type after its parent's driver,
 * bus or class, whichever there is: "ferry-uart". A parent has no driver, so
 * nobody can unbind it.
 *
 * libvirt knows a virtual parent by the name of its class, and only that of the
 * kernel's sample: who wants to see parents and types there can have that name.
 */
#include <linux/device.h>
#include <linux/module.h>

#include "mdev.h"

struct class ferry_class = {
	.name = "ferry",
};

static bool libvirt;
module_param(libvirt, bool, 0444);
MODULE_PARM_DESC(libvirt, "Call the class of parents mtty, the only one that libvirt lists, and types mtty-uart etc. (default N)");

static int __init ferry_mdev_init(void)
{
	int ret;

	if (libvirt)
		ferry_class.name = "mtty";
	ret = ferry_work_setup();
	if (ret)
		return ret;
	ret = class_register(&ferry_class);
	if (ret)
		ferry_work_cleanup();
	return ret;
}

static void __exit ferry_mdev_exit(void)
{
	class_unregister(&ferry_class);
	ferry_work_cleanup();
}

module_init(ferry_mdev_init);
module_exit(ferry_mdev_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("Ferry developers");
MODULE_DESCRIPTION("Ferry: mediated PCI devices from models");
MODULE_VERSION(FERRY_VERSION);
