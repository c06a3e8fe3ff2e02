/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a function without an object of its own failed. The caller owns the struct; it needs no
 * initialisation, and holds one line of text once a function that takes it has returned -1 or
 * NULL. Text starts with the innermost cause; callers that know more put their words in front
 * with error_prefix(). Control characters, which hostile input may bring, are replaced by '?'.
 */
#ifndef ARCH_ERROR_H
#define ARCH_ERROR_H

#include <stdbool.h>

struct error {
	char text[320];
	bool no_memory; /* ours ran out: it says nothing about what was looked at */
};

/* Sets the text. Returns -1, so that a function can end with `return error_set(...)`. */
int error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says "no memory". Returns -1. */
int error_no_memory(struct error *error);

/* Puts "FORMAT: " in front of the text that is there. Returns -1. */
int error_prefix(struct error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
