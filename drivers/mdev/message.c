// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages: MSI and MSI-X. A message that is masked, or that no eventfd waits
 * for, is pending until neither holds any more.
 *
 * Two kinds of users mask a vector. One writes the mask bits that PCI has for it,
 * as the driver of a physical function would. The other, QEMU among them, keeps the
 * MSI-X table to itself and never writes ours: it takes the vector's eventfd away
 * instead. So the mask bit of a table entry, which a reset sets (PCI 3.0, 6.8.2.9),
 * counts from the first time on that its user writes it; the function mask and the
 * bits of MSI, which are clear at first, always do.
 */
#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <uapi/ferry/migration.h>

#include "mdev.h"
#include "message.h"

/* How many vectors the enabled index has; 0 if none is. */
static unsigned int vectors(struct ferry_instance *inst)
{
	if (ferry_irq_active(&inst->fdev, VFIO_PCI_MSIX_IRQ_INDEX))
		return inst->model->msix.vectors;
	if (ferry_irq_active(&inst->fdev, VFIO_PCI_MSI_IRQ_INDEX))
		return inst->model->msi;
	return 0;
}

static bool masked(struct ferry_instance *inst, unsigned int vector)
{
	struct ferry_messages *messages = &inst->messages;

	if (instance_stopped(inst))
		return true;
	if (ferry_irq_active(&inst->fdev, VFIO_PCI_MSI_IRQ_INDEX))
		return messages->msi_masked & BIT(vector);
	/* Disabled just now: who has done it is about to forget what is pending. */
	if (!ferry_irq_active(&inst->fdev, VFIO_PCI_MSIX_IRQ_INDEX))
		return true;
	/* A message of MSI that came when the instance was moved here. */
	if (vector >= inst->model->msix.vectors)
		return true;
	return messages->all_masked ||
	       (messages->table[vector].masked &&
		messages->table[vector].written);
}

/* Send what may be sent of one word of pending bits. */
static void deliver_word(struct ferry_instance *inst, unsigned int word)
{
	u64 *pending = &inst->messages.pending[word];
	u64 left = *pending;
	unsigned int bit;

	for (; left; left &= left - 1) {
		bit = __ffs64(left);
		if (!masked(inst, word * MESSAGES_PER_WORD + bit) &&
		    ferry_irq_signal(&inst->fdev,
				     word * MESSAGES_PER_WORD + bit))
			*pending &= ~BIT_ULL(bit);
	}
}

/**
 * ferry_messages_arm - a vector has got an eventfd that what is pending can go to
 * @inst: the instance
 * @vector: its number
 *
 * Context: any but NMI.
 */
void ferry_messages_arm(struct ferry_instance *inst, unsigned int vector)
{
	unsigned long flags;

	spin_lock_irqsave(&inst->messages.lock, flags);
	deliver_word(inst, vector / MESSAGES_PER_WORD);
	spin_unlock_irqrestore(&inst->messages.lock, flags);
}

/**
 * ferry_messages_deliver - something may not be in the way of messages any more
 * @inst: the instance
 *
 * The lock is let go of after each word: eventfds, with who waits for them, may be many.
 *
 * Context: any but NMI.
 */
void ferry_messages_deliver(struct ferry_instance *inst)
{
	unsigned int vector;

	for (vector = 0; vector < vectors(inst); vector += MESSAGES_PER_WORD)
		ferry_messages_arm(inst, vector);
}

/* The vector has something to say. */
static void raise_locked(struct ferry_instance *inst, unsigned int vector)
{
	struct ferry_messages *messages = &inst->messages;

	lockdep_assert_held(&messages->lock);

	if (ferry_irq_active(&inst->fdev, VFIO_PCI_MSI_IRQ_INDEX))
		vector &= rounddown_pow_of_two(messages->enabled) - 1;
	if (!vector)
		messages->by_level = false;
	messages->pending[vector / MESSAGES_PER_WORD] |=
		BIT_ULL(vector % MESSAGES_PER_WORD);
	deliver_word(inst, vector / MESSAGES_PER_WORD);
}

