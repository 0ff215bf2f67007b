/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of ferry-mdev.ko call of each other and nobody else does.
 */
#ifndef FERRY_MDEV_H
#define FERRY_MDEV_H

#include <ferry/device.h>
#include <ferry/model.h>

/**
 * struct ferry_instance - one device of a model
 * @fdev: the VFIO PCI device; the first member
 * @model: what it is
 * @config: memory of the configuration space while the device is open
 * @flags: bit INSTANCE_LEVEL is set while the model asserts its interrupt
 * @state: the model's own
 */
struct ferry_instance {
	struct ferry_device fdev;
	const struct ferry_model *model;
	void *config;
	unsigned long flags;
	u8 state[] __aligned(sizeof(u64));
};

#define INSTANCE_LEVEL	0

static inline struct ferry_instance *to_instance(struct ferry_device *fdev)
{
	return container_of(fdev, struct ferry_instance, fdev);
}

static inline bool instance_level(struct ferry_instance *inst)
{
	return test_bit(INSTANCE_LEVEL, &inst->flags);
}

int ferry_model_check(const struct ferry_model *model);

struct ferry_instance *ferry_instance_create(struct device *dev,
					     const struct ferry_model *model);
void ferry_instance_destroy(struct ferry_instance *inst);
void ferry_instance_reset(struct ferry_instance *inst);

int ferry_layout_build(struct ferry_instance *inst);
void ferry_layout_sync(struct ferry_instance *inst);

void ferry_bars_init(struct ferry_instance *inst);

extern const struct ferry_irq_ops ferry_instance_irq_ops;

extern struct class ferry_class;

#endif /* FERRY_MDEV_H */
