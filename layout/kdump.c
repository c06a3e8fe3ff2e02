// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing kdump cores. All that lies in front of the pages is known from the plan but the
 * descriptors: they are written in batches into the room that is kept for them, so that none is
 * held in memory for long. That needs a sink with write_at, which the flattened form is everywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/notes.h"
#include "layout/core_format.h"
#include "layout/kdump_headers.h"

enum {
	BITMAP_AT_ONCE = 64 << 10,  /* bytes */
	DESCRIPTORS_AT_ONCE = 4096, /* of 24 bytes each */
};

struct kdump_core {
	struct core core;
	struct kdump_layout layout;
	uint64_t described;                   /* descriptors that were written */
	struct kdump_descriptor *descriptors; /* those that were not yet */
	size_t descriptor_count;

	/* A page that comes in parts, because ranges begin or end in it. */
	struct core_worker *worker;
	uint8_t *parts; /* CORE_PIECE_MAX bytes, what did not come being zero */
	uint64_t parts_paddr;
	bool in_parts;
};

static struct kdump_core *kdump_of(struct core *core)
{
	return (struct kdump_core *)core;
}

static uint32_t page_flag(const struct core *core)
{
	const struct kdump_compression *compression = kdump_compressions;

	while (compression->codec != core->format->codec)
		compression++;
	return compression->flag;
}

/* ---- in front of the pages ------------------------------------------------------------------- */

static int append_headers(struct core *core)
{
	const struct kdump_layout *layout = &kdump_of(core)->layout;
	const struct core_plan *plan = core->plan;
	uint8_t header[KDUMP_HEADER_MAX], sub_header[KDUMP_SUB_HEADER_MAX];

	kdump_header(layout, plan, page_flag(core), header);
	kdump_sub_header(layout, plan, NULL, sub_header);
	return core_append(core, header, layout->form->header_size) ||
	                       core_fill_to(core, core->page_size) ||
	                       core_append(core, sub_header, layout->form->sub_header_size) ||
	                       core_append(core, plan->notes->bytes, plan->notes->size) ||
	                       core_fill_to(core, layout->bitmaps)
	               ? -1
	               : 0;
}

/* The bits of a bitmap from the byte at on: that of RAM, or of what is kept of it. */
static bool make_bits(const struct core *core, const struct page_set *kept, uint64_t at,
	uint8_t *bits, size_t size)
{
	const struct kdump_layout *layout = &((const struct kdump_core *)core)->layout;

	return kept ? page_set_bits(kept, layout->pfn_start + at * 8, bits, size)
	            : kdump_bitmap(layout, core->plan->memory, at * 8, bits, size);
}

/* kept is NULL for the bitmap of RAM, and for the other one if all of it is in the core. */
static int append_bitmap(struct core *core, uint64_t offset, const struct page_set *kept)
{
	const struct kdump_layout *layout = &kdump_of(core)->layout;
	uint8_t *bits = malloc(BITMAP_AT_ONCE);
	int result = bits ? 0 : core_no_memory(core);

	for (uint64_t at = 0; at < layout->bitmap_size && !result; at += BITMAP_AT_ONCE) {
		uint64_t left = layout->bitmap_size - at;
		size_t size = left < BITMAP_AT_ONCE ? (size_t)left : BITMAP_AT_ONCE;

		if (make_bits(core, kept, at, bits, size))
			result = core_fill_to(core, offset + at) || core_append(core, bits, size)
			                 ? -1
			                 : 0;
	}
	free(bits);
	return result;
}

static int kdump_begin(struct core *core)
{
	struct kdump_core *kdump = kdump_of(core);
	struct kdump_layout *layout = &kdump->layout;
	const struct core_plan *plan = core->plan;
	struct error error;

	if (plan->page_shift < CORE_PAGE_SHIFT_MIN || plan->page_shift > CORE_PAGE_SHIFT_MAX)
		return core_fail(core, "no core has pages of 2^%u bytes", plan->page_shift);
	if (kdump_layout_init(layout, plan, &error))
		return core_fail(core, "%s", error.text);
	if (plan->kept && plan->kept->page_shift != plan->page_shift)
		return core_fail(core, "other pages were kept than the core has");
	if (plan->kept && layout->pfn_start % PAGE_SET_ALIGN)
		return core_fail(core, "page frames are counted from an odd one");
	core->page_size = UINT64_C(1) << plan->page_shift;
	kdump->descriptors = calloc(DESCRIPTORS_AT_ONCE, sizeof(*kdump->descriptors));
	kdump->parts = malloc(CORE_PIECE_MAX);
	kdump->worker = core_worker_create(core);
	if (!kdump->descriptors || !kdump->parts || !kdump->worker)
		return core_no_memory(core);

	/* The page of zeros comes first, for all pages that are; it may be a hole. */
	return append_headers(core) || append_bitmap(core, layout->bitmaps, NULL) ||
	                       append_bitmap(
				       core, layout->bitmaps + layout->bitmap_size, plan->kept) ||
	                       core_fill_to(core, layout->pages + core->page_size)
	               ? -1
	               : 0;
}

/* ---- pages ----------------------------------------------------------------------------------- */

/*
 * Compresses each page that gets smaller by it, and moves all of them together. Of a page that is
 * there only in part the rest is yet to come, so it stays as it is.
 */
static void kdump_pack(struct core_worker *worker, struct core_piece *piece)
{
	const struct core *core = worker->core;
	uint8_t *from = piece->bytes, *to = piece->bytes;

	for (size_t i = 0; i < piece->page_count; i++) {
		struct core_page *page = &piece->pages[i];
		size_t length = core_page_length(
			core, piece, piece->paddr + (uint64_t)(from - piece->bytes));
		size_t packed = 0;

		if (page->size == core->page_size)
			packed = core->format->codec->compress(
				worker->context, from, length, worker->scratch);
		page->packed = packed && packed < length;
		if (page->packed) {
			memcpy(to, worker->scratch, packed);
			page->size = (uint32_t)packed;
		} else if (page->size && to != from) {
			memmove(to, from, length);
		}
		to += page->size;
		from += length;
	}
}

