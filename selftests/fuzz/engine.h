/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers of the DMA engine.
 */
#ifndef _FERRY_FUZZ_ENGINE_H
#define _FERRY_FUZZ_ENGINE_H

#include <borrowed.h>
#include <uapi/ferry/dma.h>

#include "mdev.h"

u32 engine_reg(struct ferry_instance *inst, u32 off);
void engine_set_reg(struct ferry_instance *inst, u32 off, u32 value);
/* They have values that they can have, whatever was written to them. */
void engine_check(struct ferry_instance *inst);

#endif /* _FERRY_FUZZ_ENGINE_H */
