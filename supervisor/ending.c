/*
 * ending - the last line of a job's log, its counts, and its ACK or FAIL.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/ending.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/again.h"
#include "supervisor/dispatch_inside.h"
#include "supervisor/metrics.h"
#include "supervisor/notice.h"

static void
tell_server(struct task *t, struct notice *n)
{
	n->jid = t->job.jid.bytes;
	n->jid_len = t->job.jid.len;
	n->enqueued_at = t->job.enqueued_at.bytes;
	n->enqueued_at_len = t->job.enqueued_at.len;
	n->asked_at = task_asked_at(t);
	n->bury = n->failure != NULL && n->failure->dead &&
	    t->generation->settings->emulate_dead;
	/* A lost one is about somebody else's run by now. */
	if (!t->lost)
		report_tell(
		    t->dispatch->parts.reports[t->server], n, t->when.expires);
}

/* No failure of it would leave it anywhere. */
static bool
is_ephemeral(const struct task *t)
{
	return t->job.retry == 0;
}

/*
 * Our end came before the job's: whoever it goes to next runs it without
 * having counted an attempt, where the server can do that. What a failure
 * would delete is pushed once more on other servers. f is for all the rest.
 */
static void
plan_return(
    const struct task *t, bool ran, const struct failure *f, struct notice *n)
{
	enum ephemeral_action action =
	    t->generation->settings->shutdown_ephemeral;

	n->release = !(ran && is_ephemeral(t) && action == EPHEMERAL_FAIL);
	if (is_ephemeral(t) && t->len <= NOTICE_COPY_MAX &&
	    (action == EPHEMERAL_REPUSH ||
		(action == EPHEMERAL_WAIT && !ran))) {
		n->copy = t->bytes;
		n->copy_len = t->len;
	} else {
		n->failure = f;
	}
}

/* Whether that makes it somebody else's, as far as we know the server. */
static bool
goes_back(const struct task *t, const struct notice *n)
{
	return n->release &&
	    (n->copy_len > 0 ||
		report_takes_back(t->dispatch->parts.reports[t->server]));
}

/* The end of a job that is somebody else's from now on, if that goes. */
static void
give_back(struct task *t, const struct failure *f, struct notice *n)
{
	bool returned = goes_back(t, n);
	const struct job_end end = { JOB_FAILED,
		returned ? "returned" : "refused", -1 };

	job_log_end(&t->output.log, LOG_LEVEL_WARNING, &end,
	    "%s: %s; not run (attempt %lld of %lld); %s", f->errtype,
	    f->message, (long long)job_attempt(&t->job),
	    (long long)job_max_attempts(&t->job),
	    returned ? "given back" : "reported FAIL");
	tell_server(t, n);
	metrics_ended(t->dispatch->parts.metrics, &t->job,
	    returned ? METRICS_RETURNED : METRICS_REFUSED, NULL);
}

void
ending_given_back(struct task *t, const struct failure *f)
{
	struct notice n = { .release = true, .failure = f };

	give_back(t, f, &n);
}

void
ending_returned(struct task *t)
{
	static const struct failure f = { .errtype = "Shutdown",
		.message = "the worker is shutting down" };
	struct notice n = { 0 };

	plan_return(t, false, &f, &n);
	give_back(t, &f, &n);
}

void
ending_misfit(struct task *t, const char *why)
{
	const struct failure f = { .errtype = INVOCATION_ERRTYPE,
		.message = why,
		.dead = t->how->misfit_is_dead };

	ending_refused(t, &f);
}

bool
ending_may_wait(const struct task *t)
{
	return is_ephemeral(t) &&
	    t->generation->settings->shutdown_ephemeral == EPHEMERAL_WAIT;
}

void
ending_refused(struct task *t, const struct failure *f)
{
	const struct job_end end = { JOB_FAILED, "refused", -1 };

	job_log_end(&t->output.log, LOG_LEVEL_WARNING, &end,
	    "%s: %s; not run (attempt %lld of %lld); reported FAIL%s",
	    f->errtype, f->message, (long long)job_attempt(&t->job),
	    (long long)job_max_attempts(&t->job), f->dead ? " as dead" : "");
	tell_server(t, &(struct notice){ .failure = f });
	metrics_ended(
	    t->dispatch->parts.metrics, &t->job, METRICS_REFUSED, NULL);
}

static const char *
event_of(const struct task *t, const struct verdict *v)
{
	if (t->lost)
		return JOB_LOST;
	if (v->kind == VERDICT_DONE)
		return JOB_DONE;
	return strcmp(v->errtype, "MemoryLimit") == 0 ? JOB_OOM : JOB_FAILED;
}

/* What the log says of the end of a job that was not done. */
static const char *
fate_of(const struct verdict *v, const struct notice *n, bool returned)
{
	if (returned)
		return "given back";
	if (n->copy_len > 0)
		return "put off";
	return v->kind == VERDICT_DISCARD ? "reported ACK" : "reported FAIL";
}

