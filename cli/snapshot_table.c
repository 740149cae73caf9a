/*
 * snapshot_table - a snapshot for people: the supervisor, then a line a job.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "base/utf8.h"
#include "cli/call.h"
#include "cli/snapshot.h"

enum { SPAN_MAX = 32, SPAN_WIDTH = 7, CELL_MAX = 64 * 1024 };

struct table {
	struct buf *out;
	struct buf *cell; /* a text, while its width is looked at */
	size_t columns, rows, lines;
	size_t line_at; /* where the line that is being written begins */
	int failed;
};

static void
note(struct table *t, int r)
{
	if (r < 0 && t->failed == 0)
		t->failed = r;
}

/* How many bytes of a line fit into so many columns. */
static size_t
fitting(const char *line, size_t len, size_t columns)
{
	size_t at = 0;

	while (at < len && columns > 0) {
		size_t n = utf8_step(line + at, len - at);

		at += n > 0 ? n : 1;
		columns--;
	}
	return at;
}

static bool
is_full(const struct table *t)
{
	return t->rows > 0 && t->lines >= t->rows;
}

/* Ends a line; without room for it, it never was. */
static void
end_line(struct table *t)
{
	const char *line = buf_front(t->out) + t->line_at;
	size_t len = buf_len(t->out) - t->line_at;

	if (is_full(t)) {
		buf_cut(t->out, t->line_at);
		return;
	}
	while (len > 0 && line[len - 1] == ' ')
		len--;
	if (t->columns > 0)
		len = fitting(line, len, t->columns);
	buf_cut(t->out, t->line_at + len);
	note(t, buf_putc(t->out, '\n'));
	t->line_at = buf_len(t->out);
	t->lines++;
}

/* "12s", "3m07s", "5h02m", "3d04h". */
static void
put_span(struct table *t, double seconds, int width)
{
	const char *sign = seconds < 0 ? "-" : "";
	long long s = (long long)(seconds < 0 ? -seconds : seconds);
	char text[SPAN_MAX];

	if (s < 60)
		snprintf(text, sizeof text, "%s%llds", sign, s);
	else if (s < 3600)
		snprintf(
		    text, sizeof text, "%s%lldm%02llds", sign, s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, sizeof text, "%s%lldh%02lldm", sign, s / 3600,
		    s % 3600 / 60);
	else
		snprintf(text, sizeof text, "%s%lldd%02lldh", sign, s / 86400,
		    s % 86400 / 3600);
	note(t, buf_printf(t->out, "%*s", width, text));
}

static void
put_text(struct table *t, const struct json *object, const char *name)
{
	note(t, call_put_text(t->out, object, name));
}

/* A text of this width at least, and a space. */
static void
put_cell(
    struct table *t, const struct json *object, const char *name, size_t width)
{
	size_t taken = 0;

	buf_clear(t->cell);
	if (call_put_text(t->cell, object, name) < 0)
		buf_clear(t->cell);
	const char *text = buf_front(t->cell);
	size_t len = buf_len(t->cell);
	for (size_t at = 0; at < len; taken++)
		at += fitting(text + at, len - at, 1);
	note(t, buf_append(t->out, text, len));
	for (; taken <= width; taken++)
		note(t, buf_putc(t->out, ' '));
}

static bool
is_true(const struct json *object, const char *name)
{
	return json_get(object, name).kind == JSON_TRUE;
}

static void
put_number(struct table *t, const struct json *object, const char *name,
    const char *after)
{
	note(t, buf_printf(t->out, "%.0f%s", call_number(object, name), after));
}

static void
put_supervisor(struct table *t, const struct json *s)
{
	note(t, buf_puts(t->out, "faktotum "));
	put_text(t, s, "version");
	note(t, buf_puts(t->out, ", pid "));
	put_number(t, s, "pid", ", up ");
	put_span(t, call_number(s, "uptime_s"), 0);
	end_line(t);

	note(t, buf_puts(t->out, "server    "));
	put_text(t, s, "server");
	note(t,
	    buf_printf(t->out, ", %s, wid ",
		!is_true(s, "connected") ? "not connected"
		    : is_true(s, "beating")
		    ? "connected"
		    : "connected, no beat accepted yet"));
	put_text(t, s, "wid");
	end_line(t);

	note(t, buf_puts(t->out, "settings  "));
	put_text(t, s, "config");
	note(t, buf_puts(t->out, ", reading "));
	put_number(t, s, "generation", "");
	end_line(t);

	note(t, buf_puts(t->out, "state     "));
	if (json_get(s, "unready").kind == JSON_STRING)
		put_text(t, s, "unready");
	else
		note(t, buf_puts(t->out, "jobs are fetched"));
	end_line(t);
}

