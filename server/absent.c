/*
 * absent - workers that have died, and what becomes of what they held.
 *
 * That a worker is gone is on disk, so that a restart of the server in
 * between does not make its jobs wait for the end of their reservations.
 *
 * A death while the server was down is seen by nobody. So after a start every
 * worker that holds jobs counts as away, and has a grace of its own, long
 * enough for one that is alive to find us again: it may have to wait for its
 * next try. Those whose death was seen have no less, for the same reason.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "server/note.h"
#include "server/op.h"

enum { PIECE = 200 }; /* jobs per turn of the loop, so that others go on */

/* Until the disk has answered, or refused; seconds. */
#define LOOK_AGAIN 0.5

struct absent {
	struct jobs *jobs;
	ev_timer grace;
	size_t released;
	bool noted;  /* on disk */
	bool silent; /* nobody has seen its death */
	char wid[];
};

static void
forget(struct absent *a)
{
	ev_timer_stop(a->jobs->loop, &a->grace);
	(void)map_remove(a->jobs->absent, a->wid, strlen(a->wid));
	free(a);
}

static void
erase(const struct absent *a)
{
	if (!a->noted)
		return;
	note_erase(a->jobs->store, &(struct note){ NOTE_GONE, a->wid, "", 0 });
}

/* Returns how many it ended; a job that is being settled is left alone. */
static size_t
release_piece(struct absent *a)
{
	struct jobs *j = a->jobs;
	struct reservation *r = reservations_of(j->reservations, a->wid);
	size_t n = 0;

	for (; r != NULL && n < PIECE; r = r->next_held) {
		if (r->settling != NULL)
			continue;
		if (jobs_outlive(j, r) < 0)
			break;
		jobs_tell_lost(j, r);
		n++;
	}
	return n;
}

static void
on_grace(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct absent *a = w->data;
	struct jobs *j = a->jobs;
	size_t n = 0;

	(void)revents;
	if (reservations_of(j->reservations, a->wid) == NULL) {
		if (a->released > 0)
			log_say(LOG_LEVEL_WARNING, "workers",
			    "wid=%s %s did not come back; it held %zu jobs",
			    a->wid,
			    a->silent      ? "fell silent and"
				: a->noted ? "died and"
					   : "was away at the start and",
			    a->released);
		erase(a);
		forget(a);
		return;
	}
	if (clock_wall() >= j->not_before)
		n = release_piece(a);
	a->released += n;
	ev_timer_set(&a->grace, n == PIECE ? 1e-3 : LOOK_AGAIN, 0.);
	ev_timer_start(loop, &a->grace);
}

static struct absent *
add(struct jobs *j, const char *wid)
{
	size_t len = strlen(wid);
	struct absent *a = calloc(1, sizeof *a + len + 1);

	if (a == NULL)
		return NULL;
	a->jobs = j;
	memcpy(a->wid, wid, len);
	ev_timer_init(&a->grace, on_grace,
	    (double)j->options.worker_grace / (double)CLOCK_NS_PER_S, 0.);
	a->grace.data = a;
	if (map_put(j->absent, a->wid, len, a) < 0) {
		free(a);
		return NULL;
	}
	return a;
}

/* NULL: there is nothing to wait for, or no memory. */
static struct absent *
left(struct jobs *j, const char *wid)
{
	struct absent *a;

	if (reservations_of(j->reservations, wid) == NULL ||
	    map_get(j->absent, wid, strlen(wid)) != NULL)
		return NULL;
	a = add(j, wid);
	if (a == NULL)
		log_say(LOG_LEVEL_ERROR, "workers",
		    "wid=%s is gone: out of memory; what it held waits for "
		    "the end of its reservations",
		    wid);
	return a;
}

/*
 * Not on disk: after a restart it has restart_grace like all who were away,
 * or, without one, the time of its reservations.
 */
void
jobs_worker_lost(struct jobs *j, const char *wid, int64_t heard)
{
	struct absent *a = j->options.worker_silence > 0 ? left(j, wid) : NULL;

	if (a == NULL)
		return;
	int64_t wait = heard + j->options.worker_silence - clock_mono();
	a->silent = true;
	ev_timer_set(&a->grace,
	    wait > 0 ? (double)wait / (double)CLOCK_NS_PER_S : 1e-3, 0.);
	ev_timer_start(j->loop, &a->grace);
}

void
jobs_worker_gone(struct jobs *j, const char *wid)
{
	struct absent *a = left(j, wid);

	if (a == NULL)
		return;
	a->noted = true;
	/* When that is refused, only a restart makes the jobs wait longer. */
	(void)note_put(j->store,
	    &(struct note){ NOTE_GONE, wid, "", clock_wall() }, NULL, NULL);
	ev_timer_start(j->loop, &a->grace);
}

void
jobs_worker_back(struct jobs *j, const char *wid)
{
	struct absent *a = map_get(j->absent, wid, strlen(wid));

	if (a == NULL)
		return;
	erase(a);
	forget(a);
}

int
absent_load(struct jobs *j, const char *wid)
{
	struct absent *a = add(j, wid);

	if (a == NULL)
		return -ENOMEM;
	a->noted = true;
	return 0;
}

/* Whoever holds a job is away until its HELLO. */
static void
expect_holders(struct jobs *j)
{
	struct reservation *r = NULL;
	size_t cursor = 0;

	while ((r = reservations_next(j->reservations, &cursor, r)) != NULL) {
		if (r->wid[0] == '\0' ||
		    map_get(j->absent, r->wid, strlen(r->wid)) != NULL)
			continue;
		if (add(j, r->wid) == NULL) {
			log_say(LOG_LEVEL_ERROR, "workers",
			    "out of memory: what wid=%s holds waits for the "
			    "end of its reservations, should it be dead",
			    r->wid);
			return;
		}
	}
}

static double
grace_after_start(const struct jobs *j)
{
	int64_t grace = j->options.worker_grace;

	if (grace < j->options.restart_grace)
		grace = j->options.restart_grace;
	return (double)grace / (double)CLOCK_NS_PER_S;
}

void
absent_start(struct jobs *j)
{
	size_t cursor = 0;
	struct absent *a;

	if (j->options.restart_grace > 0)
		expect_holders(j);
	/* Reading the store may have taken long: it counts from now. */
	ev_now_update(j->loop);
	while ((a = map_next(j->absent, &cursor)) != NULL) {
		ev_timer_set(&a->grace, grace_after_start(j), 0.);
		ev_timer_start(j->loop, &a->grace);
	}
	if (map_count(j->absent) > 0)
		log_say(LOG_LEVEL_INFO, "workers",
		    "%zu workers hold jobs and have %.0f s to come back",
		    map_count(j->absent), grace_after_start(j));
}

void
absent_clear(struct jobs *j)
{
	size_t cursor = 0;
	struct absent *a;

	while ((a = map_next(j->absent, &cursor)) != NULL) {
		ev_timer_stop(j->loop, &a->grace);
		free(a);
	}
	map_clear(j->absent);
}

void
absent_free(struct jobs *j)
{
	if (j->absent != NULL)
		absent_clear(j);
	map_free(j->absent);
}
