// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Settings, one a line: a word, and what belongs to it. A value that ends in "<<" goes on over the
 * next lines up to one that is a single full stop; one that begins with '@' is in a file. '#' at
 * the start of a line makes a comment. Numbers of addresses are hexadecimal, others decimal.
 *
 *	supported TEXT			thread ID		registers THREAD HEX...
 *	register THREAD NUMBER HEX	object OBJECT:ANNEX TEXT	monitor COMMAND = TEXT
 *	answer PACKET TEXT		memory START LENGTH [KIND]
 *
 * and those in the table below. In HEX, 00*8 is 00 eight times. KIND is pattern, which is the
 * default, zero, synthetic, unreadable, device, HEX... or @FILE.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stub/machine.h"

struct reader {
	struct machine *machine;
	const char *directory;
	const char *at; /* in the text, behind the current line */
	char *why;
	size_t why_size;
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static int complain(struct reader *reader, const char *what, const char *about)
{
	snprintf(reader->why, reader->why_size, "%s: \"%.100s\"", what, about);
	return -1;
}

/* ---- values ---------------------------------------------------------------------------------- */

static char *read_file(struct reader *reader, const char *name, size_t *size)
{
	char path[4096];
	char *bytes = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "%s%s%s", *name == '/' ? "" : reader->directory,
		*name == '/' ? "" : "/", name);
	file = fopen(path, "rb");
	if (!file) {
		complain(reader, strerror(errno), path);
		return NULL;
	}
	*size = 0;
	for (;;) {
		bytes = must(realloc(bytes, *size + 65536 + 1));
		size_t n = fread(bytes + *size, 1, 65536, file);

		*size += n;
		bytes[*size] = '\0';
		if (n == 0)
			break;
	}
	fclose(file);
	return bytes;
}

/* The lines up to a full stop. */
static char *read_lines(struct reader *reader, size_t *size)
{
	const char *start = reader->at;
	const char *end = strncmp(start, ".\n", 2) == 0 ? start : strstr(start, "\n.\n");

	if (!end) {
		complain(reader, "no full stop ends", start);
		return NULL;
	}
	reader->at = end + (end == start ? 2 : 3);
	*size = end == start ? 0 : (size_t)(end + 1 - start);
	return must(strndup(start, *size));
}

static char *read_value(struct reader *reader, const char *text, size_t *size)
{
	if (strcmp(text, "<<") == 0)
		return read_lines(reader, size);
	if (*text == '@')
		return read_file(reader, text + 1, size);
	*size = strlen(text);
	return must(strdup(text));
}

/* Undoes 00*8, and takes out what is between the words. */
static char *repeat_words(const char *text)
{
	char *whole = must(calloc(1, 1));
	size_t used = 0;
	char *words = must(strdup(text));

	for (char *word = strtok(words, " \t\n"); word; word = strtok(NULL, " \t\n")) {
		char *star = strchr(word, '*');
		size_t times = star ? strtoul(star + 1, NULL, 10) : 1;
		size_t length = star ? (size_t)(star - word) : strlen(word);

		whole = must(realloc(whole, used + times * length + 1));
		for (; times; times--, used += length)
			memcpy(whole + used, word, length);
	}
	whole[used] = '\0';
	free(words);
	return whole;
}

static uint8_t *decode_hex(const char *text, size_t *size)
{
	char *digits = repeat_words(text);
	uint8_t *bytes = must(malloc(strlen(digits) / 2 + 1));

	for (*size = 0; digits[*size * 2] && digits[*size * 2 + 1]; ++*size) {
		char pair[3] = { digits[*size * 2], digits[*size * 2 + 1] };

		bytes[*size] = (uint8_t)strtoul(pair, NULL, 16);
	}
	free(digits);
	return bytes;
}

/* ---- settings -------------------------------------------------------------------------------- */

static void add_entry(struct entries *entries, const char *key, char *value, size_t size)
{
	entries->list = must(realloc(entries->list, (entries->count + 1) * sizeof(*entries->list)));
	entries->list[entries->count++] = (struct entry){
		.key = must(strdup(key)), .value = value, .size = size
	};
}

/* KEY VALUE, where what separates them is in `between`. */
static int add_named(
	struct reader *reader, struct entries *entries, char *rest, const char *between, bool hex)
{
	char *gap = strstr(rest, between);
	size_t size = 0;
	char *value;

