/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel names for user space: what the compiler is told. */
#ifndef _FERRY_SHIM_COMPILER_H
#define _FERRY_SHIM_COMPILER_H

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val)	((void)(*(volatile __typeof__(x) *)&(x) = (val)))

#endif /* _FERRY_SHIM_COMPILER_H */
