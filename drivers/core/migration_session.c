// SPDX-License-Identifier: GPL-2.0-only
/*
 * A transfer: what of a device is on its way, from the first preview to the state.
 *
 * While the device runs its user reads, or writes, previews: each has the pages of memory that
 * have changed since the one before. Both sides keep the memory as these have made it, so
 * that the state has only what has changed since the last one.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include <ferry/device.h>

#include "session.h"

#define HEAD	sizeof(struct ferry_migration_header)

static void frame_release(struct kref *ref)
{
	struct ferry_frame *frame = container_of(ref, struct ferry_frame, ref);

	kvfree(frame->bytes);
	kfree(frame);
}

/**
 * ferry_frame_put - let go of a frame
 * @frame: the frame or %NULL
 */
void ferry_frame_put(struct ferry_frame *frame)
{
	if (frame)
		kref_put(&frame->ref, frame_release);
}

/* Room for a frame, zeroed. */
static struct ferry_frame *frame_new(size_t room)
{
	struct ferry_frame *frame;

	frame = kzalloc(sizeof(*frame), GFP_KERNEL_ACCOUNT);
	if (!frame)
		return ERR_PTR(-ENOMEM);
	kref_init(&frame->ref);
	frame->bytes = kvzalloc(room, GFP_KERNEL_ACCOUNT);
	if (!frame->bytes) {
		kfree(frame);
		return ERR_PTR(-ENOMEM);
	}
	return frame;
}

static void session_release(struct kref *ref)
{
	struct ferry_session *s = container_of(ref, struct ferry_session, ref);

	mutex_destroy(&s->lock);
	mutex_destroy(&s->io);
	kfree(s);
}

/**
 * ferry_session_put - the file has done with its session
 * @s: the session
 */
void ferry_session_put(struct ferry_session *s)
{
	kref_put(&s->ref, session_release);
}

/* The device has done with its session: what is carried goes. */
static void session_close(struct ferry_session *s)
{
	struct ferry_frame *frame, *next;
	void *known;

	mutex_lock(&s->lock);
	frame = s->frame;
	next = s->next;
	known = s->known;
	s->frame = NULL;
	s->next = NULL;
	s->known = NULL;
	s->fdev = NULL;
	mutex_unlock(&s->lock);
	wake_up_interruptible(&s->wait);
	ferry_frame_put(frame);
	ferry_frame_put(next);
	kvfree(known);
	ferry_session_put(s);
}

/* A session that has neither a file nor anything to carry yet. */
static struct ferry_session *session_new(struct ferry_device *fdev, bool known)
{
	const size_t memory = fdev->migration.desc.memory;
	struct ferry_session *s;

	lockdep_assert_held(&fdev->config_lock);
	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return ERR_PTR(-ENOMEM);
	if (known && memory) {
		s->known = kvzalloc(memory, GFP_KERNEL_ACCOUNT);
		if (!s->known) {
			kfree(s);
			return ERR_PTR(-ENOMEM);
		}
	}
	kref_init(&s->ref);
	mutex_init(&s->io);
	init_waitqueue_head(&s->wait);
	mutex_init(&s->lock);
	s->fdev = fdev;
	return s;
}

/*
 * The device, which has no session yet, gets @s to carry @frame, which may be an error pointer.
 * Returns the file, or an error pointer after everything has gone.
 */
static struct file *session_open(struct ferry_session *s,
				 struct ferry_frame *frame,
				 const struct file_operations *fops, int flags)
{
	struct ferry_device *fdev = s->fdev;
	struct file *file;

	if (IS_ERR(frame)) {
		session_close(s);
		return ERR_CAST(frame);
	}
	s->frame = frame;
	file = anon_inode_getfile("[ferry-migration]", fops, s, flags);
	if (IS_ERR(file)) {
		session_close(s);
		return file;
	}
	stream_open(file->f_inode, file);
	kref_get(&s->ref);
	fdev->migration.session = s;
	return file;
}

