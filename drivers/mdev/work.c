// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work: what a device does by itself, in a worker of the kernel.
 *
 * There is one work item for each instance, so its model's callback never runs twice at
 * once. Whoever has to have it quiet stops it for a reason and waits, which must not be
 * done with a lock that the work may need: it takes the locks of guest memory, mmap_lock
 * among them, and the gates of other instances whose memory the guest has pointed it to.
 */
#include <linux/export.h>
#include <linux/jiffies.h>

#include "mdev.h"

/*
 * A queue runs some hundreds of items at once. Who goes on for longer than this goes behind
 * those that wait.
 */
#define SLICE_MS	10

static struct workqueue_struct *workers;

static void run(struct work_struct *item)
{
	struct ferry_instance *inst =
		container_of(to_delayed_work(item), struct ferry_instance,
			     work.run);
	struct ferry_work *work = &inst->work;

	work->until = jiffies + msecs_to_jiffies(SLICE_MS);
	work->unfinished = false;
	if (!READ_ONCE(work->stopped))
		inst->model->work(inst);
	/* A worker that always finds work never sleeps, and who changes code waits for that. */
	cond_resched_tasks_rcu_qs();
	spin_lock_irq(&work->lock);
	if (work->stopped)
		work->wanted = true;
	else if (work->unfinished)
		mod_delayed_work(workers, &work->run, 0);
	spin_unlock_irq(&work->lock);
}

/**
 * ferry_instance_kick - there is work to do
 * @inst: an instance of a model with &ferry_model.work
 *
 * The callback runs once more after this, from its beginning, soon, in process context
 * and with no lock of the kit's held; not twice at once for one instance. While the
 * instance is closed, being reset or migrated, mustn't master the bus or is asleep, it
 * doesn't: it runs after that. What was asked for before a reset, or by the last user, may
 * run after it once more and has to find nothing to do.
 *
 * It may access guest memory, which nobody else may, and sleep for that. It looks at
 * ferry_instance_stopping() every few milliseconds of work, and where that is true
 * returns with whatever is left to do in the instance's state, and is
 * run again when it may go on. It takes no lock that is held where a callback of the model
 * could wait for guest memory or the work itself.
 *
 * Context: any but NMI.
 */
void ferry_instance_kick(struct ferry_instance *inst)
{
	ferry_instance_kick_after(inst, 0);
}
EXPORT_SYMBOL_GPL(ferry_instance_kick);

/**
 * ferry_instance_kick_after - there will be work to do
 * @inst: as ferry_instance_kick()
 * @ms: milliseconds until then, at least, unless it is asked for earlier
 *
 * The time may be cut short by a reset, or by whatever else stops the work or ends its turn.
 *
 * Context: any but NMI.
 */
void ferry_instance_kick_after(struct ferry_instance *inst, unsigned int ms)
{
	struct ferry_work *work = &inst->work;
	unsigned long flags;

	spin_lock_irqsave(&work->lock, flags);
	if (work->stopped)
		work->wanted = true;
	else if (ms)
		queue_delayed_work(workers, &work->run, msecs_to_jiffies(ms));
	else
		mod_delayed_work(workers, &work->run, 0);
	spin_unlock_irqrestore(&work->lock, flags);
}
EXPORT_SYMBOL_GPL(ferry_instance_kick_after);

/**
 * ferry_instance_stopping - does somebody wait for the work to return?
 * @inst: the instance, whose work asks, and nobody else
 *
 * That may be others who have work to do, too.
 *
 * Context: process context, in &ferry_model.work.
 * Return: whether it has to return soon.
 */
bool ferry_instance_stopping(struct ferry_instance *inst)
{
	struct ferry_work *work = &inst->work;

	if (time_after(jiffies, work->until))
		work->unfinished = true;
	return work->unfinished || READ_ONCE(work->stopped);
}
EXPORT_SYMBOL_GPL(ferry_instance_stopping);

/**
 * ferry_work_stop - the model's work must not run
 * @inst: the instance
 * @reason: why; nobody else stops it for the same reason meanwhile
 *
 * On return it doesn't run, and nothing of guest memory is pinned.
 *
 * Context: process context, without the gate; config_lock may be held.
 */
void ferry_work_stop(struct ferry_instance *inst,
		     enum ferry_work_reason reason)
{
	struct ferry_work *work = &inst->work;

	spin_lock_irq(&work->lock);
	WRITE_ONCE(work->stopped, work->stopped | BIT(reason));
	spin_unlock_irq(&work->lock);
	if (!cancel_delayed_work_sync(&work->run))
		return;
	spin_lock_irq(&work->lock);
	work->wanted = true;
	spin_unlock_irq(&work->lock);
}

/**
 * ferry_work_start - the model's work may run as far as this reason is concerned
 * @inst: the instance
 * @reason: what ferry_work_stop() was told
 *
 * If no other reason holds, work that was kicked, or stopped before it was done, goes on.
 *
 * Context: process context.
 */
void ferry_work_start(struct ferry_instance *inst,
		      enum ferry_work_reason reason)
{
	struct ferry_work *work = &inst->work;

	spin_lock_irq(&work->lock);
	WRITE_ONCE(work->stopped, work->stopped & ~BIT(reason));
	if (!work->stopped && work->wanted) {
		work->wanted = false;
		mod_delayed_work(workers, &work->run, 0);
	}
	spin_unlock_irq(&work->lock);
}

/**
 * ferry_work_init - nobody has the instance open
 * @inst: a new instance
 */
void ferry_work_init(struct ferry_instance *inst)
{
	spin_lock_init(&inst->work.lock);
	INIT_DELAYED_WORK(&inst->work.run, run);
	inst->work.stopped = BIT(WORK_CLOSED);
}

/**
 * ferry_work_setup - get workers
 *
 * Return: 0 or -ENOMEM.
 */
int ferry_work_setup(void)
{
	/* It copies memory for long: not on a processor's own worker. */
	workers = alloc_workqueue("ferry", WQ_UNBOUND, 0);
	return workers ? 0 : -ENOMEM;
}

/**
 * ferry_work_cleanup - undo ferry_work_setup()
 */
void ferry_work_cleanup(void)
{
	destroy_workqueue(workers);
}
