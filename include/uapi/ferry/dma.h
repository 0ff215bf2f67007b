/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The DMA engine: registers, descriptors, and what they mean.
 *
 * A PCI Express endpoint that works through a ring of descriptors in the memory of
 * its user. Everything in memory is little-endian; registers are 32 bits wide and
 * an access of another width reads ones and changes nothing. Documentation/dma.rst
 * says how to drive it.
 */
#ifndef _UAPI_FERRY_DMA_H
#define _UAPI_FERRY_DMA_H

#include <linux/types.h>

#define FERRY_DMA_VENDOR	0x4665
#define FERRY_DMA_DEVICE	0xd3a0

/*
 * BAR 0, 64 KiB of 32-bit memory: registers, and the structures of MSI-X, which the
 * capability points to as well.
 */
#define FERRY_DMA_BAR_REGS	0
#define FERRY_DMA_REGS_SIZE	0x10000
#define FERRY_DMA_MSIX_PBA	0x1000
#define FERRY_DMA_MSIX_TABLE	0x8000

/*
 * BAR 2, 32 KiB of 64-bit prefetchable memory, all of which can be mapped: a page
 * for the doorbell, whose first 32 bits are a producer index (see
 * FERRY_DMA_CTRL_POLL) and whose rest is free; and pages for data, of which the
 * engine knows nothing: for another device to read and write.
 */
#define FERRY_DMA_BAR_MEM	2
#define FERRY_DMA_MEM_SIZE	0x8000
#define FERRY_DMA_MEM_DOORBELL	0x0000
#define FERRY_DMA_MEM_DATA	0x1000

/* Read-only: FERRY_DMA_MAGIC. */
#define FERRY_DMA_ID		0x00
#define FERRY_DMA_MAGIC		0x616d6446

/* Read-only: of this description, 1. Later ones only add to it. */
#define FERRY_DMA_VERSION	0x04

/* Read-only: bit n for opcode n, in the lower half; faults in the upper. */
#define FERRY_DMA_CAPS		0x08
#define FERRY_DMA_CAPS_OPS	0x0000ffff
#define FERRY_DMA_CAPS_FAULTS	0xffff0000

/* Read-only: vectors that a descriptor may name, which is as many as MSI-X has. */
#define FERRY_DMA_VECTORS	0x0c

/*
 * Read and write. Setting ENABLE clears HEAD, TAIL and ERROR and starts the engine
 * with the ring that the ring registers describe; it halts at once if they
 * make no sense. Clearing it stops the engine: what it was doing is abandoned
 * without a trace in its descriptor; STATUS says when no memory is accessed
 * any more. Without bus mastering, or asleep, the engine stands still and STATUS
 * stays what it was: clear ENABLE first, set bus mastering then, and look at
 * STATUS last.
 */
#define FERRY_DMA_CONTROL	0x10
#define FERRY_DMA_CTRL_ENABLE	0x00000001
/*
 * The producer index is in the doorbell page, not in TAIL. The engine looks at it
 * before it runs out of work, every few milliseconds, and whenever TAIL is
 * written, whatever is written there.
 */
#define FERRY_DMA_CTRL_POLL	0x00000002

/* Read-only. */
#define FERRY_DMA_STATUS	0x14
/* A descriptor is being worked on. */
#define FERRY_DMA_STATUS_BUSY	0x00000001
/* An error has stopped the engine; ERROR says which. Set ENABLE again. */
#define FERRY_DMA_STATUS_HALTED	0x00000002

/* Read-only: why the engine has halted. */
#define FERRY_DMA_ERROR		0x18
#define FERRY_DMA_ERROR_NONE	0
/* The ring's size or alignment is none of those that are allowed. */
#define FERRY_DMA_ERROR_RING	1
/* The producer index is not within the ring. */
#define FERRY_DMA_ERROR_TAIL	2
/* A descriptor cannot be read. */
#define FERRY_DMA_ERROR_FETCH	3
/* A completion cannot be written. */
#define FERRY_DMA_ERROR_WRITE	4

