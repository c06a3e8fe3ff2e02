// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/own_directory.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[4096];

int enter_directory(void **state)
{
	const char *parent = getenv("TMPDIR");

	(void)state;
	snprintf(directory, sizeof(directory), "%s/rspdump-unit.XXXXXX", parent ? parent : "/tmp");
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int leave_directory(void **state)
{
	(void)state;
	return chdir("/") || nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS) ? -1 : 0;
}

bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}
