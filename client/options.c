// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "client/pipeline.h"
#include "client/upload/upload.h"
#include "layout/page_filter.h"

enum { SECONDS_MAX = 86400, COMPRESS_LEVEL_MAX = 99 };

struct option_row {
	char letter; /* 0 if it has none */
	const char *name;
	const char *argument; /* NULL if it takes none */
	const char *help;
	const char *verbs; /* names of the verbs that know it */
	/* Returns 0, or -1 if the value makes no sense. */
	int (*set)(struct options *options, const char *value);
};

/* The place of value in a list of words that ends with NULL, or -1. */
static int word_index(const char *value, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(value, words[i]) == 0)
			return i;
	return -1;
}

static int set_output(struct options *options, const char *value)
{
	options->output = value;
	return *value ? 0 : -1;
}

static int set_upload(struct options *options, const char *value)
{
	options->upload = value;
	return *value ? 0 : -1;
}

static int set_upload_as(struct options *options, const char *value)
{
	static const char *const words[] = { "put", "dav", "s3", "azure", "tus", "gcs", NULL };

	options->upload_as = value;
	return word_index(value, words) < 0 ? -1 : 0;
}

static int set_header(struct options *options, const char *value)
{
	if (options->header_count == OPTION_HEADERS_MAX)
		return -1;
	options->headers[options->header_count++] = value;
	return *value ? 0 : -1;
}

static int set_force(struct options *options, const char *value)
{
	(void)value;
	options->force = true;
	return 0;
}

static int set_format(struct options *options, const char *value)
{
	options->format = core_format_find(value);
	return options->format ? 0 : -1;
}

static int set_flat(struct options *options, const char *value)
{
	(void)value;
	options->flat = true;
	return 0;
}

static int set_paging(struct options *options, const char *value)
{
	(void)value;
	options->paging = true;
	return 0;
}

/* A decimal number from least to most. */
static int set_number(unsigned *number, const char *value, unsigned least, unsigned most)
{
	char *end;
	unsigned long parsed = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || parsed < least || parsed > most)
		return -1;
	*number = (unsigned)parsed;
	return 0;
}

static int set_jobs(struct options *options, const char *value)
{
	return set_number(&options->jobs, value, 1, PIPELINE_JOBS_MAX);
}

/* Which of them there are depends on the format, which may stand behind it. */
static int set_compress_level(struct options *options, const char *value)
{
	return set_number(&options->compress_level, value, 1, COMPRESS_LEVEL_MAX);
}

static int set_dump_level(struct options *options, const char *value)
{
	return set_number(&options->dump_level, value, 0, DUMP_LEVEL_MAX);
}

static int set_begin(struct options *options, const char *value)
{
	options->has_begin = true;
	return parse_amount(value, &options->begin);
}

static int set_length(struct options *options, const char *value)
{
	return parse_amount(value, &options->length) || !options->length ? -1 : 0;
}

static int set_ram(struct options *options, const char *value)
{
	options->ram = value;
	return *value ? 0 : -1;
}

static int set_arch(struct options *options, const char *value)
{
	options->arch = arch_find(value);
	return options->arch ? 0 : -1;
}

static int set_vmcoreinfo(struct options *options, const char *value)
{
	options->vmcoreinfo = value;
	return *value ? 0 : -1;
}

static int set_after(struct options *options, const char *value)
{
	static const char *const words[] = { "auto", "resume", "stop", NULL };
	int index = word_index(value, words);

	options->after = (enum after)index;
	return index < 0 ? -1 : 0;
}

static int set_lane(struct options *options, const char *value)
{
	static const char *const words[] = { "auto", "rsp", "hostpipe", "hostmem", NULL };
	int index = word_index(value, words);

	options->lane = (enum lane)index;
	return index < 0 ? -1 : 0;
}

static int set_progress(struct options *options, const char *value)
{
	static const char *const words[] = { "auto", "bar", "plain", "json", "none", NULL };
	int index = word_index(value, words);

	options->progress = (enum progress_mode)index;
	return index < 0 ? -1 : 0;
}

