// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "client/options.h"
#include "client/upload/upload.h"

/* Behind client/status.h: it has a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

enum { ARGUMENTS_MAX = 32 };

const struct verb verbs[] = {
	{ "dump", "[OPTION]... TARGET", "take a core", NULL, false },
	{ "info", "[OPTION]... TARGET|CORE", "show", NULL, false },
	{ "release", "[OPTION]... TARGET", "let go", NULL, false },
	{ "upload", "[OPTION]... CORE URL", "send", NULL, true },
	{ NULL, NULL, NULL, NULL, false },
};

#define LISTS_ALL " (rspdump --help lists all)"

static struct options options;
static struct failure failure;

/* Parses a line of words that are one blank apart. */
static int parse(const char *line)
{
	/* Static, since options point into it. */
	static char words[512];
	char *argv[ARGUMENTS_MAX + 1] = { NULL };
	int argc = 0;

	memset(&options, 0xa5, sizeof(options));
	failure = (struct failure){ .status = STATUS_DONE };
	snprintf(words, sizeof(words), "rspdump%s%s", *line ? " " : "", line);
	for (char *rest = words; rest && argc < ARGUMENTS_MAX;)
		argv[argc++] = strsep(&rest, " ");
	return options_parse(&options, argc, argv, &failure);
}

static void assert_parses(const char *line)
{
	if (parse(line))
		fail_msg("%s: %s", line, failure.text);
}

static void assert_refused(const char *line, const char *why)
{
	assert_int_equal(parse(line), -1);
	assert_string_equal(failure.text, why);
	assert_int_equal(failure.status, STATUS_USAGE);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_parses("1234");
	assert_ptr_equal(options.verb, &verbs[0]);
	assert_string_equal(options.target, "1234");
	assert_string_equal(options.output, "vmcore");
	assert_string_equal(options.format->name, "elf");
	assert_string_equal(options.ram, "auto");
	assert_string_equal(options.vmcoreinfo, "auto");
	assert_int_equal(options.after, AFTER_AUTO);
	assert_int_equal(options.lane, LANE_AUTO);
	assert_int_equal(options.connect_timeout, 5);
	assert_int_equal(options.timeout, 30);
	assert_int_equal(options.retry, 0);
	assert_false(options.flat);
	assert_int_equal(options.jobs, 0);
	assert_int_equal(options.compress_level, 0);
	assert_int_equal(options.progress, PROGRESS_AUTO);
	assert_false(options.force);
	assert_false(options.json);
	assert_false(options.quiet);
	assert_false(options.dry_run);
	assert_int_equal(options.verbose, 0);
	assert_null(options.trace);
	assert_false(options.help);
	assert_false(options.version);
}

static void test_long(void **state)
{
	(void)state;
	assert_parses("dump --output=core --force --format=elf --ram=all --vmcoreinfo=none "
		      "--after=resume --lane=rsp --connect-timeout=1 --timeout=86400 --retry=0 "
		      "--progress=plain --dry-run --quiet --verbose --trace=log --flat "
		      "--jobs=256 host:1");
	assert_ptr_equal(options.verb, &verbs[0]);
	assert_string_equal(options.target, "host:1");
	assert_string_equal(options.output, "core");
	assert_true(options.force);
	assert_string_equal(options.format->name, "elf");
	assert_string_equal(options.ram, "all");
	assert_string_equal(options.vmcoreinfo, "none");
	assert_int_equal(options.after, AFTER_RESUME);
	assert_int_equal(options.lane, LANE_RSP);
	assert_int_equal(options.connect_timeout, 1);
	assert_int_equal(options.timeout, 86400);
	assert_int_equal(options.retry, 0);
	assert_int_equal(options.progress, PROGRESS_PLAIN);
	assert_true(options.dry_run);
	assert_true(options.quiet);
	assert_int_equal(options.verbose, 1);
	assert_string_equal(options.trace, "log");
	assert_true(options.flat);
	assert_int_equal(options.jobs, 256);
	assert_false(options.json);
}

