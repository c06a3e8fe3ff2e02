// SPDX-License-Identifier: GPL-2.0-or-later
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/upload/parts.h"
#include "tests/unit/failing.h"

/* Behind the headers above, one of which may have a macro of the name of fail(). */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

/* Parts are small here: what is tested does not depend on it. */
enum { SIZE = 100 };

static bool cancelled; /* atomic: a test sets it in a thread of its own */

static bool is_cancelled(void *ctx)
{
	(void)ctx;
	return __atomic_load_n(&cancelled, __ATOMIC_RELAXED);
}

static struct parts *make(bool any_order, bool rewrites, int fd, uint64_t behind)
{
	const struct parts_options options = {
		.part_size = SIZE,
		.any_order = any_order,
		.rewrites = rewrites,
		.fd = fd,
		.behind = behind,
		.cancelled = is_cancelled,
	};
	struct parts *parts = parts_create(&options);

	__atomic_store_n(&cancelled, false, __ATOMIC_RELAXED);
	assert_non_null(parts);
	return parts;
}

/* The letter n times. */
static void append(struct parts *parts, char letter, size_t n)
{
	char bytes[1024];

	memset(bytes, letter, n);
	assert_int_equal(parts_append(parts, bytes, n), 0);
}

static void assert_part(struct parts *parts, long part, const char *letters, size_t each)
{
	char bytes[SIZE + 1];
	size_t size = strlen(letters) * each;

	assert_true(part >= 0);
	assert_int_equal(part_read(parts, (unsigned)part, 0, bytes, sizeof(bytes)), size);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(bytes[i], letters[i / each] == '0' ? 0 : letters[i / each]);
}

static void test_sizes(void **state)
{
	const uint64_t mib = UINT64_C(1) << 20, gib = mib << 10, tib = gib << 10;
	static const uint64_t factors[] = { 1, 148, 149, 1000, 6 << 10, 24 << 10 };

	(void)state;
	assert_int_equal(part_size_for(0), 16 * mib);
	assert_int_equal(part_size_for(100 * gib), 16 * mib);
	/* 9500 of 16 MiB are 148.4 GiB. */
	assert_int_equal(part_size_for(148 * gib), 16 * mib);
	assert_int_equal(part_size_for(149 * gib), 17 * mib);
	assert_int_equal(part_size_for(tib), 111 * mib);
	for (size_t i = 0; i < sizeof(factors) / sizeof(factors[0]); i++) {
		uint64_t size = part_size_for(factors[i] * gib);

		assert_int_equal(size % mib, 0);
		assert_true(factors[i] * gib / size < 9500);
		/* As S3 takes them. */
		assert_true(size <= 5 * gib);
	}
}

static void test_in_order(void **state)
{
	struct parts *parts = make(false, false, -1, 0);

	(void)state;
	append(parts, 'a', 150);
	append(parts, 'b', 100);
	assert_part(parts, parts_claim(parts), "a", 100);
	assert_part(parts, parts_claim(parts), "ab", 50);
	parts_done(parts, 0);
	parts_done(parts, 1);
	parts_complete(parts, 250);
	assert_int_equal(parts_count(parts), 3);
	assert_int_equal(part_offset(parts, 2), 200);
	assert_int_equal(part_size(parts, 2), 50);
	assert_part(parts, parts_claim(parts), "b", 50);
	parts_done(parts, 2);
	assert_int_equal(parts_claim(parts), -1);
	parts_destroy(parts);
}

/* An exact multiple has no empty part at its end. */
static void test_exact_multiple(void **state)
{
	struct parts *parts = make(false, false, -1, 0);

	(void)state;
	append(parts, 'a', 200);
	parts_complete(parts, 200);
	assert_int_equal(parts_count(parts), 2);
	assert_int_equal(parts_claim(parts), 0);
	assert_int_equal(parts_claim(parts), 1);
	assert_int_equal(parts_claim(parts), -1);
	parts_destroy(parts);
}

static void test_zeros(void **state)
{
	struct parts *parts = make(false, false, -1, 0);

	(void)state;
	assert_int_equal(parts_append(parts, NULL, 130), 0);
	append(parts, 'a', 30);
	assert_int_equal(parts_append(parts, NULL, 40), 0);
	assert_part(parts, parts_claim(parts), "0", 100);
	assert_part(parts, parts_claim(parts), "000aaa0000", 10);
	parts_destroy(parts);
}

