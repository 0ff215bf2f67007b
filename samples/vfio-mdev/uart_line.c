// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line: a byte arrives as long after it was written as the divisor and the
 * frame say. One timer does it for as many bytes at a time as were waiting when
 * it started. Whoever serves the port in an interrupt handler thus comes to an
 * end, as with a real one. Another timer measures the character timeout of the
 * receiver.
 *
 * At the connector there is a cable to the host's end, or a loopback plug. The
 * plug has the flow control that a UART without any lacks: the transmitter
 * pauses while the receiver is full, and no byte is lost however slowly the
 * port is read. In the internal loop (MCR bit 4) there is neither; there, and
 * for a break, a full receiver overruns.
 */
#include <compat/timer.h>

#include "uart.h"

/* Where the transmitter ends. */
enum route { ROUTE_LOOP, ROUTE_PLUG, ROUTE_CABLE };

static enum route route(const struct uart *u)
{
	if (u->mcr & UART_MCR_LOOP)
		return ROUTE_LOOP;
	return u->card->plug ? ROUTE_PLUG : ROUTE_CABLE;
}

/**
 * uart_line_frame - the format that the guest has set
 * @u: the port, its card locked
 * @f: where to put it
 */
void uart_line_frame(const struct uart *u, struct uart_frame *f)
{
	static const u8 parity[] = {
		UART_ODD, UART_EVEN, UART_MARK, UART_SPACE,
	};
	/* The counter wraps: a divisor of 0 counts like 65,536. */
	u32 divisor = (u16)(u->divisor - 1) + 1;

	f->bit = divisor * (NSEC_PER_SEC / UART_BAUD_MAX);
	f->data = 5 + (u->lcr & 3);
	f->stops = u->lcr & UART_LCR_STOP ? 2 : 1;
	f->parity = u->lcr & UART_LCR_PARITY ? parity[u->lcr >> 4 & 3] :
					       UART_NO_PARITY;
}

static ktime_t frames(const struct uart *u, unsigned int chars)
{
	struct uart_frame frame;

	uart_line_frame(u, &frame);
	return ns_to_ktime(uart_frame_ns(&frame, chars));
}

static bool can_send(const struct uart *u)
{
	if (u->lcr & UART_LCR_SBC)
		return !u->broken || u->tx.len;
	if (route(u) == ROUTE_PLUG)
		return u->tx.len && u->rx.len < uart_depth(u);
	return u->tx.len;
}

static void line_start(struct uart *u)
{
	if (u->card->paused || u->sending || !can_send(u))
		return;
	u->sending = max_t(u8, u->tx.len, 1);
	hrtimer_start(&u->line, frames(u, u->sending), HRTIMER_MODE_REL_SOFT);
}

/* Characters are on their way to the receiver. */
static bool coming(const struct uart *u)
{
	return route(u) == ROUTE_CABLE ? u->end.sending : u->sending;
}

/* Left alone for the time of four characters (DS 8.4.1). */
static void idle_start(struct uart *u)
{
	if (u->card->paused)
		return;
	/* They come one by one, though they arrive together. */
	if (coming(u))
		u->waiting = false;
	if (coming(u) || u->waiting || u->timeout || !u->rx.len ||
	    u->rx.len >= uart_trigger(u))
		return;
	u->waiting = true;
	hrtimer_start(&u->idle, frames(u, 4), HRTIMER_MODE_REL_SOFT);
}

static void arrive(struct uart *u, const struct uart_frame *frame, u8 byte)
{
	u8 error = 0;

	if (route(u) != ROUTE_CABLE)
		uart_port_receive(u, byte & uart_frame_mask(frame), 0);
	else if (u->end.open && u->end.frame.bit &&
		 uart_frame_receive(frame, &u->end.frame, &byte, &error))
		uart_end_receive(&u->end, byte, error);
}

static void arrive_break(struct uart *u)
{
	/* However long it lasts, a break is one zero byte. */
	if (route(u) == ROUTE_CABLE)
		uart_end_receive(&u->end, 0, UART_LSR_BI);
	else
		uart_port_receive(u, 0, UART_LSR_BI | UART_LSR_FE);
	u->broken = true;
}

/* Characters that were on the line arrive. */
static void line_arrive(struct uart *u)
{
	bool was_sending = u->tx.len;
	struct uart_frame frame;

	uart_line_frame(u, &frame);
	if ((u->lcr & UART_LCR_SBC) && !u->broken)
		arrive_break(u);
	for (; u->sending && u->tx.len; u->sending--) {
		if (u->lcr & UART_LCR_SBC) {
			fifo_pop(&u->tx);
			continue;
		}
		if (route(u) == ROUTE_PLUG && u->rx.len == uart_depth(u))
			break;
		arrive(u, &frame, fifo_pop(&u->tx));
	}
	u->sending = 0;
	if (route(u) == ROUTE_CABLE)
		uart_end_push(&u->end);
	if (was_sending && !u->tx.len)
		u->thre = true;
}

static enum hrtimer_restart line_tick(struct hrtimer *timer)
{
	struct uart *u = container_of(timer, struct uart, line);

	spin_lock(&u->card->lock);
	if (!u->card->paused) {
		line_arrive(u);
		uart_line_update(u);
	}
	spin_unlock(&u->card->lock);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart idle_tick(struct hrtimer *timer)
{
	struct uart *u = container_of(timer, struct uart, idle);

	spin_lock(&u->card->lock);
	/* It may have been started again while we waited for the lock. */
	if (u->waiting && !u->card->paused && !hrtimer_is_queued(timer)) {
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
	lockdep_assert_held(&u->card->lock);
	if (!u->card->inst)
		return;
	line_start(u);
	/* There may be room in the receiver. */
	uart_end_send(&u->end);
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
 * uart_line_resume - the line goes on
 * @u: the port, its card locked; the timers do not run
 *
 * What was on the line is sent from its beginning, which nobody notices.
 */
void uart_line_resume(struct uart *u)
{
	lockdep_assert_held(&u->card->lock);
	if (u->sending)
		hrtimer_start(&u->line, frames(u, u->sending),
			      HRTIMER_MODE_REL_SOFT);
	if (u->waiting)
		hrtimer_start(&u->idle, frames(u, 4), HRTIMER_MODE_REL_SOFT);
	uart_end_resume(&u->end);
	uart_line_update(u);
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
