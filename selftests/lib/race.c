// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sides of a race, each of which does one thing again and again while the others do theirs.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "ferrytest.h"

#define SIDES_MAX	4

struct runner {
	const struct race_side *side;
	struct race *race;
	pthread_t thread;
	int ret;
};

struct race {
	int rounds;
	/* Sides that have not done so many yet. */
	unsigned int behind;
	bool failed;
};

static bool goes_on(const struct race *race)
{
	return __atomic_load_n(&race->behind, __ATOMIC_ACQUIRE) &&
	       !__atomic_load_n(&race->failed, __ATOMIC_ACQUIRE);
}

static void *run(void *arg)
{
	struct runner *r = arg;
	int round;

	for (round = 1; goes_on(r->race); round++) {
		r->ret = r->side->call(r->side->arg);
		if (r->ret) {
			__atomic_store_n(&r->race->failed, true,
					 __ATOMIC_RELEASE);
			break;
		}
		if (round == r->race->rounds)
			__atomic_sub_fetch(&r->race->behind, 1,
					   __ATOMIC_ACQ_REL);
	}
	return NULL;
}

/*
 * Runs all @n sides until each has made @rounds calls. A call returns 0, also where it was
 * refused and may be; what else one returns ends the race and is returned.
 */
int race(const struct race_side *sides, unsigned int n, int rounds)
{
	struct race race = { .rounds = rounds, .behind = n };
	struct runner runners[SIDES_MAX];
	unsigned int i;
	int ret = 0;

	if (n > SIDES_MAX)
		abort();
	for (i = 0; i < n; i++) {
		runners[i] = (struct runner) { .side = &sides[i], .race = &race };
		if (pthread_create(&runners[i].thread, NULL, run, &runners[i]))
			abort();
	}
	for (i = 0; i < n; i++) {
		pthread_join(runners[i].thread, NULL);
		ret = ret ?: runners[i].ret;
	}
	return ret;
}

/* 0 if @ret is not negative or one of @refusals, which end with 0; else @ret. */
int race_refused(int ret, const int *refusals)
{
	for (; ret < 0 && *refusals; refusals++)
		if (ret == -*refusals)
			return 0;
	return ret < 0 ? ret : 0;
}
