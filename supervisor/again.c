/*
 * again - a job's bytes with another time and failure.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/again.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/timestamp.h"
#include "base/utf8.h"

/* As much as a server keeps; text is valid UTF-8. */
static const char *
cut(char *out, const char *text, size_t max)
{
	size_t len = utf8_cut(text, strlen(text), max);

	memcpy(out, text, len);
	out[len] = '\0';
	return out;
}

static int
put_failure(struct buf *out, const struct job *j, const struct failure *f,
    int64_t now, const char *next_at)
{
	char errtype[JOB_ERRTYPE_MAX + 1], message[JOB_MESSAGE_MAX + 1];
	char first[TIMESTAMP_MAX], now_at[TIMESTAMP_MAX];
	const struct job_failure *before = &j->failure;
	int64_t count = before->present ? before->retry_count + 1 : 0;
	struct failure_record r = {
		.failed_at = now_at,
		.next_at = next_at,
		.retry_count = count,
		.remaining = j->retry - count,
		.errtype = cut(errtype, f->errtype, JOB_ERRTYPE_MAX),
		.message = cut(message, f->message, JOB_MESSAGE_MAX),
		/* Only read. */
		.backtrace = (char *const *)(uintptr_t)f->backtrace,
		.nlines = f->nlines,
	};

	timestamp_format(now, now_at);
	if (before->present && before->failed_at.len > 0 &&
	    before->failed_at.len < sizeof first) {
		memcpy(first, before->failed_at.bytes, before->failed_at.len);
		first[before->failed_at.len] = '\0';
		r.failed_at = first;
	}
	return failure_put(out, &r);
}

int
again_put(
    struct buf *out, const struct job *j, const struct failure *f, int64_t now)
{
	int64_t at = now + f->retry_in * CLOCK_NS_PER_S;
	struct buf *failure = buf_new((size_t)1024 * 1024);
	char text[TIMESTAMP_MAX];

	if (failure == NULL)
		return -ENOMEM;
	timestamp_format(at, text);
	int r = put_failure(failure, j, f, now, text);
	if (r == 0)
		r = job_put_again(
		    out, j, text, buf_front(failure), buf_len(failure));
	buf_free(failure);
	return r;
}
