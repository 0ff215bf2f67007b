// SPDX-License-Identifier: GPL-2.0-only
/*
 * A real configuration space behind the engine, and what its writes cause.
 *
 * Everything here runs under ferry_device.config_lock.
 */
#include <linux/bitfield.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "ferry_pci.h"

static int raw_read(void *ctx, unsigned int off, unsigned int width, u32 *val)
{
	struct pci_dev *pdev = ((struct ferry_pci *)ctx)->pdev;
	u16 word = 0;
	u8 byte = 0;
	int ret;

	switch (width) {
	case 4:
		return pci_user_read_config_dword(pdev, off, val);
	case 2:
		ret = pci_user_read_config_word(pdev, off, &word);
		*val = word;
		return ret;
	default:
		ret = pci_user_read_config_byte(pdev, off, &byte);
		*val = byte;
		return ret;
	}
}

static int raw_write(void *ctx, unsigned int off, unsigned int width, u32 val,
		     u32 keep)
{
	struct ferry_pci *fpci = ctx;
	struct pci_dev *pdev = fpci->pdev;
	u32 old;
	int ret;

	if (off == PCI_COMMAND || off == PCI_COMMAND + 1) {
		unsigned int shift = (off - PCI_COMMAND) * 8;
		u32 mask = (width == 1 ? 0xff : 0xffff) & ~keep;

		/* Reads what is there, under the lock of its other writers. */
		ferry_pci_command_update(fpci, mask << shift, val << shift);
		return 0;
	}
	if (keep) {
		ret = raw_read(ctx, off, width, &old);
		if (ret)
			return ret;
		val |= old & keep;
	}

	switch (width) {
	case 4:
		return pci_user_write_config_dword(pdev, off, val);
	case 2:
		return pci_user_write_config_word(pdev, off, val);
	default:
		return pci_user_write_config_byte(pdev, off, val);
	}
}

/* A VF has no memory enable bit. */
static bool memory_off(struct ferry_pci *fpci, u16 command)
{
	return !(command & PCI_COMMAND_MEMORY) &&
	       !fpci->pdev->no_command_memory;
}

/*
 * Nobody reaches the memory until command_after(), nor switches decoding on for
 * a moment meanwhile, which would undo what is written. The gate's reason changes
 * under the configuration lock alone.
 */
static void command_before(struct ferry_pci *fpci, u16 command)
{
	struct ferry_device *fdev = &fpci->fdev;

	lockdep_assert_held(&fdev->config_lock);

	if (memory_off(fpci, command) &&
	    !(READ_ONCE(fdev->gate.closed) & BIT(FERRY_GATE_COMMAND)))
		ferry_gate_lock(fdev);
	else
		ferry_gate_lock_mapped(fdev);
}

static void command_after(struct ferry_pci *fpci, u16 command)
{
	struct ferry_device *fdev = &fpci->fdev;
	bool disabled = command & PCI_COMMAND_INTX_DISABLE;

	ferry_gate_set(fdev, FERRY_GATE_COMMAND, memory_off(fpci, command));
	ferry_gate_unlock(fdev);
	/* Changed by nobody but us. */
	if (disabled != READ_ONCE(fdev->irqs.intx_disabled))
		ferry_intx_set_disabled(fdev, disabled);
}

/*
 * A user begins with INTx enabled, whatever the last driver has left; unless it
 * doesn't work, as he can see.
 */
static void command_init(struct ferry_pci *fpci)
{
	struct ferry_config *cfg = &fpci->fdev.config;
	u16 command = ferry_config_get16(cfg, PCI_COMMAND);

	command &= ~PCI_COMMAND_INTX_DISABLE;
	if (fpci->intx_broken)
		command |= PCI_COMMAND_INTX_DISABLE;
	ferry_config_set16(cfg, PCI_COMMAND, command);
	command_before(fpci, command);
	command_after(fpci, command);
}

static void power_after(struct ferry_pci *fpci, u32 pmcsr)
{
	static const pci_power_t states[] = {
		PCI_D0, PCI_D1, PCI_D2, PCI_D3hot,
	};
	struct ferry_device *fdev = &fpci->fdev;
	pci_power_t state = states[pmcsr & PCI_PM_CTRL_STATE_MASK];

	/* To wake a function, or only to write its other bits, moves no memory. */
	if (state == PCI_D3hot)
		ferry_gate_lock(fdev);
	else
		ferry_gate_lock_mapped(fdev);
	ferry_pci_set_power(fpci, state);
	ferry_gate_unlock(fdev);
}

/* Never below Max_Payload_Size, which is the system's to choose. */
static void readrq_after(struct ferry_pci *fpci, u16 devctl)
{
	struct pci_dev *pdev = fpci->pdev;
	int bytes = 128 << FIELD_GET(PCI_EXP_DEVCTL_READRQ, devctl);

	pcie_set_readrq(pdev, max(bytes, pcie_get_mps(pdev)));
}

/*
 * Transfer four bytes of VPD (PCI 3.0, appendix I). On an error the flag isn't
 * toggled, and the user runs into his time limit.
 */
