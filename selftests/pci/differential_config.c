// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config space: what reads of every width and alignment say, and what writes
 * of every width change, for the user and in the hardware.
 *
 * The areas end in .user for what the user sees and in .hw for what sysfs says
 * the hardware holds. A key of three parts is offset/width/value of a write.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "differential.h"

#define CFG_AT(off)	(((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + (off))
/* Each access is looked at through an aligned window around it. */
#define WINDOW		8

/* Writes with this much else going on. */
struct sweep {
	struct subject *s;
	const char *user;
	const char *hw;
	const char *ret;
	__u8 base[CONFIG_MAX];
};

static ssize_t user_read(struct subject *s, unsigned int off, void *buf,
			 size_t len)
{
	ssize_t ret = pread(s->v.fd, buf, len, CFG_AT(off));

	return ret < 0 ? -errno : ret;
}

static ssize_t user_write(struct subject *s, unsigned int off, const void *buf,
			  size_t len)
{
	ssize_t ret = pwrite(s->v.fd, buf, len, CFG_AT(off));

	return ret < 0 ? -errno : ret;
}

static unsigned int end_of(const struct layout *l, unsigned int off)
{
	return off < PCI_CFG_SPACE_SIZE ? PCI_CFG_SPACE_SIZE : l->size;
}

static void hw_fact(struct subject *s, const char *area, const char *key,
		    unsigned int off, unsigned int len)
{
	__u8 bytes[CONFIG_MAX];
	unsigned int i;

	if (pread(s->hw, bytes, len, off) != (ssize_t)len) {
		fact(s, area, key, "unreadable");
		return;
	}
	/* A message says which interrupt was free, and stays when it is gone. */
	for (i = 0; i < len; i++)
		if (s->layout->message[off + i])
			bytes[i] = 0;
	fact_bytes(s, area, key, off, bytes, len);
}

/* The hardware's whole space while the device is not open. */
void record_config_idle(struct subject *s, const char *area)
{
	unsigned int off;
	char key[16];

	subject_sleeps(s, area, "sleeps");
	for (off = 0; off < s->layout->size; off += 64) {
		snprintf(key, sizeof(key), "%03x", off);
		hw_fact(s, area, key, off, 64);
	}
}

static void snapshot_part(struct subject *s, const char *user, const char *hw,
			  const char *what, unsigned int end)
{
	unsigned int off;
	__u8 bytes[64];
	char key[32];

	for (off = 0; off < end; off += sizeof(bytes)) {
		snprintf(key, sizeof(key), "%s/%03x", what, off);
		if (user_read(s, off, bytes, sizeof(bytes)) == sizeof(bytes))
			fact_bytes(s, user, key, off, bytes, sizeof(bytes));
		else
			fact(s, user, key, "unreadable");
		hw_fact(s, hw, key, off, sizeof(bytes));
	}
}

static void snapshot(struct subject *s, const char *user, const char *hw,
		     const char *what)
{
	snapshot_part(s, user, hw, what, s->layout->size);
}

static void read_one(struct subject *s, unsigned int off, unsigned int width)
{
	__u8 bytes[16];
	char key[32];
	ssize_t ret;

	memset(bytes, 0xa5, sizeof(bytes));
	ret = user_read(s, off, bytes, width);
	snprintf(key, sizeof(key), "%03x/%u", off, width);
	if (ret != width)
		fact(s, "config.read.ret", key, "%s", result_name(ret));
	else
		fact_bytes(s, "config.read", key, off, bytes, width);
}

static bool in_capability(const struct layout *l, unsigned int off)
{
	return strcmp(l->label[off], "gap");
}

static void record_reads(struct subject *s)
{
	const struct layout *l = s->layout;
	unsigned int off, width;

	for (off = 0; off < l->size; off++) {
		if (off >= PCI_CFG_SPACE_SIZE && !in_capability(l, off) &&
		    off + 16 < l->size)
			continue;
		for (width = 1; width <= 8; width++)
			read_one(s, off, width);
	}
	for (off = l->size; off < l->size + 8; off++)
		for (width = 1; width <= 8; width++)
			read_one(s, off, width);
	read_one(s, l->size - 8, 16);
	read_one(s, 0x8000, 4);
	read_one(s, ~0U, 4);
}

static void write_one(struct sweep *w, unsigned int off, unsigned int width,
		      __u32 val)
{
	struct subject *s = w->s;
	unsigned int from = off & ~3, len = WINDOW;
	__u8 bytes[WINDOW];
	__le32 data = val;
	char key[32];
	ssize_t ret;

	snprintf(key, sizeof(key), "%03x/%u/%0*x", off, width, 2 * width, val);
	ret = user_write(s, off, &data, width);
	if (ret != width)
		fact(s, w->ret, key, "%s", result_name(ret));
	if (from >= s->layout->size)
		return;
	if (from + len > s->layout->size)
		len = s->layout->size - from;
	if (user_read(s, from, bytes, len) == len)
		fact_bytes(s, w->user, key, from, bytes, len);
	else
		fact(s, w->user, key, "unreadable");
	if (w->hw)
		hw_fact(s, w->hw, key, from, len);
}

/* What some write has left is put back, byte by byte as it was. */
static void put_back(struct sweep *w, unsigned int off, unsigned int width)
{
	unsigned int i;

	for (i = off; i < off + width && i < w->s->layout->size; i++)
		user_write(w->s, i, &w->base[i], 1);
}

