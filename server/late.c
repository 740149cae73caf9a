/*
 * late - who had a job that waits in its queue again.
 *
 * A worker that was away for too long has lost its jobs, and may know all the
 * same how one of them ended. As long as nobody has taken that job since, its
 * word counts: the reservation comes back for the time that the word takes to
 * the disk. Until then it is kept aside, and the row keeps the worker's name.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "server/op.h"

enum { LATE_MAX = 100000 }; /* beyond it a job runs again */

void
late_keep(struct jobs *j, struct reservation *r)
{
	struct entry *e = r->entry;

	if (map_count(j->late) >= LATE_MAX ||
	    map_put(j->late, (const char *)&e->id, sizeof e->id, r) < 0) {
		free(r);
		return;
	}
	e->late = true;
}

static struct reservation *
take_out(struct jobs *j, struct entry *e)
{
	e->late = false;
	return map_remove(j->late, (const char *)&e->id, sizeof e->id);
}

void
late_forget(struct jobs *j, struct entry *e)
{
	if (e->late)
		free(take_out(j, e));
}

/* As reservations_find() has it for what is held. */
static bool
may_speak(
    struct jobs *j, const struct jobs_claim *claim, const struct reservation *r)
{
	return strcmp(claim->wid, r->wid) == 0 ||
	    (!claim->exact &&
		(claim->wid[0] == '\0' ||
		    j->hooks.presence(j->hooks.ctx, r->wid) == PRESENCE_AWAY));
}

static struct entry *
find(struct jobs *j, const struct jobs_claim *claim)
{
	struct entry *e;

	if (map_count(j->late) == 0)
		return NULL;
	for (e = jids_find(j->jids, claim->jid, claim->jid_len); e != NULL;
	     e = jids_next(e))
		if (e->late && !e->moving &&
		    may_speak(j, claim,
			map_get(j->late, (const char *)&e->id, sizeof e->id)))
			break;
	return e;
}

int
late_revive(
    struct jobs *j, const struct jobs_claim *claim, struct reservation **out)
{
	struct entry *e = find(j, claim);
	int64_t enqueued_at;

	if (e == NULL)
		return -ENOENT;
	enqueued_at = e->enqueued_at;
	struct reservation *r = take_out(j, e);
	queue_drop(e->queue, e);
	e->state = JOB_RESERVED;
	r->enqueued_at = enqueued_at;
	r->late = true;
	/* Its deadline does not count while the word is on its way. */
	int failed = reservations_add(
	    j->reservations, r, clock_mono() + e->reserve_for * CLOCK_NS_PER_S);
	if (failed < 0) {
		e->state = JOB_QUEUED;
		e->enqueued_at = enqueued_at;
		late_keep(j, r);
		jobs_place(j, e);
		return failed;
	}
	*out = r;
	return 0;
}

void
late_lapse(struct jobs *j, struct reservation *r)
{
	struct entry *e = r->entry;

	reservations_end(j->reservations, r);
	r->late = false;
	e->state = JOB_QUEUED;
	e->enqueued_at = r->enqueued_at;
	late_keep(j, r);
	jobs_place(j, e);
}

void
late_clear(struct jobs *j)
{
	size_t cursor = 0;
	struct reservation *r;

	while (j->late != NULL && (r = map_next(j->late, &cursor)) != NULL)
		free(r);
	map_free(j->late);
}
