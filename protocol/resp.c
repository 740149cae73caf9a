/*
 * resp - replies of the Faktory protocol, cut off a stream and put on one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/resp.h"

#include <string.h>

#include "protocol/resp_array.h"

/* The text of the first line, without the kind and the line end. */
struct line {
	const char *text;
	size_t len;
	size_t size; /* with both */
};

static enum resp_status
cut_line(const char *bytes, size_t len, struct line *line)
{
	size_t seen = len < RESP_LINE_MAX ? len : RESP_LINE_MAX;
	const char *lf = memchr(bytes, '\n', seen);

	if (lf == NULL)
		return seen < RESP_LINE_MAX ? RESP_MORE : RESP_HUGE;
	line->text = bytes + 1;
	line->len = (size_t)(lf - line->text);
	line->size = (size_t)(lf - bytes) + 1;
	if (line->len > 0 && lf[-1] == '\r')
		line->len--;
	return RESP_OK;
}

/* Digits and nothing else; *fits when the number does. */
static bool
read_digits(const char *text, size_t len, int64_t *out, bool *fits)
{
	int64_t value = 0;

	if (len == 0)
		return false;
	*fits = true;
	for (size_t i = 0; i < len; i++) {
		int digit = text[i] - '0';

		if (digit < 0 || digit > 9)
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			*fits = false;
	}
	*out = value;
	return true;
}

static enum resp_status
read_int(const struct line *line, struct resp *r)
{
	bool sign =
	    line->len > 0 && (line->text[0] == '-' || line->text[0] == '+');
	int64_t value;
	bool fits;

	if (!read_digits(line->text + sign, line->len - sign, &value, &fits) ||
	    !fits)
		return RESP_BAD;
	r->number = sign && line->text[0] == '-' ? -value : value;
	return RESP_OK;
}

static enum resp_status
read_bulk(const char *bytes, size_t len, size_t max, const struct line *line,
    struct resp *r)
{
	int64_t declared;
	bool fits;

	if (line->len == 2 && memcmp(line->text, "-1", 2) == 0) {
		r->kind = RESP_NULL;
		r->text = NULL;
		r->len = 0;
		return RESP_OK;
	}
	if (!read_digits(line->text, line->len, &declared, &fits))
		return RESP_BAD;
	if (!fits || (uint64_t)declared > max)
		return RESP_HUGE;

	size_t want = (size_t)declared;
	size_t left = len - line->size;
	if (left <= want)
		return RESP_MORE;
	r->text = bytes + line->size;
	r->len = want;

	const char *end = r->text + want;
	bool cr = *end == '\r';
	if (cr && left - want < 2)
		return RESP_MORE;
	if (end[cr] != '\n')
		return RESP_BAD;
	r->size = line->size + want + cr + 1;
	return RESP_OK;
}

enum resp_status
resp_decode(const char *bytes, size_t len, size_t max_bulk, struct resp *out)
{
	struct line line;
	struct resp r = { .kind = RESP_SIMPLE };

	if (len == 0)
		return RESP_MORE;
	if (bytes[0] == '*')
		return resp_array_decode(bytes, len, max_bulk, out);
	if (strchr("+-:$", bytes[0]) == NULL || bytes[0] == '\0')
		return RESP_BAD;
	enum resp_status status = cut_line(bytes, len, &line);
	if (status != RESP_OK)
		return status;

	r.text = line.text;
	r.len = line.len;
	r.size = line.size;
	switch (bytes[0]) {
	case '-':
		r.kind = RESP_ERROR;
		break;
	case ':':
		r.kind = RESP_INT;
		status = read_int(&line, &r);
		break;
	case '$':
		r.kind = RESP_BULK;
		status = read_bulk(bytes, len, max_bulk, &line, &r);
		break;
	}
	if (status == RESP_OK)
		*out = r;
	return status;
}

/* At most max bytes of text, CR and LF as spaces. */
static int
put_words(struct buf *out, const char *text, size_t max)
{
	size_t len = strnlen(text, max);
	int r = 0;

	while (r == 0 && len > 0) {
		size_t run = 0;

		while (run < len && text[run] != '\r' && text[run] != '\n')
			run++;
		r = buf_append(out, text, run);
		if (r == 0 && run < len) {
			r = buf_putc(out, ' ');
			run++;
		}
		text += run;
		len -= run;
	}
	return r;
}

static int
put_line(struct buf *out, char kind, const char *code, const char *text)
{
	size_t before = buf_len(out);
	size_t used = 3; /* the kind and CRLF */

	int r = buf_putc(out, kind);
	if (r == 0 && code != NULL) {
		r = put_words(out, code, RESP_LINE_MAX / 2);
		if (r == 0)
			r = buf_putc(out, ' ');
		used = buf_len(out) - before + 2;
	}
	if (r == 0)
		r = put_words(out, text, RESP_LINE_MAX - used);
	if (r == 0)
		r = buf_puts(out, "\r\n");
	if (r < 0)
		buf_cut(out, before);
	return r;
}

int
resp_put_simple(struct buf *out, const char *text)
{
	return put_line(out, '+', NULL, text);
}

int
resp_put_error(struct buf *out, const char *code, const char *text)
{
	return put_line(out, '-', code, text);
}

enum { SIZE_DIGITS = 20 }; /* of the largest size_t, and no more anywhere */

/* By hand: with printf a number costs more than all else of a reply. */
static int
put_head(struct buf *out, char type, size_t n)
{
	char text[1 + SIZE_DIGITS + 2], *at = text + sizeof text;

	*--at = '\n';
	*--at = '\r';
	do
		*--at = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	*--at = type;
	return buf_append(out, at, (size_t)(text + sizeof text - at));
}

int
resp_put_bulk(struct buf *out, const char *bytes, size_t len)
{
	size_t before = buf_len(out);

	int r = put_head(out, '$', len);
	if (r == 0)
		r = buf_append(out, bytes, len);
	if (r == 0)
		r = buf_puts(out, "\r\n");
	if (r < 0)
		buf_cut(out, before);
	return r;
}

int
resp_put_null(struct buf *out)
{
	return buf_puts(out, "$-1\r\n");
}

int
resp_put_array(struct buf *out, size_t n)
{
	return put_head(out, '*', n);
}