	if (!gap)
		return complain(reader, "no value", rest);
	*gap = '\0';
	value = read_value(reader, gap + strlen(between), &size);
	if (!value)
		return -1;
	if (hex) {
		char *digits = repeat_words(value);

		free(value);
		value = digits;
		size = strlen(digits);
	}
	add_entry(entries, rest, value, size);
	return 0;
}

static int add_memory(struct reader *reader, char *rest)
{
	struct machine *machine = reader->machine;
	struct memory_range range = { .kind = MEMORY_PATTERN };
	unsigned long long start, length;
	int used = 0;
	const char *kind;

	if (sscanf(rest, "%llx %llx %n", &start, &length, &used) < 2)
		return complain(reader, "memory wants START LENGTH", rest);
	range.start = start;
	range.length = length;
	kind = used ? rest + used : "";
	if (strcmp(kind, "zero") == 0) {
		range.kind = MEMORY_ZERO;
	} else if (strcmp(kind, "synthetic") == 0) {
		range.kind = MEMORY_SYNTHETIC;
	} else if (strcmp(kind, "unreadable") == 0) {
		range.kind = MEMORY_UNREADABLE;
	} else if (strcmp(kind, "device") == 0) {
		range.kind = MEMORY_DEVICE;
	} else if (*kind && strcmp(kind, "pattern") != 0) {
		size_t size = 0;
		char *value = read_value(reader, kind, &size);

		if (!value)
			return -1;
		range.kind = MEMORY_BYTES;
		if (*kind == '@') {
			range.bytes = (uint8_t *)value;
		} else {
			range.bytes = decode_hex(value, &size);
			free(value);
		}
		if (size != range.length) {
			free(range.bytes);
			return complain(reader, "memory of another length than its bytes", rest);
		}
	}
	machine->memory = must(
		realloc(machine->memory, (machine->memory_count + 1) * sizeof(*machine->memory)));
	machine->memory[machine->memory_count++] = range;
	return 0;
}

enum setting_kind { FLAG, NUMBER, TEXT };

/* clang-format off */
static const struct setting {
	const char *name;
	enum setting_kind kind;
	size_t offset;
} settings[] = {
#define MACHINE(name, kind, field) { name, kind, offsetof(struct machine, field) }
#define FAULT(name, kind, field) MACHINE(name, kind, faults.field)
	MACHINE("supported", TEXT, supported),
	MACHINE("error", TEXT, error),
	MACHINE("limit-error", TEXT, limit_error),
	MACHINE("stop", TEXT, stop),
	MACHINE("physical", NUMBER, physical),
	MACHINE("threads-per-packet", NUMBER, threads_per_packet),
	MACHINE("pmemsave", TEXT, pmemsave),
	FAULT("run-lengths", FLAG, run_lengths),
	FAULT("run-lengths-of-8", FLAG, run_lengths_of_8),
	FAULT("upper-case", FLAG, upper_case),
	FAULT("trailing-nul", FLAG, trailing_nul),
	FAULT("one-byte", FLAG, one_byte),
	FAULT("careful", FLAG, careful),
	FAULT("echo", FLAG, echo),
	FAULT("error-tail", FLAG, error_tail),
	FAULT("partial", FLAG, partial),
	FAULT("too-long", FLAG, too_long),
	FAULT("raw-binary", FLAG, raw_binary),
	FAULT("endless-object", FLAG, endless_object),
	FAULT("endless-threads", FLAG, endless_threads),
	FAULT("deaf-to-detach", FLAG, deaf_to_detach),
	FAULT("limit", NUMBER, limit),
	FAULT("shorten", NUMBER, shorten),
	FAULT("delay", NUMBER, delay),
	FAULT("bad-checksum", NUMBER, bad_checksum),
	FAULT("bad-checksums", NUMBER, bad_checksums),
	FAULT("truncate", NUMBER, truncate),
	FAULT("close", NUMBER, close),
	FAULT("silent", NUMBER, silent),
	FAULT("nack", NUMBER, nack),
	FAULT("duplicate", NUMBER, duplicate),
	FAULT("endless", NUMBER, endless),
	FAULT("flood", NUMBER, flood),
	FAULT("chatter", NUMBER, chatter),
	FAULT("banner", TEXT, banner),
	FAULT("unsolicited", TEXT, unsolicited),
	FAULT("junk", TEXT, junk),
	FAULT("notification", TEXT, notification),
	FAULT("console", TEXT, console),
	FAULT("unasked", TEXT, unasked),
#undef FAULT
#undef MACHINE
};
/* clang-format on */

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

