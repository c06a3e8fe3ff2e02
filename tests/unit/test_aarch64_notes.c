// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"

#define BIT(n) ((uint64_t)1 << (n))

static const struct arch *little, *big;

static int find_both(void **state)
{
	(void)state;
	little = arch_find("aarch64");
	big = arch_find("aarch64_be");
	return little && big ? 0 : -1;
}

static void test_registers_by_custom(void **state)
{
	const struct arch_register *registers = little->default_registers;
	size_t count = 0, bits = 0;

	(void)state;
	for (; registers[count].name; count++)
		bits += registers[count].bits;
	/* x0-x30, sp, pc, cpsr, v0-v31, fpsr, fpcr */
	assert_int_equal(count, 31 + 3 + 32 + 2);
	assert_int_equal(bits, 33 * 64 + 32 + 32 * 128 + 64);
	assert_string_equal(registers[30].name, "x30");
	assert_string_equal(registers[33].name, "cpsr");
	assert_int_equal(registers[33].bits, 32);
	assert_string_equal(registers[34].name, "v0");
	assert_string_equal(registers[67].name, "fpcr");
	assert_ptr_equal(big->default_registers, registers);
}

static uint64_t value(unsigned cpu, unsigned n)
{
	return 0x1122334400000000 + 0x10000 * cpu + n;
}

enum { SP = 31, PC = 32 };

static void set_bytes(
	struct registers *cpu, const char *prefix, unsigned n, uint8_t seed, size_t size)
{
	uint8_t bytes[256];
	char name[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(seed + 16 * n + i);
	snprintf(name, sizeof(name), "%s%u", prefix, n);
	registers_set(cpu, name, bytes, size);
}

static struct registers general_cpu(unsigned index)
{
	struct registers cpu;
	char name[8];
	uint8_t word[4];

	registers_init(&cpu, index, LITTLE);
	for (unsigned n = 0; n < 31; n++) {
		snprintf(name, sizeof(name), "x%u", n);
		registers_set_u64(&cpu, name, value(index, n));
	}
	registers_set_u64(&cpu, "sp", value(index, SP));
	registers_set_u64(&cpu, "pc", value(index, PC));
	put_le32(word, 0x600003c5);
	registers_set(&cpu, "cpsr", word, 4);
	put_le32(word, 0x0800009f);
	registers_set(&cpu, "fpsr", word, 4);
	put_le32(word, 0x03c00000);
	registers_set(&cpu, "fpcr", word, 4);
	return cpu;
}

static struct note next_note(const struct notes *notes, size_t *offset)
{
	struct note note;

	assert_true(notes_next(notes->bytes, notes->size, notes->order, offset, &note));
	return note;
}

static void expect_prstatus(const struct note *note, unsigned cpu, enum byte_order order)
{
	uint8_t expected[392] = { 0 };

	assert_string_equal(note->name, "CORE");
	assert_int_equal(note->type, 1);
	assert_int_equal(note->desc_size, sizeof(expected));
	put_u32(expected + 0x20, cpu + 1, order);
	for (unsigned n = 0; n <= PC; n++)
		put_u64(expected + 0x70 + (size_t)8 * n, value(cpu, n), order);
	put_u64(expected + 0x178, 0x600003c5, order);
	put_u32(expected + 0x180, 1, order);
	assert_memory_equal(note->desc, expected, sizeof(expected));
}

/* Vectors are integers of 16 bytes, whose lowest byte is seed + 16 * n. */
static void expect_prfpreg(const struct note *note, uint8_t seed, enum byte_order order)
{
	assert_string_equal(note->name, "CORE");
	assert_int_equal(note->type, 2);
	assert_int_equal(note->desc_size, 528);
	for (size_t n = 0; n < 32; n++)
		for (size_t i = 0; i < 16; i++)
			assert_int_equal(note->desc[16 * n + (order == BIG ? 15 - i : i)],
				(uint8_t)(seed + 16 * n + i));
	assert_int_equal(get_u32(note->desc + 0x200, order), 0x0800009f);
	assert_int_equal(get_u32(note->desc + 0x204, order), 0x03c00000);
	assert_int_equal(get_u64(note->desc + 0x208, order), 0);
}

static void check_notes(const struct arch *arch)
{
	struct registers cpus[] = { general_cpu(0), general_cpu(1) };
	struct notes notes;
	size_t offset = 0;
	char missing[64] = "x";

	for (unsigned n = 0; n < 32; n++) {
		set_bytes(&cpus[0], "v", n, 3, 16);
		set_bytes(&cpus[1], "v", n, 9, 16);
	}
	notes_init(&notes, arch->order);
	arch->write_notes(cpus, 2, &notes, missing, sizeof(missing));
	assert_false(notes.failed);
	assert_string_equal(missing, "");
	for (unsigned i = 0; i < 2; i++) {
		struct note note = next_note(&notes, &offset);

		expect_prstatus(&note, i, arch->order);
		note = next_note(&notes, &offset);
		expect_prfpreg(&note, i ? 9 : 3, arch->order);
		registers_deinit(&cpus[i]);
	}
	assert_int_equal(offset, notes.size);
	notes_deinit(&notes);
}

static void test_notes(void **state)
{
	(void)state;
	check_notes(little);
	check_notes(big);
}

/*
 * A vector can have 64 bytes and has `vl`: header 16, Z 32 * vl, P and FFR 17 * vl / 8, then, at
 * the next 16, FPSR and FPCR in 16 bytes.
 */
static void check_sve(const struct arch *arch, uint64_t granules, size_t vl, size_t status)
{
	struct registers cpu = general_cpu(0);
	struct notes notes;
	struct note note;
	size_t offset = 0, predicates = 16 + 32 * vl;
	char missing[64] = "x";
	uint8_t ffr[8] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7 };

