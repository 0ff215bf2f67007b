/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers of the UART.
 */
#ifndef _FERRY_FUZZ_SERIAL_H
#define _FERRY_FUZZ_SERIAL_H

#include <borrowed.h>

#include "mdev.h"

/* It asserts its interrupt if any port has something to say. */
void serial_check(struct ferry_instance *inst);

#endif /* _FERRY_FUZZ_SERIAL_H */
