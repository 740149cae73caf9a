/*
 * cmd_admin - BEAT, INFO, JOBTYPES, FLUSH, and what this server does not have.
 *
 * SPDX-License-Identifier: ISC
 */
#include <stdlib.h>

#include "base/log.h"
#include "protocol/beat.h"
#include "server/commands.h"
#include "server/info.h"
#include "server/parts.h"
#include "server/tally.h"

/* Jobs are only spoken of to the worker itself, and if it understands. */
static void
answer_beat(struct conn *c, const struct worker *w)
{
	struct beat_reply reply = { .state = w->state };

	if (c->worker == w && (w->extensions & EXTENSION_CANCEL) != 0)
		news_tell(jobs_news(c->server->jobs), w->wid, &reply);
	conn_beat(c, &reply);
	beat_reply_clear(&reply);
}

void
cmd_beat(struct conn *c, const char *arg, size_t len)
{
	struct worker *w;
	struct beat b;

	if (beat_parse(arg, len, &b) < 0) {
		conn_error(
		    c, "invalid BEAT %.*s", (int)(len < 500 ? len : 500), arg);
		return;
	}
	w = workers_find(c->server->workers, b.wid);
	if (w == NULL) {
		conn_error(c, "unknown worker %s", b.wid);
	} else {
		bool was_running = w->state == WORKER_RUNNING;

		worker_beat(w, &b);
		if (was_running && w->state != WORKER_RUNNING)
			command_end_fetches(c->server);
		answer_beat(c, w);
	}
	free(b.wid);
}

void
cmd_jobtypes(struct conn *c, const char *arg, size_t len)
{
	struct buf *reply = c->server->scratch;

	(void)arg;
	(void)len;
	buf_clear(reply);
	if (tally_put(jobs_tally(c->server->jobs), reply) < 0)
		conn_error(c, "out of memory");
	else
		conn_bulk(c, buf_front(reply), buf_len(reply));
}

void
cmd_info(struct conn *c, const char *arg, size_t len)
{
	struct buf *reply = c->server->scratch;

	(void)arg;
	(void)len;
	buf_clear(reply);
	if (info_put(reply, c->server) < 0)
		conn_error(c, "out of memory");
	else
		conn_bulk(c, buf_front(reply), buf_len(reply));
}

void
cmd_flush(struct conn *c, const char *arg, size_t len)
{
	struct pending *p = calloc(1, sizeof *p);

	(void)arg;
	(void)len;
	if (p == NULL || jobs_flush(c->server->jobs, command_done, p) < 0) {
		conn_error(c, "out of memory");
		free(p);
		return;
	}
	log_say(LOG_LEVEL_WARNING, c->peer, "FLUSH: every job is forgotten");
	conn_wait(c, p);
}

/* In the words of the stock server, by which clients know. */
void
cmd_track(struct conn *c, const char *arg, size_t len)
{
	(void)arg;
	(void)len;
	conn_error(
	    c, "tracking subsystem is only available in Faktory Enterprise");
}

void
cmd_batch(struct conn *c, const char *arg, size_t len)
{
	(void)arg;
	(void)len;
	conn_error(
	    c, "batch subsystem is only available in Faktory Enterprise");
}
