// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration space of an instance: which capabilities it has, and what the
 * kit's side of the device does about a change.
 *
 * A PCI Express endpoint has 4,096 bytes, a conventional PCI device 256. "PCIe" in
 * comments is PCI Express Base Specification 5.0.
 */
#include <linux/bitfield.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/stringhash.h>

#include "mdev.h"

static void set_gate(struct ferry_device *fdev, enum ferry_gate_reason reason,
		     bool closed)
{
	ferry_gate_lock(fdev);
	ferry_gate_set(fdev, reason, closed);
	ferry_gate_unlock(fdev);
}

/* The mask bits in the configuration space are these now. */
static void messages_follow(struct ferry_instance *inst)
{
	struct ferry_config *config = &inst->fdev.config;
	unsigned int msi = ferry_config_find_cap(config, PCI_CAP_ID_MSI);
	unsigned int msix = ferry_config_find_cap(config, PCI_CAP_ID_MSIX);
	u32 bits = 0;
	u16 flags = 0;

	if (msi)
		bits = ferry_config_get32(config, msi + PCI_MSI_MASK_64);
	if (msix)
		flags = ferry_config_get16(config, msix + PCI_MSIX_FLAGS);
	ferry_messages_mask(inst, bits, flags & PCI_MSIX_FLAGS_MASKALL);
}

/*
 * May the device send requests of its own? With bus mastering on (PCI 3.0, 6.2.2), and in D0
 * (PCI PM 1.2, 5.4).
 */
static bool may_master(const struct ferry_config *config)
{
	unsigned int pm = ferry_config_find_cap(config, PCI_CAP_ID_PM);

	return ferry_config_get16(config, PCI_COMMAND) & PCI_COMMAND_MASTER &&
	       !(ferry_config_get16(config, pm + PCI_PM_CTRL) &
		 PCI_PM_CTRL_STATE_MASK);
}

static void gates_follow(struct ferry_device *fdev,
			 const struct ferry_config_change *change)
{
	u32 changed = change->old ^ change->new;

	if ((change->events & FERRY_CONFIG_COMMAND) &&
	    (changed & PCI_COMMAND_MEMORY))
		set_gate(fdev, FERRY_GATE_COMMAND,
			 !(change->new & PCI_COMMAND_MEMORY));
	if ((change->events & FERRY_CONFIG_POWER) &&
	    (changed & PCI_PM_CTRL_STATE_MASK))
		set_gate(fdev, FERRY_GATE_POWER,
			 change->new & PCI_PM_CTRL_STATE_MASK);
}

/* The configuration space has changed; config_lock is held. */
static void config_after(void *ctx, const struct ferry_config_change *change)
{
	struct ferry_instance *inst = ctx;
	struct ferry_device *fdev = &inst->fdev;
	bool works, may;

	if (change->error)
		return;
	/* Nobody else changes this reason but a reset, with the same lock held. */
	works = !(inst->work.stopped & BIT(WORK_BUS));
	may = inst->model->work && may_master(&fdev->config);
	/* Before the memory goes, not with the gate locked; and after it has come. */
	if (works && !may)
		ferry_work_stop(inst, WORK_BUS);
	gates_follow(fdev, change);
	if (!works && may)
		ferry_work_start(inst, WORK_BUS);
	if ((change->events & FERRY_CONFIG_COMMAND) &&
	    (change->old ^ change->new) & PCI_COMMAND_INTX_DISABLE)
		ferry_intx_set_disabled(fdev, change->new &
					PCI_COMMAND_INTX_DISABLE);
	if (change->events & (FERRY_CONFIG_MSI_MASK | FERRY_CONFIG_MSIX))
		messages_follow(inst);
	if (change->events & FERRY_CONFIG_FLR)
		ferry_instance_reset(inst);
}

static const struct ferry_config_ops config_ops = {
	.after = config_after,
};

/**
 * ferry_layout_wake - the function is in D0, as any reset leaves it (PCI PM 1.2, 5.4.1)
 * @inst: the instance, which is being reset: its model's work is stopped
 *
 * Context: process context, config_lock held and the gate locked.
 */
