/*
 * The supervisor's file becomes typed settings, or every mistake in it is
 * told with its place; nothing that would fail at run time passes.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/settings_file.h"

static void
the_smallest_file_has_all_defaults(void **state)
{
	struct settings *s = good(JOBS);

	(void)state;
	assert_string_equal(s->file, "t.yaml");
	assert_int_equal(s->nservers, 0);
	assert_null(s->password);
	assert_int_equal(s->concurrency, 10);
	assert_int_equal(s->queue_order, QUEUES_STRICT);
	assert_int_equal(s->nqueues, 1);
	assert_string_equal(s->queues[0].name, "default");
	assert_int_equal(s->nlabels, 0);
	assert_int_equal(s->shutdown_grace, 25 * CLOCK_NS_PER_S);
	assert_int_equal(s->beat, 15 * CLOCK_NS_PER_S);
	assert_int_equal(s->log_format, LOG_FORMAT_AUTO);
	assert_int_equal(s->log_level, LOG_LEVEL_INFO);
	assert_string_equal(s->path, "/usr/local/bin:/usr/bin:/bin");
	assert_string_equal(s->tmpdir, "/tmp");
	assert_int_equal(s->nhandlers, 1);
	const struct handler *h = settings_handler(s, "a", 1);
	assert_ptr_equal(h, &s->handlers[0]);
	assert_null(settings_handler(s, "ab", 2));
	assert_null(settings_handler(s, "b", 1));
	assert_string_equal(h->jobtype, "a");
	assert_string_equal(h->program, "/bin/sh");
	assert_int_equal(h->nargv, 1);
	assert_string_equal(template_text(h->argv[0]), "/bin/sh");
	assert_int_equal(h->input, INPUT_JOB);
	assert_int_equal(h->timeout, 0);
	assert_int_equal(h->grace, 10 * CLOCK_NS_PER_S);
	assert_int_equal(h->concurrency, 0);
	assert_string_equal(h->cwd, "/");
	assert_int_equal(h->umask, 022);
	assert_int_equal(h->nenv, 0);
	assert_int_equal(h->nenv_pass, 0);
	assert_false(h->allow_dash);
	assert_false(h->any_bytes);
	assert_int_equal(h->output_limit, 0);
	assert_int_equal(h->output_action, OUTPUT_CUT);
	assert_int_equal(h->log_rate, 1000);
	settings_free(s);
	settings_free(NULL);
}

static void
everything_can_be_set(void **state)
{
	struct settings *s = good("server: tcp://db:${PORT}\n"
				  "password: pa$$word\n"
				  "concurrency: 20\n"
				  "queues: {critical: 3, low: 1}\n"
				  "labels: [reports, ü]\n"
				  "shutdown: {grace: 1h}\n"
				  "beat: 5s\n"
				  "log: {format: json, level: debug}\n"
				  "path: /bin:/usr/bin\n"
				  "tmpdir: /var\n" JOBS);

	(void)state;
	assert_string_equal(s->servers[0], "tcp://db:7419");
	assert_int_equal(s->servers_at[0].line, 1);
	assert_int_equal(s->servers_at[0].column, 9);
	assert_string_equal(s->password, "pa$word");
	assert_int_equal(s->concurrency, 20);
	assert_int_equal(s->queue_order, QUEUES_WEIGHTED);
	assert_string_equal(s->queues[0].name, "critical");
	assert_int_equal(s->queues[0].weight, 3);
	assert_int_equal(s->queues[1].weight, 1);
	assert_string_equal(s->labels[1], "ü");
	assert_int_equal(s->shutdown_grace, 3600 * CLOCK_NS_PER_S);
	assert_int_equal(s->beat, 5 * CLOCK_NS_PER_S);
	assert_int_equal(s->log_format, LOG_FORMAT_JSON);
	assert_int_equal(s->log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(s->tmpdir, "/var");
	settings_free(s);
}

static void
mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "",
		    "t.yaml:1:1: jobs: missing, expected at least one jobtype "
		    "below it\n" },
		{ "[a]\n",
		    "t.yaml:1:1: the file: a list stands here, expected a "
		    "mapping\n" },
		{ "jobs: {}\n",
		    "t.yaml:1:7: jobs: empty, expected at least one jobtype "
		    "below "
		    "it\n" },
		{ "jobs:\n",
		    "t.yaml:1:6: jobs: nothing stands here, expected at least "
		    "one "
		    "jobtype below it\n" },
		{ "a: [\n",
		    "t.yaml:2:1: did not find expected node content, while "
		    "parsing a flow node\n" },
		{ JOBS "concurrency: many\n",
		    "t.yaml:2:14: concurrency: \"many\" is not a whole number, "
		    "expected 1 to 10000\n" },
		{ JOBS "concurency: 3\n",
		    "t.yaml:2:1: no setting is called \"concurency\", expected "
		    "\"concurrency\"?\n" },
		{ JOBS "queues: default\n",
		    "t.yaml:2:9: queues: a single value stands here, expected "
		    "a "
		    "list of names, or a mapping of names to weights\n" },
		{ JOBS "queues: []\n",
		    "t.yaml:2:9: queues: 0 queues, expected 1 to 1000\n" },
		{ JOBS "queues: [a, a b, a]\n",
		    "t.yaml:2:13: queues: \"a b\" cannot be a queue, expected "
		    "1 to "
		    "255 of A-Z a-z 0-9 . _ -\n"
		    "t.yaml:2:18: queues: \"a\" is listed twice\n" },
		{ JOBS "queues: {a: 0, b: x, c: 1001}\n",
		    "t.yaml:2:13: queues: 0 is too small, expected 1 to 1000\n"
		    "t.yaml:2:19: queues: \"x\" is not a whole number, "
		    "expected 1 "
		    "to 1000\n"
		    "t.yaml:2:25: queues: 1001 is too large, expected 1 to "
		    "1000\n" },
		{ JOBS "labels: [a, '']\n",
		    "t.yaml:2:13: labels: empty, expected a label of 1 to 1024 "
		    "bytes\n" },
		{ JOBS "path: /bin:lib\n",
		    "t.yaml:2:7: path: \"/bin:lib\" has a part that is not "
		    "absolute, expected absolute directories with colons "
		    "between\n" },
		{ JOBS "tmpdir: /nonexistent\n",
		    "t.yaml:2:9: tmpdir: \"/nonexistent\": No such file or "
		    "directory, expected a directory\n" },
		{ JOBS "tmpdir: /dev/null\n",
		    "t.yaml:2:9: tmpdir: \"/dev/null\" is not a directory, "
		    "expected one\n" },
		{ JOBS "beat: 1m\n",
		    "t.yaml:2:7: beat: 1m is too long, expected 1s to 30s\n" },
		{ JOBS "defaults: {exec: [/bin/sh]}\n",
		    "t.yaml:2:12: defaults: no setting is called \"exec\"\n" },
		{ "jobs: {a: {exec: [/bin/sh]}, b: {exec: [/bin/sh]}, "
		  "a: {exec: [/bin/sh]}}\n",
		    "t.yaml:1:52: jobs.a is set twice, first in line 1\n" },
		/* Once, not for each job; the job's own value hides nothing. */
		{ "defaults: {grace: 1, umask: 9}\n"
		  "jobs:\n"
		  "  a: {exec: [/bin/sh], grace: 1s}\n"
		  "  b: {exec: [/bin/sh]}\n",
		    "t.yaml:1:19: defaults.grace: \"1\" has no unit, expected "
		    "0s "
		    "to 1h such as 90s or 5m\n"
		    "t.yaml:1:29: defaults.umask: \"9\" cannot be permissions, "
		    "expected "
		    "octal digits such as 022\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		bad(cases[i].text, cases[i].want);
}

