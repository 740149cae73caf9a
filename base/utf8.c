/*
 * utf8 - how many bytes the next character takes, if it is one (RFC 3629).
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/utf8.h"

#include <stdbool.h>

static bool
continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Over-long forms, surrogates and values above U+10FFFF show in two bytes. */
static bool
second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second <= 0x9f;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second <= 0x8f;
	default:
		return true;
	}
}

size_t
utf8_step(const char *bytes, size_t n)
{
	if (n == 0)
		return 0;

	unsigned char first = (unsigned char)bytes[0];
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;

	size_t want = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (n < want)
		return 0;
	for (size_t i = 1; i < want; i++)
		if (!continues(bytes[i]))
			return 0;
	return second_fits(first, (unsigned char)bytes[1]) ? want : 0;
}

size_t
utf8_cut(const char *text, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && continues(text[max]))
		max--;
	return max;
}
