// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modem lines of the cable between a mediated UART and a tty of the host, and
 * what the tty layer makes of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../lib/ferrytest.h"
#include "../lib/harness.h"
#include "cable.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX

static const int host_both = TIOCM_RTS | TIOCM_DTR;
static const __u8 far_lines = UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD;

FIXTURE(modem)
{
	struct cable c;
	int efd;
};

FIXTURE_SETUP(modem)
{
	const char *missing = device_missing("uart-2");

	if (missing)
		SKIP(return, "%s", missing);
	self->efd = efd_new();
	ASSERT_EQ(0, cable_open(&self->c, "uart-2", 1));
}

FIXTURE_TEARDOWN(modem)
{
	cable_close(&self->c);
	close(self->efd);
}

TEST_F(modem, interrupt)
{
	const struct cable *c = &self->c;
	const int rts = TIOCM_RTS;

	in(c, UART_MSR);
	ASSERT_EQ(0, irq_attach_one(&c->v, INTX, 0, self->efd));
	out(c, UART_IER, UART_IER_MSI);
	EXPECT_EQ(0, efd_take(self->efd));
	ASSERT_EQ(0, ioctl(c->tty, TIOCMBIC, &rts));
	EXPECT_EQ(1, efd_wait(self->efd));
	EXPECT_EQ(UART_IIR_MSI, in(c, UART_IIR) & 0x0f);
}

/* Speed 0 is how termios(3) hangs up. */
TEST_F(modem, speed_0)
{
	ASSERT_EQ(0, host_set(&self->c, B0, CS8, 0));
	EXPECT_EQ(0, in(&self->c, UART_MSR) & MSR_LINES);
	ASSERT_EQ(0, host_set(&self->c, B9600, CS8, 0));
	EXPECT_EQ(far_lines, in(&self->c, UART_MSR) & MSR_LINES);
}

/* A guest that is reset hangs up; what its host says stays, and is no news. */
TEST_F(modem, reset)
{
	out(&self->c, UART_MCR, UART_MCR_DTR | UART_MCR_RTS);
	ASSERT_EQ(host_both | TIOCM_CTS | TIOCM_DSR | TIOCM_CAR,
		  host_lines(&self->c));
	ASSERT_EQ(0, vdev_reset(&self->c.v));
	EXPECT_EQ(host_both, host_lines(&self->c));
	EXPECT_EQ(far_lines, in(&self->c, UART_MSR));
}

struct opener {
	const struct cable *c;
	int fd;
	bool done;
};

static void *blocking_open(void *arg)
{
	struct opener *o = arg;

	o->fd = cable_tty_open(o->c, 0);
	__atomic_store_n(&o->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static int clocal_off(int tty)
{
	struct termios t;

	if (tcgetattr(tty, &t))
		return -errno;
	t.c_cflag &= ~CLOCAL;
	return tcsetattr(tty, TCSANOW, &t) ? -errno : 0;
}

/* Without CLOCAL, opening waits for the guest's DTR, and its end hangs up. */
TEST_F(modem, carrier)
{
	const struct cable *c = &self->c;
	struct opener o = { .c = c };
	struct pollfd pfd = { .fd = c->tty };
	pthread_t thread;

	ASSERT_EQ(0, clocal_off(c->tty));
	ASSERT_EQ(0, pthread_create(&thread, NULL, blocking_open, &o));
	usleep(100000);
	EXPECT_FALSE(__atomic_load_n(&o.done, __ATOMIC_ACQUIRE));
	out(c, UART_MCR, UART_MCR_DTR);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_LE(0, o.fd);

	out(c, UART_MCR, UART_MCR_RTS);
	EXPECT_EQ(1, poll(&pfd, 1, FERRY_TIMEOUT_MS));
	EXPECT_NE(0, pfd.revents & POLLHUP);
	close(o.fd);
}

struct setter {
	int tty;
	const int *lines;
	int err;
};

static void *set_lines(void *arg)
{
	struct setter *s = arg;

	s->err = ioctl(s->tty, TIOCMSET, s->lines) ? errno : 0;
	return NULL;
}

/* A page that isn't there before someone supplies it; and who is asked for it, or -errno. */
static void *page_to_come(int *asked)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	const size_t size = sysconf(_SC_PAGESIZE);
	void *page;

	*asked = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (*asked < 0) {
		*asked = -errno;
		return NULL;
	}
	page = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range = (struct uffdio_range){ (uintptr_t)page, size };
	if (ioctl(*asked, UFFDIO_API, &api) ||
	    ioctl(*asked, UFFDIO_REGISTER, &reg))
		return NULL;
	return page;
}

static int supply(int asked, void *page, int first)
{
	const size_t size = sysconf(_SC_PAGESIZE);
	int from[size / sizeof(int)];
	struct uffdio_copy copy = {
		.dst = (uintptr_t)page, .src = (uintptr_t)from, .len = size,
	};

	from[0] = first;
	return ioctl(asked, UFFDIO_COPY, &copy) ? -errno : 0;
}

/* Who was about to raise lines when the tty was hung up doesn't raise a closed one's. */
TEST_F(modem, hung_up_meanwhile)
{
	const struct cable *c = &self->c;
	struct pollfd fault = { .events = POLLIN }, tty = { .fd = c->tty };
	struct setter s = { .tty = c->tty };
	pthread_t thread;
	void *page;
	int second;

	page = page_to_come(&fault.fd);
	if (fault.fd < 0)
		SKIP(return, "no userfaultfd: %s", strerror(-fault.fd));
	ASSERT_NE(NULL, page);
	s.lines = page;
	second = cable_tty_open(c, O_NONBLOCK);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, clocal_off(c->tty));
	out(c, UART_MCR, UART_MCR_DTR);
	ASSERT_EQ(0, pthread_create(&thread, NULL, set_lines, &s));
	EXPECT_EQ(1, poll(&fault, 1, FERRY_TIMEOUT_MS));
	EXPECT_EQ(POLLIN, fault.revents);
	out(c, UART_MCR, 0);
	EXPECT_EQ(1, poll(&tty, 1, FERRY_TIMEOUT_MS));
	/* poll() speaks before the port is closed; closing waits for that. */
	close(second);
	EXPECT_EQ(0, in(c, UART_MSR) & MSR_LINES);
	EXPECT_EQ(0, supply(fault.fd, page, host_both));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(EIO, s.err);
	EXPECT_EQ(0, in(c, UART_MSR) & MSR_LINES);
	close(fault.fd);
}

TEST_F(modem, clocal)
{
	out(&self->c, UART_MCR, UART_MCR_DTR);
	out(&self->c, UART_MCR, 0);
	ASSERT_EQ(0, guest_write(&self->c, 'x'));
	EXPECT_EQ('x', host_read(&self->c));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
