// SPDX-License-Identifier: GPL-2.0-only
/*
 * ferry.ko: what every VFIO PCI device is made of, physical or virtual.
 */
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "compat/mapping.h"
#include "core/irq_stats.h"

static int __init ferry_init(void)
{
	int ret = ferry_mapping_setup();

	if (!ret)
		ferry_irq_stats_setup();
	return ret;
}

static void __exit ferry_exit(void)
{
	/* Triggers of the last device may still be on their way. */
	rcu_barrier();
	ferry_irq_stats_cleanup();
	ferry_mapping_cleanup();
}

module_init(ferry_init);
module_exit(ferry_exit);

MODULE_DESCRIPTION("Ferry: the core of VFIO PCI devices, physical and virtual");
MODULE_AUTHOR("Ferry developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(FERRY_VERSION);
