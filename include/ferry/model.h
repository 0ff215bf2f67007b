/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Models: what somebody describes who invents a PCI device.
 *
 * A model is a description and a few callbacks. Everything else that makes a
 * VFIO PCI device of it - configuration space, regions, interrupts, reset, the
 * file descriptor - is Ferry's. A model does not know how its instances
 * reach user space; mediated devices are one way.
 */
#ifndef FERRY_MODEL_H
#define FERRY_MODEL_H

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct attribute_group;
struct device;
struct ferry_instance;
struct ferry_parent;
struct page;

#define FERRY_MODEL_NR_BARS	6
/* How many ranges of one BAR can be mapped. */
#define FERRY_MODEL_NR_RANGES	4
/* PCI 3.0, 6.8.2.3: eleven bits say how many vectors MSI-X has, less one. */
#define FERRY_MODEL_MAX_MSIX	2048
/* Bytes that migrate, of mappable memory and the model's own state together. */
#define FERRY_MODEL_MAX_SAVE	(256U << 20)

/**
 * struct ferry_model_range - a part of a BAR that is memory
 * @start: first byte, a multiple of the page size
 * @size: bytes, a multiple of the page size; 0 for no range
 */
struct ferry_model_range {
	u64 start;
	u64 size;
};

/**
 * struct ferry_model_bar - one base address register
 * @size: bytes, a power of two: 4 to 256 for I/O, 16 and more for memory; 0 for
 *	no BAR
 * @flags: PCI_BASE_ADDRESS_SPACE_IO, or PCI_BASE_ADDRESS_MEM_TYPE_64 and
 *	PCI_BASE_ADDRESS_MEM_PREFETCH as in the register (PCI 3.0, 6.2.5.1);
 *	a 64-bit BAR takes the next one too, which must be left empty
 * @max_width: the widest access that the model takes: 1, 2, 4 or 8 bytes;
 *	wider ones reach it in pieces, lowest address first
 * @mapped: ranges that are memory, by ascending address; the first one of size 0 ends
 *	them. The user can map them, and reads and writes of them don't reach the model
 *	either: it finds the memory with ferry_instance_memory().
 */
struct ferry_model_bar {
	u64 size;
	u32 flags;
	u8 max_width;
	struct ferry_model_range mapped[FERRY_MODEL_NR_RANGES];
};

/**
 * struct ferry_model_msix - MSI-X (PCI 3.0, 6.8.2)
 * @vectors: 0 for no MSI-X, up to FERRY_MODEL_MAX_MSIX
 * @bar: the memory BAR that table and pending bits are in
 * @table: offset of the table there, 16 bytes for each vector
 * @pba: offset of the pending bits, 8 bytes for each 64 vectors
 *
 * Both offsets are multiples of 8. Accesses to the two don't reach the model,
 * and neither may lie in a range that can be mapped.
 */
struct ferry_model_msix {
	u16 vectors;
	u8 bar;
	u32 table;
	u32 pba;
};

/**
 * struct ferry_plane - a picture in a BAR of the model
 * @format: DRM_FORMAT_*
 * @width: pixels
 * @height: lines
 * @stride: bytes from one line to the next
 * @offset: of the first pixel in the BAR, a multiple of the page size
 */
struct ferry_plane {
	u32 format;
	u32 width;
	u32 height;
	u32 stride;
	u64 offset;
};

/**
 * struct ferry_model_display - a display that the user can look at
 * @bar: the BAR that holds the picture; all of it is one range that can be mapped
 * @max_width: pixels of the biggest picture, 64 to 4095
 * @max_height: lines of it, 64 to 4095; it has room in the BAR at four bytes each pixel
 * @plane: say what picture there is now; %false for none. It comes zeroed. A picture that
 *	isn't within the BAR or doesn't begin on a page is none. Called like read and write, at
 *	any time while the instance is open. %NULL for a model without a display.
 */
struct ferry_model_display {
	u8 bar;
	u16 max_width;
	u16 max_height;
	bool (*plane)(struct ferry_instance *inst, struct ferry_plane *plane);
};

