/*
 * queue_list - queues: a list in strict order, or a mapping of weights.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/queue_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "config/field.h"
#include "config/field_value.h"
#include "config/settings.h"

#define EXPECTED "a list of names, or a mapping of names to weights"

static const struct field weight_row = {
	.name = "weight",
	.kind = FIELD_INTEGER,
	.min = 1,
	.max = QUEUE_WEIGHT_MAX,
};

bool
queue_name_fits(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(text);

	return len > 0 && len <= QUEUE_NAME_MAX && strspn(text, allowed) == len;
}

/* Takes queue, borrows it for seen. */
static void
add(struct reader *r, struct settings *s, struct map *seen, char *queue,
    struct mark at, const char *name)
{
	char quoted[READER_QUOTED_MAX];

	reader_quote(queue, quoted);
	if (!queue_name_fits(queue)) {
		reader_complain(r, at,
		    "%s: %s cannot be a queue, expected 1 to %d "
		    "of A-Z a-z 0-9 . _ -",
		    name, quoted, QUEUE_NAME_MAX);
		free(queue);
		return;
	}
	struct queue_setting *q = &s->queues[s->nqueues];
	*q = (struct queue_setting){ .name = queue, .weight = 1, .at = at };
	int result = map_put(seen, queue, strlen(queue), q);
	if (result == 0) {
		s->nqueues++;
		return;
	}
	if (result == -EEXIST)
		reader_complain(r, at, "%s: %s is listed twice", name, quoted);
	else
		reader_no_memory(r);
	free(queue);
}

static void
add_all(struct reader *r, struct settings *s, struct map *seen,
    const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++) {
		size_t before = s->nqueues;
		char *queue;

		if (n->kind == NODE_LIST) {
			queue =
			    reader_text(r, n->items[i], name, "a queue's name");
			if (queue != NULL)
				add(r, s, seen, queue, n->items[i]->at, name);
			continue;
		}
		queue = strdup(n->keys[i]->text);
		if (queue == NULL)
			reader_no_memory(r);
		else
			add(r, s, seen, queue, n->keys[i]->at, name);
		if (s->nqueues > before)
			field_value(r, &weight_row, n->items[i], name,
			    &s->queues[before].weight);
	}
}

void
queue_list_decode(
    struct reader *r, const struct node *n, const char *name, void *settings)
{
	struct settings *s = settings;

	if (n->kind == NODE_SCALAR) {
		(void)reader_wants(r, n, NODE_LIST, name, EXPECTED);
		return;
	}
	if (n->count == 0 || n->count > QUEUE_LIST_MAX) {
		reader_complain(r, n->at, "%s: %zu queues, expected 1 to %d",
		    name, n->count, QUEUE_LIST_MAX);
		return;
	}
	s->queue_order = n->kind == NODE_LIST ? QUEUES_STRICT : QUEUES_WEIGHTED;
	struct map *seen = map_new();
	s->queues = calloc(n->count, sizeof *s->queues);
	if (s->queues != NULL && seen != NULL)
		add_all(r, s, seen, n, name);
	else
		reader_no_memory(r);
	map_free(seen);
}