static void
put_counts(struct table *t, const struct json *s)
{
	note(t, buf_puts(t->out, "slots     "));
	put_number(t, s, "busy", " of ");
	put_number(t, s, "slots", " in use, ");
	put_number(t, s, "held", " held");
	end_line(t);
	note(t, buf_puts(t->out, "outcomes  "));
	put_number(t, s, "done", " done, ");
	put_number(t, s, "failed", " failed, ");
	put_number(t, s, "released", " given back, ");
	put_number(t, s, "late", " late, ");
	put_number(t, s, "lost", " lost, ");
	put_number(t, s, "dropped", " dropped, ");
	put_number(t, s, "unconfirmed", " not confirmed yet");
	end_line(t);
}

/* A line for each handler that is left alone. */
static void
put_breakers(struct table *t, const struct json *s)
{
	const struct json all = json_get(s, "breakers");
	struct json_walk w = json_walk(&all);
	struct json one;

	while (all.kind == JSON_ARRAY && json_next_element(&w, &one)) {
		double left = call_number(&one, "left_s");

		note(t, buf_puts(t->out, "breaker   "));
		put_text(t, &one, "jobtype");
		note(t, buf_puts(t->out, " is "));
		put_text(t, &one, "state");
		if (left >= 0) {
			note(t, buf_puts(t->out, ", tried again in "));
			put_span(t, left, 0);
		}
		note(t, buf_puts(t->out, ": "));
		put_text(t, &one, "reason");
		end_line(t);
	}
}

static void
put_progress(struct table *t, const struct json *job)
{
	double percent = call_number(job, "percent");

	if (percent >= 0)
		note(t, buf_printf(t->out, " %3.0f%% ", percent));
	else
		note(t, buf_puts(t->out, "    - "));
}

static void
put_job(struct table *t, const struct json *job)
{
	double pid = call_number(job, "pid");

	put_cell(t, job, "state", 8);
	if (pid > 0)
		note(t, buf_printf(t->out, "%7.0f ", pid));
	else
		note(t, buf_puts(t->out, "      - "));
	put_span(t, call_number(job, "age_s"), SPAN_WIDTH);
	put_span(t, call_number(job, "left_s"), SPAN_WIDTH + 1);
	put_progress(t, job);
	put_cell(t, job, "jobtype", 16);
	put_cell(t, job, "jid", 24);
	put_text(t, job, "desc");
	end_line(t);
}

static void
put_jobs(struct table *t, const struct snapshot *s)
{
	size_t shown = s->njobs;

	if (s->njobs + s->left_out == 0)
		return;
	end_line(t);
	note(t,
	    buf_puts(t->out,
		"STATE        PID     AGE    LEFT DONE JOBTYPE          "
		"JID                      WHAT IT SAYS"));
	end_line(t);
	/* The last row is for how many more there are. */
	if (t->rows > 0 && t->lines + s->njobs > t->rows)
		shown = t->rows > t->lines + 1 ? t->rows - t->lines - 1 : 0;
	for (size_t i = 0; i < shown; i++)
		put_job(t, &s->jobs[i]);
	if (s->njobs - shown + s->left_out > 0) {
		note(t,
		    buf_printf(t->out, "and %zu more",
			s->njobs - shown + s->left_out));
		end_line(t);
	}
}

int
snapshot_put_table(
    const struct snapshot *s, struct buf *out, size_t columns, size_t rows)
{
	struct table t = { .out = out,
		.cell = buf_new(CELL_MAX),
		.columns = columns,
		.rows = rows,
		.line_at = buf_len(out) };

	if (t.cell == NULL)
		return -ENOMEM;
	put_supervisor(&t, &s->supervisor);
	put_counts(&t, &s->supervisor);
	put_breakers(&t, &s->supervisor);
	put_jobs(&t, s);
	buf_free(t.cell);
	return t.failed;
}
