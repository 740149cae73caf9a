/*
 * job - a job: checked fields beside the original bytes.
 *
 * The bytes are the truth. Fields are read from them once; what goes to the
 * next hop is the same bytes, with only the members that belong to the server
 * (enqueued_at, failure) cut out or added. Numbers are never rewritten:
 * 9007199254740993 and 1.0 come out as they went in. docs/protocol.md, "Jobs".
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef PROTOCOL_JOB_H
#define PROTOCOL_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

enum {
	JOB_JID_MIN = 8,
	JOB_JID_MAX = 1024,     /* ours; Faktory has no upper limit */
	JOB_JOBTYPE_MAX = 1024, /* likewise */
	JOB_QUEUE_MAX = 1024,   /* likewise */
	JOB_RETRY_DEFAULT = 25,
	JOB_RESERVE_DEFAULT = 1800, /* seconds, as the next two */
	JOB_RESERVE_MIN = 60,
	JOB_RESERVE_MAX = 86400,
	JOB_ERRTYPE_MAX = 100,  /* bytes */
	JOB_MESSAGE_MAX = 1000, /* bytes */
	JOB_BACKTRACE_MAX = 50, /* lines */
	JOB_MEMBERS = 12,       /* that Faktory knows: protocol/job_fields.h */
};

/* Decoded text. Borrowed: from the job's bytes, or from its scratch. */
struct job_text {
	const char *bytes; /* NULL: absent */
	size_t len;
};

/* What the server remembers of earlier attempts. */
struct job_failure {
	bool present;
	int64_t retry_count; /* failures so far minus one */
	int64_t remaining;
	struct job_text failed_at; /* RFC 3339; of the first failure */
	struct json object;        /* the whole member */
};

struct job {
	struct json object; /* the whole job, borrowed from the bytes */
	struct job_text jid;
	struct job_text jobtype;
	struct job_text queue; /* absent or empty: "default" stands here */
	struct json args;      /* JSON_NONE when absent */
	struct json custom;    /* JSON_NONE when absent or null */
	int64_t retry;         /* JOB_RETRY_DEFAULT when absent or null */
	int64_t reserve_for;   /* seconds as given; 0 when absent */
	int64_t backtrace;
	struct job_text at_text; /* as given; "" counts as absent */
	bool has_at;             /* at_text names a moment */
	int64_t at;              /* ns since the epoch */
	struct job_text created_at;
	struct job_text enqueued_at;
	struct job_failure failure;
	struct json members[JOB_MEMBERS]; /* for job_put_stored() */
	char *scratch; /* owned; decoded escapes, mostly NULL */
};

/*
 * Reads one job from text. Top-level keys match without regard to case and
 * the last of two equal ones counts; a member that is null counts as absent.
 * Returns 0 and the caller clears *j with job_clear(); bytes must outlive it.
 * Returns -EINVAL or -ENOMEM with *e set, as Faktory words it ("invalid JSON:
 * …"), and nothing to clear.
 */
int job_parse(const char *text, size_t len, struct job *j, struct err *e);

/* The same for a value that json_check() has already passed (PUSHB). */
int job_read(const struct json *object, struct job *j, struct err *e);

void job_clear(struct job *j);

/*
 * What a server asks of a job at PUSH: jid, jobtype, args, reserve_for, at,
 * custom.backoff, queue name, in this order; e->text is what the client is told after "ERR ".
 * Returns 0 or -EINVAL.
 */
int job_check(const struct job *j, struct err *e);

/* Letters, digits, '.', '_', '-'; 1 to JOB_QUEUE_MAX bytes. */
bool job_queue_name_ok(const char *name, size_t len);

/* Seconds a worker may hold it: the default for 0, else clamped. */
int64_t job_reservation(const struct job *j);

/*
 * Appends the form that is stored: the job's bytes without enqueued_at and
 * failure, with lower-case known keys, and with queue, retry and created_at
 * added where absent or null. `now` is for created_at. Always ends in '}'.
 * Returns as buf_append().
 */
int job_put_stored(struct buf *out, const struct job *j, int64_t now);

/*
 * Appends the form that a worker receives: the stored bytes with enqueued_at
 * (ns) and, when failure_len > 0, the failure object put before the last '}'.
 * Returns as buf_append().
 */
int job_put_delivery(struct buf *out, const char *stored, size_t stored_len,
    int64_t enqueued_at, const char *failure, size_t failure_len);

/*
 * Appends a job as a worker received it with another time and failure: its
 * members as they came, but for at, enqueued_at and failure. at is RFC 3339
 * text, NUL-terminated. Returns as buf_append().
 */
int job_put_again(struct buf *out, const struct job *j, const char *at,
    const char *failure, size_t failure_len);

#endif
