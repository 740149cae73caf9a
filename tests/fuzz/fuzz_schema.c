/*
 * fuzz_schema - a schema in the first line, a value behind it: nothing
 * crashes or goes on for ever; a value fits or not, however it is written;
 * and what fits a schema does not fit `not` of it.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/schema/schema.h"
#include "tests/fuzz/must.h"

static int
judge(const char *schema, size_t len, const struct json *value)
{
	struct schema_fault fault = { .text = "" };
	uint64_t left = 20000;
	struct err e = { 0 };
	size_t at = SIZE_MAX;
	struct schema *s = schema_new(schema, len, &at, &e);

	/* Not understood; or a frame has made it too deep. */
	if (s == NULL) {
		must(e.code == EINVAL && e.text[0] != '\0' && at <= len);
		return -ENOENT;
	}
	int r = schema_judge(s, value, &left, &fault);
	must(r == 0 || r == -EINVAL || r == -E2BIG);
	must(r != -EINVAL || (fault.text[0] != '\0' && left <= 20000));
	must(
	    strchr(fault.text, '\n') == NULL && strchr(fault.at, '\n') == NULL);
	schema_free(s);
	return r;
}

/* A frame around some JSON: what is judged then. */
static int
judge_within(const char *before, const struct json *schema, const char *after,
    const struct json *value)
{
	struct buf *b = buf_new(1 << 20);

	must(b != NULL && buf_puts(b, before) == 0 &&
	    buf_append(b, schema->text, schema->len) == 0 &&
	    buf_puts(b, after) == 0);
	int r = judge(buf_front(b), buf_len(b), value);
	buf_free(b);
	return r;
}

/* Of those who came to an end, both must say the same. */
static void
agree(int a, int b)
{
	if (a != -E2BIG && b != -E2BIG && a != -ENOENT)
		must(a == b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	const char *end = len > 0 ? memchr(text, '\n', len) : NULL;
	struct json schema, value, again;

	if (end == NULL || len > 10000)
		return 0;
	size_t first = (size_t)(end - text);
	if (json_check(end + 1, len - first - 1, &value, NULL) < 0)
		return 0;
	int r = judge(text, first, &value);
	if (r == -ENOENT || json_check(text, first, &schema, NULL) < 0)
		return 0;

	struct buf *compact = buf_new(1 << 20);
	must(compact != NULL && json_put_compact(compact, &value) == 0);
	must(json_check(buf_front(compact), buf_len(compact), &again, NULL) ==
	    0);
	agree(judge(text, first, &again), r);
	buf_free(compact);

	/* Each value is equal to itself, and a second one of its like. */
	agree(judge_within("{\"enum\":[null,", &value, "]}", &value), 0);
	struct buf *twice = buf_new(1 << 20);
	must(twice != NULL && buf_putc(twice, '[') == 0 &&
	    buf_append(twice, value.text, value.len) == 0 &&
	    buf_putc(twice, ',') == 0 &&
	    buf_append(twice, value.text, value.len) == 0 &&
	    buf_putc(twice, ']') == 0);
	if (json_check(buf_front(twice), buf_len(twice), &again, NULL) == 0)
		agree(judge("{\"uniqueItems\":true}", 20, &again), -EINVAL);
	buf_free(twice);

	/* "#" would lead elsewhere then. */
	if (memchr(text, '$', first) != NULL)
		return 0;
	agree(judge_within("{\"allOf\":[", &schema, ",true]}", &value), r);
	if (r != -E2BIG)
		agree(judge_within("{\"not\":", &schema, "}", &value),
		    r == 0 ? -EINVAL : 0);
	return 0;
}