/**
 * ferry_instance_raise - send a message
 * @inst: the instance
 * @vector: number of the MSI or MSI-X vector, from 0; nothing happens if the model
 *	has no such vector, or while neither is enabled
 *
 * While the vector is masked, or has no eventfd, the message is pending, once
 * however often it is raised. Where the user has enabled fewer MSI vectors than the
 * model has, they stand for all (PCI 3.0, 6.8.3.4): the last bits of @vector choose.
 *
 * Context: any but NMI; takes a lock under which eventfds are signalled, so not
 * inside the wait queue of one.
 */
void ferry_instance_raise(struct ferry_instance *inst, unsigned int vector)
{
	struct ferry_messages *messages = &inst->messages;
	unsigned long flags;

	spin_lock_irqsave(&messages->lock, flags);
	if (vector < vectors(inst))
		raise_locked(inst, vector);
	spin_unlock_irqrestore(&messages->lock, flags);
}
EXPORT_SYMBOL_GPL(ferry_instance_raise);

/**
 * ferry_messages_rise - the level of the interrupt rises
 * @inst: the instance
 *
 * Who saves the instance sees the level and its message, or neither.
 *
 * Where the instance migrates, the state that it takes over may assert the interrupt before
 * its user has enabled anything: the message waits for that.
 *
 * Context: any but NMI.
 * Return: whether the level has become a message, so that it is no concern of INTx.
 */
bool ferry_messages_rise(struct ferry_instance *inst)
{
	const struct ferry_model *model = inst->model;
	struct ferry_messages *messages = &inst->messages;
	bool enabled, waits;
	unsigned long flags;

	spin_lock_irqsave(&messages->lock, flags);
	set_bit(INSTANCE_LEVEL, &inst->flags);
	waits = messages->pending[0] & BIT_ULL(0);
	enabled = vectors(inst);
	if (enabled)
		raise_locked(inst, 0);
	else if (instance_stopped(inst) && (model->msi || model->msix.vectors))
		messages->pending[0] |= BIT_ULL(0);
	messages->by_level = !waits;
	spin_unlock_irqrestore(&messages->lock, flags);
	return enabled;
}

/**
 * ferry_messages_fall - the level of the interrupt falls
 * @inst: the instance
 *
 * A message that has not been sent by then has nothing to tell any more (PCI 3.0, 6.8.3.5),
 * unless the model has raised it, too.
 *
 * Context: any but NMI.
 */
void ferry_messages_fall(struct ferry_instance *inst)
{
	struct ferry_messages *messages = &inst->messages;
	unsigned long flags;

	spin_lock_irqsave(&messages->lock, flags);
	clear_bit(INSTANCE_LEVEL, &inst->flags);
	if (messages->by_level)
		messages->pending[0] &= ~BIT_ULL(0);
	spin_unlock_irqrestore(&messages->lock, flags);
}

/**
 * ferry_messages_mask - the configuration space has changed
 * @inst: the instance
 * @msi: mask bits of MSI
 * @msix: function mask of MSI-X
 *
 * Context: process context.
 */
void ferry_messages_mask(struct ferry_instance *inst, u32 msi, bool msix)
{
	struct ferry_messages *messages = &inst->messages;

	spin_lock_irq(&messages->lock);
	messages->msi_masked = msi;
	messages->all_masked = msix;
	spin_unlock_irq(&messages->lock);
	ferry_messages_deliver(inst);
}

/**
 * ferry_messages_pending - which vectors are pending
 * @inst: the instance
 *
 * Context: any but NMI.
 * Return: a bit for each of the first 32, as in the pending bits of MSI.
 */
u32 ferry_messages_pending(struct ferry_instance *inst)
{
	/* Without MSI there is no register to show them in. */
	if (!ferry_irq_active(&inst->fdev, VFIO_PCI_MSI_IRQ_INDEX))
		return 0;
	return READ_ONCE(inst->messages.pending[0]);
}

