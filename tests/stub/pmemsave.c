// SPDX-License-Identifier: GPL-2.0-or-later
/* QEMU's monitor command pmemsave, done as QEMU does it, or wrong in one of several ways. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stub/serve.h"

/* Writes as QEMU does, in pieces of 1024; false if the reader has gone. */
static bool write_memory(
	const struct machine *machine, FILE *file, uint64_t addr, size_t size, bool wrong)
{
	uint8_t bytes[1024];

	while (size) {
		size_t len = size < sizeof(bytes) ? size : sizeof(bytes);

		memset(bytes, 0, sizeof(bytes));
		machine_read(machine, addr, bytes, len);
		bytes[len - 1] ^= wrong;
		if (fwrite(bytes, 1, len, file) != len)
			return false;
		addr += len;
		size -= len;
	}
	return true;
}

static enum pmemsave_end save(const struct machine *machine, const char *how, uint64_t addr,
	size_t size, const char *path, char *said, size_t said_size)
{
	bool stall = strcmp(how, "stall") == 0;
	bool whole = true;
	FILE *file;

	if (strcmp(how, "none") == 0)
		return PMEMSAVE_ANSWER;
	file = strcmp(how, "refuse") == 0 ? NULL : fopen(path, "wb");
	if (!file) {
		snprintf(said, said_size, "Error: Could not open '%s': %s", path,
			strcmp(how, "refuse") == 0 ? "Permission denied" : strerror(errno));
		return PMEMSAVE_ANSWER;
	}
	if (stall)
		size /= 2;
	if (strcmp(how, "short") == 0)
		size--;
	whole = write_memory(machine, file, addr, size, strcmp(how, "wrong") == 0);
	if (strcmp(how, "long") == 0)
		whole = write_memory(machine, file, addr, 4 << 20, false);
	if (!whole || strcmp(how, "complain") == 0)
		snprintf(said, said_size, "Error: An IO error has occurred");
	fclose(file);
	if (strcmp(how, "talk") == 0)
		return PMEMSAVE_TALK;
	return stall || strcmp(how, "silent") == 0 ? PMEMSAVE_SILENCE : PMEMSAVE_ANSWER;
}

enum pmemsave_end pmemsave(
	struct machine *machine, const char *command, char *said, size_t said_size)
{
	unsigned long long addr, size;
	char path[256], how[16] = "right";
	long from = 1;

	*said = '\0';
	if (sscanf(command, "pmemsave %lli %lli \"%255[^\"]\"", (long long *)&addr,
		    (long long *)&size, path) != 3) {
		snprintf(said, said_size, "pmemsave: what is \"%s\"?", command);
		return PMEMSAVE_ANSWER;
	}
	if (machine_is_device(machine, addr, (size_t)size))
		return PMEMSAVE_DEVICE;
	sscanf(machine->pmemsave, "%15s %ld", how, &from);
	return save(machine, ++machine->pmemsaves < from ? "right" : how, addr, (size_t)size, path,
		said, said_size);
}