static void vpd_after(struct ferry_pci *fpci, unsigned int off)
{
	struct ferry_config *cfg = &fpci->fdev.config;
	u16 address = ferry_config_get16(cfg, off);
	unsigned int pos = address & PCI_VPD_ADDR_MASK;
	unsigned int data = off + PCI_VPD_DATA - PCI_VPD_ADDR;
	__le32 value;

	if (address & PCI_VPD_ADDR_F) {
		value = cpu_to_le32(ferry_config_get32(cfg, data));
		if (pci_write_vpd(fpci->pdev, pos, sizeof(value), &value) !=
		    sizeof(value))
			return;
	} else {
		value = 0;
		if (pci_read_vpd(fpci->pdev, pos, sizeof(value), &value) < 0)
			return;
		ferry_config_set32(cfg, data, le32_to_cpu(value));
	}
	ferry_config_set16(cfg, off, address ^ PCI_VPD_ADDR_F);
}

/*
 * While MSI is enabled, its user may stop the function from sending messages
 * and choose how many of them it tells apart.
 */
static void msi_after(struct ferry_pci *fpci, unsigned int off, u16 flags)
{
	u16 old;

	fpci->msi_control = flags & FERRY_PCI_MSI_USERS;
	if (!pci_user_read_config_word(fpci->pdev, off, &old))
		pci_user_write_config_word(fpci->pdev, off,
					   (old & ~FERRY_PCI_MSI_USERS) |
					   fpci->msi_control);
}

static int change_before(void *ctx, const struct ferry_config_change *change)
{
	if (change->events & FERRY_CONFIG_COMMAND)
		command_before(ctx, change->new);
	return 0;
}

static void change_after(void *ctx, const struct ferry_config_change *change)
{
	if (change->events & FERRY_CONFIG_COMMAND)
		command_after(ctx, change->error ? change->old : change->new);
	if (change->error)
		return;
	if (change->events & FERRY_CONFIG_POWER)
		power_after(ctx, change->new);
	if (change->events & FERRY_CONFIG_FLR)
		ferry_pci_reset_locked(ctx);
	if (change->events & FERRY_CONFIG_READRQ)
		readrq_after(ctx, change->new);
	if (change->events & FERRY_CONFIG_VPD)
		vpd_after(ctx, change->offset);
	if (change->events & FERRY_CONFIG_MSI)
		msi_after(ctx, change->offset, change->new);
}

static const struct ferry_config_backend config_backend = {
	.read = raw_read,
	.write = raw_write,
};

static const struct ferry_config_ops config_ops = {
	.before = change_before,
	.after = change_after,
};

static void describe_bar(struct pci_dev *pdev, unsigned int i,
			 struct ferry_config_bar *bar)
{
	unsigned long flags = pci_resource_flags(pdev, i);

	if (i == PCI_ROM_RESOURCE) {
		bar->size = ferry_pci_rom_size(pdev);
		return;
	}
	if (!pci_resource_start(pdev, i))
		return;
	bar->size = pci_resource_len(pdev, i);
	if (flags & IORESOURCE_IO)
		bar->flags |= PCI_BASE_ADDRESS_SPACE_IO;
	if (flags & IORESOURCE_PREFETCH)
		bar->flags |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	if (flags & IORESOURCE_MEM_64)
		bar->flags |= PCI_BASE_ADDRESS_MEM_TYPE_64;
}

/**
 * ferry_pci_config_open - build the user's view of the configuration space
 * @fpci: a function that is being opened, its interrupts counted
 *
 * Return: 0 or a negative errno.
 */
int ferry_pci_config_open(struct ferry_pci *fpci)
{
	struct ferry_device *fdev = &fpci->fdev;
	struct pci_dev *pdev = fpci->pdev;
	struct ferry_config_desc desc = {
		.size = pdev->cfg_size,
		.backend = &config_backend,
		.ops = &config_ops,
		.ctx = fpci,
	};
	unsigned int i;
	void *mem;
	int ret;

	if (pdev->no_command_memory)
		desc.flags |= FERRY_CONFIG_NO_COMMAND_MEMORY;
	if (!fpci->nr_irqs[VFIO_PCI_INTX_IRQ_INDEX])
		desc.flags |= FERRY_CONFIG_NO_INTX;
	if (pdev->is_virtfn) {
		desc.vendor = pdev->vendor;
		desc.device = pdev->device;
	}
	for (i = 0; i < ARRAY_SIZE(desc.bars); i++)
		describe_bar(pdev, i, &desc.bars[i]);

	mem = kvzalloc(ferry_config_bytes(desc.size), GFP_KERNEL_ACCOUNT);
	if (!mem)
		return -ENOMEM;

	mutex_lock(&fdev->config_lock);
	ret = ferry_config_init(&fdev->config, mem, &desc);
	if (!ret) {
		fpci->config_mem = mem;
		ferry_pci_bars_remember(fpci);
		command_init(fpci);
	}
	mutex_unlock(&fdev->config_lock);
	if (ret)
		kvfree(mem);
	return ret;
}

/**
 * ferry_pci_config_close - undo ferry_pci_config_open()
 * @fpci: a function that is being closed
 */
void ferry_pci_config_close(struct ferry_pci *fpci)
{
	mutex_lock(&fpci->fdev.config_lock);
	kvfree(fpci->config_mem);
	fpci->config_mem = NULL;
	mutex_unlock(&fpci->fdev.config_lock);
}
