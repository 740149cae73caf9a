/*
 * queue_limits - a mapping of queues to numbers.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/queue_limits.h"

#include <stdio.h>

#include "config/field.h"
#include "config/field_value.h"

static const struct field limit_row = {
	.name = "limit",
	.kind = FIELD_INTEGER,
	.min = 1,
	.max = 10000,
};

void
queue_limits_read(struct reader *r, const struct node *n, struct settings *s)
{
	char name[FIELD_NAME_MAX], quoted[READER_QUOTED_MAX];

	if (n == NULL ||
	    !reader_wants(r, n, NODE_MAPPING, "queue_concurrency",
		"a mapping of queues to numbers"))
		return;
	field_no_repeats(r, n, "queue_concurrency.");
	for (size_t i = 0; i < n->count; i++) {
		const struct node *key = n->keys[i];
		struct queue_setting *q = settings_queue(s, key->text);

		snprintf(
		    name, sizeof name, "queue_concurrency.%.100s", key->text);
		if (q == NULL)
			reader_complain(r, key->at,
			    "queue_concurrency: queues has no %s, expected one "
			    "of them",
			    reader_quote(key->text, quoted));
		else
			field_value(
			    r, &limit_row, n->items[i], name, &q->concurrency);
	}
}