/* The first part waits for the end, as headers may change. */
static void test_first_part_is_last(void **state)
{
	struct parts *parts = make(true, false, -1, 0);

	(void)state;
	append(parts, 'a', 310);
	assert_part(parts, parts_claim(parts), "a", 100);
	assert_int_equal(parts_claim(parts), 2);
	assert_int_equal(parts_replace(parts, 0, "bbbbbbbbbb", 10), 0);
	assert_int_equal(parts_replace(parts, 100, "x", 1), -1);
	parts_complete(parts, 310);
	assert_part(parts, parts_claim(parts), "baaaaaaaaa", 10);
	assert_part(parts, parts_claim(parts), "a", 10);
	assert_int_equal(parts_claim(parts), -1);
	parts_destroy(parts);
}

/*
 * As kdump does it: headers, room for descriptors up to 450, pages; descriptors come in order. What
 * is in a part with room in it goes up once the descriptors are behind it.
 */
static void test_two_fronts(void **state)
{
	struct parts *parts = make(true, true, -1, 0);
	char descriptors[SIZE + 20];

	(void)state;
	memset(descriptors, 'd', sizeof(descriptors));
	append(parts, 'h', 50);
	assert_int_equal(parts_append(parts, NULL, 400), 0);
	append(parts, 'p', 250);
	/* Parts 5 and 6 are of pages alone. */
	assert_int_equal(parts_claim(parts), 5);
	assert_int_equal(parts_claim(parts), 6);
	assert_int_equal(parts_replace(parts, 50, descriptors, 50), 0);
	assert_int_equal(parts_replace(parts, 100, descriptors, 100), 0);
	assert_part(parts, parts_claim(parts), "d", 100);
	assert_int_equal(parts_replace(parts, 200, descriptors, 120), 0);
	assert_int_equal(parts_claim(parts), 2);
	assert_int_equal(parts_replace(parts, 320, descriptors, 20), 0);
	parts_complete(parts, 700);
	assert_part(parts, parts_claim(parts), "hd", 50);
	assert_part(parts, parts_claim(parts), "dddd000000", 10);
	assert_part(parts, parts_claim(parts), "00000ppppp", 10);
	assert_int_equal(parts_claim(parts), -1);
	parts_destroy(parts);
}

static void test_digest(void **state)
{
	struct parts *parts = make(false, false, -1, 0);
	char zeros[5000] = { 0 };
	uint8_t ours[SHA256_SIZE], theirs[SHA256_SIZE];
	struct sha256 sha256;

	(void)state;
	append(parts, 'a', 130);
	assert_int_equal(parts_append(parts, NULL, 20), 0);
	assert_true(parts_sha256(parts, ours));
	sha256_begin(&sha256);
	memset(zeros, 'a', 130);
	sha256_add(&sha256, zeros, 150);
	sha256_end(&sha256, theirs);
	assert_memory_equal(ours, theirs, sizeof(ours));
	parts_destroy(parts);

	/* It cannot be known of what was replaced. */
	parts = make(true, false, -1, 0);
	append(parts, 'a', 130);
	assert_int_equal(parts_replace(parts, 0, "b", 1), 0);
	assert_false(parts_sha256(parts, ours));
	parts_destroy(parts);
}

static void test_stream(void **state)
{
	struct parts *parts = make(false, false, -1, 0);
	char bytes[1000];

	(void)state;
	append(parts, 'a', 100);
	append(parts, 'b', 100);
	append(parts, 'c', 50);
	parts_complete(parts, 250);
	assert_int_equal(parts_stream(parts, 0, bytes, 70), 70);
	/* To the end of the part at most. */
	assert_int_equal(parts_stream(parts, 70, bytes, sizeof(bytes)), 30);
	/* It can begin anew as long as it is in the first part. */
	assert_int_equal(parts_stream(parts, 0, bytes, 10), 10);
	assert_int_equal(bytes[9], 'a');
	assert_int_equal(parts_stream(parts, 100, bytes, sizeof(bytes)), 100);
	assert_int_equal(bytes[0], 'b');
	assert_int_equal(parts_stream(parts, 0, bytes, 10), -1);
	assert_int_equal(parts_stream(parts, 200, bytes, sizeof(bytes)), 50);
	assert_int_equal(bytes[49], 'c');
	assert_int_equal(parts_stream(parts, 250, bytes, sizeof(bytes)), 0);
	parts_destroy(parts);
}