static void
a_password_comes_from_text_file_or_environment(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *password, *why;
	} files[] = {
		{ "geheim\n", 7, "geheim", NULL },
		{ "geheim\r\n", 8, "geheim", NULL },
		{ "geheim", 6, "geheim", NULL },
		{ "two\n\n", 5, "two\n", NULL },
		{ "\n", 1, NULL, "is empty, expected a password" },
		{ "", 0, NULL, "is empty, expected a password" },
		{ "a\0b", 3, NULL, "holds a NUL byte, expected text" },
	};
	char text[512], want[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		const char *file =
		    put_file("pw", files[i].bytes, files[i].len, 0600);

		snprintf(
		    text, sizeof text, "password: {file: %s}\n" JOBS, file);
		if (files[i].why == NULL) {
			struct settings *s = good(text);
			assert_string_equal(s->password, files[i].password);
			settings_free(s);
			continue;
		}
		snprintf(want, sizeof want,
		    "t.yaml:1:18: password.file: \"%s\" %s\n", file,
		    files[i].why);
		bad(text, want);
	}
	struct settings *s = good("password: {env: SECRET}\n" JOBS);
	assert_string_equal(s->password, "from env");
	settings_free(s);
}

/* The service manager's file counts where the configuration is silent. */
static void
a_credential_is_the_password_of_a_silent_file(void **state)
{
	char want[512];

	(void)state;
	credentials = scratch;
	struct settings *s = good(JOBS);
	assert_null(s->password);
	settings_free(s);

	put_file("faktory-password", "\n", 1, 0600);
	s = good(JOBS);
	assert_null(s->password);
	settings_free(s);

	put_file("faktory-password", "handed over\n", 12, 0600);
	s = good(JOBS);
	assert_string_equal(s->password, "handed over");
	settings_free(s);
	s = good("password: own\n" JOBS);
	assert_string_equal(s->password, "own");
	settings_free(s);

	const char *file = put_file("faktory-password", "a\0b", 3, 0600);
	snprintf(want, sizeof want,
	    "t.yaml: CREDENTIALS_DIRECTORY: \"%s\" holds a NUL byte, expected "
	    "text\n",
	    file);
	bad(JOBS, want);
	credentials = NULL;
}

