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

#include "engine.h"
#include "guest.h"
#include "kit.h"
#include "serial.h"
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

static bool is_serial(struct ferry_instance *inst)
{
	return !strncmp(inst->model->name, "uart", 4);
}

static bool is_engine(struct ferry_instance *inst)
{
	return !strncmp(inst->model->name, "dma", 3);
}

/* What becomes of a stream: one that nobody has touched is taken over. */
enum fate {
	DOUBTFUL, WELCOME,
};

/* What a stream says of a device */
struct view {
	const u8 *config;
	size_t config_len;
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
	u8 choice = input_u8(in);
	unsigned int previews = choice % (FRAMES - 2);
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
		/* The last one may still wait to be read when it stops. */
		if (previews > 1 || choice & 0x80)
			preview_again(file);
	}
	stop(inst);
	mutex_lock(&fdev->config_lock);
	ret = ferry_session_complete(fdev);
	mutex_unlock(&fdev->config_lock);
	CHECK(ret == 0 || ret == -EBUSY);
	while (read_frame(file, to))
		;
	if (ret)
		to->frames = 0;
	mutex_lock(&fdev->config_lock);
	ferry_session_end(fdev);
	mutex_unlock(&fdev->config_lock);
	close_file(file);
}

/* In the header, near the end, where the model's own is, or anywhere */
static size_t place(const struct frame *frame, u8 where, size_t at)
{
	switch (where & 3) {
	case 2:
		return at % HEAD % (frame->len + 1);
	case 3:
		return frame->len - at % 512 % (frame->len + 1);
	default:
		return at % (frame->len + 1);
	}
}

/* The section of interrupts says what isn't so. */
static void lie(struct frame *frame, size_t about)
{
	const struct ferry_migration_section *head;
	u8 *at = (u8 *)frame->bytes + HEAD;
	const u8 *end = (u8 *)frame->bytes + frame->len;

	while (at + sizeof(*head) <= end) {
		head = (const struct ferry_migration_section *)at;
		at += sizeof(*head);
		if (head->length > (u64)(end - at))
			return;
		if (head->type == FERRY_MIGRATION_INTERRUPTS) {
			if (about < head->length)
				at[about] ^= 1;
			return;
		}
		at += (head->length + 7) & ~7ULL;
	}
}

