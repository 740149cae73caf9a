/*
 * note - one change of the store with its own copy of the words.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/note.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct writing {
	struct store_change change;
	note_done *done;
	void *ctx;
	char words[]; /* jid and wid */
};

static void
written(struct store_change *c, int result, const struct err *why)
{
	struct writing *w = c->ctx;
	const struct note note = { c->note, c->name, c->job.jid, c->value };

	if (w->done != NULL)
		w->done(w->ctx, result, why, &note);
	free(w);
}

static struct writing *
writing_new(const struct note *note)
{
	size_t jid = strlen(note->jid) + 1, wid = strlen(note->wid) + 1;
	struct writing *w = calloc(1, sizeof *w + jid + wid);

	if (w == NULL)
		return NULL;
	memcpy(w->words, note->jid, jid);
	memcpy(w->words + jid, note->wid, wid);
	w->change.job.jid = w->words;
	w->change.name = w->words + jid;
	w->change.note = note->kind;
	w->change.value = note->value;
	w->change.done = written;
	w->change.ctx = w;
	return w;
}

int
note_put(
    struct store *store, const struct note *note, note_done *done, void *ctx)
{
	struct writing *w = writing_new(note);

	if (w == NULL)
		return -ENOMEM;
	w->done = done;
	w->ctx = ctx;
	w->change.kind = STORE_NOTE;
	store_add(store, &w->change);
	return 0;
}

void
note_erase(struct store *store, const struct note *note)
{
	struct writing *w = writing_new(note);

	if (w == NULL)
		return;
	w->change.kind = STORE_UNNOTE;
	store_add(store, &w->change);
}
