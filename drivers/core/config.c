// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and writes of a configuration space.
 *
 * A read is one copy of what is known, and then one hardware access for each
 * dword that holds something only hardware knows.
 *
 * A write is taken apart into naturally aligned pieces.  Of a piece, the
 * virtual bits go to memory, and hardware is written only where a byte holds
 * bits that the user may change: a dword written to COMMAND and STATUS does
 * not clear STATUS.
 *
 * Bytes that no capability owns are passed through in both directions, since
 * devices hide registers there, index and data pairs among them.  Most such
 * bytes are nothing at all, though, and would make up most of the hardware
 * accesses of a whole-space read.  So what reads as zero at the beginning is
 * answered from memory until the user writes to any byte that is passed
 * through, be it in a gap or in a vendor's capability: no register behind an
 * index can have been selected before, and after it all of them are asked.
 */
#include "config_internal.h"

/* Bring the bytes of @dword that are set in @live into @buf: one access. */
static int read_dword(struct ferry_config *cfg, unsigned int dword,
		      unsigned int live, u8 *buf)
{
	u32 virt = ferry_load(cfg->virt + dword, 4) | ~ferry_spread(live);
	u32 val;
	int err;

	err = cfg->backend->read(cfg->ctx, dword, 4, &val);
	if (err)
		return err;
	val &= ~virt;
	ferry_store(buf, 4, val | (ferry_load(cfg->value + dword, 4) & virt));
	return 0;
}

/*
 * The same for a dword of which the user asked for less than all bytes: no
 * access leaves the range, for a device may notice.
 */
static int read_part(struct ferry_config *cfg, unsigned int dword,
		     unsigned int live, unsigned int off, u8 *buf)
{
	unsigned int at, width, i;
	u32 val;
	int err;

	for (; live; live &= ~GENMASK(at + width - 1, at)) {
		at = __ffs(live);
		width = !(at & 1) && (live >> at & 3) == 3 ? 2 : 1;
		err = cfg->backend->read(cfg->ctx, dword + at, width, &val);
		if (err)
			return err;
		for (i = dword + at; i < dword + at + width; i++, val >>= 8)
			buf[i - off] = (val & ~cfg->virt[i]) |
				       (cfg->value[i] & cfg->virt[i]);
	}
	return 0;
}

/**
 * ferry_config_read() - read as the user
 * @cfg: the space
 * @off: where
 * @buf: memory of the kernel
 * @len: how many bytes; any offset and length inside the space
 *
 * Return: 0, -EFAULT when a byte lies behind the end of the space, or the
 *	   errno of a hardware access; the contents of @buf are good only if 0.
 */
int ferry_config_read(struct ferry_config *cfg, u64 off, void *buf,
		      size_t len)
{
	unsigned int word, last, shift, dword, end;
	unsigned long live;
	int err;

	if (off > cfg->size || len > cfg->size - off)
		return -EFAULT;
	if (!len)
		return 0;

	memcpy(buf, cfg->value + off, len);
	if (!cfg->backend)
		return 0;
	end = off + len;
	last = BIT_WORD(end - 1);
	for (word = BIT_WORD(off); word <= last; word++) {
		live = cfg->live[word];
		if (word == BIT_WORD(off))
			live &= BITMAP_FIRST_WORD_MASK(off);
		if (word == last)
			live &= BITMAP_LAST_WORD_MASK(end);
		for (; live; live &= ~(0xfUL << shift)) {
			shift = __ffs(live) & ~3;
			dword = word * BITS_PER_LONG + shift;
			if (dword >= off && dword + 4 <= end)
				err = read_dword(cfg, dword,
						 live >> shift & 0xf,
						 (u8 *)buf + (dword - off));
			else
				err = read_part(cfg, dword,
						live >> shift & 0xf, off, buf);
			if (err)
				return err;
		}
	}
	return 0;
}
EXPORT_SYMBOL_GPL(ferry_config_read);

/**
 * ferry_config_set_live() - the device changes a register by itself
 * @cfg:   the space
 * @off:   where the register begins
 * @width: its bytes, 1, 2 or 4; @off is a multiple of it
 *
 * ferry_config_peek() does not answer for it any more. A real function is
 * asked by ferry_config_read(); of an emulated one, whoever calls that brings
 * it up to date before.
 */
void ferry_config_set_live(struct ferry_config *cfg, unsigned int off,
			   unsigned int width)
{
	bitmap_set(cfg->live, off, width);
}
EXPORT_SYMBOL_GPL(ferry_config_set_live);

