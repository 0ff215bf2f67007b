/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who or what has asked for a reset: a user, by ioctl or by a bit of the configuration
 * space, for one function or for all that are reset together; or his coming and going.
 */
#ifndef FERRY_RESET_CAUSE_H
#define FERRY_RESET_CAUSE_H

enum ferry_reset_cause {
	FERRY_RESET_OPEN,
	FERRY_RESET_CLOSE,
	FERRY_RESET_USER,
	FERRY_RESET_SET,
};

#endif /* FERRY_RESET_CAUSE_H */
