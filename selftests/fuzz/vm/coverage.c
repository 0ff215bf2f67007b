// SPDX-License-Identifier: GPL-2.0-only
/*
 * KCOV for libFuzzer: which code of our modules a thread has run becomes counters that
 * libFuzzer looks at as if they were of this program. Where KCOV is missing, there are
 * the results of calls, and that is all.
 *
 * See Documentation/dev-tools/kcov.rst of the kernel, and ExtraCounters of libFuzzer.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"

#define KCOV			"/sys/kernel/debug/kcov"
#define KCOV_INIT_TRACE		_IOR('c', 1, unsigned long)
#define KCOV_ENABLE		_IO('c', 100)
#define KCOV_TRACE_PC		0

/* Addresses that one thread can tell of in one input; others are lost. */
#define PCS			0x10000
#define COUNTER_BITS		17
/* Kinds of calls, times what they return. */
#define RESULT_BITS		12

/* libFuzzer's: it reads them after each input and clears them before. */
#pragma clang section bss = "__libfuzzer_extra_counters"
__u8 coverage_counters[(1 << COUNTER_BITS) + (1 << RESULT_BITS)];
#pragma clang section bss = ""

struct coverage {
	/* How many addresses follow, and those. */
	unsigned long *pcs;
};

static void must(bool done, const char *what)
{
	if (done)
		return;
	perror(what);
	exit(1);
}

/**
 * coverage_new - begin to look at what the kernel does for this thread
 *
 * The thread has it until it ends.
 *
 * Return: what the other functions want, NULL on a kernel that cannot tell.
 */
struct coverage *coverage_new(void)
{
	struct coverage *c;
	int fd;

	fd = open(KCOV, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	c = calloc(1, sizeof(*c));
	must(c, "calloc");
	must(!ioctl(fd, KCOV_INIT_TRACE, PCS), "KCOV_INIT_TRACE");
	c->pcs = mmap(NULL, PCS * sizeof(*c->pcs), PROT_READ | PROT_WRITE,
		      MAP_SHARED, fd, 0);
	must(c->pcs != MAP_FAILED, "mmap of kcov");
	must(!ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC), "KCOV_ENABLE");
	return c;
}

/* What comes now belongs to an input. */
void coverage_begin(struct coverage *c)
{
	if (c)
		__atomic_store_n(c->pcs, 0, __ATOMIC_RELAXED);
}

/* It is over: each address becomes a counter, which says 1 however often it was seen. */
void coverage_end(struct coverage *c)
{
	unsigned long n, i;

	if (!c)
		return;
	n = __atomic_load_n(c->pcs, __ATOMIC_RELAXED);
	for (i = 1; i <= n; i++)
		coverage_counters[c->pcs[i] * 0x9e3779b97f4a7c15UL >>
				  (64 - COUNTER_BITS)] = 1;
}

/* A call returned this; each number of each kind is something that can be new. */
void coverage_result(unsigned int kind, int ret)
{
	unsigned int n = ret < 0 ? -ret : 0;

	coverage_counters[(1 << COUNTER_BITS) +
			  ((kind << 7 | (n & 127)) & ((1 << RESULT_BITS) - 1))] = 1;
}
