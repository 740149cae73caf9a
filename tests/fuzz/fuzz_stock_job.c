/*
 * fuzz_stock_job - an element of a stock server's Redis is refused with a
 * reason, or becomes a row whose delivery is the job that was in it: the same
 * bytes for its values, and the failure that it had.
 *
 * The first byte says where the element was found.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "protocol/job.h"
#include "server/import/stock_job.h"
#include "tests/fuzz/must.h"

enum { NOW = 1000000000, DUE = 77 };

/* What lies within a reservation, or the element itself. */
static struct json
inner(enum job_state state, const char *text, size_t len)
{
	struct json whole;

	must(json_check(text, len, &whole, NULL) == 0);
	return state == JOB_RESERVED ? json_get(&whole, "job") : whole;
}

static void
same_value(const struct json *a, const struct json *b)
{
	must(a->kind == b->kind && a->len == b->len);
	must(a->kind == JSON_NONE || memcmp(a->text, b->text, a->len) == 0);
}

static void
row_is_sound(const struct store_job *row, enum job_state state)
{
	must(row->state == state);
	must(strlen(row->jid) >= JOB_JID_MIN && row->jobtype[0] != '\0');
	must(job_queue_name_ok(row->queue, strlen(row->queue)));
	must(row->due >= 0 || state == JOB_SCHEDULED);
	must(row->reserve_for >= JOB_RESERVE_MIN &&
	    row->reserve_for <= JOB_RESERVE_MAX);
	must((row->wid != NULL) == (state == JOB_RESERVED));
	must((row->failure != NULL) == (row->failure_len > 0));
	must(json_utf8_valid(row->payload, row->payload_len));
}

static void
delivery_is_the_job(const struct store_job *row, const struct json *before)
{
	struct buf *b = buf_new(row->payload_len + row->failure_len + 500);
	struct job was, is;

	must(b != NULL);
	must(job_put_delivery(b, row->payload, row->payload_len, NOW,
		 row->failure, row->failure_len) == 0);
	must(job_read(before, &was, NULL) == 0);
	must(job_parse(buf_front(b), buf_len(b), &is, NULL) == 0);
	same_value(&was.args, &is.args);
	same_value(&was.custom, &is.custom);
	must(was.failure.present == is.failure.present);
	if (was.failure.present)
		same_value(&was.failure.object, &is.failure.object);
	must(was.retry == is.retry && was.at == is.at);
	must(is.jid.len == strlen(row->jid) &&
	    memcmp(is.jid.bytes, row->jid, is.jid.len) == 0);
	job_clear(&was);
	job_clear(&is);
	buf_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct stock_job *reader;
	struct err e = { .code = 0 };
	int64_t ns;

	if (size == 0)
		return 0;
	if (reader == NULL)
		reader = stock_job_new();
	must(reader != NULL);
	enum job_state state =
	    (enum job_state)(JOB_QUEUED + data[0] % JOB_DEAD);
	const char *text = (const char *)data + 1;
	struct store_job *row =
	    stock_job_read(reader, state, state == JOB_QUEUED ? "q" : NULL,
		state == JOB_QUEUED ? 0 : DUE, text, size - 1, NOW, &e);

	if (row == NULL) {
		must(e.code == EINVAL && e.text[0] != '\0');
	} else {
		struct json before = inner(state, text, size - 1);

		row_is_sound(row, state);
		delivery_is_the_job(row, &before);
	}
	if (stock_score(text, size - 1, &ns) == 0)
		must(ns >= 0);
	return 0;
}