/*
 * Write the bits of @mask to hardware.  A byte without any is not written;
 * the other bits of a byte keep their value, except those of @w1c, which go
 * out as zero.
 */
static int write_hardware(struct ferry_config *cfg, unsigned int off,
			  unsigned int width, u32 data, u32 mask, u32 w1c)
{
	u32 all = ferry_width_mask(width);
	unsigned int half = width / 2;
	unsigned int i, bytes = 0;
	int err;

	if (!(mask & all))
		return 0;
	for (i = 0; i < width; i++)
		bytes += !!(mask >> (8 * i) & 0xff);
	if (bytes < width) {
		err = write_hardware(cfg, off, half, data, mask, w1c);
		if (err)
			return err;
		return write_hardware(cfg, off + half, half,
				      data >> (8 * half), mask >> (8 * half),
				      w1c >> (8 * half));
	}

	return cfg->backend->write(cfg->ctx, off, width, data & mask & all,
				   all & ~(mask | w1c));
}

/* After such a write hidden registers may show anything: ask all of them. */
static void wake_gaps(struct ferry_config *cfg,
		      const struct ferry_config_piece *piece)
{
	if (ferry_bits(cfg->raw, piece->off) & GENMASK(piece->width - 1, 0))
		bitmap_or(cfg->live, cfg->live, cfg->raw, cfg->size);
}

static int commit(struct ferry_config *cfg,
		  const struct ferry_config_piece *piece)
{
	u32 keep = piece->mask & (piece->virt | piece->shadow);
	u8 *value = cfg->value + piece->off;
	u32 val;
	int err;

	if (piece->mask & ~piece->virt) {
		wake_gaps(cfg, piece);
		err = write_hardware(cfg, piece->off, piece->width,
				     piece->data, piece->mask & ~piece->virt,
				     piece->w1c);
		if (err)
			return err;
	}
	if (!keep)
		return 0;

	val = ferry_load(value, piece->width);
	val &= ~(piece->w1c & piece->data & keep);
	keep &= ~piece->w1c;
	ferry_publish(value, piece->width,
		      (val & ~keep) | (piece->data & keep));
	return 0;
}

/*
 * A register that is fixed, yet written by the user or changed by an event, is
 * read again, and with it what else is fixed in its dword.
 */
static int settle(struct ferry_config *cfg,
		  const struct ferry_config_piece *piece)
{
	unsigned int dword = piece->off & ~3;
	u32 keep = ferry_load(cfg->virt + dword, 4) |
		   ferry_spread(ferry_bits(cfg->live, dword));
	u32 fixed = ~keep >> (8 * (piece->off & 3)) &
		    ferry_width_mask(piece->width);
	u32 val;
	int err;

	if (!piece->change.events)
		fixed &= piece->mask;
	if (!cfg->backend || !fixed)
		return 0;
	err = cfg->backend->read(cfg->ctx, dword, 4, &val);
	if (err)
		return err;
	val = (val & ~keep) | (ferry_load(cfg->value + dword, 4) & keep);
	ferry_publish(cfg->value + dword, 4, val);
	return 0;
}

static int write_piece(struct ferry_config *cfg, unsigned int off,
		       unsigned int width, u32 data)
{
	struct ferry_config_piece piece = {
		.off = off, .width = width, .data = data,
		.mask = ferry_load(cfg->write + off, width),
		.virt = ferry_load(cfg->virt + off, width),
	};
	struct ferry_config_change *change = &piece.change;
	int err;

	if (ferry_bits(cfg->special, off) & GENMASK(width - 1, 0))
		ferry_config_decode(cfg, &piece);
	if (change->events && cfg->ops && cfg->ops->before) {
		err = cfg->ops->before(cfg->ctx, change);
		if (err)
			return err;
	}

	err = commit(cfg, &piece);
	if (change->events && cfg->ops && cfg->ops->after) {
		change->error = err;
		cfg->ops->after(cfg->ctx, change);
	}
	if (!err)
		err = settle(cfg, &piece);
	/* Nobody knows what hardware has made of it: from now on it is asked. */
	if (unlikely(err))
		ferry_config_set_live(cfg, piece.off & ~3, 4);
	return err;
}

/**
 * ferry_config_write() - write as the user
 * @cfg: the space
 * @off: where
 * @buf: memory of the kernel
 * @len: how many bytes; any offset and length inside the space
 *
 * Bits that the user may not change are dropped silently, as hardware does.
 * A failure in the middle leaves what came before it written.
 *
 * Return: 0, -EFAULT when a byte lies behind the end of the space (nothing is
 *	   written then), the errno of a hardware access, or what
 *	   &ferry_config_ops.before returned.
 */
