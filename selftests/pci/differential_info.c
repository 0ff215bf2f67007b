// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the device says of itself, for every length of the question.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "differential.h"

#define ANSWER_MAX	1024

/* Capabilities of an answer: ID, version and contents, in the device's order. */
static void chain_text(const __u8 *answer, unsigned int pos, char *text,
		       size_t size)
{
	struct vfio_info_cap_header header;
	unsigned int end, i, hops = 16;
	size_t at = 0;

	text[0] = '\0';
	while (pos && pos + sizeof(header) <= ANSWER_MAX && hops--) {
		memcpy(&header, answer + pos, sizeof(header));
		end = header.next > pos ? header.next : pos + sizeof(header);
		if (!header.next)
			end = pos + 32;
		at += snprintf(text + at, size - at, ",cap%u.%u:", header.id,
			       header.version);
		for (i = pos + sizeof(header); i < end && at + 4 < size; i++)
			at += snprintf(text + at, size - at, "%02x", answer[i]);
		pos = header.next;
	}
}

static void info_fact(struct subject *s, __u32 argsz)
{
	__u8 answer[ANSWER_MAX] = {};
	struct vfio_device_info *info = (void *)answer;
	char key[32], caps[512];
	int ret;

	info->argsz = argsz;
	ret = fd_ioctl(s->v.fd, VFIO_DEVICE_GET_INFO, answer);
	snprintf(key, sizeof(key), "argsz:%u", argsz);
	chain_text(answer, info->cap_offset, caps, sizeof(caps));
	fact(s, "info", key, "%s,argsz:%u,flags:%x,regions:%u,irqs:%u,cap:%u%s",
	     result_name(ret), info->argsz, info->flags, info->num_regions,
	     info->num_irqs, info->cap_offset, caps);
}

static void region_fact(struct subject *s, __u32 index, __u32 argsz)
{
	__u8 answer[ANSWER_MAX] = {};
	struct vfio_region_info *info = (void *)answer;
	char key[48], caps[512];
	int ret;

	info->argsz = argsz;
	info->index = index;
	ret = fd_ioctl(s->v.fd, VFIO_DEVICE_GET_REGION_INFO, answer);
	snprintf(key, sizeof(key), "index:%d/argsz:%u", (int)index, argsz);
	chain_text(answer, info->cap_offset, caps, sizeof(caps));
	fact(s, "region-info", key,
	     "%s,argsz:%u,flags:%x,cap:%u,size:%llx,offset:%llx%s",
	     result_name(ret), info->argsz, info->flags, info->cap_offset,
	     (unsigned long long)info->size, (unsigned long long)info->offset,
	     caps);
}

static void irq_fact(struct subject *s, __u32 index, __u32 argsz)
{
	__u8 answer[ANSWER_MAX] = {};
	struct vfio_irq_info *info = (void *)answer;
	char key[48];
	int ret;

	info->argsz = argsz;
	info->index = index;
	ret = fd_ioctl(s->v.fd, VFIO_DEVICE_GET_IRQ_INFO, answer);
	snprintf(key, sizeof(key), "index:%d%s/argsz:%u", (int)index,
		 index == VFIO_PCI_ERR_IRQ_INDEX && s->layout->conventional ?
		 "-conventional" : "", argsz);
	fact(s, "irq-info", key, "%s,argsz:%u,flags:%x,count:%u",
	     result_name(ret), info->argsz, info->flags, info->count);
}

/* Numbers of ioctls that a VFIO device has, and more, with a bad pointer. */
static void ioctl_facts(struct subject *s)
{
	unsigned int nr;
	char key[32];

	for (nr = 0; nr < 64; nr++) {
		if (VFIO_BASE + nr == _IOC_NR(VFIO_DEVICE_RESET))
			continue;
		snprintf(key, sizeof(key), "nr:%u", nr);
		fact(s, "ioctl.fault", key, "%s",
		     result_name(fd_ioctl(s->v.fd,
					  _IO(VFIO_TYPE, VFIO_BASE + nr),
					  (void *)8)));
	}
	fact(s, "ioctl.fault", "type", "%s",
	     result_name(fd_ioctl(s->v.fd, _IO('x', VFIO_BASE), NULL)));
}

/* What may be written behind the name of a device that is asked for. */
static void name_facts(struct subject *s)
{
	static const char *const tails[] = {
		"", " ", "x", " x", "=", " vf_token",
		" vf_token=", " vf_token=x",
		" vf_token=00000000-0000-0000-0000-000000000000",
		" vf_token=fe44d0f0-6e5f-4a7e-8d51-000000000000",
		" vf_token=fe44d0f0-6e5f-4a7e-8d51-000000000000x",
		" vf_token=fe44d0f0-6e5f-4a7e-8d51-000000000000 vf_token=fe44d0f0-6e5f-4a7e-8d51-000000000000",
	};
	unsigned int i;
	char key[32];
	int ret;

	for (i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		ret = vdev_open_named(&s->v, tails[i]);
		if (ret >= 0) {
			close(ret);
			ret = 0;
		}
		snprintf(key, sizeof(key), "tail:%u", i);
		fact(s, "open", key, "%s", result_name(ret));
	}
}

void record_info(struct subject *s)
{
	static const __u32 sizes[] = {
		0, 4, 8, 12, 15, 16, 19, 20, 23, 24, 31, 32, 40, 56, 64,
		ANSWER_MAX, 0x7fffffff, ~0U,
	};
	static const __u32 indexes[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 63, 255, 0x7fffffff, ~0U,
	};
	unsigned int i, j;

	if (subject_open(s))
		return;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		info_fact(s, sizes[i]);
		for (j = 0; j < sizeof(indexes) / sizeof(*indexes); j++) {
			region_fact(s, indexes[j], sizes[i]);
			irq_fact(s, indexes[j], sizes[i]);
		}
	}
	ioctl_facts(s);
	name_facts(s);
	subject_close(s);
}
