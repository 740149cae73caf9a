/*
 * outcome - what ACK and FAIL carry, written by one end and read by the other.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/outcome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "protocol/field.h"
#include "protocol/job.h"

/* The verb and the object's first member. */
static int
put_start(struct buf *out, const char *verb, const char *jid, size_t len)
{
	int r = buf_puts(out, verb);

	if (r == 0)
		r = buf_puts(out, " {\"jid\":");
	if (r == 0)
		r = json_put_string(out, jid, len);
	return r < 0 ? r : buf_putc(out, ',');
}

int
ack_put(struct buf *out, const char *jid, size_t jid_len)
{
	size_t before = buf_len(out);

	return field_put_line_end(
	    out, before, put_start(out, "ACK", jid, jid_len));
}

/*
 * At most max bytes as the reader will count them: what is not UTF-8 takes
 * three, and no character is cut in two.
 */
static int
put_cut_text(struct buf *out, const char *name, const char *text, size_t max)
{
	char clean[JOB_MESSAGE_MAX + 1];
	size_t len = strnlen(text, max);
	size_t used = 0, n;

	/* Bytes behind the cut still tell whether the last character is one. */
	size_t seen = strnlen(text, max + 4);
	for (size_t i = 0; i < len; i += n) {
		n = utf8_step(text + i, seen - i);
		const char *piece = n > 0 ? text + i : UTF8_REPLACEMENT;
		size_t size = n > 0 ? n : 3;

		if (size > max - used)
			break;
		memcpy(clean + used, piece, size);
		used += size;
		n = n > 0 ? n : 1;
	}
	clean[used] = '\0';
	return field_put_text(out, name, clean);
}

int
fail_put(
    struct buf *out, const char *jid, size_t jid_len, const struct failure *f)
{
	size_t before = buf_len(out);
	size_t nlines =
	    f->nlines < JOB_BACKTRACE_MAX ? f->nlines : JOB_BACKTRACE_MAX;

	int r = put_start(out, "FAIL", jid, jid_len);
	if (r == 0 && f->errtype != NULL)
		r = put_cut_text(out, "errtype", f->errtype, JOB_ERRTYPE_MAX);
	if (r == 0 && f->message != NULL)
		r = put_cut_text(out, "message", f->message, JOB_MESSAGE_MAX);
	if (r == 0 && nlines > 0)
		r = field_put_list(out, "backtrace", f->backtrace, nlines);
	if (r == 0 && f->dead)
		r = buf_puts(out, "\"retry\":-1,");
	if (r == 0 && f->retry_in > 0)
		r = buf_printf(out, "\"retry_in\":%" PRId64 ",", f->retry_in);
	return field_put_line_end(out, before, r);
}

/* A JSON string in which a space is written as an escape. */
static int
put_without_space(struct buf *out, const char *bytes, size_t len)
{
	size_t before = buf_len(out);
	int r = json_put_string(out, bytes, len);
	char *text = r == 0
	    ? strndup(buf_front(out) + before, buf_len(out) - before)
	    : NULL;

	if (r == 0 && text == NULL)
		r = -ENOMEM;
	buf_cut(out, before);
	for (const char *c = text; r == 0 && *c != '\0'; c++)
		r = *c == ' ' ? buf_puts(out, "\\u0020") : buf_putc(out, *c);
	free(text);
	return r;
}

int
bury_put(struct buf *out, const char *jid, size_t jid_len)
{
	size_t before = buf_len(out);
	int r = buf_puts(out,
	    "MUTATE {\"cmd\":\"kill\",\"target\":\"retries\","
	    "\"filter\":{\"jids\":[");

	if (r == 0)
		r = put_without_space(out, jid, jid_len);
	if (r == 0)
		r = buf_puts(out, "]}}\r\n");
	if (r < 0)
		buf_cut(out, before);
	return r;
}

static int
check_object(const char *text, size_t len, struct json *object)
{
	int r = json_check(text, len, object, NULL);

	return r == 0 && object->kind != JSON_OBJECT ? -EINVAL : r;
}

/* The string as a new one; "" for an absent value. */
static int
read_string(const struct json *value, char **out, size_t *len)
{
	int r = field_string(value, SIZE_MAX, out, len);

	if (r == 0 && *out == NULL) {
		*out = strdup("");
		r = *out == NULL ? -ENOMEM : 0;
	}
	return r;
}

/* An absent or empty wid names nobody; one with a NUL in it cannot be. */
static int
read_wid(const struct json *object, char **wid)
{
	struct json value = field_get(object, "wid");

	int r = field_text(&value, SIZE_MAX, wid);
	if (r == 0 && *wid != NULL && **wid == '\0') {
		free(*wid);
		*wid = NULL;
	}
	return r;
}

