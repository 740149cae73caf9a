/*
 * A program's output is in its file, line by line, within its limits; what is
 * too old or too much goes, what others put in the way is not followed, and a
 * disk that refuses is told once.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/output_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/heard_log.h"

#define NOW INT64_C(1795470995867000000)

static const struct output_limits wide = {
	.keep = 0, .max_files = 1000, .max_size = 1 << 20, .max_total = 0
};

static char dir[64];

static int
begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/output.XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static const char *
path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static int
end(void **state)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	(void)state;
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		unlink(path_of(e->d_name));
	closedir(d);
	rmdir(dir);
	return 0;
}

static const char *
content(const char *name)
{
	static char text[1 << 16];
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	ssize_t n = read(fd, text, sizeof text - 1);
	close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

static void
say(struct output_store *s, uint64_t id, const char *text)
{
	const struct output_line line = { .time = NOW,
		.stream = RUN_STDOUT,
		.bytes = text,
		.len = strlen(text) };

	output_store_line(s, id, &line);
}

static void
start(struct output_store *s, uint64_t id, const char *name, bool again)
{
	output_store_open(s, id, dir, "t.", name, &wide, again);
}

static void
lines_have_time_and_stream(void **state)
{
	struct output_store *s = output_store_new();
	struct stat st;

	(void)state;
	umask(077);
	start(s, 1, "t.j.1.log", false);
	say(s, 1, "a\x1b[2J\r");
	output_store_line(s, 1,
	    &(struct output_line){ .time = NOW + CLOCK_NS_PER_S,
		.stream = RUN_STDERR,
		.more = true,
		.missing = 3,
		.bytes = "\xff\0x",
		.len = 3 });
	output_store_close(s, 1, NOW + 2 * CLOCK_NS_PER_S, 2);
	assert_string_equal(content("t.j.1.log"),
	    "2026-11-23T21:56:35.867Z stdout  a\\x1b[2J\\x0d\n"
	    "2026-11-23T21:56:36.867Z faktotum  3 lines are missing: the disk "
	    "was too slow, or refused them\n"
	    "2026-11-23T21:56:36.867Z stderr  \\xff\\x00x\xe2\x80\xa6\n"
	    "2026-11-23T21:56:37.867Z faktotum  2 lines are missing: the disk "
	    "was too slow, or refused them\n");
	assert_int_equal(stat(path_of("t.j.1.log"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	say(s, 1, "too late"); /* nobody's */
	output_store_free(s);
}

static void
a_successor_goes_on_in_the_file(void **state)
{
	struct output_store *s = output_store_new();

	(void)state;
	start(s, 1, "t.j.1.log", false);
	say(s, 1, "one");
	output_store_free(s);
	s = output_store_new();
	start(s, 1, "t.j.1.log", true);
	say(s, 1, "two");
	start(s, 2, "t.j.2.log", true); /* it was not there yet */
	say(s, 2, "three");
	output_store_free(s);
	assert_non_null(strstr(content("t.j.1.log"), "  one\n"));
	assert_non_null(strstr(content("t.j.1.log"), "  two\n"));
	assert_non_null(strstr(content("t.j.2.log"), "  three\n"));
}

/* Whoever can write there could have us write anywhere. */
static void
what_stands_in_the_way_is_not_followed(void **state)
{
	struct output_store *s = output_store_new();
	struct heard heard;

	(void)state;
	assert_int_equal(symlink("victim", path_of("t.j.1.log")), 0);
	assert_int_equal(
	    close(open(path_of("t.j.2.log"), O_CREAT | O_RDWR, 0600)), 0);
	assert_int_equal(
	    close(open(path_of("linked"), O_CREAT | O_RDWR, 0600)), 0);
	int at = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(linkat(at, "linked", at, "t.j.4.log", 0), 0);
	close(at);
	heard_begin(&heard);
	start(s, 1, "t.j.1.log", false);
	start(s, 2, "t.j.1.log", true);
	start(s, 3, "t.j.2.log", false);
	start(s, 4, "t.j.4.log", true);
	say(s, 1, "x");
	say(s, 2, "x");
	say(s, 3, "x");
	say(s, 4, "x");
	heard_end(&heard);
	assert_int_equal(access(path_of("victim"), F_OK), -1);
	assert_string_equal(content("t.j.2.log"), "");
	assert_string_equal(content("linked"), "");
	/* Told once, as long as it lasts. */
	assert_non_null(strstr(heard.text, "output is not kept there"));
	assert_null(strchr(strchr(heard.text, '\n') + 1, '\n'));
	output_store_free(s);
}

static void
a_directory_that_others_may_write_is_refused(void **state)
{
	struct output_store *s = output_store_new();
	struct heard heard;

	(void)state;
	assert_int_equal(chmod(dir, 0777), 0);
	heard_begin(&heard);
	start(s, 1, "t.j.1.log", false);
	heard_end(&heard);
	assert_non_null(strstr(heard.text, "others may write there"));
	assert_int_equal(access(path_of("t.j.1.log"), F_OK), -1);
	output_store_free(s);
}

static void
max_size_ends_a_file(void **state)
{
	struct output_limits narrow = wide;
	struct output_store *s = output_store_new();

	(void)state;
	narrow.max_size = 4096;
	output_store_know(s, dir, "t.", &narrow);
	start(s, 1, "t.j.1.log", false);
	for (int i = 0; i < 1000; i++)
		say(s, 1, "0123456789");
	output_store_close(s, 1, NOW, 0);
	const char *text = content("t.j.1.log");
	assert_true(strlen(text) < 4096 + 128);
	assert_non_null(strstr(text,
	    "what follows is left out: max_size is "
	    "reached\n"));
	output_store_free(s);
}

