// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line: a byte arrives as long after it was written as the divisor and the
 * frame say. One timer does it for as many bytes at a time as were waiting when
 * it started. Whoever serves the port in an interrupt handler thus comes to an
 * end, as with a real one. Another timer measures the character timeout of the
 * receiver.
 *
 * A loopback plug is in the connector. It has the flow control that a UART
 * without any lacks: the transmitter pauses while the receiver is full, and
 * no byte is lost however slowly the port is read. In the internal loop (MCR
 * bit 4) there is no plug; there, and for a break, a full receiver overruns.
 */
#include <linux/math64.h>

#include <compat/timer.h>

#include "uart.h"

#define UART_BAUD_MAX	115200		/* with a divisor of 1 */

#define UART_BAUD_MAX	115200		/* with a divisor of 1 */

/* How long @chars frames take on the line: start, data, parity, stop bits. */
static ktime_t frames(const struct uart *u, unsigned int chars)
{
	unsigned int bits = 1 + 5 + (u->lcr & 3) + !!(u->lcr & UART_LCR_PARITY) +
			    1 + !!(u->lcr & UART_LCR_STOP);
	/* The counter wraps: a divisor of 0 counts like 65,536. */
	u64 divisor = (u16)(u->divisor - 1) + 1;

	return ns_to_ktime(div_u64(divisor * bits * chars * NSEC_PER_SEC,
				   UART_BAUD_MAX));
}

static bool can_send(const struct uart *u)
{
	if (u->lcr & UART_LCR_SBC)
		return !u->broken || u->tx.len;
	if (u->mcr & UART_MCR_LOOP)
		return u->tx.len;
	return u->tx.len && u->rx.len < uart_depth(u);
}

static void line_start(struct uart *u)
{
	if (u->sending || !can_send(u))
		return;
	u->sending = max_t(u8, u->tx.len, 1);
	hrtimer_start(&u->line, frames(u, u->sending), HRTIMER_MODE_REL_SOFT);
}

/* Left alone for the time of four characters (DS 8.4.1). */
static void idle_start(struct uart *u)
{
	if (u->waiting || u->timeout || !u->rx.len ||
	    u->rx.len >= uart_trigger(u))
		return;
	u->waiting = true;
	hrtimer_start(&u->idle, frames(u, 4), HRTIMER_MODE_REL_SOFT);
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
	u->sending = 0;
	if (was_sending && !u->tx.len)
		u->thre = true;
}

static enum hrtimer_restart line_tick(struct hrtimer *timer)
{
	struct uart *u = container_of(timer, struct uart, line);

	spin_lock(&u->card->lock);
	line_arrive(u);
	uart_line_update(u);
	spin_unlock(&u->card->lock);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart idle_tick(struct hrtimer *timer)
{
	struct uart *u = container_of(timer, struct uart, idle);

	spin_lock(&u->card->lock);
	/* It may have been started again while we waited for the lock. */
	if (u->waiting && !hrtimer_is_queued(timer)) {
		u->waiting = false;
		u->timeout = u->rx.len;
		uart_line_update(u);
	}
	spin_unlock(&u->card->lock);
	return HRTIMER_NORESTART;
}

/**
 * uart_line_update - something has happened at a port: what follows from it?
 * @u: the port, its card locked
 */
void uart_line_update(struct uart *u)
{
	line_start(u);
	idle_start(u);
	uart_card_update(u->card);
}

/**
 * uart_line_init - a new port
 * @u: the port
 */
void uart_line_init(struct uart *u)
{
	hrtimer_setup(&u->line, line_tick, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
	hrtimer_setup(&u->idle, idle_tick, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
}

/**
 * uart_line_stop - stop the timers and wait for them
 * @u: the port, its card not locked; nobody accesses its registers
 */
void uart_line_stop(struct uart *u)
{
	hrtimer_cancel(&u->line);
	hrtimer_cancel(&u->idle);
}
