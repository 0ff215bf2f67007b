/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both ends of a cable: registers of a UART, as a guest's driver uses them, and
 * the tty of the host that is connected to it.
 *
 * Characters take their time. A test waits for what tells of one, never for a
 * time.
 */
#ifndef CABLE_H
#define CABLE_H

#include <linux/serial_reg.h>
#include <stdbool.h>
#include <termios.h>

#include "../lib/ferrytest.h"

#define BAR0		VFIO_PCI_BAR0_REGION_INDEX
#define FIFO_ON		UART_FCR_ENABLE_FIFO
#define MSR_LINES	0xf0

/**
 * struct cable - a port of a card, and its tty
 * @v: the card
 * @port: which of its ports
 * @tty: the host's end, not blocking, or a negative errno
 */
struct cable {
	struct vdev v;
	unsigned int port;
	int tty;
};

int cable_open(struct cable *c, const char *device, unsigned int port);
void cable_close(struct cable *c);
int cable_plug(const struct cable *c, const char *loopback);
int cable_number(const struct cable *c);
int cable_tty_open(const struct cable *c, int flags);

__u8 in(const struct cable *c, unsigned int reg);
void out(const struct cable *c, unsigned int reg, __u8 val);
void guest_format(const struct cable *c, unsigned int divisor, __u8 lcr);
bool becomes(const struct cable *c, unsigned int reg, __u8 mask, __u8 want);
int guest_read(const struct cable *c);
int guest_write(const struct cable *c, __u8 byte);

int host_set(const struct cable *c, speed_t speed, tcflag_t cflag,
	     tcflag_t iflag);
int host_read(const struct cable *c);
int host_write(const struct cable *c, __u8 byte);
int host_lines(const struct cable *c);
int host_queued(const struct cable *c);
bool host_lines_become(const struct cable *c, int mask, int want);

#endif /* CABLE_H */
