/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A transfer of a device's state, and the frames that it consists of.
 */
#ifndef FERRY_SESSION_H
#define FERRY_SESSION_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <uapi/ferry/migration.h>

struct ferry_device;

/**
 * struct ferry_frame - a frame that is carried
 * @ref: the session has one, and whoever copies
 * @bytes: the frame, or room for one
 * @len: how many are there
 */
struct ferry_frame {
	struct kref ref;
	void *bytes;
	size_t len;
};

/**
 * struct ferry_session - one transfer
 * @ref: the device has one, and the file
 * @io: one reader or writer at a time; held while user memory is touched
 * @wait: who waits for something to read
 * @lock: guards what follows; whoever holds it waits for nothing but memory
 * @fdev: the device, %NULL when it has ended the session
 * @frame: what is being read, %NULL if there is nothing; or has come of what is written
 * @next: the state, behind a preview that hasn't been read to its end
 * @pos: how far @frame has been read
 * @known: the memory of the device as it has been sent, or has come; %NULL when none of it
 *	is sent ahead (any more)
 * @after: what identifies the last frame that has been made, or has come
 * @more: there will be more to read (PRE_COPY)
 * @refused: the log knows what is wrong with what has been written
 */
struct ferry_session {
	struct kref ref;
	struct mutex io;	/* see above */
	wait_queue_head_t wait;
	struct mutex lock;	/* see above */
	struct ferry_device *fdev;
	struct ferry_frame *frame;
	struct ferry_frame *next;
	size_t pos;
	void *known;
	u32 after;
	bool more;
	bool refused;
};

/* migration_session.c: the transfer */
struct file *ferry_session_save(struct ferry_device *fdev);
struct file *ferry_session_precopy(struct ferry_device *fdev);
int ferry_session_complete(struct ferry_device *fdev);
struct file *ferry_session_resume(struct ferry_device *fdev);
int ferry_session_load(struct ferry_device *fdev);
void ferry_session_end(struct ferry_device *fdev);
size_t ferry_session_left(struct ferry_device *fdev);
int ferry_session_preview(struct ferry_session *s);
int ferry_session_take(struct ferry_session *s);
void ferry_session_put(struct ferry_session *s);
void ferry_frame_put(struct ferry_frame *frame);

/* migration_file.c: its file */
extern const struct file_operations ferry_session_save_fops;
extern const struct file_operations ferry_session_resume_fops;

/* migration_stream.c: the frames */
size_t ferry_stream_max(const struct ferry_device *fdev);
size_t ferry_stream_state_len(const struct ferry_device *fdev, size_t pages);
size_t ferry_stream_preview_len(const struct ferry_device *fdev, size_t pages);
u32 ferry_stream_head(const struct ferry_device *fdev, void *frame, size_t len,
		      enum ferry_migration_kind kind, u32 after);
int ferry_stream_check_head(struct ferry_device *fdev,
			    const struct ferry_migration_header *header,
			    u32 after);
int ferry_stream_check(struct ferry_device *fdev, const void *frame,
		       size_t len);

#endif /* FERRY_SESSION_H */
