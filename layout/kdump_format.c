// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/kdump_format.h"

#include <assert.h>

/* As the kernel's compiler lays it out; `word` is its long. */
#define HEADER(word)                                                                           \
	{                                                                                      \
		char signature[KDUMP_SIGNATURE_SIZE];                                          \
		uint32_t header_version;                                                       \
		char utsname[UTSNAME_STRINGS][UTSNAME_STRING_SIZE];                            \
		word timestamp[2];                                                             \
		uint32_t status, block_size, sub_hdr_size, bitmap_blocks, max_mapnr,           \
			total_ram_blocks, device_blocks, written_blocks, current_cpu, nr_cpus; \
	}

#define SUB_HEADER(word, wide)                               \
	{                                                    \
		word phys_base;                              \
		uint32_t dump_level, split;                  \
		word start_pfn, end_pfn;                     \
		wide offset_vmcoreinfo;                      \
		word size_vmcoreinfo;                        \
		wide offset_note;                            \
		word size_note;                              \
		wide offset_eraseinfo;                       \
		word size_eraseinfo;                         \
		wide start_pfn_64, end_pfn_64, max_mapnr_64; \
	}

/* Whatever the compiler of this program makes of a uint64_t by itself. */
typedef uint64_t aligned64 __attribute__((aligned(8)));
typedef uint64_t packed64 __attribute__((aligned(4)));

struct header_64 HEADER(aligned64);
struct header_32 HEADER(uint32_t);
struct sub_header_64 SUB_HEADER(aligned64, aligned64);
struct sub_header_32_packed SUB_HEADER(uint32_t, packed64);
struct sub_header_32_padded SUB_HEADER(uint32_t, aligned64);

static_assert(sizeof(struct header_64) == KDUMP_HEADER_MAX, "disk_dump_header");
static_assert(sizeof(struct header_32) == 452, "disk_dump_header");
static_assert(sizeof(struct sub_header_64) == KDUMP_SUB_HEADER_MAX, "kdump_sub_header");
static_assert(sizeof(struct sub_header_32_packed) == 80, "kdump_sub_header");
static_assert(sizeof(struct sub_header_32_padded) == 96, "kdump_sub_header");
static_assert(sizeof(struct kdump_descriptor) == 24, "page_desc");
static_assert(offsetof(struct header_64, utsname) == KDUMP_UTSNAME_OFFSET, "disk_dump_header");
static_assert(offsetof(struct header_32, utsname) == KDUMP_UTSNAME_OFFSET, "disk_dump_header");

#define FORM(header, sub_header)                                                                 \
	.header_size = sizeof(header), FIELD(header, header_version), FIELD(header, status),     \
	FIELD(header, block_size), FIELD(header, sub_hdr_size), FIELD(header, bitmap_blocks),    \
	FIELD(header, max_mapnr), FIELD(header, nr_cpus), .sub_header_size = sizeof(sub_header), \
	FIELD(sub_header, phys_base), FIELD(sub_header, dump_level),                             \
	FIELD(sub_header, offset_vmcoreinfo), FIELD(sub_header, size_vmcoreinfo),                \
	FIELD(sub_header, offset_note), FIELD(sub_header, size_note),                            \
	FIELD(sub_header, max_mapnr_64)

const struct kdump_form kdump_form_64 = {
	.bits = 64,
	.align8 = 8,
	FORM(struct header_64, struct sub_header_64),
};
const struct kdump_form kdump_form_32_packed = {
	.bits = 32,
	.align8 = 4,
	FORM(struct header_32, struct sub_header_32_packed),
};
const struct kdump_form kdump_form_32_padded = {
	.bits = 32,
	.align8 = 8,
	FORM(struct header_32, struct sub_header_32_padded),
};

const struct kdump_compression kdump_compressions[] = {
	{ &codec_zlib, 0x1 },
	{ &codec_lzo, 0x2 },
	{ &codec_snappy, 0x4 },
	{ &codec_zstd, 0x20 },
	{ NULL, 0 },
};
