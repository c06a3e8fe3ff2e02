/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RAM map out of a saved /proc/iomem of the guest: lines of "START-END : NAME", hexadecimal,
 * both ends inclusive, indented by two blanks for what lies within another one. Linux calls its RAM
 * "System RAM", and what drivers add to it "System RAM (NAME)".
 */
#ifndef LAYOUT_IOMEM_H
#define LAYOUT_IOMEM_H

#include "arch/error.h"
#include "layout/ranges.h"

/*
 * Adds the RAM to an empty set. It must be in ascending order without overlaps, as the kernel
 * prints it. Returns 0, or -1 with the line and what is wrong with it; a text without RAM is wrong,
 * and one that was saved without the rights to see addresses has none.
 */
int iomem_parse(const char *text, struct ranges *ram, struct error *error);

#endif
