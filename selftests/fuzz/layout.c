// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules, from the specifications: PCI 3.0 section 6.7 for the list of capabilities,
 * PCIe section 7.6 for that of extended ones. Numbers are theirs. Where a device breaks the
 * rules, Ferry's promise is: a list ends where a pointer leaves its half of the space or
 * comes back, no capability reaches into one that a list names, one that is unknown or
 * cut too short is left out, and its bytes are nobody's.
 *
 * Which bits of a known capability the user has, unit/device.c says.
 */
#include <string.h>

#include "layout.h"

/* As it would be for somebody who knows the capability. */
struct kind {
	u16 id;
	/* bytes that it has at least */
	u16 least;
	unsigned int (*length)(const struct device *dev, unsigned int pos);
	/* all registers alike, unless there is a template */
	enum bit_class class;
	u16 template;
};

/* Behind the end there is nothing. */
static u32 hw(const struct device *dev, unsigned int off, unsigned int width)
{
	return off + width > dev->size ? 0 : device_get(dev, off, width);
}

static unsigned int length_msi(const struct device *dev, unsigned int pos)
{
	u16 flags = hw(dev, pos + 2, 2);

	return 10 + (flags & 0x80 ? 4 : 0) + (flags & 0x100 ? 10 : 0);
}

static unsigned int length_pcix(const struct device *dev, unsigned int pos)
{
	return hw(dev, pos + 2, 2) & 0x3000 ? 24 : 8;
}

static unsigned int length_ht(const struct device *dev, unsigned int pos)
{
	return hw(dev, pos + 3, 1) & 0xe0 ? 24 : 28;
}

static unsigned int length_vndr(const struct device *dev, unsigned int pos)
{
	return hw(dev, pos + 2, 1);
}

static unsigned int length_exp(const struct device *dev, unsigned int pos)
{
	u16 flags = hw(dev, pos + 2, 2);
	bool integrated = (flags >> 4 & 0xf) == 9;

	if ((flags & 0xf) == 1)
		return integrated ? 0x0c : 0x14;
	return integrated ? 0x2c : 0x34;
}

static unsigned int length_sata(const struct device *dev, unsigned int pos)
{
	return (hw(dev, pos + 4, 1) & 0xf) == 0xf ? 16 : 8;
}

static unsigned int length_vc(const struct device *dev, unsigned int pos)
{
	unsigned int len = 0x1c + 0xc * (hw(dev, pos + 4, 4) & 7);
	u32 cap2 = hw(dev, pos + 8, 4);

	if (!(cap2 & 0xe))
		return len;
	return (len + 15) / 16 * 16 + (cap2 & 8 ? 64 : cap2 & 4 ? 32 : 16);
}

static unsigned int length_vsec(const struct device *dev, unsigned int pos)
{
	return hw(dev, pos + 4, 4) >> 20;
}

static unsigned int length_acs(const struct device *dev, unsigned int pos)
{
	unsigned int bits = hw(dev, pos + 5, 1);

	if (!(hw(dev, pos + 4, 1) & 0x20))
		return 8;
	return 8 + ((bits ? bits : 256) + 31) / 32 * 4;
}

static unsigned int length_rebar(const struct device *dev, unsigned int pos)
{
	return 4 + 8 * (hw(dev, pos + 8, 4) >> 5 & 7);
}

static unsigned int length_dpa(const struct device *dev, unsigned int pos)
{
	return 17 + (hw(dev, pos + 4, 1) & 0x1f);
}

static unsigned int length_tph(const struct device *dev, unsigned int pos)
{
	u32 cap = hw(dev, pos + 4, 4);

	if ((cap & 0x600) != 0x200)
		return 12;
	return 12 + 2 * ((cap >> 16 & 0x7ff) + 1);
}

/* One of each capability that has registers of different kinds, far apart */
static struct device *templates;

enum {
	T_PM = 0x100, T_VPD = 0x140, T_MSI = 0x180, T_MSI_64 = 0x1c0,
	T_MSIX = 0x200, T_EXP = 0x240, T_AF = 0x280, T_PCIX = 0x2c0,
	T_SATA = 0x300, T_AER = 0x340, T_SRIOV = 0x380, T_ATS = 0x3c0,
	T_PWR = 0x400,
};

