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
	int ms = ns < 0 ? 0 : (int)(ns / CLOCK_NS_PER_MS % 1000);
	const char rest[] = { '.', (char)('0' + ms / 100),
		(char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z' };

	size_t len = timestamp_format(ns - ns % CLOCK_NS_PER_S, text);
	int r = buf_append(line, text, len - 1);
	return r < 0 ? r : buf_append(line, rest, sizeof rest);
}

int
log_line_time(struct buf *line)
{
	return log_line_time_at(line, clock_wall());
}

/*
 * How many bytes, at most n, a terminal may see as they are; there may be more
 * behind these.
 */
static size_t
harmless(const char *bytes, size_t n, char also)
{
	size_t ascii = 0;

	while (ascii < n && bytes[ascii] >= 0x20 && bytes[ascii] < 0x7f &&
	    bytes[ascii] != also)
		ascii++;
	if (ascii > 0)
		return ascii;

	unsigned char c = (unsigned char)bytes[0];
	if (c < 0x80)
		return 0;
	size_t len = utf8_step(bytes, n);
	/* U+0080 to U+009F: control characters too. */
	return len == 2 && c == 0xc2 && (unsigned char)bytes[1] < 0xa0 ? 0
								       : len;
}

/* As they are, but for control characters, bad bytes and `also`, if any. */
static int
put_plain(struct buf *line, const char *bytes, size_t len, char also)
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
	return put_plain(line, bytes, len, '\0');
}

/* A value that could be read as two is quoted. */
static int
put_value(struct buf *line, const char *value)
{
	size_t len = strlen(value);

	if (len > 0 && strpbrk(value, " =\"") == NULL)
		return put_plain(line, value, len, '\0');
	int r = buf_putc(line, '"');
	if (r == 0)
		r = put_plain(line, value, len, '"');
	return r < 0 ? r : buf_putc(line, '"');
}

int
log_line_text(struct buf *line, const struct log_event *ev)
{
	int r = 0;

	if (ev->subject != NULL)
		r = put_plain(line, ev->subject, strlen(ev->subject), '\0');
	for (size_t i = 0; r == 0 && i < ev->ntags; i++) {
		if (i > 0)
			r = buf_putc(line, ' ');
		if (r == 0)
			r = buf_puts(line, ev->tags[i].key);
		if (r == 0)
			r = buf_putc(line, '=');
		if (r == 0)
			r = put_value(line, ev->tags[i].value);
	}
	if (r == 0 && (ev->subject != NULL || ev->ntags > 0))
		r = buf_puts(line, "  ");
	return r < 0 ? r : put_plain(line, ev->message, ev->len, '\0');
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
