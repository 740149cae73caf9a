/*
 * journal_record - fixed fields, counted texts, a checksum in front.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/journal_record.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/crc32.h"
#include "base/little_endian.h"

enum { FRONT = 8 };     /* length and checksum */
enum { ADD_DATED = 3 }; /* the kind of JOURNAL_ADD with enqueued_at */

static int
put_number(struct buf *out, uint64_t value, size_t width)
{
	char bytes[8];

	le_store(bytes, value, width);
	return buf_append(out, bytes, width);
}

static int
put_text(struct buf *out, const struct journal_text *t, size_t width)
{
	int r = put_number(out, t->len, width);

	return r == 0 ? buf_append(out, t->bytes, t->len) : r;
}

static bool
is_dated(const struct journal_record *r)
{
	return r->kind == JOURNAL_ADD && r->enqueued_at.len > 0;
}

static size_t
size_of(const struct journal_record *r)
{
	if (r->kind == JOURNAL_DONE)
		return 1 + 8;
	return 1 + 8 + 8 + 2 + r->server.len + 2 + r->wid.len + 2 + r->jid.len +
	    4 + r->line.len + (is_dated(r) ? 2 + r->enqueued_at.len : 0);
}

int
journal_record_put(struct buf *out, const struct journal_record *r)
{
	size_t size = size_of(r);
	char front[FRONT] = { 0 };

	if (r->server.len > UINT16_MAX || r->wid.len > UINT16_MAX ||
	    r->jid.len > UINT16_MAX || r->enqueued_at.len > UINT16_MAX ||
	    size > JOURNAL_RECORD_MAX)
		return -EMSGSIZE;
	size_t room;
	char *at = buf_room(out, FRONT + size, &room);
	if (at == NULL || room < FRONT + size)
		return at == NULL ? -ENOMEM : -ENOBUFS;

	int e = buf_append(out, front, FRONT);
	if (e == 0)
		e = put_number(
		    out, is_dated(r) ? ADD_DATED : (uint64_t)r->kind, 1);
	if (e == 0)
		e = put_number(out, r->id, 8);
	if (r->kind == JOURNAL_ADD) {
		if (e == 0)
			e = put_number(out, (uint64_t)r->expires, 8);
		if (e == 0)
			e = put_text(out, &r->server, 2);
		if (e == 0)
			e = put_text(out, &r->wid, 2);
		if (e == 0)
			e = put_text(out, &r->jid, 2);
		if (e == 0)
			e = put_text(out, &r->line, 4);
		if (e == 0 && is_dated(r))
			e = put_text(out, &r->enqueued_at, 2);
	}
	if (e < 0)
		return e;
	/* at stays where it is: the room was made for all of it. */
	le_store(at, size, 4);
	le_store(at + 4, crc32_of(at + FRONT, size), 4);
	return 0;
}

struct cursor {
	const char *at;
	size_t left;
	int short_of; /* something was not there */
};

static uint64_t
take_number(struct cursor *c, size_t width)
{
	if (c->left < width) {
		c->short_of = 1;
		return 0;
	}
	uint64_t value = le_load(c->at, width);
	c->at += width;
	c->left -= width;
	return value;
}

static struct journal_text
take_text(struct cursor *c, size_t width)
{
	struct journal_text t = { c->at, (size_t)take_number(c, width) };

	t.bytes = c->at;
	if (t.len > c->left) {
		c->short_of = 1;
		t.len = 0;
	}
	c->at += t.len;
	c->left -= t.len;
	return t;
}

size_t
journal_record_read(const char *bytes, size_t len, struct journal_record *r)
{
	if (len < FRONT)
		return 0;
	size_t size = (size_t)le_load(bytes, 4);
	if (size > JOURNAL_RECORD_MAX || size > len - FRONT ||
	    le_load(bytes + 4, 4) != crc32_of(bytes + FRONT, size))
		return 0;

	struct cursor c = { bytes + FRONT, size, 0 };
	uint64_t kind = take_number(&c, 1);
	bool dated = kind == ADD_DATED;
	if (kind != JOURNAL_ADD && kind != JOURNAL_DONE && !dated)
		return 0;
	if (dated)
		kind = JOURNAL_ADD;
	*r = (struct journal_record){ .kind = (enum journal_kind)kind };
	r->id = take_number(&c, 8);
	if (kind == JOURNAL_ADD) {
		r->expires = (int64_t)take_number(&c, 8);
		r->server = take_text(&c, 2);
		r->wid = take_text(&c, 2);
		r->jid = take_text(&c, 2);
		r->line = take_text(&c, 4);
		if (dated)
			r->enqueued_at = take_text(&c, 2);
	}
	if (c.short_of || c.left > 0 || dated != is_dated(r))
		return 0;
	return FRONT + size;
}