/* Values may also be words of their own, and begin with what looks like an option. */
static void test_separate_values(void **state)
{
	(void)state;
	assert_parses("--output core --format elf --ram 0-0xfff --vmcoreinfo 0x1000 --after stop "
		      "--retry 7 :1");
	assert_string_equal(options.output, "core");
	assert_string_equal(options.ram, "0-0xfff");
	assert_string_equal(options.vmcoreinfo, "0x1000");
	assert_int_equal(options.after, AFTER_STOP);
	assert_int_equal(options.retry, 7);
	assert_string_equal(options.target, ":1");
	assert_parses("--output --force 1");
	assert_string_equal(options.output, "--force");
	assert_false(options.force);
}

static void test_letters(void **state)
{
	(void)state;
	assert_parses("-o core -f -F elf -n -q -v -v 1");
	assert_string_equal(options.output, "core");
	assert_true(options.force);
	assert_true(options.dry_run);
	assert_true(options.quiet);
	assert_int_equal(options.verbose, 2);
	assert_parses("-vvfqocore 1");
	assert_int_equal(options.verbose, 2);
	assert_true(options.force);
	assert_string_equal(options.output, "core");
	assert_parses("-o - 1");
	assert_string_equal(options.output, "-");
	assert_parses("-j1 1");
	assert_int_equal(options.jobs, 1);
}

/* Each format has its own levels, wherever the format stands; one that is not built is refused. */
static void test_compress_level(void **state)
{
	char line[64], text[128];

	(void)state;
	assert_refused("--compress-level 1 1", "--compress-level means nothing to elf");
	assert_refused("-F kdump-zlib -p 1", "--paging means nothing to kdump-zlib");
	for (size_t i = 0; core_formats[i]; i++) {
		const struct core_format *format = core_formats[i];
		const struct codec *codec = format->codec;

		snprintf(line, sizeof(line), "-F %s 1", format->name);
		if (!core_format_is_built(format)) {
			snprintf(text, sizeof(text),
				"%s: this rspdump was built without %s (Debian has it in %s)",
				format->name, codec->library, codec->package);
			assert_refused(line, text);
			continue;
		}
		assert_parses(line);
		assert_ptr_equal(options.format, format);
		assert_int_equal(options.compress_level, 0);
		if (!codec)
			continue;
		snprintf(line, sizeof(line), "--compress-level=1 1 -F %s", format->name);
		if (!codec->level_max) {
			snprintf(text, sizeof(text), "--compress-level means nothing to %s",
				format->name);
			assert_refused(line, text);
			continue;
		}
		assert_parses(line);
		assert_int_equal(options.compress_level, 1);
		snprintf(line, sizeof(line), "-F %s --compress-level %u 1", format->name,
			codec->level_max);
		assert_parses(line);
		assert_int_equal(options.compress_level, codec->level_max);
		snprintf(line, sizeof(line), "-F %s --compress-level %u 1", format->name,
			codec->level_max + 1);
		snprintf(text, sizeof(text), "--compress-level of %s is 1 to %u", format->name,
			codec->level_max);
		assert_refused(line, text);
	}
}

static void test_words(void **state)
{
	static const char *const after[] = { "auto", "resume", "stop" };
	static const char *const lane[] = { "auto", "rsp", "hostpipe", "hostmem" };
	static const char *const progress[] = { "auto", "bar", "plain", "json", "none" };
	char line[64];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		snprintf(line, sizeof(line), "--after=%s 1", after[i]);
		assert_parses(line);
		assert_int_equal(options.after, i);
	}
	for (unsigned i = 0; i < 4; i++) {
		snprintf(line, sizeof(line), "--lane=%s 1", lane[i]);
		assert_parses(line);
		assert_int_equal(options.lane, i);
	}
	for (unsigned i = 0; i < 5; i++) {
		snprintf(line, sizeof(line), "--progress=%s 1", progress[i]);
		assert_parses(line);
		assert_int_equal(options.progress, i);
	}
}

