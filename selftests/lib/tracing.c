// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace events of one device, in a buffer of their own, and the counts of its
 * interrupts in debugfs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ferrytest.h"

#define TRACING	"/sys/kernel/tracing"
#define OURS	TRACING "/instances/ferrytest"
#define COUNTS	"/sys/kernel/debug/ferry/%s/interrupts"

/* Why there are no events, NULL if there are. */
const char *tracing_missing(void)
{
	if (driver_is_stock())
		return "the kernel's own driver has no such events";
	if (!path_exists(TRACING "/instances"))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	if (!path_exists(TRACING "/events/ferry"))
		return "this kernel has no trace events";
	return NULL;
}

/* From here on events of @device are written down: "name/", or "" for all. */
int tracing_begin(const char *event, const char *device)
{
	char path[256], filter[128];
	int ret;

	rmdir(OURS);
	if (mkdir(OURS, 0700))
		return -errno;
	snprintf(filter, sizeof(filter), "device == \"%s\"", device);
	snprintf(path, sizeof(path), OURS "/events/ferry/%sfilter", event);
	ret = text_write(path, filter);
	if (ret < 0)
		return ret;
	snprintf(path, sizeof(path), OURS "/events/ferry/%senable", event);
	return text_write(path, "1");
}

void tracing_end(void)
{
	rmdir(OURS);
}

/* How many events have @what in their line. */
int tracing_count(const char *what)
{
	FILE *f = fopen(OURS "/trace", "re");
	char *line = NULL;
	size_t size = 0;
	int count = 0;

	if (!f)
		return -errno;
	while (getline(&line, &size, f) > 0)
		if (line[0] != '#' && strstr(line, what))
			count++;
	free(line);
	fclose(f);
	return count;
}

/* Begin to count the interrupts of @device, or end it. */
int counts_switch(const char *device, bool on)
{
	char path[256];

	snprintf(path, sizeof(path), COUNTS, device);
	return text_write(path, on ? "1" : "0");
}

/*
 * The sum over all CPUs of the lines that begin with @name; -ENODATA while nobody
 * counts.
 */
long counts_sum(const char *device, const char *name)
{
	char path[256], *line = NULL, *at, *end;
	size_t size = 0;
	long sum = 0, n;
	FILE *f;

	snprintf(path, sizeof(path), COUNTS, device);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (getline(&line, &size, f) > 0) {
		if (!strncmp(line, "off", 3))
			sum = -ENODATA;
		/* The name has the first sixteen columns. */
		if (strncmp(line, name, strlen(name)) || strlen(line) < 17)
			continue;
		for (at = line + 16; ; at = end) {
			n = strtol(at, &end, 10);
			if (end == at)
				break;
			sum += n;
		}
	}
	free(line);
	fclose(f);
	return sum;
}
