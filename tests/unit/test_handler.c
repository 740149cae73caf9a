/*
 * A job's settings are those of its own, else of defaults:, else ours; a
 * program, a variable or an argument that would fail or betray us at run time
 * is refused when the file is read.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/handler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/settings_file.h"

static void
the_settings_of_a_job_are_its_own(void **state)
{
	struct settings *s = good(
	    "path: /bin:/usr/bin\n"
	    "jobs:\n"
	    "  one:\n"
	    "    exec: [sh, -x, \"{args.0}\", \"${BRACES}\"]\n"
	    "    input: raw\n"
	    "    timeout: 5m\n"
	    "    concurrency: 4\n"
	    "    umask: 027\n"
	    "    env: {TENANT: \"{custom.tenant}\", LD_LIBRARY_PATH: /opt/l}\n"
	    "    allow_dash: true\n"
	    "    bytes: any\n"
	    "    output_limit: 10M\n"
	    "    output_action: kill\n"
	    "    log_rate: 5\n");

	(void)state;
	const struct handler *one = settings_handler(s, "one", 3);
	assert_string_equal(one->program, "/bin/sh");
	assert_int_equal(one->nargv, 4);
	assert_false(template_is_literal(one->argv[2]));
	assert_int_equal(one->argv_at[2].line, 4);
	assert_int_equal(one->argv_at[2].column, 20);
	assert_true(template_is_literal(one->argv[3]));
	assert_string_equal(template_text(one->argv[3]), "{args.0}");
	assert_int_equal(one->input, INPUT_RAW);
	assert_int_equal(one->timeout, 300 * CLOCK_NS_PER_S);
	assert_int_equal(one->concurrency, 4);
	assert_int_equal(one->umask, 027);
	assert_int_equal(one->nenv, 2);
	assert_string_equal(one->env[0].name, "TENANT");
	assert_string_equal(template_text(one->env[1].value), "/opt/l");
	assert_true(one->allow_dash);
	assert_true(one->any_bytes);
	assert_int_equal(one->output_limit, 10 << 20);
	assert_int_equal(one->output_action, OUTPUT_KILL);
	assert_int_equal(one->log_rate, 5);
	settings_free(s);
}

static void
what_a_job_does_not_say_the_defaults_say(void **state)
{
	struct settings *s =
	    good("defaults: {grace: 20s, cwd: private, env_pass: [LANG]}\n"
		 "jobs:\n"
		 "  one: {exec: [/bin/sh]}\n"
		 "  two: {exec: [/bin/sh], grace: 1s, cwd: /usr, "
		 "env_pass: [TZ, HOME]}\n");

	(void)state;
	const struct handler *one = settings_handler(s, "one", 3);
	assert_int_equal(one->grace, 20 * CLOCK_NS_PER_S);
	assert_null(one->cwd);
	assert_int_equal(one->nenv_pass, 1);
	assert_string_equal(one->env_pass[0], "LANG");
	assert_int_equal(one->umask, 022);

	const struct handler *two = settings_handler(s, "two", 3);
	assert_int_equal(two->grace, CLOCK_NS_PER_S);
	assert_string_equal(two->cwd, "/usr");
	assert_int_equal(two->nenv_pass, 2);
	assert_string_equal(two->env_pass[1], "HOME");
	settings_free(s);
}

static void
a_shell_text_is_fixed_and_data_comes_as_arguments(void **state)
{
	struct settings *s = good("jobs:\n"
				  "  two:\n"
				  "    shell: |\n"
				  "      echo ${HOME} $$ \"$1\" ${args}\n"
				  "    args: [\"{args.0}\"]\n");

	(void)state;
	const struct handler *two = settings_handler(s, "two", 3);
	assert_string_equal(two->program, "/bin/sh");
	assert_int_equal(two->nargv, 5);
	assert_string_equal(template_text(two->argv[0]), "/bin/sh");
	assert_string_equal(template_text(two->argv[1]), "-c");
	assert_string_equal(
	    template_text(two->argv[2]), "echo ${HOME} $$ \"$1\" ${args}\n");
	assert_string_equal(template_text(two->argv[3]), "two");
	assert_string_equal(template_text(two->argv[4]), "{args.0}");
	assert_false(template_is_literal(two->argv[4]));
	settings_free(s);
}

static const struct {
	const char *job, *want;
} job_mistakes[] = {
	{ "",
	    "t.yaml:2:5: jobs.j: nothing stands here, expected a "
	    "mapping "
	    "with exec or shell\n" },
	{ "{}",
	    "t.yaml:2:3: jobs.j: nothing to run, expected exec or "
	    "shell\n" },
	{ "{exec: [/bin/sh], shell: x}",
	    "t.yaml:2:3: jobs.j: both exec and shell, expected one of "
	    "them\n" },
	{ "{exec: [/bin/sh], args: [x]}",
	    "t.yaml:2:30: jobs.j.args: belongs to shell, expected "
	    "arguments within exec\n" },
	{ "{exec: /bin/sh}",
	    "t.yaml:2:13: jobs.j.exec: a single value stands here, "
	    "expected a list, the program first\n" },
	{ "{exec: []}",
	    "t.yaml:2:13: jobs.j.exec: 0 elements, expected 1 to "
	    "1024\n" },
	{ "{exec: [\"{args.0}\"]}",
	    "t.yaml:2:14: jobs.j.exec: a template, expected a program "
	    "whose name is fixed\n" },
	{ "{exec: [bin/sh]}",
	    "t.yaml:2:14: jobs.j.exec: bin/sh is relative, expected an "
	    "absolute path or a bare name\n" },
	{ "{exec: [no-such-program]}",
	    "t.yaml:2:14: jobs.j.exec: no-such-program is not a "
	    "program "
	    "in /usr/local/bin:/usr/bin:/bin\n" },
	{ "{exec: [/no/such]}",
	    "t.yaml:2:14: jobs.j.exec: /no/such does not exist\n" },
	{ "{exec: [/bin]}",
	    "t.yaml:2:14: jobs.j.exec: /bin is a directory, expected a "
	    "program\n" },
	{ "{exec: [/dev/null]}",
	    "t.yaml:2:14: jobs.j.exec: /dev/null is not a regular "
	    "file, "
	    "expected a program\n" },
	{ "{exec: [/bin/sh, {args.0}]}",
	    "t.yaml:2:23: jobs.j.exec: a mapping stands here, expected "
	    "text (a template needs quotes: \"{args.0}\")\n" },
	{ "{exec: [/bin/sh, \"--x={arg.0}\"]}",
	    "t.yaml:2:23: jobs.j.exec: column 6: \"arg\" is unknown, "
	    "expected args, custom, jid, jobtype, queue or attempt (a "
	    "brace is {{)\n" },
	{ "{shell: ' '}",
	    "t.yaml:2:14: jobs.j.shell: empty, expected a text for "
	    "/bin/sh\n" },
	{ "{shell: 'echo {args.0}'}",
	    "t.yaml:2:14: jobs.j.shell: {args...} is not filled in "
	    "within "
	    "the text, expected it in args: and \"$1\" here\n" },
	{ "{shell: 'echo {jid}'}",
	    "t.yaml:2:14: jobs.j.shell: {jid...} is not filled in "
	    "within "
	    "the text, expected it in args: and \"$1\" here\n" },
	{ "{exec: [/bin/sh], umask: 1777}",
	    "t.yaml:2:31: jobs.j.umask: \"1777\" cannot be permissions, "
	    "expected "
	    "octal digits such as 022\n" },
	{ "{exec: [/bin/sh], cwd: here}",
	    "t.yaml:2:29: jobs.j.cwd: \"here\" is not absolute, "
	    "expected "
	    "an absolute path or private\n" },
	{ "{exec: [/bin/sh], timeout: 90}",
	    "t.yaml:2:33: jobs.j.timeout: \"90\" has no unit, expected "
	    "0s "
	    "to 1d such as 90s or 5m\n" },
	{ "{exec: [/bin/sh], input: stdin}",
	    "t.yaml:2:31: jobs.j.input: \"stdin\" is not known, "
	    "expected "
	    "job, args, arg0, raw or none\n" },
	{ "{exec: [/bin/sh], timout: 90s}",
	    "t.yaml:2:24: jobs.j: no setting is called \"timout\", "
	    "expected \"timeout\"?\n" },
};

static void
mistakes_in_a_job_are_told_with_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(job_mistakes); i++) {
		char text[512];

		snprintf(
		    text, sizeof text, "jobs:\n  j: %s\n", job_mistakes[i].job);
		bad(text, job_mistakes[i].want);
	}
}

static void
variables_that_a_handler_may_not_have_are_refused(void **state)
{
	static const struct {
		const char *env, *want;
	} cases[] = {
		{ "env: {1A: x}",
		    "env: \"1A\" cannot be a variable, expected letters, "
		    "digits "
		    "and _\n" },
		{ "env: {FAKTORY_URL: x}",
		    "env: FAKTORY_URL may hold the server's password, expected "
		    "another variable\n" },
		{ "env: {FAKTORY_JID: x}",
		    "env: FAKTORY_JID begins with FAKTORY_, which is set for "
		    "each "
		    "job, expected another variable\n" },
		{ "env: {NOTIFY_SOCKET: x}",
		    "env: NOTIFY_SOCKET belongs to the supervisor alone, "
		    "expected "
		    "another variable\n" },
		{ "env: {LISTEN_FDS: x}",
		    "env: LISTEN_FDS belongs to the supervisor alone, expected "
		    "another variable\n" },
		{ "env_pass: [WATCHDOG_USEC]",
		    "env_pass: WATCHDOG_USEC belongs to the supervisor alone, "
		    "expected another variable\n" },
		{ "env_pass: [FAKTORY_PROVIDER]",
		    "env_pass: FAKTORY_PROVIDER names where the server's "
		    "password "
		    "may be, expected another variable\n" },
		{ "env_pass: [LC_*]",
		    "env_pass: \"LC_*\" cannot be a variable, expected "
		    "letters, "
		    "digits and _\n" },
		{ "env: {X: \"{args...}\"}",
		    "env.X: {args...} makes several values, expected one\n" },
	};
	static const char *const steering[] = { "LD_PRELOAD", "PATH", "IFS",
		"BASH_ENV", "ENV", "BASH_FUNC_x", "PYTHONPATH", "PERL5LIB",
		"RUBYOPT", "NODE_OPTIONS", "GCONV_PATH", "HTTP_PROXY" };
	char text[512], all[8192];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		snprintf(text, sizeof text,
		    "jobs: {j: {exec: [/bin/sh], %s}}\n", cases[i].env);
		assert_null(parse(text, all));
		const char *got = strstr(all, "jobs.j.");
		assert_non_null(got);
		assert_string_equal(got + strlen("jobs.j."), cases[i].want);
	}
	for (size_t i = 0; i < COUNT(steering); i++) {
		char want[512];

		snprintf(text, sizeof text,
		    "jobs: {j: {exec: [/bin/sh], env: {%s: \"{jid}\"}}}\n",
		    steering[i]);
		snprintf(want, sizeof want,
		    "jobs.j.env.%s: changes what a program runs, expected a "
		    "fixed "
		    "value, not a job's\n",
		    steering[i]);
		assert_null(parse(text, all));
		assert_string_equal(strstr(all, "jobs.j."), want);
		snprintf(text, sizeof text,
		    "jobs: {j: {exec: [/bin/sh], env: {%s: fixed}}}\n",
		    steering[i]);
		settings_free(good(text));
	}
}

static void
a_variable_that_holds_the_password_is_never_passed_on(void **state)
{
	(void)state;
	bad("password: {env: SECRET}\n"
	    "jobs: {j: {exec: [/bin/sh], env_pass: [SECRET, MY_URL]}}\n",
	    "t.yaml:2:8: jobs.j.env_pass: SECRET holds the server's password, "
	    "expected another variable\n"
	    "t.yaml:2:8: jobs.j.env_pass: MY_URL holds the server's password, "
	    "expected another variable\n");
}

static void
a_program_must_be_executable_and_its_owners_alone(void **state)
{
	static const struct {
		mode_t mode;
		const char *why;
	} cases[] = {
		{ 0644, "cannot be executed (mode 0644), expected chmod +x" },
		{ 0775,
		    "can be written by its group or by others (mode 0775), "
		    "expected chmod go-w" },
		{ 0757,
		    "can be written by its group or by others (mode 0757), "
		    "expected chmod go-w" },
	};
	char text[512], want[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *file =
		    put_file("prog", "#!/bin/sh\n", 10, cases[i].mode);

		snprintf(text, sizeof text, "jobs: {j: {exec: [%s]}}\n", file);
		snprintf(want, sizeof want, "t.yaml:1:19: jobs.j.exec: %s %s\n",
		    file, cases[i].why);
		bad(text, want);
	}
	snprintf(text, sizeof text,
	    "path: %s:/bin\njobs: {j: {exec: [prog]}}\n", scratch);
	const char *file = put_file("prog", "#!/bin/sh\n", 10, 0755);
	struct settings *s = good(text);
	assert_string_equal(s->handlers[0].program, file);
	settings_free(s);
}

static void
a_handlers_grace_fits_into_the_shutdown(void **state)
{
	(void)state;
	bad("jobs:\n  j: {exec: [/bin/sh], grace: 30s}\n",
	    "t.yaml:2:31: jobs.j.grace: 30s is longer than shutdown.grace, "
	    "expected at most 25s\n");
	bad("defaults: {grace: 30s}\njobs:\n  j: {exec: [/bin/sh]}\n",
	    "t.yaml:1:19: jobs.j.grace: 30s is longer than shutdown.grace, "
	    "expected at most 25s\n");
	bad("shutdown: {grace: 5s}\njobs:\n  j: {exec: [/bin/sh]}\n",
	    "t.yaml:1:19: jobs.j.grace: 10s is longer than shutdown.grace, "
	    "expected at most 5s\n");
	settings_free(
	    good("shutdown: {grace: 5s}\ndefaults: {grace: 5s}\n" JOBS));
}

static void
a_value_that_could_be_an_option_is_warned_about(void **state)
{
	char all[8192] = "";
	struct settings *s =
	    good("jobs:\n"
		 "  j:\n"
		 "    exec: [/bin/sh, \"{args.0}\", \"-x{jid}\",\n"
		 "      \"{args...}\", --, \"{args.1}\"]\n"
		 "  k: {exec: [/bin/sh, \"{args.0}\"], "
		 "allow_dash: true}\n"
		 "  l: {shell: x, args: [\"{jid}\"]}\n");

	(void)state;
	settings_warnings(s, collect, all);
	assert_string_equal(all,
	    "t.yaml:3:21: jobs.j: \"{args.0}\" will be refused when the value "
	    "begins with \"-\", since it could be taken for an option; put "
	    "\"--\" "
	    "before it, or set allow_dash\n"
	    "t.yaml:4:7: jobs.j: \"{args...}\" will be refused when the value "
	    "begins with \"-\", since it could be taken for an option; put "
	    "\"--\" "
	    "before it, or set allow_dash\n"
	    "t.yaml:6:24: jobs.l: \"{jid}\" will be refused when the value "
	    "begins "
	    "with \"-\", since it could be taken for an option; put \"--\" "
	    "before "
	    "it, or set allow_dash\n");
	settings_free(s);
}

static void
a_wrapper_stands_in_front(void **state)
{
	static const char *const want[] = { "/usr/bin/env", "-i", "{x}", "--",
		"/bin/sh", "-c" };
	struct settings *s = good("path: /usr/bin:/bin\n"
				  "defaults: {wrap: [env, -i, \"{{x}}\", --]}\n"
				  "jobs:\n"
				  "  a: {exec: [/bin/sh, -c]}\n"
				  "  b: {shell: 'true', args: ['{args.0}']}\n"
				  "  c: {exec: [/bin/sh], wrap: []}\n");
	const struct handler *a = &s->handlers[0], *b = &s->handlers[1];

	(void)state;
	assert_string_equal(a->program, "/usr/bin/env");
	assert_int_equal(a->nargv, 6);
	assert_int_equal(a->nwrap, 4);
	for (size_t i = 0; i < a->nargv; i++)
		assert_string_equal(template_text(a->argv[i]), want[i]);
	assert_int_equal(a->argv_at[1].line, 2);
	assert_int_equal(a->argv_at[4].line, 4);
	assert_string_equal(b->program, "/usr/bin/env");
	assert_string_equal(template_text(b->argv[4]), "/bin/sh");
	assert_int_equal(b->nargv, 9);
	assert_string_equal(s->handlers[2].program, "/bin/sh");
	assert_int_equal(s->handlers[2].nwrap, 0);
	settings_free(s);
}

static void
a_wrapper_is_fixed_and_there(void **state)
{
	(void)state;
	bad("jobs: {a: {exec: [/bin/sh], wrap: [/bin/sh, '{args.0}']}}\n",
	    "t.yaml:1:45: jobs.a.wrap: a template, expected a program and its "
	    "arguments, without templates\n");
	bad("jobs: {a: {exec: [/bin/sh], wrap: ['{args.0}']}}\n",
	    "t.yaml:1:36: jobs.a.wrap: a template, expected a program whose "
	    "name is fixed\n");
	bad("jobs: {a: {exec: [/bin/sh], wrap: [/no/such]}}\n",
	    "t.yaml:1:36: jobs.a.wrap: /no/such does not exist\n");
	bad("jobs: {a: {exec: [/bin/sh], wrap: nice}}\n",
	    "t.yaml:1:35: jobs.a.wrap: a single value stands here, expected a "
	    "program and its arguments, without templates\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_settings_of_a_job_are_its_own),
		cmocka_unit_test(a_wrapper_stands_in_front),
		cmocka_unit_test(a_wrapper_is_fixed_and_there),
		cmocka_unit_test(what_a_job_does_not_say_the_defaults_say),
		cmocka_unit_test(
		    a_shell_text_is_fixed_and_data_comes_as_arguments),
		cmocka_unit_test(mistakes_in_a_job_are_told_with_its_name),
		cmocka_unit_test(
		    variables_that_a_handler_may_not_have_are_refused),
		cmocka_unit_test(
		    a_variable_that_holds_the_password_is_never_passed_on),
		cmocka_unit_test(
		    a_program_must_be_executable_and_its_owners_alone),
		cmocka_unit_test(a_handlers_grace_fits_into_the_shutdown),
		cmocka_unit_test(
		    a_value_that_could_be_an_option_is_warned_about),
	};

	return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
