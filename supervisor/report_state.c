/*
 * report_state - outcomes that are not confirmed, for a successor.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>

#include "supervisor/report_inside.h"

void
report_save(const struct report *r, struct state_writer *w)
{
	const struct outcome *o;
	int64_t n = 0;

	state_put_int(w, (int64_t)r->counts.acked);
	state_put_int(w, (int64_t)r->counts.failed);
	state_put_int(w, (int64_t)r->counts.buried);
	state_put_int(w, (int64_t)r->counts.unknown);
	state_put_int(w, (int64_t)r->counts.dropped);
	state_put_int(w, (int64_t)r->counts.pushes);
	state_put_int(w, (int64_t)r->counts.pushes_refused);
	state_put_int(w, (int64_t)r->counts.released);
	state_put_int(w, (int64_t)r->counts.copied);
	for (o = TAILQ_FIRST(&r->outcomes); o != NULL; o = TAILQ_NEXT(o, link))
		n++;
	state_put_int(w, n);
	for (o = TAILQ_FIRST(&r->outcomes); o != NULL;
	     o = TAILQ_NEXT(o, link)) {
		state_put_int(w, (int64_t)o->kept);
		state_put_bytes(w, o->jid, o->jid_len);
		state_put_bytes(w, o->lines, o->len);
		state_put_int(w, o->expires);
		state_put_bytes(w, o->enqueued_at, strlen(o->enqueued_at));
	}
}

/* The one that the journal has brought already, or NULL. */
static struct outcome *
find(const struct report *r, uint64_t kept)
{
	struct outcome *o;

	for (o = TAILQ_FIRST(&r->outcomes); o != NULL; o = TAILQ_NEXT(o, link))
		if (kept != 0 && o->kept == kept)
			break;
	return o;
}

void
report_load(struct report *r, struct state_reader *from)
{
	r->counts.acked = (uint64_t)state_get_int(from);
	r->counts.failed = (uint64_t)state_get_int(from);
	r->counts.buried = (uint64_t)state_get_int(from);
	r->counts.unknown = (uint64_t)state_get_int(from);
	r->counts.dropped = (uint64_t)state_get_int(from);
	r->counts.pushes = (uint64_t)state_get_int(from);
	r->counts.pushes_refused = (uint64_t)state_get_int(from);
	r->counts.released = (uint64_t)state_get_int(from);
	r->counts.copied = (uint64_t)state_get_int(from);
	int64_t n = state_get_within(from, 0, INT64_MAX);
	for (int64_t i = 0; i < n && !from->failed; i++) {
		uint64_t kept = (uint64_t)state_get_int(from);
		struct journal_outcome o = { 0 };

		o.jid = state_get_bytes(from, &o.jid_len);
		o.line = state_get_bytes(from, &o.len);
		o.expires = state_get_int(from);
		o.enqueued_at = state_get_bytes(from, &o.enqueued_at_len);
		if (from->failed || find(r, kept) != NULL)
			continue;
		struct outcome *taken = report_take_up(r, &o);
		if (taken != NULL)
			report_keep(taken);
	}
}
