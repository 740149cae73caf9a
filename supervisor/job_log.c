/*
 * job_log - what the log says about one job, with the tags that find it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/job_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TAGS = 3, FIELDS = 4 };

/* Jid and type first, then what only fields can carry. */
struct words {
	struct log_tag tags[TAGS];
	size_t ntags;
	struct log_tag fields[FIELDS];
	size_t nfields;
};

static struct words
words_of(const struct job_log *job)
{
	struct words w = {
		.tags = { { "jid", job->jid }, { "type", job->jobtype } },
		.ntags = 2,
		.fields = { { "queue", job->queue },
		    { "attempt", job->attempt } },
		.nfields = 2,
	};

	if (*job->dispatch != '\0')
		w.fields[w.nfields++] =
		    (struct log_tag){ "dispatch", job->dispatch };
	return w;
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

void
job_log_say(const struct job_log *job, enum log_level level, const char *event,
    const char *fmt, ...)
{
	struct words w = words_of(job);
	va_list args;
	char *text;

	if (!log_wants(level))
		return;
	if (event != NULL)
		w.fields[w.nfields++] = (struct log_tag){ "event", event };
	va_start(args, fmt);
	int len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	put(&w, level, text, (size_t)len);
	free(text);
}

void
job_log_line(const struct job_log *job, enum log_level level, int priority,
    enum run_stream stream, const char *bytes, size_t len)
{
	const char digit[2] = { (char)('0' + priority), '\0' };
	struct words w = words_of(job);

	w.tags[w.ntags++] = (struct log_tag){ "stream",
		stream == RUN_STDOUT ? "stdout" : "stderr" };
	if (priority >= 0)
		w.fields[w.nfields++] = (struct log_tag){ "priority", digit };
	put(&w, level, bytes, len);
}
