/*
 * values - keywords about single values: types, numbers, strings.
 *
 * SPDX-License-Identifier: ISC
 */
#include <inttypes.h>
#include <string.h>

#include "server/schema/inside.h"

/* What a schema asks for, cut to a length for messages. */
static const char *
asked(const struct keyword *k, char out[64])
{
	return look_show(&k->value, out);
}

bool
type_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	char shown[64], wanted[64];

	(void)n;
	if ((k->kinds & 1U << x->kind) != 0)
		return true;
	if (k->whole && x->kind == JSON_NUMBER) {
		struct number value = number_read(x);

		if (number_is_whole(&value))
			return true;
	}
	if (k->value.kind == JSON_ARRAY)
		return look_fault(l, &k->value,
		    "%s stands here, expected another type",
		    look_show(x, shown));
	return look_fault(l, &k->value, "%s stands here, expected type %s",
	    look_show(x, shown), asked(k, wanted));
}

bool
const_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	char shown[64], wanted[64];

	(void)n;
	if (look_same(l, x, &k->value))
		return true;
	return look_fault(l, &k->value, "%s stands here, expected %s",
	    look_show(x, shown), asked(k, wanted));
}

bool
enum_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	char shown[64];

	(void)n;
	for (size_t i = 0; i < k->nparts; i++)
		if (look_same(l, x, &k->parts[i].value))
			return true;
	return look_fault(l, &k->value,
	    "%s stands here, expected one of %zu values", look_show(x, shown),
	    k->nparts);
}

/* ---- numbers -------------------------------------------------------------- */

static bool
bound(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x, bool holds, const char *expected)
{
	char shown[64], wanted[64];

	(void)n;
	if (holds)
		return true;
	return look_fault(l, &k->value, "%s stands here, expected %s %s",
	    look_show(x, shown), expected, asked(k, wanted));
}

static int
compare(const struct keyword *k, const struct json *x)
{
	struct number value = number_read(x);

	return number_compare(&value, &k->number);
}

bool
minimum_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	return bound(l, n, k, x, compare(k, x) >= 0, "at least");
}

bool
exclusive_minimum_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x)
{
	return bound(l, n, k, x, compare(k, x) > 0, "more than");
}

bool
maximum_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	return bound(l, n, k, x, compare(k, x) <= 0, "at most");
}

bool
exclusive_maximum_holds(struct look *l, const struct node *n,
    const struct keyword *k, const struct json *x)
{
	return bound(l, n, k, x, compare(k, x) < 0, "less than");
}

bool
multiple_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	struct number value = number_read(x);

	return bound(l, n, k, x, number_is_multiple(&value, &k->number),
	    "a multiple of");
}

/* ---- strings -------------------------------------------------------------- */

/* Characters, not bytes: those that do not go on with another one. */
static bool
length(struct look *l, const struct json *x, uint64_t *out)
{
	const char *bytes;
	size_t len, count = 0;

	if (!look_text(l, x, &bytes, &len))
		return false;
	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)bytes[i] & 0xc0) != 0x80;
	*out = count;
	return true;
}

bool
min_length_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	uint64_t count;

	(void)n;
	if (!length(l, x, &count))
		return false;
	return count >= k->count ||
	    look_fault(l, &k->value,
		"%" PRIu64 " characters stand here, expected at least %" PRIu64,
		count, k->count);
}

bool
max_length_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	uint64_t count;

	(void)n;
	if (!length(l, x, &count))
		return false;
	return count <= k->count ||
	    look_fault(l, &k->value,
		"%" PRIu64 " characters stand here, expected at most %" PRIu64,
		count, k->count);
}

bool
pattern_holds(struct look *l, const struct node *n, const struct keyword *k,
    const struct json *x)
{
	char shown[64], wanted[64];
	const char *bytes;
	size_t len;

	(void)n;
	if (!look_text(l, x, &bytes, &len))
		return false;
	int r = pattern_matches(k->parts[0].pattern, bytes, len, l->left);
	if (r < 0)
		return look_stop(l, r);
	return r > 0 ||
	    look_fault(l, &k->value,
		"%s stands here, expected what the pattern %s matches",
		look_show(x, shown), asked(k, wanted));
}
