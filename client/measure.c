// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/measure.h"

#include <stdlib.h>

#include "client/clock.h"
#include "client/lane.h"

enum {
	PIECE_SIZE = 64 << 10,
	BYTES_MAX = 16 << 20,
};

static const double seconds_max = 1.0;

struct measurement {
	const struct ranges *memory;
	uint8_t *buffer; /* one for all pieces: nobody looks at them */
	struct range_cursor cursor;
	uint64_t asked, read;
	double started;
};

static bool give_piece(void *ctx, struct rsp_read *piece)
{
	struct measurement *measurement = ctx;
	struct range range;

	if (measurement->asked >= BYTES_MAX ||
		monotonic_seconds() - measurement->started > seconds_max ||
		!ranges_next(measurement->memory, &measurement->cursor, PIECE_SIZE, &range))
		return false;
	piece->addr = range.start;
	piece->len = (size_t)range.size;
	piece->buf = measurement->buffer;
	measurement->asked += piece->len;
	return true;
}

static int take_piece(void *ctx, const struct rsp_read *piece)
{
	struct measurement *measurement = ctx;

	measurement->read += piece->len;
	return 0;
}

int measure_rate(const struct guest *guest, double *rate, struct failure *failure)
{
	struct measurement measurement = {
		.memory = &guest->memory,
		.buffer = malloc(PIECE_SIZE),
		.started = monotonic_seconds(),
	};
	const struct rsp_stream stream = {
		.next = give_piece,
		.done = take_piece,
		.ctx = &measurement,
	};
	int rc;

	if (!measurement.buffer)
		return fail(failure, STATUS_FAILED, "no memory");
	rc = lane_stream(guest, &stream);
	if (rc)
		fail_rsp(failure, guest->rsp, "reading memory");
	else
		*rate = (double)measurement.read /
		        (monotonic_seconds() - measurement.started + 1e-6);
	free(measurement.buffer);
	return rc ? -1 : 0;
}
