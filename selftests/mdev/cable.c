// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mediated UART and a tty of the host, at the two ends of a cable: bytes,
 * lines, ports, plugs, and what happens when one end goes.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"
#include "cable.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK

static const int host_both = TIOCM_RTS | TIOCM_DTR;
static const __u8 far_lines = UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;

FIXTURE(cable)
{
	struct cable c;
	int efd;
};

FIXTURE_VARIANT(cable)
{
	const char *device;
	unsigned int ports;
};

FIXTURE_VARIANT_ADD(cable, one)
{
	.device = "uart", .ports = 1,
};

FIXTURE_VARIANT_ADD(cable, two)
{
	.device = "uart-2", .ports = 2,
};

FIXTURE_VARIANT_ADD(cable, four)
{
	.device = "uart-4", .ports = 4,
};

FIXTURE_SETUP(cable)
{
	const char *missing = device_missing(variant->device);

	if (missing)
		SKIP(return, "%s", missing);
	self->efd = efd_new();
	/* The last port is the one that a mistake makes another of. */
	ASSERT_EQ(0, cable_open(&self->c, variant->device, variant->ports - 1));
}

FIXTURE_TEARDOWN(cable)
{
	cable_close(&self->c);
	close(self->efd);
}

TEST_F(cable, to_host)
{
	int i;

	for (i = 0; i < 256; i++) {
		ASSERT_EQ(0, guest_write(&self->c, i));
		ASSERT_EQ(i, host_read(&self->c));
	}
}

TEST_F(cable, to_guest)
{
	int i;

	for (i = 0; i < 256; i++) {
		ASSERT_EQ(0, host_write(&self->c, i));
		ASSERT_EQ(i, guest_read(&self->c));
	}
	EXPECT_EQ(0, host_queued(&self->c));
}

/* What DTR and RTS of one end are at the other. */
TEST_F(cable, modem_lines)
{
	const struct cable *c = &self->c;
	const int rts = TIOCM_RTS;

	/* Who opens a tty raises both of its lines. */
	EXPECT_EQ(far_lines, in(c, UART_MSR) & MSR_LINES);
	ASSERT_EQ(0, ioctl(c->tty, TIOCMBIC, &rts));
	EXPECT_EQ(UART_MSR_DCTS | UART_MSR_DSR | UART_MSR_DCD, in(c, UART_MSR));
	ASSERT_EQ(0, ioctl(c->tty, TIOCMBIC, &host_both));
	EXPECT_EQ(UART_MSR_DDSR | UART_MSR_DDCD, in(c, UART_MSR));
	ASSERT_EQ(0, ioctl(c->tty, TIOCMBIS, &host_both));
	EXPECT_EQ(far_lines, in(c, UART_MSR) & MSR_LINES);

	EXPECT_EQ(host_both, host_lines(c));
	out(c, UART_MCR, UART_MCR_RTS);
	EXPECT_EQ(host_both | TIOCM_CTS, host_lines(c));
	out(c, UART_MCR, UART_MCR_DTR);
	EXPECT_EQ(host_both | TIOCM_DSR | TIOCM_CAR, host_lines(c));
	out(c, UART_MCR, UART_MCR_OUT1 | UART_MCR_OUT2);
	EXPECT_EQ(host_both, host_lines(c));
	/* In its own loop, the guest's lines are at rest (DS 8.6). */
	out(c, UART_MCR, UART_MCR_DTR | UART_MCR_LOOP);
	EXPECT_EQ(host_both, host_lines(c));
}

/* Nobody at the host's end: bytes are gone and no line is up. */
TEST_F(cable, nobody)
{
	const struct cable *c = &self->c;

	EXPECT_EQ(far_lines, in(c, UART_MSR) & MSR_LINES);
	close(self->c.tty);
	self->c.tty = -1;
	EXPECT_EQ(UART_MSR_DCTS | UART_MSR_DDSR | UART_MSR_DDCD,
		  in(c, UART_MSR));
	ASSERT_EQ(0, guest_write(c, 'x'));
	EXPECT_TRUE(becomes(c, UART_LSR, UART_LSR_TEMT, UART_LSR_TEMT));
	EXPECT_EQ(0, in(c, UART_LSR) & UART_LSR_DR);
}

