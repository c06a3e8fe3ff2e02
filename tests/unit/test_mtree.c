// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/mtree.h"
#include "tests/unit/failing.h"

/* What stands around the view that is meant; QEMU ends lines with CR LF and numbers at random. */
#define IO_VIEW                                                           \
	"FlatView #2\r\n"                                                 \
	" AS \"I/O\", root: io\r\n"                                       \
	" Root memory region: io\r\n"                                     \
	"  0000000000000000-0000000000000007 (prio 0, i/o): dma-chan\r\n" \
	"\r\n"
#define SMM_VIEW                                                        \
	"FlatView #0\r\n"                                               \
	" AS \"cpu-smm-0\", root: memory\r\n"                           \
	" Root memory region: memory\r\n"                               \
	"  0000000000000000-00000000000bffff (prio 0, ram): pc.ram\r\n" \
	"\r\n"
#define HEAD                                          \
	"FlatView #1\r\n"                             \
	" AS \"vga\", root: bus master container\r\n" \
	" AS \"memory\", root: system\r\n"            \
	" AS \"cpu-memory-0\", root: system\r\n"      \
	" Root memory region: system\r\n"
#define TAIL "\r\n"

struct machine {
	const char *text;
	struct range ram[6], all[6];
};

static void check(const struct machine *machine, enum mtree_want want, const struct range *expected)
{
	struct ranges ranges;
	struct error error = { .text = "" };
	size_t count = 0;

	ranges_init(&ranges);
	assert_int_equal(mtree_parse(machine->text, want, &ranges, &error), 0);
	while (expected[count].size)
		count++;
	assert_int_equal(ranges.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(ranges.items[i].start, expected[i].start);
		assert_int_equal(ranges.items[i].size, expected[i].size);
	}
	ranges_deinit(&ranges);
}

static void check_machine(const struct machine *machine)
{
	check(machine, MTREE_RAM, machine->ram);
	check(machine, MTREE_ALL, machine->all);
}

static void test_pc(void **state)
{
	static const struct machine pc = {
		.text = SMM_VIEW HEAD
		"  0000000000000000-000000000009ffff (prio 0, ram): pc.ram\r\n"
		"  00000000000a0000-00000000000bffff (prio 1, i/o): vga-lowmem\r\n"
		"  00000000000c0000-00000000000cafff (prio 0, rom): pc.ram @00000000000c0000\r\n"
		"  00000000000cb000-00000000000cdfff (prio 0, ram): pc.ram @00000000000cb000\r\n"
		"  00000000000ce000-00000000000e7fff (prio 0, rom): pc.ram @00000000000ce000\r\n"
		"  00000000000e8000-00000000000effff (prio 0, ram): pc.ram @00000000000e8000\r\n"
		"  00000000000f0000-00000000000fffff (prio 0, rom): pc.ram @00000000000f0000\r\n"
		"  0000000000100000-00000000bfffffff (prio 0, ram): pc.ram @0000000000100000\r\n"
		"  00000000fd000000-00000000fdffffff (prio 1, ram): vga.vram\r\n"
		"  00000000febf0400-00000000febf041f (prio 0, i/o): vga ioports remapped\r\n"
		"  00000000fec00000-00000000fec00fff (prio 0, i/o): ioapic\r\n"
		"  00000000fffc0000-00000000ffffffff (prio 0, rom): pc.bios\r\n"
		"  0000000100000000-00000001bfffffff (prio 0, ram): pc.ram @00000000c0000000\r\n" TAIL
			IO_VIEW,
		.ram = { { 0, 0xa0000 }, { 0xc0000, 0xbff40000 }, { 0x100000000, 0xc0000000 } },
		.all = { { 0, 0xa0000 }, { 0xc0000, 0xbff40000 }, { 0xfd000000, 0x1000000 },
			{ 0xfffc0000, 0xc0040000 } },
	};

	(void)state;
	check_machine(&pc);
}

