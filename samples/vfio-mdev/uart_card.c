// SPDX-License-Identifier: GPL-2.0-only
/*
 * A card: its ports, which share an interrupt.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include <ferry/model.h>

#include "uart.h"

#define UART_DIVISOR_RESET	12	/* 9600 baud */

static struct uart_card *instance_card(struct ferry_instance *inst)
{
	return *(struct uart_card **)ferry_instance_state(inst);
}

/**
 * uart_card_update - tell whether any port has a reason to interrupt
 * @card: the card, locked
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
	struct uart_card *card = instance_card(inst);
	struct uart *u = &card->port[off / UART_REGISTERS];
	u8 value;

	spin_lock_irq(&card->lock);
	value = uart_port_read(u, off % UART_REGISTERS);
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
	struct uart_card *card = instance_card(inst);
	struct uart *u = &card->port[off / UART_REGISTERS];

	spin_lock_irq(&card->lock);
	uart_port_write(u, off % UART_REGISTERS, value);
	uart_line_update(u);
	spin_unlock_irq(&card->lock);
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
	struct uart_card *card;
	unsigned int i;

	card = kzalloc(struct_size(card, port, ports), GFP_KERNEL_ACCOUNT);
	if (!card)
		return -ENOMEM;
	spin_lock_init(&card->lock);
	card->inst = inst;
	card->ports = ports;
	for (i = 0; i < ports; i++) {
		card->port[i].card = card;
		uart_line_init(&card->port[i]);
	}
	*(struct uart_card **)ferry_instance_state(inst) = card;
	return 0;
}

/**
 * uart_card_destroy - the instance goes
 * @inst: the instance
 */
void uart_card_destroy(struct ferry_instance *inst)
{
	struct uart_card *card = instance_card(inst);
	unsigned int i;

	for (i = 0; i < card->ports; i++)
		uart_line_stop(&card->port[i]);
	kfree(card);
}

/**
 * uart_card_reset - all ports as power-on finds them
 * @inst: the instance
 */
void uart_card_reset(struct ferry_instance *inst)
{
	struct uart_card *card = instance_card(inst);
	struct uart *u;

	for (u = card->port; u < card->port + card->ports; u++) {
		uart_line_stop(u);
		memset_startat(u, 0, sending);
		u->divisor = UART_DIVISOR_RESET;
	}
}
