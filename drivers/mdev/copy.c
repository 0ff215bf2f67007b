// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory to guest memory, through a buffer. To pin the pages and copy between them takes
 * four times as long, because type1 pins and unpins them one by one.
 */
#include <linux/export.h>
#include <linux/minmax.h>

#include "mdev.h"

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
