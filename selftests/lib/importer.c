// SPDX-License-Identifier: GPL-2.0-only
/*
 * An importer of dma-bufs, the helper module ferry-import-test: each open file is one
 * attachment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ferrytest.h"

#define PATH	"/dev/ferry-import-test"

/* The module is loaded, which it can be only where the kernel has what it takes. */
bool importer_exists(void)
{
	return path_exists(PATH);
}

/* A descriptor to close in the end, which detaches too. */
int importer_open(void)
{
	int fd = open(PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* "map", "unmap" or "detach" */
int importer_say(int importer, const char *command)
{
	return write(importer, command, strlen(command)) < 0 ? -errno : 0;
}

/* @bdf is the PCI device that would do DMA; @kind is one of the module's. */
int importer_attach(int importer, int buf, const char *bdf, const char *kind)
{
	char command[64];

	snprintf(command, sizeof(command), "%s %d %s %s", "attach", buf, bdf,
		 kind);
	return importer_say(importer, command);
}

struct import importer_look(int importer)
{
	char text[128] = "";
	struct import s = { .mapped = -1 };

	if (pread(importer, text, sizeof(text) - 1, 0) > 0)
		sscanf(text, "%d %u %llx %llx", &s.mapped, &s.moves, &s.addr,
		       &s.len);
	return s;
}
