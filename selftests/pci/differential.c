// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds two VFIO drivers against each other: opens a device under the kernel's
 * vfio-pci, writes down what it does, opens it under Ferry, writes that down,
 * and compares. Each difference is either in the reasoned list of
 * Documentation/differences.rst or it is a failure. Speaks TAP.
 *
 * See Documentation/differential.rst for people who run it on their device.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "differential.h"

#define GROUPS_SHOWN	24

struct section {
	const char *name;
	/* What its areas begin with. */
	const char *prefixes[8];
	void (*record)(struct subject *s);
};

static void record_states(struct subject *s);

static const struct section sections[] = {
	{ "info", { "info", "region-info", "irq-info", "ioctl", "open" },
	  record_info },
	{ "config", { "config." }, record_states },
	{ "regions", { "region." }, record_regions },
	{ "irqs", { "irqs" }, record_irqs },
	{ "features", { "feature", "low-power" }, record_features },
	{ "resets", { "ioeventfd", "hot-reset", "reset" }, record_resets },
};

#define SECTIONS	(sizeof(sections) / sizeof(*sections))

/* Differences of one kind: of the same byte, or with the same answers. */
struct group {
	char area[32];
	char key[96];
	char first[96];
	char second[96];
	char where[96];
	unsigned int bits;
	unsigned int count;
};

struct outcome {
	unsigned int facts;
	unsigned int listed;
	unsigned int unstable;
	struct group *groups;
	unsigned int nr_groups;
};

static struct options {
	const char *stock;
	const char *ferry;
	const char *list;
	const char *keep;
	const char *section;
	bool all;
	bool every;
	bool verbose;
} options = {
	.stock = "vfio-pci",
	.ferry = "ferry-vfio-pci",
};

static struct reasons *reasons;
static unsigned int *seen;
static unsigned int results, failures;

