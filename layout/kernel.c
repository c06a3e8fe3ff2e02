// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/kernel.h"

#include <string.h>

#include "layout/page_cache.h"

void kernel_init(struct kernel *kernel)
{
	*kernel = (struct kernel){ 0 };
	vmcoreinfo_init(&kernel->vmcoreinfo);
}

void kernel_deinit(struct kernel *kernel)
{
	vmcoreinfo_deinit(&kernel->vmcoreinfo);
	page_cache_destroy(kernel->cache);
	kernel_init(kernel);
}

static bool tell_symbol(const void *ctx, const char *name, uint64_t *value)
{
	return vmcoreinfo_symbol(ctx, name, value);
}

static bool tell_number(const void *ctx, const char *name, int64_t *value)
{
	return vmcoreinfo_number(ctx, name, value);
}

/* The table that a kernel tells of must show its image where the one does that it was found by. */
static void take_own_table(struct kernel *kernel, const struct guest_memory *memory)
{
	const struct arch *arch = kernel->table.arch;
	const struct kernel_facts facts = {
		.symbol = tell_symbol,
		.number = tell_number,
		.ctx = &kernel->vmcoreinfo,
		.page_size = kernel->vmcoreinfo.page_size,
	};
	struct page_table own = kernel->table;
	uint64_t stext, expected, paddr;

	if (arch->kernel_table && arch->kernel_table(&facts, &own) &&
		vmcoreinfo_symbol(&kernel->vmcoreinfo, "_stext", &stext) &&
		paging_translate(&kernel->table, memory, stext, &expected) &&
		paging_translate(&own, memory, stext, &paddr) && paddr == expected)
		kernel->table = own;
}

int kernel_accept_vmcoreinfo(struct kernel *kernel, struct vmcoreinfo *candidate,
	const struct guest_memory *memory, struct error *error)
{
	const struct page_table *table = kernel->mapped ? &kernel->table : NULL;
	char strings[UTSNAME_STRINGS][UTSNAME_STRING_SIZE] = { 0 };
	struct page_cache *cache = page_cache_create(memory);
	int result = 0;

	if (!cache)
		return error_no_memory(error);
	if (table)
		result = vmcoreinfo_validate(candidate, &cache->memory, table, error);
	if (result == 0 && (table || vmcoreinfo_knows_image(candidate)))
		result = vmcoreinfo_utsname(candidate, &cache->memory, table, strings, error);
	page_cache_destroy(cache);
	if (result)
		return -1;

	vmcoreinfo_deinit(&kernel->vmcoreinfo);
	kernel->vmcoreinfo = *candidate;
	vmcoreinfo_init(candidate);
	memcpy(kernel->utsname, strings, sizeof(strings));
	if (kernel->mapped)
		take_own_table(kernel, memory);
	return 0;
}
