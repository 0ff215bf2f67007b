// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts, eventfds that carry them, and eventfds that write to a region.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "calls.h"

#define FDS_MAX	64

/* One of the eventfds; of sixteen choices some are none, closed, or no eventfd. */
static int choose_fd(const struct world *w, unsigned int choice)
{
	switch (choice & 15) {
	case 8:
	case 9:
		return -1;
	case 10:
		return FERRY_NO_FD;
	case 11:
		return slot_get(&w->devices[0]);
	case 12:
	case 13:
		return slot_get(&w->eventfds[0]);
	default:
		return slot_get(&w->eventfds[choice & 7]);
	}
}

/*
 * VFIO_DEVICE_SET_IRQS. @flags: bits 0 to 2 the index, 3 and 4 the data, 5 and 6 the
 * action, 7 both as they are in @a, 8 a start and 9 a count that is large, 10 an argsz
 * too small, 11 the same eventfd for all. @a: start and count, a byte each. @b: eventfds,
 * four bits for each of the first eight, and over again; or bools.
 */
int call_irqs(struct world *w, const struct call *c)
{
	struct {
		struct vfio_irq_set set;
		union {
			__s32 fds[FDS_MAX];
			__u8 bools[FDS_MAX * 4];
		} data;
	} arg = {};
	unsigned int i;

	arg.set.index = c->flags & 7;
	arg.set.flags = 1U << (c->flags >> 3 & 3) % 3;
	arg.set.flags |= VFIO_IRQ_SET_ACTION_MASK << (c->flags >> 5 & 3) % 3;
	if (c->flags & 1 << 7)
		arg.set.flags = c->a >> 16;
	arg.set.start = c->flags & 1 << 8 ? c->a : c->a & 0xf;
	arg.set.count = c->flags & 1 << 9 ? c->a : (c->a >> 8) % FDS_MAX;
	arg.set.argsz = sizeof(arg);
	if (c->flags & 1 << 10)
		arg.set.argsz = c->b % sizeof(arg);
	if (arg.set.flags & VFIO_IRQ_SET_DATA_BOOL)
		for (i = 0; i < sizeof(arg.data.bools); i++)
			arg.data.bools[i] = c->b >> (i % 8 * 4);
	else
		for (i = 0; i < FDS_MAX; i++)
			arg.data.fds[i] = choose_fd(w, c->flags & 1 << 11 ?
						    0 : c->b >> (i % 8 * 4));
	return fd_ioctl(call_device(w, c), VFIO_DEVICE_SET_IRQS, &arg);
}

/*
 * VFIO_DEVICE_IOEVENTFD. @flags: bits 0 to 3 the region, 4 to 6 the width, 7 others than
 * widths, 8 to 11 the eventfd. @a: where in the region. @b: what it writes.
 */
int call_ioeventfd(struct world *w, const struct call *c)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = c->flags & 1 << 7 ? c->flags >> 4 :
			 1U << (c->flags >> 4 & 3),
		.offset = (__u64)(c->flags & 15) << 40 | (c->a & 0xffffff),
		.data = c->b,
		.fd = choose_fd(w, c->flags >> 8),
	};

	/* Of a physical device only what may be written. */
	if (w->target->writable)
		arg.offset = (__u64)w->target->writable->bar << 40 |
			     w->target->writable->start;
	return fd_ioctl(call_device(w, c), VFIO_DEVICE_IOEVENTFD, &arg);
}

/* An eventfd is replaced, closed, signalled or read. @flags: which, of @a. */
int call_eventfd(struct world *w, const struct call *c)
{
	int *slot = &w->eventfds[c->a % EVENTFDS];
	__u64 n = 1 + c->b;
	ssize_t ret;

	switch (c->flags & 3) {
	case 0:
		slot_put(slot, eventfd(c->b & 1, EFD_NONBLOCK | EFD_CLOEXEC));
		return 0;
	case 1:
		slot_put(slot, -1);
		return 0;
	case 2:
		ret = write(slot_get(slot), &n, sizeof(n));
		break;
	default:
		ret = read(slot_get(slot), &n, sizeof(n));
	}
	return ret < 0 ? -errno : 0;
}
