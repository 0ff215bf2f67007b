/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations of ttys, whose types have changed: lengths became size_t, characters
 * u8, and truth values bool.
 */
#ifndef FERRY_COMPAT_TTY_H
#define FERRY_COMPAT_TTY_H

#include <linux/types.h>

#ifdef FERRY_HAVE_TTY_SIZE_T
#define FERRY_TTY_LEN	size_t
#define FERRY_TTY_RET	ssize_t
#else
#define FERRY_TTY_LEN	int
#define FERRY_TTY_RET	int
#endif

#ifdef FERRY_HAVE_TTY_XCHAR_U8
#define FERRY_TTY_CHAR	u8
#else
#define FERRY_TTY_CHAR	char
#endif

#ifdef FERRY_HAVE_TTY_PORT_BOOL
#define FERRY_TTY_BOOL	bool
#else
#define FERRY_TTY_BOOL	int
#endif

#endif /* FERRY_COMPAT_TTY_H */
