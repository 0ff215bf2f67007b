/* SPDX-License-Identifier: GPL-2.0-only */
/* The space of a function that does not exist; see emulated.c. */
#ifndef _FERRY_FUZZ_EMULATED_H
#define _FERRY_FUZZ_EMULATED_H

#include "input.h"

void emulated_function(struct input *in);

#endif /* _FERRY_FUZZ_EMULATED_H */
