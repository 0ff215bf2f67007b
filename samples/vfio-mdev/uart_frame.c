// SPDX-License-Identifier: GPL-2.0-only
/*
 * A character on the cable. The sender puts a start bit, data bits, perhaps a
 * parity bit and stop bits on it, each as long as its own speed says. The
 * receiver looks at the line in the middle of the bits that it expects, of its
 * own format and speed, and believes what it sees. So ends that are set alike,
 * or a few percent apart, understand each other. Others get what they get on a
 * cable: wrong bits, errors of parity and of framing, a zero byte that looks
 * like a break where the sender is the slower one, and nothing at all where the
 * sender is so fast that a whole start bit goes unnoticed.
 *
 * Unlike on a cable, a receiver is in step again for the next character: one
 * that was sent is never taken for two.
 */
#include <linux/bitops.h>
#include <linux/math64.h>
#include <linux/serial_reg.h>

#include "uart.h"

/**
 * uart_frame_ns - how long characters take
 * @f: the sender's format
 * @chars: how many characters
 *
 * Return: nanoseconds.
 */
u64 uart_frame_ns(const struct uart_frame *f, unsigned int chars)
{
	unsigned int bits = 1 + f->data + !!f->parity + f->stops;

	return (u64)f->bit * bits * chars;
}

static bool parity_bit(const struct uart_frame *f, u8 byte)
{
	switch (f->parity) {
	case UART_ODD:
		return !(hweight8(byte) & 1);
	case UART_EVEN:
		return hweight8(byte) & 1;
	default:
		return f->parity == UART_MARK;
	}
}

/* The bits in the order in which they are sent; after them the line is high. */
static u32 line_bits(const struct uart_frame *f, u8 byte)
{
	unsigned int n = 1 + f->data;
	u32 line;

	byte &= uart_frame_mask(f);
	line = byte << 1;
	if (f->parity)
		line |= parity_bit(f, byte) << n++;
	return line | ~0U << n;
}

/**
 * uart_frame_receive - what becomes of a character on its way
 * @tx: the sender's format, whose speed is not 0
 * @rx: the receiver's format, whose speed is not 0
 * @byte: what is sent; what is received, when this returns
 * @error: errors as LSR tells them
 *
 * Return: whether the receiver notices anything.
 */
bool uart_frame_receive(const struct uart_frame *tx,
			const struct uart_frame *rx, u8 *byte, u8 *error)
{
	unsigned int n = 1 + rx->data + !!rx->parity, k;
	u32 line = line_bits(tx, *byte), seen = 0;
	u64 at;

	for (k = 0; k <= n; k++) {
		at = div_u64((2 * k + 1) * (u64)rx->bit, 2 * tx->bit);
		seen |= (line >> min_t(u64, at, 31) & 1) << k;
	}
	/* No start bit, only a spike. */
	if (seen & 1)
		return false;

	*byte = seen >> 1 & uart_frame_mask(rx);
	*error = 0;
	if (!seen)
		*error = UART_LSR_BI | UART_LSR_FE;
	else if (!(seen >> n))
		*error = UART_LSR_FE;
	if (seen && rx->parity &&
	    (seen >> (n - 1) & 1) != parity_bit(rx, *byte))
		*error |= UART_LSR_PE;
	return true;
}
