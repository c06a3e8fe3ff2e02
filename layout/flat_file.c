// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/flat_file.h"

#include <stdlib.h>
#include <string.h>

#include "layout/flat.h"

struct flat_record {
	uint64_t offset, size; /* in the rearranged file */
	uint64_t at;           /* of its bytes in this one */
};

static uint64_t end_of(const struct flat_record *record)
{
	return record->offset + record->size;
}

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

/* ---- which record counts where ----------------------------------------------------------------
 */

static int by_offset(const void *a, const void *b)
{
	const struct flat_record *first = a, *second = b;

	return first->offset < second->offset ? -1 : first->offset > second->offset;
}

/*
 * Records that reach over a place, the last in the file on top: a heap. Where a record lies in the
 * file is its order, too.
 */
struct heap {
	const struct flat_record **items;
	size_t count;
};

static void swap(struct heap *heap, size_t a, size_t b)
{
	const struct flat_record *item = heap->items[a];

	heap->items[a] = heap->items[b];
	heap->items[b] = item;
}

static void push(struct heap *heap, const struct flat_record *record)
{
	size_t at = heap->count++;

	heap->items[at] = record;
	for (; at && heap->items[(at - 1) / 2]->at < heap->items[at]->at; at = (at - 1) / 2)
		swap(heap, at, (at - 1) / 2);
}

static void pop(struct heap *heap)
{
	size_t at = 0, child;

	heap->items[0] = heap->items[--heap->count];
	while ((child = 2 * at + 1) < heap->count) {
		if (child + 1 < heap->count && heap->items[child]->at < heap->items[child + 1]->at)
			child++;
		if (heap->items[child]->at <= heap->items[at]->at)
			break;
		swap(heap, at, child);
		at = child;
	}
}

/* Adds what of a record counts, to the piece before it if that is of the same record. */
static void add_piece(
	struct flat_file *file, const struct flat_record *record, uint64_t offset, uint64_t end)
{
	struct flat_record *last = file->count ? &file->records[file->count - 1] : NULL;
	uint64_t at = record->at + (offset - record->offset);

	if (last && end_of(last) == offset && last->at + last->size == at)
		last->size += end - offset;
	else
		file->records[file->count++] = (struct flat_record){
			.offset = offset, .size = end - offset, .at = at
		};
}

/*
 * Goes over the sorted records in the order of where they begin: the top of those that reach over a
 * place counts up to its end, or to where the next one begins.
 */
static void sweep(
	struct flat_file *file, struct heap *heap, const struct flat_record *sorted, size_t count)
{
	uint64_t place = 0;
	size_t next = 0;

	while (next < count || heap->count) {
		if (heap->count == 0 && sorted[next].offset > place)
			place = sorted[next].offset;
		for (; next < count && sorted[next].offset <= place; next++)
			push(heap, &sorted[next]);
		while (heap->count && end_of(heap->items[0]) <= place)
			pop(heap);
		if (heap->count == 0)
			continue;

		const struct flat_record *top = heap->items[0];
		uint64_t end = end_of(top);

		if (next < count && sorted[next].offset < end)
			end = sorted[next].offset;
		add_piece(file, top, place, end);
		place = end;
	}
}

/* So that a read need not look at every record: a hostile file has millions. */
static int put_in_order(struct flat_file *file, struct error *error)
{
	struct flat_record *sorted = file->records;
	size_t count = file->count;
	struct heap heap = { .items = malloc((count + 1) * sizeof(const void *)) };

	/* Each begins a piece, and each of them that ends lets another go on. */
	file->capacity = 2 * count + 1;
	file->records = malloc(file->capacity * sizeof(*file->records));
	file->count = 0;
	if (heap.items && file->records) {
		if (count)
			qsort(sorted, count, sizeof(*sorted), by_offset);
		sweep(file, &heap, sorted, count);
	} else {
		error_no_memory(error);
	}
	free(sorted);
	free(heap.items);
	return error->no_memory ? -1 : 0;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

int flat_file_init(struct flat_file *file, const struct core_source *source, struct error *error)
{
	uint8_t numbers[16];

	*file = (struct flat_file){ .under = source };
	if (core_source_read(
		    source, "its header", FLAT_SIGNATURE_SIZE, numbers, sizeof(numbers), error))
		return -1;
	if (get_be64(numbers) != FLAT_TYPE || get_be64(numbers + 8) != FLAT_VERSION)
		return error_set(error, "it is flattened in another way than is known");
	error->no_memory = false;
	return find_records(file, FLAT_HEADER_SIZE, error) || put_in_order(file, error) ? -1 : 0;
}

void flat_file_deinit(struct flat_file *file)
{
	free(file->records);
	*file = (struct flat_file){ 0 };
}

/* The first piece that ends behind an offset, or count. */
static size_t find_piece(const struct flat_file *file, uint64_t offset)
{
	size_t first = 0, behind = file->count;

	while (first < behind) {
		size_t middle = first + (behind - first) / 2;

		if (end_of(&file->records[middle]) <= offset)
			first = middle + 1;
		else
			behind = middle;
	}
	return first;
}

/* In between the pieces there are zeros. */
static int flat_read_at(void *ctx, uint64_t offset, void *buf, size_t size)
{
	const struct flat_file *file = ctx;
	uint64_t end = offset + size;

	memset(buf, 0, size);
	for (size_t i = find_piece(file, offset); i < file->count; i++) {
		const struct flat_record *record = &file->records[i];
		uint64_t from = record->offset > offset ? record->offset : offset;
		uint64_t to = end_of(record) < end ? end_of(record) : end;

		if (from >= to)
			break;
		if (file->under->read_at(file->under->ctx, record->at + (from - record->offset),
			    (uint8_t *)buf + (from - offset), (size_t)(to - from)))
			return -1;
	}
	return 0;
}

struct core_source flat_file_source(struct flat_file *file)
{
	return (struct core_source){ .read_at = flat_read_at, .ctx = file, .size = file->size };
}