int ferry_config_write(struct ferry_config *cfg, u64 off, const void *buf,
		       size_t len)
{
	const u8 *data = buf;
	unsigned int width;
	int err;

	if (off > cfg->size || len > cfg->size - off)
		return -EFAULT;

	for (; len; len -= width, off += width, data += width) {
		width = 4;
		while (width > len || off % width)
			width /= 2;
		err = write_piece(cfg, off, width, ferry_load(data, width));
		if (err)
			return err;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(ferry_config_write);

static u32 get(const struct ferry_config *cfg, unsigned int off,
	       unsigned int width)
{
	if (off > cfg->size - width)
		return 0;
	return ferry_load(cfg->value + off, width);
}

static void set(struct ferry_config *cfg, unsigned int off,
		unsigned int width, u32 val)
{
	if (off <= cfg->size - width)
		ferry_publish(cfg->value + off, width, val);
}

/**
 * ferry_config_get8() - what is kept of a byte: virtual and fixed bits
 * @cfg: the space
 * @off: where; behind the end of the space everything is 0
 *
 * A live bit has the value of the last snapshot, but in COMMAND, all bits are
 * those that the user wrote last.
 *
 * Return: the value.
 */
u8 ferry_config_get8(const struct ferry_config *cfg, unsigned int off)
{
	return get(cfg, off, 1);
}
EXPORT_SYMBOL_GPL(ferry_config_get8);

/**
 * ferry_config_get16() - what is kept of two bytes
 * @cfg: the space
 * @off: where; see ferry_config_get8()
 *
 * Return: the value in CPU order.
 */
u16 ferry_config_get16(const struct ferry_config *cfg, unsigned int off)
{
	return get(cfg, off, 2);
}
EXPORT_SYMBOL_GPL(ferry_config_get16);

/**
 * ferry_config_get32() - what is kept of four bytes
 * @cfg: the space
 * @off: where; see ferry_config_get8()
 *
 * Return: the value in CPU order.
 */
u32 ferry_config_get32(const struct ferry_config *cfg, unsigned int off)
{
	return get(cfg, off, 4);
}
EXPORT_SYMBOL_GPL(ferry_config_get32);

/**
 * ferry_config_set8() - change what is kept of a byte, writable or not
 * @cfg: the space
 * @off: where; behind the end of the space nothing happens
 * @val: the value
 *
 * Raises no event and never reaches hardware.
 */
void ferry_config_set8(struct ferry_config *cfg, unsigned int off, u8 val)
{
	set(cfg, off, 1, val);
}
EXPORT_SYMBOL_GPL(ferry_config_set8);

/**
 * ferry_config_set16() - change what is kept of two bytes
 * @cfg: the space
 * @off: where; see ferry_config_set8()
 * @val: the value in CPU order
 */
void ferry_config_set16(struct ferry_config *cfg, unsigned int off, u16 val)
{
	set(cfg, off, 2, val);
}
EXPORT_SYMBOL_GPL(ferry_config_set16);

/**
 * ferry_config_set32() - change what is kept of four bytes
 * @cfg: the space
 * @off: where; see ferry_config_set8()
 * @val: the value in CPU order
 */
void ferry_config_set32(struct ferry_config *cfg, unsigned int off, u32 val)
{
	set(cfg, off, 4, val);
}
EXPORT_SYMBOL_GPL(ferry_config_set32);

/**
 * ferry_config_set_msi() - follow the state of a real function's MSI
 * @cfg:     the space
 * @vectors: how many are allocated, 0 while MSI is disabled
 *
 * While it is disabled, Message Control cannot be changed by the user and
 * reads as disabled.  While it is enabled, the user may toggle its virtual
 * enable bit and choose any message count that @vectors covers.  The count
 * that the function is capable of stays what the function says: a user that
 * starts over has to be able to ask for all of them.
 */
void ferry_config_set_msi(struct ferry_config *cfg, unsigned int vectors)
{
	u32 mine = PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE;
	unsigned int pos = ferry_config_find_cap(cfg, PCI_CAP_ID_MSI);

	if (!pos || !cfg->backend)
		return;
	pos += PCI_MSI_FLAGS;
	cfg->msi_qsize = vectors ? fls(min(vectors, 32U) - 1) : 0;
	cfg->write[pos] = vectors ? mine : 0;
	if (!vectors)
		cfg->value[pos] &= ~mine;
}
EXPORT_SYMBOL_GPL(ferry_config_set_msi);
