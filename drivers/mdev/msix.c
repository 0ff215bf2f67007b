// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two structures of MSI-X in a BAR: the table and the pending bits.
 *
 * PCI 3.0, 6.8.2: software accesses them by aligned words of 32 or 64 bits. Other
 * reads are answered all the same, and other writes dropped, which is one of the
 * results that the specification leaves open.
 */
#include <linux/pci.h>

#include "mdev.h"
#include "message.h"

static bool within(u64 off, u32 start, u32 size)
{
	return off >= start && off - start < size;
}

/**
 * ferry_msix_owns - does this byte belong to MSI-X?
 * @model: the model
 * @bar: number of a BAR
 * @off: offset in it
 *
 * Table and pending bits are whole words of 64 bits, so an aligned access of up to
 * that width belongs to them altogether or not at all.
 *
 * Return: whether it does.
 */
bool ferry_msix_owns(const struct ferry_model *model, unsigned int bar,
		     u64 off)
{
	const struct ferry_model_msix *msix = &model->msix;

	return msix->vectors && bar == msix->bar &&
	       (within(off, msix->table, msix_table_size(msix)) ||
		within(off, msix->pba, msix_pba_size(msix)));
}

static u32 *entry_word(struct ferry_message *entry, unsigned int reg)
{
	switch (reg) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		return &entry->address[0];
	case PCI_MSIX_ENTRY_UPPER_ADDR:
		return &entry->address[1];
	case PCI_MSIX_ENTRY_DATA:
		return &entry->data;
	default:
		return NULL;
	}
}

static u32 table_read(struct ferry_instance *inst, u32 off)
{
	struct ferry_message *entry =
		&inst->messages.table[off / PCI_MSIX_ENTRY_SIZE];
	u32 *word = entry_word(entry, off % PCI_MSIX_ENTRY_SIZE);

	return word ? *word : entry->masked * PCI_MSIX_ENTRY_CTRL_MASKBIT;
}

/* Returns whether what was pending may have to be sent now. */
static bool table_write(struct ferry_instance *inst, u32 off, u32 value)
{
	struct ferry_message *entry =
		&inst->messages.table[off / PCI_MSIX_ENTRY_SIZE];
	u32 *word = entry_word(entry, off % PCI_MSIX_ENTRY_SIZE);

	if (word) {
		/* A message address is one of a dword. */
		*word = word == &entry->address[0] ? value & ~3 : value;
		return false;
	}
	entry->masked = value & PCI_MSIX_ENTRY_CTRL_MASKBIT;
	entry->written = true;
	return !entry->masked;
}

/**
 * ferry_msix_read - read the table or the pending bits
 * @inst: the instance
 * @off: offset in the BAR, ferry_msix_owns() it
 * @width: 1, 2, 4 or 8 bytes, of which @off is a multiple
 *
 * Context: process context.
 * Return: the value.
 */
u64 ferry_msix_read(struct ferry_instance *inst, u64 off, unsigned int width)
{
	const struct ferry_model_msix *msix = &inst->model->msix;
	struct ferry_messages *messages = &inst->messages;
	u32 at = round_down(off, sizeof(u64));
	u64 value;

	spin_lock_irq(&messages->lock);
	if (within(off, msix->table, msix_table_size(msix))) {
		at -= msix->table;
		value = table_read(inst, at) |
			(u64)table_read(inst, at + 4) << 32;
	} else {
		value = messages->pending[(at - msix->pba) / sizeof(u64)];
	}
	spin_unlock_irq(&messages->lock);
	return value >> (8 * (off % sizeof(u64)));
}

/**
 * ferry_msix_write - write the table; the pending bits are read-only
 * @inst: the instance
 * @off: offset in the BAR, ferry_msix_owns() it
 * @width: 1, 2, 4 or 8 bytes, of which @off is a multiple
 * @value: what to write
 *
 * Context: process context.
 */
void ferry_msix_write(struct ferry_instance *inst, u64 off, unsigned int width,
		      u64 value)
{
	const struct ferry_model_msix *msix = &inst->model->msix;
	bool unmasked;

	if (width < 4 || !within(off, msix->table, msix_table_size(msix)))
		return;
	spin_lock_irq(&inst->messages.lock);
	unmasked = table_write(inst, off - msix->table, value);
	if (width == 8)
		unmasked |= table_write(inst, off - msix->table + 4,
					value >> 32);
	spin_unlock_irq(&inst->messages.lock);
	if (unmasked)
		ferry_messages_deliver(inst);
}
