/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instances of models without a kernel around them.
 */
#ifndef _FERRY_FUZZ_KIT_H
#define _FERRY_FUZZ_KIT_H

#include <borrowed.h>

#include "input.h"
#include "mdev.h"

/* The most bytes that a piece of memory of a model has here. */
#define KIT_MEMORY	0x4000

/* What the linked models have registered, with less memory. */
extern struct ferry_model kit_models[];
extern unsigned int kit_nr_models;

/**
 * struct kit_work - what the kit was asked to do for a model
 * @kicked: call the work, now or later
 * @steps: how often the work may still ask whether it has to stop before it does
 */
struct kit_work {
	bool kicked;
	unsigned int steps;
};

extern struct kit_work kit_work;

/* As an index of interrupts: none is enabled. */
#define KIT_NO_IRQS	VFIO_PCI_NUM_IRQS

/**
 * struct kit_irqs - interrupts of the instance that was opened last
 * @index: which are enabled, or %KIT_NO_IRQS
 * @heard: an eventfd waits for each vector
 * @signals: how many messages were sent
 * @vector: of the last one
 */
struct kit_irqs {
	unsigned int index;
	bool heard;
	unsigned int signals;
	unsigned int vector;
};

extern struct kit_irqs kit_irqs;

/* An instance that is open. */
struct ferry_instance *kit_open(const struct ferry_model *model);
void kit_close(struct ferry_instance *inst);
/* Its user enables interrupts in the place of those that are, if it has such. */
void kit_enable(struct ferry_instance *inst, unsigned int index, bool heard);
/* Its user accesses registers and memory, timers fire, work is done. */
void kit_drive(struct ferry_instance *inst, struct input *in, unsigned int n);

#endif /* _FERRY_FUZZ_KIT_H */
