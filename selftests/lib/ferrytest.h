/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test programs share: devices and their drivers through sysfs,
 * VFIO devices through groups and a type1 container, regions, interrupts,
 * the kernel log and mediated devices.
 *
 * Unless said otherwise a function returns 0 or a count on success and a
 * negative errno on failure, so that a test can name the errno it expects.
 */
#ifndef FERRYTEST_H
#define FERRYTEST_H

#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* How long to wait for something that must happen: only hangs get there. */
#define FERRY_TIMEOUT_MS	120000
/* A descriptor that is not open. */
#define FERRY_NO_FD		12345

#define FERRY_NAME_MAX	64
#define FERRY_TEXT_MAX	4096

/* environment.c: what the person who runs the tests told us */
const char *driver_name(void);
bool driver_is_stock(void);
int rounds(int many);
const char *device_bdf(const char *name);
const char *device_missing(const char *name);
bool device_is_mdev(const char *name);
void environment_begin(void);

/* sysfs.c: files, links, drivers of PCI devices */
int text_read(const char *path, char *buf, size_t size);
int text_write(const char *path, const char *text);
int link_name(const char *path, char *buf, size_t size);
bool path_exists(const char *path);
bool pci_attr_exists(const char *bdf, const char *attr);
int pci_attr_read(const char *bdf, const char *attr, char *buf, size_t size);
int pci_attr_write(const char *bdf, const char *attr, const char *text);
__u64 pci_resource_len(const char *bdf, unsigned int n);
int pci_driver(const char *bdf, char *buf, size_t size);
int pci_bind(const char *bdf, const char *driver);
int pci_unbind(const char *bdf);
int pci_restore(const char *bdf, const char *driver);
int pci_upstream(const char *bdf, char *buf, size_t size);
int pci_config(const char *bdf, int flags);
__u16 pci_config_r16(const char *bdf, unsigned int pos);
bool pci_intx_disabled(const char *bdf);
unsigned int pci_find_cap(const char *bdf, __u8 id);

/* klog.c: the kernel log from a moment on */
int klog_open(void);
int klog_count(int fd, const char *what, const char *but);

/* vfio.c: an open VFIO device, physical or mediated */
struct vdev {
	char bus[8];
	char name[FERRY_NAME_MAX];
	int container;
	int group;
	int fd;
	/* Its container has no IOMMU behind it. */
	bool noiommu;
	/* Its container is an iommufd context, and this the address space; or 0. */
	__u32 ioas;
};

int vdev_group_number(const char *bus, const char *name);
int vdev_group_path(const char *bus, const char *name, char *path, size_t size);
int vdev_prepare(struct vdev *v, const char *bus, const char *name);
int vdev_open(struct vdev *v, const char *bus, const char *name);
int vdev_open_with(struct vdev *v, const char *bus, const char *name,
		   const char *behind);
int vdev_open_behind(struct vdev *v, const char *behind);
int vdev_open_named(const struct vdev *v, const char *behind);
int vdev_open_again(const struct vdev *v);
int vdev_open_device(struct vdev *v, const char *device);
void vdev_close(struct vdev *v);
int vdev_reset(const struct vdev *v);
int vdev_info(const struct vdev *v, struct vfio_device_info *info);
int region_info(const struct vdev *v, __u32 index,
		struct vfio_region_info *info);
int irq_info(const struct vdev *v, __u32 index, struct vfio_irq_info *info);
int fd_ioctl(int fd, unsigned long cmd, void *arg);

/* region.c: regions by read, write and mmap */
__u64 region_size(const struct vdev *v, __u32 index);
__u32 region_flags(const struct vdev *v, __u32 index);
__u64 region_offset(const struct vdev *v, __u32 index);
ssize_t region_read(const struct vdev *v, __u32 index, __u64 pos, void *buf,
		    size_t len);
ssize_t region_write(const struct vdev *v, __u32 index, __u64 pos,
		     const void *buf, size_t len);
__u8 region_r8(const struct vdev *v, __u32 index, __u64 pos);
__u16 region_r16(const struct vdev *v, __u32 index, __u64 pos);
__u32 region_r32(const struct vdev *v, __u32 index, __u64 pos);
__u64 region_r64(const struct vdev *v, __u32 index, __u64 pos);
void region_w8(const struct vdev *v, __u32 index, __u64 pos, __u8 val);
void region_w16(const struct vdev *v, __u32 index, __u64 pos, __u16 val);
void region_w32(const struct vdev *v, __u32 index, __u64 pos, __u32 val);
void region_w64(const struct vdev *v, __u32 index, __u64 pos, __u64 val);
int region_map(const struct vdev *v, __u32 index, __u64 pos, size_t len,
	       int prot, int flags, void **map);
bool map_read32(const void *map, size_t pos, __u32 *val);
bool map_write32(void *map, size_t pos, __u32 val);

