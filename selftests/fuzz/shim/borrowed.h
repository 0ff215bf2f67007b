/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What Ferry's files take from the kernel, for a program with one thread: a lock is the
 * knowledge whether it is held, an allocation never sleeps, a timer is set or not.
 *
 * The Makefile makes a header of each name that is included, all of which lead here.
 */
#ifndef _FERRY_FUZZ_BORROWED_H
#define _FERRY_FUZZ_BORROWED_H

#include <assert.h>
#undef static_assert
#define static_assert(what)	_Static_assert(what, #what)
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/pci_regs.h>
#include <linux/string.h>
#include <linux/types.h>

/* Types and limits */
typedef unsigned int gfp_t;
typedef u64 phys_addr_t;
typedef int64_t ktime_t;
#define __user
#define __rcu
#define __init
#define __exit
#define __packed		__attribute__((packed))
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define U32_MAX			UINT32_MAX
#define U64_MAX			UINT64_MAX
#define BITS_PER_BYTE		8
#define SZ_4K			0x1000
#define SZ_64K			0x10000
#define SZ_4M			0x400000
#define SZ_8M			0x800000
#define SZ_16M			0x1000000
#define NSEC_PER_SEC		1000000000L

/* Arithmetic */
#define BIT_ULL(n)		(1ULL << (n))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define FIELD_PREP(mask, val)	((val) << __builtin_ctz(mask) & (mask))
#define ilog2(n)		(31 - __builtin_clz(n))
#define __ffs64(x)		__builtin_ctzll(x)
#define hweight8(x)		__builtin_popcount((u8)(x))

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline unsigned long rounddown_pow_of_two(unsigned long n)
{
	return 1UL << (63 - __builtin_clzl(n));
}

static inline u64 ror64(u64 word, unsigned int shift)
{
	return word >> (shift & 63) | word << (-shift & 63);
}

static inline u64 div_u64(u64 dividend, u32 divisor)
{
	return dividend / divisor;
}

#define cpu_to_le16(x)		((__le16)(x))
#define cpu_to_le32(x)		((__le32)(x))
#define cpu_to_le64(x)		((__le64)(x))
#define le16_to_cpu(x)		((u16)(x))
#define le32_to_cpu(x)		((u32)(x))
#define le64_to_cpu(x)		((u64)(x))

/* The compiler */
#define __aligned(x)		__attribute__((aligned(x)))
#define __same_type(a, b)	__builtin_types_compatible_p(__typeof__(a), __typeof__(b))
#define sizeof_field(type, member) sizeof(((type *)NULL)->member)
#define offsetofend(type, member) (offsetof(type, member) + sizeof_field(type, member))
#define BUILD_BUG_ON(what)	_Static_assert(!(what), #what)
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define memset_startat(obj, v, member) \
	memset((u8 *)(obj) + offsetof(__typeof__(*(obj)), member), v, \
	       sizeof(*(obj)) - offsetof(__typeof__(*(obj)), member))

/* A warning is as bad as a report of a sanitizer. */
#define WARN_ON(what)		({ assert(!(what)); false; })
#define lockdep_assert_held(lock) assert((lock)->held)

/* Errors in pointers */
static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= -4095UL;
}

static inline int PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? PTR_ERR(ptr) : 0;
}

#define ERR_CAST(ptr)		((void *)(ptr))

/* Strings and memory */
ssize_t strscpy(char *to, const char *from, size_t size);
void *memchr_inv(const void *start, int c, size_t size);
u32 crc32_le(u32 crc, const void *buf, size_t len);
#define strscpy(to, from, size)	(strscpy)((char *)(to), from, size)

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_ZERO		0
/* Each of them may sleep. */
void *alloc_zeroed(size_t n, size_t size);
#define kzalloc(size, gfp)	alloc_zeroed(1, size)
#define kvzalloc(size, gfp)	alloc_zeroed(1, size)
#define kcalloc(n, size, gfp)	alloc_zeroed(n, size)
#define kvcalloc(n, size, gfp)	alloc_zeroed(n, size)
#define __vmalloc(size, gfp)	alloc_zeroed(1, size)
#define kfree(ptr)		free((void *)(ptr))
#define kvfree(ptr)		free((void *)(ptr))
#define vfree(ptr)		free((void *)(ptr))

