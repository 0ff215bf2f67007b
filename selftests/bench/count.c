// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counting: guest time passes with each instruction, a nanosecond for one.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "count.h"

__u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

__u64 aside;

/* What looking at the clock takes. A timer interrupt falls between few of two looks. */
static __u64 clock_itself(void)
{
	__u64 best = -1, begin, took;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		begin = now();
		took = now() - begin;
		if (took < best)
			best = took;
	}
	return best;
}

/* One round of @often calls, without what they say doesn't count; a negative errno. */
static long one_round(struct bench *b, int (*call)(struct bench *b),
		      unsigned int often)
{
	__u64 clock = clock_itself(), begin;
	unsigned int i;
	int ret;

	aside = 0;
	begin = now();
	for (i = 0; i < often; i++) {
		ret = call(b);
		if (ret)
			return ret;
	}
	return now() - begin - clock - aside;
}

/* Of one call, in the cheapest of @rounds of @often, each after @quiet microseconds. */
static long cheapest_of(struct bench *b, int (*call)(struct bench *b),
			unsigned int often, unsigned int rounds,
			unsigned int quiet)
{
	long best = LONG_MAX, took;
	unsigned int i;

	for (i = 0; i < rounds; i++) {
		if (quiet)
			usleep(quiet);
		took = one_round(b, call, often);
		if (took < 0)
			return took;
		if (took < best)
			best = took;
	}
	return (best + often / 2) / often;
}

/* Of one call, in the cheapest of ROUNDS rounds of @often; a negative errno if one fails. */
long cheapest(struct bench *b, int (*call)(struct bench *b),
	      unsigned int often)
{
	return cheapest_of(b, call, often, ROUNDS, 0);
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

/* Of one call that may take long; a negative errno if one fails. */
long one_call(struct bench *b, int (*call)(struct bench *b))
{
	long count = cheapest(b, call, 1);

	return count < TICK / 16 ? count : mean(b, call);
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

/*
 * The same for one that frees what RCU gives back later, in heaps, to rounds of other calls:
 * each begins when nothing is left to give back, and is over before there is more. Where
 * the memory lies that the calls get differs from round to round, so that it takes more of them.
 */
void measure_freely(struct bench *b, const char *what,
		    int (*call)(struct bench *b))
{
	if (begins(b, what, call))
		report(what, cheapest_of(b, call, OFTEN, QUIET_ROUNDS, QUIET));
}

/* The same for one that may take long. */
void measure_long(struct bench *b, const char *what,
		  int (*call)(struct bench *b))
{
	if (begins(b, what, call))
		report(what, one_call(b, call));
}
