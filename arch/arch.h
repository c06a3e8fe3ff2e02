/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CPU is. One file per family fills in a struct arch: how stubs call it, the notes a core
 * of it carries, how its page tables are read, where its kernels live. Everything here is a pure
 * function or a table; nothing knows of files, sockets or protocols. Adding a CPU is adding a file
 * and a row in arch.c.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/bytes.h"
#include "arch/error.h"
#include "arch/memory.h"
#include "arch/notes.h"
#include "arch/paging.h"
#include "arch/registers.h"

/* A range of virtual addresses, both ends inclusive. */
struct address_range {
	uint64_t first, last;
};

/*
 * Where an operating system kernel of the CPU keeps itself. For Linux these are fixed by the
 * kernel's own documentation of its memory layout, whatever KASLR adds inside them.
 */
struct kernel_space {
	struct address_range text;       /* the kernel image is mapped somewhere in here */
	struct address_range direct_map; /* all of RAM is mapped linearly somewhere in here */
	uint64_t text_base; /* virtual address that phys_base is counted from, 0 if none */
};

struct arch {
	const char *name;              /* as uname(2) gives the machine: "x86_64" */
	const char *const *stub_names; /* <architecture> in target.xml; ends with NULL */
	uint16_t elf_machine;          /* EM_... */
	unsigned char elf_class;       /* ELFCLASS32 or ELFCLASS64 */
	enum byte_order order;
	unsigned page_shift; /* of the smallest page */
	unsigned align64;    /* bytes that C aligns a 64-bit integer to: 4 on i386 */

	/*
	 * Whether a core of these vCPUs can be written: 0, or -1 with the reason (a CPU that is
	 * not in the mode that this architecture stands for, say).
	 */
	int (*check)(const struct registers *cpus, size_t count, struct error *error);

	/*
	 * Completes the registers from the text of a monitor command that shows what the stub
	 * hides. monitor_command is NULL if there is nothing to gain. Returns the number of vCPUs
	 * that the text told something of.
	 */
	const char *monitor_command;
	size_t (*read_monitor)(const char *text, struct registers *cpus, size_t count);

	/*
	 * Appends the notes of all vCPUs, in the order that readers expect. Names in missing (a
	 * comma-separated list of at most missing_size bytes, "" if none) the registers that are
	 * zero in the notes because nobody gave them.
	 */
	void (*write_notes)(const struct registers *cpus, size_t count, struct notes *notes,
		char *missing, size_t missing_size);

	/*
	 * The nth root (from 0) that the kernel half of a vCPU's address space may hang from, the
	 * likeliest first: a vCPU that was stopped in a user process may show a page table without
	 * the kernel. ram_end is the first physical address behind RAM: bits above it in a root
	 * are no address. False when there are no more.
	 */
	bool (*page_table)(const struct registers *cpu, uint64_t ram_end, unsigned nth,
		struct page_table *table);

	/* Reads an entry of a table of this level: 0 maps smallest pages, levels - 1 is the root.
	 */
	struct paging_entry (*paging_entry)(
		const struct page_table *table, unsigned level, uint64_t raw);

	/* Where a kernel lives under such a page table. */
	struct kernel_space (*kernel_space)(const struct page_table *table);
};

/* All architectures of this build, in the order in which they are listed; ends with NULL. */
extern const struct arch *const arch_all[];

/* The architecture that a stub calls by this name in target.xml, or of arch.name; or NULL. */
const struct arch *arch_find(const char *name);

#endif
