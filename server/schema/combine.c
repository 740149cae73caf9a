/*
 * combine - keywords that hold one value against other schemas.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/schema/inside.h"

bool
ref_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	(void)n;
	return look_visit(l, k->parts[0].node, x);
}

bool
all_of_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	(void)n;
	for (size_t i = 0; i < k->nparts; i++)
		if (!look_visit(l, k->parts[i].node, x))
			return false;
	return true;
}

/* How many fit; enough of them are enough. */
static size_t
fitting(struct look *l, const struct keyword *k, const struct json *x,
    size_t enough)
{
	size_t fit = 0;

	for (size_t i = 0; i < k->nparts && fit < enough && l->stopped == 0;
	     i++)
		fit += look_quietly(l, k->parts[i].node, x);
	return fit;
}

bool
any_of_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	char shown[64];

	(void)n;
	return fitting(l, k, x, 1) > 0 ||
	    look_fault(l, &k->value, "%s fits none of %zu schemas",
		look_show(x, shown), k->nparts);
}

bool
one_of_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	size_t fit = fitting(l, k, x, 2);
	char shown[64];

	(void)n;
	return fit == 1 ||
	    look_fault(l, &k->value, "%s fits %s of %zu schemas, expected one",
		look_show(x, shown), fit == 0 ? "none" : "more than one",
		k->nparts);
}

bool
not_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	char shown[64];

	(void)n;
	return !look_quietly(l, k->parts[0].node, x) ||
	    look_fault(
		l, &k->value, "%s fits what it must not", look_show(x, shown));
}

bool
if_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	const struct keyword *then = node_keyword(n, KEYWORD_THEN);
	const struct keyword *other = node_keyword(n, KEYWORD_ELSE);
	const struct keyword *next =
	    look_quietly(l, k->parts[0].node, x) ? then : other;

	return l->stopped == 0 &&
	    (next == NULL || look_visit(l, next->parts[0].node, x));
}
