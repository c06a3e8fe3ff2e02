// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/failing.h"

int put_memory(struct core *core, uint64_t paddr, const void *bytes, size_t size)
{
	struct core_worker *worker = core_error(core) ? NULL : core_worker_create(core);
	uint8_t *buffer;
	const uint8_t *from = bytes;
	int result = worker ? 0 : -1;

	failing_spare(true);
	buffer = malloc(CORE_PIECE_MAX);
	failing_spare(false);
	if (!buffer)
		abort();
	while (size && !result) {
		size_t room = CORE_PIECE_MAX - (size_t)(paddr % CORE_PIECE_MAX);
		struct core_piece piece = {
			.paddr = paddr,
			.size = size < room ? size : room,
			.bytes = buffer,
		};

		memcpy(buffer, from, piece.size);
		core_prepare(worker, &piece);
		result = core_put(core, &piece);
		paddr += piece.size;
		from += piece.size;
		size -= piece.size;
	}
	core_worker_destroy(worker);
	free(buffer);
	return result;
}
