// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI serial card with one, two or four 16550A ports, each with a loopback
 * plug in its connector (what is sent comes back, RTS is wired to CTS, and DTR
 * to DSR and DCD) or with a cable to a tty of the host.
 *
 * Linux drives it with 8250_pci, which knows it by its class and takes a single
 * I/O BAR for as many ports as it has times eight bytes.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/pci.h>

#include <ferry/model.h>

#include "uart.h"

static int create_1(struct ferry_instance *inst)
{
	return uart_card_create(inst, 1);
}

static int create_2(struct ferry_instance *inst)
{
	return uart_card_create(inst, 2);
}

static int create_4(struct ferry_instance *inst)
{
	return uart_card_create(inst, 4);
}

/* None of the IDs is anybody's; the class is what drivers go by. */
#define UART_MODEL							\
	.vendor = 0x4665,						\
	.subsystem_vendor = 0x4665,					\
	.class = PCI_CLASS_COMMUNICATION_SERIAL << 8 | 0x02,		\
	.bars[0].flags = PCI_BASE_ADDRESS_SPACE_IO,			\
	.bars[0].max_width = 1,						\
	.intx = true,							\
	.msi = 1,							\
	.state_size = sizeof(struct uart_card *),			\
	.groups = uart_card_groups,					\
	.destroy = uart_card_destroy,					\
	.reset = uart_card_reset,					\
	.read = uart_card_read,						\
	.write = uart_card_write,					\
	.state_version = UART_STATE_VERSION,				\
	.pause = uart_state_pause,					\
	.resume = uart_state_resume,					\
	.save = uart_state_save,					\
	.validate = uart_state_validate,				\
	.load = uart_state_load

static const struct ferry_model uart_models[] = {
	{
		UART_MODEL,
		.name = "uart",
		.pretty_name = "Ferry UART",
		.description = "PCI serial card with one 16550A port",
		.device = 0x5501,
		.subsystem_device = 0x5501,
		.bars[0].size = UART_REGISTERS,
		.save_size = UART_STATE_SIZE(1),
		.create = create_1,
	}, {
		UART_MODEL,
		.name = "uart-2",
		.pretty_name = "Ferry UART, 2 ports",
		.description = "PCI serial card with two 16550A ports",
		.device = 0x5502,
		.subsystem_device = 0x5502,
		.bars[0].size = 2 * UART_REGISTERS,
		.save_size = UART_STATE_SIZE(2),
		.create = create_2,
	}, {
		UART_MODEL,
		.name = "uart-4",
		.pretty_name = "Ferry UART, 4 ports",
		.description = "PCI serial card with four 16550A ports",
		.device = 0x5504,
		.subsystem_device = 0x5504,
		.bars[0].size = 4 * UART_REGISTERS,
		.save_size = UART_STATE_SIZE(4),
		.create = create_4,
	},
};

static unsigned int max_instances = 64;
module_param(max_instances, uint, 0444);
MODULE_PARM_DESC(max_instances, "How many instances there may be at once, up to 4096 (default 64)");

static struct ferry_parent *uart_parent;

static int __init uart_init(void)
{
	int ret;

	ret = uart_node_init(max_instances);
	if (ret)
		return ret;
	uart_parent = ferry_parent_register("ferry-uart", THIS_MODULE,
					    uart_models,
					    ARRAY_SIZE(uart_models),
					    max_instances);
	if (IS_ERR(uart_parent))
		uart_node_exit();
	return PTR_ERR_OR_ZERO(uart_parent);
}

static void __exit uart_exit(void)
{
	ferry_parent_unregister(uart_parent);
	uart_node_exit();
}

module_init(uart_init);
module_exit(uart_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("Ferry developers");
MODULE_DESCRIPTION("Ferry: a PCI serial card as a mediated device");
MODULE_VERSION(FERRY_VERSION);
