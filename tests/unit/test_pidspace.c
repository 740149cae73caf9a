/*
 * pidspace: its init keeps a process namespace, whatever is in it ends with
 * it, and the caller hears why none could be made.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/pidspace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Valgrind follows no exec into a program with a name of its own. */
static bool
is_possible(void)
{
	const char *preload = getenv("LD_PRELOAD");

	if (preload != NULL && strstr(preload, "vgpreload") != NULL)
		return false;
	return geteuid() == 0;
}

static struct pidspace
make(void)
{
	struct pidspace p;
	int r = pidspace_make(&p, "/proc/self/exe", false);

	if (r < 0 && (errno == EPERM || errno == EINVAL))
		skip(); /* a container without these */
	assert_int_equal(r, 0);
	return p;
}

/* A child of ours that was born there; it only waits. */
static pid_t
born_in(const struct pidspace *p)
{
	int back = pidspace_enter(p);

	assert_true(back >= 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(p->life); /* as the start of a program does */
		/* One that breaks away, and holds the pipe below. */
		if (fork() == 0) {
			setsid();
			for (;;)
				pause();
		}
		_exit(getpid() == 2 ? 7 : 8);
	}
	pidspace_leave(back);
	assert_true(pid > 0);
	return pid;
}

static void
only_the_first_process_is_ours(void **state)
{
	(void)state;
	if (!is_possible())
		skip();
	struct pidspace p = make();
	pid_t pids[8];
	int held[2], status;
	char byte;

	assert_int_equal(pipe(held), 0);
	pid_t pid = born_in(&p);
	close(held[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(pidspace_left(&p, pids, 8), 1);
	assert_false(pidspace_is_over(&p));

	/* Nothing but its end; and that takes what broke away with it. */
	kill(p.init, SIGTERM);
	assert_int_equal(pidspace_left(&p, pids, 8), 1);
	pidspace_kill(&p);
	assert_int_equal(read(held[0], &byte, 1), 0);
	close(held[0]);
	struct pollfd end = { .fd = p.fd, .events = POLLIN };
	assert_int_equal(poll(&end, 1, 30000), 1);
	assert_true(pidspace_is_over(&p));
	pidspace_clear(&p);
	assert_int_equal(p.init, 0);
}

static void
after_leaving_children_are_ours_again(void **state)
{
	(void)state;
	if (!is_possible())
		skip();
	struct pidspace p = make();
	int status;

	assert_int_equal(waitpid(born_in(&p), &status, 0) > 0, true);
	pid_t pid = fork();
	if (pid == 0)
		_exit(getpid() == 3 ? 1 : 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	pidspace_end(&p);
	assert_int_equal(kill(pid, 0), -1);
}

static void
a_program_that_is_not_there_leaves_nothing(void **state)
{
	struct pidspace p;

	(void)state;
	if (!is_possible())
		skip();
	struct pidspace first = make();
	pidspace_end(&first);
	assert_int_equal(pidspace_make(&p, "/no/such", false), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(p.init, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
it_ends_when_nobody_holds_it(void **state)
{
	(void)state;
	if (!is_possible())
		skip();
	struct pidspace p = make();
	int held[2], status;
	char byte;

	assert_int_equal(pipe(held), 0);
	pid_t pid = born_in(&p);
	close(held[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(p.life); /* as the end of this process would */
	assert_int_equal(read(held[0], &byte, 1), 0);
	close(held[0]);
	assert_int_equal(waitpid(p.init, &status, 0), p.init);
	assert_int_equal(status, 0);
	close(p.fd);
}

static void
a_successor_gets_it(void **state)
{
	struct pidspace none = pidspace_none, loaded, other;
	struct state_writer w;
	struct state_reader r;

	(void)state;
	if (!is_possible())
		skip();
	struct pidspace p = make();
	struct buf *out = buf_new(4096);

	assert_non_null(out);
	assert_int_equal(state_writer_init(&w, 4096), 0);
	pidspace_save(&p, &w);
	pidspace_save(&none, &w);
	state_put_int(&w, 77); /* an init whose descriptor is missing */
	state_put_fd(&w, -1);
	state_put_fd(&w, -1);
	assert_int_equal(state_seal(&w, 1, out), 0);
	state_writer_clear(&w);

	assert_int_equal(state_open(&r, buf_front(out), buf_len(out), 1), 0);
	pidspace_load(&loaded, &r);
	pidspace_load(&other, &r);
	assert_false(r.failed);
	assert_int_equal(loaded.init, p.init);
	assert_int_equal(loaded.fd, p.fd);
	assert_int_equal(loaded.life, p.life);
	assert_int_equal(other.init, 0);
	pidspace_load(&other, &r);
	assert_true(r.failed);
	assert_int_equal(other.init, 0);
	pidspace_end(&loaded);
	buf_free(out);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_first_process_is_ours),
		cmocka_unit_test(after_leaving_children_are_ours_again),
		cmocka_unit_test(a_program_that_is_not_there_leaves_nothing),
		cmocka_unit_test(it_ends_when_nobody_holds_it),
		cmocka_unit_test(a_successor_gets_it),
	};

	if (argc == 1 && strcmp(argv[0], PIDSPACE_INIT) == 0)
		return pidspace_keep();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
