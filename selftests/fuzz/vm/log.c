// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel log, between two inputs. FERRY_COMPLAINTS is the regular expression of what
 * a healthy kernel never says; without it nobody looks.
 */
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"

static int kmsg = -1;
static regex_t complaints;

void log_begin(void)
{
	const char *pattern = getenv("FERRY_COMPLAINTS");

	if (!pattern || !*pattern)
		return;
	kmsg = klog_open();
	if (kmsg < 0 || regcomp(&complaints, pattern, REG_EXTENDED | REG_NOSUB)) {
		fprintf(stderr, "the kernel log cannot be read\n");
		exit(1);
	}
}

/* The text of the next record; NULL if there is none. */
static const char *next_record(char *record, size_t size)
{
	ssize_t len;
	char *text;

	do {
		len = read(kmsg, record, size - 1);
		/* EPIPE: the kernel has written over some that we have not read. */
	} while (len < 0 && (errno == EPIPE || errno == EINTR));
	if (len <= 0)
		return NULL;
	record[len] = '\0';
	text = strchr(record, ';');
	if (!text)
		return record;
	text[strcspn(text, "\n")] = '\0';
	return text + 1;
}

/* Ends the program, so that libFuzzer keeps the input, if the kernel has complained. */
void log_check(void)
{
	char record[8192];
	const char *text;
	bool bad = false;

	if (kmsg < 0)
		return;
	while ((text = next_record(record, sizeof(record)))) {
		if (!bad && regexec(&complaints, text, 0, NULL, 0))
			continue;
		if (!bad)
			fprintf(stderr, __FILE__ ":%d: the kernel complained:\n",
				__LINE__);
		bad = true;
		fprintf(stderr, "%s\n", text);
	}
	if (bad)
		abort();
}
