/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory gate: may user space reach the memory of a device now?
 *
 * Whoever takes that memory away (a cleared memory enable bit, a low power
 * state, a reset, an unplug) closes the gate; every access through read(2),
 * write(2) and every page fault of a mapping goes through it.
 */
#ifndef FERRY_GATE_H
#define FERRY_GATE_H

#include <linux/rwsem.h>
#include <linux/types.h>

struct ferry_device;

/**
 * enum ferry_gate_reason - why the gate is closed
 * @FERRY_GATE_IDLE: the device is not open
 * @FERRY_GATE_COMMAND: memory decoding is off in the command register
 *	(PCI 3.0, 6.2.2)
 * @FERRY_GATE_POWER: the function is in D3hot (PCI PM 1.2, 5.4)
 * @FERRY_GATE_LOW_POWER: the device may fall asleep at any time; only those pass
 *	who keep it awake, which a mapping can't
 * @FERRY_GATE_REMOVED: the device has left the bus
 *
 * The reasons are independent: the gate is open when none of them holds.
 */
enum ferry_gate_reason {
	FERRY_GATE_IDLE,
	FERRY_GATE_COMMAND,
	FERRY_GATE_POWER,
	FERRY_GATE_LOW_POWER,
	FERRY_GATE_REMOVED,
};

/**
 * struct ferry_gate - the gate of one device
 * @sem: held for reading by whoever touches device memory, for writing by
 *	whoever changes @closed or takes the memory away for a while
 * @closed: bit mask of &enum ferry_gate_reason, written under @sem
 */
struct ferry_gate {
	struct rw_semaphore sem;
	unsigned long closed;
};

void ferry_gate_init(struct ferry_gate *gate);

int ferry_gate_enter(struct ferry_device *fdev);
int ferry_gate_enter_awake(struct ferry_device *fdev);
int ferry_gate_try_enter(struct ferry_device *fdev);
void ferry_gate_leave(struct ferry_device *fdev);

void ferry_gate_lock(struct ferry_device *fdev);
void ferry_gate_lock_in_set(struct ferry_device *fdev);
void ferry_gate_unlock(struct ferry_device *fdev);
void ferry_gate_lock_mapped(struct ferry_device *fdev);
void ferry_gate_zap(struct ferry_device *fdev, unsigned int index);
void ferry_gate_set(struct ferry_device *fdev, enum ferry_gate_reason reason,
		    bool closed);

#endif /* FERRY_GATE_H */
