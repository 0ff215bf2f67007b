// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a model one that a PCI device can be made of? Asked once, when it is
 * registered, so that nothing has to be asked later.
 */
#include <linux/ctype.h>
#include <linux/log2.h>
#include <linux/pci.h>
#include <linux/printk.h>

#include <uapi/ferry/migration.h>

#include "mdev.h"

static bool bar_is_io(const struct ferry_model_bar *bar)
{
	return bar->flags & PCI_BASE_ADDRESS_SPACE_IO;
}

static bool bar_is_64(const struct ferry_model_bar *bar)
{
	return !bar_is_io(bar) && (bar->flags & PCI_BASE_ADDRESS_MEM_TYPE_64);
}

/* PCI 3.0, 6.2.5.1. Returns what is wrong or NULL. */
static const char *bar_complaint(const struct ferry_model_bar *bar)
{
	u64 max = FERRY_REGION_MASK + 1;

	if (!is_power_of_2(bar->max_width) || bar->max_width > 8)
		return "max_width is none of 1, 2, 4 and 8";
	if (bar_is_io(bar)) {
		if (bar->flags != PCI_BASE_ADDRESS_SPACE_IO)
			return "I/O together with memory flags";
		if (bar->size < 4 || bar->size > 256)
			return "I/O of less than 4 or more than 256 bytes";
	} else {
		if (bar->flags & ~(PCI_BASE_ADDRESS_MEM_TYPE_64 |
				   PCI_BASE_ADDRESS_MEM_PREFETCH))
			return "unknown flags";
		if (!bar_is_64(bar))
			max = SZ_2G;
		if (bar->size < 16 || bar->size > max)
			return "memory too small or too big";
	}
	if (bar->size & (bar->size - 1))
		return "size is no power of two";
	return NULL;
}

/* Ranges that can be mapped: whole pages of memory, in order. */
static const char *ranges_complaint(const struct ferry_model_bar *bar)
{
	const struct ferry_model_range *range = bar->mapped;
	unsigned int i;
	u64 end = 0;

	if (range->size && bar_is_io(bar))
		return "I/O can't be mapped";
	for (i = 0; i < FERRY_MODEL_NR_RANGES && range[i].size; i++) {
		if (!PAGE_ALIGNED(range[i].start | range[i].size))
			return "what can be mapped isn't whole pages";
		if (range[i].start < end)
			return "ranges that can be mapped overlap or are in disorder";
		if (range[i].start >= bar->size ||
		    range[i].size > bar->size - range[i].start)
			return "a range that can be mapped is beyond the end";
		end = range[i].start + range[i].size;
	}
	return NULL;
}

static bool overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* PCI 3.0, 6.8.2. Returns what is wrong or NULL. */
static const char *msix_complaint(const struct ferry_model *model)
{
	const struct ferry_model_msix *msix = &model->msix;
	u64 table = msix_table_size(msix), pba = msix_pba_size(msix);
	const struct ferry_model_range *range;
	const struct ferry_model_bar *bar;

	if (!msix->vectors)
		return NULL;
	if (msix->vectors > FERRY_MODEL_MAX_MSIX)
		return "more than 2048 vectors";
	if (msix->bar >= FERRY_MODEL_NR_BARS || !model->bars[msix->bar].size ||
	    bar_is_io(&model->bars[msix->bar]))
		return "there is no such memory BAR";
	if (!IS_ALIGNED(msix->table | msix->pba, sizeof(u64)))
		return "an offset is no multiple of 8";
	bar = &model->bars[msix->bar];
	if (msix->table + table > bar->size || msix->pba + pba > bar->size)
		return "table or pending bits are beyond the end of the BAR";
	if (overlap(msix->table, table, msix->pba, pba))
		return "table and pending bits overlap";
	for (range = bar->mapped;
	     range < bar->mapped + FERRY_MODEL_NR_RANGES && range->size; range++)
		if (overlap(msix->table, table, range->start, range->size) ||
		    overlap(msix->pba, pba, range->start, range->size))
			return "table or pending bits could be mapped";
	return NULL;
}

static int check_msix(const struct ferry_model *model)
{
	const char *complaint = msix_complaint(model);

	if (!complaint)
		return 0;
	pr_err("ferry: model %s: MSI-X: %s\n", model->name, complaint);
	return -EINVAL;
}

/* Of a model that tells its state by itself. Returns what is wrong or NULL. */
static const char *callbacks_complaint(const struct ferry_model *model)
{
	if (!model->save)
		return model->validate || model->load || model->save_size ?
		       "no save callback" : NULL;
	if (!model->validate || !model->load || !model->save_size)
		return "no validate or load callback, or no save_size";
	return NULL;
}

