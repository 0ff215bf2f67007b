// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mediated UART: a PCI serial card with a 16550A and a loopback plug.
 *
 * Characters take their time on the line. A test waits for the status bit or
 * the interrupt that tells of one, never for a time.
 */
#include <errno.h>
#include <linux/serial_reg.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"

#define BAR0	VFIO_PCI_BAR0_REGION_INDEX
#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK

#define FIFO_ON		UART_FCR_ENABLE_FIFO
#define IIR_FIFO	0xc0
#define IIR_TIMEOUT	UART_IIR_RX_TIMEOUT
#define MSR_LINES	0xf0

FIXTURE(uart)
{
	struct vdev v;
	int efd;
};

static __u8 in(const struct vdev *v, unsigned int reg)
{
	return region_r8(v, BAR0, reg);
}

static void out(const struct vdev *v, unsigned int reg, __u8 val)
{
	region_w8(v, BAR0, reg, val);
}

static void set_divisor(const struct vdev *v, unsigned int divisor)
{
	__u8 lcr = in(v, UART_LCR);

	out(v, UART_LCR, lcr | UART_LCR_DLAB);
	out(v, UART_DLL, divisor);
	out(v, UART_DLM, divisor >> 8);
	out(v, UART_LCR, lcr);
}

FIXTURE_SETUP(uart)
{
	const char *missing = device_missing("uart");

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, "uart"));
	cfg_command(&self->v, 0, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	self->efd = efd_new();
	ASSERT_LE(0, self->efd);
	set_divisor(&self->v, 1);
	out(&self->v, UART_LCR, UART_LCR_WLEN8);
}

FIXTURE_TEARDOWN(uart)
{
	close(self->efd);
	vdev_close(&self->v);
}

/* Waits until (register & mask) == want; false when it never comes. */
static bool becomes(const struct vdev *v, unsigned int reg, __u8 mask,
		    __u8 want)
{
	struct timespec now;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + FERRY_TIMEOUT_MS / 1000;
	while ((in(v, reg) & mask) != want) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end)
			return false;
		sched_yield();
	}
	return true;
}

static bool sent(const struct vdev *v)
{
	return becomes(v, UART_LSR, UART_LSR_TEMT, UART_LSR_TEMT);
}

static bool received(const struct vdev *v)
{
	return becomes(v, UART_LSR, UART_LSR_DR, UART_LSR_DR);
}

TEST_F(uart, identity)
{
	__u32 bar = cfg_r32(&self->v, PCI_BASE_ADDRESS_0);
	unsigned int i;

	EXPECT_EQ(0x070002, cfg_r32(&self->v, PCI_CLASS_REVISION) >> 8);
	EXPECT_EQ(1, bar & 3);
	EXPECT_EQ(8, region_size(&self->v, BAR0));
	for (i = 1; i < PCI_STD_NUM_BARS; i++) {
		EXPECT_EQ(0, region_size(&self->v, i)) {
			TH_LOG("BAR %u", i);
		}
	}
	EXPECT_EQ(0, region_size(&self->v, VFIO_PCI_ROM_REGION_INDEX));
	EXPECT_EQ(PCI_HEADER_TYPE_NORMAL, cfg_r8(&self->v, PCI_HEADER_TYPE));
	EXPECT_EQ(1, cfg_r8(&self->v, PCI_INTERRUPT_PIN));
	EXPECT_NE(0, cfg_find_cap(&self->v, PCI_CAP_ID_PM));
	EXPECT_NE(0, cfg_find_cap(&self->v, PCI_CAP_ID_MSI));
	EXPECT_EQ(0, cfg_find_cap(&self->v, PCI_CAP_ID_MSIX));
}

static void expect_reset_values(struct __test_metadata *_metadata,
				const struct vdev *v)
{
	EXPECT_EQ(0, in(v, UART_IER));
	EXPECT_EQ(UART_IIR_NO_INT, in(v, UART_IIR));
	EXPECT_EQ(0, in(v, UART_LCR));
	EXPECT_EQ(0, in(v, UART_MCR));
	EXPECT_EQ(UART_LSR_THRE | UART_LSR_TEMT, in(v, UART_LSR));
	EXPECT_EQ(0, in(v, UART_MSR) & MSR_LINES);
}

