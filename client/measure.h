/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast a guest's memory comes over its link, found by reading a little of it. */
#ifndef CLIENT_MEASURE_H
#define CLIENT_MEASURE_H

#include "client/guest.h"

/* Reads at most some MiB and for at most a second or so. Bytes a second. Returns 0 or -1. */
int measure_rate(const struct guest *guest, double *rate, struct failure *failure);

#endif
