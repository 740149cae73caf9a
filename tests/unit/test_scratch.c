/*
 * A private directory is private, and nothing of it is left: not what was
 * put into it, and not at the end.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <ev.h>

#include <cmocka.h>

#include "supervisor/pristine.h"

struct sample {
	char base[32];
	struct ev_loop *loop;
	struct spawner *spawner;
	struct scratch *scratch;
};

static void
set_up(struct sample *s)
{
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	snprintf(s->base, sizeof s->base, "/tmp/test-scratch-XXXXXX");
	assert_non_null(mkdtemp(s->base));
	s->loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	s->spawner = spawner_new(s->loop);
	s->scratch = scratch_open(s->loop, s->spawner, s->base, &e);
	if (s->scratch == NULL)
		fail_msg("%s", e.text);
}

static void
tear_down(struct sample *s)
{
	scratch_close(s->scratch);
	spawner_free(s->spawner);
	ev_loop_destroy(s->loop);
	/* Fails unless it is empty. */
	assert_int_equal(rmdir(s->base), 0);
}

static char *
make(struct sample *s)
{
	struct err e;
	char *path = scratch_make(s->scratch, &e);

	if (path == NULL)
		fail_msg("%s", e.text);
	return path;
}

static void
fill(const char *dir, const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void
only_its_owner_can_enter(void **state)
{
	struct sample s;
	struct stat st;

	(void)state;
	set_up(&s);
	char *path = make(&s);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &st), 0);
	/* Other users, of jobs that root runs for them, may pass, not look. */
	assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 0711 : 0700);
	free(path);
	tear_down(&s);
}

static void
one_that_is_as_it_was_serves_again(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s);
	char *first = make(&s), *copy = strdup(first);
	scratch_remove(s.scratch, first);
	char *second = make(&s);
	assert_string_equal(second, copy);
	char *third = make(&s); /* in use: another one */
	assert_string_not_equal(third, copy);
	free(copy);
	scratch_remove(s.scratch, second);
	scratch_remove(s.scratch, third);
	tear_down(&s);
}

/* Ways in which a job may leave its directory other than it was. */
static void
open_it(const char *dir)
{
	assert_int_equal(chmod(dir, 0755), 0);
}

static void
mark_it(const char *dir)
{
	if (setxattr(dir, "user.note", "x", 1, 0) < 0) /* not everywhere */
		assert_int_equal(chmod(dir, 0500), 0);
}

static void
give_it_away(const char *dir)
{
	if (geteuid() == 0)
		assert_int_equal(chown(dir, 12345, 12345), 0);
	else
		assert_int_equal(chmod(dir, 01700), 0);
}

static void
put_a_link_there(const char *dir)
{
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(symlink("/tmp", dir), 0);
}

static void
hide_something_in_it(const char *dir)
{
	fill(dir, ".hidden");
}

static void
fill_it(const char *dir)
{
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof name, "%d", i);
		fill(dir, name);
	}
}

static void
nothing_of_a_job_reaches_the_next(void **state)
{
	static void (*const ways[])(const char *) = { open_it, mark_it,
		give_it_away, put_a_link_there, hide_something_in_it, fill_it };
	struct sample s;

	(void)state;
	set_up(&s);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		char *path = make(&s), *copy = strdup(path);

		ways[i](path);
		scratch_remove(s.scratch, path);
		path = make(&s);
		assert_string_not_equal(path, copy);
		assert_true(pristine(path, NULL));
		ev_run(s.loop, 0); /* until no rm is at work */
		assert_int_equal(access(copy, F_OK), -1);
		free(copy);
		free(path);
	}
	tear_down(&s);
}

/* The kernel's clock for changes moves on in a few milliseconds. */
static void
wait_for_the_clock(const struct pristine_mark *mark)
{
	while (!pristine_shows(mark))
		usleep(1000);
}

/*
 * The same for one that has served before, where one look at its time stands
 * for all others: whatever was done to it shows there.
 */
static void
nothing_of_a_job_reaches_the_next_by_its_time_alone(void **state)
{
	static void (*const ways[])(const char *) = { open_it, mark_it,
		give_it_away, put_a_link_there, hide_something_in_it, fill_it };
	struct sample s;
	struct pristine_mark mark;

	(void)state;
	set_up(&s);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		char *path = make(&s), *copy = strdup(path);

		assert_true(pristine(path, &mark));
		if (mark.changed.tv_nsec == 0) {
			free(copy);
			scratch_remove(s.scratch, path);
			tear_down(&s);
			skip(); /* no such file system here */
		}
		scratch_remove(s.scratch, path);
		wait_for_the_clock(&mark);
		path = make(&s);
		assert_string_equal(path, copy);
		assert_true(pristine_untouched(path, &mark));
		ways[i](path);
		assert_false(pristine_untouched(path, &mark));
		scratch_remove(s.scratch, path);
		path = make(&s);
		assert_string_not_equal(path, copy);
		ev_run(s.loop, 0);
		free(copy);
		scratch_remove(s.scratch, path);
	}
	tear_down(&s);
}

