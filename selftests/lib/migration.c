// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration: states, and streams from one device to another.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../include/uapi/ferry/migration.h"
#include "ferrytest.h"

/* How much is read and written at a time: no power of two, so that headers are torn. */
#define PIECE	1013

static int feature(const struct vdev *v, __u32 flags, void *data, size_t size)
{
	struct {
		struct vfio_device_feature head;
		__u8 data[64];
	} f = {
		.head = { .argsz = sizeof(f.head) + size, .flags = flags },
	};
	int ret;

	memcpy(f.data, data, size);
	ret = fd_ioctl(v->fd, VFIO_DEVICE_FEATURE, &f);
	memcpy(data, f.data, size);
	return ret;
}

/* VFIO_MIGRATION_*, or a negative errno. */
int migration_flags(const struct vdev *v)
{
	struct vfio_device_feature_migration m = {};
	int ret = feature(v, VFIO_DEVICE_FEATURE_GET |
			  VFIO_DEVICE_FEATURE_MIGRATION, &m, sizeof(m));

	return ret ? ret : (int)m.flags;
}

/* Returns the descriptor of a transfer that begins, -1 for none, or -errno - 1. */
int migration_to(const struct vdev *v, __u32 state)
{
	struct vfio_device_feature_mig_state s = {
		.device_state = state, .data_fd = -1,
	};
	int ret = feature(v, VFIO_DEVICE_FEATURE_SET |
			  VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &s, sizeof(s));

	return ret ? ret - 1 : s.data_fd;
}

int migration_state(const struct vdev *v)
{
	struct vfio_device_feature_mig_state s = {};
	int ret = feature(v, VFIO_DEVICE_FEATURE_GET |
			  VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE, &s, sizeof(s));

	return ret ? ret : (int)s.device_state;
}

/* The most that may come, or a negative errno. */
long migration_size(const struct vdev *v)
{
	__u64 size = 0;
	int ret = feature(v, VFIO_DEVICE_FEATURE_GET | 9, &size, sizeof(size));

	return ret ? ret : (long)size;
}

/* All that a descriptor gives now; the bytes are the caller's to free. */
ssize_t migration_read(int fd, void **stream)
{
	size_t len = 0, room = 0;
	char *buf = NULL;
	ssize_t got;

	do {
		if (room - len < PIECE) {
			room = 2 * room + PIECE;
			buf = realloc(buf, room);
		}
		got = read(fd, buf + len, PIECE);
		if (got < 0 && errno == ENOMSG)
			break;
		if (got < 0) {
			free(buf);
			return -errno;
		}
		len += got;
	} while (got);
	*stream = buf;
	return len;
}

/* 0 or the errno of the write that failed. */
int migration_write(int fd, const void *stream, size_t len)
{
	size_t n, done;
	ssize_t put;

	for (done = 0; done < len; done += put) {
		n = len - done < PIECE ? len - done : PIECE;
		put = write(fd, (const char *)stream + done, n);
		if (put < 0)
			return -errno;
	}
	return 0;
}

/* The state of a device, which is then stopped. */
ssize_t migration_save(const struct vdev *v, void **stream)
{
	int fd = migration_to(v, VFIO_DEVICE_STATE_STOP_COPY);
	ssize_t len;

	if (fd < 0)
		return fd + 1;
	len = migration_read(fd, stream);
	close(fd);
	if (len < 0)
		return len;
	fd = migration_to(v, VFIO_DEVICE_STATE_STOP);
	return fd == -1 ? len : fd + 1;
}

/* Into a device, which then has reached @state: 0, or the errno of what failed. */
int migration_load(const struct vdev *v, const void *stream, size_t len,
		   __u32 state)
{
	int fd = migration_to(v, VFIO_DEVICE_STATE_RESUMING);
	int ret, arc;

	if (fd < 0)
		return fd + 1;
	ret = migration_write(fd, stream, len);
	arc = migration_to(v, state);
	close(fd);
	return ret ? ret : arc == -1 ? 0 : arc + 1;
}

/* CRC-32 of IEEE 802.3. */
static __u32 crc32(__u32 crc, const __u8 *data, size_t len)
{
	static __u32 table[256];
	unsigned int i, bit;

	for (i = 0; i < 256 && !table[255]; i++)
		for (table[i] = i, bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^
				   (table[i] & 1 ? 0xedb88320 : 0);
	for (crc = ~crc; len; len--)
		crc = crc >> 8 ^ table[(__u8)crc ^ *data++];
	return ~crc;
}

/* Make the checksum right of a frame that has been changed. */
void migration_seal(void *frame, size_t len)
{
	struct ferry_migration_header *header = frame;

	header->crc = 0;
	header->crc = crc32(0, frame, len);
}

/* The same, of a frame that comes behind another one; @before is NULL for none. */
void migration_link(void *frame, const void *before)
{
	const struct ferry_migration_header *last = before;
	struct ferry_migration_header *header = frame;

	header->after = last ? last->crc : 0;
	migration_seal(frame, header->length);
}

/* The first section of a type in a state; NULL if there is none. */
void *migration_section(void *frame, __u32 type, __u64 *len)
{
	struct ferry_migration_header *header = frame;
	char *end = (char *)frame + header->length, *at = (char *)(header + 1);
	struct ferry_migration_section *s;

	for (; at < end; at += sizeof(*s) + ((s->length + 7) & ~7ULL)) {
		s = (struct ferry_migration_section *)at;
		if (s->type != type)
			continue;
		if (len)
			*len = s->length;
		return s + 1;
	}
	return NULL;
}

/* Does the device refuse what it is given, and go on after a reset? */
bool migration_refused(const struct vdev *v, const void *stream, size_t len)
{
	int fd, ret, arc;

	if (vdev_reset(v) || migration_state(v) != VFIO_DEVICE_STATE_RUNNING)
		return false;
	fd = migration_to(v, VFIO_DEVICE_STATE_RESUMING);
	if (fd < 0)
		return false;
	ret = migration_write(fd, stream, len);
	arc = migration_to(v, VFIO_DEVICE_STATE_RUNNING);
	close(fd);
	return (!ret || ret == -EINVAL || ret == -EFBIG) &&
	       arc == -EINVAL - 1 &&
	       migration_state(v) == VFIO_DEVICE_STATE_ERROR &&
	       migration_to(v, VFIO_DEVICE_STATE_RUNNING) == -EINVAL - 1;
}

/* Does it take that over and run? */
bool migration_accepted(const struct vdev *v, const void *stream, size_t len)
{
	return !vdev_reset(v) &&
	       !migration_load(v, stream, len, VFIO_DEVICE_STATE_RUNNING) &&
	       migration_state(v) == VFIO_DEVICE_STATE_RUNNING;
}

/* Does it refuse that with a checksum that is right? */
bool migration_refused_sealed(const struct vdev *v, void *stream, size_t len)
{
	migration_seal(stream, len);
	return migration_refused(v, stream, len);
}

/* A second device of the type that @device is, beside the one that is open. */
int vdev_open_second(struct vdev *v, const char *device)
{
	char type[512], uuid[FERRY_NAME_MAX];
	int ret;

	mdev_uuid(1, uuid);
	ret = mdev_type_find(device, type, sizeof(type));
	if (!ret)
		ret = mdev_create(type, uuid);
	return ret ? ret : vdev_open(v, "mdev", uuid);
}
