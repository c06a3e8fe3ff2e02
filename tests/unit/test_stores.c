// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "client/upload/store.h"

/* Behind the headers above, one of which may have a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

static void assert_store(const char *text, const char *name)
{
	struct url url;
	struct error error;
	const struct store *store;

	assert_int_equal(url_parse(&url, text, &error), 0);
	store = store_for(&url);
	if (!store || strcmp(store->name, name) != 0)
		fail_msg("%s is of %s, not of %s", text, store ? store->name : "none", name);
	url_deinit(&url);
}

static void test_shapes(void **state)
{
	(void)state;
	assert_store("https://host/cores/vmcore", "put");
	assert_store("http://host/cores/vmcore", "put");
	assert_store("https://gitlab/api/v4/projects/1/packages/generic/n/1/f", "put");
	assert_store("https://b.s3.amazonaws.com/k?X-Amz-Date=1&X-Amz-Signature=ab", "put");
	assert_store("https://storage.googleapis.com/b/k?X-Goog-Signature=ab", "put");
	assert_store("s3://bucket/key", "s3");
	assert_store("gs://bucket/name", "gcs");
	assert_store("https://storage.googleapis.com/upload/storage/v1/b/x/o?name=y", "gcs");
	assert_store("tus+https://host/files/", "tus");
	assert_store("tus+http://host/files/", "tus");
	assert_store("https://account.blob.core.windows.net/c/b", "azure");
	assert_store("https://account.BLOB.core.windows.net:443/c/b", "azure");
	assert_store("http://127.0.0.1:10000/account/c/b?sv=2020&sig=ab", "azure");
	/* One of both alone is anybody's. */
	assert_store("https://host/c/b?sig=ab", "put");
	assert_store("https://host/c/b?sv=1", "put");
	/* Hosts that only look like it. */
	assert_store("https://blob.core.windows.net.example/c/b", "put");
	assert_store("https://xblob.core.windows.net/c/b", "put");
	assert_store("https://.blob.core.windows.net/c", "put");
}

static void test_unknown_scheme(void **state)
{
	static const char *const texts[] = { "ftp://h/p", "file://h/p", "tus://h/p",
		"httpss://h/p" };
	struct url url;
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(url_parse(&url, texts[i], &error), 0);
		assert_null(store_for(&url));
		url_deinit(&url);
	}
}

static void test_names(void **state)
{
	static const char *const names[] = { "put", "dav", "s3", "azure", "tus", "gcs" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(store_find(names[i])->name, names[i]);
	assert_null(store_find("ftp"));
	assert_null(store_find(""));
	if (upload_is_built())
		assert_string_equal(upload_store_names(), "put dav s3 azure tus gcs");
	else
		assert_string_equal(upload_store_names(), "none");
}

static void test_is_url(void **state)
{
	(void)state;
	assert_true(is_url("s3://b/k"));
	assert_true(is_url("tus+https://h/"));
	assert_false(is_url("vmcore"));
	assert_false(is_url("/dir/http://x"));
	assert_false(is_url("://x"));
	assert_false(is_url("fd:3"));
	assert_false(is_url("C://x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_unknown_scheme),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_is_url),
	};

	return cmocka_run_group_tests_name("stores", tests, NULL, NULL);
}
