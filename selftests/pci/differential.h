/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differential test: what a device does under one driver is written down
 * fact by fact, and two such records are held against each other.
 *
 * A fact is a line of three words: an area, what was asked, and the answer.
 * An answer that is a piece of config space is written as "@offset:bytes", so
 * that two of them are compared byte by byte.
 */
#ifndef DIFFERENTIAL_H
#define DIFFERENTIAL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

#include "kselftest.h"

#include "../lib/ferrytest.h"

#define CONFIG_MAX	4096
#define LABEL_MAX	24

/* Which capability each byte of config space belongs to, by the hardware. */
struct layout {
	unsigned int size;
	char label[CONFIG_MAX][LABEL_MAX];
	/* Not in a capability, or in one of the vendor's: it may do anything. */
	bool opaque[CONFIG_MAX];
	/* The message of MSI, which the interrupt code writes. */
	bool message[CONFIG_MAX];
	/* VPD, which a write may store for good. */
	bool vpd[CONFIG_MAX];
	/* No PCI Express. */
	bool conventional;
	unsigned int msi;
	unsigned int msi_len;
};

int layout_read(struct layout *layout, const char *bdf);

/* The device under one driver, while it is being recorded. */
struct subject {
	const char *bdf;
	const struct layout *layout;
	/* Do what may upset a device that isn't emulated, too. */
	bool all;
	FILE *out;
	struct vdev v;
	/* Config space as the hardware has it. */
	int hw;
};

int subject_open(struct subject *s);
void subject_close(struct subject *s);
void subject_sleeps(struct subject *s, const char *area, const char *key);
void __printf(4, 5) fact(struct subject *s, const char *area, const char *key,
			 const char *format, ...);
void fact_bytes(struct subject *s, const char *area, const char *key,
		unsigned int off, const __u8 *bytes, unsigned int len);
const char *result_name(long ret);

/* What is recorded; each leaves the device as freshly opened. */
void record_info(struct subject *s);
void record_config(struct subject *s);
void record_config_idle(struct subject *s, const char *area);
void record_regions(struct subject *s);
void record_irqs(struct subject *s);
void record_features(struct subject *s);
void record_resets(struct subject *s);

/* The reasoned list. */
struct reasons;

struct difference {
	const char *area;
	const char *key;
	const char *first;
	const char *second;
	/* Bits that differ, for a byte; else 0. */
	unsigned int bits;
};

struct reasons *reasons_read(const char *path);
int reasons_find(struct reasons *r, const struct difference *d);
unsigned int reasons_count(const struct reasons *r);
const char *reasons_title(const struct reasons *r, unsigned int n);
bool reasons_expected(const struct reasons *r, unsigned int n);
void reasons_free(struct reasons *r);

/* Records, once written. */
struct record;

typedef void (*record_differ_t)(void *ctx, const struct difference *d,
				const char *where);

struct record *record_load(const char *path);
unsigned int record_facts(const struct record *r);
bool record_same(const struct record *a, const struct record *b,
		 const char *area, const char *key);
void record_compare(const struct record *a, const struct record *b,
		    const struct layout *layout, record_differ_t differ,
		    void *ctx);
void record_free(struct record *r);

#endif /* DIFFERENTIAL_H */
