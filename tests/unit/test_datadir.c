/*
 * A data directory has one server at a time, and nobody else can look in.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/store/datadir.h"

#include <fcntl.h>
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
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/storedir.h"

static void
it_is_made_for_its_owner_alone_whatever_the_umask(void **state)
{
	static const mode_t masks[] = { 0, 022, 0277 };
	struct storedir d;

	(void)state;
	for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		char path[300];

		storedir_make(&d);
		snprintf(path, sizeof path, "%s/data", d.path);
		mode_t before = umask(masks[i]);
		struct datadir *dir = datadir_open(path, NULL);
		umask(before);
		assert_non_null(dir);
		assert_int_equal(storedir_mode(&d, "/data"), 0700);
		assert_int_equal(storedir_mode(&d, "/data/lock"), 0600);
		datadir_close(dir);
		storedir_remove(&d);
	}
}

static void
a_second_one_is_refused_by_name_and_process(void **state)
{
	struct storedir d;
	struct err e = { 0 };
	char want[512];

	(void)state;
	storedir_make(&d);
	struct datadir *dir = datadir_open(d.path, &e);
	assert_non_null(dir);
	assert_null(datadir_open(d.path, &e));
	assert_int_equal(e.code, EBUSY);
	snprintf(want, sizeof want,
	    "%s is in use by another server, process %ld", d.path,
	    (long)getpid());
	assert_string_equal(e.text, want);
	datadir_close(dir);

	dir = datadir_open(d.path, &e);
	assert_non_null(dir);
	datadir_close(dir);
	storedir_remove(&d);
}

static void
the_lock_ends_with_the_process_that_is_killed(void **state)
{
	struct storedir d;
	int ready[2], status;
	char byte;

	(void)state;
	storedir_make(&d);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (datadir_open(d.path, NULL) == NULL ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_null(datadir_open(d.path, NULL));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);

	struct datadir *dir = datadir_open(d.path, NULL);
	assert_non_null(dir);
	datadir_close(dir);
	close(ready[0]);
	close(ready[1]);
	storedir_remove(&d);
}

static void
what_cannot_be_a_directory_is_told(void **state)
{
	struct storedir d;
	struct err e = { 0 };
	char path[300], want[512], longest[5000];

	(void)state;
	storedir_make(&d);
	snprintf(path, sizeof path, "%s/no/data", d.path);
	assert_null(datadir_open(path, &e));
	assert_int_equal(e.code, ENOENT);
	snprintf(want, sizeof want,
	    "make directory %s: No such file or directory", path);
	assert_string_equal(e.text, want);

	storedir_write(&d, "/file", "x", 1);
	snprintf(path, sizeof path, "%s/file", d.path);
	assert_null(datadir_open(path, &e));
	assert_int_equal(e.code, ENOTDIR);
	snprintf(want, sizeof want, "open %s/lock: Not a directory", path);
	assert_string_equal(e.text, want);

	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_null(datadir_open(longest, &e));
	assert_int_equal(e.code, ENAMETOOLONG);
	assert_null(datadir_open("", &e));
	assert_int_equal(e.code, ENOENT);
	storedir_remove(&d);
}

static void
bytes_are_those_of_file_and_log(void **state)
{
	struct storedir d;

	(void)state;
	storedir_make(&d);
	struct datadir *dir = datadir_open(d.path, NULL);
	assert_non_null(dir);
	assert_int_equal(datadir_bytes(dir), 0);
	storedir_write(&d, "/faktotum.db", "12345", 5);
	storedir_write(&d, "/faktotum.db-wal", "123", 3);
	assert_int_equal(datadir_bytes(dir), 8);
	assert_string_equal(datadir_file(dir), d.file);
	datadir_close(dir);
	datadir_close(NULL);
	storedir_remove(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    it_is_made_for_its_owner_alone_whatever_the_umask),
		cmocka_unit_test(a_second_one_is_refused_by_name_and_process),
		cmocka_unit_test(the_lock_ends_with_the_process_that_is_killed),
		cmocka_unit_test(what_cannot_be_a_directory_is_told),
		cmocka_unit_test(bytes_are_those_of_file_and_log),
	};

	return cmocka_run_group_tests_name("datadir", tests, NULL, NULL);
}
