/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A card of 16550A ports. Registers as in the data sheet of the PC16550D; "DS"
 * in the files of this model is that.
 */
#ifndef UART_H
#define UART_H

#include <linux/hrtimer.h>
#include <linux/serial_reg.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct ferry_instance;
struct uart_card;

#define UART_REGISTERS		8	/* bytes, of a port */
#define UART_FIFO_SIZE		16

struct uart_fifo {
	u8 data[UART_FIFO_SIZE];
	u8 error[UART_FIFO_SIZE];	/* LSR bits that came with the byte */
	u8 head;
	u8 len;
};

/**
 * struct uart - one port
 * @card: the card
 * @line: fires when @sending characters have been sent
 * @idle: fires when the receiver has been left alone for long enough
 * @sending: characters that are on the line now, 0 when @line is not running
 * @rx: receiver
 * @tx: transmitter
 * @divisor: divisor latch
 * @ier: interrupt enable register
 * @fcr: FIFO control register
 * @lcr: line control register
 * @mcr: modem control register
 * @msr: modem status register
 * @scr: scratch register
 * @overrun: UART_LSR_OE or 0
 * @thre: transmitter empty and not yet acknowledged (DS 8.5, third priority)
 * @waiting: @idle is running
 * @timeout: bytes below the trigger level lie in the receiver
 * @broken: the break that is on the line has been received
 */
struct uart {
	struct uart_card *card;
	struct hrtimer line;
	struct hrtimer idle;
	/* A reset clears what follows. */
	u8 sending;
	struct uart_fifo rx;
	struct uart_fifo tx;
	u16 divisor;
	u8 ier;
	u8 fcr;
	u8 lcr;
	u8 mcr;
	u8 msr;
	u8 scr;
	u8 overrun;
	bool thre;
	bool waiting;
	bool timeout;
	bool broken;
};

/**
 * struct uart_card - a card of several ports
 * @inst: the instance
 * @lock: guards the ports; timers take it in softirq context
 * @ports: how many
 * @port: the ports
 */
struct uart_card {
	struct ferry_instance *inst;
	spinlock_t lock;	/* see above */
	unsigned int ports;
	struct uart port[];
};

static inline void fifo_push(struct uart_fifo *fifo, u8 byte, u8 error)
{
	unsigned int tail = (fifo->head + fifo->len) % UART_FIFO_SIZE;

	fifo->data[tail] = byte;
	fifo->error[tail] = error;
	fifo->len++;
}

static inline u8 fifo_pop(struct uart_fifo *fifo)
{
	u8 byte = fifo->data[fifo->head];

	fifo->head = (fifo->head + 1) % UART_FIFO_SIZE;
	fifo->len--;
	return byte;
}

static inline unsigned int uart_depth(const struct uart *u)
{
	return u->fcr & UART_FCR_ENABLE_FIFO ? UART_FIFO_SIZE : 1;
}

static inline unsigned int uart_trigger(const struct uart *u)
{
	static const u8 level[] = { 1, 4, 8, 14 };

	return u->fcr & UART_FCR_ENABLE_FIFO ? level[u->fcr >> 6] : 1;
}

/* uart_card.c: a card: its ports and its life */
int uart_card_create(struct ferry_instance *inst, unsigned int ports);
void uart_card_destroy(struct ferry_instance *inst);
void uart_card_reset(struct ferry_instance *inst);
u64 uart_card_read(struct ferry_instance *inst, unsigned int bar, u64 off,
		   unsigned int width);
void uart_card_write(struct ferry_instance *inst, unsigned int bar, u64 off,
		     unsigned int width, u64 value);
void uart_card_update(struct uart_card *card);

/* uart_port.c: what the registers do; no time passes */
u8 uart_port_cause(const struct uart *u);
void uart_port_receive(struct uart *u, u8 byte, u8 error);
u8 uart_port_read(struct uart *u, unsigned int reg);
void uart_port_write(struct uart *u, unsigned int reg, u8 value);

/* uart_line.c: time, and where a byte goes */
void uart_line_init(struct uart *u);
void uart_line_stop(struct uart *u);
void uart_line_update(struct uart *u);

#endif /* UART_H */
