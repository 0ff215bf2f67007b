// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions by read, write and mmap: the result of each call, with memory decoding
 * off and on. What registers hold is the device's; only of the ROM and of the
 * MSI-X table, whose contents VFIO makes up, are they compared.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "differential.h"

#define REGIONS		12
#define AT(index, pos)	(((off_t)(index) << 40) + (off_t)(pos))

static const unsigned int lengths[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 16 };

static ssize_t access_region(struct subject *s, unsigned int index, __u64 pos,
			     void *buf, size_t len, bool write)
{
	ssize_t ret;

	if (write)
		ret = pwrite(s->v.fd, buf, len, AT(index, pos));
	else
		ret = pread(s->v.fd, buf, len, AT(index, pos));
	return ret < 0 ? -errno : ret;
}

static void access_facts(struct subject *s, const char *state,
			 unsigned int index, const char *name, __u64 pos,
			 bool write)
{
	__u8 buf[16] = {};
	char key[96];
	unsigned int i;

	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		snprintf(key, sizeof(key), "%s/%u/%s/%u", state, index, name,
			 lengths[i]);
		fact(s, write ? "region.write" : "region.read", key, "%s",
		     result_name(access_region(s, index, pos, buf, lengths[i],
					       write)));
	}
}

/* A register that is written, or even read, may do things. */
static bool may_touch(struct subject *s, unsigned int index, bool memory,
		      bool write)
{
	if (!memory || index == VFIO_PCI_ROM_REGION_INDEX)
		return true;
	return s->all && !write && index < VFIO_PCI_ROM_REGION_INDEX;
}

static void grid(struct subject *s, const char *state, unsigned int index,
		 bool memory)
{
	static const unsigned int inside[] = { 0, 1, 2, 3, 4, 6, 7, 8 };
	__u64 size = index < VFIO_PCI_NUM_REGIONS &&
		     index != VFIO_PCI_VGA_REGION_INDEX ?
		     region_size(&s->v, index) : 0;
	char name[32];
	unsigned int i, write;

	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return;
	for (write = 0; write < 2; write++) {
		for (i = 0; i < 8 && may_touch(s, index, memory, write); i++) {
			snprintf(name, sizeof(name), "+%u", inside[i]);
			access_facts(s, state, index, name, inside[i], write);
			if (size < 16)
				continue;
			snprintf(name, sizeof(name), "end-%u", inside[i] + 1);
			access_facts(s, state, index, name,
				     size - inside[i] - 1, write);
		}
		for (i = 0; size && i < 8; i++) {
			snprintf(name, sizeof(name), "end+%u", inside[i]);
			access_facts(s, state, index, name, size + inside[i],
				     write);
		}
		access_facts(s, state, index, "far", (1ULL << 40) - 4, write);
	}
}

/* Where the MSI-X table is, in what BAR; false without one. */
static bool msix_table(struct subject *s, unsigned int *index, __u64 *pos,
		       unsigned int *entries)
{
	unsigned int cap = cfg_find_cap(&s->v, PCI_CAP_ID_MSIX);
	__u32 table;

	if (!cap)
		return false;
	table = cfg_r32(&s->v, cap + PCI_MSIX_TABLE);
	*index = table & PCI_MSIX_TABLE_BIR;
	*pos = table & PCI_MSIX_TABLE_OFFSET;
	*entries = (cfg_r16(&s->v, cap + PCI_MSIX_FLAGS) &
		    PCI_MSIX_FLAGS_QSIZE) + 1;
	return *index <= VFIO_PCI_BAR5_REGION_INDEX;
}

