// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records: written fact by fact, read back, sorted and compared.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "differential.h"

#define ABSENT	"absent"

struct entry {
	char *area;
	char *key;
	char *value;
};

struct record {
	struct entry *entries;
	unsigned int count;
	unsigned int room;
};

const char *result_name(long ret)
{
	static char text[32];

	if (ret < 0 && strerrorname_np(-ret))
		return strerrorname_np(-ret);
	snprintf(text, sizeof(text), "%ld", ret);
	return text;
}

void fact(struct subject *s, const char *area, const char *key,
	  const char *format, ...)
{
	va_list args;

	fprintf(s->out, "%s %s ", area, key);
	va_start(args, format);
	vfprintf(s->out, format, args);
	va_end(args);
	fputc('\n', s->out);
}

void fact_bytes(struct subject *s, const char *area, const char *key,
		unsigned int off, const __u8 *bytes, unsigned int len)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * CONFIG_MAX + 1];
	unsigned int i;

	for (i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\0';
	fact(s, area, key, "@%x:%s", off, text);
}

static int entry_order(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int order = strcmp(a->area, b->area);

	return order ? order : strcmp(a->key, b->key);
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

struct record *record_load(const char *path)
{
	struct record *r = calloc(1, sizeof(*r));
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!r || !f)
		goto out;
	while (getline(&line, &size, f) > 0) {
		if (r->count == r->room) {
			r->room = r->room ? 2 * r->room : 4096;
			r->entries = realloc(r->entries,
					     r->room * sizeof(*r->entries));
			if (!r->entries)
				abort();
		}
		if (entry_parse(&r->entries[r->count], line)) {
			r->count++;
			line = NULL;
			size = 0;
		}
	}
	qsort(r->entries, r->count, sizeof(*r->entries), entry_order);
out:
	free(line);
	if (f)
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
	free(r);
}

static const char *record_find(const struct record *r, const char *area,
			       const char *key)
{
	struct entry wanted = { (char *)area, (char *)key, NULL };
	struct entry *e;

	e = bsearch(&wanted, r->entries, r->count, sizeof(*r->entries),
		    entry_order);
	return e ? e->value : ABSENT;
}

/* Do two records of one driver agree on this? */
bool record_same(const struct record *a, const struct record *b,
		 const char *area, const char *key)
{
	return !strcmp(record_find(a, area, key), record_find(b, area, key));
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
	unsigned int i = 0, j = 0;
	int order;

	while (i < a->count || j < b->count) {
		if (i == a->count)
			order = 1;
		else if (j == b->count)
			order = -1;
		else
			order = entry_order(&a->entries[i], &b->entries[j]);

		if (order < 0) {
			compare_entry(&a->entries[i], a->entries[i].value,
				      ABSENT, layout, differ, ctx);
			i++;
		} else if (order > 0) {
			compare_entry(&b->entries[j], ABSENT,
				      b->entries[j].value, layout, differ, ctx);
			j++;
		} else {
			compare_entry(&a->entries[i], a->entries[i].value,
				      b->entries[j].value, layout, differ, ctx);
			i++;
			j++;
		}
	}
}
