// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The target description: target.xml and the annexes that it includes by xi:include, where they
 * stand. QEMU has one annex for each feature of the CPU.
 */
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rsp/ahead.h"
#include "rsp/connection.h"
#include "rsp/xfer.h"

enum {
	DEPTH_MAX = 8, /* of includes within includes */
	ANNEXES_MAX = 64,
	ANNEX_NAME_MAX = 128,
};

static const char feature[] = "qXfer:features:read+", object[] = "features", first[] = "target.xml";

struct reader {
	struct rsp *rsp;
	struct rsp_description *description;
	size_t capacity;
	uint32_t next_number; /* of a register that states none: one more than the one before */
	unsigned depth, annexes;
	size_t bytes;
	bool in_architecture;
	XML_Parser parser; /* of the innermost annex */
};

static int read_annex(struct reader *reader, const char *name);

/* Ends parsing; the reason is in the connection's error. */
static void stop(struct reader *reader)
{
	XML_StopParser(reader->parser, XML_FALSE);
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
	for (; attributes[0]; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	return NULL;
}

static void add_register(struct reader *reader, const XML_Char **attributes)
{
	struct rsp_description *description = reader->description;
	const char *name = attribute(attributes, "name");
	const char *bits = attribute(attributes, "bitsize");
	const char *number = attribute(attributes, "regnum");
	unsigned long width = bits ? strtoul(bits, NULL, 0) : 0;

	if (number)
		reader->next_number = (uint32_t)strtoul(number, NULL, 0);
	if (!name || width == 0 || width > RSP_REGISTER_BITS_MAX ||
		description->count == RSP_REGISTERS_MAX) {
		rsp_fail(reader->rsp, RSP_CONFUSED,
			"the target description has a register without sense, or too many");
		stop(reader);
		return;
	}
	if (description->count == reader->capacity) {
		size_t capacity = reader->capacity ? reader->capacity * 2 : 128;
		struct rsp_register *more = realloc(
			description->registers, capacity * sizeof(*more));

		if (!more) {
			rsp_fail(reader->rsp, RSP_NO_MEMORY, "no memory");
			stop(reader);
			return;
		}
		description->registers = more;
		reader->capacity = capacity;
	}

	struct rsp_register *added = &description->registers[description->count++];

	snprintf(added->name, sizeof(added->name), "%s", name);
	added->number = reader->next_number++;
	added->bits = (uint32_t)width;
}

static void start_element(void *data, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *reader = data;

	if (strcmp(name, "reg") == 0) {
		add_register(reader, attributes);
	} else if (strcmp(name, "architecture") == 0) {
		reader->in_architecture = true;
	} else if (strcmp(name, "xi:include") == 0) {
		const char *href = attribute(attributes, "href");
		XML_Parser outer = reader->parser;
		int rc = href ? read_annex(reader, href) : 0;

		reader->parser = outer;
		if (rc)
			stop(reader);
	}
}

static void end_element(void *data, const XML_Char *name)
{
	struct reader *reader = data;

	if (strcmp(name, "architecture") == 0)
		reader->in_architecture = false;
}

static void character_data(void *data, const XML_Char *text, int length)
{
	struct reader *reader = data;
	char *architecture = reader->description->architecture;
	size_t used = strlen(architecture);

	if (!reader->in_architecture)
		return;
	for (int i = 0; i < length && used + 1 < RSP_NAME_MAX; i++)
		if (text[i] > ' ' && text[i] < 0x7f)
			architecture[used++] = text[i];
	architecture[used] = '\0';
}

/* No description needs entities of its own, and they can be made to grow without end. */
static void entity_declaration(void *data, const XML_Char *name, int is_parameter,
	const XML_Char *value, int length, const XML_Char *base, const XML_Char *system,
	const XML_Char *public, const XML_Char *notation)
{
	struct reader *reader = data;

	(void)name, (void)is_parameter, (void)value, (void)length;
	(void)base, (void)system, (void)public, (void)notation;
	rsp_fail(reader->rsp, RSP_CONFUSED, "the target description declares XML entities");
	stop(reader);
}

static int parse(struct reader *reader, const char *annex, const char *text, size_t size)
{
	XML_Parser parser = XML_ParserCreate(NULL);
	int rc = 0;

	if (!parser)
		return rsp_fail(reader->rsp, RSP_NO_MEMORY, "no memory");
	reader->parser = parser;
	XML_SetUserData(parser, reader);
	XML_SetElementHandler(parser, start_element, end_element);
	XML_SetCharacterDataHandler(parser, character_data);
	XML_SetEntityDeclHandler(parser, entity_declaration);
	if (XML_Parse(parser, text, (int)size, XML_TRUE) != XML_STATUS_OK) {
		enum XML_Error cause = XML_GetErrorCode(parser);

		rc = -1;
		if (cause == XML_ERROR_NO_MEMORY)
			rsp_fail(reader->rsp, RSP_NO_MEMORY, "no memory");
		else if (cause != XML_ERROR_ABORTED)
			rsp_fail(reader->rsp, RSP_CONFUSED, "%s, line %lu: %s", annex,
				XML_GetCurrentLineNumber(parser), XML_ErrorString(cause));
	}
	XML_ParserFree(parser);
	return rc;
}

/* A name that can be part of a request: printable, and none of the protocol's own marks. */
static bool is_annex_name(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > ANNEX_NAME_MAX)
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name >= 0x7f || strchr(":,;#$*}", *name))
			return false;
	return true;
}

static int read_annex(struct reader *reader, const char *name)
{
	char *text = NULL;
	size_t size = 0;
	int rc = -1;

	if (!is_annex_name(name) || reader->depth == DEPTH_MAX || reader->annexes == ANNEXES_MAX)
		return rsp_fail(reader->rsp, RSP_CONFUSED,
			"the target description includes too much, or what cannot be asked for");
	reader->depth++;
	reader->annexes++;
	if (rsp_xfer_read(reader->rsp, object, name, &text, &size))
		goto out;
	reader->bytes += size;
	if (reader->bytes > RSP_XFER_MAX) {
		rsp_fail(reader->rsp, RSP_CONFUSED, "a target description of more than %d bytes",
			RSP_XFER_MAX);
		goto out;
	}
	rc = parse(reader, name, text, size);
out:
	free(text);
	reader->depth--;
	return rc;
}

static int by_number(const void *a, const void *b)
{
	const struct rsp_register *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

void rsp_ahead_add_description(struct rsp *rsp)
{
	if (strstr(rsp->stub.features, feature))
		rsp_ahead_add_object(rsp, object, first);
}

int rsp_read_description(struct rsp *rsp, struct rsp_description *description)
{
	struct reader reader = { .rsp = rsp, .description = description };

	memset(description, 0, sizeof(*description));
	rsp->general_is_all = false;
	if (!strstr(rsp->stub.features, feature))
		return rsp_fail(rsp, RSP_UNSUPPORTED, "the stub has no target description");
	if (read_annex(&reader, first))
		return -1;
	snprintf(rsp->architecture, sizeof(rsp->architecture), "%s", description->architecture);
	if (description->count)
		qsort(description->registers, description->count, sizeof(*description->registers),
			by_number);
	return 0;
}

void rsp_description_deinit(struct rsp_description *description)
{
	free(description->registers);
	memset(description, 0, sizeof(*description));
}
