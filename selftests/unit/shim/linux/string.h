/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel names for user space: memory functions. */
#ifndef _FERRY_SHIM_STRING_H
#define _FERRY_SHIM_STRING_H

#include <string.h>

#endif /* _FERRY_SHIM_STRING_H */
