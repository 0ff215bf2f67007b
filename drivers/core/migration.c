// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration: what a device does from one state to the next. The VFIO core knows the
 * way from any state to another (vfio_mig_get_next_state()); here are the single arcs.
 *
 * RUNNING_P2P and PRE_COPY_P2P stop more than they have to: nothing at all goes on by
 * itself then, so no access to another device's memory either.
 */
#include <linux/export.h>

#include <ferry/device.h>

#include "compat/compat.h"
#include "core.h"
#include "session.h"
#include "trace.h"

#define ARC(from, to) \
	(VFIO_DEVICE_STATE_##from << 4 | VFIO_DEVICE_STATE_##to)

static int complete_copy(struct ferry_device *fdev)
{
	const struct ferry_migration_ops *ops = fdev->migration.desc.ops;
	int ret;

	ops->stop(fdev);
	ret = ferry_session_complete(fdev);
	if (ret)
		ops->start(fdev);
	return ret;
}

/* A device that is refused its state has to be reset. */
static int load(struct ferry_device *fdev)
{
	int ret = ferry_session_load(fdev);

	ferry_session_end(fdev);
	if (ret)
		fdev->migration.state = VFIO_DEVICE_STATE_ERROR;
	return ret;
}

/* One arc. Returns the file of a session that begins, %NULL, or an error pointer. */
static struct file *step(struct ferry_device *fdev,
			 enum vfio_device_mig_state to)
{
	const struct ferry_migration_ops *ops = fdev->migration.desc.ops;

	switch (fdev->migration.state << 4 | to) {
	case ARC(PRE_COPY, RUNNING):
	case ARC(PRE_COPY_P2P, RUNNING_P2P):
	case ARC(STOP_COPY, STOP):
		ferry_session_end(fdev);
		return NULL;
	case ARC(RUNNING, RUNNING_P2P):
	case ARC(PRE_COPY, PRE_COPY_P2P):
		ops->pause(fdev);
		return NULL;
	case ARC(RUNNING_P2P, RUNNING):
	case ARC(PRE_COPY_P2P, PRE_COPY):
		ops->resume(fdev);
		return NULL;
	case ARC(RUNNING_P2P, STOP):
		ops->stop(fdev);
		return NULL;
	case ARC(STOP, RUNNING_P2P):
		ops->start(fdev);
		return NULL;
	case ARC(RUNNING, PRE_COPY):
	case ARC(RUNNING_P2P, PRE_COPY_P2P):
		return ferry_session_precopy(fdev);
	case ARC(PRE_COPY_P2P, STOP_COPY):
		return ERR_PTR(complete_copy(fdev));
	case ARC(STOP, STOP_COPY):
		return ferry_session_save(fdev);
	case ARC(STOP, RESUMING):
		return ferry_session_resume(fdev);
	case ARC(RESUMING, STOP):
		return ERR_PTR(load(fdev));
	default:
		return ERR_PTR(-EINVAL);
	}
}

/*
 * The VFIO core warns of who wants to leave the state of an error, and before Linux 7.2 and
 * 6.12.117 looks without end for a way from STOP_COPY to where previews are sent.
 */
static bool way_exists(enum vfio_device_mig_state from,
		       enum vfio_device_mig_state to)
{
	if (from == VFIO_DEVICE_STATE_STOP_COPY)
		return to != VFIO_DEVICE_STATE_PRE_COPY &&
		       to != VFIO_DEVICE_STATE_PRE_COPY_P2P;
	return from != VFIO_DEVICE_STATE_ERROR;
}

static struct file *set_state(struct vfio_device *vdev,
			      enum vfio_device_mig_state new_state)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	struct ferry_migration *migration = &fdev->migration;
	enum vfio_device_mig_state next;
	struct file *file = NULL;
	int ret;

	mutex_lock(&fdev->config_lock);
	if (!way_exists(migration->state, new_state))
		file = ERR_PTR(-EINVAL);
	while (!IS_ERR(file) && migration->state != new_state) {
		ret = vfio_mig_get_next_state(vdev, migration->state, new_state,
					      &next);
		file = ret ? ERR_PTR(ret) : step(fdev, next);
		trace_ferry_migration(fdev, migration->state,
				      ret ? new_state : next,
				      PTR_ERR_OR_ZERO(file));
		if (IS_ERR(file))
			break;
		migration->state = next;
		/* A session begins in the last arc only. */
		if (WARN_ON(file && next != new_state))
			break;
	}
	mutex_unlock(&fdev->config_lock);
	return file;
}

