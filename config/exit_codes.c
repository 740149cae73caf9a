/*
 * exit_codes - the profiles, and mappings of an operator's own.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/exit_codes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config/field.h"
#include "config/field_value.h"
#include "config/units.h"

#define EXPECTED                                                               \
	"a profile (default, plain, sysexits, qmail, rabbitmq-strict, "        \
	"airflow) or a mapping of exit codes to ok, retry, later, dead, "      \
	"discard or {retry_in: TIME}"

/* A stretch of codes, both ends included; the last rule that fits counts. */
struct rule {
	int first, last;
	enum exit_action action;
};

enum { RULES_MAX = 12 };

/*
 * Where the numbers come from: sysexits.h (65 EX_DATAERR, 75 EX_TEMPFAIL),
 * pipe(8) of Postfix, qmail-command(8), the strict mode of
 * rabbitmq-cli-consumer, the skip code of Airflow's bash operator.
 */
static const struct profile {
	const char *name;
	struct rule rules[RULES_MAX]; /* the first one that is all 0 ends it */
	int64_t retry_in;             /* of EXIT_LATER */
} profiles[] = {
	{ "default",
	    { { 1, 255, EXIT_RETRY }, { 65, 65, EXIT_DEAD },
		{ 75, 75, EXIT_LATER } },
	    -1 },
	{ "plain", { { 1, 255, EXIT_RETRY } }, -1 },
	{ "sysexits",
	    { { 1, 255, EXIT_RETRY }, { 64, 78, EXIT_DEAD },
		{ 75, 75, EXIT_LATER } },
	    -1 },
	{ "qmail",
	    { { 1, 255, EXIT_RETRY }, { 99, 99, EXIT_OK },
		{ 64, 65, EXIT_DEAD }, { 70, 70, EXIT_DEAD },
		{ 76, 78, EXIT_DEAD }, { 100, 100, EXIT_DEAD },
		{ 112, 112, EXIT_DEAD }, { 111, 111, EXIT_LATER } },
	    -1 },
	{ "rabbitmq-strict",
	    { { 1, 255, EXIT_RETRY }, { 3, 3, EXIT_DEAD }, { 4, 4, EXIT_LATER },
		{ 5, 5, EXIT_DEAD } },
	    0 },
	{ "airflow", { { 1, 255, EXIT_RETRY }, { 99, 99, EXIT_DISCARD } }, -1 },
};

static const char *const actions[] = {
	[EXIT_OK] = "ok",
	[EXIT_RETRY] = "retry",
	[EXIT_LATER] = "later",
	[EXIT_DEAD] = "dead",
	[EXIT_DISCARD] = "discard",
};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

const char *
exit_action_name(enum exit_action action)
{
	return actions[action];
}

static void
apply(struct exit_codes *codes, const struct profile *p)
{
	*codes = (struct exit_codes){ { { EXIT_OK, 0 } } };
	for (const struct rule *rule = p->rules;
	     rule < p->rules + RULES_MAX && rule->last > 0; rule++)
		for (int code = rule->first; code <= rule->last; code++)
			codes->of[code] =
			    (struct exit_code){ rule->action, p->retry_in };
}

static const struct profile *
find_profile(const char *name)
{
	for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}

static void
decode_profile(struct reader *r, const struct node *n, const char *name,
    struct exit_codes *codes)
{
	char quoted[READER_QUOTED_MAX];
	char *text = reader_text(r, n, name, EXPECTED);
	const struct profile *p = text != NULL ? find_profile(text) : NULL;

	if (p != NULL)
		apply(codes, p);
	else if (text != NULL)
		reader_complain(r, n->at, "%s: %s is no profile, expected %s",
		    name, reader_quote(text, quoted), EXPECTED);
	free(text);
}

/* ---- a mapping ------------------------------------------------------------ */

/* One key: the codes from first to last. */
struct span {
	int first, last;
};

/* "3" or "10-19". */
static bool
read_span(const char *key, struct span *out)
{
	char text[16];
	int64_t first, last;

	if (strlen(key) >= sizeof text)
		return false;
	memcpy(text, key, strlen(key) + 1);
	char *dash = strchr(text, '-');
	if (dash != NULL)
		*dash = '\0';
	if (units_integer(text, &first) < 0 ||
	    units_integer(dash != NULL ? dash + 1 : text, &last) < 0)
		return false;
	if (first < 0 || last >= EXIT_CODES || first > last)
		return false;
	*out = (struct span){ (int)first, (int)last };
	return true;
}

