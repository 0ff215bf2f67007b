// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device shall claim in its configuration space, by the helper module
 * ferry-overlay-test.
 */
#include <stdio.h>

#include "ferrytest.h"

#define OVERLAY	"/sys/module/ferry_overlay_test/parameters/bits"

bool overlay_exists(void)
{
	return path_exists(OVERLAY);
}

/* Have the bits in @mask of the dword at @pos read as those of @value. */
int overlay_add(const char *bdf, unsigned int pos, __u32 mask, __u32 value)
{
	char text[128];

	snprintf(text, sizeof(text), "%s %x %x %x", bdf, pos, mask, value);
	return text_write(OVERLAY, text);
}

int overlay_clear(void)
{
	return text_write(OVERLAY, "\n");
}