/**
 * struct ferry_field - a member of a model's state that migrates
 * @offset: of the member in the state, a multiple of @width
 * @count: elements that it has, 1 and more
 * @width: bytes of each: 1, 2, 4 or 8
 * @bits: that an element can have set
 * @max: the biggest value of an element
 *
 * Made by FERRY_FIELD() and those behind it. An element is an unsigned number.
 */
struct ferry_field {
	size_t offset;
	size_t count;
	u8 width;
	u64 bits;
	u64 max;
};

#define __FERRY_FIELD(_type, _member, _width, _bits, _max) {		\
	.offset = offsetof(_type, _member),				\
	.count = sizeof_field(_type, _member) / (_width),		\
	.width = (_width),						\
	.bits = (_bits),						\
	.max = (_max),							\
}

/**
 * FERRY_FIELD - a member with any value that its type can have
 * @_type: type of the state
 * @_member: a number or a bool in it
 */
#define FERRY_FIELD(_type, _member)					\
	FERRY_FIELD_MAX(_type, _member,					\
			__same_type(((_type *)NULL)->_member, bool) ?	\
			1 : U64_MAX)

/**
 * FERRY_FIELD_BITS - a member of which some bits may be set
 * @_type: type of the state
 * @_member: a number in it
 * @_bits: those bits
 */
#define FERRY_FIELD_BITS(_type, _member, _bits)				\
	__FERRY_FIELD(_type, _member, sizeof_field(_type, _member),	\
		      _bits, U64_MAX)

/**
 * FERRY_FIELD_MAX - a member with a biggest value
 * @_type: type of the state
 * @_member: a number in it
 * @_max: the value
 */
#define FERRY_FIELD_MAX(_type, _member, _max)				\
	__FERRY_FIELD(_type, _member, sizeof_field(_type, _member),	\
		      U64_MAX, _max)

/**
 * FERRY_FIELD_ARRAY - an array of numbers, each with any value
 * @_type: type of the state
 * @_member: an array in it
 */
#define FERRY_FIELD_ARRAY(_type, _member)				\
	__FERRY_FIELD(_type, _member, sizeof_field(_type, _member[0]),	\
		      U64_MAX, U64_MAX)

/**
 * FERRY_FIELD_BYTES - a member that is taken along as it is, byte by byte
 * @_type: type of the state
 * @_member: anything in it without holes, little-endian if it is made of numbers
 */
#define FERRY_FIELD_BYTES(_type, _member)				\
	__FERRY_FIELD(_type, _member, 1, U64_MAX, U64_MAX)

