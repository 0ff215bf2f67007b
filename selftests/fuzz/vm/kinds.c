// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kinds of calls, and how inputs change: whole calls come, go, move to another thread
 * and are joined with those of another input. What is in a call is changed by
 * libFuzzer.
 */
#include <string.h>

#include "calls.h"

/* Kept inputs name kinds by number: more are added at the end. */
const struct call_kind call_kinds[] = {
	{ "irqs", call_irqs },
	{ "ioeventfd", call_ioeventfd },
	{ "eventfd", call_eventfd },
	{ "read", call_read },
	{ "write", call_write },
	{ "command", call_command },
	{ "mmap", call_mmap },
	{ "munmap", call_munmap },
	{ "touch", call_touch },
	{ "feature", call_feature },
	{ "migrate", call_migrate },
	{ "stream", call_stream },
	{ "dma-map", call_dma_map },
	{ "dma-unmap", call_dma_unmap },
	{ "engine", call_engine },
	{ "info", call_info },
	{ "reset", call_reset },
	{ "hot-reset", call_hot_reset },
	{ "reopen", call_reopen },
	{ "attach", call_attach },
	{ "picture", call_picture },
	{ "raw", call_raw },
	{ "unplug", call_unplug },
};

const unsigned int nr_call_kinds = sizeof(call_kinds) / sizeof(*call_kinds);

/* Marsaglia's generator (2003), from libFuzzer's seed. */
static __u64 random_state;

static __u32 random_below(__u32 n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 16) % n;
}

static void random_begin(unsigned int seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ULL | 1;
	random_below(1);
}

/* Small numbers, numbers of one bit, and any. */
static __u32 random_number(void)
{
	switch (random_below(4)) {
	case 0:
		return random_below(8);
	case 1:
		return 1U << random_below(32);
	case 2:
		return random_below(0x1000);
	default:
		return random_below(0xffffffff);
	}
}

static struct call random_call(void)
{
	return (struct call) {
		.kind = random_below(nr_call_kinds),
		.who = random_below(8),
		.flags = random_number(),
		.a = random_number(),
		.b = random_number(),
	};
}

/* An input taken apart. */
struct sequence {
	struct head *head;
	struct call *calls;
	size_t n;
	size_t max;
};

static bool sequence_of(struct sequence *s, __u8 *data, size_t size, size_t max)
{
	if (max < sizeof(*s->head) + sizeof(*s->calls))
		return false;
	if (size < sizeof(*s->head))
		memset(data + size, 0, sizeof(*s->head) - size);
	s->head = (struct head *)data;
	s->calls = (struct call *)(data + sizeof(*s->head));
	s->n = size < sizeof(*s->head) ? 0 :
	       (size - sizeof(*s->head)) / sizeof(*s->calls);
	s->max = (max - sizeof(*s->head)) / sizeof(*s->calls);
	return true;
}

static size_t sequence_size(const struct sequence *s)
{
	return sizeof(*s->head) + s->n * sizeof(*s->calls);
}

static void insert(struct sequence *s, size_t at, struct call call)
{
	if (s->n == s->max)
		s->n--;
	if (at > s->n)
		at = s->n;
	memmove(&s->calls[at + 1], &s->calls[at],
		(s->n - at) * sizeof(*s->calls));
	s->calls[at] = call;
	s->n++;
}

static void delete(struct sequence *s, size_t at)
{
	s->n--;
	memmove(&s->calls[at], &s->calls[at + 1],
		(s->n - at) * sizeof(*s->calls));
}

static void change(struct sequence *s)
{
	size_t at = random_below(s->n);
	struct call *call = &s->calls[at];

	switch (random_below(8)) {
	case 0:
		delete(s, at);
		break;
	case 1:
		insert(s, random_below(s->n + 1), *call);
		break;
	case 2:
		call->who = random_below(8);
		break;
	case 3:
		call->a = random_number();
		break;
	case 4:
		call->b = random_number();
		break;
	case 5:
		call->flags = random_number();
		break;
	default:
		mutate_bytes((__u8 *)call, sizeof(*call), sizeof(*call));
	}
}

size_t mutate_input(__u8 *data, size_t size, size_t max, unsigned int seed)
{
	struct sequence s;
	unsigned int n;

	random_begin(seed);
	if (!sequence_of(&s, data, size, max))
		return mutate_bytes(data, size, max);
	for (n = 1 + random_below(4); n; n--) {
		if (!s.n || !random_below(3))
			insert(&s, random_below(s.n + 1), random_call());
		else if (!random_below(24))
			mutate_bytes((__u8 *)s.head, sizeof(*s.head),
				     sizeof(*s.head));
		else
			change(&s);
	}
	return sequence_size(&s);
}

/* The beginning of one, and from some call on the other. */
size_t cross_inputs(const __u8 *one, size_t size_one, const __u8 *other,
		    size_t size_other, __u8 *out, size_t max, unsigned int seed)
{
	struct sequence to, from;
	size_t i;

	random_begin(seed);
	memcpy(out, one, size_one < max ? size_one : max);
	if (!sequence_of(&to, out, size_one < max ? size_one : max, max) ||
	    size_other < sizeof(struct head))
		return size_one < max ? size_one : max;
	sequence_of(&from, (__u8 *)other, size_other, size_other + sizeof(struct call));
	to.n = random_below(to.n + 1);
	for (i = random_below(from.n + 1); i < from.n && to.n < to.max; i++)
		to.calls[to.n++] = from.calls[i];
	return sequence_size(&to);
}
