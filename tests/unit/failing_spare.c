// SPDX-License-Identifier: GPL-2.0-or-later
/* In a file of its own: programs use the helpers of tests that are linked without failures. */
#include "tests/unit/failing.h"

static __thread unsigned spared;

void failing_spare(bool spare)
{
	spared = spare ? spared + 1 : spared - 1;
}

bool failing_is_spared(void)
{
	return spared > 0;
}
