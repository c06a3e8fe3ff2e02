/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLIENT_TRACE_H
#define CLIENT_TRACE_H

#include <stdio.h>

#include "client/status.h"

/*
 * Opens a file for a trace, over what is there but through no symbolic link. A trace holds what the
 * guest's memory holds: its owner's eyes only. Returns NULL if it cannot be.
 */
FILE *trace_open(const char *path, struct failure *failure);

#endif
