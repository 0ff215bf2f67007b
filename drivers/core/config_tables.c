// SPDX-License-Identifier: GPL-2.0-only
/*
 * Field tables, one per capability: who answers which bit, who may change it,
 * and what a change means.
 *
 * A register that is neither live nor virtual is fixed: it is read when the
 * device is opened, again after a reset, and when the user has written to it or
 * to its dword, because nothing else changes it.  The whole header of a
 * capability is virtual, so that the list can be mended.  A register that
 * decides how long a capability is, is virtual too: its extent must not move
 * while the device is open.
 */
#include "config_internal.h"

/* PCI 3.0 section 6.1: type 0 header.  ferry_config_apply_bars() adds BARs. */
static const struct ferry_cap_field header_fields[] = {
	{ .offset = PCI_VENDOR_ID, .width = 4, .virt = ~0U },
	/*
	 * INTX_DISABLE is virtual because masking INTx is how interrupts are
	 * handed over; hardware's bit belongs to the driver.
	 */
	{ .offset = PCI_COMMAND, .width = 2, .live = true,
	  .virt = PCI_COMMAND_INTX_DISABLE, .write = 0xffff,
	  .emulated = PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
		      PCI_COMMAND_MASTER | PCI_COMMAND_SERR |
		      PCI_COMMAND_INTX_DISABLE,
	  .trigger = 0xffff, .events = FERRY_CONFIG_COMMAND },
	{ .offset = PCI_STATUS, .width = 2, .live = true,
	  .virt = PCI_STATUS_CAP_LIST },
	{ .offset = PCI_CACHE_LINE_SIZE, .width = 1, .write = 0xff,
	  .emulated = 0xff },
	{ .offset = PCI_LATENCY_TIMER, .width = 1, .write = 0xff },
	{ .offset = PCI_BIST, .width = 1, .write = 0xff },
	{ .offset = PCI_CAPABILITY_LIST, .width = 1, .virt = 0xff },
	{ .offset = PCI_INTERRUPT_LINE, .width = 1, .virt = 0xff,
	  .write = 0xff, .emulated = 0xff },
	{ .offset = PCI_INTERRUPT_PIN, .width = 1, .virt = 0xff },
};

const struct ferry_cap_desc ferry_config_header_desc = {
	.name = "header",
	.length = PCI_STD_HEADER_SIZEOF,
	.fields = header_fields,
	.count = ARRAY_SIZE(header_fields),
};

/*
 * PCI Bus Power Management 1.2 section 3.2.  A guest cannot handle PME, the
 * host does: its bits read as zero.  The state is not written: the hook
 * enters it, and what hardware says after that is read back.
 */
static const struct ferry_cap_field pm_fields[] = {
	{ .offset = PCI_PM_PMC, .width = 2,
	  .virt = PCI_PM_CAP_PME_MASK, .zero = PCI_PM_CAP_PME_MASK },
	{ .offset = PCI_PM_CTRL, .width = 2,
	  .virt = PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS,
	  .zero = PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS,
	  .write = PCI_PM_CTRL_DATA_SEL_MASK,
	  .emulated = PCI_PM_CTRL_STATE_MASK,
	  .w1c = PCI_PM_CTRL_PME_STATUS,
	  .trigger = PCI_PM_CTRL_STATE_MASK, .events = FERRY_CONFIG_POWER },
};

/* PCI 3.0 appendix I: transfers go through the PCI core's VPD access. */
static const struct ferry_cap_field vpd_fields[] = {
	{ .offset = PCI_VPD_ADDR, .width = 2, .virt = 0xffff,
	  .write = 0xffff, .emulated = 0xffff,
	  .trigger = PCI_VPD_ADDR_F, .events = FERRY_CONFIG_VPD },
	{ .offset = PCI_VPD_DATA, .width = 4, .virt = ~0U, .write = ~0U,
	  .emulated = ~0U },
};

/*
 * PCI 3.0 section 6.8.1.  Hardware's message belongs to the interrupt code.
 * ferry_config_set_msi() makes ENABLE and QSIZE writable.  The mask registers
 * lie behind the end of a capability that has none, and are clipped.
 */
