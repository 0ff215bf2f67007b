// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sweeps, by the kernel's fault injection (Documentation/fault-injection).
 *
 * A number that a thread writes to its fail-nth is counted down by each allocation and
 * each copy that it makes, and the one that gets to zero fails. What is left then tells
 * whether that has happened.
 *
 * FERRY_FAIL_VERBOSE=2 has the kernel log a trace for each failure; with FERRY_FAIL_ALL
 * set long sweeps leave none out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failing.h"
#include "ferrytest.h"

#define NTH		"/proc/thread-self/fail-nth"
#define MAKE_IT_FAIL	"/proc/thread-self/make-it-fail"
#define KNOBS		"/sys/kernel/debug"
#define CACHES		"/sys/kernel/slab/*/failslab"
#define SYMBOLS		"/proc/kallsyms"
/* More than any call makes. */
#define NEVER		1000000000U

static const char * const kinds[] = {
	"failslab", "fail_page_alloc", "fail_usercopy", NULL,
};

/*
 * Nothing fails but by fail-nth or, for those that ask for it, by make-it-fail; then
 * whatever may sleep may fail, too.
 */
static const struct {
	const char *file;
	const char *value;
} knobs[] = {
	{ "failslab/ignore-gfp-wait", "N" },
	{ "failslab/cache-filter", "Y" },
	{ "failslab/task-filter", "Y" },
	{ "failslab/times", "-1" },
	{ "failslab/probability", "0" },
	{ "fail_page_alloc/ignore-gfp-wait", "N" },
	{ "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "fail_page_alloc/min-order", "0" },
	{ "fail_page_alloc/probability", "0" },
	{ "fail_usercopy/probability", "0" },
};

/* Caches of those who look for bugs. They have others when these fail. */
static const char * const spared[] = {
	"kmemleak_object", "kmemleak_scan_area", "debug_objects_cache", NULL,
};

/* The functions of each &enum spared, neighbours, so that one range of addresses has them. */
static const char * const fragile[][2] = {
	[SPARE_DESCRIPTORS] = { "__irq_domain_alloc_irqs", "register_irq_proc" },
	[SPARE_ROUTING] = { "acpi_pci_irq_enable", "acpi_pci_irq_disable" },
	[SPARE_GROUP] = { "vfio_create_group" },
	[SPARE_LINK] = { "module_remove_driver" },
};

static int knob(const char *file, const char *value)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), KNOBS "/%s", file);
	return text_write(path, value);
}

static bool is_spared(const char *path)
{
	const char * const *name;
	char part[128];

	for (name = spared; *name; name++) {
		snprintf(part, sizeof(part), "/%s/", *name);
		if (strstr(path, part))
			return true;
	}
	return false;
}

/* There are caches that can't be told from others, of which none is ours. */
static void choose_caches(void)
{
	glob_t found;
	size_t i;

	if (glob(CACHES, 0, NULL, &found))
		return;
	for (i = 0; i < found.gl_pathc; i++)
		text_write(found.gl_pathv[i],
			   is_spared(found.gl_pathv[i]) ? "0" : "1");
	globfree(&found);
}

#define SPARED	(sizeof(fragile) / sizeof(*fragile))

/* From the first of those functions to where another one begins. */
static struct range {
	unsigned long start;
	unsigned long last;
	unsigned long end;
} *ranges;

/* The kernel takes seconds to name all its symbols: each test, a process, finds the same. */
__attribute__((constructor)) static void share_ranges(void)
{
	ranges = mmap(NULL, sizeof(*ranges) * SPARED, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ranges == MAP_FAILED)
		abort();
}

static void see_function(const char *name, unsigned long at)
{
	struct range *r;
	size_t i;

	for (i = 0; i < 2 * SPARED; i++) {
		r = &ranges[i / 2];
		if (!fragile[i / 2][i % 2] || strcmp(fragile[i / 2][i % 2], name))
			continue;
		if (!r->start || at < r->start)
			r->start = at;
		if (at > r->last)
			r->last = at;
	}
}

