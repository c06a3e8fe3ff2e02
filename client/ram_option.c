// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/ram_option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "layout/iomem.h"
#include "layout/memory_map.h"

enum { FILE_MAX = 4 << 20 }; /* of a guest with thousands of memory devices: some 100 KiB */

/* A whole file with a NUL behind it, the caller's to free; NULL with the reason. */
static char *read_file(const char *path, size_t *size, struct failure *failure)
{
	char *text = malloc(FILE_MAX + 1);
	FILE *file = text ? fopen(path, "re") : NULL;

	if (!file) {
		fail(failure, errno == ENOMEM ? STATUS_FAILED : STATUS_USAGE, "--ram: %s: %s", path,
			errno == ENOMEM ? "no memory" : strerror(errno));
		goto failed;
	}
	*size = fread(text, 1, FILE_MAX + 1, file);
	if (ferror(file) || *size > FILE_MAX) {
		fail(failure, STATUS_USAGE, "--ram: %s: %s", path,
			ferror(file) ? "cannot be read" : "is too large");
		goto failed;
	}
	text[*size] = '\0';
	fclose(file);
	return text;
failed:
	if (file)
		fclose(file);
	free(text);
	return NULL;
}

static int take_memory_map(
	struct ram_option *option, const char *text, size_t size, struct error *error)
{
	struct memory_map map;
	int rc;

	memory_map_init(&map);
	rc = memory_map_parse(text, size, &map, error);
	if (rc == 0 && map.everywhere)
		rc = error_set(error, "all addresses are memory in it, which tells nothing");
	else if (rc == 0 && !map.ram.count)
		rc = error_set(error, "no RAM in it");
	if (rc == 0) {
		option->ram = map.ram;
		option->memory = map.all;
		memory_map_init(&map);
	}
	memory_map_deinit(&map);
	return rc;
}

static int take_file(struct ram_option *option, const char *path, struct failure *failure)
{
	struct error error;
	size_t size;
	char *text = read_file(path, &size, failure);
	int rc;

	if (!text)
		return -1;
	if (text[strspn(text, " \t\r\n")] == '<')
		rc = take_memory_map(option, text, size, &error);
	else if (strlen(text) != size)
		rc = error_set(&error, "no text");
	else
		rc = iomem_parse(text, &option->ram, &error);
	free(text);
	if (rc && !fail_no_memory(failure, &error))
		fail(failure, STATUS_USAGE, "--ram: %s: %s", path, error.text);
	return rc;
}

static int take_ranges(struct ram_option *option, const char *text, struct failure *failure)
{
	struct error error;

	if (ranges_parse(text, &option->ram, &error) == 0)
		return 0;
	if (!fail_no_memory(failure, &error))
		fail(failure, STATUS_USAGE, "--ram: %s", error.text);
	return -1;
}

int ram_option_read(
	struct ram_option *option, const struct options *options, struct failure *failure)
{
	const char *text = options->ram;
	bool ranges = *text >= '0' && *text <= '9';

	ranges_init(&option->ram);
	ranges_init(&option->memory);
	if (strcmp(text, "auto") == 0 || strcmp(text, "all") == 0)
		return 0;
	if (ranges ? take_ranges(option, text, failure) : take_file(option, text, failure))
		return -1;
	if (!option->memory.count && ranges_copy(&option->memory, &option->ram))
		return fail(failure, STATUS_FAILED, "no memory");
	return 0;
}

void ram_option_deinit(struct ram_option *option)
{
	ranges_deinit(&option->ram);
	ranges_deinit(&option->memory);
}
