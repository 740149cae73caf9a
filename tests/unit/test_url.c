/*
 * A server's address is read as its author meant it, and no message about a
 * wrong one ever shows a password.
 *
 * SPDX-License-Identifier: ISC
 */
#include "protocol/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
addresses_are_read(void **state)
{
	static const struct {
		const char *text;
		struct url want;
		const char *shown;
	} cases[] = {
		{ "tcp://localhost:7419",
		    { false, "localhost", 7419, "", false, "" },
		    "tcp://localhost:7419" },
		{ "tcp://example.org/",
		    { false, "example.org", 7419, "", false, "" },
		    "tcp://example.org:7419" },
		{ "TCP+TLS://h:1", { true, "h", 1, "", false, "" },
		    "tcp+tls://h:1" },
		{ "tcp://:secret@h:65535",
		    { false, "h", 65535, "", true, "secret" },
		    "tcp://h:65535" },
		{ "tcp://user@h", { false, "h", 7419, "user", false, "" },
		    "tcp://h:7419" },
		{ "tcp://us%65r:p%40ss%3a:x@@h:2",
		    { false, "h", 2, "user", true, "p@ss::x@" }, "tcp://h:2" },
		{ "tcp://u:@h", { false, "h", 7419, "u", true, "" },
		    "tcp://h:7419" },
		{ "tcp://[::1]:7", { false, "::1", 7, "", false, "" },
		    "tcp://[::1]:7" },
		{ "tcp://:p@[fe80::1%eth0]",
		    { false, "fe80::1%eth0", 7419, "", true, "p" },
		    "tcp://[fe80::1%eth0]:7419" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct url *want = &cases[i].want;
		char shown[URL_SHOWN_MAX];
		struct err e;
		struct url u;

		if (url_parse(cases[i].text, &u, &e) < 0)
			fail_msg("%s: %s", cases[i].text, e.text);
		assert_int_equal(u.tls, want->tls);
		assert_string_equal(u.host, want->host);
		assert_int_equal(u.port, want->port);
		assert_string_equal(u.user, want->user);
		assert_int_equal(u.has_password, want->has_password);
		assert_string_equal(u.password, want->password);
		url_show(&u, shown);
		assert_string_equal(shown, cases[i].shown);
	}
}

/* Wherever a part of the address could be a password, it says hunter2. */
static void
wrong_ones_are_explained_without_the_password(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "expected tcp://host:port or tcp+tls://host:port" },
		{ "localhost:7419",
		    "expected tcp://host:port or tcp+tls://host:port" },
		{ "http://:hunter2@h",
		    "expected tcp://host:port or tcp+tls://host:port" },
		{ "tcp://", "there is no host" },
		{ "tcp://:hunter2", "there is no host" },
		{ "tcp://:hunter2@", "there is no host" },
		{ "tcp://user:hunter2",
		    "tcp://user: the port must be a number from 1 to 65535" },
		{ "tcp://:hunter2@h:0",
		    "tcp://h: the port must be a number from 1 to 65535" },
		{ "tcp+tls://h:65536",
		    "tcp+tls://h: the port must be a number from 1 to 65535" },
		{ "tcp://h:",
		    "tcp://h: the port must be a number from 1 to "
		    "65535" },
		{ "tcp://[::1]:x",
		    "tcp://[::1]: the port must be a number from 1 to 65535" },
		{ "tcp://[::1", "'[' has no ']'" },
		{ "tcp://[localhost]", "'[' and ']' are for IPv6 addresses" },
		{ "tcp://[::1]7",
		    "tcp://[::1]: expected ':' and a port "
		    "behind the host" },
		{ "tcp://:hun/ter2@h",
		    "'/', '?' and '#' in the user or password must be "
		    "written as %2F, %3F and %23" },
		{ "tcp://h/hunter2", "nothing may follow the host and port" },
		{ "tcp://h?hunter2", "nothing may follow the host and port" },
		{ "tcp://hunter2 h",
		    "the host has a character that no host "
		    "has" },
		{ "tcp://:hunter2%@h",
		    "password: '%' must be followed by two hexadecimal "
		    "digits, not 00" },
		{ "tcp://:hunter2%4@h",
		    "password: '%' must be followed by two hexadecimal "
		    "digits, not 00" },
		{ "tcp://:hunter2%00@h",
		    "password: '%' must be followed by two hexadecimal "
		    "digits, not 00" },
		{ "tcp://%zz:hunter2@h",
		    "user: '%' must be followed by two hexadecimal digits, "
		    "not 00" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct url u = { .port = 77 };
		struct err e;

		assert_int_equal(url_parse(cases[i].text, &u, &e), -EINVAL);
		assert_string_equal(e.text, cases[i].want);
		assert_null(strstr(e.text, "hunter2"));
		assert_int_equal(u.port, 77);
	}
}

