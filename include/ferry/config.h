/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration space of a PCI function, as its user sees it.
 *
 * The engine knows nothing of struct pci_dev, of VFIO or of locks, and it
 * allocates nothing: it also compiles in user space.  What it needs from a
 * real function it gets through struct ferry_config_backend; what it causes
 * (memory decoding off, a power state, a reset) it announces through struct
 * ferry_config_ops.
 *
 * Every bit of the space has an answer in one of three ways:
 *
 *  - virtual: read from and written to memory, hardware never sees it;
 *  - fixed:   kept in memory as hardware said it, because nothing changes it
 *             but a reset (ferry_config_refresh() reads it again) or the
 *             user's own write (which reads it back);
 *  - live:    every read costs a hardware access, every permitted write
 *             reaches hardware.
 *
 * Locking: the caller serialises all calls on one struct ferry_config,
 * ferry_config_read() included: a write, a refresh or a hook changes what a
 * concurrent reader would copy.
 */
#ifndef _FERRY_CONFIG_H
#define _FERRY_CONFIG_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

/* Six base address registers, then the expansion ROM. */
#define FERRY_CONFIG_NUM_BARS	7
#define FERRY_CONFIG_ROM	6

/**
 * struct ferry_config_backend - raw access to the space of a real function
 * @read:  read @width (1, 2 or 4) bytes at @off, which is a multiple of
 *	   @width, into *@val in CPU order
 * @write: write the low @width bytes of @val at @off, but leave the bits of
 *	   @keep, which @val does not have, as they are
 *
 * Both return 0 or a negative errno.  The bits of @keep are those that the user
 * may not change; a write-one-to-clear neighbour is none of them, it is
 * written as zero.
 */
struct ferry_config_backend {
	int (*read)(void *ctx, unsigned int off, unsigned int width, u32 *val);
	int (*write)(void *ctx, unsigned int off, unsigned int width, u32 val,
		     u32 keep);
};

/* Events: bits of struct ferry_config_change.events */

/* COMMAND was written.  Always raised, even when nothing in it changes. */
#define FERRY_CONFIG_COMMAND	BIT(0)
/* The power state field of PMCSR was written. */
#define FERRY_CONFIG_POWER	BIT(1)
/* Initiate Function Level Reset was written 1 on a function that has it. */
#define FERRY_CONFIG_FLR	BIT(2)
/* Max_Read_Request_Size changed. */
#define FERRY_CONFIG_READRQ	BIT(3)
/* The VPD address register (the half with the F bit) was written. */
#define FERRY_CONFIG_VPD	BIT(4)
/* MSI Message Control was written. */
#define FERRY_CONFIG_MSI	BIT(5)
/* MSI-X Message Control was written (emulated devices only). */
#define FERRY_CONFIG_MSIX	BIT(6)
/* The mask bits of MSI changed (emulated devices only). */
#define FERRY_CONFIG_MSI_MASK	BIT(7)

/**
 * struct ferry_config_change - one write that means something
 * @events: what it means, a set of FERRY_CONFIG_* events
 * @offset: where the register begins
 * @width:  its width in bytes
 * @old:    the register before the write, as the user last left it (COMMAND:
 *	    the shadow; PMCSR: what hardware said then)
 * @new:    the register after it; an FLR bit is present here although it is
 *	    never stored, and so is a power state that only the hook can enter
 * @error:  for @after: 0, or why the commit failed; nothing of this register
 *	    has changed then
 *
 * @old and @new hold the bits that @events are about and the virtual ones;
 * bits that only hardware knows are 0.
 */
struct ferry_config_change {
	u32 events;
	u16 offset;
	u16 width;
	u32 old;
	u32 new;
	int error;
};

/**
 * struct ferry_config_ops - what the user of the engine does about a change
 * @before: called before the commit; a negative errno refuses the write and
 *	    leaves everything as it was.  May be NULL.
 * @after:  called after the commit, always when @before was called and
 *	    returned 0 (look at &ferry_config_change.error).  May be NULL.
 *
 * Both may call the getters and setters and ferry_config_refresh(), and must
 * not call ferry_config_write().
 *
 * What a driver of a real function does: on COMMAND, @before closes the gate
 * when PCI_COMMAND_MEMORY goes away and puts back base address registers that
 * a reset behind its back has cleared, @after reopens the gate and follows
 * PCI_COMMAND_INTX_DISABLE.  On POWER, @after sets the state.  On FLR, @after
 * resets the function.  On READRQ, @after calls pcie_set_readrq().  On VPD,
 * @after transfers four bytes between the VPD and the register at
 * @offset + 2 and toggles PCI_VPD_ADDR_F with ferry_config_set16().
 *
 * After @after of POWER the state is read back from hardware.  A driver that
 * changes it at another time for good calls ferry_config_refresh().
 */
