// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/core_file.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/notes.h"
#include "layout/elf_file.h"
#include "layout/flat.h"
#include "layout/flat_file.h"
#include "layout/kdump_file.h"
#include "layout/kdump_format.h"

enum { MAGIC_MAX = 16 };

/* How a format is read; the file begins with the magic and has MAGIC_MAX bytes or more. */
static const struct {
	const char *magic;
	size_t magic_size; /* up to MAGIC_MAX */
	int (*read)(struct core_file *file, const struct core_source *source, struct error *error);
} formats[] = {
	{ ELFMAG, SELFMAG, elf_file_read },
	{ KDUMP_SIGNATURE, KDUMP_SIGNATURE_SIZE, kdump_file_read },
};

void core_file_init(struct core_file *file)
{
	*file = (struct core_file){ 0 };
	ranges_init(&file->memory);
	vmcoreinfo_init(&file->vmcoreinfo);
}

void core_file_deinit(struct core_file *file)
{
	ranges_deinit(&file->memory);
	free(file->mappings);
	vmcoreinfo_deinit(&file->vmcoreinfo);
	core_file_init(file);
}

int core_source_read(const struct core_source *source, const char *what, uint64_t offset, void *buf,
	size_t size, struct error *error)
{
	if (offset > source->size || size > source->size - offset)
		return error_set(error, "%s is behind the end of the file", what);
	if (source->read_at(source->ctx, offset, buf, size))
		return error_set(error, "%s cannot be read", what);
	return 0;
}

/* A VMCOREINFO that makes no sense is no reason not to tell the rest. */
static int take_note(struct core_file *file, const struct note *note, struct error *error)
{
	if (!strcmp(note->name, "CORE") && note->type == NT_PRSTATUS)
		file->cpus++;
	else if (!strcmp(note->name, "QEMU"))
		file->qemu_notes = true;
	else if (!strcmp(note->name, "VMCOREINFO") && !file->vmcoreinfo.text &&
		 vmcoreinfo_parse(
			 &file->vmcoreinfo, (const char *)note->desc, note->desc_size, error))
		return error->no_memory ? -1 : 0;
	return 0;
}

int core_file_read_notes(struct core_file *file, const struct core_source *source, uint64_t offset,
	uint64_t size, struct error *error)
{
	uint64_t in_file = offset < source->size ? source->size - offset : 0;
	struct note note;
	size_t at = 0;
	uint8_t *bytes;
	int result;

	if (size > CORE_NOTES_MAX)
		return error_set(error, "its notes are larger than %d bytes", CORE_NOTES_MAX);
	if (size > in_file) {
		size = in_file;
		file->complete = false;
	}
	if (!size)
		return 0;

	bytes = malloc((size_t)size);
	if (!bytes)
		return error_no_memory(error);
	result = core_source_read(source, "a note", offset, bytes, (size_t)size, error);
	while (!result && notes_next(bytes, (size_t)size, file->order, &at, &note))
		result = take_note(file, &note, error);
	free(bytes);
	return result;
}

static int read_flattened(
	struct core_file *file, const struct core_source *source, struct error *error)
{
	struct flat_file flat;
	struct core_source rearranged;
	int result = flat_file_init(&flat, source, error);

	if (!result) {
		rearranged = flat_file_source(&flat);
		file->flattened = true;
		result = core_file_read(file, &rearranged, error);
		file->complete = file->complete && flat.complete;
	}
	flat_file_deinit(&flat);
	return result;
}

int core_file_read(struct core_file *file, const struct core_source *source, struct error *error)
{
	uint8_t head[MAGIC_MAX];

	if (source->size < sizeof(head))
		return error_set(error, "it is too short for a core");
	if (core_source_read(source, "it", 0, head, sizeof(head), error))
		return -1;
	file->complete = true;
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (memcmp(head, formats[i].magic, formats[i].magic_size) == 0)
			return formats[i].read(file, source, error);
	/* Once only: what is flattened twice is nobody's core. */
	if (memcmp(head, FLAT_SIGNATURE, sizeof(FLAT_SIGNATURE)) == 0 && !file->flattened)
		return read_flattened(file, source, error);
	return error_set(error, "it is no core of a format that is known");
}