/* Before the firmware has run, its ROM is where the shadow will be. */
static void test_pc_uefi(void **state)
{
	static const struct machine pc = {
		.text = HEAD
		"  0000000000000000-000000000009ffff (prio 0, ram): m0\r\n"
		"  00000000000a0000-00000000000affff (prio 1, ram): vga.vram\r\n"
		"  00000000000b0000-00000000000bffff (prio 1, i/o): vga-lowmem @0000000000010000\r\n"
		"  00000000000c0000-00000000000c3fff (prio 0, rom): m0 @00000000000c0000\r\n"
		"  00000000000c4000-00000000000dffff (prio 1, rom): pc.rom @0000000000004000\r\n"
		"  00000000000e0000-00000000000fffff (prio 1, rom): isa-bios\r\n"
		"  0000000000100000-000000003fffffff (prio 0, ram): m0 @0000000000100000\r\n"
		"  00000000c0000000-00000000c0ffffff (prio 1, ram): vga.vram\r\n"
		"  00000000ffe00000-00000000ffe1ffff (prio 0, romd): system.flash1\r\n"
		"  00000000ffe20000-00000000ffffffff (prio 0, romd): system.flash0\r\n" TAIL
			IO_VIEW,
		.ram = { { 0, 0xa0000 }, { 0xc0000, 0x4000 }, { 0x100000, 0x3ff00000 } },
		.all = { { 0, 0xb0000 }, { 0xc0000, 0x3ff40000 }, { 0xc0000000, 0x1000000 } },
	};

	(void)state;
	check_machine(&pc);
}

static void test_q35_kvm(void **state)
{
	static const struct machine q35 = {
		.text = IO_VIEW HEAD
		"  0000000000000000-000000000009ffff (prio 0, ram): pc.ram KVM\r\n"
		"  00000000000c0000-000000007fffffff (prio 0, ram): pc.ram @00000000000c0000 KVM\r\n"
		"  00000000fec00000-00000000fec00fff (prio 0, i/o): kvm-ioapic\r\n"
		"  00000000fffc0000-00000000ffffffff (prio 0, rom): pc.bios KVM KVM\r\n"
		"  0000000100000000-000000013fffffff (prio 0, ram): pc.ram @0000000080000000 KVM\r\n" TAIL
			SMM_VIEW,
		.ram = { { 0, 0xa0000 }, { 0xc0000, 0x7ff40000 }, { 0x100000000, 0x40000000 } },
		.all = { { 0, 0xa0000 }, { 0xc0000, 0x7ff40000 }, { 0xfffc0000, 0x40040000 } },
	};

	(void)state;
	check_machine(&q35);
}

/* The shadow's name must match without what KVM appends to one or both of the lines. */
static void test_shadow_kvm(void **state)
{
	static const struct machine q35 = {
		.text = HEAD
		"  0000000000000000-000000000009ffff (prio 0, ram): pc.ram KVM KVM\r\n"
		"  00000000000c0000-00000000000fffff (prio 0, rom): pc.ram @00000000000c0000\r\n"
		"  0000000000100000-0000000000ffffff (prio 0, ram): pc.ram @0000000000100000 "
		"owner:{dev path=/machine/x} KVM\r\n"
		"  0000000001000000-0000000001ffffff (prio 0, rom): pc.ram parent:{obj path=/m} KVM\r\n" TAIL,
		.ram = { { 0, 0xa0000 }, { 0xc0000, 0x1f40000 } },
		.all = { { 0, 0xa0000 }, { 0xc0000, 0x1f40000 } },
	};

	(void)state;
	check_machine(&q35);
}