static int write_descriptors(struct core *core)
{
	struct kdump_core *kdump = kdump_of(core);
	const size_t size = sizeof(*kdump->descriptors);
	uint64_t offset = kdump->layout.descriptors + kdump->described * size;
	size_t count = kdump->descriptor_count;

	kdump->described += count;
	kdump->descriptor_count = 0;
	return core_replace(core, offset, kdump->descriptors, count * size);
}

/* A whole page: its bytes in the file, which are there once for all pages of zeros. */
static int put_page(struct core *core, const struct core_page *page, const uint8_t *bytes)
{
	struct kdump_core *kdump = kdump_of(core);
	struct kdump_descriptor *descriptor = &kdump->descriptors[kdump->descriptor_count++];
	uint64_t offset = page->size ? core->size : kdump->layout.pages;
	uint32_t size = page->size ? page->size : (uint32_t)core->page_size;

	put_u64(descriptor->offset, offset, kdump->layout.order);
	put_u32(descriptor->size, size, kdump->layout.order);
	put_u32(descriptor->flags, page->packed ? page_flag(core) : 0, kdump->layout.order);
	if (core_append(core, bytes, page->size))
		return -1;
	return kdump->descriptor_count == DESCRIPTORS_AT_ONCE ? write_descriptors(core) : 0;
}

/* All parts of a page have come. */
static int put_parts(struct core *core)
{
	struct kdump_core *kdump = kdump_of(core);
	struct core_piece piece = {
		.paddr = kdump->parts_paddr,
		.size = (size_t)core->page_size,
		.bytes = kdump->parts,
	};

	if (!kdump->in_parts)
		return 0;
	kdump->in_parts = false;
	core_prepare(kdump->worker, &piece);
	return put_page(core, &piece.pages[0], piece.bytes);
}

static int take_part(struct core *core, uint64_t paddr, const uint8_t *bytes, size_t size)
{
	struct kdump_core *kdump = kdump_of(core);
	uint64_t offset = paddr & (core->page_size - 1);

	if (!kdump->in_parts || kdump->parts_paddr != paddr - offset) {
		if (put_parts(core))
			return -1;
		memset(kdump->parts, 0, (size_t)core->page_size);
		kdump->parts_paddr = paddr - offset;
		kdump->in_parts = true;
	}
	memcpy(kdump->parts + offset, bytes, size);
	return 0;
}

static int kdump_put(struct core *core, const struct core_piece *piece)
{
	const uint8_t *bytes = piece->bytes;
	uint64_t paddr = piece->paddr;

	for (size_t i = 0; i < piece->page_count; i++) {
		const struct core_page *page = &piece->pages[i];
		size_t length = core_page_length(core, piece, paddr);
		int result;

		if (length == core->page_size)
			result = put_parts(core) || put_page(core, page, bytes);
		else
			result = take_part(core, paddr, bytes, page->size);
		if (result)
			return -1;
		bytes += page->size;
		paddr += length;
	}
	return 0;
}

/* ---- at the end ------------------------------------------------------------------------------ */

/* What a late VMCOREINFO tells belongs into the headers, too. */
static int rewrite_headers(struct core *core, const struct notes *late)
{
	const struct kdump_layout *layout = &kdump_of(core)->layout;
	const struct core_plan *plan = core->plan;
	uint8_t header[KDUMP_HEADER_MAX], sub_header[KDUMP_SUB_HEADER_MAX];

	kdump_header(layout, plan, page_flag(core), header);
	kdump_sub_header(layout, plan, late, sub_header);
	return core_replace(core, 0, header, layout->form->header_size) ||
	                       core_replace(core, core->page_size, sub_header,
				       layout->form->sub_header_size) ||
	                       core_replace(core, layout->notes + plan->notes->size, late->bytes,
				       late->size)
	               ? -1
	               : 0;
}

static int kdump_finish(struct core *core, const struct notes *late)
{
	const struct kdump_core *kdump = kdump_of(core);

	if (put_parts(core) || write_descriptors(core))
		return -1;
	if (kdump->described != kdump->layout.page_count)
		return core_fail(core, "pages were kept that have no memory");
	return late ? rewrite_headers(core, late) : 0;
}

static void kdump_deinit(struct core *core)
{
	struct kdump_core *kdump = kdump_of(core);

	core_worker_destroy(kdump->worker);
	free(kdump->descriptors);
	free(kdump->parts);
}

static const struct core_operations kdump_operations = {
	.size = sizeof(struct kdump_core),
	.begin = kdump_begin,
	.pack = kdump_pack,
	.put = kdump_put,
	.finish = kdump_finish,
	.deinit = kdump_deinit,
};

/* ---- the formats ----------------------------------------------------------------------------- */

/* QEMU's kdump-raw-zlib is this one's seekable form, its kdump-zlib always the flattened one. */
#define KDUMP_FORMAT(NAME)                                 \
	const struct core_format kdump_##NAME##_format = { \
		.name = "kdump-" #NAME,                    \
		.alias = "kdump-raw-" #NAME,               \
		.title = "kdump core, " #NAME,             \
		.wants_write_at = true,                    \
		.codec = &codec_##NAME,                    \
		.operations = &kdump_operations,           \
	}

KDUMP_FORMAT(zlib);
KDUMP_FORMAT(lzo);
KDUMP_FORMAT(snappy);
KDUMP_FORMAT(zstd);
