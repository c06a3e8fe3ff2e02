/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers on one connection: from a machine, or from a script. */
#ifndef STUB_SERVE_H
#define STUB_SERVE_H

#include "tests/stub/machine.h"
#include "tests/stub/wire.h"

/*
 * Serves a machine until the connection ends. What outlives a connection on QEMU, its memory mode,
 * is kept in the machine.
 */
enum wire_end serve(struct machine *machine, int in, int out, FILE *log);

/* What comes of a pmemsave. */
enum pmemsave_end {
	PMEMSAVE_ANSWER,  /* print what is in said, if anything, and OK */
	PMEMSAVE_SILENCE, /* give no answer */
	PMEMSAVE_TALK,    /* print without end */
	PMEMSAVE_DEVICE,  /* a device would have been read */
};

/*
 * The monitor's "pmemsave ADDRESS SIZE "PATH"". HOW of the machine's setting is one of
 *
 *	right		silent, stall	all or half of the bytes, and no answer
 *	refuse		short, long	a byte too few, or far too many
 *	none		complain	no bytes or all, and OK, or a complaint behind them
 *	wrong		talk		other bytes; prints without end
 */
enum pmemsave_end pmemsave(
	struct machine *machine, const char *command, char *said, size_t said_size);

/*
 * Plays the stub's part of a conversation. Lines of the script:
 *
 *	> BODY		the client's next packet; a '*' at the end stands for any rest
 *	< BODY		the stub's next packet; \xNN is a byte
 *	! BYTES		bytes that are no packet
 *	.		the stub closes the connection
 *	# ...		a comment
 *
 * Returns WIRE_DEVIATES if the client says something else, or leaves before the end.
 */
enum wire_end replay(const char *script, int in, int out, FILE *log);

#endif
