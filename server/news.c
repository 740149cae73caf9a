/*
 * news - a list for each worker that is to hear something.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/news.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "server/note.h"

enum { EXPIRE_MAX = 100 }; /* workers per call, so it delays nobody */

struct news_item {
	struct news_item *next;
	enum store_note kind;
	int64_t until;
	char jid[];
};

/* Exists while its list is not empty. */
struct hearer {
	struct news_item *first, **last;
	size_t losses;
	char wid[];
};

struct news {
	struct map *by_wid;
	struct store *store;
	size_t count;
};

/* One on its way to the disk. */
struct posting {
	struct news *news;
	news_done *done;
	void *ctx;
};

struct news *
news_new(void)
{
	struct news *ns = calloc(1, sizeof *ns);

	if (ns == NULL)
		return NULL;
	ns->by_wid = map_new();
	if (ns->by_wid == NULL) {
		free(ns);
		return NULL;
	}
	return ns;
}

void
news_clear(struct news *ns)
{
	size_t cursor = 0;
	struct hearer *h;

	while ((h = map_next(ns->by_wid, &cursor)) != NULL) {
		struct news_item *n;

		while ((n = h->first) != NULL) {
			h->first = n->next;
			free(n);
		}
		free(h);
	}
	map_clear(ns->by_wid);
	ns->count = 0;
}

void
news_free(struct news *ns)
{
	if (ns == NULL)
		return;
	news_clear(ns);
	map_free(ns->by_wid);
	free(ns);
}

void
news_start(struct news *ns, struct store *store)
{
	ns->store = store;
}

static struct hearer *
find(const struct news *ns, const char *wid)
{
	return map_get(ns->by_wid, wid, strlen(wid));
}

static struct hearer *
make(struct news *ns, const char *wid)
{
	size_t len = strlen(wid);
	struct hearer *h = calloc(1, sizeof *h + len + 1);

	if (h == NULL)
		return NULL;
	memcpy(h->wid, wid, len);
	h->last = &h->first;
	if (map_put(ns->by_wid, h->wid, len, h) < 0) {
		free(h);
		return NULL;
	}
	return h;
}

static void
forget_if_empty(struct news *ns, struct hearer *h)
{
	if (h->first != NULL)
		return;
	(void)map_remove(ns->by_wid, h->wid, strlen(h->wid));
	free(h);
}

static struct news_item **
place_of(struct hearer *h, enum store_note kind, const char *jid)
{
	struct news_item **at = &h->first;

	while (*at != NULL &&
	    ((*at)->kind != kind || strcmp((*at)->jid, jid) != 0))
		at = &(*at)->next;
	return at;
}

/* Takes one off its list; the caller frees it. */
static struct news_item *
unlink_at(struct news *ns, struct hearer *h, struct news_item **at)
{
	struct news_item *n = *at;

	*at = n->next;
	if (n->next == NULL)
		h->last = at;
	h->losses -= n->kind == NOTE_LOST;
	ns->count--;
	return n;
}

int
news_load(struct news *ns, enum store_note kind, const char *wid,
    const char *jid, int64_t until)
{
	struct hearer *h = find(ns, wid);
	size_t len = strlen(jid);

	if (h != NULL && *place_of(h, kind, jid) != NULL)
		return 0;
	struct news_item *n = calloc(1, sizeof *n + len + 1);
	if (n == NULL || (h == NULL && (h = make(ns, wid)) == NULL)) {
		free(n);
		return -ENOMEM;
	}
	n->kind = kind;
	n->until = until;
	memcpy(n->jid, jid, len);
	*h->last = n;
	h->last = &n->next;
	h->losses += kind == NOTE_LOST;
	ns->count++;
	return 0;
}

static void
posted(void *ctx, int result, const struct err *why, const struct note *note)
{
	static const struct err no_memory = { .code = ENOMEM,
		.text = "out of memory" };
	struct posting *p = ctx;

	if (result == 0 &&
	    news_load(p->news, note->kind, note->wid, note->jid, note->value) <
		0) {
		result = -ENOMEM;
		why = &no_memory;
	}
	if (p->done != NULL)
		p->done(p->ctx, result, why);
	free(p);
}

int
news_post(struct news *ns, enum store_note kind, const char *wid,
    const char *jid, int64_t until, news_done *done, void *ctx)
{
	const struct note note = { kind, wid, jid, until };
	struct posting *p;

	if (ns->count >= NEWS_MAX)
		return -ENOSPC;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return -ENOMEM;
	p->news = ns;
	p->done = done;
	p->ctx = ctx;
	int r = note_put(ns->store, &note, posted, p);
	if (r < 0)
		free(p);
	return r;
}

static void
erase(struct news *ns, enum store_note kind, const char *wid, const char *jid)
{
	note_erase(ns->store, &(struct note){ kind, wid, jid, 0 });
}

void
news_drop(
    struct news *ns, enum store_note kind, const char *wid, const char *jid)
{
	struct hearer *h = find(ns, wid);
	struct news_item **at = h != NULL ? place_of(h, kind, jid) : NULL;

	if (at == NULL || *at == NULL)
		return;
	erase(ns, kind, wid, jid);
	free(unlink_at(ns, h, at));
	forget_if_empty(ns, h);
}

bool
news_of_loss(const struct news *ns, const char *wid)
{
	struct hearer *h = ns->count > 0 ? find(ns, wid) : NULL;

	return h != NULL && h->losses > 0;
}

/* False when there is no room: it is told another time. */
static bool
tell(struct beat_jids *list, const char *jid)
{
	if (list->count == BEAT_JIDS_MAX)
		return false;
	if (list->names == NULL)
		list->names = calloc(BEAT_JIDS_MAX, sizeof *list->names);
	char *copy = list->names != NULL ? strdup(jid) : NULL;
	if (copy == NULL)
		return false;
	list->names[list->count++] = copy;
	return true;
}

void
news_tell(struct news *ns, const char *wid, struct beat_reply *reply)
{
	struct hearer *h = ns->count > 0 ? find(ns, wid) : NULL;

	if (h == NULL)
		return;
	for (struct news_item **at = &h->first; *at != NULL;) {
		struct beat_jids *list =
		    (*at)->kind == NOTE_LOST ? &reply->lost : &reply->cancel;

		if (!tell(list, (*at)->jid)) {
			at = &(*at)->next;
			continue;
		}
		erase(ns, (*at)->kind, wid, (*at)->jid);
		free(unlink_at(ns, h, at));
	}
	forget_if_empty(ns, h);
}

void
news_expire(struct news *ns, int64_t now)
{
	size_t cursor = 0, emptied = 0;
	struct hearer *h;

	while (ns->count > 0 && (h = map_next(ns->by_wid, &cursor)) != NULL) {
		struct news_item **at = &h->first;

		while (*at != NULL) {
			if ((*at)->until > now) {
				at = &(*at)->next;
				continue;
			}
			erase(ns, (*at)->kind, h->wid, (*at)->jid);
			free(unlink_at(ns, h, at));
		}
		if (h->first == NULL) {
			/* A removal moves others in the table: begin anew. */
			forget_if_empty(ns, h);
			if (++emptied == EXPIRE_MAX)
				return;
			cursor = 0;
		}
	}
}

size_t
news_count(const struct news *ns)
{
	return ns->count;
}
