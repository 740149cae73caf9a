/*
 * room - whether there is room for another job.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/room.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/parts.h"

#define LOOK_AGAIN (CLOCK_NS_PER_S / 10)

static size_t
jobs_here(const struct server *s)
{
	size_t n = queues_jobs(s->queues) + jobs_reserved(s->jobs);

	for (int i = 0; i < JOBS_SETS; i++)
		n += jobs_in_set(s->jobs, (enum jobs_set)i);
	return n;
}

static const char by_limit[] = "the jobs have reached limits.disk";
static const char by_disk[] = "the data's file system is almost full";

/* Free pages are room too, and the log does not grow with the jobs. Returns
 * why there is no room, NULL: there is. */
static const char *
disk_is_full(struct server *s)
{
	struct room *r = &s->room;
	int64_t now = clock_mono(), limit = s->settings->limits.disk;
	struct store_status st;
	const char *was = r->full;

	if (limit != 0 && (r->looked == 0 || now - r->looked >= LOOK_AGAIN)) {
		store_status(s->store, &st);
		r->looked = now;
		r->above = st.used_bytes >= limit;
	}
	r->full = r->above             ? by_limit
	    : store_is_short(s->store) ? by_disk
				       : NULL;
	if (r->full != NULL && was == NULL)
		log_say(LOG_LEVEL_ERROR, "server", "no more jobs are taken: %s",
		    r->full);
	else if (was != NULL && r->full == NULL)
		log_say(LOG_LEVEL_INFO, "server", "jobs are taken again");
	return r->full;
}

int
room_for(struct server *s, size_t jobs, struct err *e)
{
	int64_t most = s->settings->limits.jobs;

	const char *full = disk_is_full(s);

	if (full != NULL) {
		s->room.refused++;
		return err_set(e, ENOSPC, "no room: %s", full);
	}
	if (most == 0 || jobs_here(s) + jobs <= (size_t)most)
		return 0;
	s->room.refused++;
	return err_set(e, ENOSPC,
	    "no room: there are %zu jobs, and limits.jobs is %" PRId64,
	    jobs_here(s), most);
}

int
room_for_size(struct server *s, size_t bytes, struct err *e)
{
	int64_t most = s->settings->limits.job;

	if (most == 0 || bytes <= (size_t)most)
		return 0;
	s->room.too_large++;
	return err_set(e, E2BIG,
	    "the job is too large: %zu bytes, and limits.job is %" PRId64,
	    bytes, most);
}
