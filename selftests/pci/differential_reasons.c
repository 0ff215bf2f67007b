// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reasoned list of differences, Documentation/differences.rst. An entry is a
 * section whose field list says what it is about:
 *
 *   :match: ``AREA KEY [bits=MASK] [stock=TEXT] [ferry=TEXT]``
 *   :kernels: 6.1, 6.12, 7.3
 *   :stock: what the kernel's driver does
 *   :ferry: what Ferry does
 *   :why: the reason
 *
 * AREA, KEY and TEXT are patterns as of the shell; :match: may be repeated. An
 * entry that lacks a field is an error, for the list is nothing without reasons.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "differential.h"

#define TITLE_MAX	128
#define MATCHES_MAX	512

enum {
	HAS_MATCH = 1, HAS_KERNELS = 2, HAS_STOCK = 4, HAS_FERRY = 8,
	HAS_WHY = 16, HAS_ALL = 31,
};

struct reason {
	char title[TITLE_MAX];
	char kernels[TITLE_MAX];
	unsigned int has;
};

struct match {
	unsigned int reason;
	char *text;
	const char *area;
	const char *key;
	const char *first;
	const char *second;
	unsigned int bits;
};

struct reasons {
	struct reason *reason;
	unsigned int count;
	struct match match[MATCHES_MAX];
	unsigned int matches;
	/* The running kernel's series, or "" for one that no entry knows. */
	char kernel[16];
};

static bool match_parse(struct match *m, const char *text)
{
	char *word, *state;

	m->text = strdup(text);
	m->first = "*";
	m->second = "*";
	m->bits = 0xff;
	m->area = strtok_r(m->text, " ", &state);
	m->key = strtok_r(NULL, " ", &state);
	if (!m->key)
		return false;
	while ((word = strtok_r(NULL, " ", &state))) {
		if (!strncmp(word, "bits=", 5))
			m->bits = strtoul(word + 5, NULL, 16);
		else if (!strncmp(word, "stock=", 6))
			m->first = word + 6;
		else if (!strncmp(word, "ferry=", 6))
			m->second = word + 6;
		else
			return false;
	}
	return true;
}

/* The text of a field, without the quotes of a literal. */
static const char *field(char *line, const char *name)
{
	size_t len = strlen(name);
	char *text = line + len, *end;

	if (strncmp(line, name, len))
		return NULL;
	text += strspn(text, " `");
	end = text + strlen(text);
	while (end > text && strchr(" `\n", end[-1]))
		*--end = '\0';
	return text;
}

static bool field_read(struct reasons *r, char *line)
{
	struct reason *e = &r->reason[r->count - 1];
	const char *text;

	text = field(line, ":match:");
	if (text) {
		struct match *m = &r->match[r->matches];

		if (r->matches == MATCHES_MAX || !match_parse(m, text))
			return false;
		m->reason = r->count - 1;
		r->matches++;
		e->has |= HAS_MATCH;
	}
	text = field(line, ":kernels:");
	if (text) {
		snprintf(e->kernels, sizeof(e->kernels), " %s,", text);
		e->has |= HAS_KERNELS;
	}
	if (field(line, ":stock:"))
		e->has |= HAS_STOCK;
	if (field(line, ":ferry:"))
		e->has |= HAS_FERRY;
	if (field(line, ":why:"))
		e->has |= HAS_WHY;
	return true;
}

static void reason_begin(struct reasons *r, const char *title)
{
	struct reason *e;

	r->reason = realloc(r->reason, (r->count + 1) * sizeof(*r->reason));
	if (!r->reason)
		abort();
	e = &r->reason[r->count++];
	memset(e, 0, sizeof(*e));
	snprintf(e->title, sizeof(e->title), "%.*s",
		 (int)strcspn(title, "\n"), title);
}

static bool reasons_complete(const struct reasons *r, const char *path)
{
	unsigned int i;
	bool ok = true;

	for (i = 0; i < r->count; i++) {
		if (r->reason[i].has == HAS_ALL)
			continue;
		fprintf(stderr, "%s: \"%s\" lacks :match:, :kernels:, :stock:, :ferry: or :why:\n",
			path, r->reason[i].title);
		ok = false;
	}
	return ok;
}

/* Does this entry speak of the running kernel? */
bool reasons_expected(const struct reasons *r, unsigned int n)
{
	char wanted[TITLE_MAX];

	snprintf(wanted, sizeof(wanted), " %s,", r->kernel);
	return !r->kernel[0] || strstr(r->reason[n].kernels, wanted);
}

/* On a kernel between those that are tested, all entries are good. */
static void kernel_read(struct reasons *r)
{
	struct utsname name;
	unsigned int i;
	size_t len;

	uname(&name);
	len = strcspn(name.release, ".");
	len += 1 + strspn(name.release + len + 1, "0123456789");
	snprintf(r->kernel, sizeof(r->kernel), "%.*s", (int)len, name.release);
	for (i = 0; i < r->count; i++)
		if (reasons_expected(r, i))
			return;
	r->kernel[0] = '\0';
}

static bool is_field(const char *line)
{
	static const char *const names[] = {
		":match:", ":kernels:", ":stock:", ":ferry:", ":why:",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(line, names[i], strlen(names[i])))
			return true;
	return false;
}

/* Sections with one of the fields are entries; others are prose. */
struct reasons *reasons_read(const char *path)
{
	char line[1024], above[1024] = "", title[1024] = "";
	struct reasons *r = calloc(1, sizeof(*r));
	FILE *f = fopen(path, "re");
	bool ok = true;

	if (!r || !f) {
		perror(path);
		free(r);
		return NULL;
	}
	while (ok && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "---", 3) || !strncmp(line, "===", 3) ||
		    !strncmp(line, "~~~", 3)) {
			snprintf(title, sizeof(title), "%s", above);
		} else if (is_field(line)) {
			if (title[0]) {
				reason_begin(r, title);
				title[0] = '\0';
			}
			ok = r->count && field_read(r, line);
			if (!ok)
				fprintf(stderr, "%s: can't read \"%s\"\n",
					path, line);
		}
		snprintf(above, sizeof(above), "%s", line);
	}
	fclose(f);
	if (!ok || !reasons_complete(r, path)) {
		reasons_free(r);
		return NULL;
	}
	kernel_read(r);
	return r;
}

/* The number of the entry that a difference comes under; -1 for none. */
int reasons_find(struct reasons *r, const struct difference *d)
{
	unsigned int i;

	for (i = 0; i < r->matches; i++) {
		const struct match *m = &r->match[i];

		if (reasons_expected(r, m->reason) &&
		    !fnmatch(m->area, d->area, 0) &&
		    !fnmatch(m->key, d->key, 0) && !(d->bits & ~m->bits) &&
		    !fnmatch(m->first, d->first, 0) &&
		    !fnmatch(m->second, d->second, 0))
			return m->reason;
	}
	return -1;
}

unsigned int reasons_count(const struct reasons *r)
{
	return r->count;
}

const char *reasons_title(const struct reasons *r, unsigned int n)
{
	return r->reason[n].title;
}

void reasons_free(struct reasons *r)
{
	while (r->matches)
		free(r->match[--r->matches].text);
	free(r->reason);
	free(r);
}
