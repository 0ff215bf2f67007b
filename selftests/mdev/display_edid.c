// SPDX-License-Identifier: GPL-2.0-only
/*
 * The monitor of the display: what its user writes, and what the guest sees of it.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "../lib/harness.h"
#include "bochs.h"

#define FIELD(name)	offsetof(struct vfio_region_gfx_edid, name)
#define BLOB		sizeof(struct vfio_region_gfx_edid)
#define MAX		1024
#define BLOCK		128
#define UP		VFIO_DEVICE_GFX_LINK_STATE_UP
#define DOWN		VFIO_DEVICE_GFX_LINK_STATE_DOWN

FIXTURE(edid)
{
	struct vdev v;
	__u8 blob[MAX];
};

static void finish(__u8 *block)
{
	__u8 sum = 0;
	int i;

	for (i = 0; i < BLOCK - 1; i++)
		sum += block[i];
	block[BLOCK - 1] = -sum;
}

/* An EDID of @blocks blocks, which nobody could show a picture by. */
static void build(__u8 *blob, unsigned int blocks)
{
	unsigned int i;

	for (i = 0; i < blocks * BLOCK; i++)
		blob[i] = 7 * i;
	blob[0] = 0;
	memset(blob + 1, 0xff, 6);
	blob[7] = 0;
	blob[126] = blocks - 1;
	for (i = 0; i < blocks; i++)
		finish(blob + i * BLOCK);
}

FIXTURE_SETUP(edid)
{
	const char *missing = device_missing(DISPLAY);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, DISPLAY));
	cfg_command(&self->v, 0, PCI_COMMAND_MEMORY);
	build(self->blob, 2);
}

FIXTURE_TEARDOWN(edid)
{
	vdev_close(&self->v);
}

static int put(const struct vdev *v, size_t field, __u32 val)
{
	ssize_t ret = region_write(v, EDID, field, &val, sizeof(val));

	return ret == sizeof(val) ? 0 : ret;
}

static __u32 get(const struct vdev *v, size_t field)
{
	return region_r32(v, EDID, field);
}

/* The protocol of linux/vfio.h. Returns what switching on gives. */
static int plug(const struct vdev *v, const __u8 *blob, __u32 size)
{
	int ret = put(v, FIELD(link_state), DOWN);

	if (!ret)
		ret = put(v, FIELD(edid_size), size);
	if (!ret && region_write(v, EDID, BLOB, blob, size) != (ssize_t)size)
		ret = -EIO;
	return ret ?: put(v, FIELD(link_state), UP);
}

/* Whether the guest sees these bytes, and nothing behind them. */
static bool guest_sees(const struct vdev *v, const __u8 *blob, size_t size)
{
	__u8 want[MAX] = {}, got[MAX];

	if (size)
		memcpy(want, blob, size);
	return region_read(v, MMIO, 0, got, MAX) == MAX &&
	       !memcmp(want, got, MAX);
}

TEST_F(edid, description)
{
	struct {
		struct vfio_region_info info;
		struct vfio_region_info_cap_type cap;
	} r = { .info = { .argsz = sizeof(r), .index = EDID } };
	struct vfio_device_info info;

	ASSERT_EQ(0, vdev_info(&self->v, &info));
	EXPECT_EQ(VFIO_PCI_NUM_REGIONS + 2, info.num_regions);
	ASSERT_EQ(0, fd_ioctl(self->v.fd, VFIO_DEVICE_GET_REGION_INFO, &r));
	EXPECT_EQ(VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
		  VFIO_REGION_INFO_FLAG_CAPS, r.info.flags);
	EXPECT_EQ(BLOB + MAX, r.info.size);
	ASSERT_EQ(sizeof(r.info), r.info.cap_offset);
	EXPECT_EQ(VFIO_REGION_INFO_CAP_TYPE, r.cap.header.id);
	EXPECT_EQ(VFIO_REGION_TYPE_GFX, r.cap.type);
	EXPECT_EQ(VFIO_REGION_SUBTYPE_GFX_EDID, r.cap.subtype);
	r.info.index = PICTURE + 1;
	EXPECT_EQ(-EINVAL, fd_ioctl(self->v.fd, VFIO_DEVICE_GET_REGION_INFO,
				    &r));
}

