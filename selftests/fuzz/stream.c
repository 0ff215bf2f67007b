// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration streams: a device, as its user has left it, is sent; on its way the stream is
 * damaged, with checksums made good again, and another device gets it. Either that refuses
 * it, and is as it was, or what it sends in turn is what has come, and sent once more
 * arrives as the same. A device that took something over then has to live with it.
 *
 * The input is the model, what the user does, and the damage.
 */
#include <uapi/ferry/migration.h>

#include "guest.h"
#include "kit.h"
#include "session.h"
#include "test.h"

#define HEAD		sizeof(struct ferry_migration_header)
#define FRAMES		6
/* All memory and the biggest MSI-X table, with room for what doesn't belong there */
#define FRAME_SIZE	(KIT_MEMORY + 0xc000)

struct frame {
	size_t len;
	u64 bytes[FRAME_SIZE / sizeof(u64)];
};

struct stream {
	unsigned int frames;
	struct frame frame[FRAMES];
};

/* What a stream says of a device */
struct view {
	const u8 *config;
	const u8 *interrupts;
	size_t interrupts_len;
	const u8 *model;
	size_t model_len;
	u8 memory[2][KIT_MEMORY];
};

static const struct ferry_migration_ops *ops_of(struct ferry_instance *inst)
{
	return inst->fdev.migration.desc.ops;
}

static void stop(struct ferry_instance *inst)
{
	ops_of(inst)->pause(&inst->fdev);
	ops_of(inst)->stop(&inst->fdev);
}

static void start(struct ferry_instance *inst)
{
	ops_of(inst)->start(&inst->fdev);
	ops_of(inst)->resume(&inst->fdev);
}

static void close_file(struct file *file)
{
	file->f_op->release(NULL, file);
	free(file);
}

/* Reads what there is, up to the end of a frame; returns whether there was any. */
static bool read_frame(struct file *file, struct stream *to)
{
	struct frame *frame = &to->frame[to->frames];
	size_t want = HEAD;
	ssize_t ret;

	frame->len = 0;
	while (frame->len < want) {
		ret = file->f_op->read(file, (char *)frame->bytes + frame->len,
				       want - frame->len, NULL);
		if (ret <= 0) {
			CHECK(!frame->len);
			return false;
		}
		frame->len += ret;
		if (frame->len == HEAD)
			want = ((u64 *)frame->bytes)[2];
		CHECK(want <= FRAME_SIZE);
	}
	to->frames++;
	return true;
}

/* All of a device that is stopped */
static void save(struct ferry_instance *inst, struct stream *to)
{
	struct ferry_device *fdev = &inst->fdev;
	struct file *file;

	to->frames = 0;
	mutex_lock(&fdev->config_lock);
	file = ferry_session_save(fdev);
	mutex_unlock(&fdev->config_lock);
	/* Who says that it can't be saved now is asked for it in vain. */
	if (IS_ERR(file)) {
		CHECK_EQ(PTR_ERR(file), -EBUSY);
		return;
	}
	CHECK(read_frame(file, to));
	CHECK(!read_frame(file, to));
	mutex_lock(&fdev->config_lock);
	ferry_session_end(fdev);
	mutex_unlock(&fdev->config_lock);
	CHECK_EQ(file->f_op->read(file, (char *)to->frame[1].bytes, 1, NULL),
		 -ENODEV);
	close_file(file);
}

static void preview_again(struct file *file)
{
	struct vfio_precopy_info info = { .argsz = sizeof(info) };

	CHECK_EQ(file->f_op->unlocked_ioctl(file, VFIO_MIG_GET_PRECOPY_INFO,
					    (unsigned long)&info), 0);
}

/* All of a device, while its user goes on for a while; it is stopped in the end */
static void send(struct ferry_instance *inst, struct stream *to,
		 struct input *in)
{
	struct ferry_device *fdev = &inst->fdev;
	unsigned int previews = input_u8(in) % (FRAMES - 1);
	struct file *file;
	int ret;

	to->frames = 0;
	if (!previews) {
		stop(inst);
		save(inst, to);
		return;
	}
	mutex_lock(&fdev->config_lock);
	file = ferry_session_precopy(fdev);
	mutex_unlock(&fdev->config_lock);
	CHECK(!IS_ERR(file));
	for (; previews; previews--) {
		read_frame(file, to);
		kit_drive(inst, in, input_u8(in) % 8);
		if (previews > 1)
			preview_again(file);
	}
	stop(inst);
	mutex_lock(&fdev->config_lock);
	ret = ferry_session_complete(fdev);
	mutex_unlock(&fdev->config_lock);
	CHECK(ret == 0 || ret == -EBUSY);
	CHECK_EQ(read_frame(file, to), !ret);
	if (ret)
		to->frames = 0;
	mutex_lock(&fdev->config_lock);
	ferry_session_end(fdev);
	mutex_unlock(&fdev->config_lock);
	close_file(file);
}

