/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Linux kernel in a guest, found without symbols: from the vCPUs' page tables alone come the
 * kernel image and the direct map of all RAM (KASLR or not), and through them VMCOREINFO and the
 * six strings of uname(2). A guest that runs something else, or firmware, simply has none of it.
 */
#ifndef LAYOUT_KERNEL_H
#define LAYOUT_KERNEL_H

#include <stdbool.h>

#include "arch/arch.h"
#include "layout/ranges.h"
#include "layout/vmcoreinfo.h"

/* In the order of struct new_utsname. */
enum { UTS_SYSNAME, UTS_NODENAME, UTS_RELEASE, UTS_VERSION, UTS_MACHINE, UTS_DOMAINNAME };

struct page_cache;

struct kernel {
	const struct arch *arch; /* whose page tables were looked at; NULL before */
	bool mapped;             /* page tables with a kernel image and a direct map were found */
	bool no_memory;          /* or could not be looked for */
	struct page_table table; /* the verified root */
	struct mapping text;     /* the kernel image, as one linear piece */
	uint64_t direct_map;     /* virtual address of physical address 0, modulo 2^64 */
	/* Of 32 bits: the first physical address that it has, and the first that it does not reach.
	 */
	uint64_t direct_map_start, direct_map_end;
	int64_t phys_base; /* as NUMBER(phys_base): may be negative */

	/* The tables that were read last, for the search that comes next; NULL if none. */
	struct page_cache *cache;

	struct vmcoreinfo vmcoreinfo; /* of the running kernel; text is NULL if not found */
	char utsname[UTSNAME_STRINGS][UTSNAME_STRING_SIZE]; /* empty without VMCOREINFO */
};

void kernel_init(struct kernel *kernel);
void kernel_deinit(struct kernel *kernel);

/*
 * Fills in mapped, table, text, direct_map and phys_base. A direct map counts only when it maps
 * the kernel image and its own root table where it should, and, of pages spread over all of RAM,
 * more there than elsewhere: what firmware keeps, is offline or was left to another kernel is not
 * mapped at all. Nothing found is no error. Costs some 15 reads of a page.
 */
void kernel_find_mappings(struct kernel *kernel, const struct arch *arch,
	const struct registers *cpus, size_t cpu_count, const struct ranges *ram,
	const struct guest_memory *memory);

/* The same by a page table that is known already, whatever the registers show. */
void kernel_find_mappings_by(struct kernel *kernel, const struct page_table *table,
	const struct ranges *ram, const struct guest_memory *memory);

/*
 * Looks for the running kernel's VMCOREINFO. Where the architecture has a place that tells it, that
 * will do, of a kernel that is not mapped as well. Else it is looked for in the writable part of
 * the kernel image, which holds either the note (before 4.13) or a pointer to its page. Reads some
 * 15 MiB whatever the size of the guest, 8 MiB at once, and the first bytes of some 160 pages in
 * batches. Fills in vmcoreinfo and utsname and returns 0, or -1 with the reason.
 */
int kernel_find_vmcoreinfo(struct kernel *kernel, const struct ranges *ram,
	const struct guest_memory *memory, struct error *error);

/*
 * Takes a VMCOREINFO found elsewhere (--vmcoreinfo, or a page passed by during the copy) if it
 * fits the running kernel: as vmcoreinfo_validate() says if `mapped`; else if the kernel's name is
 * where the text's own numbers put it; a text without such numbers is taken as it is, and utsname
 * stays empty. The struct then owns the text, and candidate is empty. Returns 0, or -1 with the
 * reason and candidate untouched.
 */
int kernel_accept_vmcoreinfo(struct kernel *kernel, struct vmcoreinfo *candidate,
	const struct guest_memory *memory, struct error *error);

#endif
