/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inner side of core.h: what a format implements. A format is one file with a struct of its own
 * that begins with a struct core, one struct core_operations and one struct core_format, and a row
 * in core_formats[]. All that holds for every format is done in core.c before an operation is
 * called: the order and completeness of the memory, the search for zeros, the failure that sticks.
 */
#ifndef LAYOUT_CORE_FORMAT_H
#define LAYOUT_CORE_FORMAT_H

#include "arch/error.h"
#include "layout/core.h"

struct core {
	const struct core_format *format;
	const struct core_plan *plan;
	struct sink *sink;
	struct error error;
	bool failed, finished;
	uint64_t size;             /* bytes that were appended to the sink */
	uint64_t page_size;        /* of the pages that pieces are cut into */
	struct core_cursor cursor; /* behind what is due */
	struct range due;          /* of the memory; of size 0 when all has come */
	uint64_t zero_bytes;
};

struct core_worker {
	const struct core *core;
	void *context;    /* the codec's */
	uint8_t *scratch; /* the codec's bound of a page */
};

/* The bytes of memory that the page of a piece at paddr, or what is left of it there, has. */
static inline size_t core_page_length(
	const struct core *core, const struct core_piece *piece, uint64_t paddr)
{
	uint64_t rest = core->page_size - (paddr & (core->page_size - 1));
	uint64_t left = piece->paddr + piece->size - paddr;

	return (size_t)(rest < left ? rest : left);
}

/*
 * Operations return 0, or -1 after core_fail() or after one of the functions below that write,
 * which have then called it. Of a core that has failed only deinit is called.
 */
struct core_operations {
	size_t size; /* of the format's own struct; it starts as zeros */

	/*
	 * Checks what the format demands of the plan; writes what goes in front of the memory.
	 * page_size is the CPU's by then, and may be changed.
	 */
	int (*begin)(struct core *core);

	/*
	 * Makes of the pages of a piece what put() takes; called by any thread. The sizes of pages
	 * are those of the memory, 0 for zeros. NULL if put() takes the memory as it is.
	 */
	void (*pack)(struct core_worker *worker, struct core_piece *piece);

	/* Appends a piece. A page comes in parts if its range begins or ends within it. */
	int (*put)(struct core *core, const struct core_piece *piece);

	/* Completes the core. late is NULL or holds notes that fit late_note_room. */
	int (*finish)(struct core *core, const struct notes *late);

	/* Frees what begin() took, which may have failed or never been called; NULL if nothing. */
	void (*deinit)(struct core *core);

	/* As core_expected_size(); NULL if the plan does not tell. */
	uint64_t (*expected_size)(const struct core_plan *plan);
};

/* Makes the core fail with this text. Returns -1. */
int core_fail(struct core *core, const char *format, ...) __attribute__((format(printf, 2, 3)));
int core_no_memory(struct core *core);

/* The functions of the sink; what it says becomes the core's error. Nothing happens for size 0. */
int core_append(struct core *core, const void *bytes, size_t size);
/* Appends zeros up to an offset that is not in front of what was appended. */
int core_fill_to(struct core *core, uint64_t offset);
int core_replace(struct core *core, uint64_t offset, const void *bytes, size_t size);

extern const struct core_format elf_format;
extern const struct core_format kdump_zlib_format, kdump_lzo_format, kdump_snappy_format,
	kdump_zstd_format;

#endif
