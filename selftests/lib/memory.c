// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory the kernel holds, as /proc/meminfo tells.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferrytest.h"

/**
 * kernel_memory - memory that the kernel holds for itself and can't give back
 *
 * Return: KiB, or -1.
 */
long kernel_memory(void)
{
	static const char * const kinds[] = {
		"SUnreclaim:", "VmallocUsed:", "Percpu:",
	};
	long sum = 0, found = 0;
	char line[128];
	unsigned int i;
	FILE *file;

	file = fopen("/proc/meminfo", "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			size_t len = strlen(kinds[i]);

			if (!strncmp(line, kinds[i], len)) {
				sum += atol(line + len);
				found++;
			}
		}
	}
	fclose(file);
	return found == sizeof(kinds) / sizeof(kinds[0]) ? sum : -1;
}
