/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs that count share. Of several rounds the cheapest counts: the timer
 * interrupt falls into the others.
 */
#ifndef COUNT_H
#define COUNT_H

#include "../lib/ferrytest.h"

#define ROUNDS	16
#define OFTEN	64
#define SELDOM	4

struct bench;

/* The one operation that is asked for, again and again; NULL for all. */
extern const char *only;

__u64 now(void);
long cheapest(struct bench *b, int (*call)(struct bench *b),
	      unsigned int often);
void report(const char *what, long count);
void measure(struct bench *b, const char *what, int (*call)(struct bench *b),
	     unsigned int often);

#endif /* COUNT_H */
