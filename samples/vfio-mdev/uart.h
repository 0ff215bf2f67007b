/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A card of 16550A ports. Registers as in the data sheet of the PC16550D; "DS"
 * in the files of this model is that.
 */
#ifndef UART_H
#define UART_H

#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/serial.h>
#include <linux/serial_reg.h>
#include <linux/spinlock.h>
#include <linux/tty_port.h>
#include <linux/types.h>

struct device;
struct ferry_instance;
struct tty_struct;
struct uart_card;

#define UART_REGISTERS		8	/* bytes, of a port */
#define UART_FIFO_SIZE		16
#define UART_MAX_PORTS		4
#define UART_MAX_CARDS		4096
#define UART_BAUD_MAX		115200	/* with a divisor of 1 */

struct uart_fifo {
	u8 data[UART_FIFO_SIZE];
	u8 error[UART_FIFO_SIZE];	/* LSR bits that came with the byte */
	u8 head;
	u8 len;
};

enum uart_parity {
	UART_NO_PARITY, UART_ODD, UART_EVEN, UART_MARK, UART_SPACE,
};

/**
 * struct uart_frame - how one end sends and receives characters
 * @bit: nanoseconds that a bit takes; 0 where the line is hung up
 * @data: data bits
 * @stops: stop bits
 * @parity: enum uart_parity
 */
struct uart_frame {
	u32 bit;
	u8 data;
	u8 stops;
	u8 parity;
};

/**
 * struct uart_end - the host's end of the cable, a tty
 * @tty: the tty layer's; its buffer holds what is still to be sent
 * @wire: fires when @sending characters have been sent
 * @number: of the tty
 * @frame: format and speed
 * @counts: what has come and gone, for TIOCGICOUNT
 * @sending: characters that are on the line now
 * @urgent: XON or XOFF, sent before anything else; 0 for none
 * @far: the guest's UART_MCR_DTR and UART_MCR_RTS, as they were told last
 * @open: a program has the tty open
 * @cread: what comes is received
 * @crtscts: CTS stops the sender
 * @ixon: so does XOFF, which is the tty layer's work
 * @throttled: the tty has no room, and RTS says so
 * @stopped: by XOFF, or by the user with tcflow(3)
 * @rts: request to send
 * @dtr: data terminal ready
 * @broken: a break is sent
 * @owed: one has begun while no time passed, and arrives when it goes on
 */
struct uart_end {
	struct tty_port tty;
	struct hrtimer wire;
	unsigned int number;
	struct uart_frame frame;
	struct serial_icounter_struct counts;
	u8 sending;
	u8 urgent;
	u8 far;
	bool open;
	bool cread;
	bool crtscts;
	bool ixon;
	bool throttled;
	bool stopped;
	bool rts;
	bool dtr;
	bool broken;
	bool owed;
};

/**
 * struct uart - one port
 * @card: the card
 * @line: fires when @sending characters have been sent
 * @idle: fires when the receiver has been left alone for long enough
 * @end: who is at the other end of the cable
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
 * @used: a driver has written to a register since the last reset; before that
 *	the port is deaf, lest a user finds what came when there was none
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
	struct uart_end end;
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
	bool used;
	bool thre;
	bool waiting;
	bool timeout;
	bool broken;
};

/**
 * struct uart_card - a card of several ports
 * @ref: the instance has one, and the tty of each port
 * @lock: guards what follows and the ports, but not @slot and @ports, which
 *	stay; timers take it in softirq context
 * @inst: the instance, %NULL when it is gone and only ttys are left
 * @paused: no time passes on any line
 * @plug: loopback plugs are in the connectors instead of cables
 * @slot: which of the cards it is; its ttys are numbered by that
 * @ports: how many
 * @port: the ports
 */
