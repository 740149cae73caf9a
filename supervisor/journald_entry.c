/*
 * journald_entry - a line of the log as an entry of the system's journal.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/journald_entry.h"

#include <ctype.h>
#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/log_line.h"
#include "base/utf8.h"
#include "supervisor/event.h"

enum { ENTRY_TEXT_MAX = 16 * 1024 * 1024 };

/* A field's name without its prefix, as journald takes it. */
enum { FIELD_NAME_BYTES = 48 };

/*
 * Tags of ours by the name that a line of JSON has for them. Those without a
 * field are told in another way.
 */
static const struct {
	const char *tag;
	const char *field;
} names[] = {
	{ "jid", "FAKTORY_JID" },
	{ "type", "FAKTORY_JOBTYPE" },
	{ "queue", "FAKTORY_QUEUE" },
	{ "stream", "FAKTORY_STREAM" },
	{ "dispatch", "FAKTORY_DISPATCH_ID" },
	{ "attempt", "FAKTORY_ATTEMPT" },
	{ "pid", "FAKTORY_PID" },
	{ "outcome", "FAKTORY_OUTCOME" },
	{ "duration", "FAKTORY_DURATION" },
	{ "event", NULL },    /* MESSAGE_ID */
	{ "priority", NULL }, /* PRIORITY */
	{ "subject", NULL },
	{ "message", NULL },
	{ "level", NULL },
	{ "time", NULL },
};

static const char *const priorities[] = {
	[LOG_LEVEL_ERROR] = "3",
	[LOG_LEVEL_WARNING] = "4",
	[LOG_LEVEL_INFO] = "6",
	[LOG_LEVEL_DEBUG] = "7",
};

/* The place in `names`, or their number. */
static size_t
place_of(const char *tag, size_t len)
{
	size_t i = 0, n = sizeof names / sizeof names[0];

	while (i < n &&
	    (strlen(names[i].tag) != len ||
		memcmp(names[i].tag, tag, len) != 0))
		i++;
	return i;
}

bool
journald_entry_owns(const char *name, size_t len)
{
	return place_of(name, len) < sizeof names / sizeof names[0];
}

/* Whether it can stand behind '=': text, and all in one line. */
static bool
is_plain(const char *bytes, size_t len)
{
	while (len > 0) {
		size_t n = utf8_step(bytes, len);
		unsigned char c = (unsigned char)*bytes;

		if (n == 0 || (n == 1 && c < 0x20 && c != '\t') || c == 0x7f)
			return false;
		bytes += n;
		len -= n;
	}
	return true;
}

static int
put_field(struct buf *out, const char *name, const char *bytes, size_t len)
{
	uint64_t size = htole64(len);
	bool plain = is_plain(bytes, len);
	int r = buf_puts(out, name);

	if (r == 0)
		r = buf_putc(out, plain ? '=' : '\n');
	if (r == 0 && !plain)
		r = buf_append(out, &size, sizeof size);
	if (r == 0)
		r = buf_append(out, bytes, len);
	return r < 0 ? r : buf_putc(out, '\n');
}

static int
put_text(struct buf *out, const char *name, const char *text)
{
	return put_field(out, name, text, strlen(text));
}

/* What a program called a field of its own: letters, digits and '_'. */
static int
put_foreign(struct buf *out, const struct log_tag *tag)
{
	char name[sizeof "FAKTORY_FIELD_" + FIELD_NAME_BYTES] =
	    "FAKTORY_FIELD_";
	size_t at = strlen(name);

	for (const char *c = tag->key; *c != '\0' && at < sizeof name - 1; c++)
		name[at++] =
		    isalnum((unsigned char)*c) ? (char)toupper(*c) : '_';
	name[at] = '\0';
	return put_text(out, name, tag->value);
}

static int
put_tag(struct buf *out, const struct log_tag *tag)
{
	size_t i = place_of(tag->key, strlen(tag->key));

	if (i == sizeof names / sizeof names[0])
		return put_foreign(out, tag);
	if (names[i].field != NULL)
		return put_text(out, names[i].field, tag->value);
	const char *id =
	    strcmp(tag->key, "event") == 0 ? event_id(tag->value) : NULL;
	return id != NULL ? put_text(out, "MESSAGE_ID", id) : 0;
}

static const char *
value_of(const struct log_tag *tags, size_t n, const char *key,
    const char *otherwise)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(tags[i].key, key) == 0)
			return tags[i].value;
	return otherwise;
}

static int
put_message(struct buf *out, const struct log_event *ev, bool printed)
{
	struct buf *text = buf_new(ENTRY_TEXT_MAX);
	int r = -1;

	if (text != NULL)
		r = printed ? log_line_escape(text, ev->message, ev->len)
			    : log_line_text(text, ev);
	if (r == 0)
		r = put_field(out, "MESSAGE", buf_front(text), buf_len(text));
	buf_free(text);
	return r;
}

static int
put_time(struct buf *out)
{
	int r = buf_puts(out, "FAKTORY_TIME=");

	if (r == 0)
		r = log_line_time(out);
	return r < 0 ? r : buf_putc(out, '\n');
}

int
journald_entry_put(struct buf *out, const struct log_event *ev)
{
	const char *ours = "faktotum";
	bool printed = *value_of(ev->tags, ev->ntags, "stream", "") != '\0';
	const char *name = value_of(ev->tags, ev->ntags, "type", ours);
	const char *priority = value_of(
	    ev->fields, ev->nfields, "priority", priorities[ev->level]);
	size_t before = buf_len(out);

	int r = put_message(out, ev, printed);
	if (r == 0)
		r = put_text(out, "PRIORITY", priority);
	if (r == 0)
		r = put_text(out, "SYSLOG_IDENTIFIER", printed ? name : ours);
	if (r == 0)
		r = put_time(out);
	for (size_t i = 0; r == 0 && i < ev->ntags; i++)
		r = put_tag(out, &ev->tags[i]);
	for (size_t i = 0; r == 0 && i < ev->nfields; i++)
		r = put_tag(out, &ev->fields[i]);
	if (r < 0)
		buf_cut(out, before);
	return r;
}
