/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of its own for each test, which works in it: setup and teardown for cmocka. */
#ifndef TESTS_UNIT_OWN_DIRECTORY_H
#define TESTS_UNIT_OWN_DIRECTORY_H

#include <stdbool.h>

int enter_directory(void **state);
int leave_directory(void **state); /* and all that is in it is removed */

/* Whether there is something of that name, if only a link that leads nowhere. */
bool exists(const char *path);

#endif
