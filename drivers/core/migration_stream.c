// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames of a migration stream: a header that says whose state it is, and whether all
 * of it has arrived as it was sent. What comes is not trusted: a checksum finds accidents,
 * and who means harm knows how to make one.
 */
#include <linux/crc32.h>
#include <linux/export.h>
#include <linux/string.h>

#include <ferry/device.h>

#include "session.h"

/**
 * ferry_migration_refuse - say why a stream is refused
 * @fdev: the device
 * @why: the rest of the sentence "migration stream refused: ", without a newline
 *
 * Context: any.
 * Return: -EINVAL.
 */
int ferry_migration_refuse(struct ferry_device *fdev, const char *why, ...)
{
	struct va_format vaf;
	va_list args;

	if (!__ratelimit(&fdev->migration.refusals))
		return -EINVAL;
	va_start(args, why);
	vaf.fmt = why;
	vaf.va = &args;
	dev_warn(fdev->vdev.dev, "migration stream refused: %pV\n", &vaf);
	va_end(args);
	return -EINVAL;
}
EXPORT_SYMBOL_GPL(ferry_migration_refuse);

static size_t all_pages(const struct ferry_device *fdev)
{
	return fdev->migration.desc.memory / FERRY_MIGRATION_PAGE;
}

/**
 * ferry_stream_state_len - how long a frame with a device's state may be
 * @fdev: the device
 * @pages: how many pages of its memory are in it
 *
 * Return: the length in bytes.
 */
size_t ferry_stream_state_len(const struct ferry_device *fdev, size_t pages)
{
	return sizeof(struct ferry_migration_header) + fdev->migration.desc.max -
	       (all_pages(fdev) - pages) * sizeof(struct ferry_migration_page);
}

/**
 * ferry_stream_max - the longest frame that a device may send or get
 * @fdev: the device
 *
 * Return: the length in bytes.
 */
size_t ferry_stream_max(const struct ferry_device *fdev)
{
	return ferry_stream_state_len(fdev, all_pages(fdev));
}

/**
 * ferry_stream_preview_len - how long a frame with some of a device's memory is
 * @fdev: the device
 * @pages: how many pages are in it
 *
 * Return: the length in bytes.
 */
size_t ferry_stream_preview_len(const struct ferry_device *fdev, size_t pages)
{
	return sizeof(struct ferry_migration_header) +
	       fdev->migration.desc.ranges *
	       sizeof(struct ferry_migration_section) +
	       pages * sizeof(struct ferry_migration_page);
}

/* CRC-32 of a frame that has zeroes where it stands. */
static u32 checksum(const void *frame, size_t len)
{
	struct ferry_migration_header header;
	u32 crc;

	memcpy(&header, frame, sizeof(header));
	header.crc = 0;
	crc = crc32_le(~0, (const u8 *)&header, sizeof(header));
	return ~crc32_le(crc, frame + sizeof(header), len - sizeof(header));
}

/**
 * ferry_stream_head - finish a frame
 * @fdev: the device
 * @frame: begins with room for the header, which is zero; aligned to 8 bytes
 * @len: bytes of all
 * @kind: what it is
 * @after: what this returned for the frame before, 0 for the first one
 *
 * Return: what identifies the frame to the next one.
 */
u32 ferry_stream_head(const struct ferry_device *fdev, void *frame, size_t len,
		      enum ferry_migration_kind kind, u32 after)
{
	const struct ferry_migration_desc *desc = &fdev->migration.desc;
	struct ferry_migration_header *header = frame;

	header->magic = cpu_to_le64(FERRY_MIGRATION_MAGIC);
	header->format = cpu_to_le32(FERRY_MIGRATION_FORMAT);
	header->kind = cpu_to_le32(kind);
	header->length = cpu_to_le64(len);
	header->version = cpu_to_le32(desc->version);
	strscpy(header->model, desc->model, sizeof(header->model));
	header->after = cpu_to_le64(after);
	header->crc = cpu_to_le32(checksum(frame, len));
	return le32_to_cpu(header->crc);
}

static int check_model(struct ferry_device *fdev,
		       const struct ferry_migration_header *header)
{
	const struct ferry_migration_desc *desc = &fdev->migration.desc;
	u8 model[FERRY_MIGRATION_NAME] = {};

	strscpy(model, desc->model, sizeof(model));
	if (memcmp(header->model, model, sizeof(model)))
		return ferry_migration_refuse(fdev, "it is of a model \"%*pE\", not of %s",
					      (int)strnlen(header->model,
							   sizeof(model)),
					      header->model, desc->model);
	if (le32_to_cpu(header->version) != desc->version)
		return ferry_migration_refuse(fdev, "its state has version %u, this Ferry knows %u",
					      le32_to_cpu(header->version),
					      desc->version);
	return 0;
}

static int check_length(struct ferry_device *fdev,
			const struct ferry_migration_header *header)
{
	u64 length = le64_to_cpu(header->length);
	u32 kind = le32_to_cpu(header->kind);
	const char *what;
	size_t max;

	if (kind == FERRY_MIGRATION_PREVIEW) {
		what = "preview";
		max = ferry_stream_preview_len(fdev, all_pages(fdev));
	} else if (kind == FERRY_MIGRATION_STATE) {
		what = "state";
		max = ferry_stream_max(fdev);
	} else {
		return ferry_migration_refuse(fdev, "a frame of unknown kind %u",
					      kind);
	}
	if (length < sizeof(*header) || length > max)
		return ferry_migration_refuse(fdev, "a %s of %llu bytes", what,
					      length);
	return 0;
}

/**
 * ferry_stream_check_head - is this the beginning of a frame for this device?
 * @fdev: the device
 * @header: a header; there need not be more
 * @after: what identifies the frame that has come before, 0 for none
 *
 * Context: process context.
 * Return: 0, with a length of at most ferry_stream_max(); or -EINVAL after a line in the
 * log.
 */
int ferry_stream_check_head(struct ferry_device *fdev,
			    const struct ferry_migration_header *header,
			    u32 after)
{
	int ret;

	if (header->magic != cpu_to_le64(FERRY_MIGRATION_MAGIC))
		return ferry_migration_refuse(fdev, "it is none of Ferry's");
	if (header->format != cpu_to_le32(FERRY_MIGRATION_FORMAT))
		return ferry_migration_refuse(fdev, "its format is %u, this Ferry knows %u",
					      le32_to_cpu(header->format),
					      FERRY_MIGRATION_FORMAT);
	ret = check_model(fdev, header);
	if (ret)
		return ret;
	ret = check_length(fdev, header);
	if (ret)
		return ret;
	if (header->after != cpu_to_le64(after))
		return ferry_migration_refuse(fdev, "a frame is missing, or doesn't belong to it");
	return 0;
}

/**
 * ferry_stream_check - has a frame arrived as it was sent?
 * @fdev: the device
 * @frame: the frame, with a header that has been checked
 * @len: bytes of it that are there, at least a header
 *
 * Context: process context.
 * Return: 0, or -EINVAL after a line in the log.
 */
int ferry_stream_check(struct ferry_device *fdev, const void *frame,
		       size_t len)
{
	const struct ferry_migration_header *header = frame;

	if (le64_to_cpu(header->length) != len)
		return ferry_migration_refuse(fdev, "%zu bytes of %llu have come",
					      len, le64_to_cpu(header->length));
	if (le32_to_cpu(header->crc) != checksum(frame, len))
		return ferry_migration_refuse(fdev, "its checksum is wrong");
	return 0;
}