TEST_F(uart, reset)
{
	__u8 line = 0x5a;

	ASSERT_EQ(0, vdev_reset(&self->v));
	expect_reset_values(_metadata, &self->v);

	out(&self->v, UART_IER, 0x0f);
	out(&self->v, UART_FCR, FIFO_ON);
	out(&self->v, UART_LCR, UART_LCR_WLEN8);
	out(&self->v, UART_MCR, UART_MCR_RTS | UART_MCR_DTR);
	out(&self->v, UART_TX, 'x');
	cfg_w8(&self->v, PCI_INTERRUPT_LINE, line);
	ASSERT_EQ(0, vdev_reset(&self->v));
	expect_reset_values(_metadata, &self->v);
	EXPECT_EQ(line, cfg_r8(&self->v, PCI_INTERRUPT_LINE));

	/* What was on the line when it was reset does not arrive after it. */
	out(&self->v, UART_LCR, UART_LCR_WLEN8);
	out(&self->v, UART_TX, 'y');
	ASSERT_TRUE(received(&self->v));
	EXPECT_EQ('y', in(&self->v, UART_RX));
}

/* Interrupts that are attached stay attached across a reset. */
TEST_F(uart, reset_keeps_interrupts)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_EQ(0, efd_take(self->efd));
	out(&self->v, UART_IER, UART_IER_THRI);
	EXPECT_EQ(1, efd_wait(self->efd));
}

/* A user that closes leaves a reset device to the next. */
TEST_F(uart, open_is_reset)
{
	struct vdev other;
	char uuid[FERRY_NAME_MAX];

	out(&self->v, UART_SCR, 0x77);
	out(&self->v, UART_IER, UART_IER_MSI);
	cfg_w8(&self->v, PCI_INTERRUPT_LINE, 0x33);
	snprintf(uuid, sizeof(uuid), "%s", self->v.name);
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open(&other, "mdev", uuid));
	expect_reset_values(_metadata, &other);
	EXPECT_EQ(0, cfg_r16(&other, PCI_COMMAND));
	EXPECT_NE(0x33, cfg_r8(&other, PCI_INTERRUPT_LINE));
	vdev_close(&other);
}

TEST_F(uart, scratch)
{
	int i;

	for (i = 0; i < 256; i++) {
		out(&self->v, UART_SCR, i);
		ASSERT_EQ(i, in(&self->v, UART_SCR));
	}
}

/* Bits that the chip has, and no others. */
TEST_F(uart, register_bits)
{
	out(&self->v, UART_IER, 0xf0);
	EXPECT_EQ(0, in(&self->v, UART_IER));
	out(&self->v, UART_IER, 0);
	out(&self->v, UART_LCR, 0x3f);
	EXPECT_EQ(0x3f, in(&self->v, UART_LCR));
	out(&self->v, UART_LCR, UART_LCR_WLEN8);
	out(&self->v, UART_MCR, 0xff);
	EXPECT_EQ(0x1f, in(&self->v, UART_MCR));
	out(&self->v, UART_MCR, 0);
	EXPECT_EQ(0, in(&self->v, UART_MCR));
}

