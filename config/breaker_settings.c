/*
 * breaker_settings - the rows of a job's breaker.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/breaker_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/handler_draft.h"
#include "config/units.h"

enum { OF_MAX = 1000 };

void
breaker_settings_share(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	static const char expected[] = "1% to 100%, or off";
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, expected);
	size_t len = text != NULL ? strlen(text) : 0;
	int64_t value = 0;

	if (text == NULL)
		return;
	reader_quote(text, quoted);
	if (strcmp(text, "off") == 0) {
		*(int64_t *)to = 0;
		free(text);
		return;
	}
	bool share = len > 1 && text[len - 1] == '%';
	if (share)
		text[len - 1] = '\0';
	if (share && units_integer(text, &value) == 0 && value >= 1 &&
	    value <= 100)
		*(int64_t *)to = value;
	else
		reader_complain(
		    r, n->at, "%s: %s, expected %s", name, quoted, expected);
	free(text);
}

static const struct field_choice switches[] = {
	{ "off", 0 },
	{ "on", 1 },
	{ NULL, 0 },
};

#define AT(member) offsetof(struct handler_draft, h.breaker.member)

const struct field breaker_fields[] = {
	{ .name = "unavailable",
	    .kind = FIELD_BOOL,
	    .offset = AT(unavailable),
	    .choices = switches,
	    .dflt = "on",
	    .help = "Whether one program that cannot be started "
		    "(`HandlerUnavailable`) opens it." },
	{ .name = "failures",
	    .kind = FIELD_OTHER,
	    .decode = breaker_settings_share,
	    .offset = AT(failures),
	    .dflt = "80%",
	    .expected = "1% to 100%, or off",
	    .help = "The share of the last `of` jobs that opens it by failing "
		    "with the same errtype." },
	{ .name = "of",
	    .kind = FIELD_INTEGER,
	    .offset = AT(of),
	    .min = 1,
	    .max = OF_MAX,
	    .dflt = "20",
	    .help = "How many of the last jobs are looked at." },
	{ .name = "window",
	    .kind = FIELD_DURATION,
	    .offset = AT(window),
	    .min = CLOCK_NS_PER_S,
	    .max = INT64_C(24) * 3600 * CLOCK_NS_PER_S,
	    .dflt = "1m",
	    .help = "They must all have ended within this time." },
	{ .name = "cooldown",
	    .kind = FIELD_DURATION,
	    .offset = AT(cooldown),
	    .min = 100 * CLOCK_NS_PER_MS,
	    .max = 3600 * CLOCK_NS_PER_S,
	    .dflt = "10s",
	    .help = "How long it is open before one job is tried. After each "
		    "try that fails in the same way it is twice as long." },
	{ .name = "max_cooldown",
	    .kind = FIELD_DURATION,
	    .offset = AT(max_cooldown),
	    .min = 100 * CLOCK_NS_PER_MS,
	    .max = INT64_C(24) * 3600 * CLOCK_NS_PER_S,
	    .dflt = "5m",
	    .help = "The longest it becomes." },
	{ .name = "hold",
	    .kind = FIELD_DURATION,
	    .offset = AT(hold),
	    .min = 0,
	    .max = 3600 * CLOCK_NS_PER_S,
	    .dflt = "30s",
	    .help = "How long a job that is here waits for it to close before "
		    "it fails; at most a quarter of all slots wait." },
	{ 0 },
};

void
breaker_settings_check(
    struct reader *r, const char *prefix, const struct handler *h)
{
	char least[UNITS_SHOWN_MAX];

	if (h->breaker.max_cooldown >= h->breaker.cooldown)
		return;
	units_show_duration(h->breaker.cooldown, least);
	reader_complain(r, h->at,
	    "%sbreaker.max_cooldown: shorter than cooldown, expected at least "
	    "%s",
	    prefix, least);
}