#define MSI_FLAGS_FIELD							\
	{ .offset = PCI_MSI_FLAGS, .width = 2, .virt = 0xffff,		\
	  .emulated = PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE,	\
	  .trigger = PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE,	\
	  .events = FERRY_CONFIG_MSI }
#define MSI_MASK_FIELD(off)						\
	{ .offset = (off), .width = 4, .live = true, .write = ~0U,	\
	  .emulated = ~0U,						\
	  .trigger = ~0U, .events = FERRY_CONFIG_MSI_MASK }

static const struct ferry_cap_field msi32_fields[] = {
	MSI_FLAGS_FIELD,
	{ .offset = PCI_MSI_ADDRESS_LO, .width = 4, .virt = ~0U,
	  .write = ~0U, .emulated = ~0U },
	{ .offset = PCI_MSI_DATA_32, .width = 2, .virt = 0xffff,
	  .write = 0xffff, .emulated = 0xffff },
	MSI_MASK_FIELD(PCI_MSI_MASK_32),
	{ .offset = PCI_MSI_PENDING_32, .width = 4, .live = true },
};

static const struct ferry_cap_field msi64_fields[] = {
	MSI_FLAGS_FIELD,
	{ .offset = PCI_MSI_ADDRESS_LO, .width = 4, .virt = ~0U,
	  .write = ~0U, .emulated = ~0U },
	{ .offset = PCI_MSI_ADDRESS_HI, .width = 4, .virt = ~0U,
	  .write = ~0U, .emulated = ~0U },
	{ .offset = PCI_MSI_DATA_64, .width = 2, .virt = 0xffff,
	  .write = 0xffff, .emulated = 0xffff },
	MSI_MASK_FIELD(PCI_MSI_MASK_64),
	{ .offset = PCI_MSI_PENDING_64, .width = 4, .live = true },
};

/* PCI 3.0 section 6.8.2: enabled and masked through the interrupt ioctls. */
static const struct ferry_cap_field msix_fields[] = {
	{ .offset = PCI_MSIX_FLAGS, .width = 2, .live = true,
	  .emulated = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
	  .trigger = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
	  .events = FERRY_CONFIG_MSIX },
};

/* PCI-X 2.0 sections 7.2.3 and 7.2.5 */
static const struct ferry_cap_field pcix_fields[] = {
	{ .offset = PCI_X_CMD, .width = 2, .live = true, .write = 0xffff },
	{ .offset = PCI_X_STATUS, .width = 4, .live = true },
	{ .offset = PCI_X_ECC_CSR, .width = 4, .live = true, .write = ~0U },
};

/*
 * PCIe section 7.5.3.  Phantom functions would confuse the IOMMU, and the
 * payload size is the hierarchy's: the user sees what it wrote, hardware does
 * not.  The link and ARI forwarding are the host's.
 */
static const struct ferry_cap_field exp_fields[] = {
	{ .offset = PCI_EXP_FLAGS, .width = 2, .virt = 0xffff },
	{ .offset = PCI_EXP_DEVCTL, .width = 2, .live = true,
	  .virt = PCI_EXP_DEVCTL_BCR_FLR | PCI_EXP_DEVCTL_PAYLOAD |
		  PCI_EXP_DEVCTL_READRQ,
	  .write = 0xffff & ~PCI_EXP_DEVCTL_PHANTOM,
	  .emulated = 0xffff & ~PCI_EXP_DEVCTL_PHANTOM,
	  .w1c = PCI_EXP_DEVCTL_BCR_FLR, .zero = PCI_EXP_DEVCTL_BCR_FLR,
	  .preset = PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
		    PCI_EXP_DEVCTL_READRQ_512B,
	  .trigger = PCI_EXP_DEVCTL_BCR_FLR | PCI_EXP_DEVCTL_READRQ,
	  .events = FERRY_CONFIG_FLR | FERRY_CONFIG_READRQ },
	{ .offset = PCI_EXP_DEVSTA, .width = 2, .live = true },
	{ .offset = PCI_EXP_LNKCTL, .width = 2, .live = true },
	{ .offset = PCI_EXP_LNKSTA, .width = 2, .live = true },
	{ .offset = PCI_EXP_DEVCTL2, .width = 2, .live = true,
	  .write = 0xffff & ~PCI_EXP_DEVCTL2_ARI,
	  .emulated = PCI_EXP_DEVCTL2_COMP_TIMEOUT |
		      PCI_EXP_DEVCTL2_COMP_TMOUT_DIS },
	{ .offset = PCI_EXP_LNKCTL2, .width = 2, .live = true },
	{ .offset = PCI_EXP_LNKSTA2, .width = 2, .live = true },
};

