// SPDX-License-Identifier: GPL-2.0-only
/*
 * The space of a function that does not exist, taken along when it moves.
 */
#include "config_internal.h"

/* The bits of a dword that the device itself sets. */
static u32 live_bits(const struct ferry_config *cfg, unsigned int off)
{
	return ferry_spread(ferry_bits(cfg->live, off));
}

/**
 * ferry_config_save() - put all of the space into memory
 * @cfg: the space of an emulated function
 * @buf: where to, ferry_config.size bytes
 *
 * What ferry_config_set_live() was called for is zero there.
 */
void ferry_config_save(const struct ferry_config *cfg, void *buf)
{
	unsigned int off;

	for (off = 0; off < cfg->size; off += 4)
		ferry_store((u8 *)buf + off, 4, ferry_load(cfg->value + off, 4) &
						~live_bits(cfg, off));
}
EXPORT_SYMBOL_GPL(ferry_config_save);

/**
 * ferry_config_verify() - could the user have made the space like this?
 * @cfg: the space of an emulated function
 * @buf: what ferry_config_save() has saved, or anything; ferry_config.size bytes
 *
 * If so, ferry_config_write() of all of it does make it like this, raising the events
 * that belong to it.
 *
 * Return: 0, or the offset of a dword that the user could not have written, where that
 *	   is 0 itself -EINVAL.
 */
int ferry_config_verify(const struct ferry_config *cfg, const void *buf)
{
	unsigned int off;

	for (off = 0; off < cfg->size; off += 4) {
		struct ferry_config_piece piece = {
			.off = off, .width = 4,
			.data = ferry_load((const u8 *)buf + off, 4),
			.mask = ferry_load(cfg->write + off, 4),
			.virt = ferry_load(cfg->virt + off, 4),
		};
		u32 is = ferry_load(cfg->value + off, 4);
		u32 wanted = piece.data;

		if (ferry_bits(cfg->special, off))
			ferry_config_decode(cfg, &piece);
		/* Writing a one where there is one would take it away. */
		is &= ~(piece.data & piece.mask & piece.w1c);
		piece.mask &= ~piece.w1c;
		is = (is & ~piece.mask) | (piece.data & piece.mask);
		if ((is ^ wanted) & ~live_bits(cfg, off))
			return off ? off : -EINVAL;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(ferry_config_verify);
