// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening and closing the host's end of the cable. The first who opens a tty
 * raises its lines, the last who closes it drops them, unless HUPCL is off.
 */
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/tty_flip.h>

#include <compat/tty.h>

#include "uart.h"

/**
 * uart_open_format - take a tty's settings over
 * @end: the host's end, the card locked
 * @tty: its tty
 */
void uart_open_format(struct uart_end *end, struct tty_struct *tty)
{
	unsigned int cflag = tty->termios.c_cflag;
	speed_t baud = tty_get_baud_rate(tty);

	if (baud > UART_BAUD_MAX) {
		baud = UART_BAUD_MAX;
		tty_encode_baud_rate(tty, baud, baud);
	}
	end->frame.bit = baud ? NSEC_PER_SEC / baud : 0;
	end->frame.data = tty_get_char_size(cflag);
	end->frame.stops = cflag & CSTOPB ? 2 : 1;
	end->frame.parity = UART_NO_PARITY;
	if ((cflag & PARENB) && (cflag & CMSPAR))
		end->frame.parity = cflag & PARODD ? UART_MARK : UART_SPACE;
	else if (cflag & PARENB)
		end->frame.parity = cflag & PARODD ? UART_ODD : UART_EVEN;
	end->cread = cflag & CREAD;
	end->crtscts = cflag & CRTSCTS;
	end->ixon = I_IXON(tty);
	end->throttled &= end->crtscts;
}

static FERRY_TTY_BOOL end_carrier_raised(struct tty_port *port)
{
	return READ_ONCE(port_end(port)->far) & UART_MCR_DTR ? 1 : 0;
}

static void end_dtr_rts(struct tty_port *port, FERRY_TTY_BOOL on)
{
	unsigned long flags;
	struct uart_end *end = end_lock(port, &flags);

	end->dtr = on;
	end->rts = on;
	uart_end_tell(end);
	end_unlock(end, flags);
}

static int end_activate(struct tty_port *port, struct tty_struct *tty)
{
	struct uart_end *end;
	unsigned long flags;
	int ret;

	ret = tty_port_alloc_xmit_buf(port);
	if (ret)
		return ret;
	end = end_lock(port, &flags);
	/* It may be on its way out, and hang up nobody any more. */
	if (!end_uart(end)->card->inst)
		ret = -ENODEV;
	end->open = !ret;
	end->stopped = false;
	end->throttled = false;
	end->urgent = 0;
	uart_open_format(end, tty);
	end_unlock(end, flags);
	if (ret)
		tty_port_free_xmit_buf(port);
	return ret;
}

static void end_shutdown(struct tty_port *port)
{
	struct uart_end *end;
	unsigned long flags;

	end = end_lock(port, &flags);
	end->open = false;
	/* What is on the line doesn't arrive, and nobody waits for it any more. */
	end->sending = 0;
	end->owed = false;
	uart_end_break(end, false);
	end_unlock(end, flags);
	/* From here on nobody starts it, or looks at the buffer. */
	hrtimer_cancel(&end->wire);
	tty_port_free_xmit_buf(port);
}

static void end_destruct(struct tty_port *port)
{
	uart_card_put(end_uart(port_end(port))->card);
}

const struct tty_port_operations uart_open_ops = {
	.carrier_raised = end_carrier_raised,
	.dtr_rts = end_dtr_rts,
	.activate = end_activate,
	.shutdown = end_shutdown,
	.destruct = end_destruct,
};