/* One thing that goes wrong with a frame */
static void damage(struct frame *frame, struct input *in)
{
	u8 what = input_u8(in), *bytes = (u8 *)frame->bytes;
	size_t at = place(frame, what >> 6, input_u16(in));
	size_t n = 1 + input_u8(in) % 32;

	if (n > frame->len - at)
		n = frame->len - at;
	switch (what % 0x40 % 5) {
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
	case 3:
		input_bytes(in, bytes + at, n);
		break;
	default:
		lie(frame, n % 16);
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

/* What has no bytes isn't there. */
static void close_up(struct stream *s)
{
	unsigned int i, n = 0;

	for (i = 0; i < s->frames; i++)
		if (s->frame[i].len && n++ < i)
			s->frame[n - 1] = s->frame[i];
	s->frames = n;
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

/* Returns whether there is any. */
static bool harm(struct stream *s, struct input *in)
{
	unsigned int n = input_u8(in) & 7, i;
	u8 what;

	for (i = 0; i < n; i++)
		damage(&s->frame[input_u8(in) % s->frames], in);
	what = input_u8(in);
	shuffle(s, what);
	if (!n && !(what & 3))
		return false;
	close_up(s);
	/* Mostly all, seldom some. */
	mend(s, input_u8(in) & input_u8(in) & input_u8(in));
	return true;
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
	u64 next = 0;

	CHECK(range < ARRAY_SIZE(view->memory));
	for (; len; len -= sizeof(*page), data += sizeof(*page)) {
		CHECK(len >= sizeof(*page));
		page = (const struct ferry_migration_page *)data;
		CHECK(page->number < KIT_MEMORY / FERRY_MIGRATION_PAGE);
		CHECK(page->number >= next);
		next = page->number + 1;
		memcpy(view->memory[range] + page->number * sizeof(page->data),
		       page->data, sizeof(page->data));
	}
}

/* Nothing is hidden between two sections. */
static void check_padding(const u8 *at, size_t len)
{
	for (; len % FERRY_MIGRATION_ALIGN; len++)
		CHECK_EQ(at[len], 0);
}

static void view_frame(struct view *view, const struct frame *frame)
{
	const struct ferry_migration_section *head;
	const u8 *at = (const u8 *)frame->bytes + HEAD;
	const u8 *end = (const u8 *)frame->bytes + frame->len;
	unsigned int range = 0;
	u32 last = 0;

	for (; at < end; at += (head->length + 7) & ~7ULL) {
		head = (const struct ferry_migration_section *)at;
		at += sizeof(*head);
		CHECK(at <= end && head->length <= (u64)(end - at));
		CHECK(head->type >= last);
		last = head->type;
		check_padding(at, head->length);
		if (head->type == FERRY_MIGRATION_CONFIG) {
			view->config = at;
			view->config_len = head->length;
		} else if (head->type == FERRY_MIGRATION_INTERRUPTS) {
			view->interrupts = at;
			view->interrupts_len = head->length;
		} else if (head->type == FERRY_MIGRATION_MEMORY) {
			view_pages(view, range++, at, head->length);
		} else {
			CHECK_EQ(head->type, FERRY_MIGRATION_MODEL);
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

/* Each says that it is for this device, and belongs to the one before. */
static void check_heads(struct ferry_instance *inst, const struct stream *s)
{
	const struct ferry_migration_desc *desc = &inst->fdev.migration.desc;
	const struct ferry_migration_header *header;
	struct ferry_migration_header copy;
	u32 after = 0, crc;
	unsigned int i;

	for (i = 0; i < s->frames; i++, after = crc) {
		CHECK(s->frame[i].len >= HEAD);
		header = (const struct ferry_migration_header *)s->frame[i].bytes;
		CHECK(!memcmp(&header->magic, "FERRYMIG", 8));
		CHECK_EQ(header->format, FERRY_MIGRATION_FORMAT);
		CHECK_EQ(header->kind, i + 1 < s->frames ?
			 FERRY_MIGRATION_PREVIEW : FERRY_MIGRATION_STATE);
		CHECK_EQ(header->length, s->frame[i].len);
		CHECK_EQ(header->version, desc->version);
		CHECK(!strncmp((const char *)header->model, desc->model,
			       sizeof(header->model)));
		CHECK_EQ(header->after, after);
		copy = *header;
		copy.crc = 0;
		crc = crc32_le(~0, &copy, HEAD);
		crc = ~crc32_le(crc, header + 1, s->frame[i].len - HEAD);
		CHECK_EQ(header->crc, crc);
	}
}

/* Nothing waits that there isn't; the reserved bits of the MSI-X table are zero. */
static void check_vectors(const struct ferry_model *model,
			  const struct view *view)
{
	unsigned int nr = max_t(u16, model->msix.vectors, model->msi), i;
	const struct ferry_migration_interrupts *interrupts =
		(const void *)view->interrupts;
	const struct ferry_migration_vector *vector =
		(const void *)&interrupts->pending[interrupts->words];

	for (i = nr; i < 64 * interrupts->words; i++)
		CHECK_EQ(interrupts->pending[i / 64] >> i % 64 & 1, 0);
	for (; (const u8 *)vector < view->interrupts + view->interrupts_len;
	     vector++) {
		CHECK_EQ(vector->address[0] & 3, 0);
		CHECK_EQ(vector->control & ~3, 0);
	}
}

/*
 * Whether it asserts its interrupt follows from the rest, and from modem lines; a message tells
 * of a level that has risen by that.
 */
static void check_interrupts(const struct ferry_model *model,
			     const struct view *came, const struct view *is,
			     enum fate fate)
{
	const struct ferry_migration_interrupts *a =
		(const void *)came->interrupts;
	const struct ferry_migration_interrupts *b = (const void *)is->interrupts;
	u32 changed = a->flags ^ b->flags;
	u64 message = changed & b->flags && (model->msi || model->msix.vectors);

	CHECK(!(changed & ~FERRY_MIGRATION_LEVEL));
	CHECK(!changed || fate != WELCOME || !model->nr_fields);
	CHECK_EQ(a->words, b->words);
	CHECK_EQ(b->pending[0], a->pending[0] | message);
	CHECK(!memcmp(a->pending + 1, b->pending + 1,
		      came->interrupts_len - sizeof(*a) - sizeof(u64)));
}

static void check_taken(struct ferry_instance *inst, const struct stream *came,
			const struct stream *is, enum fate fate)
{
	static struct view a, b;

	check_heads(inst, came);
	view_stream(&a, came);
	view_stream(&b, is);
	CHECK_EQ(a.config_len, b.config_len);
	CHECK_EQ(a.interrupts_len, b.interrupts_len);
	CHECK_EQ(a.model_len, b.model_len);
	compare(inst, &a, a.config, b.config, inst->fdev.config.size);
	check_interrupts(inst->model, &a, &b, fate);
	compare(inst, &a, a.model, b.model, a.model_len);
	CHECK(!memcmp(a.memory, b.memory, sizeof(a.memory)));
	check_vectors(inst->model, &a);
	if (is_engine(inst))
		engine_check(inst);
}

/* Of two devices that were saved, or of which neither could be */
static bool same(const struct stream *a, const struct stream *b)
{
	if (!a->frames || !b->frames)
		return a->frames == b->frames;
	return a->frame[0].len == b->frame[0].len &&
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

/* What is decided by registers is as they say. */
static void check_follows(struct ferry_instance *inst)
{
	const struct ferry_config *config = &inst->fdev.config;
	unsigned int pm = ferry_config_find_cap(config, PCI_CAP_ID_PM);
	unsigned int msi = ferry_config_find_cap(config, PCI_CAP_ID_MSI);
	unsigned int msix = ferry_config_find_cap(config, PCI_CAP_ID_MSIX);
	unsigned long closed = inst->fdev.gate.closed;

	CHECK_EQ(!test_bit(FERRY_GATE_COMMAND, &closed),
		 !!(ferry_config_get16(config, PCI_COMMAND) & PCI_COMMAND_MEMORY));
	CHECK_EQ(test_bit(FERRY_GATE_POWER, &closed),
		 !!(ferry_config_get16(config, pm + PCI_PM_CTRL) & 3));
	if (msi)
		CHECK_EQ(inst->messages.msi_masked,
			 ferry_config_get32(config, msi + PCI_MSI_MASK_64));
	if (msix)
		CHECK_EQ(inst->messages.all_masked,
			 !!(ferry_config_get16(config, msix + PCI_MSIX_FLAGS) &
			    PCI_MSIX_FLAGS_MASKALL));
}

/* Of each BAR what can be mapped, as it was when its device had been sent */
static u8 sent_memory[FERRY_MODEL_NR_BARS][KIT_MEMORY];

static void keep_memory(struct ferry_instance *inst)
{
	const struct ferry_model_range *range;
	unsigned int bar;

	for (bar = 0; bar < FERRY_MODEL_NR_BARS; bar++) {
		range = inst->model->bars[bar].mapped;
		if (range->size)
			memcpy(sent_memory[bar], inst->memory[bar][0],
			       range->size);
	}
}

static void check_memory(struct ferry_instance *inst)
{
	const struct ferry_model_range *range;
	unsigned int bar;

	for (bar = 0; bar < FERRY_MODEL_NR_BARS; bar++) {
		range = inst->model->bars[bar].mapped;
		if (range->size)
			CHECK(!memcmp(sent_memory[bar], inst->memory[bar][0],
				      range->size));
	}
}

static void arrive(struct ferry_instance *inst, const struct stream *s,
		   enum fate fate, struct input *in)
{
	static struct stream before, after;
	int ret;

	stop(inst);
	save(inst, &before);
	kit_work.kicked = false;
	ret = receive(inst, s, in);
	check_follows(inst);
	if (fate == WELCOME)
		CHECK_EQ(ret, 0);
	/* It looks for what there is left to do. */
	if (!ret && inst->model->work)
		CHECK(kit_work.kicked);
	save(inst, &after);
	if (ret) {
		CHECK(same(&before, &after));
		return;
	}
	/* No stream says that its device can't be saved. */
	CHECK_EQ(after.frames, 1);
	check_taken(inst, s, &after, fate);
	if (fate == WELCOME)
		check_memory(inst);
	send_on(inst->model, &after);
	if (is_serial(inst))
		serial_check(inst);
	start(inst);
	kit_drive(inst, in, 16);
}

/* Who damages his own streams on purpose finds them refused. */
static bool is_honest(struct ferry_instance *inst)
{
	return !is_engine(inst) ||
	       !(engine_reg(inst, FERRY_DMA_FAULT) & FERRY_DMA_FAULT_DAMAGE);
}

int try_input(const u8 *data, size_t size)
{
	struct input in = { data, size };
	const struct ferry_model *model, *other;
	struct ferry_instance *from, *to;
	static struct stream s;
	u8 choice = input_u8(&in);
	bool honest;

	guest_clear();
	model = &kit_models[choice % kit_nr_models];
	other = choice >= 0xf0 ? &kit_models[choice & 1] : model;
	from = kit_open(model);
	kit_drive(from, &in, input_u8(&in) % 32);
	send(from, &s, &in);
	keep_memory(from);
	honest = is_honest(from) && other == model;
	kit_close(from);
	if (!s.frames)
		return 0;
	to = kit_open(other);
	kit_drive(to, &in, input_u8(&in) % 8);
	honest &= !harm(&s, &in);
	arrive(to, &s, honest ? WELCOME : DOUBTFUL, &in);
	kit_close(to);
	return 0;
}
