/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts of a device's interrupts, while somebody wants to see them.
 */
#ifndef FERRY_IRQ_STATS_H
#define FERRY_IRQ_STATS_H

#include <linux/jump_label.h>
#include <linux/ktime.h>

#include <ferry/device.h>

#include "core/trace.h"

DECLARE_STATIC_KEY_FALSE(ferry_irq_stats_on);

/* Does anybody watch interrupts at all, of whatever device? */
static __always_inline bool ferry_irqs_watched(void)
{
	return static_branch_unlikely(&ferry_irq_stats_on) ||
	       trace_ferry_interrupt_enabled();
}

void ferry_irq_seen(struct ferry_device *fdev, unsigned int index,
		    unsigned int vector, u64 since, bool signalled);

void ferry_irq_stats_setup(void);
void ferry_irq_stats_cleanup(void);

#endif /* FERRY_IRQ_STATS_H */
