/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs of benchmarks share: they have one connection, and end with it. */
#ifndef BENCH_CONNECT_H
#define BENCH_CONNECT_H

#include <stdint.h>

enum { EXIT_USAGE = 2, NS_PER_MS = 1000000 };

/* Says what is wrong, and with what, and ends the program. */
_Noreturn void die(const char *what, const char *about);

/* Connects to HOST:PORT, or to unix:PATH. */
int connect_to(const char *target);

/* Nanoseconds, from any beginning */
uint64_t now(void);

#endif
