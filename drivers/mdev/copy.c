// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory to guest memory: much of it between pages that are pinned, the rest, and what
 * can't be pinned, through a buffer.
 */
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mdev.h"

/* From so many bytes on it is quicker to pin pages than to copy twice. */
#define PIN_MIN		SZ_64K

/* Returns how much it has copied before the guest has taken pages away. */
static size_t copy_pages(struct ferry_guest_range *to,
			 struct ferry_guest_range *from)
{
	size_t to_len, from_len, n, at;
	void *dst, *src;

	for (at = 0; at < to->len; at += n) {
		src = ferry_guest_map(from, at, &from_len);
		if (!src)
			break;
		dst = ferry_guest_map(to, at, &to_len);
		if (!dst) {
			ferry_guest_unmap(src);
			break;
		}
		n = min(from_len, to_len);
		memmove(dst, src, n);
		ferry_guest_unmap(dst);
		ferry_guest_unmap(src);
	}
	return at;
}

/* Returns how much it has copied, which may be nothing. */
static size_t copy_pinned(struct ferry_instance *inst, u64 to, u64 from,
			  size_t len)
{
	struct ferry_guest *guest = &inst->guest;
	size_t done = 0;

	if (ferry_guest_pin(inst, from, len, false, &guest->from))
		return 0;
	if (!ferry_guest_pin(inst, to, guest->from.len, true, &guest->to)) {
		done = copy_pages(&guest->to, &guest->from);
		ferry_guest_unpin(inst, &guest->to);
	}
	ferry_guest_unpin(inst, &guest->from);
	return done;
}

/**
 * ferry_guest_copy - copy from guest memory to guest memory
 * @inst: the instance
 * @to: address of the destination, as the guest's driver gives it to the device
 * @from: address of the source
 * @len: bytes wanted, at least 1
 *
 * Copies a piece of bounded size, so that the caller can look at
 * ferry_instance_stopping() before the next one. What arrives is not specified where source and
 * destination overlap. Uses the buffer of ferry_guest_buffer().
 *
 * Context: as ferry_guest_read().
 * Return: how many bytes were copied, at least 1; -EFAULT where the source can't be read,
 * -EACCES where the destination can't be written, of which some may have been.
 */
ssize_t ferry_guest_copy(struct ferry_instance *inst, u64 to, u64 from,
			 size_t len)
{
	void *buffer = inst->guest.buffer;
	size_t done = 0;

	if (len >= PIN_MIN)
		done = copy_pinned(inst, to, from, len);
	if (done)
		return done;
	len = min_t(size_t, len, FERRY_GUEST_BUFFER);
	if (ferry_guest_read(inst, from, buffer, len))
		return -EFAULT;
	return ferry_guest_write(inst, to, buffer, len) ? -EACCES : len;
}
EXPORT_SYMBOL_GPL(ferry_guest_copy);

/**
 * ferry_guest_buffer - memory for the work to put together, or look at, what it accesses
 * @inst: an instance of a model with &ferry_model.work
 *
 * Context: the model's work, whose own it is; ferry_guest_copy() leaves anything there.
 * Return: FERRY_GUEST_BUFFER bytes, aligned to a page.
 */
void *ferry_guest_buffer(struct ferry_instance *inst)
{
	return inst->guest.buffer;
}
EXPORT_SYMBOL_GPL(ferry_guest_buffer);
