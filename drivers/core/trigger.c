// SPDX-License-Identifier: GPL-2.0-only
/*
 * Triggers: eventfds that are signalled under RCU and replaced at any time.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include <ferry/irq.h>

#include "compat/compat.h"
#include "core.h"

/**
 * ferry_trigger_get - a trigger for a file descriptor of the caller
 * @fd: an eventfd, or a negative number for none
 * @trigger: where to put the trigger, or %NULL for none
 *
 * Return: 0, -EBADF or -EINVAL for a descriptor that is no eventfd, -ENOMEM.
 */
int ferry_trigger_get(int fd, struct ferry_trigger **trigger)
{
	struct ferry_trigger *new;

	*trigger = NULL;
	if (fd < 0)
		return 0;

	new = kmalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(new->ctx)) {
		int ret = PTR_ERR(new->ctx);

		kfree(new);
		return ret;
	}
	*trigger = new;
	return 0;
}

static void trigger_free(struct rcu_head *rcu)
{
	struct ferry_trigger *trigger =
		container_of(rcu, struct ferry_trigger, rcu);

	eventfd_ctx_put(trigger->ctx);
	kfree(trigger);
}

/**
 * ferry_trigger_put - let go of a trigger that nothing points to any more
 * @trigger: the trigger or %NULL; whoever still signals it may finish
 */
void ferry_trigger_put(struct ferry_trigger *trigger)
{
	if (trigger)
		call_rcu(&trigger->rcu, trigger_free);
}

/**
 * ferry_trigger_signal - signal the trigger that a slot holds, if any
 * @slot: where a trigger pointer lives
 *
 * Context: any but NMI.
 */
void ferry_trigger_signal(struct ferry_trigger __rcu **slot)
{
	struct ferry_trigger *trigger;

	rcu_read_lock();
	trigger = rcu_dereference(*slot);
	if (trigger)
		ferry_eventfd_signal(trigger->ctx);
	rcu_read_unlock();
}
