/*
 * args - words of a command line, read as the parts of a job.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/args.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "config/units.h"

static int
told(int r, struct err *e)
{
	return r < 0 ? err_set(e, -r, "%s", strerror(-r)) : 0;
}

int
args_put_word(struct buf *out, const char *word, bool strings, struct err *e)
{
	struct json value;
	size_t len = strlen(word);

	if (!json_utf8_valid(word, len))
		return err_set(e, EINVAL, "a word is not UTF-8");
	if (!strings && json_check(word, len, &value, NULL) == 0 &&
	    value.kind != JSON_STRING)
		return told(json_put_compact(out, &value), e);
	return told(json_put_string(out, word, len), e);
}

int
args_put_list(
    struct buf *out, char *const *words, size_t n, bool strings, struct err *e)
{
	if (told(buf_putc(out, '['), e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && told(buf_putc(out, ','), e) < 0)
			return -e->code;
		if (args_put_word(out, words[i], strings, e) < 0)
			return err_wrap(e, "argument %zu", i + 1);
	}
	return told(buf_putc(out, ']'), e);
}

int
args_put_array(struct buf *out, const char *json, struct err *e)
{
	struct json_fault fault;
	struct json value;

	if (json_check(json, strlen(json), &value, &fault) < 0)
		return err_set(
		    e, EINVAL, "not JSON: %s at byte %zu", fault.why, fault.at);
	if (value.kind != JSON_ARRAY)
		return err_set(e, EINVAL, "not a JSON array, as [1,\"two\"]");
	return told(json_put_compact(out, &value), e);
}

/* Whether an earlier pair has the same key. */
static bool
repeats(char *const *pairs, size_t i, size_t key_len)
{
	for (size_t k = 0; k < i; k++)
		if (strncmp(pairs[k], pairs[i], key_len + 1) == 0)
			return true;
	return false;
}

static int
put_pair(
    struct buf *out, char *const *pairs, size_t i, bool strings, struct err *e)
{
	const char *equals = strchr(pairs[i], '=');

	if (equals == NULL || equals == pairs[i])
		return err_set(
		    e, EINVAL, "\"%s\" is not of the form KEY=VALUE", pairs[i]);
	size_t len = (size_t)(equals - pairs[i]);
	if (!json_utf8_valid(pairs[i], len))
		return err_set(e, EINVAL, "a key is not UTF-8");
	if (repeats(pairs, i, len))
		return err_set(
		    e, EINVAL, "%.*s is given twice", (int)len, pairs[i]);
	if ((i > 0 && told(buf_putc(out, ','), e) < 0) ||
	    told(json_put_string(out, pairs[i], len), e) < 0 ||
	    told(buf_putc(out, ':'), e) < 0)
		return -e->code;
	if (args_put_word(out, equals + 1, strings, e) < 0)
		return err_wrap(e, "%.*s", (int)len, pairs[i]);
	return 0;
}

int
args_put_pairs(
    struct buf *out, char *const *pairs, size_t n, bool strings, struct err *e)
{
	if (told(buf_putc(out, '{'), e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		if (put_pair(out, pairs, i, strings, e) < 0)
			return -e->code;
	return told(buf_putc(out, '}'), e);
}

int
args_int(
    const char *text, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	int64_t value = 0;
	int r = units_integer(text, &value);

	if (r == -EINVAL)
		return err_set(e, EINVAL, "\"%s\" is not a whole number", text);
	if (r < 0 || value < min || value > max)
		return err_set(e, EINVAL, "%s is outside %" PRId64 "..%" PRId64,
		    text, min, max);
	*out = value;
	return 0;
}

int
args_duration(const char *text, int64_t *ns, struct err *e)
{
	int64_t value = 0;

	switch (units_duration(text, &value)) {
	case 0:
		*ns = value;
		return 0;
	case -EDOM:
		return err_set(
		    e, EINVAL, "\"%s\" has no unit, as in 90s or 5m", text);
	case -ERANGE:
		return err_set(e, EINVAL, "\"%s\" is too long", text);
	default:
		return err_set(
		    e, EINVAL, "\"%s\" is not a duration, as 90s or 5m", text);
	}
}

int
args_moment(const char *text, int64_t *ns, struct err *e)
{
	if (timestamp_parse(text, strlen(text), ns) < 0)
		return err_set(e, EINVAL,
		    "\"%s\" is not a moment, as 2026-11-23T21:56:35Z", text);
	return 0;
}
