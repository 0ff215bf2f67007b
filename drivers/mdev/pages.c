// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in a migration stream: the pages of it that differ from what the target knows. There is
 * no log of who writes to it: memory that a guest has mapped is compared.
 *
 * Who saves may find a page changed while he looks at it. What counts is what he has put into
 * the stream: that is what the target will know.
 */
#include <linux/sched.h>
#include <linux/string.h>

#include <uapi/ferry/migration.h>

#include "mdev.h"

#define PAGE	FERRY_MIGRATION_PAGE

/* A target that has been told nothing yet (%NULL) knows zeroes. */
static bool differs(const void *memory, const void *known, size_t at)
{
	if (!known)
		return memchr_inv(memory + at, 0, PAGE);
	return memcmp(memory + at, known + at, PAGE);
}

/**
 * ferry_pages_changed - count the pages that differ
 * @memory: what there is, which may change meanwhile
 * @known: what the target knows of it, %NULL for zeroes
 * @size: bytes of each, whole FERRY_MIGRATION_PAGE
 *
 * Context: process context.
 * Return: how many there are.
 */
size_t ferry_pages_changed(const void *memory, const void *known, size_t size)
{
	size_t at, n = 0;

	for (at = 0; at < size; at += PAGE) {
		n += differs(memory, known, at);
		cond_resched();
	}
	return n;
}

/**
 * ferry_pages_save - put the pages that differ into a stream
 * @memory: as of ferry_pages_changed()
 * @known: likewise
 * @size: likewise
 * @pages: where to
 * @max: how many at the most, the first ones
 *
 * Context: process context.
 * Return: how many were put there.
 */
size_t ferry_pages_save(const void *memory, const void *known, size_t size,
			struct ferry_migration_page *pages, size_t max)
{
	size_t at, n = 0;

	for (at = 0; at < size && n < max; at += PAGE) {
		cond_resched();
		if (!differs(memory, known, at))
			continue;
		pages[n].number = cpu_to_le64(at / PAGE);
		memcpy(pages[n].data, memory + at, PAGE);
		n++;
	}
	return n;
}

/**
 * ferry_pages_valid - could ferry_pages_save() have put that into a stream?
 * @pages: pages, or anything
 * @len: how many bytes
 * @size: of the memory, in bytes
 *
 * Return: whether they can be loaded.
 */
bool ferry_pages_valid(const struct ferry_migration_page *pages, size_t len,
		       size_t size)
{
	size_t i, n = len / sizeof(*pages);
	u64 number, next = 0;

	if (len % sizeof(*pages))
		return false;
	for (i = 0; i < n; i++) {
		number = le64_to_cpu(pages[i].number);
		if (number < next || number >= size / PAGE)
			return false;
		next = number + 1;
	}
	return true;
}

/**
 * ferry_pages_load - take pages of a stream over
 * @memory: where to: into memory, or into what is known of it
 * @pages: pages for which ferry_pages_valid() holds
 * @len: how many bytes
 *
 * Context: process context.
 */
void ferry_pages_load(void *memory, const struct ferry_migration_page *pages,
		      size_t len)
{
	size_t i;

	for (i = 0; i < len / sizeof(*pages); i++) {
		memcpy(memory + le64_to_cpu(pages[i].number) * PAGE,
		       pages[i].data, PAGE);
		cond_resched();
	}
}
