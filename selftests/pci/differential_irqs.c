// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET_IRQS: a grid of requests, from each state that the interrupts can be in.
 *
 * A key is state/index/data/action/start/count; numbers that depend on the
 * device are spelled "last", "all" and "more". The answer is the result and how
 * often the eventfds of the state were signalled.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "differential.h"

#define INDEX_STATES	6
#define EVENTFDS	8
/* The most vectors that PCI knows, and one more. */
#define DATA_MAX	2049
#define DATA_TYPES	VFIO_IRQ_SET_DATA_TYPE_MASK
#define ACTIONS		VFIO_IRQ_SET_ACTION_TYPE_MASK

enum fill {
	FILL_NONE, FILL_FALSE, FILL_TRUE, FILL_EVENTFD, FILL_MINUS_ONE,
	FILL_MINUS_TWO, FILL_CLOSED, FILL_FILE, FILL_LAST_BAD, FILL_HOLES,
};

static const char *const fill_names[] = {
	[FILL_NONE] = "none",
	[FILL_FALSE] = "bool:0",
	[FILL_TRUE] = "bool:1",
	[FILL_EVENTFD] = "eventfd:good",
	[FILL_MINUS_ONE] = "eventfd:-1",
	[FILL_MINUS_TWO] = "eventfd:-2",
	[FILL_CLOSED] = "eventfd:closed",
	[FILL_FILE] = "eventfd:file",
	[FILL_LAST_BAD] = "eventfd:last-bad",
	[FILL_HOLES] = "eventfd:holes",
};

static const char *const index_names[] = {
	"intx", "msi", "msix", "err", "req", "five", "max",
};

static const char *const state_names[INDEX_STATES] = {
	"intx", "msi", "msix", "err", "req", "idle",
};

struct grid {
	struct subject *s;
	unsigned int state;
	__u32 count[7];
	int efd[EVENTFDS];
	int file;
	__u8 *request;
};

struct number {
	const char *name;
	__u32 value;
};

/* How often the eventfds were signalled; one call when none was, as is common. */
static unsigned int take_signals(const struct grid *g)
{
	struct pollfd fds[EVENTFDS];
	unsigned int i, signals = 0;

	for (i = 0; i < EVENTFDS; i++)
		fds[i] = (struct pollfd){ .fd = g->efd[i], .events = POLLIN };
	if (poll(fds, EVENTFDS, 0) <= 0)
		return 0;
	for (i = 0; i < EVENTFDS; i++)
		if (fds[i].revents)
			signals += efd_take(g->efd[i]);
	return signals;
}

/* Back to the state, whatever a request has done. */
static void settle(struct grid *g)
{
	unsigned int i;

	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		irq_disable(&g->s->v, i);
	if (g->state < VFIO_PCI_NUM_IRQS)
		irq_attach_one(&g->s->v, g->state, 0, g->efd[0]);
	take_signals(g);
}

static int fill_fd(struct grid *g, enum fill how, __u32 i, __u32 count)
{
	switch (how) {
	case FILL_EVENTFD:
		return g->efd[i % EVENTFDS];
	case FILL_MINUS_ONE:
		return -1;
	case FILL_MINUS_TWO:
		return -2;
	case FILL_CLOSED:
		return FERRY_NO_FD;
	case FILL_FILE:
		return g->file;
	case FILL_LAST_BAD:
		return i + 1 == count ? FERRY_NO_FD : g->efd[i % EVENTFDS];
	default:
		return i & 1 ? g->efd[i % EVENTFDS] : -1;
	}
}

/* Data for no more than a device could take: an absurd count has too little. */
static size_t fill_data(struct grid *g, __u32 flags, enum fill how,
			__u32 count)
{
	struct vfio_irq_set *set = (void *)g->request;
	__s32 *fds = (void *)set->data;
	__u32 i;

	if (count > DATA_MAX)
		count = 1;
	if (flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		for (i = 0; i < count; i++)
			fds[i] = fill_fd(g, how, i, count);
		return count * sizeof(*fds);
	}
	if (flags & VFIO_IRQ_SET_DATA_BOOL) {
		memset(set->data, how == FILL_TRUE, count);
		return count;
	}
	return 0;
}

