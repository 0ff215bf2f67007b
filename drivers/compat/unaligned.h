/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the accessors of unaligned memory are: in an architecture's header until 6.12.
 */
#ifndef FERRY_COMPAT_UNALIGNED_H
#define FERRY_COMPAT_UNALIGNED_H

#ifdef FERRY_HAVE_LINUX_UNALIGNED
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#endif /* FERRY_COMPAT_UNALIGNED_H */
