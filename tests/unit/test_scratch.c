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
#include <unistd.h>

#include <ev.h>

#include <cmocka.h>

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
make(struct sample *s, const char *name)
{
	struct err e;
	char *path = scratch_make(s->scratch, name, &e);

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
only_we_can_enter(void **state)
{
	struct sample s;
	struct stat st;

	(void)state;
	set_up(&s);
	char *path = make(&s, "one");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	*strrchr(path, '/') = '\0';
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	free(path);
	tear_down(&s);
}

static void
an_empty_directory_is_gone_at_once(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s);
	char *path = make(&s, "one");
	scratch_remove(s.scratch, path);
	assert_int_equal(access(path, F_OK), -1);
	scratch_remove(s.scratch, path); /* gone already: no complaint */
	free(path);
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
		char name[16];

		snprintf(name, sizeof name, "d%d", i);
		paths[i] = make(&s, name);
		fill(paths[i], "-rf");
		scratch_remove(s.scratch, paths[i]);
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
	char *path = make(&s, "one");
	snprintf(link, sizeof link, "%s/link", path);
	assert_int_equal(symlink(outside, link), 0);
	scratch_remove(s.scratch, path);
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
		char name[16];

		snprintf(name, sizeof name, "d%d", i);
		char *path = make(&s, name);
		fill(path, "file");
		if (i == 0)
			scratch_remove(s.scratch, path);
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
		cmocka_unit_test(only_we_can_enter),
		cmocka_unit_test(an_empty_directory_is_gone_at_once),
		cmocka_unit_test(full_ones_are_removed_beside_the_loop),
		cmocka_unit_test(a_link_is_removed_and_not_followed),
		cmocka_unit_test(the_end_takes_everything_with_it),
		cmocka_unit_test(a_missing_tmpdir_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
