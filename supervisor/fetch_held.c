/*
 * fetch_held - which jobs are here, told before any is asked for.
 *
 * SPDX-License-Identifier: ISC
 */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "protocol/extension.h"
#include "supervisor/fetch_parts.h"

/* Later than this a server that was left has found out by itself, or it keeps
 * the jobs until their reservations end. */
#define OWED_MAX (600 * CLOCK_NS_PER_S)

static void
on_told(void *ctx, const struct resp *r)
{
	struct fetch *f = ctx;

	f->telling = false;
	if (r != NULL && r->kind == RESP_ERROR) {
		doubt_refused(&f->doubt);
		log_say(LOG_LEVEL_WARNING, "server",
		    "answers HELD with \"%.*s\": jobs whose answer was lost "
		    "stay reserved for now",
		    (int)(r->len < 200 ? r->len : 200), r->text);
	} else if (r != NULL) {
		doubt_told(&f->doubt);
	}
	f->hooks->none(f->ctx);
	fetch_poke(f);
}

/* The conversation by which it can be told; FETCH_LINES: none. */
static size_t
teller(const struct fetch *f)
{
	for (size_t i = 0; i < FETCH_LINES; i++) {
		const struct line *l = &f->lines[i];

		if (l->client != NULL && client_ready(l->client) &&
		    (client_extensions(l->client) & EXTENSION_HELD) != 0)
			return i;
	}
	return FETCH_LINES;
}

bool
fetch_owes_word(const struct fetch *f)
{
	bool open = false;

	for (size_t i = 0; i < FETCH_LINES; i++)
		open = open ||
		    (f->lines[i].client != NULL &&
			!client_idle(f->lines[i].client));
	return open && f->doubt.open && f->hears && f->lost_at != 0 &&
	    clock_mono() - f->lost_at < OWED_MAX;
}

bool
fetch_could_tell(const struct fetch *f)
{
	return fetch_owes_word(f) && doubt_is_due(&f->doubt, clock_mono()) &&
	    teller(f) < FETCH_LINES;
}

/* The server gives no more jobs to the others. */
static void
tell(struct fetch *f, struct line *by)
{
	int64_t now = clock_mono();
	int r;

	buf_clear(f->request);
	r = f->hooks->held(f->ctx, f->request);
	if (r == 0)
		r = client_ask(by->client, buf_front(f->request),
		    buf_len(f->request), on_told, f);
	if (r == -EAGAIN)
		return;
	if (r < 0) {
		doubt_refused(&f->doubt);
		f->doubt.at = now;
		return;
	}
	f->telling = true;
	doubt_telling(&f->doubt, now);
	by->used_at = now;
	for (size_t i = 0; i < FETCH_LINES; i++)
		if (&f->lines[i] != by && f->lines[i].client != NULL)
			client_hang_up(f->lines[i].client);
}

bool
fetch_tell_first(struct fetch *f)
{
	size_t by = FETCH_LINES;

	if (f->telling)
		return true;
	if (f->hooks->held != NULL && doubt_is_due(&f->doubt, clock_mono()))
		by = teller(f);
	if (by == FETCH_LINES)
		return false;
	if (f->in_flight == 0 && !f->handing)
		tell(f, &f->lines[by]);
	return f->telling || doubt_is_due(&f->doubt, clock_mono());
}
