/*
 * fuzz_timestamp - a moment written is the moment read, for every moment, and
 * text that is read names the moment that its own parts add up to.
 *
 * SPDX-License-Identifier: ISC
 */
#include <string.h>
#include <time.h>

#include "base/timestamp.h"
#include "tests/fuzz/must.h"

static void
moment_comes_back(int64_t ns)
{
	char text[TIMESTAMP_MAX];
	int64_t again = ~ns;

	size_t len = timestamp_format(ns, text);
	must(len < sizeof text && strlen(text) == len);
	must(timestamp_parse(text, len, &again) == 0);
	must(again == ns);
}

static int
digits(const char *text, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++)
		value = value * 10 + (text[i] - '0');
	return value;
}

/* The C library's calendar on the same digits; text has been accepted. */
static void
library_agrees(const char *text, size_t len, int64_t ns)
{
	struct tm tm = {
		.tm_year = digits(text, 4) - 1900,
		.tm_mon = digits(text + 5, 2) - 1,
		.tm_mday = digits(text + 8, 2),
		.tm_hour = digits(text + 11, 2),
		.tm_min = digits(text + 14, 2),
		.tm_sec = digits(text + 17, 2),
	};
	const char *zone = text + len - 6;
	int64_t want = timegm(&tm);

	if ((text[len - 1] | 0x20) != 'z') {
		int ahead =
		    digits(zone + 1, 2) * 3600 + digits(zone + 4, 2) * 60;
		want -= zone[0] == '-' ? -ahead : ahead;
	}
	int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0);
	must(seconds == want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	int64_t ns;

	if (size >= sizeof ns) {
		memcpy(&ns, data, sizeof ns);
		moment_comes_back(ns);
	}
	if (timestamp_parse(text, size, &ns) == 0) {
		moment_comes_back(ns);
		library_agrees(text, size, ns);
	}
	return 0;
}