/* PCI Advanced Capabilities ECN */
static const struct ferry_cap_field af_fields[] = {
	{ .offset = PCI_AF_CTRL, .width = 1, .virt = PCI_AF_CTRL_FLR,
	  .write = PCI_AF_CTRL_FLR, .emulated = PCI_AF_CTRL_FLR,
	  .w1c = PCI_AF_CTRL_FLR, .zero = PCI_AF_CTRL_FLR,
	  .trigger = PCI_AF_CTRL_FLR, .events = FERRY_CONFIG_FLR },
	{ .offset = PCI_AF_STATUS, .width = 1, .live = true },
};

/* Indexed by capability ID; what has no name is hidden. */
static const struct ferry_cap_desc caps[] = {
	[PCI_CAP_ID_PM] = {
		.name = "pm",
		.length = PCI_PM_SIZEOF,
		.fields = pm_fields,
		.count = ARRAY_SIZE(pm_fields),
	},
	[PCI_CAP_ID_AGP] = {
		.name = "agp",
		.length = PCI_AGP_SIZEOF,
		.live = true,
	},
	[PCI_CAP_ID_VPD] = {
		.name = "vpd",
		.length = PCI_CAP_VPD_SIZEOF,
		.fields = vpd_fields,
		.count = ARRAY_SIZE(vpd_fields),
	},
	[PCI_CAP_ID_MSI] = {
		.name = "msi",
		.length = PCI_MSI_DATA_32 + 2,
		.measure = ferry_cap_len_msi,
		.fields = msi32_fields,
		.count = ARRAY_SIZE(msi32_fields),
	},
	[PCI_CAP_ID_PCIX] = {
		.name = "pci-x",
		.length = PCI_CAP_PCIX_SIZEOF_V0,
		.measure = ferry_cap_len_pcix,
		.fields = pcix_fields,
		.count = ARRAY_SIZE(pcix_fields),
	},
	[PCI_CAP_ID_HT] = {
		.name = "hypertransport",
		.length = PCI_CAP_SIZEOF,
		.live = true,
		.measure = ferry_cap_len_ht,
	},
	[PCI_CAP_ID_VNDR] = {
		.name = "vendor",
		.length = 3,
		.raw = true,
		.measure = ferry_cap_len_vndr,
	},
	[PCI_CAP_ID_EXP] = {
		.name = "pcie",
		.length = PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1,
		.measure = ferry_cap_len_exp,
		.fields = exp_fields,
		.count = ARRAY_SIZE(exp_fields),
	},
	[PCI_CAP_ID_MSIX] = {
		.name = "msi-x",
		.length = PCI_CAP_MSIX_SIZEOF,
		.fields = msix_fields,
		.count = ARRAY_SIZE(msix_fields),
	},
	[PCI_CAP_ID_SATA] = {
		.name = "sata",
		.length = PCI_SATA_SIZEOF_SHORT,
		.live = true,
		.measure = ferry_cap_len_sata,
	},
	[PCI_CAP_ID_AF] = {
		.name = "af",
		.length = PCI_CAP_AF_SIZEOF,
		.fields = af_fields,
		.count = ARRAY_SIZE(af_fields),
	},
};

/* The same capability with a message address of 64 bits */
static const struct ferry_cap_desc msi64_cap = {
	.name = "msi",
	.length = PCI_MSI_DATA_64 + 2,
	.measure = ferry_cap_len_msi,
	.fields = msi64_fields,
	.count = ARRAY_SIZE(msi64_fields),
};

/*
 * PCIe section 7.8.4: the errors that have a meaning up to PCIe 3.1.  Those
 * of the status registers are cleared by a one.
 */
