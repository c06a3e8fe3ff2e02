/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a core in any format. The caller describes what the core holds in a struct core_plan,
 * creates the core, hands over the memory in ascending order of physical address, piece by piece,
 * and finishes it.
 *
 *	core = core_create(core_format_find("elf"), &plan, sink);
 *	worker = core_worker_create(core);
 *	while (...) {
 *		core_prepare(worker, &piece);
 *		core_put(core, &piece);
 *	}
 *	core_finish(core, &guest_note);
 *
 * Preparing is what takes the time: the search for zeros, and compression. Any number of threads
 * may do it at once, each with a worker of its own, while one puts what is prepared in order.
 *
 * The plan and what it points to, and the sink, stay the caller's and must outlive the core.
 */
#ifndef LAYOUT_CORE_H
#define LAYOUT_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "layout/codec.h"
#include "layout/ranges.h"
#include "layout/sink.h"
#include "layout/vmcoreinfo.h"

/* A stretch of virtual addresses that readers may use for the memory at paddr. */
struct core_mapping {
	uint64_t vaddr, paddr, size; /* bytes; [paddr, paddr + size) lies within one range */
};

enum {
	/* With PT_NOTE, as many program headers as our own reader takes. */
	CORE_MAPPINGS_MAX = (1 << 20) - 1,
	CORE_NOTES_MAX = 64 << 20, /* bytes of all notes and of the room behind them */

	/* The smallest and the largest pages of the CPUs that there are. */
	CORE_PAGE_SHIFT_MIN = 12,
	CORE_PAGE_SHIFT_MAX = 16,
	CORE_PIECE_MAX = 1 << CORE_PAGE_SHIFT_MAX, /* bytes that are handed over at once */
	CORE_PIECE_PAGES = 1 << (CORE_PAGE_SHIFT_MAX - CORE_PAGE_SHIFT_MIN),
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

	/* What the headers of formats by pages say. */
	unsigned page_shift; /* of the guest's pages, as its kernel has them */
	unsigned cpu_count;
	/* These two are looked at again when the core is finished with late notes. */
	int64_t phys_base; /* signed: on x86_64 it may be negative */
	/* UTSNAME_STRINGS of them, each with its NUL, "" if unknown. */
	const char (*utsname)[UTSNAME_STRING_SIZE];
	unsigned compress_level; /* of those that the format's codec has */
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
	const char *alias;                        /* another name for it; NULL if none */
	const char *title;                        /* for people */
	bool wants_write_at;                      /* cannot go to a sink without write_at */
	const struct codec *codec;                /* what compresses its pages; NULL if nothing */
	const struct core_operations *operations; /* layout/core_format.h; for core.c alone */
};

/* Every format, also those whose codec this build lacks; ends with NULL. */
extern const struct core_format *const core_formats[];

/* By name or alias; NULL if there is none. */
const struct core_format *core_format_find(const char *name);

/* Whether this build can write it. */
bool core_format_is_built(const struct core_format *format);

/*
 * Writes the headers and the notes. Never returns NULL but without memory: whether it worked is
 * asked of core_error(), which is NULL as long as nothing failed.
 */
struct core *core_create(
	const struct core_format *format, const struct core_plan *plan, struct sink *sink);

/* NULL accepted. Does not touch the sink. */
void core_destroy(struct core *core);

/* A page, or the part of one that is in a piece. */
struct core_page {
	uint32_t size; /* bytes of it in the piece's buffer; 0 if all of it is zero */
	bool packed;   /* they are compressed */
};

/* A piece of memory on its way into the core. */
struct core_piece {
	uint64_t paddr;
	size_t size;    /* bytes of memory */
	uint8_t *bytes; /* the memory, size bytes; core_prepare() may put what it becomes there */

	/* Made by core_prepare(). */
	size_t page_count;
	struct core_page pages[CORE_PIECE_PAGES];
};

/* What one thread prepares with. */
struct core_worker;

/* NULL without memory. Of a core that has not failed; destroyed before the core is. */
struct core_worker *core_worker_create(const struct core *core);
void core_worker_destroy(struct core_worker *worker); /* NULL accepted */

/*
 * Prepares a piece, which lies within one range of the plan and within one aligned stretch of
 * CORE_PIECE_MAX bytes. Touches nothing but the worker and the piece.
 */
void core_prepare(struct core_worker *worker, struct core_piece *piece);

/*
 * Appends a prepared piece. Pieces follow each other in ascending order of paddr, without gaps
 * within a range of the plan. Returns 0, or -1 and core_error() tells why. After the first failure
 * this and core_finish() fail with the same text whatever they are given.
 */
int core_put(struct core *core, const struct core_piece *piece);

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