static void test_memory_devices(void **state)
{
	static const struct machine q35 = {
		.text = HEAD
		"  0000000000000000-000000000009ffff (prio 0, ram): m0\r\n"
		"  00000000000c0000-000000003fffffff (prio 0, ram): m0 @00000000000c0000\r\n"
		"  0000000100000000-000000013fffffff (prio 0, ram): m1\r\n"
		"  0000000140000000-000000014fffffff (prio 0, nv-ram): nv\r\n"
		"  0000000150000000-000000016fffffff (prio 0, ram): vmb\r\n"
		"  0000000170000000-00000001700fffff (prio 0, nv-ramd): vfio\r\n" TAIL,
		.ram = { { 0, 0xa0000 }, { 0xc0000, 0x3ff40000 }, { 0x100000000, 0x70000000 } },
		.all = { { 0, 0xa0000 }, { 0xc0000, 0x3ff40000 }, { 0x100000000, 0x40000000 },
			{ 0x150000000, 0x20000000 } },
	};

	(void)state;
	check_machine(&q35);
}

static void test_device_ram(void **state)
{
	static const struct machine q35 = {
		.text = HEAD
		"  0000000000000000-0000000000000fff (prio 0, ram): m0\r\n"
		"  0000000000001000-0000000000001fff (prio 0, ram): qxl.vgavram\r\n"
		"  0000000000002000-0000000000002fff (prio 0, ram): qxl.vram\r\n"
		"  0000000000003000-0000000000003fff (prio 0, ram): vmsvga.vram\r\n"
		"  0000000000004000-0000000000004fff (prio 0, ram): bochs-display-vram\r\n"
		"  0000000000005000-0000000000005fff (prio 0, ram): e1000.rom\r\n"
		"  0000000000006000-0000000000006fff (prio 0, ram): ivshmem.bar2\r\n"
		"  0000000000007000-0000000000007fff (prio 0, ram): virtio-fs-cache\r\n"
		"  0000000000008000-0000000000008fff (prio 0, ram): pc.bios\r\n"
		"  0000000000009000-0000000000009fff (prio 0, ramd): 0000:01:00.0 BAR 0 mmaps[0]\r\n"
		"  000000000000a000-000000000000afff (prio -1000, ram): my memory (2) \377\r\n"
		"  000000000000c000-000000000000cfff (prio 0, ram): virtio-mem0\r\n" TAIL,
		.ram = { { 0, 0x1000 }, { 0xa000, 0x1000 }, { 0xc000, 0x1000 } },
		.all = { { 0, 0x9000 }, { 0xa000, 0x1000 }, { 0xc000, 0x1000 } },
	};

	(void)state;
	check_machine(&q35);
}

static void test_aarch64(void **state)
{
	static const struct machine virt = {
		.text = HEAD
		"  0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0\r\n"
		"  0000000004000000-0000000007ffffff (prio 0, romd): virt.flash1\r\n"
		"  0000000008000000-0000000008000fff (prio 0, i/o): gic_dist\r\n"
		"  0000000040000000-000000007fffffff (prio 0, ram): mach-virt.ram\r\n"
		"  0000004010000000-000000401fffffff (prio 0, container): pcie-mmcfg-mmio\r\n" TAIL,
		.ram = { { 0x40000000, 0x40000000 } },
		.all = { { 0x40000000, 0x40000000 } },
	};
	static const struct machine zcu102 = {
		.text = HEAD
		"  0000000000000000-000000007fffffff (prio 0, ram): ddr-ram\r\n"
		"  00000000fffc0000-00000000fffcffff (prio 0, ram): zynqmp.ocm_ram_bank_0\r\n"
		"  00000000fffd0000-00000000fffdffff (prio 0, ram): zynqmp.ocm_ram_bank_1\r\n"
		"  0000000800000000-000000087fffffff (prio 0, ram): ddr-ram @0000000080000000\r\n" TAIL,
		.ram = { { 0, 0x80000000 }, { 0xfffc0000, 0x20000 }, { 0x800000000, 0x80000000 } },
		.all = { { 0, 0x80000000 }, { 0xfffc0000, 0x20000 }, { 0x800000000, 0x80000000 } },
	};

	(void)state;
	check_machine(&virt);
	check_machine(&zcu102);
}

