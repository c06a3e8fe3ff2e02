/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A described kernel for what reads the struct pages of one: 16 MiB of RAM, a page table of one
 * level that maps the first 16 MiB of virtual addresses page by page as the test likes, and a
 * VMCOREINFO of lines. Words have the size and the byte order that the test chose.
 */
#ifndef TESTS_UNIT_SMALL_KERNEL_H
#define TESTS_UNIT_SMALL_KERNEL_H

#include "layout/kernel.h"

enum {
	SMALL_KERNEL_SIZE = 16 << 20,
	SMALL_KERNEL_PAGES = SMALL_KERNEL_SIZE / 4096,
	SMALL_KERNEL_TABLE = SMALL_KERNEL_SIZE - 4096 * 8, /* physical address */
};

struct small_kernel {
	struct arch arch;
	struct kernel kernel;
	struct ranges ram;
	struct guest_memory memory;
	uint8_t *bytes;                  /* all of RAM; reads go by `ram` */
	uint64_t unreadable;             /* an address whose page no read may touch; 0 for none */
	uint64_t bytes_read;             /* by all reads that did not fail */
	unsigned reads, batches, failed; /* single reads; calls for many; of both */
	size_t longest, largest_batch;   /* bytes of a read; reads in a batch */
};

/* ELFCLASS32 or 64; and `lines` behind OSRELEASE and PAGESIZE. Nothing is mapped at first. */
void small_kernel_init(struct small_kernel *small, unsigned char elf_class, enum byte_order order,
	const char *lines);
void small_kernel_deinit(struct small_kernel *small);

/* Maps count pages. */
void small_kernel_map(struct small_kernel *small, uint64_t vaddr, uint64_t paddr, size_t count);
void small_kernel_unmap(struct small_kernel *small, uint64_t vaddr, size_t count);

/* Writes through the page table, which must map it: an integer of size bytes, or a word. */
void small_kernel_put(struct small_kernel *small, uint64_t vaddr, unsigned size, uint64_t value);
void small_kernel_put_word(struct small_kernel *small, uint64_t vaddr, uint64_t value);

#endif
