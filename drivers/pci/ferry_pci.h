/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A physical PCI function that user space drives.
 */
#ifndef FERRY_PCI_H
#define FERRY_PCI_H

#include <linux/ioport.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/types.h>

#include <ferry/device.h>

/*
 * FERRY_PCI_NAME is what the driver calls itself, in sysfs and in the resource
 * tree: "ferry-vfio-pci", or "vfio-pci" for the drop-in. Kbuild chooses.
 */

/**
 * struct ferry_pci_bar - a base address register's resource while it is open
 * @io: the kernel's own mapping of it
 * @error: why there is none: -EBUSY if somebody else holds the resource
 * @hole_start: first byte that is the kernel's: the MSI-X table
 * @hole_end: the byte after the last one; equals @hole_start for none
 * @tail: the rest of the page of a BAR that is smaller than one, held so that
 *	nothing else comes to lie in what gets mapped
 */
struct ferry_pci_bar {
	void __iomem *io;
	int error;
	u32 hole_start;
	u32 hole_end;
	struct resource tail;
};

/**
 * struct ferry_pci - a function bound to the driver
 * @fdev: what the core knows; the first member
 * @pdev: the function
 * @bars: base address registers, while open
 * @bar_values: what stands in BAR 0 to 5 and the ROM BAR, to put it back after a
 *	reset that nobody told us of
 * @msix_table: the MSI-X table, %NULL if we haven't got the BAR that it is in
 * @ioeventfd_lock: serialises @ioeventfds; taken before the gate
 * @ioeventfds: &struct ferry_pci_ioeventfd that are set
 * @rom: the ROM's mapping while open, %NULL if it has none that is readable
 * @rom_len: bytes of @rom that are an image
 * @config_mem: what ferry_device.config lives in
 * @saved_state: the function's state as found at open
 * @pm_state: its state from before it entered D3hot, if it forgets it there
 * @used: closed, but not reset since; under the device set's lock
 * @nr_irqs: interrupts by VFIO_PCI_*_IRQ_INDEX, while open
 * @intx_maskable: the interrupt disable bit of the command register works
 * @intx_broken: INTx doesn't, and is kept disabled by that bit
 * @intx_live: the INTx handler may be called, and unmasking may enable it; under
 *	ferry_irqs.intx_lock
 * @intx_name: what /proc/interrupts says
 */
struct ferry_pci {
	struct ferry_device fdev;
	struct pci_dev *pdev;
	struct ferry_pci_bar bars[PCI_STD_NUM_BARS];
	u32 bar_values[PCI_STD_NUM_BARS + 1];
	void __iomem *msix_table;
	struct mutex ioeventfd_lock;	/* serialises ioeventfds */
	struct list_head ioeventfds;
	void __iomem *rom;
	size_t rom_len;
	void *config_mem;
	struct pci_saved_state *saved_state;
	struct pci_saved_state *pm_state;
	u16 nr_irqs[VFIO_PCI_NUM_IRQS];
	bool used;
	bool intx_maskable;
	bool intx_broken;
	bool intx_live;
	char intx_name[32];
};

#define to_ferry_pci(f)	container_of(f, struct ferry_pci, fdev)

long ferry_pci_ioctl(struct ferry_device *fdev, unsigned int cmd,
		     unsigned long arg);

int ferry_pci_open(struct vfio_device *vdev);
void ferry_pci_close(struct vfio_device *vdev);

void ferry_pci_command_update(struct ferry_pci *fpci, u16 mask, u16 value);
void ferry_pci_bars_remember(struct ferry_pci *fpci);
bool ferry_pci_memory_begin(struct ferry_pci *fpci);
void ferry_pci_memory_end(struct ferry_pci *fpci, bool off);

int ferry_pci_config_open(struct ferry_pci *fpci);
void ferry_pci_config_close(struct ferry_pci *fpci);

extern const struct ferry_irq_ops ferry_pci_irq_ops;
void ferry_pci_irqs_open(struct ferry_pci *fpci);

unsigned int ferry_pci_intx_open(struct ferry_pci *fpci);
int ferry_pci_intx_enable(struct ferry_pci *fpci);
void ferry_pci_intx_disable(struct ferry_pci *fpci);
void ferry_pci_intx_mask(struct ferry_device *fdev);
bool ferry_pci_intx_unmask(struct ferry_device *fdev);
bool ferry_pci_intx_test_and_mask(struct ferry_device *fdev);

unsigned int ferry_pci_msix_count(struct pci_dev *pdev);
int ferry_pci_msi_enable(struct ferry_pci *fpci, unsigned int index,
			 unsigned int nvec);
void ferry_pci_msi_disable(struct ferry_pci *fpci, unsigned int index);
int ferry_pci_vector_request(struct ferry_device *fdev,
			     struct ferry_vector *vector);
void ferry_pci_vector_release(struct ferry_device *fdev,
			      struct ferry_vector *vector);
void ferry_pci_vector_arm(struct ferry_device *fdev,
			  struct ferry_vector *vector, bool enable);

void ferry_pci_bars_open(struct ferry_pci *fpci);
void ferry_pci_bars_close(struct ferry_pci *fpci);
int ferry_pci_bar_check(struct ferry_pci *fpci, unsigned int index, u64 off,
			size_t len);
bool ferry_pci_bar_is_memory(struct ferry_pci *fpci, unsigned int index);
void ferry_pci_bar_put(struct ferry_pci *fpci, unsigned int index, u64 off,
		       const void *buf, size_t len);
void ferry_pci_mmio_read(const void __iomem *io, void *buf, size_t len,
			 unsigned int max_width);

int ferry_pci_ioeventfd(struct ferry_pci *fpci, void __user *uarg);
void ferry_pci_ioeventfds_stop(struct ferry_pci *fpci);

void ferry_pci_rom_open(struct ferry_pci *fpci);
void ferry_pci_rom_close(struct ferry_pci *fpci);

int ferry_pci_reset_function(struct pci_dev *pdev);
int ferry_pci_reset(struct ferry_device *fdev);
int ferry_pci_reset_locked(struct ferry_pci *fpci);
void ferry_pci_reset_at_close(struct ferry_pci *fpci);

int ferry_pci_set_join(struct ferry_pci *fpci);
void ferry_pci_set_reset(struct ferry_pci *fpci);

void ferry_pci_set_power(struct ferry_pci *fpci, pci_power_t state);

#endif /* FERRY_PCI_H */
