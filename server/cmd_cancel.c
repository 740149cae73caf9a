/*
 * cmd_cancel - CANCEL: end a job, wherever it is.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "protocol/outcome.h"
#include "server/commands.h"
#include "server/parts.h"

static void
cancelled(void *ctx, int result, const struct err *why,
    const struct jobs_cancelled *done)
{
	struct pending *p = ctx;
	struct conn *c = conn_resume(p);
	char text[96];

	free(p);
	if (c == NULL)
		return;
	if (result < 0) {
		conn_error(c, "%s", why->text);
		return;
	}
	int n = snprintf(text, sizeof text, "{\"removed\":%zu,\"told\":%zu}",
	    done->removed, done->told);
	conn_bulk(c, text, (size_t)n);
}

static void
refuse(struct conn *c, int why, const char *jid)
{
	switch (why) {
	case -ENOENT:
		conn_error(c, "Job not found %s", jid);
		break;
	case -EBUSY:
		conn_error(c, "Job %s is being moved just now: ask again", jid);
		break;
	case -EOWNERDEAD:
		conn_error(c, "Job %s is dead", jid);
		break;
	case -ENOTSUP:
		conn_error(
		    c, "Job %s is held by a client that cannot be told", jid);
		break;
	case -ENOSPC:
		conn_error(c, "workers are to be told too much already");
		break;
	default:
		conn_error(c, "out of memory");
	}
}

void
cmd_cancel(struct conn *c, const char *arg, size_t len)
{
	struct pending *p = calloc(1, sizeof *p);
	struct claim claim;
	int r;

	if (p == NULL || (r = claim_parse(arg, len, &claim)) == -ENOMEM) {
		conn_error(c, "out of memory");
		free(p);
		return;
	}
	if (r < 0) {
		conn_error(c, "invalid CANCEL %.*s",
		    (int)(len < 500 ? len : 500), arg);
		free(p);
		return;
	}
	r = jobs_cancel(
	    c->server->jobs, claim.jid, claim.jid_len, cancelled, p);
	if (r == 0) {
		const struct log_tag tags[] = { { "jid", claim.jid } };

		log_tagged(LOG_LEVEL_INFO, tags, 1, "CANCEL by %s", c->peer);
		conn_wait(c, p);
	} else {
		refuse(c, r, claim.jid);
		free(p);
	}
	claim_clear(&claim);
}
