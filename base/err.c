/*
 * err - one failure, told to a person.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* snprintf() cuts between bytes: half a character at the end goes too. */
static void
trim_last(char *text, size_t size, int wanted)
{
	if (wanted < 0 || (size_t)wanted < size)
		return;

	size_t start = size - 1;
	while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start > 0 && (unsigned char)text[start - 1] >= 0xc0 &&
	    utf8_step(text + start - 1, size - start) == 0)
		text[start - 1] = '\0';
}

int
err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list args;

	if (e == NULL)
		return -code;

	/* Not straight into e->text: it may be one of the arguments. */
	char text[sizeof e->text];
	va_start(args, fmt);
	int wanted = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	trim_last(text, sizeof text, wanted);

	memcpy(e->text, text, sizeof text);
	e->code = code;
	return -code;
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	va_list args;

	if (e == NULL)
		return -EINVAL;

	char text[sizeof e->text];
	va_start(args, fmt);
	int len = vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (len >= 0 && (size_t)len < sizeof text) {
		size_t left = sizeof text - (size_t)len;
		int rest = snprintf(text + len, left, ": %s", e->text);
		len = rest < 0 ? rest : len + rest;
	}
	trim_last(text, sizeof text, len);

	memcpy(e->text, text, sizeof text);
	return -e->code;
}