/* One thing that goes wrong with a frame */
static void damage(struct frame *frame, struct input *in)
{
	u8 what = input_u8(in), *bytes = (u8 *)frame->bytes;
	size_t at = input_u16(in), n = 1 + input_u8(in) % 32;

	at %= frame->len + 1;
	if (n > frame->len - at)
		n = frame->len - at;
	switch (what % 5) {
	case 0:
		frame->len = at;
		break;
	case 1:
		/* Bytes are missing. */
		memmove(bytes + at, bytes + at + n, frame->len - at - n);
		frame->len -= n;
		break;
	case 2:
		/* There are too many. */
		if (frame->len + n > FRAME_SIZE)
			break;
		memmove(bytes + at + n, bytes + at, frame->len - at);
		frame->len += n;
		break;
	default:
		input_bytes(in, bytes + at, n);
	}
}

/* And with the stream as a whole */
static void shuffle(struct stream *s, u8 what)
{
	static struct frame other;
	unsigned int a = (what >> 2) % s->frames, b = (what >> 5) % s->frames;

	switch (what & 3) {
	case 1:
		other = s->frame[a];
		s->frame[a] = s->frame[b];
		s->frame[b] = other;
		break;
	case 2:
		s->frame[a] = s->frame[b];
		break;
	case 3:
		s->frames = a;
	}
}

/* Who means harm knows how to make a header. */
static void mend(struct stream *s, u8 what)
{
	struct ferry_migration_header *header;
	struct frame *frame;
	u32 after = 0;
	unsigned int i;

	for (i = 0; i < s->frames; i++) {
		frame = &s->frame[i];
		header = (struct ferry_migration_header *)frame->bytes;
		if (frame->len < HEAD || what & 1 << i)
			continue;
		header->length = frame->len;
		header->after = after;
		header->crc = 0;
		header->crc = ~crc32_le(~0, frame->bytes, frame->len);
		after = header->crc;
	}
}

static void harm(struct stream *s, struct input *in)
{
	unsigned int n = input_u8(in) & 7;

	while (n--)
		damage(&s->frame[input_u8(in) % s->frames], in);
	shuffle(s, input_u8(in));
	/* Mostly all, seldom some. */
	mend(s, input_u8(in) & input_u8(in) & input_u8(in));
}

static bool write_stream(struct file *file, const struct stream *s,
			 struct input *in)
{
	u8 pieces = input_u8(in);
	size_t piece = pieces ? 5 * pieces : FRAME_SIZE;
	const struct frame *frame;
	size_t at, n;
	ssize_t ret;

	for (frame = s->frame; frame < s->frame + s->frames; frame++) {
		for (at = 0; at < frame->len; at += n) {
			n = min(piece, frame->len - at);
			ret = file->f_op->write(file,
						(char *)frame->bytes + at, n,
						NULL);
			/* Some of it may have been good. */
			if (ret != (ssize_t)n)
				return false;
		}
	}
	return true;
}

/* Returns 0 if @inst, which is stopped, has taken it over. */
static int receive(struct ferry_instance *inst, const struct stream *s,
		   struct input *in)
{
	struct ferry_device *fdev = &inst->fdev;
	struct file *file;
	bool taken;
	int ret;

	mutex_lock(&fdev->config_lock);
	file = ferry_session_resume(fdev);
	mutex_unlock(&fdev->config_lock);
	CHECK(!IS_ERR(file));
	taken = write_stream(file, s, in);
	if (!taken)
		CHECK_EQ(file->f_op->write(file, "x", 1, NULL), -EINVAL);
	mutex_lock(&fdev->config_lock);
	ret = ferry_session_load(fdev);
	ferry_session_end(fdev);
	mutex_unlock(&fdev->config_lock);
	CHECK_EQ(file->f_op->write(file, "x", 1, NULL), -ENODEV);
	close_file(file);
	CHECK(ret == 0 || ret == -EINVAL);
	CHECK(taken || ret);
	return ret;
}

static void view_pages(struct view *view, unsigned int range, const u8 *data,
		       size_t len)
{
	const struct ferry_migration_page *page;

	CHECK(range < ARRAY_SIZE(view->memory));
	for (; len; len -= sizeof(*page), data += sizeof(*page)) {
		CHECK(len >= sizeof(*page));
		page = (const struct ferry_migration_page *)data;
		CHECK(page->number < KIT_MEMORY / FERRY_MIGRATION_PAGE);
		memcpy(view->memory[range] + page->number * sizeof(page->data),
		       page->data, sizeof(page->data));
	}
}

