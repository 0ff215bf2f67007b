/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events of every VFIO PCI device, see Documentation/tracing.rst. One that is
 * off is a jump that isn't taken.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ferry

#if !defined(FERRY_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define FERRY_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/vfio.h>

#include <ferry/device.h>

#include "compat/compat.h"
#include "core/reset_cause.h"

/* A PCI address, or the UUID of a mediated device; and its end. */
#define FERRY_TRACE_NAME	37

#define FERRY_TRACE_DEVICE						\
	__array(char, device, FERRY_TRACE_NAME)
#define FERRY_TRACE_SET_DEVICE(fdev)					\
	strscpy(__entry->device, dev_name((fdev)->vdev.dev), FERRY_TRACE_NAME)

/* What tools that read the format of an event don't know by name. */
TRACE_DEFINE_ENUM(VFIO_PCI_INTX_IRQ_INDEX);
TRACE_DEFINE_ENUM(VFIO_PCI_MSI_IRQ_INDEX);
TRACE_DEFINE_ENUM(VFIO_PCI_MSIX_IRQ_INDEX);
#define FERRY_TRACE_IRQ(index)						\
	__print_symbolic(index,						\
			 { VFIO_PCI_INTX_IRQ_INDEX, "intx" },		\
			 { VFIO_PCI_MSI_IRQ_INDEX, "msi" },		\
			 { VFIO_PCI_MSIX_IRQ_INDEX, "msix" })

TRACE_DEFINE_ENUM(FERRY_RESET_OPEN);
TRACE_DEFINE_ENUM(FERRY_RESET_CLOSE);
TRACE_DEFINE_ENUM(FERRY_RESET_USER);
TRACE_DEFINE_ENUM(FERRY_RESET_SET);
#define FERRY_TRACE_RESET(cause)					\
	__print_symbolic(cause,						\
			 { FERRY_RESET_OPEN, "open" },			\
			 { FERRY_RESET_CLOSE, "close" },		\
			 { FERRY_RESET_USER, "user" },			\
			 { FERRY_RESET_SET, "set" })

TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_ERROR);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_STOP);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_RUNNING);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_STOP_COPY);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_RESUMING);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_RUNNING_P2P);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_PRE_COPY);
TRACE_DEFINE_ENUM(VFIO_DEVICE_STATE_PRE_COPY_P2P);
#define FERRY_TRACE_STATE(state)					\
	__print_symbolic(state,						\
			 { VFIO_DEVICE_STATE_ERROR, "error" },		\
			 { VFIO_DEVICE_STATE_STOP, "stop" },		\
			 { VFIO_DEVICE_STATE_RUNNING, "running" },	\
			 { VFIO_DEVICE_STATE_STOP_COPY, "stop-copy" },	\
			 { VFIO_DEVICE_STATE_RESUMING, "resuming" },	\
			 { VFIO_DEVICE_STATE_RUNNING_P2P, "running-p2p" }, \
			 { VFIO_DEVICE_STATE_PRE_COPY, "pre-copy" },	\
			 { VFIO_DEVICE_STATE_PRE_COPY_P2P, "pre-copy-p2p" })

/* A block's @value is 0. @ret is how many bytes were copied, or a negative errno. */
DECLARE_EVENT_CLASS(ferry_access,
		    TP_PROTO(struct ferry_device *fdev,
			     const struct ferry_region *region, u64 offset,
			     size_t length, u64 value, ssize_t ret),
		    TP_ARGS(fdev, region, offset, length, value, ret),

		    TP_STRUCT__entry(FERRY_TRACE_DEVICE
				     __field(u32, region)
				     __field(u64, offset)
				     __field(u64, length)
				     __field(u64, value)
				     __field(s64, ret)),

		    TP_fast_assign(FERRY_TRACE_SET_DEVICE(fdev);
				   __entry->region = region - fdev->regions;
				   __entry->offset = offset;
				   __entry->length = length;
				   __entry->value = value;
				   __entry->ret = ret;),

		    TP_printk("device=%s region=%u offset=%#llx length=%llu value=%#llx ret=%lld",
			      __entry->device, __entry->region, __entry->offset,
			      __entry->length, __entry->value, __entry->ret));

DEFINE_EVENT(ferry_access, ferry_region_read,
	     TP_PROTO(struct ferry_device *fdev,
		      const struct ferry_region *region, u64 offset,
		      size_t length, u64 value, ssize_t ret),
	     TP_ARGS(fdev, region, offset, length, value, ret));

