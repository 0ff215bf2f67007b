// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line: a byte arrives as long after it was written as the divisor and the
 * frame say. One timer does it for as many bytes at a time as were waiting when
 * it started. Whoever serves the port in an interrupt handler thus comes to an
 * end, as with a real one, and the character timeout has something to be
 * measured in.
 *
 * A loopback plug is in the connector. It has the flow control that a UART
 * without any lacks: the transmitter pauses while the receiver is full, and
 * no byte is lost however slowly the port is read. In the internal loop (MCR
 * bit 4) there is no plug; there, and for a break, a full receiver overruns.
 */
#include <linux/math64.h>

#include <compat/timer.h>
#include <ferry/model.h>

#include "uart.h"

#define UART_BAUD_MAX	115200		/* with a divisor of 1 */

/* How long @chars frames take on the line: start, data, parity, stop bits. */
static u64 frames(const struct uart *u, unsigned int chars)
{
	unsigned int bits = 1 + 5 + (u->lcr & 3) + !!(u->lcr & UART_LCR_PARITY) +
			    1 + !!(u->lcr & UART_LCR_STOP);
	/* The counter wraps: a divisor of 0 counts like 65,536. */
	u64 divisor = (u16)(u->divisor - 1) + 1;

	return div_u64(divisor * bits * chars * NSEC_PER_SEC, UART_BAUD_MAX);
}

static bool can_send(const struct uart *u)
{
	if (u->lcr & UART_LCR_SBC)
		return !u->broken || u->tx.len;
	if (u->mcr & UART_MCR_LOOP)
		return u->tx.len;
	return u->tx.len && u->rx.len < uart_depth(u);
}

/* Start the next thing that takes time, and say how long; 0 for nothing. */
static u64 line_next(struct uart *u)
{
	u->sending = 0;
	if (can_send(u)) {
		u->sending = max_t(u8, u->tx.len, 1);
		return frames(u, u->sending);
	}
	/* Left alone for the time of four characters (DS 8.4.1). */
	if (u->rx.len && u->rx.len < uart_trigger(u) && !u->timeout)
		return frames(u, 4);
	return 0;
}

/* Characters that were on the line arrive. */
static void line_arrive(struct uart *u)
{
	u8 mask = 0xff >> (3 - (u->lcr & 3));
	bool plug = !(u->mcr & UART_MCR_LOOP);
	bool was_sending = u->tx.len;

	if ((u->lcr & UART_LCR_SBC) && !u->broken) {
		/* However long it lasts, a break is one zero byte. */
		uart_port_receive(u, 0, UART_LSR_BI | UART_LSR_FE);
		u->broken = true;
	}
	for (; u->sending && u->tx.len; u->sending--) {
		if (u->lcr & UART_LCR_SBC) {
			fifo_pop(&u->tx);
			continue;
		}
		if (plug && u->rx.len == uart_depth(u))
			break;
		uart_port_receive(u, fifo_pop(&u->tx) & mask, 0);
	}
	if (was_sending && !u->tx.len)
		u->thre = true;
}

static enum hrtimer_restart line_tick(struct hrtimer *timer)
{
	struct uart *u = container_of(timer, struct uart, line);
	u64 ns;

	spin_lock(&u->lock);
	/* It was started again while we waited for the lock. */
	if (hrtimer_is_queued(timer)) {
		spin_unlock(&u->lock);
		return HRTIMER_NORESTART;
	}
	if (u->sending)
		line_arrive(u);
	else if (u->rx.len)
		u->timeout = true;

	ns = line_next(u);
	u->ticking = ns;
	if (ns)
		hrtimer_forward_now(timer, ns_to_ktime(ns));
	ferry_instance_set_level(u->inst, uart_port_cause(u) != UART_IIR_NO_INT);
	spin_unlock(&u->lock);
	return ns ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

/**
 * uart_line_update - a register was accessed: what follows from it?
 * @u: the port, locked
 */
void uart_line_update(struct uart *u)
{
	u64 ns;

	/* Waiting for the timeout is cut short, sending is not. */
	if (!u->ticking || (!u->sending && can_send(u))) {
		ns = line_next(u);
		u->ticking = ns;
		if (ns)
			hrtimer_start(&u->line, ns_to_ktime(ns),
				      HRTIMER_MODE_REL_SOFT);
	}
	ferry_instance_set_level(u->inst, uart_port_cause(u) != UART_IIR_NO_INT);
}

/**
 * uart_line_init - a new port
 * @u: the port
 */
void uart_line_init(struct uart *u)
{
	spin_lock_init(&u->lock);
	hrtimer_setup(&u->line, line_tick, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
}

/**
 * uart_line_stop - stop the timer and wait for it
 * @u: the port, not locked; nobody accesses its registers
 */
void uart_line_stop(struct uart *u)
{
	hrtimer_cancel(&u->line);
}
