/*
 * The server's file becomes typed settings; no file at all is a good file.
 *
 * SPDX-License-Identifier: ISC
 */
#include "config/server_settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *password; /* FAKTORY_PASSWORD; NULL: not set */

static const char *credentials; /* CREDENTIALS_DIRECTORY; NULL: not set */

static const char *
lookup(const char *name)
{
	if (strcmp(name, "CREDENTIALS_DIRECTORY") == 0)
		return credentials;
	return strcmp(name, "FAKTORY_PASSWORD") == 0 ? password : NULL;
}

static void
collect(void *ctx, const char *message)
{
	char *all = ctx;
	size_t at = strlen(all);

	snprintf(all + at, 4096 - at, "%s\n", message);
}

static struct server_settings *
parse(const char *text, char all[4096])
{
	all[0] = '\0';
	return server_settings_read(
	    "s.yaml", text, strlen(text), lookup, collect, all);
}

static void
without_a_file_everything_is_default(void **state)
{
	char all[4096] = "";
	struct server_settings *s;

	(void)state;
	s = server_settings_load(NULL, lookup, collect, all);
	assert_string_equal(all, "");
	assert_non_null(s);
	assert_string_equal(s->listen, "127.0.0.1:7419");
	assert_string_equal(s->data, "/var/lib/faktotum");
	assert_null(s->password);
	assert_int_equal(s->log_format, LOG_FORMAT_AUTO);
	assert_int_equal(s->log_level, LOG_LEVEL_INFO);
	assert_int_equal(s->limits.connections, 2000);
	assert_int_equal(s->limits.line, 64 << 20);
	assert_int_equal(s->limits.memory, 512 << 20);
	assert_int_equal(s->worker_grace, INT64_C(15000000000));
	assert_int_equal(s->restart_grace, INT64_C(120000000000));
	assert_int_equal(s->worker_silence, 0);
	assert_int_equal(s->worker_deaths, 3);
	assert_int_equal(s->push_window, 0);
	assert_int_equal(s->result_retention, INT64_C(86400000000000));
	assert_false(s->web_plain);
	server_settings_free(s);
	server_settings_free(NULL);
}

static void
everything_can_be_set(void **state)
{
	char all[4096];
	struct server_settings *s =
	    parse("listen: '[::1]:0'\ndata: /srv/jobs\npassword: x\n"
		  "log: {format: text, level: error}\n"
		  "limits: {connections: 5, line: 4K, memory: 4K}\n",
		all);

	(void)state;
	assert_string_equal(all, "");
	assert_string_equal(s->listen, "[::1]:0");
	assert_string_equal(s->data, "/srv/jobs");
	assert_string_equal(s->password, "x");
	assert_int_equal(s->log_format, LOG_FORMAT_TEXT);
	assert_int_equal(s->log_level, LOG_LEVEL_ERROR);
	assert_int_equal(s->limits.connections, 5);
	assert_int_equal(s->limits.line, 4096);
	assert_int_equal(s->limits.memory, 4096);
	server_settings_free(s);
}

static void
the_file_wins_over_the_environment(void **state)
{
	char all[4096];
	struct server_settings *s;

	(void)state;
	password = "env";
	s = parse("", all);
	assert_string_equal(s->password, "env");
	server_settings_free(s);
	s = parse("password: file\n", all);
	assert_string_equal(s->password, "file");
	server_settings_free(s);
	password = "";
	assert_null(parse("", all));
	assert_string_equal(all,
	    "s.yaml: FAKTORY_PASSWORD is empty, expected a password, or no "
	    "such "
	    "variable\n");
	password = NULL;
}

