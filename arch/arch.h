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

/*
 * Where an operating system kernel of the CPU keeps itself. For Linux these are fixed by the
 * kernel's own documentation of its memory layout, whatever KASLR adds inside them.
 */
struct kernel_space {
	/* The kernel image is mapped somewhere in here. It may be in the direct map. */
	struct address_range text;
	/* RAM is mapped linearly somewhere in here, as much of it as there is room for. */
	struct address_range direct_map;
	/* What the distance from physical to virtual in the direct map is a multiple of. */
	uint64_t direct_map_align;
	uint64_t text_base; /* virtual address that phys_base is counted from, 0 if none */
	/* Here the kernel maps the same few pages over and over; one time each tells it all. */
	struct address_range aliased;
	/* Physical addresses that are mapped with RAM and are none; none if last is 0. */
	struct address_range no_ram;
};

/* What a Linux kernel says of itself in its VMCOREINFO. Each is false for what it does not say. */
struct kernel_facts {
	bool (*symbol)(const void *ctx, const char *name, uint64_t *value);
	bool (*number)(const void *ctx, const char *name, int64_t *value);
	const void *ctx;
	uint64_t page_size; /* bytes; 0 if it does not say */
};

/* A register as a stub has it in its `g` packet that does not describe its registers. */
struct arch_register {
	const char *name;
	unsigned bits;
};

struct arch {
	const char *name; /* as uname(2) gives the machine: "x86_64" */
	/* <architecture> in target.xml, and what else uname(2) may say; ends with NULL */
	const char *const *stub_names;
	uint16_t elf_machine;    /* EM_... */
	unsigned char elf_class; /* ELFCLASS32 or ELFCLASS64 */
	enum byte_order order;
	unsigned page_shift; /* of the smallest page */
	unsigned align64;    /* bytes that kdump headers align a 64-bit integer to: 4 on i386 */

	/*
	 * The registers of a `g` packet, in its order, for stubs that name the architecture but no
	 * registers; ends with a NULL name. NULL if there is no custom to go by.
	 */
	const struct arch_register *default_registers;

	/*
	 * Which architecture the vCPUs really are of, where stubs have one name for several: the
	 * mode or the byte order of the kernel decides. May correct the order in which a stub
	 * sends the values of a vCPU's registers. Asked again, of the architecture that it chose,
	 * when read_monitor() has added to the registers. NULL: always this one.
	 */
	const struct arch *(*variant)(struct registers *cpus, size_t count);

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

	/*
	 * The root that the rest of a vCPU's address space hangs from, where page_table() does not
	 * give it as well. False if there is none. NULL: it does.
	 */
	bool (*user_table)(const struct registers *cpu, uint64_t ram_end, struct page_table *table);

	/*
	 * The nth guess (from 0) at the form of the kernel's page table, for a vCPU that runs in
	 * its kernel and whose stub shows no root: that is left 0. False when there are no more,
	 * or if the vCPU runs elsewhere. NULL if nothing is known to guess by.
	 */
	bool (*guess_table)(const struct registers *cpu, unsigned nth, struct page_table *table);

	/* Reads the entry that a table of this level has for vaddr. */
	struct paging_entry (*paging_entry)(
		const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw);

	/* Where a kernel lives under such a page table. */
	struct kernel_space (*kernel_space)(const struct page_table *table);

	/*
	 * The page table of the kernel that these facts describe, for CPUs whose registers do not
	 * show all of it. Starts from the one that the kernel was found by. NULL if they do.
	 * False if the facts do not tell it.
	 */
	bool (*kernel_table)(const struct kernel_facts *facts, struct page_table *table);

	/*
	 * The physical address of VMCOREINFO, where the architecture has a place that tells it.
	 * False if it does not. NULL if there is no such place.
	 */
	bool (*vmcoreinfo_address)(const struct guest_memory *memory, uint64_t *paddr);

	/*
	 * What readers take a page frame number of kdump files to be counted from: the first page
	 * of RAM, as crash and makedumpfile do on 32-bit ARM, or address 0.
	 */
	bool frames_from_ram_start;
	/* The phys_base of kdump files is where RAM begins, not one of the kernel image. */
	bool phys_base_is_ram_start;
};

/* All architectures of this build, in the order in which they are listed; ends with NULL. */
extern const struct arch *const arch_all[];

/* The architecture that a stub calls by this name in target.xml, or of arch.name; or NULL. */
const struct arch *arch_find(const char *name);

#endif