#define PAGE_SIZE		4096UL
#define copy_from_user(to, from, n) ({ might_sleep(); memcpy(to, from, n); 0; })
#define copy_to_user(to, from, n) copy_from_user(to, from, n)

/* Bits */
static inline void set_bit(unsigned int nr, unsigned long *map)
{
	__set_bit(nr, map);
}

/* One thread sees all that it does. */
#define smp_mb__after_atomic()	do { } while (0)

static inline bool test_and_clear_bit(unsigned int nr, unsigned long *map)
{
	bool was = test_bit(nr, map);

	__clear_bit(nr, map);
	return was;
}

static inline void clear_bit(unsigned int nr, unsigned long *map)
{
	__clear_bit(nr, map);
}

/* Locks, and how many are held that nobody may sleep with */
struct lock {
	bool held;
};

extern unsigned int spinning;
#define might_sleep()		assert(!spinning)

static inline void lock_take(struct lock *lock)
{
	assert(!lock->held);
	lock->held = true;
}

static inline void lock_give(struct lock *lock)
{
	assert(lock->held);
	lock->held = false;
}

#define mutex			lock
typedef struct lock spinlock_t;
struct rw_semaphore {
	bool held;
};

#define mutex_init(lock)	((lock)->held = false)
#define mutex_destroy(lock)	assert(!(lock)->held)
#define mutex_lock(lock)	do { might_sleep(); lock_take(lock); } while (0)
#define mutex_unlock(lock)	lock_give(lock)
#define spin_lock_init(lock)	((lock)->held = false)
#define spin_lock(lock)		(lock_take(lock), spinning++)
#define spin_unlock(lock)	(lock_give(lock), spinning--)
#define spin_lock_irq(lock)	spin_lock(lock)
#define spin_unlock_irq(lock)	spin_unlock(lock)
#define spin_lock_irqsave(lock, flags) ((flags) = 0, spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), spin_unlock(lock))

/* References */
struct kref {
	int count;
};

static inline void kref_init(struct kref *ref)
{
	ref->count = 1;
}

static inline void kref_get(struct kref *ref)
{
	ref->count++;
}

static inline int kref_put(struct kref *ref, void (*release)(struct kref *))
{
	assert(ref->count > 0);
	if (--ref->count)
		return 0;
	release(ref);
	return 1;
}

/* Time */
extern unsigned long jiffies;
#define msecs_to_jiffies(ms)	((unsigned long)(ms))
#define jiffies_to_msecs(j)	((unsigned int)(j))
#define ns_to_ktime(ns)		(ns)
#define CLOCK_MONOTONIC		1

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_REL_SOFT };

struct hrtimer {
	bool queued;
	struct hrtimer *next;
	enum hrtimer_restart (*function)(struct hrtimer *timer);
};

void hrtimer_start_now(struct hrtimer *timer);
void hrtimer_cancel(struct hrtimer *timer);
/* All that are set fire, once. */
void hrtimers_fire(void);

#define hrtimer_setup(timer, fn, clock, mode) \
	(*(timer) = (struct hrtimer) { .function = (fn) })
#define hrtimer_start(timer, time, mode) ((void)(time), hrtimer_start_now(timer))
#define hrtimer_is_queued(timer) ((timer)->queued)

/* Processes */
#define cond_resched()		might_sleep()
#define fatal_signal_pending(task) false
#define current			NULL

/* What structures have as members, and nobody here looks into */
struct list_head {
	struct list_head *next, *prev;
};

struct xarray {
	void *head;
};

struct rcu_head {
	void *next;
};

struct delayed_work {
	int nothing;
};

typedef struct {
	int nothing;
} wait_queue_head_t;

struct irq_bypass_producer {
	int nothing;
};

typedef int irqreturn_t;
struct eventfd_ctx;
struct page;
struct class;

/* Devices and what they say */
struct attribute {
	const char *name;
};

struct attribute_group {
	struct attribute **attrs;
};

struct device {
	const char *name;
};

struct device_attribute {
	struct attribute attr;
	ssize_t (*show)(struct device *dev, struct device_attribute *attr,
			char *buf);
	ssize_t (*store)(struct device *dev, struct device_attribute *attr,
			 const char *buf, size_t count);
};

#define DEVICE_ATTR_RW(_name)						\
	struct device_attribute dev_attr_##_name = {			\
		{ #_name }, _name##_show, _name##_store,		\
	}

