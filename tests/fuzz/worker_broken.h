/*
 * worker_broken - a supervisor with one mistake, to see that it would be found.
 *
 * $FAKTOTUM_BROKEN names the mistake: tests/fuzz/wrapped.h.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef TESTS_FUZZ_WORKER_BROKEN_H
#define TESTS_FUZZ_WORKER_BROKEN_H

#include <sys/socket.h>
#include <unistd.h>

#include "protocol/outcome.h"
#include "protocol/stream.h"
#include "supervisor/dispatch_inside.h"
#include "supervisor/handshake.h"
#include "supervisor/heartbeat.h"
#include "supervisor/holdoff.h"
#include "supervisor/lifecycle.h"
#include "supervisor/report_inside.h"
#include "tests/fuzz/wrapped.h"

/* It does not wait to be greeted. */
static void
broken_speaks_first(int fd)
{
	static const char hello[] = "HELLO {\"v\":2,\"wid\":\"w\"}\r\n";

	if (is_broken("speaks first"))
		(void)send(fd, hello, sizeof hello - 1, MSG_NOSIGNAL);
}

WRAPPED(bool, dispatch_take, struct dispatch *d, size_t server,
    const char *bytes, size_t len, int64_t asked_at)
{
	if (is_broken("forgets a job"))
		return true;
	if (is_broken("runs a job twice"))
		(void)__real_dispatch_take(d, server, bytes, len, asked_at);
	return __real_dispatch_take(d, server, bytes, len, asked_at);
}

WRAPPED(void, report_tell, struct report *r, const struct notice *n,
    int64_t expires)
{
	struct notice other = *n;

	if (is_broken("tells nothing"))
		return;
	if (is_broken("tells of others"))
		other.jid_len--;
	__real_report_tell(r, &other, expires);
}

/* It is told once more, as if nobody had confirmed it. */
WRAPPED(void, report_drop, struct outcome *o)
{
	static unsigned spared;

	if (!is_broken("tells what is confirmed") || spared++ % 2 != 0)
		__real_report_drop(o);
}

/* It tells of what somebody else runs by now. */
WRAPPED(int, dispatch_cancel_of, struct dispatch *d, size_t server,
    const char *jid, enum cancel_reason reason)
{
	struct task *t = dispatch_find(d, jid);
	int r = __real_dispatch_cancel_of(d, server, jid, reason);

	if (r == 0 && t != NULL && t->run != NULL &&
	    is_broken("tells what it has lost"))
		t->lost = false;
	return r;
}

WRAPPED(int64_t, timeline_deadline, const struct timeline *t,
    const struct handler *how, int64_t now)
{
	int64_t deadline = __real_timeline_deadline(t, how, now);

	return is_broken("forgets the time") ? t->expires : deadline;
}

WRAPPED(int, handshake_end, const struct resp *reply, struct err *e)
{
	int r = __real_handshake_end(reply, e);

	return is_broken("takes any welcome") ? 0 : r;
}

WRAPPED(bool, heartbeat_alive, const struct heartbeat *h)
{
	return __real_heartbeat_alive(h) || is_broken("does not wait");
}

WRAPPED(int, ack_put, struct buf *out, const char *jid, size_t jid_len)
{
	return is_broken("garbles") ? buf_puts(out, "ACK {\"jid\":\r\n")
				    : __real_ack_put(out, jid, jid_len);
}

static void
hear_nothing(void *ctx, const struct resp *reply)
{
	(void)ctx;
	(void)reply;
}

WRAPPED(int, client_ask, struct client *c, const char *line, size_t len,
    client_reply *done, void *ctx)
{
	int r = __real_client_ask(c, line, len, done, ctx);

	if (r == 0 && is_broken("asks twice") && memcmp(line, "FETCH", 5) == 0)
		(void)__real_client_ask(c, line, len, done, ctx);
	if (r == 0 && is_broken("tells twice") && memcmp(line, "ACK", 3) == 0)
		(void)__real_client_ask(c, line, len, hear_nothing, NULL);
	return r;
}

WRAPPED(enum lifecycle_phase, lifecycle_phase, const struct lifecycle *l)
{
	return is_broken("is never quiet") ? LIFECYCLE_RUNNING
					   : __real_lifecycle_phase(l);
}

WRAPPED(size_t, dispatch_room, const struct dispatch *d)
{
	size_t room = __real_dispatch_room(d);

	return is_broken("takes too many") ? room + 1 : room;
}

WRAPPED(double, holdoff_next, struct holdoff *b)
{
	double rest = __real_holdoff_next(b);

	return is_broken("never rests") ? 0. : rest;
}

WRAPPED(void, stream_close, struct stream *s)
{
	static void *volatile forgotten;

	if (is_broken("leaks"))
		forgotten = malloc(50);
	(void)forgotten;
	if (s != NULL && is_broken("keeps a descriptor"))
		(void)!dup(stream_fd(s));
	__real_stream_close(s);
}

#endif
