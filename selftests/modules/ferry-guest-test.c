// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model that does nothing but access guest memory, for tests of how it may.
 *
 * Registers of BAR 0, eight bytes wide: what to do (GUEST_*), addresses, a length; the
 * negative errno it ended with, and how often it was done; how often the kit has called.
 */
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <ferry/model.h>

#define COMMAND		0x00
#define SOURCE		0x08
#define DESTINATION	0x10
#define LENGTH		0x18
#define ERROR		0x20
#define ROUNDS		0x28
#define CALLS		0x30

/* Copy through a buffer, or between pages that are pinned. */
#define GUEST_COPY	1
#define GUEST_PIN_COPY	2
/* The low byte of the source, through pages that are pinned. */
#define GUEST_PIN_FILL	3
/* Over and over, whatever becomes of it, until another command is written. */
#define GUEST_AGAIN	0x100

#define BUFFER		3000

struct guest {
	u64 command;
	/* How often one was written, and which of these is being done, up to where. */
	u64 commands;
	u64 doing;
	u64 at;
	u64 source;
	u64 destination;
	u64 length;
	s64 error;
	u64 rounds;
	u64 calls;
	u8 *buffer;
	struct ferry_guest_range from;
	struct ferry_guest_range to;
};

static int copy(struct ferry_instance *inst, struct guest *g, u64 at, u64 *len)
{
	int ret;

	*len = min_t(u64, *len, BUFFER);
	ret = ferry_guest_read(inst, g->source + at, g->buffer, *len);
	return ret ?: ferry_guest_write(inst, g->destination + at, g->buffer,
					*len);
}

/* What is pinned of either; 0 or -EAGAIN if the guest takes it away. */
static int copy_pages(struct guest *g, u64 len)
{
	size_t from_len, to_len, n;
	void *from, *to;
	u64 at;

	for (at = 0; at < len; at += n) {
		from = ferry_guest_map(&g->from, at, &from_len);
		if (!from)
			return -EAGAIN;
		to = ferry_guest_map(&g->to, at, &to_len);
		if (!to) {
			ferry_guest_unmap(from);
			return -EAGAIN;
		}
		n = min3(from_len, to_len, (size_t)(len - at));
		memmove(to, from, n);
		ferry_guest_unmap(to);
		ferry_guest_unmap(from);
	}
	return 0;
}

static int pin_copy(struct ferry_instance *inst, struct guest *g, u64 at,
		    u64 *len)
{
	int ret;

	ret = ferry_guest_pin(inst, g->source + at, *len, false, &g->from);
	if (ret)
		return ret;
	ret = ferry_guest_pin(inst, g->destination + at, g->from.len, true,
			      &g->to);
	if (!ret) {
		*len = g->to.len;
		ret = copy_pages(g, *len);
		ferry_guest_unpin(inst, &g->to);
	}
	ferry_guest_unpin(inst, &g->from);
	return ret;
}

static int pin_fill(struct ferry_instance *inst, struct guest *g, u64 at,
		    u64 *len)
{
	size_t n;
	void *to;
	int ret;
	u64 i;

	ret = ferry_guest_pin(inst, g->destination + at, *len, true, &g->to);
	if (ret)
		return ret;
	*len = g->to.len;
	for (i = 0; i < *len && !ret; i += n) {
		to = ferry_guest_map(&g->to, i, &n);
		if (!to) {
			ret = -EAGAIN;
			break;
		}
		memset(to, g->source, n);
		ferry_guest_unmap(to);
	}
	ferry_guest_unpin(inst, &g->to);
	return ret;
}

static int step(struct ferry_instance *inst, struct guest *g, u64 command,
		u64 at, u64 *len)
{
	switch (command & ~GUEST_AGAIN) {
	case GUEST_COPY:
		return copy(inst, g, at, len);
	case GUEST_PIN_COPY:
		return pin_copy(inst, g, at, len);
	case GUEST_PIN_FILL:
		return pin_fill(inst, g, at, len);
	default:
		return -EINVAL;
	}
}

