// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records: written fact by fact, read back, sorted and compared.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "differential.h"

#define ABSENT	"absent"
#define NOTHING	~0U

struct entry {
	char *area;
	char *key;
	char *value;
	/* The next one in the same bucket. */
	unsigned int next;
};

struct record {
	struct entry *entries;
	unsigned int count;
	unsigned int room;
	unsigned int *buckets;
};

#define BUCKETS	0x10000

const char *result_name(long ret)
{
	static char text[32];

	if (ret < 0 && strerrorname_np(-ret))
		return strerrorname_np(-ret);
	snprintf(text, sizeof(text), "%ld", ret);
	return text;
}

static void fact_begin(struct subject *s, const char *area, const char *key)
{
	fputs(area, s->out);
	putc(' ', s->out);
	fputs(key, s->out);
	putc(' ', s->out);
}

void fact(struct subject *s, const char *area, const char *key,
	  const char *format, ...)
{
	va_list args;

	fact_begin(s, area, key);
	va_start(args, format);
	vfprintf(s->out, format, args);
	va_end(args);
	putc('\n', s->out);
}

/* By hand, because there are a great many of them. */
void fact_bytes(struct subject *s, const char *area, const char *key,
		unsigned int off, const __u8 *bytes, unsigned int len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * CONFIG_MAX + 16];
	char *to = text;
	int shift;

	*to++ = '@';
	for (shift = 8; shift >= 0; shift -= 4)
		*to++ = digits[off >> shift & 15];
	*to++ = ':';
	for (; len--; bytes++) {
		*to++ = digits[*bytes >> 4];
		*to++ = digits[*bytes & 15];
	}
	*to++ = '\n';
	*to = '\0';
	fact_begin(s, area, key);
	fputs(text, s->out);
}

static unsigned int bucket_of(const char *area, const char *key)
{
	unsigned int hash = 5381;

	while (*area)
		hash = hash * 33 + *area++;
	while (*key)
		hash = hash * 33 + *key++;
	return (hash ^ hash >> 16) % BUCKETS;
}

static bool entry_parse(struct entry *e, char *line)
{
	char *key = strchr(line, ' ');
	char *value = key ? strchr(key + 1, ' ') : NULL;

	if (!value)
		return false;
	*key++ = '\0';
	*value++ = '\0';
	value[strcspn(value, "\n")] = '\0';
	e->area = line;
	e->key = key;
	e->value = value;
	return true;
}

static void record_add(struct record *r, struct entry e)
{
	unsigned int *bucket = &r->buckets[bucket_of(e.area, e.key)];

	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 4096;
		r->entries = realloc(r->entries, r->room * sizeof(e));
		if (!r->entries)
			abort();
	}
	e.next = *bucket;
	*bucket = r->count;
	r->entries[r->count++] = e;
}

struct record *record_load(const char *path)
{
	struct record *r = calloc(1, sizeof(*r));
	FILE *f = fopen(path, "re");
	char *line = NULL;
	struct entry e;
	size_t size = 0;

	if (!r || !f)
		abort();
	r->buckets = malloc(BUCKETS * sizeof(*r->buckets));
	if (!r->buckets)
		abort();
	memset(r->buckets, 0xff, BUCKETS * sizeof(*r->buckets));
	while (getline(&line, &size, f) > 0) {
		if (!entry_parse(&e, line))
			continue;
		record_add(r, e);
		line = NULL;
		size = 0;
	}
	free(line);
	fclose(f);
	return r;
}

unsigned int record_facts(const struct record *r)
{
	return r->count;
}

void record_free(struct record *r)
{
	unsigned int i;

	for (i = 0; i < r->count; i++)
		free(r->entries[i].area);
	free(r->entries);
	free(r->buckets);
	free(r);
}

static const char *record_find(const struct record *r, const char *area,
			       const char *key)
{
	unsigned int i = r->buckets[bucket_of(area, key)];

	for (; i != NOTHING; i = r->entries[i].next)
		if (!strcmp(r->entries[i].key, key) &&
		    !strcmp(r->entries[i].area, area))
			return r->entries[i].value;
	return NULL;
}

/* Do two records of one driver agree on this? */
bool record_same(const struct record *a, const struct record *b,
		 const char *area, const char *key)
{
	const char *first = record_find(a, area, key);
	const char *second = record_find(b, area, key);

	if (!first || !second)
		return first == second;
	return !strcmp(first, second);
}

static unsigned int hex_byte(const char *text)
{
	char pair[3] = { text[0], text[1], '\0' };

	return strtoul(pair, NULL, 16);
}

/* Two pieces of config space, byte by byte. */
static void compare_bytes(const struct entry *e, const char *first,
			  const char *second, const struct layout *layout,
			  record_differ_t differ, void *ctx)
{
	unsigned int off = strtoul(first + 1, NULL, 16);
	const char *a = strchr(first, ':') + 1;
	const char *b = strchr(second, ':') + 1;
	char x[3] = "", y[3] = "";
	struct difference d = { .area = e->area, .first = x, .second = y };

	for (; *a && *b; a += 2, b += 2, off++) {
		if (a[0] == b[0] && a[1] == b[1])
			continue;
		memcpy(x, a, 2);
		memcpy(y, b, 2);
		d.key = layout->label[off];
		d.bits = hex_byte(a) ^ hex_byte(b);
		differ(ctx, &d, e->key);
	}
}

static void compare_entry(const struct entry *e, const char *first,
			  const char *second, const struct layout *layout,
			  record_differ_t differ, void *ctx)
{
	struct difference d = {
		.area = e->area, .key = e->key,
		.first = first, .second = second,
	};

	if (!strcmp(first, second))
		return;
	if (first[0] == '@' && second[0] == '@' &&
	    strlen(first) == strlen(second))
		compare_bytes(e, first, second, layout, differ, ctx);
	else
		differ(ctx, &d, e->key);
}

void record_compare(const struct record *a, const struct record *b,
		    const struct layout *layout, record_differ_t differ,
		    void *ctx)
{
	const struct entry *e;
	const char *value;

	for (e = a->entries; e < a->entries + a->count; e++) {
		value = record_find(b, e->area, e->key);
		compare_entry(e, e->value, value ? value : ABSENT, layout,
			      differ, ctx);
	}
	/* What only the second has. */
	for (e = b->entries; e < b->entries + b->count; e++)
		if (!record_find(a, e->area, e->key))
			compare_entry(e, ABSENT, e->value, layout, differ,
				      ctx);
}