/**
 * ferry_messages_enable - MSI or MSI-X is about to be enabled
 * @inst: the instance
 * @nvec: vectors that its user asks for; of a number of MSI vectors that is no power of
 *	two, those from the next lower one on are never sent
 */
void ferry_messages_enable(struct ferry_instance *inst, unsigned int nvec)
{
	spin_lock_irq(&inst->messages.lock);
	inst->messages.enabled = nvec;
	spin_unlock_irq(&inst->messages.lock);
}

/**
 * ferry_messages_forget - MSI or MSI-X has been disabled
 * @inst: the instance; nothing is pending any more
 */
void ferry_messages_forget(struct ferry_instance *inst)
{
	struct ferry_messages *messages = &inst->messages;

	spin_lock_irq(&messages->lock);
	memset(messages->pending, 0, sizeof(messages->pending));
	spin_unlock_irq(&messages->lock);
}

/**
 * ferry_messages_reset - put the MSI-X table where a reset puts it
 * @inst: the instance; nothing is pending any more
 *
 * Every entry is masked (PCI 3.0, 6.8.2.9), and its mask bit doesn't count until it
 * is written.
 */
void ferry_messages_reset(struct ferry_instance *inst)
{
	struct ferry_messages *messages = &inst->messages;
	unsigned int i;

	ferry_messages_forget(inst);
	if (!messages->table)
		return;
	spin_lock_irq(&messages->lock);
	for (i = 0; i < inst->model->msix.vectors; i++)
		messages->table[i] = (struct ferry_message) { .masked = true };
	spin_unlock_irq(&messages->lock);
}

/* Words of pending bits, for MSI and MSI-X. */
static unsigned int pending_words(const struct ferry_model *model)
{
	return DIV_ROUND_UP(max_t(u16, model->msix.vectors, 1),
			    MESSAGES_PER_WORD);
}

/**
 * ferry_messages_size - bytes that ferry_messages_save() saves
 * @model: the model
 *
 * Return: how many.
 */
size_t ferry_messages_size(const struct ferry_model *model)
{
	return sizeof(struct ferry_migration_interrupts) +
	       pending_words(model) * sizeof(__le64) +
	       model->msix.vectors * sizeof(struct ferry_migration_vector);
}

/**
 * ferry_messages_save - put what the instance has to say into a migration stream
 * @inst: the instance, open
 * @buf: where to, as struct ferry_migration_interrupts
 */
void ferry_messages_save(struct ferry_instance *inst, void *buf)
{
	struct ferry_messages *messages = &inst->messages;
	unsigned int i, words = pending_words(inst->model);
	struct ferry_migration_interrupts *to = buf;
	struct ferry_migration_vector *vector =
		(struct ferry_migration_vector *)&to->pending[words];
	const struct ferry_message *entry = messages->table;

	if (ferry_intx_masked(&inst->fdev) ||
	    test_bit(INSTANCE_TOLD, &inst->flags))
		to->flags |= cpu_to_le32(FERRY_MIGRATION_TOLD);
	to->words = cpu_to_le32(words);
	spin_lock_irq(&messages->lock);
	if (instance_level(inst))
		to->flags |= cpu_to_le32(FERRY_MIGRATION_LEVEL);
	for (i = 0; i < words; i++)
		to->pending[i] = cpu_to_le64(messages->pending[i]);
	for (i = 0; i < inst->model->msix.vectors; i++, entry++, vector++) {
		vector->address[0] = cpu_to_le32(entry->address[0]);
		vector->address[1] = cpu_to_le32(entry->address[1]);
		vector->data = cpu_to_le32(entry->data);
		vector->control =
			cpu_to_le32(entry->masked * FERRY_MIGRATION_MASKED |
				    entry->written * FERRY_MIGRATION_WRITTEN);
	}
	spin_unlock_irq(&messages->lock);
}

/**
 * ferry_messages_valid - can interrupts be like this?
 * @inst: the instance
 * @buf: ferry_messages_size() bytes that may be anything
 *
 * Return: whether ferry_messages_load() can take them over.
 */