#define AER_UNCOR_BITS							\
	(PCI_ERR_UNC_UND | PCI_ERR_UNC_DLP | PCI_ERR_UNC_SURPDN |	\
	 PCI_ERR_UNC_POISON_TLP | PCI_ERR_UNC_FCP |			\
	 PCI_ERR_UNC_COMP_TIME | PCI_ERR_UNC_COMP_ABORT |		\
	 PCI_ERR_UNC_UNX_COMP | PCI_ERR_UNC_RX_OVER |			\
	 PCI_ERR_UNC_MALF_TLP | PCI_ERR_UNC_ECRC | PCI_ERR_UNC_UNSUP |	\
	 PCI_ERR_UNC_ACSV | PCI_ERR_UNC_INTN | PCI_ERR_UNC_MCBTLP |	\
	 PCI_ERR_UNC_ATOMEG | PCI_ERR_UNC_TLPPRE)
#define AER_COR_BITS							\
	(PCI_ERR_COR_RCVR | PCI_ERR_COR_BAD_TLP |			\
	 PCI_ERR_COR_BAD_DLLP | PCI_ERR_COR_REP_ROLL |			\
	 PCI_ERR_COR_REP_TIMER | PCI_ERR_COR_ADV_NFAT |			\
	 PCI_ERR_COR_INTERNAL | PCI_ERR_COR_LOG_OVER)
#define AER_CAP_BITS	(PCI_ERR_CAP_ECRC_GENE | PCI_ERR_CAP_ECRC_CHKE)

static const struct ferry_cap_field aer_fields[] = {
	{ .offset = PCI_ERR_UNCOR_STATUS, .width = 4, .live = true,
	  .write = AER_UNCOR_BITS, .emulated = AER_UNCOR_BITS, .w1c = ~0U },
	{ .offset = PCI_ERR_UNCOR_MASK, .width = 4, .live = true,
	  .write = AER_UNCOR_BITS, .emulated = AER_UNCOR_BITS },
	{ .offset = PCI_ERR_UNCOR_SEVER, .width = 4, .live = true,
	  .write = AER_UNCOR_BITS, .emulated = AER_UNCOR_BITS },
	{ .offset = PCI_ERR_COR_STATUS, .width = 4, .live = true,
	  .write = AER_COR_BITS, .emulated = AER_COR_BITS, .w1c = ~0U },
	{ .offset = PCI_ERR_COR_MASK, .width = 4, .live = true,
	  .write = AER_COR_BITS, .emulated = AER_COR_BITS },
	{ .offset = PCI_ERR_CAP, .width = 4, .live = true,
	  .write = AER_CAP_BITS, .emulated = AER_CAP_BITS },
};

/* PCIe section 7.8.1: the selector chooses what the data register shows. */
static const struct ferry_cap_field pwr_fields[] = {
	{ .offset = PCI_PWR_DSR, .width = 1, .live = true, .write = 0xff },
	{ .offset = PCI_PWR_DATA, .width = 4, .live = true },
};

/* PCIe section 10.5.1: the IOMMU driver enables it when a domain attaches. */
static const struct ferry_cap_field ats_fields[] = {
	{ .offset = PCI_ATS_CTRL, .width = 2, .live = true },
};

/*
 * PCIe section 9.3.3: virtual functions come and go while their physical
 * function is open, and offset and stride depend on how many there are.
 */
static const struct ferry_cap_field sriov_fields[] = {
	{ .offset = PCI_SRIOV_CTRL, .width = 2, .live = true },
	{ .offset = PCI_SRIOV_STATUS, .width = 2, .live = true },
	{ .offset = PCI_SRIOV_NUM_VF, .width = 2, .live = true },
	{ .offset = PCI_SRIOV_VF_OFFSET, .width = 2, .live = true },
	{ .offset = PCI_SRIOV_VF_STRIDE, .width = 2, .live = true },
};

#define VC_CAP(title)							\
	{ .name = (title), .live = true,				\
	  .length = PCI_CAP_VC_BASE_SIZEOF + PCI_CAP_VC_PER_VC_SIZEOF,	\
	  .measure = ferry_ext_cap_len_vc }

