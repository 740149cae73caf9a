/*
 * test_kin - nothing that a program started outlives its run.
 *
 * Other supervisors kill a process group, and what has left it goes on beside
 * the next attempt of the same job.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/kin.h"

#include "base/buf.h"
#include "tests/unit/kin_scene.h"

/* All numbers that the program printed, one a line. Returns how many. */
static size_t
assert_all_dead(const struct scene *s)
{
	size_t n = 0;

	for (const char *at = s->text[RUN_STDOUT]; *at != '\0'; n++) {
		char *end;
		pid_t pid = (pid_t)strtol(at, &end, 10);

		assert_true(pid > 1 && *end == '\n');
		assert_false(is_alive(pid));
		at = end + 1;
	}
	reap_adopted();
	return n;
}

static void
what_left_the_session_is_dead_when_the_run_is_over(void **state)
{
	struct scene *s =
	    kin_shell("setsid sh -c 'echo $$; exec >&- 2>&-; setsid "
		      "sleep 600 & sleep 600' & sleep 0.2");

	(void)state;
	play_with_kin(s);
	exits_with(s, 0);
	assert_true(s->facts.left >= 2);
	assert_false(s->facts.survived);
	assert_int_equal(assert_all_dead(s), 1);
	free(s);
}

static void
a_daemon_that_holds_the_output_is_dead_too(void **state)
{
	struct scene *s = scene("escape", "600", NULL);

	(void)state;
	s->req.kin = kin;
	play_with_kin(s);
	assert_true(s->facts.held_open);
	assert_int_equal(assert_all_dead(s), 1);
	free(s);
}

/* The leader ignores TERM, and what it started is spread over sessions. */
static void
kill_reaches_what_is_below_a_leader_that_lives(void **state)
{
	struct scene *s =
	    kin_shell("trap '' TERM\n"
		      "setsid sh -c 'echo $$; setsid sh -c \"echo "
		      "\\$\\$; sleep 600\" & sleep 600' &\n"
		      "(setsid sh -c 'echo $$; sleep 600' &)\n"
		      "sleep 600 & echo $!; while :; do wait; done");

	(void)state;
	s->req.deadline = s->began + SECONDS(1) / 2;
	s->req.grace = SECONDS(1) / 10;
	play_with_kin(s);
	killed_by(s, SIGKILL);
	assert_int_equal(s->facts.reason, RUN_TIMEOUT);
	assert_true(s->facts.killed);
	assert_int_equal(assert_all_dead(s), 4);
	free(s);
}

static void
a_process_that_stops_itself_dies_too(void **state)
{
	struct scene *s =
	    kin_shell("setsid sh -c 'echo $$; exec >&- 2>&-; kill "
		      "-STOP $$; sleep 600' & sleep 0.2");

	(void)state;
	play_with_kin(s);
	assert_int_equal(assert_all_dead(s), 1);
	free(s);
}

static void
one_that_forks_and_exits_all_the_time_is_caught(void **state)
{
	char file[] = "/tmp/faktotum-kin.XXXXXX", text[32] = "";
	const char *valgrind = getenv("FAKTOTUM_VALGRIND");

	(void)state;
	/* There one look takes longer than the process stays anywhere. */
	if (valgrind != NULL && valgrind[0] != '\0')
		skip();
	int fd = mkstemp(file);
	struct scene *s = scene("runs_away", "20", file, NULL);

	s->req.kin = kin;
	play_with_kin(s);
	exits_with(s, 0);
	assert_true(s->took < SECONDS(50));
	assert_false(s->facts.survived);
	/* It writes a number at every step: it takes no more. */
	assert_true(ftruncate(fd, 0) == 0);
	usleep(100000);
	assert_int_equal(pread(fd, text, sizeof text - 1, 0), 0);
	reap_adopted();
	close(fd);
	unlink(file);
	free(s);
}

/* Two at once: the end of one is no reason to end what the other started. */
static void
reap_children(void *ctx)
{
	(void)ctx;
	while (waitpid(-1, NULL, WNOHANG | __WNOTHREAD) > 0)
		;
}

/* More have ended, and were not reaped, than one look takes in. What is left
 * is gone before anything is asserted: it would make the next tests wait. */
static void
the_dead_hide_nobody(void **state)
{
	struct scene *s =
	    kin_shell("setsid sh -c 'echo $$; exec >&- 2>&-; sleep 600' & "
		      "sleep 0.2");

	(void)state;
	for (int i = 0; i < 1500; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		assert_true(pid > 0);
	}
	kin_set_reaper(kin, reap_children, NULL);
	play_with_kin(s);
	kin_set_reaper(kin, NULL, NULL);
	pid_t pid = (pid_t)atoi(s->text[RUN_STDOUT]);
	bool was_alive = pid > 1 && is_alive(pid);
	if (was_alive)
		kill(pid, SIGKILL);
	reap_children(NULL);
	assert_true(pid > 1);
	assert_false(was_alive);
	assert_false(s->facts.survived);
	reap_adopted();
	free(s);
}

