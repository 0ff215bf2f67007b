/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the config-space engine share with each other.
 */
#ifndef _FERRY_CONFIG_INTERNAL_H
#define _FERRY_CONFIG_INTERNAL_H

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/pci_regs.h>
#include <linux/string.h>
#include <linux/types.h>

#include <ferry/config.h>

/* PCI 3.0 section 6.1 and PCIe section 7.2.2: the two sizes of the space. */
#define FERRY_CONFIG_STD_SIZE	256
#define FERRY_CONFIG_EXT_SIZE	4096
/* One bit per dword of the larger space. */
#define FERRY_CONFIG_DWORDS	(FERRY_CONFIG_EXT_SIZE / 4)
/* ID and next pointer; ID, version and next pointer. */
#define FERRY_CAP_HEADER	2
#define FERRY_EXT_CAP_HEADER	4

/**
 * struct ferry_cap_field - one register of a capability or of the header
 * @offset:   from the start of the capability
 * @width:    1, 2 or 4
 * @live:     hardware or the host changes it while a device is open
 * @virt:     bits of a real function that are answered from memory
 * @write:    bits of a real function that the user may change
 * @emulated: bits of an emulated function that the user may change
 * @w1c:      bits that a one clears or triggers: never written back or kept
 * @zero:     bits of @virt that begin as zero, and stay so
 * @preset:   what @emulated becomes in a reset
 * @trigger:  the bits that @events are about
 * @events:   FERRY_CONFIG_*
 */
struct ferry_cap_field {
	u16 offset;
	u8 width;
	bool live;
	u32 virt;
	u32 write;
	u32 emulated;
	u32 w1c;
	u32 zero;
	u32 preset;
	u32 trigger;
	u32 events;
};

/**
 * struct ferry_cap_desc - one capability
 * @name:    for people; NULL marks an ID that is hidden from the user
 * @length:  what it occupies, the least when there is @measure
 * @live:    bytes that no field describes: live or fixed
 * @raw:     the bytes behind the header are passed through
 * @count:   number of @fields
 * @fields:  what differs from "read only", by ascending offset
 * @measure: the length that the device claims, from the bytes in
 *	     &ferry_config.value
 */
struct ferry_cap_desc {
	const char *name;
	u16 length;
	bool live;
	bool raw;
	u8 count;
	const struct ferry_cap_field *fields;
	unsigned int (*measure)(const struct ferry_config *cfg,
				unsigned int pos);
};

/**
 * struct ferry_config_piece - one naturally aligned write of 1, 2 or 4 bytes
 * @off:    where
 * @width:  how many bytes
 * @data:   what the user wrote
 * @mask:   bits that may change
 * @virt:   bits that are kept in memory
 * @shadow: bits of hardware whose last written value is remembered as well
 * @w1c:    bits that must not be written back
 * @change: the event, if &ferry_config_change.events is not 0
 */
struct ferry_config_piece {
	unsigned int off;
	unsigned int width;
	u32 data;
	u32 mask;
	u32 virt;
	u32 shadow;
	u32 w1c;
	struct ferry_config_change change;
};

extern const struct ferry_cap_desc ferry_config_header_desc;

const struct ferry_cap_desc *ferry_cap_desc(const struct ferry_config *cfg,
					    unsigned int pos);

unsigned int ferry_cap_len_exp(const struct ferry_config *cfg,
			       unsigned int pos);
unsigned int ferry_cap_len_ht(const struct ferry_config *cfg,
			      unsigned int pos);
unsigned int ferry_cap_len_msi(const struct ferry_config *cfg,
			       unsigned int pos);
unsigned int ferry_cap_len_pcix(const struct ferry_config *cfg,
				unsigned int pos);
unsigned int ferry_cap_len_sata(const struct ferry_config *cfg,
				unsigned int pos);
unsigned int ferry_cap_len_vndr(const struct ferry_config *cfg,
				unsigned int pos);
unsigned int ferry_ext_cap_len_acs(const struct ferry_config *cfg,
				   unsigned int pos);
unsigned int ferry_ext_cap_len_dpa(const struct ferry_config *cfg,
				   unsigned int pos);
unsigned int ferry_ext_cap_len_dvsec(const struct ferry_config *cfg,
				     unsigned int pos);