static void view_frame(struct view *view, const struct frame *frame)
{
	const struct ferry_migration_section *head;
	const u8 *at = (const u8 *)frame->bytes + HEAD;
	const u8 *end = (const u8 *)frame->bytes + frame->len;
	unsigned int range = 0;

	for (; at < end; at += (head->length + 7) & ~7ULL) {
		head = (const struct ferry_migration_section *)at;
		at += sizeof(*head);
		CHECK(at <= end && head->length <= (u64)(end - at));
		if (head->type == FERRY_MIGRATION_CONFIG) {
			view->config = at;
		} else if (head->type == FERRY_MIGRATION_INTERRUPTS) {
			view->interrupts = at;
			view->interrupts_len = head->length;
		} else if (head->type == FERRY_MIGRATION_MEMORY) {
			view_pages(view, range++, at, head->length);
		} else {
			view->model = at;
			view->model_len = head->length;
		}
	}
}

/* A stream that was accepted, so that what it says of lengths is true */
static void view_stream(struct view *view, const struct stream *s)
{
	unsigned int i;

	memset(view, 0, sizeof(*view));
	for (i = 0; i < s->frames; i++)
		view_frame(view, &s->frame[i]);
}

/* Registers that the device sets by itself, and modem lines, are those of the target. */
static bool is_targets(struct ferry_instance *inst, const struct view *view,
		       const u8 *byte)
{
	unsigned int off = byte - view->config;
	unsigned int msi = ferry_config_find_cap(&inst->fdev.config,
						 PCI_CAP_ID_MSI);

	if (byte >= view->config &&
	    byte < view->config + inst->fdev.config.size)
		return off == PCI_STATUS || off == PCI_STATUS + 1 ||
		       (msi && off - (msi + PCI_MSI_PENDING_64) < 4);
	if (byte >= view->model && byte < view->model + view->model_len)
		return inst->model->save && (byte - view->model) % 64 == 14;
	return false;
}

static void compare(struct ferry_instance *inst, const struct view *view,
		    const u8 *came, const u8 *is, size_t len)
{
	for (; len; len--, came++, is++)
		if (*came != *is && !is_targets(inst, view, came))
			CHECK_EQ(*is, *came);
}

static void check_taken(struct ferry_instance *inst, const struct stream *came,
			const struct stream *is)
{
	static struct view a, b;

	view_stream(&a, came);
	view_stream(&b, is);
	CHECK_EQ(a.interrupts_len, b.interrupts_len);
	CHECK_EQ(a.model_len, b.model_len);
	compare(inst, &a, a.config, b.config, inst->fdev.config.size);
	/* Whether it asserts its interrupt follows from the rest. */
	CHECK(!((a.interrupts[0] ^ b.interrupts[0]) & ~FERRY_MIGRATION_LEVEL));
	CHECK(!memcmp(a.interrupts + 1, b.interrupts + 1,
		      a.interrupts_len - 1));
	compare(inst, &a, a.model, b.model, a.model_len);
	CHECK(!memcmp(a.memory, b.memory, sizeof(a.memory)));
}

static bool same(const struct stream *a, const struct stream *b)
{
	return a->frames == b->frames && a->frame[0].len == b->frame[0].len &&
	       !memcmp(a->frame[0].bytes, b->frame[0].bytes, a->frame[0].len);
}

/* What was taken over is sent on, and arrives as it is. */
static void send_on(const struct ferry_model *model, const struct stream *s)
{
	struct ferry_instance *inst = kit_open(model);
	static struct stream again;
	struct input none = {};

	stop(inst);
	CHECK_EQ(receive(inst, s, &none), 0);
	save(inst, &again);
	CHECK(same(s, &again));
	kit_close(inst);
}

static void arrive(struct ferry_instance *inst, const struct stream *s,
		   struct input *in)
{
	static struct stream before, after;
	int ret;

	stop(inst);
	save(inst, &before);
	ret = receive(inst, s, in);
	save(inst, &after);
	if (ret) {
		CHECK(same(&before, &after));
		return;
	}
	/* No stream says that its device can't be saved. */
	CHECK_EQ(after.frames, 1);
	check_taken(inst, s, &after);
	send_on(inst->model, &after);
	start(inst);
	kit_drive(inst, in, 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const struct ferry_model *model, *other;
	struct ferry_instance *from, *to;
	static struct stream s;
	u8 choice = input_u8(&in);

	guest_clear();
	model = &kit_models[choice % kit_nr_models];
	other = choice >= 0xf0 ? &kit_models[choice & 1] : model;
	from = kit_open(model);
	kit_drive(from, &in, input_u8(&in) % 32);
	send(from, &s, &in);
	kit_close(from);
	if (!s.frames)
		return 0;
	to = kit_open(other);
	kit_drive(to, &in, input_u8(&in) % 8);
	harm(&s, &in);
	arrive(to, &s, &in);
	kit_close(to);
	return 0;
}
