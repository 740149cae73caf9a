/*
 * log - one line, sent where the operator wants it: standard error.
 *
 * Each line is one event with its subject first. Only the two programs' own
 * rooms log; leaves return their failures. A line that standard error cannot
 * take at once (a full pipe) is dropped and counted, so that a log nobody
 * reads never stops the work; the count is told with the next line that fits.
 * A line above PIPE_BUF goes out in pieces and may be torn by a full pipe; the
 * next one then begins on a line of its own. Safe to call from any thread.
 *
 * text:     2026-11-23T21:56:35.867Z warning  jid=8f2c type=resize  killed
 * journal:  <4>jid=8f2c type=resize  killed        (sd-daemon(3) prefixes)
 * json:     {"time":"…","level":"warning","jid":"8f2c","type":"resize","message":"killed"}
 *
 * A program that can speak to the journal itself diverts the journal's events.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR,   /* something is not being done */
	LOG_LEVEL_WARNING, /* done, but not as asked */
	LOG_LEVEL_INFO,    /* start, stop, reload and each job's end */
	LOG_LEVEL_DEBUG,   /* every byte's way */
};

enum log_format {
	LOG_FORMAT_AUTO, /* journal when stderr is the journal, else text */
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JOURNAL, /* lines for sd-daemon(3): "<4>..." without time */
	LOG_FORMAT_JSON,
};

struct log_tag {
	const char *key;
	const char *value; /* any bytes; escaped on the way out */
};

/* One line, whole. All borrowed during the call. */
struct log_event {
	enum log_level level;
	const char *subject; /* NULL: the tags are the subject */
	const struct log_tag *tags;
	size_t ntags;
	/* For JSON and the journal; a line of text would grow too long. */
	const struct log_tag *fields;
	size_t nfields;
	const char *message; /* any bytes; escaped on the way out */
	size_t len;
};

/* May be called again at any time. Before the first call: text, info. */
void log_open(enum log_format format, enum log_level level);

/* What log_open() chose, never LOG_FORMAT_AUTO. */
enum log_format log_format(void);

/*
 * Takes an event away from standard error without ever waiting; false when it
 * is lost, which is counted, and told at the next log_tell_losses(). Must not
 * log.
 */
typedef bool log_sink(void *ctx, const struct log_event *ev);

/*
 * From now on LOG_FORMAT_JOURNAL goes to this sink; NULL: standard error again.
 * Called while no other thread logs.
 */
void log_divert(log_sink *to, void *ctx);

/*
 * For a sink whose way out is longer than its call: lines lost beyond it,
 * and that there may be room now to tell of them.
 */
void log_lost(unsigned long n);
void log_tell_losses(void);

/* Lines lost and not told yet; all that were lost since the start. */
unsigned long log_losses(void);
unsigned long log_dropped(void);

bool log_wants(enum log_level level);

/* False: no line shows the fields of its event, they need not be made. */
bool log_wants_fields(void);

void log_put(const struct log_event *ev);

/* subject: "server", "listen 127.0.0.1:7419", ... A JSON line calls it so. */
void log_say(enum log_level level, const char *subject, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The subject as key=value pairs, so that grep jid=... tells a job's life. */
void log_tagged(enum log_level level, const struct log_tag *tags, size_t ntags,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * The same for a line of foreign bytes (a program's output): control
 * characters and bytes that are not UTF-8 are escaped ("\x1b"; in a JSON line
 * as JSON does it, and U+FFFD for the latter), nothing is cut.
 */
void log_bytes(enum log_level level, const struct log_tag *tags, size_t ntags,
    const char *bytes, size_t len);

#endif
