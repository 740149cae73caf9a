/*
 * agenda - what is due next, among many things with a time each.
 *
 * A binary heap of items that lie within other structs. Whose clock the times
 * are of is the owner's business. Items with equal times come out in the
 * order of their `order`.
 *
 * SPDX-License-Identifier: ISC
 */
#ifndef SERVER_AGENDA_H
#define SERVER_AGENDA_H

#include <stddef.h>
#include <stdint.h>

struct agenda_item {
	int64_t when; /* ns; must not change while it is in an agenda */
	size_t slot;  /* the agenda's */
};

struct agenda;

/*
 * order tells which of two items with equal times comes first: below zero
 * when a does. Returns NULL when memory is short.
 */
typedef int agenda_order(struct agenda_item *a, struct agenda_item *b);
struct agenda *agenda_new(agenda_order *order);

/* Frees the agenda, not the items. Accepts NULL. */
void agenda_free(struct agenda *a);

size_t agenda_count(const struct agenda *a);

/* Makes sure that agenda_add() cannot fail for n more items. 0 or -ENOMEM. */
int agenda_reserve(struct agenda *a, size_t n);

/* Room must have been reserved. item is borrowed until it is removed. */
void agenda_add(struct agenda *a, struct agenda_item *item);

void agenda_remove(struct agenda *a, struct agenda_item *item);

/* The item that is due first, or NULL. */
struct agenda_item *agenda_first(const struct agenda *a);

/* The items in no particular order, i from 0 to agenda_count() - 1. */
struct agenda_item *agenda_at(const struct agenda *a, size_t i);

/* Forgets all items. */
void agenda_clear(struct agenda *a);

#endif