static void make_templates(void)
{
	if (templates)
		return;
	templates = device_new(MAX_SIZE, 0, 0);
	cap_pm(templates, T_PM, 0);
	cap_vpd(templates, T_VPD, 0);
	cap_msi(templates, T_MSI, 0, 0x0100);
	cap_msi(templates, T_MSI_64, 0, 0x0180);
	cap_msix(templates, T_MSIX, 0, 1);
	cap_exp(templates, T_EXP, 0, 2, 0);
	cap_af(templates, T_AF, 0);
	cap_pcix(templates, T_PCIX, 0);
	cap_sata(templates, T_SATA, 0);
	ext_aer(templates, T_AER, 0);
	ext_sriov(templates, T_SRIOV, 0);
	ext_ats(templates, T_ATS, 0);
	ext_pwr(templates, T_PWR, 0);
}

static const struct kind kinds[] = {
	{ 0x01, 8, .template = T_PM },
	{ 0x02, 12, .class = LIVE },
	{ 0x03, 8, .template = T_VPD },
	{ 0x05, 10, length_msi, .template = T_MSI },
	{ 0x07, 8, length_pcix, .template = T_PCIX },
	{ 0x08, 4, length_ht, .class = LIVE },
	{ 0x09, 3, length_vndr, .class = RW },
	{ 0x10, 12, length_exp, .template = T_EXP },
	{ 0x11, 12, .template = T_MSIX },
	{ 0x12, 8, length_sata, .template = T_SATA },
	{ 0x13, 6, .template = T_AF },
	{ }
};

static const struct kind ext_kinds[] = {
	{ 0x01, 44, .template = T_AER },
	{ 0x02, 0x1c, length_vc, .class = LIVE },
	{ 0x03, 12, .class = FIXED },
	{ 0x04, 16, .template = T_PWR },
	{ 0x08, 0x1c, length_vc, .class = LIVE },
	{ 0x09, 0x1c, length_vc, .class = LIVE },
	{ 0x0b, 8, length_vsec, .class = RW },
	{ 0x0d, 8, length_acs, .class = FIXED },
	{ 0x0e, 8, .class = FIXED },
	{ 0x0f, 8, .template = T_ATS },
	{ 0x10, 64, .template = T_SRIOV },
	{ 0x12, 40, .class = LIVE },
	{ 0x13, 16, .class = LIVE },
	{ 0x15, 4, length_rebar, .class = LIVE },
	{ 0x16, 17, length_dpa, .class = LIVE },
	{ 0x17, 12, length_tph, .class = LIVE },
	{ 0x18, 8, .class = FIXED },
	{ 0x23, 10, length_vsec, .class = RW },
	{ }
};

static const struct kind *kind_at(const struct device *dev, unsigned int pos)
{
	const struct kind *kind = pos < 0x100 ? kinds : ext_kinds;
	u16 id = pos < 0x100 ? hw(dev, pos, 1) : hw(dev, pos, 2);

	for (; kind->id; kind++)
		if (kind->id == id)
			return kind;
	return NULL;
}

/* Both lists as hardware has them, up to where they make no sense any more. */
struct chain {
	unsigned int count;
	u16 pos[LAYOUT_CAPS];
	bool begins[LAYOUT_CAPS];
};

static bool chain_add(const struct device *dev, struct chain *chain,
		      unsigned int pos)
{
	if (pos >= dev->size || chain->begins[pos / 4])
		return false;
	chain->begins[pos / 4] = true;
	chain->pos[chain->count++] = pos;
	return true;
}

static void walk(const struct device *dev, struct chain *chain)
{
	u32 first = hw(dev, 0x100, 4);
	unsigned int pos;

	memset(chain, 0, sizeof(*chain));
	if (hw(dev, 0x06, 2) & 0x10)
		for (pos = hw(dev, 0x34, 1) & 0xfc;
		     pos >= 0x40 && chain_add(dev, chain, pos);
		     pos = hw(dev, pos + 1, 1) & 0xfc)
			;
	if (first && first != 0xffffffff)
		for (pos = 0x100; pos >= 0x100 && chain_add(dev, chain, pos);
		     pos = hw(dev, pos, 4) >> 20 & 0xffc)
			;
}

/* Bytes from @pos up to where another one begins. */
static unsigned int room(const struct device *dev, const struct chain *chain,
			 unsigned int pos)
{
	unsigned int end = pos < 0x100 && dev->size > 0x100 ? 0x100 : dev->size;
	unsigned int at;

	for (at = pos + 4; at < end; at += 4)
		if (chain->begins[at / 4])
			break;
	return at - pos;
}

