// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs every test and reports in KTAP.  An argument runs only the tests whose
 * name contains it.
 */
#include <stdio.h>
#include <string.h>

#include "test.h"

static const struct test *const tables[] = {
	chain_tests, header_tests, read_tests, write_tests, bars_tests,
	event_tests, emulated_tests, oracle_tests,
};

static unsigned int failures;

void test_failed(const char *file, int line, const char *what,
		 unsigned long long got, unsigned long long want)
{
	/* One wrong byte can fail thousands of checks. */
	if (failures++ < 10)
		printf("# %s:%d: %s is %#llx, not %#llx\n", file, line, what,
		       got, want);
}

u32 test_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 32;
}

static unsigned int count(const char *filter, bool run)
{
	unsigned int number = 0, bad = 0;
	const struct test *test;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (test = tables[i]; test->name; test++) {
			if (filter && !strstr(test->name, filter))
				continue;
			number++;
			if (!run)
				continue;
			failures = 0;
			test->run();
			printf("%sok %u %s\n", failures ? "not " : "", number,
			       test->name);
			bad += !!failures;
		}
	}
	return run ? bad : number;
}

int main(int argc, char **argv)
{
	const char *filter = argc > 1 ? argv[1] : NULL;
	unsigned int number = count(filter, false);
	unsigned int bad;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%u\n", number);
	bad = count(filter, true);
	printf("# %u passed, %u failed\n", number - bad, bad);
	return bad || !number;
}
