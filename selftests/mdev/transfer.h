/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device that sends its memory ahead, frame by frame, and one that takes it over.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include "../../include/uapi/ferry/migration.h"
#include "../lib/ferrytest.h"

#define STATE(name)	VFIO_DEVICE_STATE_##name
#define REFUSED	"migration stream refused"

#define PAGE	FERRY_MIGRATION_PAGE
#define ENTRY	sizeof(struct ferry_migration_page)
#define HEAD	sizeof(struct ferry_migration_header)
#define SECTION	sizeof(struct ferry_migration_section)

#define FRAMES_MAX	4

/**
 * struct transfer - from one device to another
 * @v: where from
 * @to: where to
 * @fd: the descriptor that is read, or -1
 * @frames: what has been read, in this order
 * @nr: how many these are
 * @bar: region of the memory
 * @pages: how many it has
 * @ranges: in how many ranges
 */
struct transfer {
	struct vdev v;
	struct vdev to;
	int fd;
	struct ferry_migration_header *frames[FRAMES_MAX];
	unsigned int nr;
	__u32 bar;
	unsigned int pages;
	unsigned int ranges;
};

int transfer_open(struct transfer *t, const char *device);
void transfer_close(struct transfer *t);
__u64 transfer_word(const struct transfer *t, unsigned int page);
void transfer_put(struct transfer *t, unsigned int page, __u32 value);
void transfer_put_all(struct transfer *t, __u32 value);
bool transfer_same(struct transfer *t);
size_t transfer_preview_len(const struct transfer *t, unsigned int pages);
int transfer_info(struct transfer *t, size_t *initial, size_t *dirty);
bool transfer_left(struct transfer *t, size_t initial, size_t dirty);
struct ferry_migration_header *transfer_next(struct transfer *t);
unsigned int transfer_pages(const struct ferry_migration_header *frame);
size_t transfer_all(struct transfer *t, char *stream);
int transfer_arrive(struct transfer *t);
bool transfer_begin(struct transfer *t);
char *transfer_three(struct transfer *t, size_t *at);
void transfer_relink(char *stream, const size_t *at, unsigned int n);

#endif /* TRANSFER_H */