TEST_F(uart, divisor_latch)
{
	out(&self->v, UART_IER, UART_IER_MSI);
	out(&self->v, UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	out(&self->v, UART_DLL, 0x34);
	out(&self->v, UART_DLM, 0x12);
	EXPECT_EQ(0x34, in(&self->v, UART_DLL));
	EXPECT_EQ(0x12, in(&self->v, UART_DLM));
	EXPECT_EQ(UART_LCR_DLAB | UART_LCR_WLEN8, in(&self->v, UART_LCR));
	out(&self->v, UART_LCR, UART_LCR_WLEN8);
	EXPECT_EQ(UART_IER_MSI, in(&self->v, UART_IER));
	EXPECT_FALSE(in(&self->v, UART_LSR) & UART_LSR_DR);
	out(&self->v, UART_LCR, UART_LCR_DLAB);
	EXPECT_EQ(0x34, in(&self->v, UART_DLL));
	EXPECT_EQ(0x12, in(&self->v, UART_DLM));
}

/* How a driver tells a 16550A: both FIFO bits, in IIR, only when on. */
TEST_F(uart, fifo_detection)
{
	EXPECT_EQ(UART_IIR_NO_INT, in(&self->v, UART_IIR));
	out(&self->v, UART_FCR, FIFO_ON);
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, in(&self->v, UART_IIR));
	out(&self->v, UART_FCR, 0);
	EXPECT_EQ(UART_IIR_NO_INT, in(&self->v, UART_IIR));
}

/* MCR's diagnostic loop wires the outputs to the inputs. */
TEST_F(uart, modem_lines_in_loop)
{
	const struct {
		__u8 mcr, msr;
	} wires[] = {
		{ 0, 0 },
		{ UART_MCR_RTS, UART_MSR_CTS },
		{ UART_MCR_DTR, UART_MSR_DSR },
		{ UART_MCR_OUT1, UART_MSR_RI },
		{ UART_MCR_OUT2, UART_MSR_DCD },
		{ UART_MCR_RTS | UART_MCR_OUT2, UART_MSR_CTS | UART_MSR_DCD },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wires); i++) {
		out(&self->v, UART_MCR, UART_MCR_LOOP | wires[i].mcr);
		EXPECT_EQ(wires[i].msr, in(&self->v, UART_MSR) & MSR_LINES) {
			TH_LOG("MCR %#x", wires[i].mcr);
		}
	}
}

/* So does the plug, for the lines that a plug has. */
TEST_F(uart, modem_lines_in_plug)
{
	out(&self->v, UART_MCR, UART_MCR_RTS);
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_DCTS, in(&self->v, UART_MSR));
	EXPECT_EQ(UART_MSR_CTS, in(&self->v, UART_MSR));
	out(&self->v, UART_MCR, UART_MCR_DTR);
	EXPECT_EQ(UART_MSR_DSR | UART_MSR_DCD | UART_MSR_DDSR |
		  UART_MSR_DDCD | UART_MSR_DCTS, in(&self->v, UART_MSR));
	EXPECT_EQ(UART_MSR_DSR | UART_MSR_DCD, in(&self->v, UART_MSR));
	out(&self->v, UART_MCR, UART_MCR_DTR | UART_MCR_OUT1 | UART_MCR_OUT2);
	EXPECT_EQ(UART_MSR_DSR | UART_MSR_DCD, in(&self->v, UART_MSR));
}

/* The ring indicator tells of the end of a ring. */
TEST_F(uart, ring)
{
	out(&self->v, UART_MCR, UART_MCR_LOOP);
	in(&self->v, UART_MSR);
	out(&self->v, UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1);
	EXPECT_EQ(UART_MSR_RI, in(&self->v, UART_MSR));
	out(&self->v, UART_MCR, UART_MCR_LOOP);
	EXPECT_EQ(UART_MSR_TERI, in(&self->v, UART_MSR));
}

TEST_F(uart, every_byte)
{
	int i;

	for (i = 0; i < 256; i++) {
		ASSERT_TRUE(sent(&self->v));
		out(&self->v, UART_TX, i);
		ASSERT_TRUE(received(&self->v));
		ASSERT_EQ(i, in(&self->v, UART_RX));
		ASSERT_FALSE(in(&self->v, UART_LSR) & UART_LSR_DR);
	}
}

TEST_F(uart, fifo)
{
	int round, i;

	out(&self->v, UART_FCR, FIFO_ON);
	for (round = 0; round < 8; round++) {
		for (i = 0; i < 16; i++)
			out(&self->v, UART_TX, 16 * round + i);
		ASSERT_TRUE(sent(&self->v));
		for (i = 0; i < 16; i++) {
			ASSERT_TRUE(in(&self->v, UART_LSR) & UART_LSR_DR);
			ASSERT_EQ(16 * round + i, in(&self->v, UART_RX));
		}
		ASSERT_EQ(UART_LSR_THRE | UART_LSR_TEMT,
			  in(&self->v, UART_LSR));
	}
}

