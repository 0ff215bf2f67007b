/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device that says anything, and what its user should see of it.
 */
#ifndef _FERRY_FUZZ_HOSTILE_H
#define _FERRY_FUZZ_HOSTILE_H

#include "device.h"
#include "input.h"
#include "layout.h"

/**
 * struct hostile - a device, its user's view, and what is known of both
 * @dev: the device; its ctx is @dev, so that it has to be the first member
 * @layout: what the user sees of its capabilities
 * @user: what each bit reads as
 * @hardware: what hardware should hold
 * @vectors: how many MSI vectors are allocated
 * @awake: gaps are asked, for somebody has written to one
 * @befores: how often the engine has announced a change
 * @afters: how often it has said that one is done
 * @refuse: the announcement that is answered with an errno counts down to 0
 * @events: that were announced in this write
 * @expected: that should be
 * @command: COMMAND as the user last wrote it, whatever hardware made of it
 */
struct hostile {
	struct device *dev;
	struct layout layout;
	u8 user[MAX_SIZE];
	u8 hardware[MAX_SIZE];
	unsigned int vectors;
	bool awake;
	unsigned int befores;
	unsigned int afters;
	unsigned int refuse;
	u32 events;
	u32 expected;
	u16 command;
};

/* Makes one of the input, opened by its user. */
void hostile_open(struct hostile *h, struct input *in);
void hostile_close(struct hostile *h);

/* The user writes: what should come of it, in @user, @hardware, @expected and @command. */
void hostile_expect_write(struct hostile *h, unsigned int off, const u8 *data,
			  unsigned int len);
/* Everything that is fixed is asked again. */
void hostile_expect_refresh(struct hostile *h);
/* A bit changes by itself, if it is one that may and the user would notice how it should. */
void hostile_move(struct hostile *h, unsigned int bit);

#endif /* _FERRY_FUZZ_HOSTILE_H */
