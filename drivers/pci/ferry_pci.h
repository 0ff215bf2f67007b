/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A physical PCI function that user space drives.
 */
#ifndef FERRY_PCI_H
#define FERRY_PCI_H

#include <linux/ioport.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/uuid.h>
#include <linux/types.h>

#include <ferry/device.h>

/*
 * FERRY_PCI_NAME is what the driver calls itself, in sysfs and in the resource
 * tree: "ferry-vfio-pci", or "vfio-pci" for the drop-in; FERRY_PCI_IRQS what the names of its
 * interrupts begin with: "ferry", or "vfio" as with the kernel's own. Kbuild chooses.
 */

/* What its user chooses in MSI's Message Control (PCI 3.0, 6.8.1.3) while MSI is enabled. */
#define FERRY_PCI_MSI_USERS	(PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE)

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
	u64 hole_start;
	u64 hole_end;
	struct resource tail;
};

/**
 * struct ferry_pci_token - what users of virtual functions need to know
 * @uuid: of a physical function: what they have to name
 * @users: of a physical function: how many of its virtual functions are open
 * @opener: who has opened this device last, through its group; %NULL where the VFIO core
 *	asks for tokens by itself
 * @named: @opener has named a token
 * @name: that token
 *
 * All of it under a lock of token.c.
 */
struct ferry_pci_token {
	uuid_t uuid;
	unsigned int users;
	struct pid *opener;
	bool named;
	uuid_t name;
};

/**
 * struct ferry_pci - a function bound to the driver
 * @fdev: what the core knows; the first member
 * @pdev: the function
 * @pf: of a virtual function: its physical one, if that is ours, with a reference;
 *	constant
 * @token: the VF token
 * @debug_dir: its folder in debugfs, %NULL where VFIO has one
 * @has_vfs: it has virtual functions, or will in a moment; under ferry_gate.sem
 * @bars: base address registers, while open
 * @bar_values: what stands in BAR 0 to 5 and the ROM BAR, to put it back after a
 *	reset that nobody told us of
 * @msix_table: the MSI-X table, %NULL if we haven't got the BAR that it is in
 * @ioeventfd_lock: serialises @ioeventfds; taken before the gate
 * @ioeventfds: &struct ferry_pci_ioeventfd that are set
 * @dmabufs: &struct ferry_pci_dmabuf of this open, where the kernel can export them;
 *	under the gate held for writing
 * @rom: the ROM's mapping while open, %NULL if it has none that is readable
 * @rom_image: its image in memory, where the firmware has left one for want of a BAR
 * @rom_len: bytes of @rom or @rom_image that are an image
 * @vga: the legacy VGA memory, %NULL if there is no VGA region
 * @config_mem: what ferry_device.config lives in, %NULL while nobody has the function
 *	open; under ferry_device.config_lock
 * @saved_state: the function's state as found at open
 * @pm_state: its state from before it entered D3hot, if it forgets it there
 * @msi_control: what is enabled of MSI, by SET_IRQS and then by its user, as
 *	FERRY_PCI_MSI_USERS; under ferry_device.config_lock, and of a function that is awake
 * @wakeup: the eventfd that tells the user of the end of low power, %NULL for none;
 *	under ferry_gate.sem
 * @used: closed, but not reset since; under the device set's lock
 * @touched: its user may have changed something in it since it was reset at open, see
 *	ferry_pci_touch()
 * @disable_idle_d3: what the parameter was when the function was bound: it stays
 *	awake although nobody has it open
 * @nr_irqs: interrupts by VFIO_PCI_*_IRQ_INDEX, while open
 * @nointxmask: what the parameter was when the function was bound
 * @intx_maskable: the interrupt disable bit of the command register works
 * @intx_broken: INTx doesn't, and is kept disabled by that bit
 * @intx_live: the INTx handler may be called, and unmasking may enable it; under
 *	ferry_irqs.intx_lock
 * @intx_name: what /proc/interrupts says
 */
