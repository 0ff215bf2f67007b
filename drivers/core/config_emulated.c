// SPDX-License-Identifier: GPL-2.0-only
/*
 * The space of a function that does not exist, put together by its model.
 *
 * Everything is virtual; which bits the user may change comes from the same
 * tables that rule a real function.
 */
#include "config_internal.h"

/**
 * ferry_config_init_emulated() - build the space of an emulated function
 * @cfg:    the space
 * @mem:    ferry_config_bytes() of memory, the caller's to free
 * @header: the function; read from, not kept
 * @ops:    hooks, or NULL; must outlive the space
 * @ctx:    handed to @ops
 *
 * Capabilities are added with ferry_config_add_cap() and
 * ferry_config_add_ext_cap() before the user sees the space.
 *
 * Return: 0, or -EINVAL for a bad size.
 */
int ferry_config_init_emulated(struct ferry_config *cfg, void *mem,
			       const struct ferry_config_header *header,
			       const struct ferry_config_ops *ops, void *ctx)
{
	int err;

	if (header->size != FERRY_CONFIG_STD_SIZE &&
	    header->size != FERRY_CONFIG_EXT_SIZE)
		return -EINVAL;
	err = ferry_config_attach(cfg, mem, header->size);
	if (err)
		return err;
	cfg->ops = ops;
	cfg->ctx = ctx;

	memset(cfg->virt, 0xff, cfg->size);
	ferry_config_set16(cfg, PCI_VENDOR_ID, header->vendor);
	ferry_config_set16(cfg, PCI_DEVICE_ID, header->device);
	ferry_config_set32(cfg, PCI_CLASS_REVISION,
			   header->class << 8 | header->revision);
	ferry_config_set16(cfg, PCI_SUBSYSTEM_VENDOR_ID,
			   header->subsystem_vendor);
	ferry_config_set16(cfg, PCI_SUBSYSTEM_ID, header->subsystem_device);
	ferry_config_set8(cfg, PCI_INTERRUPT_PIN, header->pin);
	ferry_config_apply_header(cfg);
	ferry_config_apply_bars(cfg, header->bars);
	return 0;
}
EXPORT_SYMBOL_GPL(ferry_config_init_emulated);

/*
 * Copy @len bytes behind a header of @head bytes that is already in place,
 * and let the tables rule them.  Return the capability's length.
 */
static int place(struct ferry_config *cfg, unsigned int pos,
		 unsigned int head, const void *body, size_t len)
{
	unsigned int room = pos < FERRY_CONFIG_STD_SIZE ?
			    FERRY_CONFIG_STD_SIZE : cfg->size;
	const struct ferry_cap_desc *desc;
	unsigned int whole;

	if (!ferry_cap_desc(cfg, pos))
		return -EINVAL;
	if (len > room - pos - head)
		return -ENOSPC;
	if (len)
		memcpy(cfg->value + pos + head, body, len);
	/* Which registers MSI has is said in its body. */
	desc = ferry_cap_desc(cfg, pos);
	whole = desc->measure ? desc->measure(cfg, pos) : desc->length;
	if (whole < desc->length || len > whole - head)
		return -EINVAL;
	if (whole > room - pos)
		return -ENOSPC;
	ferry_config_apply(cfg, pos, whole, desc);
	return whole;
}

/* The first dword behind the capability at @pos. */
static unsigned int behind(const struct ferry_config *cfg, unsigned int pos)
{
	struct ferry_config_owner owner;

	ferry_config_owner(cfg, pos, &owner);
	return ALIGN(pos + owner.length, 4);
}

/**
 * ferry_config_add_cap() - add a capability to an emulated function
 * @cfg:  the space
 * @id:   PCI_CAP_ID_*, one that the tables know
 * @body: the bytes behind ID and next pointer
 * @len:  how many; what the capability has beyond them is zero
 *
 * The capability goes behind the last one.
 *
 * Return: where it begins, -EINVAL for an unknown ID or a body that does not
 *	   fit the capability, or -ENOSPC when the space is full.  Nothing has
 *	   changed after an error.
 */
