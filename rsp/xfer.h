/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects that a stub hands out in pieces: qXfer:OBJECT:read:ANNEX. */
#ifndef RSP_XFER_H
#define RSP_XFER_H

#include "rsp/connection.h"

/*
 * Reads a whole object of at most RSP_XFER_MAX bytes. The text, with a NUL behind its size bytes,
 * is the caller's to free. Returns 0 or -1; RSP_UNSUPPORTED if the stub does not know the object.
 */
int rsp_xfer_read(
	struct rsp *rsp, const char *object, const char *annex, char **text, size_t *size);

/* Foresees it, of a stub that takes requests for what is behind its end. */
void rsp_ahead_add_object(struct rsp *rsp, const char *object, const char *annex);

#endif
