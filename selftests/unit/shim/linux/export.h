/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel names for user space: a program exports nothing. */
#ifndef _FERRY_SHIM_EXPORT_H
#define _FERRY_SHIM_EXPORT_H

#define EXPORT_SYMBOL_GPL(name)

#endif /* _FERRY_SHIM_EXPORT_H */
