/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel names for user space: error numbers. */
#ifndef _FERRY_SHIM_ERRNO_H
#define _FERRY_SHIM_ERRNO_H

#include_next <linux/errno.h>

#endif /* _FERRY_SHIM_ERRNO_H */
