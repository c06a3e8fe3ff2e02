/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of any size for a core, cut into pieces and prepared as whoever copies a guest does it. */
#ifndef TESTS_UNIT_PIECES_H
#define TESTS_UNIT_PIECES_H

#include "layout/core.h"

/* Returns what core_put() does, of the first piece that fails. */
int put_memory(struct core *core, uint64_t paddr, const void *bytes, size_t size);

#endif
