// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics of a device's interrupts in debugfs, ferry/<device>/interrupts: how many
 * there were of each vector, and how long it took from the handler's entry until the
 * eventfd was signalled; for each CPU.
 *
 * They are counted once somebody has written 1 to that file, until he writes 0. A device that
 * nobody has asked about costs a jump that isn't taken.
 */
#include <linux/bitops.h>
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "core/irq_stats.h"

/* The most that MSI-X has (PCI 3.0, 6.8.2.3). */
#define MAX_VECTORS	2048

/* Times below 2^FIRST_BIN ns, then by powers of two, and all that are longer. */
#define FIRST_BIN	7
#define NUM_BINS	16

/* Of one CPU, written by it alone. */
struct irq_counts {
	u64 intx;
	u64 latency[NUM_BINS];
	u64 vectors[MAX_VECTORS];
};

/**
 * struct ferry_irq_stats - what is counted of one device
 * @counts: the counts, for each CPU
 */
struct ferry_irq_stats {
	struct irq_counts __percpu *counts;
};

DEFINE_STATIC_KEY_FALSE(ferry_irq_stats_on);

static struct dentry *root;

/* Serialises switching on and off, and looking, of all devices. */
static DEFINE_MUTEX(stats_lock);

static unsigned int latency_bin(u64 ns)
{
	return clamp(fls64(ns), FIRST_BIN, FIRST_BIN + NUM_BINS - 1) - FIRST_BIN;
}

/**
 * ferry_irq_seen - an interrupt has been handled
 * @fdev: the device
 * @index: VFIO_PCI_INTX_IRQ_INDEX or one of those of messages
 * @vector: number of the vector
 * @since: when its handler was entered, by ktime_get_mono_fast_ns()
 * @signalled: whether an eventfd was signalled
 *
 * Context: any but NMI.
 */
void ferry_irq_seen(struct ferry_device *fdev, unsigned int index,
		    unsigned int vector, u64 since, bool signalled)
{
	u64 ns = ktime_get_mono_fast_ns() - since;
	struct ferry_irq_stats *stats;

	trace_ferry_interrupt(fdev, index, vector, signalled);

	rcu_read_lock();
	stats = rcu_dereference(fdev->irqs.stats);
	if (stats) {
		if (index == VFIO_PCI_INTX_IRQ_INDEX)
			this_cpu_inc(stats->counts->intx);
		else if (vector < MAX_VECTORS)
			this_cpu_inc(stats->counts->vectors[vector]);
		if (signalled)
			this_cpu_inc(stats->counts->latency[latency_bin(ns)]);
	}
	rcu_read_unlock();
}

static void stats_stop(struct ferry_device *fdev)
{
	struct ferry_irq_stats *stats;

	stats = rcu_replace_pointer(fdev->irqs.stats, NULL,
				    lockdep_is_held(&stats_lock));
	if (!stats)
		return;
	static_branch_dec(&ferry_irq_stats_on);
	synchronize_rcu();
	free_percpu(stats->counts);
	kfree(stats);
}

static int stats_start(struct ferry_device *fdev)
{
	struct ferry_irq_stats *stats;

	stats = kzalloc(sizeof(*stats), GFP_KERNEL);
	if (!stats)
		return -ENOMEM;
	stats->counts = alloc_percpu(struct irq_counts);
	if (!stats->counts) {
		kfree(stats);
		return -ENOMEM;
	}
	rcu_assign_pointer(fdev->irqs.stats, stats);
	static_branch_inc(&ferry_irq_stats_on);
	return 0;
}

/* The count at offset @at of struct irq_counts. */
static u64 count_of(const struct ferry_irq_stats *stats, int cpu, size_t at)
{
	return READ_ONCE(*(u64 *)((char *)per_cpu_ptr(stats->counts, cpu) + at));
}

/* One line, unless there is nothing to count. */
static void show_line(struct seq_file *file,
		      const struct ferry_irq_stats *stats, const char *name,
		      size_t at)
{
	u64 sum = 0;
	int cpu;

	for_each_online_cpu(cpu)
		sum += count_of(stats, cpu, at);
	if (!sum)
		return;
	seq_printf(file, "%-16s", name);
	for_each_online_cpu(cpu)
		seq_printf(file, " %10llu", count_of(stats, cpu, at));
	seq_putc(file, '\n');
}

