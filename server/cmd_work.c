/*
 * cmd_work - what workers say about jobs: FETCH, FETCHB, ACK, FAIL, RELEASE.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/outcome.h"
#include "server/commands.h"
#include "server/parts.h"

enum { ANSWER_MAX = 1 << 30 }; /* as all that waits to be sent */

/* ---- FETCH -------------------------------------------------------------- */

static size_t
split_names(const char *arg, size_t len, const char **names, size_t *lens)
{
	size_t n = 0;

	for (;;) {
		const char *space = memchr(arg, ' ', len);
		size_t part = space != NULL ? (size_t)(space - arg) : len;

		if (n == FETCH_QUEUES_MAX)
			return n + 1;
		names[n] = arg;
		lens[n++] = part;
		if (space == NULL)
			return n;
		arg += part + 1;
		len -= part + 1;
	}
}

/* A name that no queue can have is always empty: it is not asked. */
static size_t
keep_possible(const char **names, size_t *lens, size_t *limits, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool again = false;

		for (size_t k = 0; k < kept && !again; k++)
			again = lens[k] == lens[i] &&
			    memcmp(names[k], names[i], lens[i]) == 0;
		if (again || !job_queue_name_ok(names[i], lens[i]))
			continue;
		names[kept] = names[i];
		limits[kept] = limits[i];
		lens[kept++] = lens[i];
	}
	return kept;
}

/*
 * A worker that has lost jobs and does not know it yet gets no more: one of
 * the lost could come back to it, and would then be ended as lost.
 */
static bool
may_fetch(const struct conn *c)
{
	const struct worker *w = c->worker;

	return w->state == WORKER_RUNNING &&
	    ((w->extensions & EXTENSION_CANCEL) == 0 ||
		!news_of_loss(jobs_news(c->server->jobs), w->wid));
}

static void
fetch_ends(struct conn *c)
{
	c->fetch = NULL;
	buf_free(c->jobs);
	c->jobs = NULL;
}

/* jobs is 0 for FETCH, whose words are names and nothing else. */
static void
fetch(
    struct conn *c, const char *verb, size_t jobs, const char *arg, size_t len)
{
	const char *names[FETCH_QUEUES_MAX];
	size_t lens[FETCH_QUEUES_MAX], limits[FETCH_QUEUES_MAX];
	size_t n = split_names(arg, len, names, lens);

	if (n > FETCH_QUEUES_MAX) {
		conn_error(
		    c, "%s takes at most %d queues", verb, FETCH_QUEUES_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t whole = lens[i];

		limits[i] =
		    jobs > 0 ? fetchb_read_limit(names[i], &lens[i]) : SIZE_MAX;
		if (limits[i] > 0)
			continue;
		conn_error(c,
		    "FETCHB %.*s: behind the colon stands the most to take "
		    "from this queue, 1 to %d",
		    (int)(whole < 500 ? whole : 500), names[i],
		    FETCHB_JOBS_MAX);
		return;
	}
	if (c->eof || c->disowned || c->server->stopping) {
		c->by_host = c->by_host || c->disowned;
		conn_close(c);
		return;
	}
	if (conns_hold_too_much(c->server)) {
		conn_error(c,
		    "no room: answers that nobody takes have reached "
		    "limits.memory");
		return;
	}
	const struct fetch_wish wish = { .names = names,
		.lens = lens,
		.limits = limits,
		.nqueues = keep_possible(names, lens, limits, n),
		.jobs = jobs > 0 ? jobs : 1,
		.wid = conn_wid(c),
		.asleep = c->worker != NULL && !may_fetch(c) };

	if (jobs > 0)
		c->jobs = buf_new(ANSWER_MAX);
	if (jobs == 0 || c->jobs != NULL)
		c->fetch = fetch_start(c->server->fetches, &wish, c);
	if (c->fetch == NULL) {
		fetch_ends(c);
		conn_error(c, "out of memory");
	}
}

void
cmd_fetch(struct conn *c, const char *arg, size_t len)
{
	fetch(c, "FETCH", 0, arg, len);
}

void
cmd_fetchb(struct conn *c, const char *arg, size_t len)
{
	size_t jobs = fetchb_read_count(&arg, &len);

	if (jobs > 0)
		fetch(c, "FETCHB", jobs, arg, len);
	else
		conn_error(c,
		    "FETCHB takes a number of jobs, 1 to %d, and at least one "
		    "queue",
		    FETCHB_JOBS_MAX);
}

void
command_end_fetches(struct server *s)
{
	for (struct conn *c = s->conns; c != NULL; c = c->next)
		if (c->fetch != NULL && c->worker != NULL &&
		    c->worker->state != WORKER_RUNNING)
			fetch_give_up(c->fetch);
}

/* When not even the first can be delivered, fetch_over() tells. */
static bool
fetched(void *who, struct entry *e, const struct jobs_delivery *d)
{
	struct conn *c = who;
	struct buf *reply = c->server->scratch;

	buf_clear(reply);
	if (c->nundelivered == 0 && conn_peer_gone(c)) {
		conn_close(c);
		return false;
	}
	if (job_put_delivery(reply, d->payload, d->payload_len, d->enqueued_at,
		d->failure, d->failure_len) < 0)
		return false;
	if (c->jobs != NULL)
		return conn_gather(c, e, buf_front(reply), buf_len(reply));
	conn_deliver(c, e, buf_front(reply), buf_len(reply));
	return true;
}

static void
fetch_over(void *who)
{
	struct conn *c = who;

	if (c->nundelivered == 0)
		conn_error(c, "out of memory");
	else if (c->jobs != NULL)
		conn_deliver_gathered(c);
	fetch_ends(c);
}

static void
found_nothing(void *who)
{
	struct conn *c = who;

	fetch_ends(c);
	conn_null(c);
}

static void
fetch_failed(void *who, const struct err *why)
{
	struct conn *c = who;

	fetch_ends(c);
	conn_error(c, "%s", why->text);
}

const struct fetch_hooks command_fetch_hooks = {
	.job = fetched,
	.over = fetch_over,
	.nothing = found_nothing,
	.failed = fetch_failed,
};

/* ---- ACK, FAIL, RELEASE --------------------------------------------------- */

/* What is said of a job that was settled before, or that nobody holds. */
enum late { LATE_OK, LATE_ERROR };

struct answer {
	struct pending pending;
	enum late late;
	char jid[];
};

static struct answer *
answer_new(const char *jid, size_t len, enum late late)
{
	struct answer *a = calloc(1, sizeof *a + len + 1);

	if (a == NULL)
		return NULL;
	memcpy(a->jid, jid, len);
	a->late = late;
	return a;
}

static void
say_late(struct conn *c, const struct answer *a)
{
	if (a->late == LATE_OK)
		conn_ok(c);
	else
		conn_error(c, "Job not found %s", a->jid);
}

static void
answer_done(void *ctx, int result, const struct err *why)
{
	struct answer *a = ctx;
	struct conn *c = conn_resume(&a->pending);

	if (c != NULL && result == 0)
		conn_ok(c);
	else if (c != NULL && result == -EALREADY)
		say_late(c, a);
	else if (c != NULL)
		conn_error(c, "%s", why->text);
	free(a);
}

/* r is what the move was answered with, a its ctx or NULL. */
static void
answer_or_wait(struct conn *c, int r, struct answer *a)
{
	if (r == 0) {
		conn_wait(c, &a->pending);
		return;
	}
	if (r == -ENOENT)
		say_late(c, a);
	else if (r == -EBUSY)
		conn_error(
		    c, "%s is being given back just now: try again", a->jid);
	else
		conn_error(c, "out of memory");
	free(a);
}

static struct jobs_claim
claim_of(const struct conn *c, const char *jid, size_t len, const char *wid)
{
	return (struct jobs_claim){
		.jid = jid,
		.jid_len = len,
		.wid = wid != NULL ? wid : conn_wid(c),
		.exact = wid != NULL,
	};
}

static bool
read_claim(struct conn *c, const char *verb, const char *arg, size_t len,
    struct claim *claim)
{
	int r = claim_parse(arg, len, claim);

