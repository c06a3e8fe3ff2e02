/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What users type to name a stub: the forms that gdb's `target remote`, QEMU's -gdb and lldb take,
 * taken apart. Text only; nothing is opened here but that a bare path is looked at.
 */
#ifndef RSP_TARGET_H
#define RSP_TARGET_H

#include <stddef.h>

enum rsp_target_kind {
	RSP_TARGET_TCP,     /* host, service, family */
	RSP_TARGET_UNIX,    /* path */
	RSP_TARGET_SERIAL,  /* path */
	RSP_TARGET_COMMAND, /* path: a line for /bin/sh -c */
	RSP_TARGET_FD,      /* fd */
};

struct rsp_target {
	enum rsp_target_kind kind;
	int family; /* AF_UNSPEC, AF_INET or AF_INET6 */
	char host[256];
	char service[32];
	char path[4096];
	int fd;
};

/* Returns 0, or -1 with one line in why. */
int rsp_target_parse(const char *text, struct rsp_target *target, char *why, size_t why_size);

#endif
