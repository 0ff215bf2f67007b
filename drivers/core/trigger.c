// SPDX-License-Identifier: GPL-2.0-only
/*
 * Triggers: slots that hold an eventfd, signalled under RCU and replaced at any
 * time.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include <ferry/irq.h>

#include "compat/compat.h"
#include "core.h"

/* An eventfd that waits for its last signaller. */
struct retired {
	struct rcu_head rcu;
	struct eventfd_ctx *ctx;
};

/**
 * ferry_trigger_get - look up a file descriptor of the caller
 * @fd: an eventfd, or a negative number for none
 * @ctx: where to put the eventfd, or %NULL for none
 *
 * Return: 0, -EBADF, or -EINVAL for a descriptor that is no eventfd.
 */
int ferry_trigger_get(int fd, struct eventfd_ctx **ctx)
{
	*ctx = NULL;
	if (fd < 0)
		return 0;

	*ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(*ctx)) {
		int ret = PTR_ERR(*ctx);

		*ctx = NULL;
		return ret;
	}
	return 0;
}

/**
 * ferry_trigger_put - let go of an eventfd that nobody signals any more
 * @ctx: the eventfd or %NULL
 */
void ferry_trigger_put(struct eventfd_ctx *ctx)
{
	if (ctx)
		eventfd_ctx_put(ctx);
}

static void retired_free(struct rcu_head *rcu)
{
	struct retired *retired = container_of(rcu, struct retired, rcu);

	eventfd_ctx_put(retired->ctx);
	kfree(retired);
}

/**
 * ferry_trigger_retire - let go of an eventfd that was in a slot until now
 * @ctx: the eventfd or %NULL; whoever signals it right now may finish
 *
 * Context: process context.
 */
void ferry_trigger_retire(struct eventfd_ctx *ctx)
{
	struct retired *retired;

	if (!ctx)
		return;
	retired = kmalloc(sizeof(*retired), GFP_KERNEL_ACCOUNT);
	if (!retired) {
		synchronize_rcu();
		eventfd_ctx_put(ctx);
		return;
	}
	retired->ctx = ctx;
	call_rcu(&retired->rcu, retired_free);
}

/**
 * ferry_trigger_signal - signal the eventfd that a slot holds, if any
 * @slot: the slot
 *
 * Context: any but NMI.
 * Return: whether there was one.
 */
bool ferry_trigger_signal(struct eventfd_ctx __rcu **slot)
{
	struct eventfd_ctx *ctx;

	rcu_read_lock();
	ctx = rcu_dereference(*slot);
	if (ctx)
		ferry_eventfd_signal(ctx);
	rcu_read_unlock();
	return ctx;
}
