// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two ends of a cable, for the programs that test it.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cable.h"

#define PORTS_MAX	4

/* The number of the port's tty. */
int cable_number(const struct cable *c)
{
	int number, ret = -ENOENT;
	char pattern[256];
	glob_t found;
	size_t i;

	snprintf(pattern, sizeof(pattern),
		 "/sys/bus/mdev/devices/%s/tty/ttyFY*", c->v.name);
	if (glob(pattern, 0, NULL, &found))
		return -ENOENT;
	for (i = 0; i < found.gl_pathc; i++) {
		number = atoi(strstr(found.gl_pathv[i], "ttyFY") + 5);
		if (number % PORTS_MAX == (int)c->port)
			ret = number;
	}
	globfree(&found);
	return ret;
}

int cable_tty_open(const struct cable *c, int flags)
{
	int number = cable_number(c), fd;
	char path[64];

	if (number < 0)
		return number;
	snprintf(path, sizeof(path), "/dev/ttyFY%d", number);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
}

/* "0" puts cables into the card's connectors, "1" plugs. */
int cable_plug(const struct cable *c, const char *loopback)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/loopback",
		 c->v.name);
	return text_write(path, loopback);
}

/* Both ends ready: 115,200 8N1, FIFOs on, raw, no flow control. */
int cable_open(struct cable *c, const char *device, unsigned int port)
{
	int ret;

	c->port = port;
	c->tty = -ENOENT;
	ret = vdev_open_device(&c->v, device);
	if (ret)
		return ret;
	cfg_command(&c->v, 0, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	ret = cable_plug(c, "0");
	if (ret)
		return ret;
	guest_format(c, 1, UART_LCR_WLEN8);
	out(c, UART_FCR, FIFO_ON);
	c->tty = cable_tty_open(c, O_NONBLOCK);
	return c->tty < 0 ? c->tty : host_set(c, B115200, CS8, 0);
}

void cable_close(struct cable *c)
{
	if (c->tty >= 0) {
		/* Or closing waits for what nobody takes. */
		tcflush(c->tty, TCIOFLUSH);
		close(c->tty);
		c->tty = -1;
	}
	vdev_close(&c->v);
}

__u8 in(const struct cable *c, unsigned int reg)
{
	return region_r8(&c->v, BAR0, 8 * c->port + reg);
}

void out(const struct cable *c, unsigned int reg, __u8 val)
{
	region_w8(&c->v, BAR0, 8 * c->port + reg, val);
}

/* 115,200 baud by @divisor. */
void guest_format(const struct cable *c, unsigned int divisor, __u8 lcr)
{
	out(c, UART_LCR, UART_LCR_DLAB);
	out(c, UART_DLL, divisor);
	out(c, UART_DLM, divisor >> 8);
	out(c, UART_LCR, lcr);
}

/* Waits until (register & mask) == want; false when it never comes. */
bool becomes(const struct cable *c, unsigned int reg, __u8 mask, __u8 want)
{
	unsigned int waited;

	for (waited = 0; waited < FERRY_TIMEOUT_MS; waited++) {
		if ((in(c, reg) & mask) == want)
			return true;
		usleep(1000);
	}
	return false;
}

/* The next byte that the guest reads; -1 when none comes. */
int guest_read(const struct cable *c)
{
	if (!becomes(c, UART_LSR, UART_LSR_DR, UART_LSR_DR))
		return -1;
	return in(c, UART_RX);
}

int guest_write(const struct cable *c, __u8 byte)
{
	if (!becomes(c, UART_LSR, UART_LSR_THRE, UART_LSR_THRE))
		return -ETIMEDOUT;
	out(c, UART_TX, byte);
	return 0;
}

/* Raw but for @iflag, with CLOCAL and HUPCL and what @cflag adds. */
int host_set(const struct cable *c, speed_t speed, tcflag_t cflag,
	     tcflag_t iflag)
{
	struct termios t;

	if (tcgetattr(c->tty, &t))
		return -errno;
	cfmakeraw(&t);
	t.c_cflag = cflag | CREAD | CLOCAL | HUPCL;
	t.c_iflag = iflag;
	cfsetspeed(&t, speed);
	return tcsetattr(c->tty, TCSANOW, &t) ? -errno : 0;
}

/* The next byte that the host reads; -1 when none comes. */
int host_read(const struct cable *c)
{
	struct pollfd pfd = { .fd = c->tty, .events = POLLIN };
	__u8 byte;

	if (poll(&pfd, 1, FERRY_TIMEOUT_MS) != 1 ||
	    read(c->tty, &byte, 1) != 1)
		return -1;
	return byte;
}

int host_write(const struct cable *c, __u8 byte)
{
	return write(c->tty, &byte, 1) == 1 ? 0 : -errno;
}

int host_lines(const struct cable *c)
{
	int set = 0;

	return ioctl(c->tty, TIOCMGET, &set) ? -errno : set;
}

/* Bytes that have not been sent. */
int host_queued(const struct cable *c)
{
	int left = 0;

	return ioctl(c->tty, TIOCOUTQ, &left) ? -errno : left;
}

bool host_lines_become(const struct cable *c, int mask, int want)
{
	unsigned int waited;

	for (waited = 0; waited < FERRY_TIMEOUT_MS; waited++) {
		if ((host_lines(c) & mask) == want)
			return true;
		usleep(1000);
	}
	return false;
}
