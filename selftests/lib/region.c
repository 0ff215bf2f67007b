// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions of a VFIO device by read, write and mmap.
 *
 * The typed accessors are for accesses that must work: they end the test
 * when one does not. A test that expects an error uses region_read() and
 * region_write().
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ferrytest.h"

static struct vfio_region_info must_info(const struct vdev *v, __u32 index)
{
	struct vfio_region_info info;
	int ret = region_info(v, index, &info);

	if (ret) {
		fprintf(stderr, "# %s: no information on region %u: %s\n",
			v->name, index, strerror(-ret));
		abort();
	}
	return info;
}

__u64 region_size(const struct vdev *v, __u32 index)
{
	return must_info(v, index).size;
}

__u32 region_flags(const struct vdev *v, __u32 index)
{
	return must_info(v, index).flags;
}

__u64 region_offset(const struct vdev *v, __u32 index)
{
	return must_info(v, index).offset;
}

ssize_t region_read(const struct vdev *v, __u32 index, __u64 pos, void *buf,
		    size_t len)
{
	ssize_t ret = pread(v->fd, buf, len, region_offset(v, index) + pos);

	return ret < 0 ? -errno : ret;
}

ssize_t region_write(const struct vdev *v, __u32 index, __u64 pos,
		     const void *buf, size_t len)
{
	ssize_t ret = pwrite(v->fd, buf, len, region_offset(v, index) + pos);

	return ret < 0 ? -errno : ret;
}

static void must(const struct vdev *v, const char *what, __u32 index,
		 __u64 pos, size_t len, ssize_t ret)
{
	if (ret == (ssize_t)len)
		return;
	fprintf(stderr, "# %s: %s of %zu bytes at %#llx of region %u: %zd\n",
		v->name, what, len, (unsigned long long)pos, index, ret);
	abort();
}

#define REGION_ACCESSORS(bits)						\
__u##bits region_r##bits(const struct vdev *v, __u32 index, __u64 pos)	\
{									\
	__u##bits val;							\
									\
	must(v, "read", index, pos, sizeof(val),			\
	     region_read(v, index, pos, &val, sizeof(val)));		\
	return val;							\
}									\
									\
void region_w##bits(const struct vdev *v, __u32 index, __u64 pos,	\
		    __u##bits val)					\
{									\
	must(v, "write", index, pos, sizeof(val),			\
	     region_write(v, index, pos, &val, sizeof(val)));		\
}

REGION_ACCESSORS(8)
REGION_ACCESSORS(16)
REGION_ACCESSORS(32)
REGION_ACCESSORS(64)

int region_map(const struct vdev *v, __u32 index, __u64 pos, size_t len,
	       int prot, int flags, void **map)
{
	*map = mmap(NULL, len, prot, flags, v->fd,
		    region_offset(v, index) + pos);
	return *map == MAP_FAILED ? -errno : 0;
}

static sigjmp_buf fault_env;

static void on_fault(int sig)
{
	siglongjmp(fault_env, sig);
}

/*
 * One 32-bit access to a mapping, made once and whole. Returns whether it
 * was possible: a mapping whose memory is switched off gives SIGBUS.
 */
static bool map_access32(void *at, __u32 *val, bool write)
{
	struct sigaction act = { .sa_handler = on_fault }, old;
	bool ok = true;

	sigemptyset(&act.sa_mask);
	sigaction(SIGBUS, &act, &old);
	if (sigsetjmp(fault_env, 1))
		ok = false;
	else if (write)
		__atomic_store_n((__u32 *)at, *val, __ATOMIC_SEQ_CST);
	else
		*val = __atomic_load_n((__u32 *)at, __ATOMIC_SEQ_CST);
	sigaction(SIGBUS, &old, NULL);
	return ok;
}

bool map_read32(const void *map, size_t pos, __u32 *val)
{
	return map_access32((char *)map + pos, val, false);
}

bool map_write32(void *map, size_t pos, __u32 val)
{
	return map_access32((char *)map + pos, &val, true);
}
