/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What programs at a stub, or between a stub and its client, share: getting connections. */
#ifndef BENCH_CONNECT_H
#define BENCH_CONNECT_H

#include <stdint.h>

enum { EXIT_USAGE = 2, NS_PER_MS = 1000000 };

/* Says what is wrong, and with what, and ends the program. */
_Noreturn void die(const char *what, const char *about);

/* Connects to HOST:PORT, or to unix:PATH. The former ends the program if it cannot, the latter
 * returns -1. */
int connect_to(const char *target);
int try_to_connect(const char *target);

/* Listens on a free port of the loopback device, and prints it. */
int listen_here(void);

/* Takes the next connection, waiting at most so long for it; -1 if none came. */
int take_connection(int listener, int timeout_ms);

/* Nanoseconds, from any beginning */
uint64_t now(void);

#endif
