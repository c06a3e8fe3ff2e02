// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <string.h>

#include "arch/arch.h"

static void test_find_by_any_name(void **state)
{
	const struct arch *x86_64 = arch_find("x86_64");

	(void)state;
	assert_non_null(x86_64);
	assert_ptr_equal(arch_find("i386:x86-64"), x86_64);
	assert_ptr_equal(arch_find("i386:x86-64:intel"), x86_64);
	assert_int_equal(x86_64->elf_machine, 62);
	assert_int_equal(x86_64->elf_class, ELFCLASS64);
	assert_int_equal(x86_64->order, LITTLE);
	assert_int_equal(x86_64->page_shift, 12);
	assert_string_equal(x86_64->monitor_command, "info registers -a");
}

static void test_find_takes_whole_names_only(void **state)
{
	(void)state;
	assert_null(arch_find(""));
	assert_null(arch_find("i386"));
	assert_null(arch_find("i386:x86-64:"));
	assert_null(arch_find("i386:x86-6"));
	assert_null(arch_find("X86_64"));
	assert_null(arch_find("vax"));
}

static void test_every_row_is_whole_and_found(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct arch *const *row = arch_all; *row; row++, count++) {
		const struct arch *arch = *row;

		assert_ptr_equal(arch_find(arch->name), arch);
		assert_non_null(arch->stub_names[0]);
		for (const char *const *name = arch->stub_names; *name; name++) {
			const struct arch *found = arch_find(*name);

			/* Of several with one name, the first chooses. */
			assert_non_null(found);
			assert_true(found == arch || found->variant);
		}
		assert_true(arch->elf_machine != EM_NONE);
		assert_true(arch->elf_class == ELFCLASS32 || arch->elf_class == ELFCLASS64);
		assert_in_range(arch->page_shift, 10, 20);
		assert_non_null(arch->check);
		assert_true(!arch->monitor_command == !arch->read_monitor);
		assert_non_null(arch->write_notes);
		assert_non_null(arch->page_table);
		assert_non_null(arch->paging_entry);
		assert_non_null(arch->kernel_space);
	}
	assert_true(count >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find_by_any_name),
		cmocka_unit_test(test_find_takes_whole_names_only),
		cmocka_unit_test(test_every_row_is_whole_and_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
