/*
 * report - outcomes in the order in which they came about.
 *
 * Everything unconfirmed stands in one list. What has been sent in this
 * conversation is marked; the rest is sent as far as the client takes it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/extension.h"
#include "protocol/held.h"
#include "supervisor/report_inside.h"

enum { LINE_MAX = NOTICE_COPY_MAX + 4 * 1024 * 1024 };

void
report_free_outcome(struct outcome *o)
{
	free(o->jid);
	free(o->lines);
	free(o);
}

void
report_insert(struct outcome *o)
{
	struct report *r = o->report;

	TAILQ_INSERT_TAIL(&r->outcomes, o, link);
	r->count++;
	r->unsent++;
	r->bytes += o->len;
}

void
report_remove(struct outcome *o)
{
	struct report *r = o->report;

	TAILQ_REMOVE(&r->outcomes, o, link);
	r->count--;
	if (!o->sent)
		r->unsent--;
	r->bytes -= o->len;
	journal_done(r->journal, o->kept);
	o->kept = 0;
}

void
report_drop(struct outcome *o)
{
	report_remove(o);
	report_free_outcome(o);
}

void
report_keep(struct outcome *o)
{
	struct report *r = o->report;

	if (r->journal == NULL)
		return;
	o->kept = journal_add(r->journal, r->server,
	    &(struct journal_outcome){ .jid = o->jid,
		.jid_len = o->jid_len,
		.line = o->lines,
		.len = o->len,
		.enqueued_at = o->enqueued_at,
		.enqueued_at_len = strlen(o->enqueued_at),
		.expires = o->expires });
}

bool
report_replace(struct outcome *o, const char *lines, size_t len)
{
	struct report *r = o->report;
	char *copy = malloc(len);
	uint64_t before = o->kept;

	if (copy == NULL)
		return false;
	memcpy(copy, lines, len);
	free(o->lines);
	o->lines = copy;
	r->bytes += len - o->len;
	o->len = len;
	if (r->journal == NULL)
		return true;
	report_keep(o);
	journal_done(r->journal, before);
	return true;
}

void
report_say(enum log_level level, const struct outcome *o, const char *what,
    const struct resp *reply)
{
	const struct log_tag tag = { "jid", o->jid };
	bool text = reply != NULL && reply->text != NULL;
	int len = (int)(text && reply->len < 200 ? reply->len : 200);

	log_tagged(level, &tag, 1, "%s %s%.*s",
	    notice_verb_name(notice_verb(o->lines, o->len)), what,
	    text ? len : 0, text ? reply->text : "");
}

static void send_all(struct report *r);

static bool
is_burial(const struct outcome *o)
{
	return notice_verb(o->lines, o->len) == NOTICE_BURIAL;
}

static void
burial_answered(struct report *r)
{
	r->burying = false;
	ev_timer_set(&r->gap, REPORT_BURIAL_GAP, 0.);
	ev_timer_start(r->loop, &r->gap);
}

/*
 * Whether its answer may be about an earlier reservation than the last one. +OK
 * to a FAIL is about the last one: the job was not handed out after that. To
 * an ACK it says nothing, and what was released was handed out again.
 */
static bool
is_stale(const struct outcome *o, const struct resp *reply)
{
	return o->again &&
	    (reply == NULL || reply->kind == RESP_ERROR ||
		notice_verb(o->lines, o->len) != NOTICE_FAIL);
}

static void
on_reply(void *ctx, const struct resp *reply)
{
	struct outcome *o = ctx;
	struct report *r = o->report;
	bool stale = is_stale(o, reply);

	o->sent = o->again = false;
	r->unsent++;
	if (is_burial(o))
		burial_answered(r);
	if (reply == NULL)
		return; /* report_up() sends it again */
	if (!stale)
		report_answered(o, reply);
	send_all(r);
	r->settled(r->ctx);
}