struct ferry_pci {
	struct ferry_device fdev;
	struct pci_dev *pdev;
	struct ferry_pci *pf;
	struct ferry_pci_token token;
	struct dentry *debug_dir;
	bool has_vfs;
	struct ferry_pci_bar bars[PCI_STD_NUM_BARS];
	u32 bar_values[PCI_STD_NUM_BARS + 1];
	void __iomem *msix_table;
	struct mutex ioeventfd_lock;	/* serialises ioeventfds */
	struct list_head ioeventfds;
	struct list_head dmabufs;
	void __iomem *rom;
	void *rom_image;
	size_t rom_len;
	void __iomem *vga;
	void *config_mem;
	struct pci_saved_state *saved_state;
	struct pci_saved_state *pm_state;
	u16 msi_control;
	struct eventfd_ctx *wakeup;
	u16 nr_irqs[VFIO_PCI_NUM_IRQS];
	bool used;
	bool touched;
	bool nointxmask;
	bool disable_idle_d3;
	bool intx_maskable;
	bool intx_broken;
	bool intx_live;
	char intx_name[32];
};

#define to_ferry_pci(f)	container_of(f, struct ferry_pci, fdev)

/*
 * The function has to be reset when it is closed. Whatever reaches it for its user
 * says so first: reads and writes of a region, mappings, the enabling of interrupts,
 * and all that isn't just a question.
 */
static inline void ferry_pci_touch(struct ferry_pci *fpci)
{
	WRITE_ONCE(fpci->touched, true);
}

/* Has its user said that the function may sleep between accesses? */
static inline bool ferry_pci_may_sleep(const struct ferry_pci *fpci)
{
	return READ_ONCE(fpci->fdev.gate.closed) & BIT(FERRY_GATE_LOW_POWER);
}

int ferry_pci_info_caps(struct ferry_device *fdev, struct vfio_info_cap *caps);
long ferry_pci_ioctl(struct ferry_device *fdev, unsigned int cmd,
		     unsigned long arg);
int ferry_pci_feature(struct ferry_device *fdev, u32 flags, void __user *arg,
		      size_t argsz);

bool ferry_pci_is_ours(struct vfio_device *vdev);
bool ferry_pci_drives(struct pci_dev *pdev);

void ferry_pci_debugfs_setup(void);
void ferry_pci_debugfs_cleanup(void);
void ferry_pci_debugfs_init(struct ferry_pci *fpci);
void ferry_pci_debugfs_exit(struct ferry_pci *fpci);

bool ferry_pci_denied(struct pci_dev *pdev);

void ferry_pci_token_init(struct ferry_pci *fpci);
void ferry_pci_token_release(struct ferry_pci *fpci);
int ferry_pci_match_token(struct vfio_device *vdev, const uuid_t *uuid);
int ferry_pci_match(struct vfio_device *vdev, char *buf);
int ferry_pci_admit(struct vfio_device *vdev);
void ferry_pci_token_get(struct ferry_pci *fpci);
void ferry_pci_token_put(struct ferry_pci *fpci);
int ferry_pci_token_feature(struct ferry_pci *fpci, u32 flags,
			    void __user *arg, size_t argsz);

int ferry_pci_sriov_setup(void);
void ferry_pci_sriov_cleanup(void);
int ferry_pci_sriov_configure(struct pci_dev *pdev, int count);
void ferry_pci_sriov_disable(struct ferry_pci *fpci);
int ferry_pci_sriov_link(struct ferry_pci *fpci);
void ferry_pci_sriov_release(struct ferry_pci *fpci);

int ferry_pci_open(struct vfio_device *vdev);
void ferry_pci_close(struct vfio_device *vdev);

void ferry_pci_command_update(struct ferry_pci *fpci, u16 mask, u16 value);
void ferry_pci_command_follow(struct ferry_pci *fpci);
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
void ferry_pci_intx_sleep(struct ferry_pci *fpci);
void ferry_pci_intx_wake(struct ferry_pci *fpci);

unsigned int ferry_pci_msix_count(struct pci_dev *pdev);
int ferry_pci_msi_enable(struct ferry_pci *fpci, unsigned int index,
			 unsigned int nvec);
void ferry_pci_msi_disable(struct ferry_pci *fpci, unsigned int index);
int ferry_pci_vector_request(struct ferry_device *fdev,
			     struct ferry_vector *vector);
void ferry_pci_vector_release(struct ferry_device *fdev,
			      struct ferry_vector *vector);
void ferry_pci_vector_arm(struct ferry_device *fdev,
			  struct ferry_vector *vector);

int ferry_pci_bars_open(struct ferry_pci *fpci);
void ferry_pci_bars_close(struct ferry_pci *fpci);
int ferry_pci_bar_check(struct ferry_pci *fpci, unsigned int index, u64 off,
			size_t len);
bool ferry_pci_bar_is_memory(struct ferry_pci *fpci, unsigned int index);
void ferry_pci_bar_put(struct ferry_pci *fpci, unsigned int index, u64 off,
		       const void *buf, size_t len);