void ferry_layout_wake(struct ferry_instance *inst)
{
	struct ferry_device *fdev = &inst->fdev;
	struct ferry_config *config = &fdev->config;
	unsigned int pmcsr = ferry_config_find_cap(config, PCI_CAP_ID_PM) +
			     PCI_PM_CTRL;

	lockdep_assert_held(&fdev->config_lock);

	ferry_config_set16(config, pmcsr, ferry_config_get16(config, pmcsr) &
			   ~PCI_PM_CTRL_STATE_MASK);
	ferry_gate_set(fdev, FERRY_GATE_POWER, false);
	if (inst->model->work && may_master(config))
		ferry_work_start(inst, WORK_BUS);
}

/* PCI PM 1.2, 3.2: D0 and D3hot, between which nothing is lost; no PME. */
static int add_pm(struct ferry_instance *inst)
{
	struct {
		__le16 pmc;
		__le16 pmcsr;
		__le16 extensions;
	} __packed pm = {
		.pmc = cpu_to_le16(3),
		.pmcsr = cpu_to_le16(PCI_PM_CTRL_NO_SOFT_RESET),
	};

	return ferry_config_add_cap(&inst->fdev.config, PCI_CAP_ID_PM, &pm,
				    sizeof(pm));
}

/* PCI 3.0, 6.8.1: 64-bit addresses, a mask bit for each vector. */
static int add_msi(struct ferry_instance *inst)
{
	struct {
		__le16 flags;
		__le32 address[2];
		__le16 data;
		__le16 reserved;
		__le32 mask;
		__le32 pending;
	} __packed msi = {
		.flags = cpu_to_le16(PCI_MSI_FLAGS_64BIT |
				     PCI_MSI_FLAGS_MASKBIT),
	};

	if (!inst->model->msi)
		return 0;
	msi.flags |= cpu_to_le16(FIELD_PREP(PCI_MSI_FLAGS_QMASK,
					    ilog2(inst->model->msi)));
	return ferry_config_add_cap(&inst->fdev.config, PCI_CAP_ID_MSI, &msi,
				    sizeof(msi));
}

static unsigned int msi_pending(const struct ferry_config *config)
{
	return ferry_config_find_cap(config, PCI_CAP_ID_MSI) +
	       PCI_MSI_PENDING_64;
}

/*
 * PCIe 7.5.3: an endpoint with function level reset, behind a link of one lane of 2.5
 * GT/s that nobody can retrain. Its requests never time out, and it says so by taking
 * the bit that switches timeouts off.
 */
static int add_express(struct ferry_instance *inst)
{
	struct {
		__le16 flags;
		__le32 devcap;
		__le16 devctl;
		__le16 devsta;
		__le32 lnkcap;
		__le16 lnkctl;
		__le16 lnksta;
		u8 slot_and_root[16];
		__le32 devcap2;
		__le16 devctl2;
		__le16 devsta2;
		__le32 lnkcap2;
		__le16 lnkctl2;
		__le16 lnksta2;
	} __packed exp = {
		.flags = cpu_to_le16(2 | PCI_EXP_TYPE_ENDPOINT << 4),
		.devcap = cpu_to_le32(PCI_EXP_DEVCAP_RBER |
				      PCI_EXP_DEVCAP_FLR),
		.devctl = cpu_to_le16(PCI_EXP_DEVCTL_RELAX_EN |
				      PCI_EXP_DEVCTL_NOSNOOP_EN |
				      PCI_EXP_DEVCTL_READRQ_512B),
		.lnkcap = cpu_to_le32(PCI_EXP_LNKCAP_SLS_2_5GB |
				      FIELD_PREP(PCI_EXP_LNKCAP_MLW, 1)),
		.lnksta = cpu_to_le16(PCI_EXP_LNKSTA_CLS_2_5GB |
				      PCI_EXP_LNKSTA_NLW_X1),
		.devcap2 = cpu_to_le32(PCI_EXP_DEVCAP2_COMP_TMOUT_DIS),
		.lnkcap2 = cpu_to_le32(PCI_EXP_LNKCAP2_SLS_2_5GB),
		.lnkctl2 = cpu_to_le16(PCI_EXP_LNKCTL2_TLS_2_5GT),
	};

	BUILD_BUG_ON(PCI_CAP_FLAGS + sizeof(exp) != PCI_EXP_LNKSTA2 + 2);
	if (!inst->model->express)
		return 0;
	return ferry_config_add_cap(&inst->fdev.config, PCI_CAP_ID_EXP, &exp,
				    sizeof(exp));
}

