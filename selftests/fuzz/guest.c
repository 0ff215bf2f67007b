// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each piece of memory is an allocation of its own, so that AddressSanitizer sees its end.
 */
#include <ferry/model.h>

#include "guest.h"
#include "mdev.h"

struct guest_use guest_use;

static struct piece {
	u64 iova;
	size_t size;
	bool write;
	u8 *bytes;
} pieces[] = {
	{ GUEST_RW, GUEST_RW_SIZE, true, NULL },
	{ GUEST_RO, GUEST_RO_SIZE, false, NULL },
	{ GUEST_TOP, GUEST_TOP_SIZE, true, NULL },
	{ GUEST_ZERO, GUEST_ZERO_SIZE, true, NULL },
};

void guest_clear(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		if (!pieces[i].bytes)
			pieces[i].bytes = malloc(pieces[i].size);
		memset(pieces[i].bytes, 0, pieces[i].size);
	}
	guest_use = (struct guest_use) {};
}

static struct piece *find(u64 iova, size_t len)
{
	struct piece *piece;

	for (piece = pieces; piece < pieces + ARRAY_SIZE(pieces); piece++)
		if (iova >= piece->iova && iova - piece->iova < piece->size &&
		    len <= piece->size - (iova - piece->iova))
			return piece;
	return NULL;
}

u8 *guest_at(u64 iova, size_t len, bool write)
{
	struct piece *piece = find(iova, len);

	if (!piece || (write && !piece->write))
		return NULL;
	return piece->bytes + (iova - piece->iova);
}

void guest_image(u8 *image)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pieces); image += pieces[i++].size)
		memcpy(image, pieces[i].bytes, pieces[i].size);
}

long guest_index(u64 iova)
{
	struct piece *piece, *found = find(iova, 1);
	long at = 0;

	if (!found)
		return -1;
	for (piece = pieces; piece < found; piece++)
		at += piece->size;
	return at + (iova - found->iova);
}

/* Whoever gets there may take mmap_lock, which comes before the gate. */
static int reach(struct ferry_instance *inst, u64 iova, size_t len, bool write,
		 u8 **at)
{
	might_sleep();
	assert(!inst->fdev.gate.sem.held);
	guest_use.calls++;
	guest_use.bytes += len;
	*at = guest_at(iova, len, write);
	if (*at)
		return 0;
	return find(iova, len) ? -EPERM : -EFAULT;
}

int ferry_guest_read(struct ferry_instance *inst, u64 iova, void *buf,
		     size_t len)
{
	u8 *from;
	int ret = reach(inst, iova, len, false, &from);

	if (!ret)
		memcpy(buf, from, len);
	return ret;
}

int ferry_guest_write(struct ferry_instance *inst, u64 iova, const void *buf,
		      size_t len)
{
	u8 *to;
	int ret = reach(inst, iova, len, true, &to);

	if (!ret)
		memcpy(to, buf, len);
	return ret;
}
