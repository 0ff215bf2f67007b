// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of a 16550A port.
 */
#include "uart.h"

#define UART_IER_BITS	(UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | \
			 UART_IER_MSI)
#define UART_MCR_BITS	(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | \
			 UART_MCR_OUT2 | UART_MCR_LOOP)
#define UART_MSR_LINES	(UART_MSR_CTS | UART_MSR_DSR | UART_MSR_RI | \
			 UART_MSR_DCD)

/* The FIFOs are on. */
#define UART_IIR_FIFOS	0xc0

/* Errors of the byte that is read next, and overruns. */
static u8 errors(const struct uart *u)
{
	return u->overrun | (u->rx.len ? u->rx.error[u->rx.head] : 0);
}

/**
 * uart_port_cause - the pending interrupt of highest priority
 * @u: the port
 *
 * Return: as IIR says it (DS 8.5); UART_IIR_NO_INT for none.
 */
u8 uart_port_cause(const struct uart *u)
{
	if ((u->ier & UART_IER_RLSI) && errors(u))
		return UART_IIR_RLSI;
	if ((u->ier & UART_IER_RDI) && u->rx.len >= uart_trigger(u))
		return UART_IIR_RDI;
	if ((u->ier & UART_IER_RDI) && u->timeout)
		return UART_IIR_RX_TIMEOUT;
	if ((u->ier & UART_IER_THRI) && u->thre)
		return UART_IIR_THRI;
	if ((u->ier & UART_IER_MSI) && (u->msr & UART_MSR_ANY_DELTA))
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

/**
 * uart_port_receive - a byte has come in
 * @u: the port
 * @byte: the byte
 * @error: LSR bits that belong to it
 *
 * One too many is lost, but replaces the one in the byte register (DS 8.4). A timeout begins
 * again, but one that has been told stands until the driver reads a byte (DS 8.4.1).
 */
void uart_port_receive(struct uart *u, u8 byte, u8 error)
{
	if (u->rx.len == uart_depth(u)) {
		u->overrun = UART_LSR_OE;
		if (u->rx.len > 1)
			return;
		u->rx.len = 0;
	}
	fifo_push(&u->rx, byte, error);
	u->waiting = false;
}

/* What comes in from the other ends of the modem lines (DS 8.6, 8.7). */
static u8 lines_in(const struct uart *u)
{
	bool rts = u->mcr & UART_MCR_RTS, dtr = u->mcr & UART_MCR_DTR;

	if (u->mcr & UART_MCR_LOOP)
		return (rts ? UART_MSR_CTS : 0) | (dtr ? UART_MSR_DSR : 0) |
		       (u->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
		       (u->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
	if (!u->card->plug) {
		rts = end_rts(&u->end);
		dtr = u->end.dtr;
	}
	return (rts ? UART_MSR_CTS : 0) |
	       (dtr ? UART_MSR_DSR | UART_MSR_DCD : 0);
}

/**
 * uart_port_lines - modem lines may have changed, of this end or the other
 * @u: the port
 */
void uart_port_lines(struct uart *u)
{
	u8 old = u->msr, lines = lines_in(u);

	/* Delta bits lie four below; of RI only the trailing edge counts. */
	u->msr |= ((old ^ lines) >> 4) & (UART_MSR_DCTS | UART_MSR_DDSR |
					  UART_MSR_DDCD);
	if (old & ~lines & UART_MSR_RI)
		u->msr |= UART_MSR_TERI;
	u->msr = (u->msr & UART_MSR_ANY_DELTA) | lines;
}

static u8 read_rx(struct uart *u, bool *changed)
{
	*changed = u->rx.len || u->timeout || u->waiting;
	u->timeout = false;
	u->waiting = false;
	return u->rx.len ? fifo_pop(&u->rx) : 0;
}

static u8 read_lsr(struct uart *u, bool *changed)
{
	u8 lsr = errors(u), any = 0;
	unsigned int i;

	*changed = lsr;
	if (u->rx.len)
		lsr |= UART_LSR_DR;
	if (!u->tx.len)
		lsr |= UART_LSR_THRE | UART_LSR_TEMT;
	for (i = 0; i < u->rx.len; i++)
		any |= u->rx.error[(u->rx.head + i) % UART_FIFO_SIZE];
	if (any && (u->fcr & UART_FCR_ENABLE_FIFO))
		lsr |= UART_LSR_FIFOE;

	u->overrun = 0;
	if (u->rx.len)
		u->rx.error[u->rx.head] = 0;
	return lsr;
}

static u8 read_iir(struct uart *u, bool *changed)
{
	u8 cause = uart_port_cause(u);

	/* Reading acknowledges this one, and no other. */
	*changed = cause == UART_IIR_THRI;
	if (*changed)
		u->thre = false;
	return cause | (u->fcr & UART_FCR_ENABLE_FIFO ? UART_IIR_FIFOS : 0);
}

static u8 read_msr(struct uart *u, bool *changed)
{
	u8 value = u->msr;

	*changed = value & UART_MSR_ANY_DELTA;
	u->msr &= UART_MSR_LINES;
	return value;
}

/**
 * uart_port_read - the driver reads a register
 * @u: the port
 * @reg: 0 to 7
 * @changed: set to whether the port isn't as it was; most reads are of somebody who waits,
 *	and change nothing
 *
 * Return: its value.
 */
u8 uart_port_read(struct uart *u, unsigned int reg, bool *changed)
{
	bool dlab = u->lcr & UART_LCR_DLAB;

	*changed = false;
	switch (reg) {
	case UART_RX:
		return dlab ? u->divisor : read_rx(u, changed);
	case UART_IER:
		return dlab ? u->divisor >> 8 : u->ier;
	case UART_IIR:
		return read_iir(u, changed);
	case UART_LCR:
		return u->lcr;
	case UART_MCR:
		return u->mcr;
	case UART_LSR:
		return read_lsr(u, changed);
	case UART_MSR:
		return read_msr(u, changed);
	default:
		return u->scr;
	}
}

static void write_fcr(struct uart *u, u8 value)
{
	/* Where the FIFOs aren't to be on, the other bits don't count (DS 8.4). */
	if (!(value & UART_FCR_ENABLE_FIFO))
		value = 0;
	/* Going to or leaving the FIFOs empties them (DS 8.4). */
	if ((value ^ u->fcr) & UART_FCR_ENABLE_FIFO)
		value |= UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT;
	if (value & UART_FCR_CLEAR_RCVR) {
		u->rx.len = 0;
		u->timeout = false;
	}
	if ((value & UART_FCR_CLEAR_XMIT) && u->tx.len) {
		u->tx.len = 0;
		u->thre = true;
	}
	u->fcr = value & (UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_MASK);
}

/**
 * uart_port_write - the driver writes a register
 * @u: the port
 * @reg: 0 to 7; LSR and MSR are read-only
 * @value: what it writes
 */
void uart_port_write(struct uart *u, unsigned int reg, u8 value)
{
	bool dlab = u->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (dlab) {
			u->divisor = (u->divisor & 0xff00) | value;
			break;
		}
		u->thre = false;
		if (u->tx.len < uart_depth(u))
			fifo_push(&u->tx, value, 0);
		break;
	case UART_IER:
		if (dlab) {
			u->divisor = (u->divisor & 0xff) | value << 8;
			break;
		}
		/* Enabling it asks again whether the transmitter is empty. */
		if ((value & ~u->ier & UART_IER_THRI) && !u->tx.len)
			u->thre = true;
		u->ier = value & UART_IER_BITS;
		break;
	case UART_FCR:
		write_fcr(u, value);
		break;
	case UART_LCR:
		u->lcr = value;
		if (!(value & UART_LCR_SBC))
			u->broken = false;
		break;
	case UART_MCR:
		u->mcr = value & UART_MCR_BITS;
		uart_port_lines(u);
		uart_end_lines(&u->end);
		break;
	case UART_SCR:
		u->scr = value;
		break;
	}
}