bool ferry_messages_valid(struct ferry_instance *inst, const void *buf)
{
	unsigned int i, words = pending_words(inst->model);
	unsigned int nr = max_t(u16, inst->model->msix.vectors,
				inst->model->msi);
	const struct ferry_migration_interrupts *from = buf;
	const struct ferry_migration_vector *vector =
		(const struct ferry_migration_vector *)&from->pending[words];

	if (le32_to_cpu(from->flags) & ~(FERRY_MIGRATION_LEVEL |
					 FERRY_MIGRATION_TOLD) ||
	    le32_to_cpu(from->words) != words)
		return false;
	if (nr % MESSAGES_PER_WORD || !nr)
		if (le64_to_cpu(from->pending[words - 1]) >>
		    (nr % MESSAGES_PER_WORD))
			return false;
	for (i = 0; i < inst->model->msix.vectors; i++, vector++)
		if (le32_to_cpu(vector->address[0]) & 3 ||
		    le32_to_cpu(vector->control) & ~(FERRY_MIGRATION_MASKED |
						     FERRY_MIGRATION_WRITTEN))
			return false;
	return true;
}

/**
 * ferry_messages_load - take over what another instance had to say
 * @inst: the instance, stopped, and reset before; nothing is sent before it starts
 * @buf: ferry_messages_valid() has seen it
 */
void ferry_messages_load(struct ferry_instance *inst, const void *buf)
{
	struct ferry_messages *messages = &inst->messages;
	unsigned int i, words = pending_words(inst->model);
	const struct ferry_migration_interrupts *from = buf;
	const struct ferry_migration_vector *vector =
		(const struct ferry_migration_vector *)&from->pending[words];
	struct ferry_message *entry = messages->table;
	u32 control;

	/* The message that this rise has caused has been sent. */
	if (from->flags & cpu_to_le32(FERRY_MIGRATION_LEVEL))
		set_bit(INSTANCE_LEVEL, &inst->flags);
	if (from->flags & cpu_to_le32(FERRY_MIGRATION_TOLD))
		set_bit(INSTANCE_TOLD, &inst->flags);
	spin_lock_irq(&messages->lock);
	/* Why they are pending isn't told: rather one too many than one too few. */
	messages->by_level = false;
	for (i = 0; i < words; i++)
		messages->pending[i] = le64_to_cpu(from->pending[i]);
	for (i = 0; i < inst->model->msix.vectors; i++, entry++, vector++) {
		control = le32_to_cpu(vector->control);
		entry->address[0] = le32_to_cpu(vector->address[0]);
		entry->address[1] = le32_to_cpu(vector->address[1]);
		entry->data = le32_to_cpu(vector->data);
		entry->masked = control & FERRY_MIGRATION_MASKED;
		entry->written = control & FERRY_MIGRATION_WRITTEN;
	}
	spin_unlock_irq(&messages->lock);
}

/**
 * ferry_messages_init - no message has ever been sent
 * @inst: a new instance
 */
void ferry_messages_init(struct ferry_instance *inst)
{
	spin_lock_init(&inst->messages.lock);
}

/**
 * ferry_messages_open - a user opens the device
 * @inst: the instance
 *
 * Return: 0 or -ENOMEM.
 */
int ferry_messages_open(struct ferry_instance *inst)
{
	struct ferry_messages *messages = &inst->messages;

	messages->msi_masked = 0;
	messages->all_masked = false;
	if (!inst->model->msix.vectors)
		return 0;
	messages->table = kvcalloc(inst->model->msix.vectors,
				   sizeof(*messages->table),
				   GFP_KERNEL_ACCOUNT);
	if (!messages->table)
		return -ENOMEM;
	ferry_messages_reset(inst);
	return 0;
}

/**
 * ferry_messages_close - undo ferry_messages_open()
 * @inst: the instance, on which neither MSI nor MSI-X is enabled
 */
void ferry_messages_close(struct ferry_instance *inst)
{
	kvfree(inst->messages.table);
	inst->messages.table = NULL;
}