TEST_F(uart, fifo_clear)
{
	int i;

	out(&self->v, UART_FCR, FIFO_ON);
	for (i = 0; i < 10; i++)
		out(&self->v, UART_TX, i);
	ASSERT_TRUE(sent(&self->v));
	ASSERT_TRUE(in(&self->v, UART_LSR) & UART_LSR_DR);
	out(&self->v, UART_FCR, FIFO_ON | UART_FCR_CLEAR_RCVR);
	EXPECT_FALSE(in(&self->v, UART_LSR) & UART_LSR_DR);
	out(&self->v, UART_TX, 0x42);
	ASSERT_TRUE(received(&self->v));
	EXPECT_EQ(0x42, in(&self->v, UART_RX));

	/* Switching FIFOs off forgets what is in them. */
	out(&self->v, UART_TX, 0x43);
	ASSERT_TRUE(received(&self->v));
	out(&self->v, UART_FCR, 0);
	EXPECT_FALSE(in(&self->v, UART_LSR) & UART_LSR_DR);
}

/* Without its lowest bit nothing that is written there counts (DS 8.4). */
TEST_F(uart, fifo_clear_without_fifo)
{
	out(&self->v, UART_FCR, 0);
	out(&self->v, UART_MCR, UART_MCR_LOOP);
	out(&self->v, UART_TX, 'x');
	ASSERT_TRUE(received(&self->v));
	out(&self->v, UART_FCR, UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
	EXPECT_TRUE(in(&self->v, UART_LSR) & UART_LSR_DR);
	EXPECT_EQ('x', in(&self->v, UART_RX));
}

/* What waits for its turn is forgotten, and there is room again. */
TEST_F(uart, fifo_clear_transmitter)
{
	const __u8 room = UART_LSR_THRE;

	/* Two bits a second: none of it arrives here. */
	set_divisor(&self->v, 0xffff);
	out(&self->v, UART_FCR, FIFO_ON);
	out(&self->v, UART_TX, 1);
	out(&self->v, UART_TX, 2);
	EXPECT_EQ(0, in(&self->v, UART_LSR) & room);
	out(&self->v, UART_FCR, FIFO_ON | UART_FCR_CLEAR_XMIT);
	EXPECT_EQ(room, in(&self->v, UART_LSR) & (room | UART_LSR_DR));
}

/* A stream of more than any FIFO, as a driver without interrupts sends it. */
TEST_F(uart, stream)
{
	unsigned int sent_n = 0, got = 0, lsr;
	struct timespec now, start;

	out(&self->v, UART_FCR, FIFO_ON);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (got < 4096) {
		lsr = in(&self->v, UART_LSR);
		ASSERT_EQ(0, lsr & UART_LSR_BRK_ERROR_BITS);
		if (lsr & UART_LSR_DR) {
			ASSERT_EQ((got * 7) & 0xff, in(&self->v, UART_RX)) {
				TH_LOG("byte %u", got);
			}
			got++;
			start.tv_sec = 0;
		}
		if (lsr & UART_LSR_THRE && sent_n < 4096) {
			out(&self->v, UART_TX, sent_n * 7);
			sent_n++;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (!start.tv_sec)
			start = now;
		ASSERT_GT(FERRY_TIMEOUT_MS / 1000,
			  now.tv_sec - start.tv_sec) {
			TH_LOG("stuck after %u of %u", got, sent_n);
		}
	}
}

/* Fewer data bits, and the others are lost. */
TEST_F(uart, word_length)
{
	int bits;

	for (bits = 5; bits <= 8; bits++) {
		out(&self->v, UART_LCR, bits - 5);
		out(&self->v, UART_TX, 0xff);
		ASSERT_TRUE(received(&self->v));
		EXPECT_EQ((1 << bits) - 1, in(&self->v, UART_RX)) {
			TH_LOG("%d data bits", bits);
		}
		ASSERT_TRUE(sent(&self->v));
	}
}

TEST_F(uart, break_is_received)
{
	out(&self->v, UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	ASSERT_TRUE(becomes(&self->v, UART_LSR, UART_LSR_BI, UART_LSR_BI));
	EXPECT_EQ(0, in(&self->v, UART_LSR) & UART_LSR_BI);
	out(&self->v, UART_LCR, UART_LCR_WLEN8);
	EXPECT_EQ(0, in(&self->v, UART_RX));
}

/* What is sent meanwhile doesn't get onto the line. */
TEST_F(uart, break_hides_bytes)
{
	int i;

	out(&self->v, UART_FCR, FIFO_ON);
	out(&self->v, UART_LCR, UART_LCR_WLEN8 | UART_LCR_SBC);
	for (i = 0; i < 3; i++)
		out(&self->v, UART_TX, 'x');
	ASSERT_TRUE(sent(&self->v));
	EXPECT_EQ(0, in(&self->v, UART_RX));
	EXPECT_EQ(0, in(&self->v, UART_LSR) & UART_LSR_DR);
	out(&self->v, UART_LCR, UART_LCR_WLEN8);
	out(&self->v, UART_TX, 'y');
	ASSERT_TRUE(received(&self->v));
	EXPECT_EQ('y', in(&self->v, UART_RX));
}

/* Nobody reads, nobody stops the sender: what comes is lost, and told. */
TEST_F(uart, overrun_without_fifo)
{
	out(&self->v, UART_MCR, UART_MCR_LOOP);
	out(&self->v, UART_TX, 'a');
	ASSERT_TRUE(received(&self->v));
	ASSERT_TRUE(sent(&self->v));
	EXPECT_EQ(0, in(&self->v, UART_LSR) & UART_LSR_OE);
	out(&self->v, UART_TX, 'b');
	ASSERT_TRUE(becomes(&self->v, UART_LSR, UART_LSR_OE, UART_LSR_OE));
	EXPECT_EQ(0, in(&self->v, UART_LSR) & UART_LSR_OE);
	EXPECT_EQ('b', in(&self->v, UART_RX));
	EXPECT_FALSE(in(&self->v, UART_LSR) & UART_LSR_DR);
}

TEST_F(uart, overrun_of_fifo)
{
	int i;

	out(&self->v, UART_FCR, FIFO_ON);
	out(&self->v, UART_MCR, UART_MCR_LOOP);
	for (i = 0; i < 16; i++)
		out(&self->v, UART_TX, i);
	ASSERT_TRUE(sent(&self->v));
	EXPECT_EQ(0, in(&self->v, UART_LSR) & UART_LSR_OE);
	out(&self->v, UART_TX, 99);
	ASSERT_TRUE(becomes(&self->v, UART_LSR, UART_LSR_OE, UART_LSR_OE));
	for (i = 0; i < 16; i++) {
		EXPECT_EQ(i, in(&self->v, UART_RX)) {
			TH_LOG("byte %d", i);
		}
	}
	EXPECT_FALSE(in(&self->v, UART_LSR) & UART_LSR_DR);
}

TEST_F(uart, thre_interrupt)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	EXPECT_EQ(0, efd_take(self->efd));
	out(&self->v, UART_IER, UART_IER_THRI);
	ASSERT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(UART_IIR_THRI, in(&self->v, UART_IIR));
	/* Reading IIR took it away. */
	EXPECT_EQ(UART_IIR_NO_INT, in(&self->v, UART_IIR));
	ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	EXPECT_EQ(0, efd_take(self->efd));
	out(&self->v, UART_TX, 'x');
	ASSERT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(UART_IIR_THRI, in(&self->v, UART_IIR));
}

TEST_F(uart, receive_interrupt)
{
	int i;

	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	out(&self->v, UART_IER, UART_IER_RDI);
	for (i = 0; i < 50; i++) {
		ASSERT_TRUE(sent(&self->v));
		out(&self->v, UART_TX, i);
		ASSERT_EQ(1, efd_wait(self->efd));
		ASSERT_EQ(UART_IIR_RDI, in(&self->v, UART_IIR));
		ASSERT_TRUE(cfg_r16(&self->v, PCI_STATUS) &
			    PCI_STATUS_INTERRUPT);
		ASSERT_EQ(i, in(&self->v, UART_RX));
		ASSERT_EQ(UART_IIR_NO_INT, in(&self->v, UART_IIR));
		ASSERT_FALSE(cfg_r16(&self->v, PCI_STATUS) &
			     PCI_STATUS_INTERRUPT);
		ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	}
	EXPECT_EQ(0, efd_take(self->efd));
}

/* A level interrupt that is not serviced comes again when unmasked. */
TEST_F(uart, level)
{
	int i;

	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	out(&self->v, UART_IER, UART_IER_RDI);
	out(&self->v, UART_TX, 'x');
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(1, efd_wait(self->efd));
		ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	}
	ASSERT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ('x', in(&self->v, UART_RX));
	ASSERT_EQ(0, irq_act(&self->v, INTX, UNMASK));
	EXPECT_EQ(0, efd_take(self->efd));
}

/* What came before anybody listened is told to who listens first. */
TEST_F(uart, level_before_attach)
{
	out(&self->v, UART_IER, UART_IER_RDI);
	out(&self->v, UART_TX, 'x');
	ASSERT_TRUE(received(&self->v));
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	EXPECT_EQ(1, efd_wait(self->efd));
}

TEST_F(uart, command_disables)
{
	cfg_command(&self->v, 0, PCI_COMMAND_INTX_DISABLE);
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	out(&self->v, UART_IER, UART_IER_RDI);
	out(&self->v, UART_TX, 'x');
	ASSERT_TRUE(received(&self->v));
	EXPECT_EQ(0, efd_take(self->efd));
	cfg_command(&self->v, PCI_COMMAND_INTX_DISABLE, 0);
	EXPECT_EQ(1, efd_wait(self->efd));
}

TEST_F(uart, msi)
{
	int i;

	ASSERT_EQ(0, irq_attach_one(&self->v, MSI, 0, self->efd));
	out(&self->v, UART_IER, UART_IER_RDI);
	for (i = 0; i < 50; i++) {
		ASSERT_TRUE(sent(&self->v));
		out(&self->v, UART_TX, i);
		ASSERT_EQ(1, efd_wait(self->efd));
		ASSERT_EQ(i, in(&self->v, UART_RX));
	}
	EXPECT_EQ(0, efd_take(self->efd));
	EXPECT_EQ(-EINVAL, irq_attach_one(&self->v, INTX, 0, self->efd));
	ASSERT_EQ(0, irq_disable(&self->v, MSI));
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
}

/*
 * Sends @n characters with FIFOs that interrupt at a level, and returns what
 * the interrupt said before they were all read again; -1 on trouble.
 */
static int fifo_interrupt(const struct vdev *v, int efd, __u8 trigger,
			  unsigned int n)
{
	unsigned int i;
	int iir;

	out(v, UART_FCR, FIFO_ON | UART_FCR_CLEAR_RCVR | trigger);
	for (i = 0; i < n; i++)
		out(v, UART_TX, i);
	if (!efd_wait(efd))
		return -1;
	iir = in(v, UART_IIR);
	if (!sent(v))
		return -1;
	for (i = 0; i < n; i++)
		if (in(v, UART_RX) != i)
			return -1;
	if (in(v, UART_IIR) != (IIR_FIFO | UART_IIR_NO_INT))
		return -1;
	return irq_act(v, INTX, UNMASK) ? -1 : iir;
}

/*
 * At its level the FIFO interrupts; below it, only when nothing comes any
 * more. On a busy host that may be what is found at the level, too.
 */
TEST_F(uart, trigger_levels)
{
	const struct {
		__u8 fcr, level;
	} cases[] = {
		{ UART_FCR_R_TRIG_00, 1 },
		{ UART_FCR_R_TRIG_01, 4 },
		{ UART_FCR_R_TRIG_10, 8 },
		{ UART_FCR_R_TRIG_11, 14 },
	};
	unsigned int i, n;
	int iir;

	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	out(&self->v, UART_IER, UART_IER_RDI);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (n = 0; n < 50; n++) {
			iir = fifo_interrupt(&self->v, self->efd,
					     cases[i].fcr, cases[i].level);
			if (iir != (IIR_FIFO | IIR_TIMEOUT))
				break;
		}
		EXPECT_EQ(IIR_FIFO | UART_IIR_RDI, iir) {
			TH_LOG("level %u", cases[i].level);
		}
		for (n = 1; n < cases[i].level; n++) {
			EXPECT_EQ(IIR_FIFO | IIR_TIMEOUT,
				  fifo_interrupt(&self->v, self->efd,
						 cases[i].fcr, n)) {
				TH_LOG("%u below level %u", n,
				       cases[i].level);
			}
		}
	}
}

