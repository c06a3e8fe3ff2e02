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
#include "layout/page_set.h"
#include "layout/ranges.h"
#include "layout/sink.h"
#include "layout/vmcoreinfo.h"

/*
 * A stretch of virtual addresses that readers may use for the memory at paddr. Its bytes, [paddr,
 * paddr + size), lie within one range of the plan, or, if the core tells of memory that it leaves
 * out, all of them outside.
 */
struct core_mapping {
	uint64_t vaddr, paddr, size;
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
	const struct ranges *memory; /* the physical memory that the core has room for */
	/*
	 * Which pages of it go into the core; NULL for all. Every frame of the set has memory. What
	 * is left out is zero in formats that have room for it.
	 */
	const struct page_set *kept;
	unsigned dump_level; /* makedumpfile's number for what was left out */
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

/*
 * Cuts mappings, an array from the heap, down to the memory that the core tells of, and where what
 * it holds of that begins and ends; held is within told. What is not held is cut further where one
 * mapping would tell of more than all that is held. Returns 0, or -1 without memory or for
 * more than CORE_MAPPINGS_MAX; the array is then as it was.
 */
int core_cut_mappings(struct core_mapping **mappings, size_t *count, const struct ranges *told,
	const struct ranges *held);

/* Where a walk over the memory of a plan stands; zeros before it begins. */
struct core_cursor {
	struct range_cursor memory;
	uint64_t run, run_end; /* the kept frames that were found last */
};

/*
 * Moves the cursor over the next stretch of memory that goes into the core, which is of one range,
 * has only pages that are kept, and ends at a multiple of size if it does not end earlier; puts it
 * into *piece. False at the end.
 */
bool core_next(const struct core_plan *plan, struct core_cursor *cursor, uint64_t size,
	struct range *piece);

/* As size of core_next(): stretches as long as they are. */
#define CORE_WHOLE (UINT64_C(1) << 62)

/* Bytes of memory that go into the core. */
uint64_t core_memory_bytes(const struct core_plan *plan);

/*
 * The memory for a core that has room only for what is kept, as far as that pays: small gaps in
 * between stay in, so that there are at most CORE_STRETCHES_MAX ranges more than memory has.
 * Replaces stretches; returns 0, or -1 without memory or for more than RANGES_MAX of them.
 */
int core_stretches(
	const struct ranges *memory, const struct page_set *kept, struct ranges *stretches);

/*
 * Readers walk over all PT_LOADs for a page (crash, makedumpfile), and what is left out comes with
 * a PT_LOAD of its own.
 */
enum { CORE_STRETCHES_MAX = 1024 };

struct core;
struct core_operations;

struct core_format {
	const char *name;    /* as -F takes it */
	const char *alias;   /* another name for it; NULL if none */
	const char *title;   /* for people */
	bool wants_write_at; /* cannot go to a sink without write_at */
	bool by_ranges;      /* has room for all that memory has: plans use core_stretches() */
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
 * Appends a prepared piece. Pieces follow each other in ascending order of paddr, and leave out
 * nothing that goes into the core. Returns 0, or -1 and core_error() tells why. After the first
 * failure this and core_finish() fail with the same text whatever they are given.
 */
int core_put(struct core *core, const struct core_piece *piece);

/*
 * Completes the core; late (NULL if none) is a set with the notes that go into late_note_room.
 * Returns 0, or -1: not all memory was written, the late notes are too large, the sink failed.
 */
int core_finish(struct core *core, const struct notes *late);

/* Why the core failed, one line; NULL if it did not. */
const char *core_error(const struct core *core);
/* Whether that was for want of memory, and not the output's or the plan's fault. */
bool core_lacks_memory(const struct core *core);

/* Bytes that were found to be zero, and so need no room in formats that can leave them out. */
uint64_t core_zero_bytes(const struct core *core);

/*
 * Size of the whole output in bytes, holes included, as far as the format knows it from the plan;
 * 0 if not.
 */
uint64_t core_expected_size(const struct core_format *format, const struct core_plan *plan);

#endif