void ferry_pci_mmio_read(const void __iomem *io, void *buf, size_t len,
			 unsigned int max_width);
void ferry_pci_mmio_write(void __iomem *io, const void *buf, size_t len,
			  unsigned int max_width);
void ferry_pci_port_read(void __iomem *io, void *buf, size_t len);
void ferry_pci_port_write(void __iomem *io, const void *buf, size_t len);

int ferry_pci_ioeventfd(struct ferry_pci *fpci, void __user *uarg);
void ferry_pci_ioeventfds_stop(struct ferry_pci *fpci);

#ifdef FERRY_HAVE_DMABUF
int ferry_pci_dmabufs_init(struct ferry_pci *fpci);
void ferry_pci_dmabufs_close(struct ferry_pci *fpci);
int ferry_pci_dmabuf_feature(struct ferry_pci *fpci, u32 flags,
			     void __user *uarg, size_t argsz);
void ferry_pci_memory_gone(struct ferry_device *fdev);
void ferry_pci_memory_back(struct ferry_device *fdev);
#else
static inline int ferry_pci_dmabufs_init(struct ferry_pci *fpci)
{
	return 0;
}

static inline void ferry_pci_dmabufs_close(struct ferry_pci *fpci)
{
}

static inline int ferry_pci_dmabuf_feature(struct ferry_pci *fpci, u32 flags,
					   void __user *uarg, size_t argsz)
{
	return -ENOTTY;
}

#define ferry_pci_memory_gone	NULL
#define ferry_pci_memory_back	NULL
#endif

int ferry_pci_vga_bind(struct pci_dev *pdev);
void ferry_pci_vga_unbind(struct pci_dev *pdev);
void ferry_pci_vga_open(struct ferry_pci *fpci);
void ferry_pci_vga_close(struct ferry_pci *fpci);

u64 ferry_pci_rom_size(struct pci_dev *pdev);
void ferry_pci_rom_open(struct ferry_pci *fpci);
void ferry_pci_rom_close(struct ferry_pci *fpci);

int ferry_pci_reset_function(struct pci_dev *pdev);
int ferry_pci_reset(struct ferry_device *fdev);
int ferry_pci_reset_locked(struct ferry_pci *fpci);
void ferry_pci_reset_done(struct ferry_pci *fpci, int ret);
void ferry_pci_reset_at_close(struct ferry_pci *fpci);

int ferry_pci_set_join(struct ferry_pci *fpci);
bool ferry_pci_set_resets(struct ferry_pci *fpci);
int ferry_pci_set_walk(struct ferry_pci *fpci,
		       int (*visit)(struct pci_dev *pdev, void *data),
		       void *data);
struct ferry_pci *ferry_pci_set_find(struct ferry_pci *fpci,
				     struct pci_dev *pdev);
bool ferry_pci_set_complete(struct ferry_pci *fpci, bool explain);
int ferry_pci_set_reset(struct ferry_pci *fpci);
void ferry_pci_set_closed(struct ferry_pci *fpci);

int ferry_pci_hot_reset_info(struct ferry_pci *fpci,
			     struct vfio_pci_hot_reset_info __user *uarg);
int ferry_pci_hot_reset(struct ferry_pci *fpci,
			struct vfio_pci_hot_reset __user *uarg);

void ferry_pci_set_power(struct ferry_pci *fpci, pci_power_t state);
void ferry_pci_state_follow(struct ferry_pci *fpci);

extern const struct dev_pm_ops ferry_pci_pm_ops;
void ferry_pci_runtime_init(struct ferry_pci *fpci);
void ferry_pci_runtime_exit(struct ferry_pci *fpci);
int ferry_pci_runtime_open(struct ferry_pci *fpci);
void ferry_pci_runtime_close(struct ferry_pci *fpci);
int ferry_pci_runtime_get(struct ferry_pci *fpci);
void ferry_pci_runtime_put(struct ferry_pci *fpci);
int ferry_pci_low_power_enter(struct ferry_pci *fpci, u32 flags, size_t argsz);
int ferry_pci_low_power_enter_wakeup(struct ferry_pci *fpci, u32 flags,
				     void __user *arg, size_t argsz);
int ferry_pci_low_power_exit(struct ferry_pci *fpci, u32 flags, size_t argsz);
void ferry_pci_low_power_end(struct ferry_pci *fpci);

#endif /* FERRY_PCI_H */
