// SPDX-License-Identifier: GPL-2.0-only
/*
 * The UART moves with what is in it and on its line: no byte is lost, none doubled.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../include/uapi/ferry/migration.h"
#include "../lib/ferrytest.h"
#include "../lib/harness.h"
#include "cable.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define STATE(name)	VFIO_DEVICE_STATE_##name
#define FIFO	16

FIXTURE(moving)
{
	struct cable c;
	struct cable to;
	int efd;
};

static void stop(const struct vdev *v)
{
	migration_to(v, STATE(STOP));
}

/* 0 or a negative errno; the source has stopped, the target runs. */
static int move(const struct cable *from, const struct cable *to)
{
	void *stream;
	ssize_t len;
	int ret;

	len = migration_save(&from->v, &stream);
	if (len < 0)
		return len;
	ret = migration_load(&to->v, stream, len, STATE(RUNNING));
	free(stream);
	return ret;
}

/* Cards with loopback plugs; the source's driver has begun. */
FIXTURE_SETUP(moving)
{
	const char *missing = device_missing("uart");

	if (missing)
		SKIP(return, "%s", missing);
	self->c = (struct cable) { .tty = -1 };
	self->to = (struct cable) { .tty = -1 };
	ASSERT_EQ(0, vdev_open_device(&self->c.v, "uart"));
	ASSERT_EQ(0, vdev_open_second(&self->to.v, "uart"));
	cfg_command(&self->c.v, 0, PCI_COMMAND_IO);
	guest_format(&self->c, 1, UART_LCR_WLEN8);
	out(&self->c, UART_FCR, FIFO_ON);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(moving)
{
	cable_close(&self->c);
	cable_close(&self->to);
	close(self->efd);
}

TEST_F(moving, registers)
{
	const unsigned int regs[] = { UART_IER, UART_LCR, UART_MCR, UART_SCR };
	size_t i;

	out(&self->c, UART_IER, 0xf);
	guest_format(&self->c, 0xabcd, UART_LCR_WLEN7 | UART_LCR_PARITY |
		     UART_LCR_EPAR | UART_LCR_STOP);
	out(&self->c, UART_MCR, UART_MCR_DTR | UART_MCR_OUT2);
	out(&self->c, UART_SCR, 0x5a);
	out(&self->c, UART_FCR, FIFO_ON | UART_FCR_TRIGGER_8);
	out(&self->to, UART_SCR, 0xff);
	ASSERT_EQ(0, move(&self->c, &self->to));
	EXPECT_EQ(PCI_COMMAND_IO, cfg_r16(&self->to.v, PCI_COMMAND));
	for (i = 0; i < ARRAY_SIZE(regs); i++)
		EXPECT_EQ(in(&self->c, regs[i]), in(&self->to, regs[i])) {
			TH_LOG("register %u", regs[i]);
		}
	EXPECT_EQ(0x5a, in(&self->to, UART_SCR));
	/* Deltas are there, and go by being read. */
	EXPECT_EQ(UART_MSR_DSR | UART_MSR_DCD | UART_MSR_DDSR | UART_MSR_DDCD,
		  in(&self->to, UART_MSR));
	EXPECT_EQ(UART_MSR_DSR | UART_MSR_DCD, in(&self->to, UART_MSR));
	out(&self->to, UART_LCR, UART_LCR_DLAB);
	EXPECT_EQ(0xcd, in(&self->to, UART_DLL));
	EXPECT_EQ(0xab, in(&self->to, UART_DLM));
}

/* What the receiver holds, with errors, and what it says of it. */
TEST_F(moving, receiver)
{
	unsigned int i;

	out(&self->c, UART_FCR, FIFO_ON | UART_FCR_TRIGGER_14);
	out(&self->c, UART_IER, UART_IER_RDI);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, guest_write(&self->c, 0xa0 + i));
		ASSERT_TRUE(becomes(&self->c, UART_LSR, UART_LSR_TEMT,
				    UART_LSR_TEMT));
	}
	out(&self->c, UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	ASSERT_TRUE(becomes(&self->c, UART_LSR, UART_LSR_FIFOE, UART_LSR_FIFOE));
	out(&self->c, UART_LCR, UART_LCR_WLEN8);
	ASSERT_TRUE(becomes(&self->c, UART_IIR, 0x0f, UART_IIR_RX_TIMEOUT));
	ASSERT_EQ(0, move(&self->c, &self->to));
	EXPECT_EQ(UART_IIR_RX_TIMEOUT | 0xc0, in(&self->to, UART_IIR));
	EXPECT_TRUE(in(&self->to, UART_LSR) & UART_LSR_FIFOE);
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0xa0 + i, in(&self->to, UART_RX));
	EXPECT_EQ(UART_LSR_BI | UART_LSR_FE | UART_LSR_DR,
		  in(&self->to, UART_LSR) & (UART_LSR_BI | UART_LSR_FE |
					     UART_LSR_DR | UART_LSR_PE));
	EXPECT_EQ(0, in(&self->to, UART_RX));
	EXPECT_FALSE(in(&self->to, UART_LSR) & UART_LSR_DR);
}

