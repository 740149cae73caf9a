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
static const char by_size[] =
    "the data's file system has too little left for so much";

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

void
room_count(struct room_need *n, size_t job)
{
	size_t bytes = store_bytes_of(job);

	n->jobs++;
	n->bytes += bytes;
	if (bytes > n->largest)
		n->largest = bytes;
}

static void
forget_seen(struct room *r, const struct store_spare *spare)
{
	while (r->older.bytes != 0 && r->older.commits <= spare->seen) {
		r->older = r->newer;
		r->newer = (struct room_answered){ 0 };
	}
}

/* In the log, and once more where the log is moved to. */
static bool
fits(struct room *r, const struct store *store, const struct room_need *n)
{
	struct store_spare spare;

	store_spare(store, &spare);
	forget_seen(r, &spare);
	size_t largest = n->largest > r->largest ? n->largest : r->largest;
	int64_t open = r->unanswered + r->older.bytes + r->newer.bytes;

	return 2 * (open + (int64_t)(n->bytes + largest)) <= spare.bytes;
}

static void
looked(struct store_change *c, int result, const struct err *why)
{
	struct room *r = c->ctx;

	(void)result;
	(void)why;
	r->looking = false;
}

/* The log may have been emptied since the last commit, and others may have made
 * room: whoever is refused shall not be for ever because nobody looks. Between
 * two looks the store has time to empty its log. */
static void
look_anew(struct server *s)
{
	struct room *r = &s->room;
	int64_t now = clock_mono();

	if (r->looking || now - r->looked_anew < LOOK_AGAIN)
		return;
	r->looking = true;
	r->looked_anew = now;
	r->look = (struct store_change){
		.kind = STORE_COUNT,
		.name = "probed", /* as health has it */
		.value = clock_wall() / CLOCK_NS_PER_S,
		.done = looked,
		.ctx = r,
	};
	store_add(s->store, &r->look);
}

void
room_take(struct server *s, size_t job)
{
	size_t bytes = store_bytes_of(job);

	s->room.unanswered += (int64_t)bytes;
	if (bytes > s->room.largest)
		s->room.largest = bytes;
}

void
room_answer(struct server *s, size_t job)
{
	int64_t bytes = (int64_t)store_bytes_of(job);
	struct room *r = &s->room;
	struct room_answered *to;
	struct store_spare spare;

	store_spare(s->store, &spare);
	forget_seen(r, &spare);
	to = r->older.bytes == 0 ? &r->older : &r->newer;
	to->bytes += bytes;
	to->commits = spare.commits;
	r->unanswered -= bytes;
}

int
room_for(struct server *s, const struct room_need *n, struct err *e)
{
	int64_t most = s->settings->limits.jobs;
	const char *full = disk_is_full(s);

	if (full == NULL && !fits(&s->room, s->store, n)) {
		full = by_size;
		s->room.missed = *n;
		s->room.missed_at = clock_mono();
		look_anew(s);
	}
	if (full != NULL) {
		s->room.refused++;
		return err_set(e, ENOSPC, "no room: %s", full);
	}
	if (most == 0 || jobs_here(s) + n->jobs <= (size_t)most)
		return 0;
	s->room.refused++;
	return err_set(e, ENOSPC,
	    "no room: there are %zu jobs, and limits.jobs is %" PRId64,
	    jobs_here(s), most);
}

size_t
room_missed(struct room *r, const struct store *store)
{
	if (r->missed_at == 0 || clock_mono() - r->missed_at > ROOM_LATELY ||
	    fits(r, store, &r->missed))
		return 0;
	return r->missed.bytes;
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
