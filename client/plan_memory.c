// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/plan_memory.h"

/* Zeros need no knowledge of the kernel: every format leaves them out as it can. */
static bool needs_classes(const struct options *options)
{
	return options->dump_level > DUMP_LEVEL_ZERO;
}

/*
 * The format's memory in ranges is exact to the byte, as QEMU has it. Pages are whole, and so what
 * is asked for grows to whole pages.
 */
static void clip(const struct plan *plan, const struct options *options, struct ranges *ranges)
{
	uint64_t page = UINT64_C(1) << plan->core.page_shift;
	uint64_t begin = options->begin, length = options->length;

	if (!length)
		return;
	if (!options->format->by_ranges) {
		length += begin % page;
		begin -= begin % page;
		length = length < RANGE_ADDRESS_MAX ? (length + page - 1) / page * page : length;
	}
	ranges_clip(ranges, begin, length);
}

static int choose_memory(struct plan *plan, const struct guest *guest,
	const struct options *options, struct failure *failure)
{
	const struct ranges *memory = &guest->memory;

	if (ranges_copy(&plan->memory, memory))
		return fail(failure, STATUS_FAILED, "no memory");
	clip(plan, options, &plan->memory);
	if (memory->count && !plan->memory.count)
		return fail(failure, STATUS_UNSUPPORTED,
			"--begin 0x%llx --length 0x%llx: the guest has no memory there, but from 0x%llx to 0x%llx",
			(unsigned long long)options->begin, (unsigned long long)options->length,
			(unsigned long long)memory->items[0].start,
			(unsigned long long)ranges_end(memory) - 1);
	return 0;
}

/* What --ram all adds is no page of the kernel's, and stays. */
static int filter_pages(struct plan *plan, const struct guest *guest, const struct options *options,
	struct failure *failure)
{
	struct ranges ram;
	struct error error;
	int rc = 0;

	ranges_init(&ram);
	if (page_set_init(&plan->kept, &plan->memory, plan->core.page_shift) ||
		ranges_copy(&ram, &guest->ram)) {
		rc = fail(failure, STATUS_FAILED, "no memory for a bit for each page");
	} else {
		clip(plan, options, &ram);
		rc = page_filter(options->dump_level, &guest->kernel, &ram, &guest->reader,
			&plan->kept, &plan->pages, &error);
		if (rc && guest->memory_state.lost)
			fail_rsp(failure, guest->rsp, "reading memory");
		else if (rc && !fail_no_memory(failure, &error))
			fail(failure, STATUS_UNSUPPORTED, "--dump-level %u: %s (use -d 0 or 1)",
				options->dump_level, error.text);
	}
	ranges_deinit(&ram);
	return rc;
}

static int choose_pages(struct plan *plan, const struct guest *guest, const struct options *options,
	struct failure *failure)
{
	if (filter_pages(plan, guest, options, failure))
		return -1;
	plan->core.kept = &plan->kept;
	if (!page_set_count(&plan->kept))
		return fail(failure, STATUS_UNSUPPORTED,
			"--dump-level %u: no page is left of the memory", options->dump_level);
	if (!options->format->by_ranges)
		return 0;
	if (core_stretches(&plan->memory, &plan->kept, &plan->stretches))
		return fail(failure, STATUS_FAILED, "no memory");
	plan->core.memory = &plan->stretches;
	return 0;
}

int plan_memory(struct plan *plan, const struct guest *guest, const struct options *options,
	struct failure *failure)
{
	plan->core.memory = &plan->memory;
	plan->core.dump_level = options->dump_level;
	if (choose_memory(plan, guest, options, failure) ||
		(needs_classes(options) && choose_pages(plan, guest, options, failure)))
		return -1;
	plan->bytes = core_memory_bytes(&plan->core);
	return 0;
}

void plan_memory_deinit(struct plan *plan)
{
	ranges_deinit(&plan->memory);
	ranges_deinit(&plan->stretches);
	page_set_deinit(&plan->kept);
}

int plan_cut_mappings(struct plan *plan, struct failure *failure)
{
	if (core_cut_mappings(
		    &plan->mappings, &plan->core.mapping_count, &plan->memory, plan->core.memory))
		return fail(failure, STATUS_FAILED, "no memory for mappings, or too many of them");
	return 0;
}
