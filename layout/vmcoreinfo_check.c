// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/vmcoreinfo.h"

#include <inttypes.h>
#include <string.h>

#include "arch/arch.h"

/* In struct new_utsname. */
enum { SYSNAME = 0, RELEASE = 2 };

/*
 * How the kernels that export it turn an address of their image into a physical one: it is
 * vaddr - base + NUMBER(number), or with NUMBER(number) to be subtracted.
 */
static const struct image_rule {
	const char *number;
	uint64_t base;
	bool subtract;
} image_rules[] = {
	{ "phys_base", 0xffffffff80000000, false }, /* x86_64 */
	{ "kimage_voffset", 0, true },              /* aarch64 */
	{ "va_kernel_pa_offset", 0, true },         /* riscv64 */
};

static const struct image_rule *image_rule(const struct vmcoreinfo *info, uint64_t *number)
{
	int64_t value;

	for (size_t i = 0; i < sizeof(image_rules) / sizeof(*image_rules); i++) {
		if (vmcoreinfo_number(info, image_rules[i].number, &value)) {
			*number = (uint64_t)value;
			return &image_rules[i];
		}
	}
	return NULL;
}

bool vmcoreinfo_knows_image(const struct vmcoreinfo *info)
{
	uint64_t number;

	return image_rule(info, &number) != NULL;
}

/* Reads a piece of the kernel image, through the page tables or without. */
static int read_image(const struct vmcoreinfo *info, const struct guest_memory *memory,
	const struct page_table *table, uint64_t vaddr, void *buf, size_t size)
{
	const struct image_rule *rule;
	uint64_t number, paddr;

	if (table)
		return paging_read(table, memory, vaddr, buf, size);
	rule = image_rule(info, &number);
	if (!rule)
		return -1;
	paddr = vaddr - rule->base + (rule->subtract ? -number : number);
	return guest_read(memory, paddr, buf, size);
}

int vmcoreinfo_utsname(const struct vmcoreinfo *info, const struct guest_memory *memory,
	const struct page_table *table, char strings[UTSNAME_STRINGS][UTSNAME_STRING_SIZE],
	struct error *error)
{
	uint64_t vaddr, offset;

	if (!vmcoreinfo_symbol(info, "init_uts_ns", &vaddr) ||
		!vmcoreinfo_decimal(info, "OFFSET", "uts_namespace.name", &offset))
		return error_set(error, "VMCOREINFO does not say where the kernel's name is");
	if (read_image(info, memory, table, vaddr + offset, strings,
		    UTSNAME_STRINGS * UTSNAME_STRING_SIZE))
		return error_set(error,
			"the kernel's name cannot be read at 0x%" PRIx64
			", where VMCOREINFO has it",
			vaddr + offset);
	for (size_t i = 0; i < UTSNAME_STRINGS; i++)
		strings[i][UTSNAME_STRING_SIZE - 1] = '\0';
	if (strcmp(strings[SYSNAME], "Linux") != 0)
		return error_set(error,
			"no Linux kernel's name at 0x%" PRIx64 ", where VMCOREINFO has it",
			vaddr + offset);
	if (strcmp(strings[RELEASE], info->release) != 0)
		return error_set(error, "VMCOREINFO is of Linux %s, but Linux %s runs",
			info->release, strings[RELEASE]);
	return 0;
}

int vmcoreinfo_validate(const struct vmcoreinfo *info, const struct guest_memory *memory,
	const struct page_table *table, struct error *error)
{
	uint64_t base = table->arch->kernel_space(table).text_base;
	char strings[UTSNAME_STRINGS][UTSNAME_STRING_SIZE];
	uint64_t stext, paddr;
	int64_t phys_base;

	if (!vmcoreinfo_symbol(info, "_stext", &stext))
		return error_set(error, "VMCOREINFO has no SYMBOL(_stext)");
	if (!paging_translate(table, memory, stext, &paddr))
		return error_set(error,
			"VMCOREINFO is of a kernel at 0x%" PRIx64 ", where none is mapped", stext);
	/* A kernel and its kdump kernel differ in nothing else if both run without KASLR. */
	if (base && vmcoreinfo_number(info, "phys_base", &phys_base) &&
		stext - base + (uint64_t)phys_base != paddr)
		return error_set(error,
			"VMCOREINFO is of a kernel at the physical address 0x%" PRIx64
			", but one at 0x%" PRIx64 " runs",
			stext - base + (uint64_t)phys_base, paddr);
	return vmcoreinfo_utsname(info, memory, table, strings, error);
}
