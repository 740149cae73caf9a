/*
 * cmd_work - what workers say about jobs: FETCH, ACK, FAIL.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/outcome.h"
#include "server/commands.h"
#include "server/parts.h"

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
keep_possible(const char **names, size_t *lens, size_t n)
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
		lens[kept++] = lens[i];
	}
	return kept;
}

void
cmd_fetch(struct conn *c, const char *arg, size_t len)
{
	const char *names[FETCH_QUEUES_MAX];
	size_t lens[FETCH_QUEUES_MAX];
	size_t n = split_names(arg, len, names, lens);
	bool asleep = c->worker != NULL && c->worker->state != WORKER_RUNNING;

	if (n > FETCH_QUEUES_MAX) {
		conn_error(
		    c, "FETCH takes at most %d queues", FETCH_QUEUES_MAX);
		return;
	}
	if (c->eof || c->server->stopping) {
		conn_close(c);
		return;
	}
	n = keep_possible(names, lens, n);
	c->fetch = fetch_start(
	    c->server->fetches, names, lens, n, conn_wid(c), asleep, c);
	if (c->fetch == NULL)
		conn_error(c, "out of memory");
}

static bool
fetched(void *who, struct entry *e, const struct jobs_delivery *d)
{
	struct conn *c = who;
	struct buf *reply = c->server->scratch;

	c->fetch = NULL;
	buf_clear(reply);
	if (conn_peer_gone(c)) {
		conn_close(c);
		return false;
	}
	if (job_put_delivery(reply, d->payload, d->payload_len, d->enqueued_at,
		d->failure, d->failure_len) < 0) {
		conn_error(c, "out of memory");
		return false;
	}
	conn_deliver(c, e, buf_front(reply), buf_len(reply));
	return true;
}

static void
found_nothing(void *who)
{
	struct conn *c = who;

	c->fetch = NULL;
	conn_null(c);
}

static void
fetch_failed(void *who, const struct err *why)
{
	struct conn *c = who;

	c->fetch = NULL;
	conn_error(c, "%s", why->text);
}

const struct fetch_hooks command_fetch_hooks = {
	.job = fetched,
	.nothing = found_nothing,
	.failed = fetch_failed,
};

/* ---- ACK ------------------------------------------------------------------ */

struct answer {
	struct pending pending;
	bool is_fail;
	char jid[];
};

static struct answer *
answer_new(const char *jid, size_t len, bool is_fail)
{
	struct answer *a = calloc(1, sizeof *a + len + 1);

	if (a == NULL)
		return NULL;
	memcpy(a->jid, jid, len);
	a->is_fail = is_fail;
	return a;
}

static void
answer_done(void *ctx, int result, const struct err *why)
{
	struct answer *a = ctx;
	struct conn *c = conn_resume(&a->pending);

	if (c != NULL) {
		if (result == 0 || (result == -EALREADY && !a->is_fail))
			conn_ok(c);
		else if (result == -EALREADY)
			conn_error(c, "Job not found %s", a->jid);
		else
			conn_error(c, "%s", why->text);
	}
	free(a);
}

void
cmd_ack(struct conn *c, const char *arg, size_t len)
{
	struct answer *a = NULL;
	size_t jid_len;
	char *jid;
	int r;

	if (ack_parse(arg, len, &jid, &jid_len) < 0) {
		conn_error(
		    c, "invalid ACK %.*s", (int)(len < 500 ? len : 500), arg);
		return;
	}
	a = answer_new(jid, jid_len, false);
	r = a == NULL ? -ENOMEM
		      : jobs_ack(c->server->jobs, jid, jid_len, conn_wid(c),
			    answer_done, a);
	if (r == 0) {
		conn_wait(c, &a->pending);
	} else {
		free(a);
		if (r == -ENOENT)
			conn_ok(c); /* someone has done so before: no matter */
		else
			conn_error(c, "out of memory");
	}
	free(jid);
}

/* ---- FAIL ----------------------------------------------------------------- */

void
cmd_fail(struct conn *c, const char *arg, size_t len)
{
	struct fail_report report;
	struct answer *a = NULL;
	int r;

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
	a = answer_new(report.jid, report.jid_len, true);
	r = a == NULL
	    ? -ENOMEM
	    : jobs_fail(c->server->jobs, &report, conn_wid(c), answer_done, a);
	if (r == 0) {
		conn_wait(c, &a->pending);
	} else {
		if (r == -ENOENT)
			conn_error(c, "Job not found %s", report.jid);
		else
			conn_error(c, "out of memory");
		free(a);
	}
	fail_clear(&report);
}
