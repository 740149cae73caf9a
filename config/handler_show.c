/*
 * handler_show - the settings of a job, as they stand, for a person.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/handler_show.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "config/breaker_settings.h"
#include "config/confinement.h"
#include "config/exit_codes.h"
#include "config/grants.h"
#include "config/handler.h"
#include "config/handler_draft.h"
#include "config/handler_env.h"
#include "config/handler_queues.h"
#include "config/job_files.h"
#include "config/metric_names.h"
#include "config/output_settings.h"
#include "config/patterns.h"
#include "config/permissions.h"
#include "config/place.h"
#include "config/slice.h"
#include "config/units.h"

enum { NAME_WIDTH = 22 };

/* Prints what a decoder has put into its place. */
typedef void show_value(FILE *out, const void *value);

static void
show_duration(FILE *out, int64_t ns)
{
	char text[UNITS_SHOWN_MAX];

	units_show_duration(ns - ns % CLOCK_NS_PER_MS, text);
	fputs(text, out);
}

static void
show_size(FILE *out, int64_t bytes)
{
	char text[UNITS_SHOWN_MAX];

	units_show_size(bytes, text);
	fputs(text, out);
}

static void
show_workdir(FILE *out, const void *value)
{
	const char *dir = *(char *const *)value;

	fputs(dir != NULL ? dir : "private", out);
}

static void
show_output_dir(FILE *out, const void *value)
{
	const char *dir = *(char *const *)value;

	fputs(dir != NULL ? dir : "off", out);
}

static void
show_permissions(FILE *out, const void *value)
{
	fprintf(out, "%03o", (unsigned)*(const int64_t *)value);
}

