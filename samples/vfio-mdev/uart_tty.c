// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program of the host does with its end of the cable: the operations of
 * a tty that is open. None of them is called with the card's lock held; some
 * come with a spinlock of the tty layer or of a line discipline. Who was
 * on his way to one when the tty was hung up finds it closed here.
 */
#include <linux/tty.h>
#include <linux/tty_driver.h>

#include <compat/tty.h>

#include "uart.h"

static int end_install(struct tty_driver *driver, struct tty_struct *tty)
{
	struct uart_end *end = uart_node_get(tty->index);
	int ret;

	if (!end)
		return -ENODEV;
	ret = tty_port_install(&end->tty, driver, tty);
	if (ret)
		tty_port_put(&end->tty);
	return ret;
}

static void end_cleanup(struct tty_struct *tty)
{
	tty_port_put(tty->port);
}

static int end_open(struct tty_struct *tty, struct file *file)
{
	return tty_port_open(tty->port, tty, file);
}

static void end_close(struct tty_struct *tty, struct file *file)
{
	tty_port_close(tty->port, tty, file);
}

static void end_hangup(struct tty_struct *tty)
{
	tty_port_hangup(tty->port);
}

static FERRY_TTY_RET end_write(struct tty_struct *tty, const u8 *buf,
			       FERRY_TTY_LEN count)
{
	FERRY_TTY_RET written = -EIO;
	struct uart_end *end;
	unsigned long flags;

	end = end_lock(tty->port, &flags);
	if (end->open && end_uart(end)->card->inst) {
		written = kfifo_in(&end->tty.xmit_fifo, buf, count);
		uart_end_send(end);
	}
	end_unlock(end, flags);
	return written;
}

static unsigned int end_write_room(struct tty_struct *tty)
{
	unsigned long flags;
	struct uart_end *end = end_lock(tty->port, &flags);
	unsigned int room = end->open ? kfifo_avail(&end->tty.xmit_fifo) : 0;

	end_unlock(end, flags);
	return room;
}

static unsigned int end_chars_in_buffer(struct tty_struct *tty)
{
	unsigned long flags;
	struct uart_end *end = end_lock(tty->port, &flags);
	unsigned int chars = end->open ? kfifo_len(&end->tty.xmit_fifo) : 0;

	end_unlock(end, flags);
	return chars;
}

static void end_flush_buffer(struct tty_struct *tty)
{
	unsigned long flags;
	struct uart_end *end = end_lock(tty->port, &flags);

	if (end->open)
		kfifo_reset(&end->tty.xmit_fifo);
	end_unlock(end, flags);
	tty_wakeup(tty);
}

static void end_set_termios(struct tty_struct *tty, const struct ktermios *old)
{
	unsigned long flags;
	struct uart_end *end = end_lock(tty->port, &flags);
	bool was = end->frame.bit;

	uart_open_format(end, tty);
	/* Speed 0 hangs up, and another one takes that back (termios(3)). */
	if (end->open && was != !!end->frame.bit) {
		end->dtr = !was;
		end->rts = !was;
	}
	uart_end_tell(end);
	uart_end_send(end);
	end_unlock(end, flags);
}

static void set_stopped(struct tty_struct *tty, bool stopped)
{
	unsigned long flags;
	struct uart_end *end = end_lock(tty->port, &flags);

	end->stopped = stopped;
	uart_end_send(end);
	end_unlock(end, flags);
}

static void end_stop(struct tty_struct *tty)
{
	set_stopped(tty, true);
}

static void end_start(struct tty_struct *tty)
{
	set_stopped(tty, false);
}

static void end_send_xchar(struct tty_struct *tty, FERRY_TTY_CHAR ch)
{
	unsigned long flags;
	struct uart_end *end = end_lock(tty->port, &flags);

	end->urgent = ch;
	uart_end_send(end);
	end_unlock(end, flags);
}

/* The tty layer's buffer is full, or has room again. */
static void set_throttled(struct tty_struct *tty, bool throttled)
{
	struct uart_end *end;
	unsigned long flags;

	end = end_lock(tty->port, &flags);
	end->throttled = throttled && end->crtscts;
	if (I_IXOFF(tty))
		end->urgent = throttled ? STOP_CHAR(tty) : START_CHAR(tty);
	uart_end_tell(end);
	uart_end_send(end);
	end_unlock(end, flags);
}

static void end_throttle(struct tty_struct *tty)
{
	set_throttled(tty, true);
}

static void end_unthrottle(struct tty_struct *tty)
{
	set_throttled(tty, false);
}

static int end_tiocmget(struct tty_struct *tty)
{
	unsigned long flags;
	struct uart_end *end = end_lock(tty->port, &flags);
	int lines;

	lines = (end->dtr ? TIOCM_DTR : 0) | (end_rts(end) ? TIOCM_RTS : 0) |
		(end->far & UART_MCR_RTS ? TIOCM_CTS : 0) |
		(end->far & UART_MCR_DTR ? TIOCM_DSR | TIOCM_CAR : 0);
	end_unlock(end, flags);
	return lines;
}

static int end_tiocmset(struct tty_struct *tty, unsigned int set,
			unsigned int clear)
{
	unsigned long flags;
	struct uart_end *end = end_lock(tty->port, &flags);
	bool open = end->open;

	if (open) {
		end->dtr = (end->dtr || (set & TIOCM_DTR)) &&
			   !(clear & TIOCM_DTR);
		end->rts = (end->rts || (set & TIOCM_RTS)) &&
			   !(clear & TIOCM_RTS);
		uart_end_tell(end);
	}
	end_unlock(end, flags);
	return open ? 0 : -EIO;
}

static int end_get_icount(struct tty_struct *tty,
			  struct serial_icounter_struct *counts)
{
	unsigned long flags;
	struct uart_end *end = end_lock(tty->port, &flags);

	*counts = end->counts;
	end_unlock(end, flags);
	return 0;
}

static int end_break(struct tty_struct *tty, int state)
{
	unsigned long flags;
	struct uart_end *end = end_lock(tty->port, &flags);
	bool open = end->open;

	if (open)
		uart_end_break(end, state);
	end_unlock(end, flags);
	return open ? 0 : -EIO;
}

const struct tty_operations uart_tty_ops = {
	.install = end_install,
	.cleanup = end_cleanup,
	.open = end_open,
	.close = end_close,
	.hangup = end_hangup,
	.write = end_write,
	.write_room = end_write_room,
	.chars_in_buffer = end_chars_in_buffer,
	.flush_buffer = end_flush_buffer,
	.set_termios = end_set_termios,
	.stop = end_stop,
	.start = end_start,
	.send_xchar = end_send_xchar,
	.throttle = end_throttle,
	.unthrottle = end_unthrottle,
	.tiocmget = end_tiocmget,
	.tiocmset = end_tiocmset,
	.get_icount = end_get_icount,
	.break_ctl = end_break,
};
