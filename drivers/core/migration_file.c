// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file that carries a migration stream. Who saves reads it, who resumes writes it,
 * from begin to end.
 *
 * The user may keep it for as long as he likes. The session behind it belongs to the
 * device and to the file; when the device ends it, its memory goes and the file
 * answers ENODEV.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <ferry/device.h>

#include "compat/compat.h"
#include "session.h"

/**
 * struct session_data - what is carried
 * @ref: the session has one, and whoever copies
 * @bytes: the stream
 */
struct session_data {
	struct kref ref;
	void *bytes;
};

/**
 * struct ferry_session - one transfer
 * @ref: the device has one, and the file
 * @io: one reader or writer at a time; held while user memory is touched
 * @lock: guards what follows; nobody holds it for long
 * @fdev: the device, %NULL when it has ended the session
 * @data: the stream, %NULL when the session has ended
 * @len: bytes of it that are there
 * @pos: how far it has been read; of one that is written, where the next header begins
 *	that has not been checked, or the state's
 * @more: there will be more to read (PRE_COPY)
 * @whole: the header of the state itself has been checked
 * @refused: the log knows what is wrong with what has been written
 */
struct ferry_session {
	struct kref ref;
	struct mutex io;	/* see above */
	struct mutex lock;	/* see above */
	struct ferry_device *fdev;
	struct session_data *data;
	size_t len;
	size_t pos;
	bool more;
	bool whole;
	bool refused;
};

static void data_release(struct kref *ref)
{
	struct session_data *data = container_of(ref, struct session_data, ref);

	kvfree(data->bytes);
	kfree(data);
}

static void data_put(struct session_data *data)
{
	if (data)
		kref_put(&data->ref, data_release);
}

static void session_release(struct kref *ref)
{
	struct ferry_session *s = container_of(ref, struct ferry_session, ref);

	mutex_destroy(&s->lock);
	mutex_destroy(&s->io);
	kfree(s);
}

static int file_release(struct inode *inode, struct file *file)
{
	struct ferry_session *s = file->private_data;

	kref_put(&s->ref, session_release);
	return 0;
}

/*
 * Copying from and to the user's memory goes without the lock, which the device takes
 * with config_lock held; a reference keeps the memory meanwhile. Only who has @io
 * changes how far it has been read or written.
 */
static struct session_data *data_get(struct ferry_session *s)
{
	lockdep_assert_held(&s->lock);
	if (!s->data)
		return ERR_PTR(-ENODEV);
	kref_get(&s->data->ref);
	return s->data;
}

static ssize_t do_read(struct ferry_session *s, char __user *buf, size_t count)
{
	struct session_data *data;
	ssize_t ret;
	bool more;

	lockdep_assert_held(&s->io);
	mutex_lock(&s->lock);
	data = data_get(s);
	count = min(count, s->len - s->pos);
	more = s->more;
	mutex_unlock(&s->lock);
	if (IS_ERR(data))
		return PTR_ERR(data);

	ret = count || !more ? count : -ENOMSG;
	if (copy_to_user(buf, data->bytes + s->pos, count))
		ret = -EFAULT;
	data_put(data);
	if (ret > 0) {
		mutex_lock(&s->lock);
		s->pos += ret;
		mutex_unlock(&s->lock);
	}
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

/* Bytes have come: refuse them as soon as it can be seen that they are no good. */
static int check_heads(struct ferry_session *s)
{
	const struct ferry_migration_header *header;
	int ret;

	lockdep_assert_held(&s->lock);
	while (!s->whole && s->len - s->pos >= sizeof(*header)) {
		header = s->data->bytes + s->pos;
		ret = ferry_stream_check_head(s->fdev, header);
		if (!ret && s->pos &&
		    header->kind == cpu_to_le32(FERRY_MIGRATION_OFFER))
			ret = ferry_migration_refuse(s->fdev,
						     "it makes two offers");
		if (ret) {
			s->refused = true;
			return ret;
		}
		if (header->kind == cpu_to_le32(FERRY_MIGRATION_STATE))
			s->whole = true;
		else
			s->pos += sizeof(*header);
	}
	return 0;
}

static ssize_t do_write(struct ferry_session *s, const char __user *buf,
			size_t count)
{
	struct session_data *data;
	ssize_t ret = 0;

	lockdep_assert_held(&s->io);
	mutex_lock(&s->lock);
	data = data_get(s);
	if (!IS_ERR(data)) {
		/* As much as there is room for: its header says what is wrong. */
		count = min(count, ferry_stream_max(s->fdev) - s->len);
		ret = s->refused ? -EINVAL : count ? 0 : -EFBIG;
	}
	mutex_unlock(&s->lock);
	if (IS_ERR(data))
		return PTR_ERR(data);

	/* Nobody looks at what is behind @len. */
	if (!ret && copy_from_user(data->bytes + s->len, buf, count))
		ret = -EFAULT;
	data_put(data);
	if (ret)
		return ret;

	mutex_lock(&s->lock);
	s->len += count;
	ret = s->data ? check_heads(s) : -ENODEV;
	mutex_unlock(&s->lock);
	return ret ?: count;
}

static ssize_t file_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	struct ferry_session *s = file->private_data;
	ssize_t ret;

	if (!count)
		return 0;
	mutex_lock(&s->io);
	ret = do_write(s, buf, count);
	mutex_unlock(&s->io);
	return ret;
}