static int set_connect_timeout(struct options *options, const char *value)
{
	return set_number(&options->connect_timeout, value, 1, SECONDS_MAX);
}

static int set_timeout(struct options *options, const char *value)
{
	return set_number(&options->timeout, value, 1, SECONDS_MAX);
}

static int set_retry(struct options *options, const char *value)
{
	options->has_retry = true;
	return set_number(&options->retry, value, 0, SECONDS_MAX);
}

static int set_json(struct options *options, const char *value)
{
	(void)value;
	options->json = true;
	return 0;
}

static int set_quiet(struct options *options, const char *value)
{
	(void)value;
	options->quiet = true;
	return 0;
}

static int set_verbose(struct options *options, const char *value)
{
	(void)value;
	options->verbose++;
	return 0;
}

static int set_trace(struct options *options, const char *value)
{
	options->trace = value;
	return *value ? 0 : -1;
}

static int set_dry_run(struct options *options, const char *value)
{
	(void)value;
	options->dry_run = true;
	return 0;
}

static int set_help(struct options *options, const char *value)
{
	(void)value;
	options->help = true;
	return 0;
}

static int set_version(struct options *options, const char *value)
{
	(void)value;
	options->version = true;
	return 0;
}

static const struct option_row rows[] = {
	{ 'o', "output", "FILE",
		"the core; - is stdout, fd:N a descriptor; or a URL (default vmcore)", "dump",
		set_output },
	{ 'f', "force", NULL, "replace a FILE or what is at the URL; take a VM that ends when left",
		"dump info release upload", set_force },
	{ 0, "upload", "URL", "upload the core, with -o a file as well; @FILE has the URL", "dump",
		set_upload },
	{ 0, "upload-as", "STORE", "put, dav, s3, azure, tus or gcs, if the URL does not tell",
		"dump upload", set_upload_as },
	{ 0, "header", "TEXT", "a header of the upload; @FILE has some", "dump upload",
		set_header },
	{ 'F', "format", "NAME", "elf (default), kdump-zlib, kdump-lzo, kdump-snappy, kdump-zstd",
		"dump", set_format },
	{ 0, "flat", NULL, "makedumpfile's flattened form, as kdump has on a pipe", "dump",
		set_flat },
	{ 0, "compress-level", "N", "from 1, fast, to 9 (zlib) or 19 (zstd), small", "dump",
		set_compress_level },
	{ 'j', "jobs", "N", "threads that compress (default: one a CPU)", "dump", set_jobs },
	{ 'p', "paging", NULL, "PT_LOADs by the page tables of all vCPUs (elf)", "dump",
		set_paging },
	{ 'd', "dump-level", "N", "leave out pages: 1 zero, 2, 4 cache, 8 user, 16 free; the sum",
		"dump info", set_dump_level },
	{ 0, "begin", "ADDR", "only memory from this physical address on; needs --length",
		"dump info", set_begin },
	{ 0, "length", "N", "so many bytes of it (K, M, G, T), not 0", "dump info", set_length },
	{ 0, "ram", "MAP", "auto, all, ranges (0-0x9ffff,0x100000-...), or a file with a map",
		"dump info", set_ram },
	{ 0, "arch", "NAME", "the CPU, if the stub does not tell it: x86_64, aarch64, ...",
		"dump info", set_arch },
	{ 0, "vmcoreinfo", "WHAT", "auto, none, an address or a file", "dump info",
		set_vmcoreinfo },
	{ 0, "after", "STATE", "the guest afterwards: auto (as found), resume or stop", "dump info",
		set_after },
	{ 0, "lane", "HOW", "how memory travels: auto, rsp, hostpipe or hostmem", "dump info",
		set_lane },
	{ 0, "connect-timeout", "SECONDS", "to connect and to hear a first answer (default 5)",
		"dump info release upload", set_connect_timeout },
	{ 0, "timeout", "SECONDS", "longest silence of the stub (default 30)",
		"dump info release upload", set_timeout },
	{ 0, "retry", "SECONDS",
		"go on trying to connect (default 0; 30 when the connection breaks)",
		"dump info release upload", set_retry },
	{ 0, "progress", "HOW", "auto, bar, plain, json or none", "dump upload", set_progress },
	{ 0, "json", NULL, "print the result as one JSON object on stdout",
		"dump info release upload", set_json },
	{ 'n', "dry-run", NULL,
		"learn all about the guest and what a core would be, but write none", "dump",
		set_dry_run },
	{ 'q', "quiet", NULL, "errors only", "dump info release upload", set_quiet },
	{ 'v', "verbose", NULL, "say more", "dump info release upload", set_verbose },
	{ 0, "trace", "FILE", "write every packet to FILE", "dump info release upload", set_trace },
	{ 'h', "help", NULL, "print this", "dump info release upload", set_help },
	{ 'V', "version", NULL, "print the version and what was built in",
		"dump info release upload", set_version },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

void options_help(FILE *to)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		fprintf(to, "%s rspdump %-8s %-24s %s\n", verb == verbs ? "usage:" : "      ",
			verb->name, verb->synopsis, verb->help);
	fprintf(to,
		"\nTARGET: 1234, :1234, HOST:PORT, [V6ADDRESS]:PORT, unix:PATH, a serial device,\n"
		"        '|COMMAND', fd:N, connect://HOST:PORT\n"
		"URL:    https://, s3://BUCKET/KEY, gs://BUCKET/NAME, tus+https://\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", rows[i].letter ? "-" : " ",
			rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? ", " : "  ",
			rows[i].name, rows[i].argument ? "=" : "",
			rows[i].argument ? rows[i].argument : "");
		fprintf(to, "  %-30s %s\n", left, rows[i].help);
	}
	fprintf(to, "\nThe manual page rspdump(1) has the details and the exit statuses.\n");
}

