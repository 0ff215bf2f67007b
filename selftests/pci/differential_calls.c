// SPDX-License-Identifier: GPL-2.0-only
/*
 * The other calls: features, ioeventfds, resets.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "differential.h"

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

/* Numbers of features, which older headers lack. */
#define LOW_POWER_ENTRY		3
#define LOW_POWER_WAKEUP	4
#define LOW_POWER_EXIT		5
#define FEATURES		16

static int feature(struct subject *s, __u32 flags, __u32 argsz,
		   const void *data, size_t len)
{
	__u8 call[256] = {};
	struct vfio_device_feature *f = (void *)call;

	f->argsz = argsz;
	f->flags = flags;
	if (data)
		memcpy(f->data, data, len);
	return fd_ioctl(s->v.fd, VFIO_DEVICE_FEATURE, f);
}

static void feature_grid(struct subject *s)
{
	static const __u32 actions[] = {
		0, VFIO_DEVICE_FEATURE_GET, VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_PROBE,
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET,
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET |
			VFIO_DEVICE_FEATURE_SET,
		VFIO_DEVICE_FEATURE_PROBE | (1U << 19),
		VFIO_DEVICE_FEATURE_SET | (1U << 31),
	};
	static const __u32 sizes[] = { 0, 7, 8, 9, 12, 16, 24, 40, 256 };
	unsigned int i, j, n;
	char key[64];

	for (n = 0; n <= FEATURES; n++) {
		__u32 nr = n == FEATURES ? 0xffff : n;

		for (i = 0; i < COUNT(actions); i++) {
			for (j = 0; j < COUNT(sizes); j++) {
				snprintf(key, sizeof(key), "%u/%x/%u", nr,
					 actions[i], sizes[j]);
				fact(s, "feature", key, "%s",
				     result_name(feature(s, nr | actions[i],
							 sizes[j], NULL, 0)));
			}
		}
		/* Entering low power is undone before the next one. */
		feature(s, LOW_POWER_EXIT | VFIO_DEVICE_FEATURE_SET, 8, NULL,
			0);
	}
}

static void power_step(struct subject *s, const char *key, unsigned int nr,
		       int efd)
{
	struct {
		__s32 efd;
		__u32 reserved;
	} data = { efd, 0 };
	__u32 size = nr == LOW_POWER_WAKEUP ? 16 : 8;

	fact(s, "low-power", key, "%s",
	     result_name(feature(s, nr | VFIO_DEVICE_FEATURE_SET, size, &data,
				 sizeof(data))));
}

