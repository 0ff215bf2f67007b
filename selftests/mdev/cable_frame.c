// SPDX-License-Identifier: GPL-2.0-only
/*
 * Characters on the cable between a mediated UART and a tty of the host: speeds,
 * formats and breaks. See uart_frame.c.
 */
#include <errno.h>
#include <linux/serial.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"
#include "cable.h"

FIXTURE(frame)
{
	struct cable c;
};

FIXTURE_SETUP(frame)
{
	const char *missing = device_missing("uart-2");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, cable_open(&self->c, "uart-2", 1));
}

FIXTURE_TEARDOWN(frame)
{
	cable_close(&self->c);
}

/* A receiver sees what is on the line when it looks. */
TEST_F(frame, other_speed)
{
	const struct cable *c = &self->c;

	/* Twelve times slower, its start bit is a break to the guest. */
	ASSERT_EQ(0, host_set(c, B9600, CS8, 0));
	ASSERT_EQ(0, host_write(c, 'x'));
	ASSERT_TRUE(becomes(c, UART_LSR, UART_LSR_FE | UART_LSR_BI,
			    UART_LSR_FE | UART_LSR_BI));
	EXPECT_EQ(0, in(c, UART_RX));

	/* A host half as fast sees every second bit of 0x66, then silence. */
	ASSERT_EQ(0, host_set(c, B57600, CS8, PARMRK | INPCK));
	ASSERT_EQ(0, guest_write(c, 0x66));
	EXPECT_EQ(0xfd, host_read(c));
	/* The start bit is over before it looks: not a byte, but a spike. */
	ASSERT_EQ(0, guest_write(c, 0x67));
	ASSERT_EQ(0, guest_write(c, 0x66));
	EXPECT_EQ(0xfd, host_read(c));

	/* Alike again: 12 is the divisor of 9,600 baud. */
	ASSERT_EQ(0, host_set(c, B9600, CS8, 0));
	guest_format(c, 12, UART_LCR_WLEN8);
	ASSERT_EQ(0, host_write(c, 'x'));
	EXPECT_EQ('x', guest_read(c));
	EXPECT_EQ(0, in(c, UART_LSR) & UART_LSR_BRK_ERROR_BITS);
	ASSERT_EQ(0, guest_write(c, 'y'));
	EXPECT_EQ('y', host_read(c));
}

TEST_F(frame, other_format)
{
	const struct cable *c = &self->c;

	/* The host's parity bit is the guest's eighth data bit. */
	ASSERT_EQ(0, host_set(c, B115200, CS7 | PARENB, 0));
	ASSERT_EQ(0, host_write(c, 'A'));
	EXPECT_EQ('A', guest_read(c));
	ASSERT_EQ(0, host_write(c, 'C'));
	EXPECT_EQ('C' | 0x80, guest_read(c));

	/* And the other way round; PARMRK says 0xff, 0 before it. */
	ASSERT_EQ(0, host_set(c, B115200, CS7 | PARENB, INPCK | PARMRK));
	ASSERT_EQ(0, guest_write(c, 'A'));
	EXPECT_EQ('A', host_read(c));
	ASSERT_EQ(0, guest_write(c, 'A' | 0x80));
	EXPECT_EQ(0xff, host_read(c));
	EXPECT_EQ(0, host_read(c));
	EXPECT_EQ('A', host_read(c));
}

/* Where one looks for a stop bit the other still sends data, but not only zeros. */
TEST_F(frame, no_stop_bit)
{
	const __u8 errors = UART_LSR_FE | UART_LSR_PE | UART_LSR_BI;
	const struct cable *c = &self->c;
	struct serial_icounter_struct counts;

	ASSERT_EQ(0, host_set(c, B115200, CS8, 0));
	guest_format(c, 1, UART_LCR_WLEN7);
	ASSERT_EQ(0, host_write(c, 0x01));
	ASSERT_TRUE(becomes(c, UART_LSR, errors, UART_LSR_FE));
	EXPECT_EQ(0x01, in(c, UART_RX));
	ASSERT_EQ(0, host_write(c, 0x81));
	EXPECT_EQ(0x01, guest_read(c));
	EXPECT_EQ(0, in(c, UART_LSR) & errors);

	ASSERT_EQ(0, host_set(c, B115200, CS7, INPCK | PARMRK));
	guest_format(c, 1, UART_LCR_WLEN8);
	ASSERT_EQ(0, guest_write(c, 0x01));
	EXPECT_EQ(0xff, host_read(c));
	EXPECT_EQ(0, host_read(c));
	EXPECT_EQ(0x01, host_read(c));
	ASSERT_EQ(0, ioctl(c->tty, TIOCGICOUNT, &counts));
	EXPECT_EQ(1, counts.frame);
	EXPECT_EQ(1, counts.rx);
}

