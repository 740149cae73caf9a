/*
 * message - one line that a program wrote for its supervisor.
 *
 * A line is one JSON object whose "type" says what it means. Members:
 *
 *   progress   percent (0 to 100), desc; one of them at least
 *   heartbeat
 *   extend     seconds
 *   log        level (error, warning, info, debug), msg, fields
 *   result     value
 *   error      errtype, message, backtrace, retry (true, false, "discard"),
 *              retry_in (seconds); none of them is needed
 *   push       job
 *   metric     name, value, kind (count, gauge)
 *
 * Members that are unknown are ignored, and null is as good as absent except
 * in result. Nothing here allocates: a message points into the line it was
 * read from.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef HANDLERS_MESSAGE_H
#define HANDLERS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"

/* A year of 366 days, in seconds: nobody means to wait longer. */
#define MESSAGE_SECONDS_MAX 31622400

enum message_kind {
	MESSAGE_PROGRESS,
	MESSAGE_HEARTBEAT,
	MESSAGE_EXTEND,
	MESSAGE_LOG,
	MESSAGE_RESULT,
	MESSAGE_ERROR,
	MESSAGE_PUSH,
	MESSAGE_METRIC,
};

enum message_retry {
	MESSAGE_RETRY, /* as the server decides */
	MESSAGE_DEAD,  /* never again; kept among the dead */
	MESSAGE_DISCARD,
};

enum message_metric {
	MESSAGE_AS_DECLARED,
	MESSAGE_COUNT,
	MESSAGE_GAUGE,
};

/* Members of kind JSON_NONE were not given. Borrowed from the line. */
struct message {
	enum message_kind kind;
	union {
		struct {
			double percent;   /* 0 to 100; -1: not given */
			struct json desc; /* a string */
		} progress;
		struct {
			int64_t ns; /* above 0; whole us, as retry_in */
		} extend;
		struct {
			enum log_level level;
			struct json msg;    /* a string, always given */
			struct json fields; /* an object */
		} log;
		struct {
			struct json value; /* given, may be null */
		} result;
		struct {
			struct json errtype;   /* a string */
			struct json message;   /* a string */
			struct json backtrace; /* an array of strings */
			enum message_retry retry;
			int64_t retry_in; /* ns; -1: not given */
		} error;
		struct {
			struct json job; /* an object, always given */
		} push;
		struct {
			struct json name; /* a string, always given */
			double value;     /* finite */
			enum message_metric kind;
		} metric;
	};
};

/*
 * Reads a line, without its end. Returns 0; or -EINVAL with *why, a fixed
 * text: "seconds: a number above 0 is expected".
 */
int
message_read(struct message *m, const char *line, size_t len, const char **why);

/*
 * Appends the message as a line without its end; message_read() reads an
 * equal one from it. Returns as buf_append().
 */
int message_put(struct buf *out, const struct message *m);

/* "progress", "heartbeat", ... */
const char *message_kind_name(enum message_kind kind);

#endif
