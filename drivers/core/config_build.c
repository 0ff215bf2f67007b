// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a configuration space comes to be: memory, owners of bytes, snapshots.
 */
#include "config_internal.h"

/**
 * ferry_config_bytes() - memory that a space needs
 * @size: bytes that it has
 *
 * Return: the size of the allocation to hand to ferry_config_init() or
 *	   ferry_config_init_emulated().
 */
size_t ferry_config_bytes(unsigned int size)
{
	return 3 * (size + BITS_TO_LONGS(size) * sizeof(unsigned long));
}
EXPORT_SYMBOL_GPL(ferry_config_bytes);

/**
 * ferry_config_attach() - lay out an empty space in the caller's memory
 * @cfg:  the space
 * @mem:  ferry_config_bytes() of memory
 * @size: bytes that it has: whole dwords, a header of 64 bytes at least, and 4096 at most;
 *	  256 or 4096 but for devices of which the kernel knows that the rest does harm
 *
 * Return: 0, or -EINVAL for another size.
 */
int ferry_config_attach(struct ferry_config *cfg, void *mem,
			unsigned int size)
{
	size_t longs = BITS_TO_LONGS(size);

	if (size % 4 || size < PCI_STD_HEADER_SIZEOF ||
	    size > FERRY_CONFIG_EXT_SIZE)
		return -EINVAL;

	memset(mem, 0, ferry_config_bytes(size));
	*cfg = (struct ferry_config) {
		.live = mem,
		.raw = (unsigned long *)mem + longs,
		.special = (unsigned long *)mem + 2 * longs,
		.size = size,
	};
	cfg->value = (u8 *)((unsigned long *)mem + 3 * longs);
	cfg->virt = cfg->value + size;
	cfg->write = cfg->virt + size;
	return 0;
}

static void apply_field(struct ferry_config *cfg, unsigned int pos,
			unsigned int len, const struct ferry_cap_field *field)
{
	unsigned int i, shift;

	for (i = 0; i < field->width && field->offset + i < len; i++) {
		unsigned int at = pos + field->offset + i;

		shift = 8 * i;
		cfg->value[at] &= ~(field->zero >> shift);
		if (cfg->backend) {
			cfg->virt[at] = field->virt >> shift;
			cfg->write[at] = field->write >> shift;
		} else {
			cfg->write[at] = field->emulated >> shift;
		}
		__assign_bit(at, cfg->live,
			     field->live && cfg->virt[at] != 0xff);
		__assign_bit(at, cfg->special,
			     (u8)((field->trigger | field->w1c) >> shift));
	}
}

/**
 * ferry_config_apply() - give the bytes of a capability their owners
 * @cfg:  the space
 * @pos:  where it begins; 0 is the header of the space
 * @len:  what it really occupies; fields behind that are dropped
 * @desc: its description
 */
void ferry_config_apply(struct ferry_config *cfg, unsigned int pos,
			unsigned int len, const struct ferry_cap_desc *desc)
{
	unsigned int head = pos < FERRY_CONFIG_STD_SIZE ?
			    FERRY_CAP_HEADER : FERRY_EXT_CAP_HEADER;
	unsigned int i;

	if (!pos)
		head = 0;
	if (cfg->backend) {
		bool raw = desc->raw;

		memset(cfg->virt + pos, 0, len);
		memset(cfg->virt + pos, 0xff, head);
		memset(cfg->write + pos, raw ? 0xff : 0, len);
		memset(cfg->write + pos, 0, head);
		bitmap_clear(cfg->raw, pos, raw ? head : len);
		bitmap_clear(cfg->live, pos, len);
		if (raw || desc->live)
			bitmap_set(cfg->live, pos + head, len - head);
	}
	for (i = 0; i < desc->count; i++)
		apply_field(cfg, pos, len, &desc->fields[i]);
}

/*
 * Read every byte that is kept in memory but belongs to hardware.  A gap that
 * is not empty has to be asked from now on, a dword at a time.
 */
static int snapshot(struct ferry_config *cfg)
{
	unsigned int off;

	for (off = 0; off < cfg->size; off += 4) {
		unsigned int live = ferry_bits(cfg->live, off);
		unsigned int raw = ferry_bits(cfg->raw, off);
		u32 keep = ferry_load(cfg->virt + off, 4) | ferry_spread(live);
		u32 val;
		int err;

		if (!~keep)
			continue;
		err = cfg->backend->read(cfg->ctx, off, 4, &val);
		if (err)
			return err;
		ferry_publish(cfg->value + off, 4, (val & ~keep) |
			      (ferry_load(cfg->value + off, 4) & keep));
		if (val)
			cfg->live[BIT_WORD(off)] |= (unsigned long)raw <<
						    (off % BITS_PER_LONG);
	}
	return 0;
}

/**
 * ferry_config_init() - build the space of a real function
 * @cfg:  the space
 * @mem:  ferry_config_bytes() of memory, the caller's to free
 * @desc: the function; read from, not kept
 *
 * Reads the whole space once.  The function must be in D0.
 *
 * Return: 0, -EINVAL for a bad size, or the errno of a hardware access.
 */
int ferry_config_init(struct ferry_config *cfg, void *mem,
		      const struct ferry_config_desc *desc)
{
	int err;

	err = ferry_config_attach(cfg, mem, desc->size);
	if (err)
		return err;
	cfg->backend = desc->backend;
	cfg->ops = desc->ops;
	cfg->ctx = desc->ctx;

	memset(cfg->write, 0xff, cfg->size);
	bitmap_fill(cfg->raw, cfg->size);
	err = snapshot(cfg);
	if (err)
		return err;

	ferry_config_apply_header(cfg);
	ferry_config_apply_bars(cfg, desc->bars);
	if (desc->vendor) {
		ferry_config_set16(cfg, PCI_VENDOR_ID, desc->vendor);
		ferry_config_set16(cfg, PCI_DEVICE_ID, desc->device);
	}
	if (desc->flags & FERRY_CONFIG_NO_INTX)
		ferry_config_set8(cfg, PCI_INTERRUPT_PIN, 0);
	if (desc->flags & FERRY_CONFIG_NO_COMMAND_MEMORY) {
		cfg->virt[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
		cfg->value[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
	}
	ferry_config_parse_caps(cfg);
	ferry_config_set_msi(cfg, 0);
	return 0;
}
EXPORT_SYMBOL_GPL(ferry_config_init);

/**
 * ferry_config_refresh() - read fixed registers again, after a reset
 * @cfg: the space
 *
 * Virtual bits stay as the user left them.  On an emulated function there is
 * nothing to do.
 *
 * Return: 0 or the errno of a hardware access.
 */
int ferry_config_refresh(struct ferry_config *cfg)
{
	return cfg->backend ? snapshot(cfg) : 0;
}
EXPORT_SYMBOL_GPL(ferry_config_refresh);