/* A frame with the state of a device that is stopped. */
static struct ferry_frame *make_state(struct ferry_device *fdev,
				      const void *known, u32 after)
{
	const struct ferry_migration_desc *desc = &fdev->migration.desc;
	struct ferry_frame *frame = frame_new(ferry_stream_max(fdev));
	ssize_t len;

	if (IS_ERR(frame))
		return frame;
	len = desc->ops->save(fdev, known, frame->bytes + HEAD, desc->max);
	if (len < 0) {
		ferry_frame_put(frame);
		return ERR_PTR(len);
	}
	frame->len = HEAD + len;
	ferry_stream_head(fdev, frame->bytes, frame->len,
			  FERRY_MIGRATION_STATE, after);
	return frame;
}

/*
 * A frame with what has changed, up to @pages. Memory that changes meanwhile may be torn there:
 * it differs from what is known then, and comes with the next frame.
 */
static struct ferry_frame *make_preview(struct ferry_session *s, size_t pages)
{
	struct ferry_device *fdev = s->fdev;
	struct ferry_frame *frame;

	frame = frame_new(ferry_stream_preview_len(fdev, pages));
	if (IS_ERR(frame))
		return frame;
	frame->len = HEAD;
	if (s->known)
		frame->len += fdev->migration.desc.ops->preview(fdev, s->known,
								frame->bytes + HEAD,
								pages);
	s->after = ferry_stream_head(fdev, frame->bytes, frame->len,
				     FERRY_MIGRATION_PREVIEW, s->after);
	return frame;
}

static size_t changed(struct ferry_session *s)
{
	if (!s->known)
		return 0;
	return s->fdev->migration.desc.ops->changed(s->fdev, s->known);
}

/**
 * ferry_session_save - begin to send a device that is stopped
 * @fdev: the device, without a session
 *
 * Context: process context, config_lock held.
 * Return: the file or an error pointer.
 */
struct file *ferry_session_save(struct ferry_device *fdev)
{
	struct ferry_session *s = session_new(fdev, false);

	if (IS_ERR(s))
		return ERR_CAST(s);
	return session_open(s, make_state(fdev, NULL, 0),
			    &ferry_session_save_fops, O_RDONLY);
}

/**
 * ferry_session_precopy - begin to send a device that runs
 * @fdev: the device, without a session
 *
 * Context: process context, config_lock held.
 * Return: the file or an error pointer.
 */
struct file *ferry_session_precopy(struct ferry_device *fdev)
{
	struct ferry_session *s = session_new(fdev, true);

	if (IS_ERR(s))
		return ERR_CAST(s);
	s->more = true;
	return session_open(s, make_preview(s, changed(s)),
			    &ferry_session_save_fops, O_RDONLY);
}

/**
 * ferry_session_preview - have what has changed to be read next
 * @s: a session of a device that runs, from which everything has been read
 *
 * The memory of the device is there as long as its session.
 *
 * Context: process context, &ferry_session.lock held.
 * Return: 0, also if nothing has changed; or -ENOMEM.
 */
int ferry_session_preview(struct ferry_session *s)
{
	struct ferry_frame *frame;
	size_t pages;

	lockdep_assert_held(&s->lock);
	pages = changed(s);
	if (!pages)
		return 0;
	frame = make_preview(s, pages);
	if (IS_ERR(frame))
		return PTR_ERR(frame);
	s->frame = frame;
	wake_up_interruptible(&s->wait);
	return 0;
}

/**
 * ferry_session_complete - have all of a device that is stopped now to be read next
 * @fdev: the device, whose session ferry_session_precopy() has begun
 *
 * Context: process context, config_lock held.
 * Return: 0, or a negative errno with everything as it was.
 */
int ferry_session_complete(struct ferry_device *fdev)
{
	struct ferry_session *s = fdev->migration.session;
	struct ferry_frame *state;
	void *known;

	/* Without it no preview is made any more, so that @after stays, too. */
	mutex_lock(&s->lock);
	known = s->known;
	s->known = NULL;
	mutex_unlock(&s->lock);

	state = make_state(fdev, known, s->after);

	mutex_lock(&s->lock);
	if (IS_ERR(state)) {
		s->known = known;
	} else {
		s->more = false;
		if (s->frame)
			s->next = state;
		else
			s->frame = state;
	}
	mutex_unlock(&s->lock);
	if (IS_ERR(state))
		return PTR_ERR(state);
	wake_up_interruptible(&s->wait);
	kvfree(known);
	return 0;
}

