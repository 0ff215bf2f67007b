// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instances: a VFIO PCI device for each, made of a model. Nothing here knows
 * how an instance came into being.
 */
#include <linux/bitfield.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "mdev.h"

static void set_gate(struct ferry_device *fdev, enum ferry_gate_reason reason,
		     bool closed)
{
	ferry_gate_lock(fdev);
	ferry_gate_set(fdev, reason, closed);
	ferry_gate_unlock(fdev);
}

/* The configuration space has changed; config_lock is held. */
static void config_after(void *ctx, const struct ferry_config_change *change)
{
	struct ferry_instance *inst = ctx;
	struct ferry_device *fdev = &inst->fdev;
	u32 changed = change->old ^ change->new;

	if (change->error)
		return;
	if (change->events & FERRY_CONFIG_COMMAND) {
		if (changed & PCI_COMMAND_MEMORY)
			set_gate(fdev, FERRY_GATE_COMMAND,
				 !(change->new & PCI_COMMAND_MEMORY));
		if (changed & PCI_COMMAND_INTX_DISABLE)
			ferry_intx_set_disabled(fdev, change->new &
						PCI_COMMAND_INTX_DISABLE);
	}
	if ((change->events & FERRY_CONFIG_POWER) &&
	    (changed & PCI_PM_CTRL_STATE_MASK))
		set_gate(fdev, FERRY_GATE_POWER,
			 change->new & PCI_PM_CTRL_STATE_MASK);
}

static const struct ferry_config_ops config_ops = {
	.after = config_after,
};

/* PCI PM 1.2, 3.2: D0 and D3hot, between which nothing is lost; no PME. */
static int add_pm(struct ferry_config *config)
{
	struct {
		__le16 pmc;
		__le16 pmcsr;
		__le16 extensions;
	} __packed pm = {
		.pmc = cpu_to_le16(3),
		.pmcsr = cpu_to_le16(PCI_PM_CTRL_NO_SOFT_RESET),
	};

	return ferry_config_add_cap(config, PCI_CAP_ID_PM, &pm, sizeof(pm));
}

/* PCI 3.0, 6.8.1: 64-bit addresses, no mask bits. */
static int add_msi(struct ferry_config *config, unsigned int vectors)
{
	struct {
		__le16 flags;
		__le32 address[2];
		__le16 data;
	} __packed msi = {
		.flags = cpu_to_le16(PCI_MSI_FLAGS_64BIT |
				     FIELD_PREP(PCI_MSI_FLAGS_QMASK,
						ilog2(vectors))),
	};

	return ferry_config_add_cap(config, PCI_CAP_ID_MSI, &msi, sizeof(msi));
}

static int config_build(struct ferry_instance *inst)
{
	const struct ferry_model *model = inst->model;
	struct ferry_config *config = &inst->fdev.config;
	struct ferry_config_header header = {
		.size = INSTANCE_CONFIG_SIZE,
		.vendor = model->vendor,
		.device = model->device,
		.subsystem_vendor = model->subsystem_vendor,
		.subsystem_device = model->subsystem_device,
		.class = model->class,
		.revision = model->revision,
		.pin = model->intx,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < FERRY_MODEL_NR_BARS; i++) {
		header.bars[i].size = model->bars[i].size;
		header.bars[i].flags = model->bars[i].flags;
	}
	ret = ferry_config_init_emulated(config, inst->config, &header,
					 &config_ops, inst);
	if (ret)
		return ret;
	ret = add_pm(config);
	if (ret < 0)
		return ret;
	if (model->msi) {
		ret = add_msi(config, model->msi);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* PCI 3.0, 6.2.3: the interrupt bit of STATUS follows the level. */
static void config_sync(struct ferry_device *fdev)
{
	struct ferry_instance *inst = to_instance(fdev);
	u16 status = ferry_config_get16(&fdev->config, PCI_STATUS);

	status &= ~PCI_STATUS_INTERRUPT;
	if (inst->model->intx && instance_level(inst))
		status |= PCI_STATUS_INTERRUPT;
	ferry_config_set16(&fdev->config, PCI_STATUS, status);
}

static void model_reset(struct ferry_instance *inst)
{
	ferry_instance_set_level(inst, false);
	inst->model->reset(inst);
}

/*
 * The configuration space that the user sees stays as it is, as that of a
 * physical function does, where the VFIO driver puts it back.
 */
static int instance_reset(struct ferry_device *fdev)
{
	ferry_gate_lock(fdev);
	model_reset(to_instance(fdev));
	ferry_gate_unlock(fdev);
	return 0;
}

static const struct ferry_device_ops instance_ops = {
	.irq = &ferry_instance_irq_ops,
	.config_sync = config_sync,
	.reset = instance_reset,
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

	inst->config = kvzalloc(ferry_config_bytes(INSTANCE_CONFIG_SIZE),
				GFP_KERNEL_ACCOUNT);
	if (!inst->config)
		return -ENOMEM;
	ret = config_build(inst);
	if (ret) {
		kvfree(inst->config);
		return ret;
	}
	/* Memory decoding is off in a new configuration space. */
	set_gate(fdev, FERRY_GATE_COMMAND, true);
	ferry_bars_init(inst);
	ferry_device_start(fdev);
	return 0;
}

static void instance_close(struct vfio_device *vdev)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	struct ferry_instance *inst = to_instance(fdev);

	ferry_device_stop(fdev);
	model_reset(inst);
	kvfree(inst->config);
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
	if (model->create) {
		ret = model->create(inst);
		if (ret) {
			vfio_put_device(vdev);
			return ERR_PTR(ret);
		}
	}
	model_reset(inst);
	return inst;
}

/**
 * ferry_instance_destroy - undo ferry_instance_create()
 * @inst: the instance, not registered with the VFIO core (any more)
 */
void ferry_instance_destroy(struct ferry_instance *inst)
{
	if (inst->model->destroy)
		inst->model->destroy(inst);
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
