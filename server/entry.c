/*
 * entry - made, freed, found by its timer.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/entry.h"

#include <stdlib.h>
#include <string.h>

struct entry *
entry_new(const char *jid, size_t len)
{
	struct entry *e = calloc(1, sizeof *e + len + 1);

	if (e == NULL)
		return NULL;
	memcpy(e->jid, jid, len);
	e->retry_count = -1;
	return e;
}

void
entry_free(struct entry *e)
{
	free(e);
}

struct entry *
entry_of_timer(struct agenda_item *timer)
{
	char *at = (char *)timer - offsetof(struct entry, timer);

	return (struct entry *)(void *)at;
}

int
entry_order(struct agenda_item *a, struct agenda_item *b)
{
	int64_t x = entry_of_timer(a)->seq, y = entry_of_timer(b)->seq;

	return (x > y) - (x < y);
}