/* Before anybody has written one there is a monitor as big as the biggest picture. */
TEST_F(edid, default_monitor)
{
	__u8 blob[BLOCK], sum = 0;
	unsigned int clock, total;
	int i;

	EXPECT_EQ(BLOB, get(&self->v, FIELD(edid_offset)));
	EXPECT_EQ(MAX, get(&self->v, FIELD(edid_max_size)));
	EXPECT_EQ(BLOCK, get(&self->v, FIELD(edid_size)));
	EXPECT_EQ(WIDTH, get(&self->v, FIELD(max_xres)));
	EXPECT_EQ(HEIGHT, get(&self->v, FIELD(max_yres)));
	EXPECT_EQ(UP, get(&self->v, FIELD(link_state)));

	ASSERT_EQ(BLOCK, region_read(&self->v, EDID, BLOB, blob, BLOCK));
	EXPECT_TRUE(guest_sees(&self->v, blob, BLOCK));
	EXPECT_EQ(0, memcmp(blob, self->blob, 8));
	for (i = 0; i < BLOCK; i++)
		sum += blob[i];
	EXPECT_EQ(0, sum);
	EXPECT_EQ(0, blob[126]);
	EXPECT_EQ(WIDTH, blob[56] | (blob[58] & 0xf0) << 4);
	EXPECT_EQ(HEIGHT, blob[59] | (blob[61] & 0xf0) << 4);
	/* Near to 60 pictures a second. */
	clock = blob[54] | blob[55] << 8;
	total = (WIDTH + (blob[57] | (blob[58] & 15) << 8)) *
		(HEIGHT + (blob[60] | (blob[61] & 15) << 8));
	EXPECT_LE(59, clock * 10000 / total);
	EXPECT_GE(60, clock * 10000 / total);
	EXPECT_EQ(0, plug(&self->v, blob, BLOCK));
}

FIXTURE(edid_timing)
{
	struct vdev v;
};

FIXTURE_VARIANT(edid_timing)
{
	const char *device;
	unsigned int width, height;
};

FIXTURE_VARIANT_ADD(edid_timing, sample)
{
	.device = DISPLAY, .width = WIDTH, .height = HEIGHT,
};

FIXTURE_VARIANT_ADD(edid_timing, tiny)
{
	.device = "display-tiny", .width = 64, .height = 64,
};

FIXTURE_VARIANT_ADD(edid_timing, huge)
{
	.device = "display-huge", .width = 4095, .height = 2560,
};

FIXTURE_SETUP(edid_timing)
{
	const char *missing = device_missing(variant->device);

	if (missing)
		SKIP(return, "%s", missing);
	ASSERT_EQ(0, vdev_open_device(&self->v, variant->device));
}

FIXTURE_TEARDOWN(edid_timing)
{
	vdev_close(&self->v);
}

/* EDID 3.10.2: the picture and its pauses can be as it says, whatever the size is. */
TEST_F(edid_timing, possible)
{
	unsigned int clock, width, height, hblank, vblank, hpulse, vpulse, rate;
	__u8 t[18];

	ASSERT_EQ(sizeof(t), region_read(&self->v, EDID, BLOB + 54, t,
					 sizeof(t)));
	clock = t[0] | t[1] << 8;
	width = t[2] | (t[4] & 0xf0) << 4;
	hblank = t[3] | (t[4] & 15) << 8;
	height = t[5] | (t[7] & 0xf0) << 4;
	vblank = t[6] | (t[7] & 15) << 8;
	/* Front porch and sync; what remains is the back porch. */
	hpulse = t[8] + t[9] + ((t[11] >> 6) + (t[11] >> 4 & 3)) * 256;
	vpulse = (t[10] >> 4) + (t[10] & 15) +
		 ((t[11] >> 2 & 3) + (t[11] & 3)) * 16;
	EXPECT_EQ(variant->width, width);
	EXPECT_EQ(variant->height, height);
	EXPECT_LT(hpulse, hblank);
	EXPECT_LT(vpulse, vblank);
	/* 60 pictures a second, or as many as the fastest clock that it can say allows. */
	rate = clock * 10000U / ((width + hblank) * (height + vblank));
	EXPECT_GE(60, rate);
	EXPECT_TRUE(rate >= 59 || clock == 0xffff) {
		TH_LOG("%u pictures a second, clock %u", rate, clock);
	}
}

