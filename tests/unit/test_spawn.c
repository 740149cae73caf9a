/*
 * spawn: a program starts with exactly what was asked for, or the caller hears
 * at which step and why it did not, with nothing left over.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/descriptors.h"
#include "tests/unit/spawn_child.h"

static void
argv_env_and_both_outputs_arrive(void **state)
{
	char name[] = "NAME=x y", path[] = "PATH=/nowhere";
	char *env[] = { name, path, NULL };
	struct spawn_request req = program("/bin/sh",
	    words("name-of-its-own", "-c",
		"echo \"$1|$NAME|$PATH\"; echo oops >&2; exit 7", "sh",
		"a b\"c", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[256], err[256];

	(void)state;
	req.env = env;
	assert_int_equal(spawn(&req, &c, &why), 0);
	assert_int_equal(c.in, -1);
	int status = finish(&c, out, err, sizeof out);
	assert_string_equal(out, "a b\"c|x y|/nowhere\n");
	assert_string_equal(err, "oops\n");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void
what_we_write_is_its_stdin(void **state)
{
	struct spawn_request req = program("/bin/cat", words("cat", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[256], err[256];

	(void)state;
	req.feed = true;
	assert_int_equal(spawn(&req, &c, &why), 0);
	assert_int_equal(write(c.in, "hello", 5), 5);
	assert_int_equal(finish(&c, out, err, sizeof out), 0);
	assert_string_equal(out, "hello");
}

static void
without_feed_stdin_is_at_its_end(void **state)
{
	char out[256];

	(void)state;
	run_script("cat; readlink /proc/self/fd/0", out, sizeof out);
	assert_string_equal(out, "/dev/null\n");
}

static void
our_ends_do_not_block_and_die_at_exec_and_its_ends_block(void **state)
{
	struct spawn_request req = program("/bin/sh",
	    words("sh", "-c", "grep ^flags /proc/$$/fdinfo/[012]", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[512], err[256];

	(void)state;
	req.feed = true;
	assert_int_equal(spawn(&req, &c, &why), 0);
	int fds[] = { c.pidfd, c.in, c.out, c.err };
	for (size_t i = 0; i < 4; i++) {
		assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
		if (i > 0)
			assert_true(fcntl(fds[i], F_GETFL) & O_NONBLOCK);
	}
	assert_int_equal(finish(&c, out, err, sizeof out), 0);
	/* Access mode alone: neither O_NONBLOCK (04000) nor O_CLOEXEC. */
	const char *want[] = { "0:flags:\t00\n", "1:flags:\t01\n",
		"2:flags:\t01\n" };
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(out, want[i]));
}

