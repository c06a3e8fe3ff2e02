/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that is described by text, so that its inputs can be read and mutated: what is wrong with
 * a line is passed over, and so whatever the text there is a guest. Lines:
 *
 *	arch NAME		as arch_find() takes it; x86_64
 *	cpu			the registers that follow are those of one more vCPU
 *	NAME HEX		a register, of as many bytes as there are pairs of digits
 *	ram START SIZE		a range of memory, hexadecimal; without any, the first GUEST_RAM
 *bytes !START SIZE		some of it that cannot be read
 *	@ADDR WORD...		what is there: each an integer of as many bytes as it has pairs of
 *				digits, in the byte order of the architecture. Behind it may stand
 *				+STEP, xCOUNT: so many of them, each greater by STEP
 *	"TEXT			a line of text, behind what was there before
 *	>TEXT			a line of the guest's VMCOREINFO
 *	level N			a dump level
 *	single			the guest cannot be read in batches
 *
 * Memory that nothing is told of is zero. After so many reads the guest is gone, which bounds the
 * time that an input may take.
 */
#ifndef TESTS_FUZZ_GUEST_H
#define TESTS_FUZZ_GUEST_H

#include "arch/arch.h"
#include "layout/ranges.h"

enum {
	GUEST_RAM = 16 << 20,
	GUEST_CPUS_MAX = 3,
	GUEST_PIECES_MAX = 128,
	GUEST_BYTES_MAX = 256 << 10, /* of all pieces together */
	GUEST_INFO_MAX = 16 << 10,
	GUEST_READS_MAX = 2048, /* each of a page */
};

struct fuzz_piece {
	uint64_t addr;
	size_t offset, size; /* in bytes */
};

struct fuzz_guest {
	const struct arch *arch;
	struct registers cpus[GUEST_CPUS_MAX];
	size_t cpu_count;
	struct ranges ram, unreadable;
	struct fuzz_piece pieces[GUEST_PIECES_MAX]; /* a later one replaces */
	size_t piece_count;
	uint8_t *bytes;
	size_t byte_count;
	char *info; /* NUL-terminated */
	size_t info_size;
	unsigned level;
	size_t reads_left;
	struct guest_memory memory;
};

void fuzz_guest_init(struct fuzz_guest *guest, const uint8_t *text, size_t size);
void fuzz_guest_deinit(struct fuzz_guest *guest);

/* The nth root of a page table that the architecture finds in the registers of a vCPU. */
bool fuzz_guest_table(
	const struct fuzz_guest *guest, size_t cpu, unsigned nth, struct page_table *table);

/* That the architecture has filled in what its header says. */
void fuzz_check_table(const struct page_table *table);

#endif
