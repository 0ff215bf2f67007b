// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file that carries a migration stream. Who saves reads it, who resumes writes it,
 * from begin to end.
 *
 * The user may keep it for as long as he likes. The session behind it belongs to the
 * device and to the file; when the device ends it, its memory goes and the file
 * answers ENODEV.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include <ferry/device.h>

#include "compat/compat.h"
#include "session.h"

static int file_release(struct inode *inode, struct file *file)
{
	ferry_session_put(file->private_data);
	return 0;
}

/*
 * Copying from and to the user's memory goes without the lock, which the device takes
 * with config_lock held; a reference keeps the memory meanwhile. Only who has @io
 * changes how far it has been read or written.
 */
static struct ferry_frame *frame_get(struct ferry_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!s->fdev)
		return ERR_PTR(-ENODEV);
	if (s->frame)
		kref_get(&s->frame->ref);
	return s->frame;
}

/* Some of @frame has been read, which goes when that was the last of it. */
static void advance(struct ferry_session *s, struct ferry_frame *frame,
		    size_t count)
{
	struct ferry_frame *done = NULL;

	mutex_lock(&s->lock);
	s->pos += count;
	/* The session may have been ended meanwhile. */
	if (s->frame == frame && s->pos == frame->len) {
		done = frame;
		s->frame = s->next;
		s->next = NULL;
		s->pos = 0;
	}
	mutex_unlock(&s->lock);
	ferry_frame_put(done);
}

static ssize_t do_read(struct ferry_session *s, char __user *buf, size_t count)
{
	struct ferry_frame *frame;
	ssize_t ret;
	bool more;

	lockdep_assert_held(&s->io);
	mutex_lock(&s->lock);
	frame = frame_get(s);
	more = s->more;
	mutex_unlock(&s->lock);
	if (IS_ERR(frame))
		return PTR_ERR(frame);
	if (!frame)
		return more ? -ENOMSG : 0;

	count = min(count, frame->len - s->pos);
	ret = copy_to_user(buf, frame->bytes + s->pos, count) ? -EFAULT : count;
	if (ret > 0)
		advance(s, frame, ret);
	ferry_frame_put(frame);
	return ret;
}

static ssize_t file_read(struct file *file, char __user *buf, size_t count,
			 loff_t *ppos)
{
	struct ferry_session *s = file->private_data;
	ssize_t ret;

	if (!count)
		return 0;
	mutex_lock(&s->io);
	ret = do_read(s, buf, count);
	mutex_unlock(&s->io);
	return ret;
}

/* Not when read() would say ENOMSG: while the device runs, it takes VFIO_MIG_GET_PRECOPY_INFO. */
static __poll_t file_poll(struct file *file, poll_table *wait)
{
	struct ferry_session *s = file->private_data;
	__poll_t ready = 0;

	poll_wait(file, &s->wait, wait);
	mutex_lock(&s->lock);
	if (!s->fdev || s->frame || !s->more)
		ready = EPOLLIN | EPOLLRDNORM;
	mutex_unlock(&s->lock);
	return ready;
}

/* How much is missing of the header, or, when that has been checked, of what it announces. */
static size_t missing(const struct ferry_frame *frame)
{
	const struct ferry_migration_header *header = frame->bytes;

	if (frame->len < sizeof(*header))
		return sizeof(*header) - frame->len;
	return le64_to_cpu(header->length) - frame->len;
}

/* How much of @count bytes can be taken; 0 or a negative errno if nothing. */
static ssize_t room(struct ferry_session *s, size_t count)
{
	lockdep_assert_held(&s->lock);
	if (s->refused)
		return -EINVAL;
	count = min(count, missing(s->frame));
	if (count)
		return count;
	s->refused = true;
	return ferry_migration_refuse(s->fdev, "something follows the state");
}

/* Takes a piece. */
static ssize_t do_write(struct ferry_session *s, const char __user *buf,
			size_t count)
{
	struct ferry_frame *frame;
	ssize_t ret = 0;

	lockdep_assert_held(&s->io);
	mutex_lock(&s->lock);
	frame = frame_get(s);
	if (!IS_ERR(frame))
		ret = room(s, count);
	mutex_unlock(&s->lock);
	if (IS_ERR(frame))
		return PTR_ERR(frame);

	/* Nobody looks at what is behind @len. */
	if (ret > 0 && copy_from_user(frame->bytes + frame->len, buf, ret))
		ret = -EFAULT;
	if (ret > 0) {
		mutex_lock(&s->lock);
		frame->len += ret;
		if (!s->fdev) {
			ret = -ENODEV;
		} else if (ferry_session_take(s)) {
			s->refused = true;
			ret = -EINVAL;
		}
		mutex_unlock(&s->lock);
	}
	ferry_frame_put(frame);
	return ret;
}

static ssize_t file_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	struct ferry_session *s = file->private_data;
	ssize_t ret = 0;
	size_t done;

	mutex_lock(&s->io);
	for (done = 0; done < count; done += ret) {
		ret = do_write(s, buf + done, count - done);
		if (ret < 0)
			break;
		/* Of small previews there may be many. */
		cond_resched();
		if (fatal_signal_pending(current))
			break;
	}
	mutex_unlock(&s->io);
	return done ?: ret;
}

/* It is the first that a device sends ahead. */
static bool is_first(const struct ferry_frame *frame)
{
	const struct ferry_migration_header *header = frame->bytes;

	return !header->after;
}

/* What there is to read, and if that is nothing what has changed since; which then is. */
static int precopy_info(struct ferry_session *s, struct vfio_precopy_info *info)
{
	size_t left;
	int ret;

	lockdep_assert_held(&s->lock);
	if (!s->fdev)
		return -ENODEV;
	if (!s->more)
		return -EINVAL;
	if (!s->frame) {
		ret = ferry_session_preview(s);
		if (ret)
			return ret;
	}
	left = s->frame ? s->frame->len - s->pos : 0;
	info->initial_bytes = left && is_first(s->frame) ? left : 0;
	info->dirty_bytes = left - info->initial_bytes;
	return 0;
}

/* VFIO_MIG_GET_PRECOPY_INFO */
static long file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct ferry_session *s = file->private_data;
	void __user *uarg = (void __user *)arg;
	struct vfio_precopy_info info;
	int ret;

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, uarg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = 0;
	mutex_lock(&s->lock);
	ret = precopy_info(s, &info);
	mutex_unlock(&s->lock);
	if (!ret && copy_to_user(uarg, &info, minsz))
		return -EFAULT;
	return ret;
}

/* Of a session that sends. */
const struct file_operations ferry_session_save_fops = {
	.owner = THIS_MODULE,
	.read = file_read,
	.poll = file_poll,
	.unlocked_ioctl = file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = file_release,
};

/* Of a session that receives. */
const struct file_operations ferry_session_resume_fops = {
	.owner = THIS_MODULE,
	.write = file_write,
	.release = file_release,
};
