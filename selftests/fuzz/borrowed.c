// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions of shim/borrowed.h that have more than a line.
 */
#include <borrowed.h>

unsigned long jiffies = 1000;
unsigned int spinning;

void *alloc_zeroed(size_t n, size_t size)
{
	might_sleep();
	return calloc(n, size);
}

ssize_t (strscpy)(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
	return len;
}

void *memchr_inv(const void *start, int c, size_t size)
{
	const u8 *p = start;

	/* Each byte is as the one before it. */
	if (!size || (*p == (u8)c && !memcmp(p, p + 1, size - 1)))
		return NULL;
	while (*p == (u8)c)
		p++;
	return (void *)p;
}

u32 crc32_le(u32 crc, const void *buf, size_t len)
{
	static u32 table[256];
	const u8 *p = buf;
	unsigned int i, bit;
	u32 entry;

	for (i = 0; i < 256 && !table[255]; i++) {
		entry = i;
		for (bit = 0; bit < 8; bit++)
			entry = entry >> 1 ^ (entry & 1 ? 0xedb88320 : 0);
		table[i] = entry;
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 0xff];
	return crc;
}

/* What %pE and %pe print is the kernel's affair; where it lies must be readable. */
void complain(const struct va_format *vaf)
{
	char text[256];

	vsnprintf(text, sizeof(text), vaf->fmt, *vaf->va);
}

struct file *anon_inode_getfile(const char *name,
				const struct file_operations *fops, void *priv,
				int flags)
{
	struct file *file = calloc(1, sizeof(*file));

	file->f_op = fops;
	file->private_data = priv;
	return file;
}

static struct hrtimer *timers;

void hrtimer_cancel(struct hrtimer *timer)
{
	struct hrtimer **link;

	for (link = &timers; *link; link = &(*link)->next) {
		if (*link == timer) {
			*link = timer->next;
			break;
		}
	}
	timer->queued = false;
}

void hrtimer_start_now(struct hrtimer *timer)
{
	hrtimer_cancel(timer);
	timer->queued = true;
	timer->next = timers;
	timers = timer;
}

void hrtimers_fire(void)
{
	struct hrtimer *set = timers, *timer;

	timers = NULL;
	while ((timer = set)) {
		set = timer->next;
		timer->queued = false;
		timer->function(timer);
	}
}

u32 get_random_u32(void)
{
	return 4;
}
