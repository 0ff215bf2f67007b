// SPDX-License-Identifier: GPL-2.0-only
/*
 * A card: its ports, which share an interrupt, and what is in their connectors.
 *
 * A tty may stay open for as long as its user likes. So the card is no part of
 * the instance's state, which only points to it: it lives until the instance
 * and the last of its ttys have gone.
 */
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/kstrtox.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <ferry/model.h>

#include "uart.h"

#define UART_DIVISOR_RESET	12	/* 9600 baud */

/* Cards are numbered, lest their ttys change their names with other cards. */
static DEFINE_IDA(slots);

/**
 * uart_card_of - find the card of an instance
 * @inst: the instance
 *
 * Return: the card.
 */
struct uart_card *uart_card_of(struct ferry_instance *inst)
{
	return *(struct uart_card **)ferry_instance_state(inst);
}

/**
 * uart_card_update - tell whether any port has a reason to interrupt
 * @card: the card, locked, with its instance
 */
void uart_card_update(struct uart_card *card)
{
	bool level = false;
	unsigned int i;

	for (i = 0; i < card->ports; i++)
		level |= uart_port_cause(&card->port[i]) != UART_IIR_NO_INT;
	ferry_instance_set_level(card->inst, level);
}

/**
 * uart_card_read - a driver reads a register; see &struct ferry_model
 * @inst: the instance
 * @bar: the only one
 * @off: register and port
 * @width: 1
 *
 * Return: the value.
 */
u64 uart_card_read(struct ferry_instance *inst, unsigned int bar, u64 off,
		   unsigned int width)
{
	struct uart_card *card = uart_card_of(inst);
	struct uart *u = &card->port[off / UART_REGISTERS];
	bool changed;
	u8 value;

	spin_lock_irq(&card->lock);
	value = uart_port_read(u, off % UART_REGISTERS, &changed);
	if (changed)
		uart_line_update(u);
	spin_unlock_irq(&card->lock);
	return value;
}

/**
 * uart_card_write - a driver writes a register; see &struct ferry_model
 * @inst: the instance
 * @bar: the only one
 * @off: register and port
 * @width: 1
 * @value: what it writes
 */
void uart_card_write(struct ferry_instance *inst, unsigned int bar, u64 off,
		     unsigned int width, u64 value)
{
	struct uart_card *card = uart_card_of(inst);
	struct uart *u = &card->port[off / UART_REGISTERS];

	spin_lock_irq(&card->lock);
	u->used = true;
	uart_port_write(u, off % UART_REGISTERS, value);
	uart_line_update(u);
	spin_unlock_irq(&card->lock);
}

static void card_release(struct kref *ref)
{
	struct uart_card *card = container_of(ref, struct uart_card, ref);

	ida_free(&slots, card->slot);
	kfree(card->port);
	kfree(card);
}

/**
 * uart_card_put - somebody has done with a card
 * @card: the card
 */
void uart_card_put(struct uart_card *card)
{
	kref_put(&card->ref, card_release);
}

static struct uart_card *card_alloc(struct ferry_instance *inst,
				    unsigned int ports)
{
	struct uart_card *card;
	unsigned int i;
	int slot;

	card = kzalloc(sizeof(*card), GFP_KERNEL_ACCOUNT);
	if (!card)
		return ERR_PTR(-ENOMEM);
	card->port = kcalloc(ports, sizeof(*card->port), GFP_KERNEL_ACCOUNT);
	if (!card->port) {
		slot = -ENOMEM;
		goto err_free;
	}
	slot = ida_alloc_max(&slots, uart_node_cards() - 1, GFP_KERNEL);
	if (slot == -ENOSPC)
		pr_err("ferry-uart: no numbers left for ttys: some of removed cards are still open\n");
	if (slot < 0)
		goto err_free;

	kref_init(&card->ref);
	spin_lock_init(&card->lock);
	card->inst = inst;
	card->plug = true;
	card->slot = slot;
	card->ports = ports;
	for (i = 0; i < ports; i++) {
		card->port[i].card = card;
		uart_line_init(&card->port[i]);
		uart_end_init(&card->port[i].end);
	}
	return card;

err_free:
	kfree(card->port);
	kfree(card);
	return ERR_PTR(slot);
}

/**
 * uart_card_create - make the card of a new instance
 * @inst: the instance
 * @ports: how many ports it has
 *
 * Return: 0 or a negative errno.
 */
int uart_card_create(struct ferry_instance *inst, unsigned int ports)
{
	struct uart_card *card = card_alloc(inst, ports);
	unsigned int i;
	int ret;

	if (IS_ERR(card))
		return PTR_ERR(card);
	*(struct uart_card **)ferry_instance_state(inst) = card;
	for (i = 0; i < ports; i++) {
		kref_get(&card->ref);
		ret = uart_node_add(&card->port[i].end,
				    card->slot * UART_MAX_PORTS + i,
				    ferry_instance_device(inst));
		if (ret)
			goto err_remove;
	}
	return 0;

err_remove:
	card->ports = i;
	uart_card_destroy(inst);
	return ret;
}

/**
 * uart_card_destroy - the instance goes; ttys that are open are hung up
 * @inst: the instance
 */
void uart_card_destroy(struct ferry_instance *inst)
{
	struct uart_card *card = uart_card_of(inst);
	unsigned int i;

	spin_lock_irq(&card->lock);
	card->inst = NULL;
	spin_unlock_irq(&card->lock);
	for (i = 0; i < card->ports; i++) {
		uart_line_stop(&card->port[i]);
		uart_node_remove(&card->port[i].end);
	}
	uart_card_put(card);
}

/**
 * uart_card_reset - all ports as power-on finds them
 * @inst: the instance
 *
 * Who is at the other end of a cable stays there, and so does what they say.
 */
void uart_card_reset(struct ferry_instance *inst)
{
	struct uart_card *card = uart_card_of(inst);
	struct uart *const end = card->port + card->ports;
	struct uart *u;

	for (u = card->port; u < end; u++)
		uart_line_stop(u);
	spin_lock_irq(&card->lock);
	for (u = card->port; u < end; u++) {
		memset_startat(u, 0, sending);
		u->divisor = UART_DIVISOR_RESET;
		uart_end_lines(&u->end);
		uart_port_lines(u);
		/* Lines are where they are; that is no change. */
		u->msr &= ~UART_MSR_ANY_DELTA;
	}
	/* The other end may have raised the level meanwhile. */
	uart_card_update(card);
	spin_unlock_irq(&card->lock);
}

static ssize_t loopback_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct uart_card *card = uart_card_of(ferry_instance_of(dev));

	return sysfs_emit(buf, "%u\n", READ_ONCE(card->plug));
}

static ssize_t loopback_store(struct device *dev, struct device_attribute *attr,
			      const char *buf, size_t count)
{
	struct uart_card *card = uart_card_of(ferry_instance_of(dev));
	struct uart *u;
	bool plug;
	int ret;

	ret = kstrtobool(buf, &plug);
	if (ret)
		return ret;
	spin_lock_irq(&card->lock);
	WRITE_ONCE(card->plug, plug);
	for (u = card->port; u < card->port + card->ports; u++) {
		uart_end_lines(&u->end);
		uart_port_lines(u);
		uart_line_update(u);
	}
	spin_unlock_irq(&card->lock);
	return count;
}
static DEVICE_ATTR_RW(loopback);

static struct attribute *card_attrs[] = {
	&dev_attr_loopback.attr,
	NULL,
};

static const struct attribute_group card_group = {
	.attrs = card_attrs,
};

const struct attribute_group *uart_card_groups[] = {
	&card_group,
	NULL,
};
