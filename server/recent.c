/*
 * recent - a line of pushes by time, and a table of their jids.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"

enum { DROPS = 2 }; /* a call, so that the past is gone without a pause */

struct recent {
	int64_t window;
	struct map *by_jid;
	TAILQ_HEAD(recent_line, recent_push) line; /* the oldest first */
};

struct recent *
recent_new(int64_t window)
{
	struct recent *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->window = window;
	TAILQ_INIT(&r->line);
	r->by_jid = map_new();
	if (r->by_jid == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void
recent_remove(struct recent *r, struct recent_push *p)
{
	TAILQ_REMOVE(&r->line, p, link);
	(void)map_remove(r->by_jid, p->jid, strlen(p->jid));
	free(p);
}

void
recent_clear(struct recent *r)
{
	struct recent_push *next;

	for (struct recent_push *p = TAILQ_FIRST(&r->line); p != NULL;
	     p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->op == NULL)
			recent_remove(r, p);
	}
}

void
recent_free(struct recent *r)
{
	struct recent_push *next;

	if (r == NULL)
		return;
	for (struct recent_push *p = TAILQ_FIRST(&r->line); p != NULL;
	     p = next) {
		next = TAILQ_NEXT(p, link);
		free(p);
	}
	map_free(r->by_jid);
	free(r);
}

static void
drop_old(struct recent *r, int64_t now)
{
	struct recent_push *p = TAILQ_FIRST(&r->line), *next;

	for (int i = 0; i < DROPS && p != NULL; i++, p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->op != NULL ||
		    (now - p->when < r->window &&
			map_count(r->by_jid) <= RECENT_MAX))
			return;
		recent_remove(r, p);
	}
}

struct recent_push *
recent_find(struct recent *r, const char *jid, size_t len, int64_t now)
{
	struct recent_push *p = map_get(r->by_jid, jid, len);

	if (p == NULL || p->op != NULL || now - p->when < r->window)
		return p;
	recent_remove(r, p);
	return NULL;
}

struct recent_push *
recent_add(struct recent *r, const char *jid, size_t len, int64_t when)
{
	struct recent_push *p = calloc(1, sizeof *p + len + 1);

	if (p == NULL)
		return NULL;
	memcpy(p->jid, jid, len);
	p->when = when;
	if (map_put(r->by_jid, p->jid, len, p) < 0) {
		free(p);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&r->line, p, link);
	drop_old(r, when);
	return p;
}
