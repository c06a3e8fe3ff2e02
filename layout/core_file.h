/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what a core says of itself: enough for `rspdump info CORE`. Opens ELF and kdump cores of
 * any class and byte order, as they are or flattened, ours and others' (QEMU's among them). The
 * file's bytes are not trusted: of program headers it takes CORE_FILE_HEADERS_MAX, of notes
 * CORE_NOTES_MAX bytes, of a flattened file FLAT_RECORDS_MAX records, and refuses more.
 *
 * The caller owns the struct core_file, which takes nothing from the source but while it is read.
 */
#ifndef LAYOUT_CORE_FILE_H
#define LAYOUT_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/bytes.h"
#include "arch/error.h"
#include "layout/core.h"
#include "layout/ranges.h"
#include "layout/vmcoreinfo.h"

/* QEMU's `dump-guest-memory -p` of a guest with 4-level page tables has 65714. */
enum { CORE_FILE_HEADERS_MAX = 1 << 20 };

/* Reads size bytes at offset of the file. Returns 0, or -1 (also when the file is shorter). */
struct core_source {
	int (*read_at)(void *ctx, uint64_t offset, void *buf, size_t size);
	void *ctx;
	uint64_t size; /* of the file */
};

struct core_file {
	const char *format; /* "elf", "kdump-zlib" */
	bool flattened;
	unsigned bits; /* 32 or 64 */
	enum byte_order order;
	uint16_t machine;        /* EM_..., 0 if it is not known */
	const struct arch *arch; /* NULL if this build does not know the machine */
	unsigned cpus;           /* NT_PRSTATUS notes */
	bool qemu_notes;
	/*
	 * The physical memory that the core holds. Empty if its PT_LOADs do not tell: all of them
	 * at 0, as in the core of a process.
	 */
	struct ranges memory;
	struct core_mapping *mappings; /* the PT_LOADs, as they come */
	size_t mapping_count;
	bool virtual_addresses; /* some PT_LOAD has p_vaddr != p_paddr */
	/* Of a kdump core: pages that memory has, and those of them that are in the core. */
	uint64_t page_size, page_count, pages_held;
	unsigned dump_level;          /* what was left out, in makedumpfile's numbers */
	bool complete;                /* nothing ends behind the end of the file */
	struct vmcoreinfo vmcoreinfo; /* without text if the core has none that is whole */
};

void core_file_init(struct core_file *file);
void core_file_deinit(struct core_file *file);

/*
 * Reads into a struct that was just initialised. Returns 0, or -1 with why it is no core that can
 * be read; the struct can then only be deinitialised.
 */
int core_file_read(struct core_file *file, const struct core_source *source, struct error *error);

/*
 * For the readers of the formats. What is read, for the error. Returns 0, or -1 also for what is
 * behind the end of the file.
 */
int core_source_read(const struct core_source *source, const char *what, uint64_t offset, void *buf,
	size_t size, struct error *error);

/*
 * Takes in the notes that lie there, at most CORE_NOTES_MAX bytes: in a file that was cut off
 * within them, those that are whole still tell something.
 */
int core_file_read_notes(struct core_file *file, const struct core_source *source, uint64_t offset,
	uint64_t size, struct error *error);

#endif
