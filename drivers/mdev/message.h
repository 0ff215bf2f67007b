/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An entry of the MSI-X table.
 */
#ifndef FERRY_MESSAGE_H
#define FERRY_MESSAGE_H

#include <linux/types.h>

/**
 * struct ferry_message - an entry of the MSI-X table (PCI 3.0, 6.8.2.6 to 9)
 * @address: message address, lower half first; what is written is kept, since VFIO
 *	knows by an eventfd where a message goes
 * @data: message data, likewise
 * @masked: mask bit of Vector Control
 * @written: the user has written Vector Control since the last reset
 */
struct ferry_message {
	u32 address[2];
	u32 data;
	bool masked;
	bool written;
};

#endif /* FERRY_MESSAGE_H */
