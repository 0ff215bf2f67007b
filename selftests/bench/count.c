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

__u64 aside;

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
		aside = 0;
		begin = now();
		for (i = 0; i < often; i++) {
			ret = call(b);
			if (ret)
				return ret;
		}
		took = now() - begin - clock - aside;
		if (took < best)
			best = took;
	}
	return (best + often / 2) / often;
}

/* As the timer finds each call in another place, however it makes them wait. */
static long mean(struct bench *b, int (*call)(struct bench *b))
{
	__u64 sum = 0, begin;
	unsigned int i;
	int ret;

	for (i = 0; i < MANY; i++) {
		while (now() % TICK / (TICK / MANY) != i)
			;
		aside = 0;
		begin = now();
		ret = call(b);
		if (ret)
			return ret;
		sum += now() - begin - aside;
	}
	return (sum + MANY / 2) / MANY;
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

bool wanted(const char *what)
{
	return !only || !strcmp(only, what);
}

/* Returns whether it is to be counted. The only one that is wanted goes on and on. */
static bool begins(struct bench *b, const char *what,
		   int (*call)(struct bench *b))
{
	if (!wanted(what) || !only)
		return !only;
	printf("again %s\n", what);
	fflush(stdout);
	while (!call(b))
		;
	exit(1);
}

/* One operation of the table. */
void measure(struct bench *b, const char *what, int (*call)(struct bench *b),
	     unsigned int often)
{
	if (begins(b, what, call))
		report(what, cheapest(b, call, often));
}

/* The same for one that may take long. */
void measure_long(struct bench *b, const char *what,
		  int (*call)(struct bench *b))
{
	long count;

	if (!begins(b, what, call))
		return;
	count = cheapest(b, call, 1);
	report(what, count < TICK / 16 ? count : mean(b, call));
}