static bool
expired(struct report *r, struct outcome *o)
{
	if (clock_mono() < o->expires)
		return false;
	report_say(LOG_LEVEL_WARNING, o,
	    "could not be told before the job's reservation ended", NULL);
	r->counts.dropped++;
	report_drop(o);
	return true;
}

/* The journal keeps it: its reader may talk to another server. */
static void
skip(struct report *r, struct outcome *o)
{
	size_t n = notice_skip(o->lines, o->len, client_extensions(r->client));

	if (n == 0)
		return;
	memmove(o->lines, o->lines + n, o->len - n);
	o->len -= n;
	r->bytes -= n;
}

/* What is for servers with an extension goes to no other. */
static int
ask(struct report *r, struct outcome *o)
{
	size_t first = notice_first(o->lines, o->len);

	if ((client_extensions(r->client) & EXTENSION_RESULT) != 0)
		return client_ask(r->client, o->lines, first, on_reply, o);
	buf_clear(r->line);
	int e = notice_put_plain(r->line, o->lines, first);
	return e < 0 ? e
		     : client_ask(r->client, buf_front(r->line),
			   buf_len(r->line), on_reply, o);
}

/* Whether something was sent so lately that the rest waits for company. */
static bool
gathers(struct report *r)
{
	double rest = REPORT_GATHER -
	    (double)(clock_mono() - r->sent_at) / CLOCK_NS_PER_S;

	if (r->sent_at == 0 || rest <= 0.)
		return false;
	if (!ev_is_active(&r->gather)) {
		ev_timer_set(&r->gather, rest, 0.);
		ev_timer_start(r->loop, &r->gather);
	}
	return true;
}

/*
 * Sends what has not been sent, as far as the client takes it; the next
 * reply brings us back here for the rest.
 */
static void
send_all(struct report *r)
{
	struct outcome *o, *next;

	if (r->unsent == 0 || !client_ready(r->client) ||
	    ev_is_active(&r->pause) || gathers(r))
		return;
	for (o = TAILQ_FIRST(&r->outcomes); o != NULL; o = next) {
		next = TAILQ_NEXT(o, link);
		if (o->sent || expired(r, o))
			continue;
		skip(r, o);
		bool burial = is_burial(o);
		if (burial && (r->burying || ev_is_active(&r->gap)))
			continue;
		if (ask(r, o) < 0)
			return;
		o->sent = true;
		r->sent_at = clock_mono();
		r->unsent--;
		r->burying = r->burying || burial;
	}
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct report *r = w->data;

	(void)loop;
	(void)revents;
	send_all(r);
	r->settled(r->ctx);
}

static void
on_gathered(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)loop;
	(void)revents;
	send_all(w->data);
}

void
report_hurry(struct report *r)
{
	if (r->unsent == 0)
		return;
	ev_timer_stop(r->loop, &r->gather);
	r->sent_at = 0;
	send_all(r);
}

static void
count_lost(struct report *r)
{
	log_say(LOG_LEVEL_ERROR, "report",
	    "out of memory: an outcome is lost, its job comes back");
	r->counts.dropped++;
}

struct outcome *
report_take_up(struct report *r, const struct journal_outcome *from)
{
	struct outcome *o = calloc(1, sizeof *o);

	if (o != NULL) {
		o->report = r;
		o->expires = from->expires;
		o->len = from->len;
		o->lines = malloc(o->len);
		o->jid = calloc(1, from->jid_len + 1);
		o->jid_len = from->jid_len;
	}
	if (o == NULL || o->lines == NULL || o->jid == NULL) {
		count_lost(r);
		if (o != NULL)
			report_free_outcome(o);
		return NULL;
	}
	memcpy(o->lines, from->line, o->len);
	memcpy(o->jid, from->jid, o->jid_len);
	/* What is too long for a time stamp is none. */
	if (from->enqueued_at_len > 0 &&
	    from->enqueued_at_len < sizeof o->enqueued_at)
		memcpy(
		    o->enqueued_at, from->enqueued_at, from->enqueued_at_len);
	report_insert(o);
	return o;
}