static void test_verbs(void **state)
{
	(void)state;
	assert_parses("info 1");
	assert_ptr_equal(options.verb, &verbs[1]);
	assert_parses("release 1");
	assert_ptr_equal(options.verb, &verbs[2]);
	assert_parses("--json info 1");
	assert_ptr_equal(options.verb, &verbs[1]);
	assert_true(options.json);
	assert_parses("info 1 --json");
	assert_true(options.json);
	assert_string_equal(options.target, "1");
	assert_parses("-o x dump 1 -f");
	assert_string_equal(options.output, "x");
	assert_true(options.force);
	/* Only the first word is a verb: this is a file of that name. */
	assert_parses("info info");
	assert_ptr_equal(options.verb, &verbs[1]);
	assert_string_equal(options.target, "info");
	assert_parses("infos");
	assert_ptr_equal(options.verb, &verbs[0]);
	assert_string_equal(options.target, "infos");
	assert_parses("-- dump -o");
	assert_string_equal(options.target, "-o");
}

/* The last one counts. */
static void test_repeated(void **state)
{
	(void)state;
	assert_parses("-o a --output=b --after=stop --after=auto 1");
	assert_string_equal(options.output, "b");
	assert_int_equal(options.after, AFTER_AUTO);
}

static void test_uploads(void **state)
{
	(void)state;
	if (!upload_is_built())
		skip();
	assert_parses("1");
	assert_null(options.upload);
	assert_string_equal(options.output, "vmcore");
	/* Alone, it leaves nothing here. */
	assert_parses("--upload https://h/p 1");
	assert_string_equal(options.upload, "https://h/p");
	assert_null(options.output);
	assert_parses("-o s3://b/k 1");
	assert_string_equal(options.upload, "s3://b/k");
	assert_null(options.output);
	assert_parses("--upload @file -o core --upload-as tus --header A:b --header @x 1");
	assert_string_equal(options.upload, "@file");
	assert_string_equal(options.output, "core");
	assert_string_equal(options.upload_as, "tus");
	assert_int_equal(options.header_count, 2);
	assert_string_equal(options.headers[1], "@x");
	assert_parses("upload --force --timeout=5 core https://h/p --progress=plain");
	assert_ptr_equal(options.verb, &verbs[3]);
	assert_string_equal(options.target, "core");
	assert_string_equal(options.upload, "https://h/p");
	assert_refused("upload core", "no URL given: rspdump [OPTION]... CORE URL" LISTS_ALL);
	assert_refused("upload core u v", "one target at a time; too much is v" LISTS_ALL);
	assert_refused("--header A:b 1", "--header means nothing without --upload");
	assert_refused("--upload-as s3 1", "--upload-as means nothing without --upload");
	assert_refused("--upload https://h/p -o s3://b/k 1",
		"one upload at a time: -o and --upload are two");
	assert_refused("--upload https://h/p -o - 1", "--upload and -o - do not go together");
	assert_refused("--upload https://h/p -o fd:3 1", "--upload and -o fd:3 do not go together");
	assert_refused("upload -o x core u", "--output means nothing to upload");
	assert_refused("info --upload u 1", "--upload means nothing to info");
	assert_int_equal(parse("--upload-as ftp --upload https://h/p 1"), -1);
	assert_int_equal(failure.status, STATUS_USAGE);
}

static void test_options_of_other_verbs(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "info -o x 1", "--output means nothing to info" },
		{ "-f info 1", "--force means nothing to info" },
		{ "info --format elf 1", "--format means nothing to info" },
		{ "info 1 --progress=bar", "--progress means nothing to info" },
		{ "release --lane rsp 1", "--lane means nothing to release" },
		{ "info --dry-run 1", "--dry-run means nothing to info" },
		{ "release --after=resume 1", "--after means nothing to release" },
		{ "release --ram=all 1", "--ram means nothing to release" },
		{ "--vmcoreinfo=auto release 1", "--vmcoreinfo means nothing to release" },
		{ "release -o x 1", "--output means nothing to release" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(cases[i].line, cases[i].why);
	assert_parses("info --ram=all --vmcoreinfo=none --after=stop --connect-timeout=1 "
		      "--timeout=1 --retry=1 --json -q -v --trace=x 1");
	assert_parses("release --connect-timeout=1 --timeout=1 --retry=1 --json -q -v --trace=x 1");
}

