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
	NULL,
};

const struct core_format *core_format_find(const char *name)
{
	for (size_t i = 0; core_formats[i]; i++)
		if (!strcmp(core_formats[i]->name, name))
			return core_formats[i];
	return NULL;
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

static int check_sink(struct core *core, int result)
{
	return result ? core_fail(core, "%s", core->sink->error(core->sink)) : 0;
}

int core_append(struct core *core, const void *bytes, size_t size)
{
	return size ? check_sink(core, core->sink->write(core->sink, bytes, size)) : 0;
}

int core_append_zeros(struct core *core, uint64_t size)
{
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
		return core_fail(core, "out of memory for the notes");
	if (plan->notes->size > CORE_NOTES_MAX ||
		plan->late_note_room > CORE_NOTES_MAX - plan->notes->size)
		return core_fail(core, "the notes are larger than %d bytes", CORE_NOTES_MAX);
	if (!core->sink->write_at && core->format->wants_write_at)
		return core_fail(core, "format %s needs an output that can be rewritten",
			core->format->name);
	if (!core->sink->write_at && plan->late_note_room)
		return core_fail(core, "a late note needs an output that can be rewritten");
	return 0;
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
	if (!check_plan(core))
		format->operations->begin(core);
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

/* The range that is being written; NULL when all memory has come. */
static const struct range *current_range(const struct core *core)
{
	const struct ranges *memory = core->plan->memory;

	return core->range < memory->count ? &memory->items[core->range] : NULL;
}

static int check_piece(struct core *core, const struct range *range, uint64_t paddr, size_t size)
{
	if (core->finished)
		return core_fail(core, "memory at 0x%llx came after the end of the core",
			(unsigned long long)paddr);
	if (!range)
		return core_fail(core, "memory at 0x%llx came when all was written",
			(unsigned long long)paddr);
	if (paddr != range->start + core->written)
		return core_fail(core, "memory at 0x%llx came where 0x%llx was due",
			(unsigned long long)paddr,
			(unsigned long long)(range->start + core->written));
	if (size > range->size - core->written)
		return core_fail(core, "memory at 0x%llx reaches over the end of its range",
			(unsigned long long)paddr);
	return 0;
}

/*
 * The bytes at the start of a piece that are in pages of one kind, all zero or not. A page that the
 * piece holds only in part is judged by that part.
 */
static size_t stretch(
	const struct core *core, uint64_t paddr, const uint8_t *bytes, size_t size, bool *zero)
{
	uint64_t page = UINT64_C(1) << core->plan->arch->page_shift;
	size_t length = 0;

	while (length < size) {
		uint64_t rest = page - ((paddr + length) & (page - 1));
		size_t part = rest < size - length ? (size_t)rest : size - length;
		bool part_zero = is_zero(bytes + length, part);

		if (!length)
			*zero = part_zero;
		else if (*zero != part_zero)
			break;
		length += part;
	}
	return length;
}

/* Hands over the zeros that were held back to become one run. */
static int flush_zeros(struct core *core)
{
	uint64_t size = core->zero_size;

	core->zero_size = 0;
	return size ? core->format->operations->zero(core, core->zero_start, size) : 0;
}

int core_write(struct core *core, uint64_t paddr, const void *bytes, size_t size)
{
	const struct range *range = current_range(core);
	const uint8_t *from = bytes;

	if (core->failed)
		return -1;
	if (!size)
		return 0;
	if (check_piece(core, range, paddr, size))
		return -1;

	core->written += size;
	while (size) {
		bool zero = false;
		size_t length = stretch(core, paddr, from, size, &zero);

		if (zero) {
			if (!core->zero_size)
				core->zero_start = paddr;
			core->zero_size += length;
			core->zero_bytes += length;
		} else if (flush_zeros(core) ||
			   core->format->operations->write(core, paddr, from, length)) {
			return -1;
		}
		paddr += length;
		from += length;
		size -= length;
	}

	if (core->written < range->size)
		return 0;
	core->range++;
	core->written = 0;
	return flush_zeros(core);
}

int core_finish(struct core *core, const struct notes *late)
{
	const struct range *range = current_range(core);

	if (core->failed)
		return -1;
	if (core->finished)
		return core_fail(core, "the core was finished before");
	if (range)
		return core_fail(core, "memory from 0x%llx on was not written",
			(unsigned long long)(range->start + core->written));
	if (late && late->failed)
		return core_fail(core, "out of memory for the late notes");
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

uint64_t core_zero_bytes(const struct core *core)
{
	return core->zero_bytes;
}

uint64_t core_expected_size(const struct core_format *format, const struct core_plan *plan)
{
	return format->operations->expected_size ? format->operations->expected_size(plan) : 0;
}
