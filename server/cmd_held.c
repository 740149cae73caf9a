/*
 * cmd_held - HELD: what a worker has, and so what never reached it.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>

#include "protocol/held.h"
#include "server/commands.h"
#include "server/parts.h"

/*
 * Whatever its other connections ask for now, or have asked for, goes nowhere:
 * the worker says by HELD that it waits for no answer there. That it is a host
 * which has left them counts as with one that was closed. It goes on by the
 * speaker, which an earlier HELD on another one may have disowned.
 */
static void
disown_others(struct conn *speaker)
{
	speaker->disowned = false;
	for (struct conn *c = speaker->server->conns; c != NULL; c = c->next) {
		if (c == speaker || c->worker != speaker->worker)
			continue;
		c->disowned = true;
		if (c->fetch == NULL && c->nundelivered == 0)
			continue;
		c->by_host = true;
		conn_close(c);
	}
}

void
cmd_held(struct conn *c, const char *arg, size_t len)
{
	struct pending *p;
	struct held held;
	struct err e;

	if (c->worker == NULL) {
		conn_error(c, "HELD is for workers: HELLO had no wid");
		return;
	}
	if (held_read(arg, len, &held, &e) < 0) {
		conn_error(c, "invalid HELD: %s", e.text);
		return;
	}
	p = calloc(1, sizeof *p);
	int r = p == NULL ? -ENOMEM
			  : jobs_keep_only(c->server->jobs, c->worker->wid,
				held, command_done, p);
	if (r < 0)
		conn_error(c, "out of memory");
	else
		disown_others(c);
	if (r == 0) {
		conn_wait(c, p);
		return;
	}
	if (r > 0)
		conn_ok(c);
	free(p);
}
