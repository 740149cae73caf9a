/*
 * The supervisor works only while its server does: it starts after it, stops
 * before it, and neither is left behind when the other is gone.
 *
 * Two shell scripts play the programs; each writes down what happens to it.
 * A child of the test calls pair_run(), since that takes signals.
 *
 * SPDX-License-Identifier: ISC
 */
#include "cli/pair.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#define SERVER_BEGINS "#!/bin/sh\ncd \"${0%/*}\" || exit 1\n"
#define GETS_READY    "echo server is ready >>story; echo 4711 >port\n"
#define WAITS         "while :; do sleep 0.02; done\n"
#define ENDS_ON_TERM  "trap 'echo \"${0##*/} stops\" >>story; exit 0' TERM\n"
#define STARTED       "echo \"$*\" >>story\n"

static char dir[] = "/tmp/test-pair-XXXXXX";

static void
path_of(const char *name, char out[64])
{
	(void)snprintf(out, 64, "%s/%s", dir, name);
}

static void
write_script(const char *name, const char *text)
{
	char path[64];

	path_of(name, path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(SERVER_BEGINS, f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, 0700), 0);
}

static char *
read_story(void)
{
	static char story[4096];
	char path[64];

	path_of("story", path);
	FILE *f = fopen(path, "r");
	size_t n = f != NULL ? fread(story, 1, sizeof story - 1, f) : 0;
	story[n] = '\0';
	if (f != NULL)
		fclose(f);
	return story;
}

/* Runs the pair in a child; its pid. */
static pid_t
begin(const char *server_text, const char *supervisor_text)
{
	static char server[64], supervisor[64], port[64], config[] = "x.yaml";
	char *argv[] = { server, NULL };
	struct pair_plan plan = {
		.server = argv,
		.port_file = port,
		.program = supervisor,
		.config = config,
		.host = "127.0.0.1",
	};

	path_of("server", server);
	path_of("supervisor", supervisor);
	path_of("port", port);
	write_script("server", server_text);
	write_script("supervisor", supervisor_text);
	(void)unlink(port);
	path_of("story", port);
	(void)unlink(port);
	path_of("port", port);
	pid_t pid = fork();
	if (pid == 0)
		_exit(pair_run(&plan));
	return pid;
}

static void
wait_for_words(const char *words)
{
	for (int i = 0; i < 2000; i++) {
		if (strstr(read_story(), words) != NULL)
			return;
		(void)poll(NULL, 0, 20);
	}
	fail_msg("waited 40 s for \"%s\"", words);
}

static int
status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
a_signal_stops_the_supervisor_before_the_server(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	(void)state;
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		pid_t pid = begin(
		    ENDS_ON_TERM GETS_READY WAITS, ENDS_ON_TERM STARTED WAITS);

		wait_for_words("run -c");
		assert_int_equal(kill(pid, signals[i]), 0);
		assert_int_equal(status_of(pid), 0);
		assert_string_equal(read_story(),
		    "server is ready\n"
		    "run -c x.yaml --server tcp://127.0.0.1:4711\n"
		    "supervisor stops\n"
		    "server stops\n");
	}
}

static void
a_supervisor_that_ends_by_itself_takes_the_server_with_it(void **state)
{
	(void)state;
	pid_t pid = begin(ENDS_ON_TERM GETS_READY WAITS, STARTED "exit 78\n");
	assert_int_equal(status_of(pid), 78);
	assert_string_equal(read_story(),
	    "server is ready\n"
	    "run -c x.yaml --server tcp://127.0.0.1:4711\n"
	    "server stops\n");
}

static void
a_server_that_ends_by_itself_takes_the_supervisor_with_it(void **state)
{
	(void)state;
	pid_t pid = begin(GETS_READY
	    "until grep -q run story; do sleep 0.02; done; kill -9 $$\n",
	    ENDS_ON_TERM STARTED WAITS);
	assert_int_equal(status_of(pid), EX_SOFTWARE);
	assert_string_equal(read_story(),
	    "server is ready\n"
	    "run -c x.yaml --server tcp://127.0.0.1:4711\n"
	    "supervisor stops\n");
}

static void
without_a_server_there_is_no_supervisor(void **state)
{
	(void)state;
	pid_t pid = begin("exit 73\n", STARTED);
	assert_int_equal(status_of(pid), 73);
	assert_string_equal(read_story(), "");
}

static void
a_server_that_succeeds_in_ending_has_failed(void **state)
{
	(void)state;
	pid_t pid = begin("exit 0\n", STARTED);
	assert_int_equal(status_of(pid), EX_SOFTWARE);
	assert_string_equal(read_story(), "");
}

static int
make_directory(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
remove_directory(void **state)
{
	static const char *const names[] = { "server", "supervisor", "port",
		"story" };
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		path_of(names[i], path);
		(void)unlink(path);
	}
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_signal_stops_the_supervisor_before_the_server),
		cmocka_unit_test(
		    a_supervisor_that_ends_by_itself_takes_the_server_with_it),
		cmocka_unit_test(
		    a_server_that_ends_by_itself_takes_the_supervisor_with_it),
		cmocka_unit_test(without_a_server_there_is_no_supervisor),
		cmocka_unit_test(a_server_that_succeeds_in_ending_has_failed),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
