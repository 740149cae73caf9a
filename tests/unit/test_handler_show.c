/*
 * What is shown of a job's settings is all of them, with the values they
 * have: a row that is added to the table cannot be forgotten here.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/handler_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/handler.h"
#include "tests/unit/settings_file.h"

static char *
shown(struct settings *s)
{
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	handler_show(out, settings_handler(s, "t", 1));
	fclose(out);
	return text;
}

static bool
is_shown_elsewhere(const char *name)
{
	static const char *const names[] = { "exec", "shell", "args", "env",
		"wrap" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void
check_rows(const char *text, const char *prefix, const struct field *rows)
{
	char line[FIELD_NAME_MAX + 8];

	for (; rows->name != NULL; rows++) {
		if (rows->kind == FIELD_GROUP) {
			snprintf(
			    line, sizeof line, "%s%s.", prefix, rows->name);
			check_rows(text, line, rows->rows);
			continue;
		}
		if (rows->kind == FIELD_NODE && is_shown_elsewhere(rows->name))
			continue;
		snprintf(line, sizeof line, "\n  %s%s ", prefix, rows->name);
		const char *at = strstr(text, line);
		if (at == NULL || !handler_shows(rows))
			fail_msg("config/handler_show.c does not show %s%s",
			    prefix, rows->name);
		at += strcspn(at + 1, "\n");
		assert_true(*at != ' '); /* it has a value */
	}
}

static void
every_row_is_shown(void **state)
{
	struct settings *s = good("jobs: {t: {exec: [/bin/true]}}\n");
	char *text = shown(s);
	char *whole;

	(void)state;
	assert_true(asprintf(&whole, "\n%s", text) > 0);
	check_rows(whole, "", handler_fields);
	free(whole);
	free(text);
	settings_free(s);
}

static void
check_line(const char *text, const char *name, const char *value)
{
	char line[256];

	snprintf(line, sizeof line, "  %-22s %s\n", name, value);
	if (strstr(text, line) == NULL)
		fail_msg("no line \"%s\" in\n%s", line, text);
}

static void
values_are_those_of_the_job(void **state)
{
	struct settings *s = good(
	    "defaults: {stall_timeout: 90s, redact: ['a+', 'b']}\n"
	    "jobs:\n"
	    "  t:\n"
	    "    exec: [/bin/true]\n"
	    "    timeout: 5m\n"
	    "    max_timeout: 2h\n"
	    "    input: raw\n"
	    "    umask: 027\n"
	    "    cwd: private\n"
	    "    output_limit: 10M\n"
	    "    bytes: any\n"
	    "    allow_dash: true\n"
	    "    env_pass: [ONE, TWO]\n"
	    "    files: [{env: PHOTO, from: \"{args.0.photo}\", decode: "
	    "base64}]\n"
	    "    exit_codes: {3: dead, 10-19: discard, 30: {retry_in: 10m}}\n"
	    "    error_parser: python\n"
	    "    limit_nofile: 64\n"
	    "    limit_fsize: 1M\n"
	    "    limit_cpu: 30s\n"
	    "    limit_core: infinity\n");
	char *text = shown(s);

	(void)state;
	check_line(text, "stall_timeout", "90s");
	check_line(text, "redact", "['a+', 'b']");
	check_line(text, "timeout", "5m");
	check_line(text, "max_timeout", "2h");
	check_line(text, "input", "raw");
	check_line(text, "umask", "027");
	check_line(text, "cwd", "private");
	check_line(text, "output_limit", "10M");
	check_line(text, "bytes", "any");
	check_line(text, "allow_dash", "true");
	check_line(text, "env_pass", "[ONE, TWO]");
	check_line(text, "files",
	    "[{env: PHOTO, from: \"{args.0.photo}\", name: PHOTO, mode: 0600, "
	    "decode: base64}]");
	check_line(text, "exit_codes",
	    "{0: ok, 3: dead, 10-19: discard, 30: {retry_in: 10m}, 65: dead, "
	    "75: later, \"*\": retry}");
	check_line(text, "error_parser", "python");
	check_line(text, "limit_nofile", "64");
	check_line(text, "limit_fsize", "1M");
	check_line(text, "limit_cpu", "30s");
	check_line(text, "limit_core", "infinity");
	check_line(text, "nice", "ours");
	check_line(text, "user", "ours");
	free(text);
	settings_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_shown),
		cmocka_unit_test(values_are_those_of_the_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
