/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzzing: a harness is one file, fuzz_NAME.c, with the function below, which hands some bytes to
 * one parser and then checks what its header promises, beside not to crash. Built with libFuzzer it
 * is given bytes without end (run.sh); built without, it is given those that are kept in
 * corpus/NAME and regressions/NAME (replay.c).
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout/ranges.h"

/* Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program if this does not hold. */
#define CHECK(what) ((what) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #what))

void fuzz_fail(const char *file, int line, const char *what) __attribute__((noreturn));

/*
 * The bytes as a string from the heap, cut off at the first NUL, which is the last of its bytes, so
 * that a reader that goes too far is noticed.
 */
char *fuzz_text(const uint8_t *data, size_t size);

/* The bytes from the heap, in a block of just their size. */
uint8_t *fuzz_copy(const uint8_t *data, size_t size);

/* That the set is one: sorted, apart from each other, not empty, within the caps of its header. */
void fuzz_check_ranges(const struct ranges *ranges);

/* That both sets are the same. */
void fuzz_check_same(const struct ranges *a, const struct ranges *b);

/* That all of `inner` is in `outer`. */
void fuzz_check_within(const struct ranges *inner, const struct ranges *outer);

/* That text is one line that may go to a terminal; length is what an array of it has room for. */
void fuzz_check_line(const char *text, size_t room);

#endif
