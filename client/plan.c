// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/plan.h"

#include <stdlib.h>
#include <string.h>

#include "client/plan_memory.h"
#include "layout/address_spaces.h"

#define RAM_START_ALIGN (UINT64_C(2) << 20)

enum {
	/* Kernels reserve one page for it, of at most 64 KiB. */
	LATE_VMCOREINFO_MAX = 65536,
};

static void add_mapping(struct plan *plan, uint64_t vaddr, uint64_t paddr, uint64_t size)
{
	plan->mappings[plan->core.mapping_count++] = (struct core_mapping){
		.vaddr = vaddr, .paddr = paddr, .size = size
	};
}

/*
 * The kernel image as the kernel itself links it, as kexec has it in /proc/vmcore: makedumpfile
 * takes phys_base from this one, gdb and drgn before 0.0.27 read the kernel's data through it.
 */
static void map_kernel_image(struct plan *plan, const struct guest *guest)
{
	const struct mapping *text = &guest->kernel.text;
	const struct range *range = ranges_find(&guest->memory, text->paddr);
	uint64_t size = text->size;

	/* On some CPUs it lies in the direct map, which has it then. */
	if (!range || text->vaddr - text->paddr == guest->kernel.direct_map)
		return;
	if (size > range->start + range->size - text->paddr)
		size = range->start + range->size - text->paddr;
	add_mapping(plan, text->vaddr, text->paddr, size);
}

/*
 * What has no virtual address gets its physical one, as in QEMU's own dumps. With 32 bits, that may
 * be one of the direct map, which is then read from the wrong place; 0 is no address of the kernel.
 */
static void map_physically(
	struct plan *plan, const struct guest *guest, uint64_t start, uint64_t end)
{
	const struct kernel *kernel = &guest->kernel;
	uint64_t vaddr = start;

	if (start >= end)
		return;
	if (kernel->mapped && kernel->direct_map_end != UINT64_MAX &&
		end > kernel->direct_map + guest->ram.items[0].start &&
		start < kernel->direct_map + kernel->direct_map_end)
		vaddr = 0;
	add_mapping(plan, vaddr, start, end - start);
}

static void map_ram(struct plan *plan, const struct guest *guest, uint64_t start, uint64_t end)
{
	const struct kernel *kernel = &guest->kernel;
	uint64_t reached = kernel->direct_map_end < end ? kernel->direct_map_end : end;

	if (start < reached)
		add_mapping(plan, kernel->direct_map + start, start, reached - start);
	map_physically(plan, guest, start > reached ? start : reached, end);
}

/*
 * The direct map has RAM only: what --ram all adds has no address there. That may be of one range
 * with RAM: QEMU's pc has firmware up to the 4 GiB that RAM goes on from.
 */
static void map_directly(struct plan *plan, const struct guest *guest, const struct range *range)
{
	uint64_t at = range->start, end = range->start + range->size;

	for (size_t i = 0; i < guest->ram.count; i++) {
		const struct range *ram = &guest->ram.items[i];
		uint64_t from = ram->start > at ? ram->start : at;
		uint64_t to = ram->start + ram->size < end ? ram->start + ram->size : end;

		if (from >= to)
			continue;
		map_physically(plan, guest, at, from);
		map_ram(plan, guest, from, to);
		at = to;
	}
	map_physically(plan, guest, at, end);
}

static void map_memory(struct plan *plan, const struct guest *guest)
{
	for (size_t i = 0; i < guest->memory.count; i++) {
		const struct range *range = &guest->memory.items[i];

		if (guest->kernel.mapped)
			map_directly(plan, guest, range);
		else
			map_physically(plan, guest, range->start, range->start + range->size);
	}
}

static int add_vmcoreinfo(struct plan *plan, const struct guest *guest)
{
	const struct vmcoreinfo *info = &guest->kernel.vmcoreinfo;

	if (info->text)
		notes_append(&plan->notes, "VMCOREINFO", 0, info->text, info->size);
	return plan->notes.failed ? -1 : 0;
}

/* Of the kernel's pages, which on some CPUs are larger than the smallest that they have. */
static unsigned page_shift(const struct guest *guest)
{
	uint64_t size = guest->kernel.vmcoreinfo.page_size;
	unsigned shift = guest->arch->page_shift;

	while (size > UINT64_C(1) << shift && shift < CORE_PAGE_SHIFT_MAX)
		shift++;
	return shift;
}

/*
 * Where RAM begins is what a kernel of 32 bits has at the start of its direct map, which need not
 * be the first memory of the machine. Both kernels and the readers know it as a multiple of 2 MiB.
 */
