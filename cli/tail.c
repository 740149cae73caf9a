/*
 * tail - the verb that shows what programs print, as they print it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/tail.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "cli/call.h"
#include "cli/snapshot.h"

/* A line of output, each byte escaped as \xNN, and two names. */
enum { LINE_BYTES_MAX = 128 * 1024, FLAG_JSON = 1 };

static const char usage[] =
    "Usage: faktotum tail [JID] [--json] [--socket PATH | -c FILE]\n"
    "Show what programs print, line by line as they print it.\n"
    "\n"
    "With JID: what is kept of that job's output, at most 16 KiB, and then\n"
    "all that comes, until the job ends. Without: the output of all jobs from\n"
    "now on, each line with its job, until Ctrl-C.\n"
    "\n"
    "      --json         one JSON object a line, as the supervisor sends "
    "it\n" CALL_OPTIONS_HELP "\n"
    "No program waits for this one: what it is too slow for is left out, and\n"
    "told. Bytes that a terminal would obey are shown as \\xNN. A line above\n"
    "16 KiB comes in pieces, all but the last ending in \xe2\x80\xa6.\n"
    "\n"
    "Exit status: 0 the job has ended, 1 no such job is "
    "here,\n" CALL_STATUS_HELP;

struct listener {
	bool all, json;
	struct buf *line;
	const char *jid; /* NULL: all */
	bool heard;      /* a line has come */
};

/* "jid=... type=...", as the log has it. */
static int
put_front(struct buf *line, const struct json *object, const char *jid)
{
	int r = buf_puts(line, "jid=");

	if (r == 0)
		r = call_put_text(line, object, jid);
	if (r == 0 && json_get(object, "jobtype").kind == JSON_STRING)
		r = buf_puts(line, " type=");
	if (r == 0)
		r = call_put_text(line, object, "jobtype");
	return r < 0 ? r : buf_puts(line, "  ");
}

static int
put_line(const struct listener *l, const struct json *object)
{
	int r = 0;

	if (json_get(object, "text").kind == JSON_STRING) {
		if (l->all)
			r = put_front(l->line, object, "jid");
		if (r == 0)
			r = call_put_text(l->line, object, "text");
		if (r == 0 && json_get(object, "more").kind == JSON_TRUE)
			r = buf_puts(l->line, "\xe2\x80\xa6");
	} else if (l->all && json_get(object, "began").kind == JSON_STRING) {
		r = put_front(l->line, object, "began");
		if (r == 0)
			r = buf_puts(l->line, "[began]");
	} else if (l->all && json_get(object, "ended").kind == JSON_STRING) {
		r = put_front(l->line, object, "ended");
		if (r == 0)
			r = buf_puts(l->line, "[ended]");
	} else {
		return 0;
	}
	return r < 0 ? r : buf_putc(l->line, '\n');
}

static int
on_line(void *ctx, const struct json *object)
{
	struct listener *l = ctx;
	double left_out = call_number(object, "left_out");

	if (l->json) {
		snapshot_put_plain(object, stdout);
		putc('\n', stdout);
	} else {
		buf_clear(l->line);
		if (put_line(l, object) < 0)
			left_out = 1;
		else
			fwrite(buf_front(l->line), 1, buf_len(l->line), stdout);
	}
	if (fflush(stdout) != 0)
		return EX_IOERR;
	if (l->all && !l->json && !l->heard)
		fputs("faktotum tail: listening to all jobs\n", stderr);
	l->heard = true;
	if (left_out > 0)
		fprintf(stderr,
		    "faktotum tail: %.0f line%s left out: they were not read "
		    "fast enough\n",
		    left_out, left_out == 1. ? "" : "s");
	return 0;
}

static int
follow(const struct call_options *o, struct listener *l)
{
	struct buf *request = buf_new(LINE_BYTES_MAX);
	struct call c = { .options = o,
		.patient = true,
		.again = true,
		.line = on_line,
		.ctx = l };
	int status = EX_OSERR;

	l->line = buf_new(LINE_BYTES_MAX);
	if (request != NULL && l->line != NULL &&
	    call_put_request(request, "tail", l->jid) == 0) {
		c.request = buf_front(request);
		status = call_make(&c);
	} else {
		fputs("faktotum tail: out of memory\n", stderr);
	}
	buf_free(request);
	buf_free(l->line);
	return status;
}

int
tail_main(int argc, char **argv)
{
	struct call_options o = {
		.verb = "tail", .usage = usage, .flags = { "json" }
	};
	struct listener l = { 0 };
	int status = call_options_read(&o, argc, argv);

	if (status >= 0)
		return status;
	if (o.nwords > 1)
		return call_options_misuse(&o, "there are words too many");
	l.jid = o.nwords == 1 ? o.words[0] : NULL;
	l.all = l.jid == NULL;
	l.json = o.given & FLAG_JSON;
	return follow(&o, &l);
}
