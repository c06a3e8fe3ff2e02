// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/small_kernel.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_BITS = 12, PRESENT = 1 };

static struct paging_entry paging_entry(
	const struct page_table *table, unsigned level, uint64_t vaddr, uint64_t raw)
{
	(void)level;
	(void)vaddr;
	return (struct paging_entry){ .present = raw & PRESENT,
		.leaf = true,
		.writable = true,
		.address = raw & table->address_mask };
}

static int do_read(struct small_kernel *small, uint64_t paddr, void *buf, size_t len)
{
	uint64_t page = small->unreadable / 4096;
	bool touches = page && paddr / 4096 <= page && (paddr + len - 1) / 4096 >= page;

	if (len > small->longest)
		small->longest = len;
	if (touches || !ranges_contain(&small->ram, paddr, len)) {
		small->failed++;
		return -1;
	}
	small->bytes_read += len;
	memcpy(buf, small->bytes + paddr, len);
	return 0;
}

static int read_one(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	struct small_kernel *small = ctx;

	small->reads++;
	return do_read(small, paddr, buf, len);
}

static void read_many(void *ctx, struct guest_read_request *requests, size_t count)
{
	struct small_kernel *small = ctx;

	small->batches++;
	if (count > small->largest_batch)
		small->largest_batch = count;
	for (size_t i = 0; i < count; i++)
		requests[i].failed = do_read(small, requests[i].paddr, requests[i].buf,
					     requests[i].len) != 0;
}

void small_kernel_init(struct small_kernel *small, unsigned char elf_class, enum byte_order order,
	const char *lines)
{
	char text[8192];
	struct error error;
	struct page_table *table = &small->kernel.table;

	*small = (struct small_kernel){
		.arch = { .name = "small",
			.elf_class = elf_class,
			.order = order,
			.page_shift = 12,
			.paging_entry = paging_entry },
		.memory = { .read = read_one, .read_many = read_many, .ctx = small },
		.bytes = calloc(1, SMALL_KERNEL_SIZE),
	};
	kernel_init(&small->kernel);
	ranges_init(&small->ram);
	snprintf(text, sizeof(text), "OSRELEASE=6.1.0\nPAGESIZE=4096\n%s", lines);
	if (!small->bytes || ranges_add(&small->ram, 0, SMALL_KERNEL_SIZE) ||
		vmcoreinfo_parse(&small->kernel.vmcoreinfo, text, strlen(text), &error))
		abort();
	small->kernel.mapped = true;
	*table = (struct page_table){
		.arch = &small->arch,
		.root = SMALL_KERNEL_TABLE,
		.levels = 1,
		.page_shift = 12,
		.level_bits = { TABLE_BITS },
		.entry_size = elf_class == ELFCLASS64 ? 8 : 4,
		.order = order,
		.address_mask = 0xfffff000,
		.regions = { { .range = { 0, SMALL_KERNEL_SIZE - 1 } } },
		.region_count = 1,
	};
}

void small_kernel_deinit(struct small_kernel *small)
{
	kernel_deinit(&small->kernel);
	ranges_deinit(&small->ram);
	free(small->bytes);
	small->bytes = NULL;
}

static uint8_t *entry_of(struct small_kernel *small, uint64_t vaddr)
{
	if (vaddr >= SMALL_KERNEL_SIZE)
		abort();
	return small->bytes + SMALL_KERNEL_TABLE + vaddr / 4096 * small->kernel.table.entry_size;
}

static void put(struct small_kernel *small, uint8_t *to, unsigned size, uint64_t value)
{
	enum byte_order order = small->arch.order;

	if (size == 1)
		*to = (uint8_t)value;
	else if (size == 2)
		put_u16(to, (uint16_t)value, order);
	else if (size == 4)
		put_u32(to, (uint32_t)value, order);
	else
		put_u64(to, value, order);
}

void small_kernel_map(struct small_kernel *small, uint64_t vaddr, uint64_t paddr, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(small, entry_of(small, vaddr + i * 4096), small->kernel.table.entry_size,
			(paddr + i * 4096) | PRESENT);
}

void small_kernel_unmap(struct small_kernel *small, uint64_t vaddr, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put(small, entry_of(small, vaddr + i * 4096), small->kernel.table.entry_size, 0);
}

void small_kernel_put(struct small_kernel *small, uint64_t vaddr, unsigned size, uint64_t value)
{
	uint64_t paddr;
	const struct guest_memory quiet = {
		.read = read_one,
		.ctx = &(struct small_kernel){ .ram = small->ram, .bytes = small->bytes },
	};

	if (!paging_translate(&small->kernel.table, &quiet, vaddr, &paddr))
		abort();
	put(small, small->bytes + paddr, size, value);
}

void small_kernel_put_word(struct small_kernel *small, uint64_t vaddr, uint64_t value)
{
	small_kernel_put(small, vaddr, small->arch.elf_class == ELFCLASS64 ? 8 : 4, value);
}
