// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/fuzz/guest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/digits.h"
#include "tests/fuzz/fuzz.h"

enum { PAGE = 4096 };

/* ---- reading --------------------------------------------------------------------------------- */

static int read_one(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct fuzz_guest *guest = ctx;
	size_t cost = 1 + len / PAGE;

	if (cost > guest->reads_left || !ranges_contain(&guest->ram, paddr, len) ||
		ranges_overlap(&guest->unreadable, paddr, len))
		return -1;
	guest->reads_left -= cost;
	memset(buf, 0, len);
	for (size_t i = 0; i < guest->piece_count; i++) {
		const struct fuzz_piece *piece = &guest->pieces[i];
		uint64_t from = piece->addr > paddr ? piece->addr : paddr;
		uint64_t to = piece->addr + piece->size;

		if (to > paddr + len)
			to = paddr + len;
		if (from < to)
			memcpy((uint8_t *)buf + (from - paddr),
				guest->bytes + piece->offset + (from - piece->addr),
				(size_t)(to - from));
	}
	return 0;
}

static void read_many(void *ctx, struct guest_read_request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		requests[i].failed = read_one(ctx, requests[i].paddr, requests[i].buf,
					     requests[i].len) != 0;
}

/* ---- the text -------------------------------------------------------------------------------- */

static void put_bytes(struct fuzz_guest *guest, const void *bytes, size_t size)
{
	struct fuzz_piece *piece;

	if (!guest->piece_count || size > GUEST_BYTES_MAX - guest->byte_count)
		return;
	piece = &guest->pieces[guest->piece_count - 1];
	if (piece->addr + piece->size > UINT64_MAX - size)
		return;
	memcpy(guest->bytes + guest->byte_count, bytes, size);
	guest->byte_count += size;
	piece->size += size;
}

static void put_word(struct fuzz_guest *guest, uint64_t word, size_t size)
{
	uint8_t bytes[8];

	if (size == 8)
		put_u64(bytes, word, guest->arch->order);
	else if (size == 4)
		put_u32(bytes, (uint32_t)word, guest->arch->order);
	else if (size == 2)
		put_u16(bytes, (uint16_t)word, guest->arch->order);
	else
		bytes[0] = (uint8_t)word;
	put_bytes(guest, bytes, size);
}

/* WORD, WORD+STEP, WORDxCOUNT or WORD+STEPxCOUNT */
static bool take_words(struct fuzz_guest *guest, const char **text)
{
	uint64_t word, step = 0, count = 1;
	const char *digits;
	size_t size;

	*text += strspn(*text, " ");
	digits = *text;
	if (!read_digits(text, 16, &word))
		return false;
	size = (size_t)(*text - digits) / 2;
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return false;
	if (**text == '+') {
		++*text;
		if (!read_digits(text, 16, &step))
			return false;
	}
	if (**text == 'x') {
		++*text;
		if (!read_digits(text, 10, &count))
			return false;
	}
	for (uint64_t i = 0; i < count && i < GUEST_BYTES_MAX; i++)
		put_word(guest, word + i * step, size);
	return true;
}

static void take_memory(struct fuzz_guest *guest, const char *text)
{
	uint64_t addr;

	if (guest->piece_count == GUEST_PIECES_MAX || !read_digits(&text, 16, &addr))
		return;
	guest->pieces[guest->piece_count++] = (struct fuzz_piece){
		.addr = addr,
		.offset = guest->byte_count,
	};
	while (take_words(guest, &text))
		continue;
}

static void take_range(struct ranges *ranges, const char *text)
{
	uint64_t start, size;

	if (!read_digits(&text, 16, &start) || *text++ != ' ' || !read_digits(&text, 16, &size))
		return;
	ranges_add(ranges, start, size);
}

