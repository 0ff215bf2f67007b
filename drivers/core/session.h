/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A transfer of a device's state, and the frames that it consists of.
 */
#ifndef FERRY_SESSION_H
#define FERRY_SESSION_H

#include <linux/types.h>

#include <uapi/ferry/migration.h>

struct ferry_device;
struct ferry_session;
struct file;

/* migration_file.c: the file */
struct file *ferry_session_save(struct ferry_device *fdev, void *bytes,
				size_t len, bool more);
int ferry_session_complete(struct ferry_device *fdev, void *bytes, size_t len);
struct file *ferry_session_resume(struct ferry_device *fdev);
int ferry_session_load(struct ferry_device *fdev);
void ferry_session_end(struct ferry_device *fdev);

/* migration_stream.c: the frames */
size_t ferry_stream_max(const struct ferry_device *fdev);
void ferry_stream_head(const struct ferry_device *fdev, void *frame,
		       size_t len, enum ferry_migration_kind kind);
int ferry_stream_check_head(struct ferry_device *fdev, const void *frame);
int ferry_stream_check(struct ferry_device *fdev, const void *frame,
		       size_t len);

#endif /* FERRY_SESSION_H */
