/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory as the vCPUs see it: everything that their page tables map, user space and all, for cores
 * whose PT_LOADs answer to the addresses that the guest itself used. QEMU's dump with paging has
 * the same for x86, with addresses that are not canonical and with bits in them that are none
 * (target/i386/arch_memory_mapping.c up to 10.2); here they are what the CPU would make of them.
 */
#ifndef LAYOUT_ADDRESS_SPACES_H
#define LAYOUT_ADDRESS_SPACES_H

#include <stdbool.h>
#include <stddef.h>

#include "arch/arch.h"
#include "layout/core.h"
#include "layout/kernel.h"
#include "layout/ranges.h"

struct address_spaces {
	/*
	 * In ascending order of virtual address, where two vCPUs differ the first one's in front.
	 * Each lies within one range of the memory that was asked for; devices are left out.
	 */
	struct core_mapping *mappings;
	size_t count;
	size_t roots;   /* different page tables that were read */
	size_t aliases; /* mappings left out as copies, see struct kernel_space */
	bool complete;  /* false if a walk gave up, see paging_walk() */
};

/*
 * Reads the page tables of all vCPUs that have paging on. None of them is no error: then there are
 * no mappings. Memory behind no mapping is added at the end, with its physical address for a
 * virtual one, so that all of `memory` is covered. Returns 0; -1 without room for the mappings,
 * which are CORE_MAPPINGS_MAX at most. address_spaces_deinit() in either case.
 */
int address_spaces_read(struct address_spaces *spaces, const struct kernel *kernel,
	const struct arch *arch, const struct registers *cpus, size_t cpu_count,
	const struct ranges *memory, const struct guest_memory *reader, struct error *error);
void address_spaces_deinit(struct address_spaces *spaces);

#endif
