/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One 16550A port. Registers as in the data sheet of the PC16550D; "DS" in the
 * files of this model is that.
 */
#ifndef UART_H
#define UART_H

#include <linux/hrtimer.h>
#include <linux/serial_reg.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct ferry_instance;

#define UART_FIFO_SIZE	16

struct uart_fifo {
	u8 data[UART_FIFO_SIZE];
	u8 error[UART_FIFO_SIZE];	/* LSR bits that came with the byte */
	u8 head;
	u8 len;
};

/**
 * struct uart - one port
 * @inst: the instance
 * @lock: guards everything below; the line's timer takes it in softirq context
 * @line: fires when @sending characters have been sent, or when the receiver
 *	has been left alone for long enough
 * @ticking: @line is running
 * @sending: characters that are on the line now
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
 * @timeout: bytes below the trigger level lie in the receiver
 * @broken: the break that is on the line has been received
 */
struct uart {
	struct ferry_instance *inst;
	spinlock_t lock;	/* see above */
	struct hrtimer line;
	bool ticking;
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
	bool timeout;
	bool broken;
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
