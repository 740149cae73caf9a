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
#include <sys/queue.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "protocol/extension.h"
#include "supervisor/holdoff.h"
#include "supervisor/journal.h"

enum { LINE_MAX = 4 * 1024 * 1024 };

struct outcome {
	TAILQ_ENTRY(outcome) link;
	struct report *report;
	bool sent;   /* in this conversation, and not answered yet */
	bool dead;   /* a FAIL: to be buried when it is confirmed */
	bool burial; /* the line is that burial */
	int64_t expires;
	uint64_t kept; /* in the journal; 0: not there */
	char *jid;     /* for messages; owned, as line */
	char *line;
	size_t len;
};

TAILQ_HEAD(outcomes, outcome);

struct report {
	struct outcomes outcomes;
	size_t count;
	size_t unsent; /* of count */
	size_t bytes;
	struct report_counts counts;
	struct buf *line;
	ev_timer pause; /* active after an error: nothing is sent */
	struct holdoff holdoff;
	bool burying; /* a burial is on its way */
	ev_timer gap; /* active after one: the next has to wait */

	struct ev_loop *loop;
	struct client *client;
	struct journal *journal; /* NULL: none */
	void (*settled)(void *ctx);
	void *ctx;
};

static void
free_outcome(struct outcome *o)
{
	free(o->jid);
	free(o->line);
	free(o);
}

static void
drop(struct outcome *o)
{
	struct report *r = o->report;

	TAILQ_REMOVE(&r->outcomes, o, link);
	r->count--;
	if (!o->sent)
		r->unsent--;
	r->bytes -= o->len;
	journal_done(r->journal, o->kept);
	free_outcome(o);
}

static bool
is_ack(const struct outcome *o)
{
	return o->line[0] == 'A';
}

static void
tell(enum log_level level, const struct outcome *o, const char *what,
    const struct resp *reply)
{
	const struct log_tag tag = { "jid", o->jid };
	int len = (int)(reply != NULL && reply->len < 200 ? reply->len : 200);

	log_tagged(level, &tag, 1, "%s %s%.*s",
	    is_ack(o)       ? "ACK"
		: o->burial ? "its move to the dead"
			    : "FAIL",
	    what, reply != NULL ? len : 0, reply != NULL ? reply->text : "");
}

static bool
says(const struct resp *r, const char *text)
{
	return memmem(r->text, r->len, text, strlen(text)) != NULL;
}

/* Whether asking again could not change the answer. */
static bool
final(const struct resp *r)
{
	return says(r, "invalid ACK") || says(r, "invalid FAIL") ||
	    says(r, "missing JID") || says(r, "unknown command") ||
	    says(r, "mutat");
}

static void send_all(struct report *r);

static void
refused(struct report *r, struct outcome *o, const struct resp *reply)
{
	if (says(reply, "Job not found")) {
		tell(LOG_LEVEL_DEBUG, o, "came too late: ", reply);
		r->counts.unknown++;
		drop(o);
		return;
	}
	if (final(reply)) {
		tell(LOG_LEVEL_ERROR, o, "was refused: ", reply);
		r->counts.dropped++;
		drop(o);
		return;
	}
	tell(LOG_LEVEL_WARNING, o, "is to be repeated: ", reply);
	if (ev_is_active(&r->pause))
		return;
	ev_timer_set(&r->pause, holdoff_next(&r->holdoff), 0.);
	ev_timer_start(r->loop, &r->pause);
}

/* The server has put it among the retries; it has this long to be found. */
static const int64_t burial_limit = 60 * CLOCK_NS_PER_S;

/* The FAIL becomes the command that moves its job; false: without memory. */
static bool
becomes_burial(struct report *r, struct outcome *o)
{
	buf_clear(r->line);
	if (bury_put(r->line, o->jid, strlen(o->jid)) < 0)
		return false;
	size_t len = buf_len(r->line);
	char *line = malloc(len);
	if (line == NULL)
		return false;
	memcpy(line, buf_front(r->line), len);
	free(o->line);
	o->line = line;
	r->bytes += len - o->len;
	o->len = len;
	o->burial = true;
	o->expires = clock_mono() + burial_limit;
	journal_done(r->journal, o->kept);
	o->kept = 0;
	return true;
}

static bool
must_be_buried(const struct report *r, const struct outcome *o)
{
	return o->dead && !o->burial &&
	    (client_extensions(r->client) & EXTENSION_FAIL_RETRY) == 0;
}

