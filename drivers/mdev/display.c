// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the user sees of a model's display: the picture, as a region or as a dma-buf, and
 * where it is, how big, and of which format.
 *
 * A display shows what is in its memory whether or not the guest can reach that now, so the
 * gate has no say in pictures. The device's memory enable bit and power state keep the
 * guest's accesses out, not the monitor's.
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <drm/drm_plane.h>

#include "display.h"
#include "mdev.h"

static u64 memory_size(struct ferry_instance *inst)
{
	return inst->model->bars[inst->model->display.bar].size;
}

/* The byte that the region of the picture has at @off; it wraps around at the end. */
static void *picture_at(struct ferry_instance *inst, u64 off)
{
	return ferry_instance_memory(inst, inst->model->display.bar,
				     (inst->display->start + off) &
				     (memory_size(inst) - 1));
}

static void picture_copy(struct ferry_instance *inst, u64 off, void *buf,
			 size_t len, bool write)
{
	size_t n;

	/* The start is on a page, so the memory ends where some page does. */
	for (; len; len -= n, off += n, buf += n) {
		n = min_t(size_t, len, PAGE_SIZE - offset_in_page(off));
		if (write)
			memcpy(picture_at(inst, off), buf, n);
		else
			memcpy(buf, picture_at(inst, off), n);
	}
}

static int picture_read(struct ferry_device *fdev, struct ferry_region *region,
			u64 off, void *buf, size_t len)
{
	down_read(&fdev->gate.sem);
	picture_copy(to_instance(fdev), off, buf, len, false);
	up_read(&fdev->gate.sem);
	return 0;
}

static int picture_write(struct ferry_device *fdev, struct ferry_region *region,
			 u64 off, const void *buf, size_t len)
{
	down_read(&fdev->gate.sem);
	picture_copy(to_instance(fdev), off, (void *)buf, len, true);
	up_read(&fdev->gate.sem);
	return 0;
}

static unsigned long picture_pfn(struct ferry_device *fdev,
				 struct ferry_region *region, u64 off)
{
	return vmalloc_to_pfn(picture_at(to_instance(fdev), off));
}

static const struct ferry_region_ops picture_ops = {
	.read = picture_read,
	.write = picture_write,
	.pfn = picture_pfn,
};

/**
 * ferry_display_open - give a new user the display, if the model has one
 * @inst: the instance, whose memory is there
 *
 * Return: 0 or -ENOMEM.
 */
int ferry_display_open(struct ferry_instance *inst)
{
	const struct ferry_model_display *model = &inst->model->display;
	struct ferry_device *fdev = &inst->fdev;
	struct ferry_display *display;

	BUILD_BUG_ON(PICTURE_REGION_INDEX >= FERRY_MAX_REGIONS);
	if (!model->plane)
		return 0;
	display = kzalloc(sizeof(*display), GFP_KERNEL_ACCOUNT);
	if (!display)
		return -ENOMEM;
	mutex_init(&display->lock);
	ferry_edid_init(&display->edid, model->max_width, model->max_height);
	inst->display = display;

	fdev->num_regions = PICTURE_REGION_INDEX + 1;
	fdev->regions[EDID_REGION_INDEX] = (struct ferry_region) {
		.ops = &ferry_edid_region_ops,
		.size = ferry_edid_region_size(),
		.past_end = -EINVAL,
	};
	fdev->regions[PICTURE_REGION_INDEX] = (struct ferry_region) {
		.ops = &picture_ops,
		.size = memory_size(inst),
		.map_size = memory_size(inst),
		.past_end = -EINVAL,
		.ungated = true,
	};
	return 0;
}

/**
 * ferry_display_close - undo ferry_display_open()
 * @inst: the instance; nobody uses it
 */
void ferry_display_close(struct ferry_instance *inst)
{
	kfree(inst->display);
	inst->display = NULL;
}

static u64 plane_size(const struct ferry_plane *plane)
{
	return PAGE_ALIGN((u64)plane->stride * plane->height);
}

static bool plane_fits(struct ferry_instance *inst,
		       const struct ferry_plane *plane)
{
	u64 size = memory_size(inst);

	return plane->width && plane->height && plane->stride &&
	       PAGE_ALIGNED(plane->offset) && plane->offset < size &&
	       plane_size(plane) <= min_t(u64, size - plane->offset, SZ_1G);
}

/* What is on the screen now; all zeroes for nothing. */
static void plane_get(struct ferry_instance *inst, struct ferry_plane *plane)
{
	bool on;

	memset(plane, 0, sizeof(*plane));
	down_read(&inst->fdev.gate.sem);
	on = inst->model->display.plane(inst, plane);
	up_read(&inst->fdev.gate.sem);
	if (!on || !plane_fits(inst, plane))
		memset(plane, 0, sizeof(*plane));
}

/* The region begins with the picture, since its user is told of no offset. */
static void region_follow(struct ferry_instance *inst,
			  struct ferry_plane *plane)
{
	struct ferry_display *display = inst->display;
	struct ferry_device *fdev = &inst->fdev;

	plane_get(inst, plane);
	/* Users ask for each picture that they show, and it rarely moves. */
	if (!plane->width || READ_ONCE(display->start) == plane->offset)
		return;
	ferry_gate_lock_mapped(fdev);
	WRITE_ONCE(display->start, plane->offset);
	ferry_gate_zap(fdev, PICTURE_REGION_INDEX);
	ferry_gate_unlock(fdev);
}