static void
a_password_that_cannot_be_had_is_a_mistake(void **state)
{
	static const struct {
		const char *password, *want;
	} cases[] = {
		{ "''",
		    "t.yaml:1:11: password: empty, expected text, {file: "
		    "PATH}, "
		    "{env: NAME} or {credential: NAME}\n" },
		{ "",
		    "t.yaml:1:10: password: nothing stands here, expected "
		    "text, "
		    "{file: PATH}, {env: NAME} or {credential: NAME}\n" },
		{ "[x]",
		    "t.yaml:1:11: password: a list stands here, expected text, "
		    "{file: PATH}, {env: NAME} or {credential: NAME}\n" },
		{ "{}",
		    "t.yaml:1:11: password: empty, expected text, {file: "
		    "PATH}, "
		    "{env: NAME} or {credential: NAME}\n" },
		{ "{file: /x, env: Y}",
		    "t.yaml:1:11: password: more than one of them, expected "
		    "text, "
		    "{file: PATH}, {env: NAME} or {credential: NAME}\n" },
		{ "{fil: /x}",
		    "t.yaml:1:12: password: no setting is called \"fil\", "
		    "expected "
		    "\"file\"?\n" },
		{ "{env: NONE}",
		    "t.yaml:1:17: password.env: \"NONE\" is not in the "
		    "environment, expected a password\n" },
		{ "{file: /dev/zero}",
		    "t.yaml:1:18: password.file: \"/dev/zero\" is not a "
		    "regular "
		    "file, expected one\n" },
		{ "{file: /none}",
		    "t.yaml:1:18: password.file: \"/none\": No such file or "
		    "directory, expected a file of at most 4096 bytes\n" },
		{ "{file: pw}",
		    "t.yaml:1:18: password.file: \"pw\" is not absolute, "
		    "expected "
		    "an absolute path\n" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text, "password: %s\n" JOBS,
		    cases[i].password);
		bad(text, cases[i].want);
	}
}

/* A handler that takes what no other does must be there. */
static void
unknown_jobtypes_have_a_taker(void **state)
{
	struct settings *s = good(JOBS);

	(void)state;
	assert_int_equal(s->unknown, UNKNOWN_FAIL);
	assert_null(settings_choose(s, "b", 1));
	settings_free(s);
	s = good("unknown: dead\n" JOBS);
	assert_int_equal(s->unknown, UNKNOWN_DEAD);
	assert_null(settings_choose(s, "b", 1));
	settings_free(s);
	s = good("unknown: handler:a\njobs: {x: {exec: [/bin/true]}, a: "
		 "{exec: [/bin/sh]}}\n");
	assert_ptr_equal(settings_choose(s, "b", 1), &s->handlers[1]);
	assert_ptr_equal(settings_choose(s, "x", 1), &s->handlers[0]);
	settings_free(s);
	bad("unknown: handler:b\n" JOBS,
	    "t.yaml:1:10: unknown: jobs has no \"b\", expected a jobtype that "
	    "stands there\n");
	bad("unknown: bury\n" JOBS,
	    "t.yaml:1:10: unknown: \"bury\", expected fail, dead or "
	    "handler:JOBTYPE\n");
	bad("unknown: 'handler:'\n" JOBS,
	    "t.yaml:1:10: unknown: \"handler:\", expected fail, dead or "
	    "handler:JOBTYPE\n");
}

static void
a_file_is_read_or_named(void **state)
{
	char all[8192] = "";
	const char *file = put_file("t.yaml", JOBS, strlen(JOBS), 0600);
	struct settings *s = settings_load(file, lookup, collect, all);

	(void)state;
	assert_non_null(s);
	assert_string_equal(s->file, file);
	settings_free(s);
	assert_null(settings_load("/none.yaml", lookup, collect, all));
	assert_string_equal(all, "/none.yaml: No such file or directory\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_file_has_all_defaults),
		cmocka_unit_test(everything_can_be_set),
		cmocka_unit_test(mistakes_are_told_with_their_place),
		cmocka_unit_test(
		    a_password_comes_from_text_file_or_environment),
		cmocka_unit_test(a_credential_is_the_password_of_a_silent_file),
		cmocka_unit_test(a_password_that_cannot_be_had_is_a_mistake),
		cmocka_unit_test(unknown_jobtypes_have_a_taker),
		cmocka_unit_test(a_file_is_read_or_named),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
