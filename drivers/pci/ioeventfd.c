// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that write a constant into a BAR when they are signalled: a guest's
 * doorbells without a detour through user space.
 */
#include <linux/bitops.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/byteorder.h>

#include "core/trace.h"
#include "ferry_pci.h"

/* Each costs its user's memory and all of them an entry in the list. */
#define IOEVENTFD_MAX	1000

/**
 * struct ferry_pci_ioeventfd - one eventfd and what it writes
 * @node: in ferry_pci.ioeventfds
 * @fpci: the function
 * @virqfd: VFIO's hold on the eventfd
 * @bar: number of the BAR
 * @pos: offset in it
 * @width: bytes to write: 1, 2, 4 or 8
 * @data: the value, in the device's byte order from its first byte on
 */
struct ferry_pci_ioeventfd {
	struct list_head node;
	struct ferry_pci *fpci;
	struct virqfd *virqfd;
	unsigned int bar;
	unsigned int width;
	u64 pos;
	__le64 data;
};

static void do_write(struct ferry_pci_ioeventfd *io)
{
	struct ferry_device *fdev = &io->fpci->fdev;

	ferry_pci_bar_put(io->fpci, io->bar, io->pos, &io->data, io->width);
	trace_ferry_region_write(fdev, &fdev->regions[io->bar], io->pos,
				 io->width, le64_to_cpu(io->data), io->width);
}

/*
 * The eventfd is signalled: in any context, inside its wait queue, interrupts
 * off. Where the gate can't be had at once, a worker waits for it. Where it is
 * closed there is no memory, so the write is lost as that of a processor is.
 */
static int on_signal(void *opaque, void *unused)
{
	struct ferry_pci_ioeventfd *io = opaque;
	int ret;

	if (!ferry_pci_bar_is_memory(io->fpci, io->bar)) {
		do_write(io);
		return 0;
	}
	ret = ferry_gate_try_enter(&io->fpci->fdev);
	if (ret == -EAGAIN)
		return 1;
	if (!ret) {
		do_write(io);
		ferry_gate_leave(&io->fpci->fdev);
	}
	return 0;
}

/* The worker. */
static void write_later(void *opaque, void *unused)
{
	struct ferry_pci_ioeventfd *io = opaque;

	if (ferry_gate_enter(&io->fpci->fdev))
		return;
	do_write(io);
	ferry_gate_leave(&io->fpci->fdev);
}

static bool same(const struct ferry_pci_ioeventfd *a,
		 const struct ferry_pci_ioeventfd *b)
{
	return a->bar == b->bar && a->pos == b->pos && a->width == b->width &&
	       a->data == b->data;
}

/* No handler of @io runs any more when its memory goes. */
static void ioeventfd_free(struct ferry_pci_ioeventfd *io)
{
	vfio_virqfd_disable(&io->virqfd);
	list_del(&io->node);
	kfree(io);
}

static int ioeventfd_add(const struct ferry_pci_ioeventfd *want, int fd)
{
	struct ferry_pci_ioeventfd *io;
	int ret;

	io = kmemdup(want, sizeof(*want), GFP_KERNEL_ACCOUNT);
	if (!io)
		return -ENOMEM;
	ret = vfio_virqfd_enable(io, on_signal, write_later, NULL, &io->virqfd,
				 fd);
	if (ret) {
		kfree(io);
		return ret;
	}
	list_add(&io->node, &io->fpci->ioeventfds);
	return 0;
}

/* Add @want for @fd, or remove the one like it if @fd is -1. */
static int ioeventfd_set(const struct ferry_pci_ioeventfd *want, int fd)
{
	struct ferry_pci *fpci = want->fpci;
	struct ferry_pci_ioeventfd *io;
	unsigned int nr = 0;

	lockdep_assert_held(&fpci->ioeventfd_lock);

	list_for_each_entry(io, &fpci->ioeventfds, node) {
		if (same(io, want)) {
			if (fd >= 0)
				return -EEXIST;
			ioeventfd_free(io);
			return 0;
		}
		nr++;
	}
	if (fd < 0)
		return -ENODEV;
	if (nr >= IOEVENTFD_MAX)
		return -ENOSPC;
	return ioeventfd_add(want, fd);
}

/**
 * ferry_pci_ioeventfd - VFIO_DEVICE_IOEVENTFD
 * @fpci: the function
 * @uarg: struct vfio_device_ioeventfd
 *
 * Return: 0, -EINVAL for what is not one write within a BAR and beside the
 * MSI-X table, -EEXIST, -ENODEV or -ENOSPC for one that is there already, that
 * is not, or that would be too many, or another negative errno.
 */
int ferry_pci_ioeventfd(struct ferry_pci *fpci, void __user *uarg)
{
	struct ferry_pci_ioeventfd want = { .fpci = fpci };
	struct vfio_device_ioeventfd arg;
	int ret;

	if (copy_from_user(&arg, uarg, offsetofend(typeof(arg), fd)))
		return -EFAULT;
	if (arg.argsz < offsetofend(typeof(arg), fd) ||
	    arg.flags & ~VFIO_DEVICE_IOEVENTFD_SIZE_MASK ||
	    hweight32(arg.flags) != 1 || arg.fd < -1)
		return -EINVAL;

	if (arg.offset >= FERRY_REGION_OFFSET(VFIO_PCI_ROM_REGION_INDEX))
		return -EINVAL;
	want.bar = array_index_nospec(arg.offset >> FERRY_REGION_SHIFT,
				      PCI_STD_NUM_BARS);
	want.pos = arg.offset & FERRY_REGION_MASK;
	/* VFIO_DEVICE_IOEVENTFD_8 and so on are the widths themselves. */
	want.width = arg.flags;
	want.data = cpu_to_le64(arg.data);
	ret = ferry_pci_bar_check(fpci, want.bar, want.pos, want.width);
	if (ret)
		return ret;

	mutex_lock(&fpci->ioeventfd_lock);
	ret = ioeventfd_set(&want, arg.fd);
	mutex_unlock(&fpci->ioeventfd_lock);
	return ret;
}

/**
 * ferry_pci_ioeventfds_stop - forget all of them
 * @fpci: a function that is being closed, its BARs still there
 */
void ferry_pci_ioeventfds_stop(struct ferry_pci *fpci)
{
	struct ferry_pci_ioeventfd *io, *next;

	mutex_lock(&fpci->ioeventfd_lock);
	list_for_each_entry_safe(io, next, &fpci->ioeventfds, node)
		ioeventfd_free(io);
	mutex_unlock(&fpci->ioeventfd_lock);
}