/* PCI 3.0, 6.8.2: the table size is one less than the number of vectors. */
static int add_msix(struct ferry_instance *inst)
{
	const struct ferry_model_msix *model = &inst->model->msix;
	struct {
		__le16 flags;
		__le32 table;
		__le32 pba;
	} __packed msix = {
		.flags = cpu_to_le16(model->vectors - 1),
		.table = cpu_to_le32(model->table | model->bar),
		.pba = cpu_to_le32(model->pba | model->bar),
	};

	if (!model->vectors)
		return 0;
	return ferry_config_add_cap(&inst->fdev.config, PCI_CAP_ID_MSIX, &msix,
				    sizeof(msix));
}

/*
 * PCIe 7.9.3: an EUI-64 of those that everybody may give himself (IEEE 802, bit 1 of
 * the first byte). It hangs on the name of the device, so one that is made again,
 * under its old name, is the same for a guest that knew it. A model that migrates has none: at
 * the other side it would be another, and QEMU takes nothing over where read-only bytes
 * differ.
 */
static int add_serial(struct ferry_instance *inst)
{
	const char *name = dev_name(inst->fdev.vdev.dev);
	u32 hash = full_name_hash(NULL, name, strlen(name));
	u64 eui = 0x02ULL << 56 | (u64)inst->model->vendor << 32 | hash;
	__le32 dsn[] = { cpu_to_le32(eui), cpu_to_le32(eui >> 32) };

	if (!inst->model->express || model_migrates(inst->model))
		return 0;
	return ferry_config_add_ext_cap(&inst->fdev.config, PCI_EXT_CAP_ID_DSN,
					1, dsn, sizeof(dsn));
}

static int add_caps(struct ferry_instance *inst)
{
	static int (*const add[])(struct ferry_instance *inst) = {
		add_pm, add_msi, add_express, add_msix, add_serial,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(add); i++) {
		ret = add[i](inst);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/**
 * ferry_layout_build - make the configuration space of an instance
 * @inst: the instance, which a user is opening
 *
 * Memory decoding and everything else that software has to switch on is off.
 *
 * Return: 0 with ferry_instance.config to be freed by the caller, or -ENOMEM.
 */
int ferry_layout_build(struct ferry_instance *inst)
{
	const struct ferry_model *model = inst->model;
	struct ferry_config_header header = {
		.size = model->express ? EXPRESS_CONFIG_SIZE :
					 CONVENTIONAL_CONFIG_SIZE,
		.vendor = model->vendor,
		.device = model->device,
		.subsystem_vendor = model->subsystem_vendor,
		.subsystem_device = model->subsystem_device,
		.class = model->class,
		.revision = model->revision,
		.pin = model->intx,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < FERRY_MODEL_NR_BARS; i++) {
		header.bars[i].size = model->bars[i].size;
		header.bars[i].flags = model->bars[i].flags;
	}
	inst->config = kvzalloc(ferry_config_bytes(header.size),
				GFP_KERNEL_ACCOUNT);
	if (!inst->config)
		return -ENOMEM;
	ret = ferry_config_init_emulated(&inst->fdev.config, inst->config,
					 &header, &config_ops, inst);
	if (!ret)
		ret = add_caps(inst);
	if (ret) {
		kvfree(inst->config);
		return ret;
	}
	ferry_config_set_live(&inst->fdev.config, PCI_STATUS, 2);
	if (model->msi)
		ferry_config_set_live(&inst->fdev.config,
				      msi_pending(&inst->fdev.config), 4);
	set_gate(&inst->fdev, FERRY_GATE_COMMAND, true);
	ferry_work_stop(inst, WORK_BUS);
	return 0;
}

/**
 * ferry_layout_sync - bring what the device says of itself up to date
 * @inst: the instance
 *
 * That is the interrupt bit of STATUS, which follows the level (PCI 3.0, 6.2.3), and
 * the pending bits of MSI.
 *
 * Context: process context, config_lock held.
 */
void ferry_layout_sync(struct ferry_instance *inst)
{
	struct ferry_config *config = &inst->fdev.config;
	u16 status = ferry_config_get16(config, PCI_STATUS);

	status &= ~PCI_STATUS_INTERRUPT;
	if (inst->model->intx && instance_level(inst))
		status |= PCI_STATUS_INTERRUPT;
	ferry_config_set16(config, PCI_STATUS, status);
	if (inst->model->msi)
		ferry_config_set32(config, msi_pending(config),
				   ferry_messages_pending(inst));
}