static int get_state(struct vfio_device *vdev,
		     enum vfio_device_mig_state *state)
{
	struct ferry_device *fdev = to_ferry_device(vdev);

	mutex_lock(&fdev->config_lock);
	*state = fdev->migration.state;
	mutex_unlock(&fdev->config_lock);
	return 0;
}

static int get_data_size(struct vfio_device *vdev, unsigned long *length)
{
	struct ferry_device *fdev = to_ferry_device(vdev);

	mutex_lock(&fdev->config_lock);
	*length = ferry_session_left(fdev);
	mutex_unlock(&fdev->config_lock);
	return 0;
}

static const struct vfio_migration_ops migration_ops = {
	.migration_set_state = set_state,
	.migration_get_state = get_state,
	FERRY_VFIO_MIG_DATA_SIZE_OPS(get_data_size)
};

/**
 * ferry_migration_init - a device can migrate
 * @fdev: the device, not registered with the VFIO core yet
 * @desc: what it is; copied, what it points to has to stay
 */
void ferry_migration_init(struct ferry_device *fdev,
			  const struct ferry_migration_desc *desc)
{
	fdev->migration.desc = *desc;
	fdev->migration.state = VFIO_DEVICE_STATE_RUNNING;
	ratelimit_state_init(&fdev->migration.refusals,
			     DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	fdev->vdev.mig_ops = &migration_ops;
	fdev->vdev.migration_flags = VFIO_MIGRATION_STOP_COPY |
				     VFIO_MIGRATION_P2P |
				     VFIO_MIGRATION_PRE_COPY;
}
EXPORT_SYMBOL_GPL(ferry_migration_init);

static bool is_stopped(unsigned int state)
{
	return state == VFIO_DEVICE_STATE_STOP ||
	       state == VFIO_DEVICE_STATE_STOP_COPY ||
	       state == VFIO_DEVICE_STATE_RESUMING ||
	       state == VFIO_DEVICE_STATE_ERROR;
}

/**
 * ferry_migration_reset - a device that has been reset is running
 * @fdev: the device, whether it migrates or not
 *
 * Ends a transfer.
 *
 * Context: process context, config_lock held, without the gate; after the reset, or when
 * the device is closed.
 */
void ferry_migration_reset(struct ferry_device *fdev)
{
	const struct ferry_migration_ops *ops = fdev->migration.desc.ops;
	unsigned int state = fdev->migration.state;

	lockdep_assert_held(&fdev->config_lock);
	if (!ops)
		return;
	ferry_session_end(fdev);
	if (is_stopped(state))
		ops->start(fdev);
	if (state != VFIO_DEVICE_STATE_RUNNING &&
	    state != VFIO_DEVICE_STATE_PRE_COPY)
		ops->resume(fdev);
	fdev->migration.state = VFIO_DEVICE_STATE_RUNNING;
}
EXPORT_SYMBOL_GPL(ferry_migration_reset);

/**
 * ferry_migration_feature - features of VFIO that an older VFIO core leaves to us
 * @fdev: the device
 * @flags: the feature and what to do with it
 * @arg: user pointer to its data
 * @argsz: size of that
 *
 * QEMU ends a migration only if it knows how much is left.
 *
 * Return: as the feature says; -ENOTTY for one that is unknown.
 */
int ferry_migration_feature(struct ferry_device *fdev, u32 flags,
			    void __user *arg, size_t argsz)
{
	struct vfio_device_feature_mig_data_size size = {};
	unsigned long length;
	int ret;

	if ((flags & VFIO_DEVICE_FEATURE_MASK) !=
	    VFIO_DEVICE_FEATURE_MIG_DATA_SIZE || !fdev->migration.desc.ops)
		return -ENOTTY;
	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET,
				 sizeof(size));
	if (ret != 1)
		return ret;
	get_data_size(&fdev->vdev, &length);
	size.stop_copy_length = length;
	return copy_to_user(arg, &size, sizeof(size)) ? -EFAULT : 0;
}
