// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way to VMCOREINFO without symbols. Linux 4.13 and later keep pointers to the pages of the
 * note and of its text in static variables, so the writable part of the kernel image is scanned
 * for addresses of pages in the direct map: some 160 different ones in a kernel of Debian 12, of
 * which the first bytes are then looked at. Linux before 4.13 has the note itself there. All of
 * them are in .bss, with which images end: what is last is read first.
 */
#include "layout/kernel.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>

#include "layout/page_cache.h"

enum {
	SCAN_SIZE = 1 << 20, /* one read, all of which fails with any of its bytes */
	AHEAD_MIN = 2,       /* reads at once, at first */
	SCAN_AHEAD = 8,
	SCAN_OVERLAP = 4096,  /* read twice, for a note that begins at the end */
	SCAN_MAX = 256 << 20, /* in all; a kernel with every debugging option has some 100 MiB */
	CHUNKS_MAX = 1024,
	POINTERS_MAX = 65536, /* different ones */
	SEEN_SLOTS = 2 * POINTERS_MAX,
	BATCH = 1024,
	READS_MAX = 64, /* of whole notes; more than a few only in a hostile guest */
	NOTE_ALIGN = 4,
};

/* A stretch of the image that is read and looked through as one. */
struct chunk {
	uint64_t paddr;
	size_t size;      /* to be looked through */
	size_t available; /* that are read: there is more behind them where a note may go on */
};

struct scan {
	struct kernel *kernel;
	const struct ranges *ram;
	const struct guest_memory *memory;
	struct error *error; /* why the last VMCOREINFO does not fit */

	struct page_cache *cache; /* of page tables */
	/* Where a kernel does not protect its code from being written to, all is looked through. */
	bool with_code;
	struct chunk *chunks; /* by address, CHUNKS_MAX at most */
	size_t chunk_count;
	uint8_t *bytes;                      /* SCAN_SIZE of each chunk that is read at once */
	uint64_t found, scanned, unreadable; /* bytes */
	unsigned reads;

	uint64_t *seen; /* a hash table of SEEN_SLOTS page addresses + 1 */
	size_t pointers;

	/* The last pages that were pointed to; they wait to be looked at together. */
	struct guest_read_request requests[BATCH];
	uint8_t heads[BATCH][VMCOREINFO_HEAD_SIZE];
	size_t waiting;
};

/* Reads what may be VMCOREINFO. Returns 1 at the note of the running kernel. */
static int look_at(struct scan *scan, uint64_t paddr)
{
	struct vmcoreinfo info;
	bool is_note, accepted;

	if (scan->reads == READS_MAX)
		return 0;
	scan->reads++;
	vmcoreinfo_init(&info);
	if (vmcoreinfo_read(&info, &scan->cache->memory, paddr, scan->error))
		return 0;
	/* The text alone will do, but after a panic the note says more. */
	is_note = info.paddr != paddr;
	accepted = (is_note || !scan->kernel->vmcoreinfo.text) &&
	           kernel_accept_vmcoreinfo(
			   scan->kernel, &info, &scan->cache->memory, scan->error) == 0;
	vmcoreinfo_deinit(&info);
	return is_note && accepted;
}

static int look_at_waiting(struct scan *scan)
{
	int result = 0;

	guest_read_many(scan->memory, scan->requests, scan->waiting);
	for (size_t i = 0; i < scan->waiting && result == 0; i++) {
		if (!scan->requests[i].failed && vmcoreinfo_head(scan->heads[i]))
			result = look_at(scan, scan->requests[i].paddr);
	}
	scan->waiting = 0;
	return result;
}

