/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel names for user space: arithmetic. */
#ifndef _FERRY_SHIM_KERNEL_H
#define _FERRY_SHIM_KERNEL_H

#include <linux/types.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* @to is a power of two. */
#define ALIGN(val, to) ({						\
	__typeof__(val) _mask = (to) - 1;				\
	((val) + _mask) & ~_mask; })

/* Like the kernel's, these refuse to compare different types. */
#define min(a, b) ({							\
	__typeof__(a) _min_a = (a);					\
	__typeof__(b) _min_b = (b);					\
	(void)(&_min_a == &_min_b);					\
	_min_a < _min_b ? _min_a : _min_b; })
#define max(a, b) ({							\
	__typeof__(a) _max_a = (a);					\
	__typeof__(b) _max_b = (b);					\
	(void)(&_max_a == &_max_b);					\
	_max_a > _max_b ? _max_a : _max_b; })
#define min_t(type, a, b) ({						\
	type _min_a = (a);						\
	type _min_b = (b);						\
	_min_a < _min_b ? _min_a : _min_b; })

#endif /* _FERRY_SHIM_KERNEL_H */
