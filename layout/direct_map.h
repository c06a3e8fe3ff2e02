/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical memory through virtual addresses: where a stub reads nothing else and shows no page
 * table, the kernel's own is found in its image, and with it where the kernel has mapped all of
 * RAM in a row. The way there:
 *
 *	the kernel image	is readable somewhere in its part of the address space
 *	its root table		is a page of the image, as are all tables that map the image: these
 *				tell where the image is, and so where the root is
 *	the direct map		has the root there, and says so itself; it begins not far below what
 *				the kernel's pointers point to, or anywhere behind the root's
 *entries
 */
#ifndef LAYOUT_DIRECT_MAP_H
#define LAYOUT_DIRECT_MAP_H

#include "arch/arch.h"
#include "layout/ranges.h"

struct direct_map {
	uint64_t base;           /* virtual address of physical address 0 */
	struct page_table table; /* the kernel's */
};

/*
 * memory reads virtual addresses, as this vCPU has them, and fails for those that are not mapped.
 * Returns 0, or -1 with the reason. Reads a word each of some 30000 pages, and of two million where
 * a guest has tables that mislead it, but no more.
 */
int direct_map_find(struct direct_map *map, const struct arch *arch, const struct registers *cpu,
	const struct guest_memory *memory, struct error *error);

/*
 * Adds what the direct map maps to ram: RAM, for kernels map nothing else there, without what the
 * architecture knows to be none. Returns 0, or -1 with the reason.
 */
int direct_map_ram(const struct direct_map *map, const struct guest_memory *memory,
	struct ranges *ram, struct error *error);

#endif