/* Those of modules are in no order. */
static void see_end(const char *name, unsigned long at)
{
	struct range *r;

	(void)name;
	for (r = ranges; r < ranges + SPARED; r++)
		if (at > r->last && (!r->end || at < r->end))
			r->end = at;
}

static void each_symbol(FILE *symbols,
			void (*see)(const char *name, unsigned long at))
{
	unsigned long at;
	char name[128];

	rewind(symbols);
	while (fscanf(symbols, "%lx %*c %127s%*[^\n]", &at, name) == 2)
		see(name, at);
}

static int find_ranges(void)
{
	FILE *symbols;

	if (ranges->end)
		return 0;
	symbols = fopen(SYMBOLS, "r");
	if (!symbols)
		return -errno;
	each_symbol(symbols, see_function);
	each_symbol(symbols, see_end);
	fclose(symbols);
	return 0;
}

static int stack_knob(const char *kind, const char *name, unsigned long value)
{
	char file[64], text[32];

	snprintf(file, sizeof(file), "%s/%s", kind, name);
	snprintf(text, sizeof(text), "0x%lx", value);
	return knob(file, text);
}

/* What has such a function among its callers doesn't fail, and isn't counted. */
static int spare(enum spared which)
{
	const struct range *r = &ranges[which];
	const char * const *kind;
	int ret;

	ret = find_ranges();
	if (!ret && !r->start)
		return -ENOENT;
	for (kind = kinds; !ret && *kind; kind++)
		ret = stack_knob(*kind, "reject-end", 0) ?:
		      stack_knob(*kind, "reject-start", r->start) ?:
		      stack_knob(*kind, "reject-end", r->end);
	return ret;
}

static int prepare(void)
{
	const char *verbose = getenv("FERRY_FAIL_VERBOSE");
	const char * const *kind;
	char file[64];
	size_t i;
	int ret;

	for (i = 0; i < sizeof(knobs) / sizeof(*knobs); i++) {
		ret = knob(knobs[i].file, knobs[i].value);
		if (ret)
			return ret;
	}
	for (kind = kinds; *kind; kind++) {
		snprintf(file, sizeof(file), "%s/verbose", *kind);
		ret = knob(file, verbose ?: "0") ?:
		      stack_knob(*kind, "stacktrace-depth", 32);
		if (ret)
			return ret;
	}
	choose_caches();
	return spare(SPARE_DESCRIPTORS);
}

/**
 * failing_missing - why this kernel can't be made to fail
 *
 * Return: the reason, or NULL with everything set up.
 */
const char *failing_missing(void)
{
	if (!path_exists(NTH))
		return "this kernel has no fail-nth";
	if (prepare())
		return "this kernel has no fault injection for slabs, pages and copies";
	return NULL;
}

/**
 * failing_some - for &sweep.at_most of a call that takes long
 * @many: so many failures where there is little time
 *
 * Return: @many, or 0 for all.
 */
unsigned int failing_some(unsigned int many)
{
	return getenv("FERRY_FAIL_ALL") ? 0 : many;
}

/* A write that is itself made to fail has used up what was left. */
static void number_write(int fd, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	while (pwrite(fd, text, len, 0) < 0) {
		if (errno != EFAULT && errno != ENOMEM) {
			perror("# fail-nth");
			abort();
		}
	}
}

/* What is left, at least: a read that is itself made to fail had one left. */
static unsigned int number_read(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		return 1;
	return strtoul(text, NULL, 10);
}

struct attempt {
	int nth;
	int make_it_fail;
	int ret;
	/* How many more there would have had to be. */
	unsigned int left;
};

/* One call, whose @n-th allocation or copy fails. */
static void attempt(const struct sweep *s, struct attempt *a, unsigned int n)
{
	if (s->onwards)
		number_write(a->make_it_fail, 1);
	number_write(a->nth, n);
	a->ret = s->call(s->ctx);
	a->left = number_read(a->nth);
	number_write(a->nth, 0);
	if (s->onwards)
		number_write(a->make_it_fail, 0);
}