/* Kernels differ in whether conventional PCI has errors to tell of. */
static const char *index_name(const struct grid *g, unsigned int index)
{
	if (index == VFIO_PCI_ERR_IRQ_INDEX && g->s->layout->conventional)
		return "err-conventional";
	return index_names[index];
}

static const char *action_name(__u32 flags)
{
	static char text[16];

	switch (flags & ~DATA_TYPES) {
	case VFIO_IRQ_SET_ACTION_MASK:
		return "mask";
	case VFIO_IRQ_SET_ACTION_UNMASK:
		return "unmask";
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		return "trigger";
	}
	snprintf(text, sizeof(text), "%#x", flags & ~DATA_TYPES);
	return text;
}

static void request(struct grid *g, unsigned int index, __u32 flags,
		    enum fill how, struct number start, struct number count,
		    int short_by)
{
	struct vfio_irq_set *set = (void *)g->request;
	unsigned int signals;
	char key[160];
	int ret;

	set->argsz = sizeof(*set) + fill_data(g, flags, how, count.value) -
		     short_by;
	set->flags = flags;
	set->index = index == 6 ? ~0U : index;
	set->start = start.value;
	set->count = count.value;
	ret = fd_ioctl(g->s->v.fd, VFIO_DEVICE_SET_IRQS, set);
	signals = take_signals(g);

	snprintf(key, sizeof(key), "%s/%s/%s/%s/%s/%s%s",
		 state_names[g->state], index_name(g, index), fill_names[how],
		 action_name(flags), start.name, count.name,
		 short_by ? "/short" : "");
	fact(g->s, "irqs", key, "%s,signals:%u", result_name(ret), signals);
	if (ret >= 0)
		settle(g);
}

/*
 * The plain numbers come first: of an interrupt that is at most one, those that
 * depend on the device are the same again.
 */
static void request_numbers(struct grid *g, unsigned int index, __u32 flags,
			    enum fill how)
{
	__u32 num = g->count[index];
	const struct number starts[] = {
		{ "0", 0 }, { "1", 1 }, { "max", ~0U },
		{ "last", num - 1 }, { "all", num },
	};
	const struct number counts[] = {
		{ "0", 0 }, { "1", 1 }, { "2", 2 }, { "max", ~0U },
		{ "all", num }, { "more", num + 1 },
	};
	bool many = index == VFIO_PCI_MSI_IRQ_INDEX ||
		    index == VFIO_PCI_MSIX_IRQ_INDEX;
	unsigned int i, j;

	for (i = 0; i < (many ? ARRAY_SIZE(starts) : 3); i++)
		for (j = 0; j < (many ? ARRAY_SIZE(counts) : 4); j++)
			request(g, index, flags, how, starts[i], counts[j], 0);
}

/* Every request that is well-formed, and some data that isn't. */
static void well_formed(struct grid *g, unsigned int index)
{
	static const struct {
		__u32 type;
		enum fill from, to;
	} data[] = {
		{ VFIO_IRQ_SET_DATA_NONE, FILL_NONE, FILL_NONE },
		{ VFIO_IRQ_SET_DATA_BOOL, FILL_FALSE, FILL_TRUE },
		{ VFIO_IRQ_SET_DATA_EVENTFD, FILL_EVENTFD, FILL_HOLES },
	};
	__u32 action;
	unsigned int i;
	enum fill how;

	for (action = VFIO_IRQ_SET_ACTION_MASK;
	     action <= VFIO_IRQ_SET_ACTION_TRIGGER; action <<= 1)
		for (i = 0; i < 3; i++)
			for (how = data[i].from; how <= data[i].to; how++)
				request_numbers(g, index,
						action | data[i].type, how);
}

