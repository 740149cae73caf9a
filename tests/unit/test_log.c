/*
 * A log line has the form that was asked for, foreign bytes cannot forge or
 * break one, and a reader who does not read stops nobody.
 *
 * SPDX-License-Identifier: ISC
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static int reader; /* the other end of standard error */
static int saved;

static void
redirect(int ours, int theirs)
{
	saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	assert_int_equal(dup2(theirs, STDERR_FILENO), STDERR_FILENO);
	close(theirs);
	reader = ours;
	assert_int_equal(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
}

static int
to_pipe(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	redirect(p[0], p[1]);
	clock_freeze(INT64_C(1795470995867000000), 0);
	return 0;
}

static int
to_socket(void **state)
{
	int s[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	redirect(s[0], s[1]);
	clock_freeze(INT64_C(1795470995867000000), 0);
	return 0;
}

static int
restore(void **state)
{
	(void)state;
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(reader);
	clock_release();
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	return 0;
}

/* What has been written and not yet read. */
static const char *
written(void)
{
	static char text[1 << 20];
	size_t len = 0;

	for (;;) {
		ssize_t n = read(reader, text + len, sizeof text - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	return text;
}

static const struct log_tag tags[] = {
	{ "jid", "8f2c" },
	{ "type", "re size" },
};

static void
say_all(void)
{
	log_say(LOG_LEVEL_ERROR, "server", "try %d", 8);
	log_tagged(LOG_LEVEL_WARNING, tags, 2, "killed");
	log_bytes(LOG_LEVEL_INFO, tags, 1, "a\tb\0\xff\"é", 8);
	log_say(LOG_LEVEL_DEBUG, "server", "hidden");
}

static void
text_has_time_level_subject_message(void **state)
{
	(void)state;
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
	say_all();
	assert_string_equal(written(),
	    "2026-11-23T21:56:35.867Z error    server  try 8\n"
	    "2026-11-23T21:56:35.867Z warning  "
	    "jid=8f2c type=\"re size\"  killed\n"
	    "2026-11-23T21:56:35.867Z info     "
	    "jid=8f2c  a\\x09b\\x00\\xff\"é\n");
}

static void
journal_lines_carry_the_priority(void **state)
{
	(void)state;
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_DEBUG);
	say_all();
	assert_string_equal(written(),
	    "<3>server  try 8\n"
	    "<4>jid=8f2c type=\"re size\"  killed\n"
	    "<6>jid=8f2c  a\\x09b\\x00\\xff\"é\n"
	    "<7>server  hidden\n");
}

static void
json_lines_are_objects(void **state)
{
	(void)state;
	log_open(LOG_FORMAT_JSON, LOG_LEVEL_INFO);
	say_all();
	assert_string_equal(written(),
	    "{\"time\":\"2026-11-23T21:56:35.867Z\",\"level\":\"error\","
	    "\"subject\":\"server\",\"message\":\"try 8\"}\n"
	    "{\"time\":\"2026-11-23T21:56:35.867Z\",\"level\":\"warning\","
	    "\"jid\":\"8f2c\",\"type\":\"re size\",\"message\":\"killed\"}\n"
	    "{\"time\":\"2026-11-23T21:56:35.867Z\",\"level\":\"info\","
	    "\"jid\":\"8f2c\",\"message\":\"a\\tb\\u0000\xef\xbf\xbd\\\"é\"}"
	    "\n");
}

static void
level_decides_what_is_wanted(void **state)
{
	(void)state;
	log_open(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
	assert_true(log_wants(LOG_LEVEL_ERROR));
	assert_true(log_wants(LOG_LEVEL_WARNING));
	assert_false(log_wants(LOG_LEVEL_INFO));
	log_say(LOG_LEVEL_INFO, "x", "y");
	log_tagged(LOG_LEVEL_INFO, tags, 2, "y");
	log_bytes(LOG_LEVEL_INFO, tags, 2, "y", 1);
	assert_string_equal(written(), "");
}

static void
foreign_text_cannot_forge_a_line_or_a_tag(void **state)
{
	static const struct log_tag forged[] = {
		{ "jid", "x\n<0>panic" },
		{ "type", "a jid=y" },
		{ "queue", "q\"r" },
		{ "wid", "" },
		{ "label",
		    "\xc2\x9b"
		    "2J" },
	};

	(void)state;
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
	log_tagged(LOG_LEVEL_INFO, forged, 5, "%s", "one\ntwo\x1b[2J\x7f");
	assert_string_equal(written(),
	    "<6>jid=x\\x0a<0>panic type=\"a jid=y\" queue=\"q\\x22r\" "
	    "wid=\"\" label=\\xc2\\x9b2J  one\\x0atwo\\x1b[2J\\x7f\n");
}

static void
auto_means_journal_only_when_stderr_is_it(void **state)
{
	char name[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", name, 1);
	log_open(LOG_FORMAT_AUTO, LOG_LEVEL_INFO);
	log_say(LOG_LEVEL_INFO, "a", "b");
	assert_string_equal(written(), "<6>a  b\n");

	setenv("JOURNAL_STREAM", "1:1", 1);
	log_open(LOG_FORMAT_AUTO, LOG_LEVEL_INFO);
	log_say(LOG_LEVEL_INFO, "a", "b");
	assert_string_equal(
	    written(), "2026-11-23T21:56:35.867Z info     a  b\n");
	unsetenv("JOURNAL_STREAM");
}

/* Each line is 60 bytes: no pipe or socket is full within a line. */
static void
a_full_standard_error_costs_lines_and_not_time(void **state)
{
	char want[128];
	size_t lines = 0;
	unsigned long before = log_dropped();

	(void)state;
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
	for (int i = 0; i < 20000; i++)
		log_say(LOG_LEVEL_INFO, "a", "%051d", i);
	const char *text = written();
	for (const char *p = text; *p != '\0'; lines++) {
		int n = atoi(p + strlen("<6>a  "));

		assert_int_equal(n, lines);
		p = strchr(p, '\n');
		assert_non_null(p);
		p++;
	}
	assert_true(lines > 100 && lines < 20000);

	log_say(LOG_LEVEL_INFO, "a", "back");
	snprintf(want, sizeof want,
	    "<4>log  %zu lines dropped: standard error was full\n<6>a  back\n",
	    20000 - lines);
	assert_string_equal(written(), want);
	log_say(LOG_LEVEL_INFO, "a", "again");
	assert_string_equal(written(), "<6>a  again\n");
	/* Told once, counted for good. */
	assert_int_equal(log_losses(), 0);
	assert_int_equal(log_dropped() - before, 20000 - lines);
}

/* A line longer than a full pipe has room for must not glue to the next. */
static void
a_torn_line_is_ended_before_the_next(void **state)
{
	enum { LONG = 500000 };
	char *bytes = malloc(LONG);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', LONG);
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
	log_bytes(LOG_LEVEL_INFO, NULL, 0, bytes, LONG);
	const char *text = written();
	assert_true(strlen(text) >= PIPE_BUF && strlen(text) < LONG);
	assert_null(strchr(text, '\n'));

	log_say(LOG_LEVEL_INFO, "a", "next");
	assert_string_equal(written(),
	    "\n<4>log  1 line dropped: standard error was full\n"
	    "<6>a  next\n");
	free(bytes);
}

static void
a_long_line_is_whole_when_it_fits(void **state)
{
	enum { LONG = 20000 };
	char bytes[LONG];

	(void)state;
	memset(bytes, 'x', LONG);
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
	log_bytes(LOG_LEVEL_INFO, NULL, 0, bytes, LONG);
	const char *text = written();
	assert_int_equal(strlen(text), 3 + LONG + 1);
	assert_int_equal(text[3 + LONG], '\n');
}

/* What standard error becomes, without a word to the log. */
static void
turn_into(int ours, int theirs)
{
	close(reader);
	assert_int_equal(dup2(theirs, STDERR_FILENO), STDERR_FILENO);
	close(theirs);
	reader = ours;
	assert_int_equal(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
}

static void
turn_into_pipe(void)
{
	int p[2];

	assert_int_equal(pipe(p), 0);
	turn_into(p[0], p[1]);
}

static void
turn_into_socket(void)
{
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	turn_into(s[0], s[1]);
}

static void
turn_into_file(void)
{
	char name[] = "/tmp/test_log.XXXXXX";
	int theirs = mkstemp(name);
	int ours = open(name, O_RDONLY);

	assert_true(theirs >= 0 && ours >= 0);
	unlink(name);
	turn_into(ours, theirs);
}

static void (*const kinds[])(
    void) = { turn_into_file, turn_into_pipe, turn_into_socket };

enum { NKINDS = sizeof kinds / sizeof kinds[0] };

/* Each kind after each other, itself included. */
static void
standard_error_may_become_another_between_two_lines(void **state)
{
	(void)state;
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
	for (size_t i = 0; i < NKINDS; i++)
		for (size_t k = 0; k < NKINDS; k++) {
			kinds[i]();
			log_say(LOG_LEVEL_INFO, "a", "first");
			log_say(LOG_LEVEL_INFO, "a", "second");
			assert_string_equal(
			    written(), "<6>a  first\n<6>a  second\n");
			kinds[k]();
			log_say(LOG_LEVEL_INFO, "a", "third");
			assert_string_equal(written(), "<6>a  third\n");
		}
}

/*
 * One that is full, after lines to another kind, is not waited for: a write
 * that waits would never return, as nobody reads. What is lost is counted,
 * and told as soon as there is room.
 */
static void
one_that_became_another_and_is_full_stops_nobody(void **state)
{
	static char page[4096];

	(void)state;
	log_open(LOG_FORMAT_JOURNAL, LOG_LEVEL_INFO);
	for (size_t i = 0; i < NKINDS; i++)
		for (size_t k = 1; k < NKINDS; k++) {
			unsigned long before = log_dropped();

			kinds[i]();
			log_say(LOG_LEVEL_INFO, "a", "first");
			log_say(LOG_LEVEL_INFO, "a", "second");
			kinds[k]();
			int flags = fcntl(STDERR_FILENO, F_GETFL);
			fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
			while (write(STDERR_FILENO, page, sizeof page) > 0 ||
			    write(STDERR_FILENO, page, 1) > 0)
				;
			assert_int_equal(errno, EAGAIN);
			fcntl(STDERR_FILENO, F_SETFL, flags);

			log_say(LOG_LEVEL_INFO, "a", "third");
			log_say(LOG_LEVEL_INFO, "a", "fourth");
			assert_int_equal(log_dropped() - before, 2);
			(void)written();
			log_say(LOG_LEVEL_INFO, "a", "back");
			assert_string_equal(written(),
			    "<4>log  2 lines dropped: standard error was "
			    "full\n<6>a  back\n");
		}
}

int
main(void)
{
#define TEST(f, from) cmocka_unit_test_setup_teardown(f, from, restore)
	const struct CMUnitTest tests[] = {
		TEST(text_has_time_level_subject_message, to_pipe),
		TEST(journal_lines_carry_the_priority, to_pipe),
		TEST(json_lines_are_objects, to_pipe),
		TEST(level_decides_what_is_wanted, to_pipe),
		TEST(foreign_text_cannot_forge_a_line_or_a_tag, to_pipe),
		TEST(auto_means_journal_only_when_stderr_is_it, to_socket),
		TEST(a_full_standard_error_costs_lines_and_not_time, to_pipe),
		TEST(a_torn_line_is_ended_before_the_next, to_pipe),
		TEST(a_torn_line_is_ended_before_the_next, to_socket),
		TEST(a_long_line_is_whole_when_it_fits, to_pipe),
		TEST(standard_error_may_become_another_between_two_lines,
		    to_pipe),
		TEST(one_that_became_another_and_is_full_stops_nobody, to_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
