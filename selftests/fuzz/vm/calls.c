// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer's way in. An input is a struct head and any number of struct call. Threads
 * make the calls, each its own in their order, all at once. What the kernel has run is
 * what libFuzzer looks at; there is no oracle but the kernel's own reports, and that
 * the device can be opened again.
 *
 * FERRY_LAST is a file for the input that is under way, for when the machine goes down.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"

static struct world world;
static struct coverage *coverage;
static int last = -1;

static struct {
	pthread_barrier_t begin;
	pthread_barrier_t end;
	const struct call *calls;
	size_t n;
} work;

static void make_calls(unsigned int thread)
{
	const struct call_kind *kind;
	struct call call;
	unsigned int k;
	size_t i;

	for (i = 0; i < work.n; i++) {
		memcpy(&call, &work.calls[i], sizeof(call));
		if ((call.who & 3) % THREADS != thread)
			continue;
		k = call.kind % nr_call_kinds;
		kind = &call_kinds[k];
		coverage_result(k, kind->make(&world, &call));
	}
}

static void *worker(void *arg)
{
	unsigned int thread = (size_t)arg;
	struct coverage *mine = coverage_new();

	for (;;) {
		pthread_barrier_wait(&work.begin);
		coverage_begin(mine);
		make_calls(thread);
		coverage_end(mine);
		pthread_barrier_wait(&work.end);
	}
	return NULL;
}

/* Devices are given back by the library, which wants them closed. */
static void close_all(void)
{
	world_close(&world);
}

int fuzz_begin(int *argc, char ***argv)
{
	const char *path = getenv("FERRY_LAST");
	pthread_t thread;
	size_t i;

	environment_begin();
	atexit(close_all);
	if (path && *path) {
		last = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		if (last < 0) {
			perror(path);
			exit(1);
		}
	}
	log_begin();
	touch_begin();
	world_make(&world);
	targets_find();
	coverage = coverage_new();
	if (!coverage)
		fprintf(stderr, "without KCOV: only results count\n");
	pthread_barrier_init(&work.begin, NULL, THREADS + 1);
	pthread_barrier_init(&work.end, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread, NULL, worker, (void *)i))
			exit(1);
	return 0;
}

static void keep(const __u8 *data, size_t size)
{
	if (last < 0)
		return;
	if (pwrite(last, data, size, 0) != (ssize_t)size ||
	    ftruncate(last, size))
		perror("FERRY_LAST");
}

int try_input(const __u8 *data, size_t size)
{
	struct head head = {};

	keep(data, size);
	memcpy(&head, data, size < sizeof(head) ? size : sizeof(head));
	work.n = size < sizeof(head) ? 0 :
		 (size - sizeof(head)) / sizeof(struct call);
	work.calls = (const void *)(data + sizeof(head));
	coverage_begin(coverage);
	world_open(&world, target_at(head.target), head.flags & HEAD_IOMMUFD);
	pthread_barrier_wait(&work.begin);
	pthread_barrier_wait(&work.end);
	world_tidy(&world);
	if (target_going()) {
		world_close(&world);
		target_settle();
	}
	coverage_end(coverage);
	log_check();
	return 0;
}
