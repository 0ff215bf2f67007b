// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names for the bytes of a config space: the capability and the offset in it,
 * such as "pm+04", wherever the device has put it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "differential.h"

struct cap_name {
	unsigned int id;
	const char *name;
	unsigned int len;
};

static const struct cap_name caps[] = {
	{ PCI_CAP_ID_PM, "pm", PCI_PM_SIZEOF },
	{ PCI_CAP_ID_VPD, "vpd", PCI_CAP_VPD_SIZEOF },
	{ PCI_CAP_ID_SLOTID, "slotid", 4 },
	{ PCI_CAP_ID_MSI, "msi", 24 },
	{ PCI_CAP_ID_PCIX, "pcix", 8 },
	{ PCI_CAP_ID_VNDR, "vendor", 0 },
	{ PCI_CAP_ID_SSVID, "ssvid", 8 },
	{ PCI_CAP_ID_EXP, "exp", 60 },
	{ PCI_CAP_ID_MSIX, "msix", PCI_CAP_MSIX_SIZEOF },
	{ PCI_CAP_ID_SATA, "sata", PCI_SATA_SIZEOF_SHORT },
	{ PCI_CAP_ID_AF, "af", PCI_CAP_AF_SIZEOF },
};

static const struct cap_name ext_caps[] = {
	{ PCI_EXT_CAP_ID_ERR, "aer", 0x48 },
	{ PCI_EXT_CAP_ID_VC, "vc", 0x1c },
	{ PCI_EXT_CAP_ID_DSN, "dsn", PCI_EXT_CAP_DSN_SIZEOF },
	{ PCI_EXT_CAP_ID_PWR, "power", PCI_EXT_CAP_PWR_SIZEOF },
	{ PCI_EXT_CAP_ID_VNDR, "vsec", 0 },
	{ PCI_EXT_CAP_ID_ACS, "acs", 8 },
	{ PCI_EXT_CAP_ID_ARI, "ari", PCI_EXT_CAP_ARI_SIZEOF },
	{ PCI_EXT_CAP_ID_ATS, "ats", PCI_EXT_CAP_ATS_SIZEOF },
	{ PCI_EXT_CAP_ID_SRIOV, "sriov", PCI_EXT_CAP_SRIOV_SIZEOF },
	{ PCI_EXT_CAP_ID_PRI, "pri", PCI_EXT_CAP_PRI_SIZEOF },
	{ PCI_EXT_CAP_ID_PASID, "pasid", PCI_EXT_CAP_PASID_SIZEOF },
	{ PCI_EXT_CAP_ID_LTR, "ltr", PCI_EXT_CAP_LTR_SIZEOF },
	{ PCI_EXT_CAP_ID_DVSEC, "dvsec", 0 },
};

static const struct cap_name *cap_find(const struct cap_name *table,
				       size_t count, unsigned int id)
{
	for (; count--; table++)
		if (table->id == id)
			return table;
	return NULL;
}

static unsigned int get16(const __u8 *bytes)
{
	return bytes[0] | bytes[1] << 8;
}

static __u32 get32(const __u8 *bytes)
{
	return get16(bytes) | (__u32)get16(bytes + 2) << 16;
}

/* The bytes from @pos on belong to this capability; who comes later wins. */
static void claim(struct layout *l, const char *name, unsigned int pos,
		  unsigned int len, bool opaque)
{
	unsigned int end = pos < PCI_CFG_SPACE_SIZE ? PCI_CFG_SPACE_SIZE :
						      l->size;
	unsigned int i;

	for (i = 0; i < len && pos + i < end; i++) {
		snprintf(l->label[pos + i], LABEL_MAX, "%s+%02x", name, i);
		l->opaque[pos + i] = opaque;
	}
}

