/*
 * orders - a function for each request.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/orders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "protocol/field.h"
#include "supervisor/control.h"
#include "supervisor/follow.h"
#include "supervisor/health.h"
#include "supervisor/inside.h"
#include "supervisor/joblist.h"
#include "supervisor/overview.h"

/* Who waits for the end of a drain. */
struct waiter {
	LIST_ENTRY(waiter) link;
	struct control_peer *peer;
	size_t busy; /* what it was told last */
};

struct orders {
	struct supervisor *supervisor;
	struct control *control;
	struct follows *follows;
	struct buf *line; /* that is being written */
	LIST_HEAD(waiters, waiter) waiters;
};

static void
fail(struct orders *o, struct control_peer *p, const char *code,
    const char *text)
{
	struct buf *line = o->line;

	buf_clear(line);
	int r = buf_printf(line, "{\"code\":\"%s\",", code);
	if (r == 0)
		r = field_put_text(line, "error", text);
	if (r == 0)
		r = field_put_end(line);
	if (r == 0)
		r = buf_putc(line, '\n');
	control_last(p, buf_front(line), r == 0 ? buf_len(line) : 0);
}

static void
fail_unknown(struct orders *o, struct control_peer *p, const char *jid)
{
	char text[160];

	snprintf(text, sizeof text, "no job %.100s is here", jid);
	fail(o, p, "not-found", text);
}

/* How far the work is, and that this was all. */
static void
succeed(struct orders *o, struct control_peer *p)
{
	char line[128];
	int n = snprintf(line, sizeof line, "{\"done\":true,\"busy\":%zu}\n",
	    dispatch_busy(o->supervisor->dispatch));

	control_last(p, line, (size_t)n);
}

static void
log_order(const struct control_peer *p, const char *verb, const char *jid)
{
	log_say(LOG_LEVEL_INFO, "control", "%s: %s%s%s", control_who(p), verb,
	    *jid != '\0' ? " " : "", jid);
}

/* ---- status ---- */

struct listing {
	struct orders *orders;
	struct control_peer *peer;
	int64_t now;
	size_t left_out;
};

static bool
on_job(void *ctx, const struct joblist_job *job)
{
	struct listing *l = ctx;
	struct buf *line = l->orders->line;

	buf_clear(line);
	if (overview_put_job(line, job, l->now) < 0 ||
	    !control_line(l->peer, buf_front(line), buf_len(line)))
		l->left_out++;
	return true;
}

static void
order_status(struct orders *o, struct control_peer *p)
{
	struct listing l = { o, p, clock_mono(), 0 };
	char last[128];

	buf_clear(o->line);
	if (overview_put(o->line, o->supervisor, l.now) < 0 ||
	    !control_line(p, buf_front(o->line), buf_len(o->line))) {
		fail(o, p, "busy", "too much waits to be read by others");
		return;
	}
	joblist_walk(o->supervisor->dispatch, on_job, &l);
	int n = snprintf(last, sizeof last,
	    "{\"done\":true,\"left_out\":%zu}\n", l.left_out);
	control_last(p, last, (size_t)n);
}

/* ---- jobs ---- */

static void
order_tail(struct orders *o, struct control_peer *p, const char *jid)
{
	switch (follows_add(o->follows, p, *jid != '\0' ? jid : NULL)) {
	case 0:
		return;
	case -ENOENT:
		fail_unknown(o, p, jid);
		return;
	default:
		fail(o, p, "busy", "out of memory");
		return;
	}
}

static void
order_cancel(struct orders *o, struct control_peer *p, const char *jid)
{
	log_order(p, "cancel", jid);
	if (dispatch_cancel(o->supervisor->dispatch, jid, CANCEL_USER) == 0)
		succeed(o, p);
	else
		fail_unknown(o, p, jid);
}

/* ---- quiet, resume, drain ---- */

static bool
is_ending(struct orders *o, struct control_peer *p)
{
	if (lifecycle_phase(o->supervisor->lifecycle) <= LIFECYCLE_QUIET)
		return false;
	fail(o, p, "refused", "the supervisor is shutting down");
	return true;
}

static void
order_quiet(struct orders *o, struct control_peer *p)
{
	if (is_ending(o, p))
		return;
	log_order(p, "quiet", "");
	lifecycle_quiet(o->supervisor->lifecycle, QUIET_BY_OPERATOR);
	succeed(o, p);
}

static void
drop_waiter(struct waiter *w)
{
	LIST_REMOVE(w, link);
	free(w);
}

static void
on_gone(void *data)
{
	drop_waiter(data);
}

static void
order_resume(struct orders *o, struct control_peer *p)
{
	struct waiter *w, *next;

	if (is_ending(o, p))
		return;
	log_order(p, "resume", "");
	if (lifecycle_unquiet(o->supervisor->lifecycle) == -EPERM) {
		fail(o, p, "refused",
		    "the server asked for quiet, and does not take that back; "
		    "a restart ends it");
		return;
	}
	for (w = LIST_FIRST(&o->waiters); w != NULL; w = next) {
		next = LIST_NEXT(w, link);
		fail(o, w->peer, "called-off", "the drain was called off");
		drop_waiter(w);
	}
	succeed(o, p);
}