/* Each picture that differs from the one before gets a new number. */
static void dmabuf_follow(struct ferry_instance *inst,
			  struct ferry_plane *plane, u32 *id)
{
	struct ferry_display *display = inst->display;

	mutex_lock(&display->lock);
	plane_get(inst, plane);
	if (plane->width) {
		if (!display->id ||
		    memcmp(plane, &display->plane, sizeof(*plane))) {
			display->plane = *plane;
			display->id++;
		}
		*id = display->id;
	}
	mutex_unlock(&display->lock);
}

static bool has_dmabuf(struct ferry_instance *inst)
{
	return test_bit(INSTANCE_DMABUF, &inst->flags);
}

/* Returns whether more is to be told than that @flags are supported, or -EINVAL. */
static int check_flags(struct ferry_instance *inst, u32 flags)
{
	u32 kind = flags & ~VFIO_GFX_PLANE_TYPE_PROBE;

	if (kind != VFIO_GFX_PLANE_TYPE_REGION &&
	    !(kind == VFIO_GFX_PLANE_TYPE_DMABUF && has_dmabuf(inst)))
		return -EINVAL;
	return !(flags & VFIO_GFX_PLANE_TYPE_PROBE);
}

/* VFIO_DEVICE_QUERY_GFX_PLANE. There are no planes but the primary one. */
static int query_plane(struct ferry_instance *inst,
		       struct vfio_device_gfx_plane_info __user *uarg)
{
	const size_t size = offsetofend(struct vfio_device_gfx_plane_info,
					region_index);
	struct vfio_device_gfx_plane_info info = {};
	struct ferry_plane plane = {};
	u32 where = 0;
	int ret;

	if (copy_from_user(&info, uarg, size))
		return -EFAULT;
	if (info.argsz < size || info.drm_plane_type > DRM_PLANE_TYPE_CURSOR)
		return -EINVAL;
	ret = check_flags(inst, info.flags);
	if (ret <= 0)
		return ret;

	if (info.drm_plane_type == DRM_PLANE_TYPE_CURSOR) {
		/* Guests draw their own. */
	} else if (info.flags == VFIO_GFX_PLANE_TYPE_DMABUF) {
		dmabuf_follow(inst, &plane, &where);
	} else {
		region_follow(inst, &plane);
		where = PICTURE_REGION_INDEX;
	}

	info = (struct vfio_device_gfx_plane_info) {
		.argsz = info.argsz,
		.flags = info.flags,
		.drm_plane_type = info.drm_plane_type,
		.drm_format = plane.format,
		.width = plane.width,
		.height = plane.height,
		.stride = plane.stride,
		.size = plane_size(&plane),
		.x_hot = U32_MAX,
		.y_hot = U32_MAX,
		.region_index = where,
	};
	return copy_to_user(uarg, &info, size) ? -EFAULT : 0;
}

/* VFIO_DEVICE_GET_GFX_DMABUF: of the picture that was asked for last. */
static int get_dmabuf(struct ferry_instance *inst, u32 __user *uarg)
{
	struct ferry_display *display = inst->display;
	struct dma_buf *dmabuf = ERR_PTR(-EINVAL);
	u32 id;

	if (get_user(id, uarg))
		return -EFAULT;
	mutex_lock(&display->lock);
	if (id && id == display->id && has_dmabuf(inst))
		dmabuf = ferry_dmabuf_export(ferry_instance_memory(inst,
								   inst->model->display.bar,
								   display->plane.offset),
					     plane_size(&display->plane));
	mutex_unlock(&display->lock);
	return IS_ERR(dmabuf) ? PTR_ERR(dmabuf) : ferry_dmabuf_fd(dmabuf);
}

/**
 * ferry_display_ioctl - ferry_device_ops.ioctl
 * @fdev: the device
 * @cmd: the request
 * @arg: user pointer to its argument
 *
 * Return: 0 or a file descriptor; -EINVAL for what isn't supported, -ENOTTY for a request
 * that is none of a display's or for a model without one, -EFAULT, -ENOMEM.
 */
long ferry_display_ioctl(struct ferry_device *fdev, unsigned int cmd,
			 unsigned long arg)
{
	struct ferry_instance *inst = to_instance(fdev);

	if (!inst->display)
		return -ENOTTY;
	switch (cmd) {
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return query_plane(inst, (void __user *)arg);
	case VFIO_DEVICE_GET_GFX_DMABUF:
		return get_dmabuf(inst, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static ssize_t dmabuf_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%d\n", has_dmabuf(ferry_instance_of(dev)));
}

/*
 * Off for a new instance: QEMU takes a dma-buf where there is one, and then needs OpenGL to
 * show it.
 */
static ssize_t dmabuf_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	bool on;
	int ret;

	ret = kstrtobool(buf, &on);
	if (ret)
		return ret;
	if (on && !IS_ENABLED(CONFIG_DMA_SHARED_BUFFER))
		return -EOPNOTSUPP;
	assign_bit(INSTANCE_DMABUF, &ferry_instance_of(dev)->flags, on);
	return count;
}

static DEVICE_ATTR_RW(dmabuf);

static struct attribute *display_attrs[] = {
	&dev_attr_dmabuf.attr,
	NULL
};

static const struct attribute_group display_group = {
	.attrs = display_attrs,
};

/* Attributes of each instance whose model has a display. */
const struct attribute_group *ferry_display_groups[] = {
	&display_group,
	NULL
};
