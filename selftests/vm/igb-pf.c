// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an 82576's virtual functions need of whoever has the physical one: a
 * link, pools of queues that may send and receive, and an answer to what their
 * driver writes into the mailbox. The physical function itself sends nothing.
 *
 *   igb-pf ADDRESS TOKEN
 *
 * Opens ADDRESS with TOKEN, says "ready" and serves until it is killed.
 *
 * The registers are those of chapter 8 of Intel's 82576 datasheet. What the
 * messages mean is an agreement of drivers: here it is that of Linux' igb and
 * igbvf.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ferrytest.h"

#define BIT(n)			(1U << (n))

#define STATUS			0x0008
#define STATUS_LU		BIT(1)
#define CTRL_EXT		0x0018
#define CTRL_EXT_PFRSTD		BIT(14)
#define MDIC			0x0020
#define MDIC_REGADD(n)		((n) << 16)
#define MDIC_PHYADD(n)		((n) << 21)
#define MDIC_OP_WRITE		BIT(26)
#define ICR			0x00c0
#define IMS			0x00d0
#define IMS_VMMB		BIT(8)
#define RCTL			0x0100
#define RCTL_RXEN		BIT(1)
#define TCTL			0x0400
#define TCTL_EN			BIT(1)
#define VMBMEM(vf, n)		(0x0800 + 0x40 * (vf) + 4 * (n))
#define PFMAILBOX(vf)		(0x0c00 + 4 * (vf))
#define PFMAILBOX_STS		BIT(0)
#define PFMAILBOX_ACK		BIT(1)
#define PFMAILBOX_PFU		BIT(3)
#define MBVFICR			0x0c80
#define MBVFICR_VFREQ(vf)	BIT(vf)
#define VFRE			0x0c8c
#define VFTE			0x0c90
#define GPIE			0x1514
#define GPIE_NSICR		BIT(0)
#define GPIE_MULTIPLE_MSIX	BIT(4)
#define EIMS			0x1524
#define EIAC			0x152c
#define IVAR_MISC		0x1740
#define IVAR_MISC_OTHER(n)	(((n) | BIT(7)) << 8)
#define DTXSWC			0x3500
#define DTXSWC_LOOPBACK		BIT(31)
#define RAL(n)			(0x5400 + 8 * (n))
#define RAH(n)			(0x5404 + 8 * (n))
#define RAH_POOL(vf)		BIT(18 + (vf))
#define RAH_AV			BIT(31)
#define MRQC			0x5818
#define MRQC_VMDQ		3
#define VT_CTL			0x581c
#define VT_CTL_DIS_DEF_POOL	BIT(29)
#define VT_CTL_REPLICATE	BIT(30)
#define VMOLR(vf)		(0x5ad0 + 4 * (vf))
#define VMOLR_RLPML		0x3fff
#define VMOLR_LPE		BIT(16)
#define VMOLR_AUPE		BIT(24)
#define VMOLR_BAM		BIT(27)

/* Registers of the PHY, IEEE 802.3, 22.2.4. */
#define PHY			1
#define PHY_CONTROL		0
#define PHY_CONTROL_RESTART	BIT(9)
#define PHY_CONTROL_NEGOTIATE	BIT(12)

/* The first word of a message; its low half says what it is about. */
#define MSG_RESET		1
#define MSG_SET_MAC		2
#define MSG_SET_LPE		5
#define MSG_KIND		0x00ffffff
#define MSG_CTS			BIT(29)
#define MSG_NACK		BIT(30)
#define MSG_ACK			BIT(31)

#define BAR0			VFIO_PCI_BAR0_REGION_INDEX
#define VFS			7

static struct vdev pf;

static __u32 get(__u32 reg)
{
	return region_r32(&pf, BAR0, reg);
}

static void put(__u32 reg, __u32 val)
{
	region_w32(&pf, BAR0, reg, val);
}

static void set(__u32 reg, __u32 bits)
{
	put(reg, get(reg) | bits);
}

/* The first address is the physical function's own. */
static void set_address(unsigned int vf, __u32 low, __u32 high)
{
	put(RAL(vf + 1), low);
	put(RAH(vf + 1), (high & 0xffff) | RAH_POOL(vf) | RAH_AV);
}

/* It has stopped its queues, and wants an address. */
static void answer_reset(unsigned int vf)
{
	__u32 low = 0x02, high = (vf + 1) << 8;

	put(VMOLR(vf), VMOLR_AUPE | VMOLR_BAM);
	set_address(vf, low, high);
	set(VFRE, BIT(vf));
	set(VFTE, BIT(vf));
	put(VMBMEM(vf, 0), MSG_RESET | MSG_ACK);
	put(VMBMEM(vf, 1), low);
	put(VMBMEM(vf, 2), high);
}

