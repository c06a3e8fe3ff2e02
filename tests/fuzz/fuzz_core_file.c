// SPDX-License-Identifier: GPL-2.0-or-later
/* The reader of cores: ELF, kdump, and either of them flattened. */
#include <stdlib.h>
#include <string.h>

#include "layout/core_file.h"
#include "layout/flat.h"
#include "layout/flat_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/memory_source.h"

enum {
	REARRANGED_MAX = 1 << 20,
	/* A few bytes may tell of bitmaps of 8 GiB, which takes its time and shows nothing new. */
	SIZE_MAX_TRIED = 64 << 20,
};

static void check_file(const struct core_file *file)
{
	CHECK(file->format);
	CHECK(file->bits == 32 || file->bits == 64);
	CHECK(!file->arch || file->arch->elf_machine == file->machine);
	fuzz_check_ranges(&file->memory);
	CHECK(file->mapping_count <= CORE_FILE_HEADERS_MAX);
	CHECK(!file->virtual_addresses || file->mapping_count);
	if (file->page_size) {
		CHECK(file->page_size >= 1 << CORE_PAGE_SHIFT_MIN);
		CHECK(file->page_size <= 1 << CORE_PAGE_SHIFT_MAX);
		CHECK(!file->mapping_count);
		CHECK(ranges_total(&file->memory) <= file->page_count * file->page_size);
	} else {
		CHECK(!file->page_count && !file->pages_held && !file->dump_level);
	}
	if (file->vmcoreinfo.text)
		CHECK(strlen(file->vmcoreinfo.text) == file->vmcoreinfo.size);
}

static void check_same(const struct core_file *a, const struct core_file *b)
{
	CHECK(strcmp(a->format, b->format) == 0 && a->bits == b->bits && a->order == b->order);
	CHECK(a->arch == b->arch && a->cpus == b->cpus && a->qemu_notes == b->qemu_notes);
	fuzz_check_same(&a->memory, &b->memory);
	CHECK(a->mapping_count == b->mapping_count);
	CHECK(a->page_count == b->page_count && a->pages_held == b->pages_held);
	CHECK(!a->vmcoreinfo.text == !b->vmcoreinfo.text);
}

/* A flattened file says the same when it was rearranged. */
static void check_rearranged(const struct core_file *file, const struct core_source *source)
{
	struct memory_source rearranged;
	struct core_source view;
	struct core_file again;
	struct flat_file flat;
	struct error error;

	CHECK(flat_file_init(&flat, source, &error) == 0);
	view = flat_file_source(&flat);
	if (view.size <= REARRANGED_MAX) {
		memory_source_init(&rearranged);
		memory_source_resize(&rearranged, (size_t)view.size);
		CHECK(view.read_at(view.ctx, 0, rearranged.bytes, (size_t)view.size) == 0);
		core_file_init(&again);
		CHECK(core_file_read(&again, &rearranged.source, &error) == 0);
		CHECK(!again.flattened);
		check_same(&again, file);
		core_file_deinit(&again);
		memory_source_deinit(&rearranged);
	}
	flat_file_deinit(&flat);
}

/* With a read that fails, and cut off at some place: whatever comes of it is sound. */
static void try_damaged(struct memory_source *source, unsigned fail_at, uint64_t size)
{
	struct core_file file;
	struct error error;

	source->reads = 0;
	source->fail_at = fail_at;
	source->source.size = size;
	core_file_init(&file);
	if (core_file_read(&file, &source->source, &error))
		fuzz_check_line(error.text, sizeof(error.text));
	else
		check_file(&file);
	core_file_deinit(&file);
}

/* Whether it is flattened and becomes too large a file. */
static bool is_too_large(const struct core_source *source, const uint8_t *data, size_t size)
{
	struct flat_file flat = { .size = 0 };
	struct error error;
	bool too_large = false;

	if (size >= FLAT_HEADER_SIZE && memcmp(data, FLAT_SIGNATURE, sizeof(FLAT_SIGNATURE)) == 0) {
		if (flat_file_init(&flat, source, &error))
			fuzz_check_line(error.text, sizeof(error.text));
		CHECK(flat.count <= size / FLAT_RECORD_SIZE);
		too_large = flat.size > SIZE_MAX_TRIED;
		flat_file_deinit(&flat);
	}
	return too_large;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_source source;
	struct core_file file;
	struct error error;

	memory_source_init(&source);
	memory_source_set(&source, data, size);
	core_file_init(&file);
	if (is_too_large(&source.source, data, size))
		goto out;
	if (core_file_read(&file, &source.source, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
	} else {
		check_file(&file);
		if (file.flattened)
			check_rearranged(&file, &source.source);
		try_damaged(&source, 1 + (unsigned)(size % 8), size);
		try_damaged(&source, 0, size / 2);
	}
out:
	core_file_deinit(&file);
	memory_source_deinit(&source);
	return 0;
}
