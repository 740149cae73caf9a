/*
 * log - one line, sent where the operator wants it: standard error.
 *
 * This file decides what is said; log_line.c makes the lines, log_write.c gets
 * rid of them.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log_line.h"
#include "base/log_write.h"

/* A program's longest line, escaped; what is longer counts as dropped. */
enum { LINE_MAX_BYTES = 16 * 1024 * 1024 };

static const struct {
	const char *padded;   /* with a space in front of it */
	const char *priority; /* sd-daemon(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { " error    ", "<3>" },
	[LOG_LEVEL_WARNING] = { " warning  ", "<4>" },
	[LOG_LEVEL_INFO] = { " info     ", "<6>" },
	[LOG_LEVEL_DEBUG] = { " debug    ", "<7>" },
};

static _Atomic enum log_format chosen = LOG_FORMAT_TEXT;
static _Atomic enum log_level limit = LOG_LEVEL_INFO;

/* Set while no other thread logs. */
static log_sink *sink;
static void *sink_ctx;

/* Whether standard error is the socket that systemd says is the journal's. */
static bool
journal_listens(void)
{
	const char *told = getenv("JOURNAL_STREAM");
	struct stat st;
	char ours[64];

	if (told == NULL || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(told, ours) == 0;
}

void
log_open(enum log_format format, enum log_level level)
{
	if (format == LOG_FORMAT_AUTO)
		format =
		    journal_listens() ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
	chosen = format;
	limit = level;
}

enum log_format
log_format(void)
{
	return chosen;
}

void
log_divert(log_sink *to, void *ctx)
{
	sink = to;
	sink_ctx = ctx;
}

bool
log_wants(enum log_level level)
{
	return level <= limit;
}

static int
put_event(struct buf *line, const struct log_event *ev)
{
	int r;

	if (chosen == LOG_FORMAT_JSON) {
		r = log_line_json(line, ev);
	} else {
		if (chosen == LOG_FORMAT_JOURNAL)
			r = buf_puts(line, levels[ev->level].priority);
		else if ((r = log_line_time(line)) == 0)
			r = buf_puts(line, levels[ev->level].padded);
		if (r == 0)
			r = log_line_text(line, ev);
	}
	return r < 0 ? r : buf_putc(line, '\n');
}

bool
log_wants_fields(void)
{
	return chosen != LOG_FORMAT_TEXT;
}

/* What an earlier full pipe cost, to be told ahead of the next line. */
static struct log_event
losses_event(char *text, size_t cap, unsigned long lost)
{
	int len = snprintf(text, cap, "%lu line%s dropped: %s", lost,
	    lost == 1 ? "" : "s",
	    sink != NULL ? "the journal did not take them"
			 : "standard error was full");

	return (struct log_event){
		.level = LOG_LEVEL_WARNING,
		.subject = "log",
		.message = text,
		.len = (size_t)len,
	};
}

static int
put_losses(struct buf *line, unsigned long lost)
{
	char text[96];
	struct log_event losses = losses_event(text, sizeof text, lost);

	return put_event(line, &losses);
}

static void
emit_line(const struct log_event *ev)
{
	unsigned long lost = log_write_losses();
	struct buf *line = buf_new(LINE_MAX_BYTES);

	if (line != NULL && (lost == 0 || put_losses(line, lost) == 0) &&
	    put_event(line, ev) == 0)
		log_write(buf_front(line), buf_len(line), lost);
	else
		log_write_lost(1);
	buf_free(line);
}

/* Nobody else tells them meanwhile. */
static void
tell_losses_away(void)
{
	char text[96];
	unsigned long lost = log_write_take_losses();
	struct log_event losses = losses_event(text, sizeof text, lost);

	if (lost > 0 && !sink(sink_ctx, &losses))
		log_write_put_losses(lost);
}

static bool
goes_away(void)
{
	return sink != NULL && chosen == LOG_FORMAT_JOURNAL;
}

static void
emit(const struct log_event *ev)
{
	if (!goes_away()) {
		emit_line(ev);
		return;
	}
	if (!sink(sink_ctx, ev))
		log_write_lost(1);
}

void
log_lost(unsigned long n)
{
	log_write_lost(n);
}

unsigned long
log_dropped(void)
{
	return log_write_total();
}

unsigned long
log_losses(void)
{
	return log_write_losses();
}

void
log_tell_losses(void)
{
	if (goes_away())
		tell_losses_away();
}

void
log_put(const struct log_event *ev)
{
	if (log_wants(ev->level))
		emit(ev);
}

static void __attribute__((format(printf, 2, 0)))
emit_formatted(struct log_event *ev, const char *fmt, va_list args)
{
	char *message;

	int len = vasprintf(&message, fmt, args);
	if (len < 0) {
		log_write_lost(1);
		return;
	}
	ev->message = message;
	ev->len = (size_t)len;
	emit(ev);
	free(message);
}

void
log_say(enum log_level level, const char *subject, const char *fmt, ...)
{
	struct log_event ev = { .level = level, .subject = subject };
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, fmt);
	emit_formatted(&ev, fmt, args);
	va_end(args);
}

void
log_tagged(enum log_level level, const struct log_tag *tags, size_t ntags,
    const char *fmt, ...)
{
	struct log_event ev = { .level = level, .tags = tags, .ntags = ntags };
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, fmt);
	emit_formatted(&ev, fmt, args);
	va_end(args);
}

void
log_bytes(enum log_level level, const struct log_tag *tags, size_t ntags,
    const char *bytes, size_t len)
{
	struct log_event ev = {
		.level = level,
		.tags = tags,
		.ntags = ntags,
		.message = bytes,
		.len = len,
	};

	log_put(&ev);
}
