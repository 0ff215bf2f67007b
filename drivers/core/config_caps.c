// SPDX-License-Identifier: GPL-2.0-only
/*
 * The capability lists: parsed once, mended, and walked from then on.
 *
 * Parsing works on the snapshot in &ferry_config.value.  It first cuts each
 * list where it stops making sense (a pointer into the header or back to a
 * capability that was seen) and notes where every capability begins.  Then no
 * capability can reach into another one whatever length it claims, and
 * neighbours of the same kind stay apart.
 */
#include "config_internal.h"

/* A place for the first dword of a capability that has none yet. */
static bool is_free(const struct ferry_config *cfg, const unsigned long *starts,
		    unsigned int pos)
{
	return pos < cfg->size && !test_bit(pos / 4, starts);
}

/*
 * PCI 3.0 section 6.7: the two low bits of a pointer are reserved.  At most
 * 48 capabilities fit, and none is visited twice.
 */
static void cut_caps(struct ferry_config *cfg, unsigned long *starts)
{
	unsigned int link = PCI_CAPABILITY_LIST;

	for (;;) {
		unsigned int pos = ferry_config_get8(cfg, link) & ~3;

		if (pos < PCI_STD_HEADER_SIZEOF || !is_free(cfg, starts, pos)) {
			ferry_config_set8(cfg, link, 0);
			return;
		}
		__set_bit(pos / 4, starts);
		ferry_config_set8(cfg, link, pos);
		link = pos + PCI_CAP_LIST_NEXT;
	}
}

static void set_next_ext_cap(struct ferry_config *cfg, unsigned int pos,
			     unsigned int next)
{
	u32 header = ferry_config_get32(cfg, pos);

	/* PCIe section 7.6.3: version and ID in the low 20 bits */
	ferry_config_set32(cfg, pos, (header & 0xfffff) | next << 20);
}

/*
 * PCIe section 7.6.3: pointers lead to dwords of the extended space, and the
 * two low bits are reserved.  At most 960 capabilities fit, and none is visited
 * twice.
 */
static void cut_ext_caps(struct ferry_config *cfg, unsigned long *starts)
{
	unsigned int pos = FERRY_CONFIG_STD_SIZE;

	for (;;) {
		unsigned int next = ferry_config_next_ext_cap(cfg, pos);

		__set_bit(pos / 4, starts);
		if (next < FERRY_CONFIG_STD_SIZE ||
		    !is_free(cfg, starts, next)) {
			set_next_ext_cap(cfg, pos, 0);
			return;
		}
		set_next_ext_cap(cfg, pos, next);
		pos = next;
	}
}

/* How far the capability at @pos may reach. */
static unsigned int room_at(const struct ferry_config *cfg,
			    const unsigned long *starts, unsigned int pos)
{
	unsigned int end = 4 * find_next_bit(starts, cfg->size / 4,
					     pos / 4 + 1);

	if (pos < FERRY_CONFIG_STD_SIZE && end > FERRY_CONFIG_STD_SIZE)
		end = FERRY_CONFIG_STD_SIZE;
	return end - pos;
}

/* The length to give the capability at @pos, 0 to hide it. */
static unsigned int length_at(const struct ferry_config *cfg,
			      const struct ferry_cap_desc *desc,
			      const unsigned long *starts, unsigned int pos)
{
	unsigned int len;

	if (!desc)
		return 0;
	len = desc->measure ? desc->measure(cfg, pos) : desc->length;
	len = min(len, room_at(cfg, starts, pos));
	return len < desc->length ? 0 : len;
}

static void parse_std(struct ferry_config *cfg, const unsigned long *starts)
{
	unsigned int link = PCI_CAPABILITY_LIST;
	unsigned int pos;

	while ((pos = ferry_config_get8(cfg, link))) {
		const struct ferry_cap_desc *desc = ferry_cap_desc(cfg, pos);
		unsigned int len = length_at(cfg, desc, starts, pos);

		if (len) {
			ferry_config_apply(cfg, pos, len, desc);
			link = pos + PCI_CAP_LIST_NEXT;
		} else {
			ferry_config_set8(cfg, link,
					  ferry_config_next_cap(cfg, pos));
		}
	}
}

/*
 * What stands for a hidden capability at the start of the list: ID and
 * version 0 with a next pointer, or with none an empty list (PCIe section
 * 7.6.2).
 */
static const struct ferry_cap_desc anchor_desc = {
	.name = "null", .length = FERRY_EXT_CAP_HEADER,
};

static void parse_ext(struct ferry_config *cfg, const unsigned long *starts)
{
	unsigned int pos = FERRY_CONFIG_STD_SIZE;
	unsigned int prev = 0;

	do {
		const struct ferry_cap_desc *desc = ferry_cap_desc(cfg, pos);
		unsigned int len = length_at(cfg, desc, starts, pos);
		unsigned int next = ferry_config_next_ext_cap(cfg, pos);

		if (len) {
			ferry_config_apply(cfg, pos, len, desc);
			prev = pos;
		} else if (prev) {
			set_next_ext_cap(cfg, prev, next);
		} else {
			ferry_config_apply(cfg, pos, FERRY_EXT_CAP_HEADER,
					   &anchor_desc);
			ferry_config_set32(cfg, pos, next << 20);
			prev = pos;
		}
		pos = next;
	} while (pos);
}