static void answer(unsigned int vf)
{
	__u32 msg = get(VMBMEM(vf, 0)), verdict = MSG_ACK;

	switch (msg & MSG_KIND) {
	case MSG_RESET:
		answer_reset(vf);
		return;
	case MSG_SET_MAC:
		set_address(vf, get(VMBMEM(vf, 1)), get(VMBMEM(vf, 2)));
		break;
	case MSG_SET_LPE:
		put(VMOLR(vf), VMOLR_AUPE | VMOLR_BAM | VMOLR_LPE |
		    (get(VMBMEM(vf, 1)) & VMOLR_RLPML));
		break;
	default:
		verdict = MSG_NACK;
	}
	put(VMBMEM(vf, 0), msg | verdict | MSG_CTS);
}

/* A request is in the buffer, which nobody else owns until STS hands it over. */
static void serve(unsigned int vf)
{
	put(MBVFICR, MBVFICR_VFREQ(vf));
	put(PFMAILBOX(vf), PFMAILBOX_PFU);
	if (!(get(PFMAILBOX(vf)) & PFMAILBOX_PFU)) {
		fprintf(stderr, "igb-pf: virtual function %u keeps the mailbox\n", vf);
		return;
	}
	printf("message %08x of virtual function %u\n", get(VMBMEM(vf, 0)), vf);
	put(PFMAILBOX(vf), PFMAILBOX_PFU | PFMAILBOX_ACK);
	answer(vf);
	put(PFMAILBOX(vf), PFMAILBOX_STS);
}

static int open_with(const char *bdf, const char *token)
{
	char behind[FERRY_TEXT_MAX];

	snprintf(behind, sizeof(behind), " vf_token=%s", token);
	return vdev_open_with(&pf, "pci", bdf, behind);
}

/* Virtual functions have their vectors only in the mode of many. */
static int set_up_interrupt(void)
{
	int efd = efd_new();
	int ret = irq_attach_one(&pf, VFIO_PCI_MSIX_IRQ_INDEX, 0, efd);

	if (ret)
		return ret;
	put(GPIE, GPIE_MULTIPLE_MSIX | GPIE_NSICR);
	put(IVAR_MISC, IVAR_MISC_OTHER(0));
	put(EIAC, BIT(0));
	put(EIMS, BIT(0));
	put(IMS, IMS_VMMB);
	return efd;
}

static void set_up_pools(void)
{
	put(MRQC, MRQC_VMDQ);
	put(VT_CTL, VT_CTL_DIS_DEF_POOL | VT_CTL_REPLICATE);
	put(DTXSWC, DTXSWC_LOOPBACK);
	put(RCTL, RCTL_RXEN);
	set(TCTL, TCTL_EN);
}

static int set_up_link(void)
{
	int tries = FERRY_TIMEOUT_MS / 10;

	put(MDIC, MDIC_OP_WRITE | MDIC_PHYADD(PHY) | MDIC_REGADD(PHY_CONTROL) |
	    PHY_CONTROL_NEGOTIATE | PHY_CONTROL_RESTART);
	while (!(get(STATUS) & STATUS_LU)) {
		if (!tries--)
			return -1;
		usleep(10000);
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int vf;
	__u32 asked;
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: igb-pf ADDRESS TOKEN\n");
		return 2;
	}
	setlinebuf(stdout);
	ret = open_with(argv[1], argv[2]);
	if (ret) {
		fprintf(stderr, "igb-pf: %s: %s\n", argv[1], strerror(-ret));
		return 1;
	}
	cfg_command(&pf, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ret = set_up_interrupt();
	if (ret < 0) {
		fprintf(stderr, "igb-pf: no interrupt: %s\n", strerror(-ret));
		return 1;
	}
	set_up_pools();
	if (set_up_link()) {
		fprintf(stderr, "igb-pf: %s has no link\n", argv[1]);
		return 1;
	}
	set(CTRL_EXT, CTRL_EXT_PFRSTD);
	puts("ready");
	for (;;) {
		/* To read the cause clears it: what is asked from now on interrupts again. */
		get(ICR);
		asked = get(MBVFICR);
		for (vf = 0; vf < VFS; vf++)
			if (asked & MBVFICR_VFREQ(vf))
				serve(vf);
		efd_wait(ret);
	}
}
