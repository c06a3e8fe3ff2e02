/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short way for `m` reads of synthetic memory, many of which come at once: their answers are
 * gathered from digits that were made beforehand and go out together. Nothing of it is in the log,
 * and faults do not touch it; whatever is not such a read is left to the long way.
 */
#ifndef STUB_BULK_H
#define STUB_BULK_H

#include "tests/stub/wire.h"

struct bulk *bulk_create(void);
void bulk_destroy(struct bulk *bulk);

/* Answers reads until something else comes, which is left in the input, or the end. */
enum wire_end bulk_serve(struct bulk *bulk, struct wire *wire, const struct machine *machine);

#endif
