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
