/*
 * follow - ears at taps, and the lines that they become.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/follow.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/json.h"
#include "protocol/field.h"
#include "supervisor/joblist.h"

/* A line of output and two names, each byte escaped. */
enum { LINE_MAX_BYTES = 6 * (RUN_LINE_MAX + 2 * 1024) + 1024 };

static const char listening[] = "{\"listening\":true}\n";
static const char done[] = "{\"done\":true}\n";

struct ear {
	struct tap_ear tap;
	LIST_ENTRY(ear) link;
	struct follow *follow;
	const char *jid; /* borrowed until the job has ended */
	const char *jobtype;
	bool deaf; /* to what was printed before */
};

struct follow {
	LIST_ENTRY(follow) link;
	LIST_HEAD(ears, ear) ears;
	struct follows *of;
	struct control_peer *peer;
	bool all;
};

struct follows {
	LIST_HEAD(follow_list, follow) list;
	struct dispatch *dispatch;
	struct buf *line; /* that is being written */
};

/* The peer has no more use of it. */
static void
forget(struct follow *w)
{
	struct ear *ear;

	while ((ear = LIST_FIRST(&w->ears)) != NULL) {
		LIST_REMOVE(ear, link);
		tap_leave(&ear->tap);
		free(ear);
	}
	LIST_REMOVE(w, link);
	free(w);
}

static void
on_gone(void *data)
{
	forget(data);
}

static void
say(struct follow *w, int put)
{
	struct buf *line = w->of->line;

	/* Without memory for it a line is missing: no more than that. */
	if (put < 0 || field_put_end(line) < 0 || buf_putc(line, '\n') < 0)
		return;
	(void)control_line(w->peer, buf_front(line), buf_len(line));
}

/* An object is begun with a name and a jid. */
static int
begin_line(struct follow *w, const char *name, const char *jid)
{
	struct buf *line = w->of->line;

	buf_clear(line);
	int r = buf_putc(line, '{');
	return r < 0 ? r : field_put_text(line, name, jid);
}

static const char *
level_name(enum log_level level)
{
	static const char *const names[] = { [LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug" };

	return names[level];
}

static void
say_line(const struct ear *ear, const struct tap_line *line)
{
	struct buf *out = ear->follow->of->line;
	int r = begin_line(ear->follow, "jid", ear->jid);

	if (r == 0)
		r = field_put_text(out, "jobtype", ear->jobtype);
	if (r == 0)
		r = field_put_text(out, "stream",
		    line->stream == RUN_STDOUT ? "stdout" : "stderr");
	if (r == 0)
		r = field_put_text(out, "level", level_name(line->level));
	if (r == 0)
		r = buf_printf(out,
		    "\"more\":%s,\"text\":", line->more ? "true" : "false");
	if (r == 0)
		r = json_put_string(out, line->bytes, line->len);
	if (r == 0)
		r = buf_putc(out, ',');
	say(ear->follow, r);
}

/* The tap has let go of the ear already. */
static void
on_end(struct ear *ear)
{
	struct follow *w = ear->follow;

	say(w, begin_line(w, "ended", ear->jid));
	LIST_REMOVE(ear, link);
	free(ear);
	if (w->all)
		return;
	control_last(w->peer, done, sizeof done - 1);
	forget(w);
}

static void
on_hear(void *ctx, const struct tap_line *line)
{
	struct ear *ear = ctx;

	if (line == NULL)
		on_end(ear);
	else if (!ear->deaf)
		say_line(ear, line);
}

static int
attach(struct follow *w, const struct joblist_job *job, bool deaf)
{
	struct ear *ear = calloc(1, sizeof *ear);

	if (ear == NULL)
		return -ENOMEM;
	ear->tap = (struct tap_ear){ .hear = on_hear, .ctx = ear };
	ear->follow = w;
	ear->jid = job->jid;
	ear->jobtype = job->jobtype;
	ear->deaf = deaf;
	LIST_INSERT_HEAD(&w->ears, ear, link);
	tap_listen(job->tap, &ear->tap);
	ear->deaf = false;
	return 0;
}

/* A job without an ear is missing from what is heard: no more than that. */
static bool
on_present(void *ctx, const struct joblist_job *job)
{
	/* A held one is heard from its beginning on. */
	if (job->state != JOBLIST_HELD)
		(void)attach(ctx, job, true);
	return true;
}

static void
on_began(void *ctx, const struct joblist_job *job)
{
	struct follows *f = ctx;
	struct follow *w;

	for (w = LIST_FIRST(&f->list); w != NULL; w = LIST_NEXT(w, link)) {
		if (!w->all)
			continue;
		int r = begin_line(w, "began", job->jid);
		if (r == 0)
			r = field_put_text(f->line, "jobtype", job->jobtype);
		say(w, r);
		(void)attach(w, job, false);
	}
}

struct follows *
follows_new(struct dispatch *d)
{
	struct follows *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->line = buf_new(LINE_MAX_BYTES);
	if (f->line == NULL) {
		free(f);
		return NULL;
	}
	LIST_INIT(&f->list);
	f->dispatch = d;
	joblist_watch(d, on_began, f);
	return f;
}

void
follows_free(struct follows *f)
{
	if (f == NULL)
		return;
	joblist_watch(f->dispatch, NULL, NULL);
	buf_free(f->line);
	free(f);
}

int
follows_add(struct follows *f, struct control_peer *peer, const char *jid)
{
	struct follow *w = calloc(1, sizeof *w);
	struct joblist_job job;

	if (w == NULL)
		return -ENOMEM;
	LIST_INIT(&w->ears);
	w->of = f;
	w->peer = peer;
	w->all = jid == NULL;
	if (jid != NULL && !joblist_find(f->dispatch, jid, &job)) {
		free(w);
		return -ENOENT;
	}
	LIST_INSERT_HEAD(&f->list, w, link);
	control_stay(peer, on_gone, w);
	(void)control_line(peer, listening, sizeof listening - 1);
	if (jid == NULL) {
		joblist_walk(f->dispatch, on_present, w);
		return 0;
	}
	if (attach(w, &job, false) < 0) {
		/* It hears an end without a last line. */
		control_last(peer, "", 0);
		forget(w);
	}
	return 0;
}
