/* SPDX-License-Identifier: GPL-2.0-only */
/* A program exports nothing: the Makefile defines EXPORT_SYMBOL_GPL() away. */
#ifndef _FERRY_SHIM_EXPORT_H
#define _FERRY_SHIM_EXPORT_H

#endif /* _FERRY_SHIM_EXPORT_H */
