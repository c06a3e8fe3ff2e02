/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of kdump cores behind core_file.h. */
#ifndef LAYOUT_KDUMP_FILE_H
#define LAYOUT_KDUMP_FILE_H

#include "layout/core_file.h"

/* As core_file_read(), for a file that begins with KDUMP_SIGNATURE and has 16 bytes or more. */
int kdump_file_read(struct core_file *file, const struct core_source *source, struct error *error);

#endif