struct ferry_config_ops {
	int (*before)(void *ctx, const struct ferry_config_change *change);
	void (*after)(void *ctx, const struct ferry_config_change *change);
};

/**
 * struct ferry_config_bar - a base address register or the ROM
 * @size:  size of the resource, a power of two; 0 makes the register read
 *	   zero ("not implemented")
 * @flags: PCI_BASE_ADDRESS_SPACE_IO, or PCI_BASE_ADDRESS_MEM_TYPE_64 and
 *	   PCI_BASE_ADDRESS_MEM_PREFETCH; 0 for the ROM
 *
 * The entry after one with PCI_BASE_ADDRESS_MEM_TYPE_64 is ignored.
 */
struct ferry_config_bar {
	u64 size;
	u32 flags;
};

/**
 * struct ferry_config - one function's configuration space
 * @value:   per byte: the virtual bits, and the last snapshot of fixed ones
 * @virt:    per byte: which bits are answered from @value
 * @write:   per byte: which bits the user may change
 * @live:    bitmap: bytes whose read needs hardware, or, of an emulated
 *	     function, its owner
 * @raw:     bitmap: bytes of gaps and vendors, that are passed through
 * @special: bitmap: bytes of registers with an event or a write-one-to-clear
 *	     bit
 * @backend: raw access, or NULL for an emulated function
 * @ops:     hooks, or NULL
 * @ctx:     handed to @backend and @ops
 * @size:    bytes, see ferry_config_attach()
 * @msi_qsize: the largest Multiple Message Enable that the vectors of a real
 *	     function's MSI permit
 *
 * Private to the engine: use the functions below.
 */
struct ferry_config {
	u8 *value;
	u8 *virt;
	u8 *write;
	unsigned long *live;
	unsigned long *raw;
	unsigned long *special;
	const struct ferry_config_backend *backend;
	const struct ferry_config_ops *ops;
	void *ctx;
	u16 size;
	u8 msi_qsize;
};

/* Options of struct ferry_config_desc.flags */

/*
 * The function does not implement PCI_COMMAND_MEMORY (a VF, or
 * pci_dev.no_command_memory): the bit is virtual and starts as 1.
 */
#define FERRY_CONFIG_NO_COMMAND_MEMORY	BIT(0)
/* Interrupt Pin reads 0: a VF, or nobody can serve INTx. */
#define FERRY_CONFIG_NO_INTX		BIT(1)

/**
 * struct ferry_config_desc - a real function, for ferry_config_init()
 * @size:    pci_dev.cfg_size
 * @flags:   FERRY_CONFIG_NO_COMMAND_MEMORY, FERRY_CONFIG_NO_INTX
 * @vendor:  vendor to show instead of what hardware says (a VF says 0xffff)
 * @device:  likewise; used when @vendor is not 0
 * @bars:    what pci_resource_len() and pci_resource_flags() say; size 0 for a
 *	     resource that the host has not assigned
 * @backend: raw access; must outlive the configuration space
 * @ops:     hooks, or NULL; likewise
 * @ctx:     handed to @backend and @ops
 */
struct ferry_config_desc {
	unsigned int size;
	u32 flags;
	u16 vendor;
	u16 device;
	struct ferry_config_bar bars[FERRY_CONFIG_NUM_BARS];
	const struct ferry_config_backend *backend;
	const struct ferry_config_ops *ops;
	void *ctx;
};

/**
 * struct ferry_config_header - an emulated function, for
 *				ferry_config_init_emulated()
 * @size:	      256 or 4096
 * @vendor:	      vendor ID
 * @device:	      device ID
 * @subsystem_vendor: subsystem vendor ID
 * @subsystem_device: subsystem ID
 * @class:	      24 bits: base class, subclass, programming interface
 * @revision:	      revision ID
 * @pin:	      0 for none, 1 for INTA
 * @bars:	      base address registers and ROM
 */
struct ferry_config_header {
	unsigned int size;
	u16 vendor;
	u16 device;
	u16 subsystem_vendor;
	u16 subsystem_device;
	u32 class;
	u8 revision;
	u8 pin;
	struct ferry_config_bar bars[FERRY_CONFIG_NUM_BARS];
};

