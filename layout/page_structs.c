// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/page_structs.h"

#include <stdlib.h>
#include <string.h>

enum {
	PAGE = 4096, /* no kernel has smaller ones */
	PIECES_MAX = PAGE_STRUCTS_SPAN / PAGE + 2,
	/* A piece may begin and end anywhere in a page, and a read ends with a piece. */
	REQUESTS_MAX = 2 * (PAGE_STRUCTS_SIZE / PAGE) + 2,
};

static int visit_piece(void *ctx, const struct mapping *mapping)
{
	struct page_structs *structs = ctx;

	if (structs->piece_count == PIECES_MAX)
		return 1;
	structs->pieces[structs->piece_count++] = *mapping;
	return 0;
}

static void walk_span(struct page_structs *structs, uint64_t vaddr, uint64_t end)
{
	structs->span = vaddr;
	structs->span_end = end - vaddr < PAGE_STRUCTS_SPAN ? end : vaddr + PAGE_STRUCTS_SPAN;
	structs->piece_count = 0;
	/* A walk that ends early has left out what is then missing. */
	if (paging_walk(structs->table, structs->memory, vaddr, structs->span_end - 1, visit_piece,
		    structs) == PAGING_NO_MEMORY)
		structs->no_memory = true;
}

/* The first piece that ends behind vaddr. */
static size_t find_piece(const struct page_structs *structs, uint64_t vaddr)
{
	size_t low = 0, high = structs->piece_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mapping *piece = &structs->pieces[middle];

		if (piece->vaddr + (piece->size - 1) < vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Marks the structs that have any of these bytes. */
static void mark_missing(struct page_structs *structs, size_t offset, size_t size)
{
	size_t first = offset / structs->struct_size;

	if (size)
		memset(structs->missing + first, true,
			(offset + size - 1) / structs->struct_size - first + 1);
}

/* Requests for [vaddr, vaddr + size), as far as it is mapped. Returns how many. */
static size_t make_requests(struct page_structs *structs, uint64_t vaddr, size_t size, uint8_t *to)
{
	size_t at = 0, count = 0;

	for (size_t i = find_piece(structs, vaddr); at < size && i < structs->piece_count; i++) {
		const struct mapping *piece = &structs->pieces[i];
		uint64_t skipped = vaddr + at > piece->vaddr ? vaddr + at - piece->vaddr : 0;
		uint64_t gap = piece->vaddr > vaddr + at ? piece->vaddr - (vaddr + at) : 0;
		uint64_t left = piece->size - skipped, paddr = piece->paddr + skipped;

		if (gap >= size - at)
			break;
		mark_missing(structs, (size_t)(to - structs->bytes) + at, (size_t)gap);
		at += (size_t)gap;
		if (left > size - at)
			left = size - at;
		while (left && count < REQUESTS_MAX) {
			size_t part = PAGE_STRUCTS_READ_MAX;

			if (part > left)
				part = (size_t)left;
			structs->requests[count++] = (struct guest_read_request){
				.paddr = paddr, .buf = to + at, .len = part
			};
			paddr += part;
			at += part;
			left -= part;
		}
		if (left)
			break;
	}
	mark_missing(structs, (size_t)(to - structs->bytes) + at, size - at);
	return count;
}

/* One page that cannot be read must not take the rest of its piece with it. */
static size_t split_failed(struct page_structs *structs, size_t count)
{
	size_t retries = 0;

	for (size_t i = 0; i < count; i++) {
		const struct guest_read_request *failed = &structs->requests[i];
		size_t part;

		for (size_t at = 0; failed->failed && at < failed->len; at += part) {
			part = PAGE - (size_t)((failed->paddr + at) % PAGE);
			if (part > failed->len - at)
				part = failed->len - at;
			structs->retries[retries++] = (struct guest_read_request){
				.paddr = failed->paddr + at,
				.buf = (uint8_t *)failed->buf + at,
				.len = part,
			};
		}
	}
	return retries;
}

static void count_bytes(
	struct page_structs *structs, const struct guest_read_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		structs->bytes_read += requests[i].failed ? 0 : requests[i].len;
}

static void read_requests(struct page_structs *structs, size_t count)
{
	size_t retries;

	guest_read_many(structs->memory, structs->requests, count);
	count_bytes(structs, structs->requests, count);
	retries = split_failed(structs, count);
	if (!retries)
		return;
	guest_read_many(structs->memory, structs->retries, retries);
	count_bytes(structs, structs->retries, retries);
	for (size_t i = 0; i < retries; i++) {
		const struct guest_read_request *retry = &structs->retries[i];

		if (retry->failed)
			mark_missing(structs, (size_t)((uint8_t *)retry->buf - structs->bytes),
				retry->len);
	}
}

void page_structs_read(struct page_structs *structs, uint64_t vaddr, size_t count, uint64_t end)
{
	size_t size = count * structs->struct_size, done = 0;

	memset(structs->missing, false, count);
	if (end < vaddr || end - vaddr < size) {
		mark_missing(structs, 0, size);
		return;
	}
	while (done < size) {
		uint64_t at = vaddr + done;
		size_t part = size - done, requests;

		if (at < structs->span || at >= structs->span_end)
			walk_span(structs, at, end);
		if (part > structs->span_end - at)
			part = (size_t)(structs->span_end - at);
		requests = make_requests(structs, at, part, structs->bytes + done);
		read_requests(structs, requests);
		done += part;
	}
}

int page_structs_init(struct page_structs *structs, const struct page_table *table,
	const struct guest_memory *memory, uint32_t struct_size)
{
	*structs = (struct page_structs){
		.table = table,
		.memory = memory,
		.struct_size = struct_size,
		.window = 2,
	};
	while (2 * structs->window * struct_size <= PAGE_STRUCTS_SIZE)
		structs->window *= 2;
	structs->bytes = malloc(structs->window * struct_size);
	structs->missing = calloc(structs->window, sizeof(*structs->missing));
	structs->pieces = calloc(PIECES_MAX, sizeof(*structs->pieces));
	structs->requests = calloc(REQUESTS_MAX, sizeof(*structs->requests));
	/* Each read begins in one page more than it is long. */
	structs->retries = calloc((size_t)2 * REQUESTS_MAX, sizeof(*structs->retries));
	return structs->bytes && structs->missing && structs->pieces && structs->requests &&
	                       structs->retries
	               ? 0
	               : -1;
}

void page_structs_deinit(struct page_structs *structs)
{
	free(structs->bytes);
	free(structs->missing);
	free(structs->pieces);
	free(structs->requests);
	free(structs->retries);
	*structs = (struct page_structs){ 0 };
}
