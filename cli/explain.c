/*
 * explain - an invocation as text for a person.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/explain.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "config/handler_show.h"
#include "config/units.h"

enum { QUOTED_MAX = 256 * 1024 * 1024 };

static const char *
input_name(enum input_kind kind)
{
	static const char *const names[] = {
		[INPUT_JOB] = "the whole job",
		[INPUT_ARGS] = "the args array",
		[INPUT_ARG0] = "the first argument",
		[INPUT_RAW] = "the first argument's bytes",
		[INPUT_NONE] = "nothing: /dev/null",
	};

	return names[kind];
}

static void
print_quoted(FILE *out, const char *bytes, size_t len)
{
	struct buf *b = buf_new(QUOTED_MAX);

	if (b != NULL && json_put_string(b, bytes, len) == 0)
		(void)fwrite(buf_front(b), 1, buf_len(b), out);
	else
		fprintf(out, "(%zu bytes)", len);
	buf_free(b);
}

static void
print_duration(FILE *out, const char *name, int64_t ns)
{
	char text[UNITS_SHOWN_MAX];

	/* To the millisecond: the time since the job came is in it. */
	units_show_duration(ns - ns % CLOCK_NS_PER_MS, text);
	fprintf(out, "  %-14s %s\n", name, text);
}

static void
print_environment(FILE *out, const struct environment *env)
{
	fputs("environment\n", out);
	for (size_t i = 0; i < env->count; i++) {
		const char *entry = env->entries[i];
		const char *value = strchr(entry, '=') + 1;

		fprintf(out, "  %.*s", (int)(value - entry), entry);
		print_quoted(out, value, strlen(value));
		fputc('\n', out);
	}
}

void
explain(FILE *out, const struct settings *settings, const struct handler *how,
    const struct invocation *v, int64_t timeout, int64_t grace)
{
	char place[SETTINGS_PLACE_MAX];

	fprintf(out, "handler\n  %s, %s\n", how->jobtype,
	    settings_place(settings, how->at, place));
	fprintf(out, "program\n  %s\narguments\n", v->path);
	for (size_t i = 0; v->argv[i] != NULL; i++) {
		fprintf(out, "  %zu ", i);
		print_quoted(out, v->argv[i], strlen(v->argv[i]));
		fputc('\n', out);
	}
	print_environment(out, &v->env);

	fprintf(out, "input\n  %s", input_name(how->input));
	if (v->input != NULL) {
		fprintf(out, ", %zu bytes\n  ", buf_len(v->input));
		print_quoted(out, buf_front(v->input), buf_len(v->input));
	}
	fprintf(out, "\ndirectory\n  %s\nlimits of this run\n", v->workdir);
	print_duration(out, "timeout", timeout);
	print_duration(out, "grace", grace);
	fputs("settings\n", out);
	handler_show(out, how);
}