/* Whom a timeout has been told finds it, whatever comes in meanwhile. */
TEST_F(uart, timeout_stands)
{
	/* 25 ms for a character, so that there is time to look between two. */
	set_divisor(&self->v, 288);
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	out(&self->v, UART_IER, UART_IER_RDI);
	out(&self->v, UART_FCR, FIFO_ON | UART_FCR_R_TRIG_11);
	out(&self->v, UART_TX, 'a');
	ASSERT_EQ(1, efd_wait(self->efd));
	out(&self->v, UART_TX, 'b');
	ASSERT_TRUE(sent(&self->v));
	EXPECT_EQ(IIR_FIFO | IIR_TIMEOUT, in(&self->v, UART_IIR));
	EXPECT_EQ('a', in(&self->v, UART_RX));
	EXPECT_EQ('b', in(&self->v, UART_RX));
	EXPECT_EQ(IIR_FIFO | UART_IIR_NO_INT, in(&self->v, UART_IIR));
}

TEST_F(uart, line_status_interrupt)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	out(&self->v, UART_MCR, UART_MCR_LOOP);
	out(&self->v, UART_IER, UART_IER_RLSI);
	out(&self->v, UART_TX, 'a');
	ASSERT_TRUE(received(&self->v));
	ASSERT_TRUE(sent(&self->v));
	EXPECT_EQ(0, efd_take(self->efd));
	out(&self->v, UART_TX, 'b');
	ASSERT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(UART_IIR_RLSI, in(&self->v, UART_IIR));
	EXPECT_TRUE(in(&self->v, UART_LSR) & UART_LSR_OE);
	EXPECT_EQ(UART_IIR_NO_INT, in(&self->v, UART_IIR));
}

