// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/page_filter.h"

int page_filter(unsigned level, const struct kernel *kernel, const struct ranges *ram,
	const struct guest_memory *memory, struct page_set *kept, struct page_filter_counts *counts,
	struct error *error)
{
	(void)level;
	(void)kernel;
	(void)ram;
	(void)memory;
	(void)kept;
	*counts = (struct page_filter_counts){ 0 };
	return error_set(error, "not yet");
}
