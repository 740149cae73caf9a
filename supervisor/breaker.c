/*
 * breaker - a ring of ends, and three states.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/breaker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

struct breaker_end {
	int64_t at;
	uint64_t errtype; /* its hash; 0: it did not fail */
};

/* FNV-1a; never 0. Two errtypes with one hash would count as the same. */
static uint64_t
hash(const char *text)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return h != 0 ? h : 1;
}

static void
copy(char *to, size_t size, const char *text)
{
	size_t len = utf8_cut(text, strlen(text), size - 1);

	memcpy(to, text, len);
	to[len] = '\0';
}

static void
forget_ends(struct breaker *b)
{
	free(b->ends);
	b->ends = NULL;
	b->room = b->count = b->next = 0;
}

static void
become_open(struct breaker *b, const struct breaker_note *n, int64_t now)
{
	b->state = BREAKER_OPEN;
	b->probe = false;
	b->until = now + b->cooldown;
	b->unavailable = n->sign == BREAKER_UNAVAILABLE;
	copy(b->errtype, sizeof b->errtype, n->errtype);
	forget_ends(b);
}

static enum breaker_event
first_open(struct breaker *b, const struct breaker_settings *s,
    const struct breaker_note *n, int64_t now)
{
	b->cooldown = s->cooldown;
	b->opened++;
	become_open(b, n, now);
	return BREAKER_OPENS;
}

static enum breaker_event
become_closed(struct breaker *b)
{
	b->state = BREAKER_CLOSED;
	b->probe = false;
	forget_ends(b);
	return BREAKER_CLOSES;
}

static void
remember(struct breaker *b, const struct breaker_settings *s,
    const struct breaker_note *n, int64_t now)
{
	size_t room = (size_t)s->of;

	if (b->ends == NULL || b->room != room) {
		forget_ends(b);
		b->ends = calloc(room, sizeof *b->ends);
		if (b->ends == NULL)
			return;
		b->room = room;
	}
	b->ends[b->next] = (struct breaker_end){ now,
		n->sign == BREAKER_WORKS ? 0 : hash(n->errtype) };
	b->next = (b->next + 1) % b->room;
	if (b->count < b->room)
		b->count++;
}

/* How many of the last ends failed like this; 0 when they are too few, or
 * too old. */
static size_t
alike(const struct breaker *b, const struct breaker_settings *s,
    const char *errtype, int64_t now)
{
	uint64_t key = hash(errtype);
	size_t n = 0;

	if (b->ends == NULL || b->count < b->room)
		return 0;
	/* The ring is full, so its next place holds the oldest. */
	if (now - b->ends[b->next].at > s->window)
		return 0;
	for (size_t i = 0; i < b->count; i++)
		n += b->ends[i].errtype == key;
	return n;
}

static enum breaker_event
note_closed(struct breaker *b, const struct breaker_settings *s,
    const struct breaker_note *n, int64_t now)
{
	if (n->sign == BREAKER_UNAVAILABLE && s->unavailable) {
		copy(b->reason, sizeof b->reason, n->message);
		return first_open(b, s, n, now);
	}
	if (s->failures == 0)
		return BREAKER_STAYS;
	remember(b, s, n, now);
	if (n->sign == BREAKER_WORKS)
		return BREAKER_STAYS;
	size_t same = alike(b, s, n->errtype, now);
	if (same == 0 || (int64_t)same * 100 < s->failures * (int64_t)b->count)
		return BREAKER_STAYS;
	snprintf(b->reason, sizeof b->reason,
	    "%zu of its last %zu jobs failed with %.128s", same, b->count,
	    n->errtype);
	return first_open(b, s, n, now);
}

static bool
same_way(const struct breaker *b, const struct breaker_note *n)
{
	return n->sign == BREAKER_UNAVAILABLE ||
	    (n->sign == BREAKER_FAILS && !b->unavailable &&
		strcmp(n->errtype, b->errtype) == 0);
}

