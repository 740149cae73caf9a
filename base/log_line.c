/*
 * log_line - an event as a line of text, or of JSON.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/log_line.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "base/utf8.h"

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* Milliseconds always have three digits: columns stay columns. */
int
log_line_time_at(struct buf *line, int64_t ns)
{
	char text[TIMESTAMP_MAX];
	int64_t ms = ns / CLOCK_NS_PER_MS % 1000;

	size_t len = timestamp_format(ns - ns % CLOCK_NS_PER_S, text);
	int r = buf_append(line, text, len - 1);
	return r < 0 ? r : buf_printf(line, ".%03dZ", (int)(ms < 0 ? 0 : ms));
}

int
log_line_time(struct buf *line)
{
	return log_line_time_at(line, clock_wall());
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

int
log_line_escape(struct buf *line, const char *bytes, size_t len)
{
	return put_plain(line, bytes, len, "");
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

int
log_line_text(struct buf *line, const struct log_event *ev)
{
	int r = 0;

	if (ev->subject != NULL)
		r = put_plain(line, ev->subject, strlen(ev->subject), "");
	for (size_t i = 0; r == 0 && i < ev->ntags; i++) {
		r = buf_printf(
		    line, "%s%s=", i > 0 ? " " : "", ev->tags[i].key);
		if (r == 0)
			r = put_value(line, ev->tags[i].value);
	}
	if (r == 0 && (ev->subject != NULL || ev->ntags > 0))
		r = buf_puts(line, "  ");
	return r < 0 ? r : put_plain(line, ev->message, ev->len, "");
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
put_pairs(struct buf *line, const struct log_tag *tags, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_pair(
		    line, tags[i].key, tags[i].value, strlen(tags[i].value));
	return r;
}

int
log_line_json(struct buf *line, const struct log_event *ev)
{
	int r = buf_puts(line, "{\"time\":\"");

	if (r == 0)
		r = log_line_time(line);
	if (r == 0)
		r = buf_printf(
		    line, "\",\"level\":\"%s\"", level_names[ev->level]);
	if (r == 0 && ev->subject != NULL)
		r = put_pair(line, "subject", ev->subject, strlen(ev->subject));
	if (r == 0)
		r = put_pairs(line, ev->tags, ev->ntags);
	if (r == 0)
		r = put_pairs(line, ev->fields, ev->nfields);
	if (r == 0)
		r = put_pair(line, "message", ev->message, ev->len);
	return r < 0 ? r : buf_putc(line, '}');
}
