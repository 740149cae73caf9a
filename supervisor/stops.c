/*
 * stops - jobs that are ended before they end by themselves: cancelled, given
 * away by the server, or in the way of our own end.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/dispatch.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>

#include "handlers/run.h"
#include "supervisor/dispatch_inside.h"
#include "supervisor/ending.h"
#include "supervisor/gate.h"
#include "supervisor/job_log.h"
#include "supervisor/lane.h"
#include "supervisor/metrics.h"
#include "supervisor/task.h"

static void
stop_all(struct dispatch *d, bool now)
{
	struct task *t, *next;

	d->closed = true;
	for (t = TAILQ_FIRST(&d->all); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		if (t->run != NULL && !now && ending_may_wait(t))
			continue;
		if (t->run != NULL) {
			task_tell_why(t, "shutdown");
			run_stop(t->run, RUN_SHUTDOWN, now ? 0 : t->when.grace);
			continue;
		}
		struct lane *lane = t->lane;
		gate_unhold(t);
		dispatch_return(t);
		lane_settle(lane);
	}
}

static void
lose(struct task *t)
{
	t->lost = true;
	t->dispatch->lost++;
	job_log_say(&t->output.log, LOG_LEVEL_WARNING, NULL,
	    "the server has given this job away; %s",
	    t->run != NULL ? "ending its program" : "not run");
}

static int
cancel(struct task *t, enum cancel_reason reason)
{
	static const char *const names[] = { [CANCEL_USER] = "user",
		[CANCEL_SERVER] = "server",
		[CANCEL_LOST] = "lost" };

	if (t == NULL)
		return -ENOENT;
	if (reason == CANCEL_LOST)
		lose(t);
	if (t->run != NULL) {
		task_tell_why(t, names[reason]);
		run_stop(t->run,
		    reason == CANCEL_LOST ? RUN_LOST : RUN_CANCELLED,
		    reason == CANCEL_LOST ? 0 : t->when.grace);
		return 0;
	}
	struct lane *lane = t->lane;
	gate_unhold(t);
	if (reason == CANCEL_LOST) {
		metrics_ended(
		    t->dispatch->parts.metrics, &t->job, METRICS_LOST, NULL);
		dispatch_leave(t);
	} else {
		dispatch_refuse(t, "Cancelled", "cancelled before it was run");
	}
	lane_settle(lane);
	return 0;
}

int
dispatch_cancel(struct dispatch *d, const char *jid, enum cancel_reason reason)
{
	return cancel(dispatch_find(d, jid), reason);
}

int
dispatch_cancel_of(struct dispatch *d, size_t server, const char *jid,
    enum cancel_reason reason)
{
	struct task *t;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		if (t->server == server && strcmp(t->jid, jid) == 0 && !t->lost)
			break;
	return cancel(t, reason);
}

bool
dispatch_still_ends(const struct task *t)
{
	const struct dispatch *d = t->dispatch;
	const struct task *other = d->lost > 0 ? TAILQ_FIRST(&d->all) : NULL;

	for (; other != NULL; other = TAILQ_NEXT(other, link))
		if (other->lost && strcmp(other->jid, t->jid) == 0)
			return true;
	return false;
}

void
dispatch_interrupt(struct dispatch *d)
{
	stop_all(d, false);
}

bool
dispatch_waits(const struct dispatch *d)
{
	const struct task *t;

	for (t = TAILQ_FIRST(&d->all); t != NULL; t = TAILQ_NEXT(t, link))
		if (t->run != NULL && ending_may_wait(t))
			return true;
	return false;
}

void
dispatch_kill(struct dispatch *d)
{
	stop_all(d, true);
}
