/*
 * once - one program run to its end, on a loop of its own.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/once.h"

#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log_line.h"
#include "handlers/in_child.h"
#include "handlers/spawner.h"
#include "supervisor/containment.h"
#include "supervisor/files.h"
#include "supervisor/judge.h"
#include "supervisor/orphans.h"
#include "supervisor/request.h"
#include "supervisor/scratch.h"

/* Each byte may become four: "\\x1b". */
enum { LINE_ESCAPED_MAX = 4 * RUN_LINE_MAX };

struct once {
	struct ev_loop *loop;
	struct run *run; /* NULL before and after */
	const struct handler *how;
	const struct timeline *when;
	struct output output;
	struct buf *line; /* as it is printed */
	struct kin *kin;
	struct job_log log; /* until the end of the process */
	struct cgroups *cgroups;
	struct once_result *result;
};

static void
on_line(
    void *ctx, enum run_stream stream, const char *bytes, size_t len, bool more)
{
	struct once *o = ctx;

	if (stream == RUN_STDOUT && o->how->stdout_result) {
		talk_print(&o->result->talk, bytes, len, more);
		return;
	}
	/* Somebody's terminal: what is printed must not command it. */
	buf_clear(o->line);
	if (log_line_escape(o->line, bytes, len) == 0)
		(void)fwrite(buf_front(o->line), 1, buf_len(o->line), stderr);
	if (!more)
		fputc('\n', stderr);
}

static void
on_message(void *ctx, const char *bytes, size_t len, bool more)
{
	struct once *o = ctx;

	talk_line(&o->result->talk, bytes, len, more);
}

static void
on_done(void *ctx, const struct run_facts *facts)
{
	struct once *o = ctx;

	talk_end(&o->result->talk, facts->output_cut);
	judge(&o->result->verdict, o->how, facts, talk_error(&o->result->talk),
	    talk_refusal(&o->result->talk));
	if (o->result->verdict.kind == VERDICT_DONE)
		talk_tell_unused(&o->result->talk);
	output_tell(&o->output);
	o->result->facts = *facts;
	o->result->facts.why_text = NULL;
	o->result->facts.tail = NULL;
	o->result->facts.tail_len = 0;
	o->run = NULL;
	ev_break(o->loop, EVBREAK_ALL);
}

static void
on_signal(struct ev_loop *loop, ev_signal *w, int revents)
{
	struct once *o = w->data;

	(void)loop;
	(void)revents;
	if (o->run != NULL)
		run_stop(o->run, RUN_CANCELLED, o->when->grace);
}

static void
listen_to(struct once *o, const struct invocation_request *q, int64_t deadline)
{
	talk_start(&o->result->talk,
	    &(struct talk_parts){ .loop = o->loop,
		.run = o->run,
		.output = &o->output,
		.how = q->handler,
		.log = &o->log,
		.dispatch = q->dispatch_id,
		.deadline = deadline,
		.latest = o->when->latest,
		.grace = o->when->grace });
}

/* The program is a child of the spawner's threads. */
static bool
is_ours(void *ctx, pid_t pid)
{
	(void)ctx;
	(void)pid;
	return false;
}

static void
reap_orphans(void *ctx)
{
	orphans_look(ctx);
}

/* Runs *v with the loop turning until its end. */
static int
run_and_wait(struct once *o, struct spawner *spawner,
    const struct invocation *v, const struct invocation_request *q,
    struct err *e)
{
	static const struct run_hooks hooks = {
		.line = on_line, .message = on_message, .done = on_done
	};
	ev_signal interrupted, terminated;
	struct run_request req = {
		.kin = o->kin,
		.cgroups = o->cgroups,
		.id = q->dispatch_id,
		.deadline = clock_mono() + q->timeout,
		.grace = o->when->grace,
	};

	request_limits(&req, q->handler);
	request_start(&req, v, q->handler);

	/* Before the start, whose child resets what is set by then. */
	ev_signal_init(&interrupted, on_signal, SIGINT);
	ev_signal_init(&terminated, on_signal, SIGTERM);
	interrupted.data = o;
	terminated.data = o;
	ev_signal_start(o->loop, &interrupted);
	ev_signal_start(o->loop, &terminated);
	in_child_signals_changed();

	o->run = run_start(o->loop, spawner, &req, &hooks, o);
	bool started = o->run != NULL;
	if (started)
		listen_to(o, q, req.deadline);
	while (o->run != NULL)
		ev_run(o->loop, 0);
	ev_signal_stop(o->loop, &interrupted);
	ev_signal_stop(o->loop, &terminated);
	return started ? 0 : err_set(e, ENOMEM, "memory is short");
}

static int
run_in(struct once *o, struct spawner *spawner, const char *dir,
    struct invocation_request *q, struct err *e)
{
	struct invocation v;

	q->tmpdir = dir;
	if (invocation_make(&v, q, e) < 0)
		return -e->code;
	int r = files_write(q->handler, q->job, dir, e);
	if (r == 0)
		r = run_and_wait(o, spawner, &v, q, e);
	invocation_clear(&v);
	return r;
}

int
once_run(const struct settings *settings, struct invocation_request *q,
    const struct timeline *when, struct once_result *result, struct err *e)
{
	struct once o = {
		/* Not the default loop: that one reaps every child itself. */
		.loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV),
		.how = q->handler,
		.when = when,
		.output = { .how = q->handler },
		.log = { .jid = q->dispatch_id,
		    .jobtype = q->handler->jobtype,
		    .queue = "",
		    .dispatch = "" },
		.result = result,
	};
	struct spawner *spawner = NULL;
	struct orphans *orphans = NULL;
	struct scratch *scratch = NULL;
	char *dir = NULL;
	int r;

	o.kin = kin_new();
	o.line = buf_new(LINE_ESCAPED_MAX);
	if (o.loop == NULL || o.kin == NULL || o.line == NULL ||
	    (spawner = spawner_new(o.loop)) == NULL ||
	    (orphans = orphans_new(o.loop, is_ours, NULL)) == NULL) {
		r = err_set(e, ENOMEM, "memory is short");
		goto done;
	}
	kin_set_reaper(o.kin, reap_orphans, orphans);
	r = containment_open(settings, &o.cgroups, e);
	if (r == 0)
		r = containment_units(settings, CONTAINMENT_PATIENCE, e);
	if (r < 0)
		goto done;
	scratch = scratch_open(o.loop, spawner, settings->tmpdir, e);
	if (scratch != NULL)
		dir = scratch_make(scratch, e);
	r = dir != NULL ? run_in(&o, spawner, dir, q, e) : -e->code;
	/* Only a job that does not fit is the job's fault. */
	if (dir == NULL && r == -EINVAL)
		r = -EIO;

done:
	free(dir);
	scratch_close(scratch); /* the directory goes with it */
	spawner_free(spawner);
	kin_free(o.kin);
	orphans_free(orphans);
	buf_free(o.line);
	cgroups_close(o.cgroups);
	if (o.loop != NULL)
		ev_loop_destroy(o.loop);
	return r;
}
