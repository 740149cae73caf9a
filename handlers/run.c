/*
 * run - one program from start to end: fed, drained, timed, stopped, reaped.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/run_end.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* In one turn of the loop, so that no program keeps it from the others. */
enum { TURN_MAX = 64 * 1024 };

void
run_set_timer(struct run *r, int64_t due)
{
	int64_t left = due - clock_mono();

	r->due = due;
	ev_timer_stop(r->loop, &r->timer);
	ev_timer_set(&r->timer,
	    left > 0 ? (double)left / (double)CLOCK_NS_PER_S : 0., 0.);
	ev_timer_start(r->loop, &r->timer);
}

/*
 * The leader becomes a zombie and stays one until run_end reaps it: its pid, and with
 * it the number of the group, cannot be used again before.
 */
static bool
has_ended(const struct run *r)
{
	siginfo_t info = { 0 };
	int result;

	do
		result = waitid(P_PIDFD, (id_t)r->pidfd, &info,
		    WEXITED | WNOHANG | WNOWAIT);
	while (result < 0 && errno == EINTR);
	return result < 0 || info.si_pid != 0;
}

static void
stop_feeding(struct run *r)
{
	if (r->in < 0)
		return;
	ev_io_stop(r->loop, &r->writable);
	close(r->in);
	r->in = -1;
}

void
run_free(struct run *r)
{
	for (size_t i = 0; i < RUN_STREAMS; i++)
		outlet_clear(&r->outlets[i]);
	cgroup_free(r->tree.leaf);
	pidspace_clear(&r->tree.space);
	tail_free(r->tail);
	free(r->carried);
	free(r);
}

static void
kill_all(struct run *r)
{
	r->state = KILLED;
	r->facts.killed = true;
	tree_kill(&r->tree);
}

static void
term_all(struct run *r, int64_t grace)
{
	r->state = STOPPING;
	run_read(r);
	if (r->hooks->stopping != NULL)
		r->hooks->stopping(r->ctx, r->facts.reason);
	tree_term(&r->tree);
	run_set_timer(r, clock_mono() + grace);
}

void
run_give_reason(struct run *r, enum run_reason reason)
{
	if (r->facts.reason == RUN_BY_ITSELF)
		r->facts.reason = reason;
}

void
run_stop(struct run *r, enum run_reason reason, int64_t grace)
{
	switch (r->state) {
	case STARTING:
		if (r->facts.reason == RUN_BY_ITSELF || grace < r->grace)
			r->grace = grace;
		run_give_reason(r, reason);
		break;
	case RUNNING:
		if (has_ended(r)) /* the loop is about to hear of it */
			break;
		run_give_reason(r, reason);
		term_all(r, grace);
		break;
	case STOPPING:
		if (clock_mono() + grace < r->due)
			run_set_timer(r, clock_mono() + grace);
		break;
	case LINGERING:
		run_give_reason(r, reason);
		run_end_sooner(r, grace);
		break;
	case KILLED:
	case DRAINING:
	case SWEEPING:
	case BURYING:
		break;
	}
}

/* The first reading comes before it. */
static void
await_deadline(struct run *r)
{
	int64_t first = r->began + RUN_FIRST_READ;

	run_set_timer(
	    r, r->reading || r->deadline < first ? r->deadline : first);
}

static void
read_from_now_on(struct run *r)
{
	run_read(r);
	await_deadline(r);
}

void
run_set_deadline(struct run *r, int64_t deadline)
{
	r->deadline = deadline;
	if (r->state == RUNNING)
		await_deadline(r);
	else if (r->state == LINGERING && !r->facts.killed)
		r->until = deadline;
}

bool
run_is_stopped(const struct run *r)
{
	return r->facts.reason != RUN_BY_ITSELF;
}

pid_t
run_pid(const struct run *r)
{
	return r->pid;
}

bool
run_owns(const struct run *r, pid_t pid)
{
	return pid != 0 && (pid == r->pid || pid == r->tree.space.init);
}

/* A program that does not read its input is within its rights. */
static void
feed(struct run *r)
{
	ssize_t n = 0;

	if (r->input_len > 0)
		n = write(r->in, r->input,
		    r->input_len < TURN_MAX ? r->input_len : TURN_MAX);
	if (n > 0) {
		r->input += n;
		r->input_len -= (size_t)n;
	}
	bool again = n < 0 && (errno == EAGAIN || errno == EINTR);
	if (r->input_len == 0 || (n < 0 && !again))
		stop_feeding(r);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int events)
{
	(void)loop;
	(void)events;
	feed(w->data);
}