static void
make(const char *name, int64_t age, size_t bytes)
{
	int fd = open(path_of(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
	time_t then = (time_t)(clock_wall() - age) / CLOCK_NS_PER_S;
	const struct timespec times[2] = { { then, 0 }, { then, 0 } };

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static bool
there(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

static void
what_is_too_old_goes(void **state)
{
	struct output_limits week = wide;
	struct output_store *s = output_store_new();

	(void)state;
	week.keep = 100 * CLOCK_NS_PER_S;
	make("t.old.1.log", 200 * CLOCK_NS_PER_S, 1);
	make("t.new.2.log", 50 * CLOCK_NS_PER_S, 1);
	make("other.old.3.log", 200 * CLOCK_NS_PER_S, 1);
	make("t.old.txt", 200 * CLOCK_NS_PER_S, 1);
	output_store_know(s, dir, "t.", &week);
	assert_false(there("t.old.1.log"));
	assert_true(there("t.new.2.log"));
	assert_true(there("other.old.3.log"));
	assert_true(there("t.old.txt"));
	output_store_free(s);
}

static void
the_oldest_go_when_there_are_too_many(void **state)
{
	struct output_limits ten = wide;
	struct output_store *s = output_store_new();
	char name[64];

	(void)state;
	ten.max_files = 10;
	for (int i = 0; i < 15; i++) {
		snprintf(name, sizeof name, "t.j.%d.log", i);
		make(name, (100 - i) * CLOCK_NS_PER_S, 1);
	}
	output_store_know(s, dir, "t.", &ten);
	/* A tenth more than need be. */
	assert_false(there("t.j.5.log"));
	assert_true(there("t.j.6.log"));
	assert_true(there("t.j.14.log"));

	/* And as new ones come, never more than that. */
	for (int i = 20; i < 60; i++) {
		snprintf(name, sizeof name, "t.j.%d.log", i);
		start(s, (uint64_t)i, name, false);
		output_store_close(s, (uint64_t)i, NOW, 0);
	}
	int left = 0;
	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "t.j.%d.log", i);
		left += there(name);
	}
	assert_in_range(left, 8, 10);
	output_store_free(s);
}

static void
the_oldest_go_when_they_are_too_large_but_no_open_one(void **state)
{
	struct output_limits small = wide;
	struct output_store *s = output_store_new();

	(void)state;
	start(s, 1, "t.open.0.log", false);
	make("t.open.0.log", 500 * CLOCK_NS_PER_S, 9000);
	make("t.j.1.log", 400 * CLOCK_NS_PER_S, 4000);
	make("t.j.2.log", 300 * CLOCK_NS_PER_S, 4000);
	make("t.j.3.log", 200 * CLOCK_NS_PER_S, 4000);
	small.max_total = 15000;
	output_store_know(s, dir, "t.", &small);
	output_store_free(s);
	s = output_store_new();
	start(s, 1, "t.open.0.log", true);
	output_store_know(s, dir, "t.", &small);
	output_store_open(s, 2, dir, "t.", "t.last.4.log", &small, false);
	assert_true(there("t.open.0.log"));
	assert_false(there("t.j.1.log"));
	assert_false(there("t.j.2.log"));
	assert_true(there("t.j.3.log"));
	output_store_free(s);
}

/* No file takes the log meanwhile: the limit below is for all files. */
static bool
hear(void *ctx, const struct log_event *ev)
{
	char *text = ctx;

	strncat(text, ev->message, ev->len);
	strcat(text, "\n");
	return true;
}

/* A file size limit stands in for a full disk: it refuses likewise. */
static void
a_full_disk_is_told_once_and_what_is_missing_is_counted(void **state)
{
	struct output_store *s = output_store_new();
	struct rlimit before, full;
	static char heard[4096], want[256];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	start(s, 1, "t.j.1.log", false);
	say(s, 1, "first");
	log_divert(hear, heard);
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
	full = before;
	full.rlim_cur = 60; /* in the middle of the next line */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
	say(s, 1, "second");
	say(s, 1, "third");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	say(s, 1, "fourth");
	log_divert(NULL, NULL);
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
	output_store_close(s, 1, NOW, 0);
	assert_string_equal(content("t.j.1.log"),
	    "2026-11-23T21:56:35.867Z stdout  first\n"
	    "2026-11-23T21:56:35.8\n"
	    "2026-11-23T21:56:35.867Z faktotum  2 lines are missing: the disk "
	    "was too slow, or refused them\n"
	    "2026-11-23T21:56:35.867Z stdout  fourth\n");
	snprintf(want, sizeof want,
	    "%s: File too large; output is not kept there, jobs go on\n"
	    "%s: output is kept again\n",
	    dir, dir);
	assert_string_equal(heard, want);
	output_store_free(s);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(lines_have_time_and_stream),
		TEST(a_successor_goes_on_in_the_file),
		TEST(what_stands_in_the_way_is_not_followed),
		TEST(a_directory_that_others_may_write_is_refused),
		TEST(max_size_ends_a_file),
		TEST(what_is_too_old_goes),
		TEST(the_oldest_go_when_there_are_too_many),
		TEST(the_oldest_go_when_they_are_too_large_but_no_open_one),
		TEST(a_full_disk_is_told_once_and_what_is_missing_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