/* As journal_found() calls it. */
static void
on_found(void *ctx, const struct journal_outcome *found, uint64_t id)
{
	struct outcome *o = report_take_up(ctx, found);

	if (o == NULL)
		return;
	o->kept = id;
	report_say(LOG_LEVEL_INFO, o,
	    "had not been confirmed when the last supervisor ended; telling "
	    "it again",
	    NULL);
}

struct report *
report_new(struct ev_loop *loop, const char *server, struct client *client,
    struct journal *journal, void (*settled)(void *ctx), void *ctx)
{
	struct report *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	TAILQ_INIT(&r->outcomes);
	TAILQ_INIT(&r->confirmed);
	r->loop = loop;
	r->server = server;
	r->client = client;
	r->settled = settled;
	r->ctx = ctx;
	r->holdoff = (struct holdoff){ .first = 2., .most = 30. };
	ev_timer_init(&r->pause, on_pause_over, 0., 0.);
	ev_timer_init(&r->gap, on_pause_over, 0., 0.);
	ev_timer_init(&r->gather, on_gathered, 0., 0.);
	r->gather.data = r;
	r->pause.data = r;
	r->gap.data = r;
	r->line = buf_new(LINE_MAX);
	if (r->line == NULL) {
		free(r);
		return NULL;
	}
	r->journal = journal;
	if (journal != NULL)
		journal_found(journal, server, on_found, r);
	return r;
}

void
report_free(struct report *r)
{
	struct outcome *o, *next;

	if (r == NULL)
		return;
	report_forget(r, INT64_MAX);
	for (o = TAILQ_FIRST(&r->outcomes); o != NULL; o = next) {
		next = TAILQ_NEXT(o, link);
		report_free_outcome(o);
	}
	ev_timer_stop(r->loop, &r->pause);
	ev_timer_stop(r->loop, &r->gap);
	ev_timer_stop(r->loop, &r->gather);
	buf_free(r->line);
	free(r);
}

void
report_tell(struct report *r, const struct notice *n, int64_t expires)
{
	struct outcome *o = NULL;

	buf_clear(r->line);
	int made = notice_put(r->line, n);
	const struct journal_outcome from = { .jid = n->jid,
		.jid_len = n->jid_len,
		.line = buf_front(r->line),
		.len = buf_len(r->line),
		.enqueued_at = n->enqueued_at,
		.enqueued_at_len = n->enqueued_at_len,
		.expires = expires };
	if (made == 0)
		o = report_take_up(r, &from);
	else
		count_lost(r);
	if (o != NULL) {
		o->asked_at = n->asked_at;
		report_keep(o);
	}
	send_all(r);
}

void
report_up(struct report *r)
{
	ev_timer_stop(r->loop, &r->pause);
	r->sent_at = 0;
	r->up_at = clock_mono();
	send_all(r);
	r->settled(r->ctx);
}

size_t
report_waiting(const struct report *r)
{
	return r->count;
}

size_t
report_sent(const struct report *r)
{
	return r->count - r->unsent;
}

int
report_put_held(const struct report *r, struct buf *line)
{
	const struct outcome *o;
	int e = 0;

	for (o = TAILQ_FIRST(&r->outcomes); o != NULL && e == 0;
	     o = TAILQ_NEXT(o, link))
		e = held_put_jid(line, o->jid, o->jid_len);
	return e;
}

bool
report_full(const struct report *r)
{
	return r->count >= REPORT_MANY || r->bytes >= REPORT_BYTES;
}

bool
report_takes_back(const struct report *r)
{
	return (client_extensions(r->client) & EXTENSION_RELEASE) != 0;
}

struct report_counts
report_counts(const struct report *r)
{
	return r->counts;
}
