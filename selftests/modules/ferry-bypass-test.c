// SPDX-License-Identifier: GPL-2.0-only
/*
 * An irq_bypass consumer that only watches.
 *
 * Each open file of /dev/ferry-bypass-test is a consumer. Writing the decimal
 * number of an eventfd registers it for that eventfd; reading tells whether
 * a producer is paired with it, with which interrupt, and how often pairs
 * were made and parted; closing unregisters it.
 */
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/irqbypass.h>
#include <linux/kstrtox.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

/**
 * struct watcher - one open file
 * @consumer: what is registered with irqbypass
 * @lock: protects everything here; taken inside irqbypass's own lock by its
 *	callbacks, and so never held across a call into irqbypass
 * @ctx: the eventfd that the consumer is registered for, or NULL
 * @busy: somebody is registering
 * @irq: the Linux interrupt of the paired producer, 0 without one
 * @pairings: how many producers were paired with this consumer
 * @partings: how many of them left
 */
struct watcher {
	struct irq_bypass_consumer consumer;
	struct mutex lock; /* of everything below */
	struct eventfd_ctx *ctx;
	bool busy;
	int irq;
	unsigned int pairings;
	unsigned int partings;
};

static int watcher_add_producer(struct irq_bypass_consumer *consumer,
				struct irq_bypass_producer *producer)
{
	struct watcher *w = container_of(consumer, struct watcher, consumer);

	mutex_lock(&w->lock);
	w->irq = producer->irq;
	w->pairings++;
	mutex_unlock(&w->lock);
	return 0;
}

static void watcher_del_producer(struct irq_bypass_consumer *consumer,
				 struct irq_bypass_producer *producer)
{
	struct watcher *w = container_of(consumer, struct watcher, consumer);

	mutex_lock(&w->lock);
	w->irq = 0;
	w->partings++;
	mutex_unlock(&w->lock);
}

/* The token was a member before it became an argument. */
static int watcher_register(struct watcher *w, struct eventfd_ctx *ctx)
{
#ifdef FERRY_HAVE_IRQ_BYPASS_EVENTFD_ARG
	return irq_bypass_register_consumer(&w->consumer, ctx);
#else
	w->consumer.token = ctx;
	return irq_bypass_register_consumer(&w->consumer);
#endif
}

static int watcher_open(struct inode *inode, struct file *file)
{
	struct watcher *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (!w)
		return -ENOMEM;
	mutex_init(&w->lock);
	w->consumer.add_producer = watcher_add_producer;
	w->consumer.del_producer = watcher_del_producer;
	file->private_data = w;
	return 0;
}

static int watcher_release(struct inode *inode, struct file *file)
{
	struct watcher *w = file->private_data;

	if (w->ctx) {
		irq_bypass_unregister_consumer(&w->consumer);
		eventfd_ctx_put(w->ctx);
	}
	mutex_destroy(&w->lock);
	kfree(w);
	return 0;
}

static ssize_t watcher_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *pos)
{
	struct watcher *w = file->private_data;
	struct eventfd_ctx *ctx;
	int fd, ret;

	ret = kstrtoint_from_user(buf, count, 10, &fd);
	if (ret)
		return ret;
	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	mutex_lock(&w->lock);
	if (w->ctx || w->busy) {
		mutex_unlock(&w->lock);
		ret = -EBUSY;
		goto err_put;
	}
	w->busy = true;
	mutex_unlock(&w->lock);

	ret = watcher_register(w, ctx);

	mutex_lock(&w->lock);
	w->busy = false;
	if (!ret)
		w->ctx = ctx;
	mutex_unlock(&w->lock);
	if (!ret)
		return count;
err_put:
	eventfd_ctx_put(ctx);
	return ret;
}

static ssize_t watcher_read(struct file *file, char __user *buf, size_t count,
			    loff_t *pos)
{
	struct watcher *w = file->private_data;
	char text[80];
	int len;

	mutex_lock(&w->lock);
	len = scnprintf(text, sizeof(text),
			"paired=%d irq=%d pairings=%u partings=%u\n",
			w->pairings != w->partings, w->irq, w->pairings,
			w->partings);
	mutex_unlock(&w->lock);
	return simple_read_from_buffer(buf, count, pos, text, len);
}

static const struct file_operations watcher_fops = {
	.owner = THIS_MODULE,
	.open = watcher_open,
	.release = watcher_release,
	.read = watcher_read,
	.write = watcher_write,
	.llseek = default_llseek,
};

static struct miscdevice watcher_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ferry-bypass-test",
	.fops = &watcher_fops,
	.mode = 0600,
};

module_misc_device(watcher_misc);

MODULE_DESCRIPTION("irq_bypass consumer that reports what it is paired with");
MODULE_AUTHOR("Ferry developers");
MODULE_LICENSE("GPL");
