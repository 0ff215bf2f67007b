// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of a VFIO device, and the eventfds that carry them.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ferrytest.h"

int efd_new(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* What an eventfd counted since it was last read; 0 is nothing. */
__u64 efd_take(int efd)
{
	__u64 count;

	return read(efd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

/* The same, after waiting for it; 0 when nothing comes for ever so long. */
__u64 efd_wait(int efd)
{
	struct pollfd pfd = { .fd = efd, .events = POLLIN };

	if (poll(&pfd, 1, FERRY_TIMEOUT_MS) != 1)
		return 0;
	return efd_take(efd);
}

/* By which number the kernel knows an eventfd. */
int efd_number(int efd)
{
	char path[64], text[FERRY_TEXT_MAX];
	const char *found;
	int ret;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", efd);
	ret = text_read(path, text, sizeof(text));
	if (ret < 0)
		return ret;
	found = strstr(text, "eventfd-id:");
	return found ? atoi(found + strlen("eventfd-id:")) : -ENOENT;
}

int irq_set(const struct vdev *v, __u32 flags, __u32 index, __u32 start,
	    __u32 count, const void *data, size_t len)
{
	struct vfio_irq_set *set = calloc(1, sizeof(*set) + len);
	int ret;

	if (!set)
		return -ENOMEM;
	set->argsz = sizeof(*set) + len;
	set->flags = flags;
	set->index = index;
	set->start = start;
	set->count = count;
	if (len)
		memcpy(set->data, data, len);
	ret = fd_ioctl(v->fd, VFIO_DEVICE_SET_IRQS, set);
	free(set);
	return ret;
}

int irq_attach(const struct vdev *v, __u32 index, __u32 start, __u32 count,
	       const int *fds)
{
	return irq_set(v, VFIO_IRQ_SET_DATA_EVENTFD |
		       VFIO_IRQ_SET_ACTION_TRIGGER, index, start, count,
		       fds, count * sizeof(*fds));
}

int irq_attach_one(const struct vdev *v, __u32 index, __u32 start, int efd)
{
	return irq_attach(v, index, start, 1, &efd);
}

/* Loopback: the kernel signals the vectors itself. */
int irq_fire(const struct vdev *v, __u32 index, __u32 start, __u32 count)
{
	return irq_set(v, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		       index, start, count, NULL, 0);
}

/* Masks or unmasks the only vector of an index. */
int irq_act(const struct vdev *v, __u32 index, __u32 action)
{
	return irq_set(v, VFIO_IRQ_SET_DATA_NONE | action, index, 0, 1,
		       NULL, 0);
}

int irq_disable(const struct vdev *v, __u32 index)
{
	return irq_fire(v, index, 0, 0);
}

/* How many lines of /proc/interrupts contain @what. */
int irq_lines(const char *what)
{
	FILE *f = fopen("/proc/interrupts", "re");
	char *line = NULL;
	size_t size = 0;
	int count = 0;

	if (!f)
		return -errno;
	while (getline(&line, &size, f) > 0)
		count += !!strstr(line, what);
	free(line);
	fclose(f);
	return count;
}