/* Into low power and out of it, with what is refused on the way. */
static void power_sequence(struct subject *s)
{
	int efd = efd_new();
	char buf[4];

	power_step(s, "00-exit", LOW_POWER_EXIT, -1);
	power_step(s, "01-enter", LOW_POWER_ENTRY, -1);
	power_step(s, "02-enter", LOW_POWER_ENTRY, -1);
	power_step(s, "03-enter-wakeup", LOW_POWER_WAKEUP, efd);
	fact(s, "low-power", "04-config", "%s",
	     result_name(pread(s->v.fd, buf, 4,
			       (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)));
	power_step(s, "05-exit", LOW_POWER_EXIT, -1);
	power_step(s, "06-exit", LOW_POWER_EXIT, -1);
	power_step(s, "07-wakeup-minus-one", LOW_POWER_WAKEUP, -1);
	power_step(s, "08-wakeup-minus-two", LOW_POWER_WAKEUP, -2);
	power_step(s, "09-wakeup-closed", LOW_POWER_WAKEUP, FERRY_NO_FD);
	power_step(s, "10-exit", LOW_POWER_EXIT, -1);
	power_step(s, "11-wakeup", LOW_POWER_WAKEUP, efd);
	/* Any call wakes the device, which ends low power and is signalled. */
	subject_sleeps(s, "low-power", "12-sleep");
	fact(s, "low-power", "13-config", "%s",
	     result_name(pread(s->v.fd, buf, 4,
			       (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)));
	fact(s, "low-power", "14-signals", "%llu",
	     (unsigned long long)efd_take(efd));
	power_step(s, "15-enter", LOW_POWER_ENTRY, -1);
	subject_sleeps(s, "low-power", "16-sleep");
	power_step(s, "17-exit", LOW_POWER_EXIT, -1);
	close(efd);
}

void record_features(struct subject *s)
{
	if (subject_open(s))
		return;
	feature_grid(s);
	power_sequence(s);
	subject_close(s);
}

static int ioeventfd(struct subject *s, __u32 argsz, __u32 flags,
		     __u64 offset, int fd)
{
	struct vfio_device_ioeventfd call = {
		.argsz = argsz,
		.flags = flags,
		.offset = offset,
		.data = 0x5aa5,
		.fd = fd,
	};

	return fd_ioctl(s->v.fd, VFIO_DEVICE_IOEVENTFD, &call);
}

static void ioeventfd_fact(struct subject *s, const char *where, __u32 flags,
			   __u64 offset, const char *name, int fd)
{
	char key[96];
	int ret;

	snprintf(key, sizeof(key), "%s/flags:%x/%s", where, flags, name);
	ret = ioeventfd(s, sizeof(struct vfio_device_ioeventfd), flags, offset,
			fd);
	fact(s, "ioeventfd", key, "%s", result_name(ret));
	if (ret || fd < 0)
		return;
	/* A second one, then away with it, twice. */
	strcat(key, "/again");
	fact(s, "ioeventfd", key, "%s",
	     result_name(ioeventfd(s, 32, flags, offset, fd)));
	ret = ioeventfd(s, 32, flags, offset, -1);
	strcat(key, "/off");
	fact(s, "ioeventfd", key, "%s", result_name(ret));
}

/*
 * No offset here is negative: kernels before 6.13 look such a region up in
 * front of their table.
 */
static void ioeventfd_grid(struct subject *s)
{
	static const __u32 flags[] = { 0, 1, 2, 3, 4, 5, 8, 12, 15, 16, ~0U };
	static const __u64 places[] = { 0, 1, 2, 4, 6, 7 };
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int index, i, j;
	int efd = efd_new();
	char where[32], key[32];
	__u64 base, size;

	for (index = 0; index <= VFIO_PCI_CONFIG_REGION_INDEX + 3; index++) {
		base = (__u64)index << 40;
		size = index < VFIO_PCI_VGA_REGION_INDEX ?
		       region_size(&s->v, index) : 0;
		for (i = 0; i < COUNT(flags); i++) {
			for (j = 0; j < COUNT(places); j++) {
				snprintf(where, sizeof(where), "%u+%llu",
					 index, places[j]);
				ioeventfd_fact(s, where, flags[i],
					       base + places[j], "eventfd",
					       efd);
				snprintf(where, sizeof(where), "%u-end-%llu",
					 index, places[j]);
				if (size > 8)
					ioeventfd_fact(s, where, flags[i],
						       base + size - places[j],
						       "eventfd", efd);
			}
			snprintf(where, sizeof(where), "%u+0", index);
			ioeventfd_fact(s, where, flags[i], base, "-1", -1);
			ioeventfd_fact(s, where, flags[i], base, "-2", -2);
			ioeventfd_fact(s, where, flags[i], base, "closed",
				       FERRY_NO_FD);
			ioeventfd_fact(s, where, flags[i], base, "file", file);
		}
	}
	for (i = 0; i <= 40; i += 4) {
		snprintf(key, sizeof(key), "argsz:%u", i);
		fact(s, "ioeventfd", key, "%s",
		     result_name(ioeventfd(s, i, 4, 0, -1)));
	}
	close(file);
	close(efd);
}

static int hot_reset(struct subject *s, __u32 argsz, __u32 flags, __u32 count,
		     int first, int second)
{
	struct {
		struct vfio_pci_hot_reset hdr;
		__s32 fds[2];
	} call = {
		.hdr = { .argsz = argsz, .flags = flags, .count = count },
		.fds = { first, second },
	};
	int ret, tries = 1000;

	do
		ret = fd_ioctl(s->v.fd, VFIO_DEVICE_PCI_HOT_RESET, &call);
	while (ret == -EAGAIN && tries--);
	return ret;
}

static void hot_reset_info(struct subject *s)
{
	static const __u32 sizes[] = { 0, 8, 11, 12, 16, 19, 20, 28, 36, 256 };
	__u8 answer[1024];
	struct vfio_pci_hot_reset_info *info = (void *)answer;
	const struct vfio_pci_dependent_device *d = info->devices;
	unsigned int i, j;
	char key[32], text[256];
	int ret;

	for (i = 0; i < COUNT(sizes); i++) {
		memset(answer, 0, sizeof(answer));
		info->argsz = sizes[i];
		ret = fd_ioctl(s->v.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
			       info);
		text[0] = '\0';
		for (j = 0; !ret && j < info->count && j < 8; j++)
			snprintf(text + strlen(text), 32, ",%x:%x:%x:%x",
				 d[j].group_id, d[j].segment, d[j].bus,
				 d[j].devfn);
		snprintf(key, sizeof(key), "argsz:%u", sizes[i]);
		fact(s, "hot-reset-info", key, "%s,flags:%x,count:%u%s",
		     result_name(ret), info->flags, info->count, text);
	}
}

static void hot_reset_facts(struct subject *s)
{
	static const __u32 sizes[] = { 0, 8, 11, 12, 15 };
	const __u32 full = sizeof(struct vfio_pci_hot_reset) + sizeof(__s32);
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int group = s->v.group, device = s->v.fd;
	const struct {
		const char *key;
		__u32 argsz, flags, count;
		int first, second;
	} calls[] = {
		{ "none", full, 0, 0, -1, -1 },
		{ "flags:1", full, 1, 1, group, -1 },
		{ "flags:max", full, ~0U, 1, group, -1 },
		{ "count:max", full, 0, ~0U, group, -1 },
		{ "count:4096", full, 0, 4096, group, -1 },
		{ "count:2", full, 0, 2, group, -1 },
		{ "minus-one", full, 0, 1, -1, -1 },
		{ "closed", full, 0, 1, FERRY_NO_FD, -1 },
		{ "file", full, 0, 1, file, -1 },
		{ "device", full, 0, 1, device, -1 },
		{ "container", full, 0, 1, s->v.container, -1 },
		{ "twice", full + 4, 0, 2, group, group },
		{ "one-bad", full + 4, 0, 2, group, FERRY_NO_FD },
		{ "group", full, 0, 1, group, -1 },
	};
	char key[32];
	unsigned int i;

	for (i = 0; i < COUNT(sizes); i++) {
		snprintf(key, sizeof(key), "argsz:%u", sizes[i]);
		fact(s, "hot-reset", key, "%s",
		     result_name(hot_reset(s, sizes[i], 0, 1, group, -1)));
	}
	for (i = 0; i < COUNT(calls); i++)
		fact(s, "hot-reset", calls[i].key, "%s",
		     result_name(hot_reset(s, calls[i].argsz, calls[i].flags,
					   calls[i].count, calls[i].first,
					   calls[i].second)));
	close(file);
}

/* What a reset leaves, after a user has changed what he can. */
static void reset_facts(struct subject *s, const char *name,
			int (*reset)(struct subject *s))
{
	const struct vdev *v = &s->v;
	__u8 bytes[64];
	char key[48];
	int efd = efd_new();

	cfg_w32(v, PCI_BASE_ADDRESS_0, ~0U);
	cfg_w8(v, PCI_INTERRUPT_LINE, 0x5a);
	cfg_command(v, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		    PCI_COMMAND_INTX_DISABLE);
	fact(s, "reset", name, "%s", result_name(reset(s)));
	snprintf(key, sizeof(key), "%s-header", name);
	if (pread(v->fd, bytes, sizeof(bytes),
		  (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) == sizeof(bytes))
		fact_bytes(s, "reset.user", key, 0, bytes, sizeof(bytes));
	if (pread(s->hw, bytes, sizeof(bytes), 0) == sizeof(bytes))
		fact_bytes(s, "reset.hw", key, 0, bytes, sizeof(bytes));
	/* Interrupts that are enabled stay enabled. */
	snprintf(key, sizeof(key), "%s-req", name);
	irq_attach_one(v, VFIO_PCI_REQ_IRQ_INDEX, 0, efd);
	reset(s);
	fact(s, "reset", key, "%s",
	     result_name(irq_fire(v, VFIO_PCI_REQ_IRQ_INDEX, 0, 1)));
	close(efd);
}

static int reset_function(struct subject *s)
{
	return vdev_reset(&s->v);
}

void record_resets(struct subject *s)
{
	if (subject_open(s))
		return;
	ioeventfd_grid(s);
	hot_reset_info(s);
	hot_reset_facts(s);
	reset_facts(s, "function", reset_function);
	subject_close(s);
}
