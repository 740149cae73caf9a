/*
 * holdings - which jobs are here, as a server is told.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/holdings.h"

#include <errno.h>
#include <string.h>

#include "protocol/held.h"
#include "supervisor/inside.h"
#include "supervisor/joblist.h"

struct listing {
	struct buf *line;
	int result;
};

static bool
put_job(void *ctx, const struct joblist_job *job)
{
	struct listing *l = ctx;

	if (job->lost)
		return true;
	l->result = held_put_jid(l->line, job->jid, strlen(job->jid));
	return l->result == 0;
}

int
holdings_put(const struct upstream *u, struct buf *line)
{
	const struct supervisor *s = u->owner;
	struct listing l = { .line = line };

	if (u != s->current && !fetch_owes_word(u->fetch))
		return -EAGAIN;
	for (size_t i = 0; i < s->nupstreams; i++)
		if (fetch_in_flight(s->upstreams[i].fetch) > 0)
			return -EAGAIN;
	l.result = held_put_begin(line);
	if (l.result == 0)
		joblist_walk(s->dispatch, put_job, &l);
	for (size_t i = 0; i < s->nupstreams && l.result == 0; i++)
		l.result = report_put_held(s->upstreams[i].report, line);
	return l.result == 0 ? held_put_end(line) : l.result;
}

bool
holdings_are_told(const struct supervisor *s)
{
	for (size_t i = 0; i < s->nupstreams; i++) {
		const struct upstream *u = &s->upstreams[i];

		if (fetch_is_telling(u->fetch) ||
		    (u != s->current && fetch_could_tell(u->fetch)))
			return true;
	}
	return false;
}

void
holdings_tell_left(struct supervisor *s)
{
	for (size_t i = 0; i < s->nupstreams; i++)
		if (&s->upstreams[i] != s->current &&
		    fetch_could_tell(s->upstreams[i].fetch))
			fetch_poke(s->upstreams[i].fetch);
}