static void
on_ended(struct ev_loop *loop, ev_io *w, int events)
{
	struct run *r = w->data;

	(void)events;
	if (r->state == BURYING) {
		run_end_left(r);
		return;
	}
	if (!has_ended(r))
		return;
	r->facts.elapsed = clock_mono() - r->began;
	ev_io_stop(loop, w);
	stop_feeding(r);
	run_end_begin(r);
}

/* The loop's idea of the time lags behind: it may come a little early. */
static void
on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
	struct run *r = w->data;

	(void)loop;
	(void)events;
	if (r->state == STARTING) {
		ev_timer_stop(r->loop, &r->timer);
		run_tell(r); /* what could not be made is in the facts */
		return;
	}
	int64_t now = clock_mono();
	if (now < r->due)
		run_set_timer(r, r->due);
	else if (r->state == RUNNING && now < r->deadline)
		read_from_now_on(r);
	else if (r->state == RUNNING)
		run_stop(r, RUN_TIMEOUT, r->req->grace);
	else if (r->state == STOPPING)
		kill_all(r);
	else
		run_end_look(r);
}

static void
on_spawned(void *ctx, int result, const struct spawn_child *child,
    const struct spawn_failure *why)
{
	struct run *r = ctx;

	if (r->tree.leaf != NULL)
		cgroup_entered(r->tree.leaf);
	if (result < 0) {
		r->facts.why = *why;
		if (why->stage == SPAWN_SCOPE && r->scope_why.code != 0)
			r->facts.why_text = r->scope_why.text;
		run_tell(r);
		return;
	}
	r->facts.started = true;
	r->began = clock_mono();
	r->pid = child->pid;
	r->tree.space = child->space;
	if (child->leaf != NULL)
		r->tree.leaf = child->leaf;
	tree_init(&r->tree, r->req->kin, child->pid, r->req->id);
	r->pidfd = child->pidfd;
	r->in = child->in;
	ev_io_set(&r->ended, r->pidfd, EV_READ);
	ev_io_start(r->loop, &r->ended);
	outlet_open(&r->outlets[RUN_STDOUT], child->out);
	outlet_open(&r->outlets[RUN_STDERR], child->err);
	if (child->control >= 0)
		outlet_open(&r->outlets[RUN_CONTROL], child->control);

	r->state = RUNNING;
	if (r->facts.reason != RUN_BY_ITSELF)
		term_all(r, r->grace);
	else
		await_deadline(r);
	if (r->in >= 0) {
		ev_io_set(&r->writable, r->in, EV_WRITE);
		ev_io_start(r->loop, &r->writable);
		feed(r);
	}
}

struct run *
run_new(struct ev_loop *loop, const struct run_request *req)
{
	const size_t line_max[RUN_STREAMS] = { RUN_LINE_MAX, RUN_LINE_MAX,
		req->message_max > 0 ? req->message_max : RUN_LINE_MAX };
	struct run *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->state = STARTING;
	r->loop = loop;
	r->pidfd = -1;
	r->in = -1;
	r->tail = tail_new(RUN_TAIL_MAX);
	ev_init(&r->writable, on_writable);
	ev_init(&r->ended, on_ended);
	ev_init(&r->timer, on_timer);
	r->writable.data = r;
	r->ended.data = r;
	r->timer.data = r;
	bool ok = r->tail != NULL;
	for (size_t i = 0; i < RUN_STREAMS; i++)
		ok &= outlet_init(&r->outlets[i], loop, line_max[i],
			  &run_outlet_hooks, r) == 0;
	if (!ok) {
		run_free(r);
		return NULL;
	}
	return r;
}

/* False with the reason in the facts, which is told in the next turn. */
static bool
make_leaf(struct run *r)
{
	r->tree.leaf =
	    cgroup_make(r->req->cgroups, r->req->id, &r->req->limits);
	if (r->tree.leaf == NULL) {
		r->facts.why = (struct spawn_failure){ SPAWN_CGROUP, errno };
		return false;
	}
	r->spawn.cgroup = cgroup_entrance(r->tree.leaf);
	return true;
}

struct run *
run_start(struct ev_loop *loop, struct spawner *spawner,
    const struct run_request *req, const struct run_hooks *hooks, void *ctx)
{
	struct run *r = run_new(loop, req);

	if (r == NULL)
		return NULL;
	r->req = req;
	r->hooks = hooks;
	r->ctx = ctx;
	r->input = req->input;
	r->input_len = req->input_len;
	r->deadline = req->deadline;
	r->spawn = req->spawn;
	r->spawn.scope_why = &r->scope_why;
	if (req->cgroups != NULL && !make_leaf(r)) {
		run_set_timer(r, clock_mono());
		return r;
	}
	if (spawner_start(spawner, &r->spawn, on_spawned, r) == NULL) {
		run_free(r);
		return NULL;
	}
	return r;
}
