/*
 * fuzz_job - a job that is stored and delivered is the job that was pushed:
 * every field but those of the server, and the same bytes for its values.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdbool.h>
#include <string.h>

#include "protocol/job.h"
#include "protocol/job_backoff.h"
#include "tests/fuzz/must.h"

enum { NOW = 1000000000 };

static const char failure[] =
    "{\"failed_at\":\"1970-01-01T00:00:01Z\",\"retry_count\":3,"
    "\"remaining\":2}";

static bool
same_text(struct job_text a, struct job_text b)
{
	if (a.bytes == NULL || b.bytes == NULL)
		return a.bytes == b.bytes;
	return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

static bool
same_value(const struct json *a, const struct json *b)
{
	return a->kind == b->kind && a->len == b->len &&
	    (a->kind == JSON_NONE || memcmp(a->text, b->text, a->len) == 0);
}

static void
same_job(const struct job *a, const struct job *b)
{
	must(same_text(a->jid, b->jid));
	must(same_text(a->jobtype, b->jobtype));
	must(same_text(a->queue, b->queue));
	must(same_text(a->at_text, b->at_text));
	must(a->has_at == b->has_at && a->at == b->at);
	must(same_value(&a->args, &b->args));
	must(same_value(&a->custom, &b->custom));
	must(a->retry == b->retry && a->reserve_for == b->reserve_for);
	must(a->backtrace == b->backtrace);
	if (a->created_at.len > 0)
		must(same_text(a->created_at, b->created_at));
	else
		must(b->created_at.len > 0);
}

static void
fields_are_sound(const struct job *j)
{
	struct err e = { .code = 0 };

	must(j->queue.len > 0);
	must(j->jid.bytes == NULL || json_utf8_valid(j->jid.bytes, j->jid.len));
	must(j->queue.bytes != NULL &&
	    json_utf8_valid(j->queue.bytes, j->queue.len));
	must(job_reservation(j) >= JOB_RESERVE_MIN &&
	    job_reservation(j) <= JOB_RESERVE_MAX);
	if (job_check(j, &e) == 0) {
		must(j->jid.len >= JOB_JID_MIN && j->jobtype.len > 0);
		must(job_queue_name_ok(j->queue.bytes, j->queue.len));
		must(j->args.kind == JSON_ARRAY);
	} else {
		must(e.text[0] != '\0');
		must(json_utf8_valid(e.text, strlen(e.text)));
	}
}

static void
delivery_is_the_job(const struct buf *stored, const struct job *j)
{
	struct buf *b = buf_new(buf_len(stored) + 500);
	struct job delivered;

	must(b != NULL);
	must(job_put_delivery(b, buf_front(stored), buf_len(stored), NOW,
		 failure, sizeof failure - 1) == 0);
	must(job_parse(buf_front(b), buf_len(b), &delivered, NULL) == 0);
	same_job(j, &delivered);
	must(delivered.enqueued_at.len == 20);
	must(delivered.failure.present);
	must(delivered.failure.retry_count == 3);
	must(delivered.failure.remaining == 2);
	job_clear(&delivered);
	buf_free(b);
}

/* Whatever stands there, a delay is none or within its limits. */
static void
backoff_is_bounded(const struct buf *stored)
{
	for (int64_t count = 0; count < 400; count += 57) {
		int64_t s = job_backoff_seconds(
		    buf_front(stored), buf_len(stored), count);

		must(s >= -1 && s <= JOB_BACKOFF_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job pushed, kept;
	struct err e = { .code = 0 };

	if (job_parse((const char *)data, size, &pushed, &e) < 0) {
		must(e.code != 0 && e.text[0] != '\0');
		return 0;
	}
	fields_are_sound(&pushed);

	struct buf *stored = buf_new(size + 500);
	struct buf *again = buf_new(size + 500);
	must(stored != NULL && again != NULL);
	must(job_put_stored(stored, &pushed, NOW) == 0);
	must(job_parse(buf_front(stored), buf_len(stored), &kept, &e) == 0);
	same_job(&pushed, &kept);
	must(kept.enqueued_at.bytes == NULL && !kept.failure.present);

	/* What is stored needs no second mending. */
	must(job_put_stored(again, &kept, NOW + 1) == 0);
	must(buf_len(again) == buf_len(stored));
	must(memcmp(buf_front(again), buf_front(stored), buf_len(again)) == 0);
	delivery_is_the_job(stored, &pushed);
	backoff_is_bounded(stored);

	job_clear(&kept);
	job_clear(&pushed);
	buf_free(again);
	buf_free(stored);
	return 0;
}
