// SPDX-License-Identifier: GPL-2.0-or-later
#include "layout/memory_map.h"

#include <expat.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "layout/digits.h"

#define SPACE_32 (UINT64_C(1) << 32)

struct reader {
	XML_Parser parser;
	struct memory_map *map;
	struct error *error;
	bool failed; /* the reason is in error */
	bool is_map; /* the root has been seen */
};

void memory_map_init(struct memory_map *map)
{
	ranges_init(&map->ram);
	ranges_init(&map->all);
	map->everywhere = false;
}

void memory_map_deinit(struct memory_map *map)
{
	ranges_deinit(&map->ram);
	ranges_deinit(&map->all);
	map->everywhere = false;
}

/* Ends the parsing at this line; error has the reason. */
static void stop(struct reader *reader)
{
	if (!reader->failed && !reader->error->no_memory)
		error_prefix(reader->error, "line %lu",
			(unsigned long)XML_GetCurrentLineNumber(reader->parser));
	reader->failed = true;
	XML_StopParser(reader->parser, XML_FALSE);
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
	for (; attributes[0]; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	return NULL;
}

static bool read_attribute(const XML_Char **attributes, const char *name, uint64_t *value)
{
	const char *text = attribute(attributes, name);

	return text && read_number(&text, value) && !*text;
}

/* A map may end with the address space; of that the ranges hold what they can. */
static int add_area(struct memory_map *map, const char *type, uint64_t start, uint64_t size)
{
	if (start >= RANGE_ADDRESS_MAX)
		return -1;
	if (size > RANGE_ADDRESS_MAX - start)
		size = RANGE_ADDRESS_MAX - start;
	if (ranges_add(&map->all, start, size))
		return -1;
	return strcmp(type, "ram") == 0 ? ranges_add(&map->ram, start, size) : 0;
}

static int check_area(struct reader *reader, const char *type, uint64_t start, uint64_t size)
{
	if (strcmp(type, "ram") != 0 && strcmp(type, "rom") != 0 && strcmp(type, "flash") != 0)
		return error_set(reader->error, "memory of type \"%.20s\"", type);
	if (size == 0)
		return error_set(reader->error, "an empty area at 0x%" PRIx64, start);
	if (size - 1 > UINT64_MAX - start)
		return error_set(reader->error,
			"an area of 0x%" PRIx64 " bytes at 0x%" PRIx64 " ends nowhere", size,
			start);
	if (ranges_overlap(&reader->map->all, start, size))
		return error_set(reader->error,
			"the area 0x%" PRIx64 "-0x%" PRIx64 " overlaps one before it", start,
			start + (size - 1));
	return 0;
}

static void take_memory(struct reader *reader, const XML_Char **attributes)
{
	const char *type = attribute(attributes, "type");
	uint64_t start, size;

	if (!type || !read_attribute(attributes, "start", &start) ||
		!read_attribute(attributes, "length", &size)) {
		error_set(reader->error, "<memory> wants a type, a start and a length");
		stop(reader);
	} else if (check_area(reader, type, start, size)) {
		stop(reader);
	} else if (add_area(reader->map, type, start, size)) {
		if (reader->map->all.no_memory || reader->map->ram.no_memory)
			error_no_memory(reader->error);
		else
			error_set(reader->error,
				"an area at 0x%" PRIx64 " is too far up, or one too many", start);
		stop(reader);
	}
}

static void start_element(void *data, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *reader = data;

	if (!reader->is_map && strcmp(name, "memory-map") != 0) {
		error_set(reader->error, "<%.20s> is no <memory-map>", name);
		stop(reader);
	} else if (reader->is_map && strcmp(name, "memory") == 0) {
		take_memory(reader, attributes);
	}
	reader->is_map = true;
}

/* No map needs entities of its own, and they can be made to grow without end. */
static void entity_declaration(void *data, const XML_Char *name, int is_parameter,
	const XML_Char *value, int length, const XML_Char *base, const XML_Char *system,
	const XML_Char *public, const XML_Char *notation)
{
	struct reader *reader = data;

	(void)name, (void)is_parameter, (void)value, (void)length;
	(void)base, (void)system, (void)public, (void)notation;
	error_set(reader->error, "XML entities are declared");
	stop(reader);
}

static bool has_whole_space(const struct ranges *all)
{
	return all->count == 1 && all->items[0].start == 0 &&
	       (all->items[0].size == SPACE_32 || all->items[0].size == RANGE_ADDRESS_MAX);
}

int memory_map_parse(const char *text, size_t size, struct memory_map *map, struct error *error)
{
	struct reader reader = { .map = map, .error = error };

	if (size > INT_MAX)
		return error_set(error, "too large");
	reader.parser = XML_ParserCreate(NULL);
	if (!reader.parser)
		return error_no_memory(error);
	XML_SetUserData(reader.parser, &reader);
	XML_SetStartElementHandler(reader.parser, start_element);
	XML_SetEntityDeclHandler(reader.parser, entity_declaration);
	if (XML_Parse(reader.parser, text, (int)size, XML_TRUE) != XML_STATUS_OK &&
		!reader.failed) {
		enum XML_Error cause = XML_GetErrorCode(reader.parser);

		if (cause == XML_ERROR_NO_MEMORY)
			error_no_memory(error);
		else
			error_set(error, "%s", XML_ErrorString(cause));
		stop(&reader);
	}
	XML_ParserFree(reader.parser);
	map->everywhere = has_whole_space(&map->all);
	return reader.failed ? -1 : 0;
}