static void
parts_have_a_ceiling(void **state)
{
	char text[600];
	struct err e;
	struct url u;

	(void)state;
	snprintf(text, sizeof text, "tcp://:%0255d@h", 0);
	assert_int_equal(url_parse(text, &u, &e), 0);
	snprintf(text, sizeof text, "tcp://:%0256d@h", 0);
	assert_int_equal(url_parse(text, &u, &e), -EINVAL);
	assert_string_equal(e.text, "password: longer than 255 bytes");
	snprintf(text, sizeof text, "tcp://%0255d", 0);
	assert_int_equal(url_parse(text, &u, &e), 0);
	snprintf(text, sizeof text, "tcp://%0256d", 0);
	assert_int_equal(url_parse(text, &u, &e), -EINVAL);
	assert_string_equal(e.text, "the host is longer than 255 bytes");
}

static const char *(*environment)[2];

static const char *
lookup(const char *name)
{
	for (size_t i = 0; environment[i][0] != NULL; i++)
		if (strcmp(environment[i][0], name) == 0)
			return environment[i][1];
	return NULL;
}

static void
the_environment_names_the_server(void **state)
{
	static const struct {
		const char *vars[4][2];
		const char *host; /* NULL: refused, and text is the message */
		const char *text;
	} cases[] = {
		{ { { NULL, NULL } }, "localhost", NULL },
		{ { { "FAKTORY_URL", "" }, { "FAKTORY_PROVIDER", "" } },
		    "localhost", NULL },
		{ { { "FAKTORY_URL", "tcp://a" } }, "a", NULL },
		{ { { "FAKTORY_URL", "tcp://a" },
		      { "FAKTORY_PROVIDER", "OTHER" }, { "OTHER", "tcp://b" } },
		    "b", NULL },
		{ { { "FAKTORY_URL", "a" } }, NULL,
		    "FAKTORY_URL: expected tcp://host:port or "
		    "tcp+tls://host:port" },
		{ { { "FAKTORY_PROVIDER", "OTHER" }, { "OTHER", "tcp://" } },
		    NULL, "OTHER: there is no host" },
		{ { { "FAKTORY_URL", "tcp://a" },
		      { "FAKTORY_PROVIDER", "OTHER" } },
		    NULL, "FAKTORY_PROVIDER: names OTHER, which is not set" },
		{ { { "FAKTORY_PROVIDER", "tcp://:hunter2@b" } }, NULL,
		    "FAKTORY_PROVIDER: expected the name of the variable "
		    "that holds the URL, not the URL" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *vars[4][2];
		struct err e;
		struct url u;

		memcpy(vars, cases[i].vars, sizeof vars);
		environment = vars;
		int r = url_from_environment(lookup, &u, &e);
		if (cases[i].host != NULL) {
			assert_int_equal(r, 0);
			assert_string_equal(u.host, cases[i].host);
		} else {
			assert_int_equal(r, -EINVAL);
			assert_string_equal(e.text, cases[i].text);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(wrong_ones_are_explained_without_the_password),
		cmocka_unit_test(parts_have_a_ceiling),
		cmocka_unit_test(the_environment_names_the_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