/* Whether this is the first pointer to the page; false also when there are too many. */
static bool is_new(struct scan *scan, uint64_t page)
{
	size_t slot = (size_t)(page * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SEEN_SLOTS;

	for (; scan->seen[slot]; slot = (slot + 1) % SEEN_SLOTS) {
		if (scan->seen[slot] == page + 1)
			return false;
	}
	if (scan->pointers == POINTERS_MAX)
		return false;
	scan->pointers++;
	scan->seen[slot] = page + 1;
	return true;
}

static int visit_pointer(struct scan *scan, uint64_t vaddr)
{
	const struct arch *arch = scan->kernel->table.arch;
	uint64_t page_size = UINT64_C(1) << arch->page_shift;
	uint64_t paddr = vaddr - scan->kernel->direct_map;

	if (paddr % page_size || !ranges_contain(scan->ram, paddr, page_size) ||
		!is_new(scan, paddr))
		return 0;
	scan->requests[scan->waiting] = (struct guest_read_request){
		.paddr = paddr,
		.buf = scan->heads[scan->waiting],
		.len = VMCOREINFO_HEAD_SIZE,
	};
	if (++scan->waiting < BATCH)
		return 0;
	return look_at_waiting(scan);
}

static int scan_chunk(struct scan *scan, const struct chunk *chunk, const uint8_t *bytes)
{
	const struct arch *arch = scan->kernel->table.arch;
	size_t pointer_size = arch->elf_class == ELFCLASS64 ? 8 : 4;
	int result = 0;

	for (size_t i = 0; i < chunk->size && result == 0; i += NOTE_ALIGN) {
		const uint8_t *at = bytes + i;

		if (chunk->available - i >= VMCOREINFO_HEAD_SIZE && vmcoreinfo_head(at))
			result = look_at(scan, chunk->paddr + i);
		else if (i % pointer_size == 0)
			result = visit_pointer(scan, pointer_size == 8 ? get_u64(at, arch->order)
								       : get_u32(at, arch->order));
	}
	return result;
}

/* Reads some chunks, and looks through them and at what they point to. */
static int scan_at_once(struct scan *scan, const struct chunk *chunks, size_t count)
{
	struct guest_read_request requests[SCAN_AHEAD];
	int result = 0;

	for (size_t i = 0; i < count; i++)
		requests[i] = (struct guest_read_request){
			.paddr = chunks[i].paddr,
			.buf = scan->bytes + i * SCAN_SIZE,
			.len = chunks[i].available,
		};
	guest_read_many(scan->memory, requests, count);
	for (size_t i = 0; i < count && result == 0; i++) {
		scan->scanned += chunks[i].size;
		if (requests[i].failed)
			scan->unreadable += chunks[i].size;
		else
			result = scan_chunk(scan, &chunks[i], requests[i].buf);
	}
	return result ? result : look_at_waiting(scan);
}

static void scan_chunks(struct scan *scan)
{
	size_t left = scan->chunk_count;

	while (left) {
		size_t count = left < SCAN_AHEAD ? left : SCAN_AHEAD;

		left -= count;
		if (scan_at_once(scan, scan->chunks + left, count))
			break;
	}
}

static int visit_image(void *ctx, const struct mapping *mapping)
{
	struct scan *scan = ctx;

	if (!mapping->writable || mapping->executable != scan->with_code)
		return 0;
	for (uint64_t offset = 0; offset < mapping->size;) {
		uint64_t left = mapping->size - offset;
		struct chunk *chunk = &scan->chunks[scan->chunk_count];

		if (scan->chunk_count == CHUNKS_MAX || scan->found >= SCAN_MAX)
			return -1;
		chunk->paddr = mapping->paddr + offset;
		chunk->available = left < SCAN_SIZE ? (size_t)left : SCAN_SIZE;
		chunk->size = left > SCAN_SIZE ? SCAN_SIZE - SCAN_OVERLAP : chunk->available;
		scan->found += chunk->size;
		offset += chunk->size;
		scan->chunk_count++;
	}
	return 0;
}

static int scan_mappings(struct scan *scan)
{
	const struct mapping *text = &scan->kernel->text;

	if (paging_walk(&scan->kernel->table, &scan->cache->memory, text->vaddr,
		    text->vaddr + (text->size - 1), visit_image, scan) == PAGING_NO_MEMORY)
		return error_no_memory(scan->error);
	scan_chunks(scan);
	return 0;
}

static int scan_image(struct scan *scan)
{
	if (scan_mappings(scan))
		return -1;
	if (!scan->found) {
		scan->with_code = true;
		if (scan_mappings(scan))
			return -1;
	}

	if (scan->kernel->vmcoreinfo.text)
		return 0;
	if (scan->reads)
		return error_prefix(scan->error, "VMCOREINFO found, but");
	return error_set(scan->error,
		"no VMCOREINFO in %" PRIu64 " KiB of the kernel's data (%" PRIu64
		" of them unreadable), nor in the %zu pages that they point to",
		scan->scanned >> 10, scan->unreadable >> 10, scan->pointers);
}

/* Where the architecture itself has a place for VMCOREINFO's address. */
static bool take_from_place(
	struct kernel *kernel, const struct guest_memory *memory, struct error *error)
{
	const struct arch *arch = kernel->arch;
	struct vmcoreinfo info;
	uint64_t paddr;
	bool taken;

	if (!arch || !arch->vmcoreinfo_address || !arch->vmcoreinfo_address(memory, &paddr))
		return false;
	vmcoreinfo_init(&info);
	taken = vmcoreinfo_read(&info, memory, paddr, error) == 0 &&
	        kernel_accept_vmcoreinfo(kernel, &info, memory, error) == 0;
	vmcoreinfo_deinit(&info);
	return taken;
}

int kernel_find_vmcoreinfo(struct kernel *kernel, const struct ranges *ram,
	const struct guest_memory *memory, struct error *error)
{
	struct scan *scan;
	int result;

	vmcoreinfo_deinit(&kernel->vmcoreinfo);
	if (take_from_place(kernel, memory, error))
		return 0;
	if (kernel->no_memory)
		return error_no_memory(error);
	if (!kernel->mapped)
		return error_set(error, "no vCPU's page tables show a kernel");
	scan = calloc(1, sizeof(*scan));
	if (!scan)
		return error_no_memory(error);
	scan->kernel = kernel;
	scan->ram = ram;
	scan->memory = memory;
	scan->error = error;
	scan->cache = kernel->cache ? kernel->cache : page_cache_create(memory);
	kernel->cache = NULL;
	scan->bytes = malloc((size_t)SCAN_AHEAD * SCAN_SIZE);
	scan->chunks = calloc(CHUNKS_MAX, sizeof(*scan->chunks));
	scan->seen = calloc(SEEN_SLOTS, sizeof(*scan->seen));
	if (scan->cache && scan->chunks && scan->bytes && scan->seen)
		result = scan_image(scan);
	else
		result = error_no_memory(error);
	page_cache_destroy(scan->cache);
	free(scan->chunks);
	free(scan->bytes);
	free(scan->seen);
	free(scan);
	return result;
}