static void
confirmed(struct report *r, struct outcome *o)
{
	r->holdoff.fails = 0;
	if (o->burial)
		r->counts.buried++;
	else if (is_ack(o))
		r->counts.acked++;
	else
		r->counts.failed++;
	if (!must_be_buried(r, o) || !becomes_burial(r, o))
		drop(o);
}

static void
burial_answered(struct report *r)
{
	r->burying = false;
	ev_timer_set(&r->gap, REPORT_BURIAL_GAP, 0.);
	ev_timer_start(r->loop, &r->gap);
}

static void
on_reply(void *ctx, const struct resp *reply)
{
	struct outcome *o = ctx;
	struct report *r = o->report;

	o->sent = false;
	r->unsent++;
	if (o->burial)
		burial_answered(r);
	if (reply == NULL)
		return; /* report_up() sends it again */
	if (reply->kind == RESP_ERROR) {
		refused(r, o, reply);
	} else {
		confirmed(r, o);
	}
	send_all(r);
	r->settled(r->ctx);
}

static bool
expired(struct report *r, struct outcome *o)
{
	if (clock_mono() < o->expires)
		return false;
	tell(LOG_LEVEL_WARNING, o,
	    "could not be told before the job's reservation ended", NULL);
	r->counts.dropped++;
	drop(o);
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
	    ev_is_active(&r->pause))
		return;
	for (o = TAILQ_FIRST(&r->outcomes); o != NULL; o = next) {
		next = TAILQ_NEXT(o, link);
		if (o->sent || expired(r, o))
			continue;
		if (o->burial && (r->burying || ev_is_active(&r->gap)))
			continue;
		if (client_ask(r->client, o->line, o->len, on_reply, o) < 0)
			return;
		o->sent = true;
		r->unsent--;
		r->burying = r->burying || o->burial;
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
count_lost(struct report *r)
{
	log_say(LOG_LEVEL_ERROR, "report",
	    "out of memory: an outcome is lost, its job comes back");
	r->counts.dropped++;
}

/* Takes up an outcome. Returns NULL when memory is short, which is told. */
static struct outcome *
take_up(struct report *r, const struct journal_outcome *from)
{
	struct outcome *o = calloc(1, sizeof *o);

	if (o != NULL) {
		o->report = r;
		o->expires = from->expires;
		o->len = from->len;
		o->line = malloc(o->len);
		o->jid = strndup(from->jid, from->jid_len);
	}
	if (o == NULL || o->line == NULL || o->jid == NULL) {
		count_lost(r);
		if (o != NULL)
			free_outcome(o);
		return NULL;
	}
	memcpy(o->line, from->line, o->len);
	TAILQ_INSERT_TAIL(&r->outcomes, o, link);
	r->count++;
	r->unsent++;
	r->bytes += o->len;
	return o;
}

/* As journal_found() calls it. */
static void
on_found(void *ctx, const struct journal_outcome *found, uint64_t id)
{
	struct outcome *o = take_up(ctx, found);

	if (o == NULL)
		return;
	o->kept = id;
	tell(LOG_LEVEL_INFO, o,
	    "had not been confirmed when the last supervisor ended; telling "
	    "it again",
	    NULL);
}

struct report *
report_new(struct ev_loop *loop, struct client *client, struct journal *journal,
    void (*settled)(void *ctx), void *ctx)
{
	struct report *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	TAILQ_INIT(&r->outcomes);
	r->loop = loop;
	r->client = client;
	r->settled = settled;
	r->ctx = ctx;
	r->holdoff = (struct holdoff){ .first = 2., .most = 30. };
	ev_timer_init(&r->pause, on_pause_over, 0., 0.);
	ev_timer_init(&r->gap, on_pause_over, 0., 0.);
	r->pause.data = r;
	r->gap.data = r;
	r->line = buf_new(LINE_MAX);
	if (r->line == NULL) {
		free(r);
		return NULL;
	}
	r->journal = journal;
	if (journal != NULL)
		journal_found(journal, on_found, r);
	return r;
}

void
report_free(struct report *r)
{
	struct outcome *o, *next;

	if (r == NULL)
		return;
	for (o = TAILQ_FIRST(&r->outcomes); o != NULL; o = next) {
		next = TAILQ_NEXT(o, link);
		free_outcome(o);
	}
	ev_timer_stop(r->loop, &r->pause);
	ev_timer_stop(r->loop, &r->gap);
	buf_free(r->line);
	free(r);
}

/* Takes up the command that stands in r->line, if it could be made. */
static void
keep(struct report *r, int made, const char *jid, size_t len, int64_t expires,
    bool dead)
{
	const struct journal_outcome from = { .jid = jid,
		.jid_len = len,
		.line = buf_front(r->line),
		.len = buf_len(r->line),
		.expires = expires };
	struct outcome *o = NULL;

	if (made == 0)
		o = take_up(r, &from);
	else
		count_lost(r);
	if (o != NULL)
		o->dead = dead;
	if (o != NULL && r->journal != NULL)
		o->kept = journal_add(r->journal, &from);
	send_all(r);
}

void
report_ack(struct report *r, const char *jid, size_t len, int64_t expires)
{
	buf_clear(r->line);
	keep(r, ack_put(r->line, jid, len), jid, len, expires, false);
}

void
report_fail(struct report *r, const char *jid, size_t len,
    const struct failure *f, int64_t expires)
{
	buf_clear(r->line);
	keep(r, fail_put(r->line, jid, len, f), jid, len, expires, false);
}

void
report_dead(struct report *r, const char *jid, size_t len,
    const struct failure *f, int64_t expires)
{
	buf_clear(r->line);
	keep(r, fail_put(r->line, jid, len, f), jid, len, expires, true);
}

void
report_up(struct report *r)
{
	ev_timer_stop(r->loop, &r->pause);
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

bool
report_full(const struct report *r)
{
	return r->count >= REPORT_MANY || r->bytes >= REPORT_BYTES;
}

struct report_counts
report_counts(const struct report *r)
{
	return r->counts;
}

void
report_save(const struct report *r, struct state_writer *w)
{
	const struct outcome *o;
	int64_t n = 0;

	state_put_int(w, (int64_t)r->counts.acked);
	state_put_int(w, (int64_t)r->counts.failed);
	state_put_int(w, (int64_t)r->counts.buried);
	state_put_int(w, (int64_t)r->counts.unknown);
	state_put_int(w, (int64_t)r->counts.dropped);
	for (o = TAILQ_FIRST(&r->outcomes); o != NULL; o = TAILQ_NEXT(o, link))
		n++;
	state_put_int(w, n);
	for (o = TAILQ_FIRST(&r->outcomes); o != NULL;
	     o = TAILQ_NEXT(o, link)) {
		state_put_int(w, (int64_t)o->kept);
		state_put_bytes(w, o->jid, strlen(o->jid));
		state_put_bytes(w, o->line, o->len);
		state_put_int(w, o->expires);
		state_put_int(w, o->dead);
		state_put_int(w, o->burial);
	}
}

/* Whether the journal has brought it already. */
static bool
is_here(const struct report *r, uint64_t kept)
{
	const struct outcome *o;

	for (o = TAILQ_FIRST(&r->outcomes); o != NULL; o = TAILQ_NEXT(o, link))
		if (kept != 0 && o->kept == kept)
			return true;
	return false;
}

void
report_load(struct report *r, struct state_reader *from)
{
	r->counts.acked = (uint64_t)state_get_int(from);
	r->counts.failed = (uint64_t)state_get_int(from);
	r->counts.buried = (uint64_t)state_get_int(from);
	r->counts.unknown = (uint64_t)state_get_int(from);
	r->counts.dropped = (uint64_t)state_get_int(from);
	int64_t n = state_get_within(from, 0, INT64_MAX);
	for (int64_t i = 0; i < n && !from->failed; i++) {
		uint64_t kept = (uint64_t)state_get_int(from);
		struct journal_outcome o = { 0 };

		o.jid = state_get_bytes(from, &o.jid_len);
		o.line = state_get_bytes(from, &o.len);
		o.expires = state_get_int(from);
		bool dead = state_get_within(from, 0, 1) > 0;
		bool burial = state_get_within(from, 0, 1) > 0;
		if (from->failed || is_here(r, kept))
			continue;
		struct outcome *taken = take_up(r, &o);
		if (taken == NULL)
			continue;
		taken->dead = dead;
		taken->burial = burial;
		if (r->journal != NULL && !burial)
			taken->kept = journal_add(r->journal, &o);
	}
}
