// SPDX-License-Identifier: GPL-2.0-only
/*
 * Atomic operations on host memory (PCIe 6.0, 6.15): which widths the root port
 * completes for this function.
 *
 * Asking changes nothing. The PCI core has a function that finds this out, but it
 * switches the function's requests on as it goes; that bit is in Device Control
 * 2, where the user can reach it.
 */
#include "compat/uapi.h"
#include "ferry_pci.h"

#define COMPLETERS	(PCI_EXP_DEVCAP2_ATOMIC_COMP32 | \
			 PCI_EXP_DEVCAP2_ATOMIC_COMP64 | \
			 PCI_EXP_DEVCAP2_ATOMIC_COMP128)

static u32 devcap2(struct pci_dev *pdev)
{
	u32 cap;

	return pcie_capability_read_dword(pdev, PCI_EXP_DEVCAP2, &cap) ? 0 :
									 cap;
}

static bool devctl2_has(struct pci_dev *pdev, u16 bit)
{
	u16 ctl;

	return !pcie_capability_read_word(pdev, PCI_EXP_DEVCTL2, &ctl) &&
	       ctl & bit;
}

/* Does a port of a switch let a request through on its way up? */
static bool port_routes(struct pci_dev *port)
{
	if (pci_pcie_type(port) == PCI_EXP_TYPE_UPSTREAM &&
	    devctl2_has(port, PCI_EXP_DEVCTL2_ATOMIC_EGRESS_BLOCK))
		return false;
	return devcap2(port) & PCI_EXP_DEVCAP2_ATOMIC_ROUTE;
}

/* What a request of @pdev, an endpoint, would be completed for at the top. */
static u32 root_completers(struct pci_dev *pdev)
{
	struct pci_dev *root = pcie_find_root_port(pdev);
	struct pci_dev *port;

	/*
	 * A hypervisor that hides the root port has answered by the bit that
	 * it has set.
	 */
	if (!root)
		return devctl2_has(pdev, PCI_EXP_DEVCTL2_ATOMIC_REQ) ?
		       COMPLETERS : 0;

	for (port = pci_upstream_bridge(pdev); port != root;
	     port = pci_upstream_bridge(port))
		if (!port_routes(port))
			return 0;
	return devcap2(root);
}

/* A virtual function's requests are switched on in its physical one (PCIe 6.0, 7.5.3.16). */
static bool may_request(struct pci_dev *pdev)
{
	return !pdev->is_virtfn ||
	       devctl2_has(pci_physfn(pdev), PCI_EXP_DEVCTL2_ATOMIC_REQ);
}

/**
 * ferry_pci_info_caps - ferry_device_ops.info_caps
 * @fdev: the device
 * @caps: where to add what is to be said
 *
 * A virtual function goes by what its physical function can, and is allowed.
 *
 * Return: 0 or a negative errno.
 */
int ferry_pci_info_caps(struct ferry_device *fdev, struct vfio_info_cap *caps)
{
	struct pci_dev *self = to_ferry_pci(fdev)->pdev, *pdev = pci_physfn(self);
	struct vfio_device_info_cap_pci_atomic_comp cap = {
		.header.id = VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP,
		.header.version = 1,
	};
	u32 widths;

	if (!pci_is_pcie(pdev) ||
	    (pci_pcie_type(pdev) != PCI_EXP_TYPE_ENDPOINT &&
	     pci_pcie_type(pdev) != PCI_EXP_TYPE_LEG_END))
		return 0;

	widths = may_request(self) ? devcap2(pdev) & COMPLETERS : 0;
	if (widths)
		widths &= root_completers(pdev);
	if (widths & PCI_EXP_DEVCAP2_ATOMIC_COMP32)
		cap.flags |= VFIO_PCI_ATOMIC_COMP32;
	if (widths & PCI_EXP_DEVCAP2_ATOMIC_COMP64)
		cap.flags |= VFIO_PCI_ATOMIC_COMP64;
	if (widths & PCI_EXP_DEVCAP2_ATOMIC_COMP128)
		cap.flags |= VFIO_PCI_ATOMIC_COMP128;
	if (!cap.flags)
		return 0;
	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}
