/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A function to test against: bytes as hardware holds them, how hardware
 * reacts to a write, and, written down separately from the engine's tables,
 * what its user is entitled to.
 */
#ifndef _FERRY_UNIT_DEVICE_H
#define _FERRY_UNIT_DEVICE_H

#include <ferry/config.h>

#define MAX_SIZE	4096

/* What the user is entitled to, bit by bit */
enum bit_class {
	FIXED,		/* reads what hardware said at first, not writable */
	KEPT,		/* the same, but may be asked for again */
	LIVE,		/* reads what hardware says, not writable */
	RW,		/* reads and writes hardware */
	CLEAR,		/* reads hardware, a one clears */
	VIRT,		/* constant that hardware is not asked for */
	VIRT_RW,	/* kept in memory */
};

struct device {
	unsigned int size;
	/* hardware */
	u8 bytes[MAX_SIZE];
	u8 rw[MAX_SIZE];
	u8 w1c[MAX_SIZE];
	/* entitlement */
	u8 class[MAX_SIZE * 8];
	u8 virt[MAX_SIZE];
	struct ferry_config_bar bars[FERRY_CONFIG_NUM_BARS];
	/* what the host shows in the place of hardware's IDs */
	u16 shown_vendor;
	u16 shown_device;
	/* observation */
	unsigned int reads;
	unsigned int writes;
	/* of all reads, while there are any: the first byte, and the one behind the last */
	unsigned int first_read;
	unsigned int end_read;
	unsigned int read_bytes[MAX_SIZE];
	unsigned int last_write_off;
	unsigned int last_write_width;
	u32 last_write_val;
	/* a write that changes a bit that is not the user's fails the test */
	bool strict;
	/* the n-th access from now on fails, 0 for none */
	unsigned int fail_read;
	unsigned int fail_write;

	struct ferry_config cfg;
	void *mem;
};

/* A blank function: header, no capability, every other byte a gap. */
struct device *device_new(unsigned int size, u16 vendor, u16 device_id);
void device_free(struct device *dev);

u32 device_get(const struct device *dev, unsigned int off, unsigned int width);
void device_put(struct device *dev, unsigned int off, unsigned int width,
		u32 val);
/* Bits of hardware that a write changes, that a one clears */
void device_rw(struct device *dev, unsigned int off, unsigned int width,
	       u32 bits);
void device_w1c(struct device *dev, unsigned int off, unsigned int width,
		u32 bits);
/* Entitlement of the @bits of a register; VIRT and VIRT_RW begin as @val. */
void device_class(struct device *dev, unsigned int off, unsigned int width,
		  u32 bits, enum bit_class class, u32 val);
void device_bar(struct device *dev, unsigned int index, u64 size, u32 flags,
		u64 address);

/*
 * Capabilities: the registers of hardware at @pos and the entitlement to
 * them.  @next is what hardware's pointer says.
 */
void cap_first(struct device *dev, unsigned int pos);
void cap_pm(struct device *dev, unsigned int pos, unsigned int next);
void cap_vpd(struct device *dev, unsigned int pos, unsigned int next);
void cap_msi(struct device *dev, unsigned int pos, unsigned int next,
	     u16 flags);
void cap_msix(struct device *dev, unsigned int pos, unsigned int next,
	      u16 entries);
void cap_vndr(struct device *dev, unsigned int pos, unsigned int next,
	      u8 len);
void cap_exp(struct device *dev, unsigned int pos, unsigned int next,
	     unsigned int version, unsigned int type);
void cap_af(struct device *dev, unsigned int pos, unsigned int next);
void cap_pcix(struct device *dev, unsigned int pos, unsigned int next);
void cap_sata(struct device *dev, unsigned int pos, unsigned int next);
void cap_ht(struct device *dev, unsigned int pos, unsigned int next);
void cap_agp(struct device *dev, unsigned int pos, unsigned int next);
/* One that is not shown: its bytes are a gap's. */
void cap_hidden(struct device *dev, unsigned int pos, unsigned int next,
		u8 id);

void ext_aer(struct device *dev, unsigned int pos, unsigned int next);
void ext_sriov(struct device *dev, unsigned int pos, unsigned int next);
void ext_ats(struct device *dev, unsigned int pos, unsigned int next);
void ext_pwr(struct device *dev, unsigned int pos, unsigned int next);
void ext_vsec(struct device *dev, unsigned int pos, unsigned int next,
	      unsigned int len);
void ext_dvsec(struct device *dev, unsigned int pos, unsigned int next,
	       unsigned int len);
/* One of which every register is read only; @live if they change. */
void ext_fixed(struct device *dev, unsigned int pos, unsigned int next, u16 id,
	       unsigned int len, bool live);
void ext_hidden(struct device *dev, unsigned int pos, unsigned int next,
		u16 id);
/* The pointer that the user sees instead of hardware's */
void cap_shown_next(struct device *dev, unsigned int pos, unsigned int next);
void ext_shown_next(struct device *dev, unsigned int pos, unsigned int next);

/* Whole functions */
struct device *device_nvme(void);
struct device *device_igb(void);
struct device *device_e1000e(void);
struct device *device_edu(void);
/* Conventional PCI, one of every capability that the others lack */
struct device *device_sampler(void);
/* PCIe with every extended capability that the others lack */
struct device *device_ext_sampler(void);

/* Open it: build the engine's space, forget what was observed meanwhile. */
int device_open(struct device *dev, u32 flags,
		const struct ferry_config_ops *ops);
/* Opens, and fails the test if that does not work */
void device_must_open(struct device *dev);

u32 user_read(struct device *dev, unsigned int off, unsigned int width);
void user_write(struct device *dev, unsigned int off, unsigned int width,
		u32 val);
/* A chain as the user walks it: IDs and offsets, at most @max; returns how many */
unsigned int user_chain(struct device *dev, unsigned int *ids,
			unsigned int *offs, unsigned int max);
unsigned int user_ext_chain(struct device *dev, unsigned int *ids,
			    unsigned int *offs, unsigned int max);

#endif /* _FERRY_UNIT_DEVICE_H */
