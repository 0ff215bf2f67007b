// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of device memory. Nothing is mapped by mmap(2) itself: page faults do
 * it, because they can ask the gate first, and each brings its neighbours along.
 */
#include <linux/export.h>
#include <linux/mm.h>

#include <ferry/device.h>

#include "compat/compat.h"
#include "compat/mapping.h"
#include "core.h"

/* A fault maps what it can of the aligned window of this size around it. */
#define FAULT_WINDOW	PMD_SIZE

static unsigned long vma_index(struct vm_area_struct *vma)
{
	return vma->vm_pgoff >> (FERRY_REGION_SHIFT - PAGE_SHIFT);
}

/* Of a mapping that ferry_device_mmap() has let pass. */
static struct ferry_region *vma_region(struct ferry_device *fdev,
				       struct vm_area_struct *vma)
{
	return &fdev->regions[vma_index(vma)];
}

/* The page frame behind @addr of a mapping. */
static unsigned long vma_pfn(struct vm_area_struct *vma, unsigned long addr)
{
	struct ferry_device *fdev = vma->vm_private_data;
	struct ferry_region *region = vma_region(fdev, vma);
	unsigned long pgoff = vma->vm_pgoff & (FERRY_REGION_MASK >> PAGE_SHIFT);

	pgoff += (addr - vma->vm_start) >> PAGE_SHIFT;
	if (region->ops->pfn)
		return region->ops->pfn(fdev, region, (u64)pgoff << PAGE_SHIFT);
	return PHYS_PFN(region->phys) + pgoff;
}

/* Fill a page table entry that is still empty; its lock is held. */
static int fill_entry(pte_t *pte, unsigned long addr, void *data)
{
	struct vm_area_struct *vma = data;

	if (pte_none(ptep_get(pte)))
		set_pte_at(vma->vm_mm, addr, pte,
			   pte_mkspecial(pfn_pte(vma_pfn(vma, addr),
						 vma->vm_page_prot)));
	return 0;
}

/*
 * Map the page at @vmf->address the careful way, which also makes sure of the
 * page table and that the memory type fits, and then what is empty around it.
 * A neighbour that isn't mapped now will have a fault of its own.
 */
static vm_fault_t fault_window(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long fault = vmf->address & PAGE_MASK;
	unsigned long addr = max(fault & ~(FAULT_WINDOW - 1), vma->vm_start);
	unsigned long end = min((fault | (FAULT_WINDOW - 1)) + 1, vma->vm_end);
	vm_fault_t ret;

	ret = vmf_insert_pfn(vma, fault, vma_pfn(vma, fault));
	if (ret == VM_FAULT_NOPAGE && end - addr > PAGE_SIZE)
		apply_to_page_range(vma->vm_mm, addr, end - addr, fill_entry,
				    vma);
	return ret;
}

static int fault_enter(struct ferry_device *fdev, struct vm_area_struct *vma)
{
	if (!vma_region(fdev, vma)->ungated)
		return ferry_gate_enter(fdev);
	down_read(&fdev->gate.sem);
	return 0;
}

static vm_fault_t region_fault(struct vm_fault *vmf)
{
	struct ferry_device *fdev = vmf->vma->vm_private_data;
	vm_fault_t ret;

	if (fault_enter(fdev, vmf->vma))
		return VM_FAULT_SIGBUS;
	ret = fault_window(vmf);
	ferry_gate_leave(fdev);
	return ret;
}

#ifdef FERRY_HAVE_HUGE_FAULT
static vm_fault_t region_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	struct ferry_device *fdev = vma->vm_private_data;
	unsigned long size = PAGE_SIZE << order;
	unsigned long addr = vmf->address & ~(size - 1);
	unsigned long pfn;
	vm_fault_t ret;

	if (addr < vma->vm_start || vma->vm_end - addr < size)
		return VM_FAULT_FALLBACK;
	/* Its page frames follow no order. */
	if (vma_region(fdev, vma)->ops->pfn)
		return VM_FAULT_FALLBACK;
	pfn = vma_pfn(vma, addr);
	if (pfn & ((1UL << order) - 1))
		return VM_FAULT_FALLBACK;

	if (ferry_gate_enter(fdev))
		return VM_FAULT_SIGBUS;
	ret = ferry_insert_huge_pfn(vmf, pfn, order);
	ferry_gate_leave(fdev);
	return ret;
}
#endif

static const struct vm_operations_struct region_vm_ops = {
	.fault = region_fault,
#ifdef FERRY_HAVE_HUGE_FAULT
	.huge_fault = region_huge_fault,
#endif
};

/**
 * ferry_device_mmap - vfio_device_ops.mmap
 * @vdev: the device
 * @vma: a shared mapping within one region; its file offset is region index
 *	and page
 *
 * Context: mmap_lock held for writing.
 * Return: 0; -EINVAL for a mapping that isn't shared, or not within what can be
 * mapped of a region; or what the region's map operation says.
 */
int ferry_device_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct ferry_device *fdev = to_ferry_device(vdev);
	u64 pgoff = vma->vm_pgoff & (FERRY_REGION_MASK >> PAGE_SHIFT);
	u64 pages = vma_pages(vma);
	struct ferry_region *region;
	int ret;

	region = ferry_region_find(fdev, vma_index(vma));
	if (!region || !(vma->vm_flags & VM_SHARED) || !region->map_size)
		return -EINVAL;
	if (pages > PHYS_PFN(region->map_size) ||
	    pgoff > PHYS_PFN(region->map_size) - pages)
		return -EINVAL;

	if (region->ops->map) {
		ret = region->ops->map(fdev, region, pgoff << PAGE_SHIFT,
				       pages << PAGE_SHIFT);
		if (ret)
			return ret;
	}
	ret = ferry_mapping_adopt(fdev->mapping, vma);
	if (ret)
		return ret;

	vma->vm_private_data = fdev;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	if (!region->ops->pfn) {
		vma->vm_page_prot = pgprot_decrypted(pgprot_noncached(vma->vm_page_prot));
		/* A guest may know that a BAR is prefetchable, and map it that way. */
		vm_flags_set(vma, VM_ALLOW_ANY_UNCACHED);
	}
	vma->vm_ops = &region_vm_ops;
	return 0;
}
EXPORT_SYMBOL_GPL(ferry_device_mmap);
