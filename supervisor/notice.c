/*
 * notice - commands put one behind the other, and taken off one by one.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/notice.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "protocol/extension.h"

static const char object_end[] = "}\r\n";
static const char result_key[] = ",\"result\":";

static int
put_pushes(struct buf *out, const struct notice *n)
{
	if (n->failure != NULL || n->pushes_len == 0)
		return 0;
	int r = buf_puts(out, "PUSHB [");
	if (r == 0)
		r = buf_append(out, n->pushes, n->pushes_len);
	return r < 0 ? r : buf_puts(out, "]\r\n");
}

/* The command that ends out gets one more member. */
static int
add_result(struct buf *out, const char *result)
{
	buf_cut(out, buf_len(out) - strlen(object_end));
	int r = buf_puts(out, result_key);
	if (r == 0)
		r = buf_puts(out, result);
	return r < 0 ? r : buf_puts(out, object_end);
}

static int
put_release(struct buf *out, const struct notice *n)
{
	if (!n->release)
		return 0;
	int r = buf_puts(out, "RELEASE {\"jid\":");
	if (r == 0)
		r = json_put_string(out, n->jid, n->jid_len);
	return r < 0 ? r : buf_puts(out, object_end);
}

/* As it came, unless its bytes would end the command early. */
static int
put_copy(struct buf *out, const struct notice *n)
{
	struct json job;

	int r = buf_puts(out, "PUSH ");
	if (r < 0)
		return r;
	if (memchr(n->copy, '\n', n->copy_len) == NULL &&
	    memchr(n->copy, '\r', n->copy_len) == NULL)
		r = buf_append(out, n->copy, n->copy_len);
	else if (json_check(n->copy, n->copy_len, &job, NULL) == 0)
		r = json_put_compact(out, &job);
	else
		r = -EINVAL;
	return r < 0 ? r : buf_puts(out, "\r\n");
}

/* ACK or FAIL, with the result. */
static int
put_outcome(struct buf *out, const struct notice *n)
{
	int r = n->failure == NULL
	    ? ack_put(out, n->jid, n->jid_len)
	    : fail_put(out, n->jid, n->jid_len, n->failure);

	return r == 0 && n->result != NULL ? add_result(out, n->result) : r;
}

/* Instead of what stands before it. */
static int
put_replacement(struct buf *out, const struct notice *n)
{
	int r = put_copy(out, n);

	return r == 0 ? ack_put(out, n->jid, n->jid_len) : r;
}

int
notice_put(struct buf *out, const struct notice *n)
{
	size_t before = buf_len(out);
	int r = put_release(out, n);

	if (r == 0)
		r = put_pushes(out, n);
	if (r == 0 && (n->failure != NULL || n->copy_len == 0))
		r = put_outcome(out, n);
	if (r == 0 && n->copy_len > 0)
		r = put_replacement(out, n);
	else if (r == 0 && n->failure != NULL && n->bury)
		r = bury_put(out, n->jid, n->jid_len);
	if (r < 0)
		buf_cut(out, before);
	return r;
}

static const struct {
	const char *begins;
	const char *name;
} verbs[] = {
	[NOTICE_RELEASE] = { "RELEASE ", "RELEASE" },
	[NOTICE_PUSH] = { "PUSH ", "the PUSH of its copy" },
	[NOTICE_ACK] = { "ACK ", "ACK" },
	[NOTICE_FAIL] = { "FAIL ", "FAIL" },
	[NOTICE_PUSHB] = { "PUSHB ", "the PUSHB of its follow-up jobs" },
	[NOTICE_BURIAL] = { "MUTATE ", "its move to the dead" },
	[NOTICE_UNKNOWN] = { "", "its outcome" },
};

enum notice_verb
notice_verb(const char *lines, size_t len)
{
	enum notice_verb v = NOTICE_RELEASE;

	while (len < strlen(verbs[v].begins) ||
	    memcmp(lines, verbs[v].begins, strlen(verbs[v].begins)) != 0)
		v++;
	return v;
}

const char *
notice_verb_name(enum notice_verb verb)
{
	return verbs[verb].name;
}

/* JSON has no bare line ends in its strings, and ours none between values. */
size_t
notice_first(const char *lines, size_t len)
{
	const char *end = memchr(lines, '\n', len);

	return end == NULL ? len : (size_t)(end - lines) + 1;
}

/* The extension without which a first command has others in its place. */
static unsigned
needs(enum notice_verb verb, enum notice_verb next)
{
	if (verb == NOTICE_RELEASE)
		return EXTENSION_RELEASE;
	return verb == NOTICE_FAIL && next == NOTICE_PUSH ? EXTENSION_FAIL_RETRY
							  : 0;
}

static enum notice_verb
verb_behind(const char *lines, size_t len, size_t first)
{
	return notice_verb(lines + first, len - first);
}

size_t
notice_skip(const char *lines, size_t len, unsigned extensions)
{
	size_t first = notice_first(lines, len);
	unsigned need =
	    needs(notice_verb(lines, len), verb_behind(lines, len, first));

	return first < len && (need & ~extensions) != 0 ? first : 0;
}

size_t
notice_over(const char *lines, size_t len, unsigned extensions)
{
	size_t first = notice_first(lines, len);
	enum notice_verb next = verb_behind(lines, len, first);

	if (needs(notice_verb(lines, len), next) != 0)
		return len;
	if (next == NOTICE_BURIAL && (extensions & EXTENSION_FAIL_RETRY) != 0)
		return len;
	return first;
}

/* The bytes of its last member with what leads to it; 0 when it has none. */
static size_t
result_span(const char *line, size_t len)
{
	const size_t key = sizeof result_key - 1, end = sizeof object_end - 1;
	const char *space = memchr(line, ' ', len);
	struct json object, value;

	if (space == NULL)
		return 0;
	space++;
	if (json_check(space, len - (size_t)(space - line), &object, NULL) < 0)
		return 0;
	value = json_get(&object, "result");
	if (value.kind == JSON_NONE ||
	    value.text + value.len + end != line + len ||
	    memcmp(value.text - key, result_key, key) != 0)
		return 0;
	return key + value.len;
}

int
notice_put_plain(struct buf *out, const char *lines, size_t len)
{
	size_t first = notice_first(lines, len), before = buf_len(out);
	enum notice_verb verb = notice_verb(lines, first);
	size_t cut = verb == NOTICE_ACK || verb == NOTICE_FAIL
	    ? result_span(lines, first)
	    : 0;

	if (cut == 0)
		return buf_append(out, lines, first);
	int r = buf_append(out, lines, first - cut - strlen(object_end));
	if (r == 0)
		r = buf_puts(out, object_end);
	if (r < 0)
		buf_cut(out, before);
	return r;
}