static bool is_expected(const struct sweep *s, int ret)
{
	const int *other;

	if (ret >= 0 || ret == -ENOMEM || ret == -EFAULT)
		return true;
	for (other = s->others; other && *other; other++)
		if (ret == *other)
			return true;
	return false;
}

static bool complain(const struct sweep *s, unsigned int n,
		     const struct attempt *a, const char *what)
{
	fprintf(stderr, "# %s: with failure %u %s it returns %d: %s\n", s->what,
		n, a->left ? "not reached" : "made", a->ret, what);
	return false;
}

/* Was what it said right, and does everything work? */
static bool judge(struct sweep *s, unsigned int n, const struct attempt *a)
{
	bool done = a->ret >= 0;

	if (a->left && !done)
		return complain(s, n, a, "why?");
	if (!is_expected(s, a->ret))
		return complain(s, n, a, "not what it should");
	if (!a->left) {
		s->injected++;
		if (a->ret == -ENOMEM)
			s->refused++;
	}
	if (s->check && !s->check(s->ctx, done))
		return complain(s, n, a, "something doesn't work any more");
	if (done && s->undo && s->undo(s->ctx))
		return complain(s, n, a, "it can't be undone");
	return true;
}

/* What can be counted of what a call may leave behind. */
struct remains {
	unsigned int descriptors;
	int interrupts;
};

static struct remains count_remains(void)
{
	struct remains r = { .interrupts = irq_lines("ferry") };
	DIR *dir = opendir("/proc/self/fd");

	while (dir && readdir(dir))
		r.descriptors++;
	if (dir)
		closedir(dir);
	return r;
}

static bool nothing_remains(const struct sweep *s, const struct remains *before)
{
	struct remains now = count_remains();

	if (now.descriptors == before->descriptors &&
	    now.interrupts == before->interrupts)
		return true;
	fprintf(stderr, "# %s: %u descriptors and %d interrupts have become %u and %d\n",
		s->what, before->descriptors, before->interrupts,
		now.descriptors, now.interrupts);
	return false;
}

/* Has the sweep shown anything? That a call needs nothing at all is something, too. */
static bool has_failed(const struct sweep *s, unsigned int points)
{
	fprintf(stderr, "# %s: %u of %u made to fail, %u refused for memory\n",
		s->what, s->injected, points, s->refused);
	if (s->injected ? s->optional || s->refused : s->optional && !points)
		return true;
	fprintf(stderr, "# %s: nothing that it needs has failed\n", s->what);
	return false;
}

static bool sweep_with(struct sweep *s, struct attempt *a)
{
	const struct remains before = count_remains();
	unsigned int n = 1, step = 1, points;

	/* Nothing fails, but is counted. */
	attempt(s, a, NEVER);
	points = NEVER - a->left;
	if (!judge(s, NEVER, a))
		return false;
	if (s->at_most && points > s->at_most)
		step = (points + s->at_most - 1) / s->at_most;

	do {
		attempt(s, a, n);
		if (!judge(s, n, a))
			return false;
		n += step;
	} while (!a->left);

	return nothing_remains(s, &before) && has_failed(s, points);
}

/**
 * sweep - make a call until all its allocations have failed once
 * @s: the call
 *
 * Return: whether it went well, and something did fail; if not, it has been said why.
 */
bool sweep(struct sweep *s)
{
	struct attempt a = {
		.nth = open(NTH, O_RDWR | O_CLOEXEC),
		.make_it_fail = open(MAKE_IT_FAIL, O_RDWR | O_CLOEXEC),
	};
	bool ok = a.nth >= 0 && a.make_it_fail >= 0;

	s->injected = 0;
	s->refused = 0;
	if (ok && spare(s->spare)) {
		fprintf(stderr, "# %s: this kernel hasn't what is to be spared\n",
			s->what);
		ok = false;
	}
	if (ok && s->onwards)
		ok = !knob("failslab/probability", "100");
	if (ok)
		ok = sweep_with(s, &a);
	if (s->onwards)
		knob("failslab/probability", "0");
	close(a.nth);
	close(a.make_it_fail);
	return ok;
}
