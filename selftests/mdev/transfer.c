// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that sends its memory ahead, frame by frame, and one that takes it over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transfer.h"

/* Devices with memory: the traveller's has holes. */
static const struct {
	const char *device;
	__u32 bar;
	unsigned int pages;
	unsigned int ranges;
} devices[] = {
	{ "display-800x600", VFIO_PCI_BAR0_REGION_INDEX, 1024, 1 },
	{ "dma", VFIO_PCI_BAR2_REGION_INDEX, 8, 1 },
	{ "traveller", VFIO_PCI_BAR2_REGION_INDEX, 4, 3 },
};

/* 0, -EOPNOTSUPP on a kernel without PRE_COPY, or another negative errno. */
int transfer_open(struct transfer *t, const char *device)
{
	unsigned int i = 0;
	int ret;

	while (strcmp(devices[i].device, device))
		i++;
	*t = (struct transfer) {
		.fd = -1,
		.bar = devices[i].bar,
		.pages = devices[i].pages,
		.ranges = devices[i].ranges,
	};
	ret = vdev_open_device(&t->v, device);
	if (ret)
		return ret;
	ret = vdev_open_second(&t->to, device);
	if (ret)
		return ret;
	cfg_command(&t->v, 0, PCI_COMMAND_MEMORY);
	cfg_command(&t->to, 0, PCI_COMMAND_MEMORY);
	/* The traveller has something there. */
	region_w32(&t->v, t->bar, 0, 0);
	return migration_flags(&t->v) & VFIO_MIGRATION_PRE_COPY ? 0 :
								  -EOPNOTSUPP;
}

void transfer_close(struct transfer *t)
{
	while (t->nr)
		free(t->frames[--t->nr]);
	if (t->fd >= 0)
		close(t->fd);
	vdev_close(&t->v);
	vdev_close(&t->to);
}

/* A word of a page, not always the first one. */
__u64 transfer_word(const struct transfer *t, unsigned int page)
{
	static const unsigned int holes[] = { 0, 1, 4, 6 };

	if (t->ranges > 1)
		page = holes[page];
	return (__u64)page * PAGE + page * 12 % PAGE;
}

void transfer_put(struct transfer *t, unsigned int page, __u32 value)
{
	region_w32(&t->v, t->bar, transfer_word(t, page), value);
}

void transfer_put_all(struct transfer *t, __u32 value)
{
	unsigned int i;

	for (i = 0; i < t->pages; i++)
		transfer_put(t, i, value + i);
}

/* All of the memory there is what it is here. */
bool transfer_same(struct transfer *t)
{
	__u8 here[PAGE], there[PAGE];
	unsigned int i;
	__u64 at;

	for (i = 0; i < t->pages; i++) {
		at = transfer_word(t, i) & ~(PAGE - 1ULL);
		if (region_read(&t->v, t->bar, at, here, PAGE) != PAGE ||
		    region_read(&t->to, t->bar, at, there, PAGE) != PAGE ||
		    memcmp(here, there, PAGE))
			return false;
	}
	return true;
}

/* Bytes of a preview with so many pages. */
size_t transfer_preview_len(const struct transfer *t, unsigned int pages)
{
	return HEAD + t->ranges * SECTION + pages * ENTRY;
}

/* What is to be read, of the first preview and of others; 0 or a negative errno. */
int transfer_info(struct transfer *t, size_t *initial, size_t *dirty)
{
	struct vfio_precopy_info i = { .argsz = sizeof(i) };
	int ret = fd_ioctl(t->fd, VFIO_MIG_GET_PRECOPY_INFO, &i);

	*initial = i.initial_bytes;
	*dirty = i.dirty_bytes;
	return ret;
}

bool transfer_left(struct transfer *t, size_t initial, size_t dirty)
{
	size_t i, d;

	return !transfer_info(t, &i, &d) && i == initial && d == dirty;
}

/* Reads one frame, the next one; or returns NULL. */
struct ferry_migration_header *transfer_next(struct transfer *t)
{
	void *frame;
	ssize_t len = migration_read(t->fd, &frame);
	struct ferry_migration_header *header = frame;

	if (len < (ssize_t)HEAD || (__u64)len != header->length) {
		if (len >= 0)
			free(frame);
		return NULL;
	}
	t->frames[t->nr++] = header;
	return header;
}

/* How many pages of memory a frame has. */
unsigned int transfer_pages(const struct ferry_migration_header *frame)
{
	const char *at = (const char *)(frame + 1);
	const char *end = (const char *)frame + frame->length;
	const struct ferry_migration_section *s;
	unsigned int n = 0;

	for (; at < end; at += SECTION + ((s->length + 7) & ~7ULL)) {
		s = (const struct ferry_migration_section *)at;
		if (s->type == FERRY_MIGRATION_MEMORY)
			n += s->length / ENTRY;
	}
	return n;
}

/* All that has been read, in one piece. */
size_t transfer_all(struct transfer *t, char *stream)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < t->nr; i++) {
		memcpy(stream + len, t->frames[i], t->frames[i]->length);
		len += t->frames[i]->length;
	}
	return len;
}

/* The other device takes all frames over: 0 or a negative errno. */
int transfer_arrive(struct transfer *t)
{
	size_t len = 0;
	unsigned int i;
	char *stream;
	int ret;

	for (i = 0; i < t->nr; i++)
		len += t->frames[i]->length;
	stream = malloc(len);
	transfer_all(t, stream);
	ret = migration_load(&t->to, stream, len, STATE(RUNNING));
	free(stream);
	return ret;
}

bool transfer_begin(struct transfer *t)
{
	t->fd = migration_to(&t->v, STATE(PRE_COPY));
	return t->fd >= 0;
}

/*
 * Two previews and a state with two pages in each, the first two of a range: one piece, with
 * room for a page behind it. Where they begin, and where the last one ends, is put into @at.
 * NULL if that fails.
 */
char *transfer_three(struct transfer *t, size_t *at)
{
	size_t i, d;
	char *stream;

	transfer_put(t, 0, 0x10);
	transfer_put(t, 1, 0x11);
	if (!transfer_begin(t) || !transfer_next(t))
		return NULL;
	transfer_put(t, 0, 0x20);
	transfer_put(t, 1, 0x21);
	if (transfer_info(t, &i, &d) || !transfer_next(t))
		return NULL;
	transfer_put(t, 0, 0x30);
	transfer_put(t, 1, 0x31);
	if (migration_to(&t->v, STATE(STOP_COPY)) != -1 || !transfer_next(t))
		return NULL;
	at[0] = 0;
	for (i = 0; i < 3; i++)
		at[i + 1] = at[i] + t->frames[i]->length;
	stream = calloc(1, at[3] + PAGE);
	transfer_all(t, stream);
	return stream;
}

/* Make checksums right again of what transfer_three() has made, from frame @n on. */
void transfer_relink(char *stream, const size_t *at, unsigned int n)
{
	for (; n < 3; n++)
		migration_link(stream + at[n], n ? stream + at[n - 1] : NULL);
}
