// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keep a serial port that sends back what it gets busy, and miss no byte of it.
 *
 *   lines TTY
 *
 * Runs in a guest. Sends numbered lines, and expects them back in that order, each
 * byte once. Says "progress" and a number for every few lines that came, until it is
 * told to terminate: then it waits for those that are on their way and says how
 * many it "sent" and got "back". A byte that is wrong, missing or one too many ends
 * it with "failed" and the reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define LINE		32	/* bytes, with the newline */
#define ON_THE_WAY	(8 * LINE)	/* at most; a tty holds 4,096 */
#define EVERY		4	/* lines for a word about progress */
#define PATIENCE	300000	/* ms; only a byte that was lost takes that long */

enum { PORT, SIGNAL, POLLED };

static bool enough;

static void fail(const char *what, unsigned long long sent, unsigned long long back)
{
	printf("failed %s: %llu bytes sent, %llu back\n", what, sent, back);
	exit(1);
}

/* The byte that is sent at a position. A line has digits of its own (Knuth, 6.4). */
static char byte_at(unsigned long long position)
{
	static unsigned long long made = -1ULL;
	static char line[LINE + 1];
	unsigned long long number = position / LINE;

	if (number != made) {
		snprintf(line, sizeof(line), "%010u     %016llx\n", (unsigned int)number,
			 number * 0x9e3779b97f4a7c15u);
		made = number;
	}
	return line[position % LINE];
}

static int open_port(const char *path)
{
	struct termios attr;
	int fd;

	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || tcgetattr(fd, &attr)) {
		printf("failed %s: %s\n", path, strerror(errno));
		exit(1);
	}
	cfmakeraw(&attr);
	cfsetspeed(&attr, B115200);
	attr.c_cflag |= CLOCAL;
	if (tcsetattr(fd, TCSANOW, &attr)) {
		printf("failed %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return fd;
}

static unsigned long long send_some(int fd, unsigned long long sent, unsigned long long back)
{
	char bytes[ON_THE_WAY];
	size_t room = ON_THE_WAY - (sent - back), i;
	ssize_t n;

	/* To the end of a line that was begun, or as much as may be. */
	if (enough && room > (LINE - sent % LINE) % LINE)
		room = (LINE - sent % LINE) % LINE;

	for (i = 0; i < room; i++)
		bytes[i] = byte_at(sent + i);
	n = write(fd, bytes, room);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail(strerror(errno), sent, back);
	return sent + (n > 0 ? n : 0);
}

static unsigned long long take_some(int fd, unsigned long long sent, unsigned long long back)
{
	char bytes[ON_THE_WAY], what[80];
	ssize_t n, i;

	n = read(fd, bytes, sizeof(bytes));
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		fail(strerror(errno), sent, back);
	for (i = 0; i < n; i++, back++) {
		if (back == sent)
			fail("one byte too many", sent, back);
		if (bytes[i] != byte_at(back)) {
			snprintf(what, sizeof(what), "%#04x instead of %#04x in line %llu",
				 (unsigned char)bytes[i], byte_at(back), back / LINE);
			fail(what, sent, back);
		}
		if ((back + 1) % (EVERY * LINE) == 0)
			printf("progress %llu\n", (back + 1) / LINE);
	}
	return back;
}

/* Whoever terminates us is heard between bytes. */
static int open_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, 0);
}

int main(int argc, char **argv)
{
	struct pollfd poller[POLLED] = { [SIGNAL].events = POLLIN };
	unsigned long long sent = 0, back = 0;
	struct pollfd *port = &poller[PORT];
	int n;

	if (argc != 2) {
		fprintf(stderr, "usage: lines TTY\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	port->fd = open_port(argv[1]);
	poller[SIGNAL].fd = open_signal();
	while (!enough || sent % LINE || back < sent) {
		port->events = POLLIN;
		if ((!enough || sent % LINE) && sent - back < ON_THE_WAY)
			port->events |= POLLOUT;
		n = poll(poller, POLLED, PATIENCE);
		if (n < 0)
			fail(strerror(errno), sent, back);
		if (!n)
			fail("silence", sent, back);
		if (poller[SIGNAL].revents) {
			enough = true;
			poller[SIGNAL].fd = -1;
		}
		if (port->revents & POLLIN)
			back = take_some(port->fd, sent, back);
		if (port->revents & POLLOUT)
			sent = send_some(port->fd, sent, back);
		if (port->revents & ~(POLLIN | POLLOUT))
			fail("the port hung up", sent, back);
	}
	/* A byte that came twice may be the last. */
	port->events = POLLIN;
	if (poll(port, 1, 1000) > 0)
		take_some(port->fd, sent, back);
	printf("sent %llu\nback %llu\n", sent, back);
	return 0;
}
