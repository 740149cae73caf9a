/*
 * held - what a worker does not hold goes back, though it is reserved for it.
 *
 * An answer to FETCH that was on disk may never have reached its worker. What
 * that worker then names is all that it has: the rest is in nobody's hands.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "server/op.h"

/* More are counted, and not each named in the log. */
enum { NAMED_MAX = 100 };

/* One request. */
struct round {
	size_t open; /* on their way to the disk, and one for the start */
	size_t back;
	struct err trouble; /* the first; code 0: none */
	jobs_done *done;
	void *ctx;
	char wid[];
};

/* A job that goes back. */
struct lost_job {
	struct round *all;
	char jid[];
};

static void
step(struct round *all)
{
	if (--all->open > 0)
		return;
	if (all->back > 0)
		log_say(LOG_LEVEL_WARNING, "workers",
		    "wid=%s does not have %zu jobs that were reserved for it: "
		    "they are back in their places",
		    all->wid, all->back);
	all->done(all->ctx, -all->trouble.code, &all->trouble);
	free(all);
}

/* -EALREADY: somebody else had begun to settle it. */
static void
one_is_back(void *ctx, int result, const struct err *why)
{
	struct lost_job *job = ctx;
	struct round *all = job->all;
	const struct log_tag tags[] = { { "jid", job->jid } };

	if (result == 0 && all->back++ < NAMED_MAX)
		log_tagged(LOG_LEVEL_INFO, tags, 1,
		    "had not reached wid=%s: it is back in its place",
		    all->wid);
	else if (result < 0 && result != -EALREADY && all->trouble.code == 0)
		err_set(&all->trouble, -result, "%s", why->text);
	free(job);
	step(all);
}

static int
return_one(struct round *all, struct jobs *j, struct reservation *r)
{
	size_t len = strlen(r->entry->jid);
	struct lost_job *job = calloc(1, sizeof *job + len + 1);

	if (job == NULL)
		return -ENOMEM;
	job->all = all;
	memcpy(job->jid, r->entry->jid, len);
	all->open++;
	int failed = jobs_return(j, r, one_is_back, job);
	if (failed < 0) {
		all->open--;
		free(job);
	}
	return failed;
}

int
jobs_keep_only(struct jobs *j, const char *wid, struct held held,
    jobs_done *done, void *ctx)
{
	size_t len = strlen(wid);
	struct round *all = calloc(1, sizeof *all + len + 1);
	uint64_t mark = ++j->rounds;
	char jid[JOB_JID_MAX];
	ssize_t n;

	if (all == NULL)
		return -ENOMEM;
	all->open = 1;
	all->done = done;
	all->ctx = ctx;
	memcpy(all->wid, wid, len);
	while ((n = held_next(&held, jid)) >= 0)
		reservations_mark(j->reservations, jid, (size_t)n, wid, mark);
	for (struct reservation *r = reservations_of(j->reservations, wid);
	     r != NULL; r = r->next_held)
		if (r->mark != mark && return_one(all, j, r) < 0) {
			err_set(&all->trouble, ENOMEM, "out of memory");
			break;
		}
	if (all->open == 1) {
		int r = all->trouble.code != 0 ? -ENOMEM : 1;

		free(all);
		return r;
	}
	step(all);
	return 0;
}
