/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of ferry-mdev.ko call of each other and nobody else does.
 */
#ifndef FERRY_MDEV_H
#define FERRY_MDEV_H

#include <linux/mutex.h>
#include <linux/pci_regs.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <ferry/device.h>
#include <ferry/model.h>

/* Pending bits are kept in words of 64 (PCI 3.0, 6.8.2.10). */
#define MESSAGES_PER_WORD	64

/**
 * struct ferry_messages - MSI and MSI-X of an instance
 * @lock: guards everything below; eventfds are signalled with it held, so that a
 *	message that finds none is pending before one is attached
 * @table: the MSI-X table, of struct ferry_model_msix.vectors entries, while the
 *	device is open
 * @pending: vectors that have something to say and may not
 * @enabled: how many vectors its user asked for when he enabled the index
 * @msi_masked: mask bits of MSI
 * @all_masked: the function mask of MSI-X
 * @by_level: if vector 0 is pending, then for no other reason than that the level has risen
 *
 * @enabled is of use to MSI only: an MSI-X vector that isn't enabled is pending.
 */
struct ferry_messages {
	spinlock_t lock;	/* see above */
	struct ferry_message *table;
	u64 pending[FERRY_MODEL_MAX_MSIX / MESSAGES_PER_WORD];
	unsigned int enabled;
	u32 msi_masked;
	bool all_masked;
	bool by_level;
};

struct ferry_display;
struct ferry_migration_page;

/**
 * enum ferry_work_reason - why a model's work must not run
 * @WORK_CLOSED: nobody has the instance open
 * @WORK_RESET: it is being reset
 * @WORK_MIGRATION: a migration state forbids it
 * @WORK_BUS: it must not master the bus, or is in a power state in which it can't
 *
 * The reasons are independent: work runs while none of them holds.
 */
enum ferry_work_reason {
	WORK_CLOSED,
	WORK_RESET,
	WORK_MIGRATION,
	WORK_BUS,
};

/**
 * struct ferry_work - what an instance does by itself
 * @lock: guards @stopped and @wanted, and keeps the work from being queued while it
 *	is stopped
 * @run: calls the model
 * @stopped: bit mask of &enum ferry_work_reason
 * @wanted: to be queued when it isn't stopped any more
 * @until: the end of its turn, in jiffies; like @unfinished for who runs it
 * @unfinished: it was told that its turn is over
 */
struct ferry_work {
	spinlock_t lock;	/* see above */
	struct delayed_work run;
	unsigned long stopped;
	bool wanted;
	unsigned long until;
	bool unfinished;
};

/**
 * struct ferry_guest - guest memory that an instance has pinned
 * @lock: guards everything here, and &ferry_guest_range.revoked
 * @ranges: what is pinned or about to be
 * @calling: the work is within a call of the VFIO core, where it may wait for locks
 *	of those who take memory away
 * @quiet: nothing is pinned before this many jiffies, for memory is going away
 * @changed: woken when @ranges or @calling changes
 * @buffer: FERRY_GUEST_BUFFER bytes of the work, %NULL for a model without
 */
struct ferry_guest {
	spinlock_t lock;	/* see above */
	struct list_head ranges;
	bool calling;
	unsigned long quiet;
	wait_queue_head_t changed;
	void *buffer;
};

/**
 * struct ferry_dirty - guest memory that an instance has written to
 * @lock: guards everything here; nothing but memory is asked for with it held
 * @on: the user wants to know
 * @everything: it is no use to keep @pages; until the log ends
 * @memcg: whose memory @pages is, while @on; a reference
 * @count: how many are in @pages
 * @pages: by number, of PAGE_SIZE
 */
struct ferry_dirty {
	struct mutex lock;	/* see above */
	bool on;
	bool everything;
	struct mem_cgroup *memcg;
	unsigned int count;
	struct xarray pages;
};

/**
 * struct ferry_instance - one device of a model
 * @fdev: the VFIO PCI device; the first member
 * @model: what it is
 * @config: memory of the configuration space while the device is open
 * @messages: MSI and MSI-X
 * @memory: the pages of each range that can be mapped, while the device is open
 * @display: what the user has of its display, while the device is open; %NULL for none
 * @work: what it does by itself
 * @guest: its access to guest memory
 * @dirty: what it has written to there
 * @flags: bit INSTANCE_LEVEL is set while the model asserts its interrupt,
 *	INSTANCE_STOPPED while no interrupt may be sent because it migrates,
 *	INSTANCE_DMABUF while its picture is to be had as a dma-buf,
 *	INSTANCE_TOLD until INTx is signalled once more, see interrupt.c
 * @state: the model's own
 */
struct ferry_instance {
	struct ferry_device fdev;
	const struct ferry_model *model;
	void *config;
	struct ferry_messages messages;
	void *memory[FERRY_MODEL_NR_BARS][FERRY_MODEL_NR_RANGES];
	struct ferry_display *display;
	struct ferry_work work;
	struct ferry_guest guest;
	struct ferry_dirty dirty;
	unsigned long flags;
	u8 state[] __aligned(sizeof(u64));
};

#define INSTANCE_LEVEL		0
#define INSTANCE_STOPPED	1
#define INSTANCE_DMABUF		2
#define INSTANCE_TOLD		3

