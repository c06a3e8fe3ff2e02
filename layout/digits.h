/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers out of text that somebody else wrote: digits and nothing else, and no silent overflow.
 * strtoull() takes blanks, signs and prefixes, which a stray byte then turns into a wrong address.
 */
#ifndef LAYOUT_DIGITS_H
#define LAYOUT_DIGITS_H

#include <stdbool.h>
#include <stdint.h>

/* The value of a digit of up to base 16; 16 or more for another character. */
static inline unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

/*
 * Reads digits of this base (10 or 16) and moves *text behind the last. False, with *text and
 * *value untouched, if there is none or the number takes more than 64 bits.
 */
static inline bool read_digits(const char **text, unsigned base, uint64_t *value)
{
	const char *from = *text;
	uint64_t number = 0;

	for (; digit_value(*from) < base; from++) {
		unsigned digit = digit_value(*from);

		if (number > (UINT64_MAX - digit) / base)
			return false;
		number = number * base + digit;
	}
	if (from == *text)
		return false;
	*text = from;
	*value = number;
	return true;
}

/* The same with the base that the number shows: 16 behind 0x, else 10. */
static inline bool read_number(const char **text, uint64_t *value)
{
	const char *digits = *text;

	if (digits[0] != '0' || digits[1] != 'x')
		return read_digits(text, 10, value);
	digits += 2;
	if (!read_digits(&digits, 16, value))
		return false;
	*text = digits;
	return true;
}

#endif
