// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cores of guests that are described by text, in every format: what is written is read back, and a
 * flattened core becomes, byte for byte, the one that is not. The level says which format; what
 * cannot be read is what the core leaves out.
 */
#include <stdlib.h>
#include <string.h>

#include "layout/core_file.h"
#include "layout/flat.h"
#include "layout/flat_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest.h"
#include "tests/unit/memory_sink.h"
#include "tests/unit/memory_source.h"

/* Of memory, and of the addresses that it is at: kdump has two bits for each page of them. */
enum { MEMORY_MAX = 256 << 10, ADDRESS_MAX = 256 << 20 };

#define RAM_START_ALIGN (UINT64_C(2) << 20)

/* What to write, and all that it points to. */
struct story {
	struct fuzz_guest *guest;
	const struct core_format *format;
	struct vmcoreinfo info;
	struct ranges memory;
	struct page_set all, kept;
	struct core_mapping *mappings;
	struct notes notes;
	char utsname[UTSNAME_STRINGS][UTSNAME_STRING_SIZE];
	struct core_plan plan;
};

/* ---- the plan -------------------------------------------------------------------------------- */

static const struct core_format *choose_format(unsigned number)
{
	size_t count = 0;

	while (core_formats[count])
		count++;
	return core_formats[number % count];
}

static unsigned choose_page_shift(const struct story *story)
{
	unsigned shift = story->guest->arch->page_shift;

	return story->info.text && story->info.page_shift > shift ? story->info.page_shift : shift;
}

static int64_t choose_phys_base(const struct story *story)
{
	uint64_t start = story->memory.items[0].start;

	if (!story->guest->arch->phys_base_is_ram_start)
		return 0;
	return (int64_t)(story->guest->arch->frames_from_ram_start ? start & ~(RAM_START_ALIGN - 1)
								   : start);
}

static void leave_out(struct story *story)
{
	const struct ranges *out = &story->guest->unreadable;
	unsigned shift = story->kept.page_shift;

	for (size_t i = 0; i < out->count; i++) {
		const struct range *range = &out->items[i];
		uint64_t end = range->start + range->size < ADDRESS_MAX ? range->start + range->size
		                                                        : ADDRESS_MAX;

		if (range->start < end)
			page_set_remove(
				&story->kept, range->start >> shift, (end - range->start) >> shift);
	}
}

/* Formats by ranges have room only for what is kept. Returns whether there is anything to write. */
static bool choose_memory(struct story *story)
{
	struct fuzz_guest *guest = story->guest;

	if (ranges_total(&guest->ram) > MEMORY_MAX || ranges_end(&guest->ram) > ADDRESS_MAX)
		return false;
	CHECK(page_set_init(&story->all, &guest->ram, story->plan.page_shift) == 0);
	CHECK(page_set_init(&story->kept, &guest->ram, story->plan.page_shift) == 0);
	leave_out(story);
	if (!page_set_count(&story->kept))
		return false;
	if (story->format->by_ranges)
		CHECK(core_stretches(&guest->ram, &story->kept, &story->memory) == 0);
	else
		CHECK(ranges_copy(&story->memory, &guest->ram) == 0);
	fuzz_check_ranges(&story->memory);
	fuzz_check_within(&story->memory, &guest->ram);
	return true;
}

static void map_memory(struct story *story)
{
	size_t count = story->memory.count;

	story->mappings = calloc(count, sizeof(*story->mappings));
	CHECK(story->mappings);
	for (size_t i = 0; i < count; i++)
		story->mappings[i] = (struct core_mapping){
			.vaddr = story->memory.items[i].start ^ 0x80000000,
			.paddr = story->memory.items[i].start,
			.size = story->memory.items[i].size,
		};
}

static bool story_init(struct story *story, struct fuzz_guest *guest)
{
	const struct arch *arch = guest->arch;
	char missing[256];
	struct error error;

	*story = (struct story){ .guest = guest, .format = choose_format(guest->level) };
	vmcoreinfo_init(&story->info);
	notes_init(&story->notes, arch->order);
	vmcoreinfo_parse(&story->info, guest->info, guest->info_size, &error);
	story->plan.page_shift = choose_page_shift(story);
	if (!core_format_is_built(story->format) || !choose_memory(story))
		return false;
	map_memory(story);
	arch->write_notes(guest->cpus, guest->cpu_count, &story->notes, missing, sizeof(missing));
	if (story->info.text)
		notes_append(&story->notes, "VMCOREINFO", 0, story->info.text, story->info.size);
	strcpy(story->utsname[0], "Linux");
	strcpy(story->utsname[4], arch->name);
	story->plan.arch = arch;
	story->plan.memory = &story->memory;
	story->plan.kept = &story->kept;
	story->plan.mappings = story->mappings;
	story->plan.mapping_count = story->memory.count;
	story->plan.notes = &story->notes;
	story->plan.cpu_count = (unsigned)guest->cpu_count;
	story->plan.phys_base = choose_phys_base(story);
	story->plan.utsname = story->utsname;
	story->plan.compress_level = 1;
	return true;
}