TEST_F(uart, modem_status_interrupt)
{
	ASSERT_EQ(0, irq_attach_one(&self->v, INTX, 0, self->efd));
	out(&self->v, UART_IER, UART_IER_MSI);
	out(&self->v, UART_MCR, UART_MCR_RTS);
	ASSERT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(UART_IIR_MSI, in(&self->v, UART_IIR));
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_DCTS, in(&self->v, UART_MSR));
	EXPECT_EQ(UART_IIR_NO_INT, in(&self->v, UART_IIR));
}

/* Of several causes IIR names the most urgent, one after the other. */
TEST_F(uart, priorities)
{
	out(&self->v, UART_MCR, UART_MCR_LOOP);
	in(&self->v, UART_MSR);
	out(&self->v, UART_TX, 'a');
	ASSERT_TRUE(received(&self->v));
	ASSERT_TRUE(sent(&self->v));
	out(&self->v, UART_TX, 'b');
	ASSERT_TRUE(sent(&self->v));
	out(&self->v, UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	out(&self->v, UART_IER, 0x0f);
	/* sent() read LSR, and the overrun with it: make another. */
	out(&self->v, UART_TX, 'c');
	ASSERT_TRUE(becomes(&self->v, UART_IIR, 0x0f, UART_IIR_RLSI));
	EXPECT_TRUE(in(&self->v, UART_LSR) & UART_LSR_OE);
	EXPECT_EQ(UART_IIR_RDI, in(&self->v, UART_IIR));
	EXPECT_EQ('c', in(&self->v, UART_RX));
	EXPECT_EQ(UART_IIR_THRI, in(&self->v, UART_IIR));
	EXPECT_EQ(UART_IIR_MSI, in(&self->v, UART_IIR));
	in(&self->v, UART_MSR);
	EXPECT_EQ(UART_IIR_NO_INT, in(&self->v, UART_IIR));
}

/* Wide accesses are the narrow ones in order, whatever their alignment. */
TEST_F(uart, widths)
{
	unsigned char buf[16];
	unsigned int pos, len;

	out(&self->v, UART_LCR, UART_LCR_WLEN8 | UART_LCR_DLAB);
	out(&self->v, UART_SCR, 0xc3);
	EXPECT_EQ(0xc3000000 | UART_LSR_THRE << 8 | UART_LSR_TEMT << 8,
		  region_r32(&self->v, BAR0, UART_MCR));
	EXPECT_EQ(UART_LSR_THRE | UART_LSR_TEMT,
		  region_r16(&self->v, BAR0, UART_LSR));
	for (pos = 0; pos < 8; pos++) {
		for (len = 1; len <= sizeof(buf); len++) {
			unsigned int fit = len < 8 - pos ? len : 8 - pos;

			memset(buf, 0xee, sizeof(buf));
			ASSERT_EQ(fit, region_read(&self->v, BAR0, pos, buf,
						   len)) {
				TH_LOG("%u bytes at %u", len, pos);
			}
			ASSERT_EQ(0xc3, pos + fit == 8 ? buf[fit - 1] : 0xc3);
		}
	}

	/* A latch written whole. */
	region_w16(&self->v, BAR0, UART_DLL, 0x0123);
	EXPECT_EQ(0x0123, region_r16(&self->v, BAR0, UART_DLL));
	EXPECT_EQ(1, region_write(&self->v, BAR0, UART_SCR, "\x11\x22", 2));
	EXPECT_EQ(0x11, in(&self->v, UART_SCR));
	EXPECT_EQ(-EINVAL, region_read(&self->v, BAR0, 8, buf, 1));
	EXPECT_EQ(-EINVAL, region_write(&self->v, BAR0, 8, buf, 1));
}

/* Status is the chip's to say. */
TEST_F(uart, read_only_registers)
{
	out(&self->v, UART_LSR, 0);
	EXPECT_EQ(UART_LSR_THRE | UART_LSR_TEMT, in(&self->v, UART_LSR));
	out(&self->v, UART_MSR, 0xff);
	EXPECT_EQ(0, in(&self->v, UART_MSR) & MSR_LINES);
}

struct thri_toggler {
	const struct vdev *v;
	bool done;
};

static void *toggle_thri(void *arg)
{
	struct thri_toggler *r = arg;

	while (!__atomic_load_n(&r->done, __ATOMIC_RELAXED)) {
		out(r->v, UART_IER, UART_IER_THRI);
		out(r->v, UART_IER, 0);
	}
	return NULL;
}

/* What is raised while MSI is being disabled is forgotten. */
TEST_F(uart, disabled_meanwhile)
{
	struct thri_toggler r = { .v = &self->v };
	int i, n = rounds(1000);
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, toggle_thri, &r));
	for (i = 0; i < n; i++) {
		EXPECT_EQ(0, irq_attach_one(&self->v, MSI, 0, self->efd));
		EXPECT_EQ(0, irq_disable(&self->v, MSI));
	}
	__atomic_store_n(&r.done, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	efd_take(self->efd);
	ASSERT_EQ(0, irq_attach_one(&self->v, MSI, 0, self->efd));
	EXPECT_EQ(0, efd_take(self->efd));
	out(&self->v, UART_IER, UART_IER_THRI);
	EXPECT_EQ(1, efd_wait(self->efd));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
