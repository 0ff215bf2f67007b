// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel log, read record by record from the moment of klog_open().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ferrytest.h"

int klog_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

/*
 * Reads what was logged since the last call and returns how many records
 * contain @what but not @but, which may be NULL. They are shown, so that a
 * person who looks into a failure sees them.
 */
int klog_count(int fd, const char *what, const char *but)
{
	char record[8192];
	int count = 0;
	ssize_t len;
	char *text, *end;

	for (;;) {
		len = read(fd, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			break;
		record[len] = '\0';
		text = strchr(record, ';');
		if (!text)
			continue;
		text++;
		end = strchr(text, '\n');
		if (end)
			*end = '\0';
		if (!strstr(text, what) || (but && strstr(text, but)))
			continue;
		fprintf(stderr, "# log: %s\n", text);
		count++;
	}
	return count;
}
