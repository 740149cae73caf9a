/*
 * test_cgroup - a leaf holds all that a program starts, and ends it at once.
 *
 * In the hierarchy of this machine, where it has one that may be written to;
 * skipped out loud elsewhere.
 *
 * SPDX-License-Identifier: ISC
 */
#include "handlers/cgroup.h"

#include "base/buf.h"
#include "tests/unit/kin_scene.h"

static struct cgroups *groups;
static char id[64];

static struct scene *
shell(const char *text)
{
	struct scene *s = kin_shell(text);
	static int n;

	snprintf(id, sizeof id, "test-%d-%d", (int)getpid(), ++n);
	s->req.cgroups = groups;
	s->req.id = id;
	return s;
}

static void
play_in_leaf(struct scene *s)
{
	if (groups == NULL)
		skip();
	play_with_kin(s);
	reap_adopted();
}

static bool
leaf_exists(void)
{
	const struct cgroup_limits none = { 0 };
	struct cgroup_leaf *l = cgroup_make(groups, id, &none);

	if (l == NULL)
		return true;
	cgroup_free(l);
	return false;
}

static void
a_program_is_born_in_its_leaf_and_the_leaf_goes_with_it(void **state)
{
	struct scene *s = shell("grep ^0:: /proc/self/cgroup; exit 3");

	(void)state;
	play_in_leaf(s);
	exits_with(s, 3);
	assert_non_null(strstr(s->text[RUN_STDOUT], CGROUP_LEAF));
	assert_non_null(strstr(s->text[RUN_STDOUT], id));
	assert_false(s->facts.out_of_memory);
	assert_false(leaf_exists());
	free(s);
}

static void
all_of_it_dies_at_once(void **state)
{
	struct scene *s =
	    shell("trap '' TERM; (setsid sh -c 'echo $$; sleep "
		  "600' &); sleep 600 & echo $!; while :; do wait; "
		  "done");

	(void)state;
	s->req.deadline = s->began + SECONDS(1) / 2;
	s->req.grace = SECONDS(1) / 10;
	play_in_leaf(s);
	killed_by(s, SIGKILL);
	for (const char *at = s->text[RUN_STDOUT]; *at != '\0';) {
		char *end;

		assert_false(is_alive((pid_t)strtol(at, &end, 10)));
		at = end + 1;
	}
	assert_false(leaf_exists());
	free(s);
}

static void
one_that_forks_and_exits_all_the_time_has_no_way_out(void **state)
{
	char file[] = "/tmp/faktotum-cgroup.XXXXXX", text[32] = "";
	int fd = mkstemp(file);
	struct scene *s = scene("runs_away", "20", file, NULL);

	(void)state;
	snprintf(id, sizeof id, "away-%d", (int)getpid());
	s->req.kin = kin;
	s->req.cgroups = groups;
	s->req.id = id;
	play_in_leaf(s);
	exits_with(s, 0);
	assert_false(s->facts.survived);
	assert_true(ftruncate(fd, 0) == 0);
	usleep(100000);
	assert_int_equal(pread(fd, text, sizeof text - 1, 0), 0);
	assert_false(leaf_exists());
	close(fd);
	unlink(file);
	free(s);
}

static void
what_is_left_is_waited_for_when_asked(void **state)
{
	struct scene *s =
	    shell("setsid sh -c 'exec >&- 2>&-; sleep 0.5' & exit 0");

	(void)state;
	s->req.leftover = RUN_LEFT_WAIT;
	play_in_leaf(s);
	exits_with(s, 0);
	assert_true(s->took >= SECONDS(1) / 2);
	assert_int_equal(s->facts.left, 0);
	free(s);
}

/* A limit that the kernel refuses fails the start; nothing runs without it. */
static void
a_limit_that_cannot_be_set_starts_nothing(void **state)
{
	struct scene *s = shell("echo ran");
	struct err e;

	(void)state;
	s->req.limits.tasks_max = 5;
	if (groups == NULL || cgroups_can(groups, &s->req.limits, &e) == 0) {
		free(s);
		skip();
	}
	assert_non_null(strstr(e.text, "controller pids is not available"));
	play_in_leaf(s);
	assert_false(s->facts.started);
	assert_int_equal(s->facts.why.stage, SPAWN_CGROUP);
	assert_string_equal(s->text[RUN_STDOUT], "");
	assert_false(leaf_exists());
	free(s);
}

static void
a_name_cannot_lead_elsewhere(void **state)
{
	const struct cgroup_limits none = { 0 };

	(void)state;
	if (groups == NULL)
		skip();
	assert_null(cgroup_make(groups, "../up", &none));
	assert_int_equal(errno, EINVAL);
}

static void
a_leaf_is_carried_over(void **state)
{
	const struct cgroup_limits none = { 0 };
	struct buf *sealed = buf_new(1 << 16);
	struct state_writer w;
	struct state_reader r;

	(void)state;
	if (groups == NULL) {
		buf_free(sealed);
		skip();
	}
	snprintf(id, sizeof id, "carried-%d", (int)getpid());
	struct cgroup_leaf *l = cgroup_make(groups, id, &none);
	assert_non_null(l);
	assert_int_equal(state_writer_init(&w, 1 << 16), 0);
	cgroup_save(l, &w);
	cgroup_save(NULL, &w);
	assert_int_equal(state_seal(&w, 1, sealed), 0);
	assert_int_equal(
	    state_open(&r, buf_front(sealed), buf_len(sealed), 1), 0);
	struct cgroup_leaf *next = cgroup_load(groups, &r);
	assert_non_null(next);
	assert_null(cgroup_load(groups, &r));
	assert_false(r.failed);
	assert_false(cgroup_is_populated(next));
	assert_int_equal(cgroup_processes(next, NULL, 10), 0);
	cgroup_free(next);
	cgroup_free(l);
	state_writer_clear(&w);
	buf_free(sealed);
}

static int
set_up(void **state)
{
	struct err e;

	groups = cgroups_open(&e);
	if (groups == NULL)
		printf("skipped: %s\n", e.text);
	return kin_set_up(state);
}

static int
tear_down(void **state)
{
	int r = kin_tear_down(state);

	cgroups_close(groups);
	return r;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_program_is_born_in_its_leaf_and_the_leaf_goes_with_it),
		cmocka_unit_test(all_of_it_dies_at_once),
		cmocka_unit_test(
		    one_that_forks_and_exits_all_the_time_has_no_way_out),
		cmocka_unit_test(what_is_left_is_waited_for_when_asked),
		cmocka_unit_test(a_limit_that_cannot_be_set_starts_nothing),
		cmocka_unit_test(a_name_cannot_lead_elsewhere),
		cmocka_unit_test(a_leaf_is_carried_over),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
