/*
 * What was not confirmed is found by the next start, whatever happened to the
 * end of the file; what was confirmed is not; a disk that refuses costs
 * nothing but the journal.
 *
 * SPDX-License-Identifier: ISC
 */
#include "supervisor/journal.h"

#include <errno.h>
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

struct sample {
	char dir[40], file[60];
	char lines[20][64];
	uint64_t ids[20];
	int64_t left;
	size_t n;
};

static void
set_up(struct sample *s)
{
	memset(s, 0, sizeof *s);
	snprintf(s->dir, sizeof s->dir, "/tmp/test-journal-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->file, sizeof s->file, "%s/outcomes", s->dir);
}

static void
tear_down(struct sample *s)
{
	(void)unlink(s->file);
	assert_int_equal(rmdir(s->dir), 0);
}

static const char *given_for; /* the server of what add() adds */

static struct journal *
open_for(struct sample *s, const char *server)
{
	struct err e;
	struct journal *j = journal_open(s->dir, "w1", &e);

	given_for = server;
	if (j == NULL)
		fail_msg("%s", e.text);
	return j;
}

#define WHEN "2026-05-04T03:02:01.123456789Z"

static uint64_t
add(struct journal *j, const char *line, int seconds)
{
	const struct journal_outcome o = { .jid = "job-0001",
		.jid_len = 8,
		.line = line,
		.len = strlen(line),
		.enqueued_at = WHEN,
		.enqueued_at_len = sizeof WHEN - 1,
		.expires = clock_mono() + seconds * CLOCK_NS_PER_S };

	return journal_add(j, given_for, &o);
}

static void
on_found(void *ctx, const struct journal_outcome *o, uint64_t id)
{
	struct sample *s = ctx;

	assert_true(s->n < 20 && o->len < 64);
	assert_int_equal(o->enqueued_at_len, sizeof WHEN - 1);
	assert_memory_equal(o->enqueued_at, WHEN, sizeof WHEN - 1);
	memcpy(s->lines[s->n], o->line, o->len);
	s->lines[s->n][o->len] = '\0';
	s->left = o->expires - clock_mono();
	s->ids[s->n++] = id;
}

/* What a start for this server finds; the journal is closed again. */
static void
look(struct sample *s, const char *server)
{
	struct journal *j = open_for(s, server);

	memset(s->lines, 0, sizeof s->lines);
	s->n = 0;
	journal_found(j, server, on_found, s);
	journal_close(j);
}

static void
what_was_not_confirmed_is_found_again(void **state)
{
	struct sample s;
	struct stat st;

	(void)state;
	set_up(&s);
	struct journal *j = open_for(&s, "tcp://a:1");
	uint64_t one = add(j, "ACK 1", 100), two = add(j, "ACK 2", 100);
	add(j, "FAIL 3", 100);
	journal_settle(j);
	assert_true(one != 0 && two != 0 && one != two);
	journal_done(j, two);
	journal_close(j);
	assert_int_equal(stat(s.file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	look(&s, "tcp://a:1");
	assert_int_equal(s.n, 2);
	assert_string_equal(s.lines[0], "ACK 1");
	assert_string_equal(s.lines[1], "FAIL 3");
	assert_int_equal(s.ids[0], one);
	assert_true(s.left > 90 * CLOCK_NS_PER_S);
	assert_true(s.left <= 100 * CLOCK_NS_PER_S);
	tear_down(&s);
}

static void
other_servers_do_not_hear_of_it_but_it_is_kept(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s);
	struct journal *j = open_for(&s, "tcp://a:1");
	add(j, "ACK a", 100);
	journal_close(j);
	j = open_for(&s, "tcp://b:1");
	add(j, "ACK b", 100);
	journal_close(j);
	look(&s, "tcp://b:1");
	assert_int_equal(s.n, 1);
	assert_string_equal(s.lines[0], "ACK b");
	look(&s, "tcp://a:1");
	assert_int_equal(s.n, 1);
	assert_string_equal(s.lines[0], "ACK a");
	tear_down(&s);
}

static void
an_ended_reservation_is_forgotten(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s);
	struct journal *j = open_for(&s, "tcp://a:1");
	add(j, "ACK 1", 0);
	journal_close(j);
	look(&s, "tcp://a:1");
	assert_int_equal(s.n, 0);
	tear_down(&s);
}

static void
a_torn_end_costs_only_what_was_torn(void **state)
{
	struct sample s;
	struct stat st;
	struct heard heard;

	(void)state;
	set_up(&s);
	struct journal *j = open_for(&s, "tcp://a:1");
	add(j, "ACK 1", 100);
	add(j, "ACK 2", 100);
	journal_close(j);
	assert_int_equal(stat(s.file, &st), 0);
	off_t whole = st.st_size, second = (whole - 8) / 2;
	for (off_t size = whole - 1; size > whole - second; size--) {
		assert_int_equal(truncate(s.file, size), 0);
		heard_begin(&heard);
		look(&s, "tcp://a:1");
		heard_end(&heard);
		assert_int_equal(s.n, 1);
		assert_non_null(strstr(heard.text, "were cut off"));
	}
	/* What comes next is not written behind the torn piece. */
	heard_begin(&heard);
	j = open_for(&s, "tcp://a:1");
	add(j, "ACK 3", 100);
	journal_close(j);
	heard_end(&heard);
	look(&s, "tcp://a:1");
	assert_int_equal(s.n, 2);
	assert_string_equal(s.lines[1], "ACK 3");
	tear_down(&s);
}

static void
two_supervisors_cannot_share_it(void **state)
{
	struct sample s;
	struct err e;

	(void)state;
	set_up(&s);
	struct journal *j = open_for(&s, "tcp://a:1");
	assert_null(journal_open(s.dir, "w2", &e));
	assert_int_equal(e.code, EBUSY);
	assert_non_null(strstr(e.text, "another supervisor"));
	journal_close(j);
	tear_down(&s);
}

static void
what_is_no_journal_is_left_alone(void **state)
{
	struct sample s;
	struct err e;

	(void)state;
	set_up(&s);
	FILE *f = fopen(s.file, "w");
	fputs("precious text\n", f);
	fclose(f);
	assert_null(journal_open(s.dir, "w", &e));
	assert_non_null(strstr(e.text, "not a journal"));
	struct stat st;
	assert_int_equal(stat(s.file, &st), 0);
	assert_int_equal(st.st_size, 14);
	tear_down(&s);
}

static void
a_disk_that_refuses_is_told_once_and_tried_again(void **state)
{
	static char line[30000]; /* more than the log may become */
	struct rlimit before, little;
	struct heard heard;
	struct sample s;

	(void)state;
	set_up(&s);
	heard_begin(&heard);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	little = (struct rlimit){ 20000, before.rlim_max };
	struct journal *j = open_for(&s, "tcp://a:1");
	memset(line, 'x', sizeof line - 1);
	setrlimit(RLIMIT_FSIZE, &little);
	uint64_t one = add(j, line, 100);
	add(j, "ACK 2", 100);
	while (journal_counts(j).refused < 1)
		usleep(1000);
	journal_done(j, one);
	setrlimit(RLIMIT_FSIZE, &before);
	while (journal_counts(j).syncs == 0)
		usleep(1000);
	journal_close(j);
	heard_end(&heard);
	assert_non_null(strstr(heard.text,
	    "File too large; outcomes are not "
	    "kept, jobs go on"));
	assert_non_null(strstr(heard.text, "outcomes are kept again"));
	look(&s, "tcp://a:1");
	assert_int_equal(s.n, 1);
	assert_string_equal(s.lines[0], "ACK 2");
	tear_down(&s);
}

static void
the_file_does_not_grow_without_end(void **state)
{
	static char line[8000];
	struct sample s;
	struct stat st;

	(void)state;
	set_up(&s);
	memset(line, 'x', sizeof line - 1);
	struct journal *j = open_for(&s, "tcp://a:1");
	uint64_t first = add(j, "ACK first", 100);
	for (int i = 0; i < 600; i++) {
		uint64_t id = add(j, line, 100);

		journal_settle(j);
		journal_done(j, id);
	}
	assert_true(journal_counts(j).syncs >= 600);
	journal_close(j);
	assert_int_equal(stat(s.file, &st), 0);
	assert_true(st.st_size < 3 * 1024 * 1024);
	look(&s, "tcp://a:1");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.ids[0], first);
	tear_down(&s);
}

static void
many_share_a_sync_and_the_confirmed_need_none(void **state)
{
	struct sample s;

	(void)state;
	set_up(&s);
	struct journal *j = open_for(&s, "tcp://a:1");
	for (int i = 0; i < 1000; i++)
		journal_done(j, add(j, "ACK", 100));
	for (int i = 0; i < 1000; i++)
		add(j, "ACK", 100);
	journal_settle(j);
	struct journal_counts n = journal_counts(j);
	assert_int_equal(n.kept, 2000);
	assert_true(n.syncs < 500);
	journal_close(j);
	tear_down(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_not_confirmed_is_found_again),
		cmocka_unit_test(
		    other_servers_do_not_hear_of_it_but_it_is_kept),
		cmocka_unit_test(an_ended_reservation_is_forgotten),
		cmocka_unit_test(a_torn_end_costs_only_what_was_torn),
		cmocka_unit_test(two_supervisors_cannot_share_it),
		cmocka_unit_test(what_is_no_journal_is_left_alone),
		cmocka_unit_test(
		    a_disk_that_refuses_is_told_once_and_tried_again),
		cmocka_unit_test(the_file_does_not_grow_without_end),
		cmocka_unit_test(many_share_a_sync_and_the_confirmed_need_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