/* Bytes, of which at most as many are counted as there may be, and one. */
static u64 bytes_to_save(const struct ferry_model *model)
{
	const u64 enough = FERRY_MODEL_MAX_SAVE + 1;
	const struct ferry_model_range *range;
	u64 sum = min_t(u64, ferry_state_size(model), enough);
	unsigned int bar, i;

	for (bar = 0; bar < FERRY_MODEL_NR_BARS; bar++) {
		range = model->bars[bar].mapped;
		for (i = 0; i < FERRY_MODEL_NR_RANGES && range[i].size; i++)
			sum += min(range[i].size, enough);
	}
	return sum;
}

/* Of a model that migrates. Returns what is wrong or NULL. */
static const char *state_complaint(const struct ferry_model *model)
{
	const char *complaint = ferry_state_complaint(model);

	if (!complaint && !model->nr_fields)
		complaint = callbacks_complaint(model);
	if (complaint)
		return complaint;
	if (!model->pause != !model->resume)
		return "only one of pause and resume";
	if (!model_migrates(model))
		return model->pause ? "nothing to save, but pause" : NULL;
	if (strlen(model->name) >= FERRY_MIGRATION_NAME)
		return "the name has more than 63 characters";
	if (bytes_to_save(model) > FERRY_MODEL_MAX_SAVE)
		return "more than 256 MiB to save";
	return NULL;
}

static int check_state(const struct ferry_model *model)
{
	const char *complaint = state_complaint(model);

	if (!complaint)
		return 0;
	pr_err("ferry: model %s: migration: %s\n", model->name, complaint);
	return -EINVAL;
}

/* Returns what is wrong or NULL. */
static const char *display_complaint(const struct ferry_model *model)
{
	const struct ferry_model_display *display = &model->display;
	const struct ferry_model_bar *bar;

	if (!display->plane)
		return NULL;
	if (display->bar >= FERRY_MODEL_NR_BARS)
		return "there is no such BAR";
	bar = &model->bars[display->bar];
	if (!bar->size || bar->mapped[0].size != bar->size)
		return "its BAR can't be mapped as a whole";
	if (display->max_width < 64 || display->max_width > 4095 ||
	    display->max_height < 64 || display->max_height > 4095)
		return "its biggest picture is not of 64 to 4095 pixels each way";
	if ((u64)display->max_width * display->max_height * 4 > bar->size)
		return "its biggest picture has no room in the BAR";
	return NULL;
}

static int check_display(const struct ferry_model *model)
{
	const char *complaint = display_complaint(model);

	if (!complaint)
		return 0;
	pr_err("ferry: model %s: display: %s\n", model->name, complaint);
	return -EINVAL;
}

static int check_bars(const struct ferry_model *model)
{
	const struct ferry_model_bar *bar;
	const char *complaint;
	unsigned int i;

	for (i = 0; i < FERRY_MODEL_NR_BARS; i++) {
		bar = &model->bars[i];
		if (!bar->size && !bar->mapped[0].size)
			continue;
		complaint = bar_complaint(bar);
		if (!complaint)
			complaint = ranges_complaint(bar);
		if (!complaint && i && model->bars[i - 1].size &&
		    bar_is_64(bar - 1))
			complaint = "taken by the 64-bit one before it";
		if (!complaint && bar_is_64(bar) &&
		    i == FERRY_MODEL_NR_BARS - 1)
			complaint = "64 bits do not fit into the last one";
		if (!complaint && (!model->read || !model->write))
			complaint = "no read or write callback";
		if (complaint) {
			pr_err("ferry: model %s: BAR %u: %s\n", model->name, i,
			       complaint);
			return -EINVAL;
		}
	}
	return 0;
}

/**
 * ferry_model_check - refuse a model that no PCI device can be made of
 * @model: the model
 *
 * Return: 0, or -EINVAL after a line in the log that says why.
 */
int ferry_model_check(const struct ferry_model *model)
{
	const char *c = model->name;

	if (!c || !*c) {
		pr_err("ferry: a model without a name\n");
		return -EINVAL;
	}
	for (; *c; c++) {
		if (!isalnum(*c) && *c != '-') {
			pr_err("ferry: model %s: a name is letters, digits and hyphens\n",
			       model->name);
			return -EINVAL;
		}
	}
	if (!model->description || !model->reset) {
		pr_err("ferry: model %s: description and reset are needed\n",
		       model->name);
		return -EINVAL;
	}
	if (model->msi > 32 || (model->msi && !is_power_of_2(model->msi))) {
		pr_err("ferry: model %s: %u MSI vectors: must be a power of two up to 32\n",
		       model->name, model->msi);
		return -EINVAL;
	}
	return check_bars(model) ?: check_msix(model) ?: check_state(model) ?:
	       check_display(model);
}