	if (r == -ENOMEM)
		conn_error(c, "out of memory");
	else if (r < 0)
		conn_error(c, "invalid %s %.*s", verb,
		    (int)(len < 500 ? len : 500), arg);
	return r == 0;
}

/*
 * Late is no error for a stock client; who names itself wants to know. The
 * worker that speaks without its name has it from the connection.
 */
void
cmd_ack(struct conn *c, const char *arg, size_t len)
{
	struct claim asked;

	if (!read_claim(c, "ACK", arg, len, &asked))
		return;
	struct jobs_claim claim =
	    claim_of(c, asked.jid, asked.jid_len, asked.wid);
	struct answer *a = answer_new(
	    asked.jid, asked.jid_len, asked.wid != NULL ? LATE_ERROR : LATE_OK);
	int r = a == NULL
	    ? -ENOMEM
	    : jobs_ack(c->server->jobs, &claim, &asked.result, answer_done, a);
	answer_or_wait(c, r, a);
	claim_clear(&asked);
}

void
cmd_release(struct conn *c, const char *arg, size_t len)
{
	struct claim asked;

	if (!read_claim(c, "RELEASE", arg, len, &asked))
		return;
	struct jobs_claim claim =
	    claim_of(c, asked.jid, asked.jid_len, asked.wid);
	struct answer *a = answer_new(asked.jid, asked.jid_len, LATE_ERROR);
	int r = a == NULL
	    ? -ENOMEM
	    : jobs_release(c->server->jobs, &claim, answer_done, a);
	answer_or_wait(c, r, a);
	claim_clear(&asked);
}

void
cmd_fail(struct conn *c, const char *arg, size_t len)
{
	struct fail_report report;

	if (fail_parse(arg, len, &report) < 0) {
		conn_error(
		    c, "invalid FAIL %.*s", (int)(len < 500 ? len : 500), arg);
		return;
	}
	if (report.jid_len == 0) {
		conn_error(c, "missing JID");
		fail_clear(&report);
		return;
	}
	struct jobs_claim claim =
	    claim_of(c, report.jid, report.jid_len, report.wid);
	struct answer *a = answer_new(report.jid, report.jid_len, LATE_ERROR);
	int r = a == NULL
	    ? -ENOMEM
	    : jobs_fail(c->server->jobs, &claim, &report, answer_done, a);
	answer_or_wait(c, r, a);
	fail_clear(&report);
}
