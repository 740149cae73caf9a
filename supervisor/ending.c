/*
 * ending - the last line of a job's log, its counts, and its ACK or FAIL.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/ending.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/dispatch_inside.h"
#include "supervisor/metrics.h"
#include "supervisor/notice.h"

/* f NULL: it is over; `done`: by success. */
static void
tell_server(struct task *t, bool done, const struct failure *f)
{
	struct notice n = { .jid = t->job.jid.bytes,
		.jid_len = t->job.jid.len,
		.failure = f,
		.bury = f != NULL && f->dead &&
		    t->generation->settings->emulate_dead };

	n.result = t->talk.result;
	if (done)
		n.pushes = followups_jobs(&t->talk.then, &n.pushes_len);
	/* A lost one is about somebody else's run by now. */
	if (!t->lost)
		report_tell(t->dispatch->parts.report, &n, t->when.expires);
}

void
ending_refused(struct task *t, const struct failure *f)
{
	const struct job_end end = { JOB_FAILED, "refused", -1 };

	job_log_end(&t->output.log, LOG_LEVEL_WARNING, &end,
	    "%s: %s; not run (attempt %lld of %lld); reported FAIL%s",
	    f->errtype, f->message, (long long)job_attempt(&t->job),
	    (long long)job_max_attempts(&t->job), f->dead ? " as dead" : "");
	tell_server(t, false, f);
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

static void
tell_log(const struct task *t, const struct run_facts *facts,
    const struct verdict *v)
{
	const struct job_log *log = &t->output.log;
	double seconds = (double)facts->elapsed / 1e9;
	long long attempt = (long long)job_attempt(&t->job);
	long long most = (long long)job_max_attempts(&t->job);
	const struct job_end end = {
		.event = event_of(t, v),
		.outcome = t->lost ? "lost" : verdict_kind_name(v->kind),
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
		    "0x%04x); reported %s",
		    v->errtype, v->message, verdict_kind_name(v->kind), seconds,
		    attempt, most, (unsigned)facts->status,
		    v->kind == VERDICT_DISCARD ? "ACK" : "FAIL");
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

static void
report_failure(struct task *t, const struct verdict *v)
{
	size_t most = t->job.backtrace > 0 ? (size_t)t->job.backtrace
					   : (size_t)JOB_BACKTRACE_MAX;
	const struct failure f = { .errtype = v->errtype,
		.message = v->message,
		.backtrace = (const char *const *)v->backtrace,
		.nlines = v->nlines < most ? v->nlines : most,
		.dead = v->kind == VERDICT_DEAD,
		.retry_in =
		    (v->retry_in + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S };

	tell_server(t, false, &f);
}

void
ending_ran(
    struct task *t, const struct run_facts *facts, const struct verdict *v)
{
	tell_log(t, facts, v);
	metrics_ended(t->dispatch->parts.metrics, &t->job,
	    t->lost ? METRICS_LOST : (enum metrics_outcome)v->kind, facts);
	metrics_ignored(t->dispatch->parts.metrics, &t->job, t->talk.ignored);
	if (v->kind == VERDICT_DONE || v->kind == VERDICT_DISCARD)
		tell_server(t, v->kind == VERDICT_DONE, NULL);
	else
		report_failure(t, v);
}
