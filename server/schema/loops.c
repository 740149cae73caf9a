/*
 * loops - schemas that would be applied to one value without end.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/schema/inside.h"

/* Depth first; a node that is met again while it is open leads to itself. */
static int
go(const struct schema *s, struct node *n, unsigned depth, size_t *at,
    struct err *e)
{
	n->mark = NODE_OPEN;
	for (size_t i = 0; i < n->nkeywords; i++) {
		const struct keyword *k = &n->keywords[i];

		for (size_t p = 0;
		     keyword_rows[k->name].in_place && p < k->nparts; p++) {
			struct node *next = k->parts[p].node;

			if (next->mark == NODE_DONE)
				continue;
			if (next->mark == NODE_OPEN ||
			    depth == SCHEMA_DEPTH_MAX) {
				*at = (size_t)(k->value.text - s->text);
				return err_set(e, EINVAL,
				    next->mark == NODE_OPEN
					? "%s: leads back to itself without "
					  "going into the value"
					: "%s: schemas within schemas are "
					  "nested too deeply",
				    keyword_rows[k->name].name);
			}
			if (go(s, next, depth + 1, at, e) < 0)
				return -EINVAL;
		}
	}
	n->mark = NODE_DONE;
	return 0;
}

int
loops_refuse(const struct schema *s, size_t *at, struct err *e)
{
	for (size_t i = 0; i < s->nnodes; i++)
		if (s->nodes[i]->mark == NODE_NEW &&
		    go(s, s->nodes[i], 0, at, e) < 0)
			return -EINVAL;
	return 0;
}