static void
tell_waiter(struct orders *o, struct waiter *w)
{
	char line[64];
	size_t busy = dispatch_busy(o->supervisor->dispatch);

	if (busy == w->busy)
		return;
	w->busy = busy;
	int n = snprintf(line, sizeof line, "{\"busy\":%zu}\n", busy);
	(void)control_line(w->peer, line, (size_t)n);
}

static void
order_drain(struct orders *o, struct control_peer *p, bool wait)
{
	struct lifecycle *l = o->supervisor->lifecycle;
	struct waiter *w;

	/* Who waits may begin anew while the end is near. */
	if (!wait && is_ending(o, p))
		return;
	log_order(p, "drain", "");
	if (!wait) {
		succeed(o, p);
	} else {
		w = calloc(1, sizeof *w);
		if (w == NULL) {
			fail(o, p, "busy", "out of memory");
			return;
		}
		w->peer = p;
		w->busy = (size_t)-1;
		LIST_INSERT_HEAD(&o->waiters, w, link);
		control_stay(p, on_gone, w);
		tell_waiter(o, w);
	}
	lifecycle_quiet(l, QUIET_BY_OPERATOR | QUIET_TO_THE_END);
}

static void
on_asked(void *ctx, struct control_peer *p, const struct control_request *q)
{
	struct orders *o = ctx;

	switch (q->verb) {
	case CONTROL_STATUS:
		order_status(o, p);
		break;
	case CONTROL_TAIL:
		order_tail(o, p, q->jid);
		break;
	case CONTROL_CANCEL:
		order_cancel(o, p, q->jid);
		break;
	case CONTROL_QUIET:
		order_quiet(o, p);
		break;
	case CONTROL_RESUME:
		order_resume(o, p);
		break;
	case CONTROL_DRAIN:
		order_drain(o, p, q->wait);
		break;
	case CONTROL_VERBS:
		break;
	}
}

/* ---- begin and end ---- */

/* Where orders are taken; NULL: nowhere. */
static const char *
find_place(const struct supervisor *s, char runtime[CONTROL_SOCKET_MAX + 1])
{
	const char *chosen = s->now->settings->control_socket;

	if (chosen != NULL)
		return strcmp(chosen, CONTROL_OFF) == 0 ? NULL : chosen;
	return control_settings_runtime(s->given.lookup, runtime) ? runtime
								  : NULL;
}

static int
make(struct supervisor *s, struct err *e)
{
	struct orders *o = calloc(1, sizeof *o);

	s->orders = o;
	if (o == NULL)
		return err_set(e, ENOMEM, "out of memory");
	LIST_INIT(&o->waiters);
	o->supervisor = s;
	o->line = buf_new(OVERVIEW_LINE_MAX);
	o->follows = follows_new(s->dispatch);
	o->control = control_new(s->loop, &s->socket, on_asked, o);
	if (o->line == NULL || o->follows == NULL || o->control == NULL)
		return err_set(e, ENOMEM, "out of memory");
	log_say(LOG_LEVEL_INFO, "control", "orders are taken at %s",
	    s->socket.path);
	return 0;
}

int
orders_open(struct supervisor *s, struct err *e)
{
	const struct settings *settings = s->now->settings;
	char runtime[CONTROL_SOCKET_MAX + 1];
	const char *place = find_place(s, runtime);

	if (!control_socket_fits(&s->socket, place, settings->control_group))
		control_socket_close(&s->socket);
	if (place == NULL)
		return 0;
	if (s->socket.fd < 0 &&
	    control_socket_open(&s->socket, place, settings->control_group, e) <
		0) {
		(void)err_wrap(e, "control.socket");
		if (settings->control_socket != NULL &&
		    s->given.handover == NULL)
			return -e->code;
		log_say(LOG_LEVEL_ERROR, "control",
		    "%s; going on without orders", e->text);
		return 0;
	}
	return make(s, e);
}

void
orders_close(struct supervisor *s)
{
	struct orders *o = s->orders;

	if (o != NULL) {
		control_free(o->control);
		follows_free(o->follows);
		buf_free(o->line);
		free(o);
		s->orders = NULL;
	}
	control_socket_close(&s->socket);
}

void
orders_progress(struct supervisor *s)
{
	struct waiter *w;

	if (s->orders == NULL)
		return;
	for (w = LIST_FIRST(&s->orders->waiters); w != NULL;
	     w = LIST_NEXT(w, link))
		tell_waiter(s->orders, w);
}

void
orders_flush(struct supervisor *s)
{
	if (s->orders != NULL)
		control_flush(s->orders->control);
}

void
orders_save(struct supervisor *s, struct state_writer *w)
{
	if (s->orders != NULL)
		control_save(s->orders->control, w);
	else
		control_socket_save(&s->socket, w);
}

void
orders_over(struct supervisor *s)
{
	struct waiter *w, *next;
	char line[128];

	if (s->orders == NULL)
		return;
	int n = snprintf(line, sizeof line,
	    "{\"done\":true,\"untold\":%zu,\"interrupted\":%s}\n",
	    upstream_total(s->upstreams, s->nupstreams).waiting,
	    s->interrupted ? "true" : "false");
	for (w = LIST_FIRST(&s->orders->waiters); w != NULL; w = next) {
		next = LIST_NEXT(w, link);
		control_last(w->peer, line, (size_t)n);
		drop_waiter(w);
	}
	control_flush(s->orders->control);
}
