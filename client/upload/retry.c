// SPDX-License-Identifier: GPL-2.0-or-later
#include "client/upload/retry.h"

bool retry_status(long status)
{
	switch (status) {
	case 408:
	case 425:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return true;
	default:
		return false;
	}
}

uint64_t retry_delay_ms(unsigned tries, unsigned retry_after, uint32_t random)
{
	uint64_t ceiling = RETRY_FIRST_MS;

	if (retry_after)
		return (uint64_t)(retry_after < RETRY_AFTER_MAX_S ? retry_after
								  : RETRY_AFTER_MAX_S) *
		       1000;
	while (--tries && ceiling < RETRY_MAX_MS)
		ceiling *= 2;
	if (ceiling > RETRY_MAX_MS)
		ceiling = RETRY_MAX_MS;
	/* Half of it for certain: what was overloaded a moment ago still is. */
	return ceiling / 2 + random % (ceiling / 2 + 1);
}
