/*
 * json_text - single JSON values read and written: strings, numbers.
 *
 * The other half of base/json.h; values given here have been checked.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

enum { NUMBER_MAX = 512 };

bool
json_utf8_valid(const char *bytes, size_t len)
{
	while (len > 0) {
		size_t n = utf8_step(bytes, len);

		if (n == 0)
			return false;
		bytes += n;
		len -= n;
	}
	return true;
}

bool
json_plain_string(const struct json *string, const char **bytes, size_t *len)
{
	if (string->kind != JSON_STRING)
		return false;
	if (memchr(string->text, '\\', string->len) != NULL)
		return false;
	*bytes = string->text + 1;
	*len = string->len - 2;
	return true;
}

static unsigned
hex4(const char *digits)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		int c = (unsigned char)digits[i];
		int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

		value = value << 4 | (unsigned)digit;
	}
	return value;
}

static size_t
encode(unsigned code, char out[4])
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* *p is behind "\u"; moves behind what was used. */
static unsigned
take_code(const char **p, const char *end)
{
	unsigned code = hex4(*p);

	*p += 4;
	if (code < 0xd800 || code > 0xdfff)
		return code;
	if (code < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' &&
	    (*p)[1] == 'u') {
		unsigned low = hex4(*p + 2);

		if (low >= 0xdc00 && low <= 0xdfff) {
			*p += 6;
			return 0x10000 + ((code - 0xd800) << 10) +
			    (low - 0xdc00);
		}
	}
	return 0xfffd;
}

/* *p is at a backslash; moves behind the escape and returns its bytes. */
static size_t
take_escape(const char **p, const char *end, char out[4])
{
	static const char names[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";

	char c = (*p)[1];
	*p += 2;
	if (c == 'u')
		return encode(take_code(p, end), out);
	out[0] = meant[strchr(names, c) - names];
	return 1;
}

/*
 * One piece of a string: the bytes up to the next escape, borrowed from the
 * document, or one escape, decoded into spare. Returns false at the end.
 */
static bool
next_piece(const char **p, const char *end, char spare[4], const char **piece,
    size_t *len)
{
	if (*p == end)
		return false;
	if (**p == '\\') {
		*piece = spare;
		*len = take_escape(p, end, spare);
		return true;
	}
	const char *stop = memchr(*p, '\\', (size_t)(end - *p));
	if (stop == NULL)
		stop = end;
	*piece = *p;
	*len = (size_t)(stop - *p);
	*p = stop;
	return true;
}

bool
json_string_is(const struct json *string, const char *bytes, size_t len)
{
	const char *piece;
	char spare[4];
	size_t n;

	if (string->kind != JSON_STRING)
		return false;
	const char *p = string->text + 1;
	const char *end = string->text + string->len - 1;
	while (next_piece(&p, end, spare, &piece, &n)) {
		if (n > len || memcmp(piece, bytes, n) != 0)
			return false;
		bytes += n;
		len -= n;
	}
	return len == 0;
}

ssize_t
json_decode_string(const struct json *string, char *out, size_t cap)
{
	const char *piece;
	char spare[4];
	size_t n, used = 0;

	if (string->kind != JSON_STRING)
		return -EINVAL;
	const char *p = string->text + 1;
	const char *end = string->text + string->len - 1;
	while (next_piece(&p, end, spare, &piece, &n)) {
		if (n > cap - used)
			return -ENOBUFS;
		memcpy(out + used, piece, n);
		used += n;
	}
	return (ssize_t)used;
}

int
json_int(const struct json *number, int64_t *out)
{
	int64_t value = 0;

	if (number->kind != JSON_NUMBER)
		return -EINVAL;
	bool negative = number->text[0] == '-';
	bool fits = true;
	for (size_t i = negative; i < number->len; i++) {
		int digit = number->text[i] - '0';

		if (digit < 0 || digit > 9)
			return -EINVAL;
		/* Downwards: there is one negative number more. */
		fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
		    !__builtin_sub_overflow(value, digit, &value);
	}
	if (!fits || (!negative && value == INT64_MIN))
		return -ERANGE;
	*out = negative ? value : -value;
	return 0;
}

int
json_double(const struct json *number, double *out)
{
	char text[NUMBER_MAX + 1];

	if (number->kind != JSON_NUMBER)
		return -EINVAL;
	if (number->len > NUMBER_MAX)
		return -ERANGE;
	memcpy(text, number->text, number->len);
	text[number->len] = '\0';

	/* No program of ours leaves the C locale, so '.' is the point. */
	double value = strtod(text, NULL);
	if (!isfinite(value))
		return -ERANGE;
	*out = value;
	return 0;
}

/* Appends what stands for one byte or character that may not stay. */
static int
put_special(struct buf *out, unsigned char c)
{
	static const char escaped[] = "\"\\\b\f\n\r\t";
	static const char names[] = "\"\\bfnrt";

	if (c >= 0x80)
		return buf_puts(out, UTF8_REPLACEMENT);
	const char *found = c != '\0' ? strchr(escaped, c) : NULL;
	if (found == NULL)
		return buf_printf(out, "\\u%04x", c);
	char pair[2] = { '\\', names[found - escaped] };
	return buf_append(out, pair, sizeof pair);
}

static size_t
run_that_stays(const char *bytes, size_t len)
{
	size_t i = 0;

	while (i < len) {
		unsigned char c = (unsigned char)bytes[i];
		if (c < 0x20 || c == '"' || c == '\\')
			break;
		size_t n = utf8_step(bytes + i, len - i);
		if (n == 0)
			break;
		i += n;
	}
	return i;
}

int
json_put_string(struct buf *out, const char *bytes, size_t len)
{
	size_t before = buf_len(out);

	int r = buf_putc(out, '"');
	while (r == 0 && len > 0) {
		size_t n = run_that_stays(bytes, len);
		r = buf_append(out, bytes, n);
		if (r == 0 && n < len)
			r = put_special(out, (unsigned char)bytes[n++]);
		bytes += n;
		len -= n;
	}
	if (r == 0)
		r = buf_putc(out, '"');
	if (r < 0)
		buf_cut(out, before);
	return r;
}

/* Where a run without insignificant white space ends. */
static const char *
dense_end(const char *p, const char *end)
{
	bool quoted = false;

	for (; p < end; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\')
			p++;
		else if (!quoted && (unsigned char)*p <= ' ')
			break;
	}
	return p;
}

int
json_put_compact(struct buf *out, const struct json *value)
{
	size_t before = buf_len(out);
	const char *p = value->text;
	const char *end = value->text + value->len;

	while (p < end) {
		const char *stop = dense_end(p, end);
		int r = buf_append(out, p, (size_t)(stop - p));
		if (r < 0) {
			buf_cut(out, before);
			return r;
		}
		p = stop < end ? stop + 1 : end;
	}
	return 0;
}