/*
 * Read and write, ignored while ENABLE is set: address of the ring, a multiple of 64,
 * and how many descriptors it has, a power of two from 2 to
 * FERRY_DMA_RING_MAX.
 */
#define FERRY_DMA_RING_LO	0x20
#define FERRY_DMA_RING_HI	0x24
#define FERRY_DMA_RING_SIZE	0x28
#define FERRY_DMA_RING_MAX	65536

/*
 * Indices of descriptors, 0 to RING_SIZE - 1. HEAD, read-only, is the one that is
 * being worked on or comes next. TAIL, read and write, is the first one that is not
 * to be worked on yet: the engine has nothing to do while both are the
 * same, so one descriptor of the ring stays empty. Completion is written, HEAD
 * moved, the interrupt raised, in that order.
 */
#define FERRY_DMA_HEAD		0x2c
#define FERRY_DMA_TAIL		0x30

/* Read-only: descriptors completed since the last reset, with whatever status. */
#define FERRY_DMA_COUNT		0x34

/*
 * INTx: asserted while a bit is set in both. INT_STATUS keeps what was set until
 * one is written to it. With MSI or MSI-X leave INT_ENABLE 0: descriptors name
 * their vector, and FERRY_DMA_ERROR_VECTOR that of a halt.
 */
#define FERRY_DMA_INT_STATUS	0x38
#define FERRY_DMA_INT_ENABLE	0x3c
/* A descriptor that asks for an interrupt has been completed. */
#define FERRY_DMA_INT_DONE	0x00000001
/* The engine has halted. */
#define FERRY_DMA_INT_HALT	0x00000002
/* RAISE was written. */
#define FERRY_DMA_INT_RAISE	0x00000004

/* Read and write: the vector of a halt, 0 to VECTORS - 1; others are ignored. */
#define FERRY_DMA_ERROR_VECTOR	0x40
/* Write-only: raise this vector; others than 0 to VECTORS - 1 are ignored. */
#define FERRY_DMA_RAISE		0x44

/*
 * Injected faults, to see what a driver makes of them: each bit of FAULT is one,
 * and FAULT_COUNT how many descriptors it still happens to: each one
 * that is completed takes one off, at 0 FAULT is cleared. FERRY_DMA_FAULT_FOREVER
 * stays. Writing FAULT_COUNT doesn't change FAULT.
 */
#define FERRY_DMA_FAULT		0x80
/* Nothing is begun or completed until the bit is cleared by hand. Not counted. */
#define FERRY_DMA_FAULT_STUCK	0x00000001
/* Completion comes FAULT_DELAY milliseconds late. */
#define FERRY_DMA_FAULT_LATE	0x00000002
/* The descriptor does nothing and ends with FERRY_DMA_S_INJECTED. */
#define FERRY_DMA_FAULT_ERROR	0x00000004
/* The interrupt of the descriptor is lost. */
#define FERRY_DMA_FAULT_LOST	0x00000008
/* The state can't be saved (EBUSY), so a migration fails and the guest goes on. Not counted. */
#define FERRY_DMA_FAULT_BUSY	0x00000010
/* What is saved is damaged, and whoever gets it refuses it. Not counted. */
#define FERRY_DMA_FAULT_DAMAGE	0x00000020

#define FERRY_DMA_FAULT_COUNT	0x84
#define FERRY_DMA_FAULT_FOREVER	0xffffffff
/* Milliseconds, up to FERRY_DMA_DELAY_MAX; more is as much. */
#define FERRY_DMA_FAULT_DELAY	0x88
#define FERRY_DMA_DELAY_MAX	60000