/* The host is told how fast it goes, which is no faster than a guest can. */
TEST_F(frame, fastest)
{
	const struct cable *c = &self->c;
	struct termios t;

	ASSERT_EQ(0, host_set(c, B230400, CS8, 0));
	ASSERT_EQ(0, tcgetattr(c->tty, &t));
	EXPECT_EQ(B115200, cfgetospeed(&t));
	ASSERT_EQ(0, host_write(c, 'x'));
	EXPECT_EQ('x', guest_read(c));
}

/* Each parity, understood by who expects it and by nobody else. */
TEST_F(frame, parity)
{
	const struct {
		tcflag_t cflag;
		__u8 lcr;
	} both[] = {
		{ PARENB | PARODD, UART_LCR_PARITY },
		{ PARENB, UART_LCR_PARITY | UART_LCR_EPAR },
		{ PARENB | PARODD | CMSPAR, UART_LCR_PARITY | UART_LCR_SPAR },
		{ PARENB | CMSPAR,
		  UART_LCR_PARITY | UART_LCR_SPAR | UART_LCR_EPAR },
	};
	const struct cable *c = &self->c;
	unsigned int host, guest, byte, wrong;

	for (host = 0; host < ARRAY_SIZE(both); host++) {
		ASSERT_EQ(0, host_set(c, B115200, CS8 | both[host].cflag, 0));
		for (guest = 0; guest < ARRAY_SIZE(both); guest++) {
			guest_format(c, 1, UART_LCR_WLEN8 | both[guest].lcr);
			wrong = 0;
			for (byte = 2; byte < 4; byte++) {
				ASSERT_EQ(0, host_write(c, byte));
				/* Reading LSR takes the error away. */
				while (host_queued(c))
					usleep(1000);
				wrong += !!(in(c, UART_LSR) & UART_LSR_PE);
				ASSERT_EQ(byte, in(c, UART_RX));
			}
			EXPECT_EQ(host == guest, !wrong) {
				TH_LOG("host %u, guest %u", host, guest);
			}
		}
	}
}

TEST_F(frame, break_to_guest)
{
	const struct cable *c = &self->c;

	ASSERT_EQ(0, ioctl(c->tty, TIOCSBRK));
	ASSERT_TRUE(becomes(c, UART_LSR, UART_LSR_BI, UART_LSR_BI));
	EXPECT_EQ(0, in(c, UART_RX));
	/* One break is one byte, and nothing else comes while it lasts. */
	ASSERT_EQ(0, host_write(c, 'x'));
	EXPECT_EQ(1, host_queued(c));
	EXPECT_EQ(0, in(c, UART_LSR) & UART_LSR_DR);
	ASSERT_EQ(0, ioctl(c->tty, TIOCCBRK));
	EXPECT_EQ('x', guest_read(c));
	EXPECT_EQ(0, in(c, UART_LSR) & UART_LSR_BRK_ERROR_BITS);
}

TEST_F(frame, break_to_host)
{
	const struct cable *c = &self->c;
	struct serial_icounter_struct counts;

	/* 0xff, 0, 0 is a break; termios(3). */
	ASSERT_EQ(0, host_set(c, B115200, CS8, PARMRK));
	out(c, UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	EXPECT_EQ(0xff, host_read(c));
	EXPECT_EQ(0, host_read(c));
	EXPECT_EQ(0, host_read(c));
	out(c, UART_LCR, UART_LCR_WLEN8);
	ASSERT_EQ(0, guest_write(c, 'x'));
	EXPECT_EQ('x', host_read(c));
	ASSERT_EQ(0, ioctl(c->tty, TIOCGICOUNT, &counts));
	EXPECT_EQ(1, counts.brk);
	EXPECT_EQ(2, counts.rx);
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
