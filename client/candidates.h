/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages that pass by during the copy and look like VMCOREINFO. If none was found before, one of
 * them may be the running kernel's. The others are another kernel's, worth telling of: a crashed
 * kernel's while its kdump kernel runs, an earlier boot's, a nested guest's.
 */
#ifndef CLIENT_CANDIDATES_H
#define CLIENT_CANDIDATES_H

#include "client/guest.h"
#include "client/json.h"

enum { CANDIDATES_MAX = 64 };

struct candidates {
	uint64_t pages[CANDIDATES_MAX];
	size_t count;
	struct other_kernel {
		uint64_t paddr;
		char release[RELEASE_MAX];
	} others[CANDIDATES_MAX];
	size_t other_count;
};

/* Looks at the start of every whole page in len bytes of memory at paddr. */
void candidates_look(struct candidates *candidates, const struct arch *arch, uint64_t paddr,
	const uint8_t *bytes, size_t len);

/*
 * Reads the candidates in full: gives the guest one that fits and has at most take_max bytes, if it
 * has none yet, and lists the others. The guest must still stand still.
 */
void candidates_settle(struct candidates *candidates, struct guest *guest, size_t take_max);

void candidates_json(struct json *json, const struct candidates *candidates);

#endif