/**
 * ferry_session_resume - begin to receive
 * @fdev: the device, without a session
 *
 * Context: process context, config_lock held.
 * Return: the file or an error pointer.
 */
struct file *ferry_session_resume(struct ferry_device *fdev)
{
	struct ferry_session *s = session_new(fdev, true);

	if (IS_ERR(s))
		return ERR_CAST(s);
	return session_open(s, frame_new(ferry_stream_max(fdev)),
			    &ferry_session_resume_fops, O_WRONLY);
}

/**
 * ferry_session_take - bytes have come: refuse them as soon as it can be seen that they are bad
 * @s: a session that receives; its frame has grown, but not beyond the end of the header, nor,
 *	with that checked, beyond the end of what the header announces
 *
 * Context: process context, &ferry_session.lock held.
 * Return: 0, or -EINVAL after a line in the log.
 */
int ferry_session_take(struct ferry_session *s)
{
	const struct ferry_migration_header *header = s->frame->bytes;
	struct ferry_device *fdev = s->fdev;
	size_t len = s->frame->len;
	int ret;

	lockdep_assert_held(&s->lock);
	if (len == HEAD) {
		ret = ferry_stream_check_head(fdev, header, s->after);
		if (ret)
			return ret;
	}
	if (len < HEAD || len < le64_to_cpu(header->length) ||
	    header->kind != cpu_to_le32(FERRY_MIGRATION_PREVIEW))
		return 0;
	ret = ferry_stream_check(fdev, header, len);
	if (!ret && s->known)
		ret = fdev->migration.desc.ops->preview_load(fdev, s->known,
							     header + 1,
							     len - HEAD);
	if (ret)
		return ret;
	s->after = le32_to_cpu(header->crc);
	s->frame->len = 0;
	return 0;
}

/**
 * ferry_session_load - take over what has been received
 * @fdev: the device, whose session ferry_session_resume() has begun
 *
 * Context: process context, config_lock held. The session goes on.
 * Return: 0, or a negative errno; -EINVAL after a line in the log.
 */
int ferry_session_load(struct ferry_device *fdev)
{
	struct ferry_session *s = fdev->migration.session;
	const struct ferry_migration_header *header = s->frame->bytes;
	bool refused, state;
	size_t len;
	int ret;

	mutex_lock(&s->lock);
	len = s->frame->len;
	refused = s->refused;
	state = len >= HEAD && header->kind == cpu_to_le32(FERRY_MIGRATION_STATE);
	mutex_unlock(&s->lock);

	if (refused)
		return -EINVAL;
	if (!state)
		return ferry_migration_refuse(fdev, "%zu bytes have come that are no state",
					      len);
	/* What has come of a state stays, and so does what is known; more may come behind it. */
	ret = ferry_stream_check(fdev, header, len);
	if (ret)
		return ret;
	return fdev->migration.desc.ops->load(fdev, s->known, header + 1,
					      len - HEAD);
}

/**
 * ferry_session_left - how much there will be to read when a device has stopped
 * @fdev: the device, with or without a session
 *
 * Context: process context, config_lock held.
 * Return: how many bytes it would be, did nothing change any more; at the most, unless the
 * device is in PRE_COPY.
 */
size_t ferry_session_left(struct ferry_device *fdev)
{
	struct ferry_session *s = fdev->migration.session;
	size_t left = ferry_stream_max(fdev);

	if (!s)
		return left;
	mutex_lock(&s->lock);
	if (s->more)
		left = ferry_stream_state_len(fdev, changed(s));
	mutex_unlock(&s->lock);
	return left;
}

/**
 * ferry_session_end - the device has done with the file
 * @fdev: the device, with or without a session
 *
 * Context: process context, config_lock held.
 */
void ferry_session_end(struct ferry_device *fdev)
{
	struct ferry_session *s = fdev->migration.session;

	if (!s)
		return;
	fdev->migration.session = NULL;
	session_close(s);
}
