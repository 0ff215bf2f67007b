// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ttys that there are: /dev/ttyFY0 and up, four numbers for each card,
 * whatever it has. They are found under the instance in sysfs, too.
 */
#include <linux/err.h>
#include <linux/printk.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/tty_flip.h>
#include <linux/xarray.h>

#include "uart.h"

static struct tty_driver *node_driver;
/* Ends by number. Its lock keeps one that is found until there is a reference. */
static DEFINE_XARRAY(nodes);

/**
 * uart_node_cards - for how many cards there are numbers
 *
 * Return: how many.
 */
unsigned int uart_node_cards(void)
{
	return node_driver->num / UART_MAX_PORTS;
}

/**
 * uart_node_get - find the end that a tty belongs to
 * @number: of the tty
 *
 * Return: the end, with a reference to its tty_port, or %NULL.
 */
struct uart_end *uart_node_get(unsigned int number)
{
	struct uart_end *end;

	xa_lock(&nodes);
	end = xa_load(&nodes, number);
	if (end)
		tty_port_get(&end->tty);
	xa_unlock(&nodes);
	return end;
}

/**
 * uart_node_add - give a port its tty
 * @end: the host's end; its tty gives the caller's reference to the card back
 *	when it goes, also when this fails
 * @number: of the tty
 * @parent: the device that it shall be found under
 *
 * Return: 0 or a negative errno.
 */
int uart_node_add(struct uart_end *end, unsigned int number,
		  struct device *parent)
{
	struct device *dev;
	int ret;

	tty_port_init(&end->tty);
	end->tty.ops = &uart_open_ops;
	end->number = number;
	ret = xa_insert(&nodes, number, end, GFP_KERNEL);
	if (ret)
		goto err_put;
	dev = tty_port_register_device(&end->tty, node_driver, number, parent);
	if (IS_ERR(dev)) {
		ret = PTR_ERR(dev);
		goto err_erase;
	}
	return 0;

err_erase:
	xa_erase(&nodes, number);
err_put:
	tty_port_put(&end->tty);
	return ret;
}

/**
 * uart_node_remove - take a port's tty away
 * @end: the host's end; whoever has it open is hung up
 *
 * The instance has left the card already: who waits for what he has written to
 * be sent must not wait any more, and who is about to open the tty fails.
 */
void uart_node_remove(struct uart_end *end)
{
	struct uart_card *card = end_uart(end)->card;

	xa_erase(&nodes, end->number);
	spin_lock_irq(&card->lock);
	if (end->open)
		kfifo_reset(&end->tty.xmit_fifo);
	spin_unlock_irq(&card->lock);
	tty_port_tty_wakeup(&end->tty);
	tty_port_tty_vhangup(&end->tty);
	tty_unregister_device(node_driver, end->number);
	tty_port_put(&end->tty);
}

/**
 * uart_node_init - announce the ttys
 * @cards: how many there may be
 *
 * Return: 0 or a negative errno.
 */
int __init uart_node_init(unsigned int cards)
{
	struct ktermios *termios;
	int ret;

	if (!cards || cards > UART_MAX_CARDS) {
		pr_err("ferry-uart: max_instances=%u: must be 1 to %u\n", cards,
		       UART_MAX_CARDS);
		return -EINVAL;
	}
	node_driver = tty_alloc_driver(cards * UART_MAX_PORTS,
				       TTY_DRIVER_DYNAMIC_DEV);
	if (IS_ERR(node_driver))
		return PTR_ERR(node_driver);
	node_driver->driver_name = "ferry-uart";
	node_driver->name = "ttyFY";
	node_driver->type = TTY_DRIVER_TYPE_SERIAL;
	node_driver->subtype = SERIAL_TYPE_NORMAL;
	termios = &node_driver->init_termios;
	*termios = tty_std_termios;
	termios->c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
	termios->c_ispeed = UART_BAUD_MAX;
	termios->c_ospeed = UART_BAUD_MAX;
	tty_set_operations(node_driver, &uart_tty_ops);
	ret = tty_register_driver(node_driver);
	if (ret)
		tty_driver_kref_put(node_driver);
	return ret;
}

/**
 * uart_node_exit - undo uart_node_init(); no port is left
 */
void uart_node_exit(void)
{
	tty_unregister_driver(node_driver);
	tty_driver_kref_put(node_driver);
}
