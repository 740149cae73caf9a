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

/* Exists while it holds something. */
struct holder {
	struct reservation *first;
	char wid[];
};

struct reservations {
	struct map *by_jid; /* the newest of each jid */
	struct map *by_wid; /* holders; none for "" */
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
	rs->by_wid = map_new();
	rs->deadlines = agenda_new(entry_order);
	if (rs->by_jid == NULL || rs->by_wid == NULL || rs->deadlines == NULL) {
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
	struct holder *h;

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
	cursor = 0;
	while (
	    rs->by_wid != NULL && (h = map_next(rs->by_wid, &cursor)) != NULL)
		free(h);
	map_free(rs->by_wid);
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
	r->delay = -1;
	memcpy(r->wid, wid, len);
	return r;
}

static int
hold(struct reservations *rs, struct reservation *r)
{
	size_t len = strlen(r->wid);
	struct holder *h;

	if (len == 0)
		return 0;
	h = map_get(rs->by_wid, r->wid, len);
	if (h == NULL) {
		h = calloc(1, sizeof *h + len + 1);
		if (h == NULL)
			return -ENOMEM;
		memcpy(h->wid, r->wid, len);
		if (map_put(rs->by_wid, h->wid, len, h) < 0) {
			free(h);
			return -ENOMEM;
		}
	}
	r->next_held = h->first;
	r->prev_held = &h->first;
	if (h->first != NULL)
		h->first->prev_held = &r->next_held;
	h->first = r;
	return 0;
}

static void
let_go(struct reservations *rs, struct reservation *r)
{
	if (r->prev_held == NULL)
		return;
	*r->prev_held = r->next_held;
	if (r->next_held != NULL)
		r->next_held->prev_held = r->prev_held;
	r->prev_held = NULL;
	if (reservations_of(rs, r->wid) == NULL)
		free(map_remove(rs->by_wid, r->wid, strlen(r->wid)));
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
	if (hold(rs, r) < 0)
		return -ENOMEM;
	/* The map's key lies in the entry of the newest reservation. */
	struct reservation *older = map_remove(rs->by_jid, jid, len);
	if (map_put(rs->by_jid, jid, len, r) < 0) {
		/* Putting back what was just taken out needs no memory. */
		if (older != NULL)
			(void)map_put(
			    rs->by_jid, older->entry->jid, len, older);
		let_go(rs, r);
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
reservations_end(struct reservations *rs, struct reservation *r)
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
	let_go(rs, r);
	r->entry->held = NULL;
	r->same_jid = NULL;
	r->undelivered = NULL;
	r->settling = NULL;
	rs->count--;
}

void
reservations_remove(struct reservations *rs, struct reservation *r)
{
	reservations_end(rs, r);
	free(r);
}

struct reservation *
reservations_find(const struct reservations *rs, const char *jid, size_t len,
    const char *wid, reservations_present *present, void *ctx)
{
	struct reservation *own = NULL, *any = NULL, *settling = NULL;

	for (struct reservation *r = map_get(rs->by_jid, jid, len); r != NULL;
	     r = r->same_jid) {
		bool is_own = strcmp(r->wid, wid) == 0;

		if (!is_own &&
		    (present == NULL ||
			(r->wid[0] != '\0' && wid[0] != '\0' &&
			    present(ctx, r->wid))))
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

void
reservations_mark(const struct reservations *rs, const char *jid, size_t len,
    const char *wid, uint64_t mark)
{
	for (struct reservation *r = map_get(rs->by_jid, jid, len); r != NULL;
	     r = r->same_jid)
		if (strcmp(r->wid, wid) == 0)
			r->mark = mark;
}

struct reservation *
reservations_of(const struct reservations *rs, const char *wid)
{
	const struct holder *h = map_get(rs->by_wid, wid, strlen(wid));

	return h != NULL ? h->first : NULL;
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