/* What the service manager hands over: under the file, over the environment. */
static void
a_credential_wins_over_the_environment(void **state)
{
	char dir[] = "/tmp/test_server_settings.XXXXXX", path[64], all[4096];
	struct server_settings *s;

	(void)state;
	credentials = mkdtemp(dir);
	assert_non_null(credentials);
	password = "env";
	s = parse("", all);
	assert_string_equal(s->password, "env");
	server_settings_free(s);

	snprintf(path, sizeof path, "%s/faktory-password", dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs("handed over\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	s = parse("", all);
	assert_string_equal(s->password, "handed over");
	server_settings_free(s);
	s = parse("password: file\n", all);
	assert_string_equal(s->password, "file");
	server_settings_free(s);

	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	credentials = password = NULL;
}

/* web.listen is on by default, off where the file says so; who can reach it. */
static void
the_web_is_for_this_host(void **state)
{
	char all[4096];
	struct server_settings *s = parse("", all);

	(void)state;
	assert_string_equal(s->web_listen, "127.0.0.1:7420");
	assert_null(s->web_password);
	assert_false(web_settings_exposed(s));
	free(s->web_listen);
	s->web_listen = strdup("0.0.0.0:1");
	assert_true(web_settings_exposed(s));
	server_settings_free(s);

	s = parse("web: {listen: off}\n", all);
	assert_null(s->web_listen);
	server_settings_free(s);
	s = parse(
	    "web: {listen: \"[::]:1\", password: p, public: true}\n", all);
	assert_string_equal(s->web_listen, "[::]:1");
	assert_string_equal(s->web_password, "p");
	assert_true(s->web_public);
	server_settings_free(s);
	assert_null(parse("web: {listen: \"[::]:1\"}\n", all));
	assert_string_equal(all,
	    "s.yaml:1:15: web.listen: others can reach \"[::]:1\" and there "
	    "is no password, expected a password, a loopback address, or "
	    "web.public: true\n");
}

static void
mistakes_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "listen: 7419\n",
		    "s.yaml:1:9: listen: \"7419\" is not an address, expected "
		    "host:port, an IPv6 host in brackets\n" },
		{ "listen: ::1:7419\n",
		    "s.yaml:1:9: listen: \"::1:7419\" is not an address, "
		    "expected "
		    "host:port, an IPv6 host in brackets\n" },
		{ "listen: host:65536\n",
		    "s.yaml:1:9: listen: \"host:65536\" is not an address, "
		    "expected host:port, an IPv6 host in brackets\n" },
		{ "listen: 'host:'\n",
		    "s.yaml:1:9: listen: \"host:\" is not an address, expected "
		    "host:port, an IPv6 host in brackets\n" },
		{ "listen: host:-0\n",
		    "s.yaml:1:9: listen: \"host:-0\" is not an address, "
		    "expected "
		    "host:port, an IPv6 host in brackets\n" },
		{ "data: here\n",
		    "s.yaml:1:7: data: \"here\" is not absolute, expected an "
		    "absolute path\n" },
		{ "limits: {line: 1K, connections: 0}\n",
		    "s.yaml:1:16: limits.line: 1K is too small, expected 4K to "
		    "1G\n"
		    "s.yaml:1:33: limits.connections: 0 is too small, expected "
		    "1 "
		    "to 100000\n" },
		{ "limits: {memory: 1M}\n",
		    "s.yaml:1:18: limits.memory: 1M is less than limits.line, "
		    "expected at least 64M\n" },
		{ "limits: {line: 1G}\n",
		    "s.yaml:1:9: limits.memory: 512M is less than limits.line, "
		    "expected at least 1G\n" },
		{ "password: ''\n",
		    "s.yaml:1:11: password: empty, expected text, {file: "
		    "PATH}, "
		    "{env: NAME} or {credential: NAME}\n" },
		{ "colour: x\n",
		    "s.yaml:1:1: no setting is called \"colour\"\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char all[4096];

		assert_null(parse(cases[i].text, all));
		assert_string_equal(all, cases[i].want);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_everything_is_default),
		cmocka_unit_test(everything_can_be_set),
		cmocka_unit_test(the_file_wins_over_the_environment),
		cmocka_unit_test(a_credential_wins_over_the_environment),
		cmocka_unit_test(the_web_is_for_this_host),
		cmocka_unit_test(mistakes_are_told_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
