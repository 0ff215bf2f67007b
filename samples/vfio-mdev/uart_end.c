// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's end of the cable. What is written there takes its time on the
 * line, too, and the modem lines are crossed: RTS of one end is CTS of the
 * other, DTR is DSR and DCD.
 *
 * Who has switched flow control on, by CRTSCTS or IXON, loses nothing: this
 * end then also waits while the guest's receiver is full, as it would for a
 * UART that drops RTS by itself. Linux drops RTS or sends XOFF when its own
 * buffers are full, and relies on being quick with the receiver, which
 * a virtual machine can't be always. Without flow control a full receiver
 * overruns, as with any cable.
 */
#include <linux/tty.h>
#include <linux/tty_flip.h>

#include <compat/timer.h>

#include "uart.h"

/* Characters at a time: half a FIFO, so that there is time for the other. */
#define END_BURST	(UART_FIFO_SIZE / 2)

/* A cable is there, with a card at its other end that listens. */
static bool connected(const struct uart_end *end)
{
	const struct uart *u = container_of(end, struct uart, end);

	return u->used && u->card->inst && !u->card->plug &&
	       !(u->mcr & UART_MCR_LOOP);
}

static bool guest_full(const struct uart_end *end)
{
	const struct uart *u = container_of(end, struct uart, end);

	return connected(end) && u->rx.len >= uart_depth(u);
}

static bool may_send(struct uart_end *end)
{
	if (!end->open || !end->frame.bit || end->broken)
		return false;
	if ((end->crtscts || end->ixon) && guest_full(end))
		return false;
	if (end->urgent)
		return true;
	if (end->stopped || (end->crtscts && !(end->far & UART_MCR_RTS)))
		return false;
	return !kfifo_is_empty(&end->tty.xmit_fifo);
}

static void wire_start(struct uart_end *end)
{
	hrtimer_start(&end->wire,
		      ns_to_ktime(uart_frame_ns(&end->frame, end->sending)),
		      HRTIMER_MODE_REL_SOFT);
}

/**
 * uart_end_send - send what is to be sent, if the line is free and it may be
 * @end: the host's end, the card locked
 */
void uart_end_send(struct uart_end *end)
{
	const struct uart *u = end_uart(end);
	unsigned int burst = uart_depth(u) > 1 ? END_BURST : 1;

	lockdep_assert_held(&u->card->lock);
	if (u->card->paused || end->sending || !may_send(end))
		return;
	if (!end->urgent)
		burst = min(burst, kfifo_len(&end->tty.xmit_fifo));
	end->sending = end->urgent ? 1 : burst;
	wire_start(end);
}

/* However long it lasts, a break is one zero byte. */
static void break_arrive(struct uart_end *end)
{
	if (connected(end))
		uart_port_receive(end_uart(end), 0,
				  UART_LSR_BI | UART_LSR_FE);
}

/**
 * uart_end_resume - the line goes on
 * @end: the host's end, the card locked; @wire does not run
 */
void uart_end_resume(struct uart_end *end)
{
	lockdep_assert_held(&end_uart(end)->card->lock);
	if (end->owed)
		break_arrive(end);
	end->owed = false;
	if (end->sending)
		wire_start(end);
}

/* Characters that were on the line arrive, unless they have been held back. */
static void wire_arrive(struct uart_end *end)
{
	struct uart *u = end_uart(end);
	struct uart_frame frame;
	u8 byte, error;

	uart_line_frame(u, &frame);
	for (; end->sending && may_send(end); end->sending--) {
		byte = end->urgent;
		if (byte)
			end->urgent = 0;
		else if (!kfifo_get(&end->tty.xmit_fifo, &byte))
			break;
		end->counts.tx++;
		if (connected(end) &&
		    uart_frame_receive(&end->frame, &frame, &byte, &error))
			uart_port_receive(u, byte, error);
	}
	end->sending = 0;
}

static enum hrtimer_restart wire_tick(struct hrtimer *timer)
{
	struct uart_end *end = container_of(timer, struct uart_end, wire);
	struct uart *u = end_uart(end);

	spin_lock(&u->card->lock);
	if (end->open && !u->card->paused) {
		wire_arrive(end);
		uart_end_send(end);
		uart_line_update(u);
	}
	spin_unlock(&u->card->lock);
	/* It may call back, so not with the lock held. */
	tty_port_tty_wakeup(&end->tty);
	return HRTIMER_NORESTART;
}

/**
 * uart_end_receive - a character from the guest arrives
 * @end: the host's end, the card locked
 * @byte: the byte
 * @error: LSR bits that belong to it
 *
 * The tty hears of it by uart_end_push().
 */
void uart_end_receive(struct uart_end *end, u8 byte, u8 error)
{
	u8 flag = TTY_NORMAL;

	if (!end->open || !end->cread)
		return;
	end->counts.rx++;
	if (error & UART_LSR_BI) {
		flag = TTY_BREAK;
		end->counts.brk++;
	} else if (error & UART_LSR_PE) {
		flag = TTY_PARITY;
		end->counts.parity++;
	} else if (error & UART_LSR_FE) {
		flag = TTY_FRAME;
		end->counts.frame++;
	}
	if (!tty_insert_flip_char(&end->tty, byte, flag))
		end->counts.buf_overrun++;
}

/**
 * uart_end_push - characters have arrived
 * @end: the host's end, the card locked
 */
void uart_end_push(struct uart_end *end)
{
	if (end->open)
		tty_flip_buffer_push(&end->tty);
}

/**
 * uart_end_lines - the guest's modem lines may have changed
 * @end: the host's end, the card locked
 */
void uart_end_lines(struct uart_end *end)
{
	u8 far = end_uart(end)->mcr & (UART_MCR_DTR | UART_MCR_RTS);
	u8 changed;

	lockdep_assert_held(&end_uart(end)->card->lock);
	if (!connected(end))
		far = 0;
	changed = far ^ end->far;
	end->far = far;
	if (changed & UART_MCR_RTS) {
		end->counts.cts++;
		uart_end_send(end);
	}
	if (!(changed & UART_MCR_DTR))
		return;
	end->counts.dsr++;
	end->counts.dcd++;
	if (far & UART_MCR_DTR)
		wake_up_interruptible(&end->tty.open_wait);
	else if (end->open)
		tty_port_tty_hangup(&end->tty, true);
}

/**
 * uart_end_tell - the host's modem lines may have changed
 * @end: the host's end, the card locked
 */
void uart_end_tell(struct uart_end *end)
{
	uart_port_lines(end_uart(end));
	uart_line_update(end_uart(end));
}

/**
 * uart_end_break - the host begins to send a break, or ends it
 * @end: the host's end, the card locked
 * @on: it begins
 *
 * Characters wait until it has ended.
 */
void uart_end_break(struct uart_end *end, bool on)
{
	struct uart *u = end_uart(end);

	/* Who will be at the other end when time goes on isn't known before. */
	if (on && !end->broken && u->card->paused)
		end->owed = true;
	else if (on && !end->broken)
		break_arrive(end);
	end->broken = on;
	uart_end_send(end);
	uart_line_update(u);
}

/**
 * uart_end_init - a new port
 * @end: the host's end
 */
void uart_end_init(struct uart_end *end)
{
	hrtimer_setup(&end->wire, wire_tick, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
}
