// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counting: guest time passes with each instruction, a nanosecond for one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "count.h"

__u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* The cheapest of ROUNDS rounds of @often calls; a negative errno if one fails. */
long cheapest(struct bench *b, int (*call)(struct bench *b),
	      unsigned int often)
{
	__u64 best = -1, begin, took, clock;
	unsigned int round, i;
	int ret;

	for (round = 0; round < ROUNDS; round++) {
		begin = now();
		clock = now() - begin;
		begin = now();
		for (i = 0; i < often; i++) {
			ret = call(b);
			if (ret)
				return ret;
		}
		took = now() - begin - clock;
		if (took < best)
			best = took;
	}
	return (best + often / 2) / often;
}

void report(const char *what, long count)
{
	if (count < 0)
		printf("%s failed: %s\n", what, strerror(-count));
	else
		printf("%s %ld\n", what, count);
	fflush(stdout);
}

const char *only;

/* One operation of the table. */
void measure(struct bench *b, const char *what, int (*call)(struct bench *b),
	     unsigned int often)
{
	if (only && strcmp(only, what))
		return;
	if (only) {
		printf("again %s\n", what);
		fflush(stdout);
	}
	while (only)
		if (call(b))
			exit(1);
	report(what, cheapest(b, call, often));
}
