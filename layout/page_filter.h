/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which page frames a dump level leaves out of a core, told by the kernel's own struct pages before
 * any of the pages is read: VMCOREINFO says where the structs are and what is in them. The levels
 * are those of makedumpfile(8), and so is the order in which they decide. What is in doubt stays.
 */
#ifndef LAYOUT_PAGE_FILTER_H
#define LAYOUT_PAGE_FILTER_H

#include "arch/error.h"
#include "arch/memory.h"
#include "layout/kernel.h"
#include "layout/page_set.h"
#include "layout/ranges.h"

/* The bits of a dump level. Whether a page is zero tells its content, not its struct. */
enum {
	DUMP_LEVEL_ZERO = 1,
	DUMP_LEVEL_CACHE = 2,         /* page cache without data of its file system (PG_private) */
	DUMP_LEVEL_PRIVATE_CACHE = 4, /* all page cache */
	DUMP_LEVEL_USER = 8,          /* anonymous memory and hugetlb pages */
	DUMP_LEVEL_FREE = 16,
	DUMP_LEVEL_MAX = 31,
};

/* Page frames, but for struct_bytes. What is neither kept nor undecided was left out. */
struct page_filter_counts {
	uint64_t total; /* in the ranges */
	uint64_t kept;  /* without those that are undecided */
	uint64_t cache, private_cache, user, free;
	uint64_t unaccepted;        /* free, and not yet taken over from the host: TDX, SEV-SNP */
	uint64_t hwpoison, offline; /* broken; given to the host or never brought online */
	uint64_t undecided;         /* stay: no struct to be had, or one that contradicts itself */
	uint64_t struct_bytes;      /* of structs that were read */
};

/*
 * Takes out of `kept`, which has all page frames of `ram` in it (frames of the kernel's page
 * size), those that the level leaves out, and those that the kernel has given up (PG_hwpoison,
 * offline). Reads the structs of all frames, each once: 64 bytes for 4 KiB. Levels 0 and 1 leave
 * out nothing here, and need no kernel.
 *
 * Returns 0, or -1 with the reason, such as what VMCOREINFO lacks; nothing large was read then
 * unless memory ran out.
 */
int page_filter(unsigned level, const struct kernel *kernel, const struct ranges *ram,
	const struct guest_memory *memory, struct page_set *kept, struct page_filter_counts *counts,
	struct error *error);

#endif
