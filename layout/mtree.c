// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/mtree.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A machine with 255 memory devices shows some 300; the comparison of names is quadratic. */
enum { REGIONS_MAX = 8192 };

enum region_type { REGION_RAM, REGION_NV_RAM, REGION_ROM };

struct region {
	uint64_t start, size;
	enum region_type type;
	const char *name; /* in view.text */
};

struct view {
	char *text; /* a copy, with NULs for newlines and behind names */
	struct region *regions;
	size_t count;
};

/*
 * RAM to QEMU, but on a card: no guest has it as its memory, and reading the frame buffer of a
 * virtual graphics card is much data for nothing. pc.rom and pc.bios are the firmware of machines
 * that let it be written.
 */
static const char *const device_ram[] = {
	"*vram*",
	"qxl.*",
	"*.rom",
	"*.bar*",
	"pc.bios",
	"virtio-*",
	NULL,
};

/* Named by the user, so that they may well be called after the device that they belong to. */
static const char *const guest_ram[] = {
	"virtio-mem*",
	"virtio-pmem*",
	NULL,
};

static bool name_in(const char *name, const char *const *patterns)
{
	for (; *patterns; patterns++) {
		if (fnmatch(*patterns, name, 0) == 0)
			return true;
	}
	return false;
}

/* Whether RAM of this name is in the view: read-only parts of it are then shadowed firmware. */
static bool is_ram_too(const struct view *view, const char *name)
{
	for (size_t i = 0; i < view->count; i++) {
		if (view->regions[i].type == REGION_RAM && strcmp(view->regions[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool wanted(const struct view *view, const struct region *region, enum mtree_want want)
{
	if (want == MTREE_ALL)
		return region->type != REGION_NV_RAM;
	if (name_in(region->name, device_ram) && !name_in(region->name, guest_ram))
		return false;
	return region->type != REGION_ROM || is_ram_too(view, region->name);
}

/* Reads " 0000000000000000" with what comes before and behind it; moves *line behind all. */
static bool read_address(char **line, const char *before, const char *behind, uint64_t *address)
{
	size_t skip = strlen(before);
	char *end;

	if (strncmp(*line, before, skip) != 0)
		return false;
	if (strspn(*line + skip, "0123456789abcdef") != 16)
		return false;
	*address = strtoull(*line + skip, &end, 16);
	skip = strlen(behind);
	if (strncmp(end, behind, skip) != 0)
		return false;
	*line = end + skip;
	return true;
}

/*
 * Cuts off what follows a name: " @OFFSET" in the region, " owner:{...}" or " parent:{...}" if -o
 * was given, and " KVM" once for every address space that KVM knows the range in.
 */
static void cut_name(char *name)
{
	static const char *const owners[] = { " owner:{", " parent:{" };
	static const char kvm[] = " KVM";
	size_t length;

	for (char *at = strstr(name, " @"); at; at = strstr(at + 1, " @")) {
		size_t digits = strspn(at + 2, "0123456789abcdef");

		if (digits == 16 && (at[18] == '\0' || at[18] == ' ')) {
			*at = '\0';
			return;
		}
	}
	for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++) {
		char *owner = strstr(name, owners[i]);

		if (owner)
			*owner = '\0';
	}
	for (length = strlen(name); length > strlen(kvm); length -= strlen(kvm)) {
		if (strcmp(name + length - strlen(kvm), kvm) != 0)
			break;
		name[length - strlen(kvm)] = '\0';
	}
}

/*
 * Reads "  START-LAST (prio N, TYPE): NAME...". False for every other line, and for a region that
 * is not memory.
 */
static bool read_region(char *line, struct region *region)
{
	static const struct {
		const char *word;
		enum region_type type;
	} types[] = {
		{ "ram): ", REGION_RAM },
		{ "nv-ram): ", REGION_NV_RAM },
		{ "rom): ", REGION_ROM },
	};
	uint64_t last;

	if (!read_address(&line, "  ", "-", &region->start) ||
		!read_address(&line, "", " (prio ", &last))
		return false;
	line += strspn(line, "-0123456789");
	if (strncmp(line, ", ", 2) != 0)
		return false;
	line += 2;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		size_t length = strlen(types[i].word);

		if (strncmp(line, types[i].word, length) != 0)
			continue;
		cut_name(line + length);
		region->name = line + length;
		region->type = types[i].type;
		region->size = last - region->start + 1;
		return last >= region->start && region->size;
	}
	return false;
}

static char *cut_line(char **rest)
{
	char *line = strsep(rest, "\n");
	size_t length = line ? strlen(line) : 0;

	if (length && line[length - 1] == '\r')
		line[length - 1] = '\0';
	return line;
}

/* Moves *rest into the view of "memory": other views are numbered and come as a hash has them. */
static bool find_view(char **rest)
{
	static const char space[] = " AS \"memory\", ";
	char *line;

	while ((line = cut_line(rest)) != NULL) {
		if (strncmp(line, space, strlen(space)) == 0)
			return true;
	}
	return false;
}

static int view_read(struct view *view, const char *text, struct error *error)
{
	char *rest, *line;

	view->text = strdup(text);
	view->regions = calloc(REGIONS_MAX, sizeof(*view->regions));
	if (!view->text || !view->regions)
		return error_no_memory(error);
	rest = view->text;
	if (!find_view(&rest))
		return error_set(error, "no flat view of the address space \"memory\"");
	while ((line = cut_line(&rest)) != NULL && strncmp(line, "FlatView", 8) != 0) {
		if (view->count == REGIONS_MAX)
			return error_set(error, "more than %d regions", REGIONS_MAX);
		if (read_region(line, &view->regions[view->count]))
			view->count++;
	}
	return 0;
}

static void view_deinit(struct view *view)
{
	free(view->regions);
	free(view->text);
}

int mtree_regions(const char *text, enum mtree_want want, struct range **regions, size_t *count,
	struct error *error)
{
	struct view view = { 0 };
	struct range *found = NULL;
	int result = view_read(&view, text, error);

	*count = 0;
	if (result == 0) {
		found = calloc(view.count + 1, sizeof(*found));
		if (!found)
			result = error_no_memory(error);
	}
	for (size_t i = 0; found && i < view.count; i++) {
		const struct region *region = &view.regions[i];

		if (wanted(&view, region, want))
			found[(*count)++] = (struct range){ region->start, region->size };
	}
	*regions = found;
	view_deinit(&view);
	return result;
}

int mtree_parse(const char *text, enum mtree_want want, struct ranges *ranges, struct error *error)
{
	struct view view = { 0 };
	bool any = false;
	int result = view_read(&view, text, error);

	for (size_t i = 0; i < view.count && result == 0; i++) {
		const struct region *region = &view.regions[i];

		if (!wanted(&view, region, want))
			continue;
		any = true;
		if (ranges_add(ranges, region->start, region->size) == 0)
			continue;
		if (ranges->no_memory)
			result = error_no_memory(error);
		else
			result = error_set(error,
				"cannot take %" PRIu64 " bytes of %s at 0x%" PRIx64, region->size,
				region->name, region->start);
	}
	if (result == 0 && !any)
		result = error_set(error, "the listing shows no RAM");
	view_deinit(&view);
	return result;
}
