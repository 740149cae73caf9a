/*
 * msg_line - words to members, one kind of message a row.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/msg_line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "cli/args.h"
#include "cli/timespan.h"
#include "handlers/message.h"

/* The members that words stand for; each begins with a comma. */
typedef int
put_members(struct buf *out, char *const *words, size_t n, struct err *e);

static int
no_memory(struct err *e)
{
	return err_set(e, ENOBUFS, "longer than %d bytes", MSG_LINE_MAX);
}

static int
put_string(struct buf *out, const char *name, const char *text, struct err *e)
{
	if (!json_utf8_valid(text, strlen(text)))
		return err_set(e, EINVAL, "%s: not UTF-8", name);
	if (buf_printf(out, ",\"%s\":", name) < 0 ||
	    json_put_string(out, text, strlen(text)) < 0)
		return no_memory(e);
	return 0;
}

/* A word that is JSON already. */
static int
put_json(struct buf *out, const char *name, const char *text, struct err *e)
{
	struct json_fault fault;
	struct json value;

	if (json_check(text, strlen(text), &value, &fault) < 0)
		return err_set(e, EINVAL, "%s: not JSON: %s at byte %zu", name,
		    fault.why, fault.at);
	if (buf_printf(out, ",\"%s\":", name) < 0 ||
	    json_put_compact(out, &value) < 0)
		return no_memory(e);
	return 0;
}

static bool
is_number(const char *text)
{
	struct json value;

	return json_check(text, strlen(text), &value, NULL) == 0 &&
	    value.kind == JSON_NUMBER;
}

static int
put_seconds(struct buf *out, const char *name, const char *text, struct err *e)
{
	int64_t ns;

	if (timespan_read(text, &ns) < 0 || ns == TIMESPAN_INFINITY || ns < 0)
		return err_set(e, EINVAL,
		    "%s: \"%s\" is not a length of time, as 60s or 5min", name,
		    text);
	int r = buf_printf(out, ",\"%s\":%" PRId64 ".%06" PRId64, name,
	    ns / CLOCK_NS_PER_S, ns % CLOCK_NS_PER_S / 1000);
	return r < 0 ? no_memory(e) : 0;
}

static int
put_progress(struct buf *out, char *const *words, size_t n, struct err *e)
{
	bool counted = n == 2 || is_number(words[0]);
	int r = counted ? put_json(out, "percent", words[0], e) : 0;

	if (r == 0 && (n == 2 || !counted))
		r = put_string(out, "desc", words[n - 1], e);
	return r;
}

static int
put_nothing(struct buf *out, char *const *words, size_t n, struct err *e)
{
	(void)out;
	(void)words;
	(void)n;
	(void)e;
	return 0;
}

static int
put_extend(struct buf *out, char *const *words, size_t n, struct err *e)
{
	(void)n;
	return put_seconds(out, "seconds", words[0], e);
}

static int
put_log(struct buf *out, char *const *words, size_t n, struct err *e)
{
	int r = put_string(out, "level", words[0], e);

	if (r == 0)
		r = put_string(out, "msg", words[1], e);
	if (r < 0 || n == 2)
		return r;
	if (buf_puts(out, ",\"fields\":") < 0)
		return no_memory(e);
	return args_put_pairs(out, words + 2, n - 2, false, e);
}

static int
put_result(struct buf *out, char *const *words, size_t n, struct err *e)
{
	(void)n;
	return put_json(out, "value", words[0], e);
}

/* What stands behind --retry. */
static int
put_retry(struct buf *out, const char *word, struct err *e)
{
	const char *member = strcmp(word, "no") == 0 ? ",\"retry\":false"
	    : strcmp(word, "discard") == 0           ? ",\"retry\":\"discard\""
						     : NULL;

	if (member == NULL)
		return put_seconds(out, "retry_in", word, e);
	return buf_puts(out, member) < 0 ? no_memory(e) : 0;
}

