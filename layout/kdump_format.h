/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kdump-compressed format, version 6, as makedumpfile and QEMU write it, as data. A file is
 *made of blocks, each of a page of the guest:
 *
 *	header | sub-header, notes | bitmap of RAM | bitmap of the pages here | descriptors | pages
 *
 * Bit n of a bitmap is page frame n, the lowest bit of a byte first. Each set bit of the second
 * bitmap has a descriptor, which says where the page is and how it is compressed.
 *
 * Headers are C structs of the kernel's CPU, so there are three forms of them.
 */
#ifndef LAYOUT_KDUMP_FORMAT_H
#define LAYOUT_KDUMP_FORMAT_H

#include "layout/codec.h"
#include "layout/field.h"
#include "layout/vmcoreinfo.h"

#define KDUMP_SIGNATURE "KDUMP   "

enum {
	KDUMP_SIGNATURE_SIZE = 8,
	KDUMP_VERSION = 6,
	/* Page frames of a file: all of 48 bits of address in pages of 4 KiB. */
	KDUMP_PFN_BITS_MAX = 36,
};

/* Where each field lies, the header's in the first block, the sub-header's in the second. */
struct kdump_form {
	unsigned bits;   /* of the CPU */
	unsigned align8; /* bytes that 64-bit integers are aligned to */

	size_t header_size;
	struct field header_version, status, block_size, sub_hdr_size, bitmap_blocks, max_mapnr,
		nr_cpus;

	size_t sub_header_size;
	struct field phys_base, dump_level, offset_vmcoreinfo, size_vmcoreinfo, offset_note,
		size_note, max_mapnr_64;
};

enum {
	/* In all forms. */
	KDUMP_UTSNAME_OFFSET = 12,
	KDUMP_UTSNAME_MACHINE = 4, /* of its strings */
	KDUMP_HEADER_MAX = 464,
	KDUMP_SUB_HEADER_MAX = 104,
};

/* 64 bits; 32 bits with 64-bit integers where they fall (i386), and aligned (all others). */
extern const struct kdump_form kdump_form_64, kdump_form_32_packed, kdump_form_32_padded;

/* How a page is compressed: the flag of its descriptor, and in the header's status for all. */
extern const struct kdump_compression {
	const struct codec *codec; /* NULL behind the last */
	uint32_t flag;
} kdump_compressions[];

/* What is known of a page in the file. */
struct kdump_descriptor {
	uint8_t offset[8]; /* in the file, as all numbers here in the guest's byte order */
	uint8_t size[4];   /* bytes there */
	uint8_t flags[4];  /* how it is compressed; 0 if it is not */
	uint8_t page_flags[8];
};

#endif