/* config.c: config space */
__u8 cfg_r8(const struct vdev *v, unsigned int pos);
__u16 cfg_r16(const struct vdev *v, unsigned int pos);
__u32 cfg_r32(const struct vdev *v, unsigned int pos);
void cfg_w8(const struct vdev *v, unsigned int pos, __u8 val);
void cfg_w16(const struct vdev *v, unsigned int pos, __u16 val);
void cfg_w32(const struct vdev *v, unsigned int pos, __u32 val);
unsigned int cfg_find_cap(const struct vdev *v, __u8 id);
unsigned int cfg_find_ext_cap(const struct vdev *v, __u16 id);
void cfg_command(const struct vdev *v, __u16 clear, __u16 set);
void cfg_power_state(const struct vdev *v, __u16 state);

/* For a thread: switches memory decoding off and on until it is to stop. */
struct memory_toggle {
	const struct vdev *v;
	bool stop;
};

void *memory_toggler(void *toggle);

/* irq.c: interrupts and the eventfds that carry them */
int efd_new(void);
__u64 efd_wait(int efd);
__u64 efd_take(int efd);
int efd_number(int efd);
int irq_set(const struct vdev *v, __u32 flags, __u32 index, __u32 start,
	    __u32 count, const void *data, size_t len);
int irq_attach(const struct vdev *v, __u32 index, __u32 start, __u32 count,
	       const int *fds);
int irq_attach_one(const struct vdev *v, __u32 index, __u32 start, int efd);
int irq_fire(const struct vdev *v, __u32 index, __u32 start, __u32 count);
int irq_act(const struct vdev *v, __u32 index, __u32 action);
int irq_disable(const struct vdev *v, __u32 index);
int irq_lines(const char *what);

/* device.c: devices that raise interrupts at a register write */
struct raiser {
	const char *device;
	__u32 index;
	unsigned int vectors;
	/* One raise is one interrupt: no throttling timer adds another. */
	bool exact;
	void (*setup)(const struct vdev *v);
	void (*raise)(const struct vdev *v, unsigned int vector);
	void (*ack)(const struct vdev *v, unsigned int vector);
};

extern const struct raiser edu_msi;
extern const struct raiser e1000e_msix;
extern const struct raiser igb_msix;

#define EDU_ID		0x00
#define EDU_LIVENESS	0x04
#define EDU_FACTORIAL	0x08
#define EDU_STATUS	0x20
#define EDU_IRQ_STATUS	0x24
#define EDU_IRQ_RAISE	0x60
#define EDU_IRQ_ACK	0x64

#define EDU_ID_VALUE	0x010000edU

/* importer.c: an importer of dma-bufs, by a helper module */
struct import {
	int mapped;
	/* how often it was told to let go */
	unsigned int moves;
	/* bus address of the first piece, and bytes of all */
	unsigned long long addr;
	unsigned long long len;
};

bool importer_exists(void);
int importer_open(void);
int importer_attach(int importer, int buf, const char *bdf, const char *kind);
int importer_say(int importer, const char *command);
struct import importer_look(int importer);

/* mdev.c: mediated devices through sysfs */
int mdev_type_find(const char *suffix, char *path, size_t size);
int mdev_type_attr(const char *type, const char *attr, char *buf, size_t size);
int mdev_create(const char *type, const char *uuid);
int mdev_remove(const char *uuid);
void mdev_uuid(unsigned int n, char *uuid);
void mdev_remove_ours(void);

/* migration.c: states, and streams from one device to another */
#ifndef VFIO_MIGRATION_PRE_COPY
#define VFIO_MIGRATION_PRE_COPY		4
#define VFIO_DEVICE_STATE_PRE_COPY	6
#define VFIO_DEVICE_STATE_PRE_COPY_P2P	7
#define VFIO_MIG_GET_PRECOPY_INFO	_IO(VFIO_TYPE, VFIO_BASE + 21)

struct vfio_precopy_info {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 initial_bytes;
	__aligned_u64 dirty_bytes;
};
#endif

int migration_flags(const struct vdev *v);
int migration_to(const struct vdev *v, __u32 state);
int migration_state(const struct vdev *v);
long migration_size(const struct vdev *v);
ssize_t migration_read(int fd, void **stream);
int migration_write(int fd, const void *stream, size_t len);
ssize_t migration_save(const struct vdev *v, void **stream);
int migration_load(const struct vdev *v, const void *stream, size_t len,
		   __u32 state);
void migration_seal(void *frame, size_t len);
void migration_link(void *frame, const void *before);
void *migration_section(void *frame, __u32 type, __u64 *len);
bool migration_refused(const struct vdev *v, const void *stream, size_t len);
bool migration_accepted(const struct vdev *v, const void *stream, size_t len);
bool migration_refused_sealed(const struct vdev *v, void *stream, size_t len);
int vdev_open_second(struct vdev *v, const char *device);

/* hot_reset.c: hot reset, and a register of Intel's controllers that notices it */
#define HOT_RESET_FDS_MAX	8

void scratch_write(const struct vdev *v);
bool scratch_kept(const struct vdev *v);
int hot_reset_raw(const struct vdev *v, __u32 argsz, __u32 flags, __u32 count,
		  const int *fds, size_t n);