static void test_ppc64(void **state)
{
	static const struct machine pseries = {
		.text = HEAD
		"  0000000000000000-00000000ffffffff (prio 0, ram): ppc_spapr.ram\r\n" TAIL,
		.ram = { { 0, 0x100000000 } },
		.all = { { 0, 0x100000000 } },
	};
	static const struct machine powernv = {
		.text = HEAD
		"  0000000000000000-000000007fffffff (prio 0, ram): pnv.ram\r\n"
		"  0000203ffd800000-0000203ffdbfffff (prio 0, ram): homer-chip0-memory\r\n" TAIL,
		.ram = { { 0, 0x80000000 }, { 0x203ffd800000, 0x400000 } },
		.all = { { 0, 0x80000000 }, { 0x203ffd800000, 0x400000 } },
	};

	(void)state;
	check_machine(&pseries);
	check_machine(&powernv);
}

static void test_s390x(void **state)
{
	static const struct machine s390x = {
		.text = "FlatView #0\r\n"
			" AS \"memory\", root: system\r\n"
			" AS \"cpu-memory-0\", root: system\r\n"
			" Root memory region: s390.ram\r\n"
			"  0000000000000000-000000007fffffff (prio 0, ram): s390.ram\r\n"
			"\r\n",
		.ram = { { 0, 0x80000000 } },
		.all = { { 0, 0x80000000 } },
	};

	(void)state;
	check_machine(&s390x);
}

static void test_riscv64(void **state)
{
	static const struct machine virt = {
		.text = HEAD
		"  0000000000001000-000000000000ffff (prio 0, rom): riscv_virt_board.mrom\r\n"
		"  0000000000100000-0000000000100fff (prio 0, i/o): riscv.sifive.test\r\n"
		"  0000000020000000-0000000021ffffff (prio 0, romd): virt.flash0\r\n"
		"  0000000080000000-00000000bfffffff (prio 0, ram): riscv_virt_board.ram\r\n" TAIL,
		.ram = { { 0x80000000, 0x40000000 } },
		.all = { { 0x1000, 0xf000 }, { 0x80000000, 0x40000000 } },
	};

	(void)state;
	check_machine(&virt);
}

static void test_loongarch64(void **state)
{
	static const struct machine virt = {
		.text = HEAD
		"  0000000000000000-000000000fffffff (prio 0, ram): loongarch.ram\r\n"
		"  000000001c000000-000000001c7fffff (prio 0, rom): loongarch.bios\r\n"
		"  0000000090000000-000000009fffffff (prio 0, ram): loongarch.ram @0000000010000000\r\n" TAIL,
		.ram = { { 0, 0x10000000 }, { 0x90000000, 0x10000000 } },
		.all = { { 0, 0x10000000 }, { 0x1c000000, 0x800000 }, { 0x90000000, 0x10000000 } },
	};

	(void)state;
	check_machine(&virt);
}

/* A pasted listing has bare newlines, and may have lost its last one. */
static void test_newlines(void **state)
{
	static const struct machine pasted = {
		.text = "FlatView #0\n"
			" AS \"memory\", root: system\n"
			" Root memory region: system\n"
			"  0000000000000000-0000000000000fff (prio 0, ram): a\n"
			"  0000000000002000-0000000000002fff (prio 0, ram): b",
		.ram = { { 0, 0x1000 }, { 0x2000, 0x1000 } },
		.all = { { 0, 0x1000 }, { 0x2000, 0x1000 } },
	};

	(void)state;
	check_machine(&pasted);
}

