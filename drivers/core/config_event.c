// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a write to a register with a meaning asks for.
 *
 * Nothing is changed here: a piece of a write is completed with the event
 * that it raises and with what the register's rules take away from it.
 */
#include "config_internal.h"

/* Move bits of a field into the place that they have in a piece. */
static u32 field_to_piece(u32 bits, unsigned int field_off,
			  const struct ferry_config_piece *piece)
{
	if (field_off >= piece->off)
		bits <<= 8 * (field_off - piece->off);
	else
		bits >>= 8 * (piece->off - field_off);
	return bits & ferry_width_mask(piece->width);
}

static u32 piece_to_field(u32 bits, unsigned int field_off,
			  const struct ferry_config_piece *piece,
			  unsigned int width)
{
	if (field_off >= piece->off)
		bits >>= 8 * (field_off - piece->off);
	else
		bits <<= 8 * (piece->off - field_off);
	return bits & ferry_width_mask(width);
}

/* PCI PM 1.2 section 3.2.4: D1 and D2 are optional, a write is dropped. */
static bool power_state_exists(const struct ferry_config *cfg,
			       unsigned int pos, u32 pmcsr)
{
	u16 pmc = ferry_config_get16(cfg, pos + PCI_PM_PMC);

	switch (pmcsr & PCI_PM_CTRL_STATE_MASK) {
	case 1:
		return pmc & PCI_PM_CAP_D1;
	case 2:
		return pmc & PCI_PM_CAP_D2;
	default:
		return true;
	}
}

static bool can_flr(const struct ferry_config *cfg, unsigned int pos)
{
	u8 af = PCI_AF_CAP_TP | PCI_AF_CAP_FLR;

	if (ferry_config_get8(cfg, pos) == PCI_CAP_ID_EXP)
		return ferry_config_get32(cfg, pos + PCI_EXP_DEVCAP) &
		       PCI_EXP_DEVCAP_FLR;
	return (ferry_config_get8(cfg, pos + PCI_AF_CAP) & af) == af;
}

/* No more messages than were allocated, or than the function can send. */
static u32 clamp_msi(const struct ferry_config *cfg, u32 flags)
{
	u32 most = (flags & PCI_MSI_FLAGS_QMASK) >> 1;
	u32 size = (flags & PCI_MSI_FLAGS_QSIZE) >> 4;

	if (cfg->backend)
		most = min_t(u32, most, cfg->msi_qsize);
	return (flags & ~PCI_MSI_FLAGS_QSIZE) | min(size, most) << 4;
}

/*
 * The events that remain when old and new value are known, and which bits the
 * user may change.
 */
static u32 events_of(const struct ferry_config *cfg, unsigned int pos,
		     const struct ferry_cap_field *field, u32 old, u32 new,
		     u32 may)
{
	u32 events = field->events;

	if (events & FERRY_CONFIG_FLR &&
	    !(new & field->zero && can_flr(cfg, pos)))
		events &= ~FERRY_CONFIG_FLR;
	if (!((old ^ new) & PCI_EXP_DEVCTL_READRQ))
		events &= ~FERRY_CONFIG_READRQ;
	if (events & FERRY_CONFIG_POWER && !power_state_exists(cfg, pos, new))
		events &= ~FERRY_CONFIG_POWER;
	if (old == new)
		events &= ~(FERRY_CONFIG_MSIX | FERRY_CONFIG_MSI_MASK);
	/* A real function was enabled without its user's doing. */
	if (old == new && !(cfg->backend && may))
		events &= ~FERRY_CONFIG_MSI;
	/* Hardware minds its mask bits itself. */
	if (cfg->backend)
		events &= ~FERRY_CONFIG_MSI_MASK;
	return events;
}

static void raise_event(const struct ferry_config *cfg, unsigned int pos,
			const struct ferry_cap_field *field,
			struct ferry_config_piece *piece)
{
	struct ferry_config_change *change = &piece->change;
	unsigned int at = pos + field->offset;
	u32 mine = ferry_load(cfg->virt + at, field->width) | field->trigger;
	u32 may = piece_to_field(piece->mask, at, piece, field->width);
	u32 data = piece_to_field(piece->data, at, piece, field->width);

	change->old = ferry_load(cfg->value + at, field->width) & mine;
	/* The state of a real function is not written, but asked for. */
	if (field->events & FERRY_CONFIG_POWER)
		may |= field->trigger;
	change->new = ((change->old & ~may) | (data & may)) & mine;
	/* What a second capability says of messages is nobody's to change. */
	if (field->events & FERRY_CONFIG_MSI && may) {
		change->new = clamp_msi(cfg, change->new);
		piece->data &= ~field_to_piece(PCI_MSI_FLAGS_QSIZE, at, piece);
		piece->data |= field_to_piece(change->new & PCI_MSI_FLAGS_QSIZE,
					      at, piece);
	}
	change->offset = at;
	change->width = field->width;
	change->events = events_of(cfg, pos, field, change->old, change->new,
				   may);

	if (field->events & FERRY_CONFIG_POWER && !change->events)
		piece->mask &= ~field_to_piece(field->trigger, at, piece);
	if (field->events & FERRY_CONFIG_COMMAND)
		piece->shadow = field_to_piece(field->trigger, at, piece);
}

/**
 * ferry_config_decode() - complete a piece that touches a special register
 * @cfg:   the space
 * @piece: the piece; offset, width, data and masks are filled in
 */
void ferry_config_decode(const struct ferry_config *cfg,
			 struct ferry_config_piece *piece)
{
	const struct ferry_cap_desc *desc;
	unsigned int pos, i;

	desc = ferry_config_locate(cfg, piece->off, &pos);
	for (i = 0; i < desc->count; i++) {
		const struct ferry_cap_field *field = &desc->fields[i];
		unsigned int at = pos + field->offset;

		if (at + field->width <= piece->off)
			continue;
		if (at >= piece->off + piece->width)
			break;
		piece->w1c |= field_to_piece(field->w1c, at, piece);
		if (field_to_piece(field->trigger, at, piece))
			raise_event(cfg, pos, field, piece);
	}
}