int hot_reset_fds(const struct vdev *v, const int *fds, size_t n);
bool hot_reset_is(const struct vfio_pci_dependent_device *d, const char *bdf);

/* iommufd.c: devices by their character devices */
int iommufd_open(void);
int iommufd_ioas(int iommufd, __u32 *id);
void cdev_path(const char *bus, const char *name, char *path, size_t size);
int cdev_open_on(const char *bus, const char *name);
int cdev_open(const char *bdf);
int cdev_bind(int fd, int iommufd, const void *token, __u32 *devid);
int cdev_get(const char *bdf, int iommufd, const void *token);

/* logging.c: which memory a device has written to */
int logging_start(const struct vdev *v, __u64 iova, __u64 len,
		  __u64 page_size);
int logging_stop(const struct vdev *v);
int logging_report(const struct vdev *v, __u64 iova, __u64 len,
		   __u64 page_size, __u64 *bitmap);

/* dma_map.c: memory that a device may access, by type1 or iommufd */
#define DMA_RO	VFIO_DMA_MAP_FLAG_READ
#define DMA_RW	(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

int vdev_open_iommufd(struct vdev *v, const char *bus, const char *name);
int dma_map(const struct vdev *v, __u64 iova, void *memory, __u64 len,
	    __u32 prot);
int dma_unmap(const struct vdev *v, __u64 iova, __u64 len);
void memory_scribble(__u8 *at, size_t len);
bool memory_all(const __u8 *at, __u8 what, size_t len);

/* engine.c: the DMA engine, driven from here; see include/uapi/ferry/dma.h */
#define ENGINE_RING	0x10000ULL
#define ENGINE_MEMORY	0x100000000ULL

struct ferry_dma_desc;

struct engine {
	struct vdev v;
	/* So many descriptors, at ENGINE_RING for the engine. */
	struct ferry_dma_desc *ring;
	__u32 size;
	/* The first one that the engine doesn't know of. */
	__u32 tail;
	/* So many bytes for data, at ENGINE_MEMORY. */
	__u8 *memory;
	size_t len;
};

int engine_open(struct engine *e, const char *type, unsigned int n,
		bool iommufd, __u32 size, size_t len);
void engine_close(struct engine *e);
void engine_start(struct engine *e, __u32 control);
void engine_stop(struct engine *e);
__u32 engine_get(const struct engine *e, __u32 reg);
void engine_set(const struct engine *e, __u32 reg, __u32 val);
struct ferry_dma_desc *engine_next(struct engine *e, unsigned int opcode,
				   unsigned int flags);
void engine_doorbell(struct engine *e);
__u32 engine_status(const struct ferry_dma_desc *desc);
__u32 engine_wait(const struct ferry_dma_desc *desc);
void engine_settle(const struct engine *e);
__u32 engine_run(struct engine *e, unsigned int opcode, unsigned int flags,
		 __u64 src, __u64 dst, __u32 length, __u64 arg);
struct ferry_dma_desc *engine_last(const struct engine *e);

/* sriov.c: virtual functions */
int sriov_begin(const char *pf);
void sriov_end(const char *pf);
int sriov_enable(const char *pf, unsigned int count);
int sriov_vf(const char *pf, unsigned int n, char *bdf, size_t size);

/* module.c: kernel modules by name */
bool module_exists(const char *name);
int module_load(const char *name, const char *params);
int module_unload(const char *name);
int module_param_read(const char *name, const char *param, char *buf,
		      size_t size);
int module_param_write(const char *name, const char *param, const char *val);

/* race.c: what happens at once */
struct race_side {
	int (*call)(void *arg);
	void *arg;
};

int race(const struct race_side *sides, unsigned int n, int rounds);
int race_refused(int ret, const int *refusals);

/* overlay.c: what a device shall claim in its configuration space */
bool overlay_exists(void);
int overlay_add(const char *bdf, unsigned int pos, __u32 mask, __u32 value);
int overlay_clear(void);

/* memory.c: what the kernel holds */
const char *kernel_memory_unclear(void);
long kernel_memory(void);

/* power.c: features, and runtime power management */
int vdev_feature(const struct vdev *v, __u32 flags, const void *data,
		 size_t len);
int vdev_feature_set(const struct vdev *v, __u32 feature, const void *data,
		     size_t len);
int pci_wait_runtime(const char *bdf, const char *status);
int pci_runtime_usage(const char *bdf);

/* tracing.c: trace events of one device, and counts of its interrupts */
const char *tracing_missing(void);
int tracing_begin(const char *event, const char *device);
void tracing_end(void);
int tracing_count(const char *what);
int counts_switch(const char *device, bool on);
long counts_sum(const char *device, const char *name);

/* trace.c: what a bind and an unbind leave behind */
struct trace;
struct trace *trace_take(void);
int trace_compare(const struct trace *before, const struct trace *after,
		  char *what, size_t size);
void trace_free(struct trace *t);

#endif /* FERRYTEST_H */
