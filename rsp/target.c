// SPDX-License-Identifier: GPL-2.0-or-later
#include "rsp/target.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Takes prefix off the front of *text; false, and nothing changed, if it is not there. */
static bool take_prefix(const char **text, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(*text, prefix, length) != 0)
		return false;
	*text += length;
	return true;
}

static bool all_digits(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static int copy(char *to, size_t size, const char *from, size_t length, char *why, size_t why_size)
{
	if (length >= size) {
		snprintf(why, why_size, "a name in it is longer than %zu bytes", size - 1);
		return -1;
	}
	memcpy(to, from, length);
	to[length] = '\0';
	return 0;
}

static int parse_port(const char *text, struct rsp_target *target, char *why, size_t why_size)
{
	unsigned long port = all_digits(text) && strlen(text) <= 5 ? strtoul(text, NULL, 10) : 0;

	if (port == 0 || port > 65535) {
		snprintf(why, why_size, "\"%.40s\" is no port number from 1 to 65535", text);
		return -1;
	}
	return copy(target->service, sizeof(target->service), text, strlen(text), why, why_size);
}

/* HOST:PORT, [V6]:PORT, :PORT or PORT; no host means this one. */
static int parse_tcp(
	const char *text, int family, struct rsp_target *target, char *why, size_t why_size)
{
	const char *host = text;
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;

	target->kind = RSP_TARGET_TCP;
	target->family = family;
	if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
		host++;
		length -= 2;
	} else if (length && memchr(host, ':', length)) {
		snprintf(why, why_size, "an IPv6 address goes into brackets: [::1]:1234");
		return -1;
	}
	if (!length) {
		host = "localhost";
		length = strlen(host);
	}
	if (copy(target->host, sizeof(target->host), host, length, why, why_size))
		return -1;
	return parse_port(colon ? colon + 1 : text, target, why, why_size);
}

static int parse_fd(const char *text, struct rsp_target *target, char *why, size_t why_size)
{
	if (!all_digits(text) || strlen(text) > 9) {
		snprintf(why, why_size, "fd: wants the number of an open descriptor");
		return -1;
	}
	target->kind = RSP_TARGET_FD;
	target->fd = atoi(text);
	return 0;
}

static int parse_path(const char *text, struct rsp_target *target, char *why, size_t why_size)
{
	struct stat st;

	if (stat(text, &st)) {
		snprintf(why, why_size, "%s", strerror(errno));
		return -1;
	}
	if (S_ISSOCK(st.st_mode)) {
		target->kind = RSP_TARGET_UNIX;
	} else if (S_ISCHR(st.st_mode)) {
		target->kind = RSP_TARGET_SERIAL;
	} else {
		snprintf(why, why_size, "neither a socket nor a serial device");
		return -1;
	}
	return copy(target->path, sizeof(target->path), text, strlen(text), why, why_size);
}

int rsp_target_parse(const char *text, struct rsp_target *target, char *why, size_t why_size)
{
	memset(target, 0, sizeof(*target));
	if (take_prefix(&text, "|")) {
		target->kind = RSP_TARGET_COMMAND;
		text += strspn(text, " \t");
		if (!*text) {
			snprintf(why, why_size, "| wants a command behind it");
			return -1;
		}
		return copy(target->path, sizeof(target->path), text, strlen(text), why, why_size);
	}
	if (take_prefix(&text, "unix:")) {
		target->kind = RSP_TARGET_UNIX;
		/* gdb also takes unix::PATH, with an empty place for the host. */
		take_prefix(&text, ":");
		if (!*text) {
			snprintf(why, why_size, "unix: wants the path of a socket behind it");
			return -1;
		}
		return copy(target->path, sizeof(target->path), text, strlen(text), why, why_size);
	}
	if (take_prefix(&text, "fd:"))
		return parse_fd(text, target, why, why_size);
	if (take_prefix(&text, "tcp4:"))
		return parse_tcp(text, AF_INET, target, why, why_size);
	if (take_prefix(&text, "tcp6:"))
		return parse_tcp(text, AF_INET6, target, why, why_size);
	if (take_prefix(&text, "tcp:") || take_prefix(&text, "connect://"))
		return parse_tcp(text, AF_UNSPEC, target, why, why_size);
	if (take_prefix(&text, "udp:")) {
		snprintf(why, why_size, "a stub behind UDP cannot be dumped: packets may get lost");
		return -1;
	}
	if (strchr(text, '/'))
		return parse_path(text, target, why, why_size);
	if (strchr(text, ':') || all_digits(text))
		return parse_tcp(text, AF_UNSPEC, target, why, why_size);
	snprintf(why, why_size, "no target: use :PORT, HOST:PORT, unix:PATH, |COMMAND or fd:N");
	return -1;
}
