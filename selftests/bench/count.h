/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs that count share. Of several rounds the cheapest counts: the timer
 * interrupt falls into the others. What takes longer than that, or waits for it, is never
 * without, and there the mean counts.
 */
#ifndef COUNT_H
#define COUNT_H

#include "../lib/ferrytest.h"

#define ROUNDS	64
#define OFTEN	64
#define SELDOM	4
/* Microseconds after which RCU has given everything back */
#define QUIET	50000
#define QUIET_ROUNDS	256
/* Calls that a mean is of */
#define MANY	64
/* Nanoseconds, a multiple of the timer's */
#define TICK	4000000

struct bench;

/* The one operation that is asked for, again and again; NULL for all. */
extern const char *only;

/* Nanoseconds of a round that don't count, as its calls say. */
extern __u64 aside;

__u64 now(void);
long cheapest(struct bench *b, int (*call)(struct bench *b),
	      unsigned int often);
long one_call(struct bench *b, int (*call)(struct bench *b));
/* Is it asked for? */
bool wanted(const char *what);
void report(const char *what, long count);
void measure(struct bench *b, const char *what, int (*call)(struct bench *b),
	     unsigned int often);
void measure_freely(struct bench *b, const char *what,
		    int (*call)(struct bench *b));
void measure_long(struct bench *b, const char *what,
		  int (*call)(struct bench *b));

#endif /* COUNT_H */
