/*
 * stock_job - a job as a stock server keeps it in Redis, read as a row.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/import/stock_job.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "protocol/job.h"

/* What is added to a job that lacks queue, retry and created_at. */
enum { MORE_BYTES = 2 * JOB_QUEUE_MAX };

/* Float64 has steps of a quarter of a microsecond in this century. */
enum { SCORE_STEP = 1000 };

struct stock_job {
	struct store_job row;
	struct buf *payload; /* the stored form */
	struct buf *words;   /* failure, then texts with their NUL */
	char failed_at[TIMESTAMP_MAX];
	char wid[STOCK_WID_MAX + 1];
};

struct stock_job *
stock_job_new(void)
{
	struct stock_job *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->payload = buf_new(STOCK_ELEMENT_MAX + MORE_BYTES);
	s->words = buf_new(
	    STOCK_ELEMENT_MAX + JOB_JID_MAX + JOB_JOBTYPE_MAX + JOB_QUEUE_MAX);
	if (s->payload == NULL || s->words == NULL) {
		stock_job_free(s);
		return NULL;
	}
	return s;
}

void
stock_job_free(struct stock_job *s)
{
	if (s == NULL)
		return;
	buf_free(s->payload);
	buf_free(s->words);
	free(s);
}

/* strtod() would take white space, hexadecimal and names of non-numbers. */
int
stock_score(const char *text, size_t len, int64_t *ns)
{
	char copy[64], *end;

	if (len == 0 || len >= sizeof copy ||
	    !isdigit((unsigned char)text[0]) || memchr(text, 'x', len) != NULL)
		return -EINVAL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	double score = strtod(copy, &end);
	if (*end != '\0' || !isfinite(score) || score > 9.2e9)
		return -EINVAL;
	int64_t whole = (int64_t)score;
	*ns = whole * CLOCK_NS_PER_S +
	    (int64_t)((score - (double)whole) * 1e9 + 0.5);
	return 0;
}

/* ---- a reservation ---------------------------------------------------------- */

static int64_t
moment(const struct json *object, const char *name)
{
	struct json value = json_get(object, name);
	const char *text;
	size_t len;
	int64_t ns;

	if (!json_plain_string(&value, &text, &len) ||
	    timestamp_parse(text, len, &ns) < 0)
		return 0;
	return ns;
}

/* Points *job at what the reservation is of. */
static int
read_reservation(struct stock_job *s, const char *bytes, size_t len,
    struct json *job, struct err *e)
{
	struct json whole, wid;
	struct json_fault fault;

	if (json_check(bytes, len, &whole, &fault) < 0)
		return err_set(e, EINVAL, "invalid JSON: at byte %zu: %s",
		    fault.at, fault.why);
	*job = json_get(&whole, "job");
	if (job->kind != JSON_OBJECT)
		return err_set(e, EINVAL,
		    "a reservation must have a job that is an object");
	wid = json_get(&whole, "wid");
	if (wid.kind == JSON_STRING) {
		ssize_t n = json_decode_string(&wid, s->wid, STOCK_WID_MAX);

		if (n < 0 || memchr(s->wid, '\0', (size_t)n) != NULL)
			return err_set(e, EINVAL,
			    "the wid is longer than %d bytes or has a NUL",
			    STOCK_WID_MAX);
		s->wid[n] = '\0';
	}
	s->row.wid = s->wid;
	s->row.reserved_at = moment(&whole, "reserved_at");
	return 0;
}

/* ---- the job ------------------------------------------------------------------ */

static int
put_word(struct buf *b, const struct job_text *t, size_t *at)
{
	*at = buf_len(b);
	if (buf_append(b, t->bytes, t->len) < 0 || buf_putc(b, '\0') < 0)
		return -ENOMEM;
	return 0;
}

/* The offsets become pointers when nothing is added any more. */
static int
copy_words(struct stock_job *s, const struct job *j, const char *queue)
{
	struct store_job *row = &s->row;
	size_t jid, jobtype, own;

	if (j->failure.present) {
		row->failure_len = j->failure.object.len;
		if (buf_append(
			s->words, j->failure.object.text, row->failure_len) < 0)
			return -ENOMEM;
	}
	if (put_word(s->words, &j->jid, &jid) < 0 ||
	    put_word(s->words, &j->jobtype, &jobtype) < 0 ||
	    put_word(s->words, &j->queue, &own) < 0)
		return -ENOMEM;
	const char *words = buf_front(s->words);
	row->failure = j->failure.present ? words : NULL;
	row->jid = words + jid;
	row->jobtype = words + jobtype;
	row->queue = queue != NULL ? queue : words + own;
	return 0;
}

static void
set_failure(struct stock_job *s, const struct job_failure *f)
{
	s->row.retry_count = f->present ? f->retry_count : -1;
	if (f->failed_at.bytes == NULL || f->failed_at.len >= TIMESTAMP_MAX)
		return;
	memcpy(s->failed_at, f->failed_at.bytes, f->failed_at.len);
	s->failed_at[f->failed_at.len] = '\0';
	s->row.failed_at = s->failed_at;
}

static int
describe(struct stock_job *s, const struct job *j, const char *queue,
    int64_t due, int64_t now)
{
	struct store_job *row = &s->row;
	const struct job_text *since = &j->enqueued_at;

	row->due = due;
	/* The score is the same moment, less exactly; or it was moved. */
	if (row->state == JOB_SCHEDULED && j->has_at &&
	    llabs(j->at - due) < SCORE_STEP)
		row->due = j->at;
	if ((row->state == JOB_QUEUED || row->state == JOB_RESERVED) &&
	    since->bytes != NULL &&
	    timestamp_parse(since->bytes, since->len, &row->enqueued_at) < 0)
		row->enqueued_at = 0;
	row->retry = j->retry;
	row->reserve_for = job_reservation(j);
	set_failure(s, &j->failure);
	if (copy_words(s, j, queue) < 0 ||
	    job_put_stored(s->payload, j, now) < 0)
		return -ENOMEM;
	row->payload = buf_front(s->payload);
	row->payload_len = buf_len(s->payload);
	return 0;
}

struct store_job *
stock_job_read(struct stock_job *s, enum job_state state, const char *queue,
    int64_t due, const char *bytes, size_t len, int64_t now, struct err *e)
{
	struct json object = { .text = bytes, .len = len };
	struct job j;
	int r;

	buf_clear(s->payload);
	buf_clear(s->words);
	s->wid[0] = '\0';
	s->row = (struct store_job){ .state = state };
	if (len > STOCK_ELEMENT_MAX) {
		err_set(e, EINVAL, "longer than %d bytes", STOCK_ELEMENT_MAX);
		return NULL;
	}
	if (state == JOB_RESERVED &&
	    read_reservation(s, bytes, len, &object, e) < 0)
		return NULL;
	if (job_parse(object.text, object.len, &j, e) < 0)
		return NULL;
	r = job_check(&j, e);
	if (r == 0 && describe(s, &j, queue, due, now) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	job_clear(&j);
	return r < 0 ? NULL : &s->row;
}
