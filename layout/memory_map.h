/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory map in the XML of gdb's remote protocol ("Memory Map Format" in gdb's manual): what a
 * stub answers to qXfer:memory-map:read, and what a user may have in a file.
 */
#ifndef LAYOUT_MEMORY_MAP_H
#define LAYOUT_MEMORY_MAP_H

#include <stdbool.h>

#include "arch/error.h"
#include "layout/ranges.h"

struct memory_map {
	struct ranges ram; /* type="ram" */
	struct ranges all; /* ... and "rom" and "flash" */
	/*
	 * There is no address of the 32-bit or of the 64-bit space that the map does not have.
	 * OpenOCD makes "ram" of all that is not flash, so that gdb reads there: it tells nothing.
	 */
	bool everywhere;
};

void memory_map_init(struct memory_map *map);
void memory_map_deinit(struct memory_map *map);

/*
 * Reads size bytes of XML into an empty map. Areas may come in any order, but none may be empty,
 * overlap another or end behind 2^64. Returns 0, or -1 with the line and what is wrong with it.
 */
int memory_map_parse(const char *text, size_t size, struct memory_map *map, struct error *error);

#endif
