/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel names for user space: what the compiler is told. */
#ifndef _FERRY_SHIM_COMPILER_H
#define _FERRY_SHIM_COMPILER_H

#define unlikely(x)		__builtin_expect(!!(x), 0)

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val)	__atomic_store_n(&(x), val, __ATOMIC_RELAXED)

#endif /* _FERRY_SHIM_COMPILER_H */
