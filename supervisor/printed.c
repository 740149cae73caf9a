/*
 * printed - lines gathered, and made one JSON value.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/printed.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

static void
give_up(struct printed *p)
{
	buf_free(p->text);
	p->text = NULL;
	p->over = true;
}

void
printed_line(
    struct printed *p, size_t limit, const char *bytes, size_t len, bool more)
{
	bool rest = p->within;

	p->within = more;
	if (p->over)
		return;
	bool first = p->text == NULL;
	if (first)
		p->text = buf_new(SIZE_MAX / 2);
	if (p->text == NULL ||
	    (!first && !rest && buf_putc(p->text, '\n') < 0) ||
	    buf_append(p->text, bytes, len) < 0 || buf_len(p->text) > limit)
		give_up(p);
}

/* As printed_value() has it; `out` gets the bytes of a string's text. */
static int
escape_bytes(struct buf *out, const char *bytes, size_t len)
{
	size_t n;
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i += n) {
		n = utf8_step(bytes + i, len - i);
		if (n > 0) {
			r = buf_append(out, bytes + i, n);
		} else {
			r = buf_printf(
			    out, "\\x%02x", (unsigned)(unsigned char)bytes[i]);
			n = 1;
		}
	}
	return r;
}

static int
put_value(struct buf *out, const char *bytes, size_t len)
{
	struct json value;

	if (json_check(bytes, len, &value, NULL) == 0)
		return json_put_compact(out, &value);
	if (json_utf8_valid(bytes, len))
		return json_put_string(out, bytes, len);
	/* Four bytes for one, at most. */
	struct buf *plain = buf_new(4 * len + 1);
	int r = plain != NULL ? escape_bytes(plain, bytes, len) : -1;
	if (r == 0)
		r = json_put_string(out, buf_front(plain), buf_len(plain));
	buf_free(plain);
	return r;
}

char *
printed_value(struct printed *p, size_t limit)
{
	char *value = NULL;

	if (p->text == NULL || buf_len(p->text) == 0)
		return NULL;
	struct buf *out = buf_new(limit);
	if (out != NULL &&
	    put_value(out, buf_front(p->text), buf_len(p->text)) == 0)
		value = strndup(buf_front(out), buf_len(out));
	buf_free(out);
	if (value == NULL)
		give_up(p);
	return value;
}

void
printed_save(const struct printed *p, struct state_writer *w)
{
	state_put_int(w, p->within);
	state_put_int(w, p->over);
	state_put_int(w, p->text != NULL);
	state_put_bytes(w, p->text != NULL ? buf_front(p->text) : "",
	    p->text != NULL ? buf_len(p->text) : 0);
}

void
printed_load(struct printed *p, struct state_reader *r)
{
	size_t len;

	p->within = state_get_within(r, 0, 1) != 0;
	p->over = state_get_within(r, 0, 1) != 0;
	bool any = state_get_within(r, 0, 1) != 0;
	const char *bytes = state_get_bytes(r, &len);
	if (bytes == NULL || !any)
		return;
	p->text = buf_new(SIZE_MAX / 2);
	if (p->text == NULL || buf_append(p->text, bytes, len) < 0)
		r->failed = true;
}

void
printed_clear(struct printed *p)
{
	buf_free(p->text);
	*p = (struct printed){ 0 };
}