static void
show_texts(FILE *out, char *const *texts, size_t count)
{
	putc('[', out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", texts[i]);
	putc(']', out);
}

static void
show_env_pass(FILE *out, const void *value)
{
	const struct handler *h = value;

	show_texts(out, h->env_pass, h->nenv_pass);
}

static void
show_queues(FILE *out, const void *value)
{
	const struct handler *h = value;

	show_texts(out, h->queues, h->nqueues);
}

static void
show_share(FILE *out, const void *value)
{
	int64_t share = *(const int64_t *)value;

	if (share > 0)
		fprintf(out, "%" PRId64 "%%", share);
	else
		fputs("off", out);
}

static void
show_files(FILE *out, const void *value)
{
	const struct job_files *files = *(struct job_files *const *)value;

	putc('[', out);
	for (size_t i = 0; files != NULL && i < files->count; i++) {
		const struct job_file *f = &files->at[i];

		fprintf(out, "%s{env: %s, from: \"{%s}\", name: %s, mode: %04o",
		    i > 0 ? ", " : "", f->env, f->from.text, f->name,
		    (unsigned)f->mode);
		fputs(f->base64 ? ", decode: base64}" : "}", out);
	}
	putc(']', out);
}

static void
show_grants(FILE *out, const void *value)
{
	const struct grants *g = *(struct grants *const *)value;

	show_texts(out, g != NULL ? g->names : NULL, g != NULL ? g->count : 0);
}

static void
show_patterns(FILE *out, const void *value)
{
	const struct patterns *p = *(struct patterns *const *)value;

	putc('[', out);
	for (size_t i = 0; i < patterns_count(p); i++)
		fprintf(out, "%s'%s'", i > 0 ? ", " : "", patterns_text(p, i));
	putc(']', out);
}

static void
show_metrics(FILE *out, const void *value)
{
	const struct metric_names *names = *(struct metric_names *const *)value;

	putc('{', out);
	for (size_t i = 0; names != NULL && i < names->count; i++)
		fprintf(out, "%s%s: %s", i > 0 ? ", " : "", names->of[i].name,
		    names->of[i].gauge ? "gauge" : "counter");
	putc('}', out);
}

static bool
same_code(const struct exit_code *a, const struct exit_code *b)
{
	return a->action == b->action &&
	    (a->action != EXIT_LATER || a->retry_in == b->retry_in);
}

/* Ranges of codes that mean the same; "*" is what most of them mean: retry. */
static void
show_exit_codes(FILE *out, const void *value)
{
	const struct exit_code *of = ((const struct exit_codes *)value)->of;

	putc('{', out);
	for (int from = 0, to; from < EXIT_CODES; from = to + 1) {
		to = from;
		while (to + 1 < EXIT_CODES && same_code(&of[from], &of[to + 1]))
			to++;
		if (of[from].action == EXIT_RETRY)
			continue;
		fprintf(out, to > from ? "%d-%d: " : "%d: ", from, to);
		if (of[from].action == EXIT_LATER && of[from].retry_in >= 0) {
			fputs("{retry_in: ", out);
			show_duration(out, of[from].retry_in);
			putc('}', out);
		} else {
			fputs(exit_action_name(of[from].action), out);
		}
		fputs(", ", out);
	}
	fputs("\"*\": retry}", out);
}

static void
show_user(FILE *out, const void *value)
{
	const struct account *a = value;

	if (a->user)
		fprintf(out, "%s (%lld)", a->name != NULL ? a->name : "",
		    (long long)a->uid);
	else
		fputs("ours", out);
}

static void
show_group(FILE *out, const void *value)
{
	const struct account *a = value;

	if (a->gid_known)
		fprintf(out, "%lld", (long long)a->gid);
	else
		fputs("ours", out);
}

static void
show_groups(FILE *out, const void *value)
{
	const struct account *a = value;

	if (!a->user && !a->group && !a->groups_given) {
		fputs("ours", out);
		return;
	}
	putc('[', out);
	for (size_t i = 0; i < a->ngroups; i++)
		fprintf(
		    out, "%s%lld", i > 0 ? ", " : "", (long long)a->groups[i]);
	putc(']', out);
}

/* False after saying that there is no number. */
static bool
is_number(FILE *out, const struct setting_number *n)
{
	if (!n->given)
		fputs("ours", out);
	else if (n->value == INT64_MAX)
		fputs("infinity", out);
	return n->given && n->value != INT64_MAX;
}

static void
show_count(FILE *out, const void *value)
{
	const struct setting_number *n = value;

	if (is_number(out, n))
		fprintf(out, "%" PRId64, n->value);
}

static void
show_limit_size(FILE *out, const void *value)
{
	const struct setting_number *n = value;

	if (is_number(out, n))
		show_size(out, n->value);
}

static void
show_seconds(FILE *out, const void *value)
{
	const struct setting_number *n = value;

	if (is_number(out, n))
		fprintf(out, "%" PRId64 "s", n->value);
}

static void
show_read_only(FILE *out, const void *value)
{
	const struct confinement *c = value;

	show_texts(out, c->read_only, c->nread_only);
}

static void
show_slice(FILE *out, const void *value)
{
	fputs(*(char *const *)value, out);
}

/* How the values of a row of kind FIELD_OTHER are shown, by who reads them. */
static const struct {
	field_decode *decode;
	show_value *show;
} shown[] = {
	{ place_workdir, show_workdir },
	{ output_settings_dir, show_output_dir },
	{ permissions_decode, show_permissions },
	{ handler_env_pass, show_env_pass },
	{ handler_queues_decode, show_queues },
	{ breaker_settings_share, show_share },
	{ job_files_decode, show_files },
	{ grants_decode, show_grants },
	{ exit_codes_decode, show_exit_codes },
	{ metric_names_decode, show_metrics },
	{ patterns_decode, show_patterns },
	{ confinement_user, show_user },
	{ confinement_group, show_group },
	{ confinement_groups, show_groups },
	{ confinement_count, show_count },
	{ confinement_size, show_limit_size },
	{ confinement_seconds, show_seconds },
	{ confinement_nice, show_count },
	{ confinement_oom_score, show_count },
	{ confinement_read_only, show_read_only },
	{ confinement_percent, show_share },
	{ slice_decode, show_slice },
};

static show_value *
shower_of(const struct field *row)
{
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
		if (shown[i].decode == row->decode)
			return shown[i].show;
	return NULL;
}

bool
handler_shows(const struct field *row)
{
	switch (row->kind) {
	case FIELD_GROUP:
		for (const struct field *f = row->rows; f->name != NULL; f++)
			if (!handler_shows(f))
				return false;
		return true;
	case FIELD_OTHER:
		return shower_of(row) != NULL;
	default:
		return true;
	}
}

static const char *
word_of(const struct field *row, int value)
{
	const struct field_choice *c = row->choices;

	if (c == NULL)
		return value != 0 ? "true" : "false";
	while (c->word != NULL && c->value != value)
		c++;
	return c->word != NULL ? c->word : "?";
}

static void
show_row_value(FILE *out, const struct field *row, const void *value)
{
	show_value *other;
	const char *text;

	switch (row->kind) {
	case FIELD_TEXT:
		text = *(char *const *)value;
		fputs(text != NULL ? text : "none", out);
		break;
	case FIELD_INTEGER:
		fprintf(out, "%" PRId64, *(const int64_t *)value);
		break;
	case FIELD_DURATION:
		show_duration(out, *(const int64_t *)value);
		break;
	case FIELD_SIZE:
		show_size(out, *(const int64_t *)value);
		break;
	case FIELD_BOOL:
		fputs(word_of(row, *(const bool *)value), out);
		break;
	case FIELD_CHOICE:
		fputs(word_of(row, *(const int *)value), out);
		break;
	case FIELD_GROUP:
	case FIELD_NODE:
		break;
	case FIELD_OTHER:
		other = shower_of(row);
		if (other != NULL)
			other(out, value);
		break;
	}
}

static void
show_rows(FILE *out, const char *prefix, const struct field *rows,
    const struct handler_draft *from)
{
	char name[FIELD_NAME_MAX];

	for (; rows->name != NULL; rows++) {
		if (rows->kind == FIELD_NODE)
			continue;
		if (rows->kind == FIELD_GROUP) {
			snprintf(
			    name, sizeof name, "%s%s.", prefix, rows->name);
			show_rows(out, name, rows->rows, from);
			continue;
		}
		snprintf(name, sizeof name, "%s%s", prefix, rows->name);
		fprintf(out, "  %-*s ", NAME_WIDTH, name);
		show_row_value(out, rows, (const char *)from + rows->offset);
		putc('\n', out);
	}
}

void
handler_show(FILE *out, const struct handler *how)
{
	/* What the rows have filled is its first member. */
	const struct handler_draft d = { .h = *how };

	show_rows(out, "", handler_fields, &d);
}
