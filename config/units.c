/*
 * units - durations and sizes as people write them: 90s, 5m, 512M.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t worth;
};

/* Largest first: the first that divides a value is the one to show it in. */
static const struct unit durations[] = {
	{ "d", INT64_C(86400000000000) },
	{ "h", INT64_C(3600000000000) },
	{ "m", INT64_C(60000000000) },
	{ "s", INT64_C(1000000000) },
	{ "ms", INT64_C(1000000) },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "G", INT64_C(1) << 30 },
	{ "M", INT64_C(1) << 20 },
	{ "K", INT64_C(1) << 10 },
	{ "", 1 },
	{ NULL, 0 },
};

/* Reads digits; -EINVAL when there are none. *rest is what follows them. */
static int
digits(const char *text, int64_t *value, const char **rest)
{
	const char *p = text;
	bool over = false;

	*value = 0;
	for (; *p >= '0' && *p <= '9'; p++)
		over = over || __builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, *p - '0', value);
	*rest = p;
	if (p == text)
		return -EINVAL;
	return over ? -ERANGE : 0;
}

static const struct unit *
find(const struct unit *units, const char *name)
{
	for (; units->name != NULL; units++)
		if (strcmp(units->name, name) == 0)
			return units;
	return NULL;
}

int
units_duration(const char *text, int64_t *ns)
{
	const char *name;
	int64_t n, value;
	int r = digits(text, &n, &name);

	if (r == -EINVAL)
		return r;
	if (*name == '\0') {
		if (r < 0 || n != 0)
			return -EDOM;
		*ns = 0;
		return 0;
	}
	const struct unit *u = find(durations, name);
	if (u == NULL)
		return -EINVAL;
	if (r < 0 || __builtin_mul_overflow(n, u->worth, &value))
		return -ERANGE;
	*ns = value;
	return 0;
}

int
units_size(const char *text, int64_t *bytes)
{
	const char *name;
	int64_t n, value;
	int r = digits(text, &n, &name);

	if (r == -EINVAL)
		return r;
	const struct unit *u = find(sizes, name);
	if (u == NULL)
		return -EINVAL;
	if (r < 0 || __builtin_mul_overflow(n, u->worth, &value))
		return -ERANGE;
	*bytes = value;
	return 0;
}

int
units_integer(const char *text, int64_t *value)
{
	const char *rest;
	int64_t n;
	int r = digits(text + (*text == '-'), &n, &rest);

	if (r == -EINVAL || *rest != '\0')
		return -EINVAL;
	if (r < 0)
		return r;
	*value = *text == '-' ? -n : n;
	return 0;
}

static void
show(const struct unit *u, int64_t value, char out[UNITS_SHOWN_MAX])
{
	while (u[1].name != NULL && value % u->worth != 0)
		u++;
	snprintf(
	    out, UNITS_SHOWN_MAX, "%" PRId64 "%s", value / u->worth, u->name);
}

void
units_show_duration(int64_t ns, char out[UNITS_SHOWN_MAX])
{
	if (ns == 0)
		snprintf(out, UNITS_SHOWN_MAX, "0s");
	else
		show(durations, ns, out);
}

void
units_show_size(int64_t bytes, char out[UNITS_SHOWN_MAX])
{
	if (bytes == 0)
		snprintf(out, UNITS_SHOWN_MAX, "0");
	else
		show(sizes, bytes, out);
}
