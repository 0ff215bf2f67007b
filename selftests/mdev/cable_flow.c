// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flow control on the cable between a mediated UART and a tty of the host: with
 * it on, of either kind and in either direction, no byte is lost.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"
#include "cable.h"

#define XON	0x11
#define XOFF	0x13
/* More than all buffers on the way hold. */
#define MANY	20000

FIXTURE(flow)
{
	struct cable c;
};

FIXTURE_SETUP(flow)
{
	const char *missing = device_missing("uart");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, cable_open(&self->c, "uart", 0));
}

FIXTURE_TEARDOWN(flow)
{
	cable_close(&self->c);
}

/* The n-th byte of a stream without XON and XOFF. */
static __u8 nth(unsigned int n)
{
	return 0x20 + n % 0xd0;
}

static void host_feed(const struct cable *c, unsigned int *sent)
{
	__u8 bytes[64];
	ssize_t n;
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = nth(*sent + i);
	n = write(c->tty, bytes, sizeof(bytes));
	if (n > 0)
		*sent += n;
}

/* Reads what there is; false when it isn't what was sent. */
static bool guest_drain(const struct cable *c, unsigned int *got)
{
	__u8 lsr;

	while ((lsr = in(c, UART_LSR)) & UART_LSR_DR) {
		if (lsr & UART_LSR_BRK_ERROR_BITS)
			return false;
		if (in(c, UART_RX) != nth(*got))
			return false;
		++*got;
	}
	return !(lsr & UART_LSR_OE);
}

TEST_F(flow, overrun_without)
{
	unsigned int sent = 0;

	host_feed(&self->c, &sent);
	ASSERT_LT(16, sent);
	EXPECT_TRUE(becomes(&self->c, UART_LSR, UART_LSR_OE, UART_LSR_OE));
}

TEST_F(flow, host_waits_for_cts)
{
	const struct cable *c = &self->c;

	ASSERT_EQ(0, host_set(c, B115200, CS8 | CRTSCTS, 0));
	ASSERT_EQ(0, host_write(c, 'x'));
	usleep(20000);
	EXPECT_EQ(1, host_queued(c));
	EXPECT_EQ(0, in(c, UART_LSR) & UART_LSR_DR);
	out(c, UART_MCR, UART_MCR_RTS);
	EXPECT_EQ('x', guest_read(c));
}

/* A guest that drops RTS whenever it has got something. */
TEST_F(flow, rts_of_guest)
{
	const struct cable *c = &self->c;
	unsigned int sent = 0, got = 0, before;

	ASSERT_EQ(0, host_set(c, B115200, CS8 | CRTSCTS, 0));
	while (got < MANY) {
		host_feed(c, &sent);
		out(c, UART_MCR, UART_MCR_RTS);
		ASSERT_TRUE(becomes(c, UART_LSR, UART_LSR_DR, UART_LSR_DR));
		out(c, UART_MCR, 0);
		before = got;
		ASSERT_TRUE(guest_drain(c, &got)) {
			TH_LOG("byte %u", got);
		}
		ASSERT_GE(16, got - before);
	}
}

/* A guest that asks for data, and is late to read them: nothing overruns. */
static void late_guest(struct __test_metadata *_metadata,
		       const struct cable *c)
{
	unsigned int sent = 0, got = 0, i;

	out(c, UART_MCR, UART_MCR_RTS);
	while (got < 2000) {
		for (i = 0; i < 8; i++)
			host_feed(c, &sent);
		usleep(5000);
		ASSERT_TRUE(guest_drain(c, &got)) {
			TH_LOG("byte %u", got);
		}
	}
}

TEST_F(flow, late_guest_crtscts)
{
	ASSERT_EQ(0, host_set(&self->c, B115200, CS8 | CRTSCTS, 0));
	late_guest(_metadata, &self->c);
}

TEST_F(flow, late_guest_ixon)
{
	ASSERT_EQ(0, host_set(&self->c, B115200, CS8, IXON));
	late_guest(_metadata, &self->c);
}

TEST_F(flow, xoff_of_guest)
{
	const struct cable *c = &self->c;

	ASSERT_EQ(0, host_set(c, B115200, CS8, IXON));
	ASSERT_EQ(0, guest_write(c, XOFF));
	/* Once this has come back, so has XOFF. */
	ASSERT_EQ(0, guest_write(c, 'm'));
	ASSERT_EQ('m', host_read(c));
	ASSERT_EQ(0, host_write(c, 'x'));
	usleep(20000);
	EXPECT_EQ(1, host_queued(c));
	EXPECT_EQ(0, in(c, UART_LSR) & UART_LSR_DR);
	ASSERT_EQ(0, guest_write(c, XON));
	EXPECT_EQ('x', guest_read(c));
}

/* A host that doesn't read drops RTS, and raises it when it has room. */
TEST_F(flow, rts_of_host)
{
	const struct cable *c = &self->c;
	unsigned int sent = 0, got;

	ASSERT_EQ(0, host_set(c, B115200, CS8 | CRTSCTS, 0));
	ASSERT_EQ(UART_MSR_CTS, in(c, UART_MSR) & UART_MSR_CTS);
	while (in(c, UART_MSR) & UART_MSR_CTS) {
		ASSERT_EQ(0, guest_write(c, nth(sent++)));
		ASSERT_GT(100000, sent);
	}
	EXPECT_EQ(0, host_lines(c) & TIOCM_RTS);
	for (got = 0; got < sent; got++) {
		ASSERT_EQ(nth(got), host_read(c)) {
			TH_LOG("byte %u of %u", got, sent);
		}
	}
	EXPECT_TRUE(becomes(c, UART_MSR, UART_MSR_CTS, UART_MSR_CTS));
}

/* One with IXOFF sends XOFF, and XON. */
TEST_F(flow, xoff_of_host)
{
	const struct cable *c = &self->c;
	unsigned int sent = 0, got;

	ASSERT_EQ(0, host_set(c, B115200, CS8, IXOFF));
	while (!(in(c, UART_LSR) & UART_LSR_DR)) {
		ASSERT_EQ(0, guest_write(c, nth(sent++)));
		ASSERT_GT(100000, sent);
	}
	EXPECT_EQ(XOFF, in(c, UART_RX));
	for (got = 0; got < sent; got++) {
		ASSERT_EQ(nth(got), host_read(c)) {
			TH_LOG("byte %u of %u", got, sent);
		}
	}
	EXPECT_EQ(XON, guest_read(c));
}

/* tcflow(3): the user's own XOFF overtakes what waits. */
TEST_F(flow, tcflow)
{
	const struct cable *c = &self->c;

	ASSERT_EQ(0, host_set(c, B115200, CS8, 0));
	ASSERT_EQ(0, tcflow(c->tty, TCOOFF));
	ASSERT_EQ(0, host_write(c, 'x'));
	usleep(20000);
	EXPECT_EQ(1, host_queued(c));
	ASSERT_EQ(0, tcflow(c->tty, TCIOFF));
	EXPECT_EQ(XOFF, guest_read(c));
	ASSERT_EQ(0, tcflow(c->tty, TCOON));
	EXPECT_EQ('x', guest_read(c));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
