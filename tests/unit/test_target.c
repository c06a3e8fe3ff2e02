// SPDX-License-Identifier: GPL-2.0-or-later
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "rsp/target.h"

static void test_tcp(void **state)
{
	static const struct {
		const char *text, *host, *service;
		int family;
	} cases[] = {
		{ "1234", "localhost", "1234", AF_UNSPEC },
		{ ":1234", "localhost", "1234", AF_UNSPEC },
		{ "1", "localhost", "1", AF_UNSPEC },
		{ ":65535", "localhost", "65535", AF_UNSPEC },
		{ "example.org:9000", "example.org", "9000", AF_UNSPEC },
		{ "127.0.0.1:9000", "127.0.0.1", "9000", AF_UNSPEC },
		{ "[::1]:1234", "::1", "1234", AF_UNSPEC },
		{ "[fe80::1%eth0]:1234", "fe80::1%eth0", "1234", AF_UNSPEC },
		{ "tcp:host:22", "host", "22", AF_UNSPEC },
		{ "tcp::1234", "localhost", "1234", AF_UNSPEC },
		{ "tcp:1234", "localhost", "1234", AF_UNSPEC },
		{ "tcp:[::1]:1234", "::1", "1234", AF_UNSPEC },
		{ "tcp4:host:22", "host", "22", AF_INET },
		{ "tcp4::22", "localhost", "22", AF_INET },
		{ "tcp6:host:22", "host", "22", AF_INET6 },
		{ "tcp6:[::1]:22", "::1", "22", AF_INET6 },
		{ "connect://host:22", "host", "22", AF_UNSPEC },
		{ "connect://[::1]:22", "::1", "22", AF_UNSPEC },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rsp_target target;
		char why[128] = "";

		if (rsp_target_parse(cases[i].text, &target, why, sizeof(why)))
			fail_msg("%s: %s", cases[i].text, why);
		assert_int_equal(target.kind, RSP_TARGET_TCP);
		assert_string_equal(target.host, cases[i].host);
		assert_string_equal(target.service, cases[i].service);
		assert_int_equal(target.family, cases[i].family);
	}
}

static void test_paths_commands_and_descriptors(void **state)
{
	static const struct {
		const char *text, *path;
		enum rsp_target_kind kind;
	} cases[] = {
		{ "unix:/run/gdb.sock", "/run/gdb.sock", RSP_TARGET_UNIX },
		{ "unix:gdb.sock", "gdb.sock", RSP_TARGET_UNIX },
		{ "unix::/run/gdb.sock", "/run/gdb.sock", RSP_TARGET_UNIX },
		{ "|ssh host socat - TCP:localhost:1234", "ssh host socat - TCP:localhost:1234",
			RSP_TARGET_COMMAND },
		{ "|  cat /x", "cat /x", RSP_TARGET_COMMAND },
		/* no hardware, but a character device */
		{ "/dev/null", "/dev/null", RSP_TARGET_SERIAL },
	};
	struct rsp_target target;
	char why[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (rsp_target_parse(cases[i].text, &target, why, sizeof(why)))
			fail_msg("%s: %s", cases[i].text, why);
		assert_int_equal(target.kind, cases[i].kind);
		assert_string_equal(target.path, cases[i].path);
	}
	assert_int_equal(rsp_target_parse("fd:0", &target, why, sizeof(why)), 0);
	assert_int_equal(target.kind, RSP_TARGET_FD);
	assert_int_equal(target.fd, 0);
	assert_int_equal(rsp_target_parse("fd:123456789", &target, why, sizeof(why)), 0);
	assert_int_equal(target.fd, 123456789);
}

static void test_path_of_a_socket(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct rsp_target target;
	char why[128];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int rc;

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "./test_target.%d", (int)getpid());
	unlink(address.sun_path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	rc = rsp_target_parse(address.sun_path, &target, why, sizeof(why));
	unlink(address.sun_path);
	close(fd);
	assert_int_equal(rc, 0);
	assert_int_equal(target.kind, RSP_TARGET_UNIX);
	assert_string_equal(target.path, address.sun_path);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "no target: use :PORT, HOST:PORT, unix:PATH, |COMMAND or fd:N" },
		{ "localhost", "no target: use :PORT, HOST:PORT, unix:PATH, |COMMAND or fd:N" },
		{ ":", "\"\" is no port number from 1 to 65535" },
		{ ":0", "\"0\" is no port number from 1 to 65535" },
		{ "0", "\"0\" is no port number from 1 to 65535" },
		{ ":65536", "\"65536\" is no port number from 1 to 65535" },
		{ ":123456", "\"123456\" is no port number from 1 to 65535" },
		{ "host:", "\"\" is no port number from 1 to 65535" },
		{ "host:gdb", "\"gdb\" is no port number from 1 to 65535" },
		{ "host:-1", "\"-1\" is no port number from 1 to 65535" },
		{ "host: 1", "\" 1\" is no port number from 1 to 65535" },
		{ "host:1234,server=on", "\"1234,server=on\" is no port number from 1 to 65535" },
		{ "tcp:", "\"\" is no port number from 1 to 65535" },
		{ "::1:1234", "an IPv6 address goes into brackets: [::1]:1234" },
		{ "[::1]", "an IPv6 address goes into brackets: [::1]:1234" },
		{ "unix:", "unix: wants the path of a socket behind it" },
		{ "unix::", "unix: wants the path of a socket behind it" },
		{ "|", "| wants a command behind it" },
		{ "|  ", "| wants a command behind it" },
		{ "fd:", "fd: wants the number of an open descriptor" },
		{ "fd:x", "fd: wants the number of an open descriptor" },
		{ "fd:-1", "fd: wants the number of an open descriptor" },
		{ "fd:1234567890", "fd: wants the number of an open descriptor" },
		{ "udp:host:1", "a stub behind UDP cannot be dumped: packets may get lost" },
		{ "/no/such/path", "No such file or directory" },
		{ "/", "neither a socket nor a serial device" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rsp_target target;
		char why[128] = "";

		if (rsp_target_parse(cases[i].text, &target, why, sizeof(why)) == 0)
			fail_msg("\"%s\" was taken", cases[i].text);
		assert_string_equal(why, cases[i].why);
	}
}

static void test_too_long(void **state)
{
	char text[8192], why[128];
	struct rsp_target target;

	(void)state;
	/* 255 bytes of a host fit, 256 do not. */
	memset(text, 'h', sizeof(text));
	strcpy(text + 255, ":1");
	assert_int_equal(rsp_target_parse(text, &target, why, sizeof(why)), 0);
	memset(text, 'h', sizeof(text));
	strcpy(text + 256, ":1");
	assert_int_equal(rsp_target_parse(text, &target, why, sizeof(why)), -1);
	assert_string_equal(why, "a name in it is longer than 255 bytes");

	memset(text, 'p', sizeof(text));
	memcpy(text, "unix:", 5);
	text[5 + 4096] = '\0';
	assert_int_equal(rsp_target_parse(text, &target, why, sizeof(why)), -1);
	text[5 + 4095] = '\0';
	assert_int_equal(rsp_target_parse(text, &target, why, sizeof(why)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_paths_commands_and_descriptors),
		cmocka_unit_test(test_path_of_a_socket),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
