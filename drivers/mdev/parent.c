// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parents: a set of models that the mdev core offers as types, and the mdev
 * device that each instance is known by.
 *
 * The mdev core looks at the parent's driver when the last reference to an
 * instance goes, which may be after the parent was unregistered: it holds a
 * reference to the parent's device until then, so that device's release is
 * what says that nobody knows the parent any more.
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/mdev.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "mdev.h"

/**
 * struct ferry_type - a model as the mdev core sees it
 * @mdev: the mdev core's
 * @model: the model
 */
struct ferry_type {
	struct mdev_type mdev;
	const struct ferry_model *model;
};

/**
 * struct ferry_parent - models of one module
 * @dev: the parent device
 * @mdev: the mdev core's
 * @driver: one for each parent: it counts instances, and its owner is the module
 *	that the VFIO core holds while an instance is open
 * @released: the last reference to @dev has gone
 * @list: pointers to @types, for the mdev core
 * @types: one for each model
 */
struct ferry_parent {
	struct device dev;
	struct mdev_parent mdev;
	struct mdev_driver driver;
	struct completion released;
	struct mdev_type **list;
	struct ferry_type types[];
};

static const struct ferry_model *type_model(struct mdev_type *type)
{
	return container_of(type, struct ferry_type, mdev)->model;
}

static const struct attribute_group **
display_groups(struct ferry_instance *inst)
{
	return inst->model->display.plane ? ferry_display_groups : NULL;
}

static int parent_probe(struct mdev_device *mdev)
{
	struct ferry_instance *inst;
	int ret;

	inst = ferry_instance_create(&mdev->dev, type_model(mdev->type));
	if (IS_ERR(inst))
		return PTR_ERR(inst);

	dev_set_drvdata(&mdev->dev, inst);
	ret = sysfs_create_groups(&mdev->dev.kobj, inst->model->groups);
	if (ret)
		goto err_destroy;
	ret = sysfs_create_groups(&mdev->dev.kobj, display_groups(inst));
	if (ret)
		goto err_groups;
	ret = vfio_register_emulated_iommu_dev(&inst->fdev.vdev);
	if (ret)
		goto err_display_groups;
	ferry_device_debugfs_init(&inst->fdev);
	return 0;

err_display_groups:
	sysfs_remove_groups(&mdev->dev.kobj, display_groups(inst));
err_groups:
	sysfs_remove_groups(&mdev->dev.kobj, inst->model->groups);
err_destroy:
	ferry_instance_destroy(inst);
	return ret;
}

/* Asks the users to let go, and waits until they have. */
static void parent_remove(struct mdev_device *mdev)
{
	struct ferry_instance *inst = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&inst->fdev.vdev);
	ferry_device_debugfs_exit(&inst->fdev);
	sysfs_remove_groups(&mdev->dev.kobj, display_groups(inst));
	sysfs_remove_groups(&mdev->dev.kobj, inst->model->groups);
	ferry_instance_destroy(inst);
}

static ssize_t parent_show_description(struct mdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%s\n", type_model(type)->description);
}

static void parent_release(struct device *dev)
{
	complete(&container_of(dev, struct ferry_parent, dev)->released);
}

static void parent_free(struct ferry_parent *parent)
{
	kfree(parent->list);
	kfree(parent);
}

static struct ferry_parent *parent_alloc(const struct ferry_model *models,
					 unsigned int nr_models)
{
	struct ferry_parent *parent;
	unsigned int i;

	parent = kzalloc(struct_size(parent, types, nr_models), GFP_KERNEL);
	if (!parent)
		return NULL;
	parent->list = kcalloc(nr_models, sizeof(*parent->list), GFP_KERNEL);
	if (!parent->list) {
		kfree(parent);
		return NULL;
	}
	for (i = 0; i < nr_models; i++) {
		parent->types[i].model = &models[i];
		parent->types[i].mdev.sysfs_name = models[i].name;
		parent->types[i].mdev.pretty_name = models[i].pretty_name;
		parent->list[i] = &parent->types[i].mdev;
	}
	init_completion(&parent->released);
	return parent;
}

/**
 * ferry_parent_register - offer models to whoever wants instances of them
 * @name: of the parent device, under /sys/class/mdev_bus
 * @owner: THIS_MODULE; held while an instance is open
 * @models: the models; they must stay until ferry_parent_unregister() returns
 * @nr_models: how many
 * @max_instances: how many instances there may be at once, of all models
 *	together
 *
 * Context: process context.
 * Return: the parent, or an error pointer: -EINVAL for a model that is wrong (the
 * log says how), -EBUSY for a name that is taken, -ENOMEM.
 */
struct ferry_parent *ferry_parent_register(const char *name,
					   struct module *owner,
					   const struct ferry_model *models,
					   unsigned int nr_models,
					   unsigned int max_instances)
{
	struct ferry_parent *parent;
	unsigned int i;
	int ret;

	for (i = 0; i < nr_models; i++) {
		ret = ferry_model_check(&models[i]);
		if (ret)
			return ERR_PTR(ret);
	}
	parent = parent_alloc(models, nr_models);
	if (!parent)
		return ERR_PTR(-ENOMEM);

	parent->driver = (struct mdev_driver) {
		.device_api = VFIO_DEVICE_API_PCI_STRING,
		.max_instances = max_instances,
		.probe = parent_probe,
		.remove = parent_remove,
		.show_description = parent_show_description,
		.driver = {
			.name = name,
			.owner = owner,
			/* An instance without its driver is good for nothing. */
			.suppress_bind_attrs = true,
		},
	};
	ret = mdev_register_driver(&parent->driver);
	if (ret) {
		parent_free(parent);
		return ERR_PTR(ret);
	}

	device_initialize(&parent->dev);
	parent->dev.class = &ferry_class;
	parent->dev.release = parent_release;
	ret = dev_set_name(&parent->dev, "%s", name);
	if (ret)
		goto err_put;
	ret = device_add(&parent->dev);
	if (ret)
		goto err_put;
	ret = mdev_register_parent(&parent->mdev, &parent->dev, &parent->driver,
				   parent->list, nr_models);
	if (ret)
		goto err_del;
	return parent;

err_del:
	device_del(&parent->dev);
err_put:
	put_device(&parent->dev);
	wait_for_completion(&parent->released);
	mdev_unregister_driver(&parent->driver);
	parent_free(parent);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(ferry_parent_register);

/**
 * ferry_parent_unregister - withdraw the models and remove all instances
 * @parent: the parent
 *
 * Who has an instance open is asked through its release request eventfd to let
 * go, again and again, and waited for. New instances are refused with -ENODEV
 * meanwhile.
 *
 * Context: process context. No callback of a model runs after it returns.
 */
void ferry_parent_unregister(struct ferry_parent *parent)
{
	mdev_unregister_parent(&parent->mdev);
	device_unregister(&parent->dev);
	wait_for_completion(&parent->released);
	mdev_unregister_driver(&parent->driver);
	parent_free(parent);
}
EXPORT_SYMBOL_GPL(ferry_parent_unregister);
