// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code of the trace events, and those that drivers raise too.
 */
#define CREATE_TRACE_POINTS
#include "core/trace.h"

EXPORT_TRACEPOINT_SYMBOL_GPL(ferry_reset);
EXPORT_TRACEPOINT_SYMBOL_GPL(ferry_power);
EXPORT_TRACEPOINT_SYMBOL_GPL(ferry_region_write);
