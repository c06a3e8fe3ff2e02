// SPDX-License-Identifier: GPL-2.0-or-later
/* Which stores there are, and which one a URL is of. */
#include <string.h>

#include "client/upload/store.h"

static const struct store *const stores[] = {
	&put_store,
	&dav_store,
	&s3_store,
	&azure_store,
	&tus_store,
	&gcs_store,
	NULL,
};

const char *upload_store_names(void)
{
	static char names[64];
	char *to = names;

	if (!upload_is_built())
		return "none";
	for (size_t i = 0; stores[i]; i++)
		to += snprintf(to, sizeof(names) - (size_t)(to - names), "%s%s", i ? " " : "",
			stores[i]->name);
	return names;
}

const struct store *store_find(const char *name)
{
	for (size_t i = 0; stores[i]; i++)
		if (strcmp(stores[i]->name, name) == 0)
			return stores[i];
	return NULL;
}

static bool has(const struct url *url, const char *name)
{
	size_t size;

	return url_query_value(url, name, &size) != NULL;
}

/* Whether the host is one of the domain, whatever port stands behind it. */
static bool is_in(const struct url *url, const char *domain)
{
	size_t host = strcspn(url->authority, ":"), length = strlen(domain);

	return host > length && strncasecmp(url->authority + host - length, domain, length) == 0;
}

const struct store *store_for(const struct url *url)
{
	bool http = strcmp(url->scheme, "http") == 0 || strcmp(url->scheme, "https") == 0;

	if (strcmp(url->scheme, "s3") == 0)
		return &s3_store;
	if (strcmp(url->scheme, "gs") == 0)
		return &gcs_store;
	if (strcmp(url->scheme, "tus+http") == 0 || strcmp(url->scheme, "tus+https") == 0)
		return &tus_store;
	if (!http)
		return NULL;
	if (has(url, "X-Amz-Signature") || has(url, "X-Goog-Signature"))
		return &put_store;
	if (is_in(url, ".blob.core.windows.net") || (has(url, "sig") && has(url, "sv")))
		return &azure_store;
	if (strncmp(url->path, "/upload/storage/v1/b/", 21) == 0)
		return &gcs_store;
	return &put_store;
}