/**
 * struct ferry_model - a device that somebody invented
 * @name: of the mdev type, letters, digits and hyphens
 * @pretty_name: for people
 * @description: one sentence for people
 * @vendor: vendor ID
 * @device: device ID
 * @subsystem_vendor: subsystem vendor ID
 * @subsystem_device: subsystem ID
 * @class: class code, 24 bits: base class, sub-class, programming interface
 * @revision: revision ID
 * @express: a PCI Express endpoint: 4,096 bytes of configuration space, function
 *	level reset, and, unless it migrates, a serial number; else a conventional PCI
 *	device with 256 bytes
 * @bars: base address registers
 * @intx: it has an INTx interrupt (INTA)
 * @msi: MSI vectors, 0 or a power of two up to 32
 * @msix: MSI-X
 * @display: its display
 * @state_size: bytes of state that each instance gets, zeroed; find them with
 *	ferry_instance_state()
 * @state_version: of what @fields or @save write; a stream of another one is refused. Raise
 *	it whenever that changes.
 * @fields: what of the state migrates: the kit saves it, refuses values that a field can't
 *	have, and loads it after @reset. With it there is no @save_size, @save, @validate or
 *	@load. For state that changes by accesses and @work only.
 * @nr_fields: how many these are, 0 for a model that doesn't migrate or has @save
 * @save_size: the most bytes that @save writes; with the ranges that can be mapped up to
 *	FERRY_MODEL_MAX_SAVE
 * @groups: sysfs attributes of each instance's device, there while the instance is;
 *	find the instance with ferry_instance_of(). Optional.
 * @create: prepare the state of a new instance: locks, timers, memory. May
 *	sleep. Returns 0 or an errno, after which the instance does not come
 *	into being. Optional.
 * @destroy: undo @create, may sleep. Optional.
 * @reset: put the state where power-on puts it, and stop whatever goes on by
 *	itself, like a timer. No access is under way and none begins. The
 *	interrupt level is low already, and the memory that can be mapped is zero;
 *	messages that are pending are forgotten when it returns. May sleep.
 * @read: the value of @width bytes at @off of BAR @bar
 * @write: store the low @width bytes of @value at @off of BAR @bar
 * @pause: stop whatever goes on by itself, and wait until it has, so that the state
 *	changes by accesses only; what these would set off has to wait. May sleep. Optional.
 * @resume: undo @pause, and go on with what has waited. Optional, goes with @pause.
 * @may_save: can @fields be saved now? Paused and with no access under way. Returns 0, or a
 *	negative errno with which the migration fails. Optional.
 * @check: could an instance be in the @state, of @state_size bytes, zero but for @fields? Each
 *	of these has a value that it can have; this is for what holds between them, or depends
 *	on the model. Changes nothing. Returns 0 or a negative errno. Optional.
 * @loaded: @fields have been loaded, with no access under way: set the interrupt level as it
 *	belongs to that state, and what else follows from it. May sleep. Optional.
 * @save: put the state into @len bytes of zeroes at @buf, paused and with no access under
 *	way; in a layout that does not depend on the machine. Returns how many bytes it has
 *	taken. For state that @fields can't tell; without either, instances don't migrate.
 *	May sleep.
 * @validate: could @save have written the @len bytes at @buf, which are aligned to 8? They
 *	may be anything: trust no index and no length. Changes nothing. Returns 0 or a
 *	negative errno. Goes with @save.
 * @load: take over what @validate has found good, paused, with no access under way, after
 *	@reset; and set the interrupt level as it belongs to that state. It can't fail: what it
 *	needs is there since @create. May sleep. Goes with @save.
 * @work: what the device does by itself, after ferry_instance_kick(): see there.
 *	Optional.
 *
 * In the life of an instance @create comes first, then @reset; then @read and
 * @write while a user has it open, and @reset whenever that user resets it;
 * @reset again when the user has closed it, so that a closed instance is quiet
 * and the next user finds a new one; and @destroy last. With ranges that can be mapped
 * @reset also comes when a user opens it, because they are there only from then on.
 *
 * @read and @write see only accesses that lie within the BAR, aligned to their
 * width, of 1, 2, 4 or 8 bytes up to the BAR's max_width, in host byte order.
 * They run in process context, possibly several at once: a model with state
 * that two accesses may fight over takes a lock of its own. They may sleep.
 */
struct ferry_model {
	const char *name;
	const char *pretty_name;
	const char *description;
	u16 vendor;
	u16 device;
	u16 subsystem_vendor;
	u16 subsystem_device;
	u32 class;
	u8 revision;
	bool express;
	struct ferry_model_bar bars[FERRY_MODEL_NR_BARS];
	bool intx;
	u8 msi;
	struct ferry_model_msix msix;
	struct ferry_model_display display;
	size_t state_size;
	u32 state_version;
	const struct ferry_field *fields;
	unsigned int nr_fields;
	size_t save_size;
	const struct attribute_group **groups;
	int (*create)(struct ferry_instance *inst);
	void (*destroy)(struct ferry_instance *inst);
	void (*reset)(struct ferry_instance *inst);
	u64 (*read)(struct ferry_instance *inst, unsigned int bar, u64 off,
		    unsigned int width);
	void (*write)(struct ferry_instance *inst, unsigned int bar, u64 off,
		      unsigned int width, u64 value);
	void (*pause)(struct ferry_instance *inst);
	void (*resume)(struct ferry_instance *inst);
	int (*may_save)(struct ferry_instance *inst);
	int (*check)(struct ferry_instance *inst, const void *state);
	void (*loaded)(struct ferry_instance *inst);
	ssize_t (*save)(struct ferry_instance *inst, void *buf, size_t len);
	int (*validate)(struct ferry_instance *inst, const void *buf,
			size_t len);
	void (*load)(struct ferry_instance *inst, const void *buf, size_t len);
	void (*work)(struct ferry_instance *inst);
};