static void holds(struct subject *s, const char *key, unsigned int index,
		  __u64 pos, unsigned int len)
{
	__u8 buf[32];
	char text[80];
	ssize_t ret;
	int i;

	memset(buf, 0x5a, sizeof(buf));
	ret = access_region(s, index, pos, buf, len, false);
	snprintf(text, sizeof(text), "%s", result_name(ret));
	for (i = 0; i < ret; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%s%02x", i ? "" : ":", buf[i]);
	fact(s, "region.contents", key, "%s", text);
}

static void table_facts(struct subject *s, const char *state)
{
	static const __u8 ones[4] = { 0xff, 0xff, 0xff, 0xff };
	unsigned int index, entries, i, width;
	char key[64];
	__u64 pos;

	if (!msix_table(s, &index, &pos, &entries))
		return;
	for (i = 0; i < 8; i++) {
		for (width = 1; width <= 8; width++) {
			snprintf(key, sizeof(key), "%s/table+%u/%u", state, i,
				 width);
			holds(s, key, index, pos + i, width);
			snprintf(key, sizeof(key), "%s/table-end-%u/%u", state,
				 i, width);
			if (s->all)
				holds(s, key, index,
				      pos + 16 * entries - 1 - i, width);
		}
	}
	if (s->all)
		for (i = 0; i < 16; i++) {
			snprintf(key, sizeof(key), "%s/table/write+%u", state,
				 i);
			fact(s, "region.contents", key, "%s",
			     result_name(access_region(s, index, pos + i,
						       (void *)ones, 1, true)));
		}
	snprintf(key, sizeof(key), "%s/table/after", state);
	holds(s, key, index, pos, 16);
}

static void rom_facts(struct subject *s, const char *state)
{
	__u64 size = region_size(&s->v, VFIO_PCI_ROM_REGION_INDEX), pos;
	unsigned long sum = 0;
	ssize_t ret = 0, i;
	__u8 buf[4096];
	char key[64];

	for (pos = 0; pos < size; pos += ret) {
		ret = access_region(s, VFIO_PCI_ROM_REGION_INDEX, pos, buf,
				    sizeof(buf), false);
		if (ret <= 0)
			break;
		for (i = 0; i < ret; i++)
			sum = sum * 31 + buf[i];
	}
	snprintf(key, sizeof(key), "%s/rom", state);
	fact(s, "region.contents", key, "%s,%llx,%lx",
	     result_name(ret < 0 ? ret : 0), (unsigned long long)pos, sum);
}

static void map_fact(struct subject *s, const char *state, unsigned int index,
		     const char *what, __u64 pos, __u64 len, int prot,
		     int flags)
{
	char key[96];
	__u32 val;
	void *map;
	int ret = 0;

	map = mmap(NULL, len, prot, flags, s->v.fd, AT(index, pos));
	if (map == MAP_FAILED)
		ret = -errno;
	snprintf(key, sizeof(key), "%s/%u/%s/%s%s/%s", state, index, what,
		 prot & PROT_READ ? "r" : "", prot & PROT_WRITE ? "w" : "",
		 flags & MAP_SHARED ? "shared" : "private");
	if (ret)
		fact(s, "region.map", key, "%s", result_name(ret));
	else if (!(prot & PROT_READ) || (!s->all && !strcmp(state, "on")))
		fact(s, "region.map", key, "mapped");
	else
		fact(s, "region.map", key, "%s",
		     map_read32(map, 0, &val) ? "readable" : "SIGBUS");
	if (!ret)
		munmap(map, len);
}

static void map_facts(struct subject *s, const char *state, unsigned int index)
{
	static const int prots[] = {
		PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE,
	};
	static const int flags[] = { MAP_SHARED, MAP_PRIVATE };
	__u64 size = index < VFIO_PCI_NUM_REGIONS &&
		     index != VFIO_PCI_VGA_REGION_INDEX ?
		     region_size(&s->v, index) : 0;
	__u64 page = sysconf(_SC_PAGESIZE);
	__u64 whole = (size + page - 1) & ~(page - 1);
	unsigned int i, j;

	for (i = 0; i < 3; i++) {
		for (j = 0; j < 2; j++) {
			map_fact(s, state, index, "page", 0, page, prots[i],
				 flags[j]);
			map_fact(s, state, index, "beyond", whole, page,
				 prots[i], flags[j]);
			map_fact(s, state, index, "more", 0, whole + page,
				 prots[i], flags[j]);
			map_fact(s, state, index, "far", (1ULL << 40) - page,
				 2 * page, prots[i], flags[j]);
			if (!whole)
				continue;
			map_fact(s, state, index, "whole", 0, whole, prots[i],
				 flags[j]);
			map_fact(s, state, index, "last", whole - page, page,
				 prots[i], flags[j]);
			map_fact(s, state, index, "across", whole - page,
				 2 * page, prots[i], flags[j]);
		}
	}
}

void record_regions(struct subject *s)
{
	static const char *const states[] = { "off", "on" };
	unsigned int memory, index;

	if (subject_open(s))
		return;
	for (memory = 0; memory < 2; memory++) {
		const char *state = states[memory];

		cfg_command(&s->v, PCI_COMMAND_IO | PCI_COMMAND_MEMORY,
			    memory ? PCI_COMMAND_IO | PCI_COMMAND_MEMORY : 0);
		for (index = 0; index < REGIONS; index++) {
			grid(s, state, index, memory);
			map_facts(s, state, index);
		}
		table_facts(s, state);
		rom_facts(s, state);
	}
	subject_close(s);
}
