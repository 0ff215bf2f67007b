// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much memory the kernel holds, as /proc/meminfo tells.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ferrytest.h"

/**
 * kernel_memory_unclear - why what the kernel holds says nothing about a driver
 *
 * A kernel that looks for leaks keeps notes of each allocation, larger than most.
 *
 * Return: the reason, or NULL where it does.
 */
const char *kernel_memory_unclear(void)
{
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		return "this kernel keeps notes of each allocation";
	return NULL;
}

/**
 * kernel_memory - memory that the kernel holds for itself and can't give back
 *
 * Return: KiB, or -1 if it can't be told.
 */
long kernel_memory(void)
{
	static const char * const kinds[] = {
		"SUnreclaim:", "VmallocUsed:", "Percpu:", NULL,
	};
	const char * const *kind;
	char line[128];
	long sum = 0;
	FILE *file;

	file = fopen("/proc/meminfo", "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		for (kind = kinds; *kind; kind++)
			if (!strncmp(line, *kind, strlen(*kind)))
				sum += atol(line + strlen(*kind));
	}
	fclose(file);
	return sum;
}
