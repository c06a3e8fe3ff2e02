/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMCOREINFO: the lines KEY=VALUE in which a Linux kernel describes itself to the readers of its
 * core. The kernel keeps them in an ELF note on a page of its own (kernel/vmcore_info.c, up to 6.8
 * kernel/crash_core.c). They are guest memory, so nothing in them is trusted.
 */
#ifndef LAYOUT_VMCOREINFO_H
#define LAYOUT_VMCOREINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/error.h"
#include "arch/memory.h"
#include "arch/paging.h"

enum {
	/* The kernel reserves a page, 4 KiB to 64 KiB; QEMU takes notes of up to 1 MiB. */
	VMCOREINFO_SIZE_MAX = 1 << 20,
	/* Enough of the start of a page to tell whether a note or its text may begin there. */
	VMCOREINFO_HEAD_SIZE = 40,
	RELEASE_MAX = 65, /* of struct utsname, with the NUL */
	/* struct new_utsname: sysname, nodename, release, version, machine, domainname. */
	UTSNAME_STRINGS = 6,
	UTSNAME_STRING_SIZE = 65,
};

#define VMCOREINFO_NOWHERE UINT64_MAX

struct vmcoreinfo {
	char *text;     /* NUL-terminated copy; NULL if there is none */
	size_t size;    /* bytes of text without the NUL: the exact size of the note's descriptor */
	uint64_t paddr; /* of the text in the guest, or VMCOREINFO_NOWHERE */
	uint64_t page_size;        /* PAGESIZE in bytes, a power of two; 0 without text */
	unsigned page_shift;       /* its logarithm */
	char release[RELEASE_MAX]; /* OSRELEASE */
};

void vmcoreinfo_init(struct vmcoreinfo *info);
void vmcoreinfo_deinit(struct vmcoreinfo *info);

/*
 * Takes a copy of text if it is a whole VMCOREINFO: printable lines, each with its newline, that
 * begin with OSRELEASE= and hold PAGESIZE= and at least one SYMBOL(. Returns 0, or -1 with what
 * is missing; info is then as it was.
 */
int vmcoreinfo_parse(struct vmcoreinfo *info, const char *text, size_t size, struct error *error);

/* The same from a file's bytes: the bare text, or an ELF note with it (namesz, descsz, type, ...).
 */
int vmcoreinfo_parse_note(
	struct vmcoreinfo *info, const void *bytes, size_t size, struct error *error);

/*
 * Whether the first VMCOREINFO_HEAD_SIZE bytes of a page may begin the note or the text. The
 * kernel's format string "OSRELEASE=%s" does not.
 */
bool vmcoreinfo_head(const uint8_t *page);

/* Reads the note or the bare text at paddr. Returns 0, or -1 with the reason. */
int vmcoreinfo_read(struct vmcoreinfo *info, const struct guest_memory *memory, uint64_t paddr,
	struct error *error);

/* The value of a line KEY=VALUE; its length, without the newline, in *length. NULL if none. */
const char *vmcoreinfo_value(const struct vmcoreinfo *info, const char *key, size_t *length);

/* SYMBOL(name)= hexadecimal, NUMBER(name)= signed decimal or 0x; false if none or malformed. */
bool vmcoreinfo_symbol(const struct vmcoreinfo *info, const char *name, uint64_t *value);
bool vmcoreinfo_number(const struct vmcoreinfo *info, const char *name, int64_t *value);
/* OFFSET(name)=, SIZE(name)=, LENGTH(name)= decimal. What is "OFFSET", "SIZE" or "LENGTH". */
bool vmcoreinfo_decimal(
	const struct vmcoreinfo *info, const char *what, const char *name, uint64_t *value);

/*
 * Reads the strings of uname(2) from where the text says that they are and compares them: the
 * sysname must be Linux and the release the same. Goes through table, or, where that is NULL,
 * through the text's own numbers of where the kernel image lies (x86_64, aarch64 and riscv64 have
 * such). Strings end with a NUL whatever the guest holds. Returns 0, or -1 with the reason.
 */
int vmcoreinfo_utsname(const struct vmcoreinfo *info, const struct guest_memory *memory,
	const struct page_table *table, char strings[UTSNAME_STRINGS][UTSNAME_STRING_SIZE],
	struct error *error);

/* Whether the text says, by those numbers, where the kernel image lies in physical memory. */
bool vmcoreinfo_knows_image(const struct vmcoreinfo *info);

/*
 * Whether it describes the kernel whose page tables these are: _stext is mapped, to the physical
 * address that NUMBER(phys_base), if there, makes of it; and vmcoreinfo_utsname() agrees. That
 * refuses stale copies of an earlier boot, the note of a crashed kernel while its kdump kernel
 * runs, and notes of nested guests. Returns 0, or -1 with what does not fit.
 */
int vmcoreinfo_validate(const struct vmcoreinfo *info, const struct guest_memory *memory,
	const struct page_table *table, struct error *error);

#endif
