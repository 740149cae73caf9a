/*
 * log - one line, sent where the operator wants it: standard error.
 *
 * This file makes the lines; log_write.c gets rid of them.
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
#include "base/clock.h"
#include "base/json.h"
#include "base/log_write.h"
#include "base/timestamp.h"
#include "base/utf8.h"

/* A program's longest line, escaped; what is longer counts as dropped. */
enum { LINE_MAX_BYTES = 16 * 1024 * 1024 };

static const struct {
	const char *name;
	const char *padded;
	const char *priority; /* sd-daemon(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", "error    ", "<3>" },
	[LOG_LEVEL_WARNING] = { "warning", "warning  ", "<4>" },
	[LOG_LEVEL_INFO] = { "info", "info     ", "<6>" },
	[LOG_LEVEL_DEBUG] = { "debug", "debug    ", "<7>" },
};

static _Atomic enum log_format chosen = LOG_FORMAT_TEXT;
static _Atomic enum log_level limit = LOG_LEVEL_INFO;

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

bool
log_wants(enum log_level level)
{
	return level <= limit;
}

/* Milliseconds always have three digits: columns stay columns. */
static int
put_time(struct buf *line)
{
	char text[TIMESTAMP_MAX];
	int64_t ns = clock_wall();
	int64_t ms = ns / CLOCK_NS_PER_MS % 1000;

	size_t len = timestamp_format(ns - ns % CLOCK_NS_PER_S, text);
	int r = buf_append(line, text, len - 1);
	return r < 0 ? r : buf_printf(line, ".%03dZ", (int)(ms < 0 ? 0 : ms));
}

/* How many bytes, at most n, a terminal may see as they are. */
static size_t
harmless(const char *bytes, size_t n, const char *also)
{
	size_t len = utf8_step(bytes, n);
	unsigned char c = (unsigned char)bytes[0];

	if (len == 1 && (c < 0x20 || c == 0x7f || strchr(also, c) != NULL))
		return 0;
	/* U+0080 to U+009F: control characters too. */
	if (len == 2 && c == 0xc2 && (unsigned char)bytes[1] < 0xa0)
		return 0;
	return len;
}

/* As they are, but for control characters, bad bytes and those in `also`. */
static int
put_plain(struct buf *line, const char *bytes, size_t len, const char *also)
{
	int r = 0;

	while (r == 0 && len > 0) {
		size_t run = 0, n;

		while (run < len &&
		    (n = harmless(bytes + run, len - run, also)) > 0)
			run += n;
		r = buf_append(line, bytes, run);
		if (r == 0 && run < len)
			r = buf_printf(
			    line, "\\x%02x", (unsigned char)bytes[run++]);
		bytes += run;
		len -= run;
	}
	return r;
}

/* A value that could be read as two is quoted. */
static int
put_value(struct buf *line, const char *value)
{
	size_t len = strlen(value);

	if (len > 0 && strpbrk(value, " =\"") == NULL)
		return put_plain(line, value, len, "");
	int r = buf_putc(line, '"');
	if (r == 0)
		r = put_plain(line, value, len, "\"");
	return r < 0 ? r : buf_putc(line, '"');
}

struct event {
	enum log_level level;
	const char *subject; /* NULL: the tags are the subject */
	const struct log_tag *tags;
	size_t ntags;
	const char *message;
	size_t len;
};

static int
put_text(struct buf *line, const struct event *ev, bool journal)
{
	int r;

	if (journal) {
		r = buf_puts(line, levels[ev->level].priority);
	} else {
		r = put_time(line);
		if (r == 0)
			r = buf_putc(line, ' ');
		if (r == 0)
			r = buf_puts(line, levels[ev->level].padded);
	}
	if (r == 0 && ev->subject != NULL)
		r = put_plain(line, ev->subject, strlen(ev->subject), "");
	for (size_t i = 0; r == 0 && i < ev->ntags; i++) {
		r = buf_printf(
		    line, "%s%s=", i > 0 ? " " : "", ev->tags[i].key);
		if (r == 0)
			r = put_value(line, ev->tags[i].value);
	}
	if (r == 0 && (ev->subject != NULL || ev->ntags > 0))
		r = buf_puts(line, "  ");
	if (r == 0)
		r = put_plain(line, ev->message, ev->len, "");
	return r;
}

static int
put_pair(struct buf *line, const char *key, const char *value, size_t len)
{
	int r = buf_putc(line, ',');

	if (r == 0)
		r = json_put_string(line, key, strlen(key));
	if (r == 0)
		r = buf_putc(line, ':');
	return r < 0 ? r : json_put_string(line, value, len);
}

static int
put_json(struct buf *line, const struct event *ev)
{
	int r = buf_puts(line, "{\"time\":\"");

	if (r == 0)
		r = put_time(line);
	if (r == 0)
		r = buf_printf(
		    line, "\",\"level\":\"%s\"", levels[ev->level].name);
	if (r == 0 && ev->subject != NULL)
		r = put_pair(line, "subject", ev->subject, strlen(ev->subject));
	for (size_t i = 0; r == 0 && i < ev->ntags; i++)
		r = put_pair(line, ev->tags[i].key, ev->tags[i].value,
		    strlen(ev->tags[i].value));
	if (r == 0)
		r = put_pair(line, "message", ev->message, ev->len);
	return r < 0 ? r : buf_putc(line, '}');
}

static int
put_event(struct buf *line, const struct event *ev)
{
	int r = chosen == LOG_FORMAT_JSON
	    ? put_json(line, ev)
	    : put_text(line, ev, chosen == LOG_FORMAT_JOURNAL);

	return r < 0 ? r : buf_putc(line, '\n');
}

/* What an earlier full pipe cost is told ahead of the next line. */
static int
put_losses(struct buf *line, unsigned long lost)
{
	char text[64];

	if (lost == 0)
		return 0;
	int len = snprintf(text, sizeof text,
	    "%lu line%s dropped: standard error was full", lost,
	    lost == 1 ? "" : "s");
	struct event ev = {
		.level = LOG_LEVEL_WARNING,
		.subject = "log",
		.message = text,
		.len = (size_t)len,
	};
	return put_event(line, &ev);
}

static void
emit(const struct event *ev)
{
	unsigned long lost = log_write_losses();
	struct buf *line = buf_new(LINE_MAX_BYTES);

	if (line != NULL && put_losses(line, lost) == 0 &&
	    put_event(line, ev) == 0)
		log_write(buf_front(line), buf_len(line), lost);
	else
		log_write_lost();
	buf_free(line);
}

static void __attribute__((format(printf, 2, 0)))
emit_formatted(struct event *ev, const char *fmt, va_list args)
{
	char *message;

	int len = vasprintf(&message, fmt, args);
	if (len < 0) {
		log_write_lost();
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
	struct event ev = { .level = level, .subject = subject };
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
	struct event ev = { .level = level, .tags = tags, .ntags = ntags };
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
	struct event ev = {
		.level = level,
		.tags = tags,
		.ntags = ntags,
		.message = bytes,
		.len = len,
	};

	if (log_wants(level))
		emit(&ev);
}