static void
tell_log(const struct task *t, const struct run_facts *facts,
    const struct verdict *v, const struct notice *n, bool returned)
{
	const struct job_log *log = &t->output.log;
	double seconds = (double)facts->elapsed / 1e9;
	long long attempt = (long long)job_attempt(&t->job);
	long long most = (long long)job_max_attempts(&t->job);
	const struct job_end end = {
		.event = event_of(t, v),
		.outcome = t->lost ? "lost"
		    : returned     ? "returned"
				   : verdict_kind_name(v->kind),
		.elapsed = facts->started ? facts->elapsed : -1,
	};

	if (t->lost)
		job_log_end(log, LOG_LEVEL_WARNING, &end,
		    "ended after %.3f s (status 0x%04x); not ours any more, "
		    "nothing is reported",
		    seconds, (unsigned)facts->status);
	else if (v->kind == VERDICT_DONE)
		job_log_end(log, LOG_LEVEL_INFO, &end,
		    "done in %.3f s (attempt %lld of %lld, status 0x%04x)",
		    seconds, attempt, most, (unsigned)facts->status);
	else
		job_log_end(log, LOG_LEVEL_WARNING, &end,
		    "%s: %s; %s after %.3f s (attempt %lld of %lld, status "
		    "0x%04x); %s",
		    v->errtype, v->message, verdict_kind_name(v->kind), seconds,
		    attempt, most, (unsigned)facts->status,
		    fate_of(v, n, returned));
	if (facts->output_cut)
		job_log_say(log, LOG_LEVEL_WARNING, NULL,
		    "wrote more than its output_limit of %lld bytes",
		    (long long)t->how->output_limit);
	if (facts->left > 0)
		job_log_say(log, LOG_LEVEL_WARNING, NULL,
		    "left %zu processes behind; %s", facts->left,
		    t->how->leftover == LEFTOVER_WARN ? "they go on"
						      : "killed");
	if (facts->survived)
		job_log_say(log, LOG_LEVEL_ERROR, NULL,
		    "processes of it are alive %lld s after KILL",
		    (long long)(RUN_REAP / CLOCK_NS_PER_S));
}

/* Whether the server is to be spared a decision that it cannot make. */
static bool
wants_copy(const struct task *t, const struct failure *f)
{
	return f->retry_in > 0 && t->generation->settings->emulate_retry_in &&
	    job_attempt(&t->job) < job_max_attempts(&t->job);
}

/* Owned, also when it is of no use. */
static struct buf *
plan_again(const struct task *t, struct notice *n)
{
	struct buf *copy = buf_new(NOTICE_COPY_MAX);

	if (copy != NULL &&
	    again_put(copy, &t->job, n->failure, clock_wall()) == 0) {
		n->copy = buf_front(copy);
		n->copy_len = buf_len(copy);
	}
	return copy;
}

/* What the server is told of it; borrows from t, v and *f. */
static void
plan(const struct task *t, const struct run_facts *facts,
    const struct verdict *v, struct failure *f, struct notice *n)
{
	size_t most = t->job.backtrace > 0 ? (size_t)t->job.backtrace
					   : (size_t)JOB_BACKTRACE_MAX;

	*n = (struct notice){ .result = t->talk.result };
	if (v->kind == VERDICT_DONE)
		n->pushes = followups_jobs(&t->talk.then, &n->pushes_len);
	if (v->kind == VERDICT_DONE || v->kind == VERDICT_DISCARD)
		return;
	*f = (struct failure){ .errtype = v->errtype,
		.message = v->message,
		.backtrace = (const char *const *)v->backtrace,
		.nlines = v->nlines < most ? v->nlines : most,
		.dead = v->kind == VERDICT_DEAD,
		.retry_in =
		    (v->retry_in + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S };
	if (facts->reason == RUN_SHUTDOWN)
		plan_return(t, true, f, n);
	else
		n->failure = f;
}

void
ending_ran(
    struct task *t, const struct run_facts *facts, const struct verdict *v)
{
	struct metrics *m = t->dispatch->parts.metrics;
	struct failure f = { 0 };
	struct notice n;

	plan(t, facts, v, &f, &n);
	struct buf *copy =
	    n.failure != NULL && wants_copy(t, &f) ? plan_again(t, &n) : NULL;
	bool returned = goes_back(t, &n);
	tell_log(t, facts, v, &n, returned);
	metrics_ended(m, &t->job,
	    t->lost        ? METRICS_LOST
		: returned ? METRICS_RETURNED
			   : (enum metrics_outcome)v->kind,
	    facts);
	metrics_ignored(m, &t->job, t->talk.ignored);
	tell_server(t, &n);
	buf_free(copy);
}