static void
another_run_keeps_what_it_started(void **state)
{
	struct scene *a =
	    kin_shell("setsid sh -c 'echo $$; exec >&- 2>&-; sleep "
		      "600' & sleep 1");
	struct scene *b = kin_shell("setsid sleep 600 >&- 2>&- & sleep 0.3");

	(void)state;
	start(a);
	start(b);
	while (b->done == 0)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(a->done, 0);
	pid_t kept = (pid_t)atoi(a->text[RUN_STDOUT]);
	assert_true(kept > 1 && is_alive(kept));
	while (a->done == 0)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(assert_all_dead(a), 1);
	free(a);
	free(b);
}

/* After an upgrade in place programs are children of the first thread too. */
static void
a_member_is_no_orphan(void **state)
{
	struct scene *s = kin_shell("exit 0");
	struct kin_member m = { .leader = fork() };

	(void)state;
	assert_true(m.leader >= 0);
	if (m.leader == 0)
		for (;;)
			pause();
	kin_join(kin, &m);
	play_with_kin(s);
	assert_int_equal(s->facts.left, 0);
	assert_true(is_alive(m.leader));
	kin_leave(&m);
	kill(m.leader, SIGKILL);
	assert_int_equal(waitpid(m.leader, NULL, 0), m.leader);
	free(s);
}

static void
what_is_left_is_waited_for_when_asked(void **state)
{
	struct scene *s =
	    kin_shell("setsid sh -c 'exec >&- 2>&-; sleep 0.5' & exit 0");

	(void)state;
	s->req.leftover = RUN_LEFT_WAIT;
	play_with_kin(s);
	exits_with(s, 0);
	assert_true(s->took >= SECONDS(1) / 2);
	assert_int_equal(s->facts.left, 0);
	reap_adopted();
	free(s);
}

static void
waiting_ends_at_the_deadline(void **state)
{
	struct scene *s =
	    kin_shell("setsid sh -c 'trap \"\" TERM; echo $$; exec "
		      ">&- 2>&-; while :; do sleep 1; done' & sleep "
		      "0.2");

	(void)state;
	s->req.leftover = RUN_LEFT_WAIT;
	s->req.deadline = s->began + SECONDS(1);
	s->req.grace = SECONDS(1) / 5;
	play_with_kin(s);
	assert_int_equal(s->facts.reason, RUN_TIMEOUT);
	assert_true(s->took >= SECONDS(1));
	assert_true(s->took < SECONDS(50));
	assert_int_equal(assert_all_dead(s), 1);
	free(s);
}

/* The same after an upgrade. */
static struct kin *
carry_over(const struct kin *from)
{
	struct buf *sealed = buf_new(1 << 20);
	struct kin *next = kin_new();
	struct state_writer w;
	struct state_reader r;

	assert_int_equal(state_writer_init(&w, 1 << 20), 0);
	kin_save(from, &w);
	assert_int_equal(state_seal(&w, 1, sealed), 0);
	assert_int_equal(
	    state_open(&r, buf_front(sealed), buf_len(sealed), 1), 0);
	kin_load(next, &r);
	assert_false(r.failed);
	state_writer_clear(&w);
	buf_free(sealed);
	return next;
}

static void
what_may_live_on_is_left_alone_by_later_runs(void **state)
{
	char id[] = KIN_VARIABLE "=d-1", path[] = "PATH=/usr/bin:/bin";
	char *const marked[] = { path, id, NULL };
	struct scene *s =
	    kin_shell("setsid sh -c 'echo $$; exec >&- 2>&-; exec "
		      "sleep 600' & sleep 0.2");
	struct scene *later = kin_shell("exit 0");

	(void)state;
	s->req.leftover = RUN_LEFT_WARN;
	s->req.id = "d-1";
	s->req.spawn.env = marked;
	play_with_kin(s);
	assert_int_equal(s->facts.left, 1);
	pid_t pid = (pid_t)atoi(s->text[RUN_STDOUT]);
	assert_true(pid > 1 && is_alive(pid));
	struct kin *next = carry_over(kin);
	later->req.kin = next;
	play_with_kin(later);
	assert_int_equal(later->facts.left, 0);
	assert_true(is_alive(pid));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	kin_free(next);
	free(later);
	free(s);
}

static int
set_up(void **state)
{
	int r = kin_set_up(state);

	assert_true(kin_sees(kin));
	return r;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_left_the_session_is_dead_when_the_run_is_over),
		cmocka_unit_test(a_daemon_that_holds_the_output_is_dead_too),
		cmocka_unit_test(
		    kill_reaches_what_is_below_a_leader_that_lives),
		cmocka_unit_test(a_process_that_stops_itself_dies_too),
		cmocka_unit_test(
		    one_that_forks_and_exits_all_the_time_is_caught),
		cmocka_unit_test(the_dead_hide_nobody),
		cmocka_unit_test(another_run_keeps_what_it_started),
		cmocka_unit_test(a_member_is_no_orphan),
		cmocka_unit_test(what_is_left_is_waited_for_when_asked),
		cmocka_unit_test(waiting_ends_at_the_deadline),
		cmocka_unit_test(what_may_live_on_is_left_alone_by_later_runs),
	};

	return cmocka_run_group_tests(tests, set_up, kin_tear_down);
}
