// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/flat_file.h"

#include <stdlib.h>
#include <string.h>

#include "layout/flat.h"

struct flat_record {
	uint64_t offset, size; /* in the rearranged file */
	uint64_t at;           /* of its bytes in this one */
};

static int add_record(struct flat_file *file, struct flat_record record, struct error *error)
{
	if (file->count == FLAT_RECORDS_MAX)
		return error_set(error, "it has more than %d records", FLAT_RECORDS_MAX);
	if (file->count == file->capacity) {
		size_t capacity = file->capacity ? 2 * file->capacity : 1024;
		struct flat_record *more = realloc(file->records, capacity * sizeof(*more));

		if (!more)
			return error_no_memory(error);
		file->records = more;
		file->capacity = capacity;
	}
	file->records[file->count++] = record;
	if (record.offset + record.size > file->size)
		file->size = record.offset + record.size;
	return 0;
}

/* Finds the records from offset `at` of the file on. */
static int find_records(struct flat_file *file, uint64_t at, struct error *error)
{
	const struct core_source *under = file->under;
	uint8_t header[FLAT_RECORD_SIZE];

	while (under->size - at >= FLAT_RECORD_SIZE) {
		struct flat_record record = { .at = at + FLAT_RECORD_SIZE };

		if (core_source_read(under, "a record", at, header, sizeof(header), error))
			return -1;
		record.offset = get_be64(header);
		record.size = get_be64(header + 8);
		if (record.offset == FLAT_END && record.size == FLAT_END) {
			file->complete = true;
			return 0;
		}
		if (record.offset > INT64_MAX || record.size > INT64_MAX - record.offset)
			return error_set(error, "it has a record of 0x%llx bytes at 0x%llx",
				(unsigned long long)record.size, (unsigned long long)record.offset);
		if (record.size > under->size - record.at)
			record.size = under->size - record.at;
		if (add_record(file, record, error))
			return -1;
		at = record.at + record.size;
	}
	return 0;
}

int flat_file_init(struct flat_file *file, const struct core_source *source, struct error *error)
{
	uint8_t numbers[16];

	*file = (struct flat_file){ .under = source };
	if (core_source_read(
		    source, "its header", FLAT_SIGNATURE_SIZE, numbers, sizeof(numbers), error))
		return -1;
	if (get_be64(numbers) != FLAT_TYPE || get_be64(numbers + 8) != FLAT_VERSION)
		return error_set(error, "it is flattened in another way than is known");
	return find_records(file, FLAT_HEADER_SIZE, error);
}

void flat_file_deinit(struct flat_file *file)
{
	free(file->records);
	*file = (struct flat_file){ 0 };
}

/* Of the records in their order, each what it has of what is wanted; in between there are zeros. */
static int flat_read_at(void *ctx, uint64_t offset, void *buf, size_t size)
{
	const struct flat_file *file = ctx;
	uint64_t end = offset + size;

	memset(buf, 0, size);
	for (size_t i = 0; i < file->count; i++) {
		const struct flat_record *record = &file->records[i];
		uint64_t from = record->offset > offset ? record->offset : offset;
		uint64_t to = record->offset + record->size;

		if (to > end)
			to = end;
		if (from < to &&
			file->under->read_at(file->under->ctx, record->at + (from - record->offset),
				(uint8_t *)buf + (from - offset), (size_t)(to - from)))
			return -1;
	}
	return 0;
}

struct core_source flat_file_source(struct flat_file *file)
{
	return (struct core_source){ .read_at = flat_read_at, .ctx = file, .size = file->size };
}
