/*
 * cmd_result - RESULT: what a worker said came out of a job.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>

#include "protocol/outcome.h"
#include "server/commands.h"
#include "server/parts.h"

static void
told(void *ctx, int result, const struct err *why, const char *document,
    size_t len)
{
	struct pending *p = ctx;
	struct conn *c = conn_resume(p);

	free(p);
	if (c == NULL)
		return;
	if (result < 0)
		conn_error(c, "%s", why->text);
	else if (document == NULL)
		conn_null(c);
	else
		conn_bulk(c, document, len);
}

void
cmd_result(struct conn *c, const char *arg, size_t len)
{
	struct claim claim;
	struct pending *p;
	int r = claim_parse(arg, len, &claim);

	if (r == -EINVAL) {
		conn_error(c, "invalid RESULT %.*s",
		    (int)(len < 500 ? len : 500), arg);
		return;
	}
	p = r == 0 ? calloc(1, sizeof *p) : NULL;
	if (p != NULL)
		r = results_ask(jobs_results(c->server->jobs), claim.jid,
		    claim.jid_len, told, p);
	if (p != NULL && r == 0) {
		conn_wait(c, p);
	} else {
		free(p);
		if (r == -ENOENT)
			conn_null(c);
		else
			conn_error(c, "out of memory");
	}
	if (r != -ENOMEM || p != NULL)
		claim_clear(&claim);
}