/* VFIO_MIG_GET_PRECOPY_INFO: nothing becomes dirty that has been sent. */
static long file_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const size_t minsz = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct ferry_session *s = file->private_data;
	void __user *uarg = (void __user *)arg;
	struct vfio_precopy_info info;
	long ret = 0;

	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	if (copy_from_user(&info, uarg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	mutex_lock(&s->lock);
	if (!s->data)
		ret = -ENODEV;
	else if (!s->more)
		ret = -EINVAL;
	info.initial_bytes = s->len - s->pos;
	mutex_unlock(&s->lock);
	info.flags = 0;
	info.dirty_bytes = 0;
	if (!ret && copy_to_user(uarg, &info, minsz))
		return -EFAULT;
	return ret;
}

static const struct file_operations save_fops = {
	.owner = THIS_MODULE,
	.read = file_read,
	.unlocked_ioctl = file_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = file_release,
};

static const struct file_operations resume_fops = {
	.owner = THIS_MODULE,
	.write = file_write,
	.release = file_release,
};

/* Takes @bytes over, which are kvfree()d if that fails. */
static struct session_data *data_new(void *bytes)
{
	struct session_data *data;

	data = kzalloc(sizeof(*data), GFP_KERNEL_ACCOUNT);
	if (!data) {
		kvfree(bytes);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&data->ref);
	data->bytes = bytes;
	return data;
}

/* Takes @bytes over; the device has no session yet. */
static struct file *session_new(struct ferry_device *fdev, void *bytes,
				const struct file_operations *fops, int flags,
				struct ferry_session **session)
{
	struct ferry_session *s;
	struct file *file;
	int ret;

	lockdep_assert_held(&fdev->config_lock);
	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s) {
		kvfree(bytes);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&s->ref);
	mutex_init(&s->io);
	mutex_init(&s->lock);
	s->fdev = fdev;
	s->data = data_new(bytes);
	if (IS_ERR(s->data)) {
		ret = PTR_ERR(s->data);
		goto err_session;
	}
	file = anon_inode_getfile("[ferry-migration]", fops, s, flags);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_data;
	}
	stream_open(file->f_inode, file);
	kref_get(&s->ref);
	fdev->migration.session = s;
	*session = s;
	return file;

err_data:
	data_put(s->data);
err_session:
	kref_put(&s->ref, session_release);
	return ERR_PTR(ret);
}

/**
 * ferry_session_save - begin to send
 * @fdev: the device, without a session
 * @bytes: what to send; kvfree()d in the end, or on error
 * @len: how many
 * @more: ferry_session_complete() will have more
 *
 * Context: process context, config_lock held.
 * Return: the file or an error pointer.
 */
struct file *ferry_session_save(struct ferry_device *fdev, void *bytes,
				size_t len, bool more)
{
	struct ferry_session *s;
	struct file *file;

	file = session_new(fdev, bytes, &save_fops, O_RDONLY, &s);
	if (IS_ERR(file))
		return file;
	s->len = len;
	s->more = more;
	return file;
}

/**
 * ferry_session_complete - there is more to send, and it is all
 * @fdev: the device
 * @bytes: everything, what there was before included; kvfree()d in the end, or on error
 * @len: how many
 *
 * Context: process context, config_lock held.
 * Return: 0 or -ENOMEM.
 */
int ferry_session_complete(struct ferry_device *fdev, void *bytes, size_t len)
{
	struct ferry_session *s = fdev->migration.session;
	struct session_data *data = data_new(bytes);

	if (IS_ERR(data))
		return PTR_ERR(data);
	mutex_lock(&s->lock);
	swap(s->data, data);
	s->len = len;
	s->more = false;
	mutex_unlock(&s->lock);
	data_put(data);
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
	struct ferry_session *s;
	void *data;

	data = kvmalloc(ferry_stream_max(fdev), GFP_KERNEL_ACCOUNT);
	if (!data)
		return ERR_PTR(-ENOMEM);
	return session_new(fdev, data, &resume_fops, O_WRONLY, &s);
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
	bool whole, refused;
	const void *frame;
	size_t len;
	int ret;

	/* What has been written stays; what is being written lies behind it. */
	mutex_lock(&s->lock);
	frame = s->data->bytes + s->pos;
	len = s->len - s->pos;
	whole = s->whole;
	refused = s->refused;
	mutex_unlock(&s->lock);

	if (refused)
		return -EINVAL;
	if (!whole)
		return ferry_migration_refuse(fdev, "%zu bytes have come, less than a header",
					      len);
	ret = ferry_stream_check(fdev, frame, len);
	if (ret)
		return ret;
	len -= sizeof(struct ferry_migration_header);
	return fdev->migration.desc.ops->load(fdev, frame +
					      sizeof(struct ferry_migration_header),
					      len);
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
	struct session_data *data;

	if (!s)
		return;
	mutex_lock(&s->lock);
	data = s->data;
	s->data = NULL;
	s->fdev = NULL;
	mutex_unlock(&s->lock);
	data_put(data);
	fdev->migration.session = NULL;
	kref_put(&s->ref, session_release);
}