struct uart_card {
	struct kref ref;
	spinlock_t lock;	/* see above */
	struct ferry_instance *inst;
	bool paused;
	bool plug;
	unsigned int slot;
	unsigned int ports;
	struct uart *port;
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

static inline u8 uart_frame_mask(const struct uart_frame *f)
{
	return 0xff >> (8 - f->data);
}

static inline struct uart *end_uart(struct uart_end *end)
{
	return container_of(end, struct uart, end);
}

static inline struct uart_end *port_end(struct tty_port *port)
{
	return container_of(port, struct uart_end, tty);
}

static inline struct uart_end *end_lock(struct tty_port *port,
					unsigned long *flags)
{
	struct uart_end *end = port_end(port);

	spin_lock_irqsave(&end_uart(end)->card->lock, *flags);
	return end;
}

static inline void end_unlock(struct uart_end *end, unsigned long flags)
{
	spin_unlock_irqrestore(&end_uart(end)->card->lock, flags);
}

/* The wire, not what the user asked for. */
static inline bool end_rts(const struct uart_end *end)
{
	return end->rts && !end->throttled;
}

/* uart_card.c: a card: its ports, its life, its connectors */
extern const struct attribute_group *uart_card_groups[];
int uart_card_create(struct ferry_instance *inst, unsigned int ports);
void uart_card_destroy(struct ferry_instance *inst);
void uart_card_reset(struct ferry_instance *inst);
u64 uart_card_read(struct ferry_instance *inst, unsigned int bar, u64 off,
		   unsigned int width);
void uart_card_write(struct ferry_instance *inst, unsigned int bar, u64 off,
		     unsigned int width, u64 value);
struct uart_card *uart_card_of(struct ferry_instance *inst);
void uart_card_update(struct uart_card *card);
void uart_card_put(struct uart_card *card);

/* uart_port.c: what the registers do; no time passes */
u8 uart_port_cause(const struct uart *u);
void uart_port_lines(struct uart *u);
void uart_port_receive(struct uart *u, u8 byte, u8 error);
u8 uart_port_read(struct uart *u, unsigned int reg, bool *changed);
void uart_port_write(struct uart *u, unsigned int reg, u8 value);

/* uart_state.c: what a card takes along when it migrates */
#define UART_STATE_VERSION	1
#define UART_STATE_SIZE(ports)	(8 + 64 * (ports))
void uart_state_pause(struct ferry_instance *inst);
void uart_state_resume(struct ferry_instance *inst);
ssize_t uart_state_save(struct ferry_instance *inst, void *buf, size_t len);
int uart_state_validate(struct ferry_instance *inst, const void *buf,
			size_t len);
void uart_state_load(struct ferry_instance *inst, const void *buf, size_t len);

/* uart_frame.c: what a receiver makes of what a sender sends */
u64 uart_frame_ns(const struct uart_frame *f, unsigned int chars);
bool uart_frame_receive(const struct uart_frame *tx,
			const struct uart_frame *rx, u8 *byte, u8 *error);

/* uart_line.c: time, and where a byte goes */
void uart_line_frame(const struct uart *u, struct uart_frame *f);
void uart_line_init(struct uart *u);
void uart_line_resume(struct uart *u);
void uart_line_stop(struct uart *u);
void uart_line_update(struct uart *u);

/* uart_end.c: the host's end of the cable */
void uart_end_send(struct uart_end *end);
void uart_end_resume(struct uart_end *end);
void uart_end_receive(struct uart_end *end, u8 byte, u8 error);
void uart_end_push(struct uart_end *end);
void uart_end_lines(struct uart_end *end);
void uart_end_tell(struct uart_end *end);
void uart_end_break(struct uart_end *end, bool on);
void uart_end_init(struct uart_end *end);

/* uart_tty.c: what a program does with its tty */
extern const struct tty_operations uart_tty_ops;

/* uart_open.c: opening and closing it, and its settings */
extern const struct tty_port_operations uart_open_ops;
void uart_open_format(struct uart_end *end, struct tty_struct *tty);

/* uart_node.c: the ttys that there are */
unsigned int uart_node_cards(void);
struct uart_end *uart_node_get(unsigned int number);
int uart_node_add(struct uart_end *end, unsigned int number,
		  struct device *parent);
void uart_node_remove(struct uart_end *end);
int uart_node_init(unsigned int cards);
void uart_node_exit(void);

#endif /* UART_H */
