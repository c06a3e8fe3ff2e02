// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "client/interrupt.h"
#include "client/options.h"
#include "client/tell.h"
#include "client/verbs.h"

const struct verb verbs[] = {
	{ "dump", "[OPTION]... TARGET", "take a core (the verb may be left out)", dump_run, false },
	{ "info", "[OPTION]... TARGET|CORE", "show what a stub or a core holds", info_run, false },
	{ "release", "[OPTION]... TARGET", "let a guest run that stands still", release_run,
		false },
	{ "upload", "[OPTION]... CORE URL", "upload a finished core, or the rest of it", upload_run,
		true },
	{ NULL, NULL, NULL, NULL, false },
};

/* What was written may still be in stdio's buffer, and the disk full. */
static enum status flush_stdout(const struct options *options, enum status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	tell(options, TELL_ERROR, "cannot write to stdout: %s", strerror(errno));
	return status == STATUS_DONE ? STATUS_OUTPUT : status;
}

int main(int argc, char **argv)
{
	struct options options;
	struct failure failure;

	if (options_parse(&options, argc, argv, &failure)) {
		fprintf(stderr, "rspdump: %s\n", failure.text);
		return failure.status;
	}
	if (options.help) {
		options_help(stdout);
		return flush_stdout(&options, STATUS_DONE);
	}
	if (options.version) {
		version_print(stdout);
		return flush_stdout(&options, STATUS_DONE);
	}
	if (interrupt_init()) {
		tell(&options, TELL_ERROR, "cannot set up signals: %s", strerror(errno));
		return STATUS_FAILED;
	}
	return flush_stdout(&options, options.verb->run(&options));
}
