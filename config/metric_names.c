/*
 * metric_names - names spelt as Prometheus has them, each of one kind.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/metric_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

static bool
spelt_well(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > METRIC_NAME_MAX ||
	    isdigit((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return true;
}

/* Those of /metrics itself. */
static bool
ours(const char *name)
{
	return strncmp(name, "faktotum_", 9) == 0 ||
	    strncmp(name, "process_", 8) == 0;
}

static void
add(struct reader *r, struct metric_names *names, const struct node *key,
    const struct node *value, const char *name)
{
	static const char expected[] = "counter or gauge";
	char quoted[READER_QUOTED_MAX];

	if (!spelt_well(key->text) || ours(key->text)) {
		reader_complain(r, key->at,
		    "%s: %s, expected a name of letters, digits and _ that "
		    "does not begin with %s",
		    name, reader_quote(key->text, quoted),
		    ours(key->text) ? "faktotum_ or process_" : "a digit");
		return;
	}
	char *kind = reader_text(r, value, name, expected);
	if (kind == NULL)
		return;
	bool gauge = strcmp(kind, "gauge") == 0;
	if (!gauge && strcmp(kind, "counter") != 0) {
		reader_complain(r, value->at, "%s: %s, expected %s", name,
		    reader_quote(kind, quoted), expected);
	} else {
		struct metric_name *to = &names->of[names->count];

		*to = (struct metric_name){ strdup(key->text), gauge, key->at };
		if (to->name != NULL)
			names->count++;
		else
			reader_no_memory(r);
	}
	free(kind);
}

void
metric_names_decode(
    struct reader *r, const struct node *n, const char *name, void *to)
{
	struct metric_names **place = to;

	metric_names_free(*place);
	*place = NULL;
	if (!reader_wants(r, n, NODE_MAPPING, name,
		"a mapping of names to counter or gauge"))
		return;
	if (n->count > METRIC_NAMES_MAX) {
		reader_complain(r, n->at, "%s: %zu names, expected at most %d",
		    name, n->count, METRIC_NAMES_MAX);
		return;
	}
	field_no_repeats(r, n, name);
	struct metric_names *names = calloc(
	    1, sizeof *names + (n->count + 1) * sizeof(struct metric_name));
	if (names == NULL) {
		reader_no_memory(r);
		return;
	}
	for (size_t i = 0; i < n->count; i++)
		add(r, names, n->keys[i], n->items[i], name);
	*place = names;
}

static void
check_one(struct reader *r, struct map *seen, struct metric_name *own)
{
	size_t len = strlen(own->name);
	const struct metric_name *first = map_get(seen, own->name, len);

	if (first == NULL) {
		if (map_put(seen, own->name, len, own) < 0)
			reader_no_memory(r);
	} else if (first->gauge != own->gauge) {
		reader_complain(r, own->at,
		    "metrics: %s is a %s in line %zu, expected one kind in "
		    "all jobs",
		    own->name, first->gauge ? "gauge" : "counter",
		    first->at.line);
	}
}

void
metric_names_check(struct reader *r, const struct settings *s)
{
	struct map *seen = map_new();

	if (seen == NULL)
		reader_no_memory(r);
	for (size_t i = 0; seen != NULL && i < s->nhandlers; i++) {
		struct metric_names *names = s->handlers[i].metrics;

		for (size_t k = 0; names != NULL && k < names->count; k++)
			check_one(r, seen, &names->of[k]);
	}
	map_free(seen);
}

const struct metric_name *
metric_names_find(
    const struct metric_names *names, const char *name, size_t len)
{
	for (size_t i = 0; names != NULL && i < names->count; i++)
		if (strlen(names->of[i].name) == len &&
		    memcmp(names->of[i].name, name, len) == 0)
			return &names->of[i];
	return NULL;
}

void
metric_names_free(struct metric_names *names)
{
	if (names == NULL)
		return;
	for (size_t i = 0; i < names->count; i++)
		free(names->of[i].name);
	free(names);
}
