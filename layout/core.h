/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a core in any format. The caller describes what the core holds in a struct core_plan,
 * creates the core, hands over the memory in ascending order of physical address, and finishes it.
 *
 *	core = core_create(core_format_find("elf"), &plan, sink);
 *	while (...)
 *		core_write(core, paddr, bytes, size);
 *	core_finish(core, &guest_note);
 *	core_destroy(core);
 *
 * The plan and what it points to, and the sink, stay the caller's and must outlive the core.
 */
#ifndef LAYOUT_CORE_H
#define LAYOUT_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "layout/ranges.h"
#include "layout/sink.h"

/* A stretch of virtual addresses that readers may use for the memory at paddr. */
struct core_mapping {
	uint64_t vaddr, paddr, size; /* bytes; [paddr, paddr + size) lies within one range */
};

enum {
	CORE_MAPPINGS_MAX = 0xfffd, /* with PT_NOTE, one less than PN_XNUM */
	CORE_NOTES_MAX = 64 << 20,  /* bytes of all notes and of the room behind them */
};

struct core_plan {
	const struct arch *arch;
	const struct ranges *memory; /* the physical memory that goes into the core */
	/*
	 * How it is mapped, in the order of the PT_LOADs; every range of memory is covered at least
	 * once. Formats without virtual addresses ignore this.
	 */
	const struct core_mapping *mappings;
	size_t mapping_count;
	const struct notes *notes; /* all that is known before the memory is read */
	/*
	 * Bytes to keep free behind the notes, for a note that is found while the memory is read; 0
	 * if none is to be expected. Only where the sink has write_at.
	 */
	size_t late_note_room;
};

/*
 * Adds the physical memory behind mappings, which may come in any order and overlap. Returns 0, or
 * -1 as ranges_add() does; memory then holds some of it.
 */
int core_mapped_memory(const struct core_mapping *mappings, size_t count, struct ranges *memory);

struct core;
struct core_operations;

struct core_format {
	const char *name;                         /* as -F takes it */
	const char *title;                        /* for people */
	bool wants_write_at;                      /* cannot go to a sink without write_at */
	const struct core_operations *operations; /* layout/core_format.h; for core.c alone */
};

/* Every format of this build; ends with NULL. */
extern const struct core_format *const core_formats[];

const struct core_format *core_format_find(const char *name);

/*
 * Writes the headers and the notes. Never returns NULL but without memory: whether it worked is
 * asked of core_error(), which is NULL as long as nothing failed.
 */
struct core *core_create(
	const struct core_format *format, const struct core_plan *plan, struct sink *sink);

/* NULL accepted. Does not touch the sink. */
void core_destroy(struct core *core);

/*
 * Appends memory. Calls follow each other in ascending order of paddr, without gaps within a range
 * of the plan; a piece lies within one range. Returns 0, or -1 and core_error() tells why. After
 * the first failure this and core_finish() fail with the same text whatever they are given.
 */
int core_write(struct core *core, uint64_t paddr, const void *bytes, size_t size);

/*
 * Completes the core; late (NULL if none) is a set with the notes that go into late_note_room.
 * Returns 0, or -1: not all memory was written, the late notes are too large, the sink failed.
 */
int core_finish(struct core *core, const struct notes *late);

/* Why the core failed, one line; NULL if it did not. */
const char *core_error(const struct core *core);

/* Bytes that were found to be zero, and so need no room in formats that can leave them out. */
uint64_t core_zero_bytes(const struct core *core);

/*
 * Size of the whole output in bytes, holes included, as far as the format knows it from the plan;
 * 0 if not.
 */
uint64_t core_expected_size(const struct core_format *format, const struct core_plan *plan);

#endif
