// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices that calls are made on, physical and mediated ones, and a thread that
 * takes one away while they are made and brings it back.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"

/* Without factorials, which take the host minutes, and without its DMA. */
static const struct range edu[] = {
	{ 0, 0x04, 4 }, { 0, 0x20, 8 }, { 0, 0x60, 8 }, {}
};

/* Interrupt registers, the table of multicast addresses, MSI-X. */
static const struct range igb[] = {
	{ 0, 0x00c0, 0x20 }, { 0, 0x1500, 0x40 }, { 0, 0x5200, 0x40 },
	{ 3, 0, 0x4000 }, {}
};

static struct target targets[] = {
	{ .name = "uart" },
	{ .name = "dma" },
	{ .name = "display" },
	{ .name = "edu", .writable = edu },
	{ .name = "igb", .writable = igb },
};

unsigned int nr_targets;

static struct {
	sem_t wanted;
	sem_t done;
	struct target *target;
	bool under_way;
} unplug;

static void must(int ret, const char *what, const struct target *t)
{
	if (!ret)
		return;
	fprintf(stderr, __FILE__ ":0: %s of %s: %s\n", what, t->name, strerror(-ret));
	abort();
}

static void plug(struct target *t)
{
	if (t->writable)
		must(pci_bind(t->id, driver_name()), "bind", t);
	else
		must(mdev_create(t->type, t->id), "create", t);
}

/* Whoever has the device open keeps both of these waiting. */
static void *unplugger(void *unused)
{
	struct coverage *coverage = coverage_new();
	struct target *t;
	sigset_t all;

	/* libFuzzer's alarm would interrupt the wait for the device. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	for (;;) {
		while (sem_wait(&unplug.wanted))
			;
		t = unplug.target;
		coverage_begin(coverage);
		if (t->writable)
			must(pci_unbind(t->id), "unbind", t);
		else
			must(mdev_remove(t->id), "remove", t);
		plug(t);
		coverage_end(coverage);
		sem_post(&unplug.done);
	}
	return unused;
}

/**
 * target_unplug - take a device away, and bring it back when all have let it go
 * @t: the device
 *
 * Once for each input; returns at once.
 */
void target_unplug(struct target *t)
{
	if (__atomic_exchange_n(&unplug.under_way, true, __ATOMIC_SEQ_CST))
		return;
	unplug.target = t;
	sem_post(&unplug.wanted);
}

/* Does somebody wait for the device to be closed? */
bool target_going(void)
{
	return __atomic_load_n(&unplug.under_way, __ATOMIC_SEQ_CST);
}

/* Waits until a device that was going has come back, after all have closed it. */
void target_settle(void)
{
	while (sem_wait(&unplug.done))
		;
	__atomic_store_n(&unplug.under_way, false, __ATOMIC_SEQ_CST);
}

struct target *target_at(unsigned int n)
{
	return &targets[n % nr_targets];
}

/* Is it one of those that FERRY_TARGETS names? Unset, all are. */
static bool wanted(const char *name)
{
	const char *list = getenv("FERRY_TARGETS");
	size_t len = strlen(name);

	if (!list || !*list)
		return true;
	for (; (list = strstr(list, name)); list += len)
		if (list[len] == '\0' || list[len] == ' ')
			return true;
	return false;
}

static bool prepare(struct target *t, unsigned int n)
{
	if (!wanted(t->name))
		return false;
	if (device_missing(t->name)) {
		fprintf(stderr, "not %s: %s\n", t->name,
			device_missing(t->name));
		return false;
	}
	if (t->writable) {
		t->bus = "pci";
		snprintf(t->id, sizeof(t->id), "%s", device_bdf(t->name));
	} else {
		t->bus = "mdev";
		mdev_uuid(n, t->id);
		must(mdev_type_find(t->name, t->type, sizeof(t->type)),
		     "type", t);
	}
	plug(t);
	return true;
}

/* All of those that there are here; they stay for as long as the program runs. */
void targets_find(void)
{
	static pthread_t thread;
	unsigned int i;

	mdev_remove_ours();
	for (i = 0; i < sizeof(targets) / sizeof(*targets); i++)
		if (prepare(&targets[i], i))
			targets[nr_targets++] = targets[i];
	if (!nr_targets) {
		fprintf(stderr, "there is no device to call\n");
		exit(1);
	}
	sem_init(&unplug.wanted, 0, 0);
	sem_init(&unplug.done, 0, 0);
	must(-pthread_create(&thread, NULL, unplugger, NULL), "thread",
	     targets);
}