/* Goes on where it was when it had to stop, which is -EINTR. */
static int once(struct ferry_instance *inst, struct guest *g, u64 command)
{
	u64 len;
	int ret;

	for (; g->at < g->length; g->at += len) {
		if (ferry_instance_stopping(inst))
			return -EINTR;
		len = g->length - g->at;
		ret = step(inst, g, command, g->at, &len);
		if (ret)
			return ret;
	}
	return 0;
}

static void guest_work(struct ferry_instance *inst)
{
	struct guest *g = ferry_instance_state(inst);
	u64 command, commands;
	int ret;

	WRITE_ONCE(g->calls, g->calls + 1);
	do {
		commands = READ_ONCE(g->commands);
		command = READ_ONCE(g->command);
		if (!command)
			return;
		if (commands != g->doing)
			g->at = 0;
		g->doing = commands;
		ret = once(inst, g, command);
		if (ret == -EINTR)
			return;
		g->at = 0;
		g->error = ret;
		g->rounds++;
		cond_resched();
	} while ((command & GUEST_AGAIN) && !ferry_instance_stopping(inst));
	if (!(command & GUEST_AGAIN))
		cmpxchg(&g->command, command, 0);
}

static int guest_create(struct ferry_instance *inst)
{
	struct guest *g = ferry_instance_state(inst);

	g->buffer = kmalloc(BUFFER, GFP_KERNEL);
	return g->buffer ? 0 : -ENOMEM;
}

static void guest_destroy(struct ferry_instance *inst)
{
	struct guest *g = ferry_instance_state(inst);

	kfree(g->buffer);
}

static void guest_reset(struct ferry_instance *inst)
{
	struct guest *g = ferry_instance_state(inst);

	g->command = 0;
	g->error = 0;
	g->rounds = 0;
}

static u64 guest_read(struct ferry_instance *inst, unsigned int bar, u64 off,
		      unsigned int width)
{
	struct guest *g = ferry_instance_state(inst);

	switch (off) {
	case COMMAND:
		return READ_ONCE(g->command);
	case ERROR:
		return READ_ONCE(g->error);
	case ROUNDS:
		return READ_ONCE(g->rounds);
	case CALLS:
		return READ_ONCE(g->calls);
	default:
		return 0;
	}
}

/* Addresses are written while it is idle. */
static void guest_write(struct ferry_instance *inst, unsigned int bar, u64 off,
			unsigned int width, u64 value)
{
	struct guest *g = ferry_instance_state(inst);

	switch (off) {
	case COMMAND:
		WRITE_ONCE(g->command, value);
		WRITE_ONCE(g->commands, g->commands + 1);
		ferry_instance_kick(inst);
		break;
	case SOURCE:
		g->source = value;
		break;
	case DESTINATION:
		g->destination = value;
		break;
	case LENGTH:
		g->length = value;
		break;
	}
}

static const struct ferry_model guest_model = {
	.name = "guest",
	.pretty_name = "Guest memory",
	.description = "Copies and fills guest memory",
	.vendor = 0x4665,
	.device = 0xa12,
	.class = PCI_CLASS_OTHERS << 16,
	.express = true,
	.bars[0] = { .size = 4096, .max_width = 8 },
	.bars[2] = {
		.size = 2 * PAGE_SIZE,
		.flags = PCI_BASE_ADDRESS_MEM_TYPE_64 |
			 PCI_BASE_ADDRESS_MEM_PREFETCH,
		.max_width = 8,
		.mapped[0] = { .start = 0, .size = 2 * PAGE_SIZE },
	},
	.state_size = sizeof(struct guest),
	.create = guest_create,
	.destroy = guest_destroy,
	.reset = guest_reset,
	.read = guest_read,
	.write = guest_write,
	.work = guest_work,
};

static struct ferry_parent *guest_parent;

static int __init guest_init(void)
{
	guest_parent = ferry_parent_register("ferry-guest-test", THIS_MODULE,
					     &guest_model, 1, 16);
	return PTR_ERR_OR_ZERO(guest_parent);
}

static void __exit guest_exit(void)
{
	ferry_parent_unregister(guest_parent);
}

module_init(guest_init);
module_exit(guest_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("Ferry developers");
MODULE_DESCRIPTION("Ferry: a model that accesses guest memory, for tests");
MODULE_VERSION(FERRY_VERSION);