/**
 * struct ferry_config_owner - what an offset belongs to
 * @name:   "header", a capability's name, or "gap"
 * @id:     capability ID, 0 for header and gap
 * @offset: where it begins (a gap: the offset asked for)
 * @length: its length in bytes (a gap: 1)
 */
struct ferry_config_owner {
	const char *name;
	u16 id;
	u16 offset;
	u16 length;
};

size_t ferry_config_bytes(unsigned int size);

int ferry_config_init(struct ferry_config *cfg, void *mem,
		      const struct ferry_config_desc *desc);
int ferry_config_refresh(struct ferry_config *cfg);

int ferry_config_init_emulated(struct ferry_config *cfg, void *mem,
			       const struct ferry_config_header *header,
			       const struct ferry_config_ops *ops, void *ctx);
int ferry_config_add_cap(struct ferry_config *cfg, u8 id, const void *body,
			 size_t len);
int ferry_config_add_ext_cap(struct ferry_config *cfg, u16 id, u8 version,
			     const void *body, size_t len);
void ferry_config_reset(struct ferry_config *cfg);
void ferry_config_save(const struct ferry_config *cfg, void *buf);
int ferry_config_verify(const struct ferry_config *cfg, const void *buf);

void ferry_config_set_live(struct ferry_config *cfg, unsigned int off,
			   unsigned int width);

/**
 * ferry_config_known() - may memory answer for a dword?
 * @cfg: the space
 * @off: of any of its bytes; behind the end of the space nothing is known
 *
 * Context: any, without the lock that serialises ferry_config_read().
 * Return: whether ferry_config_peek() is worth a try.
 */
static inline bool ferry_config_known(const struct ferry_config *cfg, u64 off)
{
	unsigned int first = off % BITS_PER_LONG & ~3U;

	return off < cfg->size &&
	       !(cfg->live[off / BITS_PER_LONG] >> first & 0xf);
}

/**
 * ferry_config_peek() - read as the user, if memory can answer
 * @cfg: the space
 * @off: where, inside the space
 * @buf: memory of the kernel, aligned to @len
 * @len: how many bytes, up to the end of the space
 *
 * Most of what is read is one register that never changes. It is one load, which
 * sees what was there before or after a write that goes on meanwhile.
 *
 * Context: any, without the lock that serialises ferry_config_read().
 * Return: whether @buf has been filled; else the caller goes the long way.
 */
static inline bool ferry_config_peek(const struct ferry_config *cfg, u64 off,
				     void *buf, size_t len)
{
	unsigned long live = cfg->live[off / BITS_PER_LONG] >>
			     off % BITS_PER_LONG;
	const u8 *value = cfg->value + off;

	if (off & (len - 1))
		return false;
	switch (len) {
	case 1:
		if (live & 0x1)
			return false;
		*(u8 *)buf = READ_ONCE(*value);
		return true;
	case 2:
		if (live & 0x3)
			return false;
		*(u16 *)buf = READ_ONCE(*(const u16 *)value);
		return true;
	case 4:
		if (live & 0xf)
			return false;
		*(u32 *)buf = READ_ONCE(*(const u32 *)value);
		return true;
	default:
		return false;
	}
}

int ferry_config_read(struct ferry_config *cfg, u64 off, void *buf,
		      size_t len);
int ferry_config_write(struct ferry_config *cfg, u64 off, const void *buf,
		       size_t len);

u8 ferry_config_get8(const struct ferry_config *cfg, unsigned int off);
u16 ferry_config_get16(const struct ferry_config *cfg, unsigned int off);
u32 ferry_config_get32(const struct ferry_config *cfg, unsigned int off);
void ferry_config_set8(struct ferry_config *cfg, unsigned int off, u8 val);
void ferry_config_set16(struct ferry_config *cfg, unsigned int off, u16 val);
void ferry_config_set32(struct ferry_config *cfg, unsigned int off, u32 val);

u16 ferry_config_find_cap(const struct ferry_config *cfg, u8 id);
u16 ferry_config_find_ext_cap(const struct ferry_config *cfg, u16 id);
void ferry_config_owner(const struct ferry_config *cfg, unsigned int off,
			struct ferry_config_owner *owner);

void ferry_config_set_msi(struct ferry_config *cfg, unsigned int vectors);

#endif /* _FERRY_CONFIG_H */
