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
 * @raised: messages
 */
struct kit_work {
	bool kicked;
	unsigned int steps;
	unsigned int raised;
};

extern struct kit_work kit_work;

/* An instance that is open. */
struct ferry_instance *kit_open(const struct ferry_model *model);
void kit_close(struct ferry_instance *inst);
/* Its user accesses registers and memory, timers fire, work is done. */
void kit_drive(struct ferry_instance *inst, struct input *in, unsigned int n);

#endif /* _FERRY_FUZZ_KIT_H */
