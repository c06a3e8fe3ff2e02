// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "tests/unit/failing.h"

#include <dirent.h>
#include <errno.h>
#include <expat.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

#if HAVE_CURL
#include <curl/curl.h>
#endif
#if HAVE_LIBDEFLATE
#include <libdeflate.h>
#elif HAVE_ZLIB
#include <zlib.h>
#endif
#if HAVE_ZSTD
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#endif

enum { LIVE_MAX = 1 << 14, ROUNDS_MAX = 100000 };

/* Something that was allocated in this round and is not freed yet. */
struct live {
	uintptr_t hidden; /* of its address, all bits: or a leak would look reachable to LSan */
	const char *call;
	unsigned long nth;
	char **late; /* where open_memstream() will leave another one */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct failing *armed;
static struct live live[LIVE_MAX];
static size_t live_count;

/* Whether this call is one that fails. */
static bool fails(enum failing_what what)
{
	bool hit = false;

	if (failing_is_spared() || !__atomic_load_n(&armed, __ATOMIC_ACQUIRE))
		return false;
	pthread_mutex_lock(&lock);
	if (armed && (armed->what == what ||
			     (armed->what == FAILING_OUTPUT && what == FAILING_WRITES))) {
		unsigned long nth = ++armed->calls;

		hit = nth == armed->nth || (armed->for_good && nth > armed->nth);
		armed->hits += hit;
	}
	pthread_mutex_unlock(&lock);
	return hit;
}

static bool no_memory(void)
{
	bool hit = fails(FAILING_ALLOCATIONS);

	if (hit)
		errno = ENOMEM;
	return hit;
}

/* Written under the lock, but looked at without it, so that it costs little where nothing fails. */
static void set_live_count(size_t count)
{
	__atomic_store_n(&live_count, count, __ATOMIC_RELEASE);
}

static void *remember(void *pointer, const char *call, char **late)
{
	if (failing_is_spared() || !pointer || !__atomic_load_n(&armed, __ATOMIC_ACQUIRE))
		return pointer;
	pthread_mutex_lock(&lock);
	if (live_count == LIVE_MAX)
		abort();
	if (armed) {
		live[live_count] = (struct live){
			.hidden = ~(uintptr_t)pointer,
			.call = call,
			.nth = armed->calls,
			.late = late,
		};
		set_live_count(live_count + 1);
	}
	pthread_mutex_unlock(&lock);
	return pointer;
}

/* Whether it is one of this round's. */
static bool forget(const void *pointer, struct live *forgotten)
{
	bool found = false;

	if (!pointer || !__atomic_load_n(&live_count, __ATOMIC_ACQUIRE))
		return false;
	pthread_mutex_lock(&lock);
	for (size_t i = live_count; i-- > 0 && !found;)
		if (live[i].hidden == ~(uintptr_t)pointer) {
			if (forgotten)
				*forgotten = live[i];
			live[i] = live[live_count - 1];
			set_live_count(live_count - 1);
			found = true;
		}
	pthread_mutex_unlock(&lock);
	return found;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static unsigned count_descriptors(void)
{
	unsigned count = 0;
	DIR *directory;

	failing_spare(true);
	directory = opendir("/proc/self/fd");
	while (directory && readdir(directory))
		count++;
	if (directory)
		closedir(directory);
	failing_spare(false);
	return count;
}

static void assert_nothing_left(const struct failing *failing)
{
	const char *behind = failing->for_good ? " and all behind it" : "";

	if (live_count)
		fail_msg("call %lu%s failed: %zu allocations are left, the first by %s() behind "
			 "call %lu",
			failing->nth, behind, live_count, live[0].call, live[0].nth);
	if (count_descriptors() != failing->descriptors)
		fail_msg("call %lu%s failed: %u descriptors are open, not %u", failing->nth, behind,
			count_descriptors(), failing->descriptors);
}

bool failing_next(struct failing *failing)
{
	if (failing->started) {
		assert_null(armed);
		assert_nothing_left(failing);
		if (!failing->hits)
			return false;
		assert_true(failing->nth < ROUNDS_MAX);
		failing->nth += failing->for_good || failing->passes;
		failing->for_good = !failing->for_good && !failing->passes;
	} else {
		failing->nth = 1;
	}
	failing->started = true;
	failing->calls = failing->hits = 0;
	failing->descriptors = count_descriptors();
	pthread_mutex_lock(&lock);
	set_live_count(0);
	__atomic_store_n(&armed, failing, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock);
	return true;
}

bool failing_end(struct failing *failing)
{
	pthread_mutex_lock(&lock);
	__atomic_store_n(&armed, NULL, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock);
	return failing->hits != 0;
}

void failing_check(struct failing *failing, int rc, const char *text)
{
	static const char why[] = "no memory";
	bool hit = failing_end(failing);
	const char *end = text + strlen(text) - (rc ? strlen(why) : 0);

	if (!hit && rc)
		fail_msg("nothing failed, and yet: %s", text);
	if (hit && (rc != -1 || end < text || strcmp(end, why) != 0))
		fail_msg("call %lu failed: %d, %s", failing->nth, rc, rc ? text : "");
}

/* ---- memory ---------------------------------------------------------------------------------- */

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */

#define WRAPPED(type, name, arguments)                                                 \
	type __real_##name arguments; /* NOLINT(bugprone-macro-parentheses): a type */ \
	type __wrap_##name arguments; /* NOLINT(bugprone-macro-parentheses) */         \
	type __wrap_##name arguments  /* NOLINT(bugprone-macro-parentheses) */

WRAPPED(void *, malloc, (size_t size))
{
	return no_memory() ? NULL : remember(__real_malloc(size), "malloc", NULL);
}

WRAPPED(void *, calloc, (size_t count, size_t size))
{
	return no_memory() ? NULL : remember(__real_calloc(count, size), "calloc", NULL);
}

/* What was there before the round is not the round's when it grows. */
WRAPPED(void *, realloc, (void *pointer, size_t size))
{
	bool ours;

	if (no_memory())
		return NULL;
	ours = forget(pointer, NULL) || !pointer;
	pointer = __real_realloc(pointer, size);
	return ours ? remember(pointer, "realloc", NULL) : pointer;
}

WRAPPED(void, free, (void *pointer))
{
	forget(pointer, NULL);
	__real_free(pointer);
}

WRAPPED(char *, strdup, (const char *text))
{
	return no_memory() ? NULL : remember(__real_strdup(text), "strdup", NULL);
}

WRAPPED(char *, strndup, (const char *text, size_t size))
{
	return no_memory() ? NULL : remember(__real_strndup(text, size), "strndup", NULL);
}

/* After a failure what is in *text is undefined: nobody may free it. */
static int print(char **text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
int __real_vasprintf(char **text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static int print(char **text, const char *format, va_list args)
{
	int length;

	if (no_memory()) {
		*text = (char *)-1; /* NOLINT(performance-no-int-to-ptr): not one to be followed */
		return -1;
	}
	length = __real_vasprintf(text, format, args);
	remember(*text, "asprintf", NULL);
	return length;
}

int __wrap_vasprintf(char **text, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));
int __wrap_vasprintf(char **text, const char *format, va_list args)
{
	return print(text, format, args);
}

int __wrap_asprintf(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = print(text, format, args);
	va_end(args);
	return length;
}

/* _FORTIFY_SOURCE has glibc's names for them. */
int __wrap___vasprintf_chk(char **text, int flag, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
int __wrap___vasprintf_chk(char **text, int flag, const char *format, va_list args)
{
	(void)flag;
	return print(text, format, args);
}

int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int __wrap___asprintf_chk(char **text, int flag, const char *format, ...)
{
	va_list args;
	int length;

	(void)flag;
	va_start(args, format);
	length = print(text, format, args);
	va_end(args);
	return length;
}

/* ---- what needs memory ----------------------------------------------------------------------- */

WRAPPED(FILE *, fopen, (const char *path, const char *mode))
{
	return no_memory() ? NULL : remember(__real_fopen(path, mode), "fopen", NULL);
}

#ifdef __GLIBC__
WRAPPED(FILE *, fopen64, (const char *path, const char *mode))
{
	return no_memory() ? NULL : remember(__real_fopen64(path, mode), "fopen", NULL);
}
#endif

WRAPPED(FILE *, fdopen, (int fd, const char *mode))
{
	return no_memory() ? NULL : remember(__real_fdopen(fd, mode), "fdopen", NULL);
}

WRAPPED(FILE *, open_memstream, (char **text, size_t *size))
{
	return no_memory() ? NULL
	                   : remember(__real_open_memstream(text, size), "open_memstream", text);
}

WRAPPED(int, fclose, (FILE * file))
{
	struct live closed = { .late = NULL };
	bool ours = forget(file, &closed);
	int rc = __real_fclose(file);

	if (ours && closed.late)
		remember(*closed.late, "open_memstream", NULL);
	return rc;
}

WRAPPED(DIR *, opendir, (const char *path))
{
	return no_memory() ? NULL : remember(__real_opendir(path), "opendir", NULL);
}

WRAPPED(int, closedir, (DIR * directory))
{
	forget(directory, NULL);
	return __real_closedir(directory);
}

WRAPPED(int, getaddrinfo,
	(const char *host, const char *service, const struct addrinfo *hints,
		struct addrinfo **found))
{
	int rc;

	if (no_memory())
		return EAI_MEMORY;
	rc = __real_getaddrinfo(host, service, hints, found);
	if (rc == 0)
		remember(*found, "getaddrinfo", NULL);
	return rc;
}

WRAPPED(void, freeaddrinfo, (struct addrinfo * found))
{
	forget(found, NULL);
	__real_freeaddrinfo(found);
}

WRAPPED(int, pthread_create,
	(pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *ctx))
{
	if (fails(FAILING_ALLOCATIONS))
		return EAGAIN;
	return __real_pthread_create(thread, attributes, run, ctx);
}

/* ---- what libraries allocate ----------------------------------------------------------------- */

WRAPPED(XML_Parser, XML_ParserCreate, (const XML_Char *encoding))
{
	static const XML_Memory_Handling_Suite memory = {
		__wrap_malloc,
		__wrap_realloc,
		__wrap_free,
	};

	return XML_ParserCreate_MM(encoding, &memory, NULL);
}

#if HAVE_CURL
/* Before and behind what libcurl allocates: spared, unless the test wants it to fail. */
static void spare_curl(bool spare)
{
	const struct failing *failing = __atomic_load_n(&armed, __ATOMIC_ACQUIRE);

	if (!failing || !failing->libcurl)
		failing_spare(spare);
}

static void *curl_malloc(size_t size)
{
	void *pointer;

	spare_curl(true);
	pointer = __wrap_malloc(size);
	spare_curl(false);
	return pointer;
}

static void *curl_calloc(size_t count, size_t size)
{
	void *pointer;

	spare_curl(true);
	pointer = __wrap_calloc(count, size);
	spare_curl(false);
	return pointer;
}

static void *curl_realloc(void *pointer, size_t size)
{
	spare_curl(true);
	pointer = __wrap_realloc(pointer, size);
	spare_curl(false);
	return pointer;
}

static char *curl_strdup(const char *text)
{
	char *copy;

	spare_curl(true);
	copy = __wrap_strdup(text);
	spare_curl(false);
	return copy;
}

WRAPPED(CURLcode, curl_global_init, (long flags))
{
	return curl_global_init_mem(
		flags, curl_malloc, __wrap_free, curl_realloc, curl_strdup, curl_calloc);
}

/* What is not spared of it in any test. */
WRAPPED(CURL *, curl_easy_init, (void))
{
	return no_memory() ? NULL : remember(__real_curl_easy_init(), "curl_easy_init", NULL);
}

WRAPPED(void, curl_easy_cleanup, (CURL * curl))
{
	forget(curl, NULL);
	__real_curl_easy_cleanup(curl);
}

WRAPPED(struct curl_slist *, curl_slist_append, (struct curl_slist * list, const char *text))
{
	return no_memory() ? NULL : __real_curl_slist_append(list, text);
}
#endif

#if HAVE_LIBDEFLATE
WRAPPED(struct libdeflate_compressor *, libdeflate_alloc_compressor, (int level))
{
	return no_memory() ? NULL
	                   : remember(__real_libdeflate_alloc_compressor(level),
				     "libdeflate_alloc_compressor", NULL);
}

WRAPPED(void, libdeflate_free_compressor, (struct libdeflate_compressor * compressor))
{
	forget(compressor, NULL);
	__real_libdeflate_free_compressor(compressor);
}
#elif HAVE_ZLIB
static void *zlib_alloc(void *ctx, unsigned count, unsigned size)
{
	(void)ctx;
	return __wrap_calloc(count, size);
}

static void zlib_free(void *ctx, void *pointer)
{
	(void)ctx;
	__wrap_free(pointer);
}

WRAPPED(int, deflateInit2_,
	(z_stream * stream, int level, int method, int bits, int memory, int strategy,
		const char *version, int size))
{
	stream->zalloc = zlib_alloc;
	stream->zfree = zlib_free;
	return __real_deflateInit2_(stream, level, method, bits, memory, strategy, version, size);
}
#endif

#if HAVE_ZSTD
static void *zstd_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return __wrap_malloc(size);
}

static void zstd_free(void *ctx, void *pointer)
{
	(void)ctx;
	__wrap_free(pointer);
}

WRAPPED(ZSTD_CCtx *, ZSTD_createCCtx, (void))
{
	return ZSTD_createCCtx_advanced((ZSTD_customMem){ zstd_alloc, zstd_free, NULL });
}
#endif

/* ---- files ----------------------------------------------------------------------------------- */

/* A stub is spoken to as well; that is not output. */
static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* How much of a write is done: all of it, some of it; or -1 with errno. */
static ssize_t allowed(int fd, size_t size)
{
	if (is_socket(fd) || !fails(FAILING_WRITES))
		return (ssize_t)size;
	errno = armed->error;
	return armed->error ? -1 : (ssize_t)((size + 1) / 2);
}

static bool no_output(void)
{
	bool hit = fails(FAILING_OUTPUT);

	if (hit)
		errno = armed->error;
	return hit;
}

WRAPPED(ssize_t, write, (int fd, const void *bytes, size_t size))
{
	ssize_t part = allowed(fd, size);

	return part < 0 ? -1 : __real_write(fd, bytes, (size_t)part);
}

#ifdef __GLIBC__
WRAPPED(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off_t offset))
{
	ssize_t part = allowed(fd, size);

	return part < 0 ? -1 : __real_pwrite64(fd, bytes, (size_t)part, offset);
}

WRAPPED(int, ftruncate64, (int fd, off_t size))
{
	return no_output() ? -1 : __real_ftruncate64(fd, size);
}
#endif

WRAPPED(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t offset))
{
	ssize_t part = allowed(fd, size);

	return part < 0 ? -1 : __real_pwrite(fd, bytes, (size_t)part, offset);
}

WRAPPED(int, ftruncate, (int fd, off_t size))
{
	return no_output() ? -1 : __real_ftruncate(fd, size);
}

WRAPPED(int, fsync, (int fd))
{
	return no_output() ? -1 : __real_fsync(fd);
}

WRAPPED(int, rename, (const char *from, const char *to))
{
	return no_output() ? -1 : __real_rename(from, to);
}

WRAPPED(int, renameat2,
	(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags))
{
	return no_output() ? -1 : __real_renameat2(from_fd, from, to_fd, to, flags);
}

WRAPPED(int, link, (const char *from, const char *to))
{
	return no_output() ? -1 : __real_link(from, to);
}

/* NOLINTEND(bugprone-reserved-identifier) */