static void story_deinit(struct story *story)
{
	vmcoreinfo_deinit(&story->info);
	notes_deinit(&story->notes);
	ranges_deinit(&story->memory);
	page_set_deinit(&story->all);
	page_set_deinit(&story->kept);
	free(story->mappings);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void put_memory_of(struct story *story, struct core *core)
{
	struct core_worker *worker = core_worker_create(core);
	struct core_cursor cursor = { .run = 0 };
	uint8_t *buffer = malloc(CORE_PIECE_MAX);
	struct range range;

	CHECK(worker && buffer);
	while (core_next(&story->plan, &cursor, CORE_PIECE_MAX, &range)) {
		struct core_piece piece = {
			.paddr = range.start, .size = (size_t)range.size, .bytes = buffer
		};

		story->guest->reads_left = GUEST_READS_MAX;
		if (guest_read(&story->guest->memory, range.start, buffer, piece.size))
			memset(buffer, 0, piece.size);
		core_prepare(worker, &piece);
		CHECK(core_put(core, &piece) == 0);
	}
	core_worker_destroy(worker);
	free(buffer);
}

static void write_core(struct story *story, struct memory_sink *sink, bool flattened)
{
	struct flat *flat = flattened ? flat_create(&sink->sink) : NULL;
	struct core *core;

	CHECK(flat || !flattened);
	core = core_create(story->format, &story->plan, flat ? flat_sink(flat) : &sink->sink);
	CHECK(core && !core_error(core));
	put_memory_of(story, core);
	CHECK(core_finish(core, NULL) == 0);
	CHECK(!flat || flat_finish(flat) == 0);
	core_destroy(core);
	flat_destroy(flat);
}

/* ---- reading back ---------------------------------------------------------------------------- */

static void check_file(const struct story *story, const struct core_file *file)
{
	CHECK(file->complete && strcmp(file->format, story->format->name) == 0);
	CHECK(file->arch == story->plan.arch && file->order == story->plan.arch->order);
	CHECK(file->cpus == story->plan.cpu_count);
	CHECK(!file->vmcoreinfo.text == !story->info.text);
	if (story->info.text)
		CHECK(strcmp(file->vmcoreinfo.text, story->info.text) == 0);
	if (story->format->by_ranges) {
		fuzz_check_same(&file->memory, &story->memory);
		CHECK(file->mapping_count >= story->memory.count);
	} else {
		CHECK(file->page_size == UINT64_C(1) << story->plan.page_shift);
		CHECK(file->page_count == page_set_count(&story->all));
		CHECK(file->pages_held == page_set_count(&story->kept));
		fuzz_check_within(&story->memory, &file->memory);
	}
}

static void read_core(const struct story *story, const struct memory_sink *sink, bool flattened)
{
	struct memory_source source;
	struct core_file file;
	struct error error;

	memory_source_init(&source);
	memory_source_set(&source, sink->bytes, sink->size);
	core_file_init(&file);
	CHECK(core_file_read(&file, &source.source, &error) == 0);
	CHECK(file.flattened == flattened);
	check_file(story, &file);
	core_file_deinit(&file);
	memory_source_deinit(&source);
}

static void check_rearranged(const struct memory_sink *flattened, const struct memory_sink *plain)
{
	struct memory_source source;
	struct flat_file flat;
	struct core_source view;
	struct error error;
	uint8_t *bytes;

	memory_source_init(&source);
	memory_source_set(&source, flattened->bytes, flattened->size);
	CHECK(flat_file_init(&flat, &source.source, &error) == 0 && flat.complete);
	view = flat_file_source(&flat);
	CHECK(view.size == plain->size);
	bytes = malloc(plain->size);
	CHECK(bytes && view.read_at(view.ctx, 0, bytes, plain->size) == 0);
	CHECK(memcmp(bytes, plain->bytes, plain->size) == 0);
	free(bytes);
	flat_file_deinit(&flat);
	memory_source_deinit(&source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_sink plain, flattened;
	struct fuzz_guest guest;
	struct story story;

	fuzz_guest_init(&guest, data, size);
	if (story_init(&story, &guest)) {
		memory_sink_init(&plain, true);
		memory_sink_init(&flattened, false);
		write_core(&story, &plain, false);
		write_core(&story, &flattened, true);
		read_core(&story, &plain, false);
		read_core(&story, &flattened, true);
		check_rearranged(&flattened, &plain);
		memory_sink_deinit(&plain);
		memory_sink_deinit(&flattened);
	}
	story_deinit(&story);
	fuzz_guest_deinit(&guest);
	return 0;
}
