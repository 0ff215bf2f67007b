// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where power-on puts a model, and what the kit keeps for it.
 */
#include "mdev.h"

/**
 * ferry_registers_reset - reset all but the memory
 * @inst: the instance, with its gate locked or nobody using it
 *
 * Messages come last: one that was raised while the model was on its way to be reset is of
 * what it was before, and a model that has been reset has none to send.
 */
void ferry_registers_reset(struct ferry_instance *inst)
{
	ferry_instance_set_level(inst, false);
	clear_bit(INSTANCE_TOLD, &inst->flags);
	inst->model->reset(inst);
	ferry_messages_reset(inst);
}

/**
 * ferry_model_reset - reset the memory too
 * @inst: as for ferry_registers_reset()
 */
void ferry_model_reset(struct ferry_instance *inst)
{
	ferry_memory_clear(inst);
	ferry_registers_reset(inst);
}
