/*
 * handler_queues - a list of names, checked against the queues there are.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/handler_queues.h"

#include <stdlib.h>
#include <string.h>

void
handler_queues_clear(struct handler *h)
{
	for (size_t i = 0; i < h->nqueues; i++)
		free(h->queues[i]);
	free(h->queues);
	h->queues = NULL;
	h->nqueues = 0;
}

void
handler_queues_decode(
    struct reader *r, const struct node *n, const char *name, void *handler)
{
	struct handler *h = handler;

	handler_queues_clear(h);
	if (!reader_wants(r, n, NODE_LIST, name, "a list of queues"))
		return;
	if (n->count > HANDLER_QUEUES_MAX) {
		reader_complain(r, n->at, "%s: %zu queues, expected at most %d",
		    name, n->count, HANDLER_QUEUES_MAX);
		return;
	}
	h->queues = calloc(n->count + 1, sizeof *h->queues);
	if (h->queues == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < n->count; i++) {
		char *text = reader_text(r, n->items[i], name, "a queue");

		if (text != NULL)
			h->queues[h->nqueues++] = text;
	}
	h->queues_at = n->at;
}

void
handler_queues_check(struct reader *r, struct settings *s)
{
	char quoted[READER_QUOTED_MAX];

	for (size_t i = 0; i < s->nhandlers; i++) {
		const struct handler *h = &s->handlers[i];

		for (size_t k = 0; k < h->nqueues; k++) {
			struct queue_setting *q =
			    settings_queue(s, h->queues[k]);

			if (q != NULL)
				q->named = true;
			else
				reader_complain(r, h->queues_at,
				    "jobs.%.100s.queues: queues has no %s, "
				    "expected one of them",
				    h->jobtype,
				    reader_quote(h->queues[k], quoted));
		}
	}
}

bool
settings_serves(const struct queue_setting *q, const struct handler *h)
{
	if (!q->named)
		return h->nqueues == 0;
	for (size_t i = 0; i < h->nqueues; i++)
		if (strcmp(h->queues[i], q->name) == 0)
			return true;
	return false;
}
