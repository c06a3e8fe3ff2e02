// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine's memory: ranges, of which a later one hides what is below it. */
#include <string.h>

#include "tests/stub/synthetic.h"

uint8_t memory_pattern(uint64_t addr)
{
	uint64_t word = (addr / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint8_t)(word >> addr % 8 * 8);
}

const struct memory_range *machine_range(const struct machine *machine, uint64_t addr, size_t *len)
{
	for (size_t i = machine->memory_count; i-- > 0;) {
		const struct memory_range *range = &machine->memory[i];
		uint64_t left = range->length - (addr - range->start);

		if (addr >= range->start && addr - range->start < range->length) {
			if (left < *len)
				*len = (size_t)left;
			return range;
		}
		if (range->start > addr && range->start - addr < *len)
			*len = (size_t)(range->start - addr);
	}
	return NULL;
}

bool machine_is_device(const struct machine *machine, uint64_t addr, size_t len)
{
	for (size_t done = 0; done < len;) {
		size_t part = len - done;
		const struct memory_range *range = machine_range(machine, addr + done, &part);

		if (range && range->kind == MEMORY_DEVICE)
			return true;
		done += part;
	}
	return false;
}

size_t machine_read(const struct machine *machine, uint64_t addr, uint8_t *to, size_t len)
{
	size_t done = 0;

	while (done < len) {
		size_t part = len - done;
		uint64_t at = addr + done;
		const struct memory_range *range = machine_range(machine, at, &part);

		if (!range || range->kind == MEMORY_UNREADABLE || range->kind == MEMORY_DEVICE)
			break;
		if (range->kind == MEMORY_ZERO)
			memset(to + done, 0, part);
		else if (range->kind == MEMORY_BYTES)
			memcpy(to + done, range->bytes + (at - range->start), part);
		else if (range->kind == MEMORY_SYNTHETIC)
			synthetic_read(at, to + done, part);
		else
			for (size_t i = 0; i < part; i++)
				to[done + i] = memory_pattern(at + i);
		done += part;
	}
	return done;
}