static void take_register(struct fuzz_guest *guest, char *line)
{
	char *value = strchr(line, ' ');
	struct registers *cpu = &guest->cpus[guest->cpu_count ? guest->cpu_count - 1 : 0];
	const char *digits;
	uint8_t bytes[8];
	uint64_t number;
	size_t size;

	if (!value)
		return;
	*value++ = '\0';
	digits = value;
	if (!read_digits(&digits, 16, &number) || *digits)
		return;
	size = (size_t)(digits - value) / 2;
	if (size > sizeof(bytes))
		size = sizeof(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[cpu->order == LITTLE ? i : size - 1 - i] = (uint8_t)(number >> 8 * i);
	if (size)
		registers_set(cpu, line, bytes, size);
}

static void take_info(struct fuzz_guest *guest, const char *text)
{
	size_t size = strlen(text);

	if (size + 2 > GUEST_INFO_MAX - guest->info_size)
		return;
	memcpy(guest->info + guest->info_size, text, size);
	guest->info_size += size;
	guest->info[guest->info_size++] = '\n';
	guest->info[guest->info_size] = '\0';
}

static void set_arch(struct fuzz_guest *guest, const char *name)
{
	const struct arch *arch = arch_find(name);

	if (!arch)
		return;
	guest->arch = arch;
	for (size_t i = 0; i < GUEST_CPUS_MAX; i++)
		guest->cpus[i].order = arch->order;
}

static void take_line(struct fuzz_guest *guest, char *line)
{
	if (strncmp(line, "arch ", 5) == 0) {
		set_arch(guest, line + 5);
	} else if (strcmp(line, "cpu") == 0) {
		guest->cpu_count += guest->cpu_count < GUEST_CPUS_MAX;
	} else if (strncmp(line, "ram ", 4) == 0) {
		take_range(&guest->ram, line + 4);
	} else if (strncmp(line, "level ", 6) == 0) {
		guest->level = (unsigned)atoi(line + 6) & 0xff;
	} else if (strcmp(line, "single") == 0) {
		guest->memory.read_many = NULL;
	} else if (*line == '!') {
		take_range(&guest->unreadable, line + 1);
	} else if (*line == '@') {
		take_memory(guest, line + 1);
	} else if (*line == '>') {
		take_info(guest, line + 1);
	} else if (*line == '"') {
		put_bytes(guest, line + 1, strlen(line + 1));
		put_bytes(guest, "\n", 1);
	} else {
		take_register(guest, line);
	}
}

void fuzz_guest_init(struct fuzz_guest *guest, const uint8_t *text, size_t size)
{
	char *copy = fuzz_text(text, size), *rest = copy, *line;

	*guest = (struct fuzz_guest){
		.arch = arch_find("x86_64"),
		.bytes = malloc(GUEST_BYTES_MAX),
		.info = calloc(1, GUEST_INFO_MAX),
		.reads_left = GUEST_READS_MAX,
		.memory = { .read = read_one, .read_many = read_many, .ctx = guest },
	};
	CHECK(guest->bytes && guest->info);
	for (unsigned i = 0; i < GUEST_CPUS_MAX; i++)
		registers_init(&guest->cpus[i], i, guest->arch->order);
	while ((line = strsep(&rest, "\n")))
		take_line(guest, line);
	if (!guest->cpu_count)
		guest->cpu_count = 1;
	if (!guest->ram.count)
		CHECK(ranges_add(&guest->ram, 0, GUEST_RAM) == 0);
	free(copy);
}

void fuzz_guest_deinit(struct fuzz_guest *guest)
{
	for (unsigned i = 0; i < GUEST_CPUS_MAX; i++)
		registers_deinit(&guest->cpus[i]);
	ranges_deinit(&guest->ram);
	ranges_deinit(&guest->unreadable);
	free(guest->bytes);
	free(guest->info);
}

/* ---- page tables ----------------------------------------------------------------------------- */

bool fuzz_guest_table(
	const struct fuzz_guest *guest, size_t cpu, unsigned nth, struct page_table *table)
{
	const struct arch *arch = guest->arch;

	return arch->page_table &&
	       arch->page_table(&guest->cpus[cpu], ranges_end(&guest->ram), nth, table);
}

void fuzz_check_table(const struct page_table *table)
{
	unsigned shift = table->page_shift;

	CHECK(table->arch && table->arch->paging_entry && table->arch->kernel_space);
	CHECK(table->levels <= PAGING_LEVELS_MAX);
	CHECK(table->region_count && table->region_count <= PAGING_REGIONS_MAX);
	for (unsigned i = 0; i < table->region_count; i++) {
		const struct paging_region *region = &table->regions[i];

		CHECK(region->range.first <= region->range.last);
		CHECK(i == 0 || region[-1].range.last < region->range.first);
		CHECK(region->linear || table->levels);
	}
	if (!table->levels)
		return;
	CHECK(table->entry_size == 4 || table->entry_size == 8);
	CHECK(shift >= 10 && shift <= 16);
	for (unsigned i = 0; i < table->levels; i++) {
		CHECK(table->level_bits[i] >= 1);
		/* The largest tables that there are: the first level of a short descriptor's. */
		CHECK(page_table_size(table, i) <= 1 << 20);
		shift += table->level_bits[i];
	}
	CHECK(shift - table->level_bits[table->levels - 1] < 64);
}