static void
with_control_descriptor_3_is_a_pipe_that_can_be_opened(void **state)
{
	struct spawn_request req = program("/bin/sh",
	    words("sh", "-c",
		"echo one >&3; echo two >/dev/fd/3; ls /proc/$$/fd; :", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[256], err[256], said[64] = "";

	(void)state;
	req.control = true;
	assert_int_equal(spawn(&req, &c, &why), 0);
	assert_true(c.control > STDERR_FILENO);
	assert_int_equal(finish(&c, out, err, sizeof out), 0);
	assert_string_equal(out, "0\n1\n2\n3\n");
	assert_int_equal(read(c.control, said, sizeof said - 1), 8);
	assert_string_equal(said, "one\ntwo\n");
	assert_int_equal(read(c.control, said, sizeof said), 0);
	close(c.control);
}

static void
failures_name_their_stage_and_leave_nothing(void **state)
{
	static const struct {
		const char *path, *workdir;
		enum spawn_stage stage;
		int errnum;
		const char *name;
	} cases[] = {
		{ "/no/such/program", "/", SPAWN_EXEC, ENOENT, "exec" },
		{ "/etc/passwd", "/", SPAWN_EXEC, EACCES, "exec" },
		{ "/", "/", SPAWN_EXEC, EACCES, "exec" },
		{ "/bin/sh", "/no/such", SPAWN_WORKDIR, ENOENT, "workdir" },
		{ "/bin/sh", "/etc/passwd", SPAWN_WORKDIR, ENOTDIR, "workdir" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct spawn_request req = program("/bin/sh", words("x", NULL));
		struct spawn_child c = { .pid = 42 };
		struct spawn_failure why;
		size_t before = open_descriptors();

		req.path = cases[i].path;
		req.workdir = cases[i].workdir;
		req.feed = true;
		assert_int_equal(spawn(&req, &c, &why), -1);
		assert_int_equal(why.stage, cases[i].stage);
		assert_int_equal(why.errnum, cases[i].errnum);
		assert_string_equal(spawn_stage_name(why.stage), cases[i].name);
		assert_int_equal(c.pid, 42);
		assert_int_equal(open_descriptors(), before);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
	}
}

static void
no_more_descriptors_is_a_failure_of_the_pipes(void **state)
{
	struct spawn_request req = program("/bin/true", words("true", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	struct rlimit before, few;
	int taken[64];
	size_t n = 0;

	(void)state;
	req.feed = true;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while (n < 64 && (taken[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	/* A fourth one brings the report, where no memory is shared. */
	const size_t ends = under_valgrind() ? 8 : 6;
	/* However few are missing, all that were opened are closed again. */
	for (size_t spare = 0; spare < ends; spare++) {
		assert_int_equal(spawn(&req, &c, &why), -1);
		assert_int_equal(why.errnum, EMFILE);
		assert_int_equal(why.stage, SPAWN_PIPES);
		close(taken[--n]);
	}
	/* The pipes fit, the pidfd does not. */
	if (!under_valgrind()) {
		assert_int_equal(spawn(&req, &c, &why), -1);
		assert_int_equal(why.errnum, EMFILE);
		assert_int_equal(why.stage, SPAWN_CLONE);
	}
	while (n > 0)
		close(taken[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(spawn(&req, &c, &why), 0);
	char out[16], err[16];
	assert_int_equal(finish(&c, out, err, sizeof out), 0);
}

static void
a_file_that_stays_open_for_writing_is_told_after_some_tries(void **state)
{
	(void)state;
	if (under_valgrind())
		skip();

	char path[] = "/tmp/test_spawn.XXXXXX";
	int fd = mkstemp(path);
	int program_fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	struct spawn_request req = program(path, words("x", NULL));
	struct spawn_child c;
	struct spawn_failure why = { 0 };

	assert_true(fd >= 0 && program_fd >= 0);
	bool copied = sendfile(fd, program_fd, NULL, 1 << 20) > 0;
	int mode = fchmod(fd, 0700);
	int64_t before = clock_mono();
	int result = spawn(&req, &c, &why);
	int64_t took = clock_mono() - before;
	close(program_fd);
	close(fd);
	unlink(path);
	assert_true(copied && mode == 0);
	assert_int_equal(result, -1);
	assert_int_equal(why.stage, SPAWN_EXEC);
	assert_int_equal(why.errnum, ETXTBSY);
	assert_true(took >= 90 * CLOCK_NS_PER_MS);
}

/* In a process of its own, because it closes the test's output. */
static void
closed_standard_descriptors_of_ours_do_not_matter(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct spawn_request req = program(
		    "/bin/sh", words("sh", "-c", "cat; echo no >&2", NULL));
		struct spawn_child c;
		struct spawn_failure why;
		char out[64], err[64];

		for (int fd = 0; fd < 3; fd++)
			close(fd);
		req.feed = true;
		if (spawn(&req, &c, &why) < 0 || write(c.in, "yes", 3) != 3)
			_exit(1);
		if (finish(&c, out, err, sizeof out) != 0)
			_exit(2);
		_exit(strcmp(out, "yes") != 0 || strcmp(err, "no\n") != 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
the_pidfd_becomes_readable_when_it_ends(void **state)
{
	struct spawn_request req = program("/bin/cat", words("cat", NULL));
	struct spawn_child c;
	struct spawn_failure why;
	char out[16], err[16];

	(void)state;
	req.feed = true;
	assert_int_equal(spawn(&req, &c, &why), 0);
	struct pollfd p = { .fd = c.pidfd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 0), 0);
	close(c.in);
	c.in = -1;
	assert_int_equal(poll(&p, 1, 60000), 1);
	assert_int_equal(finish(&c, out, err, sizeof out), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(argv_env_and_both_outputs_arrive),
		cmocka_unit_test(what_we_write_is_its_stdin),
		cmocka_unit_test(without_feed_stdin_is_at_its_end),
		cmocka_unit_test(
		    our_ends_do_not_block_and_die_at_exec_and_its_ends_block),
		cmocka_unit_test(
		    with_control_descriptor_3_is_a_pipe_that_can_be_opened),
		cmocka_unit_test(failures_name_their_stage_and_leave_nothing),
		cmocka_unit_test(no_more_descriptors_is_a_failure_of_the_pipes),
		cmocka_unit_test(
		    a_file_that_stays_open_for_writing_is_told_after_some_tries),
		cmocka_unit_test(
		    closed_standard_descriptors_of_ours_do_not_matter),
		cmocka_unit_test(the_pidfd_becomes_readable_when_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
