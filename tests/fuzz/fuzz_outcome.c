/*
 * fuzz_outcome - an outcome that was read says the same when it is written
 * again, and any bytes a handler left make a FAIL that can be read, within
 * its limits.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "base/json.h"
#include "protocol/job.h"
#include "protocol/outcome.h"
#include "tests/fuzz/must.h"

static void
claim_comes_back(const char *text, size_t size)
{
	struct claim c, again;

	if (claim_parse(text, size, &c) < 0)
		return;
	must(json_utf8_valid(c.jid, c.jid_len));
	must(c.wid == NULL || *c.wid != '\0');
	struct buf *b = buf_new(6 * size + 100);
	must(b != NULL && ack_put(b, c.jid, c.jid_len) == 0);
	must(claim_parse(buf_front(b) + 4, buf_len(b) - 6, &again) == 0);
	must(again.jid_len == c.jid_len &&
	    memcmp(again.jid, c.jid, c.jid_len) == 0);
	must(again.wid == NULL);
	claim_clear(&again);
	claim_clear(&c);
	buf_free(b);
}

static void
within_limits(const struct fail_report *r)
{
	size_t errtype = strlen(r->errtype), message = strlen(r->message);

	must(errtype > 0 && errtype <= JOB_ERRTYPE_MAX);
	must(message > 0 && message <= JOB_MESSAGE_MAX);
	must(r->nlines <= JOB_BACKTRACE_MAX);
	must(r->retry_in >= 0 && r->retry_in <= FAIL_RETRY_IN_MAX);
	must(json_utf8_valid(r->errtype, errtype));
	must(json_utf8_valid(r->message, message));
}

static void
same_report(const struct fail_report *a, const struct fail_report *b)
{
	must(a->jid_len == b->jid_len);
	must(memcmp(a->jid, b->jid, a->jid_len) == 0);
	must(strcmp(a->errtype, b->errtype) == 0);
	must(strcmp(a->message, b->message) == 0);
	must(a->nlines == b->nlines && a->retry_in == b->retry_in);
	must((a->end == FAIL_DEAD) == (b->end == FAIL_DEAD));
	for (size_t i = 0; i < a->nlines; i++)
		must(strcmp(a->backtrace[i], b->backtrace[i]) == 0);
}

static void
fail_comes_back(const char *text, size_t size)
{
	struct fail_report r, again;

	if (fail_parse(text, size, &r) < 0)
		return;
	within_limits(&r);
	struct failure f = { .errtype = r.errtype,
		.message = r.message,
		.backtrace = (const char *const *)r.backtrace,
		.nlines = r.nlines,
		.dead = r.end == FAIL_DEAD,
		.retry_in = r.retry_in };
	struct buf *b = buf_new(6 * size + 1000);
	must(b != NULL && fail_put(b, r.jid, r.jid_len, &f) == 0);
	must(fail_parse(buf_front(b) + 5, buf_len(b) - 7, &again) == 0);
	same_report(&r, &again);
	fail_clear(&again);
	fail_clear(&r);
	buf_free(b);
}

static void
any_bytes_make_a_fail(const char *bytes, size_t size)
{
	char *text = malloc(size + 1);
	struct buf *b = buf_new(40 * size + 1000);
	struct fail_report r;

	must(text != NULL && b != NULL);
	memcpy(text, bytes, size);
	text[size] = '\0';
	const char *lines[] = { text };
	struct failure f = { .errtype = text,
		.message = text,
		.backtrace = lines,
		.nlines = 1,
		.dead = size % 2 > 0,
		.retry_in = (int64_t)size };
	must(fail_put(b, bytes, size, &f) == 0);
	must(memchr(buf_front(b), '\n', buf_len(b) - 1) == NULL);
	must(fail_parse(buf_front(b) + 5, buf_len(b) - 7, &r) == 0);
	within_limits(&r);
	must(r.nlines == 1);
	fail_clear(&r);
	free(text);
	buf_free(b);
}

/* A stock server wants one space, and finds the jid as it was stored. */
static void
a_burial_has_one_space(const char *bytes, size_t size)
{
	struct buf *b = buf_new(40 * size + 1000);
	struct json request, filter, jids;

	must(b != NULL && bury_put(b, bytes, size) == 0);
	const char *line = buf_front(b);
	size_t len = buf_len(b) - 2;
	must(memcmp(line, "MUTATE ", 7) == 0);
	must(memchr(line + 7, ' ', len - 7) == NULL);
	must(memchr(line, '\n', len) == NULL);
	must(json_check(line + 7, len - 7, &request, NULL) == 0);
	filter = json_get(&request, "filter");
	jids = json_get(&filter, "jids");
	must(json_count(&jids) == 1);
	struct json jid = json_at(&jids, 0);
	must(
	    !json_utf8_valid(bytes, size) || json_string_is(&jid, bytes, size));
	buf_free(b);
}

static void
record_is_json(const char *bytes, size_t size)
{
	char *text = malloc(size + 1);
	struct buf *b = buf_new(40 * size + 1000);
	struct json object;

	must(text != NULL && b != NULL);
	memcpy(text, bytes, size);
	text[size] = '\0';
	struct failure_record f = { .failed_at = "",
		.errtype = text,
		.message = text,
		.backtrace = &text,
		.nlines = 1 };
	must(failure_put(b, &f) == 0);
	must(json_check(buf_front(b), buf_len(b), &object, NULL) == 0);
	must(json_count(&object) == 6);
	free(text);
	buf_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	claim_comes_back(bytes, size);
	fail_comes_back(bytes, size);
	any_bytes_make_a_fail(bytes, size);
	a_burial_has_one_space(bytes, size);
	record_is_json(bytes, size);
	return 0;
}
