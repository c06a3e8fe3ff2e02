// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/page_filter.h"

#include "layout/mem_map.h"
#include "layout/page_structs.h"
#include "layout/page_types.h"

struct scan {
	unsigned level, page_shift;
	struct page_types types;
	struct mem_map map;
	struct page_structs structs;
	struct page_set *kept;
	uint64_t frames[PAGE_CLASSES];

	/* Frames up to `until` are decided already: by the first of them. */
	uint64_t until;
	enum page_class until_class;

	/* Frames of one class, one behind the other, that are yet to be counted and taken out. */
	uint64_t run_pfn, run_count;
	enum page_class run_class;
};

static void end_run(struct scan *scan)
{
	scan->frames[scan->run_class] += scan->run_count;
	if (scan->run_count && scan->run_class != PAGE_KEPT && scan->run_class != PAGE_UNDECIDED)
		page_set_remove(scan->kept, scan->run_pfn, scan->run_count);
	scan->run_count = 0;
}

static void decide(struct scan *scan, uint64_t pfn, uint64_t count, enum page_class class)
{
	if (class != scan->run_class || pfn != scan->run_pfn + scan->run_count) {
		end_run(scan);
		scan->run_pfn = pfn;
		scan->run_class = class;
	}
	scan->run_count += count;
}

/* Returns how many of the frames from pfn up to end the last block of pages has decided. */
static uint64_t decide_by_block(struct scan *scan, uint64_t pfn, uint64_t end)
{
	uint64_t until = scan->until < end ? scan->until : end;

	if (pfn >= until)
		return 0;
	decide(scan, pfn, until - pfn, scan->until_class);
	return until - pfn;
}

static void decide_by_structs(struct scan *scan, uint64_t pfn, size_t count)
{
	const struct page_structs *structs = &scan->structs;
	uint64_t end = pfn + count;

	for (size_t i = 0; i < count;) {
		size_t decided = (size_t)decide_by_block(scan, pfn + i, end);
		enum page_class class = PAGE_UNDECIDED;
		unsigned order = 0;

		if (decided) {
			i += decided;
			continue;
		}
		if (!structs->missing[i])
			class = page_classify(&scan->types, scan->level, pfn + i,
				structs->bytes + i * scan->types.size,
				i + 1 < count && !structs->missing[i + 1], &order);
		scan->until = pfn + i + (UINT64_C(1) << order);
		scan->until_class = class;
		decide(scan, pfn + i, 1, class);
		i++;
	}
}

/* The frames from pfn up to end, whose structs are in this area. */
static void scan_area(
	struct scan *scan, const struct mem_map_area *area, uint64_t pfn, uint64_t end)
{
	while (pfn < end) {
		uint64_t offset, count = decide_by_block(scan, pfn, end);

		if (count == 0) {
			/* Windows end at even frames: a compound page's second struct is there. */
			count = scan->structs.window - pfn % scan->structs.window;
			if (count > end - pfn)
				count = end - pfn;
			offset = (pfn - area->pfn) * scan->types.size;
			page_structs_read(&scan->structs, area->vaddr + offset, (size_t)count,
				area->vaddr + area->count * scan->types.size);
			decide_by_structs(scan, pfn, (size_t)count);
		}
		pfn += count;
	}
}

static void scan_ram(struct scan *scan, const struct ranges *ram)
{
	const struct mem_map *map = &scan->map;
	size_t area = 0;
	uint64_t pfn = 0;

	for (size_t i = 0; i < ram->count; i++) {
		const struct range *range = &ram->items[i];
		uint64_t first = range->start >> scan->page_shift;
		uint64_t end = ((range->start + range->size - 1) >> scan->page_shift) + 1;

		/* Two ranges may touch the same frame. */
		for (pfn = first > pfn ? first : pfn; pfn < end;) {
			uint64_t part_end = end;

			while (area < map->count &&
				map->areas[area].pfn + map->areas[area].count <= pfn)
				area++;
			if (area < map->count && map->areas[area].pfn <= pfn) {
				const struct mem_map_area *here = &map->areas[area];

				if (part_end > here->pfn + here->count)
					part_end = here->pfn + here->count;
				scan_area(scan, here, pfn, part_end);
			} else {
				if (area < map->count && part_end > map->areas[area].pfn)
					part_end = map->areas[area].pfn;
				decide(scan, pfn, part_end - pfn, PAGE_UNDECIDED);
			}
			pfn = part_end;
		}
	}
	end_run(scan);
}