/* What may not have reached the file is not read yet; behind its end are zeros while it grows. */
static void test_file(void **state)
{
	int fd = memfd_create("parts", 0);
	struct parts *parts = make(false, false, fd, 30);
	char bytes[2 * SIZE];

	(void)state;
	memset(bytes, 'f', sizeof(bytes));
	assert_int_equal(write(fd, bytes, 150), 150);
	assert_int_equal(parts_append(parts, bytes, 229), 0);
	assert_part(parts, parts_claim(parts), "f", 100);
	assert_int_equal(parts_append(parts, NULL, 1), 0);
	assert_part(parts, parts_claim(parts), "f0", 50);
	parts_done(parts, 0);
	parts_complete(parts, 230);
	assert_int_equal(parts_claim(parts), 2);
	/* Now it is too short. */
	assert_int_equal(part_read(parts, 2, 0, bytes, 30), 0);
	assert_int_equal(part_read(parts, 1, 0, bytes, 100), 50);
	/* A file can be read again. */
	assert_int_equal(parts_stream(parts, 120, bytes, 10), 10);
	assert_int_equal(parts_stream(parts, 0, bytes, 10), 10);
	parts_destroy(parts);
	close(fd);
}

static void *send_slowly(void *ctx)
{
	struct parts *parts = ctx;
	long part;

	while ((part = parts_claim(parts)) >= 0) {
		usleep(1000);
		parts_done(parts, (unsigned)part);
	}
	return NULL;
}

/* More parts than there are buffers: who fills waits for who sends. */
static void test_buffers_are_bounded(void **state)
{
	struct parts *parts = make(true, false, -1, 0);
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, send_slowly, parts), 0);
	for (int i = 0; i < 50; i++)
		append(parts, 'a', 100);
	parts_complete(parts, 5000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (unsigned i = 0; i < 50; i++)
		assert_true(part_is_done(parts, i));
	parts_destroy(parts);
}

static void *cancel(void *ctx)
{
	(void)ctx;
	usleep(10000);
	__atomic_store_n(&cancelled, true, __ATOMIC_RELAXED);
	return NULL;
}

/* Nobody sends: what waits for a buffer ends when all is called off. */
static void test_cancelled(void **state)
{
	struct parts *parts = make(false, false, -1, 0);
	pthread_t thread;
	char bytes[SIZE] = { 0 };
	int rc = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, cancel, NULL), 0);
	for (int i = 0; i < 100 && !rc; i++)
		rc = parts_append(parts, bytes, sizeof(bytes));
	assert_int_equal(rc, -1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(parts_claim(parts), -1);
	assert_int_equal(parts_stream(parts, 0, bytes, 1), -1);
	parts_destroy(parts);
}

static void test_failed(void **state)
{
	struct parts *parts = make(false, false, -1, 0);

	(void)state;
	append(parts, 'a', 100);
	assert_false(parts_failed(parts));
	parts_fail(parts);
	assert_true(parts_failed(parts));
	assert_int_equal(parts_append(parts, "a", 1), -1);
	assert_int_equal(parts_replace(parts, 0, "a", 1), -1);
	assert_int_equal(parts_claim(parts), -1);
	parts_destroy(parts);
}

static void test_too_many(void **state)
{
	struct parts *parts = make(false, false, -1, 0);

	(void)state;
	assert_int_equal(parts_append(parts, NULL, (uint64_t)PARTS_MAX * SIZE), 0);
	assert_int_equal(parts_append(parts, NULL, 1), -1);
	parts_destroy(parts);
}

static void test_some_are_there(void **state)
{
	struct parts *parts = make(true, false, -1, 0);

	(void)state;
	assert_int_equal(parts_append(parts, NULL, 350), 0);
	parts_complete(parts, 350);
	parts_have(parts, 0);
	parts_have(parts, 2);
	parts_have(parts, PARTS_MAX);
	assert_true(part_is_done(parts, 2));
	assert_int_equal(parts_claim(parts), 1);
	assert_int_equal(parts_claim(parts), 3);
	assert_int_equal(parts_claim(parts), -1);
	parts_forget(parts);
	assert_int_equal(parts_claim(parts), 0);
	parts_destroy(parts);
}

/* Whoever fills the parts can tell it from a core that is too large. */
static void test_no_memory(void **state)
{
	const struct parts_options options = {
		.part_size = SIZE, .any_order = true, .fd = -1, .cancelled = is_cancelled
	};
	struct failing failing = { .what = FAILING_ALLOCATIONS };

	(void)state;
	while (failing_next(&failing)) {
		struct parts *parts = parts_create(&options);
		int rc = parts ? parts_append(parts, "0123456789", 10) : -1;

		failing_check(&failing, rc, rc ? "no memory" : "");
		if (parts)
			assert_int_equal(parts_lack_memory(parts), rc != 0);
		parts_destroy(parts);
	}
	/* Itself, its items, a buffer. */
	assert_int_equal(failing.nth, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_exact_multiple),
		cmocka_unit_test(test_zeros),
		cmocka_unit_test(test_first_part_is_last),
		cmocka_unit_test(test_two_fronts),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_buffers_are_bounded),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_some_are_there),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