int
claim_parse(const char *text, size_t len, struct claim *c)
{
	struct claim read = { 0 };
	struct json object, key, value;

	if (check_object(text, len, &object) < 0)
		return -EINVAL;
	struct json_walk w = json_walk(&object);
	while (json_next_member(&w, &key, &value))
		if (json_string_is(&key, "result", 6))
			read.result = value;
		else if (value.kind != JSON_STRING)
			return -EINVAL;
	/* Here, and only here, the case of the name matters. */
	value = json_get(&object, "jid");
	if (value.kind == JSON_NONE)
		return -EINVAL;
	int r = read_string(&value, &read.jid, &read.jid_len);
	if (r == 0)
		r = read_wid(&object, &read.wid);
	if (r < 0) {
		claim_clear(&read);
		return r;
	}
	*c = read;
	return 0;
}

void
claim_clear(struct claim *c)
{
	free(c->jid);
	free(c->wid);
	*c = (struct claim){ 0 };
}

/* In a C string: a NUL from the wire must not hide what follows it. */
static void
no_nul(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0')
			text[i] = ' ';
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int
read_words(const struct json *object, const char *name, size_t max, char **out)
{
	struct json value = field_get(object, name);
	size_t len;
	char *text;

	int r = read_string(&value, &text, &len);
	if (r < 0)
		return r;
	no_nul(text, len);

	char *start = text;
	while (len > 0 && is_space(*start)) {
		start++;
		len--;
	}
	len = utf8_cut(start, len, max);
	while (len > 0 && is_space(start[len - 1]))
		len--;
	*out = len > 0 ? strndup(start, len) : strdup("unknown");
	free(text);
	return *out == NULL ? -ENOMEM : 0;
}

static int
read_backtrace(const struct json *object, struct fail_report *r)
{
	struct json array = field_get(object, "backtrace");
	struct json_walk w = json_walk(&array);
	struct json line;
	size_t len;

	if (array.kind == JSON_NONE)
		return 0;
	if (array.kind != JSON_ARRAY)
		return -EINVAL;
	r->backtrace = calloc(JOB_BACKTRACE_MAX, sizeof *r->backtrace);
	if (r->backtrace == NULL)
		return -ENOMEM;
	while (json_next_element(&w, &line)) {
		if (line.kind != JSON_STRING)
			return -EINVAL;
		if (r->nlines == JOB_BACKTRACE_MAX)
			continue;
		char **slot = &r->backtrace[r->nlines];
		int failed = field_string(&line, SIZE_MAX, slot, &len);
		if (failed < 0)
			return failed;
		no_nul(*slot, len);
		r->nlines++;
	}
	return 0;
}

static int
read_end(const struct json *object, struct fail_report *r)
{
	struct json retry = field_get(object, "retry");
	struct json later = field_get(object, "retry_in");
	int64_t n;

	if (field_int(&retry, &n) < 0 || field_int(&later, &r->retry_in) < 0 ||
	    r->retry_in < 0)
		return -EINVAL;
	if (retry.kind != JSON_NONE && n <= 0)
		r->end = n < 0 ? FAIL_DEAD : FAIL_FORGET;
	r->timed = later.kind != JSON_NONE;
	if (r->retry_in > FAIL_RETRY_IN_MAX)
		r->retry_in = FAIL_RETRY_IN_MAX;
	return 0;
}

int
fail_parse(const char *text, size_t len, struct fail_report *r)
{
	struct fail_report read = { 0 };
	struct json object;

	if (check_object(text, len, &object) < 0)
		return -EINVAL;
	struct json jid = field_get(&object, "jid");
	int failed = read_string(&jid, &read.jid, &read.jid_len);
	if (failed == 0)
		failed = read_words(
		    &object, "errtype", JOB_ERRTYPE_MAX, &read.errtype);
	if (failed == 0)
		failed = read_words(
		    &object, "message", JOB_MESSAGE_MAX, &read.message);
	if (failed == 0)
		failed = read_backtrace(&object, &read);
	if (failed == 0)
		failed = read_wid(&object, &read.wid);
	if (failed == 0)
		failed = read_end(&object, &read);
	read.result = json_get(&object, "result");
	if (failed < 0) {
		fail_clear(&read);
		return failed;
	}
	*r = read;
	return 0;
}

void
fail_clear(struct fail_report *r)
{
	free(r->jid);
	free(r->wid);
	free(r->errtype);
	free(r->message);
	for (size_t i = 0; i < r->nlines; i++)
		free(r->backtrace[i]);
	free(r->backtrace);
	*r = (struct fail_report){ 0 };
}

int
failure_put(struct buf *out, const struct failure_record *f)
{
	size_t before = buf_len(out);

	int r = buf_putc(out, '{');
	if (r == 0)
		r = field_put_text(out, "failed_at", f->failed_at);
	if (r == 0 && f->next_at != NULL)
		r = field_put_text(out, "next_at", f->next_at);
	if (r == 0)
		r = field_put_text(out, "message", f->message);
	if (r == 0)
		r = field_put_text(out, "errtype", f->errtype);
	if (r == 0 && f->nlines > 0)
		r = field_put_list(out, "backtrace",
		    (const char *const *)f->backtrace, f->nlines);
	if (r == 0)
		r = field_put_int(out, "retry_count", f->retry_count);
	if (r == 0)
		r = field_put_int(out, "remaining", f->remaining);
	if (r == 0)
		r = field_put_end(out);
	if (r < 0)
		buf_cut(out, before);
	return r;
}