/**
 * struct ferry_dma_desc - a descriptor
 * @opcode: FERRY_DMA_OP_*
 * @flags: FERRY_DMA_F_*
 * @vector: for FERRY_DMA_F_IRQ and FERRY_DMA_OP_IRQ
 * @reserved0: 0
 * @length: bytes, not 0, of COPY, FILL and CRC32
 * @reserved1: 0
 * @src: address of what is read, or of a list of such
 * @dst: address of what is written, or of a list of such
 * @arg: see the opcodes
 * @reserved2: 0
 * @status: FERRY_DMA_S_*, written after all that follows; before that as the driver
 *	left it, which should be FERRY_DMA_S_PENDING
 * @done: bytes that were read and written, or steps of CHASE; when a COPY or FILL
 *	fails, some of what comes next may have been written as well
 * @result: see the opcodes
 *
 * 64 bytes. The engine reads a descriptor once and writes its last 16 bytes. A
 * descriptor that is wrong or fails stops nobody: the next one comes.
 */
struct ferry_dma_desc {
	__le16 opcode;
	__le16 flags;
	__le16 vector;
	__le16 reserved0;
	__le32 length;
	__le32 reserved1;
	__le64 src;
	__le64 dst;
	__le64 arg;
	__le64 reserved2;
	__le32 status;
	__le32 done;
	__le64 result;
};

/* Does nothing. */
#define FERRY_DMA_OP_NOP	0
/* Copies @length bytes. What arrives is not specified if source and destination overlap. */
#define FERRY_DMA_OP_COPY	1
/* Writes the eight bytes of @arg over and over. */
#define FERRY_DMA_OP_FILL	2
/* CRC-32 of IEEE 802.3 of what is read, continued from @arg, which is 0 at first. */
#define FERRY_DMA_OP_CRC32	3
/*
 * Walks pointers: reads 64 bits at @src, which are where to read next, until they are 0
 * or it has read as often as @arg says, at most 2^32 - 1 times. @result is the
 * address where it would read next, or that of the 0.
 */
#define FERRY_DMA_OP_CHASE	4
/* Raises @vector, as FERRY_DMA_F_IRQ does. */
#define FERRY_DMA_OP_IRQ	5
#define FERRY_DMA_NR_OPS	6

/* Raise @vector when it is completed. */
#define FERRY_DMA_F_IRQ		0x0001
/* @src is the address of a list of struct ferry_dma_sg. Not for CHASE. */
#define FERRY_DMA_F_SRC_LIST	0x0002
/* @dst is. */
#define FERRY_DMA_F_DST_LIST	0x0004
#define FERRY_DMA_F_ALL		0x0007

/**
 * struct ferry_dma_sg - an element of a scatter list
 * @addr: address, of any alignment
 * @length: bytes, not 0
 * @reserved: 0
 *
 * A list is as long as it takes to get @length bytes of the descriptor, and no longer
 * than FERRY_DMA_LIST_MAX elements. Its address is a multiple of 16. Of the last element
 * there may be bytes left over. The engine reads an element when it gets there.
 */
struct ferry_dma_sg {
	__le64 addr;
	__le32 length;
	__le32 reserved;
};

#define FERRY_DMA_LIST_MAX	65536

/* Status of a descriptor. */
#define FERRY_DMA_S_PENDING	0
#define FERRY_DMA_S_OK		1
/* No such opcode. */
#define FERRY_DMA_S_OPCODE	2
/* A flag that isn't known, or not for this opcode, or something reserved that is not 0. */
#define FERRY_DMA_S_FLAGS	3
/* @length of 0, or @arg of a CHASE too big. */
#define FERRY_DMA_S_LENGTH	4
/* No such vector. */
#define FERRY_DMA_S_VECTOR	5
/* A list not aligned, too long, or with an element that is wrong. */
#define FERRY_DMA_S_LIST	6
/* Source, destination or list is not mapped, or not for that. */
#define FERRY_DMA_S_SRC		7
#define FERRY_DMA_S_DST		8
#define FERRY_DMA_S_SG		9
/* FERRY_DMA_FAULT_ERROR. */
#define FERRY_DMA_S_INJECTED	10

#endif /* _UAPI_FERRY_DMA_H */
