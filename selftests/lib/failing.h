/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sweeps: a call is made again and again, and each time another allocation in it, or
 * copy from or to user space, fails.
 */
#ifndef FAILING_H
#define FAILING_H

#include <stdbool.h>

/**
 * enum spared - where the kernel itself can't do without
 * @SPARE_DESCRIPTORS: of interrupts, without which 7.3 follows a domain that isn't there; and
 *	entries of /proc/irq, of which it warns that they can't be removed
 * @SPARE_ROUTING: of INTx by ACPI, whose interpreter frees objects that are in use
 * @SPARE_GROUP: vfio_create_group(), which warns of what it has left behind itself
 * @SPARE_LINK: from a module to its driver, which stays when there is no memory for its name
 *
 * A sweep spares one of them: fault injection looks for one range of addresses in the stack.
 */
enum spared {
	SPARE_DESCRIPTORS,
	SPARE_ROUTING,
	SPARE_GROUP,
	SPARE_LINK,
};

/**
 * struct sweep - what is made to fail, and how it is judged
 * @what: its name in messages
 * @call: does it, in the thread that called sweep(); 0 or more, or a negative errno
 * @undo: takes back what a @call that succeeded has done, and does not fail; NULL if
 *	there is nothing to take back
 * @check: whether everything still works, or again; @done tells whether the call succeeded.
 *	It runs before @undo
 * @ctx: for all three
 * @others: errnos that it may fail with beside ENOMEM, and EFAULT for copies; as negative
 *	numbers, 0 behind the last one; NULL for none
 * @spare: what doesn't fail
 * @at_most: so many failures are tried, spread evenly over all that there are; 0 for all
 * @optional: the call can do without each of its allocations, or has none
 * @onwards: not one allocation fails, but that one and all after it
 * @injected: is set to how many calls had something fail
 * @refused: is set to how many of these failed with ENOMEM
 */
struct sweep {
	const char *what;
	int (*call)(void *ctx);
	int (*undo)(void *ctx);
	bool (*check)(void *ctx, bool done);
	void *ctx;
	const int *others;
	enum spared spare;
	unsigned int at_most;
	bool optional;
	bool onwards;
	unsigned int injected;
	unsigned int refused;
};

const char *failing_missing(void);
unsigned int failing_some(unsigned int many);
bool sweep(struct sweep *s);

#endif /* FAILING_H */
