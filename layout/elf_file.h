/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader of ELF cores behind core_file.h.
 */
#ifndef LAYOUT_ELF_FILE_H
#define LAYOUT_ELF_FILE_H

#include "layout/core_file.h"

/* As core_file_read(), for a file that begins with ELFMAG and has 16 bytes or more. */
int elf_file_read(struct core_file *file, const struct core_source *source, struct error *error);

#endif
