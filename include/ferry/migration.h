/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Migration of a device that somebody emulates: the states of linux/vfio.h, and the
 * file that carries the stream.
 */
#ifndef FERRY_MIGRATION_H
#define FERRY_MIGRATION_H

#include <linux/ratelimit.h>
#include <linux/types.h>
#include <linux/vfio.h>

struct ferry_device;
struct ferry_session;

/**
 * struct ferry_migration_ops - what a driver implements for migration
 * @pause: stop what goes on by itself, and wait for it. Accesses are still answered and
 *	interrupts still sent.
 * @resume: undo @pause.
 * @stop: send no interrupt any more; keep them until @start.
 * @start: undo @stop.
 * @save: put the state of a device that is stopped into @size bytes of zeroes at @buf; of
 *	its memory the pages that differ from @known, or from zeroes if that is %NULL.
 *	Returns the length, or a negative errno.
 * @load: take a state over, of @len bytes at @buf, which are aligned to 8 and could be
 *	anything, on memory as it is at @known. Returns 0; or -EINVAL, after
 *	ferry_migration_refuse(), with the device as it was.
 * @changed: how many pages of the device's memory differ from @known?
 * @preview: put up to @pages pages that differ into zeroes at @buf, and into @known. Returns
 *	the length.
 * @preview_load: take what @preview has made of another device's memory, or anything, of
 *	@len bytes at @buf, over into @known. Returns 0; or -EINVAL, after
 *	ferry_migration_refuse(), with @known as it was.
 *
 * @known has &ferry_migration_desc.memory bytes: the memory as the target has it by now.
 *
 * The last three are for a device with memory, and are called while it is open, perhaps
 * running, and while nobody else uses @known. The others are called with
 * ferry_device.config_lock held. All may sleep.
 */
struct ferry_migration_ops {
	void (*pause)(struct ferry_device *fdev);
	void (*resume)(struct ferry_device *fdev);
	void (*stop)(struct ferry_device *fdev);
	void (*start)(struct ferry_device *fdev);
	ssize_t (*save)(struct ferry_device *fdev, const void *known, void *buf,
			size_t size);
	int (*load)(struct ferry_device *fdev, const void *known,
		    const void *buf, size_t len);
	size_t (*changed)(struct ferry_device *fdev, const void *known);
	size_t (*preview)(struct ferry_device *fdev, void *known, void *buf,
			  size_t pages);
	int (*preview_load)(struct ferry_device *fdev, void *known,
			    const void *buf, size_t len);
};

/**
 * struct ferry_migration_desc - a kind of device that migrates
 * @model: its name, shorter than FERRY_MIGRATION_NAME
 * @version: of its state: a stream of another one is refused
 * @max: the most bytes that its state takes
 * @memory: bytes of memory that are sent ahead, while the device runs; whole
 *	FERRY_MIGRATION_PAGE, in @max with a struct ferry_migration_page for each
 * @ranges: how many pieces of memory these are, each a section
 * @ops: what it does
 */
struct ferry_migration_desc {
	const char *model;
	u32 version;
	size_t max;
	size_t memory;
	unsigned int ranges;
	const struct ferry_migration_ops *ops;
};

/**
 * struct ferry_migration - migration of one device
 * @desc: what it is; its @ops are %NULL for a device that doesn't migrate
 * @state: one of enum vfio_device_mig_state; under ferry_device.config_lock, like the rest
 * @session: the transfer that is under way, or %NULL
 * @refusals: how often the log hears why a stream is refused
 */
struct ferry_migration {
	struct ferry_migration_desc desc;
	unsigned int state;
	struct ferry_session *session;
	struct ratelimit_state refusals;
};

void ferry_migration_init(struct ferry_device *fdev,
			  const struct ferry_migration_desc *desc);
void ferry_migration_reset(struct ferry_device *fdev);
__printf(2, 3)
int ferry_migration_refuse(struct ferry_device *fdev, const char *why, ...);

#endif /* FERRY_MIGRATION_H */