TEST_F(edid, replaced)
{
	unsigned int blocks;

	for (blocks = 1; blocks <= MAX / BLOCK; blocks++) {
		build(self->blob, blocks);
		ASSERT_EQ(0, plug(&self->v, self->blob, blocks * BLOCK));
		EXPECT_TRUE(guest_sees(&self->v, self->blob, blocks * BLOCK)) {
			TH_LOG("%u blocks", blocks);
		}
	}
	/* A monitor that says nothing. */
	EXPECT_EQ(0, plug(&self->v, self->blob, 0));
	EXPECT_TRUE(guest_sees(&self->v, NULL, 0));
}

TEST_F(edid, link)
{
	const __u32 wrong[] = { 0, 3, 0x101, ~0U };
	size_t i;

	ASSERT_EQ(0, plug(&self->v, self->blob, 2 * BLOCK));
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		EXPECT_EQ(-EINVAL, put(&self->v, FIELD(link_state), wrong[i]));
	EXPECT_EQ(UP, get(&self->v, FIELD(link_state)));
	EXPECT_EQ(-EBUSY, put(&self->v, FIELD(edid_size), BLOCK));
	EXPECT_EQ(-EBUSY, region_write(&self->v, EDID, BLOB + 8, "x", 1));
	EXPECT_TRUE(guest_sees(&self->v, self->blob, 2 * BLOCK));

	EXPECT_EQ(0, put(&self->v, FIELD(link_state), DOWN));
	EXPECT_EQ(DOWN, get(&self->v, FIELD(link_state)));
	EXPECT_TRUE(guest_sees(&self->v, NULL, 0));
	EXPECT_EQ(0, put(&self->v, FIELD(link_state), UP));
	EXPECT_TRUE(guest_sees(&self->v, self->blob, 2 * BLOCK));
}

/* One wrong byte, wherever it is, and the monitor remains off. */
TEST_F(edid, invalid)
{
	const __u32 sizes[] = { 1, 127, 129, 1025, MAX + BLOCK, 0x80000000,
				0xffffff80, ~0U };
	size_t i;

	for (i = 0; i < 2 * BLOCK; i++) {
		self->blob[i] ^= 1;
		ASSERT_EQ(-EINVAL, plug(&self->v, self->blob, 2 * BLOCK)) {
			TH_LOG("byte %zu", i);
		}
		ASSERT_EQ(DOWN, get(&self->v, FIELD(link_state)));
		ASSERT_TRUE(guest_sees(&self->v, NULL, 0));
		self->blob[i] ^= 1;
	}
	/* Sums that are right don't save a wrong magic or a wrong number of blocks. */
	self->blob[126] = 2;
	finish(self->blob);
	EXPECT_EQ(-EINVAL, plug(&self->v, self->blob, 2 * BLOCK));
	self->blob[126] = 255;
	finish(self->blob);
	EXPECT_EQ(-EINVAL, plug(&self->v, self->blob, 2 * BLOCK));
	build(self->blob, 2);
	self->blob[3] = 0;
	finish(self->blob);
	EXPECT_EQ(-EINVAL, plug(&self->v, self->blob, 2 * BLOCK));
	build(self->blob, 2);
	EXPECT_EQ(-EINVAL, plug(&self->v, self->blob, BLOCK));
	EXPECT_EQ(-EINVAL, plug(&self->v, self->blob, 3 * BLOCK));

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_EQ(-EINVAL, put(&self->v, FIELD(edid_size), sizes[i]));
	EXPECT_EQ(3 * BLOCK, get(&self->v, FIELD(edid_size)));
	EXPECT_EQ(0, plug(&self->v, self->blob, 2 * BLOCK));
}