static void write_all(struct sweep *w, unsigned int off, unsigned int width)
{
	__u32 ones = width == 4 ? ~0U : (1U << 8 * width) - 1;
	unsigned int bit;

	write_one(w, off, width, 0);
	write_one(w, off, width, ones);
	for (bit = 0; bit < 8 * width; bit++)
		write_one(w, off, width, 1U << bit);
	put_back(w, off, width);
}

/* A person's own device shall survive: what a write means must be known. */
static bool write_allowed(struct subject *s, unsigned int off,
			  unsigned int width)
{
	const struct layout *l = s->layout;
	unsigned int i;

	if (s->all)
		return true;
	for (i = off & ~3; i < off + width && i < l->size; i++)
		if (l->opaque[i] || l->vpd[i])
			return false;
	return true;
}

static void sweep_range(struct sweep *w, unsigned int from, unsigned int end)
{
	static const unsigned int widths[] = { 1, 2, 4 };
	unsigned int off, i;

	for (off = from; off < end; off++)
		for (i = 0; i < 3; i++)
			if (write_allowed(w->s, off, widths[i]))
				write_all(w, off, widths[i]);
}

static void sweep_base(struct sweep *w)
{
	unsigned int off;

	for (off = 0; off < w->s->layout->size; off += 64)
		user_read(w->s, off, w->base + off, 64);
}

static void record_writes(struct subject *s)
{
	const struct layout *l = s->layout;
	struct sweep w = {
		.s = s,
		.user = "config.write.user",
		.hw = "config.write.hw",
		.ret = "config.write.ret",
	};
	unsigned int off, end;
	char what[16];

	sweep_base(&w);
	for (off = 0; off < l->size; off = end) {
		end = off + 16;
		/* Of what is nothing, the first word of many. */
		if (off >= PCI_CFG_SPACE_SIZE && !in_capability(l, off) &&
		    !in_capability(l, off + 15)) {
			if (!(off & 0xff) && write_allowed(s, off, 4))
				write_all(&w, off, 4);
			continue;
		}
		sweep_range(&w, off, end);
		/* What a write does to other registers stays until here. */
		snprintf(what, sizeof(what), "after-%03x", off);
		if (off < PCI_CFG_SPACE_SIZE)
			snapshot(s, "config.after.user", "config.after.hw",
				 what);
	}
	for (off = end_of(l, l->size) - 4; off < l->size + 4; off++) {
		write_one(&w, off, 4, 0);
		write_one(&w, off, 2, 0);
		write_one(&w, off, 1, 0);
	}
	/* Lengths that are no access of a processor. */
	w.hw = NULL;
	for (off = 0x10; off < 0x18; off++) {
		static const __u8 ones[16] = {
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		};
		unsigned int len;
		char key[32];

		for (len = 3; len <= 16; len++) {
			snprintf(key, sizeof(key), "%03x/%u", off, len);
			fact(s, "config.write.ret", key, "%s",
			     result_name(user_write(s, off, ones, len)));
			snapshot_part(s, "config.after.user", "config.after.hw",
				      key, PCI_STD_HEADER_SIZEOF);
			put_back(&w, off, len);
		}
	}
}

/* The message capability can be written only while MSI is enabled. */
static void record_msi_writes(struct subject *s)
{
	const struct layout *l = s->layout;
	struct sweep w = {
		.s = s,
		.user = "config.write-msi.user",
		.hw = "config.write-msi.hw",
		.ret = "config.write-msi.ret",
	};
	int efd;

	if (!l->msi)
		return;
	efd = efd_new();
	if (irq_attach_one(&s->v, VFIO_PCI_MSI_IRQ_INDEX, 0, efd)) {
		fact(s, "config.write-msi.ret", "enable", "refused");
	} else {
		sweep_base(&w);
		sweep_range(&w, l->msi, l->msi + l->msi_len);
		irq_disable(&s->v, VFIO_PCI_MSI_IRQ_INDEX);
		snapshot(s, "config.after.user", "config.after.hw", "msi-off");
	}
	close(efd);
}

/* While INTx is enabled, the command register masks it. */
static void record_intx_writes(struct subject *s)
{
	struct sweep w = {
		.s = s,
		.user = "config.write-intx.user",
		.hw = "config.write-intx.hw",
		.ret = "config.write-intx.ret",
	};
	int efd = efd_new();

	if (!irq_attach_one(&s->v, VFIO_PCI_INTX_IRQ_INDEX, 0, efd)) {
		sweep_base(&w);
		sweep_range(&w, PCI_COMMAND, PCI_STATUS);
		irq_act(&s->v, VFIO_PCI_INTX_IRQ_INDEX,
			VFIO_IRQ_SET_ACTION_MASK);
		write_one(&w, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
		irq_act(&s->v, VFIO_PCI_INTX_IRQ_INDEX,
			VFIO_IRQ_SET_ACTION_UNMASK);
		write_one(&w, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
		irq_disable(&s->v, VFIO_PCI_INTX_IRQ_INDEX);
	}
	close(efd);
}

void record_config(struct subject *s)
{
	if (subject_open(s))
		return;
	snapshot(s, "config.open.user", "config.open.hw", "open");
	record_reads(s);
	record_writes(s);
	subject_close(s);
	record_config_idle(s, "config.closed.hw");

	if (subject_open(s))
		return;
	record_msi_writes(s);
	record_intx_writes(s);
	subject_close(s);
}
