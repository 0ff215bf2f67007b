// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instances: a VFIO PCI device for each, made of a model. Nothing here knows
 * how an instance came into being.
 */
#include <linux/export.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "core/trace.h"
#include "mdev.h"

/**
 * ferry_instance_reset - reset an instance that is open
 * @inst: the instance
 *
 * The configuration space that the user sees stays as it is, as that of a
 * physical function does, where the VFIO driver puts it back, but for the power state,
 * which is D0; and vectors keep their eventfds. An instance that migrates is running again.
 *
 * The model's work is stopped before the gate is taken: it may wait for mmap_lock, whose
 * holder may be in a page fault that waits for the gate.
 *
 * Context: process context, config_lock held.
 */
void ferry_instance_reset(struct ferry_instance *inst)
{
	ferry_work_stop(inst, WORK_RESET);
	ferry_gate_lock(&inst->fdev);
	ferry_model_reset(inst);
	ferry_layout_wake(inst);
	ferry_gate_unlock(&inst->fdev);
	trace_ferry_reset(&inst->fdev, FERRY_RESET_USER, 0);
	ferry_migration_reset(&inst->fdev);
	ferry_work_start(inst, WORK_RESET);
}

static int device_reset(struct ferry_device *fdev)
{
	mutex_lock(&fdev->config_lock);
	ferry_instance_reset(to_instance(fdev));
	mutex_unlock(&fdev->config_lock);
	return 0;
}

static void config_sync(struct ferry_device *fdev)
{
	ferry_layout_sync(to_instance(fdev));
}

static const struct ferry_device_ops instance_ops = {
	.irq = &ferry_instance_irq_ops,
	.config_sync = config_sync,
	.reset = device_reset,
	.ioctl = ferry_display_ioctl,
};

static int instance_init(struct vfio_device *vdev)
{
	struct ferry_device *fdev = to_ferry_device(vdev);

	fdev->can_reset = true;
	return ferry_device_init(fdev, &instance_ops);
}

static void instance_release(struct vfio_device *vdev)
{
	ferry_device_release(to_ferry_device(vdev));
}

static int instance_open(struct vfio_device *vdev)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	struct ferry_instance *inst = to_instance(fdev);
	int ret;

	ret = ferry_memory_alloc(inst);
	if (ret)
		return ret;
	ret = ferry_display_open(inst);
	if (ret)
		goto err_memory;
	ret = ferry_messages_open(inst);
	if (ret)
		goto err_display;
	ret = ferry_layout_build(inst);
	if (ret)
		goto err_messages;
	/* Now there is memory that the model may want to fill. */
	if (ferry_memory_exists(inst->model))
		ferry_registers_reset(inst);
	ferry_bars_init(inst);
	ferry_device_start(fdev);
	ferry_work_start(inst, WORK_CLOSED);
	return 0;

err_messages:
	ferry_messages_close(inst);
err_display:
	ferry_display_close(inst);
err_memory:
	ferry_memory_free(inst);
	return ret;
}

static void instance_close(struct vfio_device *vdev)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	struct ferry_instance *inst = to_instance(fdev);

	ferry_work_stop(inst, WORK_CLOSED);
	ferry_device_stop(fdev);
	/* Its memory as well: a picture that was exported outlives it. */
	ferry_model_reset(inst);
	trace_ferry_reset(fdev, FERRY_RESET_CLOSE, 0);
	mutex_lock(&fdev->config_lock);
	ferry_migration_reset(fdev);
	mutex_unlock(&fdev->config_lock);
	ferry_dirty_stop(inst);
	kvfree(inst->config);
	ferry_messages_close(inst);
	ferry_display_close(inst);
	ferry_memory_free(inst);
}

static const struct vfio_device_ops instance_vfio_ops = {
	.name = "ferry",
	.init = instance_init,
	.release = instance_release,
	.open_device = instance_open,
	.close_device = instance_close,
	.read = ferry_device_read,
	.write = ferry_device_write,
	.ioctl = ferry_device_ioctl,
	FERRY_VFIO_REGION_INFO_OPS
	.mmap = ferry_device_mmap,
	.request = ferry_device_request,
	.dma_unmap = ferry_guest_gone,
	.device_feature = ferry_device_feature,
	FERRY_VFIO_IOMMUFD_OPS(emulated)
};

/**
 * ferry_instance_create - make an instance of a model
 * @dev: the device that carries it
 * @model: the model, checked by ferry_model_check()
 *
 * The instance is ready to be registered with the VFIO core.
 *
 * Return: the instance or an error pointer.
 */
struct ferry_instance *ferry_instance_create(struct device *dev,
					     const struct ferry_model *model)
{
	struct ferry_instance *inst;
	struct vfio_device *vdev;
	int ret;

	vdev = _vfio_alloc_device(struct_size(inst, state, model->state_size),
				  dev, &instance_vfio_ops);
	if (IS_ERR(vdev))
		return ERR_CAST(vdev);
	inst = to_instance(to_ferry_device(vdev));
	inst->model = model;
	ferry_messages_init(inst);
	ferry_migrate_init(inst);
	ferry_work_init(inst);
	ferry_dirty_init(inst);
	/* The VFIO core would do this too, and go on without when there is no memory. */
	ret = vfio_assign_device_set(vdev, vdev);
	if (ret)
		goto err_put;
	ret = ferry_guest_init(inst);
	if (ret)
		goto err_put;
	ret = model->create ? model->create(inst) : 0;
	if (ret)
		goto err_guest;
	ferry_registers_reset(inst);
	return inst;

err_guest:
	ferry_guest_free(inst);
err_put:
	vfio_put_device(vdev);
	return ERR_PTR(ret);
}

/**
 * ferry_instance_destroy - undo ferry_instance_create()
 * @inst: the instance, not registered with the VFIO core (any more)
 */
void ferry_instance_destroy(struct ferry_instance *inst)
{
	if (inst->model->destroy)
		inst->model->destroy(inst);
	ferry_guest_free(inst);
	vfio_put_device(&inst->fdev.vdev);
}

/**
 * ferry_instance_state - the model's own state of an instance
 * @inst: the instance
 *
 * Return: the memory, of ferry_model.state_size bytes.
 */
void *ferry_instance_state(struct ferry_instance *inst)
{
	return inst->state;
}
EXPORT_SYMBOL_GPL(ferry_instance_state);

/**
 * ferry_instance_model - the model that an instance is one of
 * @inst: the instance
 *
 * Return: the model, for callbacks that several models share.
 */
const struct ferry_model *
ferry_instance_model(const struct ferry_instance *inst)
{
	return inst->model;
}
EXPORT_SYMBOL_GPL(ferry_instance_model);

/**
 * ferry_instance_device - the device that stands for an instance in sysfs
 * @inst: the instance
 *
 * Return: the device, for as long as the instance is there.
 */
struct device *ferry_instance_device(struct ferry_instance *inst)
{
	return inst->fdev.vdev.dev;
}
EXPORT_SYMBOL_GPL(ferry_instance_device);

/**
 * ferry_instance_of - the instance that a device stands for
 * @dev: the device, in an operation of one of &ferry_model.groups
 *
 * Return: the instance.
 */
struct ferry_instance *ferry_instance_of(struct device *dev)
{
	return dev_get_drvdata(dev);
}
EXPORT_SYMBOL_GPL(ferry_instance_of);