static void take_templates(struct device *dev, unsigned int pos,
			   unsigned int head, unsigned int len,
			   unsigned int template)
{
	memcpy(dev->class + 8 * (pos + head),
	       templates->class + 8 * (template + head), 8 * (len - head));
	memcpy(dev->rw + pos + head, templates->rw + template + head,
	       len - head);
	memcpy(dev->w1c + pos + head, templates->w1c + template + head,
	       len - head);
}

/* What the host keeps to itself reads as zero: PME, and the trigger of a reset. */
static void take_away(struct device *dev, unsigned int pos, unsigned int len,
		      unsigned int template)
{
	if (template == T_PM) {
		dev->virt[pos + 3] &= ~0xf8;
		dev->virt[pos + 5] &= ~0x81;
	} else if (template == T_EXP && len > 9) {
		dev->virt[pos + 9] &= ~0x80;
	} else if (template == T_AF) {
		dev->virt[pos + 4] &= ~0x01;
	}
}

/* The bytes behind the header, which is virtual, are the capability's. */
static void entitle(struct layout *layout, struct device *dev,
		    const struct kind *kind, unsigned int pos, unsigned int len)
{
	unsigned int head = pos < 0x100 ? 2 : 4;
	unsigned int template = kind->template;
	bool vendor = !template && kind->class == RW;

	if (template == T_MSI && hw(dev, pos + 2, 2) & 0x80)
		template = T_MSI_64;
	if (template)
		take_templates(dev, pos, head, len, template);
	else
		memset(dev->class + 8 * (pos + head), kind->class,
		       8 * (len - head));
	memset(dev->class + 8 * pos, VIRT, 8 * head);
	take_away(dev, pos, len, template);
	memset(layout->raw + pos, OWNED, head);
	memset(layout->raw + pos + head, vendor ? VENDOR : OWNED, len - head);
}

static unsigned int length(const struct device *dev, const struct chain *chain,
			   unsigned int pos)
{
	const struct kind *kind = kind_at(dev, pos);
	unsigned int least, len, most = room(dev, chain, pos);

	if (!kind)
		return 0;
	least = kind->least;
	if (kind->template == T_MSI && hw(dev, pos + 2, 2) & 0x80)
		least += 4;
	len = kind->length ? kind->length(dev, pos) : least;
	if (len > most)
		len = most;
	return len < least ? 0 : len;
}

static void add(struct layout *layout, unsigned int pos, unsigned int len,
		unsigned int id)
{
	layout->pos[layout->count] = pos;
	layout->len[layout->count] = len;
	layout->id[layout->count++] = id;
}

static void see(struct layout *layout, struct device *dev,
		const struct chain *chain, unsigned int pos)
{
	const struct kind *kind = kind_at(dev, pos);
	unsigned int len = length(dev, chain, pos);

	if (len) {
		entitle(layout, dev, kind, pos, len);
		add(layout, pos, len, kind->id);
		if (pos < 0x100 && kind->id == 0x05 && !layout->msi)
			layout->msi = pos;
	} else if (pos == 0x100) {
		/* Something has to stand at the beginning (PCIe section 7.6.2). */
		memset(dev->class + 8 * pos, VIRT, 32);
		memset(dev->virt + pos, 0, 4);
		memset(layout->raw + pos, OWNED, 4);
		add(layout, pos, 4, 0);
	}
}

/* The user's pointers lead from one that is seen to the next. */
static void link_up(const struct layout *layout, struct device *dev)
{
	unsigned int i, pos, next, link = 0x34;
	u8 status = dev->virt[0x06];

	for (i = 0; i < layout->count && layout->pos[i] < 0x100; i++) {
		dev->virt[link] = layout->pos[i];
		link = layout->pos[i] + 1;
	}
	dev->virt[link] = 0;
	dev->virt[0x06] = i ? status : status & ~0x10;
	for (; i < layout->count; i++) {
		pos = layout->pos[i];
		next = i + 1 < layout->count ? layout->pos[i + 1] : 0;
		dev->virt[pos + 2] = (dev->virt[pos + 2] & 0xf) | next << 4;
		dev->virt[pos + 3] = next >> 4;
	}
}

void layout_of(struct layout *layout, struct device *dev)
{
	static struct chain chain;
	unsigned int i;

	make_templates();
	walk(dev, &chain);
	memset(layout, 0, sizeof(*layout));
	memset(layout->raw + 0x40, GAP, dev->size - 0x40);
	for (i = 0; i < chain.count; i++)
		see(layout, dev, &chain, chain.pos[i]);
	link_up(layout, dev);
	if (layout->msi)
		dev->virt[layout->msi + 2] &= ~0x71;
}
