/*
 * tree: TERM reaches the whole group, even what is stopped; KILL ends it.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/tree.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A child that leads a group, with a grandchild in it; both only wait. */
static struct tree
plant(bool stopped)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		if (fork() == 0) {
			close(ready[0]);
			if (stopped)
				raise(SIGSTOP);
			for (;;)
				pause();
		}
		close(ready[0]);
		(void)!write(ready[1], "x", 1);
		if (stopped)
			raise(SIGSTOP);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	/* The end of the file is the end of both. */
	dup2(ready[0], 100);
	close(ready[0]);
	return (struct tree){ .member.leader = pid };
}

static void
both_end_by(const struct tree *t, int sig)
{
	int status;
	char byte;

	assert_int_equal(read(100, &byte, 1), 0);
	close(100);
	assert_int_equal(
	    waitpid(t->member.leader, &status, 0), t->member.leader);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), sig);
}

static void
TERM_reaches_the_whole_group(void **state)
{
	struct tree t = plant(false);

	(void)state;
	tree_term(&t);
	both_end_by(&t, SIGTERM);
}

static void
TERM_reaches_what_is_stopped(void **state)
{
	struct tree t = plant(true);
	int status;

	(void)state;
	assert_int_equal(
	    waitpid(t.member.leader, &status, WUNTRACED), t.member.leader);
	tree_term(&t);
	both_end_by(&t, SIGTERM);
}

static void
KILL_ends_the_whole_group(void **state)
{
	struct tree t = plant(true);

	(void)state;
	tree_kill(&t);
	both_end_by(&t, SIGKILL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(TERM_reaches_the_whole_group),
		cmocka_unit_test(TERM_reaches_what_is_stopped),
		cmocka_unit_test(KILL_ends_the_whole_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