/**
 * ferry_config_parse_caps() - find, mend and apply all capabilities
 * @cfg: a space whose values are a snapshot of hardware
 */
void ferry_config_parse_caps(struct ferry_config *cfg)
{
	DECLARE_BITMAP(starts, FERRY_CONFIG_DWORDS) = { 0 };
	u16 status = ferry_config_get16(cfg, PCI_STATUS);
	u32 header = ferry_config_get32(cfg, FERRY_CONFIG_STD_SIZE);
	bool ext = cfg->size > FERRY_CONFIG_STD_SIZE && header && ~header;

	if (!(status & PCI_STATUS_CAP_LIST))
		ferry_config_set8(cfg, PCI_CAPABILITY_LIST, 0);
	cut_caps(cfg, starts);
	if (ext)
		cut_ext_caps(cfg, starts);

	parse_std(cfg, starts);
	if (!ferry_config_get8(cfg, PCI_CAPABILITY_LIST))
		ferry_config_set16(cfg, PCI_STATUS,
				   status & ~PCI_STATUS_CAP_LIST);
	if (ext)
		parse_ext(cfg, starts);
}

/* The capability behind the one at @pos in either list; 0 begins and ends. */
static unsigned int next_any(const struct ferry_config *cfg, unsigned int pos)
{
	unsigned int next;

	if (pos >= FERRY_CONFIG_STD_SIZE)
		return ferry_config_next_ext_cap(cfg, pos);
	next = pos ? ferry_config_next_cap(cfg, pos) :
		     ferry_config_first_cap(cfg);
	return next ? next : ferry_config_first_ext_cap(cfg);
}

/**
 * ferry_config_locate() - find the header or capability before an offset
 * @cfg: the space
 * @off: an offset inside it
 * @pos: where what was found begins
 *
 * A byte that a capability owns belongs to the nearest one that begins at or
 * before it.
 *
 * Return: its description.
 */
const struct ferry_cap_desc *ferry_config_locate(const struct ferry_config *cfg,
						 unsigned int off,
						 unsigned int *pos)
{
	const struct ferry_cap_desc *desc;
	unsigned int at = 0;

	*pos = 0;
	if (off < PCI_STD_HEADER_SIZEOF)
		return &ferry_config_header_desc;
	while ((at = next_any(cfg, at)))
		if (at <= off && at > *pos)
			*pos = at;

	if (!*pos)
		return &ferry_config_header_desc;
	desc = ferry_cap_desc(cfg, *pos);
	return desc ? desc : &anchor_desc;
}

/**
 * ferry_config_find_cap() - find a capability that the user can see
 * @cfg: the space
 * @id:  PCI_CAP_ID_*
 *
 * Return: where the first one begins, or 0.
 */
u16 ferry_config_find_cap(const struct ferry_config *cfg, u8 id)
{
	unsigned int pos = ferry_config_first_cap(cfg);

	while (pos && ferry_config_get8(cfg, pos) != id)
		pos = ferry_config_next_cap(cfg, pos);
	return pos;
}
EXPORT_SYMBOL_GPL(ferry_config_find_cap);

/**
 * ferry_config_find_ext_cap() - find an extended capability that the user can
 *				 see
 * @cfg: the space
 * @id:  PCI_EXT_CAP_ID_*
 *
 * Return: where the first one begins, or 0.
 */
u16 ferry_config_find_ext_cap(const struct ferry_config *cfg, u16 id)
{
	unsigned int pos = ferry_config_first_ext_cap(cfg);

	while (pos && PCI_EXT_CAP_ID(ferry_config_get32(cfg, pos)) != id)
		pos = ferry_config_next_ext_cap(cfg, pos);
	return pos;
}
EXPORT_SYMBOL_GPL(ferry_config_find_ext_cap);

/* What the capability at @pos may occupy, up to the next visible one. */
static unsigned int visible_len(const struct ferry_config *cfg,
				const struct ferry_cap_desc *desc,
				unsigned int pos)
{
	unsigned int end = pos < FERRY_CONFIG_STD_SIZE ?
			   min_t(unsigned int, cfg->size, FERRY_CONFIG_STD_SIZE) :
			   cfg->size;
	unsigned int len = desc->measure ? desc->measure(cfg, pos) :
					   desc->length;
	unsigned int at = 0;

	while ((at = next_any(cfg, at)))
		if (at > pos && at < end)
			end = at;
	return min(len, end - pos);
}

/**
 * ferry_config_owner() - say what an offset belongs to, for a person
 * @cfg:   the space
 * @off:   an offset
 * @owner: the answer
 */
void ferry_config_owner(const struct ferry_config *cfg, unsigned int off,
			struct ferry_config_owner *owner)
{
	const struct ferry_cap_desc *desc;
	unsigned int pos, len;

	*owner = (struct ferry_config_owner) {
		.name = "gap", .offset = off, .length = 1,
	};
	desc = ferry_config_locate(cfg, off, &pos);
	len = visible_len(cfg, desc, pos);
	if (off - pos >= len)
		return;

	owner->name = desc->name;
	owner->offset = pos;
	owner->length = len;
	if (pos)
		owner->id = pos < FERRY_CONFIG_STD_SIZE ?
			    ferry_config_get8(cfg, pos) :
			    ferry_config_get16(cfg, pos);
}
EXPORT_SYMBOL_GPL(ferry_config_owner);