static void *field(struct machine *machine, const struct setting *setting)
{
	return (char *)machine + setting->offset;
}

static int set_from_table(struct reader *reader, const char *word, const char *rest)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		void *place = field(reader->machine, &settings[i]);
		size_t size = 0;
		char *text;

		if (strcmp(settings[i].name, word) != 0)
			continue;
		switch (settings[i].kind) {
		case FLAG:
			*(bool *)place = true;
			return 0;
		case NUMBER:
			*(long *)place = strtol(rest, NULL, 10);
			return 0;
		case TEXT:
			text = read_value(reader, rest, &size);
			if (!text)
				return -1;
			free(*(char **)place);
			*(char **)place = text;
			return 0;
		}
	}
	return complain(reader, "no such setting", word);
}

static int set_monitor_style(struct reader *reader, const char *name)
{
	static const char *const names[] = { "lines", "whole", "silent" };

	for (unsigned i = 0; i < 3; i++)
		if (strcmp(names[i], name) == 0) {
			reader->machine->monitor_style = (enum monitor_style)i;
			return 0;
		}
	return complain(reader, "no such style", name);
}

static int set(struct reader *reader, char *line)
{
	struct machine *machine = reader->machine;
	size_t length = strcspn(line, " ");
	char *rest = line + length;

	if (*rest)
		*rest++ = '\0';
	if (strcmp(line, "thread") == 0) {
		add_entry(&machine->threads, rest, must(strdup("")), 0);
		return 0;
	}
	if (strcmp(line, "memory") == 0)
		return add_memory(reader, rest);
	if (strcmp(line, "registers") == 0)
		return add_named(reader, &machine->registers, rest, " ", true);
	if (strcmp(line, "register") == 0) {
		/* The two words are one key, THREAD.NUMBER. */
		char *number = strchr(rest, ' ');

		if (!number)
			return complain(reader, "register wants THREAD NUMBER HEX", rest);
		*number = '.';
		return add_named(reader, &machine->single, rest, " ", true);
	}
	if (strcmp(line, "object") == 0)
		return add_named(reader, &machine->objects, rest, " ", false);
	if (strcmp(line, "answer") == 0)
		return add_named(reader, &machine->answers, rest, " ", false);
	if (strcmp(line, "monitor") == 0)
		return add_named(reader, &machine->monitor, rest, " = ", false);
	if (strcmp(line, "monitor-style") == 0)
		return set_monitor_style(reader, rest);
	return set_from_table(reader, line, rest);
}

int machine_describe(struct machine *machine, const char *text, const char *directory, char *why,
	size_t why_size)
{
	struct reader reader = { .machine = machine,
		.directory = directory,
		.at = text,
		.why = why,
		.why_size = why_size };
	int rc = 0;

	while (*reader.at && rc == 0) {
		size_t length = strcspn(reader.at, "\n");
		char *line = must(strndup(reader.at, length));

		reader.at += length + (reader.at[length] == '\n');
		if (*line && *line != '#')
			rc = set(&reader, line);
		free(line);
	}
	return rc;
}

const struct entry *entries_find(const struct entries *entries, const char *key)
{
	for (size_t i = entries->count; i-- > 0;)
		if (strcmp(entries->list[i].key, key) == 0)
			return &entries->list[i];
	return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

void machine_init(struct machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	for (size_t i = 0; i < SETTINGS; i++)
		if (settings[i].kind == NUMBER)
			*(long *)field(machine, &settings[i]) = -1;
	machine->threads_per_packet = 1;
	machine->supported = must(strdup(""));
	machine->error = must(strdup("E14"));
	machine->limit_error = must(strdup("E22"));
	machine->stop = must(strdup("S05"));
}

static void free_entries(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		free(entries->list[i].key);
		free(entries->list[i].value);
	}
	free(entries->list);
}

void machine_deinit(struct machine *machine)
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (settings[i].kind == TEXT)
			free(*(char **)field(machine, &settings[i]));
	for (size_t i = 0; i < machine->memory_count; i++)
		free(machine->memory[i].bytes);
	free(machine->memory);
	free_entries(&machine->threads);
	free_entries(&machine->registers);
	free_entries(&machine->single);
	free_entries(&machine->objects);
	free_entries(&machine->monitor);
	free_entries(&machine->answers);
}
