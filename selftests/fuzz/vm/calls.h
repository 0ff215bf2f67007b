/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls on an open device, made up by libFuzzer: an input is where it happens,
 * and calls that several threads make.
 */
#ifndef _FERRY_FUZZ_CALLS_H
#define _FERRY_FUZZ_CALLS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "../../lib/ferrytest.h"

#define THREADS		3
#define DEVICES		2
#define EVENTFDS	8
#define STREAMS		4
#define WINDOWS		6
#define WINDOW_SIZE	0x100000UL
#define PAGE		4096UL
#define PAGES		64
/* Where the user's memory is for the device, if it is mapped in order. */
#define IOVA		0x10000ULL
#define STREAM_SIZE	0x10000
#define BARS		9

/**
 * struct head - where an input begins
 * @target: which device, modulo their number
 * @flags: HEAD_*
 * @reserved: says nothing
 */
struct head {
	__u8 target;
	__u8 flags;
	__u8 reserved[2];
};

/* By its character device, in an iommufd context; where there is none, by its group. */
#define HEAD_IOMMUFD	1

/**
 * struct call - one call of an input; every value means something
 * @kind: index of call_kinds, modulo their number
 * @who: thread, and slot of the descriptor that it is for
 * @flags: see the kinds
 * @a: the same
 * @b: the same
 */
struct call {
	__u8 kind;
	__u8 who;
	__u16 flags;
	__u32 a;
	__u32 b;
};

/**
 * struct range - registers of a physical device that may be written
 * @bar: BAR
 * @start: first byte
 * @len: bytes; 0 is the end of an array
 */
struct range {
	__u32 bar;
	__u32 start;
	__u32 len;
};

/**
 * struct target - a device
 * @name: as the tests know it
 * @writable: what may be written of its BARs, for the emulation behind a register
 *	is not what is tested here; NULL for all, of a mediated device
 * @bus: "pci" or "mdev"
 * @id: address or UUID
 * @type: of a mediated device
 * @says: the first 32 bits of its config space
 */
struct target {
	const char *name;
	const struct range *writable;
	const char *bus;
	char id[FERRY_NAME_MAX];
	char type[256];
	__u32 says;
};

/**
 * struct world - what the threads share
 * @target: the device
 * @v: its group and container, or its iommufd context; descriptors are in @devices
 * @iommufd: which of these
 * @sizes: of its regions
 * @devices: descriptors of it, or -1
 * @eventfds: eventfds, or -1
 * @streams: descriptors that the device gave: of migrations, dma-bufs; or -1
 * @windows: where its regions are mapped: WINDOWS of WINDOW_SIZE each
 * @memory: PAGES for the device
 * @stream: what was read from a stream last
 * @stream_len: so many bytes
 *
 * Slots are changed by exchange only: a descriptor is closed once.
 */
struct world {
	struct target *target;
	struct vdev v;
	bool iommufd;
	__u64 sizes[BARS];
	int devices[DEVICES];
	int eventfds[EVENTFDS];
	int streams[STREAMS];
	char *windows;
	char *memory;
	char stream[STREAM_SIZE];
	size_t stream_len;
};

/* coverage.c: what the kernel has run for a thread */
struct coverage;
extern __u8 coverage_counters[];
struct coverage *coverage_new(void);
void coverage_begin(struct coverage *c);
void coverage_end(struct coverage *c);
void coverage_result(unsigned int kind, int ret);

/* target.c: devices, and the thread that takes them away */
extern unsigned int nr_targets;
void targets_find(void);
struct target *target_at(unsigned int n);
void target_unplug(struct target *t);
bool target_going(void);
void target_settle(void);

/* world.c: from one input to the next */
void world_make(struct world *w);
void world_open(struct world *w, struct target *t, bool iommufd);
void world_tidy(struct world *w);
void world_close(struct world *w);
void slot_put(int *slot, int fd);
int slot_get(const int *slot);

/* log.c: what the kernel says of it */
void log_begin(void);
void log_check(void);

/* kinds.c: what can be called, and how a call is chosen and changed */
struct call_kind {
	const char *name;
	int (*make)(struct world *w, const struct call *c);
};

extern const struct call_kind call_kinds[];
extern const unsigned int nr_call_kinds;

/* The descriptor of the device that a call is for. */
static inline int call_device(const struct world *w, const struct call *c)
{
	return slot_get(&w->devices[c->who >> 2 & 1]);
}

/* irqs.c */
int call_irqs(struct world *w, const struct call *c);
int call_ioeventfd(struct world *w, const struct call *c);
int call_eventfd(struct world *w, const struct call *c);

/* regions.c */
int call_read(struct world *w, const struct call *c);
int call_write(struct world *w, const struct call *c);
int call_command(struct world *w, const struct call *c);
int call_mmap(struct world *w, const struct call *c);
int call_munmap(struct world *w, const struct call *c);
int call_touch(struct world *w, const struct call *c);
void touch_begin(void);

/* features.c */
int call_feature(struct world *w, const struct call *c);
int call_migrate(struct world *w, const struct call *c);
int call_stream(struct world *w, const struct call *c);

/* memory.c */
int call_dma_map(struct world *w, const struct call *c);
int call_dma_unmap(struct world *w, const struct call *c);
int call_engine(struct world *w, const struct call *c);

/* device.c */
int call_info(struct world *w, const struct call *c);
int call_reset(struct world *w, const struct call *c);
int call_hot_reset(struct world *w, const struct call *c);
int call_reopen(struct world *w, const struct call *c);
int call_attach(struct world *w, const struct call *c);
int call_picture(struct world *w, const struct call *c);
int call_raw(struct world *w, const struct call *c);
int call_unplug(struct world *w, const struct call *c);

/* libFuzzer calls these, by its own names; and we call its own mutator. */
int fuzz_begin(int *argc, char ***argv) asm("LLVMFuzzerInitialize");
int try_input(const __u8 *data, size_t size) asm("LLVMFuzzerTestOneInput");
size_t mutate_input(__u8 *data, size_t size, size_t max, unsigned int seed)
	asm("LLVMFuzzerCustomMutator");
size_t cross_inputs(const __u8 *one, size_t size_one, const __u8 *other,
		    size_t size_other, __u8 *out, size_t max, unsigned int seed)
	asm("LLVMFuzzerCustomCrossOver");
size_t mutate_bytes(__u8 *data, size_t size, size_t max)
	asm("LLVMFuzzerMutate");

#endif /* _FERRY_FUZZ_CALLS_H */
