// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a card takes along when it migrates: the registers and FIFOs of its ports. A
 * character that is on the line has not left the transmitter's FIFO, so none is lost.
 *
 * The other ends of the cables stay where they are, with all that waits there to be sent,
 * and so do loopback plugs. At the target there are others, and the guest notices
 * modem lines that are different.
 */
#include <linux/build_bug.h>
#include <linux/string.h>

#include <ferry/model.h>

#include "uart.h"

#define SAVED_USED	BIT(0)
#define SAVED_THRE	BIT(1)
#define SAVED_WAITING	BIT(2)
#define SAVED_TIMEOUT	BIT(3)
#define SAVED_BROKEN	BIT(4)
#define SAVED_FLAGS	GENMASK(4, 0)

#define SAVED_IER	(UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | \
			 UART_IER_MSI)
#define SAVED_MCR	(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | \
			 UART_MCR_OUT2 | UART_MCR_LOOP)
#define SAVED_FCR	(UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_MASK)
#define SAVED_ERRORS	(UART_LSR_PE | UART_LSR_FE | UART_LSR_BI)

/**
 * struct saved_port - a port; members as in struct uart
 * @divisor: divisor latch
 * @ier: interrupt enable register
 * @fcr: FIFO control register
 * @lcr: line control register
 * @mcr: modem control register
 * @msr: modem status register
 * @scr: scratch register
 * @overrun: UART_LSR_OE or 0
 * @flags: SAVED_*
 * @sending: characters that are on the line
 * @rx_len: bytes in the receiver
 * @tx_len: bytes in the transmitter
 * @zero: 0
 * @rx: the receiver, oldest byte first; 0 behind @rx_len
 * @error: LSR bits of each
 * @tx: the transmitter, likewise
 */
struct saved_port {
	__le16 divisor;
	u8 ier;
	u8 fcr;
	u8 lcr;
	u8 mcr;
	u8 msr;
	u8 scr;
	u8 overrun;
	u8 flags;
	u8 sending;
	u8 rx_len;
	u8 tx_len;
	u8 zero[3];
	u8 rx[UART_FIFO_SIZE];
	u8 error[UART_FIFO_SIZE];
	u8 tx[UART_FIFO_SIZE];
};

/**
 * struct saved_card - a card
 * @ports: how many
 * @zero: 0
 * @port: each of them
 */
struct saved_card {
	__le32 ports;
	__le32 zero;
	struct saved_port port[];
};

/**
 * uart_state_pause - no time passes any more; see &struct ferry_model
 * @inst: the instance
 */
void uart_state_pause(struct ferry_instance *inst)
{
	struct uart_card *card = uart_card_of(inst);
	struct uart *u;

	spin_lock_irq(&card->lock);
	card->paused = true;
	spin_unlock_irq(&card->lock);
	/* Who starts a timer looks at it before. */
	for (u = card->port; u < card->port + card->ports; u++) {
		uart_line_stop(u);
		hrtimer_cancel(&u->end.wire);
	}
}

/**
 * uart_state_resume - time goes on; see &struct ferry_model
 * @inst: the instance
 */
void uart_state_resume(struct ferry_instance *inst)
{
	struct uart_card *card = uart_card_of(inst);
	struct uart *u;

	spin_lock_irq(&card->lock);
	card->paused = false;
	for (u = card->port; u < card->port + card->ports; u++)
		uart_line_resume(u);
	spin_unlock_irq(&card->lock);
}

static void fifo_save(const struct uart_fifo *fifo, u8 *data, u8 *error)
{
	unsigned int i, at;

	for (i = 0; i < fifo->len; i++) {
		at = (fifo->head + i) % UART_FIFO_SIZE;
		data[i] = fifo->data[at];
		if (error)
			error[i] = fifo->error[at];
	}
}

static void port_save(const struct uart *u, struct saved_port *to)
{
	to->divisor = cpu_to_le16(u->divisor);
	to->ier = u->ier;
	to->fcr = u->fcr;
	to->lcr = u->lcr;
	to->mcr = u->mcr;
	to->msr = u->msr;
	to->scr = u->scr;
	to->overrun = u->overrun;
	to->flags = (u->used ? SAVED_USED : 0) | (u->thre ? SAVED_THRE : 0) |
		    (u->waiting ? SAVED_WAITING : 0) |
		    (u->timeout ? SAVED_TIMEOUT : 0) |
		    (u->broken ? SAVED_BROKEN : 0);
	to->sending = u->sending;
	to->rx_len = u->rx.len;
	to->tx_len = u->tx.len;
	fifo_save(&u->rx, to->rx, to->error);
	fifo_save(&u->tx, to->tx, NULL);
}

