// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a capability says it is.
 *
 * Everything here comes from the device and is only a claim: the caller clips
 * it to the end of the space and to the next capability, and hides what is
 * shorter than its fixed part.  Bytes behind the end of the space read as 0.
 */
#include "config_internal.h"

unsigned int ferry_cap_len_msi(const struct ferry_config *cfg,
			       unsigned int pos)
{
	u16 flags = ferry_config_get16(cfg, pos + PCI_MSI_FLAGS);

	if (flags & PCI_MSI_FLAGS_64BIT)
		return flags & PCI_MSI_FLAGS_MASKBIT ? PCI_MSI_PENDING_64 + 4 :
						       PCI_MSI_DATA_64 + 2;
	return flags & PCI_MSI_FLAGS_MASKBIT ? PCI_MSI_PENDING_32 + 4 :
					       PCI_MSI_DATA_32 + 2;
}

unsigned int ferry_cap_len_pcix(const struct ferry_config *cfg,
				unsigned int pos)
{
	u16 cmd = ferry_config_get16(cfg, pos + PCI_X_CMD);

	return PCI_X_CMD_VERSION(cmd) ? PCI_CAP_PCIX_SIZEOF_V2 :
					PCI_CAP_PCIX_SIZEOF_V0;
}

unsigned int ferry_cap_len_vndr(const struct ferry_config *cfg,
				unsigned int pos)
{
	return ferry_config_get8(cfg, pos + PCI_CAP_FLAGS);
}

/*
 * PCIe section 7.5.3: version 1 ends behind the registers that the kind of
 * function needs.  An endpoint of version 2 needs nothing behind Link Status
 * 2; a root complex integrated endpoint has no link.
 */
unsigned int ferry_cap_len_exp(const struct ferry_config *cfg,
			       unsigned int pos)
{
	u16 flags = ferry_config_get16(cfg, pos + PCI_EXP_FLAGS);
	bool link = (flags & PCI_EXP_FLAGS_TYPE) >> 4 != PCI_EXP_TYPE_RC_END;

	if ((flags & PCI_EXP_FLAGS_VERS) == 1)
		return link ? PCI_CAP_EXP_ENDPOINT_SIZEOF_V1 :
			      PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V1;
	return link ? PCI_EXP_LNKSTA2 + 2 : PCI_CAP_EXP_RC_ENDPOINT_SIZEOF_V2;
}

/* HyperTransport I/O Link 3.10 section 7: the type is in the upper bits. */
unsigned int ferry_cap_len_ht(const struct ferry_config *cfg,
			      unsigned int pos)
{
	u8 type = ferry_config_get8(cfg, pos + 3) & HT_3BIT_CAP_MASK;

	return type == HT_CAPTYPE_SLAVE ? HT_CAP_SIZEOF_LONG :
					  HT_CAP_SIZEOF_SHORT;
}

/* SATA 3.2 section 10.5.2: index and data registers may follow in place. */
unsigned int ferry_cap_len_sata(const struct ferry_config *cfg,
				unsigned int pos)
{
	u8 regs = ferry_config_get8(cfg, pos + PCI_SATA_REGS);

	if ((regs & PCI_SATA_REGS_MASK) == PCI_SATA_REGS_INLINE)
		return PCI_SATA_SIZEOF_LONG;
	return PCI_SATA_SIZEOF_SHORT;
}

unsigned int ferry_ext_cap_len_vndr(const struct ferry_config *cfg,
				    unsigned int pos)
{
	u32 header = ferry_config_get32(cfg, pos + PCI_VNDR_HEADER);

	return PCI_VNDR_HEADER_LEN(header);
}

unsigned int ferry_ext_cap_len_dvsec(const struct ferry_config *cfg,
				     unsigned int pos)
{
	u32 header = ferry_config_get32(cfg, pos + PCI_DVSEC_HEADER1);

	return PCI_DVSEC_HEADER1_LEN(header);
}

/*
 * PCIe section 7.9.1: the extended channels, then a function arbitration
 * table with four bits for each phase, aligned to 16 bytes.
 */
unsigned int ferry_ext_cap_len_vc(const struct ferry_config *cfg,
				  unsigned int pos)
{
	u32 cap1 = ferry_config_get32(cfg, pos + PCI_VC_PORT_CAP1);
	u32 cap2 = ferry_config_get32(cfg, pos + PCI_VC_PORT_CAP2);
	unsigned int channels = 1 + (cap1 & PCI_VC_CAP1_EVCC);
	unsigned int table = 0;
	unsigned int len;

	if (cap2 & PCI_VC_CAP2_128_PHASE)
		table = 128 / 2;
	else if (cap2 & PCI_VC_CAP2_64_PHASE)
		table = 64 / 2;
	else if (cap2 & PCI_VC_CAP2_32_PHASE)
		table = 32 / 2;

	len = PCI_CAP_VC_BASE_SIZEOF + channels * PCI_CAP_VC_PER_VC_SIZEOF;
	return table ? ALIGN(len, 16) + table : len;
}

/* PCIe section 7.7.11: one bit per port of the egress vector, 0 means 256. */
unsigned int ferry_ext_cap_len_acs(const struct ferry_config *cfg,
				   unsigned int pos)
{
	unsigned int bits;

	if (!(ferry_config_get8(cfg, pos + PCI_ACS_CAP) & PCI_ACS_EC))
		return PCI_ACS_EGRESS_CTL_V;
	bits = ferry_config_get8(cfg, pos + PCI_ACS_EGRESS_BITS);
	return PCI_ACS_EGRESS_CTL_V + ALIGN(bits ? bits : 256, 32) / 8;
}

/* PCIe section 7.8.6: capability and control for each resizable BAR */
unsigned int ferry_ext_cap_len_rebar(const struct ferry_config *cfg,
				     unsigned int pos)
{
	u32 ctrl = ferry_config_get32(cfg, pos + PCI_REBAR_CTRL);

	return PCI_REBAR_CAP + 8 * ((ctrl & PCI_REBAR_CTRL_NBAR_MASK) >>
				    PCI_REBAR_CTRL_NBAR_SHIFT);
}

/* PCIe section 7.9.12: one byte for each substate, of which there is one more */
unsigned int ferry_ext_cap_len_dpa(const struct ferry_config *cfg,
				   unsigned int pos)
{
	u8 cap = ferry_config_get8(cfg, pos + PCI_DPA_CAP);

	return PCI_DPA_BASE_SIZEOF + (cap & PCI_DPA_CAP_SUBSTATE_MASK) + 1;
}

/* PCIe section 7.9.13: the steering tags may follow, two bytes for each */
unsigned int ferry_ext_cap_len_tph(const struct ferry_config *cfg,
				   unsigned int pos)
{
	u32 cap = ferry_config_get32(cfg, pos + PCI_TPH_CAP);

	if ((cap & PCI_TPH_CAP_LOC_MASK) != PCI_TPH_LOC_CAP)
		return PCI_TPH_BASE_SIZEOF;
	return PCI_TPH_BASE_SIZEOF +
	       2 * (((cap & PCI_TPH_CAP_ST_MASK) >> PCI_TPH_CAP_ST_SHIFT) + 1);
}
