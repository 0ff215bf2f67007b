// SPDX-License-Identifier: GPL-2.0-only
/*
 * What drivers leave in the system: names of device nodes, of groups, of
 * files in debugfs and procfs, of interrupts, of memory and port claims, and
 * how often modules are held.
 * Two traces with the same names mean that nothing was left in between.
 */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferrytest.h"

struct trace {
	char **names;
	size_t count, room;
};

static const char * const folders[] = {
	"/dev/vfio",
	"/sys/class/vfio",
	"/sys/class/vfio-dev",
	"/sys/kernel/debug/vfio",
	"/sys/kernel/debug/ferry",
	"/sys/kernel/debug/ferry-vfio-pci",
	"/sys/kernel/iommu_groups",
	"/sys/bus/mdev/devices",
	"/proc/irq",
	NULL
};

static struct trace *walking;

static void trace_add(struct trace *t, const char *where, const char *name)
{
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 256;
		t->names = realloc(t->names, t->room * sizeof(*t->names));
		if (!t->names)
			abort();
	}
	if (asprintf(&t->names[t->count++], "%s %s", where, name) < 0)
		abort();
}

static int on_entry(const char *path, const struct stat *st, int type,
		    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	trace_add(walking, "file", path);
	return 0;
}

/* The name at the end of each line of /proc/interrupts: the counts change. */
static void trace_interrupts(struct trace *t)
{
	FILE *f = fopen("/proc/interrupts", "re");
	char *line = NULL, *name;
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		name = strrchr(line, ' ');
		trace_add(t, "interrupt", name ? name + 1 : line);
	}
	free(line);
	fclose(f);
}

static void trace_lines(struct trace *t, const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		trace_add(t, path, line);
	}
	free(line);
	fclose(f);
}

/* How often each of our modules, and of those that it needs, is held. */
static void trace_modules(struct trace *t)
{
	static const char * const ours[] = {
		"ferry", "vfio", "mdev", "bypass", NULL
	};
	FILE *f = fopen("/proc/modules", "re");
	char *line = NULL, name[64], users[16];
	size_t size = 0, i;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0) {
		if (sscanf(line, "%63s %*s %15s", name, users) != 2)
			continue;
		for (i = 0; ours[i]; i++)
			if (strstr(name, ours[i]))
				trace_add(t, name, users);
	}
	free(line);
	fclose(f);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

struct trace *trace_take(void)
{
	struct trace *t = calloc(1, sizeof(*t));
	size_t i;

	if (!t)
		abort();
	walking = t;
	for (i = 0; folders[i]; i++)
		nftw(folders[i], on_entry, 16, FTW_PHYS);
	trace_interrupts(t);
	trace_modules(t);
	trace_lines(t, "/proc/iomem");
	trace_lines(t, "/proc/ioports");
	qsort(t->names, t->count, sizeof(*t->names), by_name);
	return t;
}

/*
 * How many names are only in @after, the first of them in @what. A name that
 * went away is no leftover.
 */
int trace_compare(const struct trace *before, const struct trace *after,
		  char *what, size_t size)
{
	size_t i, j = 0;
	int left = 0, order;

	what[0] = '\0';
	for (i = 0; i < after->count; i++) {
		order = 1;
		while (j < before->count) {
			order = strcmp(before->names[j], after->names[i]);
			if (order >= 0)
				break;
			j++;
		}
		if (!order) {
			j++;
			continue;
		}
		if (!left++)
			snprintf(what, size, "%s", after->names[i]);
	}
	return left;
}

void trace_free(struct trace *t)
{
	size_t i;

	for (i = 0; i < t->count; i++)
		free(t->names[i]);
	free(t->names);
	free(t);
}