static void set_defaults(struct options *options)
{
	*options = (struct options){
		.verb = verbs,
		.format = core_formats[0],
		.ram = "auto",
		.vmcoreinfo = "auto",
		.connect_timeout = 5,
		.timeout = 30,
	};
}

static const struct verb *find_verb(const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

/* getopt's tables, made from ours. A long option's value is its row, counted from 256. */
static void make_tables(char *letters, struct option *names)
{
	/* Not in the GNU way: what is wrong is told in our words. */
	*letters++ = ':';
	for (int i = 0; i < ROWS; i++) {
		if (rows[i].letter) {
			*letters++ = rows[i].letter;
			if (rows[i].argument)
				*letters++ = ':';
		}
		names[i] = (struct option){ rows[i].name,
			rows[i].argument ? required_argument : no_argument, NULL, 256 + i };
	}
	*letters = '\0';
	names[ROWS] = (struct option){ 0 };
}

/* getopt returns what make_tables() gave it, and nothing else. */
static const struct option_row *find_row(int code)
{
	const struct option_row *row = rows;

	if (code >= 256)
		return &rows[code - 256];
	while (row->letter != code)
		row++;
	return row;
}

static int usage_error(struct failure *failure, const char *what, const char *which)
{
	return fail(failure, STATUS_USAGE, "%s %s (rspdump --help lists all)", what, which);
}

/* The option is optopt: 0 if it is a long one that is not there, 256 and more if it is. */
static int unknown_option(struct failure *failure, const char *argument)
{
	char letter[] = { '-', (char)optopt, '\0' };

	if (optopt >= 256)
		return usage_error(failure, "no value belongs to", argument);
	/* Of letters in a row, "-qx", the argument does not tell which one is meant. */
	return usage_error(failure, "unknown or ambiguous option", optopt ? letter : argument);
}

static int parse_options(struct options *options, const struct option_row **last, int argc,
	char **argv, struct failure *failure)
{
	char letters[2 * ROWS + 2];
	struct option names[ROWS + 1];
	int code;

	make_tables(letters, names);
	opterr = 0;
	optind = 0; /* forgets what an earlier call left over */
	while ((code = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		if (code == '?')
			return unknown_option(failure, argv[optind - 1]);
		if (code == ':')
			return usage_error(failure, "a value is missing behind", argv[optind - 1]);

		const struct option_row *row = find_row(code);

		if (row->set(options, optarg))
			return fail(failure, STATUS_USAGE, "--%s does not take \"%s\": %s",
				row->name, optarg, row->help);
		/* Remembered to check it against the verb, which may stand behind it. */
		last[row - rows] = row;
	}
	return 0;
}

static int check_upload(const struct options *options, struct failure *failure)
{
	if (!options->upload) {
		if (options->upload_as || options->header_count)
			return fail(failure, STATUS_USAGE, "--%s means nothing without --upload",
				options->upload_as ? "upload-as" : "header");
		return 0;
	}
	if (!upload_is_built())
		return fail(failure, STATUS_USAGE,
			"this rspdump was built without uploads (libcurl, and nettle: Debian has "
			"them in libcurl4-openssl-dev and nettle-dev)");
	if (options->output && is_url(options->output))
		return fail(failure, STATUS_USAGE, "one upload at a time: -o and --upload are two");
	/* What went there cannot be read back. */
	if (options->output &&
		(strcmp(options->output, "-") == 0 || strncmp(options->output, "fd:", 3) == 0))
		return fail(failure, STATUS_USAGE, "--upload and -o %s do not go together",
			options->output);
	return 0;
}

/* What one option says of another. */
static int check_options(const struct options *options, struct failure *failure)
{
	const struct core_format *format = options->format;
	const struct codec *codec = format->codec;

	if (!core_format_is_built(format))
		return fail(failure, STATUS_USAGE,
			"%s: this rspdump was built without %s (Debian has it in %s)", format->name,
			codec->library, codec->package);
	if (options->compress_level && (!codec || !codec->level_max))
		return fail(failure, STATUS_USAGE, "--compress-level means nothing to %s",
			format->name);
	if (options->compress_level && options->compress_level > codec->level_max)
		return fail(failure, STATUS_USAGE, "--compress-level of %s is 1 to %u",
			format->name, codec->level_max);
	if (options->paging && strcmp(format->name, "elf") != 0)
		return fail(failure, STATUS_USAGE, "--paging means nothing to %s", format->name);
	if (options->has_begin != (options->length != 0))
		return fail(failure, STATUS_USAGE, "--begin and --length need each other");
	if (options->json && options->output &&
		(strcmp(options->output, "-") == 0 || strcmp(options->output, "fd:1") == 0))
		return fail(failure, STATUS_USAGE, "--json and -o %s both want stdout",
			options->output);
	return check_upload(options, failure);
}

/* -o may name a store, and without it what is uploaded needs no file. */
static void settle_output(struct options *options)
{
	if (options->output && !options->upload && is_url(options->output)) {
		options->upload = options->output;
		options->output = NULL;
	} else if (!options->output && !options->upload) {
		options->output = "vmcore";
	}
}

int options_parse(struct options *options, int argc, char **argv, struct failure *failure)
{
	const struct option_row *given[ROWS] = { NULL };

	set_defaults(options);
	if (parse_options(options, given, argc, argv, failure))
		return -1;
	if (options->help || options->version)
		return 0;
	if (optind < argc && find_verb(argv[optind]))
		options->verb = find_verb(argv[optind++]);
	for (int i = 0; i < ROWS; i++)
		if (given[i] && !strstr(given[i]->verbs, options->verb->name))
			return fail(failure, STATUS_USAGE, "--%s means nothing to %s",
				given[i]->name, options->verb->name);
	if (optind == argc)
		return usage_error(failure, "no target given: rspdump", options->verb->synopsis);
	options->target = argv[optind++];
	if (options->verb->wants_url) {
		if (optind == argc)
			return usage_error(
				failure, "no URL given: rspdump", options->verb->synopsis);
		options->upload = argv[optind++];
	}
	settle_output(options);
	if (optind < argc)
		return usage_error(failure, "one target at a time; too much is", argv[optind]);
	return check_options(options, failure);
}
