/*
 * broken - a server with one mistake, to see that it would be found.
 *
 * $FAKTOTUM_BROKEN names the mistake. The linker puts these functions between
 * the server's own (--wrap, in the Makefile); without it they change nothing.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_BROKEN_H
#define TESTS_FUZZ_BROKEN_H

#include "protocol/resp.h"
#include "server/info.h"
#include "server/op.h"
#include "server/parts.h"
#include "tests/fuzz/wrapped.h"

/* +OK for a job that only memory has. */
WRAPPED(void, store_add, struct store *s, struct store_change *c)
{
	if (c->kind == STORE_ADD && is_broken("stores nothing")) {
		c->kind = STORE_UNNAME;
		c->name = "";
	}
	__real_store_add(s, c);
}

/* +OK for a job that neither has. */
WRAPPED(int, jobs_release, struct jobs *j, const struct jobs_claim *claim,
    jobs_done *done, void *ctx)
{
	const struct json none = { .kind = JSON_NONE };

	return is_broken("loses a job")
	    ? jobs_ack(j, claim, &none, done, ctx)
	    : __real_jobs_release(j, claim, done, ctx);
}

WRAPPED(void, conn_deliver, struct conn *c, struct entry *e, const char *bytes,
    size_t len)
{
	__real_conn_deliver(c, e, bytes, len);
	if (!is_broken("gives a job twice"))
		return;
	e->held->undelivered = NULL;
	c->undelivered[0] = NULL;
	jobs_give_back(c->server->jobs, e);
}

WRAPPED(void, conn_ok, struct conn *c)
{
	__real_conn_ok(c);
	if (is_broken("answers twice"))
		(void)resp_put_simple(c->sink, "OK");
}

WRAPPED(void, conn_null, struct conn *c)
{
	if (is_broken("answers nonsense"))
		(void)buf_puts(c->sink, "?-1\r\n");
	__real_conn_null(c);
}

WRAPPED(int, info_put, struct buf *out, const struct server *s)
{
	size_t before = s->nconns;
	/* One more than there is, as if somebody had not been counted off. */
	struct server other = *s;

	other.nconns = before + (is_broken("counts wrong") ? 1 : 0);
	return __real_info_put(out, &other);
}

WRAPPED(void, workers_leave, struct worker *w, enum parting how)
{
	static void *volatile forgotten;

	if (is_broken("leaks"))
		forgotten = malloc(50);
	(void)forgotten;
	if (!is_broken("keeps who has left"))
		__real_workers_leave(w, how);
}

WRAPPED(void, conns_turn, struct server *s)
{
	__real_conns_turn(s);
	if (is_broken("never rests") && s->conns != NULL && !s->stopping)
		conn_mark(s->conns);
}

#endif