int ferry_config_add_cap(struct ferry_config *cfg, u8 id, const void *body,
			 size_t len)
{
	unsigned int pos = PCI_STD_HEADER_SIZEOF;
	unsigned int link = PCI_CAPABILITY_LIST;
	u16 status = ferry_config_get16(cfg, PCI_STATUS);
	int whole;

	while (ferry_config_get8(cfg, link)) {
		pos = behind(cfg, ferry_config_get8(cfg, link));
		link = ferry_config_get8(cfg, link) + PCI_CAP_LIST_NEXT;
	}
	if (pos > FERRY_CONFIG_STD_SIZE - PCI_CAP_SIZEOF)
		return -ENOSPC;

	ferry_config_set8(cfg, pos, id);
	whole = place(cfg, pos, FERRY_CAP_HEADER, body, len);
	if (whole < 0) {
		memset(cfg->value + pos, 0, FERRY_CONFIG_STD_SIZE - pos);
		return whole;
	}
	ferry_config_set8(cfg, link, pos);
	ferry_config_set16(cfg, PCI_STATUS, status | PCI_STATUS_CAP_LIST);
	return pos;
}
EXPORT_SYMBOL_GPL(ferry_config_add_cap);

/**
 * ferry_config_add_ext_cap() - add an extended capability to an emulated
 *				function
 * @cfg:     the space; 4096 bytes
 * @id:      PCI_EXT_CAP_ID_*, one that the tables know
 * @version: 1 to 15
 * @body:    the bytes behind the four of the header
 * @len:     how many; what the capability has beyond them is zero
 *
 * Return: as ferry_config_add_cap(); -ENOSPC in a space of 256 bytes.
 */
int ferry_config_add_ext_cap(struct ferry_config *cfg, u16 id, u8 version,
			     const void *body, size_t len)
{
	unsigned int pos = FERRY_CONFIG_STD_SIZE;
	unsigned int at = ferry_config_first_ext_cap(cfg);
	unsigned int last = 0;
	int whole;

	for (; at; at = ferry_config_next_ext_cap(cfg, at)) {
		last = at;
		pos = behind(cfg, at);
	}
	if (pos + FERRY_EXT_CAP_HEADER > cfg->size)
		return -ENOSPC;
	if (!version || version > 15)
		return -EINVAL;

	ferry_config_set32(cfg, pos, id | version << 16);
	whole = place(cfg, pos, FERRY_EXT_CAP_HEADER, body, len);
	if (whole < 0) {
		memset(cfg->value + pos, 0, cfg->size - pos);
		return whole;
	}
	if (last)
		ferry_config_set32(cfg, last,
				   ferry_config_get32(cfg, last) | pos << 20);
	return pos;
}
EXPORT_SYMBOL_GPL(ferry_config_add_ext_cap);

static void reset_fields(struct ferry_config *cfg, unsigned int pos)
{
	const struct ferry_cap_desc *desc;
	unsigned int i;

	desc = ferry_config_locate(cfg, pos, &pos);
	for (i = 0; i < desc->count; i++) {
		const struct ferry_cap_field *field = &desc->fields[i];
		unsigned int at = pos + field->offset;

		if (field->preset)
			ferry_publish(cfg->value + at, field->width,
				      field->preset);
	}
}

/**
 * ferry_config_reset() - put an emulated function's registers to their
 *			  defaults
 * @cfg: the space
 *
 * What the user could change becomes zero, or what the specification wants;
 * base address registers and PCI_COMMAND with it.  Interrupt Line stays (PCIe
 * section 6.6.2).  No event is raised.
 */
void ferry_config_reset(struct ferry_config *cfg)
{
	u8 line = ferry_config_get8(cfg, PCI_INTERRUPT_LINE);
	unsigned int off;

	for (off = 0; off < cfg->size; off++)
		cfg->value[off] &= ~cfg->write[off];
	ferry_config_set8(cfg, PCI_INTERRUPT_LINE, line);
	off = ferry_config_find_cap(cfg, PCI_CAP_ID_EXP);
	if (off)
		reset_fields(cfg, off);
}
EXPORT_SYMBOL_GPL(ferry_config_reset);
