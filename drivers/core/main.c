// SPDX-License-Identifier: GPL-2.0-only
/*
 * ferry.ko: what every VFIO PCI device is made of, physical or virtual.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "compat/mapping.h"

static int __init ferry_init(void)
{
	return ferry_mapping_setup();
}

static void __exit ferry_exit(void)
{
	/* Triggers of the last device may still be on their way. */
	rcu_barrier();
	ferry_mapping_cleanup();
}

module_init(ferry_init);
module_exit(ferry_exit);

MODULE_DESCRIPTION("Ferry: the core of VFIO PCI devices, physical and virtual");
MODULE_AUTHOR("Ferry developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(FERRY_VERSION);
