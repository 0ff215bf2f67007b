// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sections of a migration stream. Which of them it has, and in which order, follows from the
 * model, so there is little to decide for who reads it.
 */
#include <linux/align.h>
#include <linux/string.h>

#include <uapi/ferry/migration.h>

#include "mdev.h"
#include "message.h"
#include "section.h"

static size_t config_size(const struct ferry_model *model)
{
	return model->express ? EXPRESS_CONFIG_SIZE : CONVENTIONAL_CONFIG_SIZE;
}

/**
 * ferry_sections_memory - what a preview of an instance consists of
 * @model: the model
 * @s: filled in; FERRY_SECTIONS_MAX of them
 *
 * Return: how many there are, one for each range of memory.
 */
unsigned int ferry_sections_memory(const struct ferry_model *model,
				   struct ferry_section *s)
{
	const struct ferry_model_range *range;
	unsigned int bar, i, n = 0;
	size_t known = 0;

	for (bar = 0; bar < FERRY_MODEL_NR_BARS; bar++) {
		range = model->bars[bar].mapped;
		for (i = 0; i < FERRY_MODEL_NR_RANGES && range[i].size; i++) {
			s[n++] = (struct ferry_section) {
				.type = FERRY_MIGRATION_MEMORY,
				.index = bar << 8 | i,
				.size = range[i].size,
				.known = known,
			};
			known += range[i].size;
		}
	}
	return n;
}

/**
 * ferry_sections_all - what the state of an instance consists of
 * @model: the model
 * @s: filled in; FERRY_SECTIONS_MAX of them. The first one is configuration space.
 *
 * Return: how many there are.
 */
unsigned int ferry_sections_all(const struct ferry_model *model,
				struct ferry_section *s)
{
	unsigned int n = 0;

	s[n++] = (struct ferry_section) {
		.type = FERRY_MIGRATION_CONFIG,
		.size = config_size(model),
	};
	s[n++] = (struct ferry_section) {
		.type = FERRY_MIGRATION_INTERRUPTS,
		.size = ferry_messages_size(model),
	};
	n += ferry_sections_memory(model, s + n);
	s[n++] = (struct ferry_section) {
		.type = FERRY_MIGRATION_MODEL,
		.size = ferry_state_size(model),
	};
	return n;
}

static size_t padded(size_t len)
{
	return ALIGN(len, FERRY_MIGRATION_ALIGN);
}

/**
 * ferry_section_max - the most bytes that a section has in a stream
 * @s: the section
 *
 * Return: how many, without its beginning.
 */
size_t ferry_section_max(const struct ferry_section *s)
{
	if (s->type != FERRY_MIGRATION_MEMORY)
		return s->size;
	return s->size / FERRY_MIGRATION_PAGE *
	       sizeof(struct ferry_migration_page);
}

/**
 * ferry_sections_size - the most bytes that the state of an instance takes
 * @model: the model
 *
 * Return: how many, without the header of the stream.
 */
size_t ferry_sections_size(const struct ferry_model *model)
{
	struct ferry_section sections[FERRY_SECTIONS_MAX];
	unsigned int i, n = ferry_sections_all(model, sections);
	size_t size = 0;

	for (i = 0; i < n; i++)
		size += sizeof(struct ferry_migration_section) +
			padded(ferry_section_max(&sections[i]));
	return size;
}

/**
 * ferry_section_begin - write the beginning of a section
 * @s: the section
 * @buf: where to; its bytes follow
 * @len: how many these are
 *
 * Return: how many bytes it takes of the stream.
 */
size_t ferry_section_begin(const struct ferry_section *s, void *buf, size_t len)
{
	struct ferry_migration_section *head = buf;

	head->type = cpu_to_le32(s->type);
	head->index = cpu_to_le32(s->index);
	head->length = cpu_to_le64(len);
	return sizeof(*head) + padded(len);
}

static bool length_is_good(const struct ferry_section *s, u64 len)
{
	switch (s->type) {
	case FERRY_MIGRATION_MEMORY:
	case FERRY_MIGRATION_MODEL:
		return len <= ferry_section_max(s);
	default:
		return len == s->size;
	}
}

/* Find one section in what is left. Returns the bytes that it takes, or -EINVAL. */
static ssize_t section_find(struct ferry_device *fdev, struct ferry_section *s,
			    const void *buf, size_t left)
{
	const struct ferry_migration_section *head = buf;
	size_t len;

	if (left < sizeof(*head))
		return ferry_migration_refuse(fdev, "section %u:%u is missing",
					      s->type, s->index);
	if (le32_to_cpu(head->type) != s->type ||
	    le32_to_cpu(head->index) != s->index)
		return ferry_migration_refuse(fdev, "section %u:%u where %u:%u belongs",
					      le32_to_cpu(head->type),
					      le32_to_cpu(head->index), s->type,
					      s->index);
	if (!length_is_good(s, le64_to_cpu(head->length)))
		return ferry_migration_refuse(fdev, "section %u:%u has %llu bytes instead of %zu",
					      s->type, s->index,
					      le64_to_cpu(head->length),
					      ferry_section_max(s));
	len = le64_to_cpu(head->length);
	if (padded(len) > left - sizeof(*head))
		return ferry_migration_refuse(fdev, "section %u:%u is cut off",
					      s->type, s->index);
	s->data = buf + sizeof(*head);
	s->len = len;
	if (memchr_inv(s->data + len, 0, padded(len) - len))
		return ferry_migration_refuse(fdev, "section %u:%u is followed by something",
					      s->type, s->index);
	return sizeof(*head) + padded(len);
}

/**
 * ferry_sections_find - find the sections in bytes that could be anything
 * @fdev: the device
 * @sections: which belong there; where they are is filled in
 * @n: how many these are
 * @buf: the bytes, aligned to 8
 * @len: how many these are
 *
 * Return: 0 with sections of lengths that they can have; or -EINVAL, after
 * ferry_migration_refuse().
 */
int ferry_sections_find(struct ferry_device *fdev,
			struct ferry_section *sections, unsigned int n,
			const void *buf, size_t len)
{
	unsigned int i;
	ssize_t taken;

	for (i = 0; i < n; i++, buf += taken, len -= taken) {
		taken = section_find(fdev, &sections[i], buf, len);
		if (taken < 0)
			return taken;
	}
	if (len)
		return ferry_migration_refuse(fdev, "%zu bytes too many", len);
	return 0;
}
