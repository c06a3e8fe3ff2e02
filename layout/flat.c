// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/flat.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arch/bytes.h"

/* Bytes in a row become one record up to this: crash sorts all records when it opens a stream. */
enum { GATHER_SIZE = 256 << 10 };

struct flat {
	struct sink sink;
	struct sink *under;
	bool begun;
	uint64_t size;    /* of the file so far, with what is gathered */
	uint64_t written; /* behind the last byte of it that is in a record */
	uint8_t *gathered;
	size_t gathered_size;
};

static struct flat *flat_of(struct sink *sink)
{
	return (struct flat *)sink;
}

static int begin(struct flat *flat)
{
	uint8_t header[FLAT_HEADER_SIZE] = { 0 };

	flat->begun = true;
	memcpy(header, FLAT_SIGNATURE, sizeof(FLAT_SIGNATURE));
	put_be64(header + FLAT_SIGNATURE_SIZE, FLAT_TYPE);
	put_be64(header + FLAT_SIGNATURE_SIZE + 8, FLAT_VERSION);
	return flat->under->write(flat->under, header, sizeof(header));
}

static int write_record(struct flat *flat, uint64_t offset, const void *bytes, size_t size)
{
	uint8_t header[FLAT_RECORD_SIZE];

	if (!flat->begun && begin(flat))
		return -1;
	if (offset + size > flat->written)
		flat->written = offset + size;
	put_be64(header, offset);
	put_be64(header + 8, size);
	return flat->under->write(flat->under, header, sizeof(header)) ||
	                       flat->under->write(flat->under, bytes, size)
	               ? -1
	               : 0;
}

static int write_gathered(struct flat *flat)
{
	size_t size = flat->gathered_size;

	flat->gathered_size = 0;
	return size ? write_record(flat, flat->size - size, flat->gathered, size) : 0;
}

static int flat_write(struct sink *sink, const void *bytes, size_t size)
{
	struct flat *flat = flat_of(sink);
	const uint8_t *from = bytes;

	while (size) {
		size_t room = GATHER_SIZE - flat->gathered_size;
		size_t part = size < room ? size : room;

		memcpy(flat->gathered + flat->gathered_size, from, part);
		flat->gathered_size += part;
		flat->size += part;
		from += part;
		size -= part;
		if (flat->gathered_size == GATHER_SIZE && write_gathered(flat))
			return -1;
	}
	return 0;
}

static int flat_zero(struct sink *sink, uint64_t size)
{
	struct flat *flat = flat_of(sink);

	if (write_gathered(flat))
		return -1;
	flat->size += size;
	return 0;
}

/* What is replaced may be among what is gathered, and has to come behind it. */
static int flat_write_at(struct sink *sink, uint64_t offset, const void *bytes, size_t size)
{
	struct flat *flat = flat_of(sink);

	return write_gathered(flat) ? -1 : write_record(flat, offset, bytes, size);
}

static const char *flat_error(struct sink *sink)
{
	struct flat *flat = flat_of(sink);

	return flat->under->error(flat->under);
}

struct flat *flat_create(struct sink *under)
{
	struct flat *flat = calloc(1, sizeof(*flat));

	if (!flat)
		return NULL;
	flat->sink = (struct sink){
		.write = flat_write,
		.zero = flat_zero,
		.write_at = flat_write_at,
		.error = flat_error,
	};
	flat->under = under;
	flat->gathered = malloc(GATHER_SIZE);
	if (!flat->gathered) {
		flat_destroy(flat);
		return NULL;
	}
	return flat;
}

void flat_destroy(struct flat *flat)
{
	if (!flat)
		return;
	free(flat->gathered);
	free(flat);
}

struct sink *flat_sink(struct flat *flat)
{
	return &flat->sink;
}

int flat_finish(struct flat *flat)
{
	uint8_t end[FLAT_RECORD_SIZE];

	if (write_gathered(flat))
		return -1;
	/* Zeros at the end are in no record, but the file has them. */
	if (flat->size > flat->written && write_record(flat, flat->size - 1, "", 1))
		return -1;
	if (!flat->begun && begin(flat))
		return -1;
	put_be64(end, FLAT_END);
	put_be64(end + 8, FLAT_END);
	return flat->under->write(flat->under, end, sizeof(end));
}
