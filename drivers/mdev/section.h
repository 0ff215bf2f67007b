/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sections of a migration stream.
 */
#ifndef FERRY_SECTION_H
#define FERRY_SECTION_H

#include <linux/types.h>

#include <ferry/model.h>

/* Configuration space, interrupts, the model's own. */
#define FERRY_SECTIONS_MAX	(3 + FERRY_MODEL_NR_BARS * FERRY_MODEL_NR_RANGES)

/**
 * struct ferry_section - a part of the state
 * @type: enum ferry_migration_type
 * @index: which of several, else 0
 * @size: bytes that it has, in the device; of the model's own, the most
 * @known: of memory, where it begins in what is known of all
 * @data: of a stream that is loaded, what has come
 * @len: of a stream that is loaded, how much of it
 */
struct ferry_section {
	u32 type;
	u32 index;
	size_t size;
	size_t known;
	const void *data;
	size_t len;
};

unsigned int ferry_sections_memory(const struct ferry_model *model,
				   struct ferry_section *s);
unsigned int ferry_sections_all(const struct ferry_model *model,
				struct ferry_section *s);
size_t ferry_sections_size(const struct ferry_model *model);
size_t ferry_section_max(const struct ferry_section *s);
size_t ferry_section_begin(const struct ferry_section *s, void *buf,
			   size_t len);
int ferry_sections_find(struct ferry_device *fdev,
			struct ferry_section *sections, unsigned int n,
			const void *buf, size_t len);

#endif /* FERRY_SECTION_H */
