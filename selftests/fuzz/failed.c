// SPDX-License-Identifier: GPL-2.0-only
/*
 * A check that fails ends the program, so that libFuzzer keeps the input.
 */
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

void test_failed(const char *file, int line, const char *what,
		 unsigned long long got, unsigned long long want)
{
	fprintf(stderr, "%s:%d: %s is %#llx, not %#llx\n", file, line, what,
		got, want);
	abort();
}