/* The most pages of guest memory that one range can have. */
#define FERRY_GUEST_PAGES	64
/* Bytes of the buffer that the work of an instance has. */
#define FERRY_GUEST_BUFFER	32768

/**
 * struct ferry_guest_range - guest memory that a model has at hand
 * @iova: address of the first byte, as the guest's driver gives it to the device
 * @len: bytes
 * @node: the kit's
 * @write: the kit's; it may have been written to
 * @revoked: the kit's; the guest is taking the memory away
 * @nr_pages: the kit's
 * @pages: the kit's
 *
 * Made by ferry_guest_pin().
 */
struct ferry_guest_range {
	u64 iova;
	size_t len;
	struct list_head node;
	bool write;
	bool revoked;
	unsigned int nr_pages;
	struct page *pages[FERRY_GUEST_PAGES];
};

void *ferry_instance_state(struct ferry_instance *inst);
const struct ferry_model *
ferry_instance_model(const struct ferry_instance *inst);
struct device *ferry_instance_device(struct ferry_instance *inst);
struct ferry_instance *ferry_instance_of(struct device *dev);
void *ferry_instance_memory(struct ferry_instance *inst, unsigned int bar,
			    u64 off);
u8 ferry_instance_edid(struct ferry_instance *inst, unsigned int off);
void ferry_instance_set_level(struct ferry_instance *inst, bool level);
void ferry_instance_raise(struct ferry_instance *inst, unsigned int vector);

void ferry_instance_kick(struct ferry_instance *inst);
void ferry_instance_kick_after(struct ferry_instance *inst, unsigned int ms);
bool ferry_instance_stopping(struct ferry_instance *inst);

int ferry_guest_read(struct ferry_instance *inst, u64 iova, void *buf,
		     size_t len);
int ferry_guest_write(struct ferry_instance *inst, u64 iova, const void *buf,
		      size_t len);
ssize_t ferry_guest_copy(struct ferry_instance *inst, u64 to, u64 from,
			 size_t len);
void *ferry_guest_buffer(struct ferry_instance *inst);
int ferry_guest_pin(struct ferry_instance *inst, u64 iova, size_t len,
		    bool write, struct ferry_guest_range *range);
void ferry_guest_unpin(struct ferry_instance *inst,
		       struct ferry_guest_range *range);
void *ferry_guest_map(struct ferry_guest_range *range, size_t off,
		      size_t *len);
void ferry_guest_unmap(void *addr);

struct ferry_parent *ferry_parent_register(const char *name,
					   struct module *owner,
					   const struct ferry_model *models,
					   unsigned int nr_models,
					   unsigned int max_instances);
void ferry_parent_unregister(struct ferry_parent *parent);

/**
 * module_ferry_models - a module that does nothing but offer models
 * @_prefix: what its own symbols begin with
 * @_name: as ferry_parent_register()
 * @_models: likewise
 * @_nr_models: likewise
 * @_max_instances: likewise
 *
 * Takes the place of module_init() and module_exit().
 */
#define module_ferry_models(_prefix, _name, _models, _nr_models,	\
			    _max_instances)				\
static struct ferry_parent *_prefix##_parent;				\
static int __init _prefix##_models_init(void)				\
{									\
	_prefix##_parent = ferry_parent_register(_name, THIS_MODULE,	\
						 _models, _nr_models,	\
						 _max_instances);	\
	return PTR_ERR_OR_ZERO(_prefix##_parent);			\
}									\
static void __exit _prefix##_models_exit(void)				\
{									\
	ferry_parent_unregister(_prefix##_parent);			\
}									\
module_init(_prefix##_models_init);					\
module_exit(_prefix##_models_exit)

#endif /* FERRY_MODEL_H */
