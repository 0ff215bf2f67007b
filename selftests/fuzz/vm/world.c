// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the threads share, from one input to the next. A mediated device is opened for
 * each input. A physical one takes a second for the two resets of that: it stays
 * open until an input closes it or takes it away, or for so many inputs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"

/* Inputs for which a physical device stays open. */
#define KEPT	32

static void fail(const struct world *w, int line, const char *what, int ret)
{
	fprintf(stderr, __FILE__ ":%d: %s %s: %s: %d\n", line, w->target->name,
		w->iommufd ? "by iommufd" : "by its group", what, ret);
	abort();
}

static void slots_none(int *slots, unsigned int n)
{
	while (n--)
		*slots++ = -1;
}

/* The descriptor in a slot, or -1; another thread may close it at once. */
int slot_get(const int *slot)
{
	return __atomic_load_n(slot, __ATOMIC_SEQ_CST);
}

/* Puts another one, or -1, into a slot, and closes the one that was there. */
void slot_put(int *slot, int fd)
{
	fd = __atomic_exchange_n(slot, fd < 0 ? -1 : fd, __ATOMIC_SEQ_CST);
	if (fd >= 0)
		close(fd);
}

static void slots_close(int *slots, unsigned int n)
{
	while (n--)
		slot_put(slots++, -1);
}

void world_make(struct world *w)
{
	memset(w, 0, sizeof(*w));
	slots_none(w->devices, DEVICES);
	slots_none(w->eventfds, EVENTFDS);
	slots_none(w->streams, STREAMS);
	w->windows = mmap(NULL, WINDOWS * WINDOW_SIZE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	w->memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->windows == MAP_FAILED || w->memory == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
}

/* A device that was opened afresh is the one that it has always been. */
static void look(struct world *w)
{
	struct vfio_region_info info;
	__u32 says = 0, i;
	ssize_t got;

	w->v.fd = w->devices[0];
	for (i = 0; i < BARS; i++)
		w->sizes[i] = region_info(&w->v, i, &info) ? 0 : info.size;
	w->v.fd = -1;
	got = pread(w->devices[0], &says, sizeof(says),
		    (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40);
	if (got != sizeof(says))
		fail(w, __LINE__, "its ID cannot be read", got < 0 ? -errno : (int)got);
	if (!w->target->says)
		w->target->says = says;
	if (says != w->target->says)
		fail(w, __LINE__, "it has another ID", (int)says);
}

static void open_device(struct world *w)
{
	int ret;

	if (w->iommufd) {
		ret = vdev_open_iommufd(&w->v, w->target->bus, w->target->id);
		if (ret == -ENOENT)
			w->iommufd = false;
		else if (ret)
			fail(w, __LINE__, "it cannot be opened", ret);
	}
	if (!w->iommufd) {
		ret = vdev_open(&w->v, w->target->bus, w->target->id);
		if (ret)
			fail(w, __LINE__, "it cannot be opened", ret);
	}
	w->devices[0] = w->v.fd;
	w->v.fd = -1;
	look(w);
}

/**
 * world_open - make everything ready for an input
 * @w: the world
 * @t: the device
 * @iommufd: by its character device, where there are such
 */
void world_open(struct world *w, struct target *t, bool iommufd)
{
	static unsigned int kept;
	static bool asked;
	unsigned int i;

	if (w->target && (w->target != t || asked != iommufd ||
			  w->devices[0] < 0 || ++kept >= KEPT))
		world_close(w);
	for (i = 0; i < EVENTFDS; i++)
		w->eventfds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	memset(w->memory, 0, PAGES * PAGE);
	w->stream_len = 0;
	if (w->target)
		return;
	kept = 0;
	asked = iommufd;
	w->target = t;
	w->iommufd = iommufd;
	open_device(w);
}

static void windows_close(struct world *w)
{
	if (mmap(w->windows, WINDOWS * WINDOW_SIZE, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		fail(w, __LINE__, "munmap", -errno);
}

/* After an input: a physical device stays open, and nothing else. */
void world_tidy(struct world *w)
{
	unsigned int i;

	windows_close(w);
	slots_close(w->streams, STREAMS);
	if (!w->target->writable || w->devices[0] < 0) {
		world_close(w);
	} else {
		slots_close(w->devices + 1, DEVICES - 1);
		w->v.fd = w->devices[0];
		for (i = 0; i < VFIO_PCI_NUM_IRQS; i++)
			irq_disable(&w->v, i);
		w->v.fd = -1;
		dma_unmap(&w->v, 0, IOVA + 2 * PAGES * PAGE);
	}
	slots_close(w->eventfds, EVENTFDS);
}

/* Closes the device as well. */
void world_close(struct world *w)
{
	if (!w->target)
		return;
	slots_close(w->devices, DEVICES);
	vdev_close(&w->v);
	w->target = NULL;
}
