/*
 * queue_weights - the server's mapping of queues to weights.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/queue_weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/field_value.h"
#include "config/queue_list.h"
#include "config/settings.h"

static const struct field weight_row = {
	.name = "weight",
	.kind = FIELD_INTEGER,
	.min = 1,
	.max = QUEUE_WEIGHT_MAX,
};

static void
read_one(struct reader *r, const struct node *key, const struct node *n,
    const char *prefix, struct queue_weight *w)
{
	char name[FIELD_NAME_MAX], quoted[READER_QUOTED_MAX];

	snprintf(name, sizeof name, "%s.%.100s", prefix, key->text);
	if (!queue_name_fits(key->text)) {
		reader_complain(r, key->at,
		    "%s: %s cannot be a queue, expected 1 to %d "
		    "of A-Z a-z 0-9 . _ -",
		    prefix, reader_quote(key->text, quoted), QUEUE_NAME_MAX);
		return;
	}
	w->name = strdup(key->text);
	if (w->name == NULL)
		reader_no_memory(r);
	field_value(r, &weight_row, n, name, &w->weight);
}

void
queue_weights_decode(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	struct queue_weights *w = to;
	char prefix[FIELD_NAME_MAX];

	if (!reader_wants(
		r, n, NODE_MAPPING, name, "a mapping of queues to weights"))
		return;
	if (n->count == 0 || n->count > QUEUE_LIST_MAX) {
		reader_complain(r, n->at, "%s: %zu queues, expected 1 to %d",
		    name, n->count, QUEUE_LIST_MAX);
		return;
	}
	snprintf(prefix, sizeof prefix, "%.100s.", name);
	field_no_repeats(r, n, prefix);
	w->each = calloc(n->count, sizeof *w->each);
	if (w->each == NULL) {
		reader_no_memory(r);
		return;
	}
	w->count = n->count;
	for (size_t i = 0; i < n->count; i++)
		read_one(r, n->keys[i], n->items[i], name, &w->each[i]);
}

void
queue_weights_clear(struct queue_weights *w)
{
	for (size_t i = 0; i < w->count; i++)
		free(w->each[i].name);
	free(w->each);
	*w = (struct queue_weights){ 0 };
}
