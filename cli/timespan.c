/*
 * timespan - numbers and units, added up.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/timespan.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"

#define US  INT64_C(1000)
#define DAY (86400 * CLOCK_NS_PER_S)

static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {
	{ "", CLOCK_NS_PER_S },
	{ "us", US },
	{ "usec", US },
	{ "\xc2\xb5s", US },
	{ "\xce\xbcs", US },
	{ "ms", CLOCK_NS_PER_MS },
	{ "msec", CLOCK_NS_PER_MS },
	{ "s", CLOCK_NS_PER_S },
	{ "sec", CLOCK_NS_PER_S },
	{ "second", CLOCK_NS_PER_S },
	{ "seconds", CLOCK_NS_PER_S },
	{ "m", 60 * CLOCK_NS_PER_S },
	{ "min", 60 * CLOCK_NS_PER_S },
	{ "minute", 60 * CLOCK_NS_PER_S },
	{ "minutes", 60 * CLOCK_NS_PER_S },
	{ "h", 3600 * CLOCK_NS_PER_S },
	{ "hr", 3600 * CLOCK_NS_PER_S },
	{ "hour", 3600 * CLOCK_NS_PER_S },
	{ "hours", 3600 * CLOCK_NS_PER_S },
	{ "d", DAY },
	{ "day", DAY },
	{ "days", DAY },
	{ "w", 7 * DAY },
	{ "week", 7 * DAY },
	{ "weeks", 7 * DAY },
	{ "M", 2629800 * CLOCK_NS_PER_S },
	{ "month", 2629800 * CLOCK_NS_PER_S },
	{ "months", 2629800 * CLOCK_NS_PER_S },
	{ "y", 31557600 * CLOCK_NS_PER_S },
	{ "year", 31557600 * CLOCK_NS_PER_S },
	{ "years", 31557600 * CLOCK_NS_PER_S },
};

static const char white[] = " \t\r\n";

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const struct unit *
find_unit(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strlen(units[i].name) == len &&
		    memcmp(units[i].name, name, len) == 0)
			return &units[i];
	return NULL;
}

/* The digits behind the point: their share of a unit. */
static int64_t
read_fraction(const char **at, int64_t unit)
{
	int64_t share = 0;

	for (int64_t place = unit / 10; is_digit(**at); (*at)++, place /= 10)
		share += place * (**at - '0');
	return share;
}

/* Reads one number with its unit and adds it. */
static int
read_part(const char **at, int64_t *sum)
{
	const char *s = *at;
	const char *point;
	int64_t whole = 0, part = 0;

	if (!is_digit(*s))
		return -EINVAL;
	for (; is_digit(*s); s++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, *s - '0', &whole))
			return -ERANGE;
	point = s;
	if (*s == '.') {
		s++;
		if (!is_digit(*s))
			return -EINVAL;
		s += strspn(s, "0123456789");
	}
	s += strspn(s, white);
	size_t len = strcspn(s, " \t\r\n0123456789.");
	const struct unit *u = find_unit(s, len);
	if (u == NULL)
		return -EINVAL;
	if (*point == '.') {
		point++;
		part = read_fraction(&point, u->ns);
	}
	if (__builtin_mul_overflow(whole, u->ns, &whole) ||
	    __builtin_add_overflow(whole, part, &whole) ||
	    __builtin_add_overflow(*sum, whole, sum))
		return -ERANGE;
	s += len;
	*at = s + strspn(s, white);
	return 0;
}

int
timespan_read(const char *text, int64_t *ns)
{
	int64_t sum = 0;

	text += strspn(text, white);
	if (strncmp(text, "infinity", 8) == 0) {
		text += 8;
		if (text[strspn(text, white)] != '\0')
			return -EINVAL;
		*ns = TIMESPAN_INFINITY;
		return 0;
	}
	do {
		int r = read_part(&text, &sum);

		if (r < 0)
			return r;
	} while (*text != '\0');
	*ns = sum;
	return 0;
}
