/*
 * reservations - by jid, and by deadline.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/reservations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

struct reservations {
	struct map *by_jid; /* the newest of each jid */
	struct agenda *deadlines;
	size_t count;
};

struct reservations *
reservations_new(void)
{
	struct reservations *rs = calloc(1, sizeof *rs);

	if (rs == NULL)
		return NULL;
	rs->by_jid = map_new();
	rs->deadlines = agenda_new(entry_order);
	if (rs->by_jid == NULL || rs->deadlines == NULL) {
		reservations_free(rs);
		return NULL;
	}
	return rs;
}

void
reservations_free(struct reservations *rs)
{
	size_t cursor = 0;
	struct reservation *r;

	if (rs == NULL)
		return;
	while (
	    rs->by_jid != NULL && (r = map_next(rs->by_jid, &cursor)) != NULL) {
		while (r != NULL) {
			struct reservation *older = r->same_jid;
			free(r);
			r = older;
		}
	}
	map_free(rs->by_jid);
	agenda_free(rs->deadlines);
	free(rs);
}

size_t
reservations_count(const struct reservations *rs)
{
	return rs->count;
}

struct reservation *
reservation_new(struct entry *e, const char *wid)
{
	size_t len = strlen(wid);
	struct reservation *r = calloc(1, sizeof *r + len + 1);

	if (r == NULL)
		return NULL;
	r->entry = e;
	memcpy(r->wid, wid, len);
	return r;
}

int
reservations_add(
    struct reservations *rs, struct reservation *r, int64_t deadline)
{
	const char *jid = r->entry->jid;
	size_t len = strlen(jid);

	/* Room for all, so that those being settled can always come back. */
	if (agenda_reserve(
		rs->deadlines, rs->count - agenda_count(rs->deadlines) + 1) < 0)
		return -ENOMEM;
	/* The map's key lies in the entry of the newest reservation. */
	struct reservation *older = map_remove(rs->by_jid, jid, len);
	if (map_put(rs->by_jid, jid, len, r) < 0) {
		/* Putting back what was just taken out needs no memory. */
		if (older != NULL)
			(void)map_put(
			    rs->by_jid, older->entry->jid, len, older);
		return -ENOMEM;
	}
	r->same_jid = older;
	r->entry->held = r;
	r->entry->timer.when = deadline;
	agenda_add(rs->deadlines, &r->entry->timer);
	rs->count++;
	return 0;
}

void
reservations_remove(struct reservations *rs, struct reservation *r)
{
	const char *jid = r->entry->jid;
	size_t len = strlen(jid);
	struct reservation *newest = map_get(rs->by_jid, jid, len);

	if (newest == r) {
		(void)map_remove(rs->by_jid, jid, len);
		if (r->same_jid != NULL)
			(void)map_put(rs->by_jid, r->same_jid->entry->jid, len,
			    r->same_jid);
	} else {
		while (newest->same_jid != r)
			newest = newest->same_jid;
		newest->same_jid = r->same_jid;
	}
	if (r->settling == NULL)
		agenda_remove(rs->deadlines, &r->entry->timer);
	if (r->undelivered != NULL)
		*r->undelivered = NULL;
	r->entry->held = NULL;
	rs->count--;
	free(r);
}

struct reservation *
reservations_find(const struct reservations *rs, const char *jid, size_t len,
    const char *wid, bool exact)
{
	struct reservation *own = NULL, *any = NULL, *settling = NULL;

	for (struct reservation *r = map_get(rs->by_jid, jid, len); r != NULL;
	     r = r->same_jid) {
		bool is_own = strcmp(r->wid, wid) == 0;

		if (!is_own && (exact || (r->wid[0] != '\0' && wid[0] != '\0')))
			continue;
		if (r->settling != NULL)
			settling = r;
		else if (is_own)
			own = r;
		else
			any = r;
	}
	return own != NULL ? own : any != NULL ? any : settling;
}

struct entry *
reservations_first(const struct reservations *rs)
{
	struct agenda_item *first = agenda_first(rs->deadlines);

	return first != NULL ? entry_of_timer(first) : NULL;
}

struct reservation *
reservations_next(
    const struct reservations *rs, size_t *cursor, struct reservation *r)
{
	if (r != NULL && r->same_jid != NULL)
		return r->same_jid;
	return map_next(rs->by_jid, cursor);
}

void
reservations_settling(
    struct reservations *rs, struct reservation *r, struct op *settling)
{
	agenda_remove(rs->deadlines, &r->entry->timer);
	r->settling = settling;
}

void
reservations_unsettle(struct reservations *rs, struct reservation *r)
{
	r->settling = NULL;
	agenda_add(rs->deadlines, &r->entry->timer);
}