static const struct field retry_in_rows[] = {
	{ .name = "retry_in",
	    .kind = FIELD_DURATION,
	    .offset = offsetof(struct exit_code, retry_in),
	    .min = 0,
	    .max = INT64_C(30) * 24 * 3600 * CLOCK_NS_PER_S,
	    .help = "How long to wait." },
	{ 0 },
};

static bool
read_action(struct reader *r, const struct node *n, const char *name,
    struct exit_code *out)
{
	const char *expected =
	    "ok, retry, later, dead, discard or {retry_in: TIME}";
	char quoted[READER_QUOTED_MAX], prefix[FIELD_NAME_MAX];
	struct field_given given = { 0 };
	int word = 0;

	*out = (struct exit_code){ EXIT_LATER, -1 };
	if (n->kind == NODE_MAPPING) {
		(void)snprintf(prefix, sizeof prefix, "%.200s.", name);
		field_read(r, n, prefix, retry_in_rows, &given, out);
		if (n->count == 0)
			reader_complain(
			    r, n->at, "%s: empty, expected %s", name, expected);
		return out->retry_in >= 0;
	}
	char *text = reader_text(r, n, name, expected);
	if (text == NULL)
		return false;
	while (word < ACTIONS && strcmp(actions[word], text) != 0)
		word++;
	if (word == ACTIONS)
		reader_complain(r, n->at, "%s: %s means nothing, expected %s",
		    name, reader_quote(text, quoted), expected);
	else
		out->action = (enum exit_action)word;
	free(text);
	return word < ACTIONS;
}

/* The marks of those that were named, for the complaint about a second time. */
struct named {
	struct mark at[EXIT_CODES]; /* line 0: not named */
	struct mark rest;           /* of "*" */
};

static bool
twice(struct reader *r, struct mark at, const char *name, const char *key,
    struct mark before)
{
	char quoted[READER_QUOTED_MAX];

	if (before.line == 0)
		return false;
	reader_complain(r, at,
	    "%s: %s overlaps with line %zu, column %zu, expected each code "
	    "once",
	    name, reader_quote(key, quoted), before.line, before.column);
	return true;
}

static void
decode_span(struct reader *r, const struct node *map, size_t i,
    const char *name, struct exit_codes *codes, struct named *named)
{
	const struct node *key = map->keys[i];
	char quoted[READER_QUOTED_MAX];
	struct exit_code meaning;
	struct span span;

	if (!read_span(key->text, &span)) {
		reader_complain(r, key->at,
		    "%s: %s is no exit code, expected 0 to 255, a range such "
		    "as 10-19, or \"*\"",
		    name, reader_quote(key->text, quoted));
		return;
	}
	bool good = read_action(r, map->items[i], name, &meaning);
	for (int code = span.first; code <= span.last; code++) {
		if (twice(r, key->at, name, key->text, named->at[code]))
			return;
		named->at[code] = key->at;
		if (good)
			codes->of[code] = meaning;
	}
}

static void
decode_rest(struct reader *r, const struct node *map, size_t i,
    const char *name, struct exit_codes *codes, struct named *named)
{
	struct exit_code meaning;

	if (twice(r, map->keys[i]->at, name, "*", named->rest))
		return;
	named->rest = map->keys[i]->at;
	if (!read_action(r, map->items[i], name, &meaning))
		return;
	for (int code = 1; code < EXIT_CODES; code++)
		if (named->at[code].line == 0)
			codes->of[code] = meaning;
}

/* What "*" says comes first, so that it does not hide what is named. */
static void
decode_mapping(struct reader *r, const struct node *n, const char *name,
    struct exit_codes *codes)
{
	struct named named = { 0 };

	apply(codes, &profiles[0]);
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->keys[i]->text, "*") == 0)
			decode_rest(r, n, i, name, codes, &named);
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->keys[i]->text, "*") != 0)
			decode_span(r, n, i, name, codes, &named);
}

void
exit_codes_decode(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	struct exit_codes codes;

	if (n->kind == NODE_LIST) {
		reader_complain(
		    r, n->at, "%s: a list, expected %s", name, EXPECTED);
		return;
	}
	apply(&codes, &profiles[0]);
	if (n->kind == NODE_MAPPING)
		decode_mapping(r, n, name, &codes);
	else
		decode_profile(r, n, name, &codes);
	*(struct exit_codes *)to = codes;
}
