/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes wrong between a client and a stub, and where: drawn from a seed, or told. A fault has a
 * line of text, which says all of it: "corrupt-body back 123456 9f3c": its kind; its direction,
 * `there` to the stub and `back` to the client; how many bytes had passed in that direction, on all
 * connections together, before it; and the number that decides what else is to be decided: which
 * bit, for how long.
 *
 * What no end of a connection can notice is not among them. The protocol has no numbers: replies of
 * one size that change places (swap takes two of different sizes), a request that is lost whole or
 * comes twice, a '-' for a request that the stub has taken (nack has it in its place), one line
 * more or less of a monitor's output (duplicate, swap and longer leave those alone). No checksum
 * matches by chance.
 */
#ifndef STUB_FAULTS_H
#define STUB_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAULTS_MAX = 64, FAULT_TEXT_SIZE = 96 };

enum direction { THERE, BACK, DIRECTIONS };

enum fault_kind {
	/* To the connection, at any byte */
	FAULT_CUT,        /* both sides are reset */
	FAULT_CUT_CLIENT, /* the client's side is reset, the stub hears of it later */
	FAULT_CUT_STUB,   /* the stub's side is reset, the client does not hear of it */
	FAULT_FIN,        /* both sides are closed in good order */
	FAULT_STALL,      /* nothing passes for a while */
	FAULT_HOLE,       /* nothing passes any more, nor on new connections for a while */
	FAULT_DELAY,      /* one direction is held up for a moment */

	/* To a packet; what follows it passes unharmed */
	FAULT_CORRUPT_BODY,  /* a bit */
	FAULT_CORRUPT_SUM,   /* a bit of the checksum */
	FAULT_CORRUPT_FRAME, /* a bit of the '#', or of a reply's '$' */
	FAULT_DROP,          /* some bytes of it are lost */
	FAULT_TRUNCATE,      /* its end is lost */

	/* To the requests */
	FAULT_NACK, /* one is lost, and a '-' comes for it */

	/* To the replies */
	FAULT_DUPLICATE,    /* one comes twice */
	FAULT_SWAP,         /* two that wait together change places */
	FAULT_LONGER,       /* one of hexadecimal digits has a byte more */
	FAULT_ENDLESS,      /* a packet begins that never ends */
	FAULT_UNASKED,      /* one comes that nobody asked for */
	FAULT_NOTIFICATION, /* of a stop */
	FAULT_CONSOLE,      /* a line of console output */

	FAULT_KINDS,
};

struct fault {
	enum fault_kind kind;
	enum direction direction;
	uint64_t offset; /* UINT64_MAX for one that is due by time */
	uint64_t due_ms; /* since the first connection */
	uint32_t detail;
	bool committed;
};

struct fault_plan {
	struct fault faults[FAULTS_MAX];
	size_t count;
};

/* A kind by its name: "cut", "corrupt-body". False if there is none. */
bool fault_kind_by_name(const char *name, enum fault_kind *kind);

/* Whether it does something to the connection, wherever in a packet. */
bool fault_is_of_connection(enum fault_kind kind);

/* A number below `limit`, which is decided by the fault's detail alone. */
uint64_t fault_choose(const struct fault *fault, uint64_t limit);

/*
 * Draws `count` faults of the kinds that are set, each behind less than `reach` bytes of its
 * direction that the last one left; every fourth that can be is due by time, within as many
 * milliseconds as 64 KiB of the reach.
 */
void fault_plan_draw(struct fault_plan *plan, uint64_t seed, const bool kinds[FAULT_KINDS],
	size_t count, uint64_t reach);

/* Adds the fault that a line of text tells. False if it makes no sense, or is one too many. */
bool fault_plan_add(struct fault_plan *plan, const char *text);

/* The next fault in a direction, or the one that is due by now; NULL if there is none. */
struct fault *fault_plan_next(struct fault_plan *plan, enum direction direction, uint64_t now_ms);

/* Writes its line, where it was committed behind `passed` bytes. */
void fault_text(const struct fault *fault, uint64_t passed, char text[FAULT_TEXT_SIZE]);

#endif
