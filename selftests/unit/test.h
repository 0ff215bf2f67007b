/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test is a function and a name; a check that fails says where and with
 * what, and the test goes on.
 */
#ifndef _FERRY_UNIT_TEST_H
#define _FERRY_UNIT_TEST_H

#include <linux/kernel.h>
#include <linux/types.h>

struct test {
	const char *name;
	void (*run)(void);
};

/* One table for each file; main.c knows them. */
extern const struct test bars_tests[];
extern const struct test chain_tests[];
extern const struct test emulated_tests[];
extern const struct test event_tests[];
extern const struct test header_tests[];
extern const struct test oracle_tests[];
extern const struct test read_tests[];
extern const struct test write_tests[];

void test_failed(const char *file, int line, const char *what,
		 unsigned long long got, unsigned long long want);

#define CHECK_EQ(got, want) do {					\
	unsigned long long _got = (got), _want = (want);		\
									\
	if (_got != _want)						\
		test_failed(__FILE__, __LINE__, #got, _got, _want);	\
} while (0)
#define CHECK(what)	CHECK_EQ(!!(what), 1)

/* The same numbers in every run (xorshift64). */
u32 test_random(u64 *state);

#endif /* _FERRY_UNIT_TEST_H */
