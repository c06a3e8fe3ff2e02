/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of an upload's address and headers may come from files, so that no secret is in argv. */
#ifndef CLIENT_UPLOAD_ADDRESS_H
#define CLIENT_UPLOAD_ADDRESS_H

#include "arch/error.h"
#include "client/upload/lines.h"

/* The URL, or with an @ in front the first line of that file. From the heap; NULL if it fails. */
char *address_read(const char *text, struct error *error);

/* Adds the header, or with an @ in front those of that file, a line each. Returns 0 or -1. */
int headers_read(const char *text, struct lines *headers, struct error *error);

#endif
