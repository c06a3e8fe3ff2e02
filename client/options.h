/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. One table in options.c holds every option with its help; parsing, --help and
 * the tests that hold the manual page against it all read that table.
 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "client/status.h"
#include "layout/core.h"

enum after { AFTER_AUTO, AFTER_RESUME, AFTER_STOP };
enum lane { LANE_AUTO, LANE_RSP, LANE_HOSTPIPE, LANE_HOSTMEM };
enum progress_mode { PROGRESS_AUTO, PROGRESS_BAR, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

enum { OPTION_HEADERS_MAX = 16 };

struct options {
	const struct verb *verb;
	const char *target; /* TARGET or CORE */
	const char *output; /* NULL if the core only goes to a store */
	bool force;
	const char *upload;    /* a URL, or @ and a file with one; NULL if there is none */
	const char *upload_as; /* NULL: by the URL's shape */
	const char *headers[OPTION_HEADERS_MAX]; /* "Name: value", or @ and a file with such */
	unsigned header_count;
	const struct core_format *format;
	bool flat, paging;
	unsigned jobs;           /* 0 for as many as there are CPUs */
	unsigned compress_level; /* 0 for the format's own */
	unsigned dump_level;
	uint64_t begin, length; /* only this memory; length is 0 for all */
	bool has_begin, has_retry;
	const char *ram;         /* "auto", "all", ranges or a file */
	const struct arch *arch; /* NULL: the stub's word */
	const char *vmcoreinfo;  /* "auto", "none", an address or a file */
	enum after after;
	enum lane lane;
	unsigned connect_timeout, timeout, retry; /* seconds */
	enum progress_mode progress;
	bool json, quiet, dry_run;
	unsigned verbose;
	const char *trace;
	bool help, version;
};

/* What rspdump can be told to do. */
struct verb {
	const char *name;
	const char *synopsis; /* what stands behind the name */
	const char *help;
	enum status (*run)(const struct options *options);
	bool wants_url; /* behind the target */
};

/* The table of main.c, ended by a row without a name. The first row is meant when none is named. */
extern const struct verb verbs[];

/* Returns 0, or -1 with what is wrong. Strings in options point into argv. */
int options_parse(struct options *options, int argc, char **argv, struct failure *failure);

void options_help(FILE *to);

#endif