static const struct ferry_cap_desc ext_caps[] = {
	[PCI_EXT_CAP_ID_ERR] = {
		.name = "aer",
		.length = PCI_ERR_ROOT_COMMAND,
		.live = true,
		.fields = aer_fields,
		.count = ARRAY_SIZE(aer_fields),
	},
	[PCI_EXT_CAP_ID_VC] = VC_CAP("vc"),
	[PCI_EXT_CAP_ID_DSN] = {
		.name = "dsn",
		.length = PCI_EXT_CAP_DSN_SIZEOF,
	},
	[PCI_EXT_CAP_ID_PWR] = {
		.name = "power-budget",
		.length = PCI_EXT_CAP_PWR_SIZEOF,
		.fields = pwr_fields,
		.count = ARRAY_SIZE(pwr_fields),
	},
	[PCI_EXT_CAP_ID_MFVC] = VC_CAP("mfvc"),
	[PCI_EXT_CAP_ID_VC9] = VC_CAP("vc"),
	[PCI_EXT_CAP_ID_VNDR] = {
		.name = "vsec",
		.length = 8,
		.raw = true,
		.measure = ferry_ext_cap_len_vndr,
	},
	[PCI_EXT_CAP_ID_ACS] = {
		.name = "acs",
		.length = 8,
		.measure = ferry_ext_cap_len_acs,
	},
	[PCI_EXT_CAP_ID_ARI] = {
		.name = "ari",
		.length = PCI_EXT_CAP_ARI_SIZEOF,
	},
	[PCI_EXT_CAP_ID_ATS] = {
		.name = "ats",
		.length = PCI_EXT_CAP_ATS_SIZEOF,
		.fields = ats_fields,
		.count = ARRAY_SIZE(ats_fields),
	},
	[PCI_EXT_CAP_ID_SRIOV] = {
		.name = "sriov",
		.length = PCI_EXT_CAP_SRIOV_SIZEOF,
		.fields = sriov_fields,
		.count = ARRAY_SIZE(sriov_fields),
	},
	[PCI_EXT_CAP_ID_MCAST] = {
		.name = "multicast",
		.length = PCI_EXT_CAP_MCAST_ENDPOINT_SIZEOF,
		.live = true,
	},
	[PCI_EXT_CAP_ID_PRI] = {
		.name = "pri",
		.length = PCI_EXT_CAP_PRI_SIZEOF,
		.live = true,
	},
	[PCI_EXT_CAP_ID_REBAR] = {
		.name = "rebar",
		.length = 4,
		.live = true,
		.measure = ferry_ext_cap_len_rebar,
	},
	[PCI_EXT_CAP_ID_DPA] = {
		.name = "dpa",
		.length = PCI_DPA_BASE_SIZEOF + 1,
		.live = true,
		.measure = ferry_ext_cap_len_dpa,
	},
	[PCI_EXT_CAP_ID_TPH] = {
		.name = "tph",
		.length = PCI_TPH_BASE_SIZEOF,
		.live = true,
		.measure = ferry_ext_cap_len_tph,
	},
	[PCI_EXT_CAP_ID_LTR] = {
		.name = "ltr",
		.length = PCI_EXT_CAP_LTR_SIZEOF,
	},
	[PCI_EXT_CAP_ID_DVSEC] = {
		.name = "dvsec",
		.length = PCI_DVSEC_HEADER2 + 2,
		.raw = true,
		.measure = ferry_ext_cap_len_dvsec,
	},
};

/**
 * ferry_cap_desc() - what is known about the capability at @pos
 * @cfg: the space; the ID is taken from its values
 * @pos: where the capability begins
 *
 * Return: the description, or NULL for one that the user is not shown.
 */
const struct ferry_cap_desc *ferry_cap_desc(const struct ferry_config *cfg,
					    unsigned int pos)
{
	const struct ferry_cap_desc *desc;
	unsigned int id;

	if (pos >= FERRY_CONFIG_STD_SIZE) {
		id = PCI_EXT_CAP_ID(ferry_config_get32(cfg, pos));
		desc = id < ARRAY_SIZE(ext_caps) ? &ext_caps[id] : NULL;
	} else {
		id = ferry_config_get8(cfg, pos);
		desc = id < ARRAY_SIZE(caps) ? &caps[id] : NULL;
		if (id == PCI_CAP_ID_MSI &&
		    ferry_config_get16(cfg, pos + PCI_MSI_FLAGS) &
		    PCI_MSI_FLAGS_64BIT)
			desc = &msi64_cap;
	}
	return desc && desc->name ? desc : NULL;
}