static void show_vectors(struct seq_file *file,
			 const struct ferry_irq_stats *stats)
{
	char name[24];
	unsigned int i;

	show_line(file, stats, "intx", offsetof(struct irq_counts, intx));
	for (i = 0; i < MAX_VECTORS; i++) {
		snprintf(name, sizeof(name), "vector %u", i);
		show_line(file, stats, name,
			  offsetof(struct irq_counts, vectors[i]));
	}
}

static void show_latency(struct seq_file *file,
			 const struct ferry_irq_stats *stats)
{
	char name[24];
	unsigned int i;

	for (i = 0; i < NUM_BINS; i++) {
		snprintf(name, sizeof(name), "%s %llu ns",
			 i < NUM_BINS - 1 ? "below" : "from",
			 BIT_ULL(min(FIRST_BIN + i, FIRST_BIN + NUM_BINS - 2)));
		show_line(file, stats, name,
			  offsetof(struct irq_counts, latency[i]));
	}
}

static int interrupts_show(struct seq_file *file, void *unused)
{
	struct ferry_device *fdev = file->private;
	struct ferry_irq_stats *stats;
	int cpu;

	mutex_lock(&stats_lock);
	cpus_read_lock();
	stats = rcu_dereference_protected(fdev->irqs.stats,
					  lockdep_is_held(&stats_lock));
	if (!stats) {
		seq_puts(file, "off: write 1 to begin to count\n");
	} else {
		seq_printf(file, "%-16s", "");
		for_each_online_cpu(cpu)
			seq_printf(file, "       CPU%-3d", cpu);
		seq_putc(file, '\n');
		show_vectors(file, stats);
		show_latency(file, stats);
	}
	cpus_read_unlock();
	mutex_unlock(&stats_lock);
	return 0;
}

static int interrupts_open(struct inode *inode, struct file *file)
{
	return single_open(file, interrupts_show, inode->i_private);
}

/* 1 begins to count, from zero if it was on; 0 ends it. */
static ssize_t interrupts_write(struct file *file, const char __user *buf,
				size_t count, loff_t *ppos)
{
	struct ferry_device *fdev = file_inode(file)->i_private;
	bool on;
	int ret;

	ret = kstrtobool_from_user(buf, count, &on);
	if (ret)
		return ret;
	mutex_lock(&stats_lock);
	stats_stop(fdev);
	if (on)
		ret = stats_start(fdev);
	mutex_unlock(&stats_lock);
	return ret ? ret : count;
}

static const struct file_operations interrupts_fops = {
	.owner = THIS_MODULE,
	.open = interrupts_open,
	.read = seq_read,
	.write = interrupts_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * ferry_device_debugfs_init - show root what there is to know of a device
 * @fdev: a device that has been registered
 *
 * Context: process context.
 */
void ferry_device_debugfs_init(struct ferry_device *fdev)
{
	fdev->debug_dir = debugfs_create_dir(dev_name(fdev->vdev.dev), root);
	debugfs_create_file("interrupts", 0600, fdev->debug_dir, fdev,
			    &interrupts_fops);
}
EXPORT_SYMBOL_GPL(ferry_device_debugfs_init);

/**
 * ferry_device_debugfs_exit - undo ferry_device_debugfs_init()
 * @fdev: a device that has been unregistered
 *
 * Context: process context; waits for who is reading.
 */
void ferry_device_debugfs_exit(struct ferry_device *fdev)
{
	debugfs_remove(fdev->debug_dir);
	mutex_lock(&stats_lock);
	stats_stop(fdev);
	mutex_unlock(&stats_lock);
}
EXPORT_SYMBOL_GPL(ferry_device_debugfs_exit);

/**
 * ferry_irq_stats_setup - make the folder for all devices
 */
void __init ferry_irq_stats_setup(void)
{
	root = debugfs_create_dir("ferry", NULL);
}

/**
 * ferry_irq_stats_cleanup - undo ferry_irq_stats_setup()
 */
void ferry_irq_stats_cleanup(void)
{
	debugfs_remove(root);
}
