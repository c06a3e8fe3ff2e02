// SPDX-License-Identifier: GPL-2.0-or-later
#include <expat.h>

#include "arch/arch.h"
#include "client/upload/upload.h"
#include "client/verbs.h"
#include "config.h"
#include "layout/core.h"

/* Libraries that cores and uploads may use, and whether configure found them. */
static const struct {
	const char *name;
	bool found;
} libraries[] = {
	{ "zlib", HAVE_ZLIB },
	{ "libdeflate", HAVE_LIBDEFLATE },
	{ "lzo2", HAVE_LZO2 },
	{ "snappy", HAVE_SNAPPY },
	{ "zstd", HAVE_ZSTD },
	{ "libcurl", HAVE_CURL },
	{ "nettle", HAVE_NETTLE },
};

static void print_libraries(FILE *to, const char *label, bool found)
{
	const char *none = " none";

	fputs(label, to);
	for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
		if (libraries[i].found == found) {
			fprintf(to, " %s", libraries[i].name);
			none = "";
		}
	fprintf(to, "%s\n", none);
}

void version_print(FILE *to)
{
	fprintf(to, "rspdump %s\n", VERSION);
	fputs("Formats:", to);
	for (size_t i = 0; core_formats[i]; i++)
		if (core_format_is_built(core_formats[i]))
			fprintf(to, " %s", core_formats[i]->name);
	fputs("\nCPUs:", to);
	for (size_t i = 0; arch_all[i]; i++)
		fprintf(to, " %s", arch_all[i]->name);
	fprintf(to, "\nUploads: %s", upload_store_names());
	fprintf(to, "\nUses: %s\n", XML_ExpatVersion());
	print_libraries(to, "Built with:", true);
	print_libraries(to, "Built without:", false);
}
