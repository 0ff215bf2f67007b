// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was latched when a function was bound, for those who look into debugfs: the
 * module's parameters may have changed since.
 */
#include <linux/debugfs.h>

#include "compat/compat.h"
#include "ferry_pci.h"

/* Our own folder, for kernels whose VFIO has none. */
static struct dentry *debug_root;

/**
 * ferry_pci_debugfs_setup - make the folder for all devices
 */
void __init ferry_pci_debugfs_setup(void)
{
	debug_root = debugfs_create_dir(FERRY_PCI_NAME, NULL);
}

/**
 * ferry_pci_debugfs_cleanup - undo ferry_pci_debugfs_setup()
 */
void ferry_pci_debugfs_cleanup(void)
{
	debugfs_remove(debug_root);
}

/**
 * ferry_pci_debugfs_init - make the files of a device
 * @fpci: a function that has been registered; VFIO removes what is in its folder when
 *	that is undone
 */
void ferry_pci_debugfs_init(struct ferry_pci *fpci)
{
	struct dentry *dir = ferry_vfio_debug_root(&fpci->fdev.vdev);

	if (!dir) {
		fpci->debug_dir = debugfs_create_dir(pci_name(fpci->pdev),
						     debug_root);
		dir = fpci->debug_dir;
	}
	dir = debugfs_create_dir("pci", dir);
	debugfs_create_bool("nointxmask", 0444, dir, &fpci->nointxmask);
	debugfs_create_bool("disable_idle_d3", 0444, dir,
			    &fpci->disable_idle_d3);
}

/**
 * ferry_pci_debugfs_exit - undo ferry_pci_debugfs_init()
 * @fpci: a function that has been unregistered
 */
void ferry_pci_debugfs_exit(struct ferry_pci *fpci)
{
	debugfs_remove(fpci->debug_dir);
}