static uint64_t ram_start(const struct guest *guest)
{
	const struct ranges *ram = guest->arch->frames_from_ram_start ? &guest->memory
	                                                              : &guest->ram;
	uint64_t start = ram->count ? ram->items[0].start : 0;

	if (!guest->arch->frames_from_ram_start)
		return start;
	if (guest->kernel.mapped)
		start = guest->kernel.direct_map_start;
	return start & ~(RAM_START_ALIGN - 1);
}

/* As VMCOREINFO says it, which may be there where no page tables were found. */
static int64_t phys_base(const struct guest *guest)
{
	int64_t number;

	if (guest->arch->phys_base_is_ram_start)
		return (int64_t)ram_start(guest);
	return vmcoreinfo_number(&guest->kernel.vmcoreinfo, "phys_base", &number)
	               ? number
	               : guest->kernel.phys_base;
}

/* The headers of formats by pages. */
static void describe_guest(
	struct plan *plan, const struct guest *guest, const struct options *options)
{
	const struct codec *codec = options->format->codec;

	plan->core.arch = guest->arch;
	plan->core.page_shift = page_shift(guest);
	plan->core.cpu_count = (unsigned)guest->cpu_count;
	plan->core.phys_base = phys_base(guest);
	plan->core.utsname = guest->kernel.utsname;
	if (codec)
		plan->core.compress_level = options->compress_level ? options->compress_level
		                                                    : codec->level;
}

static int map_kernel_and_memory(struct plan *plan, const struct guest *guest)
{
	/*
	 * The image; the pieces that the two sets cut each other into, and what is between them;
	 * and one more, for one piece may be cut in two by the direct map's end.
	 */
	plan->mappings = calloc(
		2 + 2 * (guest->memory.count + guest->ram.count), sizeof(*plan->mappings));
	if (!plan->mappings)
		return -1;
	if (guest->kernel.mapped)
		map_kernel_image(plan, guest);
	map_memory(plan, guest);
	return 0;
}

static int map_as_seen_by_vcpus(
	struct plan *plan, const struct guest *guest, struct failure *failure)
{
	struct address_spaces spaces;
	struct error error;
	int rc = 0;

	if (address_spaces_read(&spaces, &guest->kernel, guest->arch, guest->cpus, guest->cpu_count,
		    &guest->memory, &guest->reader, &error)) {
		rc = fail(failure, STATUS_FAILED, "--paging: %s", error.text);
	} else {
		plan->mappings = spaces.mappings;
		plan->core.mapping_count = spaces.count;
		plan->page_tables = spaces.roots;
		plan->page_tables_whole = spaces.complete;
		spaces.mappings = NULL;
	}
	address_spaces_deinit(&spaces);
	return rc;
}

int plan_make(struct plan *plan, const struct guest *guest, const struct options *options,
	bool can_write_at, struct failure *failure)
{
	memset(plan, 0, sizeof(*plan));
	notes_init(&plan->notes, guest->arch->order);
	describe_guest(plan, guest, options);
	if (plan_memory(plan, guest, options, failure))
		return -1;
	if (options->paging) {
		if (map_as_seen_by_vcpus(plan, guest, failure))
			return -1;
	} else if (map_kernel_and_memory(plan, guest)) {
		return fail(failure, STATUS_FAILED, "no memory");
	}
	/* What was not read for that is not what is not there. */
	if (guest->memory_state.lost)
		return fail_rsp(failure, guest->rsp, "reading memory");
	if (plan_cut_mappings(plan, failure))
		return -1;
	guest->arch->write_notes(
		guest->cpus, guest->cpu_count, &plan->notes, plan->missing, sizeof(plan->missing));
	if (add_vmcoreinfo(plan, guest))
		return fail(failure, STATUS_FAILED, "no memory for notes");
	if (can_write_at && !guest->kernel.vmcoreinfo.text &&
		strcmp(options->vmcoreinfo, "auto") == 0)
		plan->late_vmcoreinfo_max = LATE_VMCOREINFO_MAX;
	plan->core.mappings = plan->mappings;
	plan->core.notes = &plan->notes;
	if (plan->late_vmcoreinfo_max)
		plan->core.late_note_room = note_size("VMCOREINFO", LATE_VMCOREINFO_MAX);
	return 0;
}

void plan_add_late(struct plan *plan, const struct guest *guest, struct notes *late)
{
	const struct vmcoreinfo *info = &guest->kernel.vmcoreinfo;

	if (!plan->late_vmcoreinfo_max || !info->text)
		return;
	notes_append(late, "VMCOREINFO", 0, info->text, info->size);
	plan->core.phys_base = phys_base(guest);
}

void plan_deinit(struct plan *plan)
{
	notes_deinit(&plan->notes);
	plan_memory_deinit(plan);
	free(plan->mappings);
	memset(plan, 0, sizeof(*plan));
}