/**
 * uart_state_save - put the card into a stream; see &struct ferry_model
 * @inst: the instance
 * @buf: where to
 * @len: UART_STATE_SIZE()
 *
 * Return: @len.
 */
ssize_t uart_state_save(struct ferry_instance *inst, void *buf, size_t len)
{
	struct uart_card *card = uart_card_of(inst);
	struct saved_card *to = buf;
	unsigned int i;

	BUILD_BUG_ON(sizeof(*to) + 4 * sizeof(to->port[0]) !=
		     UART_STATE_SIZE(4));
	to->ports = cpu_to_le32(card->ports);
	spin_lock_irq(&card->lock);
	for (i = 0; i < card->ports; i++)
		port_save(&card->port[i], &to->port[i]);
	spin_unlock_irq(&card->lock);
	return len;
}

static bool fifo_valid(const u8 *data, u8 len, unsigned int depth)
{
	return len <= depth &&
	       !memchr_inv(data + len, 0, UART_FIFO_SIZE - len);
}

static bool port_valid(const struct saved_port *p)
{
	unsigned int i, depth = p->fcr ? UART_FIFO_SIZE : 1;

	if ((p->ier & ~SAVED_IER) || (p->mcr & ~SAVED_MCR) ||
	    (p->fcr & ~SAVED_FCR) || (p->overrun & ~UART_LSR_OE) ||
	    (p->flags & ~SAVED_FLAGS) || memchr_inv(p->zero, 0, 3))
		return false;
	if (p->fcr && !(p->fcr & UART_FCR_ENABLE_FIFO))
		return false;
	if (p->sending > UART_FIFO_SIZE ||
	    !fifo_valid(p->rx, p->rx_len, depth) ||
	    !fifo_valid(p->error, p->rx_len, depth) ||
	    !fifo_valid(p->tx, p->tx_len, depth))
		return false;
	for (i = 0; i < p->rx_len; i++)
		if (p->error[i] & ~SAVED_ERRORS)
			return false;
	/* Nothing that is there has waited for too long. */
	return p->rx_len || !(p->flags & SAVED_TIMEOUT);
}

/**
 * uart_state_validate - could a card be like this? See &struct ferry_model
 * @inst: the instance
 * @buf: what may be a card
 * @len: bytes of it
 *
 * Return: 0, -EINVAL for a card of another shape, -ERANGE for a port that can't be.
 */
int uart_state_validate(struct ferry_instance *inst, const void *buf,
			size_t len)
{
	const struct uart_card *card = uart_card_of(inst);
	const struct saved_card *from = buf;
	unsigned int i;

	if (len != UART_STATE_SIZE(card->ports) || from->zero ||
	    le32_to_cpu(from->ports) != card->ports)
		return -EINVAL;
	for (i = 0; i < card->ports; i++)
		if (!port_valid(&from->port[i]))
			return -ERANGE;
	return 0;
}

static void port_load(struct uart *u, const struct saved_port *from)
{
	u->divisor = le16_to_cpu(from->divisor);
	u->ier = from->ier;
	u->fcr = from->fcr;
	u->lcr = from->lcr;
	u->mcr = from->mcr;
	u->msr = from->msr;
	u->scr = from->scr;
	u->overrun = from->overrun;
	u->used = from->flags & SAVED_USED;
	u->thre = from->flags & SAVED_THRE;
	u->waiting = from->flags & SAVED_WAITING;
	u->timeout = from->flags & SAVED_TIMEOUT;
	u->broken = from->flags & SAVED_BROKEN;
	u->sending = from->sending;
	memcpy(u->rx.data, from->rx, UART_FIFO_SIZE);
	memcpy(u->rx.error, from->error, UART_FIFO_SIZE);
	memcpy(u->tx.data, from->tx, UART_FIFO_SIZE);
	u->rx.len = from->rx_len;
	u->tx.len = from->tx_len;
}

/**
 * uart_state_load - become another card; see &struct ferry_model
 * @inst: the instance, which has been reset
 * @buf: uart_state_validate() has seen it
 * @len: bytes of it
 */
void uart_state_load(struct ferry_instance *inst, const void *buf, size_t len)
{
	struct uart_card *card = uart_card_of(inst);
	const struct saved_card *from = buf;
	unsigned int i;

	spin_lock_irq(&card->lock);
	for (i = 0; i < card->ports; i++) {
		port_load(&card->port[i], &from->port[i]);
		/* Each end sees the lines of another one now. */
		uart_end_lines(&card->port[i].end);
		uart_port_lines(&card->port[i]);
	}
	uart_card_update(card);
	spin_unlock_irq(&card->lock);
}