static void assert_refused(const char *text, const char *reason)
{
	struct ranges ranges;
	struct error error = { .text = "" };

	ranges_init(&ranges);
	assert_int_equal(mtree_parse(text, MTREE_RAM, &ranges, &error), -1);
	assert_non_null(strstr(error.text, reason));
	ranges_deinit(&ranges);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("", "no flat view");
	assert_refused("unknown command: 'info mtree -f'\r\n", "no flat view");
	assert_refused(SMM_VIEW IO_VIEW, "no flat view");
	assert_refused(HEAD, "no RAM");
	assert_refused(HEAD "  No rendered FlatView\r\n" TAIL, "no RAM");
	assert_refused(HEAD TAIL SMM_VIEW, "no RAM"); /* that RAM is in another view */
	assert_refused(
		HEAD "  0000000080000000-000000008fffffff (prio 0, rom): flash\r\n" TAIL, "no RAM");
	assert_refused(HEAD "  0000000000000000-ffffffffffffffff (prio 0, ram): all\r\n" TAIL,
		"no RAM"); /* its size does not fit 64 bits */
	assert_refused(HEAD "  0000000000000000-7fffffffffffffff (prio 0, ram): half\r\n" TAIL,
		"cannot take 9223372036854775808 bytes of half at 0x0");
}

/* None of these is a region; the one that is, is there to be found among them. */
static void test_malformed_lines(void **state)
{
	static const struct machine machine = {
		.text = HEAD "  0000000000009000-0000000000008fff (prio 0, ram): backwards\r\n"
			     "  000000000000-0000000000008fff (prio 0, ram): short\r\n"
			     "  00000000000000000-0000000000008fff (prio 0, ram): long\r\n"
			     "  0000000000000000-0000000000008FFF (prio 0, ram): case\r\n"
			     "  0000000000000000 0000000000008fff (prio 0, ram): dash\r\n"
			     "  0000000000000000-0000000000008fff (prio x, ram): prio\r\n"
			     "  0000000000000000-0000000000008fff (prio 0, nvram): type\r\n"
			     "  0000000000000000-0000000000008fff (prio 0, ram\r\n"
			     "  0000000000000000-0000000000008fff\r\n"
			     "  0000000000000000-\r\n"
			     "  \r\n"
			     "0000000000000000-0000000000008fff (prio 0, ram): margin\r\n"
			     "  0000000000010000-0000000000010fff (prio 0, ram): \r\n" TAIL,
		.ram = { { 0x10000, 0x1000 } },
		.all = { { 0x10000, 0x1000 } },
	};

	(void)state;
	check_machine(&machine);
}

static void test_too_many(void **state)
{
	enum { LINES = 9000, LINE_MAX_SIZE = 80 };
	char *text = malloc(sizeof(HEAD) + LINES * LINE_MAX_SIZE), *end = text;

	(void)state;
	assert_non_null(text);
	end += sprintf(end, "%s", HEAD);
	for (unsigned i = 0; i < LINES; i++)
		end += sprintf(end, "  %016x-%016x (prio 0, ram): m%u\r\n", i * 0x2000,
			i * 0x2000 + 0xfff, i);
	assert_refused(text, "more than 8192 regions");
	free(text);
}

static void test_no_memory(void **state)
{
	static const char text[] = HEAD
		"  0000000000000000-000000000009ffff (prio 0, ram): pc.ram\r\n" TAIL;
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		struct error error = { .text = "" };
		struct range *regions = NULL;
		struct ranges ranges;
		size_t count;
		int rc;

		ranges_init(&ranges);
		rc = mtree_parse(text, MTREE_RAM, &ranges, &error);
		if (rc == 0)
			rc = mtree_regions(text, MTREE_ALL, &regions, &count, &error);
		failing_check(&failing, rc, error.text);
		ranges_deinit(&ranges);
		free(regions);
	}
	/* Twice the text and the regions, the ranges, what is returned. */
	assert_int_equal(failing.nth, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pc),
		cmocka_unit_test(test_pc_uefi),
		cmocka_unit_test(test_q35_kvm),
		cmocka_unit_test(test_shadow_kvm),
		cmocka_unit_test(test_memory_devices),
		cmocka_unit_test(test_device_ram),
		cmocka_unit_test(test_aarch64),
		cmocka_unit_test(test_ppc64),
		cmocka_unit_test(test_s390x),
		cmocka_unit_test(test_riscv64),
		cmocka_unit_test(test_loongarch64),
		cmocka_unit_test(test_newlines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_malformed_lines),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
