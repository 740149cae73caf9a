/*
 * A program's environment holds what it was given, each name once, and
 * nothing that may hold the server's password.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/environment.h"

#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *
lookup(const char *name)
{
	if (strcmp(name, "TZ") == 0)
		return "Europe/Berlin";
	if (strcmp(name, "FAKTORY_PROVIDER") == 0)
		return "QUEUE_URL";
	if (strcmp(name, "LD_PRELOAD") == 0)
		return "/evil.so";
	return NULL;
}

static const char *
nothing(const char *name)
{
	(void)name;
	return NULL;
}

static void
the_base_is_made_from_nothing(void **state)
{
	char path[] = "/opt/bin:/bin";
	const struct settings s = { .path = path };
	const struct passwd *user = getpwuid(geteuid());
	struct environment v = { 0 };

	(void)state;
	assert_int_equal(environment_base(&v, &s, lookup, NULL), 0);
	assert_string_equal(environment_get(&v, "PATH"), "/opt/bin:/bin");
	assert_string_equal(environment_get(&v, "TZ"), "Europe/Berlin");
	assert_string_equal(environment_get(&v, "LANG"), "C.UTF-8");
	if (user != NULL) {
		assert_string_equal(environment_get(&v, "HOME"), user->pw_dir);
		assert_string_equal(environment_get(&v, "USER"), user->pw_name);
		assert_string_equal(
		    environment_get(&v, "LOGNAME"), user->pw_name);
	}
	assert_non_null(environment_get(&v, "SHELL"));
	assert_int_equal(v.count, 7);
	assert_null(v.entries[v.count]);
	environment_clear(&v);

	assert_int_equal(environment_base(&v, &s, nothing, NULL), 0);
	assert_null(environment_get(&v, "TZ"));
	environment_clear(&v);
}

static void
a_later_value_takes_the_place_of_an_earlier_one(void **state)
{
	struct environment v = { 0 }, copy = { 0 };

	(void)state;
	assert_int_equal(environment_set(&v, "A", "1", 1, NULL), 0);
	assert_int_equal(environment_set(&v, "AB", "2", 1, NULL), 0);
	assert_int_equal(environment_set(&v, "A", "three", 5, NULL), 0);
	assert_int_equal(v.count, 2);
	assert_string_equal(v.entries[0], "A=three");
	assert_string_equal(v.entries[1], "AB=2");

	assert_int_equal(environment_copy(&copy, &v), 0);
	environment_clear(&v);
	assert_string_equal(environment_get(&copy, "AB"), "2");
	assert_null(environment_get(&copy, "B"));
	environment_clear(&copy);
}

/* Short and long ones in turn, each set twice: none runs into another. */
static void
entries_of_all_lengths_keep_their_values(void **state)
{
	enum { NAMES = 200, STEP = 37 };
	static char value[NAMES * STEP];
	struct environment v = { 0 }, copy = { 0 };
	char name[16];
	struct err e;

	(void)state;
	for (size_t i = 0; i < 2 * NAMES; i++) {
		size_t n = i % NAMES, len = (n * 71 % NAMES) * STEP;

		snprintf(name, sizeof name, "N%zu", n);
		memset(value, 'a' + (int)(i % 26), len);
		assert_int_equal(environment_set(&v, name, value, len, &e), 0);
	}
	assert_int_equal(environment_copy(&copy, &v), 0);
	environment_clear(&v);
	assert_int_equal(copy.count, NAMES);
	assert_null(copy.entries[copy.count]);
	for (size_t n = 0; n < NAMES; n++) {
		size_t len = (n * 71 % NAMES) * STEP;

		snprintf(name, sizeof name, "N%zu", n);
		const char *got = environment_get(&copy, name);
		assert_non_null(got);
		assert_int_equal(strlen(got), len);
		memset(value, 'a' + (int)((n + NAMES) % 26), len);
		assert_memory_equal(got, value, len);
	}
	environment_clear(&copy);
}

static void
an_entry_longer_than_linux_takes_is_refused(void **state)
{
	static char value[TEMPLATE_ELEMENT_MAX];
	struct environment v = { 0 };
	struct err e;

	(void)state;
	memset(value, 'x', sizeof value);
	assert_int_equal(
	    environment_set(&v, "NAME", value, sizeof value - 5, &e), 0);
	assert_int_equal(
	    environment_set(&v, "NAME", value, sizeof value - 4, &e), -EINVAL);
	assert_string_equal(e.text,
	    "env NAME is longer than the 131071 bytes that a variable may "
	    "have");
	assert_int_equal(v.count, 1);
	environment_clear(&v);
}

static void
secrets_are_known_by_name(void **state)
{
	static const char *const secret[] = { "FAKTORY_URL", "FAKTORY_PROVIDER",
		"FAKTORY_PASSWORD", "QUEUE_URL", "NOTIFY_SOCKET",
		"WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS" };
	static const char *const open[] = { "HOME", "DATABASE_URL", "FAKTORY",
		"LISTENER" };

	(void)state;
	for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
		assert_true(environment_secret(secret[i], lookup));
	for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
		assert_false(environment_secret(open[i], lookup));
	assert_false(environment_secret("QUEUE_URL", nothing));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_base_is_made_from_nothing),
		cmocka_unit_test(
		    a_later_value_takes_the_place_of_an_earlier_one),
		cmocka_unit_test(entries_of_all_lengths_keep_their_values),
		cmocka_unit_test(an_entry_longer_than_linux_takes_is_refused),
		cmocka_unit_test(secrets_are_known_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
