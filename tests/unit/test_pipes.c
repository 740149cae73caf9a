/*
 * pipes: what was made ready serves the next program as if it had been made
 * for it, and no descriptor is lost on the way.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "handlers/spawn.h"
#include "tests/unit/descriptors.h"

static void
assert_pipe(const int fds[2], int ours)
{
	for (int i = 0; i < 2; i++) {
		assert_true(fds[i] > PIPES_LAST);
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		assert_int_equal(
		    (fcntl(fds[i], F_GETFL) & O_NONBLOCK) != 0, i == ours);
	}
}

/* Ready pipes are as those of spawn()'s promise: the program's ends block. */
static void
what_is_ready_is_taken_and_the_rest_stays(void **state)
{
	size_t before = open_descriptors();
	struct pipes ready = pipes_none, first, second;

	(void)state;
	assert_int_equal(pipes_make_ready(&ready), 0);
	assert_int_equal(open_descriptors(), before + 8);
	const struct pipes made = ready;

	assert_int_equal(pipes_open(&first, true, false, &ready), 0);
	assert_int_equal(open_descriptors(), before + 8);
	assert_memory_equal(first.in, made.in, sizeof made.in);
	assert_memory_equal(first.out, made.out, sizeof made.out);
	assert_memory_equal(first.err, made.err, sizeof made.err);
	assert_int_equal(first.control[PIPES_W], -1);
	assert_int_equal(ready.out[PIPES_R], -1);
	assert_memory_equal(ready.control, made.control, sizeof made.control);

	assert_int_equal(pipes_open(&second, false, true, &ready), 0);
	assert_memory_equal(second.control, made.control, sizeof made.control);
	assert_int_equal(second.in[PIPES_W], -1); /* /dev/null */
	assert_memory_equal(&ready, &pipes_none, sizeof ready);
	assert_pipe(first.in, PIPES_W);
	assert_pipe(first.out, PIPES_R);
	assert_pipe(first.err, PIPES_R);
	assert_pipe(second.out, PIPES_R);
	assert_pipe(second.control, PIPES_R);

	pipes_close(&first);
	pipes_close(&second);
	pipes_close(&second);
	assert_int_equal(open_descriptors(), before);
}

/* It hands out descriptors by its own limit. */
static bool
under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

/* A start without ready pipes is the same start. */
static void
without_descriptors_what_was_made_is_kept(void **state)
{
	size_t before = open_descriptors();
	struct pipes ready = pipes_none;
	struct rlimit limit, few;

	(void)state;
	if (under_valgrind())
		skip();
	int next = dup(STDIN_FILENO);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = (rlim_t)next + 3; /* one pipe, and half of the next */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	int r = pipes_make_ready(&ready);
	int errnum = errno;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(r, -1);
	assert_int_equal(errnum, EMFILE);
	assert_int_equal(open_descriptors(), before + 2);
	assert_pipe(ready.in, PIPES_W);
	assert_int_equal(ready.out[PIPES_R], -1);

	assert_int_equal(pipes_make_ready(&ready), 0);
	assert_int_equal(open_descriptors(), before + 8);
	pipes_close(&ready);
	assert_int_equal(open_descriptors(), before);
}

/* A program has descriptors 0 to 3, and none of the set that waits. */
static void
a_program_finds_its_own_and_no_others(void **state)
{
	static char sh[] = "sh", c[] = "-c";
	static char script[] = "cat >&3; for f in 3 4 5 6 7 8 9 10 11 12 13 14 "
			       "15 16 17 18 19 20; do if [ -e /dev/fd/$f ]; "
			       "then echo $f; fi; done";
	char *const argv[] = { sh, c, script, NULL };
	static char path[] = "PATH=/usr/bin:/bin";
	char *const env[] = { path, NULL };
	const struct spawn_request req = { .path = "/bin/sh",
		.argv = argv,
		.env = env,
		.workdir = "/",
		.mask = 022,
		.feed = true,
		.control = true };
	size_t before = open_descriptors();
	struct pipes ready = pipes_none, waiting = pipes_none;
	struct spawn_child child;
	struct spawn_failure why;
	char said[64] = "", message[64] = "";
	int status;

	(void)state;
	assert_int_equal(pipes_make_ready(&ready), 0);
	assert_int_equal(pipes_make_ready(&waiting), 0);
	const struct pipes made = ready;
	assert_int_equal(spawn_by(&req, &ready, &child, &why), 0);
	assert_int_equal(child.in, made.in[PIPES_W]);
	assert_int_equal(child.control, made.control[PIPES_R]);
	assert_int_equal(write(child.in, "fed", 3), 3);
	close(child.in);
	assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
	assert_int_equal(status, 0);
	assert_true(read(child.out, said, sizeof said - 1) > 0);
	assert_string_equal(said, "3\n");
	assert_int_equal(read(child.control, message, sizeof message - 1), 3);
	assert_string_equal(message, "fed");
	/* Nobody else has a copy of the other ends. */
	assert_int_equal(read(child.out, said, 1), 0);
	close(child.out);
	close(child.err);
	close(child.control);
	close(child.pidfd);
	pipes_close(&waiting);
	assert_memory_equal(&ready, &pipes_none, sizeof ready);
	assert_int_equal(open_descriptors(), before);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_ready_is_taken_and_the_rest_stays),
		cmocka_unit_test(without_descriptors_what_was_made_is_kept),
		cmocka_unit_test(a_program_finds_its_own_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