unsigned int ferry_ext_cap_len_rebar(const struct ferry_config *cfg,
				     unsigned int pos);
unsigned int ferry_ext_cap_len_tph(const struct ferry_config *cfg,
				   unsigned int pos);
unsigned int ferry_ext_cap_len_vc(const struct ferry_config *cfg,
				  unsigned int pos);
unsigned int ferry_ext_cap_len_vndr(const struct ferry_config *cfg,
				    unsigned int pos);

int ferry_config_attach(struct ferry_config *cfg, void *mem,
			unsigned int size);
void ferry_config_apply(struct ferry_config *cfg, unsigned int pos,
			unsigned int len, const struct ferry_cap_desc *desc);
void ferry_config_parse_caps(struct ferry_config *cfg);
const struct ferry_cap_desc *ferry_config_locate(const struct ferry_config *cfg,
						 unsigned int off,
						 unsigned int *pos);
void ferry_config_apply_header(struct ferry_config *cfg);
void ferry_config_apply_bars(struct ferry_config *cfg,
			     const struct ferry_config_bar *bars);
void ferry_config_decode(const struct ferry_config *cfg,
			 struct ferry_config_piece *piece);

/* Where the list of capabilities begins, 0 without one. */
static inline unsigned int ferry_config_first_cap(const struct ferry_config *cfg)
{
	if (!(ferry_config_get16(cfg, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	return ferry_config_get8(cfg, PCI_CAPABILITY_LIST);
}

static inline unsigned int ferry_config_next_cap(const struct ferry_config *cfg,
						 unsigned int pos)
{
	return ferry_config_get8(cfg, pos + PCI_CAP_LIST_NEXT);
}

/*
 * Where the list of extended capabilities begins, 0 without one.  Without a
 * list the place is a gap, and a gap's bytes are no pointers.
 */
static inline unsigned int ferry_config_first_ext_cap(const struct ferry_config *cfg)
{
	if (!ferry_config_get32(cfg, FERRY_CONFIG_STD_SIZE) ||
	    test_bit(FERRY_CONFIG_STD_SIZE, cfg->raw))
		return 0;
	return FERRY_CONFIG_STD_SIZE;
}

static inline unsigned int ferry_config_next_ext_cap(const struct ferry_config *cfg,
						     unsigned int pos)
{
	return PCI_EXT_CAP_NEXT(ferry_config_get32(cfg, pos));
}

/* The bits of a register of @width bytes. */
static inline u32 ferry_width_mask(unsigned int width)
{
	return ~0U >> (32 - 8 * width);
}

/* The space and all its arrays are little-endian (PCI 3.0 section 6.1). */
static inline u32 ferry_load(const u8 *p, unsigned int width)
{
	u32 val = p[0];

	if (width > 1)
		val |= (u32)p[1] << 8;
	if (width > 2)
		val |= (u32)p[2] << 16 | (u32)p[3] << 24;
	return val;
}

static inline void ferry_store(u8 *p, unsigned int width, u32 val)
{
	if (width == 4) {
		p[0] = val;
		p[1] = val >> 8;
		p[2] = val >> 16;
		p[3] = val >> 24;
		return;
	}
	for (; width; width--, val >>= 8)
		*p++ = val;
}

/* ferry_store() of an aligned register, for who reads it without a lock: one store. */
static inline void ferry_publish(u8 *p, unsigned int width, u32 val)
{
	union {
		u8 bytes[4];
		u16 half;
		u32 all;
	} le;

	ferry_store(le.bytes, width, val);
	if (width == 4)
		WRITE_ONCE(*(u32 *)p, le.all);
	else if (width == 2)
		WRITE_ONCE(*(u16 *)p, le.half);
	else
		WRITE_ONCE(*p, le.bytes[0]);
}

/* The bits of the bytes from @off to the end of its dword, lowest first. */
static inline unsigned int ferry_bits(const unsigned long *map,
				      unsigned int off)
{
	return map[BIT_WORD(off)] >> (off % BITS_PER_LONG) &
	       (0xf >> (off & 3));
}

/* Four bits to the masks of four bytes: bit n goes to bit 8 * n, then to all. */
static inline u32 ferry_spread(unsigned int bits)
{
	return (bits * 0x00204081 & 0x01010101) * 0xff;
}

#endif /* _FERRY_CONFIG_INTERNAL_H */