/* A change within the same tick of the clock would not show. */
static void
a_mark_is_no_proof_before_the_clock_has_moved(void **state)
{
	struct sample s;
	struct pristine_mark mark;
	struct timespec now;

	(void)state;
	set_up(&s);
	char *path = make(&s);
	assert_true(pristine(path, &mark));
	assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
	mark.changed = now; /* or a finer time, that is yet to come */
	mark.changed.tv_sec += 3600;
	assert_false(pristine_shows(&mark));
	mark.changed = (struct timespec){ 0, 0 };
	assert_false(pristine_shows(&mark));
	assert_false(pristine_untouched(path, &mark));
	scratch_remove(s.scratch, path);
	tear_down(&s);
}

/* Somebody may still write into it. */
static void
one_that_is_retired_serves_nobody(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s);
	char *path = make(&s), *copy = strdup(path);
	scratch_retire(s.scratch, path);
	assert_int_equal(access(copy, F_OK), -1);
	path = make(&s);
	assert_string_not_equal(path, copy);
	scratch_remove(s.scratch, path);
	free(copy);
	tear_down(&s);
}

static void
one_that_is_gone_already_is_no_trouble(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s);
	char *path = make(&s);
	assert_int_equal(rmdir(path), 0);
	scratch_remove(s.scratch, path);
	tear_down(&s);
}

static void
only_so_many_are_kept(void **state)
{
	enum { MANY = 100, KEPT = 64 };
	char *paths[MANY];
	int there = 0;
	struct sample s;

	(void)state;
	set_up(&s);
	for (int i = 0; i < MANY; i++)
		paths[i] = make(&s);
	for (int i = 0; i < MANY; i++) {
		char *copy = strdup(paths[i]);

		scratch_remove(s.scratch, paths[i]);
		there += access(copy, F_OK) == 0;
		free(copy);
	}
	assert_int_equal(there, KEPT);
	tear_down(&s);
}

static void
full_ones_are_removed_beside_the_loop(void **state)
{
	enum { MANY = 150 }; /* more than one rm takes */
	char *paths[MANY];
	struct sample s;

	(void)state;
	set_up(&s);
	for (int i = 0; i < MANY; i++) {
		paths[i] = make(&s);
		fill(paths[i], "-rf");
		scratch_remove(s.scratch, strdup(paths[i]));
	}
	ev_run(s.loop, 0); /* until no rm is at work */
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(access(paths[i], F_OK), -1);
		free(paths[i]);
	}
	tear_down(&s);
}

static void
a_link_is_removed_and_not_followed(void **state)
{
	char outside[] = "/tmp/test-outside-XXXXXX", link[256];
	struct sample s;

	(void)state;
	set_up(&s);
	assert_non_null(mkdtemp(outside));
	fill(outside, "keep");
	char *path = make(&s);
	snprintf(link, sizeof link, "%s/link", path);
	assert_int_equal(symlink(outside, link), 0);
	scratch_remove(s.scratch, strdup(path));
	ev_run(s.loop, 0);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(link, sizeof link, "%s/keep", outside);
	assert_int_equal(access(link, F_OK), 0);
	unlink(link);
	rmdir(outside);
	free(path);
	tear_down(&s);
}

static void
the_end_takes_everything_with_it(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s);
	for (int i = 0; i < 3; i++) {
		char *path = make(&s);
		fill(path, "file");
		if (i == 0)
			scratch_remove(s.scratch, path);
		else
			free(path);
	}
	tear_down(&s);
}

static void
a_missing_tmpdir_is_told(void **state)
{
	struct err e;

	(void)state;
	assert_null(scratch_open(NULL, NULL, "/nonexistent", &e));
	assert_string_equal(e.text,
	    "make a directory in /nonexistent: No such file or directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_its_owner_can_enter),
		cmocka_unit_test(one_that_is_as_it_was_serves_again),
		cmocka_unit_test(nothing_of_a_job_reaches_the_next),
		cmocka_unit_test(
		    nothing_of_a_job_reaches_the_next_by_its_time_alone),
		cmocka_unit_test(a_mark_is_no_proof_before_the_clock_has_moved),
		cmocka_unit_test(one_that_is_retired_serves_nobody),
		cmocka_unit_test(one_that_is_gone_already_is_no_trouble),
		cmocka_unit_test(only_so_many_are_kept),
		cmocka_unit_test(full_ones_are_removed_beside_the_loop),
		cmocka_unit_test(a_link_is_removed_and_not_followed),
		cmocka_unit_test(the_end_takes_everything_with_it),
		cmocka_unit_test(a_missing_tmpdir_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