#define EXPRESS_CONFIG_SIZE	4096
#define CONVENTIONAL_CONFIG_SIZE	256

static inline struct ferry_instance *to_instance(struct ferry_device *fdev)
{
	return container_of(fdev, struct ferry_instance, fdev);
}

static inline bool instance_level(struct ferry_instance *inst)
{
	return test_bit(INSTANCE_LEVEL, &inst->flags);
}

static inline bool instance_stopped(struct ferry_instance *inst)
{
	return test_bit(INSTANCE_STOPPED, &inst->flags);
}

/* Bytes that the pending bits of MSI-X take. */
static inline u32 msix_pba_size(const struct ferry_model_msix *msix)
{
	return DIV_ROUND_UP(msix->vectors, MESSAGES_PER_WORD) * sizeof(u64);
}

/* Bytes that its table takes. */
static inline u32 msix_table_size(const struct ferry_model_msix *msix)
{
	return msix->vectors * PCI_MSIX_ENTRY_SIZE;
}

/* Its instances can be taken elsewhere. */
static inline bool model_migrates(const struct ferry_model *model)
{
	return model->save || model->nr_fields;
}

int ferry_model_check(const struct ferry_model *model);

struct ferry_instance *ferry_instance_create(struct device *dev,
					     const struct ferry_model *model);
void ferry_instance_destroy(struct ferry_instance *inst);
void ferry_instance_reset(struct ferry_instance *inst);

void ferry_registers_reset(struct ferry_instance *inst);
void ferry_model_reset(struct ferry_instance *inst);

int ferry_layout_build(struct ferry_instance *inst);
void ferry_layout_sync(struct ferry_instance *inst);
void ferry_layout_wake(struct ferry_instance *inst);

void ferry_bars_init(struct ferry_instance *inst);

int ferry_memory_alloc(struct ferry_instance *inst);
void ferry_memory_free(struct ferry_instance *inst);
void ferry_memory_clear(struct ferry_instance *inst);
bool ferry_memory_exists(const struct ferry_model *model);

int ferry_display_open(struct ferry_instance *inst);
void ferry_display_close(struct ferry_instance *inst);
long ferry_display_ioctl(struct ferry_device *fdev, unsigned int cmd,
			 unsigned long arg);
extern const struct attribute_group *ferry_display_groups[];

int ferry_work_setup(void);
void ferry_work_cleanup(void);
void ferry_work_init(struct ferry_instance *inst);
void ferry_work_stop(struct ferry_instance *inst,
		     enum ferry_work_reason reason);
void ferry_work_start(struct ferry_instance *inst,
		      enum ferry_work_reason reason);

int ferry_guest_init(struct ferry_instance *inst);
void ferry_guest_free(struct ferry_instance *inst);
void ferry_guest_gone(struct vfio_device *vdev, u64 iova, u64 length);

void ferry_dirty_init(struct ferry_instance *inst);
void ferry_dirty_stop(struct ferry_instance *inst);
void ferry_dirty_add(struct ferry_instance *inst, u64 iova, size_t len);

void ferry_messages_init(struct ferry_instance *inst);
int ferry_messages_open(struct ferry_instance *inst);
void ferry_messages_close(struct ferry_instance *inst);
void ferry_messages_enable(struct ferry_instance *inst, unsigned int nvec);
void ferry_messages_forget(struct ferry_instance *inst);
void ferry_messages_reset(struct ferry_instance *inst);
void ferry_messages_arm(struct ferry_instance *inst, unsigned int vector);
void ferry_messages_deliver(struct ferry_instance *inst);
bool ferry_messages_rise(struct ferry_instance *inst);
void ferry_messages_fall(struct ferry_instance *inst);
void ferry_messages_mask(struct ferry_instance *inst, u32 msi, bool msix);
u32 ferry_messages_pending(struct ferry_instance *inst);
size_t ferry_messages_size(const struct ferry_model *model);
void ferry_messages_save(struct ferry_instance *inst, void *buf);
bool ferry_messages_valid(struct ferry_instance *inst, const void *buf);
void ferry_messages_load(struct ferry_instance *inst, const void *buf);

size_t ferry_state_size(const struct ferry_model *model);
const char *ferry_state_complaint(const struct ferry_model *model);
ssize_t ferry_state_save(struct ferry_instance *inst, void *buf);
int ferry_state_check(struct ferry_instance *inst, const void *buf, size_t len);
void ferry_state_load(struct ferry_instance *inst, const void *buf);

size_t ferry_pages_changed(const void *memory, const void *known, size_t size);
size_t ferry_pages_save(const void *memory, const void *known, size_t size,
			struct ferry_migration_page *pages, size_t max);
bool ferry_pages_valid(const struct ferry_migration_page *pages, size_t len,
		       size_t size);
void ferry_pages_load(void *memory, const struct ferry_migration_page *pages,
		      size_t len);

void ferry_migrate_init(struct ferry_instance *inst);

bool ferry_msix_owns(const struct ferry_model *model, unsigned int bar,
		     u64 off);
u64 ferry_msix_read(struct ferry_instance *inst, u64 off, unsigned int width);
void ferry_msix_write(struct ferry_instance *inst, u64 off, unsigned int width,
		      u64 value);

extern const struct ferry_irq_ops ferry_instance_irq_ops;

extern struct class ferry_class;

#endif /* FERRY_MDEV_H */
