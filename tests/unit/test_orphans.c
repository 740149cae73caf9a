/*
 * What a program leaves behind is reaped; the status of a program of our own
 * is left to its run.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/orphans.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ev.h>

#include <cmocka.h>

#include "base/clock.h"
#include "handlers/descent.h"
#include "handlers/run.h"

struct ending {
	struct orphans *orphans; /* NULL: not told */
	int done;
	int status;
};

/* No child is left in the end, neither alive nor as a zombie. */
static void
nobody_is_left(struct ev_loop *loop)
{
	while (waitid(P_ALL, 0, &(siginfo_t){ 0 },
		   WEXITED | WNOHANG | WNOWAIT) == 0)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(errno, ECHILD);
}

static bool
not_ours(void *ctx, pid_t pid)
{
	(void)ctx;
	(void)pid;
	return false;
}

static void
on_line(
    void *ctx, enum run_stream stream, const char *bytes, size_t len, bool more)
{
	(void)ctx;
	(void)stream;
	(void)bytes;
	(void)len;
	(void)more;
}

static void
on_done(void *ctx, const struct run_facts *facts)
{
	struct ending *e = ctx;

	e->done++;
	e->status = facts->status;
	if (e->orphans != NULL)
		orphans_look(e->orphans);
}

static const struct run_hooks hooks = { .line = on_line, .done = on_done };

static void
orphans_are_reaped_and_own_statuses_kept(void **state)
{
	enum { ROUNDS = 30 };
	char sh[] = "sh", c[] = "-c",
	     text[] = "setsid sh -c 'sleep 0.02' >/dev/null 2>&1 & exit 7";
	char *argv[] = { sh, c, text, NULL }, *env[] = { NULL };
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	struct spawner *spawner = spawner_new(loop);
	struct kin *kin = kin_new();
	struct orphans *o = orphans_new(loop, not_ours, NULL);
	struct ending ends[ROUNDS];
	const struct run_request req = {
		.spawn = { .path = "/bin/sh",
		    .argv = argv,
		    .env = env,
		    .workdir = "/",
		    .mask = 022 },
		.deadline = clock_mono() + 60 * CLOCK_NS_PER_S,
	};

	(void)state;
	memset(ends, 0, sizeof ends);
	for (int i = 0; i < ROUNDS; i++) {
		ends[i].orphans = o;
		assert_non_null(
		    run_start(loop, spawner, &req, &hooks, &ends[i]));
	}
	for (int i = 0; i < ROUNDS; i++) {
		while (ends[i].done == 0)
			ev_run(loop, EVRUN_ONCE);
		assert_true(WIFEXITED(ends[i].status));
		assert_int_equal(WEXITSTATUS(ends[i].status), 7);
	}
	nobody_is_left(loop);
	orphans_free(o);
	kin_free(kin);
	spawner_free(spawner);
	ev_loop_destroy(loop);
}

/*
 * What lives on after its program is reaped when it ends, though nothing else
 * ends then; and no program that ends costs the loop a signal.
 */
static void
one_that_ends_later_is_reaped_and_nobody_signals(void **state)
{
	char sh[] = "sh", c[] = "-c",
	     text[] = "setsid sleep 600 >/dev/null 2>&1 & exit 7";
	char *argv[] = { sh, c, text, NULL }, *env[] = { NULL };
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	struct spawner *spawner = spawner_new(loop);
	struct kin *kin = kin_new();
	struct orphans *o = orphans_new(loop, not_ours, NULL);
	struct ending end = { .orphans = o };
	struct sigaction now;
	pid_t left[4];
	const struct run_request req = {
		.spawn = { .path = "/bin/sh",
		    .argv = argv,
		    .env = env,
		    .workdir = "/",
		    .mask = 022 },
		.kin = kin,
		.id = "1",
		.leftover = RUN_LEFT_WARN,
		.deadline = clock_mono() + 60 * CLOCK_NS_PER_S,
	};

	(void)state;
	assert_int_equal(sigaction(SIGCHLD, NULL, &now), 0);
	assert_true(now.sa_handler == SIG_DFL);
	assert_non_null(run_start(loop, spawner, &req, &hooks, &end));
	while (end.done == 0)
		ev_run(loop, EVRUN_ONCE);
	int children = descent_open();
	assert_int_equal(descent_read(children, left, 4), 1);
	close(children);
	assert_int_equal(kill(left[0], SIGKILL), 0);
	nobody_is_left(loop);
	orphans_free(o);
	kin_free(kin);
	spawner_free(spawner);
	ev_loop_destroy(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orphans_are_reaped_and_own_statuses_kept),
		cmocka_unit_test(
		    one_that_ends_later_is_reaped_and_nobody_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
