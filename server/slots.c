/*
 * slots - a line of answers, each in its place.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/slots.h"

#include <stdlib.h>

#include "server/conn.h"

enum { ANSWER_MAX = 1 << 30 };

struct slot *
slots_add(struct conn *c)
{
	struct slot *slot = calloc(1, sizeof *slot);

	if (slot == NULL)
		return NULL;
	slot->conn = c;
	*(c->last_slot != NULL ? &c->last_slot->next : &c->slots) = slot;
	c->last_slot = slot;
	c->nslots++;
	return slot;
}

void
slots_drop(struct conn *c)
{
	struct slot *slot = c->slots;

	c->slots = slot->next;
	if (c->slots == NULL)
		c->last_slot = NULL;
	c->nslots--;
	buf_free(slot->text);
	free(slot);
}

struct buf *
slots_text(struct slot *slot)
{
	if (slot->text == NULL)
		slot->text = buf_new(ANSWER_MAX);
	return slot->text;
}

void
slots_release(struct conn *c)
{
	while (c->slots != NULL && c->slots->done) {
		struct buf *text = c->slots->text;

		if (text == NULL ||
		    buf_append(c->out, buf_front(text), buf_len(text)) < 0)
			conn_close(c);
		slots_drop(c);
	}
}

void
slots_forget(struct conn *c)
{
	struct slot *slot = c->slots;

	while (slot != NULL) {
		struct slot *next = slot->next;

		buf_free(slot->text);
		slot->text = NULL;
		slot->conn = NULL;
		if (slot->done)
			free(slot);
		slot = next;
	}
}
