// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions: reads and writes of any width anywhere, mappings, and accesses to these, which
 * may fail.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"

#define TRANSFER_MAX	4096

/* @flags: bits 0 to 3 the region. */
static unsigned int region_of(const struct call *c)
{
	return (c->flags & 15) % 12;
}

/*
 * Where in a region, and so how far in the descriptor. @flags: bit 7 anywhere,
 * otherwise inside or not far behind the end.
 */
static off_t offset_of(const struct world *w, const struct call *c)
{
	unsigned int region = region_of(c);
	__u64 size = region < BARS ? w->sizes[region] : 0x1000;
	__u64 pos = c->a;

	if (c->flags & 1 << 7)
		return (off_t)((__u64)region << 40 | (pos << 12 | pos));
	return (off_t)((__u64)region << 40 | pos % (size + 16));
}

/* @flags: bits 4 to 6 the width; aligned, unless bit 8. */
static size_t length_of(const struct call *c)
{
	static const size_t lengths[] = { 1, 2, 4, 8, 4, 3, 64, 0 };
	size_t len = lengths[c->flags >> 4 & 7];

	return len ? len : c->b % (TRANSFER_MAX + 1);
}

static off_t aligned(const struct call *c, off_t pos, size_t len)
{
	if (c->flags & 1 << 8 || len & (len - 1))
		return pos;
	return pos & ~(off_t)(len - 1);
}

int call_read(struct world *w, const struct call *c)
{
	size_t len = length_of(c);
	char buf[TRANSFER_MAX];
	ssize_t ret;

	ret = pread(call_device(w, c), buf, len,
		    aligned(c, offset_of(w, c), len));
	return ret < 0 ? -errno : (int)ret;
}

/* Into what may be written of a physical device's BARs; its other regions as they are. */
static off_t write_offset(const struct world *w, const struct call *c,
			  size_t *len)
{
	const struct range *r = w->target->writable;
	unsigned int region = region_of(c), n;

	if (!r || region == VFIO_PCI_CONFIG_REGION_INDEX || region >= BARS)
		return offset_of(w, c);
	for (n = 0; r[n].len; n++)
		;
	r += region % n;
	if (*len > r->len)
		*len = r->len;
	return (off_t)((__u64)r->bar << 40 |
		       (r->start + c->a % (r->len - *len + 1)));
}

/* @b is the value, again and again. */
int call_write(struct world *w, const struct call *c)
{
	size_t len = length_of(c), i;
	char buf[TRANSFER_MAX + 4];
	ssize_t ret;
	off_t pos;

	for (i = 0; i < len; i += 4)
		memcpy(buf + i, &c->b, 4);
	pos = write_offset(w, c, &len);
	ret = pwrite(call_device(w, c), buf, len, aligned(c, pos, len));
	return ret < 0 ? -errno : (int)ret;
}

/*
 * The registers that open and close the gate to memory. @flags: 0 the command register, to
 * @a, 1 all of its bits that matter, 2 power state @a: looked for where the list says.
 */
int call_command(struct world *w, const struct call *c)
{
	off_t config = (off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40;
	int fd = call_device(w, c), tries = 48;
	__u16 val = (c->flags & 3) == 1 ? 7 : c->a, head = 0;
	__u8 pos = 0;

	if ((c->flags & 3) < 2)
		return pwrite(fd, &val, 2, config + 4) < 0 ? -errno : 0;
	if (pread(fd, &pos, 1, config + 0x34) != 1)
		return -errno;
	while (pos >= 0x40 && tries--) {
		if (pread(fd, &head, 2, config + (pos & ~3)) != 2)
			return -errno;
		if ((head & 0xff) == 1) {
			val = c->a & 3;
			return pwrite(fd, &val, 2, config + (pos & ~3) + 4) < 0 ?
			       -errno : 0;
		}
		pos = head >> 8;
	}
	return -ENOENT;
}

static char *window_of(const struct world *w, const struct call *c)
{
	return w->windows + (c->who >> 3) % WINDOWS * WINDOW_SIZE;
}

/*
 * @flags: bits 4 and 5 the protection, 6 private, 9 the stream's slot, where a dma-buf may
 * be, instead of the device. @b: pages, 256 at most.
 */
int call_mmap(struct world *w, const struct call *c)
{
	static const int protections[] = {
		PROT_READ | PROT_WRITE, PROT_READ, PROT_WRITE,
		PROT_READ | PROT_EXEC,
	};
	int fd = c->flags & 1 << 9 ? slot_get(&w->streams[c->a % STREAMS]) :
				     call_device(w, c);
	off_t pos = c->flags & 1 << 9 ? 0 : offset_of(w, c);
	void *map;

	map = mmap(window_of(w, c), PAGE * (1 + (c->b & 0xff)),
		   protections[c->flags >> 4 & 3],
		   (c->flags & 1 << 6 ? MAP_PRIVATE : MAP_SHARED) | MAP_FIXED,
		   fd, pos & ~(off_t)(PAGE - 1));
	return map == MAP_FAILED ? -errno : 0;
}

/* All of a window, or a page of it. @flags: bit 0 a page, @a; bits 1 and 2 what instead. */
int call_munmap(struct world *w, const struct call *c)
{
	char *at = window_of(w, c);
	size_t len = WINDOW_SIZE;
	void *map;

	if (c->flags & 1) {
		at += (c->a & 0xff) * PAGE;
		len = PAGE;
	}
	switch (c->flags >> 1 & 3) {
	case 1:
		return mprotect(at, len, PROT_READ) ? -errno : 0;
	case 2:
		return madvise(at, len, MADV_DONTNEED) ? -errno : 0;
	default:
		/* Nobody else gets these addresses: they stay ours. */
		map = mmap(at, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			   MAP_NORESERVE | MAP_FIXED, -1, 0);
		return map == MAP_FAILED ? -errno : 0;
	}
}

/* Where a thread goes on that has touched what it can't. */
static __thread sigjmp_buf fault;
static __thread bool touching;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	if (!__atomic_load_n(&touching, __ATOMIC_SEQ_CST))
		abort();
	siglongjmp(fault, sig);
}

/* libFuzzer leaves signals alone that have a handler. */
void touch_begin(void)
{
	struct sigaction act = {
		.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO,
	};

	if (sigaction(SIGBUS, &act, NULL) || sigaction(SIGSEGV, &act, NULL))
		exit(1);
}

/* One access at @a in a window. @flags: bit 0 a write, of a mediated device only. */
int call_touch(struct world *w, const struct call *c)
{
	__u32 *at = (__u32 *)(window_of(w, c) + (c->a & (WINDOW_SIZE - 1) & ~3));
	bool write = c->flags & 1 && !w->target->writable;
	int sig;

	sig = sigsetjmp(fault, 1);
	if (!sig) {
		__atomic_store_n(&touching, true, __ATOMIC_SEQ_CST);
		if (write)
			__atomic_store_n(at, c->b, __ATOMIC_SEQ_CST);
		else
			(void)__atomic_load_n(at, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&touching, false, __ATOMIC_SEQ_CST);
	return -sig;
}
