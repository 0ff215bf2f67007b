/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What a mediated device sends when it migrates: see Documentation/migration.rst.
 *
 * A stream is a frame of kind FERRY_MIGRATION_STATE, before which any number of kind
 * FERRY_MIGRATION_PREVIEW may stand. A frame is a header and sections; all numbers are
 * little-endian. VFIO wants it to be opaque to whoever carries it.
 *
 * Of memory each frame has the pages that differ from what the frames before it have said of
 * them; at first all of it is zero.
 */
#ifndef _UAPI_FERRY_MIGRATION_H
#define _UAPI_FERRY_MIGRATION_H

#include <linux/types.h>

#define FERRY_MIGRATION_MAGIC	0x47494d5952524546ULL	/* "FERRYMIG" */
#define FERRY_MIGRATION_FORMAT	2

/* Bytes of a model's name, of which the last one is zero. */
#define FERRY_MIGRATION_NAME	64

/* Sections begin at multiples of it; what is between them is zero. */
#define FERRY_MIGRATION_ALIGN	8

enum ferry_migration_kind {
	/*
	 * Sent while the device runs: what kind of device is to come, in time to refuse it, and
	 * its memory. Sections of type FERRY_MIGRATION_MEMORY, none for a device without.
	 */
	FERRY_MIGRATION_PREVIEW = 1,
	/* All sections. */
	FERRY_MIGRATION_STATE = 2,
};

/**
 * struct ferry_migration_header - the beginning of a frame
 * @magic: FERRY_MIGRATION_MAGIC
 * @format: FERRY_MIGRATION_FORMAT
 * @kind: enum ferry_migration_kind
 * @length: bytes of the frame, this header among them
 * @crc: CRC-32 (IEEE 802.3) of the frame, with zeroes in this place
 * @version: of the model's own state
 * @model: name of the model, filled up with zeroes
 * @after: @crc of the frame that this one comes behind, 0 for the first one
 */
struct ferry_migration_header {
	__le64 magic;
	__le32 format;
	__le32 kind;
	__le64 length;
	__le32 crc;
	__le32 version;
	__u8 model[FERRY_MIGRATION_NAME];
	__le64 after;
};

/* In this order, each once, and FERRY_MIGRATION_MEMORY for each range there is. */
enum ferry_migration_type {
	/* All of the configuration space; what the device says by itself is zero. */
	FERRY_MIGRATION_CONFIG = 1,
	/* struct ferry_migration_interrupts */
	FERRY_MIGRATION_INTERRUPTS = 2,
	/* A range that can be mapped: struct ferry_migration_page; BAR << 8 | range. */
	FERRY_MIGRATION_MEMORY = 3,
	/* The model's own. */
	FERRY_MIGRATION_MODEL = 4,
};

/**
 * struct ferry_migration_section - the beginning of a section
 * @type: enum ferry_migration_type
 * @index: which of several, else 0
 * @length: bytes that follow, without those that fill up
 */
struct ferry_migration_section {
	__le32 type;
	__le32 index;
	__le64 length;
};

/* Whatever the machine's pages are. */
#define FERRY_MIGRATION_PAGE	4096

/**
 * struct ferry_migration_page - what has changed of a range; in ascending order, each once
 * @number: of the page in its range
 * @data: what is in it
 */
struct ferry_migration_page {
	__le64 number;
	__u8 data[FERRY_MIGRATION_PAGE];
};

/* The device asserts its interrupt. */
#define FERRY_MIGRATION_LEVEL	(1 << 0)
/* Its user was told so, on INTx, and hasn't said yet that he has dealt with it. */
#define FERRY_MIGRATION_TOLD	(1 << 1)

#define FERRY_MIGRATION_MASKED	(1 << 0)
#define FERRY_MIGRATION_WRITTEN	(1 << 1)

/**
 * struct ferry_migration_vector - an entry of the MSI-X table
 * @address: message address, lower half first
 * @data: message data
 * @control: FERRY_MIGRATION_MASKED is its mask bit, which counts if it has been
 *	written: FERRY_MIGRATION_WRITTEN
 */
struct ferry_migration_vector {
	__le32 address[2];
	__le32 data;
	__le32 control;
};

/**
 * struct ferry_migration_interrupts - what the device has to say
 * @flags: FERRY_MIGRATION_LEVEL, FERRY_MIGRATION_TOLD
 * @words: number of words in @pending, of vectors in steps of 64, at least 1
 * @pending: vectors that have something to say and may not; the MSI-X table follows, a
 *	struct ferry_migration_vector for each vector
 */
struct ferry_migration_interrupts {
	__le32 flags;
	__le32 words;
	__le64 pending[];
};

#endif /* _UAPI_FERRY_MIGRATION_H */