/* Every combination of flags, and data cut short. */
static void malformed(struct grid *g, unsigned int index)
{
	const struct number zero = { "0", 0 }, one = { "1", 1 };
	static const __u32 odd[] = { 0x40, 0x64, 0x80000024, 0x80000021, ~0U };
	__u32 flags;
	unsigned int i;

	for (flags = 0; flags < 0x40 + sizeof(odd) / sizeof(*odd); flags++) {
		__u32 f = flags < 0x40 ? flags : odd[flags - 0x40];
		enum fill how = f & VFIO_IRQ_SET_DATA_EVENTFD ?
				 FILL_EVENTFD : FILL_FALSE;
		char name[16];
		const struct number none = { name, 0 };

		snprintf(name, sizeof(name), "0,flags:%x", f);
		request(g, index, f, how, none, one, 0);
		request(g, index, f, how, none, zero, 0);
	}
	for (i = 1; i <= 5; i++) {
		char name[16];
		struct number by = { name, 1 };

		snprintf(name, sizeof(name), "1-%u", i);
		request(g, index, VFIO_IRQ_SET_DATA_EVENTFD |
			VFIO_IRQ_SET_ACTION_TRIGGER, FILL_EVENTFD, zero, by, i);
		request(g, index, VFIO_IRQ_SET_DATA_BOOL |
			VFIO_IRQ_SET_ACTION_TRIGGER, FILL_TRUE, zero, by, i);
		request(g, index, VFIO_IRQ_SET_DATA_NONE |
			VFIO_IRQ_SET_ACTION_TRIGGER, FILL_NONE, zero, by, i);
	}
}

/* ERR and REQ are on their own; an index that isn't there has few answers. */
static bool worth_all(const struct grid *g, unsigned int index)
{
	if (index > VFIO_PCI_REQ_IRQ_INDEX)
		return false;
	return g->state < VFIO_PCI_ERR_IRQ_INDEX ||
	       g->state == VFIO_PCI_NUM_IRQS ||
	       index >= VFIO_PCI_ERR_IRQ_INDEX;
}

/* What only a sequence of requests can show. */
static void sequences(struct grid *g)
{
	const struct vdev *v = &g->s->v;
	const unsigned int intx = VFIO_PCI_INTX_IRQ_INDEX;
	struct vfio_irq_info info;
	char key[48];
	unsigned int i;

	/* Two unmask eventfds, one after the other and on top of it. */
	g->state = VFIO_PCI_INTX_IRQ_INDEX;
	settle(g);
	for (i = 0; i < 4; i++) {
		int fd = i == 2 ? -1 : g->efd[1 + i];

		snprintf(key, sizeof(key), "sequence/unmask-eventfd/%u", i);
		fact(g->s, "irqs", key, "%s",
		     result_name(irq_set(v, VFIO_IRQ_SET_DATA_EVENTFD |
					 VFIO_IRQ_SET_ACTION_UNMASK, intx, 0,
					 1, &fd, sizeof(fd))));
	}
	/* Growing and shrinking what is enabled. */
	for (g->state = VFIO_PCI_MSI_IRQ_INDEX;
	     g->state <= VFIO_PCI_MSIX_IRQ_INDEX; g->state++) {
		settle(g);
		for (i = 0; i < 6; i++) {
			static const unsigned int start[] = { 0, 1, 2, 0, 1, 3 };
			static const unsigned int count[] = { 2, 1, 1, 3, 2, 1 };

			snprintf(key, sizeof(key), "sequence/grow/%s/%u",
				 state_names[g->state], i);
			fact(g->s, "irqs", key, "%s",
			     result_name(irq_attach(v, g->state, start[i],
						    count[i], g->efd)));
		}
		irq_info(v, g->state, &info);
		snprintf(key, sizeof(key), "sequence/info/%s",
			 state_names[g->state]);
		fact(g->s, "irqs", key, "flags:%x,count:%u", info.flags,
		     info.count);
	}
	g->state = VFIO_PCI_NUM_IRQS;
	settle(g);
}

void record_irqs(struct subject *s)
{
	struct grid g = { .s = s };
	struct vfio_irq_info info;
	unsigned int i, index;

	if (subject_open(s))
		return;
	g.request = calloc(1, sizeof(struct vfio_irq_set) +
			   sizeof(__s32) * DATA_MAX);
	for (i = 0; i < EVENTFDS; i++)
		g.efd[i] = efd_new();
	g.file = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		g.count[i] = irq_info(&s->v, i, &info) ? 0 : info.count;

	for (g.state = 0; g.state < INDEX_STATES; g.state++) {
		settle(&g);
		for (index = 0; index < 7; index++) {
			if (worth_all(&g, index))
				well_formed(&g, index);
			malformed(&g, index);
		}
	}
	sequences(&g);

	for (i = 0; i < EVENTFDS; i++)
		close(g.efd[i]);
	close(g.file);
	free(g.request);
	subject_close(s);
}