/* Characters on a line that is slow: 175 milliseconds each. */
TEST_F(moving, on_the_line)
{
	unsigned int i;

	guest_format(&self->c, 2016, UART_LCR_WLEN8);
	for (i = 0; i < FIFO; i++)
		out(&self->c, UART_TX, 0x30 + i);
	ASSERT_EQ(0, move(&self->c, &self->to));
	/* From where it is left, nothing comes any more. */
	EXPECT_EQ(STATE(STOP), migration_state(&self->c.v));
	for (i = 0; i < FIFO; i++)
		EXPECT_EQ(0x30 + (int)i, guest_read(&self->to)) {
			TH_LOG("byte %u", i);
		}
	EXPECT_TRUE(becomes(&self->to, UART_LSR, UART_LSR_TEMT, UART_LSR_TEMT));
	EXPECT_FALSE(in(&self->to, UART_LSR) & UART_LSR_DR);
}

/* What is written while no time passes waits; there and back again. */
TEST_F(moving, back_and_forth)
{
	struct cable *here = &self->c, *there = &self->to, *swap;
	unsigned int round, sent = 0, got = 0, i;

	for (round = 0; round < (unsigned int)rounds(20); round++) {
		for (i = 0; i < 4; i++)
			out(here, UART_TX, sent++);
		stop(&here->v);
		for (i = 0; i < 4; i++)
			out(here, UART_TX, sent++);
		ASSERT_EQ(0, move(here, there));
		ASSERT_EQ(0, vdev_reset(&here->v));
		swap = here;
		here = there;
		there = swap;
		for (i = 0; i < 8; i++)
			ASSERT_EQ((__u8)got++, guest_read(here));
		ASSERT_TRUE(becomes(here, UART_LSR, UART_LSR_TEMT | UART_LSR_DR,
				    UART_LSR_TEMT));
	}
}

/* An interrupt that was asserted is asserted, one that was acknowledged is not. */
TEST_F(moving, interrupts)
{
	ASSERT_EQ(0, irq_attach_one(&self->to.v, INTX, 0, self->efd));
	out(&self->c, UART_IER, UART_IER_THRI);
	ASSERT_EQ(0, move(&self->c, &self->to));
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_EQ(UART_IIR_THRI | 0xc0, in(&self->to, UART_IIR));
	EXPECT_EQ(UART_IIR_NO_INT | 0xc0, in(&self->to, UART_IIR));
	ASSERT_EQ(0, irq_act(&self->to.v, INTX, VFIO_IRQ_SET_ACTION_UNMASK));
	EXPECT_EQ(0, efd_take(self->efd));

	ASSERT_EQ(0, irq_attach_one(&self->c.v, INTX, 0, self->efd));
	ASSERT_EQ(0, move(&self->to, &self->c));
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_EQ(UART_IIR_NO_INT | 0xc0, in(&self->c, UART_IIR));
}