static void __printf(1, 2) say(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void __printf(2, 3) result(bool ok, const char *format, ...)
{
	va_list args;

	printf("%s %u ", ok ? "ok" : "not ok", ++results);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	failures += !ok;
}

int subject_open(struct subject *s)
{
	int ret = vdev_open(&s->v, "pci", s->bdf);

	fact(s, "open", "device", "%s", result_name(ret));
	return ret;
}

void subject_close(struct subject *s)
{
	vdev_close(&s->v);
}

/* The kernel puts a device that nobody uses to sleep in its own time. */
void subject_sleeps(struct subject *s, const char *area, const char *key)
{
	fact(s, area, key, "%s",
	     result_name(pci_wait_runtime(s->bdf, "suspended")));
}

static void record_states(struct subject *s)
{
	record_config_idle(s, "config.bound.hw");
	record_config(s);
}

/* In a process of its own, so that the device is closed whatever happens. */
static int record_child(const char *bdf, const char *driver,
			const struct layout *layout, const char *path)
{
	struct subject s = { .bdf = bdf, .layout = layout, .all = options.all };
	unsigned int i;
	int ret;

	ret = pci_bind(bdf, driver);
	if (ret) {
		fprintf(stderr, "%s: can't be bound to %s: %s\n", bdf, driver,
			strerror(-ret));
		return 1;
	}
	s.out = fopen(path, "we");
	s.hw = pci_config(bdf, O_RDONLY);
	if (!s.out || s.hw < 0) {
		perror(path);
		return 1;
	}
	for (i = 0; i < SECTIONS; i++)
		if (!options.section ||
		    !strcmp(options.section, sections[i].name))
			sections[i].record(&s);
	if (fclose(s.out)) {
		perror(path);
		return 1;
	}
	return 0;
}

static bool record_driver(const char *bdf, const char *driver,
			  const struct layout *layout, const char *path)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		_exit(record_child(bdf, driver, layout, path));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return false;
	if (WIFSIGNALED(status))
		say("recording under %s ended: %s", driver,
		    strsignal(WTERMSIG(status)));
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static int section_of(const char *area)
{
	unsigned int i, j;

	for (i = 0; i < SECTIONS; i++)
		for (j = 0; j < 8 && sections[i].prefixes[j]; j++)
			if (!strncmp(area, sections[i].prefixes[j],
				     strlen(sections[i].prefixes[j])))
				return i;
	return 0;
}

/* What a comparison knows. */
struct comparison {
	struct outcome outcome[SECTIONS];
	/* A second record of the first driver, or none. */
	struct record *again;
	struct record *first;
	unsigned int unlisted;
};

static void group_add(struct outcome *o, const struct difference *d,
		      const char *where)
{
	struct group *g;
	unsigned int i;

	for (i = 0; i < o->nr_groups; i++) {
		g = &o->groups[i];
		if (!strcmp(g->area, d->area) && !strcmp(g->key, d->key) &&
		    (d->bits || !strcmp(g->first, d->first))) {
			g->bits |= d->bits;
			g->count++;
			return;
		}
	}
	o->groups = realloc(o->groups, (o->nr_groups + 1) * sizeof(*g));
	if (!o->groups)
		abort();
	g = &o->groups[o->nr_groups++];
	snprintf(g->area, sizeof(g->area), "%s", d->area);
	snprintf(g->key, sizeof(g->key), "%s", d->key);
	snprintf(g->first, sizeof(g->first), "%s", d->first);
	snprintf(g->second, sizeof(g->second), "%s", d->second);
	snprintf(g->where, sizeof(g->where), "%s", where);
	g->bits = d->bits;
	g->count = 1;
}

static void on_difference(void *ctx, const struct difference *d,
			  const char *where)
{
	struct comparison *c = ctx;
	struct outcome *o = &c->outcome[section_of(d->area)];
	int reason;

	reason = reasons_find(reasons, d);
	if (reason >= 0) {
		o->listed++;
		if (!seen[reason]++ || options.verbose)
			say("listed: %s %s (%s) %s, %s: %s", d->area, d->key,
			    where, d->first, d->second,
			    reasons_title(reasons, reason));
		return;
	}
	if (c->again && !record_same(c->first, c->again, d->area, where)) {
		if (!o->unstable++)
			say("not the same in two runs of %s: %s %s (%s) %s, %s",
			    options.stock, d->area, d->key, where, d->first,
			    d->second);
		return;
	}
	c->unlisted++;
	group_add(o, d, where);
}

static void outcome_show(const char *name, unsigned int n,
			 const struct outcome *o)
{
	unsigned int i;

	for (i = 0; i < o->nr_groups; i++) {
		const struct group *g = &o->groups[i];

		if (i == GROUPS_SHOWN && !options.verbose) {
			say("... and %u more", o->nr_groups - i);
			break;
		}
		if (g->bits)
			say("%s %s bits %02x, %u times; first at %s: %s %s, %s %s",
			    g->area, g->key, g->bits, g->count, g->where,
			    options.stock, g->first, options.ferry, g->second);
		else
			say("%s %s: %s %s, %s %s", g->area, g->key,
			    options.stock, g->first, options.ferry, g->second);
	}
	if (o->unstable)
		say("%u values differ with every run of %s", o->unstable,
		    options.stock);
	result(!o->nr_groups, "%s %s: %u listed differences", name,
	       sections[n].name, o->listed);
}

static void outcomes_free(struct comparison *c)
{
	unsigned int i;

	for (i = 0; i < SECTIONS; i++) {
		free(c->outcome[i].groups);
		memset(&c->outcome[i], 0, sizeof(c->outcome[i]));
	}
	c->unlisted = 0;
}

static struct record *take(const char *bdf, const char *driver,
			   const struct layout *layout, const char *dir,
			   const char *name)
{
	struct record *r = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s-%s", dir, bdf, name);
	if (record_driver(bdf, driver, layout, path))
		r = record_load(path);
	if (!options.keep)
		unlink(path);
	return r;
}

/*
 * Registers may change by themselves. What is not in the list is looked at again
 * under the first driver: what differs there too says nothing.
 */
static bool compare_device(const char *name, const char *bdf, const char *dir)
{
	static struct layout layout;
	struct comparison c = {};
	struct record *second;
	unsigned int i;

	if (layout_read(&layout, bdf)) {
		say("%s: no config space", bdf);
		return false;
	}
	c.first = take(bdf, options.stock, &layout, dir, "stock");
	second = take(bdf, options.ferry, &layout, dir, "ferry");
	if (!c.first || !second)
		return false;

	say("%s: %u facts with %s, %u with %s", name, record_facts(c.first),
	    options.stock, record_facts(second), options.ferry);
	record_compare(c.first, second, &layout, on_difference, &c);
	if (c.unlisted) {
		c.again = take(bdf, options.stock, &layout, dir, "again");
		outcomes_free(&c);
		record_compare(c.first, second, &layout, on_difference, &c);
	}
	for (i = 0; i < SECTIONS; i++)
		if (!options.section ||
		    !strcmp(options.section, sections[i].name))
			outcome_show(name, i, &c.outcome[i]);

	outcomes_free(&c);
	record_free(c.first);
	record_free(second);
	if (c.again)
		record_free(c.again);
	return true;
}

/* NAME=BDF, or just BDF. The device gets the driver back that it had. */
static void device(char *arg, const char *dir)
{
	char *bdf = strchr(arg, '=');
	char driver[FERRY_NAME_MAX];
	bool ok;

	if (bdf)
		*bdf++ = '\0';
	else
		bdf = arg;
	if (pci_driver(bdf, driver, sizeof(driver)))
		driver[0] = '\0';
	ok = compare_device(arg, bdf, dir);
	if (pci_restore(bdf, driver))
		say("%s can't get its driver %s back", bdf, driver);
	if (!ok)
		result(false, "%s recorded", arg);
}

/* An entry that nothing comes under any more has to go. */
static void report_unseen(void)
{
	unsigned int i, unseen = 0;

	for (i = 0; i < reasons_count(reasons); i++) {
		if (seen[i] || !reasons_expected(reasons, i))
			continue;
		say("not seen on any device: %s", reasons_title(reasons, i));
		unseen++;
	}
	result(!unseen, "every entry of the list for this kernel was seen");
}

static void help(FILE *out)
{
	fprintf(out,
		"differential [OPTION]... [NAME=]BDF...\n"
		"  -a             also what may upset a device that isn't emulated\n"
		"  -l FILE        the reasoned list, Documentation/differences.rst\n"
		"  -s DRIVER      the first driver, %s\n"
		"  -f DRIVER      the second driver, %s\n"
		"  -o SECTION     only one of info, config, regions, irqs, features, resets\n"
		"  -k DIR         keep the records in DIR\n"
		"  -e             every entry for this kernel has to be seen\n"
		"  -v             show every difference, listed ones too\n",
		options.stock, options.ferry);
}

/* Where the argument of an option goes. */
static const char **option_text(int c)
{
	switch (c) {
	case 'l':
		return &options.list;
	case 's':
		return &options.stock;
	case 'f':
		return &options.ferry;
	case 'o':
		return &options.section;
	case 'k':
		return &options.keep;
	}
	return NULL;
}

static bool section_exists(const char *name)
{
	unsigned int i;

	for (i = 0; i < SECTIONS; i++)
		if (!strcmp(name, sections[i].name))
			return true;
	return false;
}

static bool options_read(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "ael:s:f:o:k:v")) != -1) {
		if (c == 'a')
			options.all = true;
		else if (c == 'e')
			options.every = true;
		else if (c == 'v')
			options.verbose = true;
		else if (option_text(c))
			*option_text(c) = optarg;
		else
			return false;
	}
	return optind < argc &&
	       (!options.section || section_exists(options.section));
}

/* The list of the tree that this program stands in. */
static const char *list_path(void)
{
	static char path[PATH_MAX];
	char self[PATH_MAX - 64];
	ssize_t len;

	if (options.list)
		return options.list;
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	self[len > 0 ? len : 0] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path), "%s/../../Documentation/differences.rst",
		 self);
	return path;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/differential-XXXXXX";
	int i;

	if (!options_read(argc, argv)) {
		help(stderr);
		return 2;
	}
	reasons = reasons_read(list_path());
	if (!reasons)
		return 2;
	seen = calloc(reasons_count(reasons) + 1, sizeof(*seen));
	if (!seen || (!options.keep && !mkdtemp(dir))) {
		perror(dir);
		return 2;
	}
	/* Whoever interrupts means the recording: drivers are put back. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);

	printf("TAP version 13\n");
	for (i = optind; i < argc; i++)
		device(argv[i], options.keep ? options.keep : dir);
	if (options.every)
		report_unseen();
	printf("1..%u\n", results);
	if (!options.keep)
		rmdir(dir);
	free(seen);
	reasons_free(reasons);
	return failures || !results;
}
