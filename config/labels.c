/*
 * labels - a list of texts.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/labels.h"

#include <stdlib.h>
#include <string.h>

#include "config/settings.h"

void
labels_decode(
    struct reader *r, const struct node *n, const char *name, void *settings)
{
	struct settings *s = settings;

	if (!reader_wants(r, n, NODE_LIST, name, "a list of labels"))
		return;
	if (n->count > LABELS_MAX) {
		reader_complain(r, n->at, "%s: %zu labels, expected at most %d",
		    name, n->count, LABELS_MAX);
		return;
	}
	s->labels = calloc(n->count + 1, sizeof *s->labels);
	if (s->labels == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < n->count; i++) {
		char *text = reader_text(r, n->items[i], name, "a label");

		if (text != NULL && *text != '\0' &&
		    strlen(text) <= LABEL_MAX) {
			s->labels[s->nlabels++] = text;
			continue;
		}
		if (text != NULL)
			reader_complain(r, n->items[i]->at,
			    "%s: %s, expected a label of 1 to %d bytes", name,
			    *text == '\0' ? "empty" : "too long", LABEL_MAX);
		free(text);
	}
}