/* A message tells of what has changed by the move, though MSI is enabled after that. */
TEST_F(moving, change_is_a_message)
{
	void *stream;
	ssize_t len;

	out(&self->c, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	in(&self->c, UART_MSR);
	out(&self->c, UART_IER, UART_IER_MSI);
	ASSERT_EQ(0, cable_plug(&self->to, "0"));
	len = migration_save(&self->c.v, &stream);
	ASSERT_LT(0, len);
	EXPECT_EQ(0, migration_load(&self->to.v, stream, len, STATE(STOP)));
	free(stream);
	ASSERT_EQ(0, irq_attach_one(&self->to.v, MSI, 0, self->efd));
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(-1, migration_to(&self->to.v, STATE(RUNNING)));
	EXPECT_EQ(1, efd_take(self->efd));
	EXPECT_EQ(UART_IIR_MSI | 0xc0, in(&self->to, UART_IIR));
}

/* The other end stays; the guest finds another one, with its own lines and bytes. */
TEST_F(moving, cable)
{
	unsigned int i;

	ASSERT_EQ(0, cable_plug(&self->c, "0"));
	ASSERT_EQ(0, cable_plug(&self->to, "0"));
	self->c.tty = cable_tty_open(&self->c, O_NONBLOCK);
	ASSERT_LE(0, self->c.tty);
	ASSERT_EQ(0, host_set(&self->c, B115200, CS8, 0));
	out(&self->c, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	EXPECT_TRUE(becomes(&self->c, UART_MSR, UART_MSR_CTS, UART_MSR_CTS));
	in(&self->c, UART_MSR);

	/* No time passes: what the host writes waits, and comes when it goes on. */
	stop(&self->c.v);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, host_write(&self->c, 0x61 + i));
	out(&self->c, UART_TX, 0x41);
	EXPECT_EQ(5, host_queued(&self->c));
	ASSERT_EQ(-1, migration_to(&self->c.v, STATE(RUNNING)));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0x61 + (int)i, guest_read(&self->c));
	EXPECT_EQ(0x41, host_read(&self->c));

	/* One byte is there, three are not. */
	ASSERT_EQ(0, host_write(&self->c, 0x31));
	ASSERT_TRUE(becomes(&self->c, UART_LSR, UART_LSR_DR, UART_LSR_DR));
	stop(&self->c.v);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, host_write(&self->c, 0x32 + i));
	out(&self->c, UART_TX, 0x42);
	self->to.tty = cable_tty_open(&self->to, O_NONBLOCK);
	ASSERT_LE(0, self->to.tty);
	ASSERT_EQ(0, host_set(&self->to, B115200, CS8, 0));
	ASSERT_EQ(0, move(&self->c, &self->to));
	EXPECT_EQ(0x42, host_read(&self->to));
	EXPECT_EQ(0x31, guest_read(&self->to));
	EXPECT_EQ(3, host_queued(&self->c));
	EXPECT_TRUE(host_lines_become(&self->to, TIOCM_CTS | TIOCM_CAR,
				      TIOCM_CTS | TIOCM_CAR));
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD,
		  in(&self->to, UART_MSR));
	ASSERT_EQ(0, host_write(&self->to, 0x39));
	EXPECT_EQ(0x39, guest_read(&self->to));
}

/* A break that the host sends while no time passes comes when it goes on, once. */
TEST_F(moving, break_while_stopped)
{
	struct cable *c = &self->c;

	ASSERT_EQ(0, cable_plug(c, "0"));
	c->tty = cable_tty_open(c, O_NONBLOCK);
	ASSERT_LE(0, c->tty);
	ASSERT_EQ(0, host_set(c, B115200, CS8, 0));
	stop(&c->v);
	ASSERT_EQ(0, ioctl(c->tty, TIOCSBRK));
	ASSERT_EQ(0, ioctl(c->tty, TIOCCBRK));
	ASSERT_EQ(0, host_write(c, 'x'));
	ASSERT_EQ(-1, migration_to(&c->v, STATE(RUNNING)));
	ASSERT_TRUE(becomes(c, UART_LSR, UART_LSR_BI | UART_LSR_FE,
			    UART_LSR_BI | UART_LSR_FE));
	EXPECT_EQ(0, in(c, UART_RX));
	EXPECT_EQ('x', guest_read(c));
	EXPECT_EQ(0, in(c, UART_LSR) & (UART_LSR_BI | UART_LSR_DR));

	/* It doesn't come a second time, nor for who has closed the tty meanwhile. */
	stop(&c->v);
	ASSERT_EQ(-1, migration_to(&c->v, STATE(RUNNING)));
	EXPECT_EQ(0, in(c, UART_LSR) & UART_LSR_DR);
	stop(&c->v);
	ASSERT_EQ(0, ioctl(c->tty, TIOCSBRK));
	close(c->tty);
	c->tty = -1;
	ASSERT_EQ(-1, migration_to(&c->v, STATE(RUNNING)));
	EXPECT_EQ(0, in(c, UART_LSR) & UART_LSR_DR);
}

/* Where nobody holds the other end, the guest sees the lines fall. */
TEST_F(moving, to_nobody)
{
	out(&self->c, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	in(&self->c, UART_MSR);
	ASSERT_EQ(0, cable_plug(&self->to, "0"));
	ASSERT_EQ(0, move(&self->c, &self->to));
	EXPECT_EQ(UART_MSR_DCTS | UART_MSR_DDSR | UART_MSR_DDCD,
		  in(&self->to, UART_MSR));
}

/* All ports of a card. */
TEST_F(moving, ports)
{
	struct vdev from, to;
	unsigned int port;

	cable_close(&self->c);
	cable_close(&self->to);
	ASSERT_EQ(0, vdev_open_device(&from, "uart-4"));
	ASSERT_EQ(0, vdev_open_second(&to, "uart-4"));
	cfg_command(&from, 0, PCI_COMMAND_IO);
	for (port = 0; port < 4; port++)
		region_w8(&from, BAR0, 8 * port + UART_SCR, 0x11 * port);
	self->c.v = from;
	self->to.v = to;
	ASSERT_EQ(0, move(&self->c, &self->to));
	for (port = 0; port < 4; port++)
		EXPECT_EQ(0x11 * port, region_r8(&to, BAR0, 8 * port + UART_SCR));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