DEFINE_EVENT(ferry_access, ferry_region_write,
	     TP_PROTO(struct ferry_device *fdev,
		      const struct ferry_region *region, u64 offset,
		      size_t length, u64 value, ssize_t ret),
	     TP_ARGS(fdev, region, offset, length, value, ret));

TRACE_EVENT(ferry_config_write,
	    TP_PROTO(struct ferry_device *fdev, u64 offset, size_t length,
		     const void *data, int ret),
	    TP_ARGS(fdev, offset, length, data, ret),

	    TP_STRUCT__entry(FERRY_TRACE_DEVICE
			     __field(u32, offset)
			     __field(u32, length)
			     __field(s32, ret)
			     __dynamic_array(u8, data, length)),

	    TP_fast_assign(FERRY_TRACE_SET_DEVICE(fdev);
			   __entry->offset = offset;
			   __entry->length = length;
			   __entry->ret = ret;
			   memcpy(__get_dynamic_array(data), data, length);),

	    TP_printk("device=%s offset=%#x length=%u data=%s ret=%d",
		      __entry->device, __entry->offset, __entry->length,
		      __print_hex(__get_dynamic_array(data), __entry->length),
		      __entry->ret));

/* @signalled: not if there was no eventfd to signal. */
TRACE_EVENT(ferry_interrupt,
	    TP_PROTO(struct ferry_device *fdev, unsigned int index,
		     unsigned int vector, bool signalled),
	    TP_ARGS(fdev, index, vector, signalled),

	    TP_STRUCT__entry(FERRY_TRACE_DEVICE
			     __field(u32, index)
			     __field(u32, vector)
			     __field(bool, signalled)),

	    TP_fast_assign(FERRY_TRACE_SET_DEVICE(fdev);
			   __entry->index = index;
			   __entry->vector = vector;
			   __entry->signalled = signalled;),

	    TP_printk("device=%s index=%s vector=%u signalled=%d",
		      __entry->device, FERRY_TRACE_IRQ(__entry->index),
		      __entry->vector, __entry->signalled));

TRACE_EVENT(ferry_reset,
	    TP_PROTO(struct ferry_device *fdev, enum ferry_reset_cause cause,
		     int ret),
	    TP_ARGS(fdev, cause, ret),

	    TP_STRUCT__entry(FERRY_TRACE_DEVICE
			     __field(u32, cause)
			     __field(s32, ret)),

	    TP_fast_assign(FERRY_TRACE_SET_DEVICE(fdev);
			   __entry->cause = cause;
			   __entry->ret = ret;),

	    TP_printk("device=%s cause=%s ret=%d", __entry->device,
		      FERRY_TRACE_RESET(__entry->cause), __entry->ret));

/* States are numbers of D0 to D3hot, and 4 for D3cold. */
TRACE_EVENT(ferry_power,
	    TP_PROTO(struct ferry_device *fdev, u32 old, u32 wanted, u32 now),
	    TP_ARGS(fdev, old, wanted, now),

	    TP_STRUCT__entry(FERRY_TRACE_DEVICE
			     __field(u32, old)
			     __field(u32, wanted)
			     __field(u32, now)),

	    TP_fast_assign(FERRY_TRACE_SET_DEVICE(fdev);
			   __entry->old = old;
			   __entry->wanted = wanted;
			   __entry->now = now;),

	    TP_printk("device=%s old=%u wanted=%u now=%u", __entry->device,
		      __entry->old, __entry->wanted, __entry->now));

TRACE_EVENT(ferry_migration,
	    TP_PROTO(struct ferry_device *fdev, u32 old, u32 next, int ret),
	    TP_ARGS(fdev, old, next, ret),

	    TP_STRUCT__entry(FERRY_TRACE_DEVICE
			     __field(u32, old)
			     __field(u32, next)
			     __field(s32, ret)),

	    TP_fast_assign(FERRY_TRACE_SET_DEVICE(fdev);
			   __entry->old = old;
			   __entry->next = next;
			   __entry->ret = ret;),

	    TP_printk("device=%s old=%s next=%s ret=%d", __entry->device,
		      FERRY_TRACE_STATE(__entry->old),
		      FERRY_TRACE_STATE(__entry->next), __entry->ret));

#endif /* FERRY_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH core
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
