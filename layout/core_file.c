// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/core_file.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "layout/elf_file.h"

enum { MAGIC_MAX = 16 };

static const struct {
	const char *name;
	const char *magic;
	size_t magic_size; /* up to MAGIC_MAX */
	int (*read)(struct core_file *file, const struct core_source *source, struct error *error);
} formats[] = {
	{ "elf", ELFMAG, SELFMAG, elf_file_read },
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

int core_file_read(struct core_file *file, const struct core_source *source, struct error *error)
{
	uint8_t head[MAGIC_MAX];

	if (source->size < sizeof(head))
		return error_set(error, "it is too short for a core");
	if (source->read_at(source->ctx, 0, head, sizeof(head)))
		return error_set(error, "it cannot be read");
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		if (memcmp(head, formats[i].magic, formats[i].magic_size) != 0)
			continue;
		file->format = formats[i].name;
		return formats[i].read(file, source, error);
	}
	return error_set(error, "it is no core of a format that is known");
}