/* Nobody at the guest's end: bytes are gone, and the next user finds none. */
TEST_F(cable, no_guest)
{
	char uuid[FERRY_NAME_MAX];
	int i;

	snprintf(uuid, sizeof(uuid), "%s", self->c.v.name);
	vdev_close(&self->c.v);
	EXPECT_EQ(host_both, host_lines(&self->c));
	for (i = 0; i < 40; i++)
		ASSERT_EQ(0, host_write(&self->c, i));
	ASSERT_EQ(0, tcdrain(self->c.tty));
	ASSERT_EQ(0, vdev_open(&self->c.v, "mdev", uuid));
	EXPECT_EQ(UART_LSR_THRE | UART_LSR_TEMT, in(&self->c, UART_LSR));
	EXPECT_EQ(far_lines, in(&self->c, UART_MSR));
}

TEST_F(cable, loopback)
{
	char path[256], text[FERRY_TEXT_MAX];
	const struct cable *c = &self->c;

	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/loopback",
		 c->v.name);
	ASSERT_EQ(0, text_read(path, text, sizeof(text)));
	EXPECT_STREQ("0", text);
	EXPECT_EQ(-EINVAL, cable_plug(c, "x"));
	out(c, UART_MCR, UART_MCR_RTS);
	ASSERT_EQ(0, cable_plug(c, "1"));
	EXPECT_EQ(UART_MSR_CTS, in(c, UART_MSR) & MSR_LINES);
	EXPECT_EQ(host_both, host_lines(c));
	ASSERT_EQ(0, guest_write(c, 'x'));
	EXPECT_EQ('x', guest_read(c));
	ASSERT_EQ(0, host_write(c, 'y'));
	EXPECT_EQ(0, tcdrain(c->tty));
	EXPECT_EQ(0, in(c, UART_LSR) & UART_LSR_DR);

	ASSERT_EQ(0, cable_plug(c, "0"));
	EXPECT_EQ(far_lines, in(c, UART_MSR) & MSR_LINES);
	EXPECT_EQ(host_both | TIOCM_CTS, host_lines(c));
}

/* A new card has a plug in each connector, as it always had. */
TEST_F(cable, plugged_at_first)
{
	char uuid[FERRY_NAME_MAX], type[512], path[256], text[FERRY_TEXT_MAX];

	ASSERT_EQ(0, mdev_type_find(variant->device, type, sizeof(type)));
	mdev_uuid(1, uuid);
	ASSERT_EQ(0, mdev_create(type, uuid));
	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/loopback", uuid);
	EXPECT_EQ(0, text_read(path, text, sizeof(text)));
	EXPECT_STREQ("1", text);
	EXPECT_EQ(0, mdev_remove(uuid));
}

/* What happens at one port is nothing to the others, but for the interrupt. */
TEST_F(cable, ports)
{
	struct cable c = self->c;
	unsigned int i;
	int number;

	EXPECT_EQ(8 * variant->ports, region_size(&c.v, BAR0));
	for (i = 0; i < variant->ports; i++) {
		c.port = i;
		number = cable_number(&c);
		EXPECT_LE(0, number);
		EXPECT_EQ((int)i, number % 4);
		guest_format(&c, 1, UART_LCR_WLEN8);
		out(&c, UART_FCR, FIFO_ON);
		out(&c, UART_SCR, 0x50 + i);
		out(&c, UART_MCR, UART_MCR_LOOP);
		ASSERT_EQ(0, guest_write(&c, 'a' + i));
	}
	for (i = 0; i < variant->ports; i++) {
		c.port = i;
		EXPECT_EQ(0x50 + i, in(&c, UART_SCR));
		EXPECT_EQ('a' + (int)i, guest_read(&c));
		EXPECT_EQ(0, in(&c, UART_LSR) & UART_LSR_DR);
	}
	ASSERT_EQ(0, irq_attach_one(&c.v, INTX, 0, self->efd));
	for (i = 0; i < variant->ports; i++) {
		c.port = i;
		out(&c, UART_IER, UART_IER_RDI);
		ASSERT_EQ(0, guest_write(&c, 'x'));
		EXPECT_EQ(1, efd_wait(self->efd));
		EXPECT_EQ('x', guest_read(&c));
		ASSERT_EQ(0, irq_act(&c.v, INTX, UNMASK));
	}
	c.port = variant->ports;
	EXPECT_EQ(-ENOENT, cable_number(&c));
}

