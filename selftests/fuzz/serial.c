// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of the UART, as its drivers see them.
 */
#include <linux/serial_reg.h>

#include "serial.h"
#include "test.h"

#define REGISTERS	8

void serial_check(struct ferry_instance *inst)
{
	unsigned int port, ports = inst->model->bars[0].size / REGISTERS;
	bool level = instance_level(inst), wanted = false;
	u64 iir;

	/* To read what is wrong, or who wants to send, may be to serve it. */
	for (port = 0; port < ports; port++) {
		iir = inst->model->read(inst, 0, port * REGISTERS + UART_IIR,
					1);
		wanted |= !(iir & UART_IIR_NO_INT);
	}
	CHECK_EQ(level, wanted);
}