TEST_F(edid, reads)
{
	__u8 all[BLOB + MAX], got[16], want[16];
	size_t len, pos, n;

	ASSERT_EQ(sizeof(all), region_read(&self->v, EDID, 0, all, PAGE));
	for (len = 1; len <= sizeof(got); len++) {
		for (pos = 0; pos < sizeof(all); pos += pos < BLOB + 8 ||
		     pos > sizeof(all) - 24 ? 1 : 41) {
			n = len < sizeof(all) - pos ? len : sizeof(all) - pos;
			memset(got, 0x5a, sizeof(got));
			memset(want, 0x5a, sizeof(want));
			memcpy(want, all + pos, n);
			ASSERT_EQ((ssize_t)n, region_read(&self->v, EDID, pos,
							  got, len));
			ASSERT_EQ(0, memcmp(want, got, sizeof(got)));
		}
	}
	EXPECT_EQ(-EINVAL, region_read(&self->v, EDID, sizeof(all), got, 1));
	EXPECT_EQ(-EINVAL, region_read(&self->v, EDID, 1ULL << 39, got, 1));
}

/* Registers are written whole or not at all, the EDID in any pieces. */
TEST_F(edid, writes)
{
	__u8 before[BLOB + MAX], after[BLOB + MAX], zeroes[16] = {};
	__u8 noise[16], *at;
	size_t len, pos, n;
	ssize_t want;

	ASSERT_EQ(0, put(&self->v, FIELD(link_state), DOWN));
	memset(noise, 0xa5, sizeof(noise));
	for (len = 1; len <= sizeof(noise); len++) {
		for (pos = 0; pos < BLOB + MAX; pos += pos < BLOB + 8 ||
		     pos > BLOB + MAX - 24 ? 1 : 41) {
			n = len < BLOB + MAX - pos ? len : BLOB + MAX - pos;
			region_read(&self->v, EDID, 0, before, sizeof(before));
			at = noise;
			want = pos < BLOB ? -EINVAL : (ssize_t)n;
			if (n == 4 && pos == FIELD(edid_size)) {
				at = zeroes;
				want = 4;
			}
			ASSERT_EQ(want, region_write(&self->v, EDID, pos, at,
						     len)) {
				TH_LOG("%zu bytes at %zu", len, pos);
			}
			region_read(&self->v, EDID, 0, after, sizeof(after));
			if (want > 0)
				memcpy(before + pos, at, n);
			ASSERT_EQ(0, memcmp(before, after, sizeof(after)));
		}
	}
	EXPECT_EQ(-EINVAL, region_write(&self->v, EDID, BLOB + MAX, noise, 1));

	/* Byte by byte it is as good as in one piece. */
	ASSERT_EQ(0, put(&self->v, FIELD(edid_size), 2 * BLOCK));
	for (pos = 0; pos < 2 * BLOCK; pos++)
		region_w8(&self->v, EDID, BLOB + pos, self->blob[pos]);
	EXPECT_EQ(0, put(&self->v, FIELD(link_state), UP));
	EXPECT_TRUE(guest_sees(&self->v, self->blob, 2 * BLOCK));
}

/* The monitor is not the device: a reset leaves it, but the next user has his own. */
TEST_F(edid, reset)
{
	char uuid[FERRY_NAME_MAX];

	ASSERT_EQ(0, plug(&self->v, self->blob, 2 * BLOCK));
	ASSERT_EQ(0, vdev_reset(&self->v));
	EXPECT_TRUE(guest_sees(&self->v, self->blob, 2 * BLOCK));
	snprintf(uuid, sizeof(uuid), "%s", self->v.name);
	vdev_close(&self->v);
	ASSERT_EQ(0, vdev_open(&self->v, "mdev", uuid));
	EXPECT_EQ(BLOCK, get(&self->v, FIELD(edid_size)));
	EXPECT_EQ(0, region_r8(&self->v, EDID, BLOB + BLOCK));
}

TEST_F(edid, unmappable)
{
	void *map;

	EXPECT_EQ(-EINVAL, region_map(&self->v, EDID, 0, PAGE, 1, 1, &map));
}

int main(int argc, char **argv)
{
	environment_begin();
	return test_harness_run(argc, argv);
}
