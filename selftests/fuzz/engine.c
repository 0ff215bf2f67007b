// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of the DMA engine, as include/uapi/ferry/dma.h says.
 */
#include "engine.h"
#include "test.h"

u32 engine_reg(struct ferry_instance *inst, u32 off)
{
	return inst->model->read(inst, FERRY_DMA_BAR_REGS, off, 4);
}

void engine_set_reg(struct ferry_instance *inst, u32 off, u32 value)
{
	inst->model->write(inst, FERRY_DMA_BAR_REGS, off, 4, value);
}

static void check_bits(struct ferry_instance *inst, u32 off, u32 bits)
{
	CHECK_EQ(engine_reg(inst, off) & ~bits, 0);
}

void engine_check(struct ferry_instance *inst)
{
	const u32 ints = FERRY_DMA_INT_DONE | FERRY_DMA_INT_HALT |
			 FERRY_DMA_INT_RAISE;

	CHECK_EQ(engine_reg(inst, FERRY_DMA_ID), FERRY_DMA_MAGIC);
	CHECK_EQ(engine_reg(inst, FERRY_DMA_VECTORS),
		 inst->model->msix.vectors);
	check_bits(inst, FERRY_DMA_CONTROL,
		   FERRY_DMA_CTRL_ENABLE | FERRY_DMA_CTRL_POLL);
	CHECK(engine_reg(inst, FERRY_DMA_ERROR) <= FERRY_DMA_ERROR_WRITE);
	check_bits(inst, FERRY_DMA_INT_STATUS, ints);
	check_bits(inst, FERRY_DMA_INT_ENABLE, ints);
	CHECK_EQ(instance_level(inst),
		 !!(engine_reg(inst, FERRY_DMA_INT_STATUS) &
		    engine_reg(inst, FERRY_DMA_INT_ENABLE)));
	CHECK(engine_reg(inst, FERRY_DMA_ERROR_VECTOR) <
	      inst->model->msix.vectors);
	check_bits(inst, FERRY_DMA_FAULT, 0x3f);
	CHECK(engine_reg(inst, FERRY_DMA_FAULT_DELAY) <= FERRY_DMA_DELAY_MAX);
}
