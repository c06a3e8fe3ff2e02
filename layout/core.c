// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/notes.h"
#include "layout/core_format.h"
#include "layout/zero.h"

const struct core_format *const core_formats[] = {
	&elf_format,
	&kdump_zlib_format,
	&kdump_lzo_format,
	&kdump_snappy_format,
	&kdump_zstd_format,
	NULL,
};

const struct core_format *core_format_find(const char *name)
{
	for (size_t i = 0; core_formats[i]; i++) {
		const struct core_format *format = core_formats[i];

		if (!strcmp(format->name, name) || (format->alias && !strcmp(format->alias, name)))
			return format;
	}
	return NULL;
}

bool core_format_is_built(const struct core_format *format)
{
	return !format->codec || codec_is_built(format->codec);
}

int core_fail(struct core *core, const char *format, ...)
{
	char text[sizeof(core->error.text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	core->failed = true;
	return error_set(&core->error, "%s", text);
}

int core_no_memory(struct core *core)
{
	core->failed = true;
	return error_no_memory(&core->error);
}

static int check_sink(struct core *core, int result)
{
	return result ? core_fail(core, "%s", core->sink->error(core->sink)) : 0;
}

int core_append(struct core *core, const void *bytes, size_t size)
{
	core->size += size;
	return size ? check_sink(core, core->sink->write(core->sink, bytes, size)) : 0;
}

int core_fill_to(struct core *core, uint64_t offset)
{
	uint64_t size = offset - core->size;

	core->size = offset;
	return size ? check_sink(core, core->sink->zero(core->sink, size)) : 0;
}

int core_replace(struct core *core, uint64_t offset, const void *bytes, size_t size)
{
	return size ? check_sink(core, core->sink->write_at(core->sink, offset, bytes, size)) : 0;
}

static int check_plan(struct core *core)
{
	const struct core_plan *plan = core->plan;

	if (!plan->memory->count)
		return core_fail(core, "there is no memory to write");
	if (plan->notes->failed)
		return core_no_memory(core);
	if (plan->notes->size > CORE_NOTES_MAX ||
		plan->late_note_room > CORE_NOTES_MAX - plan->notes->size)
		return core_fail(core, "the notes are larger than %d bytes", CORE_NOTES_MAX);
	if (!core_format_is_built(core->format))
		return core_fail(
			core, "this rspdump was built without %s", core->format->codec->library);
	if (!core->sink->write_at && core->format->wants_write_at)
		return core_fail(core, "format %s needs an output that can be rewritten",
			core->format->name);
	if (!core->sink->write_at && plan->late_note_room)
		return core_fail(core, "a late note needs an output that can be rewritten");
	return 0;
}

/* The stretch of memory that comes next, as long as it is; none of size 0. */
static void find_due(struct core *core)
{
	if (!core_next(core->plan, &core->cursor, CORE_WHOLE, &core->due))
		core->due.size = 0;
}

struct core *core_create(
	const struct core_format *format, const struct core_plan *plan, struct sink *sink)
{
	struct core *core = calloc(1, format->operations->size);

	if (!core)
		return NULL;
	core->format = format;
	core->plan = plan;
	core->sink = sink;
	core->page_size = UINT64_C(1) << plan->arch->page_shift;
	if (!check_plan(core) && !format->operations->begin(core))
		find_due(core);
	return core;
}

void core_destroy(struct core *core)
{
	if (!core)
		return;
	if (core->format->operations->deinit)
		core->format->operations->deinit(core);
	free(core);
}

static int check_piece(struct core *core, const struct core_piece *piece)
{
	const struct range *due = &core->due;
	unsigned long long paddr = piece->paddr;

	if (core->finished)
		return core_fail(core, "memory at 0x%llx came after the end of the core", paddr);
	if (!due->size)
		return core_fail(core, "memory at 0x%llx came when all was written", paddr);
	if (piece->paddr != due->start)
		return core_fail(core, "memory at 0x%llx came where 0x%llx was due", paddr,
			(unsigned long long)due->start);
	if (piece->size > due->size)
		return core_fail(
			core, "memory at 0x%llx reaches over the end of what is kept", paddr);
	return 0;
}

struct core_worker *core_worker_create(const struct core *core)
{
	const struct codec *codec = core->format->codec;
	struct core_worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->core = core;
	if (!codec)
		return worker;
	worker->context = codec->create(core->plan->compress_level);
	worker->scratch = malloc(codec->bound((size_t)core->page_size));
	if (!worker->context || !worker->scratch) {
		core_worker_destroy(worker);
		return NULL;
	}
	return worker;
}

void core_worker_destroy(struct core_worker *worker)
{
	if (!worker)
		return;
	if (worker->context)
		worker->core->format->codec->destroy(worker->context);
	free(worker->scratch);
	free(worker);
}

/* A page that the piece holds only in part is judged by that part. */
void core_prepare(struct core_worker *worker, struct core_piece *piece)
{
	const struct core *core = worker->core;
	size_t length;

	piece->page_count = 0;
	for (size_t at = 0; at < piece->size; at += length) {
		struct core_page *page = &piece->pages[piece->page_count++];

		length = core_page_length(core, piece, piece->paddr + at);
		page->size = is_zero(piece->bytes + at, length) ? 0 : (uint32_t)length;
		page->packed = false;
	}
	if (core->format->operations->pack)
		core->format->operations->pack(worker, piece);
}

static void count_zeros(struct core *core, const struct core_piece *piece)
{
	uint64_t paddr = piece->paddr;

	for (size_t i = 0; i < piece->page_count; i++) {
		size_t length = core_page_length(core, piece, paddr);

		if (!piece->pages[i].size)
			core->zero_bytes += length;
		paddr += length;
	}
}

int core_put(struct core *core, const struct core_piece *piece)
{
	if (core->failed || check_piece(core, piece) || core->format->operations->put(core, piece))
		return -1;
	count_zeros(core, piece);
	core->due.start += piece->size;
	core->due.size -= piece->size;
	if (!core->due.size)
		find_due(core);
	return 0;
}

int core_finish(struct core *core, const struct notes *late)
{
	if (core->failed)
		return -1;
	if (core->finished)
		return core_fail(core, "the core was finished before");
	if (core->due.size)
		return core_fail(core, "memory from 0x%llx on was not written",
			(unsigned long long)core->due.start);
	if (late && late->failed)
		return core_no_memory(core);
	if (late && late->size > core->plan->late_note_room)
		return core_fail(core, "%zu bytes of late notes do not fit the room of %zu",
			late->size, core->plan->late_note_room);

	core->finished = true;
	return core->format->operations->finish(core, late && late->size ? late : NULL);
}

const char *core_error(const struct core *core)
{
	return core->failed ? core->error.text : NULL;
}

bool core_lacks_memory(const struct core *core)
{
	return core->failed && core->error.no_memory;
}

uint64_t core_zero_bytes(const struct core *core)
{
	return core->zero_bytes;
}

uint64_t core_expected_size(const struct core_format *format, const struct core_plan *plan)
{
	return format->operations->expected_size ? format->operations->expected_size(plan) : 0;
}