/* ERRTYPE MESSAGE, and --retry WORD somewhere among them. */
static int
put_error(struct buf *out, char *const *words, size_t n, struct err *e)
{
	static const char *const names[] = { "errtype", "message" };
	static const char option[] = "--retry";
	const size_t len = sizeof option - 1;
	size_t given = 0;
	bool plain = false;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		const char *word = words[i];

		if (!plain && strcmp(word, "--") == 0)
			plain = true;
		else if (!plain && strcmp(word, option) == 0)
			r = i + 1 < n
			    ? put_retry(out, words[++i], e)
			    : err_set(e, EINVAL,
				  "--retry: no, discard or a length of time "
				  "is expected");
		else if (!plain && strncmp(word, option, len) == 0 &&
		    word[len] == '=')
			r = put_retry(out, word + len + 1, e);
		else if (given < 2)
			r = put_string(out, names[given++], word, e);
		else
			r = err_set(e, EINVAL, "there are words too many");
	}
	if (r == 0 && given < 2)
		r = err_set(e, EINVAL, "ERRTYPE and MESSAGE are expected");
	return r;
}

static int
put_push(struct buf *out, char *const *words, size_t n, struct err *e)
{
	(void)n;
	return put_json(out, "job", words[0], e);
}

static int
put_metric(struct buf *out, char *const *words, size_t n, struct err *e)
{
	(void)n;
	int r = put_string(out, "name", words[0], e);

	if (r == 0 && !is_number(words[1]))
		return err_set(e, EINVAL, "value: a number is expected");
	return r < 0 ? r : put_json(out, "value", words[1], e);
}

static const struct {
	const char *name;
	size_t least, most; /* words behind it */
	const char *expected;
	put_members *put;
} kinds[] = {
	{ "progress", 1, 2, "[PERCENT] [TEXT]", put_progress },
	{ "heartbeat", 0, 0, "no more words", put_nothing },
	{ "extend", 1, 1, "DURATION", put_extend },
	{ "log", 2, 2 + 16, "LEVEL TEXT [KEY=VALUE...]", put_log },
	{ "result", 1, 1, "JSON", put_result },
	{ "error", 2, 5, "ERRTYPE MESSAGE [--retry WHEN]", put_error },
	{ "push", 1, 1, "JSON", put_push },
	{ "metric", 2, 2, "NAME VALUE", put_metric },
};

enum { NKINDS = sizeof kinds / sizeof kinds[0] };

/* The reader's own rules decide, in the reader's words. */
static int
check(const struct buf *line, size_t from, struct err *e)
{
	struct message m;
	const char *why;

	if (message_read(
		&m, buf_front(line) + from, buf_len(line) - from, &why) < 0)
		return err_set(e, EINVAL, "%s", why);
	return 0;
}

int
msg_line_put(struct buf *out, char *const *words, size_t nwords, struct err *e)
{
	size_t kind = 0, start = buf_len(out);

	if (nwords == 0)
		return err_set(e, EINVAL, "which message?");
	while (kind < NKINDS && strcmp(words[0], kinds[kind].name) != 0)
		kind++;
	if (kind == NKINDS)
		return err_set(
		    e, EINVAL, "no message is called \"%s\"", words[0]);
	size_t n = nwords - 1;
	if (n < kinds[kind].least || n > kinds[kind].most)
		return err_set(e, EINVAL, "%s: %s expected", words[0],
		    kinds[kind].expected);

	int r = buf_printf(out, "{\"type\":\"%s\"", words[0]);
	r = r < 0 ? no_memory(e) : kinds[kind].put(out, words + 1, n, e);
	if (r == 0 && buf_putc(out, '}') < 0)
		r = no_memory(e);
	if (r == 0)
		r = check(out, start, e);
	if (r < 0)
		r = err_wrap(e, "%s", words[0]);
	else if (buf_putc(out, '\n') < 0)
		r = no_memory(e);
	if (r < 0)
		buf_cut(out, start);
	return r;
}
