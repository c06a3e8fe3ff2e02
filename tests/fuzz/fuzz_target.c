// SPDX-License-Identifier: GPL-2.0-or-later
/* The text that names a stub. */
#include <stdlib.h>
#include <string.h>

#include "rsp/target.h"
#include "tests/fuzz/fuzz.h"

static void check_target(const struct rsp_target *target)
{
	unsigned long port;

	switch (target->kind) {
	case RSP_TARGET_TCP:
		CHECK(target->host[0] && memchr(target->host, '\0', sizeof(target->host)));
		CHECK(memchr(target->service, '\0', sizeof(target->service)));
		CHECK(strspn(target->service, "0123456789") == strlen(target->service));
		port = strtoul(target->service, NULL, 10);
		CHECK(port > 0 && port < 65536);
		break;
	case RSP_TARGET_FD:
		CHECK(target->fd >= 0);
		break;
	default:
		CHECK(target->path[0] && memchr(target->path, '\0', sizeof(target->path)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct rsp_target target;
	char why[64] = "";

	if (rsp_target_parse(text, &target, why, sizeof(why)))
		CHECK(why[0] && memchr(why, '\0', sizeof(why)));
	else
		check_target(&target);
	free(text);
	return 0;
}