static void fill_in(const struct scan *scan, struct page_filter_counts *counts)
{
	*counts = (struct page_filter_counts){
		.kept = scan->frames[PAGE_KEPT],
		.cache = scan->frames[PAGE_CACHE],
		.private_cache = scan->frames[PAGE_PRIVATE_CACHE],
		.user = scan->frames[PAGE_USER],
		.free = scan->frames[PAGE_FREE],
		.unaccepted = scan->frames[PAGE_UNACCEPTED],
		.hwpoison = scan->frames[PAGE_HWPOISON],
		.offline = scan->frames[PAGE_OFFLINE],
		.undecided = scan->frames[PAGE_UNDECIDED],
		.struct_bytes = scan->structs.bytes_read,
	};
	for (size_t i = 0; i < PAGE_CLASSES; i++)
		counts->total += scan->frames[i];
}

/* Frames that the kernel is sure to use: of its first code and of its top page table. */
struct landmarks {
	uint64_t pfns[2];
	size_t count;
};

static void find_landmarks(struct landmarks *landmarks, const struct scan *scan,
	const struct kernel *kernel, const struct guest_memory *memory)
{
	uint64_t stext, paddrs[2];
	size_t count = 0;

	*landmarks = (struct landmarks){ 0 };
	if (vmcoreinfo_symbol(&kernel->vmcoreinfo, "_stext", &stext) &&
		paging_translate(&kernel->table, memory, stext, &paddrs[count]))
		count++;
	if (kernel->table.levels)
		paddrs[count++] = kernel->table.root;
	for (size_t i = 0; i < count; i++) {
		if (page_set_contains(scan->kept, paddrs[i] >> scan->page_shift))
			landmarks->pfns[landmarks->count++] = paddrs[i] >> scan->page_shift;
	}
}

/* Structs that take them for free or a user's are no structs, or not of this kernel. */
static int check_landmarks(
	const struct landmarks *landmarks, const struct scan *scan, struct error *error)
{
	for (size_t i = 0; i < landmarks->count; i++) {
		if (!page_set_contains(scan->kept, landmarks->pfns[i]))
			return error_set(error,
				"the kernel's struct pages are not as VMCOREINFO describes them: "
				"its own code or page table would be left out");
	}
	return 0;
}

static int scan_all(struct scan *scan, const struct kernel *kernel, const struct ranges *ram,
	const struct guest_memory *memory, struct error *error)
{
	struct landmarks landmarks;

	if (page_types_init(
		    &scan->types, scan->level, kernel->table.arch, &kernel->vmcoreinfo, error) ||
		mem_map_init(&scan->map, kernel, scan->types.size, ram, memory, error))
		return -1;
	if (page_structs_init(&scan->structs, &kernel->table, memory, scan->types.size))
		return error_no_memory(error);
	find_landmarks(&landmarks, scan, kernel, memory);
	scan_ram(scan, ram);
	if (scan->structs.no_memory)
		return error_no_memory(error);
	return check_landmarks(&landmarks, scan, error);
}

int page_filter(unsigned level, const struct kernel *kernel, const struct ranges *ram,
	const struct guest_memory *memory, struct page_set *kept, struct page_filter_counts *counts,
	struct error *error)
{
	struct scan scan = { .level = level, .kept = kept };
	int result;

	*counts = (struct page_filter_counts){ 0 };
	if ((level & ~(unsigned)DUMP_LEVEL_ZERO) == 0) {
		counts->total = counts->kept = page_set_count(kept);
		return 0;
	}
	if (!kernel->vmcoreinfo.text)
		return error_set(error, "the kernel's VMCOREINFO was not found");
	if (!kernel->mapped)
		return error_set(error, "the kernel's page tables were not found");
	scan.page_shift = kernel->vmcoreinfo.page_shift;
	result = scan_all(&scan, kernel, ram, memory, error);
	if (result == 0)
		fill_in(&scan, counts);
	page_structs_deinit(&scan.structs);
	mem_map_deinit(&scan.map);
	return result;
}