/* No port has anything to say of what it was before a reset. */
TEST_F(cable, silent_reset)
{
	struct cable *c = &self->c;

	ASSERT_EQ(0, irq_attach_one(&c->v, MSI, 0, self->efd));
	out(c, UART_IER, UART_IER_THRI);
	EXPECT_EQ(1, efd_wait(self->efd));
	ASSERT_EQ(0, vdev_reset(&c->v));
	EXPECT_EQ(0, efd_take(self->efd));
}

/* The card goes while the tty is open. */
TEST_F(cable, removed)
{
	char uuid[FERRY_NAME_MAX], type[512], path[64];
	struct pollfd pfd = { .fd = self->c.tty };
	struct cable other = self->c;
	int number = cable_number(&self->c);

	vdev_close(&self->c.v);
	ASSERT_EQ(0, mdev_remove(other.v.name));
	EXPECT_EQ(1, poll(&pfd, 1, FERRY_TIMEOUT_MS));
	EXPECT_NE(0, pfd.revents & POLLHUP);
	EXPECT_EQ(-EIO, host_write(&self->c, 'x'));
	snprintf(path, sizeof(path), "/dev/ttyFY%d", number);
	EXPECT_FALSE(path_exists(path));

	/* As long as it is open, its number is nobody else's. */
	ASSERT_EQ(0, mdev_type_find(variant->device, type, sizeof(type)));
	mdev_uuid(1, uuid);
	snprintf(other.v.name, sizeof(other.v.name), "%s", uuid);
	ASSERT_EQ(0, mdev_create(type, uuid));
	EXPECT_NE(number, cable_number(&other));
	EXPECT_EQ(0, mdev_remove(uuid));
	close(self->c.tty);
	self->c.tty = -1;
}

static void *closer(void *arg)
{
	close(*(int *)arg);
	return NULL;
}

/*
 * Who closes a tty waits for what he has written to be sent, for 30 seconds if
 * the guest never takes it, but not for a guest that is gone.
 */
TEST_F(cable, removed_while_closing)
{
	struct timespec begin, end;
	char uuid[FERRY_NAME_MAX];
	pthread_t thread;

	ASSERT_EQ(0, host_set(&self->c, B115200, CS8 | CRTSCTS, 0));
	ASSERT_EQ(0, host_write(&self->c, 'x'));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	ASSERT_EQ(0, pthread_create(&thread, NULL, closer, &self->c.tty));
	usleep(100000);
	snprintf(uuid, sizeof(uuid), "%s", self->c.v.name);
	vdev_close(&self->c.v);
	ASSERT_EQ(0, mdev_remove(uuid));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	clock_gettime(CLOCK_MONOTONIC, &end);
	EXPECT_GT(30, end.tv_sec - begin.tv_sec);
	self->c.tty = -1;
}

/* Who closes in the midst of sending leaves what has arrived to the receiver's timeout. */
TEST_F(cable, closed_in_the_midst)
{
	const struct cable *c = &self->c;

	ASSERT_EQ(0, host_set(c, B110, CS8, 0));
	guest_format(c, 1047, UART_LCR_WLEN8);
	out(c, UART_FCR, FIFO_ON | UART_FCR_TRIGGER_14);
	ASSERT_EQ(0, irq_attach_one(&c->v, INTX, 0, self->efd));
	out(c, UART_IER, UART_IER_RDI);
	ASSERT_EQ(0, host_write(c, 'a'));
	ASSERT_TRUE(becomes(c, UART_LSR, UART_LSR_DR, UART_LSR_DR));
	ASSERT_EQ(8, write(c->tty, "bcdefghi", 8));
	ASSERT_EQ(0, tcflush(c->tty, TCOFLUSH));
	close(self->c.tty);
	self->c.tty = -1;
	ASSERT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(UART_IIR_RX_TIMEOUT | 0xc0, in(c, UART_IIR));
	EXPECT_EQ('a', in(c, UART_RX));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