static void claim_msi(struct layout *l, const __u8 *bytes, unsigned int pos)
{
	unsigned int flags = get16(bytes + pos + PCI_MSI_FLAGS);
	unsigned int len, i;

	len = flags & PCI_MSI_FLAGS_64BIT ? 14 : 10;
	for (i = PCI_MSI_ADDRESS_LO; i < len && pos + i < 256; i++)
		l->message[pos + i] = true;
	if (flags & PCI_MSI_FLAGS_MASKBIT)
		len += 10;
	claim(l, "msi", pos, len, false);
	l->msi = pos;
	l->msi_len = len;
}

static void claim_cap(struct layout *l, const __u8 *bytes, unsigned int pos)
{
	const struct cap_name *cap;
	char name[LABEL_MAX - 8];
	unsigned int i;

	if (bytes[pos] == PCI_CAP_ID_MSI) {
		claim_msi(l, bytes, pos);
		return;
	}
	cap = cap_find(caps, sizeof(caps) / sizeof(*caps), bytes[pos]);
	if (!cap) {
		snprintf(name, sizeof(name), "cap%02x", bytes[pos]);
		claim(l, name, pos, 2, true);
		return;
	}
	claim(l, cap->name, pos, cap->len ? cap->len : bytes[pos + 2],
	      !cap->len);
	l->conventional &= cap->id != PCI_CAP_ID_EXP;
	if (cap->id == PCI_CAP_ID_VPD)
		for (i = 0; i < PCI_CAP_VPD_SIZEOF && pos + i < 256; i++)
			l->vpd[pos + i] = true;
}

static void claim_ext_cap(struct layout *l, const __u8 *bytes, unsigned int pos)
{
	unsigned int id = PCI_EXT_CAP_ID(get32(bytes + pos));
	const struct cap_name *cap;
	char name[LABEL_MAX - 8];

	cap = cap_find(ext_caps, sizeof(ext_caps) / sizeof(*ext_caps), id);
	if (!cap) {
		snprintf(name, sizeof(name), "ext%04x", id);
		claim(l, name, pos, 4, true);
		return;
	}
	claim(l, cap->name, pos,
	      cap->len ? cap->len : get16(bytes + pos + 6) >> 4, !cap->len);
}

static void walk(struct layout *l, const __u8 *bytes)
{
	unsigned int pos, hops = 48;
	__u32 header;

	if (get16(bytes + PCI_STATUS) & PCI_STATUS_CAP_LIST)
		for (pos = bytes[PCI_CAPABILITY_LIST] & ~3;
		     pos >= PCI_STD_HEADER_SIZEOF && hops--;
		     pos = bytes[pos + PCI_CAP_LIST_NEXT] & ~3)
			claim_cap(l, bytes, pos);

	hops = (CONFIG_MAX - PCI_CFG_SPACE_SIZE) / 8;
	for (pos = PCI_CFG_SPACE_SIZE;
	     pos >= PCI_CFG_SPACE_SIZE && pos + 8 <= l->size && hops--;
	     pos = PCI_EXT_CAP_NEXT(header)) {
		header = get32(bytes + pos);
		if (!header || header == ~0U)
			break;
		claim_ext_cap(l, bytes, pos);
	}
}

int layout_read(struct layout *l, const char *bdf)
{
	__u8 bytes[CONFIG_MAX + 8] = {};
	ssize_t len;
	unsigned int i;
	int fd;

	memset(l, 0, sizeof(*l));
	fd = pci_config(bdf, O_RDONLY);
	if (fd < 0)
		return fd;
	len = pread(fd, bytes, CONFIG_MAX, 0);
	close(fd);
	if (len < PCI_CFG_SPACE_SIZE)
		return -EIO;

	l->size = len;
	l->conventional = true;
	for (i = 0; i < l->size; i++) {
		snprintf(l->label[i], LABEL_MAX, "gap");
		l->opaque[i] = true;
	}
	/* Some registers of a header mean nothing in a virtual function. */
	claim(l, pci_attr_exists(bdf, "physfn") ? "vf-header" : "header", 0,
	      PCI_STD_HEADER_SIZEOF, false);
	walk(l, bytes);
	return 0;
}