const char *
breaker_state_name(enum breaker_state state)
{
	static const char *const names[] = { [BREAKER_CLOSED] = "closed",
		[BREAKER_OPEN] = "open",
		[BREAKER_PROBING] = "probing" };

	return names[state];
}

enum breaker_event
breaker_note(struct breaker *b, const struct breaker_settings *s,
    const struct breaker_note *n, int64_t now)
{
	if (n->probe)
		b->probe = false;
	if (n->sign == BREAKER_NO_SIGN)
		return BREAKER_STAYS;
	if (b->state == BREAKER_CLOSED)
		return note_closed(b, s, n, now);
	if (b->state == BREAKER_OPEN)
		return BREAKER_STAYS;
	if (!n->probe && n->sign != BREAKER_UNAVAILABLE)
		return BREAKER_STAYS;
	if (!same_way(b, n))
		return become_closed(b);
	b->cooldown = b->cooldown > s->max_cooldown / 2 ? s->max_cooldown
							: b->cooldown * 2;
	if (n->sign == BREAKER_UNAVAILABLE)
		copy(b->reason, sizeof b->reason, n->message);
	become_open(b, n, now);
	return BREAKER_OPENS;
}

bool
breaker_lets(const struct breaker *b)
{
	return b->state == BREAKER_CLOSED ||
	    (b->state == BREAKER_PROBING && !b->probe);
}

bool
breaker_begin(struct breaker *b, int64_t now)
{
	if (b->state != BREAKER_PROBING || b->probe)
		return false;
	b->probe = true;
	b->until = now + BREAKER_TRUST;
	return true;
}

int64_t
breaker_trusts_at(const struct breaker *b)
{
	return b->state == BREAKER_PROBING && b->probe && b->unavailable
	    ? b->until
	    : INT64_MAX;
}

void
breaker_wait_more(struct breaker *b, int64_t now)
{
	b->until = now + BREAKER_TRUST;
}

bool
breaker_rest(struct breaker *b, int64_t now)
{
	if (b->state != BREAKER_PROBING || b->probe)
		return false;
	b->state = BREAKER_OPEN;
	b->until = now + b->cooldown;
	return true;
}

void
breaker_take_probe(struct breaker *b)
{
	if (b->state == BREAKER_PROBING)
		b->probe = true;
}

bool
breaker_turn(struct breaker *b, int64_t now)
{
	if (b->state != BREAKER_OPEN || now < b->until)
		return false;
	b->state = BREAKER_PROBING;
	return true;
}

bool
breaker_reset(struct breaker *b, const struct breaker_settings *s)
{
	bool off = b->unavailable ? !s->unavailable : s->failures == 0;

	if (b->state == BREAKER_CLOSED || !off)
		return false;
	become_closed(b);
	return true;
}

void
breaker_clear(struct breaker *b)
{
	forget_ends(b);
	*b = (struct breaker){ 0 };
}

void
breaker_save(const struct breaker *b, struct state_writer *w)
{
	state_put_int(w, b->state);
	state_put_int(w, b->until);
	state_put_int(w, b->cooldown);
	state_put_int(w, (int64_t)b->opened);
	state_put_int(w, b->unavailable);
	state_put_text(w, b->errtype);
	state_put_text(w, b->reason);
}

static void
load_text(char *to, size_t size, struct state_reader *r)
{
	char *text = state_get_text(r);

	if (text != NULL)
		copy(to, size, text);
	free(text);
}

void
breaker_load(struct breaker *b, struct state_reader *r)
{
	struct breaker now = { 0 };

	now.state = (enum breaker_state)state_get_within(
	    r, BREAKER_CLOSED, BREAKER_PROBING);
	now.until = state_get_int(r);
	now.cooldown = state_get_within(r, 0, INT64_MAX);
	now.opened = (uint64_t)state_get_within(r, 0, INT64_MAX);
	now.unavailable = state_get_within(r, 0, 1) != 0;
	load_text(now.errtype, sizeof now.errtype, r);
	load_text(now.reason, sizeof now.reason, r);
	if (r->failed)
		return;
	forget_ends(b);
	*b = now;
}
