// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A harness without libFuzzer: goes over the files that are named, or else over all that are kept
 * for it in SRC_DIR, which are then a test for each directory. What it is at is told in front, so
 * that it can be seen where it ended.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { FILE_MAX = 1 << 20, PATH_SIZE = 4096 };

static const char *const directories[] = { "corpus", "regressions" };

static int replay(const char *path)
{
	static uint8_t bytes[FILE_MAX];
	FILE *file = fopen(path, "re");
	size_t size;
	uint8_t *copy;

	printf("# %s\n", path);
	fflush(stdout);
	if (!file) {
		perror(path);
		return -1;
	}
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	copy = fuzz_copy(bytes, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	return 0;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Returns how many files there were, or -1 if one of them cannot be read. */
static int replay_directory(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_visible, alphasort);
	int result = count < 0 ? 0 : count;

	for (int i = 0; i < count; i++) {
		char path[PATH_SIZE];

		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
		if (replay(path))
			result = -1;
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return result;
}

/* As cmocka says it. */
static int replay_all(const char *source, const char *name)
{
	size_t count = sizeof(directories) / sizeof(directories[0]);
	int failed = 0;

	printf("1..%zu\n", count);
	LLVMFuzzerTestOneInput(NULL, 0);
	for (size_t i = 0; i < count; i++) {
		char path[PATH_SIZE];
		int files;

		snprintf(path, sizeof(path), "%s/tests/fuzz/%s/%s", source, directories[i], name);
		files = replay_directory(path);
		/* It may be that nothing was ever found; but there is always something to begin
		 * with. */
		if (files < 0 || (files == 0 && i == 0)) {
			printf("# nothing that can be read in %s\n", path);
			failed = 1;
		}
		printf("%sok %zu - %s\n", files < 0 || (files == 0 && i == 0) ? "not " : "", i + 1,
			directories[i]);
	}
	return failed;
}

int main(int argc, char **argv)
{
	const char *source = getenv("SRC_DIR");
	const char *name = strrchr(argv[0], '/');
	int failed = 0;

	name = name ? name + 1 : argv[0];
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	if (argc == 1 && source)
		return replay_all(source, name);
	if (argc == 1)
		fprintf(stderr, "usage: %s FILE..., or with SRC_DIR in the environment\n", argv[0]);
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]) != 0;
	return argc == 1 || failed;
}