#define dev_name(dev)		((dev)->name)
#define sysfs_emit(buf, ...)	sprintf(buf, __VA_ARGS__)

static inline int kstrtobool(const char *s, bool *res)
{
	*res = *s == '1';
	return 0;
}

static inline unsigned int full_name_hash(const void *salt, const char *name,
					  unsigned int len)
{
	return len;
}

u32 get_random_u32(void);

struct va_format {
	const char *fmt;
	va_list *va;
};

/* Nobody reads it, but it has to be possible to. */
#define dev_warn(dev, fmt, arg)	complain(arg)
#define pr_err(...)		do { } while (0)
void complain(const struct va_format *vaf);

struct ratelimit_state {
	int nothing;
};

#define __ratelimit(state)	((void)(state), true)

/* Modules: what they register when they are loaded is there from the beginning. */
struct module;
#define THIS_MODULE		NULL
#define module_param(...)
#define MODULE_PARM_DESC(...)
#define MODULE_LICENSE(...)
#define MODULE_AUTHOR(...)
#define MODULE_DESCRIPTION(...)
#define MODULE_VERSION(...)
#define module_init(fn)							\
	static void __attribute__((constructor)) fn##_begin(void)	\
	{								\
		fn();							\
	}
#define module_exit(fn)							\
	static void __attribute__((destructor)) fn##_end(void)		\
	{								\
		fn();							\
	}

/* Files */
struct inode {
	int nothing;
};

struct file;

struct poll_table_struct;
typedef struct poll_table_struct poll_table;
typedef unsigned int __poll_t;

#define EPOLLIN		0x001
#define EPOLLRDNORM	0x040
#define poll_wait(file, wait, table) do { } while (0)
#define init_waitqueue_head(wait) do { } while (0)

struct file_operations {
	struct module *owner;
	__poll_t (*poll)(struct file *file, poll_table *wait);
	ssize_t (*read)(struct file *file, char *buf, size_t count,
			loff_t *ppos);
	ssize_t (*write)(struct file *file, const char *buf, size_t count,
			 loff_t *ppos);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd,
			       unsigned long arg);
	long (*compat_ioctl)(struct file *file, unsigned int cmd,
			     unsigned long arg);
	int (*release)(struct inode *inode, struct file *file);
};

struct file {
	const struct file_operations *f_op;
	struct inode *f_inode;
	void *private_data;
};

struct file *anon_inode_getfile(const char *name,
				const struct file_operations *fops, void *priv,
				int flags);
#define stream_open(inode, file) do { } while (0)
#define compat_ptr_ioctl	NULL
#define O_RDONLY		00
#define O_WRONLY		01

/* Class codes (PCI 3.0, appendix D) */
#define PCI_CLASS_DISPLAY_OTHER	0x0380
#define PCI_CLASS_COMMUNICATION_SERIAL 0x0700
#define PCI_CLASS_SYSTEM_OTHER	0x0880
#define PCI_CLASS_OTHERS	0xff

/* Pixels */
#define DRM_FORMAT_XRGB8888	1
#define DRM_FORMAT_BGRX8888	2

/* Serial ports: nobody has the host's end open. */
struct kfifo {
	int nothing;
};

struct tty_port {
	struct kfifo xmit_fifo;
	wait_queue_head_t open_wait;
};

struct tty_struct;
enum { TTY_NORMAL, TTY_BREAK, TTY_FRAME, TTY_PARITY };

#define kfifo_is_empty(fifo)	true
#define kfifo_len(fifo)		0U
#define kfifo_get(fifo, byte)	((void)(byte), false)
#define tty_port_tty_wakeup(port) do { } while (0)
#define tty_port_tty_hangup(port, check) do { } while (0)
#define tty_insert_flip_char(port, byte, flag) ((void)(byte), (void)(flag), 1)
#define tty_flip_buffer_push(port) do { } while (0)
#define wake_up_interruptible(wait) do { } while (0)

struct ida {
	int next;
};

#define DEFINE_IDA(name)	struct ida name
#define ida_alloc_max(ida, max, gfp) ((void)(max), (ida)->next++)
#define ida_free(ida, id)	((void)(ida), (void)(id))

#endif /* _FERRY_FUZZ_BORROWED_H */