static void test_dump_level(void **state)
{
	(void)state;
	assert_parses("1");
	assert_int_equal(options.dump_level, 0);
	assert_parses("-d 31 1");
	assert_int_equal(options.dump_level, 31);
	assert_parses("info --dump-level=0 1");
	assert_int_equal(options.dump_level, 0);
	assert_int_equal(parse("-d 32 1"), -1);
	assert_int_equal(failure.status, STATUS_USAGE);
	assert_int_equal(parse("-d -1 1"), -1);
	assert_int_equal(parse("-d 0x1f 1"), -1);
	assert_refused("release -d 1 1", "--dump-level means nothing to release");
}

static void test_begin_and_length(void **state)
{
	(void)state;
	assert_parses("1");
	assert_int_equal(options.length, 0);
	assert_parses("--begin 0x1000800 --length 0x2000400 1");
	assert_int_equal(options.begin, 0x1000800);
	assert_int_equal(options.length, 0x2000400);
	assert_parses("info --length 64K --begin 0 1");
	assert_int_equal(options.begin, 0);
	assert_int_equal(options.length, 65536);
	assert_refused("--begin 0 1", "--begin and --length need each other");
	assert_refused("--length 1 1", "--begin and --length need each other");
	assert_int_equal(parse("--begin 0 --length 0 1"), -1);
	assert_int_equal(failure.status, STATUS_USAGE);
	assert_int_equal(parse("--begin zero --length 1 1"), -1);
	assert_int_equal(parse("--begin 1 --length -1 1"), -1);
}

static void test_unknown(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "--colour 1", "unknown or ambiguous option --colour" LISTS_ALL },
		{ "--colour=x 1", "unknown or ambiguous option --colour=x" LISTS_ALL },
		{ "1 --colour", "unknown or ambiguous option --colour" LISTS_ALL },
		{ "--ver 1", "unknown or ambiguous option --ver" LISTS_ALL },
		{ "-x 1", "unknown or ambiguous option -x" LISTS_ALL },
		{ "1 -x", "unknown or ambiguous option -x" LISTS_ALL },
		/* In a row of letters, the one that is meant. */
		{ "-qxv 1", "unknown or ambiguous option -x" LISTS_ALL },
		{ "--force=yes 1", "no value belongs to --force=yes" LISTS_ALL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(cases[i].line, cases[i].why);
	/* What an unfinished row of letters leaves behind disturbs no other call. */
	assert_parses("1234");
	assert_false(options.verbose);
	/* Unambiguous beginnings are taken, as everywhere. */
	assert_parses("--verb --dry 1");
	assert_int_equal(options.verbose, 1);
	assert_true(options.dry_run);
}

static void test_missing(void **state)
{
	(void)state;
	assert_refused("1 -o", "a value is missing behind -o" LISTS_ALL);
	assert_refused("1 -fo", "a value is missing behind -fo" LISTS_ALL);
	assert_refused("1 --ram", "a value is missing behind --ram" LISTS_ALL);
	assert_refused("", "no target given: rspdump [OPTION]... TARGET" LISTS_ALL);
	assert_refused("dump", "no target given: rspdump [OPTION]... TARGET" LISTS_ALL);
	assert_refused("info -v", "no target given: rspdump [OPTION]... TARGET|CORE" LISTS_ALL);
	assert_refused("1 2", "one target at a time; too much is 2" LISTS_ALL);
	assert_refused("dump 1 info", "one target at a time; too much is info" LISTS_ALL);
}

