/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts of a VFIO PCI device: vectors that end in eventfds.
 */
#ifndef FERRY_IRQ_H
#define FERRY_IRQ_H

#include <linux/eventfd.h>
#include <linux/irqbypass.h>
#include <linux/irqreturn.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

struct ferry_device;
struct ferry_irq_stats;

/**
 * struct ferry_vector - one MSI or MSI-X vector of an enabled index
 * @trigger: the eventfd that it ends in, %NULL for none; written under
 *	ferry_irqs.lock
 * @spare: the eventfd that it ended in before, whose reference is kept because
 *	users mask a vector by pointing it at another eventfd and back
 * @fdev: the device
 * @index: number of the vector, from 0
 * @pending: bit 0: an interrupt has arrived that found no @trigger
 * @irq: Linux interrupt number for as long as the vector exists, 0 for an
 *	emulated one
 * @producer: the irq bypass producer, registered while @trigger is set and
 *	@irq is not 0
 * @priv: the driver's
 * @name: what /proc/interrupts says
 * @rcu: ferry_irq_signal() looks vectors up under RCU
 *
 * A vector is born when it first gets an eventfd and lives until its index is
 * disabled. In between, only @trigger and the producer change; a hardware
 * vector without a trigger keeps its interrupt enabled, and one that arrives is
 * @pending until there is a trigger again.
 */
struct ferry_vector {
	struct eventfd_ctx __rcu *trigger;
	struct eventfd_ctx *spare;
	struct ferry_device *fdev;
	unsigned int index;
	unsigned long pending;
	int irq;
	struct irq_bypass_producer producer;
	void *priv;
	char name[48];
	struct rcu_head rcu;
};

/**
 * struct ferry_irq_ops - what the core needs of a device's interrupts
 * @count: how many interrupts index @index (VFIO_PCI_*_IRQ_INDEX) has now.
 * @enable: make index @index (INTx, MSI or MSI-X) ready for @nvec vectors.
 *	Returns 0, a negative errno, or the positive number of vectors that
 *	could be had, with nothing changed. For INTx the handler goes live;
 *	it shall call ferry_intx_interrupt().
 * @disable: undo @enable; every vector has been released.
 * @vector_request: find @vector's interrupt, allocating it if the index
 *	can grow, and request it with ferry_vector_interrupt() as its
 *	handler. Sets @irq. Optional: emulated vectors need nothing.
 * @vector_release: undo @vector_request.
 * @vector_arm: @vector has got an eventfd. Write its message into the device
 *	again, in case a reset behind our back has cleared it. Goes with
 *	@vector_request. For an emulated vector: signal what is pending.
 *	Optional then.
 * @intx_mask: stop the device or its line from interrupting.
 * @intx_unmask: let it; returns true, still masked, if one is pending.
 * @intx_test_and_mask: called from the handler: true if the device does
 *	assert its interrupt, which is now masked.
 * @resizable: vectors of MSI-X can be added while it is enabled.
 *
 * All but the three intx ones are called under ferry_irqs.lock and may sleep.
 * Those are called under ferry_irqs.intx_lock with interrupts disabled.
 */
struct ferry_irq_ops {
	unsigned int (*count)(struct ferry_device *fdev, unsigned int index);
	int (*enable)(struct ferry_device *fdev, unsigned int index,
		      unsigned int nvec);
	void (*disable)(struct ferry_device *fdev, unsigned int index);
	int (*vector_request)(struct ferry_device *fdev,
			      struct ferry_vector *vector);
	void (*vector_release)(struct ferry_device *fdev,
			       struct ferry_vector *vector);
	void (*vector_arm)(struct ferry_device *fdev,
			   struct ferry_vector *vector);
	void (*intx_mask)(struct ferry_device *fdev);
	bool (*intx_unmask)(struct ferry_device *fdev);
	bool (*intx_test_and_mask)(struct ferry_device *fdev);
	bool (*resizable)(struct ferry_device *fdev);
};

/**
 * struct ferry_irqs - the interrupts of one device
 * @lock: serialises SET_IRQS and everything it changes
 * @active: the enabled one of INTx, MSI and MSI-X, VFIO_PCI_NUM_IRQS for none;
 *	written under @lock
 * @vectors: &struct ferry_vector by number; changed under @lock, signalled
 *	under RCU
 * @intx: the eventfd of INTx
 * @err: the eventfd of the error interrupt
 * @req: the eventfd that asks the user to let the device go
 * @intx_lock: guards the fields below
 * @intx_masked: masked by the user or by the handler
 * @intx_disabled: masked by the interrupt disable bit of the (virtual) command
 *	register
 * @intx_unmask: the unmask eventfd, under @lock
 * @intx_unmask_late: 1 if a worker is to unmask, for it was asked in a handler; atomic
 * @stats: counts, %NULL while nobody wants them
 */
struct ferry_irqs {
	struct mutex lock;	/* serialises SET_IRQS */
	unsigned int active;
	struct xarray vectors;
	struct eventfd_ctx __rcu *intx;
	struct eventfd_ctx __rcu *err;
	struct eventfd_ctx __rcu *req;
	spinlock_t intx_lock;	/* guards the two intx flags */
	bool intx_masked;
	bool intx_disabled;
	struct virqfd *intx_unmask;
	unsigned int intx_unmask_late;
	struct ferry_irq_stats __rcu *stats;
};

irqreturn_t ferry_vector_interrupt(int irq, void *data);
void ferry_vectors_forget(struct ferry_device *fdev);
bool ferry_irq_signal(struct ferry_device *fdev, unsigned int vector);
bool ferry_irq_active(struct ferry_device *fdev, unsigned int index);
bool ferry_intx_interrupt(struct ferry_device *fdev);
bool ferry_intx_masked(struct ferry_device *fdev);
void ferry_intx_set_disabled(struct ferry_device *fdev, bool disabled);
void ferry_err_signal(struct ferry_device *fdev);

#endif /* FERRY_IRQ_H */
