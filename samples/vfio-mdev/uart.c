// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI serial card with one 16550A port and a loopback plug in its connector:
 * what is sent comes back, RTS is wired to CTS, and DTR to DSR and DCD. Linux
 * drives it with 8250_pci, which knows it by its class.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#include <ferry/model.h>

#include "uart.h"

#define UART_DIVISOR_RESET	12	/* 9600 baud */

static u64 uart_read(struct ferry_instance *inst, unsigned int bar, u64 off,
		     unsigned int width)
{
	struct uart *u = ferry_instance_state(inst);
	u8 value;

	spin_lock_irq(&u->lock);
	value = uart_port_read(u, off);
	uart_line_update(u);
	spin_unlock_irq(&u->lock);
	return value;
}

static void uart_write(struct ferry_instance *inst, unsigned int bar, u64 off,
		       unsigned int width, u64 value)
{
	struct uart *u = ferry_instance_state(inst);

	spin_lock_irq(&u->lock);
	uart_port_write(u, off, value);
	uart_line_update(u);
	spin_unlock_irq(&u->lock);
}

static int uart_create(struct ferry_instance *inst)
{
	struct uart *u = ferry_instance_state(inst);

	u->inst = inst;
	uart_line_init(u);
	return 0;
}

static void uart_reset(struct ferry_instance *inst)
{
	struct uart *u = ferry_instance_state(inst);

	uart_line_stop(u);
	memset_startat(u, 0, ticking);
	u->divisor = UART_DIVISOR_RESET;
}

/* Neither ID is anybody's; the class is what drivers go by. */
static const struct ferry_model uart_model = {
	.name = "uart",
	.pretty_name = "Ferry UART",
	.description = "PCI serial card with one 16550A port in loopback",
	.vendor = 0x4665,
	.device = 0x5501,
	.subsystem_vendor = 0x4665,
	.subsystem_device = 0x5501,
	.class = PCI_CLASS_COMMUNICATION_SERIAL << 8 | 0x02,
	.bars[0] = {
		.size = 8,
		.flags = PCI_BASE_ADDRESS_SPACE_IO,
		.max_width = 1,
	},
	.intx = true,
	.msi = 1,
	.state_size = sizeof(struct uart),
	.create = uart_create,
	.reset = uart_reset,
	.read = uart_read,
	.write = uart_write,
};

static unsigned int max_instances = 64;
module_param(max_instances, uint, 0444);
MODULE_PARM_DESC(max_instances, "How many instances there may be at once (default 64)");

static struct ferry_parent *uart_parent;

static int __init uart_init(void)
{
	uart_parent = ferry_parent_register("ferry-uart", THIS_MODULE,
					    &uart_model, 1, max_instances);
	return PTR_ERR_OR_ZERO(uart_parent);
}

static void __exit uart_exit(void)
{
	ferry_parent_unregister(uart_parent);
}

module_init(uart_init);
module_exit(uart_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("Ferry developers");
MODULE_DESCRIPTION("Ferry: a PCI serial card as a mediated device");
MODULE_VERSION(FERRY_VERSION);
