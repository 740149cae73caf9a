/*
 * outcome - what ACK and FAIL carry, written by one end and read by the other.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_OUTCOME_H
#define PROTOCOL_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* How a job failed, in the words that FAIL carries. */
struct failure {
	const char *errtype; /* NUL-terminated; may be NULL */
	const char *message;
	const char *const *backtrace; /* lines */
	size_t nlines;
	/*
	 * Extensions, which a stock server passes over: no further attempt;
	 * or the next one so many seconds from now, 0: as the server decides.
	 */
	bool dead;
	int64_t retry_in;
};

/*
 * Append the whole command line. Text is cut on UTF-8 boundaries to
 * JOB_ERRTYPE_MAX, JOB_MESSAGE_MAX and JOB_BACKTRACE_MAX (protocol/job.h);
 * bytes that are not UTF-8 become U+FFFD. Return as buf_append().
 */
int ack_put(struct buf *out, const char *jid, size_t jid_len);
int fail_put(
    struct buf *out, const char *jid, size_t jid_len, const struct failure *f);

/*
 * Appends the MUTATE that moves a job from the retries to the dead. The line
 * has one space in all, as a stock server wants it. Returns as buf_append().
 */
int bury_put(struct buf *out, const char *jid, size_t jid_len);

/*
 * A job, and who holds it: the argument of ACK, RELEASE, CANCEL and RESULT, an
 * object whose values are all strings, but for "result". Owned: claim_clear().
 */
struct claim {
	char *jid;
	size_t jid_len;
	char *wid;          /* NULL: whoever sends it, or anybody */
	struct json result; /* ACK's, borrowed from the text; JSON_NONE: none */
};

/* Returns 0; -EINVAL, also without a jid, or -ENOMEM, and nothing to clear. */
int claim_parse(const char *text, size_t len, struct claim *c);
void claim_clear(struct claim *c);

/* What FAIL asks for: docs/protocol.md, "Extensions". */
enum fail_end {
	FAIL_AS_JOB, /* as the job's own `retry` has it */
	FAIL_DEAD,   /* "retry" below 0: no further attempt, kept */
	FAIL_FORGET, /* "retry":0: no further attempt, not kept */
};

/* A longer result is not kept; bytes of JSON. */
enum { RESULT_MAX = 64 * 1024 };

/* A longer "retry_in" counts as this; seconds, a year. */
enum { FAIL_RETRY_IN_MAX = 366 * 86400 };

/* FAIL's argument, read. Owned: fail_clear(). */
struct fail_report {
	char *jid; /* "" when missing */
	size_t jid_len;
	char *wid;     /* as in struct claim */
	char *errtype; /* trimmed and cut; "unknown" when empty */
	char *message;
	char **backtrace;
	size_t nlines;
	enum fail_end end;
	struct json result; /* as in struct claim */
	bool timed;         /* retry_in was given */
	int64_t retry_in;   /* seconds, 0 to FAIL_RETRY_IN_MAX */
};

/* Returns 0; -EINVAL or -ENOMEM, and nothing to clear. */
int fail_parse(const char *text, size_t len, struct fail_report *r);
void fail_clear(struct fail_report *r);

/*
 * Appends the "failure" object that the server keeps with the job. Times are
 * RFC 3339 text; next_at may be NULL. Returns as buf_append().
 */
struct failure_record {
	const char *failed_at;
	const char *next_at;
	int64_t retry_count;
	int64_t remaining;
	const char *errtype;
	const char *message;
	char *const *backtrace;
	size_t nlines;
};
int failure_put(struct buf *out, const struct failure_record *f);

#endif
