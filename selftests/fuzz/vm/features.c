// SPDX-License-Identifier: GPL-2.0-only
/*
 * Features of the device, and the streams of its migrations.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "calls.h"

#define FEATURE_DMA_BUF		11

struct feature {
	struct vfio_device_feature head;
	union {
		struct vfio_device_feature_mig_state state;
		struct vfio_device_low_power_entry_with_wakeup wakeup;
		struct vfio_device_feature_dma_logging_control logging;
		struct vfio_device_feature_dma_logging_report report;
		struct {
			__u32 region;
			__u32 open_flags;
			__u32 flags;
			__u32 nr_ranges;
			__u64 ranges[2][2];
		} dma_buf;
		__u32 words[16];
	};
};

static void put_stream(struct world *w, const struct call *c, int fd)
{
	if (fd >= 0)
		slot_put(&w->streams[c->who >> 3 & (STREAMS - 1)], fd);
}

/* An address, of the memory that DMA goes to or of what is around it. */
static __u64 iova_of(__u32 n)
{
	return IOVA + (__u64)(n % (2 * PAGES)) * PAGE;
}

static __u32 report_bits[64];

static void fill(const struct world *w, const struct call *c,
		 struct feature *f, struct vfio_device_feature_dma_logging_range *r)
{
	switch (f->head.flags & VFIO_DEVICE_FEATURE_MASK) {
	case VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE:
		f->state.device_state = c->a;
		f->state.data_fd = -1;
		break;
	case VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP:
		f->wakeup.wakeup_eventfd = slot_get(&w->eventfds[c->a % EVENTFDS]);
		f->wakeup.reserved = c->b >> 28 ? 0 : c->b;
		break;
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_START:
		*r = (struct vfio_device_feature_dma_logging_range) {
			iova_of(c->a), PAGE * (c->b % 256)
		};
		f->logging.page_size = PAGE << (c->b >> 30);
		f->logging.num_ranges = 1 + (c->a >> 29) % 3;
		f->logging.ranges = (uintptr_t)r;
		break;
	case VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT:
		f->report.iova = iova_of(c->a);
		f->report.length = PAGE * (c->b % 256);
		f->report.page_size = PAGE << (c->b >> 30);
		f->report.bitmap = (uintptr_t)report_bits;
		break;
	case FEATURE_DMA_BUF:
		f->dma_buf.region = c->b & 7;
		f->dma_buf.open_flags = O_RDWR | O_CLOEXEC;
		f->dma_buf.nr_ranges = 1 + (c->b >> 3 & 1);
		f->dma_buf.ranges[0][0] = PAGE * (c->a & 0xff);
		f->dma_buf.ranges[0][1] = PAGE * (c->a >> 8 & 0xff);
		f->dma_buf.ranges[1][1] = PAGE * (c->a >> 16 & 0xff);
		break;
	default:
		f->words[0] = c->a;
		f->words[1] = c->b;
	}
}

/*
 * VFIO_DEVICE_FEATURE. @flags: bits 0 to 3 which, 4 to 6 to get, set, probe, 7 nothing but
 * random words, 8 an argsz too small.
 */
int call_feature(struct world *w, const struct call *c)
{
	struct vfio_device_feature_dma_logging_range ranges[3] = {};
	struct feature f = { .head.argsz = sizeof(f) };
	unsigned int feature = c->flags & 15;
	int ret;

	f.head.flags = feature | (__u32)(c->flags >> 4 & 7) << 16;
	if (!(c->flags >> 4 & 7))
		f.head.flags |= VFIO_DEVICE_FEATURE_SET;
	if (c->flags & 1 << 7)
		memset(f.words, (int)c->a, sizeof(f.words));
	else
		fill(w, c, &f, ranges);
	if (c->flags & 1 << 8)
		f.head.argsz = c->b % sizeof(f);
	/* Whatever is there afterwards is the kernel's. */
	if (feature == VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE)
		f.state.data_fd = -1;
	ret = fd_ioctl(call_device(w, c), VFIO_DEVICE_FEATURE, &f);
	if (feature == FEATURE_DMA_BUF)
		put_stream(w, c, ret > 0 ? ret : -1);
	else if (feature == VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE && !ret)
		put_stream(w, c, f.state.data_fd);
	return ret < 0 ? ret : 0;
}

/* To a state, @a; its stream, if it has one, into a slot. */
int call_migrate(struct world *w, const struct call *c)
{
	struct vdev v = { .fd = call_device(w, c) };
	int ret = migration_to(&v, c->a % 10);

	if (ret >= 0)
		put_stream(w, c, ret);
	return ret < 0 ? ret + 1 : 0;
}

/*
 * A stream. @flags: 0 read, 1 write what was read last with one byte changed to what @b
 * says if that is not 0, 2 the same in two parts, 3 precopy info, 4 close. @a: bytes.
 */
int call_stream(struct world *w, const struct call *c)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };
	int *slot = &w->streams[c->who >> 3 & (STREAMS - 1)];
	size_t len = w->stream_len % (STREAM_SIZE + 1);
	int fd = slot_get(slot);
	ssize_t ret;

	switch (c->flags % 5) {
	case 0:
		ret = read(fd, w->stream, c->a ? c->a % STREAM_SIZE : STREAM_SIZE);
		if (ret > 0)
			w->stream_len = ret;
		break;
	case 1:
		if (c->b && len)
			w->stream[c->a % len] = (char)c->b;
		ret = write(fd, w->stream, len);
		break;
	case 2:
		ret = write(fd, w->stream, len ? c->a % len : 0);
		if (ret > 0)
			ret = write(fd, w->stream + ret, len - ret);
		break;
	case 3:
		ret = ioctl(fd, VFIO_MIG_GET_PRECOPY_INFO, &info);
		break;
	default:
		slot_put(slot, -1);
		return 0;
	}
	return ret < 0 ? -errno : 0;
}