static void test_bad_values(void **state)
{
	static const char *const numbers[] = { "", "x", "-1", "+1", "1s", "1.5", "0x10", "86401",
		"4294967297", "99999999999999999999" };
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(line, sizeof(line), "--retry=%s 1", numbers[i]);
		assert_int_equal(parse(line), -1);
		snprintf(line, sizeof(line), "--timeout=%s 1", numbers[i]);
		assert_int_equal(parse(line), -1);
		snprintf(line, sizeof(line), "--connect-timeout=%s 1", numbers[i]);
		assert_int_equal(parse(line), -1);
		assert_int_equal(failure.status, STATUS_USAGE);
	}
	/* Without any patience nothing could be heard. */
	assert_refused("--timeout=0 1",
		"--timeout does not take \"0\": longest silence of the stub (default 30)");
	assert_int_equal(parse("--connect-timeout=0 1"), -1);
	assert_refused("--after=run 1",
		"--after does not take \"run\": the guest afterwards: auto (as found), resume or stop");
	assert_refused("--after=Auto 1",
		"--after does not take \"Auto\": the guest afterwards: auto (as found), resume or stop");
	assert_refused("--lane=m 1",
		"--lane does not take \"m\": how memory travels: auto, rsp, hostpipe or hostmem");
	assert_refused("--progress=bars 1",
		"--progress does not take \"bars\": auto, bar, plain, json or none");
	assert_refused("-F elfs 1",
		"--format does not take \"elfs\": elf (default), kdump-zlib, kdump-lzo, kdump-snappy, kdump-zstd");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(line, sizeof(line), "--jobs=%s 1", numbers[i]);
		assert_int_equal(parse(line), -1);
		snprintf(line, sizeof(line), "-F kdump-zlib --compress-level=%s 1", numbers[i]);
		assert_int_equal(parse(line), -1);
		assert_int_equal(failure.status, STATUS_USAGE);
	}
	assert_refused(
		"-j 0 1", "--jobs does not take \"0\": threads that compress (default: one a CPU)");
	assert_int_equal(parse("-j 257 1"), -1);
	assert_int_equal(parse("--output= 1"), -1);
	assert_int_equal(parse("--ram= 1"), -1);
	assert_int_equal(parse("--vmcoreinfo= 1"), -1);
	assert_int_equal(parse("--trace= 1"), -1);
}

static void test_one_stdout(void **state)
{
	(void)state;
	assert_refused("--json -o - 1", "--json and -o - both want stdout");
	assert_refused("1 -o - --json", "--json and -o - both want stdout");
	assert_refused("--json -o fd:1 1", "--json and -o fd:1 both want stdout");
	assert_parses("--json -o fd:11 1");
	assert_parses("--json -o ./- 1");
}

/* Whatever else is given. */
static void test_help(void **state)
{
	(void)state;
	assert_parses("--help");
	assert_true(options.help);
	assert_parses("-h info -o x 1 2 3");
	assert_true(options.help);
	assert_parses("-V");
	assert_true(options.version);
	assert_parses("release --version");
	assert_true(options.version);
	assert_int_equal(parse("--help --nonsense"), -1);
}

/* Each option has a line that begins with its names, and no line is wider than a terminal. */
static void test_help_text(void **state)
{
	static const char *const lines[] = {
		"usage: rspdump dump     [OPTION]... TARGET       take a core\n",
		"\n       rspdump info     [OPTION]... TARGET|CORE  show\n",
		"\n       rspdump release  [OPTION]... TARGET       let go\n",
		"\n  -o, --output=FILE              the core;",
		"\n  -f, --force                    ",
		"\n      --ram=MAP                  ",
		"\n      --connect-timeout=SECONDS  ",
		"\n  -h, --help                     ",
		"\n  -V, --version                  ",
	};
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	assert_non_null(to);
	options_help(to);
	fclose(to);
	assert_int_equal(strncmp(text, lines[0], strlen(lines[0])), 0);
	for (size_t i = 1; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fail_msg("no line \"%s\" in:\n%s", lines[i] + 1, text);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_in_range(strcspn(line, "\n"), 0, 100);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_separate_values),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_uploads),
		cmocka_unit_test(test_options_of_other_verbs),
		cmocka_unit_test(test_dump_level),
		cmocka_unit_test(test_begin_and_length),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_compress_level),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_one_stdout),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_help_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
