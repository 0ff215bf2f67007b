// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's ends of cables, which have no ttys here.
 */
#include <borrowed.h>
#include <linux/serial_reg.h>

#include "uart.h"

int uart_node_init(unsigned int cards)
{
	return 0;
}

void uart_node_exit(void)
{
}

unsigned int uart_node_cards(void)
{
	return UART_MAX_CARDS;
}

int uart_node_add(struct uart_end *end, unsigned int number,
		  struct device *dev)
{
	return 0;
}

void uart_node_remove(struct uart_end *end)
{
	hrtimer_cancel(&end->wire);
	uart_card_put(end_uart(end)->card);
}
