/*
 * job_log - what the log says about one job, with the tags that find it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/job_log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { TAGS = 3 + JOB_LOG_FIELDS_MAX, FIELDS = 8 };

/* Jid and type first, then what only fields can carry. */
struct words {
	struct log_tag tags[TAGS];
	size_t ntags;
	struct log_tag fields[FIELDS];
	size_t nfields;
	char attempt[24], pid[24];
};

static void
add_field(struct words *w, const char *key, const char *value)
{
	if (*value != '\0')
		w->fields[w->nfields++] = (struct log_tag){ key, value };
}

static void
words_of(struct words *w, const struct job_log *job)
{
	w->tags[0] = (struct log_tag){ "jid", job->jid };
	w->tags[1] = (struct log_tag){ "type", job->jobtype };
	w->ntags = 2;
	w->nfields = 0;
	if (!log_wants_fields())
		return;
	snprintf(w->attempt, sizeof w->attempt, "%" PRId64, job->attempt);
	snprintf(w->pid, sizeof w->pid, "%lld", (long long)job->pid);
	add_field(w, "queue", job->queue);
	add_field(w, "attempt", w->attempt);
	add_field(w, "dispatch", job->dispatch);
	add_field(w, "pid", job->pid > 0 ? w->pid : "");
}

static void
put(const struct words *w, enum log_level level, const char *bytes, size_t len)
{
	const struct log_event ev = { .level = level,
		.tags = w->tags,
		.ntags = w->ntags,
		.fields = w->fields,
		.nfields = w->nfields,
		.message = bytes,
		.len = len };

	log_put(&ev);
}

static void __attribute__((format(printf, 3, 0))) put_formatted(
    const struct words *w, enum log_level level, const char *fmt, va_list args)
{
	char *text;
	int len = vasprintf(&text, fmt, args);

	if (len < 0)
		return;
	put(w, level, text, (size_t)len);
	free(text);
}

void
job_log_pid(struct job_log *job, pid_t pid)
{
	if (pid > 0)
		job->pid = pid;
}

void
job_log_say(const struct job_log *job, enum log_level level, const char *event,
    const char *fmt, ...)
{
	struct words w;
	va_list args;

	if (!log_wants(level))
		return;
	words_of(&w, job);
	if (event != NULL)
		add_field(&w, "event", event);
	va_start(args, fmt);
	put_formatted(&w, level, fmt, args);
	va_end(args);
}

void
job_log_end(const struct job_log *job, enum log_level level,
    const struct job_end *end, const char *fmt, ...)
{
	char duration[48];
	struct words w;
	va_list args;

	if (!log_wants(level))
		return;
	words_of(&w, job);
	add_field(&w, "event", end->event);
	add_field(&w, "outcome", end->outcome);
	if (end->elapsed >= 0 && log_wants_fields()) {
		snprintf(duration, sizeof duration, "%" PRId64 ".%06" PRId64,
		    end->elapsed / CLOCK_NS_PER_S,
		    end->elapsed % CLOCK_NS_PER_S / 1000);
		add_field(&w, "duration", duration);
	}
	va_start(args, fmt);
	put_formatted(&w, level, fmt, args);
	va_end(args);
}

void
job_log_line(const struct job_log *job, enum log_level level, int priority,
    enum run_stream stream, const char *bytes, size_t len)
{
	const char digit[2] = { (char)('0' + priority), '\0' };
	struct words w;

	words_of(&w, job);
	w.tags[w.ntags++] = (struct log_tag){ "stream",
		stream == RUN_STDOUT ? "stdout" : "stderr" };
	if (priority >= 0)
		add_field(&w, "priority", digit);
	put(&w, level, bytes, len);
}

void
job_log_message(const struct job_log *job, enum log_level level,
    const struct log_tag *fields, size_t n, const char *bytes, size_t len)
{
	struct words w;

	words_of(&w, job);
	for (size_t i = 0; i < n && i < JOB_LOG_FIELDS_MAX; i++)
		w.tags[w.ntags++] = fields[i];
	put(&w, level, bytes, len);
}
