// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel in a guest: its image and direct map by the page tables, then its VMCOREINFO. */
#include <stdlib.h>
#include <string.h>

#include "layout/kernel.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/guest.h"

enum { SCAN_READS_MAX = 700 };

static void check_mapped(const struct kernel *kernel, struct fuzz_guest *guest)
{
	uint64_t paddr;

	fuzz_check_table(&kernel->table);
	CHECK(kernel->text.size && kernel->text.size - 1 <= UINT64_MAX - kernel->text.vaddr);
	guest->reads_left = 64;
	CHECK(paging_translate(&kernel->table, &guest->memory, kernel->text.vaddr, &paddr));
	CHECK(paddr == kernel->text.paddr);
}

static void check_names(const struct kernel *kernel)
{
	for (size_t i = 0; i < UTSNAME_STRINGS; i++)
		CHECK(memchr(kernel->utsname[i], '\0', UTSNAME_STRING_SIZE));
	if (kernel->utsname[UTS_RELEASE][0])
		CHECK(strcmp(kernel->utsname[UTS_RELEASE], kernel->vmcoreinfo.release) == 0);
}

/* What the guest's description has as its VMCOREINFO, as if a user had given it. */
static void try_given(struct kernel *kernel, struct fuzz_guest *guest)
{
	struct vmcoreinfo given;
	struct error error;

	vmcoreinfo_init(&given);
	if (vmcoreinfo_parse(&given, guest->info, guest->info_size, &error) == 0) {
		guest->reads_left = GUEST_READS_MAX;
		if (kernel_accept_vmcoreinfo(kernel, &given, &guest->memory, &error)) {
			fuzz_check_line(error.text, sizeof(error.text));
			CHECK(given.text);
		} else {
			CHECK(!given.text && kernel->vmcoreinfo.text);
			check_names(kernel);
		}
	}
	vmcoreinfo_deinit(&given);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_guest guest;
	struct kernel kernel;
	struct error error;

	fuzz_guest_init(&guest, data, size);
	kernel_init(&kernel);
	kernel_find_mappings(
		&kernel, guest.arch, guest.cpus, guest.cpu_count, &guest.ram, &guest.memory);
	if (kernel.mapped)
		check_mapped(&kernel, &guest);
	/* All that is read is looked through byte by byte, which takes its time. */
	guest.reads_left = SCAN_READS_MAX;
	if (kernel_find_vmcoreinfo(&kernel, &guest.ram, &guest.memory, &error)) {
		fuzz_check_line(error.text, sizeof(error.text));
		CHECK(!kernel.vmcoreinfo.text);
	} else {
		CHECK(kernel.vmcoreinfo.text);
		check_names(&kernel);
	}
	try_given(&kernel, &guest);
	kernel_deinit(&kernel);
	fuzz_guest_deinit(&guest);
	return 0;
}
