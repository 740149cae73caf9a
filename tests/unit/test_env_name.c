/*
 * Which variables a job may fill, which only an operator, and which nobody:
 * each family of docs/configuration.md, at its edges.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/env_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What chooses code or a proxy is no data of a job's. */
static void
what_steers_a_program_is_known(void **state)
{
	static const char *const steering[] = { "LD_PRELOAD", "LD_LIBRARY_PATH",
		"LD_AUDIT", "PATH", "IFS", "BASH_ENV", "ENV", "BASH_FUNC_ls",
		"PYTHONPATH", "PYTHONSTARTUP", "PERL5LIB", "PERL5OPT",
		"RUBYOPT", "RUBYLIB", "NODE_OPTIONS", "GCONV_PATH",
		"HTTP_PROXY" };
	static const char *const harmless[] = { "LDAP", "PATHS", "ENVIRONMENT",
		"MY_PATH", "NODE", "PERL", "TENANT", "HTTP_PROXY_HOST" };

	(void)state;
	for (size_t i = 0; i < COUNT(steering); i++)
		if (!env_name_is_steering(steering[i]))
			fail_msg("%s may be filled by a job", steering[i]);
	for (size_t i = 0; i < COUNT(harmless); i++)
		if (env_name_is_steering(harmless[i]))
			fail_msg("%s may not be filled", harmless[i]);
}

static void
what_is_the_supervisors_is_refused_from_anywhere(void **state)
{
	static const char *const refused[] = { "FAKTORY_URL",
		"FAKTORY_PROVIDER", "FAKTORY_PASSWORD", "FAKTORY_JID",
		"FAKTORY_ANYTHING", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET",
		"WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID" };
	static const char *const open[] = { "FAKTORY", "NOTIFY", "WATCHDOG",
		"LISTENER", "DATABASE_URL", "LD_PRELOAD" };

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		if (env_name_refused(refused[i]) == NULL)
			fail_msg("%s can be passed on", refused[i]);
	for (size_t i = 0; i < COUNT(open); i++)
		if (env_name_refused(open[i]) != NULL)
			fail_msg("%s cannot be passed on", open[i]);
}

static void
a_name_is_letters_digits_and_underscores(void **state)
{
	static const char *const bad[] = { "", "1A", "A B", "A=B", "A-B",
		"\xc3\xa9", "BASH_FUNC_x%%", "x()" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(env_name_is_valid(bad[i]));
	assert_true(env_name_is_valid("_a1"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_steers_a_program_is_known),
		cmocka_unit_test(
		    what_is_the_supervisors_is_refused_from_anywhere),
		cmocka_unit_test(a_name_is_letters_digits_and_underscores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