	for (unsigned n = 0; n < 32; n++)
		set_bytes(&cpu, "z", n, 7, 64);
	for (unsigned n = 0; n < 16; n++)
		set_bytes(&cpu, "p", n, 0x80, 8);
	registers_set(&cpu, "ffr", ffr, sizeof(ffr));
	registers_set_u64(&cpu, "vg", granules);
	notes_init(&notes, arch->order);
	arch->write_notes(&cpu, 1, &notes, missing, sizeof(missing));
	assert_string_equal(missing, "");

	note = next_note(&notes, &offset);
	expect_prstatus(&note, 0, arch->order);
	note = next_note(&notes, &offset);
	expect_prfpreg(&note, 7, arch->order);
	note = next_note(&notes, &offset);
	assert_string_equal(note.name, "LINUX");
	assert_int_equal(note.type, 0x405);
	assert_int_equal(note.desc_size, status + 16);
	assert_int_equal(get_u32(note.desc, arch->order), status + 16);
	assert_int_equal(get_u32(note.desc + 4, arch->order), 2224);
	assert_int_equal(get_u16(note.desc + 8, arch->order), vl);
	assert_int_equal(get_u16(note.desc + 10, arch->order), 64);
	assert_int_equal(get_u16(note.desc + 12, arch->order), 1);
	assert_int_equal(get_u16(note.desc + 14, arch->order), 0);
	/* The same bytes in both orders */
	for (size_t n = 0; n < 32; n++)
		for (size_t i = 0; i < vl; i++)
			assert_int_equal(note.desc[16 + vl * n + i], (uint8_t)(7 + 16 * n + i));
	for (size_t n = 0; n < 16; n++)
		for (size_t i = 0; i < vl / 8; i++)
			assert_int_equal(note.desc[predicates + vl / 8 * n + i],
				(uint8_t)(0x80 + 16 * n + i));
	assert_memory_equal(note.desc + predicates + 2 * vl, ffr, vl / 8);
	for (size_t i = predicates + 17 * vl / 8; i < status; i++)
		assert_int_equal(note.desc[i], 0);
	assert_int_equal(get_u32(note.desc + status, arch->order), 0x0800009f);
	assert_int_equal(get_u32(note.desc + status + 4, arch->order), 0x03c00000);
	assert_int_equal(offset, notes.size);
	notes_deinit(&notes);
	registers_deinit(&cpu);
}

static void test_sve(void **state)
{
	(void)state;
	/* 16 + 512 + 34 = 562, 16 + 1024 + 68 = 1108, 16 + 2048 + 136 = 2200 */
	check_sve(little, 2, 16, 576);
	check_sve(little, 4, 32, 1120);
	check_sve(little, 8, 64, 2208);
	check_sve(big, 4, 32, 1120);
}

/* What no vector can have as its length is not believed. */
static void test_impossible_vector_lengths(void **state)
{
	(void)state;
	check_sve(little, 0, 64, 2208);
	check_sve(little, 3, 64, 2208);
	check_sve(little, 10, 64, 2208);
	check_sve(little, UINT64_MAX, 64, 2208);
	check_sve(little, BIT(61) + 2, 64, 2208);
}

static void test_odd_vectors_are_no_sve(void **state)
{
	static const size_t sizes[] = { 8, 24, 272 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct registers cpu = general_cpu(0);
		struct notes notes;
		uint8_t bytes[272] = { 0 };

		registers_set(&cpu, "z0", bytes, sizes[i]);
		notes_init(&notes, LITTLE);
		little->write_notes(&cpu, 1, &notes, NULL, 0);
		assert_int_equal(notes.size, 20 + 392 + 20 + 528);
		notes_deinit(&notes);
		registers_deinit(&cpu);
	}
}

static void test_missing_registers_are_zero_and_named(void **state)
{
	struct registers cpu;
	struct notes notes;
	char missing[64];

	(void)state;
	registers_init(&cpu, 0, LITTLE);
	registers_set_u64(&cpu, "sp", 1);
	registers_set_u64(&cpu, "pc", 2);
	notes_init(&notes, LITTLE);
	little->write_notes(&cpu, 1, &notes, missing, sizeof(missing));
	assert_string_equal(missing, "x0-x30, cpsr, v0-v31, fpsr, fpcr");
	assert_int_equal(notes.size, 20 + 392 + 20 + 528);
	assert_int_equal(get_le64(notes.bytes + 20 + 0x70), 0);
	assert_int_equal(get_le64(notes.bytes + 20 + 0x168), 1);
	assert_int_equal(get_le64(notes.bytes + 20 + 0x170), 2);
	notes_deinit(&notes);
	registers_deinit(&cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers_by_custom),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_sve),
		cmocka_unit_test(test_impossible_vector_lengths),
		cmocka_unit_test(test_odd_vectors_are_no_sve),
		cmocka_unit_test(test_missing_registers_are_zero_and_named),
	};

	return cmocka_run_group_tests(tests, find_both, NULL);
}
