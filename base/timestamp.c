/*
 * timestamp - RFC 3339 text and the moment it names.
 *
 * The calendar is computed here: the C library's would bring a locale and a
 * time zone along.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/timestamp.h"

#include <errno.h>
#include <stdbool.h>

#include "base/clock.h"

enum {
	S_PER_DAY = 86400,
	/*
	 * Days are counted in years that begin in March, so that the leap day
	 * is the last of its year; 400 such years have 146097 days. 719468
	 * lie between 0000-03-01 and 1970-01-01.
	 */
	DAYS_PER_ERA = 146097,
	DAYS_TO_1970 = 719468,
};

struct cursor {
	const char *at;
	const char *end;
};

/* Exactly n digits. */
static bool
number(struct cursor *c, int n, int *out)
{
	int value = 0;

	if (c->end - c->at < n)
		return false;
	for (int i = 0; i < n; i++, c->at++) {
		if (*c->at < '0' || *c->at > '9')
			return false;
		value = value * 10 + (*c->at - '0');
	}
	*out = value;
	return true;
}

static bool
mark(struct cursor *c, char upper, char other)
{
	if (c->at == c->end || (*c->at != upper && *c->at != other))
		return false;
	c->at++;
	return true;
}

static int
days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to this date, for years from 0 on. */
static int64_t
days_from_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 -
	    year_of_era / 100 + day_of_year - DAYS_TO_1970;
}

static bool
read_date(struct cursor *c, int64_t *days)
{
	int year, month, day;

	if (!number(c, 4, &year) || !mark(c, '-', '-') ||
	    !number(c, 2, &month) || !mark(c, '-', '-') || !number(c, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month))
		return false;
	*days = days_from_date(year, month, day);
	return true;
}

/* Seconds within the day, 60 allowed for the last of a minute. */
static bool
read_time(struct cursor *c, int *seconds, bool *leap)
{
	int h, m, s;

	if (!number(c, 2, &h) || !mark(c, ':', ':') || !number(c, 2, &m) ||
	    !mark(c, ':', ':') || !number(c, 2, &s))
		return false;
	if (h > 23 || m > 59 || s > 60)
		return false;
	*leap = s == 60;
	*seconds = h * 3600 + m * 60 + s;
	return true;
}

/* ".5" as nanoseconds; nothing is zero. */
static bool
read_fraction(struct cursor *c, int64_t *ns)
{
	int digits = 0;

	*ns = 0;
	if (!mark(c, '.', '.'))
		return true;
	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		if (++digits > 9)
			return false;
		*ns = *ns * 10 + (*c->at - '0');
	}
	if (digits == 0)
		return false;
	for (; digits < 9; digits++)
		*ns *= 10;
	return true;
}

/* Seconds that local time is ahead of UTC. */
static bool
read_zone(struct cursor *c, int *ahead)
{
	int h, m;

	*ahead = 0;
	if (mark(c, 'Z', 'z'))
		return true;

	bool west = c->at < c->end && *c->at == '-';
	if (!mark(c, '+', '-') || !number(c, 2, &h) || !mark(c, ':', ':') ||
	    !number(c, 2, &m) || h > 23 || m > 59)
		return false;
	*ahead = (h * 60 + m) * 60;
	if (west)
		*ahead = -*ahead;
	return true;
}

int
timestamp_parse(const char *text, size_t len, int64_t *ns)
{
	struct cursor c = { text, text + len };
	int64_t days, fraction;
	int seconds, ahead;
	bool leap;

	if (!read_date(&c, &days) || !mark(&c, 'T', 't') ||
	    !read_time(&c, &seconds, &leap) || !read_fraction(&c, &fraction) ||
	    !read_zone(&c, &ahead) || c.at != c.end)
		return -EINVAL;

	int64_t utc = days * S_PER_DAY + seconds - ahead;
	if (leap) {
		/* Leap seconds end a day of UTC and nothing else. */
		if (utc % S_PER_DAY != 0)
			return -EINVAL;
		fraction = 0;
	}

	/* The first moments of the range are below INT64_MIN / 10^9 seconds. */
	__int128 wide = (__int128)utc * CLOCK_NS_PER_S + fraction;
	if (wide < INT64_MIN || wide > INT64_MAX)
		return -ERANGE;
	*ns = (int64_t)wide;
	return 0;
}

static void
date_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t d = days + DAYS_TO_1970;
	int64_t era = d / DAYS_PER_ERA; /* never negative in our range */
	int64_t day_of_era = d - era * DAYS_PER_ERA;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 +
				  day_of_era / 36524 - day_of_era / 146096) /
	    365;
	int64_t day_of_year = day_of_era -
	    (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march_month = (5 * day_of_year + 2) / 153;

	*day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
	*month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
	*year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* Writes n digits and returns where they end. */
static char *
put(char *at, int n, int value)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + n;
}

size_t
timestamp_format(int64_t ns, char out[TIMESTAMP_MAX])
{
	int64_t seconds = ns / CLOCK_NS_PER_S;
	int fraction = (int)(ns % CLOCK_NS_PER_S);
	if (fraction < 0) {
		fraction += (int)CLOCK_NS_PER_S;
		seconds--;
	}
	int64_t days = seconds / S_PER_DAY;
	int clock = (int)(seconds % S_PER_DAY);
	if (clock < 0) {
		clock += S_PER_DAY;
		days--;
	}

	int year, month, day;
	date_from_days(days, &year, &month, &day);
	char *at = put(out, 4, year);
	*at++ = '-';
	at = put(at, 2, month);
	*at++ = '-';
	at = put(at, 2, day);
	*at++ = 'T';
	at = put(at, 2, clock / 3600);
	*at++ = ':';
	at = put(at, 2, clock / 60 % 60);
	*at++ = ':';
	at = put(at, 2, clock % 60);
	if (fraction > 0) {
		*at++ = '.';
		at = put(at, 9, fraction);
		while (at[-1] == '0')
			at--;
	}
	*at++ = 'Z';
	*at = '\0';
	return (size_t)(at - out);
}
